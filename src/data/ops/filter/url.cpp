// Documents by where they come from, as datatrove judges it.
#include <algorithm>
#include <set>
#include <unordered_set>

#include "core/fs.h"
#include "data/op.h"
#include "data/text_lines.h"
#include "data/url_host.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// ASCII letters and digits alone, in lower case.
std::string squeezed(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (is_alnum(c)) out += c >= 'A' && c <= 'Z' ? char(c + 0x20) : c;
  return out;
}

class Url final : public Filter {
 public:
  struct Options {
    std::vector<std::string> domains = {}, urls = {};
    std::vector<std::string> banned_words = {}, banned_subwords = {}, soft_banned_words = {};
    int64_t soft_word_threshold = 2;
    std::string public_suffixes = "";

    void describe(Fields& f) {
      f.input("domains", domains, "Files of domains and hosts to drop, one a line.");
      f.input("urls", urls, "Files of whole URLs to drop, one a line.");
      f.input("banned_words", banned_words, "Files of words that no URL may hold.");
      f.input("banned_subwords", banned_subwords,
              "Files of letters in a row that no URL may hold, whatever stands between them.");
      f.input("soft_banned_words", soft_banned_words,
              "Files of words of which a URL may hold fewer than soft_word_threshold.");
      f("soft_word_threshold", soft_word_threshold, "So many different soft words drop it.",
        at_least(1));
      f.input("public_suffixes", public_suffixes,
              "The Public Suffix List (public_suffix_list.dat), by which the registered domain of "
              "a host is found; without it a small table of second-level domains decides.");
    }
  };

  static OpCard card() {
    return {.about =
                "Drops documents by domain, host, URL and the words of the URL; one without a URL "
                "stays.",
            .source = "datatrove 0.10.1 URLFilter (RefinedWeb's lists go in as files)"};
  }

  explicit Url(const Options& o)
      : suffixes_(o.public_suffixes.empty() ? PublicSuffixes()
                                            : PublicSuffixes(read_file(o.public_suffixes))) {
    const auto read = [](const std::vector<std::string>& files, auto&& put) {
      for (const std::string& file : files) {
        const std::string text = read_file(file);
        for_each_line(text, [&](std::string_view line) {
          if (!line.empty() && line[0] != '#') put(line);
        });
      }
    };
    read(o.domains, [&](std::string_view line) { domains_.emplace(text::trim(line)); });
    read(o.urls, [&](std::string_view line) { urls_.emplace(text::trim(line)); });
    read(o.banned_words, [&](std::string_view line) { banned_.insert(squeezed(line)); });
    read(o.soft_banned_words, [&](std::string_view line) { soft_.insert(squeezed(line)); });
    read(o.banned_subwords, [&](std::string_view line) { subwords_.insert(squeezed(line)); });
    subwords_.erase("");
    banned_.erase("");
    soft_.erase("");
    using Drops = Check::Drops;
    checks_ = {{"domain", Drops::above, 0},
               {"subdomain", Drops::above, 0},
               {"url", Drops::above, 0},
               {"hard_blacklisted", Drops::above, 0},
               {"soft_blacklisted", Drops::at_or_above, double(o.soft_word_threshold)},
               {"blacklisted_subword", Drops::above, 0}};
  }

  void measure(const Document& document, Figures& figures) const override {
    const std::string& url = document.url;
    if (url.empty()) return;
    const std::string host = host_of(url);
    const std::string_view domain = suffixes_.registered_domain(host);
    const auto listed = [](const auto& list, std::string_view item) {
      return double(!item.empty() && list.contains(std::string(item)));
    };
    if (!figures.next(listed(domains_, domain))) return;
    if (!figures.next(domain.empty() ? 0 : listed(domains_, host))) return;
    if (!figures.next(listed(urls_, url))) return;
    std::set<std::string_view> words;
    for (size_t at = 0; at < url.size();) {
      size_t end = at;
      while (end < url.size() && is_alnum(url[end])) ++end;
      if (end > at) words.insert(std::string_view(url).substr(at, end - at));
      at = end + 1;
    }
    const auto count = [&](const std::unordered_set<std::string>& list) {
      return double(std::count_if(words.begin(), words.end(), [&](std::string_view word) {
        return list.contains(std::string(word));
      }));
    };
    if (!figures.next(count(banned_))) return;
    if (!figures.next(count(soft_))) return;
    const std::string letters = squeezed(url);
    figures.next(
        double(std::count_if(subwords_.begin(), subwords_.end(), [&](const std::string& piece) {
          return letters.find(piece) != letters.npos;
        })));
  }

 private:
  PublicSuffixes suffixes_;
  std::unordered_set<std::string> domains_ = {}, urls_ = {}, banned_ = {}, soft_ = {};
  std::set<std::string> subwords_ = {};
};

}  // namespace

HELIO_OP(Url)

}  // namespace helio::data
