#include "text/formats/document.h"

#include <utility>

namespace helio::text {

OrderedJson empty_document() {
  return {{"version", "1.0"},          {"truncation", nullptr},
          {"padding", nullptr},        {"added_tokens", OrderedJson::array()},
          {"normalizer", nullptr},     {"pre_tokenizer", nullptr},
          {"post_processor", nullptr}, {"decoder", nullptr},
          {"model", nullptr}};
}

OrderedJson added_token(TokenId id, std::string_view content, Special special) {
  return {{"id", json_id(id)},
          {"content", content},
          {"single_word", false},
          {"lstrip", false},
          {"rstrip", false},
          {"normalized", false},
          {"special", special == Special::yes}};
}

OrderedJson template_processor(const std::vector<NamedId>& before,
                               const std::vector<NamedId>& behind) {
  if (before.empty() && behind.empty()) return nullptr;
  OrderedJson specials = OrderedJson::object();
  const auto pieces = [&](std::initializer_list<std::pair<const char*, int>> texts) {
    OrderedJson list = OrderedJson::array();
    const auto add = [&](const std::vector<NamedId>& tokens, int type) {
      for (const auto& [token, id] : tokens) {
        list.push_back({{"SpecialToken", {{"id", token}, {"type_id", type}}}});
        specials[token] = {{"id", token}, {"ids", {json_id(id)}}, {"tokens", {token}}};
      }
    };
    for (const auto& [name, type] : texts) {
      add(before, type);
      list.push_back({{"Sequence", {{"id", name}, {"type_id", type}}}});
      add(behind, type);
    }
    return list;
  };
  OrderedJson single = pieces({{"A", 0}}), pair = pieces({{"A", 0}, {"B", 1}});
  return {{"type", "TemplateProcessing"},
          {"single", std::move(single)},
          {"pair", std::move(pair)},
          {"special_tokens", std::move(specials)}};
}

void append_member(OrderedJson& object, std::string key, OrderedJson value) {
  // push_back on the underlying vector: ordered_json looks every key up otherwise.
  auto& members = object.get_ref<OrderedJson::object_t&>();
  static_cast<std::vector<OrderedJson::object_t::value_type>&>(members).emplace_back(
      std::move(key), std::move(value));
}

namespace {

// Builds an ordered_json out of the reader's events.
class Builder : public nlohmann::json_sax<OrderedJson> {
 public:
  explicit Builder(OrderedJson& root) : root_(root) {}
  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(OrderedJson::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(OrderedJson::array()); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    key_ = std::move(value);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  // Where the value went stays in place while it is open: what holds it does not grow meanwhile.
  OrderedJson* add(OrderedJson value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    OrderedJson& in = *open_.back();
    if (in.is_array()) {
      in.push_back(std::move(value));
      return &in.back();
    }
    append_member(in, std::move(key_), std::move(value));
    auto& members = in.get_ref<OrderedJson::object_t&>();
    return &static_cast<std::vector<OrderedJson::object_t::value_type>&>(members).back().second;
  }
  bool put(OrderedJson value) {
    add(std::move(value));
    return true;
  }
  bool open(OrderedJson value) {
    open_.push_back(add(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  OrderedJson& root_;
  std::vector<OrderedJson*> open_ = {};
  std::string key_ = {};
};

}  // namespace

OrderedJson parse_ordered(std::string_view text, const std::string& source) {
  static_cast<void>(parse_json(text, source));  // its checks and its words for what is wrong
  OrderedJson root;
  Builder builder(root);
  OrderedJson::sax_parse(text.begin(), text.end(), &builder);
  return root;
}

OrderedJson vocabulary_object(const std::vector<std::string>& tokens) {
  OrderedJson vocabulary = OrderedJson::object();
  for (size_t id = 0; id < tokens.size(); ++id) append_member(vocabulary, tokens[id], id);
  return vocabulary;
}

std::string to_base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k)
      bits = (bits << 8) | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k)
      out += i + k > bytes.size() ? '=' : kDigits[(bits >> (18 - 6 * k)) & 63];
  }
  return out;
}

}  // namespace helio::text
