#include "eval/mt_bench/judging.h"

#include <fmt/format.h>

#include <map>

#include "core/error.h"
#include "core/lines.h"
#include "eval/scorer.h"
#include "text/utf8.h"

namespace helio::eval::mt_bench {
void judge_answers(const Task& task, const std::string& model, AnsweredTask& answered,
                   const JudgeData& data, const JudgeOptions& options, const StopRequest& stop) {
  ModelAnswers mine{.model = model};
  std::map<int64_t, size_t> places;
  for (size_t i = 0; i < answered.answers.size(); ++i) {
    const OrderedJson row = task.answer_row(static_cast<int64_t>(i), answered.answers[i], model);
    const auto id = row.at("question_id").get<int64_t>();
    places[id] = i;
    mine.answers[id] = row.at("choices")[0].at("turns").get<std::vector<std::string>>();
  }
  JudgeData asked = data;
  std::erase_if(asked.questions, [&](const Question& q) { return !places.contains(q.id); });
  const auto matches = make_matches(asked, mine, {});
  SilentMonitor silent;  // the run's progress goes on
  const JudgeOutcome outcome = judge(matches, mine, {}, options, silent, stop);
  if (outcome.failed)
    throw Error(ErrorKind::failed,
                fmt::format("{} of {} judgments failed; the first: {}", outcome.failed,
                            matches.size(), outcome.first_problem))
        .with_hint(
            "--resume asks for what is missing; without --judge the answers are written unjudged");
  read_jsonl(options.out, [&](const Json& row, int64_t) {
    const auto turn = row.at("turn").get<size_t>();
    const auto place = places.find(row.at("question_id").get<int64_t>());
    if (place == places.end() || turn < 1 || turn > 2) return;
    Judged& item = answered.scored.items[place->second];
    const std::string judgment = text::repair_utf8(row_text(row, "judgment"));
    OrderedJson& told = item.sample["turns"][turn - 1];
    told["judgment"] = judgment;
    const auto rating = rating_of(judgment);
    told["rating"] = rating ? OrderedJson(*rating) : OrderedJson();
    if (!rating) return;
    for (const size_t metric : {size_t{0}, turn}) {
      item.metrics[metric].value += *rating;
      item.metrics[metric].weight += 1;
    }
  });
  for (Judged& item : answered.scored.items) {
    const auto& all = item.metrics[0];
    item.sample["score"] = all.weight > 0 ? OrderedJson(all.value / all.weight) : OrderedJson();
  }
}

std::string not_judged(const Task& task, const std::string& file) {
  if (task.items() < task.total())
    return fmt::format(
        "answered, not judged: --judge openai:URL#name judges {} of {} questions "
        "only in the run itself",
        task.items(), task.total());
  return "answered, not judged: helio eval judge " + file +
         " --benchmarks DIR --judge openai:URL#name --out FILE";
}

}  // namespace helio::eval::mt_bench
