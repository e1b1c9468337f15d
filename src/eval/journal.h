// Scores that are written as soon as they are known, so that an interrupted evaluation goes on
// where it was. One JSON line for each batch of requests, or each answer, named by a hash of
// everything that decides its scores: a changed model, option or item is simply not found there.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/language_model.h"

namespace helio::eval {

class Journal {
 public:
  // Reads what is there; a last line that was cut off by a crash is dropped, and the file ended
  // before it.
  explicit Journal(std::filesystem::path file);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  std::optional<std::vector<model::Score>> find(const std::string& key, size_t count) const;
  // Written at once; synced to the disk at most once a second.
  void add(const std::string& key, const std::vector<model::Score>& scores);
  // The same for an answer in words.
  std::optional<std::string> find_answer(const std::string& key) const;
  void add_answer(const std::string& key, const std::string& answer);
  size_t size() const { return known_.size() + answers_.size(); }

 private:
  void write(const std::string& line);

  std::filesystem::path path_;
  int fd_ = -1;
  std::chrono::steady_clock::time_point synced_ = {};
  std::map<std::string, std::vector<model::Score>> known_ = {};
  std::map<std::string, std::string> answers_ = {};
};

// "Everything that decides its scores": `settings` (dtype, batch size, code) and the requests' ids.
std::string journal_key(const std::string& settings,
                        const std::vector<model::ScoreRequest>& requests);

}  // namespace helio::eval
