#include "eval/mt_bench/judge.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

#include "core/error.h"
#include "core/lines.h"
#include "eval/scorer.h"

namespace helio::eval::mt_bench {
namespace {

const std::vector<std::string>& turns_of(const Answers& answers, const Question& question,
                                         const std::string& whose) {
  const auto found = answers.find(question.id);
  if (found == answers.end() || found->second.size() < question.turns.size())
    throw Error(ErrorKind::not_found,
                whose + " has no answer to all turns of question " + std::to_string(question.id));
  return found->second;
}

using Key = std::pair<int64_t, int64_t>;  // question, turn

// Judgments in one file: of what is asked for now, and no other.
class JudgmentFile {
 public:
  JudgmentFile(std::filesystem::path path, const ModelAnswers& model, const ModelAnswers& against)
      : path_(std::move(path)) {
    if (path_.has_parent_path()) std::filesystem::create_directories(path_.parent_path());
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd_ < 0) throw system_error("cannot open '" + path_.string() + "'", errno);
    drop_torn_line();
    read_jsonl(path_, [&](const Json& row, int64_t line) {
      const bool ours = against.model.empty() ? row_text(row, "model") == model.model
                                              : row_text(row, "model_1") == model.model &&
                                                    row_text(row, "model_2") == against.model;
      if (!ours || !row.contains("turn") || !row.at("turn").is_number_integer() ||
          !row.at("question_id").is_number_integer())
        throw Error(ErrorKind::invalid, path_.string() + ":" + std::to_string(line) +
                                            " is a judgment of something else")
            .with_hint("give each model, or pair, an --out of its own");
      known_.insert({row.at("question_id").get<int64_t>(), row.at("turn").get<int64_t>()});
    });
  }
  ~JudgmentFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  JudgmentFile(const JudgmentFile&) = delete;
  JudgmentFile& operator=(const JudgmentFile&) = delete;

  bool has(const Key& key) const { return known_.contains(key); }

  void add(const OrderedJson& row) {
    const std::string line = compact(row) + "\n";
    const std::lock_guard lock(mutex_);
    for (size_t written = 0; written < line.size();) {
      const ssize_t n = ::write(fd_, line.data() + written, line.size() - written);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw system_error("cannot write '" + path_.string() + "'", errno);
      written += static_cast<size_t>(n);
    }
    ::fdatasync(fd_);  // a judgment costs money: it is on the disk before the next is asked for
  }

 private:
  void drop_torn_line() {
    std::ifstream in(path_, std::ios::binary);
    const std::string all((std::istreambuf_iterator<char>(in)), {});
    const size_t whole = all.rfind('\n') == all.npos ? 0 : all.rfind('\n') + 1;
    if (whole != all.size() && ::ftruncate(fd_, static_cast<off_t>(whole)) != 0)
      throw system_error("cannot shorten '" + path_.string() + "'", errno);
  }

  std::filesystem::path path_;
  int fd_ = -1;
  std::set<Key> known_ = {};
  std::mutex mutex_ = {};
};

OrderedJson row_of(const Match& match, const std::vector<std::string>& judgments,
                   const std::string& judge, const ModelAnswers& model,
                   const ModelAnswers& against) {
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const OrderedJson who = OrderedJson::array({judge, match.prompt_name});
  if (judgments.size() == 1) {
    const auto rating = rating_of(judgments[0]);
    return {{"question_id", match.question.id},
            {"model", model.model},
            {"judge", who},
            {"user_prompt", match.prompts[0]},
            {"judgment", judgments[0]},
            {"score", rating.value_or(-1)},
            {"turn", match.turn},
            {"tstamp", now}};
  }
  return {
      {"question_id", match.question.id},
      {"model_1", model.model},
      {"model_2", against.model},
      {"g1_winner", winner_of(verdict_of(judgments[0]), "model_1", "model_2").value_or("error")},
      {"g2_winner", winner_of(verdict_of(judgments[1]), "model_2", "model_1").value_or("error")},
      {"judge", who},
      {"g1_user_prompt", match.prompts[0]},
      {"g1_judgment", judgments[0]},
      {"g2_user_prompt", match.prompts[1]},
      {"g2_judgment", judgments[1]},
      {"turn", match.turn},
      {"tstamp", now}};
}

}  // namespace

JudgeData read_judge_data(const std::string& benchmarks) {
  const auto file = [&](const char* name) {
    return benchmark_file(benchmarks, std::string("mt_bench/") + name);
  };
  return {.questions = read_questions(file("question.jsonl")),
          .prompts = read_judge_prompts(file("judge_prompts.jsonl")),
          .references = read_answers(file("reference_answer/gpt-4.jsonl")).answers};
}

