// Show what became of one document of a dataset: the steps that changed it, and why it was dropped.
#include "data/explain.h"

#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"

namespace helio::cli {
namespace {

class DataExplain final : public Command {
 public:
  Card card() const override {
    return {
        .positional = {"dataset"},
        .required = {"dataset", "id"},
        .examples = {"helio data explain workspace/datasets/corpus --id faq-ko/support.ko.html"}};
  }

  void describe(Fields& f) override {
    f.input("dataset", dataset_, "The dataset.");
    f("id", id_, "The document's id: <lot>/<path> or <lot>/<path>#<row>.");
    f("text", text_, "Print the text as well.");
  }

  int run(Context& context) override {
    OrderedJson story = data::explain(dataset_, id_);
    const std::string text = story["text"].get<std::string>();
    if (!text_) story.erase("text");
    if (context.json) {
      context.out << compact(story) << '\n';
      return 0;
    }
    for (const auto& [key, value] : story.items()) {
      if (key == "text") continue;
      context.out << fmt::format("{:<10}{}\n", key,
                                 value.is_string() ? value.get<std::string>() : value.dump());
    }
    if (text_) context.out << '\n' << text << '\n';
    return 0;
  }

 private:
  std::string dataset_, id_;
  bool text_ = false;
};

}  // namespace
}  // namespace helio::cli

HELIO_COMMAND(helio::cli::DataExplain)
