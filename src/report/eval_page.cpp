#include "report/eval_page.h"

#include <algorithm>

#include "report/eval_script.h"
#include "report/sections.h"

namespace helio::report {
namespace {

bool is_share(const EvalReport& report, const std::string& task) {
  return std::all_of(report.rows.begin(), report.rows.end(), [&](const EvalRow& row) {
    return row.task != task || !row.score.value ||
           (!row.lower_is_better && *row.score.value >= 0 && *row.score.value <= 1);
  });
}

std::string shown(const Score& score, bool share) {
  if (!score.value) return kDash;
  std::string out = share ? percent(*score.value) : rounded(*score.value, 3);
  if (score.stderr_of)
    out += " ± " + (share ? rounded(100 * *score.stderr_of, 1) : rounded(*score.stderr_of, 3));
  if (score.items && score.of && *score.items != *score.of)
    out += " (" + grouped(*score.items) + "/" + grouped(*score.of) + ")";
  return out;
}

void head(Section& s, const EvalReport& report, const std::string& title) {
  s.out.open("header", {{"class", "top"}}).open("p", {{"class", "eyebrow"}});
  s.say({.en = "Evaluation report", .ko = "평가 보고서"});
  s.out.close().element("h1", {}, title);
  s.out.open("dl", {{"class", "tiles"}, {"id", "numbers"}});
  int64_t ran = 0, missing = 0;
  for (const EvalRow& row : report.rows)
    if (row.part.empty()) ++(row.score.value ? ran : missing);
  const auto count = [](size_t n) { return grouped(static_cast<int64_t>(n)); };
  tile(s, {.en = "models", .ko = "모델"}, count(report.evaluation.models.size()), same(""));
  tile(s, {.en = "tasks", .ko = "과제"}, count(report.evaluation.tasks.size()), same(""));
  tile(s, {.en = "scores", .ko = "점수"}, grouped(ran),
       {.en = grouped(missing) + " not run", .ko = grouped(missing) + "개 실행 안 함"});
  tile(s, {.en = "items shown", .ko = "보이는 문항"}, count(report.items.size()),
       {.en = grouped(report.items_left_out) + " left out",
        .ko = grouped(report.items_left_out) + "개 생략"});
  s.out.close().close();
}

void averages(Section& s, const EvalReport& report) {
  std::vector<std::string> tasks;
  const auto means = common_averages(report.evaluation, tasks);
  if (means.empty()) return;
  std::string names;
  for (const auto& task : tasks) names += (names.empty() ? "" : ", ") + task;
  s.out.open("section", {{"aria-labelledby", "average"}}).open("h2", {{"id", "average"}});
  s.say({.en = "Average", .ko = "평균"});
  s.out.close();
  s.paragraph({.en = "Over what every model has: " + names + ".",
               .ko = "모든 모델에 점수가 있는 과제만: " + names + "."},
              "lead");
  Table table(
      s, {.en = "Average score", .ko = "평균 점수"},
      {Cell(Text{.en = "model", .ko = "모델"}), Cell(Text{.en = "average", .ko = "평균"}, "n")},
      "scores");
  std::vector<size_t> order(means.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return means[a] > means[b]; });
  for (const size_t i : order)
    table.row({Cell(report.evaluation.models[i], "mono"), Cell(percent(means[i], 2))});
  table.end();
  s.out.close();
}

// Each task that has parts: a table of part by model.
void parts(Section& s, const EvalReport& report) {
  bool begun = false;
  for (const Task& task : report.evaluation.tasks) {
    std::vector<std::string> names;
    for (const EvalRow& row : report.rows)
      if (row.task == task.name && !row.part.empty() &&
          std::find(names.begin(), names.end(), row.part) == names.end())
        names.push_back(row.part);
    if (names.empty()) continue;
    if (!begun) {
      s.out.open("section", {{"aria-labelledby", "parts"}}).open("h2", {{"id", "parts"}});
      s.say({.en = "Subjects and languages", .ko = "과목과 언어별 점수"});
      s.out.close();
      begun = true;
    }
    s.out.open("details", {{"class", "reason"}}).open("summary");
    s.out.element("span", {{"class", "strong"}}, task.name);
    s.out.element("span", {}, grouped(static_cast<int64_t>(names.size()))).close();
    std::vector<Cell> heads = {Cell(Text{.en = "part", .ko = "부분"})};
    for (const auto& model : report.evaluation.models) heads.emplace_back(model, "n");
    Table table(s, same(task.name), heads, "scores");
    const bool share = is_share(report, task.name);
    for (const auto& name : names) {
      std::vector<Cell> cells = {Cell(name, "mono")};
      for (const auto& model : report.evaluation.models) {
        const auto row =
            std::find_if(report.rows.begin(), report.rows.end(), [&](const EvalRow& each) {
              return each.task == task.name && each.part == name && each.model == model;
            });
        cells.emplace_back(row == report.rows.end() ? kDash : shown(row->score, share), "",
                           row == report.rows.end() ? "" : row->reason);
      }
      table.row(cells);
    }
    table.end();
    s.out.close();
  }
  if (begun) s.out.close();
}

std::string share_or_dash(const std::optional<double>& share) {
  return share ? percent(*share) : kDash;
}

// How much of each task stood in the training data, and what models scored on it and on the rest.
void overlaps(Section& s, const EvalReport& report) {
  if (report.overlaps.empty()) return;
  s.out.open("section", {{"aria-labelledby", "overlap"}}).open("h2", {{"id", "overlap"}});
  s.say({.en = "Overlap with training data", .ko = "학습 데이터와의 중복"});
  s.out.close();
  s.paragraph(
      {.en = "Items that share a run of words with the dataset, and right answers on them and "
             "on the others.",
       .ko = "데이터셋과 같은 단어열이 있는 문항 수와, 그 문항과 나머지 문항의 정답률입니다."},
      "lead");
  for (const EvalOverlap& overlap : report.overlaps) {
    const std::string found =
        grouped(overlap.contaminated) + " / " + grouped(overlap.items - overlap.too_short);
    s.paragraph({.en = overlap.task + " in " + overlap.dataset + ": " + found +
                       " items share a run of " + grouped(overlap.ngram) + " words; " +
                       grouped(overlap.too_short) + " are shorter.",
                 .ko = overlap.task + " · " + overlap.dataset + ": " + found + "개 문항에 " +
                       grouped(overlap.ngram) + "단어열이 겹침; 더 짧은 문항 " +
                       grouped(overlap.too_short) + "개."});
    Table table(s, same(overlap.task),
                {Cell(Text{.en = "model", .ko = "모델"}),
                 Cell(Text{.en = "right on those found", .ko = "겹치는 문항 정답률"}, "n"),
                 Cell(Text{.en = "right on the rest", .ko = "나머지 정답률"}, "n")},
                "scores");
    for (size_t m = 0; m < overlap.models.size(); ++m)
      table.row({Cell(report.evaluation.models[m], "mono"),
                 Cell(share_or_dash(overlap.models[m].found)),
                 Cell(share_or_dash(overlap.models[m].rest))});
    table.end();
  }
  s.out.close();
}

OrderedJson items_json(const EvalReport& report) {
  OrderedJson items = OrderedJson::array();
  for (const EvalItem& item : report.items) {
    OrderedJson answers = OrderedJson::array(), correct = OrderedJson::array();
    for (const auto& answer : item.answers)
      answers.push_back(answer ? OrderedJson(*answer) : OrderedJson());
    for (const auto& one : item.correct) correct.push_back(one ? OrderedJson(*one) : OrderedJson());
    items.push_back(
        {{"task", item.task}, {"id", item.id}, {"correct", correct}, {"answers", answers}});
  }
  return {{"models", report.evaluation.models}, {"items", items}};
}

// One list to choose from; the script fills in what the items show.
void choice(Section& s, const char* id, const Text& label, const Text& any,
            const std::vector<std::string>& names) {
  s.out.open("label", {{"for", id}});
  s.say(label);
  s.out.close().open("select", {{"id", id}});
  s.out.element("option", {}, any.en + " · " + any.ko);  // the first: no choice
  for (const auto& name : names) s.out.element("option", {{"value", name}}, name);
  s.out.close();
}

void items(Section& s, const EvalReport& report) {
  if (report.items.empty()) return;
  s.out.open("section", {{"aria-labelledby", "items"}}).open("h2", {{"id", "items"}});
  s.say({.en = "Items", .ko = "문항"});
  s.out.close();
  s.paragraph(
      {.en = "What each model made of each item; those on which models disagree come first. "
             "Choose a model that is right and one that is wrong to see where they part.",
       .ko = "문항마다 모델별 결과입니다. 모델끼리 엇갈린 문항이 먼저 나옵니다. 맞힌 모델과 틀린 "
             "모델을 고르면 차이가 나는 문항만 보입니다."},
      "lead");
  std::vector<std::string> tasks;
  for (const EvalItem& item : report.items)
    if (std::find(tasks.begin(), tasks.end(), item.task) == tasks.end()) tasks.push_back(item.task);
  s.out.open("p", {{"class", "filters"}});
  choice(s, "pick-task", {.en = "Task", .ko = "과제"}, {.en = "all", .ko = "전체"}, tasks);
  choice(s, "pick-right", {.en = "Right", .ko = "맞힌 모델"}, {.en = "any", .ko = "무관"},
         report.evaluation.models);
  choice(s, "pick-wrong", {.en = "Wrong", .ko = "틀린 모델"}, {.en = "any", .ko = "무관"},
         report.evaluation.models);
  s.out.close();
  s.out.open("p", {{"class", "small"}}).open("output", {{"id", "items-count"}}).close().close();
  s.out.open("div", {{"id", "items-list"}}).open("noscript");
  s.paragraph({.en = "The list needs JavaScript.", .ko = "이 목록에는 자바스크립트가 필요합니다."});
  s.out.close().close();
  // Text, escaped as any other; the script reads it back.
  s.out.element("div", {{"id", "items-data"}, {"hidden", "hidden"}}, compact(items_json(report)));
  s.out.close();
}

std::string csv_cell(std::string text) {
  // A cell that begins like a formula would be run by a spreadsheet.
  if (!text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos)
    text.insert(0, "'");
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string number_text(double value) { return OrderedJson(value).dump(); }

std::string markdown_cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '\\') out.push_back('\\');
    out.push_back(c == '\n' || c == '\r' ? ' ' : c);
  }
  return out;
}

}  // namespace

