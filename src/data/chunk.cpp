#include "data/chunk.h"

#include <optional>

#include "core/error.h"
#include "core/hash.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

OrderedJson amount_json(const Amount& amount) {
  return {amount.documents, amount.words, amount.bytes};
}

Amount amount_of(const Json& json) {
  return {json.at(0).get<int64_t>(), json.at(1).get<int64_t>(), json.at(2).get<int64_t>()};
}

class Runner {
 public:
  Runner(const std::vector<Step>& steps, const Segment& segment, const SegmentStages& stages,
         KeepFigures figures)
      : steps_(steps),
        segment_(segment),
        stages_(stages),
        keep_(figures),
        columns_(figure_columns(steps, segment).size()),
        result_(steps) {}

  ChunkResult run(std::vector<Document> documents) {
    result_.kept.reserve(documents.size());
    for (Document& document : documents) one(document);
    return std::move(result_);
  }

 private:
  void one(Document& document) {
    text_hash_.reset();
    if (segment_.opens && !open(document)) return;
    double* row = nullptr;
    if (keep_ != KeepFigures::none && columns_ > 0) {
      result_.figure_orders.push_back(document.order);
      result_.figures.resize(result_.figures.size() + columns_,
                             std::numeric_limits<double>::quiet_NaN());
      row = result_.figures.data() + (result_.figures.size() - columns_);
    }
    size_t column = 0;
    for (size_t i = segment_.first; i < segment_.last; ++i) {
      const Verdict verdict = in_context(
          [&] { return "running " + steps_[i].name + " on " + document.id; },
          [&] { return step(i, document, row ? row + column : nullptr, result_.tally); });
      column += checks_of(i);
      if (verdict.kept) continue;
      if (row && keep_ == KeepFigures::all) measure_on(i + 1, document, row + column);
      drop_at(i, document, verdict);
      return;
    }
    if (segment_.closes)
      in_context([&] { return "surveying " + document.id + " for " + steps_[segment_.last].name; },
                 [&] { stages_.closing->survey(document, result_.survey); });
    result_.kept.push_back(std::move(document));
  }

  // The settled stage's word on a document.
  bool open(Document& document) {
    const size_t index = segment_.first - 1;
    StepAccount& account = result_.tally.steps[index];
    ++account.in;
    const int64_t cluster = document.cluster;
    note_text(document);
    const Verdict verdict =
        in_context([&] { return "running " + steps_[index].name + " on " + document.id; },
                   [&] { return stages_.opening->apply(document, result_.tally.counters); });
    if (document.cluster >= 0 && stages_.cluster_ids) name_cluster(document, verdict, cluster);
    if (text_changed(document)) changed(index, document, account);
    if (!verdict.kept) return drop_at(index, document, verdict), false;
    ++account.out;
    return true;
  }

  void name_cluster(Document& document, const Verdict& verdict, int64_t before) {
    const auto found = stages_.cluster_ids->find(static_cast<uint64_t>(document.cluster));
    if (found == stages_.cluster_ids->end()) return;  // its cluster is of an earlier stage
    const bool stays = document.cluster == int64_t(document.order);
    if (!stays && verdict.kept) return;
    if (before < 0 || !stays) document.cluster_id = found->second;
    result_.notes.push_back({.cluster = document.cluster,
                             .order = document.order,
                             .similarity = stays ? 1.0 : verdict.value,
                             .id = document.id,
                             .lot = document.lot,
                             .partner = document.partner});
  }

  size_t checks_of(size_t i) const {
    const auto* filter = std::get_if<std::unique_ptr<Filter>>(&steps_[i].run);
    return filter ? (*filter)->checks().size() : 0;
  }

  Verdict step(size_t i, Document& document, double* row, Tally& tally) {
    const Step& now = steps_[i];
    StepAccount& account = tally.steps[i];
    ++account.in;
    Verdict verdict;
    if (now.concerns(document)) {
      if (const auto* filter = std::get_if<std::unique_ptr<Filter>>(&now.run)) {
        verdict = judge(**filter, document, row);
      } else {
        const bool was_text = document.format == "text";
        note_text(document);
        verdict = std::get<std::unique_ptr<Map>>(now.run)->apply(document, tally.counters);
        if (!was_text && document.format == "text")
          tally.lots[document.lot].in.words += text::count_words(document.text);
        if (text_changed(document)) changed(i, document, account);
      }
    }
    account.out += verdict.kept;
    return verdict;
  }

  Verdict judge(const Filter& filter, const Document& document, double* row) {
    const auto& checks = filter.checks();
    if (!row) {
      scratch_.resize(checks.size());
      row = scratch_.data();
    }
    Figures figures(checks, {row, checks.size()},
                    keep_ == KeepFigures::all ? Figures::Until::all : Figures::Until::dropped);
    filter.measure(document, figures);
    return figures.verdict();
  }

  // The figures a dropped document would have had at the steps up to the next stage.
  void measure_on(size_t from, const Document& dropped, double* row) {
    Document document = dropped;
    Tally nobody(steps_);
    size_t column = 0;
    for (size_t i = from; i < segment_.last; ++i) {
      const bool is_map = std::holds_alternative<std::unique_ptr<Map>>(steps_[i].run);
      if (!step(i, document, row + column, nobody).kept && is_map) return;
      column += checks_of(i);
    }
  }

  // What a text was after one step it is before the next: it is hashed once a step.
  void note_text(const Document& document) {
    if (!text_hash_) text_hash_ = xxh3_64(document.text);
  }
  bool text_changed(const Document& document) {
    const uint64_t before = *text_hash_;
    text_hash_ = xxh3_64(document.text);
    return *text_hash_ != before;
  }

