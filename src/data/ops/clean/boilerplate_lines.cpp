// Removes lines that many pages of a lot share: what the site says, not what the page says.
#include <algorithm>
#include <unordered_set>
#include <vector>

#include "core/hash.h"
#include "data/op.h"
#include "data/text_lines.h"

namespace helio::data {
namespace {

class BoilerplateLines final : public Stage {
 public:
  struct Options {
    int64_t min_documents = 10;
    double min_share = 0.005;
    int64_t max_chars = 300;

    void describe(Fields& f) {
      f("min_documents", min_documents, "A line in fewer documents of its lot stays.", at_least(2));
      f("min_share", min_share, "A line in a smaller share of its lot's documents stays.",
        between(0, 1));
      f("max_chars", max_chars, "Longer lines stay; dedup.lines is for those.", at_least(1));
    }
  };

  static OpCard card() {
    return {.about =
                "Removes the lines that many documents of one lot share (list items stay), and "
                "drops documents that were nothing else."};
  }

  explicit BoilerplateLines(const Options& options) : options_(options) {}

  std::unique_ptr<StageRun> start() const override { return std::make_unique<Run>(*this); }

 private:
  uint64_t candidate_key(std::string_view line) const {
    const auto most = size_t(options_.max_chars);
    if (line.size() > most * 4) return 0;  // no character has more bytes
    if (line.size() > most && text::count_code_points(line) > options_.max_chars) return 0;
    return is_list_item(line) ? 0 : line_key(line);
  }

  // A line of one document, once; key 0 says that the lot has one document more.
  struct Line {
    uint64_t lot, key;
  };
  struct HashLine {
    size_t operator()(const Line& line) const { return size_t(line.lot * 31 + line.key); }
  };
  struct SameLine {
    bool operator()(const Line& a, const Line& b) const { return a.lot == b.lot && a.key == b.key; }
  };

  // Nearly every line of a corpus is here once, while no other thread has work: open addressing,
  // for an entry each in one place.
  class LineCounts {
   public:
    int64_t count(const Line& line) const { return slots_[place(line)].count; }
    // The count is 0 for a line that was not there; it must be raised then.
    int64_t& at(const Line& line) {
      if (used_ * 4 >= slots_.size() * 3) grow();
      Slot& slot = slots_[place(line)];
      if (slot.count == 0) {
        slot.line = line;
        ++used_;
      }
      return slot.count;
    }
    template <class Visit>
    void for_each(Visit&& visit) const {
      for (const Slot& slot : slots_)
        if (slot.count > 0) visit(slot.line, slot.count);
    }

   private:
    struct Slot {
      Line line = {};
      int64_t count = 0;  // 0: free
    };
    size_t place(const Line& line) const {
      const size_t mask = slots_.size() - 1;
      for (size_t i = HashLine()(line) & mask;; i = (i + 1) & mask)
        if (slots_[i].count == 0 || SameLine()(slots_[i].line, line)) return i;
    }
    void grow() {
      std::vector<Slot> old(slots_.size() * 2);
      old.swap(slots_);
      for (const Slot& slot : old)
        if (slot.count > 0) slots_[place(slot.line)] = slot;
    }

    std::vector<Slot> slots_ = std::vector<Slot>(1024);
    size_t used_ = 0;
  };

  class Run final : public StageRun {
   public:
    explicit Run(const BoilerplateLines& op) : op_(op) {}

    void survey(const Document& document, std::string& out) const override {
      const uint64_t lot = xxh3_64(document.lot);
      put_record(out, Line{lot, 0});
      std::vector<uint64_t> own;
      for_each_line(document.text, [&](std::string_view line) {
        if (const uint64_t key = op_.candidate_key(line); key != 0) own.push_back(key);
      });
      std::sort(own.begin(), own.end());
      own.erase(std::unique(own.begin(), own.end()), own.end());
      for (const uint64_t key : own) put_record(out, Line{lot, key});
    }

    void settle(Survey& survey, StageContext&) override {
      LineCounts counts;
      survey.for_each<Line>([&](const Line& line) { ++counts.at(line); });
      counts.for_each([&](const Line& line, int64_t count) {
        if (line.key == 0 || count < op_.options_.min_documents) return;
        const double size = double(counts.count({line.lot, 0}));
        if (double(count) >= op_.options_.min_share * size) boilerplate_.insert(line);
      });
    }

    Verdict apply(Document& document, Counters& counters) const override {
      const uint64_t lot = xxh3_64(document.lot);
      int64_t removed = 0;
      std::string rest = without_lines(document.text, [&](std::string_view line) {
        const uint64_t key = op_.candidate_key(line);
        const bool common = key != 0 && boilerplate_.contains({lot, key});
        removed += common;
        return common;
      });
      if (removed > 0) counters["boilerplate_lines.removed"] += removed;
      if (rest.empty()) return drop("only_boilerplate", double(removed));
      if (removed > 0) document.text = std::move(rest);
      return keep();
    }

   private:
    const BoilerplateLines& op_;
    std::unordered_set<Line, HashLine, SameLine> boilerplate_ = {};
  };

  Options options_;
};

}  // namespace

HELIO_OP(BoilerplateLines)

}  // namespace helio::data
