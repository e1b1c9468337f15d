#include "data/insight/order_rules.h"

#include <algorithm>
#include <functional>

namespace helio::data {
namespace {

// `step` should not stand before a step that `later` names.
struct Rule {
  std::function<bool(const std::string&)> step, later;
  const char* why;  // "{step} before {later}: why"
  const char* hint;
};

std::function<bool(const std::string&)> is(const char* name) {
  return [name](const std::string& op) { return op == name; };
}
// "filter." and all that lies under it, but nothing that goes by addresses alone.
std::function<bool(const std::string&)> under(std::vector<std::string> prefixes) {
  return [prefixes = std::move(prefixes)](const std::string& op) {
    return op.find("url") == op.npos &&
           std::any_of(prefixes.begin(), prefixes.end(),
                       [&](const std::string& prefix) { return op.starts_with(prefix); });
  };
}

const std::vector<Rule>& rules() {
  static const std::vector<Rule> all = {
      {under({"filter.", "language.", "dedup.", "pii.", "clean.boilerplate"}), is("extract.html"),
       "it sees the pages' tags, not their text", "put extract.html first"},
      {under({"dedup.exact", "dedup.minhash", "dedup.lines", "dedup.paragraphs"}),
       is("clean.unicode"), "copies that differ in spaces or normal form are not found",
       "clean before looking for duplicates"},
      {under({"filter."}), is("clean.unicode"),
       "it measures control characters and odd spaces that are gone later",
       "clean before filtering"},
      {is("dedup.minhash"), is("dedup.exact"),
       "exact copies are near copies too: nothing is left for it",
       "dedup.exact first, which is cheaper, or only dedup.minhash"},
      {is("split.heldout"), under({"dedup."}),
       "copies on both sides of the split are known only afterwards: held-out text may be trained "
       "on",
       "deduplicate before splitting"},
      {is("split.heldout"), under({"pii."}),
       "texts that are the same once masked, and clusters of duplicates, may stand on both sides",
       "mask before splitting"},
      {is("mix.limit"), under({"filter.", "dedup.", "language."}),
       "words it counted are dropped afterwards: less than the limit is left",
       "limit what is left at the end"},
  };
  return all;
}

}  // namespace

std::vector<OrderFinding> find_order_mistakes(const std::vector<OrderedStep>& steps) {
  std::vector<OrderFinding> findings;
  for (size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i].step;
    for (const Rule& rule : rules()) {
      if (!rule.step(step.op->name)) continue;
      for (size_t k = i + 1; k < steps.size(); ++k)
        if (rule.later(steps[k].step.op->name)) {
          findings.push_back({steps[i].mark, step.name,
                              step.name + " before " + steps[k].step.name + ": " + rule.why,
                              rule.hint});
          break;
        }
    }
    for (size_t k = i + 1; k < steps.size(); ++k) {
      const Step& later = steps[k].step;
      if (!step.languages.empty() && later.op->name == "language.identify") {
        findings.push_back({steps[i].mark, step.name,
                            step.name + " before language.identify: it goes by the language the "
                                        "lot names, not by the one that is found",
                            "identify languages first"});
        break;
      }
    }
    for (size_t k = 0; k < i; ++k)
      if (steps[k].step.op == step.op && steps[k].step.options == step.options &&
          steps[k].step.languages == step.languages) {
        findings.push_back({steps[i].mark, step.name,
                            step.name + " stands twice with the same options", "remove one"});
        break;
      }
  }
  return findings;
}

}  // namespace helio::data
