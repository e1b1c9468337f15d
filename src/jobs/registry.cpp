#include "jobs/registry.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "core/error.h"
#include "core/fs.h"
#include "core/options.h"

namespace helio::jobs {
namespace {

// Raised when the tables change: an index of another version is made again.
constexpr int kSchema = 1;
// Manifests lie at PLACE/NAME/ and, for lots, PLACE/NAME/LOT/.
constexpr int kDepth = 3;

// The index could not be used. Never leaves this file: it is rebuilt, or done without.
struct IndexFailure {
  int code = SQLITE_ERROR;
};

class Statement {
 public:
  Statement(sqlite3* db, const char* sql) {
    const int code = sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr);
    if (code != SQLITE_OK) throw IndexFailure{code};
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int at, std::string_view text) {
    const int code = sqlite3_bind_text(statement_, at, text.data(), static_cast<int>(text.size()),
                                       SQLITE_TRANSIENT);
    if (code != SQLITE_OK) throw IndexFailure{code};
    return *this;
  }
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) throw IndexFailure{code};
    return code == SQLITE_ROW;
  }
  void run() {
    while (step()) {}
    sqlite3_reset(statement_);
  }
  std::string text(int column) {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
    return bytes ? std::string(bytes, size) : std::string();
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
};

class Database {
 public:
  explicit Database(const std::string& file) {
    const int code =
        sqlite3_open_v2(file.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
    if (code != SQLITE_OK) {
      sqlite3_close(db_);
      throw IndexFailure{code};
    }
    sqlite3_busy_timeout(db_, 10'000);  // somebody may be looking at it with sqlite3
  }
  ~Database() { sqlite3_close(db_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  sqlite3* get() const { return db_; }
  void execute(const char* sql) {
    const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) throw IndexFailure{code};
  }
  std::string value(const char* sql) {
    Statement statement(db_, sql);
    return statement.step() ? statement.text(0) : std::string();
  }

 private:
  sqlite3* db_ = nullptr;
};

// One holder at a time over open, update and read: an index found damaged can then be removed
// without pulling it from under another process.
class IndexLock {
 public:
  explicit IndexLock(const fs::path& workspace) {
    fd_ = open((workspace / ".helio.db.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd_ < 0) return;
    while (flock(fd_, LOCK_EX) != 0) {
      if (errno == EINTR) continue;
      close(fd_);
      fd_ = -1;
      return;
    }
  }
  ~IndexLock() {
    if (fd_ >= 0) close(fd_);
  }
  IndexLock(const IndexLock&) = delete;
  IndexLock& operator=(const IndexLock&) = delete;
  bool held() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

struct Found {
  std::string stamp = {};  // changes when the manifest does
};

void find_manifests(const fs::path& root, const std::string& below, int depth,
                    std::map<std::string, Found>& found) {
  std::error_code problem;
  for (fs::directory_iterator it(root / below, problem), end; !problem && it != end;
       it.increment(problem)) {
    const std::string leaf = it->path().filename().string();
    std::error_code gone;  // a folder may be renamed away while we look
    if (leaf.starts_with('.') || !it->is_directory(gone) || gone) continue;
    const std::string path = below.empty() ? leaf : below + "/" + leaf;
    struct stat info = {};
    if (stat((root / path / kManifestName).c_str(), &info) == 0)
      found[path] = {.stamp = std::to_string(info.st_ino) + ":" + std::to_string(info.st_size) +
                              ":" + std::to_string(info.st_mtim.tv_sec) + "." +
                              std::to_string(info.st_mtim.tv_nsec)};
    if (depth > 1) find_manifests(root, path, depth - 1, found);
  }
}

void create_tables(Database& db) {
  db.execute(
      "CREATE TABLE artefact(path TEXT PRIMARY KEY, kind TEXT, name TEXT, content TEXT,"
      " made_by TEXT, version TEXT, facts TEXT, stamp TEXT) WITHOUT ROWID;"
      "CREATE TABLE input(path TEXT, place INTEGER, role TEXT, kind TEXT, name TEXT, content TEXT,"
      " PRIMARY KEY(path, place)) WITHOUT ROWID;"
      "CREATE INDEX artefact_content ON artefact(content);"
      "CREATE INDEX input_content ON input(content);");
  db.execute(("PRAGMA user_version = " + std::to_string(kSchema)).c_str());
}

void insert_artefact(Database& db, const std::string& path, const std::string& stamp,
                     const Manifest& manifest) {
  Statement artefact(db.get(), "INSERT INTO artefact VALUES(?,?,?,?,?,?,?,?)");
  artefact.bind(1, path).bind(2, manifest.kind).bind(3, manifest.name).bind(4, manifest.content);
  artefact.bind(5, manifest.made_by).bind(6, manifest.version);
  artefact.bind(7, compact(manifest.facts)).bind(8, stamp);
  artefact.run();
  Statement input(db.get(), "INSERT INTO input VALUES(?,?,?,?,?,?)");
  for (size_t i = 0; i < manifest.inputs.size(); ++i) {
    const ArtefactInput& each = manifest.inputs[i];
    input.bind(1, path).bind(2, std::to_string(i)).bind(3, each.role).bind(4, each.kind);
    input.bind(5, each.name).bind(6, each.content);
    input.run();
  }
}

// Makes the tables say what the folders say; only manifests with a new stamp are read.
std::vector<std::string> update(Database& db, const fs::path& workspace) {
  std::vector<std::string> problems;
  std::map<std::string, Found> found;
  find_manifests(workspace, "", kDepth, found);
  db.execute("BEGIN IMMEDIATE");
  std::map<std::string, std::string> known;
  {
    Statement rows(db.get(), "SELECT path, stamp FROM artefact");
    while (rows.step()) known[rows.text(0)] = rows.text(1);
  }
  Statement forget(db.get(), "DELETE FROM artefact WHERE path = ?");
  Statement forget_inputs(db.get(), "DELETE FROM input WHERE path = ?");
  for (const auto& [path, stamp] : known) {
    const auto now = found.find(path);
    if (now != found.end() && now->second.stamp == stamp) continue;
    forget.bind(1, path).run();
    forget_inputs.bind(1, path).run();
  }
  for (const auto& [path, each] : found) {
    const auto before = known.find(path);
    if (before != known.end() && before->second == each.stamp) continue;
    try {
      insert_artefact(db, path, each.stamp, load_manifest(workspace / path));
    } catch (const Error& error) {
      problems.push_back(error.message());
    }
  }
  db.execute("COMMIT");
  return problems;
}

std::vector<Artefact> read_artefacts(Database& db) {
  std::vector<Artefact> artefacts;
  std::map<std::string, size_t> at;
  Statement rows(db.get(),
                 "SELECT path, kind, name, content, made_by, version, facts FROM artefact "
                 "ORDER BY path");
  while (rows.step()) {
    at[rows.text(0)] = artefacts.size();
    artefacts.push_back({.path = rows.text(0),
                         .kind = rows.text(1),
                         .name = rows.text(2),
                         .content = rows.text(3),
                         .made_by = rows.text(4),
                         .version = rows.text(5),
                         .facts = parse_json(rows.text(6), kRegistryName)});
  }
  Statement inputs(db.get(),
                   "SELECT path, role, kind, name, content FROM input ORDER BY path, place");
  while (inputs.step()) {
    const auto artefact = at.find(inputs.text(0));
    if (artefact == at.end()) throw IndexFailure{SQLITE_CORRUPT};
    artefacts[artefact->second].inputs.push_back({.role = inputs.text(1),
                                                  .kind = inputs.text(2),
                                                  .name = inputs.text(3),
                                                  .content = inputs.text(4)});
  }
  return artefacts;
}

struct Picture {
  std::vector<Artefact> artefacts = {};
  std::vector<std::string> problems = {};
};

Picture take_picture(const std::string& file, const fs::path& workspace) {
  Database db(file);
  if (db.value("PRAGMA integrity_check") != "ok") throw IndexFailure{SQLITE_CORRUPT};
  const std::string schema = db.value("PRAGMA user_version");
  if (schema == "0" && db.value("SELECT count(*) FROM sqlite_master") == "0") create_tables(db);
  else if (schema != std::to_string(kSchema)) throw IndexFailure{SQLITE_SCHEMA};
  Picture picture;
  picture.problems = update(db, workspace);
  picture.artefacts = read_artefacts(db);
  return picture;
}

// Of the file itself, as against a full or read-only disk or a file in use.
bool is_damage(int code) {
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_SCHEMA ||
         code == SQLITE_ERROR;
}

Picture read_workspace(const fs::path& workspace) {
  const IndexLock lock(workspace);
  const std::string file = (workspace / kRegistryName).string();
  if (lock.held()) {
    bool damaged = false;
    try {
      return take_picture(file, workspace);
    } catch (const IndexFailure& failure) {
      damaged = is_damage(failure.code);
    } catch (const Error&) {  // facts that are no JSON: not written by us
      damaged = true;
    }
    if (damaged) {
      // Once more from nothing. The journal goes first: it must not be played into a new file.
      std::error_code ignored;
      for (const char* ending : {"-journal", "-wal", "-shm", ""})
        fs::remove(file + ending, ignored);
      try {
        return take_picture(file, workspace);
      } catch (const IndexFailure&) {}
    }
  }
  try {
    return take_picture(":memory:", workspace);
  } catch (const IndexFailure& failure) {
    throw Error(ErrorKind::failed,
                std::string("cannot index the workspace: ") + sqlite3_errstr(failure.code));
  }
}

bool is_hash_prefix(const std::string& text) {
  return text.size() >= 6 && text.size() <= 64 &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

Registry::Registry(std::filesystem::path workspace) : workspace_(std::move(workspace)) {
  if (!fs::is_directory(workspace_))
    throw Error(ErrorKind::not_found, "no workspace at '" + workspace_.string() + "'")
        .with_hint("`helio run RECIPE` makes one; --workspace names another");
  Picture picture = read_workspace(workspace_);
  artefacts_ = std::move(picture.artefacts);
  problems_ = std::move(picture.problems);
  resolve_edges();
}

void Registry::resolve_edges() {
  std::multimap<std::string, size_t> by_content;
  for (size_t i = 0; i < artefacts_.size(); ++i) by_content.emplace(artefacts_[i].content, i);
  for (size_t made = 0; made < artefacts_.size(); ++made)
    for (const ArtefactInput& input : artefacts_[made].inputs) {
      // Equal content may stand under several names; the one the manifest named comes first.
      int64_t best = -1;
      int best_fit = -1;
      const auto [begin, end] = by_content.equal_range(input.content);
      for (auto it = begin; it != end; ++it) {
        const Artefact& candidate = artefacts_[it->second];
        if (it->second == made || input.content.empty()) continue;
        const int fit = (candidate.kind == input.kind ? 2 : 0) + (candidate.name == input.name);
        if (fit <= best_fit) continue;
        best = static_cast<int64_t>(it->second);
        best_fit = fit;
      }
      edges_.push_back({.made = made, .from = best, .input = input});
    }
}

size_t Registry::find(const std::string& given) const {
  std::string name = given;
  while (name.size() > 1 && name.ends_with('/')) name.pop_back();
  std::error_code problem;
  const fs::path relative = fs::relative(name, workspace_, problem);
  const std::string on_disk = problem ? "" : relative.generic_string();

  const auto matching = [&](auto&& fits) {
    std::vector<size_t> found;
    for (size_t i = 0; i < artefacts_.size(); ++i)
      if (fits(artefacts_[i])) found.push_back(i);
    return found;
  };
  std::vector<size_t> found = matching([&](const Artefact& a) { return a.path == name; });
  if (found.empty()) found = matching([&](const Artefact& a) { return a.path == on_disk; });
  if (found.empty()) found = matching([&](const Artefact& a) { return a.name == name; });
  if (found.empty() && is_hash_prefix(name))
    found = matching([&](const Artefact& a) { return a.content.starts_with(name); });
  if (found.size() == 1) return found.front();

  if (found.empty()) {
    Error error(ErrorKind::not_found,
                "no artefact '" + given + "' in '" + workspace_.string() + "'");
    std::vector<std::string> known;
    for (const Artefact& artefact : artefacts_) {
      known.push_back(artefact.path);
      known.push_back(artefact.name);
    }
    const std::string near = nearest(name, known);
    std::string hint = near.empty() ? "" : "did you mean '" + near + "'? ";
    hint += artefacts_.empty() ? "the workspace holds no artefact" : "it holds ";
    for (size_t i = 0; i < artefacts_.size() && i < 12; ++i)
      hint += (i > 0 ? ", " : "") + artefacts_[i].path;
    if (artefacts_.size() > 12) hint += ", and " + std::to_string(artefacts_.size() - 12) + " more";
    throw error.with_hint(hint);
  }
  std::string paths;
  for (const size_t i : found) paths += (paths.empty() ? "" : ", ") + artefacts_[i].path;
  throw Error(ErrorKind::usage, "'" + given + "' may be any of " + paths)
      .with_hint("give the path, or more digits of the content hash");
}

}  // namespace helio::jobs
