// Loss curves, the depth up-scaling and the alignment.
#include <algorithm>

#include "report/sections.h"

namespace helio::report {
namespace {

double last_step(const Run& run) {
  double last = 0;
  for (const Samples* samples : {&run.loss, &run.heldout, &run.margins, &run.lr})
    if (!samples->empty()) last = std::max(last, samples->back().step);
  return last;
}

Samples moved(const Samples& samples, double by) {
  Samples out = samples;
  for (Sample& sample : out) sample.step += by;
  return out;
}

// Runs that go on from one another, drawn on one axis: what up-scaling does shows as a jump.
struct Chain {
  std::vector<const Run*> runs = {};
};

std::vector<Chain> chains_of(const Report& report) {
  std::vector<Chain> chains;
  for (const Run& run : report.runs) {
    if (last_step(run) == 0) continue;  // not run yet
    const auto chain = std::find_if(chains.begin(), chains.end(), [&](const Chain& c) {
      return c.runs.back()->stage == run.after && c.runs.back()->kind == run.kind;
    });
    if (chain == chains.end()) chains.push_back({{&run}});
    else chain->runs.push_back(&run);
  }
  return chains;
}

void draw_chain(Section& s, const Chain& chain) {
  const std::string id = s.next_id(), lr_id = s.next_id();
  const bool one = chain.runs.size() == 1;
  const double width = one ? 520 : 760;
  LineChart loss{.width = width, .height = 300, .labelled_by = id, .y_label = say("loss.loss")};
  LineChart lr{.width = width,
               .height = 118,
               .labelled_by = lr_id,
               .x_label = say("loss.step"),
               .y_ticks = 3,
               .low = 0.0};
  double offset = 0;
  bool upscaled = false;
  for (const Run* run : chain.runs) {
    const std::string css = s.palette.css(run->stage);
    loss.lines.push_back({.css = css, .points = moved(run->loss, offset)});
    loss.dots.push_back({.css = css, .tip = run->stage, .points = moved(run->heldout, offset)});
    lr.lines.push_back({.css = css, .points = moved(run->lr, offset)});
    if (offset > 0) {
      loss.marks.push_back({.x = offset, .label = run->upscaled ? "DUS" : ""});
      lr.marks.push_back({.x = offset});
    }
    const double end = offset + last_step(*run);
    loss.spans.push_back({.from = offset, .to = end, .label = same(run->stage), .css = css});
    upscaled = upscaled || run->upscaled;
    offset = end;
  }
  loss.end = lr.end = offset;  // one axis for both
  Text caption = say("loss.sft");
  if (chain.runs.front()->kind != "sft") {
    const Text more = one        ? same("")
                      : upscaled ? say("loss.chain_dus")
                                 : say("loss.chain_continued");
    caption = {.en = say("loss.chain", {more.en}).en, .ko = say("loss.chain", {more.ko}).ko};
  }
  s.out.open("div", {{"class", one ? "panel" : "panel wide"}});
  s.figure(id, caption, draw(loss));
  const bool has_lr = std::any_of(lr.lines.begin(), lr.lines.end(),
                                  [](const auto& l) { return !l.points.empty(); });
  if (has_lr) s.figure(lr_id, say("loss.lr"), draw(lr), "quiet");
  s.out.close();
}

void loss_table(Section& s) {
  Table table(s, say("page.numbers"),
              {"loss.run", "#loss.steps", "#loss.tokens", "#loss.first", "#loss.last",
               "#loss.heldout_first", "#loss.heldout_last"});
  for (const Run& run : s.report.runs) {
    const auto first = [](const Samples& p) {
      return p.empty() ? std::string(kDash) : rounded(p.front().value, 4);
    };
    const auto last = [](const Samples& p) {
      return p.empty() ? std::string(kDash) : rounded(p.back().value, 4);
    };
    Markup name;
    name.open("i", {{"class", "key " + s.palette.css(run.stage)}, {"aria-hidden", "true"}})
        .close()
        .text(run.stage);
    table.row(
        {Cell(name, "mono"),
         run.loss.empty() ? std::string(kDash) : grouped(static_cast<int64_t>(last_step(run))),
         count_or_dash(run.tokens), first(run.loss), last(run.loss), first(run.heldout),
         run.heldout.size() > 1 ? last(run.heldout) : std::string(kDash)});
  }
  table.end();
}

void dus_losses(Section& s, const Upscaling& up) {
  double high = 0;
  for (const Number& n : {up.base_loss, up.after_loss, up.recovered_loss})
    high = std::max(high, n.value_or(0));
  const std::string id = s.next_id();
  BarChart chart{.low = 0, .high = high > 0 ? high * 1.02 : 1, .labelled_by = id};
  const auto row = [&](const std::string& name, const std::string& model, const Number& value) {
    chart.rows.push_back({.name = name,
                          .css = s.palette.css(model),
                          .value = value,
                          .shown = number_or_dash(value, 3)});
  };
  row(up.base.empty() ? kDash : up.base, up.base, up.base_loss);
  row(up.stage, up.stage, up.after_loss);
  row(up.recovered.empty() ? kDash : up.recovered, up.recovered, up.recovered_loss);
  s.out.open("div", {{"class", "split-figure"}});
  s.out.open("div");
  s.figure(id, say("dus.losses"), draw(chart));
  s.paragraph(say("dus.lower"), "small");
  s.out.close();
  Table table(s, say("page.numbers"),
              {"dus.model", "#fact.layers", "#fact.parameters", "#fact.heldout"});
  const auto line = [&](const char* key, const std::string& layers, const Count& parameters,
                        const Number& loss) {
    table.row({say(key), layers, count_or_dash(parameters), number_or_dash(loss, 4)});
  };
  const std::string deep = up.layer_map.empty() ? kDash : std::to_string(up.layer_map.size());
  line("dus.base", up.base_layers > 0 ? std::to_string(up.base_layers) : kDash, up.base_parameters,
       up.base_loss);
  line("dus.after", deep, up.parameters, up.after_loss);
  line("dus.recovered", deep, up.recovered.empty() ? Count() : up.parameters, up.recovered_loss);
  table.end();
  s.out.close();
}

std::string reference_name(const AlignStep& step) {
  return step.reference.empty() ? kDash : step.reference;
}

void draw_margins(Section& s, const Alignment& align) {
  const std::string id = s.next_id(), id_2 = s.next_id();
  LineChart margins{
      .width = 760, .height = 280, .labelled_by = id, .y_label = say("align.margin"), .level = 0.0};
  LineChart accuracy{.width = 760,
                     .height = 150,
                     .labelled_by = id_2,
                     .x_label = say("loss.step"),
                     .y_label = say("align.accuracy"),
                     .level = 0.5,
                     .y_ticks = 3,
                     .low = 0.0,
                     .high = 1.0};
  double offset = 0;
  for (const AlignStep& step : align.steps) {
    const std::string css = s.palette.css(step.run.stage);
    margins.lines.push_back({.css = css, .points = moved(step.run.margins, offset)});
    accuracy.lines.push_back({.css = css, .points = moved(step.run.accuracies, offset)});
    accuracy.dots.push_back(
        {.css = css, .tip = step.run.stage, .points = moved(step.run.heldout_accuracies, offset)});
    if (offset > 0) {
      margins.marks.push_back({.x = offset});
      accuracy.marks.push_back({.x = offset});
    }
    const double end = offset + last_step(step.run);
    if (end > offset)
      margins.spans.push_back(
          {.from = offset,
           .to = end,
           .label = say("align.step_name", {std::to_string(step.number), reference_name(step)}),
           .css = css});
    offset = end;
  }
  margins.end = accuracy.end = offset;
  s.out.open("div", {{"class", "panel wide"}});
  s.figure(id, say("align.margins"), draw(margins));
  s.figure(id_2, say("align.accuracies"), draw(accuracy), "quiet");
  s.out.close();
}

std::string range(const std::optional<Interval>& interval) {
  return interval ? percent(interval->low) + " – " + percent(interval->high) : std::string(kDash);
}

std::string share_or_dash(const Number& share) {
  return or_dash(share, [](double value) { return percent(value); });
}

enum class Measure { against_reference, alone };

void accuracy_bars(Section& s, const Alignment& align, Measure measure) {
  const bool alone = measure == Measure::alone;
  const std::string id = s.next_id();
  BarChart chart{.low = 0, .high = 1, .level = 0.5, .labelled_by = id};
  const AlignStep& first = align.steps.front();
  if (alone && first.preference_before)
    chart.rows.push_back({.name = first.start,
                          .css = s.palette.css(first.start),
                          .value = first.preference_before,
                          .shown = share_or_dash(first.preference_before)});
  for (const AlignStep& step : align.steps) {
    const Number& value = alone ? step.preference : step.heldout_accuracy;
    chart.rows.push_back({.name = step.run.stage,
                          .css = s.palette.css(step.run.stage),
                          .value = value,
                          .interval = alone ? step.preference_interval : step.interval,
                          .shown = share_or_dash(value)});
  }
  s.figure(id, say(alone ? "align.alone" : "align.against"), draw(chart));
}

void align_panel(Section& s, const Alignment& align) {
  s.out.open("div", {{"class", "panel"}});
  accuracy_bars(s, align, Measure::against_reference);
  if (std::any_of(align.steps.begin(), align.steps.end(),
                  [](const AlignStep& x) { return x.preference.has_value(); }))
    accuracy_bars(s, align, Measure::alone);
  s.paragraph(say("align.wilson"), "small");
  s.out.close();
}

void align_table(Section& s, const Alignment& align) {
  Table table(s, say("page.numbers"),
              {"align.step", "align.start", "align.reference", "#align.pairs", "#align.before",
               "#align.after", "#align.heldout_margin", "#align.heldout", "#align.interval",
               "#align.preference", "#align.interval"});
  for (const AlignStep& step : align.steps) {
    const auto& margins = step.run.margins;
    const Number before = step.margin_before ? step.margin_before
                          : margins.empty()  ? Number()
                                             : Number(margins.front().value);
    const Number after = step.margin_after ? step.margin_after
                         : margins.empty() ? Number()
                                           : Number(margins.back().value);
    table.row({Cell(std::to_string(step.number)), Cell(step.start, "mono"),
               Cell(reference_name(step), "mono"), count_or_dash(step.pairs),
               number_or_dash(before, 4), number_or_dash(after, 4),
               number_or_dash(step.heldout_margin, 4), share_or_dash(step.heldout_accuracy),
               range(step.interval), share_or_dash(step.preference),
               range(step.preference_interval)});
  }
  table.end();
}

}  // namespace

void loss_section(Section& s) {
  s.out.open("section", {{"aria-labelledby", "training"}});
  s.heading("training", "loss.title", "loss.lead");
  if (chains_of(s.report).empty()) {
    s.paragraph(say("page.nothing"), "faint");
    s.out.close();
    return;
  }
  std::vector<Section::Key> keys;
  for (const Run& run : s.report.runs)
    if (last_step(run) > 0)
      keys.push_back({.name = run.stage, .css = "key " + s.palette.css(run.stage)});
  keys.push_back({.css = "key line", .text = say("loss.training")});
  keys.push_back({.css = "key round", .text = say("loss.heldout")});
  s.legend(keys);
  s.out.open("div", {{"class", "panels"}});
  for (const Chain& chain : chains_of(s.report)) draw_chain(s, chain);
  s.out.close();
  loss_table(s);
  s.out.close();
}

void dus_section(Section& s) {
  if (s.report.upscalings.empty()) return;
  s.out.open("section", {{"aria-labelledby", "upscaling"}});
  for (const Upscaling& up : s.report.upscalings) {
    s.heading(&up == &s.report.upscalings.front() ? "upscaling" : "", "dus.title", "");
    if (!up.parameters && up.layer_map.empty() && !up.after_loss) {
      s.paragraph(say("page.nothing"), "faint");
      continue;
    }
    if (up.layer_map.empty()) {
      s.paragraph(say("dus.no_map"), "faint");
      dus_losses(s, up);
      continue;
    }
    if (!up.two_copies()) {
      const std::string any = s.next_id();
      s.figure(
          any,
          say("dus.any_map", {std::to_string(up.base_layers), std::to_string(up.layer_map.size()),
                              std::to_string(up.identity.size())}),
          draw_layer_map(up, any));
      dus_losses(s, up);
      continue;
    }
    s.paragraph(up.drop == 1 ? say("dus.lead_one") : say("dus.lead", {std::to_string(up.drop)}),
                "lead");
    const std::string id = s.next_id();
    const auto seam = static_cast<size_t>(up.seam);
    s.figure(id,
             say("dus.map",
                 {std::to_string(up.base_layers), std::to_string(up.layer_map.size()),
                  std::to_string(up.layer_map[seam - 1]), std::to_string(up.layer_map[seam])}),
             draw_layer_map(up, id));
    dus_losses(s, up);
  }
  s.out.close();
}

void align_section(Section& s) {
  if (s.report.alignments.empty()) return;
  s.out.open("section", {{"aria-labelledby", "alignment"}});
  s.heading("alignment", "align.title", "align.lead");
  for (const Alignment& align : s.report.alignments) {
    if (s.report.alignments.size() > 1) s.subheading(same(align.stage));
    if (std::none_of(align.steps.begin(), align.steps.end(), [](const AlignStep& step) {
          return step.heldout_accuracy || last_step(step.run) > 0;
        })) {
      s.paragraph(say("page.nothing"), "faint");
      continue;
    }
    std::vector<Section::Key> keys;
    for (const AlignStep& step : align.steps) {
      const Text name = say("align.step_name", {std::to_string(step.number), reference_name(step)});
      keys.push_back({.css = "key " + s.palette.css(step.run.stage), .text = name});
    }
    s.legend(keys);
    s.out.open("div", {{"class", "panels"}});
    draw_margins(s, align);
    align_panel(s, align);
    s.out.close();
    align_table(s, align);
  }
  s.out.close();
}

}  // namespace helio::report
