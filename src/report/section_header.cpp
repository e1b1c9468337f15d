#include "report/sections.h"

namespace helio::report {
void tile(Section& s, const Text& name, const std::string& value, const Text& below,
          std::optional<double> share) {
  s.out.open("div", {{"class", "tile"}}).open("dt");
  s.say(name);
  s.out.close().open("dd").element("strong", {{"class", value == kDash ? "faint" : ""}}, value);
  if (share) s.out.add(meter(*share, "fill"));
  if (!below.en.empty()) {
    s.out.open("small");
    s.say(below);
    s.out.close();
  }
  s.out.close().close();
}

namespace {

void document_tile(Section& s) {
  const Dataset* data = s.report.datasets.empty() ? nullptr : &s.report.datasets.front();
  if (!data || !data->documents_in || !data->documents_out || *data->documents_in <= 0)
    return tile(s, say("head.documents"), kDash, say("page.not_run"));
  const double share =
      static_cast<double>(*data->documents_out) / static_cast<double>(*data->documents_in);
  tile(s, say("head.documents"), grouped(*data->documents_out),
       say("head.documents_of", {grouped(*data->documents_in), percent(share)}), share);
}

void token_tile(Section& s) {
  Count first, later;
  for (const Run& run : s.report.runs) {
    if (run.kind != "pretrain" || !run.tokens) continue;
    Count& sum = run.after.empty() ? first : later;
    sum = sum.value_or(0) + *run.tokens;
  }
  if (!first && !later) return tile(s, say("head.tokens"), kDash, say("page.not_run"));
  const auto shown = [](const Count& n) {
    return or_dash(n, [](int64_t v) { return short_count(static_cast<double>(v)); });
  };
  tile(s, say("head.tokens"), shown(first.value_or(0) + later.value_or(0)),
       later ? say("head.tokens_sub", {shown(first), shown(later)}) : say("head.tokens_runs"));
}

void model_tiles(Section& s) {
  if (s.report.upscalings.empty()) return;
  const Upscaling& up = s.report.upscalings.front();
  const auto shown = [](const Count& n) {
    return or_dash(n, [](int64_t v) { return short_count(static_cast<double>(v)); });
  };
  tile(s, say("head.parameters"), shown(up.parameters),
       say("head.parameters_sub", {shown(up.base_parameters)}));
  tile(s, say("head.loss"), number_or_dash(up.recovered_loss, 3),
       say("head.loss_sub", {number_or_dash(up.base_loss, 3), number_or_dash(up.after_loss, 3)}));
}

void preference_tile(Section& s) {
  if (s.report.alignments.empty()) return;
  const AlignStep& last = s.report.alignments.front().steps.back();
  // Two figures of one thing, each by its name: the model alone, and against the last step's
  // reference.
  const auto share_tile = [&](const char* name, const Number& share, const auto& interval) {
    const std::string low = interval ? percent(interval->low) : std::string(kDash);
    const std::string high = interval ? percent(interval->high) : std::string(kDash);
    const std::string pairs = count_or_dash(last.heldout_pairs);
    const bool both = last.preference && last.heldout_accuracy;
    tile(s, say(name), percent(*share),
         both ? say("head.preference_both", {percent(*last.heldout_accuracy), low, high, pairs})
              : say("head.preference_sub", {low, high, pairs}));
  };
  if (last.preference)
    share_tile("head.preference_alone", last.preference, last.preference_interval);
  else if (last.heldout_accuracy)
    share_tile("head.preference_against", last.heldout_accuracy, last.interval);
  else tile(s, say("head.preference"), kDash, say("page.not_run"));
}

// One tile a language: of the last model that was scored, with the first one's beside it.
void bits_tiles(Section& s) {
  if (s.report.evaluations.empty()) return;
  for (const Task& task : s.report.evaluations.front().tasks) {
    if (!task.name.starts_with("bits_per_byte") || task.scores.empty()) continue;
    std::string language = task.name.substr(std::string_view("bits_per_byte").size());
    while (!language.empty() && (language.front() == '_' || language.front() == ' '))
      language.erase(0, 1);
    tile(s, say("head.bits", {language.empty() ? "—" : language}),
         number_or_dash(task.scores.back().value, 3),
         say("head.bits_sub", {number_or_dash(task.scores.front().value, 3)}));
  }
}

void lot_tile(Section& s) {
  std::map<std::string, int> partners;
  int64_t lots = 0;
  for (const Artefact& artefact : s.report.artefacts) {
    if (artefact.kind != "lot") continue;
    ++lots;
    ++partners[artefact.facts.contains("partner") && artefact.facts.at("partner").is_string()
                   ? artefact.facts.at("partner").get<std::string>()
                   : ""];
  }
  if (lots == 0) return;
  tile(s, say("head.partners"), grouped(lots),
       say("head.partners_sub", {grouped(static_cast<int64_t>(partners.size()))}));
}

void fact(Section& s, std::string_view key, const std::string& value) {
  s.out.open("div").open("dt");
  s.say(say(key));
  s.out.close().element("dd", {}, value).close();
}

}  // namespace

void header_section(Section& s) {
  s.out.open("header", {{"class", "top"}}).open("p", {{"class", "eyebrow"}});
  s.say(say("page.report"));
  s.out.close().element("h1", {}, s.report.title);
  if (!s.report.about.empty()) s.out.element("p", {{"class", "about"}}, s.report.about);
  s.out.open("dl", {{"class", "facts"}});
  fact(s, "head.time", or_dash(s.report.seconds, [](double v) { return duration_text(v); }));
  fact(s, "head.stages", std::to_string(s.report.stages.size()));
  fact(s, "head.machine", s.report.machine.empty() ? kDash : s.report.machine);
  fact(s, "head.version", s.report.version);
  s.out.close().open("dl", {{"class", "tiles"}, {"id", "numbers"}});
  lot_tile(s);
  document_tile(s);
  token_tile(s);
  model_tiles(s);
  preference_tile(s);
  bits_tiles(s);
  s.out.close().close();
}

}  // namespace helio::report
