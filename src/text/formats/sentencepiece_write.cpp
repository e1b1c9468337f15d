#include "text/formats/sentencepiece_write.h"

#include <fmt/format.h>

#include <bit>
#include <unordered_map>

#include "text/formats/ranks.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/tokenizer/vocabulary.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

using Type = SentencePiece::Type;
constexpr const char* kMark = "\u2581";

// A message being written.
class Message {
 public:
  Message& bytes(int number, std::string_view value) {
    varint(static_cast<uint64_t>(number) << 3 | 2);
    varint(value.size());
    out_ += value;
    return *this;
  }
  Message& number(int number, int64_t value) {
    varint(static_cast<uint64_t>(number) << 3);
    varint(static_cast<uint64_t>(value));
    return *this;
  }
  Message& real(int number, float value) {
    varint(static_cast<uint64_t>(number) << 3 | 5);
    const auto bits = std::bit_cast<uint32_t>(value);
    for (int i = 0; i < 4; ++i) out_ += static_cast<char>((bits >> (8 * i)) & 0xFF);
    return *this;
  }
  const std::string& done() const { return out_; }

 private:
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>((value & 0x7F) | 0x80);
    out_ += static_cast<char>(value);
  }
  std::string out_ = {};
};

Error no_word(const std::string& what) {
  return malformed("a SentencePiece model cannot say: " + what);
}

void read_normalizer(const OrderedJson& json, SentencePieceFile::Spec& spec) {
  if (json.is_null()) return;
  const std::string type = json.value("type", "");
  const auto pattern = [&](const char* kind) {
    return json.contains("pattern") ? json.at("pattern").value(kind, "") : "";
  };
  if (type == "Sequence") {
    for (const auto& step : json.at("normalizers")) read_normalizer(step, spec);
  } else if (type == "Precompiled") {
    spec.charsmap = from_base64(json.at("precompiled_charsmap").get<std::string>(), "the charsmap");
  } else if (type == "Prepend" && json.value("prepend", "") == kMark) {
    spec.add_dummy_prefix = true;
  } else if (type == "Replace" && pattern("String") == " " && json.value("content", "") == kMark) {
    spec.escape_whitespaces = true;
  } else if (type == "Strip" ||
             (type == "Replace" &&
              (pattern("Regex") == " {2,}" || pattern("Regex").starts_with("(?<!\\s|\\S) +|")))) {
    spec.remove_extra_whitespaces = true;
  } else {
    throw no_word("the normaliser " + compact(json));
  }
}

void read_pre_tokenizer(const OrderedJson& json, SentencePieceFile::Spec& spec) {
  if (json.is_null()) return;
  const std::string type = json.value("type", "");
  if (type == "Metaspace" && json.value("replacement", "") == kMark) {
    spec.escape_whitespaces = true;
    spec.add_dummy_prefix =
        json.value("prepend_scheme", "always") != "never" && json.value("add_prefix_space", true);
  } else if (!(type == "Split" && json.at("pattern").value("String", "") == " ")) {
    throw no_word("the pre-tokenizer " + compact(json));
  }
}

void set_pieces(SentencePieceFile& file, std::vector<SentencePiece> pieces,
                const std::string& unknown, const OrderedJson& added) {
  std::unordered_map<std::string, size_t> places;
  for (size_t id = 0; id < pieces.size(); ++id) {
    places[pieces[id].text] = id;
    if (pieces[id].text == unknown) pieces[id].type = Type::unknown;
    else if (file.byte_fallback && byte_of_token(pieces[id].text)) pieces[id].type = Type::byte;
  }
  for (const auto& token : added) {
    const std::string content = token.at("content");
    if (!places.contains(content)) {
      places[content] = pieces.size();
      pieces.push_back({content, 0, Type::normal});
    }
    auto& piece = pieces[places[content]];
    if (piece.type == Type::normal)
      piece.type = token.at("special") ? Type::control : Type::user_defined;
  }
  for (const auto& piece : pieces) {
    if (piece.text.empty()) throw no_word("an id without a token");
    // The reader of such models asks for it.
    if (!is_valid_utf8(piece.text)) throw no_word("a token that is no UTF-8");
  }
  file.pieces = std::move(pieces);
}

void read_bpe(const OrderedJson& model, const OrderedJson& added, SentencePieceFile& file) {
  for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (model.contains(affix) && !model.at(affix).is_null() && model.at(affix) != "")
      throw no_word(std::string("a BPE model with ") + affix);
  if (!model.contains("unk_token") || !model.at("unk_token").is_string())
    throw no_word("a BPE model without an unknown token");
  file.algorithm = SentencePieceFile::Algorithm::bpe;
  std::vector<SentencePiece> pieces;
  std::unordered_map<std::string, size_t> ids;
  for (const auto& [token, id] : model.at("vocab").items()) {
    const auto place = id.get<size_t>();
    if (place > static_cast<size_t>(kLargestId)) throw no_word("an id as large as this");
    if (pieces.size() <= place) pieces.resize(place + 1);
    pieces[place].text = token;
    ids[token] = place;
  }
  const auto& merges = model.at("merges");
  const auto count = static_cast<float>(merges.size());
  for (size_t id = 0; id < pieces.size(); ++id)
    pieces[id].score = -count - static_cast<float>(id) - 1;
  for (size_t rank = merges.size(); rank-- > 0;) {
    const auto& merge = merges[rank];
    std::string made;
    if (merge.is_array()) {
      made = merge[0].get<std::string>() + merge[1].get<std::string>();
    } else {
      made = merge.get<std::string>();
      if (const size_t space = made.find(' '); space != std::string::npos) made.erase(space, 1);
    }
    if (const auto found = ids.find(made); found != ids.end())
      pieces[found->second].score = -static_cast<float>(rank) - 1;
  }
  set_pieces(file, std::move(pieces), model.at("unk_token"), added);
}

}  // namespace

