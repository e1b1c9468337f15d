// The models a server has by name: all loaded, or as many as a budget of memory has room for,
// loaded when first asked for, the one unused for longest making way.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "serve/served_model.h"

namespace helio::serve {

// A model stays loaded while a lease of it lives.
using ModelLease = std::shared_ptr<const ServedModel>;

struct ShelvedModel {
  std::string name = {};
  int64_t created = 0;                        // seconds since 1970
  OrderedJson facts = OrderedJson::object();  // as ServedModel's
  uint64_t bytes = 0;                         // memory it will take
  std::function<ServedModel()> load = {};     // called on the shelf's thread
};

class ModelShelf {
 public:
  // All loaded; they stay.
  explicit ModelShelf(std::vector<ServedModel> models);
  // Loaded when asked for. Error{usage} for a model that alone does not fit.
  ModelShelf(std::vector<ShelvedModel> models, uint64_t memory);
  ~ModelShelf();
  ModelShelf(const ModelShelf&) = delete;
  ModelShelf& operator=(const ModelShelf&) = delete;

  struct Card {
    std::string name = {};
    int64_t created = 0;
    OrderedJson facts = OrderedJson::object();
    int64_t max_positions = 0;  // 0: not loaded yet
    bool loaded = false;
    std::optional<model::EngineLoad> load = {};
  };
  std::vector<Card> cards() const;
  // Its place; an empty name is the first. Nothing: there is none.
  std::optional<size_t> find(const std::string& name) const;

  // A lease of a model that is loaded and stays; null: ask for it.
  ModelLease lease(size_t place);
  // `ready` is called by deliver() with a lease, or with why it cannot be had. False: too many
  // wait.
  using Ready = std::function<void(ModelLease, const std::string& error)>;
  bool ask(size_t place, Ready ready);
  // Calls what has become ready, on the caller's thread.
  void deliver();

 private:
  struct Users {  // outlives the shelf while leases do
    std::mutex mutex = {};
    std::condition_variable changed = {};
    bool ending = false;
  };
  struct Entry {
    ShelvedModel given = {};
    std::unique_ptr<ServedModel> model = {};
    int64_t users = 0;
    uint64_t last_used = 0;
    int64_t max_positions = 0;
    bool leaving = false;  // makes way: no new leases
  };
  struct Asked {
    size_t place = 0;
    Ready ready = {};
  };
  struct Answer {
    Ready ready = {};
    ModelLease lease = {};
    std::string error = {};
  };
  ModelLease lease_of(size_t place);  // with the lock held
  void work();
  bool make_room(std::unique_lock<std::mutex>& lock, uint64_t bytes);
  void bring(std::unique_lock<std::mutex>& lock, size_t place);

  std::shared_ptr<Users> shared_ = std::make_shared<Users>();
  std::vector<std::shared_ptr<Entry>> entries_ = {};
  uint64_t memory_ = 0, uses_ = 0;
  std::deque<Asked> asked_ = {};
  std::vector<Answer> answers_ = {};
  std::thread thread_ = {};  // last: it uses all of the above
};

}  // namespace helio::serve
