#include "train/checkpoints.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"

namespace helio::train {
namespace {

constexpr const char* kFiles[] = {"model.safetensors", "optimizer.safetensors"};

// Why it cannot be gone on from; empty when it can.
std::string unsound(const fs::path& dir, Json& record) {
  if (!fs::exists(dir / "state.json")) return "it has no state.json";
  record = Json::parse(read_file(dir / "state.json"), nullptr, false);
  if (!record.is_object() || !record.contains("key") || !record.contains("step") ||
      !record.contains("files") || !record.contains("state"))
    return "its state.json is damaged";
  for (const char* name : kFiles) {
    if (!record["files"].contains(name) || !fs::exists(dir / name))
      return std::string(name) + " is missing";
    if (record["files"][name] != sha256_file(dir / name)) return std::string(name) + " is damaged";
  }
  return {};
}

}  // namespace

Checkpoints::Checkpoints(std::filesystem::path run_dir, std::string key)
    : dir_(std::move(run_dir) / "checkpoints"), key_(std::move(key)) {}

std::vector<Checkpoints::Entry> Checkpoints::entries() const {
  std::vector<Entry> entries;
  if (!fs::is_directory(dir_)) return entries;
  for (const auto& item : fs::directory_iterator(dir_)) {
    const std::string name = item.path().filename().string();
    int64_t step = 0;
    if (!name.starts_with("step-")) continue;
    const auto [end, problem] = std::from_chars(name.data() + 5, name.data() + name.size(), step);
    if (problem == std::errc() && end == name.data() + name.size())
      entries.push_back({step, item.path()});
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.step > b.step; });
  return entries;
}

std::optional<Checkpoints::Found> Checkpoints::latest(Monitor& monitor) const {
  for (const Entry& entry : entries()) {
    Json record;
    const std::string problem = unsound(entry.dir, record);
    if (!problem.empty()) {
      monitor.warn("checkpoint " + entry.dir.string() + " is passed over: " + problem);
    } else if (record["key"] != key_) {
      monitor.note("checkpoint " + entry.dir.string() +
                   " belongs to another run (options, inputs or code changed): it is not used");
    } else {
      return Found{
          .step = record["step"].get<int64_t>(), .dir = entry.dir, .state = record["state"]};
    }
  }
  return std::nullopt;
}

std::optional<Checkpoints::Found> Checkpoints::choose(const Continuation& asked,
                                                      const std::string& command,
                                                      Monitor& monitor) {
  if (asked.resume && asked.restart)
    throw Error(ErrorKind::usage, "resume and restart exclude each other");
  if (asked.restart) {
    clear();
    return std::nullopt;
  }
  auto found = latest(monitor);
  if (found && !asked.resume)
    throw Error(ErrorKind::usage, "an earlier run of the same training was cut off at step " +
                                      std::to_string(found->step))
        .with_hint("go on:       " + command + " --resume\n        start over:  " + command +
                   " --restart");
  if (!found) clear();  // what is left belongs to another run, or is damaged
  return found;
}

void Checkpoints::save(int64_t step, const OrderedJson& state,
                       const std::function<void(const std::filesystem::path&)>& write) {
  StagedDir staged(dir_ / ("step-" + std::to_string(step)));
  write(staged.path());
  OrderedJson files = OrderedJson::object();
  for (const char* name : kFiles) files[name] = sha256_file(staged.path() / name);
  write_file_atomic(
      staged.path() / "state.json",
      pretty({{"format", 1}, {"key", key_}, {"step", step}, {"files", files}, {"state", state}}));
  staged.commit();
  const auto all = entries();
  for (size_t i = kept_; i < all.size(); ++i) fs::remove_all(all[i].dir);
}

void Checkpoints::clear() {
  std::error_code ignored;
  fs::remove_all(dir_, ignored);
}

}  // namespace helio::train
