// Show one document's way through a dataset's steps: figures beside limits, copies, what changed.
#include "data/insight/explain.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <ostream>

#include "cli/command.h"
#include "text/utf8.h"

namespace helio::cli {
namespace {

using data::Edit;
using data::Outcome;

enum class Colour { off, on };

Colour colour_of(const std::string& wanted) {
  if (wanted != "auto") return wanted == "always" ? Colour::on : Colour::off;
  return isatty(1) && !std::getenv("NO_COLOR") && !std::getenv("HELIO_PLAIN") ? Colour::on
                                                                              : Colour::off;
}

class Printer {
 public:
  Printer(std::ostream& out, Colour colour, int64_t lines, int64_t width)
      : out_(out), colour_(colour), most_lines_(lines), width_(width) {}

  void story(const data::Explanation& story) {
    const OrderedJson& row = story.row;
    out_ << paint("1", story.id()) << "  " << (story.kept ? paint("32", "kept") : drop_line(row))
         << '\n';
    for (const char* key : {"lot", "partner", "licence", "language", "split", "path", "url"})
      if (row.contains(key) && row[key] != "")
        out_ << fmt::format("  {:<10}{}\n", key, row[key].get<std::string>());
    if (row.contains("scores") && !row["scores"].empty())
      out_ << fmt::format("  {:<10}{}\n", "scores", row["scores"].dump());
    if (!story.original_from.empty())
      out_ << fmt::format("  {:<10}{}\n", "came from", story.original_from);
    for (const std::string& note : story.notes) out_ << paint("33", "  note: " + note) << '\n';
    out_ << '\n';
    int number = 0;
    for (const data::ExplainedStep& step : story.steps) one(++number, step);
  }

 private:
  std::string paint(const char* code, const std::string& text) const {
    return colour_ == Colour::off ? text : fmt::format("\033[{}m{}\033[0m", code, text);
  }

  std::string drop_line(const OrderedJson& row) const {
    return paint("31", "dropped by " + row.value("step", "") + ": " + row.value("reason", "")) +
           fmt::format(" ({:.6g})", row["value"].is_number() ? row["value"].get<double>() : 0.0);
  }

  void one(int number, const data::ExplainedStep& step) {
    const char* code = step.outcome == Outcome::dropped   ? "31"
                       : step.outcome == Outcome::changed ? "33"
                                                          : "2";
    std::string line = fmt::format("{:>3}  {:<34} ", number, step.step);
    std::string outcome(data::name_of(step.outcome));
    if (step.outcome == Outcome::dropped)
      outcome += fmt::format(": {} ({:.6g})", step.reason, step.value);
    out_ << line << paint(code, outcome) << '\n';
    for (const data::ExplainedFigure& figure : step.figures) {
      const double limit = figure.check.limit;
      const std::string text =
          std::isnan(limit)
              ? fmt::format("{:<34}{:>12.6g}   no limit", figure.check.reason, figure.figure)
              : fmt::format("{:<34}{:>12.6g}   drops {} {:.6g}", figure.check.reason, figure.figure,
                            spoken(figure.check.drops), limit);
      out_ << "       " << (figure.fails() ? paint("31", text + "  <-") : text) << '\n';
    }
    for (const auto& [name, count] : step.counters)
      out_ << fmt::format("       found {}: {}\n", name, count);
    if (!step.stays.empty()) {
      out_ << "       stays: " << step.stays << '\n';
      for (const std::string& copy : step.copies) out_ << "       copy:  " << copy << '\n';
      if (step.copies_in_all > int64_t(step.copies.size()))
        out_ << fmt::format("       and {} more\n",
                            step.copies_in_all - int64_t(step.copies.size()));
    }
    if (!step.note.empty()) out_ << paint("33", "       note: " + step.note) << '\n';
    if (!step.diff.empty()) diff(step.diff);
  }

  static const char* spoken(data::Check::Drops drops) {
    switch (drops) {
      case data::Check::Drops::above:
        return "above";
      case data::Check::Drops::below:
        return "below";
      case data::Check::Drops::at_or_above:
        return "from";
      case data::Check::Drops::at_or_below:
        return "up to";
    }
    return "above";
  }

