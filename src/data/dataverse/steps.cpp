// Blocks that change, drop or count documents, each as one of our operators.
#include <fmt/format.h>

#include "data/dataverse/blocks.h"

namespace helio::data::dataverse {
namespace {

using Build = std::function<void(const Arguments&, Building&)>;

// A block whose operator needs nothing but the column.
Build plain(std::string op, std::vector<std::pair<std::string, std::string>> options = {}) {
  return [op = std::move(op), options = std::move(options)](const Arguments& arguments,
                                                            Building& building) {
    building.use_column(arguments);
    Node& step = building.step(arguments.block(), op);
    for (const auto& [key, value] : options) set_text(step, arguments.block(), key, value);
  };
}

void merge_columns(const Arguments& arguments, Building& building) {
  const std::string first = arguments.text("col1", ""), second = arguments.text("col2", "");
  if (first.empty() || second.empty())
    refuse(arguments.block(), "'col1' and 'col2' are needed",
           "they name the columns to put together");
  if (!building.merged.empty() || !building.column.empty())
    refuse(arguments.block(), "columns are put together once, before other blocks use one",
           "move the block up, behind data_ingestion");
  building.merged = {first, second};
  building.column = arguments.text("merge_col_name", "merge_col");
  building.column_mark = arguments.block();
}

void html_text(const Arguments& arguments, Building& building) {
  building.use_column(arguments);
  set_text(building.step(arguments.block(), "extract.html"), arguments.block(), "documents", "all");
  building.ignored(arguments, {"use_trafilatura"}, "helio has one extractor");
}

void korean_ratio(const Arguments& arguments, Building& building) {
  building.use_column(arguments);
  const std::string unit = arguments.text("filter_type", "word");
  if (unit != "word" && unit != "char")
    refuse(arguments.mark("filter_type"), "'" + unit + "' is not a filter_type", "char or word");
  const double ratio = arguments.number("korean_ratio", 0.5);
  if (!(ratio >= 0 && ratio <= 1))
    refuse(arguments.mark("korean_ratio"), "korean_ratio must be between 0 and 1", "");
  Node& step = building.step(arguments.block(), "filter.hangul_ratio");
  set_text(step, arguments.mark("filter_type"), "unit", unit);
  set_number(step, arguments.mark("korean_ratio"), "min_ratio", ratio);
}

void emoticons(const Arguments& arguments, Building& building) {
  building.use_column(arguments);
  const int64_t repeats = arguments.integer("num_repeats", 2);
  set_number(building.step(arguments.block(), "clean.emoticons"), arguments.mark("num_repeats"),
             "num_repeats", double(std::max<int64_t>(repeats, 0)));
}

Build length(std::string unit) {
  return [unit = std::move(unit)](const Arguments& arguments, Building& building) {
    building.use_column(arguments);
    if (!arguments.find("min_len") && !arguments.find("max_len"))
      refuse(arguments.block(), "one of 'min_len' and 'max_len' is needed", "");
    Node& step = building.step(arguments.block(), "filter.length");
    const int64_t least = arguments.integer("min_len", 0), most = arguments.integer("max_len", 0);
    if (arguments.find("max_len") && most < 1)
      refuse(arguments.mark("max_len"), "max_len must be at least 1", "");
    if (unit == "chars") set_number(step, arguments.block(), "min_words", 0);
    set_number(step, arguments.mark("min_len"), "min_" + unit, double(least));
    set_number(step, arguments.mark("max_len"), "max_" + unit, double(most));
  };
}

void numbers(const Arguments& arguments, Building& building) {
  building.use_column(arguments);
  const int64_t digit = arguments.integer("assign_number", 0);
  if (digit < 0 || digit > 9)
    refuse(arguments.mark("assign_number"), "assign_number must be one digit", "");
  set_number(building.step(arguments.block(), "clean.numbers"), arguments.mark("assign_number"),
             "assign", double(digit));
}

// Chunks are made where the files are written: everything before sees whole documents.
void split_by_word(const Arguments& arguments, Building& building) {
  building.use_column(arguments);
  const int64_t words = arguments.integer("word_per_chunk", 100);
  if (words < 1) refuse(arguments.mark("word_per_chunk"), "word_per_chunk must be at least 1", "");
  if (arguments.text("delimiter", " ") != " ")
    building.note(arguments.mark("delimiter"), "delimiter: words are what white space divides");
  building.chunk_words = words;
}

void exact_column(const Arguments& arguments, Building& building) {
  const auto columns = arguments.texts("subset");
  if (columns.size() == 1 && columns[0] == "url") {
    set_text(building.step(arguments.block(), "dedup.exact"), arguments.mark("subset"), "by",
             "url");
    return;
  }
  if (columns.size() > 1)
    refuse(arguments.mark("subset"), "documents are compared by one column",
           "subset: [text], or [url]");
  building.use_column(arguments);
  building.step(arguments.block(), "dedup.exact");
}

void exact_line(const Arguments& arguments, Building& building) {
  building.use_column(arguments);
  set_number(building.step(arguments.block(), "dedup.lines"), arguments.block(), "min_chars", 1);
}

void lsh_jaccard(const Arguments& arguments, Building& building) {
  building.use_column(arguments);
  const double threshold = arguments.number("threshold", 0.7);
  const int64_t permutations = arguments.integer("num_perm", 250);
  if (!(threshold > 0 && threshold <= 1) || permutations < 1 || permutations > 1024)
    refuse(arguments.block(), "threshold must be in (0, 1] and num_perm between 1 and 1024", "");
  MinHashBands bands = best_bands(threshold, int(permutations));
  const bool both = arguments.find("band_n") && arguments.find("row_per_band");
  if (both)
    bands = {int(arguments.integer("band_n", 1)), int(arguments.integer("row_per_band", 1))};
  const int64_t n_grams = arguments.integer("ngram_size", 5);
  Node& step = building.step(arguments.block(), "dedup.minhash");
  set_text(step, arguments.block(), "preset", "dataverse");
  set_number(step, arguments.mark("ngram_size"), "n_grams", double(n_grams));
  set_number(step, arguments.mark("band_n"), "buckets", bands.bands);
  set_number(step, arguments.mark("row_per_band"), "hashes_per_bucket", bands.rows);
  set_number(step, arguments.mark("seed"), "seed", double(arguments.integer("seed", 42)));
  if (arguments.integer("min_length", n_grams) > n_grams)
    building.note(
        arguments.mark("min_length"),
        fmt::format("min_length: documents with fewer than {} words (ngram_size) are never "
                    "dropped; there is no other limit",
                    n_grams));
  building.ignored(arguments, {"id_col"}, "documents have ids of their own");
  building.ignored(arguments, {"duplicates_save_path"},
                   "duplicates.jsonl in the dataset's folder lists all clusters");
}

void polyglot(const Arguments& arguments, Building& building) {
  if (arguments.boolean("char_level", false))
    refuse(arguments.mark("char_level"), "shingles of characters are not this block's",
           "use dedup.minhash with unit: syllable in a recipe of helio's own");
  const int64_t permutations = arguments.integer("expand_size", 64);
  const double threshold = arguments.number("sim_threshold", 0.8);
  if (permutations < 1 || permutations > 1024 || !(threshold > 0 && threshold <= 1))
    refuse(arguments.block(), "expand_size must be between 1 and 1024, sim_threshold in (0, 1]",
           "");
  const MinHashBands bands = best_bands(threshold, int(permutations));
  Node& step = building.step(arguments.block(), "dedup.minhash");
  set_number(step, arguments.mark("n_gram"), "n_grams", double(arguments.integer("n_gram", 15)));
  set_number(step, arguments.block(), "buckets", bands.bands);
  set_number(step, arguments.block(), "hashes_per_bucket", bands.rows);
  set_number(step, arguments.mark("seed"), "seed", double(arguments.integer("seed", 1)));
  set_number(step, arguments.mark("sim_threshold"), "min_similarity", threshold);
}

Build personal(std::string kinds, std::string pattern, std::string token) {
  return [=](const Arguments& arguments, Building& building) {
    building.use_column(arguments);
    std::string given = arguments.text("pattern", pattern);
    if (given.starts_with("(") && given.ends_with(")")) given = given.substr(1, given.size() - 2);
    if (given != pattern)
      refuse(arguments.mark("pattern"), "helio checks numbers by code and takes no pattern",
             "leave 'pattern' out");
    const bool replace = arguments.boolean("replace_pii", false);
    const bool random = arguments.boolean("random_pii", true);
    Node& step = building.step(arguments.block(), "pii.mask");
    Node list = Node::list(arguments.block());
    for (size_t at = 0; at < kinds.size();) {
      const size_t end = std::min(kinds.find(' ', at), kinds.size());
      list.push_back(Node::scalar(kinds.substr(at, end - at), arguments.block()));
      at = end + 1;
    }
    step.set("kinds", arguments.block(), std::move(list));
    set_text(step, arguments.block(), "mode", replace ? "tag" : random ? "surrogate" : "keep");
    if (replace)
      set_text(step, arguments.mark("replace_token"), "tag",
               arguments.text("replace_token", token));
    for (const auto& [theirs, ours] : {std::pair{"start_token", "before"}, {"end_token", "after"}})
      if (arguments.find(theirs))
        set_text(step, arguments.mark(theirs), ours, arguments.text(theirs, ""));
  };
}

void fasttext(const Arguments& arguments, Building& building) {
  building.use_column(arguments);
  const auto keep = arguments.texts("whitelist"), drop = arguments.texts("blacklist");
  if (!keep.empty() && !drop.empty())
    refuse(arguments.mark("blacklist"), "whitelist and blacklist exclude each other", "keep one");
  Node& step = building.step(arguments.block(), "language.fasttext");
  const auto list = [&](const char* theirs, const char* ours,
                        const std::vector<std::string>& names) {
    if (names.empty()) return;
    Node all = Node::list(arguments.mark(theirs));
    for (const std::string& language : names)
      all.push_back(Node::scalar(language, arguments.mark(theirs)));
    step.set(ours, arguments.mark(theirs), std::move(all));
  };
  list("whitelist", "languages", keep);
  list("blacklist", "exclude", drop);
  const auto number = [&](const char* name, double otherwise) {
    set_number(step, arguments.mark(name), name, arguments.number(name, otherwise));
  };
  number("threshold", 0);
  set_text(step, arguments.block(), "compare", "at_least");
  number("top_k", 1);
  number("score_rounding", 2);
}

void sampling(const Arguments& arguments, Building& building) {
  if (arguments.boolean("replace", false))
    refuse(arguments.mark("replace"), "documents are drawn without replacement",
           "replace: false; a repeated document teaches nothing new");
  const std::string written = arguments.text("sample_n_or_frac", "0.1");
  Node& step = building.step(arguments.block(), "mix.sample");
  const bool whole = written.find_first_not_of("0123456789") == written.npos;
  set_text(step, arguments.mark("sample_n_or_frac"), whole ? "documents" : "fraction", written);
  set_number(step, arguments.mark("seed"), "seed", double(arguments.integer("seed", 42)));
}

void log_count(const Arguments& arguments, Building& building) {
  building.note(arguments.block(), "utils___log___count: the report counts behind every step");
}

void korean_nouns(const Arguments& arguments, Building&) {
  refuse(arguments.block(), "counts of nouns are no dataset, and would replace the documents",
         "leave the block out");
}

}  // namespace

void add_steps(std::map<std::string, Block, std::less<>>& all) {
  const std::vector<std::string> column = {"subset"};
  const auto with = [](std::vector<std::string> more) {
    more.insert(more.begin(), "subset");
    return more;
  };
  const std::string clean = "cleaning___";
  all[clean + "char___normalize_whitespace"] = {column, plain("clean.whitespace")};
  all[clean + "char___remove_unprintable"] = {column,
                                              plain("clean.control", {{"invisible", "keep"}})};
  all[clean + "char___remove_accent"] = {column, plain("clean.accents")};
  all[clean + "unicode___remove_punct"] = {column,
                                           plain("clean.punctuation", {{"mode", "remove"}})};
  all[clean + "unicode___replace_punct"] = {column, plain("clean.punctuation")};
  all[clean + "unicode___normalize"] = {column, plain("clean.unicode", {{"layout", "keep"}})};
  all[clean + "document___split_by_word"] = {with({"word_per_chunk", "delimiter"}), split_by_word};
  all[clean + "html___extract_plain_text"] = {with({"use_trafilatura"}), html_text};
  all[clean + "korean___filter_by_ratio"] = {with({"filter_type", "korean_ratio"}), korean_ratio};
  all[clean + "korean___reduce_emoticon"] = {with({"num_repeats"}), emoticons};
  all[clean + "length___char_len_filter"] = {with({"min_len", "max_len"}), length("chars")};
  all[clean + "length___word_len_filter"] = {with({"min_len", "max_len"}), length("words")};
  all[clean + "number___normalize"] = {with({"assign_number"}), numbers};
  all[clean + "table___merge_col_vertical"] = {{"col1", "col2", "merge_col_name"}, merge_columns};
  all["deduplication___exact___column"] = {column, exact_column};
  all["deduplication___common_crawl___exact_line"] = {column, exact_line};
  all["deduplication___minhash___lsh_jaccard"] = {
      with({"threshold", "ngram_size", "min_length", "num_perm", "band_n", "row_per_band", "id_col",
            "seed", "duplicates_save_path"}),
      lsh_jaccard};
  all["deduplication___polyglot___minhash"] = {
      {"expand_size", "n_gram", "seed", "char_level", "sim_threshold"}, polyglot};
  const auto pii =
      with({"pattern", "random_pii", "replace_pii", "replace_token", "start_token", "end_token"});
  all["pii___card___replace_card_number"] = {
      pii, personal("card", R"(\d{4}-\d{4}-\d{4}-\d{4})", "[CARD_NUMBER]")};
  all["pii___nin___replace_korean_rrn"] = {pii, personal("rrn frn", R"(\d{6}-\d{7})", "[NIN]")};
  all["quality___language___fasttext_filter"] = {
      with({"top_k", "score_rounding", "threshold", "whitelist", "blacklist"}), fasttext};
  all["utils___log___count"] = {{"prev_etl_name"}, log_count};
  all["utils___sampling___random"] = {{"replace", "sample_n_or_frac", "seed"}, sampling};
  all["utils___statistics___korean_nouns"] = {column, korean_nouns};
}

}  // namespace helio::data::dataverse
