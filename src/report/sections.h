// The sections of the page, and the few pieces of HTML they share.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "report/charts.h"
#include "report/format.h"
#include "report/markup.h"
#include "report/model.h"
#include "report/text.h"

namespace helio::report {

// The colour class of each model: the same in every chart of the page.
class Palette {
 public:
  explicit Palette(const Report& report);
  std::string css(const std::string& model) const;  // "s0" ... "s7"

 private:
  std::map<std::string, int> index_;
};

// A section being written; ids of figures are unique by its name.
class Section {
 public:
  Section(const Report& report, const Palette& palette) : report(report), palette(palette) {}
  const Report& report;
  const Palette& palette;
  Markup out = {};

  // Both languages; the style shows one.
  void say(const Text& text);
  void heading(std::string_view id, std::string_view title, std::string_view lead);
  void subheading(const Text& text);
  void paragraph(const Text& text, std::string_view css = {});
  // A figure whose caption names it for screen readers too; the caller draws with the id returned
  // by next_id() as labelled_by.
  std::string next_id();
  void figure(const std::string& id, const Text& caption, const Markup& chart,
              std::string_view css = {});
  struct Key {
    std::string name = {}, css = {};
    Text text = {};  // instead of the name
  };
  void legend(const std::vector<Key>& keys);

 private:
  int ids_ = 0;
};

struct Cell {
  Cell(std::string text, std::string css = {}, std::string tip = {})  // NOLINT: implicit on purpose
      : text(std::move(text)), css(std::move(css)), tip(std::move(tip)) {}
  Cell(Text both, std::string css = {}) : css(std::move(css)), both(std::move(both)) {}  // NOLINT
  Cell(Markup inside, std::string css = {})
      : css(std::move(css)), inside(std::move(inside)) {}  // NOLINT
  std::string text = {}, css = {}, tip = {};
  std::optional<Text> both = {};
  std::optional<Markup> inside = {};
};

// Columns are named by message keys; "#" before a key marks numbers, set to the right.
class Table {
 public:
  Table(Section& section, const Text& caption, std::initializer_list<const char*> columns,
        std::string_view css = {});
  Table(Section& section, const Text& caption, const std::vector<Cell>& heads,
        std::string_view css = {});
  void row(const std::vector<Cell>& cells, std::string_view css = {});
  void end();

 private:
  void begin(const Text& caption, std::string_view css);
  Section& section_;
  std::vector<bool> number_ = {};
};

std::string count_or_dash(const Count& count);
std::string number_or_dash(const Number& number, int decimals);

// The page round its sections: head, language switch and links; then the foot. The first section
// brings the element with the id "numbers".
struct PageLink {
  const char* target;  // "#data"
  const char* key;     // of its message
};
void open_page(Section& s, const std::string& title, const std::string& version,
               const std::vector<PageLink>& links);
void close_page(Section& s, const Text& foot);

// A figure with a name under it, for the row of them at the head of a page.
void tile(Section& s, const Text& name, const std::string& value, const Text& below,
          std::optional<double> share = {});
// Funnel, lots, and what else a dataset's account tells.
void dataset_tables(Section& s, const Dataset& data);

void header_section(Section& s);
void pipeline_section(Section& s);
void data_section(Section& s);
void loss_section(Section& s);
void dus_section(Section& s);
void align_section(Section& s);
void eval_section(Section& s);
void club_section(Section& s);
void lineage_section(Section& s);

// Figures of a stage for its card: what is known of it, by message key.
struct Fact {
  Text name = {};
  std::string value = {};
};
std::vector<Fact> facts_of(const Report& report, const StageInfo& stage);

}  // namespace helio::report
