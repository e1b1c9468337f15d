// Puts a tag where personal data stood, and counts what it found.
#include <algorithm>

#include "core/error.h"
#include "data/op.h"
#include "data/pii.h"

namespace helio::data {
namespace {

std::string_view tag_of(Pii kind) {
  switch (kind) {
    case Pii::email:
      return "[EMAIL]";
    case Pii::rrn:
      return "[RRN]";
    case Pii::card:
      return "[CARD]";
    case Pii::phone:
      return "[PHONE]";
    case Pii::ipv4:
      return "[IP]";
  }
  return "[PII]";
}

class Mask final : public Map {
 public:
  struct Options {
    std::vector<std::string> kinds = {"email", "rrn", "card", "phone", "ipv4"};
    void describe(Fields& f) {
      f("kinds", kinds, "What is masked: email, rrn, card, phone, ipv4.");
    }
  };

  static OpCard card() {
    return {.about =
                "Masks e-mail addresses, Korean resident numbers (date and checksum), card "
                "numbers (Luhn), Korean phone numbers and public IPv4 addresses with tags."};
  }

  explicit Mask(const Options& options) {
    for (const std::string& name : options.kinds) {
      const auto all = {Pii::email, Pii::rrn, Pii::card, Pii::phone, Pii::ipv4};
      const auto* kind =
          std::find_if(all.begin(), all.end(), [&](Pii k) { return name_of(k) == name; });
      if (kind == all.end())
        throw Error(ErrorKind::invalid, "pii.mask knows no kind '" + name + "'")
            .with_hint("kinds: email, rrn, card, phone, ipv4");
      kinds_.push_back(*kind);
    }
  }

  Verdict apply(Document& document, Counters& counters) const override {
    const auto spans = find_pii(document.text);
    if (spans.empty()) return keep();
    std::string out;
    size_t at = 0;
    for (const PiiSpan& span : spans) {
      if (std::find(kinds_.begin(), kinds_.end(), span.kind) == kinds_.end()) continue;
      out.append(document.text, at, span.begin - at).append(tag_of(span.kind));
      at = span.end;
      ++counters["pii." + std::string(name_of(span.kind))];
    }
    document.text = out.append(document.text, at);
    return keep();
  }

 private:
  std::vector<Pii> kinds_ = {};
};

}  // namespace

HELIO_OP(Mask)

}  // namespace helio::data
