#include "engine/pairs/build_pairs.h"

#include <algorithm>

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/lines.h"
#include "core/manifest.h"
#include "core/options.h"
#include "engine/contamination.h"
#include "engine/load_served_model.h"
#include "engine/text_generation.h"
#include "eval/journal.h"
#include "nn/runtime.h"
#include "text/chat_format.h"

namespace helio::engine {
namespace {

bool blank(const std::string& text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

void check_options(const BuildPairsOptions& o) {
  const auto refuse = [](bool wrong, const char* what, const char* hint = "") {
    if (wrong) throw Error(ErrorKind::usage, what).with_hint(hint);
  };
  const bool rule = !o.chosen.empty() || !o.rejected.empty();
  refuse(o.out.empty(), "where should the pairs go?", "--out pairs.jsonl");
  refuse(rule && (o.chosen.empty() || o.rejected.empty()), "a rule needs both sides",
         "--chosen FILE --rejected FILE");
  refuse(rule && !(o.prompts.empty() && o.answers.empty() && o.model.empty() && o.judge.empty()),
         "--chosen and --rejected already say which answer is which");
  refuse(!rule && o.prompts.empty() == o.answers.empty(), "what are pairs made of?",
         "--prompts FILE with --model, or --answers FILE, or --chosen and --rejected");
  refuse(!o.prompts.empty() && o.model.empty(), "--prompts needs a --model that answers them");
  refuse(!o.answers.empty() && !o.model.empty(), "--answers are there already: no --model");
  refuse(!rule && o.judge.empty(), "who says which answer is better?",
         "--judge openai:URL#name, or a model folder");
  refuse(!o.judge_reference.empty() && (o.judge.empty() || o.judge.starts_with("openai:")),
         "--judge-reference has a meaning beside a --judge folder only");
  refuse(o.decontaminate && o.benchmarks.empty(), "pairs are kept free of benchmarks: which ones?",
         "--benchmarks FOLDER, or --no-decontaminate");
  refuse(!o.decontaminate && !o.benchmarks.empty(), "--benchmarks with --no-decontaminate");
}

// What decides a question's pair, but the question itself.
OrderedJson settings_of(BuildPairsOptions options) {
  OrderedJson all = options_json(describe(options));
  for (const char* name : {"prompts", "answers", "chosen", "rejected", "model", "judge",
                           "judge_reference", "benchmarks", "out", "threads", "timeout", "retries"})
    all.erase(name);
  for (const auto* path : {&options.model, &options.judge, &options.judge_reference})
    all["inputs"].push_back(path->empty() || path->starts_with("openai:")
                                ? *path
                                : describe_input("input", *path).content);
  for (const auto& path : options.benchmarks)
    all["benchmarks"].push_back(describe_input("benchmarks", path).content);
  return all;
}

class Builder {
 public:
  Builder(const BuildPairsOptions& options, Monitor& monitor, const StopRequest& stop)
      : options_(options),
        monitor_(monitor),
        stop_(stop),
        settings_(compact(settings_of(options))),
        contamination_(options.benchmarks, options.n_grams),
        journal_(options.out + ".journal") {}

  PairCounts run() {
    read();
    counts_.prompts = static_cast<int64_t>(questions_.size());
    rows_.resize(questions_.size());
    std::vector<size_t> open;
    for (size_t i = 0; i < questions_.size(); ++i) {
      if (const auto known = journal_.find_answer(key(i))) {
        rows_[i] = OrderedJson::parse(*known);
        ++counts_.from_journal;
      } else if (contamination_.holds(questions_[i].words())) {
        settle(i, {{"reason", "contaminated"}});
      } else {
        open.push_back(i);
      }
    }
    if (!open.empty()) {
      if (!options_.judge.empty())
        judge_ = options_.judge.starts_with("openai:")
                     ? endpoint_judge(endpoint(), stop_)
                     : model_judge(options_.judge, options_.judge_reference, options_.max_length);
      if (options_.model.empty()) judge_all(open);
      else generate(open);
    }
    write();
    counts_.contaminated_by = contamination_.items();
    return counts_;
  }

 private:
  void read() {
    if (!options_.chosen.empty())
      questions_ = match_answers(options_.chosen, options_.rejected, counts_.unmatched);
    else
      questions_ = read_questions(options_.answers.empty() ? options_.prompts : options_.answers);
    std::map<std::string, size_t> ids;
    for (size_t i = 0; i < questions_.size(); ++i) {
      if (!options_.model.empty()) questions_[i].answers.clear();
      ids.emplace(questions_[i].id, i);
      keys_.push_back(key_of(questions_[i]));
    }
    if (ids.size() < questions_.size())
      throw Error(ErrorKind::invalid, "ids of prompts stand in the data twice")
          .with_hint("a pair says by its prompt's id where it came from");
  }

  // Taken before answers are generated.
  std::string key_of(const Question& question) const {
    OrderedJson answers = OrderedJson::array();
    for (const auto& answer : question.answers) answers.push_back(answer.text);
    return sha256_hex(settings_ + "\n" +
                      compact({{"id", question.id},
                               {"source", question.source},
                               {"prompt", text::message_list(question.prompt)},
                               {"answers", answers}}));
  }
  const std::string& key(size_t i) const { return keys_[i]; }

  eval::EndpointOptions endpoint() const {
    eval::EndpointOptions endpoint = options_.endpoint;
    endpoint.model = options_.judge;
    return endpoint;
  }

  void settle(size_t i, OrderedJson row) {
    rows_[i] = std::move(row);
    journal_.add_answer(key(i), compact(rows_[i]));
  }

  void judge_all(const std::vector<size_t>& open) {
    monitor_.begin("Judging", static_cast<int64_t>(open.size()), "prompts");
    for (size_t done = 0; done < open.size(); ++done) {
      judge_one(open[done]);
      monitor_.at(static_cast<int64_t>(done) + 1);
      stop_.check();
    }
    monitor_.end();
  }

  void judge_one(size_t i) {
    const Question& question = questions_[i];
    // A rule's first answer is the better one.
    std::vector<std::optional<double>> scores = {1.0, 0.0};
    if (judge_)
      scores = in_context([&] { return "judging answers to " + question.id; },
                          [&] { return judge_->score(question); });
    const ChosenPair pair = choose_pair(question, scores, judge_ ? options_.min_gap : 0);
    if (!pair.reason.empty()) {
      settle(i, {{"reason", pair.reason}});
      return;
    }
    const Candidate &chosen = question.answers[pair.chosen],
                    &rejected = question.answers[pair.rejected];
    if (contamination_.holds(chosen.text) || contamination_.holds(rejected.text)) {
      settle(i, {{"reason", "contaminated"}});
      return;
    }
    OrderedJson provenance = {
        {"prompt_id", question.id}, {"chosen_from", chosen.from}, {"rejected_from", rejected.from}};
    if (!options_.model.empty()) {
      provenance["model"] = model_content_;
      provenance["seed"] = options_.seed;
    }
    if (judge_) {
      provenance["judge"] = judge_->described();
      OrderedJson all = OrderedJson::array();
      for (const auto& score : scores)
        all.push_back(score ? OrderedJson(*score) : OrderedJson(nullptr));
      provenance["scores"] = all;
      provenance["chosen_score"] = *scores[pair.chosen];
      provenance["rejected_score"] = *scores[pair.rejected];
    } else {
      provenance["judge"] = {{"judge", "rule"}};
    }
    settle(i, {{"id", question.id},
               {"prompt", text::message_list(question.prompt)},
               {"chosen", chosen.text},
               {"rejected", rejected.text},
               {"source", question.source},
               {"provenance", provenance}});
  }

  void generate(const std::vector<size_t>& open) {
    nn::prepare_runtime(options_.threads);
    ServedModelOptions serving;
    serving.engine.waiting = INT64_MAX;
    const auto model = load_served_model("model", options_.model, serving);
    if (!model.render_chat)
      throw Error(ErrorKind::not_found, "'" + options_.model + "' has no chat template")
          .with_hint("put its chat_template.jinja into the folder");
    model_content_ = describe_input("model", options_.model).content;
    std::vector<TextRequest> requests;
    std::vector<size_t> asked;
    const int64_t room = model.engine->max_positions() - options_.max_new_tokens;
    for (const size_t i : open) {
      auto ids = model.tokenizer->encode(
          model.render_chat({.messages = text::message_list(questions_[i].prompt)}),
          text::SpecialTokens::skip);
      if (ids.empty() || static_cast<int64_t>(ids.size()) > room) {
        settle(i, {{"reason", "prompt_too_long"}});
        continue;
      }
      asked.push_back(i);
      for (int64_t k = 0; k < options_.n; ++k) {
        model::GenerationRequest request{.prompt = ids,
                                         .max_new_tokens = options_.max_new_tokens,
                                         .seed = static_cast<uint64_t>(options_.seed + k),
                                         .stop_ids = model.stop_ids};
        request.sampler.temperature = static_cast<float>(options_.temperature);
        request.sampler.top_p = static_cast<float>(options_.top_p);
        requests.push_back({.request = std::move(request)});
      }
    }
    monitor_.begin("Answering", static_cast<int64_t>(asked.size()), "prompts");
    generate_texts(
        model, std::move(requests), [&] { return !stop_.raised(); },
        [&](size_t at, TextAnswer answer) {
          const auto n = static_cast<size_t>(options_.n);
          Question& question = questions_[asked[at / n]];
          question.answers.push_back(
              {.text = std::move(answer.text),
               .from = "seed " + std::to_string(options_.seed + static_cast<int64_t>(at % n))});
          if (question.answers.size() < n) return;
          judge_one(asked[at / n]);
          monitor_.at(static_cast<int64_t>(at / n) + 1);
        });
    monitor_.end();
    stop_.check();
  }

  void write() {
    LineWriter out(options_.out);
    for (const auto& row : rows_) {
      if (row.contains("reason")) {
        ++counts_.left_out[row.at("reason").get<std::string>()];
        continue;
      }
      out.write(compact(row));
      ++counts_.pairs;
    }
    if (counts_.pairs == 0)
      throw Error(ErrorKind::invalid, "no pair came of " + std::to_string(counts_.prompts) +
                                          " prompts: " + compact(counts_.json()["left_out"]));
    out.commit();
  }

  const BuildPairsOptions& options_;
  Monitor& monitor_;
  const StopRequest& stop_;
  std::string settings_, model_content_ = {};
  Contamination contamination_;
  eval::Journal journal_;
  std::unique_ptr<PairJudge> judge_ = {};
  std::vector<Question> questions_ = {};
  std::vector<std::string> keys_ = {};
  std::vector<OrderedJson> rows_ = {};  // a pair, or {"reason"}
  PairCounts counts_ = {};
};

}  // namespace

ChosenPair choose_pair(const Question& question, const std::vector<std::optional<double>>& scores,
                       double min_gap) {
  if (question.answers.size() < 2) return {.reason = "few_answers"};
  std::optional<size_t> best, worst;
  for (size_t i = 0; i < question.answers.size() && i < scores.size(); ++i) {
    if (!scores[i]) continue;
    if (!best || *scores[i] > *scores[*best]) best = i;
    if (!worst || *scores[i] < *scores[*worst]) worst = i;
  }
  if (!best || std::count(scores.begin(), scores.end(), std::nullopt) + 2 >
                   static_cast<int64_t>(scores.size()))
    return {.reason = "unjudged"};
  if (*scores[*best] - *scores[*worst] <= min_gap) return {.reason = "tied"};
  const std::string &chosen = question.answers[*best].text,
                    &rejected = question.answers[*worst].text;
  if (blank(chosen) || blank(rejected)) return {.reason = "empty_side"};
  if (chosen == rejected) return {.reason = "equal_sides"};
  return {.chosen = *best, .rejected = *worst};
}

OrderedJson PairCounts::json() const {
  OrderedJson items = OrderedJson::object(), reasons = OrderedJson::object();
  for (const auto& [name, count] : left_out) reasons[name] = count;
  for (const auto& [name, count] : contaminated_by) items[name] = count;
  return {{"prompts", prompts},           {"pairs", pairs},
          {"left_out", reasons},          {"unmatched", unmatched},
          {"from_journal", from_journal}, {"contaminated_by", items}};
}

void BuildPairsOptions::describe(Fields& f) {
  f.input("prompts", prompts,
          "Rows of JSON with \"prompt\" or \"messages\", for --model to answer.");
  f.input("model", model, "Model that answers the prompts, in its chat template.");
  f.input(
      "answers", answers,
      "Instead of both: rows with a prompt and \"answers\", or \"choices\" (helio generate --n).");
  f.input("chosen", chosen, "Instead of a judge: rows with the better answer (\"answer\") ...");
  f.input("rejected", rejected, "... and rows with the worse one, matched by \"id\" or prompt.");
  f("judge", judge,
    "Who scores answers: openai:URL#name, or a model folder (log-probability per token).");
  f.input("judge_reference", judge_reference,
          "With a judge folder: scores are log-ratios to this model (DPO's implicit reward).");
  f("min_gap", min_gap, "Scores no further apart than this make no pair.", at_least(0));
  f.input("benchmarks", benchmarks,
          "Benchmarks (files or folders of JSON lines) that no pair may share words with.");
  f("decontaminate", decontaminate, "Leave out what shares a run of words with a benchmark.");
  f("n_grams", n_grams, "Words in such a run.", between(1, 64));
  f("n", n, "Answers to each prompt.", between(2, 1000));
  f("max_new_tokens", max_new_tokens, "Longest answer, in tokens.", at_least(1));
  f("temperature", temperature, "Of the answers.", at_least(0));
  f("top_p", top_p, "Only the smallest set of tokens with this much probability.", between(0, 1));
  f("seed", seed, "Seed of a prompt's first answer; the next ones count on.", at_least(0));
  f("max_length", max_length, "For a judge folder: prompt and answer are cut to so many tokens.",
    at_least(8));
  endpoint.describe_requests(f);
  f("threads", threads, "CPU threads; 0: all cores.", at_least(0));
  f("out", out, "File of pairs, as helio align reads them.");
}

PairCounts build_pairs(const BuildPairsOptions& options, Monitor& monitor,
                       const StopRequest& stop) {
  check_options(options);
  PairCounts counts = Builder(options, monitor, stop).run();
  std::error_code ignored;
  fs::remove(options.out + ".journal", ignored);
  return counts;
}

}  // namespace helio::engine
