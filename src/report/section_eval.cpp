#include <algorithm>

#include "report/sections.h"

namespace helio::report {
namespace {

bool is_share(const Task& task) {
  if (task.lower_is_better) return false;
  return std::all_of(task.scores.begin(), task.scores.end(),
                     [](const Score& s) { return !s.value || (*s.value >= 0 && *s.value <= 1); });
}

bool ran(const Task& task) {
  return std::any_of(task.scores.begin(), task.scores.end(),
                     [](const Score& s) { return s.value.has_value(); });
}

std::string shown(const Task& task, double value) {
  return is_share(task) ? percent(value) : rounded(value, 3);
}

std::string spread(const Task& task, const Score& score) {
  if (score.stderr_of)
    return "± " +
           (is_share(task) ? rounded(100 * *score.stderr_of, 1) : rounded(*score.stderr_of, 3));
  if (score.interval)
    return "[" + shown(task, score.interval->low) + ", " + shown(task, score.interval->high) + "]";
  return {};
}

void bars(Section& s, const Evaluation& evaluation, const Task& task) {
  const std::string id = s.next_id();
  BarChart chart{.low = 0, .high = 1, .level = task.chance, .labelled_by = id};
  double high = 0;
  for (size_t i = 0; i < evaluation.models.size(); ++i) {
    const Score& score = task.scores[i];
    if (score.value)
      high = std::max({high, *score.value, score.interval ? score.interval->high : 0});
    chart.rows.push_back({.name = evaluation.models[i],
                          .css = s.palette.css(evaluation.models[i]),
                          .tip = score.reason,
                          .value = score.value,
                          .interval = score.interval,
                          .shown = or_dash(score.value, [&](double v) { return shown(task, v); })});
  }
  if (!is_share(task)) chart.high = high > 0 ? high * 1.02 : 1;
  Text caption = same(task.name);
  if (task.lower_is_better)
    caption = {.en = task.name + " · " + say("eval.lower").en,
               .ko = task.name + " · " + say("eval.lower").ko};
  s.figure(id, caption, draw(chart), "task");
}

// Empty when there are fewer than three axes: two are a line.
std::vector<const Task*> radar_tasks(const Evaluation& evaluation) {
  std::vector<const Task*> tasks;
  for (const Task& task : evaluation.tasks)
    if (is_share(task) && ran(task)) tasks.push_back(&task);
  if (tasks.size() < 3) tasks.clear();
  return tasks;
}

void radar(Section& s, const Evaluation& evaluation, const std::vector<const Task*>& tasks) {
  RadarChart chart;
  for (const Task* task : tasks) {
    chart.axes.push_back(task->name);
    chart.chance.push_back(task->chance);
  }
  for (size_t i = 0; i < evaluation.models.size(); ++i) {
    RadarChart::Ring ring{.name = evaluation.models[i], .css = s.palette.css(evaluation.models[i])};
    for (const Task* task : tasks) ring.values.push_back(task->scores[i].value);
    chart.rings.push_back(std::move(ring));
  }
  const std::string id = s.next_id();
  chart.labelled_by = id;
  s.out.open("div", {{"class", "radar-box"}});
  s.figure(id, say("eval.radar"), draw(chart));
  s.paragraph(say("eval.radar_note"), "small");
  s.out.close();
}

// Reasons for what did not run, each once, as footnotes.
struct Footnotes {
  std::vector<Text> notes = {};
  size_t add(const Text& note) {
    for (size_t i = 0; i < notes.size(); ++i)
      if (notes[i].en == note.en) return i + 1;
    notes.push_back(note);
    return notes.size();
  }
};

// One note for all models that the same reason kept from a task.
Text not_run_note(const Evaluation& evaluation, const Task& task, const std::string& reason) {
  std::string models;
  size_t count = 0;
  for (size_t i = 0; i < task.scores.size(); ++i) {
    if (task.scores[i].value || task.scores[i].reason != reason) continue;
    models += (models.empty() ? "" : ", ") + evaluation.models[i];
    ++count;
  }
  if (count == task.scores.size()) return say("eval.not_run_all", {task.name, reason});
  return say("eval.not_run_note", {task.name, models, reason});
}

// Nothing beats it and something is worse; a score that guessing could have made is never the best.
bool is_best(const Task& task, size_t model) {
  const Score& score = task.scores[model];
  if (!score.value || score.at_chance) return false;
  bool worse = false;
  for (const Score& other : task.scores) {
    if (!other.value) continue;
    const double lead =
        task.lower_is_better ? *other.value - *score.value : *score.value - *other.value;
    if (lead < 0) return false;
    worse = worse || lead > 0;
  }
  return worse;
}

Cell score_cell(const Evaluation& evaluation, const Task& task, size_t model, Footnotes& notes) {
  const Score& score = task.scores[model];
  Markup cell;
  if (!score.value) {
    cell.open("span", {{"class", "faint"}, {"title", score.reason}}).text(kDash).close();
    if (!score.reason.empty()) {
      const size_t number = notes.add(not_run_note(evaluation, task, score.reason));
      cell.element("sup", {}, std::to_string(number));
    }
    return {cell};
  }
  cell.element(is_best(task, model) ? "b" : "span", {}, shown(task, *score.value));
  const std::string around = spread(task, score);
  if (!around.empty()) cell.element("small", {}, " " + around);
  if (score.at_chance) {
    const Text text = say("eval.at_chance");
    cell.open("em", {{"class", "chance"}})
        .element("span", {{"class", "en"}, {"lang", "en"}}, text.en)
        .element("span", {{"class", "ko"}, {"lang", "ko"}}, text.ko)
        .close();
  }
  return {cell};
}

void score_table(Section& s, const Evaluation& evaluation, Footnotes& notes) {
  std::vector<Cell> heads = {Cell(say("eval.model"))};
  for (const Task& task : evaluation.tasks) {
    Markup head;
    head.text(task.name).element("small", {}, task.metric);
    Cell cell(head, "n");
    cell.tip = task.about;
    heads.push_back(std::move(cell));
  }
  Table table(s, say("eval.table"), heads, "scores");
  for (size_t i = 0; i < evaluation.models.size(); ++i) {
    Markup name;
    name.open("i",
              {{"class", "key " + s.palette.css(evaluation.models[i])}, {"aria-hidden", "true"}})
        .close()
        .text(evaluation.models[i]);
    std::vector<Cell> cells = {Cell(name, "mono")};
    for (const Task& task : evaluation.tasks) {
      cells.push_back(score_cell(evaluation, task, i, notes));
    }
    table.row(cells);
  }
  std::vector<Cell> items = {Cell(say("eval.items"))}, chance = {Cell(say("eval.chance"))};
  for (const Task& task : evaluation.tasks) {
    const auto scored = std::find_if(task.scores.begin(), task.scores.end(),
                                     [](const Score& x) { return x.items.has_value(); });
    if (scored == task.scores.end()) items.emplace_back(std::string(kDash));
    else if (scored->of && *scored->of != *scored->items)
      items.emplace_back(say("eval.k_of_n", {grouped(*scored->items), grouped(*scored->of)}));
    else items.emplace_back(grouped(*scored->items));
    chance.emplace_back(or_dash(task.chance, [&](double v) { return shown(task, v); }));
  }
  table.row(items, "quiet");
  table.row(chance, "quiet");
  table.end();
}

void about_tasks(Section& s, const Evaluation& evaluation, const Footnotes& notes) {
  if (!notes.notes.empty()) {
    s.out.open("ol", {{"class", "footnotes"}});
    for (const Text& note : notes.notes) {
      s.out.open("li");
      s.say(note);
      s.out.close();
    }
    s.out.close();
  }
  s.paragraph(say("eval.at_chance_note"), "small");
  s.subheading(say("eval.tasks"));
  s.out.open("dl", {{"class", "about-tasks"}});
  std::string before;
  for (const Task& task : evaluation.tasks) {
    const std::string name =
        task.name.substr(0, task.name.find(' '));  // columns of one task share it
    if (name == before) continue;
    before = name;
    s.out.open("div")
        .element("dt", {{"class", "mono"}}, name)
        .open("dd")
        .text(task.about.empty() ? kDash : task.about);
    if (!task.protocol.empty()) {
      s.out.open("small").text(" ");
      s.say(say("eval.reproduces", {task.protocol}));
      s.out.close();
    }
    s.out.close().close();
  }
  s.out.close();
}

}  // namespace

void eval_section(Section& s) {
  s.out.open("section", {{"aria-labelledby", "evaluation"}});
  s.heading("evaluation", "eval.title", "eval.lead");
  if (s.report.evaluations.empty()) s.paragraph(say("page.nothing"), "faint");
  for (const Evaluation& evaluation : s.report.evaluations) {
    if (s.report.evaluations.size() > 1) s.subheading(same(evaluation.stage));
    if (evaluation.tasks.empty() || evaluation.models.empty()) {
      s.paragraph(say("page.nothing"), "faint");
      continue;
    }
    std::vector<Section::Key> keys;
    for (const std::string& model : evaluation.models)
      keys.push_back({.name = model, .css = "key " + s.palette.css(model)});
    s.legend(keys);
    const auto tasks = radar_tasks(evaluation);
    s.out.open("div", {{"class", tasks.empty() ? "eval alone" : "eval"}})
        .open("div", {{"class", "tasks"}});
    for (const Task& task : evaluation.tasks)
      if (ran(task))
        bars(s, evaluation, task);  // the table has the others, and why they did not run
    s.out.close();
    if (!tasks.empty()) radar(s, evaluation, tasks);
    s.out.close();
    Footnotes notes;
    score_table(s, evaluation, notes);
    about_tasks(s, evaluation, notes);
  }
  s.out.close();
}

}  // namespace helio::report
