#include "text/gguf_vocabulary.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <vector>

#include "core/error.h"
#include "core/json.h"
#include "text/tokenizer/split_known.h"

namespace helio::text {
namespace {

// Token types of llama.cpp.
enum TokenType : int32_t { normal = 1, unknown = 2, control = 3, user = 4, unused = 5, byte = 6 };

constexpr std::string_view kTekkenPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kGpt4oPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

bool is(const Json& object, const char* key, std::string_view value) {
  return object.is_object() && object.contains(key) && object[key].is_string() &&
         object[key].get_ref<const std::string&>() == value;
}
bool flag(const Json& object, const char* key, bool otherwise) {
  return object.is_object() && object.contains(key) && object[key].is_boolean()
             ? object[key].get<bool>()
             : otherwise;
}

// The steps of a part that may be a Sequence, one of its own or none.
std::vector<Json> steps_of(const Json& document, const char* part, const char* list) {
  if (!document.contains(part) || !document[part].is_object()) return {};
  const Json& step = document[part];
  if (!is(step, "type", "Sequence")) return {step};
  std::vector<Json> out;
  if (step.contains(list) && step[list].is_array())
    for (const auto& each : step[list]) out.push_back(each);
  return out;
}

class Tokenizer {
 public:
  Tokenizer(const fs::path& dir, int64_t vocabulary) : dir_(dir), size_(vocabulary) {
    const fs::path path = dir / "tokenizer.json";
    if (!fs::exists(path))
      throw Error(ErrorKind::not_found, "there is no '" + path.string() + "'")
          .with_hint(
              "a GGUF file carries its tokenizer; copy it from the model's base, or make it "
              "with `helio tokenizer train`");
    source_ = path.string();
    document_ = load_json(path);
    if (fs::exists(dir / "tokenizer_config.json"))
      config_ = load_json(dir / "tokenizer_config.json");
    if (!document_.is_object() || !document_.contains("model") || !document_["model"].is_object())
      throw fail("has no \"model\"");
  }

  GgufVocabulary write(GgufPlan& plan) {
    const Json& model = document_["model"];
    if (!is(model, "type", "BPE"))
      throw fail("is not BPE, the only model that is written to GGUF")
          .with_hint("llama.cpp reads Unigram and WordPiece for other architectures only");
    GgufVocabulary out;
    const bool bytes = has_byte_level();
    out.model = bytes ? "gpt2" : "llama";
    out.pre = bytes ? pre_of_splits() : "default";
    if (!bytes && !flag(model, "byte_fallback", false))
      throw fail("is BPE of neither bytes nor SentencePiece's kind, which llama.cpp cannot run");
    read_tokens(model);
    out.tokens = size_;
    plan.set_string("tokenizer.ggml.model", out.model);
    plan.set_string("tokenizer.ggml.pre", out.pre);
    const auto merges = read_merges(model);
    if (!bytes) plan.set_f32s("tokenizer.ggml.scores", scores(merges));
    for (size_t id = 0; id < tokens_.size(); ++id)
      if (types_[id] == unused && tokens_[id].empty()) {
        tokens_[id] = fmt::format("[PAD{}]", id);
        ++out.filled;
      }
    plan.set_strings("tokenizer.ggml.tokens", tokens_);
    plan.set_i32s("tokenizer.ggml.token_type", types_);
    if (bytes) {
      std::vector<std::string> pairs;
      for (const auto& [left, right] : merges) pairs.push_back(left + " " + right);
      plan.set_strings("tokenizer.ggml.merges", pairs);
    }
    set_roles(plan);
    if (!bytes) plan.set_boolean("tokenizer.ggml.add_space_prefix", adds_space());
    if (const std::string text = chat_template(); !text.empty()) {
      plan.set_string("tokenizer.chat_template", text);
      out.chat_template = true;
    }
    return out;
  }

 private:
  Error fail(const std::string& what) const {
    return Error(ErrorKind::invalid, source_ + ": the tokenizer " + what)
        .with_hint("`helio tokenizer info` says what it is");
  }

  bool has_byte_level() const {
    for (const char* part : {"pre_tokenizer", "decoder"})
      for (const auto& step : steps_of(
               document_, part, part == std::string_view("decoder") ? "decoders" : "pretokenizers"))
        if (is(step, "type", "ByteLevel")) return true;
    return false;
  }

