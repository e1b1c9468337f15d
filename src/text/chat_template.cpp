#include "text/chat_template.h"

#include <algorithm>

#include "core/error.h"
#include "core/fs.h"
#include "core/gguf.h"
#include "text/jinja/unicode_text.h"
#include "text/unicode.h"

namespace helio::text {
namespace {

constexpr const char* kSpecialTokens[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                          "pad_token", "cls_token", "mask_token"};
constexpr const char* kReasoning[] = {"reasoning_content", "thinking", "reasoning"};
constexpr std::string_view kContinueTag = "CONTINUE_FINAL_MESSAGE_TAG ";

void read_special(const Json& json, const std::string& source,
                  std::map<std::string, std::string>& special) {
  for (const char* name : kSpecialTokens) {
    if (!json.contains(name) || json[name].is_null()) continue;
    const Json& token = json[name];
    if (token.is_string()) special[name] = token.get<std::string>();
    else if (token.is_object() && token.contains("content") && token["content"].is_string())
      special[name] = token["content"].get<std::string>();
    else
      throw Error(ErrorKind::invalid,
                  source + ": '" + name + "' must be a text or an object with \"content\"");
  }
}

Json load_object(const fs::path& path) {
  Json json = load_json(path);
  if (!json.is_object()) throw Error(ErrorKind::invalid, path.string() + ": must be an object");
  return json;
}

void read_config_templates(const Json& config, const std::string& source, ChatFiles& files) {
  if (!config.contains("chat_template") || config["chat_template"].is_null()) return;
  const Json& given = config["chat_template"];
  const std::string from = source + " chat_template";
  if (given.is_string()) {
    files.templates["default"] = {given.get<std::string>(), from};
    return;
  }
  const bool good =
      given.is_array() && std::all_of(given.begin(), given.end(), [](const Json& one) {
        return one.is_object() && one.contains("name") && one["name"].is_string() &&
               one.contains("template") && one["template"].is_string();
      });
  if (!good)
    throw Error(ErrorKind::invalid,
                source + ": 'chat_template' must be a text or a list of {\"name\", \"template\"}");
  for (const Json& one : given) {
    const auto name = one["name"].get<std::string>();
    files.templates[name] = {one["template"].get<std::string>(), from + " '" + name + "'"};
  }
}

// The messages as templates see them: no nulls, reasoning under all of its names.
OrderedJson plain_messages(const OrderedJson& messages) {
  if (!messages.is_array())
    throw Error(ErrorKind::invalid, "a conversation must be a list of messages");
  if (messages.empty())
    throw Error(ErrorKind::invalid, "a conversation must have at least one message");
  OrderedJson out = OrderedJson::array();
  for (size_t i = 0; i < messages.size(); ++i) {
    const OrderedJson& message = messages[i];
    if (!message.is_object())
      throw Error(ErrorKind::invalid, "message " + std::to_string(i + 1) + ": must be an object");
    OrderedJson plain = OrderedJson::object();
    const OrderedJson* reasoning = nullptr;
    for (const char* name : kReasoning)
      if (!reasoning && message.contains(name) && !message[name].is_null())
        reasoning = &message[name];
    if (reasoning) plain["thinking"] = *reasoning;
    for (const auto& [key, value] : message.get_ref<const OrderedJson::object_t&>())
      if (!value.is_null()) plain[key] = value;
    if (reasoning) plain["reasoning_content"] = *reasoning;
    out.push_back(std::move(plain));
  }
  return out;
}

[[noreturn]] void cannot_continue(const std::string& why) {
  throw Error(ErrorKind::invalid, "the final message cannot be continued: " + why);
}

// Marks the end of the last message's text; the text without the mark.
std::string mark_final(OrderedJson& messages, const std::string& source) {
  OrderedJson& last = messages.back();
  if (!last.contains("content")) cannot_continue("it has no content");
  if (source.find("content") == source.npos) cannot_continue("the template reads no content");
  OrderedJson* text = &last["content"];
  if (text->is_array()) {
    const auto found = std::find_if(text->rbegin(), text->rend(), [](const OrderedJson& part) {
      return part.is_object() && part.contains("text");
    });
    if (found == text->rend()) cannot_continue("it has no text");
    text = &(*found)["text"];
  }
  if (!text->is_string()) cannot_continue("its content is no text");
  const auto before = text->get<std::string>();
  *text = before + std::string(kContinueTag);
  return before;
}

void cut_after_final(std::string& text, const std::string& final_text) {
  const std::string_view tag = trim(kContinueTag);
  if (text.find(trim(final_text)) == text.npos || text.find(tag) == text.npos)
    cannot_continue("the template does not show it");
  const size_t at = text.rfind(tag);
  const bool whole = std::string_view(text).substr(at, kContinueTag.size()) == kContinueTag;
  text.resize(at);
  if (whole) return;
  const std::string_view kept = text;  // the template trims: so must what stays
  size_t end = kept.size();
  while (end > 0) {
    size_t last = end - 1;
    while (last > 0 && (static_cast<uint8_t>(kept[last]) & 0xC0) == 0x80) --last;
    if (!is_python_space(decode_utf8(kept, last).value)) break;
    end = last;
  }
  text.resize(end);
}

}  // namespace

namespace {

// "tokenizer.chat_template" and "tokenizer.chat_template.NAME".
ChatFiles chat_files_of_gguf(const fs::path& path) {
  constexpr std::string_view key = "tokenizer.chat_template";
  const GgufFile file(path);
  ChatFiles files;
  for (const GgufValue& value : file.metadata()) {
    if (!value.key.starts_with(key) || value.kind != GgufKind::string) continue;
    const std::string_view name = value.key.substr(key.size());
    if (!name.empty() && !name.starts_with('.')) continue;
    files.templates[name.empty() ? "default" : std::string(name.substr(1))] = {
        std::string(value.string()), path.string()};
  }
  const GgufValue* const tokens = file.find("tokenizer.ggml.tokens");
  if (files.templates.empty() || !tokens) return files;
  const auto texts = tokens->strings();
  for (const auto& [role, name] :
       {std::pair("bos_token", "bos"), std::pair("eos_token", "eos"),
        std::pair("unk_token", "unknown"), std::pair("pad_token", "padding")}) {
    const auto id = file.integer(std::string("tokenizer.ggml.") + name + "_token_id");
    if (id && *id >= 0 && static_cast<size_t>(*id) < texts.size())
      files.special[role] = texts[static_cast<size_t>(*id)];
  }
  return files;
}

}  // namespace

ChatFiles load_chat_files(const fs::path& dir) {
  if (fs::is_regular_file(dir) && is_gguf(dir)) return chat_files_of_gguf(dir);
  ChatFiles files;
  if (const fs::path path = dir / "chat_template.jinja"; fs::exists(path))
    files.templates["default"] = {read_file(path), path.string()};
  if (const fs::path more = dir / "additional_chat_templates"; fs::is_directory(more))
    for (const auto& entry : fs::directory_iterator(more))
      if (entry.path().extension() == ".jinja")
        files.templates[entry.path().stem().string()] = {read_file(entry.path()),
                                                         entry.path().string()};
  bool listed = false;
  if (const fs::path path = dir / "tokenizer_config.json"; fs::exists(path)) {
    const Json config = load_object(path);
    if (files.templates.empty()) read_config_templates(config, path.string(), files);
    read_special(config, path.string(), files.special);
    listed = config.contains("added_tokens_decoder");
  }
  if (const fs::path path = dir / "special_tokens_map.json"; !listed && fs::exists(path))
    read_special(load_object(path), path.string(), files.special);
  return files;
}

ChatTemplate::ChatTemplate(const std::string& source, const std::string& name,
                           std::map<std::string, std::string> special)
    : source_(source),
      template_(jinja::Template::parse(source, name)),
      special_(std::move(special)) {}

ChatTemplate ChatTemplate::load(const fs::path& dir, const std::string& which,
                                const OrderedJson* tools) {
  if (!fs::is_directory(dir) && !is_gguf(dir))
    throw Error(ErrorKind::not_found, "'" + dir.string() + "' is no folder");
  ChatFiles files = load_chat_files(dir);
  if (files.templates.empty())
    throw Error(ErrorKind::not_found, "'" + dir.string() + "' has no chat template")
        .with_hint("put the model's chat_template.jinja into the folder (base models have none)");
  std::string name = which;
  if (name.empty()) name = tools && files.templates.count("tool_use") ? "tool_use" : "default";
  const auto found = files.templates.find(name);
  if (found == files.templates.end()) {
    std::string names;
    for (const auto& [known, source] : files.templates)
      names += (names.empty() ? "" : ", ") + known;
    throw Error(ErrorKind::not_found, "'" + dir.string() + "' has no chat template '" + name + "'")
        .with_hint("its templates: " + names);
  }
  return {found->second.text, found->second.from, std::move(files.special)};
}

jinja::Rendered ChatTemplate::render(const OrderedJson& messages, const ChatRequest& request,
                                     const jinja::RenderOptions& options) const {
  OrderedJson plain = plain_messages(messages);
  const bool goes_on = request.final_message == FinalMessage::to_be_continued;
  if (goes_on && request.generation_prompt)
    throw Error(ErrorKind::invalid,
                "a conversation either goes on in its final message or gets a generation prompt");
  const std::string final_text = goes_on ? mark_final(plain, source_) : "";
  if (request.documents)
    for (const auto& document : *request.documents)
      if (!document.is_object())
        throw Error(ErrorKind::invalid, "documents must be objects with 'title' and 'text'");
  const OrderedJson none, prompt = request.generation_prompt;
  std::map<std::string, OrderedJson> special;
  for (const auto& [name, text] : special_) special[name] = text;
  jinja::Variables variables = {{"messages", &plain},
                                {"tools", request.tools ? request.tools : &none},
                                {"documents", request.documents ? request.documents : &none},
                                {"add_generation_prompt", &prompt}};
  for (const auto& [name, value] : special) variables.emplace_back(name, &value);
  for (const auto& [name, value] : request.variables) variables.emplace_back(name, &value);
  jinja::Rendered rendered = template_.render(variables, options);
  if (goes_on) cut_after_final(rendered.text, final_text);
  return rendered;
}

std::vector<uint8_t> assistant_mask(const Encoding& encoding,
                                    const std::vector<jinja::Span>& spans) {
  const auto& places = encoding.characters;
  std::vector<uint8_t> mask(encoding.ids.size(), 0);
  const auto token_of = [&](int64_t character) {
    for (size_t i = 0; i < places.size(); ++i)
      if (places[i].begin <= character && character < places[i].end) return static_cast<int64_t>(i);
    return int64_t(-1);
  };
  for (const auto& span : spans) {
    const int64_t first = token_of(span.begin), last = token_of(span.end - 1);
    if (first < 0) break;
    const int64_t end = last > 0 ? last + 1 : static_cast<int64_t>(mask.size());
    for (int64_t i = first; i < end; ++i) mask[static_cast<size_t>(i)] = 1;
  }
  return mask;
}

}  // namespace helio::text