  static void changed(size_t i, Document& document, StepAccount& account) {
    ++account.changed;
    document.changed.push_back(static_cast<uint16_t>(i));
  }

  void drop_at(size_t i, Document& document, const Verdict& verdict) {
    StepAccount& account = result_.tally.steps[i];
    ++account.dropped;
    ++account.reasons[verdict.reason];
    ++result_.tally.lots[document.lot].dropped[verdict.reason];
    result_.dropped.push_back({.document = std::move(document), .step = i, .verdict = verdict});
  }

  const std::vector<Step>& steps_;
  const Segment& segment_;
  const SegmentStages& stages_;
  KeepFigures keep_;
  size_t columns_;
  std::vector<double> scratch_ = {};
  std::optional<uint64_t> text_hash_ = {};  // of the document under way, since its last change
  ChunkResult result_;
};

}  // namespace

std::vector<Segment> segments_of(const std::vector<Step>& steps) {
  std::vector<Segment> segments;
  Segment now;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].op->shape != Shape::stage) continue;
    now.last = i;
    now.closes = true;
    segments.push_back(now);
    now = {.first = i + 1, .last = i + 1, .opens = true};
  }
  now.last = steps.size();
  segments.push_back(now);
  return segments;
}

std::vector<FigureColumn> figure_columns(const std::vector<Step>& steps, const Segment& segment) {
  std::vector<FigureColumn> columns;
  for (size_t i = segment.first; i < segment.last; ++i)
    if (const auto* filter = std::get_if<std::unique_ptr<Filter>>(&steps[i].run))
      for (const Check& check : (*filter)->checks()) columns.push_back({i, check});
  return columns;
}

ChunkResult run_chunk(const std::vector<Step>& steps, const Segment& segment,
                      const SegmentStages& stages, std::vector<Document> documents,
                      KeepFigures figures) {
  return Runner(steps, segment, stages, figures).run(std::move(documents));
}

void count_in(const std::vector<Document>& documents, Tally& tally) {
  for (const Document& document : documents) {
    Amount& in = tally.lots[document.lot].in;
    in.documents += 1;
    in.bytes += int64_t(document.text.size());
    if (document.format == "text") in.words += text::count_words(document.text);
  }
}

void count_out(const Document& document, Tally& tally) {
  const Amount amount{1, text::count_words(document.text), int64_t(document.text.size())};
  tally.lots[document.lot].out += amount;
  tally.languages[document.language] += amount;
  tally.splits[document.split] += amount;
}

Tally::Tally(const std::vector<Step>& pipeline) {
  for (const Step& step : pipeline) steps.push_back({.step = step.name});
}

void Tally::add(const Tally& other) {
  for (size_t i = 0; i < steps.size(); ++i) {
    const StepAccount& part = other.steps[i];
    steps[i].in += part.in, steps[i].out += part.out;
    steps[i].dropped += part.dropped, steps[i].changed += part.changed;
    for (const auto& [reason, count] : part.reasons) steps[i].reasons[reason] += count;
  }
  for (const auto& [name, lot] : other.lots) {
    lots[name].in += lot.in, lots[name].out += lot.out;
    for (const auto& [reason, count] : lot.dropped) lots[name].dropped[reason] += count;
  }
  for (const auto& [name, amount] : other.languages) languages[name] += amount;
  for (const auto& [name, amount] : other.splits) splits[name] += amount;
  for (const auto& [name, count] : other.counters) counters[name] += count;
}

OrderedJson Tally::json() const {
  OrderedJson json{{"steps", OrderedJson::array()},
                   {"lots", OrderedJson::object()},
                   {"languages", OrderedJson::object()},
                   {"splits", OrderedJson::object()},
                   {"counters", counters}};
  for (const StepAccount& step : steps)
    json["steps"].push_back({step.in, step.out, step.dropped, step.changed, step.reasons});
  for (const auto& [name, lot] : lots)
    json["lots"][name] = {
        {"in", amount_json(lot.in)}, {"out", amount_json(lot.out)}, {"dropped", lot.dropped}};
  for (const auto& [name, amount] : languages) json["languages"][name] = amount_json(amount);
  for (const auto& [name, amount] : splits) json["splits"][name] = amount_json(amount);
  return json;
}

void Tally::add(const Json& json) {
  const Json& parts = json.at("steps");
  HELIO_CHECK(parts.size() == steps.size(), "a chunk's account is of another pipeline");
  for (size_t i = 0; i < steps.size(); ++i) {
    const Json& part = parts[i];
    steps[i].in += part.at(0).get<int64_t>(), steps[i].out += part.at(1).get<int64_t>();
    steps[i].dropped += part.at(2).get<int64_t>(), steps[i].changed += part.at(3).get<int64_t>();
    for (const auto& [reason, count] : part.at(4).items())
      steps[i].reasons[reason] += count.get<int64_t>();
  }
  for (const auto& [name, lot] : json.at("lots").items()) {
    lots[name].in += amount_of(lot.at("in")), lots[name].out += amount_of(lot.at("out"));
    for (const auto& [reason, count] : lot.at("dropped").items())
      lots[name].dropped[reason] += count.get<int64_t>();
  }
  for (const auto& [name, amount] : json.at("languages").items())
    languages[name] += amount_of(amount);
  for (const auto& [name, amount] : json.at("splits").items()) splits[name] += amount_of(amount);
  for (const auto& [name, count] : json.at("counters").items())
    counters[name] += count.get<int64_t>();
}

}  // namespace helio::data