  std::string pre_of_splits() const {
    std::vector<std::string> patterns;
    bool digits = false;
    for (const auto& step : steps_of(document_, "pre_tokenizer", "pretokenizers")) {
      if (is(step, "type", "Split") && step.contains("pattern") && step["pattern"].is_object() &&
          step["pattern"].contains("Regex") && step["pattern"]["Regex"].is_string())
        patterns.push_back(step["pattern"]["Regex"].get<std::string>());
      else if (is(step, "type", "Digits") && flag(step, "individual_digits", false)) digits = true;
      else if (is(step, "type", "ByteLevel")) {
        if (flag(step, "add_prefix_space", false))
          throw fail("puts a space before every text, which llama.cpp does not");
        if (flag(step, "use_regex", true)) patterns.emplace_back(kGpt2Pattern);
      } else {
        throw fail("cuts texts in a way that llama.cpp has no name for");
      }
    }
    const bool whole_words = flag(document_["model"], "ignore_merges", false);
    const std::string pattern = patterns.size() == 1 ? patterns[0] : "";
    if (digits) {
      if (pattern == kGpt2Pattern) return "smollm";
    } else if (pattern == kGpt2Pattern) {
      return "gpt-2";
    } else if (pattern == kLlama3Pattern) {
      return whole_words ? "llama-bpe" : "smaug-bpe";
    } else if (pattern == kQwen2Pattern) {
      return "qwen2";
    } else if (pattern == kTekkenPattern) {
      return "tekken";
    } else if (pattern == kGpt4oPattern) {
      return "gpt-4o";
    }
    throw fail("cuts texts by a pattern that llama.cpp has no name for");
  }

  void place(int64_t id, const std::string& token, int32_t type) {
    if (id < 0 || id >= size_)
      throw fail(fmt::format("has id {} where the model has {} rows", id, size_))
          .with_hint("resize the model's embedding to the tokenizer first");
    tokens_[static_cast<size_t>(id)] = token;
    types_[static_cast<size_t>(id)] = type;
  }

  static bool is_byte(const std::string& token) {
    return token.size() == 6 && token.starts_with("<0x") && token.ends_with(">");
  }

  void read_tokens(const Json& model) {
    if (!model.contains("vocab") || !model["vocab"].is_object()) throw fail("has no \"vocab\"");
    tokens_.assign(static_cast<size_t>(size_), {});
    types_.assign(static_cast<size_t>(size_), unused);
    const bool fallback = flag(model, "byte_fallback", false);
    for (const auto& [token, id] : model["vocab"].items()) {
      if (!id.is_number_integer()) throw fail("has an id that is no whole number");
      const bool is_unknown = is(model, "unk_token", token);
      place(id.get<int64_t>(), token,
            is_unknown                   ? unknown
            : fallback && is_byte(token) ? byte
                                         : normal);
      ids_[token] = id.get<int64_t>();
    }
    if (!document_.contains("added_tokens") || !document_["added_tokens"].is_array()) return;
    for (const auto& added : document_["added_tokens"]) {
      if (!added.is_object() || !added.contains("id") || !added["id"].is_number_integer() ||
          !added.contains("content") || !added["content"].is_string())
        throw fail("has an added token without id or content");
      const auto token = added["content"].get<std::string>();
      if (!is(model, "unk_token", token) || has_byte_level())
        place(added["id"].get<int64_t>(), token, flag(added, "special", false) ? control : user);
      ids_[token] = added["id"].get<int64_t>();
    }
  }

  std::vector<std::pair<std::string, std::string>> read_merges(const Json& model) const {
    std::vector<std::pair<std::string, std::string>> out;
    if (!model.contains("merges") || !model["merges"].is_array()) throw fail("has no \"merges\"");
    for (const auto& merge : model["merges"]) {
      if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
        out.emplace_back(merge[0].get<std::string>(), merge[1].get<std::string>());
        continue;
      }
      const std::string text = merge.is_string() ? merge.get<std::string>() : "";
      const size_t space = text.find(' ');
      if (space == std::string::npos) throw fail("has a merge that is no pair");
      out.emplace_back(text.substr(0, space), text.substr(space + 1));
    }
    return out;
  }

