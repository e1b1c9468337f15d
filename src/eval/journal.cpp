#include "eval/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/json.h"

namespace helio::eval {

Journal::Journal(std::filesystem::path file) : path_(std::move(file)) {
  make_dirs(path_.parent_path());
  std::string text;
  if (fs::exists(path_)) text = read_file(path_);
  size_t good = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    if (end == std::string::npos) break;
    try {
      const Json line = parse_json(std::string_view(text).substr(at, end - at), "journal");
      const auto key = line.at("key").get<std::string>();
      if (line.contains("answer")) {
        answers_[key] = line.at("answer").get<std::string>();
      } else {
        std::vector<model::Score> scores;
        for (const Json& score : line.at("scores"))
          scores.push_back(
              {.log_prob = score.at(0).get<double>(), .is_greedy = score.at(1).get<int>() != 0});
        known_[key] = std::move(scores);
      }
    } catch (const std::exception&) {
      break;  // what follows damage is not trusted; it is scored again
    }
    good = at = end + 1;
  }
  fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) throw system_error("cannot write '" + path_.string() + "'", errno);
  if (ftruncate(fd_, static_cast<off_t>(good)) || lseek(fd_, 0, SEEK_END) < 0)
    throw system_error("cannot write '" + path_.string() + "'", errno);
}

Journal::~Journal() {
  if (fd_ >= 0) close(fd_);
}

std::optional<std::vector<model::Score>> Journal::find(const std::string& key, size_t count) const {
  const auto found = known_.find(key);
  if (found == known_.end() || found->second.size() != count) return std::nullopt;
  return found->second;
}

void Journal::add(const std::string& key, const std::vector<model::Score>& scores) {
  OrderedJson list = OrderedJson::array();
  for (const auto& score : scores) list.push_back({score.log_prob, score.is_greedy ? 1 : 0});
  // Doubles are written so that they read back to the bit.
  write(compact({{"key", key}, {"scores", list}}) + "\n");
  known_[key] = scores;
}

std::optional<std::string> Journal::find_answer(const std::string& key) const {
  const auto found = answers_.find(key);
  return found == answers_.end() ? std::nullopt : std::optional(found->second);
}

void Journal::add_answer(const std::string& key, const std::string& answer) {
  write(compact({{"key", key}, {"answer", answer}}) + "\n");
  answers_[key] = answer;
}

void Journal::write(const std::string& line) {
  for (size_t done = 0; done < line.size();) {
    const ssize_t n = ::write(fd_, line.data() + done, line.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error("cannot write '" + path_.string() + "'", errno);
    done += static_cast<size_t>(n);
  }
  // A kill leaves what was written; only a power cut needs the disk, and then a second is all that
  // is lost. A sync for each batch would cost more than small models' scores.
  const auto now = std::chrono::steady_clock::now();
  if (now - synced_ < std::chrono::seconds(1)) return;
  synced_ = now;
  if (fdatasync(fd_)) throw system_error("cannot write '" + path_.string() + "'", errno);
}

std::string journal_key(const std::string& settings,
                        const std::vector<model::ScoreRequest>& requests) {
  Sha256Stream stream;
  stream.update(settings);
  const auto add = [&](const std::vector<text::TokenId>& ids) {
    const auto size = static_cast<uint64_t>(ids.size());
    stream.update({reinterpret_cast<const char*>(&size), sizeof size});
    stream.update({reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(text::TokenId)});
  };
  for (const auto& request : requests) {
    add(request.context);
    add(request.continuation);
  }
  return stream.hex().substr(0, 32);
}

}  // namespace helio::eval