std::string render_eval_page(const EvalReport& report, const std::string& title,
                             const std::string& version) {
  Report whole{.title = title, .version = version};
  whole.evaluations = {report.evaluation};
  const Palette palette(whole);
  Section s(whole, palette);
  open_page(s, title, version, {{"#evaluation", "eval.title"}});
  head(s, report, title);
  averages(s, report);
  eval_section(s);
  parts(s, report);
  overlaps(s, report);
  items(s, report);
  s.out.open("style").trusted(kEvalStyle).close();
  s.out.open("script").trusted(kEvalScript).close();
  close_page(s, {.en = "Made by helio " + version + " eval report.",
                 .ko = "helio " + version + " eval report로 만들었습니다."});
  return s.out.str();
}

std::string eval_csv(const EvalReport& report) {
  std::string out = "model,task,part,metric,value,stderr,low,high,n,total,status,reason\n";
  const auto number = [](const auto& value) {
    return value ? number_text(static_cast<double>(*value)) : std::string();
  };
  const auto count = [](const Count& value) {
    return value ? std::to_string(*value) : std::string();
  };
  for (const EvalRow& row : report.rows) {
    const auto& interval = row.score.interval;
    out += csv_cell(row.model) + "," + csv_cell(row.task) + "," + csv_cell(row.part) + "," +
           csv_cell(row.metric) + "," + number(row.score.value) + "," +
           number(row.score.stderr_of) + "," + (interval ? number_text(interval->low) : "") + "," +
           (interval ? number_text(interval->high) : "") + "," + count(row.score.items) + "," +
           count(row.score.of) + "," + csv_cell(row.status) + "," + csv_cell(row.reason) + "\n";
  }
  return out;
}