  // llama.cpp merges the pair whose result has the highest score; ties go to the left. The rank of
  // the first merge that makes a token says the same.
  std::vector<float> scores(const std::vector<std::pair<std::string, std::string>>& merges) const {
    std::vector<float> out(tokens_.size(), 0.0f);
    std::vector<bool> done(tokens_.size(), false);
    for (size_t rank = 0; rank < merges.size(); ++rank) {
      const auto it = ids_.find(merges[rank].first + merges[rank].second);
      if (it == ids_.end() || done[static_cast<size_t>(it->second)]) continue;
      done[static_cast<size_t>(it->second)] = true;
      out[static_cast<size_t>(it->second)] = -static_cast<float>(rank + 1);
    }
    // What no merge makes must not win a merge; llama.cpp's converters give such tokens -1000.
    for (size_t id = 0; id < out.size(); ++id)
      if (!done[id]) out[id] = types_[id] == normal ? -1e9f : types_[id] == byte ? 0.0f : -1000.0f;
    return out;
  }

  std::optional<int64_t> id_of(const char* role) const {
    if (!config_.is_object() || !config_.contains(role)) return std::nullopt;
    const Json& token = config_[role];
    const std::string text =
        token.is_string() ? token.get<std::string>()
        : token.is_object() && token.contains("content") && token["content"].is_string()
            ? token["content"].get<std::string>()
            : "";
    const auto it = ids_.find(text);
    return it == ids_.end() ? std::nullopt : std::optional(it->second);
  }

  // Does the post-processor put a special token before or behind a text?
  void surrounding(bool& before, bool& behind) const {
    for (const auto& step : steps_of(document_, "post_processor", "processors")) {
      if (!is(step, "type", "TemplateProcessing") || !step.contains("single") ||
          !step["single"].is_array() || step["single"].empty())
        continue;
      before = step["single"].front().contains("SpecialToken");
      behind = step["single"].back().contains("SpecialToken");
      return;
    }
    before = flag(config_, "add_bos_token", false);
    behind = flag(config_, "add_eos_token", false);
  }

  void set_roles(GgufPlan& plan) const {
    const std::pair<const char*, const char*> roles[] = {{"bos_token", "bos"},
                                                         {"eos_token", "eos"},
                                                         {"unk_token", "unknown"},
                                                         {"pad_token", "padding"}};
    for (const auto& [role, name] : roles)
      if (const auto id = id_of(role))
        plan.set_u32(fmt::format("tokenizer.ggml.{}_token_id", name), static_cast<uint32_t>(*id));
    bool before = false, behind = false;
    surrounding(before, behind);
    plan.set_boolean("tokenizer.ggml.add_bos_token", before);
    plan.set_boolean("tokenizer.ggml.add_eos_token", behind);
  }

  bool adds_space() const {
    for (const auto& step : steps_of(document_, "normalizer", "normalizers"))
      if (is(step, "type", "Prepend")) return true;
    for (const auto& step : steps_of(document_, "pre_tokenizer", "pretokenizers"))
      if (is(step, "type", "Metaspace")) return !is(step, "prepend_scheme", "never");
    return false;
  }

  std::string chat_template() const {
    if (fs::exists(dir_ / "chat_template.jinja")) return read_file(dir_ / "chat_template.jinja");
    if (config_.is_object() && config_.contains("chat_template")) {
      const Json& value = config_["chat_template"];
      if (value.is_string()) return value.get<std::string>();
      if (value.is_array())  // several by name: the one called "default"
        for (const auto& each : value)
          if (is(each, "name", "default") && each.contains("template") &&
              each["template"].is_string())
            return each["template"].get<std::string>();
    }
    return {};
  }

  fs::path dir_;
  int64_t size_ = 0;
  std::string source_ = {};
  Json document_ = {}, config_ = {};
  std::vector<std::string> tokens_ = {};
  std::vector<int32_t> types_ = {};
  std::map<std::string, int64_t> ids_ = {};
};

}  // namespace

GgufVocabulary set_gguf_vocabulary(GgufPlan& plan, const fs::path& dir, int64_t vocabulary) {
  return Tokenizer(dir, vocabulary).write(plan);
}

}  // namespace helio::text
