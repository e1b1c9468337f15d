#include "train/study/preference_sources.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "core/lines.h"
#include "core/rng.h"
#include "text/preference_data.h"

namespace helio::train {
namespace {

using text::Preference;

// The words of a prompt, whatever their case and spacing.
std::string prompt_key(const Preference& pair) {
  std::string key;
  for (const auto& message : pair.prompt) {
    key += "\n" + message.role + ":";
    bool gap = false;
    for (const char c : message.content) {
      const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
      if (space) {
        gap = true;
        continue;
      }
      if (gap) key += ' ';
      gap = false;
      key += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return key;
}

struct Loaded {
  std::vector<Preference> rows = {};
  int64_t read = 0;
  std::map<std::string, int64_t> refused = {};
};

Loaded load(const std::vector<std::string>& files) {
  Loaded all;
  for (const auto& file : files) {
    auto found = text::load_preferences(file, 0);
    if (found.unpaired > 0)
      throw Error(ErrorKind::invalid, "'" + file + "' has examples with one answer only")
          .with_hint("a study compares on pairs");
    all.read += static_cast<int64_t>(found.rows.size());
    for (const auto& [reason, count] : found.refused) {
      all.refused[reason] += count;
      all.read += count;
    }
    std::move(found.rows.begin(), found.rows.end(), std::back_inserter(all.rows));
  }
  return all;
}

std::vector<Preference> draw(std::vector<Preference> rows, int64_t count, uint64_t seed,
                             const std::string& purpose) {
  Rng::stream(seed, purpose).shuffle<Preference>(rows);
  if (count > 0 && static_cast<size_t>(count) < rows.size())
    rows.resize(static_cast<size_t>(count));
  return rows;
}

OrderedJson pair_json(const Preference& pair, const std::string& source) {
  OrderedJson row = {{"id", pair.id}, {"source", source}};
  if (pair.plain && pair.prompt.size() == 1) row["prompt"] = pair.prompt.front().content;
  else row["prompt"] = text::message_list(pair.prompt);
  row["chosen"] = pair.chosen;
  row["rejected"] = pair.rejected;
  return row;
}

OrderedJson chat_json(const Preference& pair) {
  OrderedJson messages = text::message_list(pair.prompt);
  messages.push_back({{"role", "assistant"}, {"content", pair.chosen}});
  return {{"id", pair.id}, {"messages", messages}};
}

}  // namespace

std::vector<PreferenceSource> read_sources(const Node& node) {
  const auto wrong = [](const Node& at, const std::string& what) {
    throw Error(ErrorKind::invalid, at.mark().str() + ": " + what)
        .with_hint("sources: {D1: pairs.jsonl, D2: [a.jsonl, b.jsonl]}");
  };
  if (!node.is_map() || node.entries().empty()) wrong(node, "'sources' names no source of pairs");
  std::vector<PreferenceSource> sources;
  for (const auto& [name, mark, value] : node.entries()) {
    PreferenceSource source{.name = name};
    if (value.is_scalar()) source.files.push_back(value.text());
    else if (value.is_list())
      for (const Node& item : value.items()) {
        if (!item.is_scalar()) wrong(item, "expected a file");
        source.files.push_back(item.text());
      }
    if (source.files.empty()) wrong(value, "source '" + name + "' has no file");
    sources.push_back(std::move(source));
  }
  return sources;
}

OrderedJson write_study_data(const StudyData& data, const std::filesystem::path& dir) {
  Loaded held = load({data.heldout});
  const int64_t held_read = held.read;
  std::set<std::string> taken;
  for (const auto& pair : held.rows) taken.insert(prompt_key(pair));
  held.rows = draw(std::move(held.rows), data.heldout_pairs, 0, "study held-out");
  if (held.rows.empty())
    throw Error(ErrorKind::invalid, "'" + data.heldout + "' has no pair to measure with");
  LineWriter heldout(dir / "heldout.jsonl");
  for (const auto& pair : held.rows) heldout.write(compact(pair_json(pair, pair.source)));
  heldout.commit();
  OrderedJson facts = {
      {"heldout", {{"read", held_read}, {"refused", held.refused}, {"used", held.rows.size()}}},
      {"sources", OrderedJson::array()}};

  std::vector<std::vector<Preference>> sources;
  for (const auto& source : data.sources) {
    Loaded loaded = load(source.files);
    std::set<std::string> own;
    std::vector<Preference> kept;
    for (auto& pair : loaded.rows) {
      const std::string key = prompt_key(pair);
      if (taken.contains(key)) continue;
      own.insert(key);
      kept.push_back(std::move(pair));
    }
    taken.merge(own);
    if (kept.empty())
      throw Error(ErrorKind::invalid, "no pair of source '" + source.name +
                                          "' is left: its prompts are held out, or in an earlier "
                                          "source");
    facts["sources"].push_back({{"name", source.name},
                                {"read", loaded.read},
                                {"refused", loaded.refused},
                                {"shared_prompts", loaded.rows.size() - kept.size()},
                                {"pairs", kept.size()}});
    sources.push_back(std::move(kept));
  }
  for (const int64_t seed : data.seeds) {
    const std::string name = "-" + std::to_string(seed) + ".jsonl";
    LineWriter pairs(dir / ("pairs" + name)), chats(dir / ("chats" + name));
    for (size_t s = 0; s < sources.size(); ++s)
      for (const auto& pair : draw(sources[s], data.pairs_per_source, static_cast<uint64_t>(seed),
                                   "study " + data.sources[s].name)) {
        pairs.write(compact(pair_json(pair, data.sources[s].name)));
        chats.write(compact(chat_json(pair)));
      }
    pairs.commit();
    chats.commit();
  }
  return facts;
}

}  // namespace helio::train
