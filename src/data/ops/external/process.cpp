// Gives each document to a program of your own, in any language.
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "data/child_process.h"
#include "data/op.h"

namespace helio::data {
namespace {

class Process final : public Map {
 public:
  struct Options {
    std::string command = {};
    std::string name = "external";
    double timeout = 60;

    void describe(Fields& f) {
      f("command", command,
        "Shell command of the program; one is started for every thread. It reads a JSON object a "
        "line {id, text, language, lot, partner, scores} and answers each with one: what it says "
        "of text, language and scores replaces ours, and {\"drop\": \"reason\"} drops.");
      f("name", name, "What it is called in errors and counts.");
      f("timeout", timeout, "Seconds after which a missing answer is an error.", at_least(0.001));
    }
  };

  static OpCard card() {
    return {.about =
                "Gives each document to a program of yours, one JSON object a line through a pipe, "
                "and takes its answer: another text, scores, or a reason to drop. The program must "
                "answer for a document alone, or results depend on threads."};
  }

  explicit Process(Options options) : options_(std::move(options)) {
    if (options_.command.empty())
      throw Error(ErrorKind::invalid, "external.process has no command")
          .with_hint("for example: {op: external.process, command: python3 my_filter.py}");
  }

  Verdict apply(Document& document, Counters& counters) const override {
    const std::string answer = child().ask(question(document), options_.timeout);
    const Json reply = Json::parse(answer, nullptr, false);
    if (!reply.is_object())
      throw Error(ErrorKind::failed, options_.name + " answered '" + answer.substr(0, 80) +
                                         "', which is no JSON object");
    try {
      if (const auto text = reply.find("text"); text != reply.end())
        document.text = text->get<std::string>();
      if (const auto language = reply.find("language"); language != reply.end())
        document.language = language->get<std::string>();
      if (const auto scores = reply.find("scores"); scores != reply.end())
        for (const auto& [name, score] : scores->items())
          document.scores[name] = score.get<double>();
      if (const auto reason = reply.find("drop"); reason != reply.end() && !reason->is_null())
        return drop(reason->get<std::string>(), reply.value("value", 0.0));
    } catch (const Json::exception& error) {
      throw Error(ErrorKind::failed, options_.name + " answered with " + error.what());
    }
    counters[options_.name + ".answered"] += 1;
    return keep();
  }

 private:
  static std::string question(const Document& document) {
    return compact({{"id", document.id},
                    {"text", document.text},
                    {"language", document.language},
                    {"lot", document.lot},
                    {"partner", document.partner},
                    {"scores", document.scores}});
  }

  // A program a thread; all of them end with the operator.
  ChildProcess& child() const {
    const std::lock_guard lock(guard_);
    auto& mine = children_[std::this_thread::get_id()];
    if (!mine) mine = std::make_unique<ChildProcess>(options_.command);
    return *mine;
  }

  Options options_;
  mutable std::mutex guard_ = {};
  mutable std::map<std::thread::id, std::unique_ptr<ChildProcess>> children_ = {};
};

}  // namespace

HELIO_OP(Process)

}  // namespace helio::data
