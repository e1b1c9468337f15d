// The partners' statement and the lineage of every artefact.
#include <algorithm>
#include <set>

#include "report/sections.h"

namespace helio::report {
namespace {

Cell share_cell(const Number& share) {
  if (!share) return Cell(kDash);
  Markup cell;
  cell.open("span", {{"class", "metered"}})
      .add(meter(*share, "fill"))
      .text(percent(*share, 2))
      .close();
  return {cell};
}

void statement_table(Section& s, const Statement& statement) {
  const Text amount = say("club.amount", {statement.currency.empty() ? kDash : statement.currency});
  Table table(s, say("club.title"),
              {Cell(say("club.partner")), Cell(say("club.documents_in"), "n"),
               Cell(say("club.words_in"), "n"), Cell(say("club.surviving"), "n"),
               Cell(say("club.tokens"), "n"), Cell(say("club.trained"), "n"),
               Cell(say("club.credited"), "n"), Cell(say("club.share")), Cell(amount, "n")},
              "hidecap");
  const auto row = [&](const Cell& name, const PartnerRow& p, const Number& share,
                       std::string_view css) {
    table.row(
        {name, count_or_dash(p.documents_in), count_or_dash(p.words_in),
         count_or_dash(p.documents_surviving), count_or_dash(p.tokens), count_or_dash(p.trained),
         count_or_dash(p.credited), share_cell(share), Cell(count_or_dash(p.amount), "strong")},
        css);
  };
  for (const PartnerRow& partner : statement.partners)
    row(Cell(partner.partner), partner, partner.share, "");
  row(say("club.total"), statement.totals, statement.partners.empty() ? Number() : Number(1.0),
      "sum");
  table.end();
  const std::string pool = count_or_dash(statement.pool);
  if (statement.pool)
    s.paragraph(
        say(statement.adds_up ? "club.adds_up" : "club.does_not", {pool, statement.currency}),
        statement.adds_up ? "good" : "bad");
}

std::string css_word(const std::string& kind) {
  std::string out;
  for (const char c : kind) out += (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '-';
  return out;
}

std::string place_of(const Artefact& artefact) {
  return artefact.path.substr(artefact.path.find('/') + 1);
}

// Left to right as text becomes a model. What comes from outside stands beside what reads it.
int column_of(const std::string& kind) {
  static const std::map<std::string, int> kColumns = {
      {"lots", 1},  {"lot", 1},    {"dataset", 2},    {"tokenizer", 3}, {"tokens", 3},
      {"model", 4}, {"models", 4}, {"evaluation", 5}, {"statement", 5}};
  const auto found = kColumns.find(kind);
  return found == kColumns.end() ? 5 : found->second;
}

class LineageGraph {
 public:
  explicit LineageGraph(const std::vector<Artefact>& artefacts) : all_(artefacts) {
    for (size_t i = 0; i < all_.size(); ++i) add(all_[i]);
    for (const Artefact& artefact : all_) stand_for(artefact);
    for (const Artefact& artefact : all_) connect(artefact);
    graph.edges.assign(edges_.begin(), edges_.end());
  }
  Graph graph = {};

 private:
  // Lots are many and alike: the picture shows the folder that holds them, the table each one.
  // A folder of models is shown by the models in it.
  bool shown(const Artefact& artefact) const {
    if (artefact.kind == "lot" && std::count(artefact.path.begin(), artefact.path.end(), '/') > 1)
      return false;
    return artefact.kind != "models" || !last_part(artefact);
  }

  const Artefact* last_part(const Artefact& artefact) const {
    const Artefact* last = nullptr;
    for (const Artefact& other : all_)
      if (other.path.starts_with(artefact.path + "/")) last = &other;
    return last;
  }

  void add(const Artefact& artefact) {
    if (!shown(artefact) || !node_of_.emplace(artefact.content, graph.nodes.size()).second) return;
    graph.nodes.push_back(
        {.name = place_of(artefact),
         .kind = css_word(artefact.kind),
         .tip = artefact.kind + " " + place_of(artefact) + " · " + artefact.content,
         .column = column_of(artefact.kind)});
  }

  void stand_for(const Artefact& artefact) {
    if (artefact.kind != "models") return;
    if (const Artefact* last = last_part(artefact))
      node_of_.emplace(artefact.content, node_of_.at(last->content));
  }

  void connect(const Artefact& artefact) {
    if (!shown(artefact)) return;
    const size_t node = node_of_.at(artefact.content);
    for (const ArtefactInput& input : artefact.inputs) {
      auto source = node_of_.find(input.content);
      if (source == node_of_.end()) {
        if (input.content.empty() || input.kind == "lot") continue;
        graph.nodes.push_back({.name = input.name,
                               .kind = css_word(input.kind),
                               .tip = input.kind + " " + input.name + " · " + input.content,
                               .column = graph.nodes[node].column - 1});
        source = node_of_.emplace(input.content, graph.nodes.size() - 1).first;
        outside_.insert(source->second);
      } else if (outside_.contains(source->second)) {  // beside the leftmost that reads it
        int& column = graph.nodes[source->second].column;
        column = std::min(column, graph.nodes[node].column - 1);
      }
      if (source->second != node) edges_.emplace(source->second, node);
    }
  }

  const std::vector<Artefact>& all_;
  std::map<std::string, size_t> node_of_ = {};  // content -> node
  std::set<size_t> outside_ = {};
  std::set<std::pair<size_t, size_t>> edges_ = {};
};

void graph(Section& s) {
  LineageGraph lineage(s.report.artefacts);
  Graph& graph = lineage.graph;
  if (graph.nodes.empty() || graph.nodes.size() > 120)
    return;  // beyond that the table reads better
  const std::string id = s.next_id();
  graph.labelled_by = id;
  s.figure(id, say("lineage.graph"), draw(graph), "dag-box");
}

void lineage_table(Section& s) {
  Table table(s, say("lineage.title"),
              {"lineage.artefact", "lineage.kind", "lineage.content", "lineage.made_by",
               "lineage.from", "#lineage.size"},
              "hidecap");
  std::map<std::string, std::string> place;  // by content
  for (const Artefact& artefact : s.report.artefacts)
    place.emplace(artefact.content, place_of(artefact));
  for (const Artefact& artefact : s.report.artefacts) {
    Markup inputs;
    std::set<std::string> named;  // a model that is also the reference is named once
    for (const ArtefactInput& input : artefact.inputs) {
      if (!named.insert(input.content).second) continue;
      if (named.size() > 1) inputs.text(" · ");
      inputs.element("span", {{"title", input.role + ": " + input.kind + " " + input.content}},
                     place.contains(input.content) ? place.at(input.content) : input.name);
    }
    if (artefact.inputs.empty()) inputs.text(kDash);
    table.row({Cell(artefact.path, "mono"), artefact.kind,
               Cell(short_hash(artefact.content), "mono hash", artefact.content),
               Cell("helio " + artefact.made_by, "mono"), Cell(inputs, "reasons"),
               bytes_text(static_cast<double>(artefact.bytes))});
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
