// Prints the JSON Schema of a command's options.
#include <unistd.h>

#include <cerrno>
#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/options.h"

namespace helio::cli {
namespace {

// The engine's commands are described there; it takes this process's place.
[[noreturn]] void start_engine(const Context& context, const std::vector<std::string>& words) {
  const std::string engine = (fs::path(context.program).parent_path() / "helio-engine").string();
  std::vector<std::string> given = {engine, "schema"};
  given.insert(given.end(), words.begin(), words.end());
  std::vector<char*> argv;
  for (auto& word : given) argv.push_back(word.data());
  argv.push_back(nullptr);
  execv(engine.c_str(), argv.data());
  throw system_error("cannot start " + engine, errno)
      .with_hint("helio-engine belongs beside helio");
}

class Schema final : public Command {
 public:
  Card card() const override {
    return {.positional = {"command"},
            .required = {"command"},
            .examples = {"helio schema tokenizer train"}};
  }
  void describe(Fields& f) override { f("command", words_, "The command, word by word."); }
  int run(Context& context) override {
    std::string name;
    for (const auto& word : words_) name += (name.empty() ? "" : " ") + word;
    std::vector<std::string> names;
    for (const auto& entry : commands()) {
      names.push_back(entry.name);
      if (entry.name != name) continue;
      if (!entry.make) start_engine(context, words_);
      const auto command = entry.make();
      auto schema = options_schema([&](Fields& f) { command->describe(f); });
      OrderedJson out = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                         {"title", "helio " + name},
                         {"description", entry.summary}};
      out.update(schema);
      context.out << pretty(out);
      return 0;
    }
    Error error(ErrorKind::not_found, "no command '" + name + "' here");
    const std::string near = nearest(name, names);
    throw error.with_hint(near.empty() ? "helio --help lists the commands"
                                       : "did you mean '" + near + "'?");
  }

 private:
  std::vector<std::string> words_;
};

}  // namespace
}  // namespace helio::cli

HELIO_COMMAND(helio::cli::Schema)