  void diff(const data::TextDiff& diff) {
    int64_t shown = 0;
    for (const data::DiffHunk& hunk : diff.hunks) {
      if (shown >= most_lines_) break;
      out_ << paint("36", fmt::format("       @@ -{} +{} @@", hunk.old_line, hunk.new_line))
           << '\n';
      for (const data::DiffLine& line : hunk.lines) {
        if (shown++ >= most_lines_) break;
        out_ << "       " << changed_line(line) << '\n';
      }
    }
    if (shown >= most_lines_)
      out_ << fmt::format("       ({} lines removed, {} added in all; --diff_lines shows more)\n",
                          diff.removed, diff.added);
  }

  std::string changed_line(const data::DiffLine& line) const {
    const char* code = line.edit == Edit::removed ? "31" : "32";
    std::string text(1, char(line.edit));
    if (line.edit == Edit::same) return text + clipped(line.text(), Ends::end);
    if (colour_ == Colour::on) text = paint(code, text);
    const bool words = line.parts.size() > 1;
    for (size_t i = 0; i < line.parts.size(); ++i) {
      const data::DiffPart& part = line.parts[i];
      if (part.edit == Edit::same) {
        const std::string kept = clipped(part.text, i == 0 ? Ends::begin : Ends::middle);
        text += colour_ == Colour::on ? paint(code, kept) : kept;
      } else if (colour_ == Colour::on) {
        text += paint(words ? (line.edit == Edit::removed ? "31;7" : "32;7") : code,
                      clipped(part.text, Ends::end));
      } else {
        text += clipped(part.text, Ends::end);
      }
    }
    return text;
  }

  // Long paragraphs are one line: of what did not change only what stands next to a change is
  // shown.
  enum class Ends { begin, middle, end };
  std::string clipped(const std::string& text, Ends cut) const {
    const int64_t length = text::count_code_points(text);
    if (width_ == 0 || length <= width_) return printable(text);
    const int64_t half = width_ / 2;
    const std::string head(text::first_code_points(text, cut == Ends::end ? width_ : half));
    const std::string_view tail =
        std::string_view(text).substr(text::first_code_points(text, length - half).size());
    if (cut == Ends::end) return printable(head) + "…";
    if (cut == Ends::begin) return "…" + printable(tail);
    return printable(head) + "…" + printable(tail);
  }

  // Raw pages hold control characters that a terminal would obey.
  static std::string printable(std::string_view text) {
    std::string out;
    text::for_each_code_point(text, [&](char32_t code, std::string_view bytes) {
      if (code < 0x20 && code != '\t') out += fmt::format("\\x{:02x}", uint32_t(code));
      else if (code == 0x7F || (code >= 0x80 && code < 0xA0))
        out += fmt::format("\\u{:04x}", uint32_t(code));
      else out += bytes;
    });
    return out;
  }

  std::ostream& out_;
  Colour colour_;
  int64_t most_lines_, width_;
};

class DataExplain final : public Command {
 public:
  Card card() const override {
    return {.positional = {"dataset"},
            .required = {"dataset", "id"},
            .examples = {
                "helio data explain workspace/datasets/corpus --id faq-ko/support.ko.html",
                "helio data explain workspace/datasets/corpus --id c4/c4_demo.jsonl#12 --json"}};
  }

  void describe(Fields& f) override {
    f.input("dataset", dataset_, "The dataset.");
    f("id", id_, "The document's id: <lot>/<path> or <lot>/<path>#<row>.");
    f("inputs", options_.inputs,
      "Folders that hold the lots the dataset was made from; empty: they are looked for round it.");
    f("text", text_, "Print the stored text as well.");
    f("diff_lines", diff_lines_, "Most lines of a step's changes that are shown; 0 shows none.",
      at_least(0));
    f("width", width_, "Most characters of a run without changes; 0 shows all.", at_least(0));
    f("colour", colour_, "Colours; auto: on a terminal.", one_of({"auto", "always", "never"}));
  }

  int run(Context& context) override {
    const data::Explanation story = data::explain(dataset_, id_, options_);
    const std::string text = story.row.value("text", "");
    if (context.json) {
      OrderedJson json = story.json();
      if (!text_) json.erase("text");
      context.out << compact(json) << '\n';
      return 0;
    }
    Printer(context.out, colour_of(colour_), diff_lines_, width_).story(story);
    if (text_) context.out << '\n' << text << '\n';
    return 0;
  }

 private:
  std::string dataset_, id_, colour_ = "auto";
  data::ExplainOptions options_ = {};
  bool text_ = false;
  int64_t diff_lines_ = 40, width_ = 120;
};

}  // namespace
}  // namespace helio::cli

HELIO_COMMAND(helio::cli::DataExplain)
