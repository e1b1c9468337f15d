#include "report/record.h"
#include "report/sections.h"

namespace helio::report {
namespace {

// The first of these facts that the artefact states as a number.
Count fact_at(const StageInfo& stage, std::initializer_list<const char*> keys) {
  if (!stage.manifest) return {};
  const Json facts = stage.manifest->facts;
  for (const char* key : keys)
    if (facts.contains(key) && facts.at(key).is_number_integer())
      return facts.at(key).get<int64_t>();
  return {};
}

std::string shorter(const Count& count) {
  return or_dash(count, [](int64_t value) {
    return value < 100000 ? grouped(value) : short_count(static_cast<double>(value));
  });
}

void lot_facts(const Report& report, const StageInfo& stage, std::vector<Fact>& facts) {
  Count lots, documents;
  std::map<std::string, int> partners;
  for (const Artefact& artefact : report.artefacts) {
    if (artefact.kind != "lot" || !artefact.path.starts_with("lots/" + stage.name + "/")) continue;
    lots = lots.value_or(0) + 1;
    const Record record(artefact.facts, artefact.path + ": facts");
    ++partners[record.text("partner")];
    if (const auto count = record.count("documents")) documents = documents.value_or(0) + *count;
  }
  facts.push_back({say("fact.partners"), lots ? std::to_string(partners.size()) : kDash});
  facts.push_back({say("fact.lots"), shorter(lots)});
  facts.push_back({say("fact.documents"), shorter(documents)});
}

void run_facts(const Report& report, const StageInfo& stage, std::vector<Fact>& facts) {
  const Run* run = report.run_of(stage.name);
  if (const Count parameters = fact_at(stage, {"parameters"}))
    facts.push_back({say("fact.parameters"), shorter(parameters)});
  if (!run) return;
  if (!run->loss.empty()) {
    facts.push_back({say("fact.steps"), grouped(static_cast<int64_t>(run->loss.back().step))});
    facts.push_back({say("fact.loss"), rounded(run->loss.front().value, 2) + " → " +
                                           rounded(run->loss.back().value, 2)});
  }
  if (run->tokens) facts.push_back({say("fact.tokens"), shorter(run->tokens)});
}

void align_facts(const Report& report, const StageInfo& stage, std::vector<Fact>& facts) {
  for (const Alignment& align : report.alignments) {
    if (align.stage != stage.name) continue;
    facts.push_back({say("fact.steps"), std::to_string(align.steps.size())});
    const AlignStep& last = align.steps.back();
    const Number margin = last.margin_after          ? last.margin_after
                          : last.run.margins.empty() ? Number()
                                                     : Number(last.run.margins.back().value);
    facts.push_back({say("fact.margin"), number_or_dash(margin, 3)});
    facts.push_back({say("fact.accuracy"),
                     or_dash(last.heldout_accuracy, [](double v) { return percent(v); })});
  }
}

void eval_facts(const Report& report, const StageInfo& stage, std::vector<Fact>& facts) {
  for (const Evaluation& evaluation : report.evaluations) {
    if (evaluation.stage != stage.name) continue;
    size_t ran = 0;
    for (const Task& task : evaluation.tasks)
      for (const Score& score : task.scores)
        if (score.value) {
          ++ran;
          break;
        }
    facts.push_back({say("fact.models"), std::to_string(evaluation.models.size())});
    facts.push_back(
        {say("fact.tasks"), std::to_string(ran) + " / " + std::to_string(evaluation.tasks.size())});
  }
}

void card(Section& s, const StageInfo& stage, size_t number) {
  static const std::map<StageInfo::Status, const char*> kStatus = {
      {StageInfo::Status::up_to_date, "up_to_date"},
      {StageInfo::Status::stale, "stale"},
      {StageInfo::Status::unfinished, "unfinished"},
      {StageInfo::Status::not_run, "not_run"}};
  const std::string status = kStatus.at(stage.status);
  s.out.open("li", {{"class", "card " + status}});
  s.out.open("h3").element("i", {{"class", "no"}}, std::to_string(number)).text(stage.name).close();
  s.out.element("code", {}, "helio " + stage.kind);
  s.out.open("dl");
  for (const Fact& fact : facts_of(s.report, stage)) {
    s.out.open("div").open("dt");
    s.say(fact.name);
    s.out.close().element("dd", {}, fact.value).close();
  }
  s.out.close().open("p", {{"class", "foot"}});
  s.out.open("span", {{"class", "status"}});
  s.say(say("status." + status));
  s.out.close();
  s.out.open("span").open("span", {{"class", "sr"}});
  s.say(say("pipeline.time"));
  s.out.text(" ")
      .close()
      .text(or_dash(stage.seconds, [](double v) { return duration_text(v); }))
      .close();
  s.out.open("span").open("span", {{"class", "sr"}});
  s.say(say("pipeline.memory"));
  s.out.text(" ").close();
  s.out.text(or_dash(stage.peak_rss, [](int64_t v) { return bytes_text(static_cast<double>(v)); }))
      .close();
  s.out.close().close();
}

// One bar cut by time: where the minutes went.
void time_bar(Section& s) {
  if (!s.report.seconds || *s.report.seconds <= 0) return;
  constexpr double kWidth = 1104, kHeight = 34;
  const std::string id = s.next_id();
  Svg svg({.width = kWidth, .height = kHeight, .css = "chart timebar", .labelled_by = id});
  double x = 0;
  int shade = 0;
  for (const StageInfo& stage : s.report.stages) {
    if (!stage.seconds || *stage.seconds <= 0) continue;
    const double width = *stage.seconds / *s.report.seconds * kWidth;
    const std::string tip = stage.name + " · " + duration_text(*stage.seconds) + " · " +
                            percent(*stage.seconds / *s.report.seconds);
    svg.rect({x, 0, std::max(0.5, width - 2), kHeight}, shade % 2 ? "time odd" : "time", 3, tip);
    const double name = text_width(stage.name, 13);
    if (name + 14 < width) {
      svg.label({x + 8, 21.5}, stage.name, "timename", tip);
      const std::string spent = duration_text(*stage.seconds);
      if (name + text_width(spent, 12) + 30 < width)
        svg.label({x + width - 10, 21.5}, spent, "timename faint end");
    }
    x += width;
    ++shade;
  }
  s.figure(id, say("pipeline.share"), svg.finish());
}

}  // namespace

std::vector<Fact> facts_of(const Report& report, const StageInfo& stage) {
  std::vector<Fact> facts;
  if (stage.status == StageInfo::Status::not_run) return facts;
  if (stage.kind == "club import") lot_facts(report, stage, facts);
  if (stage.kind == "data run")
    for (const Dataset& data : report.datasets) {
      if (data.stage != stage.name) continue;
      facts.push_back({say("fact.in"), count_or_dash(data.documents_in)});
      facts.push_back({say("fact.kept"), count_or_dash(data.documents_out)});
      if (data.documents_in && data.documents_out)
        facts.push_back({say("fact.dropped"), grouped(*data.documents_in - *data.documents_out)});
    }
  if (stage.kind == "tokenizer train") {
    Count size = fact_at(stage, {"vocab_size", "vocabulary"});
    if (!size) size = Record(stage.written, "options of stage " + stage.name).count("vocab_size");
    facts.push_back({say("fact.vocabulary"), shorter(size)});
  }
  if (stage.kind == "tokens build") {
    facts.push_back({say("fact.tokens"), shorter(fact_at(stage, {"tokens"}))});
    facts.push_back({say("fact.documents"), shorter(fact_at(stage, {"documents"}))});
  }
  if (stage.kind == "pretrain" || stage.kind == "sft") run_facts(report, stage, facts);
  if (stage.kind == "upscale")
    for (const Upscaling& up : report.upscalings) {
      if (up.stage != stage.name) continue;
      facts.push_back({say("fact.layers"), std::to_string(up.base_layers) + " → " +
                                               std::to_string(up.layer_map.size())});
      facts.push_back(
          {say("fact.parameters"), shorter(up.base_parameters) + " → " + shorter(up.parameters)});
    }
  if (stage.kind == "merge") {
    facts.push_back({say("fact.layers"), count_or_dash(fact_at(stage, {"base_layers"})) + " → " +
                                             count_or_dash(fact_at(stage, {"layers"}))});
    facts.push_back({say("fact.parameters"), shorter(fact_at(stage, {"base_parameters"})) + " → " +
                                                 shorter(fact_at(stage, {"parameters"}))});
  }
  if (stage.kind == "align") align_facts(report, stage, facts);
  if (stage.kind == "eval run") eval_facts(report, stage, facts);
  if (stage.kind == "club statement")
    for (const Statement& statement : report.statements) {
      if (statement.stage != stage.name) continue;
      facts.push_back({say("fact.partners"), std::to_string(statement.partners.size())});
      facts.push_back({say("fact.pool"), count_or_dash(statement.pool) + " " + statement.currency});
    }
  return facts;
}

void pipeline_section(Section& s) {
  s.out.open("section", {{"aria-labelledby", "pipeline"}});
  s.heading("pipeline", "pipeline.title", "pipeline.lead");
  time_bar(s);
  s.out.open("ol", {{"class", "cards"}});
  for (size_t i = 0; i < s.report.stages.size(); ++i) card(s, s.report.stages[i], i + 1);
  s.out.close().close();
}

}  // namespace helio::report