SentencePieceFile sentencepiece_of(const OrderedJson& document) {
  SentencePieceFile file;
  const OrderedJson& model = document.at("model");
  const std::string type = model.value("type", "");
  file.byte_fallback = model.contains("byte_fallback") && model.at("byte_fallback").is_boolean() &&
                       model.at("byte_fallback").get<bool>();
  auto& spec = file.normalizer;
  if (type == "SentencePiece") {
    const auto& own = document.at("normalizer");
    spec.add_dummy_prefix = own.at("add_dummy_prefix");
    spec.remove_extra_whitespaces = own.at("remove_extra_whitespaces");
    spec.escape_whitespaces = own.at("escape_whitespaces");
    if (!own.at("precompiled_charsmap").is_null())
      spec.charsmap = from_base64(own.at("precompiled_charsmap").get<std::string>(), "charsmap");
    for (const auto algorithm :
         {SentencePieceFile::Algorithm::unigram, SentencePieceFile::Algorithm::bpe,
          SentencePieceFile::Algorithm::word, SentencePieceFile::Algorithm::character})
      if (model.at("algorithm") == name_of(algorithm)) file.algorithm = algorithm;
    std::vector<SentencePiece> pieces;
    for (const auto& piece : model.at("pieces"))
      pieces.push_back({piece[0], piece[1].get<float>(), static_cast<Type>(piece[2].get<int>())});
    set_pieces(file, std::move(pieces), "", document.at("added_tokens"));
    return file;
  }
  spec.add_dummy_prefix = spec.remove_extra_whitespaces = spec.escape_whitespaces = false;
  read_normalizer(document.value("normalizer", OrderedJson()), spec);
  read_pre_tokenizer(document.value("pre_tokenizer", OrderedJson()), spec);
  const OrderedJson added = document.value("added_tokens", OrderedJson::array());
  if (type == "Unigram") {
    file.algorithm = SentencePieceFile::Algorithm::unigram;
    std::vector<SentencePiece> pieces;
    for (const auto& item : model.at("vocab"))
      pieces.push_back({item[0], item[1].get<float>(), Type::normal});
    if (!model.contains("unk_id") || !model.at("unk_id").is_number_unsigned() ||
        model.at("unk_id").get<size_t>() >= pieces.size())
      throw no_word("a Unigram model without an unknown token");
    const std::string unknown = pieces[model.at("unk_id").get<size_t>()].text;
    set_pieces(file, std::move(pieces), unknown, added);
  } else if (type == "BPE") {
    read_bpe(model, added, file);
  } else {
    throw no_word("a " + type + " model");
  }
  return file;
}

std::string write_sentencepiece(const SentencePieceFile& file, const SpecialIds& roles) {
  Message out;
  for (const auto& [text, score, type] : file.pieces) {
    Message piece;
    piece.bytes(1, text).real(2, score);
    if (type != Type::normal) piece.number(3, static_cast<int64_t>(type));
    out.bytes(1, piece.done());
  }
  const auto id = [](std::optional<TokenId> role) { return role ? int64_t(*role) : -1; };
  Message trainer, normalizer;
  trainer.number(3, static_cast<int64_t>(file.algorithm))
      .number(4, static_cast<int64_t>(file.pieces.size()))
      .number(35, file.byte_fallback)
      .number(40, file.unknown_id())
      .number(41, id(roles.bos))
      .number(42, id(roles.eos))
      .number(43, id(roles.pad));
  const auto unknown = static_cast<size_t>(file.unknown_id());
  if (unknown < file.pieces.size()) trainer.bytes(45, file.pieces[unknown].text);
  const auto name = [&](int field, std::optional<TokenId> role) {
    if (role && static_cast<size_t>(*role) < file.pieces.size())
      trainer.bytes(field, file.pieces[static_cast<size_t>(*role)].text);
  };
  name(46, roles.bos);
  name(47, roles.eos);
  name(48, roles.pad);
  const auto& spec = file.normalizer;
  normalizer.bytes(1, spec.charsmap.empty() ? "identity"
                      : spec.name.empty()   ? "user"
                                            : spec.name)
      .bytes(2, spec.charsmap)
      .number(3, spec.add_dummy_prefix)
      .number(4, spec.remove_extra_whitespaces)
      .number(5, spec.escape_whitespaces);
  return out.bytes(2, trainer.done()).bytes(3, normalizer.done()).done();
}

}  // namespace helio::text
