// Puts a tag, stars or a stand-in where personal data stood, and counts what it found.
#include <algorithm>

#include "core/error.h"
#include "data/op.h"
#include "data/pii/pii.h"
#include "data/pii/surrogate.h"

namespace helio::data {
namespace {

class Mask final : public Map {
 public:
  struct Options {
    std::vector<std::string> kinds = {"email",    "phone",  "rrn",     "frn",     "ssn",
                                      "passport", "driver", "card",    "account", "business",
                                      "ipv4",     "ipv6",   "address", "secret"};
    std::string mode = "tag";
    std::string addresses = "routed";
    std::string tag = "";
    std::string before = "", after = "";
    std::string key = "heliostack";
    int64_t keep_last = 0;

    void describe(Fields& f) {
      f("kinds", kinds,
        "What is looked for: email, phone, hotline, rrn, frn, ssn, passport, driver, card, "
        "account, "
        "business, corporate, ipv4, ipv6, address, secret.");
      f("mode", mode,
        "tag: [PHONE]; mask: stars for letters and digits; surrogate: another value of the same "
        "form, which can be nobody's; keep: only 'before' and 'after' are written.",
        one_of({"tag", "mask", "surrogate", "keep"}));
      f("addresses", addresses, "IP addresses: those routed on the internet, or private ones too.",
        one_of({"routed", "all"}));
      f("tag", tag, "Written instead of each kind's own tag when not empty.");
      f("before", before, "Written before each replacement.");
      f("after", after, "Written after each replacement.");
      f("key", key, "Of surrogates: the same key gives the same value the same stand-in.");
      f("keep_last", keep_last, "Under mask, how many letters and digits at the end stay.",
        between(0, 8));
    }
  };

  static OpCard card() {
    return {
        .about =
            "Replaces personal data: e-mail, telephones, resident, foreigner, passport, licence, "
            "business and corporate numbers, cards, bank accounts, IP and postal addresses, keys "
            "in URLs; dates and check digits are checked.",
        .source =
            "Dataverse pii___card___replace_card_number and pii___nin___replace_korean_rrn, "
            "with Luhn, dates and check digits, and seeded"};
  }

  explicit Mask(Options options) : options_(std::move(options)) {
    search_.wanted.fill(false);
    search_.addresses = options_.addresses == "all" ? Addresses::all : Addresses::routed;
    std::vector<std::string> known;
    for (const Pii kind : kAllPii) known.emplace_back(name_of(kind));
    for (const std::string& name : options_.kinds) {
      const auto found = std::find(known.begin(), known.end(), name);
      if (found == known.end()) {
        const std::string near = nearest(name, known);
        std::string all;
        for (const std::string& each : known) all += (all.empty() ? "" : ", ") + each;
        throw Error(ErrorKind::invalid, "pii.mask knows no kind '" + name + "'")
            .with_hint((near.empty() ? "" : "did you mean '" + near + "'? ") + "kinds: " + all);
      }
      search_.wanted[size_t(found - known.begin())] = true;
    }
  }

  Verdict apply(Document& document, Counters& counters) const override {
    const auto spans = find_pii(document.text, search_);
    if (spans.empty()) return keep();
    std::string out;
    out.reserve(document.text.size());
    size_t at = 0;
    for (const PiiSpan& span : spans) {
      out.append(document.text, at, span.begin - at).append(options_.before);
      const auto value = std::string_view(document.text).substr(span.begin, span.end - span.begin);
      if (options_.mode == "surrogate") out += surrogate(span.kind, value, options_.key);
      else if (options_.mode == "keep") out += value;
      else if (options_.mode == "mask") out += starred(value, size_t(options_.keep_last));
      else out += options_.tag.empty() ? tag_of(span.kind) : std::string_view(options_.tag);
      out += options_.after;
      at = span.end;
      ++counters["pii." + std::string(name_of(span.kind))];
    }
    document.text = out.append(document.text, at);
    return keep();
  }

 private:
  Options options_;
  PiiSearch search_ = {};
};

}  // namespace

HELIO_OP(Mask)

}  // namespace helio::data
