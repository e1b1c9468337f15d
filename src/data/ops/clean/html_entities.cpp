// Character references of HTML (&amp;, &#8217;) as the characters they stand for.
#include <charconv>
#include <unordered_map>

#include "data/op.h"
#include "text/utf8.h"

namespace helio::data {
namespace {

// name:code point, the set of HTML 4 and apos.
constexpr std::string_view kEntities =
    "AElig:198 Aacute:193 Acirc:194 Agrave:192 Alpha:913 Aring:197 Atilde:195 Auml:196 "
    "Beta:914 Ccedil:199 Chi:935 Dagger:8225 Delta:916 ETH:208 Eacute:201 Ecirc:202 "
    "Egrave:200 Epsilon:917 Eta:919 Euml:203 Gamma:915 Iacute:205 Icirc:206 Igrave:204 "
    "Iota:921 Iuml:207 Kappa:922 Lambda:923 Mu:924 Ntilde:209 Nu:925 OElig:338 Oacute:211 "
    "Ocirc:212 Ograve:210 Omega:937 Omicron:927 Oslash:216 Otilde:213 Ouml:214 Phi:934 "
    "Pi:928 Prime:8243 Psi:936 Rho:929 Scaron:352 Sigma:931 THORN:222 Tau:932 Theta:920 "
    "Uacute:218 Ucirc:219 Ugrave:217 Upsilon:933 Uuml:220 Xi:926 Yacute:221 Yuml:376 "
    "Zeta:918 aacute:225 acirc:226 acute:180 aelig:230 agrave:224 alefsym:8501 alpha:945 "
    "amp:38 and:8743 ang:8736 apos:39 aring:229 asymp:8776 atilde:227 auml:228 bdquo:8222 "
    "beta:946 brvbar:166 bull:8226 cap:8745 ccedil:231 cedil:184 cent:162 chi:967 circ:710 "
    "clubs:9827 cong:8773 copy:169 crarr:8629 cup:8746 curren:164 dArr:8659 dagger:8224 "
    "darr:8595 deg:176 delta:948 diams:9830 divide:247 eacute:233 ecirc:234 egrave:232 "
    "empty:8709 emsp:8195 ensp:8194 epsilon:949 equiv:8801 eta:951 eth:240 euml:235 "
    "euro:8364 exist:8707 fnof:402 forall:8704 frac12:189 frac14:188 frac34:190 frasl:8260 "
    "gamma:947 ge:8805 hArr:8660 harr:8596 hearts:9829 hellip:8230 iacute:237 icirc:238 "
    "iexcl:161 igrave:236 image:8465 infin:8734 int:8747 iota:953 iquest:191 isin:8712 "
    "iuml:239 kappa:954 lArr:8656 lambda:955 lang:9001 laquo:171 larr:8592 lceil:8968 "
    "ldquo:8220 le:8804 lfloor:8970 lowast:8727 loz:9674 lrm:8206 lsaquo:8249 lsquo:8216 "
    "macr:175 mdash:8212 micro:181 middot:183 minus:8722 mu:956 nabla:8711 nbsp:160 "
    "ndash:8211 ne:8800 ni:8715 not:172 notin:8713 nsub:8836 ntilde:241 nu:957 oacute:243 "
    "ocirc:244 oelig:339 ograve:242 oline:8254 omega:969 omicron:959 oplus:8853 or:8744 "
    "ordf:170 ordm:186 oslash:248 otilde:245 otimes:8855 ouml:246 para:182 part:8706 "
    "permil:8240 perp:8869 phi:966 pi:960 piv:982 plusmn:177 pound:163 prime:8242 prod:8719 "
    "prop:8733 psi:968 quot:34 rArr:8658 radic:8730 rang:9002 raquo:187 rarr:8594 "
    "rceil:8969 rdquo:8221 real:8476 reg:174 rfloor:8971 rho:961 rlm:8207 rsaquo:8250 "
    "rsquo:8217 sbquo:8218 scaron:353 sdot:8901 sect:167 shy:173 sigma:963 sigmaf:962 "
    "sim:8764 spades:9824 sub:8834 sube:8838 sum:8721 sup1:185 sup2:178 sup3:179 sup:8835 "
    "supe:8839 szlig:223 tau:964 there4:8756 theta:952 thetasym:977 thinsp:8201 thorn:254 "
    "tilde:732 times:215 trade:8482 uArr:8657 uacute:250 uarr:8593 ucirc:251 ugrave:249 "
    "uml:168 upsih:978 upsilon:965 uuml:252 weierp:8472 xi:958 yacute:253 yen:165 yuml:255 "
    "zeta:950 zwj:8205 zwnj:8204 ";

const std::unordered_map<std::string_view, char32_t>& entities() {
  static const auto all = [] {
    std::unordered_map<std::string_view, char32_t> table;
    for (size_t at = 0; at < kEntities.size();) {
      const size_t colon = kEntities.find(':', at), end = kEntities.find(' ', colon);
      uint32_t code = 0;
      std::from_chars(kEntities.data() + colon + 1, kEntities.data() + end, code);
      table.emplace(kEntities.substr(at, colon - at), char32_t(code));
      at = end + 1;
    }
    return table;
  }();
  return all;
}

// What HTML makes of references to the C1 controls: the characters of Windows-1252.
char32_t meant(uint32_t code) {
  static constexpr char32_t high[] = {
      0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
      0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
      0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
  return code >= 0x80 && code < 0xA0 ? high[code - 0x80] : char32_t(code);
}

class HtmlEntities final : public Map {
 public:
  struct Options {
    std::string markup = "decode";
    int64_t rounds = 1;
    void describe(Fields& f) {
      f("markup", markup,
        "&lt; and &gt;: decoded, or kept where text is about HTML and tags would come of them.",
        one_of({"decode", "keep"}));
      f("rounds", rounds, "How often: 2 reads &amp;quot; as \".", between(1, 4));
    }
  };

  static OpCard card() {
    return {.about =
                "Replaces the character references of HTML by the characters they stand for; only "
                "those that end with a semicolon."};
  }

  explicit HtmlEntities(const Options& options)
      : markup_(options.markup == "decode"), rounds_(options.rounds) {}

  Verdict apply(Document& document, Counters& counters) const override {
    for (int64_t round = 0; round < rounds_; ++round) {
      std::string out;
      size_t done = 0;
      int64_t count = 0;
      const std::string& text = document.text;
      for (size_t at = text.find('&'); at != text.npos; at = text.find('&', at + 1)) {
        const size_t length = std::string_view(text).substr(at, 11).find(';');
        if (length == text.npos || length < 2) continue;
        const size_t end = at + length;
        const char32_t c = decoded(std::string_view(text).substr(at + 1, end - at - 1));
        if (c == 0) continue;
        out.append(text, done, at - done);
        text::append_utf8(out, c);
        done = end + 1;
        at = end;
        ++count;
      }
      if (count == 0) break;
      counters["html_entities"] += count;
      document.text = out.append(text, done);
    }
    return keep();
  }

 private:
  // 0 for what is no reference.
  char32_t decoded(std::string_view name) const {
    if (name == "lt" || name == "gt") return markup_ ? (name == "lt" ? '<' : '>') : char32_t(0);
    if (name[0] != '#') {
      const auto found = entities().find(name);
      return found == entities().end() ? char32_t(0) : found->second;
    }
    name.remove_prefix(1);
    const bool hex = !name.empty() && (name[0] == 'x' || name[0] == 'X');
    if (hex) name.remove_prefix(1);
    uint32_t code = 0;
    const auto [end, error] =
        std::from_chars(name.data(), name.data() + name.size(), code, hex ? 16 : 10);
    if (error != std::errc() || end != name.data() + name.size()) return 0;
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return 0;
    if (code < 0x20 && code != '\t' && code != '\n') return 0;
    if (!markup_ && (code == '<' || code == '>')) return 0;
    return meant(code);
  }

  bool markup_;
  int64_t rounds_;
};

}  // namespace

HELIO_OP(HtmlEntities)

}  // namespace helio::data
