#include "eval/benchmark_documents.h"

#include <numeric>

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "eval/few_shot.h"
#include "eval/template.h"

namespace helio::eval {
namespace {

// A task without a pool has its examples, if any, in the prompt itself: TruthfulQA.
int64_t shots_of(const TaskSpec& spec, const Sources& sources) {
  if (spec.shots.split.empty()) return 0;
  return sources.shots >= 0 ? sources.shots : spec.shots.count;
}

class Reader {
 public:
  Reader(const ItemBuilder& builder, const Sources& sources, const Profile& profile,
         const AddItem& add)
      : builder_(builder),
        spec_(builder.spec()),
        sources_(sources),
        profile_(profile),
        add_(add),
        data_(sources.benchmarks),
        shots_(shots_of(spec_, sources)) {}

  BenchmarkRead read() {
    const auto subjects = spec_.subjects.empty() ? std::vector<std::string>{""} : spec_.subjects;
    for (size_t s = 0; s < subjects.size(); ++s) {
      out_.parts.push_back(
          {.name = subjects[s], .begin = items_, .end = items_, .group = group_of(subjects[s])});
      part(out_.parts.back(), static_cast<int64_t>(s), static_cast<int64_t>(subjects.size()));
    }
    if (items_ == 0) out_.not_run = missing_;
    out_.settings["data"] = data_.content();
    if (shots_ && spec_.shots.pick == "sampled") out_.settings["draws"] = draws_.hex();
    return std::move(out_);
  }

 private:
  void part(Part& part, int64_t index, int64_t parts) {
    auto documents = split_of(spec_.data.split, part);
    if (!documents) return;
    std::vector<Json> pool;
    if (shots_) {
      auto found = split_of(spec_.shots.split, part);
      if (!found) return;
      pool = std::move(*found);
    }
    FewShot examples(builder_, std::move(pool), part.name, shots_);
    // A generator for each part, as each of the protocol's tasks has one.
    PythonRandom random(sources_.seed == 1234 ? profile_.seed : sources_.seed);
    std::vector<size_t> order(documents->size());
    std::iota(order.begin(), order.end(), size_t{0});
    if (profile_.order == DocumentOrder::shuffled) random.shuffle(order);
    part.total = static_cast<int64_t>(documents->size());
    order.resize(static_cast<size_t>(share_of_limit(sources_, index, parts, part.total)));
    for (const size_t i : order) {
      in_context(
          [&] {
            return "while making item " + std::to_string(i) +
                   (part.name.empty() ? "" : " of " + part.name) + " of task " + spec_.name;
          },
          [&] { item((*documents)[i], part.name, std::to_string(i), examples, random); });
      ++items_;
    }
    part.end = items_;
  }

  void item(const Json& document, const std::string& subject, const std::string& number,
            FewShot& examples, PythonRandom& random) {
    const Json prepared = builder_.prepared(document, subject);
    const auto drawn = examples.draw(document, random);
    for (const size_t i : drawn) draws_.update(std::to_string(i) + " ");
    add_(prepared, before(fill(spec_.description, prepared), examples, drawn),
         (subject.empty() ? "" : subject + "/") + number);
  }

  // As lm-evaluation-harness's fewshot_context: with a chat template the description is the
  // system's, and examples are turns of their own or stand in the question's message. A task
  // without a pool has its examples in the description: they are the question's.
  Before before(std::string description, FewShot& examples,
                const std::vector<size_t>& drawn) const {
    Before out;
    const bool chat = sources_.apply_chat_template != "no";
    const bool turns = sources_.apply_chat_template == "multi_turn";
    if (chat && !spec_.shots.split.empty()) {
      if (!description.empty())
        out.messages.push_back({.role = "system", .content = std::move(description)});
      description.clear();
      if (turns)
        for (auto& message : examples.turns(drawn)) out.messages.push_back(std::move(message));
    }
    out.text = std::move(description);
    if (!turns) out.text += examples.text(drawn);
    return out;
  }

  std::optional<std::vector<Json>> split_of(const std::string& split, Part& part) {
    auto found = data_.documents(spec_.data, split, part.name);
    if (!found)
      missing_ = part.not_run =
          "not in the benchmarks folder: " + BenchmarkData::wanted(spec_.data, split, part.name);
    return found;
  }

  // part_groups are "name: part part".
  std::string group_of(const std::string& part) const {
    for (const auto& group : spec_.part_groups)
      if (!part.empty() && (group + " ").find(" " + part + " ") != std::string::npos)
        return group.substr(0, group.find(':'));
    return {};
  }

  const ItemBuilder& builder_;
  const TaskSpec& spec_;
  const Sources& sources_;
  const Profile& profile_;
  const AddItem& add_;
  BenchmarkData data_;
  int64_t shots_, items_ = 0;
  std::string missing_ = {};
  Sha256Stream draws_ = {};
  BenchmarkRead out_ = {};
};

}  // namespace

std::string chat_template_name(const std::string& setting) {
  return fs::is_regular_file(setting) ? "sha256:" + sha256_file(setting) : setting;
}

BenchmarkRead read_benchmark(const ItemBuilder& builder, const Sources& sources,
                             const Profile& profile, const AddItem& add) {
  const TaskSpec& spec = builder.spec();
  BenchmarkRead out;
  if (sources.benchmarks.empty()) {
    out.not_run = "no benchmarks folder was given (--benchmarks)";
  } else if (!fs::is_directory(sources.benchmarks)) {
    throw Error(ErrorKind::not_found, "no folder '" + sources.benchmarks + "' (benchmarks)");
  } else {
    out = Reader(builder, sources, profile, add).read();
  }
  OrderedJson settings = {{"shots", shots_of(spec, sources)}, {"prepare", spec.prepare}};
  if (!spec.reproduces.protocol.empty()) settings["profile"] = profile.name;
  if (sources.apply_chat_template != "no" && spec.mode != "conversation") {
    settings["chat_template"] = chat_template_name(sources.chat_template);
    settings["examples_as"] = sources.apply_chat_template;
  }
  settings["special_tokens"] =
      profile.special == text::SpecialTokens::add ? "as the tokenizer does" : "none";
  settings.update(out.settings);
  out.settings = std::move(settings);
  return out;
}

}  // namespace helio::eval
