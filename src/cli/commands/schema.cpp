// Prints the JSON Schema of a command's options.
#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/options.h"

namespace helio::cli {
namespace {

class Schema final : public Command {
 public:
  Card card() const override {
    return {.positional = {"command"}, .required = {"command"}, .examples = {"helio schema tokenizer train"}};
  }
  void describe(Fields& f) override {
    f("command", words_, "The command, word by word.");
  }
  int run(Context& context) override {
    std::string name;
    for (const auto& word : words_) name += (name.empty() ? "" : " ") + word;
    std::vector<std::string> names;
    for (const auto& entry : commands()) {
      names.push_back(entry.name);
      if (entry.name != name || !entry.make) continue;
      const auto command = entry.make();
      auto schema = options_schema([&](Fields& f) { command->describe(f); });
      OrderedJson out = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                         {"title", "helio " + name}, {"description", entry.summary}};
      out.update(schema);
      context.out << pretty(out);
      return 0;
    }
    Error error(ErrorKind::not_found, "no command '" + name + "' here");
    const std::string near = nearest(name, names);
    throw error.with_hint(near.empty() ? "helio --help lists the commands" : "did you mean '" + near + "'?");
  }

 private:
  std::vector<std::string> words_;
};

}  // namespace
}  // namespace helio::cli

HELIO_COMMAND(helio::cli::Schema)
