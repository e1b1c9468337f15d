#include "eval/task_selection.h"

#include <algorithm>

#include "core/error.h"
#include "core/fs.h"

namespace helio::eval {
namespace {

struct Wanted {
  std::string name = {};
  int64_t shots = -1;
};

Wanted parse(const std::string& text) {
  const size_t at = text.rfind('@');
  if (at == std::string::npos) return {.name = text};
  const std::string digits = text.substr(at + 1);
  if (digits.empty() || digits.size() > 4 ||
      digits.find_first_not_of("0123456789") != std::string::npos)
    throw Error(ErrorKind::usage, "'" + text + "': after @ stands the number of examples")
        .with_hint("for instance arc_challenge@25");
  return {.name = text.substr(0, at), .shots = std::stoll(digits)};
}

// "h6,ifeval" are two; the path of a task file is one.
std::vector<std::string> without_commas(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const auto& name : names) {
    if (fs::exists(name)) {
      out.push_back(name);
      continue;
    }
    for (size_t at = 0; at <= name.size();) {
      const size_t end = std::min(name.find(',', at), name.size());
      if (end > at) out.push_back(name.substr(at, end - at));
      at = end + 1;
    }
  }
  return out;
}

enum class AskedBy { user, group };

// The task's name.
std::string add(Selection& all, const TaskSpec& spec, int64_t shots, AskedBy by) {
  const auto known = std::find_if(all.tasks.begin(), all.tasks.end(),
                                  [&](const auto& task) { return task.spec.name == spec.name; });
  if (known == all.tasks.end()) {
    all.tasks.push_back({.spec = spec, .shots = shots});
  } else if (by == AskedBy::user || known->shots != shots) {
    throw Error(ErrorKind::usage, "task '" + spec.name + "' is named twice")
        .with_hint(known->shots != shots ? "with different numbers of examples" : "");
  }
  return spec.name;
}

}  // namespace

Selection select_tasks(const std::vector<std::string>& names) {
  Selection all;
  for (const auto& text : without_commas(names)) {
    const Wanted wanted = parse(text);
    const TaskSpec spec = find_task(wanted.name);
    if (spec.mode != "group") {
      add(all, spec, wanted.shots, AskedBy::user);
      continue;
    }
    if (wanted.shots >= 0)
      throw Error(ErrorKind::usage, "'" + text + "': a group's tasks have their own examples")
          .with_hint("--shots changes them all");
    for (const auto& group : all.groups)
      if (group.spec.name == spec.name)
        throw Error(ErrorKind::usage, "group '" + spec.name + "' is named twice");
    SelectedGroup group{.spec = spec};
    for (const auto& member : spec.members) {
      const Wanted task = parse(member);
      const TaskSpec member_spec = find_task(task.name);
      HELIO_CHECK(member_spec.mode != "group", "a group of groups");
      group.members.push_back(add(all, member_spec, task.shots, AskedBy::group));
    }
    all.groups.push_back(std::move(group));
  }
  return all;
}

}  // namespace helio::eval