std::string eval_markdown(const EvalReport& report) {
  const Evaluation& evaluation = report.evaluation;
  std::vector<std::string> tasks;
  const auto means = common_averages(evaluation, tasks);
  std::string out = "| model |", line = "|---|";
  for (const Task& task : evaluation.tasks) {
    out += " " + markdown_cell(task.name) + " (" + markdown_cell(task.metric) + ") |";
    line += "---:|";
  }
  if (!means.empty()) {
    out += " average of " + std::to_string(tasks.size()) + " |";
    line += "---:|";
  }
  out += "\n" + line + "\n";
  for (size_t i = 0; i < evaluation.models.size(); ++i) {
    out += "| " + markdown_cell(evaluation.models[i]) + " |";
    for (const Task& task : evaluation.tasks)
      out += " " + shown(task.scores[i], is_share(report, task.name)) + " |";
    if (!means.empty()) out += " " + percent(means[i], 2) + " |";
    out += "\n";
  }
  for (const EvalOverlap& overlap : report.overlaps) {
    out += "\n" + markdown_cell(overlap.task) + ": " + grouped(overlap.contaminated) + " of " +
           grouped(overlap.items - overlap.too_short) + " items share a run of " +
           grouped(overlap.ngram) + " words with " + markdown_cell(overlap.dataset);
    for (size_t m = 0; m < overlap.models.size(); ++m)
      out += "; " + markdown_cell(evaluation.models[m]) + " " +
             share_or_dash(overlap.models[m].found) + " right on those, " +
             share_or_dash(overlap.models[m].rest) + " on the rest";
    out += ".\n";
  }
  return out;
}

}  // namespace helio::report
