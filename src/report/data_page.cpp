#include "report/data_page.h"

#include <algorithm>

#include "report/charts.h"
#include "report/readers.h"
#include "report/sections.h"

namespace helio::report {
namespace {

constexpr size_t kMostPartners = 12;  // in the matrix: more do not fit a page

std::string count_of(const Record& record, const char* key) {
  return count_or_dash(record.count(key));
}
std::string size_of(const Count& bytes) {
  return or_dash(bytes, [](int64_t value) { return bytes_text(static_cast<double>(value)); });
}
double share_of(const Count& part, const Count& whole) {
  return part && whole && *whole > 0 ? static_cast<double>(*part) / static_cast<double>(*whole) : 0;
}

void head(Section& s, const Record& data) {
  s.out.open("header", {{"class", "top"}}).open("p", {{"class", "eyebrow"}});
  s.say(say("dataset.eyebrow"));
  s.out.close().element("h1", {}, data.text("name"));
  s.paragraph(say("dataset.about"), "about");
  const Record in = data.below("in"), out = data.below("out"), twins = data.below("duplicates");
  s.out.open("dl", {{"class", "tiles"}, {"id", "numbers"}});
  const double share = share_of(out.count("documents"), in.count("documents"));
  tile(s, say("dataset.kept"), count_of(out, "documents"),
       say("dataset.kept_of", {count_of(in, "documents"), percent(share)}), share);
  const double words = share_of(out.count("words"), in.count("words"));
  tile(s, say("dataset.words"), count_of(out, "words"),
       say("dataset.words_of", {count_of(in, "words"), percent(words)}), words);
  tile(s, say("dataset.bytes"), size_of(out.count("bytes")),
       say("dataset.bytes_of", {size_of(in.count("bytes"))}));
  tile(s, say("dataset.gone"), count_of(twins, "documents"),
       say("dataset.gone_of", {count_of(twins, "clusters")}));
  s.out.close().close();
}

HistogramChart chart_of(const Record& check, const std::string& id) {
  HistogramChart chart{.low = check.number("low").value_or(0),
                       .high = check.number("high").value_or(1),
                       .scale = check.text("scale") == "log" ? HistogramChart::Scale::log
                                                             : HistogramChart::Scale::linear,
                       .labelled_by = id};
  if (!check.has("bins") || !check.json()["bins"].is_array()) check.damaged("bins", "a list");
  for (const Json& bin : check.json()["bins"]) {
    if (!bin.is_number_integer()) check.damaged("bins", "a list of counts");
    chart.bins.push_back(bin.get<int64_t>());
  }
  check.each_row("checks", [&](const Record& one) {
    if (const Number limit = one.number("limit"))
      chart.limits.push_back({*limit,
                              one.text("drops").ends_with("below") ? HistogramChart::Drops::below
                                                                   : HistogramChart::Drops::above,
                              significant(*limit)});
  });
  return chart;
}

void check_panel(Section& s, const Record& check) {
  const std::string id = s.next_id();
  std::string names;
  check.each_row("checks", [&](const Record& one) {
    names += (names.empty() ? "" : " · ") + one.text("reason");
  });
  s.out.open("div");
  s.figure(id, same(names), draw(chart_of(check, id)));
  s.out.open("ul");
  check.each_row("checks", [&](const Record& one) {
    s.out.open("li").element("span", {}, one.text("reason")).open("span");
    if (one.number("limit"))
      s.say(say("dataset.dropped_here", {count_of(one, "fails"), count_of(one, "documents")}));
    else s.say(say("dataset.switched_off"));
    s.out.close().close();
  });
  s.out.open("li");
  const auto shown = [&](const char* key) {
    return or_dash(check.number(key), [](double value) { return significant(value); });
  };
  s.say(say("dataset.spread",
            {shown("median"), shown("lowest"), shown("highest"), count_of(check, "documents")}));
  s.out.close().close().close();
}

void checks(Section& s, const Record& data) {
  s.out.open("section", {{"aria-labelledby", "checks"}});
  s.heading("checks", "dataset.checks", "dataset.checks_lead");
  std::string step;
  bool open = false;
  data.each_row("checks", [&](const Record& check) {
    if (check.text("step") != step || !open) {
      if (open) s.out.close();
      step = check.text("step");
      s.subheading(same(step));
      s.out.open("div", {{"class", "checks"}});
      open = true;
    }
    check_panel(s, check);
  });
  if (open) s.out.close();
  else s.paragraph(say("dataset.no_figures"), "faint");
  s.out.close();
}

void samples(Section& s, const Record& data) {
  s.out.open("section", {{"aria-labelledby", "samples"}});
  s.heading("samples", "dataset.samples", {});
  const bool quotes = data.count("quoted_characters").value_or(0) > 0;
  s.paragraph(quotes ? say("dataset.samples_lead", {count_of(data, "quoted_characters")})
                     : say("dataset.samples_none"),
              "lead");
  data.each_row("samples", [&](const Record& reason) {
    s.out.open("details", {{"class", "reason"}}).open("summary");
    s.out.element("span", {{"class", "strong"}}, reason.text("reason"));
    s.out.element("code", {}, reason.text("step")).open("span");
    s.say(say("dataset.reason_count", {count_of(reason, "documents"), count_of(reason, "words"),
                                       size_of(reason.count("bytes"))}));
    s.out.close().close();
    reason.each_row("shown", [&](const Record& one) {
      s.out.open("div", {{"class", "sample"}}).element("code", {}, one.text("id")).text(" ");
      s.out.open("span", {{"class", "faint"}});
      s.say(say("dataset.figure",
                {or_dash(one.number("value"), [](double value) { return significant(value); })}));
      s.out.text(" · " + one.text("partner")).close();
      std::string text = one.text("text");
      const int64_t quoted = data.count("quoted_characters").value_or(0);
      if (one.count("characters").value_or(0) > quoted) text += "…";
      s.out.element("blockquote", {}, text).close();
    });
    s.out.close();
  });
  s.out.close();
}

std::string reasons_of(const Record& partner, size_t most) {
  Counts reasons;
  partner.each_member("dropped", [&](const std::string& name, const Json& value) {
    if (value.is_number_integer()) reasons.emplace_back(name, value.get<int64_t>());
  });
  std::string text;
  size_t shown = 0;
  for (const auto& [name, count] : sorted(std::move(reasons))) {
    if (shown++ == most) return text + " · …";
    text += (text.empty() ? "" : " · ") + name + " " + grouped(count);
  }
  return text;
}

void partners(Section& s, const Record& data) {
  s.out.open("section", {{"aria-labelledby", "partners"}});
  s.heading("partners", "dataset.partners", "dataset.partners_lead");
  Table table(s, say("dataset.partners"),
              {"data.partner", "#dataset.lots_count", "#data.documents_in", "#data.documents_out",
               "#data.words_in", "#data.words_out", "#dataset.bytes_in", "#dataset.bytes_out",
               "data.share", "data.why"},
              "hidecap");
  data.each_row("partners", [&](const Record& partner) {
    const Json& lots = partner.json()["lots"];
    const double share = share_of(partner.count("words_out"), partner.count("words_in"));
    Markup cell;
    cell.open("span", {{"class", "metered"}})
        .add(meter(share, "fill"))
        .text(percent(share))
        .close();
    table.row({partner.text("partner"), std::to_string(lots.is_array() ? lots.size() : 0),
               count_of(partner, "documents_in"), count_of(partner, "documents_out"),
               count_of(partner, "words_in"), count_of(partner, "words_out"),
               size_of(partner.count("bytes_in")), size_of(partner.count("bytes_out")), Cell(cell),
               Cell(reasons_of(partner, 3), "reasons", reasons_of(partner, 100))});
  });
  table.end();
  s.out.close();
}

void overlap(Section& s, const Record& twins) {
  const Json& names = twins.json()["partners"];
  const Json& rows = twins.json()["overlap"];
  if (!names.is_array() || !rows.is_array() || names.empty()) return;
  // Those with the most copies, in the order of their names.
  std::vector<std::pair<int64_t, size_t>> totals;
  int64_t most = 1;
  for (size_t i = 0; i < names.size(); ++i) totals.emplace_back(0, i);
  for (size_t i = 0; i < names.size(); ++i)
    for (size_t k = 0; k < names.size(); ++k) {
      const auto count = rows.at(i).at(k).get<int64_t>();
      totals[i].first -= count, totals[k].first -= count;
      most = std::max(most, count);
    }
  std::sort(totals.begin(), totals.end());
  totals.resize(std::min(totals.size(), kMostPartners));
  std::sort(totals.begin(), totals.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
  std::vector<Cell> heads{Cell(say("dataset.stays"))};
  for (const auto& [total, i] : totals) heads.push_back(Cell(names[i].get<std::string>(), "n"));
  Table table(s, say("dataset.overlap"), heads);
  for (const auto& [total, i] : totals) {
    std::vector<Cell> cells{Cell(names[i].get<std::string>())};
    for (const auto& [other, k] : totals) {
      const auto count = rows[i][k].get<int64_t>();
      Markup cell;
      cell.open("span", {{"class", "metered"}});
      if (count > 0)
        cell.add(meter(static_cast<double>(count) / static_cast<double>(most), "fill warm"));
      cell.text(count > 0 ? grouped(count) : "·").close();
      cells.push_back(Cell(cell, count > 0 ? "" : "faint"));
    }
    table.row(cells);
  }
  table.end();
}

void duplicates(Section& s, const Record& data) {
  const Record twins = data.below("duplicates");
  s.out.open("section", {{"aria-labelledby", "duplicates"}});
  s.heading("duplicates", "dataset.duplicates", "dataset.duplicates_lead");
  if (twins.count("clusters").value_or(0) == 0) {
    s.paragraph(say("dataset.no_duplicates"), "faint");
    s.out.close();
    return;
  }
  s.out.open("div", {{"class", "split-figure"}});
  const std::string id = s.next_id();
  BarChart sizes{.labelled_by = id};
  twins.each_row("sizes", [&](const Record& row) {
    const auto count = static_cast<double>(row.count("clusters").value_or(0));
    sizes.rows.push_back({.name = row.text("members"),
                          .css = "s0",
                          .value = count,
                          .shown = grouped(row.count("clusters").value_or(0))});
    sizes.high = std::max(sizes.high, count);
  });
  s.figure(id, say("dataset.sizes"), draw(sizes));
  s.out.open("div");
  Table steps(s, say("dataset.by_step"), {"data.step", "#dataset.clusters", "#data.dropped"});
  twins.each_row("steps", [&](const Record& row) {
    steps.row(
        {Cell(row.text("step"), "mono"), count_of(row, "clusters"), count_of(row, "documents")});
  });
  steps.end();
  s.out.close().close();
  overlap(s, twins);
  Table largest(s, say("dataset.largest"),
                {"dataset.first", "data.step", "#dataset.members", "#dataset.partner_count"});
  twins.each_row("largest", [&](const Record& row) {
    largest.row({Cell(row.text("first"), "mono"), Cell(row.text("step"), "mono"),
                 count_of(row, "members"), count_of(row, "partners")});
  });
  largest.end();
  s.out.close();
}

}  // namespace

std::string render_data_page(const Json& figures, const std::filesystem::path& dataset) {
  const Report report;
  const Palette palette(report);
  Section s(report, palette);
  const Record data(figures, "the dataset's figures");
  const std::string version = data.text("version");
  open_page(s, data.text("name"), version,
            {{"#data", "data.title"},
             {"#checks", "dataset.checks"},
             {"#samples", "dataset.samples"},
             {"#partners", "dataset.partners"},
             {"#duplicates", "dataset.duplicates"}});
  head(s, data);
  s.out.open("section", {{"aria-labelledby", "data"}});
  s.heading("data", "data.title", {});
  dataset_tables(s, read_dataset({.name = data.text("name"), .out = dataset}));
  s.out.close();
  checks(s, data);
  samples(s, data);
  partners(s, data);
  duplicates(s, data);
  close_page(s, say("dataset.foot", {version}));
  return s.out.str();
}

}  // namespace helio::report
