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

void bar(Section& s, const std::vector<PageLink>& links) {
  s.out.open("nav", {{"class", "topnav"}, {"aria-label", say("page.sections").en}})
      .open("div", {{"class", "in"}});
  s.out.open("a", {{"class", "brand"}, {"href", "#top"}});
  Svg mark({.width = 20, .height = 20, .css = "brandmark"});
  mark.circle({10, 5.4}, 3.4, "sun");
  for (const double y : {10.6, 13.8, 17.0}) mark.rect({3, y, 14, 2}, "plate", 1);
  s.out.add(mark.finish()).text("heliostack").close();
  s.out.open("div", {{"class", "links"}});
  for (const PageLink& link : links) {
    s.out.open("a", {{"href", link.target}});
    s.say(say(link.key));
    s.out.close();
  }
  s.out.close().open(
      "div", {{"class", "langs"}, {"role", "group"}, {"aria-label", say("page.language").en}});
  s.out.element("label", {{"for", "lang-en"}, {"lang", "en"}}, "English");
  s.out.element("label", {{"for", "lang-ko"}, {"lang", "ko"}}, "한국어");
  s.out.close().close().close();
}

}  // namespace

void open_page(Section& s, const std::string& title, const std::string& version,
               const std::vector<PageLink>& links) {
  s.out.trusted("<!doctype html>\n").open("html", {{"lang", "en"}}).open("head");
  s.out.empty("meta", {{"charset", "utf-8"}});
  s.out.empty("meta", {{"http-equiv", "Content-Security-Policy"},
                       {"content",
                        "default-src 'none'; style-src 'unsafe-inline'; script-src "
                        "'unsafe-inline'; img-src data:"}});
  s.out.empty("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  s.out.empty("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
  s.out.empty("meta", {{"name", "generator"}, {"content", "helio " + version}});
  s.out.element("title", {}, title + " · heliostack");
  // An empty icon of its own: browsers ask for /favicon.ico otherwise.
  s.out.empty("link", {{"rel", "icon"}, {"href", "data:,"}});
  s.out.open("style").trusted(kStyle).close().close().open("body", {{"id", "top"}});
  language_switch(s);
  s.out.open("a", {{"class", "skip"}, {"href", "#numbers"}});
  s.say(say("page.skip"));
  s.out.close();
  bar(s, links);
  s.out.open("main");
}

void close_page(Section& s, const Text& foot) {
  s.out.close().open("footer");
  s.paragraph(foot);
  s.out.close().open("script").trusted(kScript).close().close().close().trusted("\n");
}

std::string render_page(const Report& report) {
  const Palette palette(report);
  Section s(report, palette);
  std::vector<PageLink> links = {
      {"#pipeline", "pipeline.title"}, {"#data", "data.title"}, {"#training", "loss.title"}};
  if (!report.upscalings.empty()) links.push_back({"#upscaling", "dus.title"});
  if (!report.alignments.empty()) links.push_back({"#alignment", "align.title"});
  links.push_back({"#evaluation", "eval.title"});
  links.push_back({"#partners", "club.title"});
  links.push_back({"#lineage", "lineage.title"});
  open_page(s, report.title, report.version, links);
  header_section(s);
  pipeline_section(s);
  data_section(s);
  loss_section(s);
  dus_section(s);
  align_section(s);
  eval_section(s);
  club_section(s);
  lineage_section(s);
  close_page(s, say("page.foot", {report.version}));
  return s.out.str();
}

}  // namespace helio::report
