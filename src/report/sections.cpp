#include "report/sections.h"

namespace helio::report {

Palette::Palette(const Report& report) {
  const auto add = [&](const std::string& name) {
    index_.emplace(name, static_cast<int>(index_.size()));
  };
  for (const StageInfo& stage : report.stages) {
    if (stage.kind == "pretrain" || stage.kind == "upscale" || stage.kind == "sft") add(stage.name);
    if (stage.kind != "align") continue;
    for (const Alignment& align : report.alignments)
      if (align.stage == stage.name)
        for (const AlignStep& step : align.steps) add(step.run.stage);
  }
  for (const Evaluation& evaluation : report.evaluations)
    for (const std::string& model : evaluation.models) add(model);
}

std::string Palette::css(const std::string& model) const {
  const auto found = index_.find(model);
  return "s" + std::to_string((found == index_.end() ? 0 : found->second) % 8);
}

void Section::say(const Text& text) {
  if (text.en == text.ko) {
    out.text(text.en);
    return;
  }
  out.element("span", {{"class", "en"}, {"lang", "en"}}, text.en);
  out.element("span", {{"class", "ko"}, {"lang", "ko"}}, text.ko);
}

void Section::heading(std::string_view id, std::string_view title, std::string_view lead) {
  out.open("h2", {{"id", id}});
  say(report::say(title));
  out.close();
  if (!lead.empty()) paragraph(report::say(lead), "lead");
}

void Section::subheading(const Text& text) {
  out.open("h3");
  say(text);
  out.close();
}

void Section::paragraph(const Text& text, std::string_view css) {
  out.open("p", {{"class", css}});
  say(text);
  out.close();
}

std::string Section::next_id() { return "fig-" + std::to_string(++ids_); }

void Section::figure(const std::string& id, const Text& caption, const Markup& chart,
                     std::string_view css) {
  out.open("figure", {{"class", css}});
  out.open("figcaption", {{"id", id}});
  say(caption);
  out.close();
  out.open("div",
           {{"class", "scroll"}, {"tabindex", "0"}, {"role", "group"}, {"aria-labelledby", id}})
      .add(chart)
      .close()
      .close();
}

void Section::legend(const std::vector<Key>& keys) {
  out.open("ul", {{"class", "legend"}});
  for (const Key& key : keys) {
    out.open("li");
    out.open("i", {{"class", key.css}, {"aria-hidden", "true"}}).close();
    key.name.empty() ? say(key.text) : say(same(key.name));
    out.close();
  }
  out.close();
}

Table::Table(Section& section, const Text& caption, std::initializer_list<const char*> columns,
             std::string_view css)
    : section_(section) {
  begin(caption, css);
  for (const std::string_view column : columns) {
    const bool number = column.starts_with('#');
    number_.push_back(number);
    section_.out.open("th", {{"scope", "col"}, {"class", number ? "n" : ""}});
    section_.say(say(column.substr(number ? 1 : 0)));
    section_.out.close();
  }
  section_.out.close().close().open("tbody");
}

Table::Table(Section& section, const Text& caption, const std::vector<Cell>& heads,
             std::string_view css)
    : section_(section) {
  begin(caption, css);
  for (const Cell& head : heads) {
    number_.push_back(head.css == "n");
    section_.out.open("th", {{"scope", "col"}, {"class", head.css}, {"title", head.tip}});
    if (head.inside) section_.out.add(*head.inside);
    else section_.say(head.both ? *head.both : same(head.text));
    section_.out.close();
  }
  section_.out.close().close().open("tbody");
}

void Table::begin(const Text& caption, std::string_view css) {
  section_.out.open("div", {{"class", "scroll"}, {"tabindex", "0"}, {"role", "group"}})
      .open("table", {{"class", css}});
  section_.out.open("caption");
  section_.say(caption);
  section_.out.close().open("thead").open("tr");
}

void Table::row(const std::vector<Cell>& cells, std::string_view css) {
  section_.out.open("tr", {{"class", css}});
  for (size_t i = 0; i < cells.size(); ++i) {
    const Cell& cell = cells[i];
    const bool number = i < number_.size() && number_[i];
    std::string classes = cell.css;
    if (number) classes += classes.empty() ? "n" : " n";
    if (i == 0)
      section_.out.open("th", {{"scope", "row"}, {"class", classes}, {"title", cell.tip}});
    else section_.out.open("td", {{"class", classes}, {"title", cell.tip}});
    if (cell.inside) section_.out.add(*cell.inside);
    else section_.say(cell.both ? *cell.both : same(cell.text));
    section_.out.close();
  }
  section_.out.close();
}

void Table::end() { section_.out.close().close().close(); }

std::string count_or_dash(const Count& count) {
  return or_dash(count, [](int64_t value) { return grouped(value); });
}

std::string number_or_dash(const Number& number, int decimals) {
  return or_dash(number, [&](double value) { return rounded(value, decimals); });
}

}  // namespace helio::report
