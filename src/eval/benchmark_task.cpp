// Benchmarks: documents to contexts and continuations, with the examples lm-evaluation-harness
// would draw. Modes multiple_choice and partial_context.
#include <algorithm>

#include "core/error.h"
#include "core/fs.h"
#include "eval/choices.h"
#include "eval/prepare.h"
#include "eval/python_random.h"
#include "eval/template.h"
#include "text/unicode.h"

namespace helio::eval {
namespace {

size_t whole_number(const Json& value, const std::string& field) {
  if (value.is_number_integer() && value.get<int64_t>() >= 0) return value.get<size_t>();
  if (value.is_string()) {
    const auto& digits = value.get_ref<const std::string&>();
    if (!digits.empty() && digits.size() < 10 &&
        digits.find_first_not_of("0123456789") == std::string::npos)
      return std::stoul(digits);
  }
  throw Error(ErrorKind::invalid, "'" + field + "' is no choice's number: " +
                                      value.dump(-1, ' ', false, Json::error_handler_t::replace))
      .with_hint("splits made for leaderboards carry no answers");
}

std::vector<std::string> texts_at(const Json& document, const std::string& path) {
  const Json& list = field_at(document, path);
  std::vector<std::string> out;
  if (list.is_array())
    for (const Json& item : list)
      if (item.is_string()) out.push_back(item.get<std::string>());
  if (!list.is_array() || out.size() != list.size() || out.empty())
    throw Error(ErrorKind::invalid, "'" + path + "' is no list of texts");
  return out;
}

class Builder {
 public:
  explicit Builder(const TaskSpec& spec) : spec_(spec), prepare_(find_prepare(spec.prepare)) {}

  // A document as the prompt sees it.
  Json prepared(Json document, const std::string& subject) const {
    if (prepare_) prepare_(document);
    for (const auto& field : spec_.strip) {
      const std::string stripped(text::trim(text_field(document, field.c_str())));
      document[field] = stripped;
    }
    if (!subject.empty()) {
      std::string words = subject;
      std::replace(words.begin(), words.end(), '_', ' ');
      document["subject"] = subject;
      document["subject_words"] = words;
    }
    return document;
  }

  // `before` stands before the question: the description and the examples.
  ChoiceItem item(const Json& document, const std::string& before) const {
    ChoiceItem out;
    if (spec_.mode == "partial_context") {
      const std::string rest = spec_.delimiter + fill(spec_.continuation, document);
      for (const auto& context : texts_at(document, spec_.contexts_from)) {
        out.asks.push_back({before + context, rest});
        out.lengths.push_back(text::count_code_points(context));
      }
    } else {
      const std::string context = before + fill(spec_.prompt, document);
      for (const auto& choice : choices(document)) {
        out.asks.push_back({context, spec_.delimiter + choice});
        out.lengths.push_back(text::count_code_points(choice));
      }
    }
    out.gold = gold(document, out.asks.size());
    return out;
  }

  // The document as an example: with its right answer.
  std::string example(const Json& document) const {
    const ChoiceItem asked = item(document, {});
    const Ask& right = asked.asks[asked.gold];
    return right.context + right.continuation + spec_.separator;
  }

 private:
  std::vector<std::string> choices(const Json& document) const {
    return spec_.choices_from.empty() ? spec_.choices : texts_at(document, spec_.choices_from);
  }
  size_t gold(const Json& document, size_t count) const {
    const Json& value = field_at(document, spec_.gold);
    if (!spec_.gold_in.empty()) {
      const Json& list = field_at(document, spec_.gold_in);
      const auto found = std::find(list.begin(), list.end(), value);
      if (!list.is_array() || found == list.end())
        throw Error(ErrorKind::invalid, "'" + spec_.gold + "' is not in '" + spec_.gold_in + "'");
      return static_cast<size_t>(found - list.begin());
    }
    const size_t index = whole_number(value, spec_.gold);
    if (index >= count)
      throw Error(ErrorKind::invalid, "'" + spec_.gold + "' is beyond the choices");
    return index;
  }

  const TaskSpec& spec_;
  Prepare prepare_;
};

// Examples for the documents of one part, in document order: each draw moves the generator on.
class Examples {
 public:
  Examples(const TaskSpec& spec, const Builder& builder, std::vector<Json> pool,
           const std::string& subject, const Sources& sources, int64_t count)
      : spec_(spec),
        builder_(builder),
        pool_(std::move(pool)),
        subject_(subject),
        count_(static_cast<size_t>(count)),
        random_(sources.seed) {
    const size_t draws = spec.shots.pick == "sampled" && count
                             ? count_ + static_cast<size_t>(spec.shots.draw_extra)
                             : count_;
    if (draws > pool_.size())
      throw Error(ErrorKind::invalid, std::to_string(draws) + " examples are wanted, split '" +
                                          spec.shots.split + "' has " +
                                          std::to_string(pool_.size()))
          .with_hint("give fewer --shots");
  }

