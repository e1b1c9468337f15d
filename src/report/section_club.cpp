// The partners' statement and the lineage of every artefact.
#include <algorithm>
#include <set>

#include "report/sections.h"

namespace helio::report {
namespace {

Cell share_cell(const Number& share) {
  if (!share) return Cell(kDash);
  Markup cell;
  cell.open("span", {{"class", "metered"}}).add(meter(*share, "fill")).text(percent(*share, 2)).close();
  return {cell};
}

void statement_table(Section& s, const Statement& statement) {
  const Text amount = say("club.amount", {statement.currency.empty() ? kDash : statement.currency});
  Table table(s, say("club.title"),
              {Cell(say("club.partner")), Cell(say("club.documents_in"), "n"), Cell(say("club.words_in"), "n"),
               Cell(say("club.surviving"), "n"), Cell(say("club.tokens"), "n"), Cell(say("club.trained"), "n"),
               Cell(say("club.credited"), "n"), Cell(say("club.share")), Cell(amount, "n")});
  const auto row = [&](const Cell& name, const PartnerRow& p, const Number& share, std::string_view css) {
    table.row({name, count_or_dash(p.documents_in), count_or_dash(p.words_in), count_or_dash(p.documents_surviving),
               count_or_dash(p.tokens), count_or_dash(p.trained), count_or_dash(p.credited), share_cell(share),
               Cell(count_or_dash(p.amount), "strong")},
              css);
  };
  for (const PartnerRow& partner : statement.partners) row(Cell(partner.partner), partner, partner.share, "");
  row(say("club.total"), statement.totals, statement.partners.empty() ? Number() : Number(1.0), "sum");
  table.end();
  const std::string pool = count_or_dash(statement.pool);
  if (statement.pool)
    s.paragraph(say(statement.adds_up ? "club.adds_up" : "club.does_not", {pool, statement.currency}),
                statement.adds_up ? "good" : "bad");
}

std::string css_word(const std::string& kind) {
  std::string out;
  for (const char c : kind) out += (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '-';
  return out;
}

// Lots are many and alike: the picture shows the folder that holds them, the table each one.
void graph(Section& s) {
  const auto& all = s.report.artefacts;
  std::map<std::string, size_t> node_of;  // content -> node
  Graph graph;
  std::vector<size_t> artefact_of;
  for (size_t i = 0; i < all.size(); ++i) {
    if (std::count(all[i].path.begin(), all[i].path.end(), '/') > 1 && all[i].kind == "lot") continue;
    if (!node_of.emplace(all[i].content, graph.nodes.size()).second) continue;
    const std::string place = all[i].path.substr(all[i].path.find('/') + 1);
    graph.nodes.push_back({.name = place, .kind = css_word(all[i].kind), .tip = all[i].kind + " " + place + " · " + all[i].content});
    artefact_of.push_back(i);
  }
  const size_t own = graph.nodes.size();
  std::set<std::pair<size_t, size_t>> edges;
  for (size_t node = 0; node < own; ++node)
    for (const ArtefactInput& input : all[artefact_of[node]].inputs) {
      auto source = node_of.find(input.content);
      if (source == node_of.end()) {
        if (input.content.empty() || input.kind == "lot") continue;
        graph.nodes.push_back({.name = input.name, .kind = css_word(input.kind), .tip = input.kind + " " + input.name + " · " + input.content});
        source = node_of.emplace(input.content, graph.nodes.size() - 1).first;
      }
      if (source->second != node) edges.emplace(source->second, node);
    }
  graph.edges.assign(edges.begin(), edges.end());
  if (graph.nodes.empty() || graph.nodes.size() > 120) return;  // beyond that the table reads better
  const std::string id = s.next_id();
  graph.labelled_by = id;
  s.figure(id, say("lineage.graph"), draw(graph), "dag-box");
}

void lineage_table(Section& s) {
  Table table(s, say("lineage.title"),
              {"lineage.artefact", "lineage.kind", "lineage.content", "lineage.made_by", "lineage.from", "#lineage.size"});
  for (const Artefact& artefact : s.report.artefacts) {
    Markup inputs;
    for (const ArtefactInput& input : artefact.inputs) {
      if (&input != &artefact.inputs.front()) inputs.text(" · ");
      inputs.element("span", {{"title", input.role + ": " + input.kind + " " + input.content}}, input.name);
    }
    if (artefact.inputs.empty()) inputs.text(kDash);
    table.row({Cell(artefact.path, "mono"), artefact.kind, Cell(short_hash(artefact.content), "mono hash", artefact.content),
               Cell("helio " + artefact.made_by, "mono"), Cell(inputs, "reasons"), bytes_text(static_cast<double>(artefact.bytes))});
  }
  table.end();
}

}  // namespace

void club_section(Section& s) {
  s.out.open("section", {{"aria-labelledby", "partners"}});
  s.heading("partners", "club.title", "club.lead");
  if (s.report.statements.empty()) s.paragraph(say("page.nothing"), "faint");
  for (const Statement& statement : s.report.statements) {
    if (s.report.statements.size() > 1) s.subheading(same(statement.stage));
    if (statement.partners.empty()) s.paragraph(say("page.nothing"), "faint");
    else statement_table(s, statement);
  }
  s.out.close();
}

void lineage_section(Section& s) {
  s.out.open("section", {{"aria-labelledby", "lineage"}});
  s.heading("lineage", "lineage.title", "lineage.lead");
  if (s.report.artefacts.empty()) {
    s.paragraph(say("page.nothing"), "faint");
  } else {
    graph(s);
    lineage_table(s);
  }
  s.out.close();
}

}  // namespace helio::report
