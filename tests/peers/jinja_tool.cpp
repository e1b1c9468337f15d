// For tests/peers/test_jinja.py and tools/record/chat_templates.py: renders templates.
//   jinja_tool            JSON lines {"template", "variables"} in; {"text", "spans"} or {"error"}
//   out or {"chat": source, "messages", "tools", "documents", "special", "variables", "prompt"} in
//   jinja_tool time FILE  the same rows from a file: seconds of CPU to parse and to render each
#include <ctime>
#include <fstream>
#include <iostream>
#include <string>

#include "core/error.h"
#include "text/chat_template.h"

namespace {

using namespace helio;
using namespace helio::text::jinja;

// 2025-03-04 05:06:07, a Tuesday.
std::tm fixed_clock() {
  std::tm tm = {};
  tm.tm_year = 125, tm.tm_mon = 2, tm.tm_mday = 4, tm.tm_hour = 5, tm.tm_min = 6, tm.tm_sec = 7;
  tm.tm_wday = 2, tm.tm_yday = 62;
  return tm;
}

Variables variables_of(const OrderedJson& row) {
  Variables out;
  const auto& given = row.at("variables").get_ref<const OrderedJson::object_t&>();
  for (const auto& [name, value] : given) out.emplace_back(name, &value);
  return out;
}

Rendered render_chat(const OrderedJson& row) {
  const text::ChatTemplate chat(row.at("chat").get<std::string>(), "t",
                                row.at("special").get<std::map<std::string, std::string>>());
  text::ChatRequest request{.generation_prompt = row.value("prompt", false)};
  if (!row.at("tools").is_null()) request.tools = &row.at("tools");
  if (!row.at("documents").is_null()) request.documents = &row.at("documents");
  for (const auto& [name, value] : row.at("variables").items()) request.variables[name] = value;
  return chat.render(row.at("messages"), request, {.now = fixed_clock});
}

OrderedJson render(const OrderedJson& row) {
  try {
    const auto rendered =
        row.contains("chat")
            ? render_chat(row)
            : Template::parse(row.at("template").get_ref<const std::string&>(), "t")
                  .render(variables_of(row), {.now = fixed_clock});
    OrderedJson spans = OrderedJson::array();
    for (const auto& span : rendered.generation) spans.push_back({span.begin, span.end});
    return {{"text", rendered.text}, {"spans", spans}};
  } catch (const Error& error) {
    return {{"error", error.what()}};
  }
}

double cpu() {
  std::timespec now = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// The least of several repeats.
template <class Body>
double best_time(const Body& body) {
  double best = 1e9;
  for (int repeat = 0; repeat < 15; ++repeat) {
    int n = 0;
    const double begin = cpu();
    double end = begin;
    for (; end - begin < 0.02; end = cpu())
      for (int i = 0; i < 8; ++i, ++n) body();
    best = std::min(best, (end - begin) / n);
  }
  return best;
}

void time(const char* path) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const OrderedJson row = OrderedJson::parse(line);
    const std::string& source = row.at("template").get_ref<const std::string&>();
    const auto made = Template::parse(source, "t");
    const auto variables = variables_of(row);
    std::cout << compact(
                     {{"name", row.value("name", "")},
                      {"parse", best_time([&] { Template::parse(source, "t"); })},
                      {"render", best_time([&] { made.render(variables, {.now = fixed_clock}); })}})
              << std::endl;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "time") {
    time(argv[2]);
    return 0;
  }
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);)
    std::cout << compact(render(OrderedJson::parse(line))) << "\n";
  return 0;
}