  std::string next(const Json& document) {
    std::string out;
    if (count_ == 0) return out;
    std::vector<size_t> chosen;
    if (spec_.shots.pick == "first") {
      for (size_t i = 0; i < count_; ++i) chosen.push_back(i);
    } else {
      const auto extra = static_cast<uint32_t>(spec_.shots.draw_extra);
      for (const uint32_t i : random_.sample(static_cast<uint32_t>(pool_.size()),
                                             static_cast<uint32_t>(count_) + extra))
        if (chosen.size() < count_ && !(extra && pool_[i] == document)) chosen.push_back(i);
    }
    for (const size_t i : chosen) out += builder_.example(builder_.prepared(pool_[i], subject_));
    return out;
  }

 private:
  const TaskSpec& spec_;
  const Builder& builder_;
  std::vector<Json> pool_;
  std::string subject_;
  size_t count_;
  PythonRandom random_;
};

}  // namespace

std::unique_ptr<Task> make_choice_task(const TaskSpec& spec, const Sources& sources) {
  std::vector<ChoiceItem> items;
  std::vector<Part> parts;
  const int64_t shots = sources.shots >= 0 ? sources.shots : spec.shots.count;
  OrderedJson settings = {{"shots", shots}, {"prepare", spec.prepare}};
  if (sources.benchmarks.empty())
    return std::make_unique<ChoiceTask>(spec, items, parts,
                                        "no benchmarks folder was given (--benchmarks)", settings);
  if (!fs::is_directory(sources.benchmarks))
    throw Error(ErrorKind::not_found, "no folder '" + sources.benchmarks + "' (benchmarks)");

  BenchmarkData data(sources.benchmarks);
  const Builder builder(spec);
  const auto subjects = spec.subjects.empty() ? std::vector<std::string>{""} : spec.subjects;
  std::string missing;
  for (size_t s = 0; s < subjects.size(); ++s) {
    const std::string& subject = subjects[s];
    Part part{.name = subject,
              .begin = static_cast<int64_t>(items.size()),
              .end = static_cast<int64_t>(items.size())};
    const auto lack = [&](const std::string& split) {
      part.not_run =
          "not in the benchmarks folder: " + BenchmarkData::wanted(spec.data, split, subject);
      missing = part.not_run;
      parts.push_back(part);
    };
    auto documents = data.documents(spec.data, spec.data.split, subject);
    if (!documents) {
      lack(spec.data.split);
      continue;
    }
    std::vector<Json> pool;
    if (shots) {
      auto found = spec.shots.split.empty() ? std::nullopt
                                            : data.documents(spec.data, spec.shots.split, subject);
      if (!found) {
        lack(spec.shots.split.empty() ? "(no split for examples)" : spec.shots.split);
        continue;
      }
      pool = std::move(*found);
    }
    Examples examples(spec, builder, std::move(pool), subject, sources, shots);
    part.total = static_cast<int64_t>(documents->size());
    const int64_t used = share_of_limit(sources, static_cast<int64_t>(s),
                                        static_cast<int64_t>(subjects.size()), part.total);
    for (int64_t i = 0; i < used; ++i) {
      const Json& document = (*documents)[static_cast<size_t>(i)];
      in_context(
          [&] {
            return "while making item " + std::to_string(i) +
                   (subject.empty() ? "" : " of " + subject) + " of task " + spec.name;
          },
          [&] {
            const Json prepared = builder.prepared(document, subject);
            items.push_back(
                builder.item(prepared, fill(spec.description, prepared) + examples.next(document)));
            items.back().id = (subject.empty() ? "" : subject + "/") + std::to_string(i);
          });
    }
    part.end = static_cast<int64_t>(items.size());
    parts.push_back(part);
  }
  double chance = 0;
  for (const ChoiceItem& item : items) chance += 1.0 / static_cast<double>(item.asks.size());
  settings["chance"] = items.empty() ? spec.chance : chance / static_cast<double>(items.size());
  settings["data"] = data.content();
  return std::make_unique<ChoiceTask>(spec, std::move(items), parts, items.empty() ? missing : "",
                                      settings);
}

}  // namespace helio::eval
