#include "report/page.h"

#include "report/sections.h"
#include "report/style.h"

namespace helio::report {
namespace {

// The switch stands first in the body so that its state can style everything after it.
void language_switch(Section& s) {
  s.out.empty("input", {{"type", "radio"},
                        {"name", "lang"},
                        {"id", "lang-en"},
                        {"class", "lang"},
                        {"checked", "checked"}});
  s.out.empty("input", {{"type", "radio"}, {"name", "lang"}, {"id", "lang-ko"}, {"class", "lang"}});
}

void bar(Section& s) {
  s.out.open("nav", {{"class", "topnav"}, {"aria-label", say("page.sections").en}})
      .open("div", {{"class", "in"}});
  s.out.open("a", {{"class", "brand"}, {"href", "#top"}});
  Svg mark({.width = 20, .height = 20, .css = "brandmark"});
  mark.circle({10, 5.4}, 3.4, "sun");
  for (const double y : {10.6, 13.8, 17.0}) mark.rect({3, y, 14, 2}, "plate", 1);
  s.out.add(mark.finish()).text("heliostack").close();
  s.out.open("div", {{"class", "links"}});
  const auto link = [&](const char* href, const char* key) {
    s.out.open("a", {{"href", href}});
    s.say(say(key));
    s.out.close();
  };
  link("#pipeline", "pipeline.title");
  link("#data", "data.title");
  link("#training", "loss.title");
  if (!s.report.upscalings.empty()) link("#upscaling", "dus.title");
  if (!s.report.alignments.empty()) link("#alignment", "align.title");
  link("#evaluation", "eval.title");
  link("#partners", "club.title");
  link("#lineage", "lineage.title");
  s.out.close().open(
      "div", {{"class", "langs"}, {"role", "group"}, {"aria-label", say("page.language").en}});
  s.out.element("label", {{"for", "lang-en"}, {"lang", "en"}}, "English");
  s.out.element("label", {{"for", "lang-ko"}, {"lang", "ko"}}, "한국어");
  s.out.close().close().close();
}

}  // namespace

std::string render_page(const Report& report) {
  const Palette palette(report);
  Section s(report, palette);
  s.out.trusted("<!doctype html>\n").open("html", {{"lang", "en"}}).open("head");
  s.out.empty("meta", {{"charset", "utf-8"}});
  s.out.empty("meta", {{"http-equiv", "Content-Security-Policy"},
                       {"content",
                        "default-src 'none'; style-src 'unsafe-inline'; script-src "
                        "'unsafe-inline'; img-src data:"}});
  s.out.empty("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  s.out.empty("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
  s.out.empty("meta", {{"name", "generator"}, {"content", "helio " + report.version}});
  s.out.element("title", {}, report.title + " · heliostack");
  // An empty icon of its own: browsers ask for /favicon.ico otherwise.
  s.out.empty("link", {{"rel", "icon"}, {"href", "data:,"}});
  s.out.open("style").trusted(kStyle).close().close().open("body", {{"id", "top"}});
  language_switch(s);
  s.out.open("a", {{"class", "skip"}, {"href", "#numbers"}});
  s.say(say("page.skip"));
  s.out.close();
  bar(s);
  s.out.open("main");
  header_section(s);
  pipeline_section(s);
  data_section(s);
  loss_section(s);
  dus_section(s);
  align_section(s);
  eval_section(s);
  club_section(s);
  lineage_section(s);
  s.out.close().open("footer");
  s.paragraph(say("page.foot", {report.version}));
  s.out.close().open("script").trusted(kScript).close().close().close().trusted("\n");
  return s.out.str();
}

}  // namespace helio::report
