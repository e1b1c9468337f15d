// Operators: the only three shapes a step of a data pipeline has. One file under data/ops is one
// operator, named by its path (filter/length.cpp is filter.length), with its .case file beside it.
//
//   Map     one document in, the same one changed (or dropped, when nothing is left of it)
//   Filter  figures measured on a document against limits: it stays, or is dropped with a reason
//   Stage   needs all documents at once: duplicates, repeated lines, shuffling
//
// Documents stream through in chunks and are never all in memory. Operators keep no state between
// documents and no globals; they are called from many threads at once. What is expected of single
// documents is a Verdict, never an exception.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "core/fields.h"
#include "core/json.h"
#include "core/monitor.h"
#include "core/node.h"
#include "core/options.h"
#include "data/document.h"

namespace helio::data {

// What becomes of one document.
struct Verdict {
  bool kept = true;
  std::string reason = {};  // why it is dropped: one name for one rule
  double value = 0;         // the figure that decided
};
inline Verdict keep() { return {}; }
inline Verdict drop(std::string reason, double value = 0) {
  return {.kept = false, .reason = std::move(reason), .value = value};
}

// Counted things ("pii.email": 12). Sums over documents, so threads do not show.
using Counters = std::map<std::string, int64_t, std::less<>>;

class Map {
 public:
  virtual ~Map() = default;
  virtual Verdict apply(Document& document, Counters& counters) const = 0;
};

// One rule of a filter: a document whose figure lies beyond the limit is dropped for `reason`.
// Figures are kept beside the dataset, so that another limit can be tried without reading a text.
struct Check {
  enum class Drops { above, below, at_or_above, at_or_below };
  std::string reason = {};
  Drops drops = Drops::above;
  double limit = std::numeric_limits<double>::quiet_NaN();  // NaN: switched off

  // A figure that is NaN (does not apply to this document) never fails.
  bool fails(double figure) const {
    switch (drops) {
      case Drops::above:
        return figure > limit;
      case Drops::below:
        return figure < limit;
      case Drops::at_or_above:
        return figure >= limit;
      case Drops::at_or_below:
        return figure <= limit;
    }
    return false;
  }
};

// The figures of one document, filled in the order of the filter's checks.
class Figures {
 public:
  enum class Until { dropped, all };
  Figures(const std::vector<Check>& checks, std::span<double> values, Until until)
      : checks_(checks), values_(values), until_(until) {
    for (double& value : values_) value = std::numeric_limits<double>::quiet_NaN();
  }

  // Notes the figure of the next check. False when measuring may end: the document is dropped by it
  // and nobody asked for the rest.
  bool next(double figure) {
    values_[at_] = figure;
    if (failed_ < 0 && checks_[at_].fails(figure)) failed_ = int(at_);
    ++at_;
    return failed_ < 0 || until_ == Until::all;
  }
  bool skip() { return next(std::numeric_limits<double>::quiet_NaN()); }
  // Whether the next check has a limit: what is switched off need not be measured.
  bool wanted() const { return !std::isnan(checks_[at_].limit); }

  Verdict verdict() const {
    if (failed_ < 0) return keep();
    return drop(checks_[size_t(failed_)].reason, values_[size_t(failed_)]);
  }

 private:
  const std::vector<Check>& checks_;
  std::span<double> values_;
  Until until_;
  size_t at_ = 0;
  int failed_ = -1;
};

class Filter {
 public:
  virtual ~Filter() = default;
  // The rules in the order they decide; the first that fails gives the reason.
  const std::vector<Check>& checks() const { return checks_; }
  // Calls figures.next() once for each check in order; returns when it says so.
  virtual void measure(const Document& document, Figures& figures) const = 0;

  // For one document alone.
  Verdict judge(const Document& document) const {
    std::vector<double> values(checks_.size());
    Figures figures(checks_, values, Figures::Until::dropped);
    measure(document, figures);
    return figures.verdict();
  }

 protected:
  std::vector<Check> checks_ = {};  // filled by the constructor
};

// What the documents' survey wrote, chunk by chunk in manifest order; read as often as needed.
class Survey {
 public:
  virtual ~Survey() = default;
  virtual uint64_t documents() const = 0;  // manifest numbers are below this
  virtual uint64_t bytes() const = 0;      // in all chunks
  // The next chunk's bytes, valid until the next call; false after the last one.
  virtual bool next(std::string_view& bytes) = 0;
  virtual void rewind() = 0;

