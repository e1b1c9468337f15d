#include "serve/model_shelf.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace helio::serve {
namespace {

constexpr size_t kMostAsked = 1024;

}  // namespace

ModelShelf::ModelShelf(std::vector<ServedModel> models) {
  for (auto& model : models) {
    auto entry = std::make_shared<Entry>();
    entry->given = {.name = model.name, .created = model.created, .facts = model.facts};
    entry->max_positions = model.engine->max_positions();
    entry->model = std::make_unique<ServedModel>(std::move(model));
    entries_.push_back(std::move(entry));
  }
}

ModelShelf::ModelShelf(std::vector<ShelvedModel> models, uint64_t memory) : memory_(memory) {
  for (auto& model : models) {
    if (model.bytes > memory)
      throw Error(ErrorKind::usage, "the model '" + model.name + "' takes " +
                                        std::to_string(model.bytes >> 20) + " MiB, the budget is " +
                                        std::to_string(memory >> 20) + " MiB")
          .with_hint("--memory, --cache-tokens or --weights int8");
    entries_.push_back(std::make_shared<Entry>());
    entries_.back()->given = std::move(model);
  }
  thread_ = std::thread([this] { work(); });
}

ModelShelf::~ModelShelf() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->ending = true;
  }
  shared_->changed.notify_all();
  if (thread_.joinable()) thread_.join();
  // Engines end here, and with them the answers that hold leases.
  for (auto& entry : entries_) entry->model.reset();
}

std::vector<ModelShelf::Card> ModelShelf::cards() const {
  const std::lock_guard lock(shared_->mutex);
  std::vector<Card> out;
  for (const auto& entry : entries_) {
    out.push_back({.name = entry->given.name,
                   .created = entry->given.created,
                   .facts = entry->given.facts,
                   .max_positions = entry->max_positions,
                   .loaded = entry->model != nullptr});
    if (entry->model) out.back().load = entry->model->engine->load();
  }
  return out;
}

std::optional<size_t> ModelShelf::find(const std::string& name) const {
  if (name.empty()) return 0;
  for (size_t i = 0; i < entries_.size(); ++i)
    if (entries_[i]->given.name == name) return i;
  return std::nullopt;
}

// A pointer that does not own: what is given back is the use. Engines end answers, never the other
// way round.
ModelLease ModelShelf::lease_of(size_t place) {
  const auto& entry = entries_[place];
  ++entry->users;
  entry->last_used = ++uses_;
  return {entry->model.get(), [entry, shared = shared_](const ServedModel*) {
            {
              const std::lock_guard lock(shared->mutex);
              --entry->users;
            }
            shared->changed.notify_all();
          }};
}

ModelLease ModelShelf::lease(size_t place) {
  const std::lock_guard lock(shared_->mutex);
  const auto& entry = entries_[place];
  return entry->model && !entry->leaving ? lease_of(place) : nullptr;
}

bool ModelShelf::ask(size_t place, Ready ready) {
  {
    const std::lock_guard lock(shared_->mutex);
    if (asked_.size() >= kMostAsked || shared_->ending) return false;
    asked_.push_back({place, std::move(ready)});
  }
  shared_->changed.notify_all();
  return true;
}

void ModelShelf::deliver() {
  std::vector<Answer> ready;
  {
    const std::lock_guard lock(shared_->mutex);
    ready.swap(answers_);
  }
  for (auto& one : ready) one.ready(std::move(one.lease), one.error);
}

// --- the shelf's thread
// ----------------------------------------------------------------------------

void ModelShelf::work() {
  std::unique_lock lock(shared_->mutex);
  while (true) {
    shared_->changed.wait(lock, [&] { return shared_->ending || !asked_.empty(); });
    if (shared_->ending) return;
    bring(lock, asked_.front().place);
  }
}

// Loads what the first of the queue wants and answers all that want the same.
void ModelShelf::bring(std::unique_lock<std::mutex>& lock, size_t place) {
  Entry& entry = *entries_[place];
  std::string error;
  if (!entry.model) {
    if (!make_room(lock, entry.given.bytes)) return;  // the shelf ends
    lock.unlock();
    std::unique_ptr<ServedModel> model;
    try {
      model = std::make_unique<ServedModel>(entry.given.load());
    } catch (const std::exception& caught) {
      error = caught.what();
    }
    lock.lock();
    entry.model = std::move(model);
    if (entry.model) entry.max_positions = entry.model->engine->max_positions();
  }
  for (auto& asked : asked_) {
    if (asked.place != place) continue;
    answers_.push_back({.ready = std::move(asked.ready),
                        .lease = entry.model ? lease_of(place) : nullptr,
                        .error = error});
  }
  std::erase_if(asked_, [&](const Asked& asked) { return asked.place == place; });
}

// The model unused for longest takes no new work and goes when its last answer has ended. False:
// the shelf ends meanwhile.
bool ModelShelf::make_room(std::unique_lock<std::mutex>& lock, uint64_t bytes) {
  while (true) {
    uint64_t held = bytes;
    std::shared_ptr<Entry> oldest;
    for (const auto& entry : entries_) {
      if (!entry->model) continue;
      held += entry->given.bytes;
      if (!oldest || entry->last_used < oldest->last_used) oldest = entry;
    }
    if (held <= memory_ || !oldest) return true;
    oldest->leaving = true;
    shared_->changed.wait(lock, [&] { return shared_->ending || oldest->users == 0; });
    if (shared_->ending) return false;
    auto leaving = std::move(oldest->model);
    oldest->leaving = false;
    lock.unlock();  // its engine's thread ends, which takes a while
    leaving.reset();
    lock.lock();
  }
}

}  // namespace helio::serve