std::vector<Match> make_matches(const JudgeData& data, const ModelAnswers& model,
                                const ModelAnswers& against) {
  const bool pairs = !against.model.empty();
  std::vector<Match> matches;
  for (const int64_t turn : {1, 2}) {
    for (const Question& question : data.questions) {
      if (static_cast<size_t>(turn) > question.turns.size()) continue;
      const bool beside = needs_reference(question.category), second = turn == 2;
      Match match{.question = question, .turn = turn};
      match.prompt_name = std::string(pairs ? "pair" : "single") +
                          (beside ? "-math-v1" : (pairs ? "-v2" : "-v1")) +
                          (second ? "-multi-turn" : "");
      const auto prompt = data.prompts.find(match.prompt_name);
      if (prompt == data.prompts.end())
        throw Error(ErrorKind::not_found, "there is no judge prompt '" + match.prompt_name + "'");
      match.system = prompt->second.system;
      std::map<std::string, std::string> values = {{"question", question.turns[0]},
                                                   {"question_1", question.turns[0]}};
      if (second) values["question_2"] = question.turns[1];
      if (beside) {
        const auto& reference = turns_of(data.references, question, "the reference");
        values["ref_answer_1"] = reference[0];
        if (reference.size() > 1) values["ref_answer_2"] = reference[1];
      }
      const auto& mine = turns_of(model.answers, question, model.model);
      if (!pairs) {
        values["answer"] = values["answer_1"] = mine[0];
        if (second) values["answer_2"] = mine[1];
        match.prompts = {fill_template(prompt->second.user, values)};
      } else {
        const auto& theirs = turns_of(against.answers, question, against.model);
        for (const auto& [a, b] : {std::pair(&mine, &theirs), std::pair(&theirs, &mine)}) {
          values["answer_a"] = values["answer_a_1"] = (*a)[0];
          values["answer_b"] = values["answer_b_1"] = (*b)[0];
          if (second) {
            values["answer_a_2"] = (*a)[1];
            values["answer_b_2"] = (*b)[1];
          }
          match.prompts.push_back(fill_template(prompt->second.user, values));
        }
      }
      matches.push_back(std::move(match));
    }
  }
  return matches;
}

JudgeOutcome judge(const std::vector<Match>& matches, const ModelAnswers& model,
                   const ModelAnswers& against, const JudgeOptions& options, Monitor& monitor,
                   const StopRequest& stop) {
  constexpr double kTemperature = 0;
  constexpr int64_t kTokens = 2048;
  JudgmentFile file(options.out, model, against);
  std::vector<const Match*> left;
  for (const Match& match : matches)
    if (!file.has({match.question.id, match.turn})) left.push_back(&match);
  JudgeOutcome outcome;
  outcome.kept = static_cast<int64_t>(matches.size() - left.size());
  monitor.begin("judging", static_cast<int64_t>(left.size()), "judgments");

  std::atomic<size_t> next = 0;
  std::atomic<bool> broken = false;  // the file cannot be written: no more is asked for
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    OpenAiChat chat(options.endpoint, [&] { return stop.raised() || broken.load(); });
    for (size_t i = next++; i < left.size() && !stop.raised() && !broken; i = next++) {
      std::vector<std::string> judgments;
      int64_t retries = 0;
      try {
        for (const auto& prompt : left[i]->prompts) {
          auto answer = chat.ask(left[i]->system, prompt, kTemperature, kTokens);
          judgments.push_back(std::move(answer.text));
          retries += answer.retries;
        }
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::interrupted) return;
        const std::lock_guard lock(mutex);
        if (outcome.failed++ == 0) outcome.first_problem = error.message();
        continue;
      }
      file.add(row_of(*left[i], judgments, chat.name(), model, against));
      const std::lock_guard lock(mutex);
      ++outcome.judged;
      outcome.retries += retries;
      monitor.at(outcome.judged);
    }
  };
  split_endpoint(options.endpoint.model);  // a wrong one ends here, not in a thread
  std::vector<std::thread> threads;
  const size_t wanted = std::min<size_t>(static_cast<size_t>(options.parallel), left.size());
  for (size_t i = 0; i < wanted; ++i)
    threads.emplace_back([&] {
      try {
        work();
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        broken = true;
      }
    });
  for (auto& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
  monitor.end();
  stop.check();
  return outcome;
}

}  // namespace helio::eval::mt_bench
