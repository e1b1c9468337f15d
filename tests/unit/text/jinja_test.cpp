// Errors, limits and what a template may reach. That its text is jinja2's:
// tests/peers/test_jinja.py.
#include <gtest/gtest.h>

#include <random>

#include "../../fuzz/jinja_fuzz.h"
#include "core/error.h"
#include "core/fs.h"
#include "text/chat_template.h"

namespace helio::text::jinja {
namespace {

std::string render(const std::string& source, const OrderedJson& variables = OrderedJson::object(),
                   const RenderOptions& options = {}) {
  Variables given;
  for (const auto& [name, value] : variables.get_ref<const OrderedJson::object_t&>())
    given.emplace_back(name, &value);
  return Template::parse(source, "chat.jinja").render(given, options).text;
}

std::string error_of(const std::string& source, const RenderOptions& options = {}) {
  try {
    render(source, OrderedJson::object(), options);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid) << source;
    return error.what();
  }
  return "";
}

TEST(Jinja, ErrorsNameThePlaceAndTheLine) {
  EXPECT_EQ(error_of("a\n 한 {{ x.y }}").find("chat.jinja:2:8: 'x' is undefined"), 0u)
      << error_of("a\n 한 {{ x.y }}");
  EXPECT_NE(error_of("a\n 한 {{ x.y }}").find("line 2:  한 {{ x.y }}"), std::string::npos);
  EXPECT_EQ(error_of("{{ 1 + }}").find("chat.jinja:1:8: unexpected 'end of print statement'"), 0u)
      << error_of("{{ 1 + }}");
  EXPECT_EQ(error_of("\n{% if a %}")
                .find("chat.jinja:2:11: unexpected end of template: the block of line 2 needs"),
            0u);
  const std::string chained = error_of("{% macro m(v) %}{{ v.a.b }}{% endmacro %}\n{{ m(1) }}");
  EXPECT_NE(chained.find("chat.jinja:1:"), std::string::npos);
  EXPECT_NE(chained.find("in macro 'm', called at chat.jinja:2:"), std::string::npos) << chained;
  EXPECT_NE(error_of("{{ raise_exception('roles must alternate') }}").find("roles must alternate"),
            std::string::npos);
}

TEST(Jinja, NothingBesidesTheVariablesIsReachable) {
  for (const char* source : {"{% include 'a' %}", "{% import 'a' as b %}",
                             "{% from 'a' import b %}", "{% extends 'a' %}"})
    EXPECT_NE(error_of(source).find("no access to files"), std::string::npos) << source;
  for (const char* source :
       {"{{ [].append(1) }}", "{{ {}.update({}) }}", "{{ ''.__class__.__mro__ }}",
        "{{ [].__len__() }}", "{{ {}.__class__() }}", "{{ [].sort() }}",
        "{{ namespace().__init__ }}{{ namespace().__class__.a }}"})
    EXPECT_NE(error_of(source), "") << source;
  for (const char* source : {"{{ [1]|random }}", "{{ 'a'|urlize }}", "{{ 'a'|pprint }}",
                             "{{ 'a'|wordwrap }}", "{{ lipsum() }}"})
    EXPECT_NE(error_of(source).find("not supported"), std::string::npos) << source;
}

TEST(Jinja, LimitsAreErrors) {
  const auto limited = [](const std::string& source, const Limits& limits) {
    return error_of(source, {.limits = limits});
  };
  EXPECT_NE(limited("{% for i in range(1000) %}{% for j in range(1000) %}{% endfor %}{% endfor %}",
                    {.steps = 100'000})
                .find("does not come to an end"),
            std::string::npos);
  EXPECT_NE(limited("{% for i in range(1000) %}0123456789{% endfor %}", {.output = 5000})
                .find("text is too long"),
            std::string::npos);
  EXPECT_NE(limited("{{ 'x' * 100000000 }}", {.memory = 1 << 20}).find("too much data"),
            std::string::npos);
  EXPECT_NE(limited("{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s ~ "
                    "ns.s %}{% endfor %}",
                    {.memory = 1 << 22})
                .find("too much data"),
            std::string::npos);
  EXPECT_NE(error_of("{{ range(100001) }}").find("Range too big"), std::string::npos);
  EXPECT_NE(error_of("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}").find("nests too deeply"),
            std::string::npos);
  EXPECT_NE(error_of("{{ 9223372036854775807 + 1 }}").find("64 bits"), std::string::npos);
  EXPECT_NE(error_of("{{ '%999999999999d' % 1 }}"), "");
  EXPECT_NE(error_of("{{ '{:999999999999}'.format(1) }}"), "");
  EXPECT_NE(error_of("{{ 'a'.center(99999999999) }}"), "");
  EXPECT_NE(error_of("{{ [1] * 99999999999999 }}"), "");
  EXPECT_NE(
      limited("{{ [0]|batch(9999999999, 1)|list }}", {.memory = 1 << 22}).find("too much data"),
      std::string::npos);
}

TEST(Jinja, DeepNestingIsRefusedNotFollowed) {
  EXPECT_NE(error_of("{{ " + std::string(5000, '(') + "1" + std::string(5000, ')') + " }}"), "");
  EXPECT_NE(error_of("{{ " + std::string(5000, '-') + "1 }}"), "");
  std::string blocks, filters = "{{ 1";
  for (int i = 0; i < 2000; ++i) blocks += "{% if 1 %}", filters += "|abs";
  EXPECT_NE(error_of(blocks), "");
  EXPECT_NE(error_of(filters + " }}"), "");
  EXPECT_NE(error_of("{% set ns = namespace(l=[]) %}{% for i in range(9000) %}{% set ns.l = [ns.l] "
                     "%}{% endfor %}{{ ns.l }}"),
            "");
  EXPECT_NE(error_of("{% set ns = namespace(l=[1]) %}{% for i in range(9000) %}{% set ns.l = "
                     "ns.l|map('string') %}{% endfor %}{{ ns.l|list }}"),
            "");
}

// Only errors of kind invalid come out of broken templates.
TEST(Jinja, BrokenTemplatesAreRefused) {
  std::mt19937 draw(7);
  const fs::path corpus = fs::path(HELIO_SOURCE_DIR) / "tests/fuzz/corpus/jinja";
  int files = 0;
  for (const auto& entry : fs::directory_iterator(corpus)) {
    const std::string seed = read_file(entry.path());
    fuzz::try_template(seed);
    for (int i = 0; i < 60; ++i) {
      std::string broken = seed;
      for (int n = 0; n < 3; ++n) {
        const size_t at = draw() % broken.size(), size = draw() % 12;
        const std::string part = seed.substr(draw() % seed.size(), draw() % 12);
        broken.replace(at, size, part);
      }
      fuzz::try_template(broken);
    }
    ++files;
  }
  EXPECT_GE(files, 8);
}

TEST(Jinja, TheClockIsTheCallers) {
  std::tm day = {};
  day.tm_year = 124, day.tm_mon = 6, day.tm_mday = 26;
  EXPECT_EQ(
      render("{{ strftime_now('%d %b %Y') }}", OrderedJson::object(), {.now = [&] { return day; }}),
      "26 Jul 2024");
}

TEST(Jinja, OneTemplateRendersManyTimes) {
  const auto made = Template::parse(
      "{% set ns = namespace(n=0) %}{% for x in l %}{% set ns.n = ns.n + x %}{% endfor %}{{ ns.n "
      "}}",
      "t");
  for (int i = 0; i < 3; ++i) {
    const OrderedJson list = {1, 2, i};
    EXPECT_EQ(made.render({{"l", &list}}).text, std::to_string(3 + i));
  }
}

TEST(ChatTemplate, SpansCountCharacters) {
  const ChatTemplate chat(
      "{% for m in messages %}<{{ m.role }}>{% if m.role == 'a' %}{% generation %}{{ m.content "
      "}}{{ eos_token }}"
      "{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}",
      "t", {{"eos_token", "</s>"}});
  const auto rendered =
      chat.render({{{"role", "u"}, {"content", "안녕"}}, {{"role", "a"}, {"content", "네 🇰🇷"}}});
  EXPECT_EQ(rendered.text, "<u>안녕<a>네 🇰🇷</s>");
  EXPECT_EQ(rendered.generation, (std::vector<Span>{{8, 16}}));
}

TEST(ChatTemplate, NullsAreLeftOutAndReasoningHasAllItsNames) {
  const ChatTemplate chat(
      "{{ messages[0].content is defined }} {{ messages[0].reasoning_content }} {{ "
      "messages[0].thinking }}",
      "t", {});
  EXPECT_EQ(chat.render({{{"role", "a"}, {"content", nullptr}, {"reasoning", "R"}}}).text,
            "False R R");
}

TEST(ChatTemplate, MasksByTransformersRule) {
  const std::vector<Offset> places = {{0, 2}, {2, 3}, {4, 6}, {6, 6}};
  const Encoding encoding{.ids = {1, 2, 3, 4}, .characters = places, .bytes = places};
  EXPECT_EQ(assistant_mask(encoding, {{1, 3}}), (std::vector<uint8_t>{1, 1, 0, 0}));
  EXPECT_EQ(assistant_mask(encoding, {{2, 4}}),
            (std::vector<uint8_t>{0, 1, 1, 1}));  // nothing has 3: to the end
  EXPECT_EQ(assistant_mask(encoding, {{3, 5}, {0, 1}}), (std::vector<uint8_t>{0, 0, 0, 0}));
  EXPECT_EQ(assistant_mask(encoding, {{4, 6}}), (std::vector<uint8_t>{0, 0, 1, 0}));
  EXPECT_EQ(assistant_mask(encoding, {{0, 1}}),
            (std::vector<uint8_t>{1, 1, 1, 1}));  // token 0 is read as none there
}

TEST(ChatTemplate, GoesOnInTheFinalMessage) {
  const ChatTemplate plain("{% for m in messages %}[{{ m.content }}]{% endfor %}", "t", {});
  const ChatTemplate trimmed("{% for m in messages %}[{{ m.content|trim }}]{% endfor %}", "t", {});
  const ChatTemplate blind("{{ messages[0].role }}content", "t", {});
  const OrderedJson messages = {{{"role", "u"}, {"content", "a"}},
                                {{"role", "a"}, {"content", "b "}}};
  const ChatRequest request{.final_message = FinalMessage::to_be_continued};
  EXPECT_EQ(plain.render(messages, request).text, "[a][b ");
  EXPECT_EQ(trimmed.render(messages, request).text, "[a][b");
  EXPECT_THROW(blind.render(messages, request), Error);
}

}  // namespace
}  // namespace helio::text::jinja
