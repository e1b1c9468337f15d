// Reads again what was read in the wrong encoding.
#include "data/clean/mojibake.h"

#include "core/error.h"
#include "data/op.h"

namespace helio::data {
namespace {

class Mojibake final : public Map {
 public:
  struct Options {
    std::vector<std::string> repair = {"utf-8", "cp949"};
    void describe(Fields& f) {
      f("repair", repair,
        "What the text really was: utf-8 and cp949, each read as Windows-1252 or Latin-1.");
    }
  };

  static OpCard card() {
    return {.about =
                "Repairs text that was read in the wrong encoding (í•œêµ­, donâ€™t, ÇÑ±¹¾î), where "
                "the result is clearly better.",
            .source = "the idea of ftfy's fix_encoding (Speer), narrower, and with CP949"};
  }

  explicit Mojibake(const Options& options) {
    for (const std::string& name : options.repair) {
      if (name == "utf-8") utf8_ = true;
      else if (name == "cp949") cp949_ = true;
      else
        throw Error(ErrorKind::invalid, "clean.mojibake cannot repair '" + name + "'")
            .with_hint("it knows utf-8 and cp949");
    }
  }

  Verdict apply(Document& document, Counters& counters) const override {
    const auto use = [&](Repaired repaired, const char* name) {
      if (repaired.runs == 0) return;
      counters[name] += repaired.runs;
      document.text = std::move(repaired.text);
    };
    if (utf8_) use(repair_utf8_mojibake(document.text), "mojibake.utf-8");
    if (cp949_) use(repair_cp949_mojibake(document.text), "mojibake.cp949");
    return keep();
  }

 private:
  bool utf8_ = false, cp949_ = false;
};

}  // namespace

HELIO_OP(Mojibake)

}  // namespace helio::data