  // All records of a trivially copyable type, when the survey wrote nothing else.
  template <class Record, class Visit>
  void for_each(Visit&& visit) {
    static_assert(std::is_trivially_copyable_v<Record>);
    rewind();
    for (std::string_view chunk; next(chunk);)
      for (size_t at = 0; at + sizeof(Record) <= chunk.size(); at += sizeof(Record)) {
        Record record;
        chunk.copy(reinterpret_cast<char*>(&record), sizeof record, at);
        visit(record);
      }
  }
};

template <class Record>
void put_record(std::string& out, const Record& record) {
  static_assert(std::is_trivially_copyable_v<Record>);
  out.append(reinterpret_cast<const char*>(&record), sizeof record);
}

struct StageContext {
  int threads = 1;
  uint64_t memory = uint64_t(1) << 30;  // bytes settle() may hold; sorts beyond it go to `scratch`
  std::filesystem::path scratch = {};   // an empty folder, removed afterwards
  Monitor& monitor;
  const StopRequest& stop;
  Counters& counters;
};

// Needs all documents: goes over them twice. Between the passes only the survey is held on disk,
// and of it in memory what settle() keeps. Nothing may depend on threads or on where chunks are
// cut.
class StageRun {
 public:
  virtual ~StageRun() = default;
  // Pass 1, many threads: appends what settle() needs of this document, as records of its own.
  virtual void survey(const Document& document, std::string& out) const = 0;
  // Between the passes, once.
  virtual void settle(Survey& survey, StageContext& context) = 0;
  // After settle(): the manifest numbers, ascending, of documents that stay and have duplicates.
  // The engine looks up their ids, so that every row can name the copy that stays.
  virtual std::vector<uint64_t> clusters() const { return {}; }
  // Pass 2, many threads: may change the text. document.order is the manifest number; a stage that
  // finds duplicates sets document.cluster, also on the one that stays, and `value` of a Verdict is
  // the similarity to it.
  virtual Verdict apply(Document& document, Counters& counters) const = 0;
  // Where a document stands afterwards, by rank and then manifest number; only of a stage whose
  // reorders() is true.
  virtual bool reorders() const { return false; }
  virtual uint64_t rank(const Document& document) const { return document.order; }
};

class Stage {
 public:
  virtual ~Stage() = default;
  virtual std::unique_ptr<StageRun> start() const = 0;
};

enum class Shape { map, filter, stage };
std::string_view name_of(Shape shape);

using AnyOp = std::variant<std::unique_ptr<Map>, std::unique_ptr<Filter>, std::unique_ptr<Stage>>;

// What an operator says about itself.
struct OpCard {
  std::string about = {};   // one sentence: "Drops documents that ..."
  std::string source = {};  // paper, project and version it reproduces; empty when it is ours
};

struct Op {
  std::string name;
  Shape shape;
  OpCard card;
  std::vector<FieldInfo> fields;
  OrderedJson schema;
  std::function<std::unique_ptr<Described>()> options;  // a set of them, with defaults
  std::function<AnyOp(const Node& options)> make;
  std::function<OrderedJson(const Node& options)> resolve;  // all options with their values
};

// All operators by name. Generated by cmake/registries.cmake.
const std::map<std::string, Op, std::less<>>& ops();
// Error{not_found} with the nearest name.
const Op& find_op(std::string_view name);

template <class T>
constexpr Shape shape_of() {
  if constexpr (std::is_base_of_v<Map, T>) return Shape::map;
  else if constexpr (std::is_base_of_v<Filter, T>) return Shape::filter;
  else return Shape::stage;
}

template <class Options>
class OpOptions final : public Described {
 public:
  void describe(Fields& fields) override { options_.describe(fields); }

 private:
  Options options_ = {};
};

template <class T>
Op make_op(std::string name) {
  using Base = std::conditional_t<std::is_base_of_v<Map, T>, Map,
                                  std::conditional_t<std::is_base_of_v<Filter, T>, Filter, Stage>>;
  static_assert(std::is_base_of_v<Base, T>, "an operator is a Map, a Filter or a Stage");
  typename T::Options defaults;
  const auto read = [](const Node& node) {
    typename T::Options options;
    if (!node.is_null()) read_options(node, describe(options));
    return options;
  };
  return {.name = std::move(name),
          .shape = shape_of<T>(),
          .card = T::card(),
          .fields = options_fields(describe(defaults)),
          .schema = options_schema(describe(defaults)),
          .options = []() -> std::unique_ptr<Described> {
            return std::make_unique<OpOptions<typename T::Options>>();
          },
          .make = [read](const Node& node) -> AnyOp {
            return std::unique_ptr<Base>(std::make_unique<T>(read(node)));
          },
          .resolve =
              [read](const Node& node) {
                auto options = read(node);
                return options_json(describe(options));
              }};
}

// Stands at the end of an operator's file, inside helio::data.
#define HELIO_OP(Class) \
  Op HELIO_OP_ENTRY(std::string name) { return make_op<Class>(std::move(name)); }

}  // namespace helio::data
