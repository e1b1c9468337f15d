#include "report/sections.h"

namespace helio::report {
namespace {

double share_of(const Count& part, const Count& whole) {
  return part && whole && *whole > 0 ? static_cast<double>(*part) / static_cast<double>(*whole) : 0;
}

// "too_short 1,204 · no_end 88": the reasons as they are named, largest first.
std::string reasons_text(const Counts& reasons, size_t most) {
  std::string out;
  size_t shown = 0;
  for (const auto& [reason, count] : reasons) {
    if (count == 0) continue;
    if (shown++ == most) return out + " · …";
    out += (out.empty() ? "" : " · ") + reason + " " + grouped(count);
  }
  return out;
}

void funnel(Section& s, const Dataset& data) {
  Table table(
      s, say("data.funnel"),
      {"data.step", "data.documents", "#data.left", "#data.dropped", "#data.changed", "data.why"},
      "funnel");
  table.row({say("data.came_in"), meter(data.documents_in ? 1 : 0, "fill"),
             count_or_dash(data.documents_in), std::string(), std::string(), std::string()});
  for (const DataStep& step : data.steps) {
    // A step that neither drops nor changes anything is shown: that it found nothing is a result.
    const bool drops = step.dropped.value_or(0) > 0;
    table.row({Cell(step.name, "mono"), meter(share_of(step.out, data.documents_in), "fill"),
               count_or_dash(step.out),
               Cell(count_or_dash(step.dropped), drops ? "strong" : "faint"),
               Cell(count_or_dash(step.changed), step.changed.value_or(0) > 0 ? "" : "faint"),
               Cell(reasons_text(step.reasons, 4), "reasons", reasons_text(step.reasons, 100))});
  }
  table.end();
}

void lots(Section& s, const Dataset& data) {
  if (data.lots.empty()) return;
  Table table(s, say("data.lots"),
              {"data.lot", "data.partner", "data.language", "data.licence", "#data.documents_in",
               "#data.documents_out", "#data.words_in", "#data.words_out", "data.share",
               "data.main_reason"});
  LotAccount sum;
  const auto add = [](Count& into, const Count& more) {
    if (more) into = into.value_or(0) + *more;
  };
  const auto share_cell = [](const LotAccount& lot) {
    if (!lot.words_in || !lot.words_out || *lot.words_in <= 0) return Cell(kDash);
    const double share = share_of(lot.words_out, lot.words_in);
    Markup cell;
    cell.open("span", {{"class", "metered"}})
        .add(meter(share, "fill"))
        .text(percent(share))
        .close();
    return Cell(cell);
  };
  for (const LotAccount& lot : data.lots) {
    add(sum.documents_in, lot.documents_in);
    add(sum.documents_out, lot.documents_out);
    add(sum.words_in, lot.words_in);
    add(sum.words_out, lot.words_out);
    table.row({Cell(lot.lot, "mono"), lot.partner, lot.language, Cell(lot.licence, "small"),
               count_or_dash(lot.documents_in), count_or_dash(lot.documents_out),
               count_or_dash(lot.words_in), count_or_dash(lot.words_out), share_cell(lot),
               Cell(reasons_text(lot.dropped, 1), "reasons", reasons_text(lot.dropped, 100))});
  }
  table.row(
      {say("data.total"), std::string(), std::string(), std::string(),
       count_or_dash(sum.documents_in), count_or_dash(sum.documents_out),
       count_or_dash(sum.words_in), count_or_dash(sum.words_out), share_cell(sum), std::string()},
      "sum");
  table.end();
}

void count_list(Section& s, const Text& name, const Counts& counts, const char* css,
                const Text& when_empty) {
  s.out.open("div", {{"class", "note-box"}});
  s.subheading(name);
  if (counts.empty()) {
    s.paragraph(when_empty, "faint");
    s.out.close();
    return;
  }
  int64_t all = 0;
  for (const auto& [label, count] : counts) all += count;
  s.out.open("dl", {{"class", "counts"}});
  const size_t most = 6;
  const auto line = [&](const Text& label, int64_t count) {
    const double share = all > 0 ? static_cast<double>(count) / static_cast<double>(all) : 0;
    s.out.open("div").open("dt");
    s.say(label);
    s.out.close()
        .open("dd")
        .add(meter(share, css))
        .element("span", {}, grouped(count))
        .close()
        .close();
  };
  int64_t rest = 0;
  for (size_t i = 0; i < counts.size(); ++i)
    if (i < most || counts.size() == most + 1) line(same(counts[i].first), counts[i].second);
    else rest += counts[i].second;
  if (rest > 0) line(say("page.other"), rest);
  s.out.close().close();
}

void extras(Section& s, const Dataset& data) {
  s.out.open("div", {{"class", "boxes"}});
  count_list(s, say("data.languages"), data.languages, "fill", say("page.not_run"));
  count_list(s, say("data.pii"), data.pii, "fill warm", say("data.pii_none"));
  s.out.open("div", {{"class", "note-box"}});
  s.subheading(say("data.duplicates"));
  s.out.element("p", {{"class", "big"}}, count_or_dash(data.duplicate_clusters));
  s.subheading(say("data.splits"));
  for (const auto& split : data.splits) {
    s.out.open("p", {{"class", "split"}}).element("b", {}, split.name).text(" ");
    s.say(say("data.split_row", {count_or_dash(split.documents), count_or_dash(split.words),
                                 or_dash(split.bytes, [](int64_t v) {
                                   return bytes_text(static_cast<double>(v));
                                 })}));
    s.out.close();
  }
  if (data.splits.empty()) s.paragraph(same(kDash), "faint");
  s.out.close().close();
}

}  // namespace

void dataset_tables(Section& s, const Dataset& data) {
  funnel(s, data);
  lots(s, data);
  extras(s, data);
}

void data_section(Section& s) {
  s.out.open("section", {{"aria-labelledby", "data"}});
  s.heading("data", "data.title", "data.lead");
  if (s.report.datasets.empty()) s.paragraph(say("page.nothing"), "faint");
  for (const Dataset& data : s.report.datasets) {
    if (s.report.datasets.size() > 1) s.subheading(same(data.stage));
    if (data.steps.empty()) {
      s.paragraph(say("page.nothing"), "faint");
      continue;
    }
    dataset_tables(s, data);
  }
  s.out.close();
}

}  // namespace helio::report
