// --chat-template for one model: how its conversations are written, and under what name that is
// recorded.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/json.h"
#include "model/language_model.h"
#include "text/chat_format.h"

namespace helio::eval {

// Error{not_found} when `setting` is "auto" and the model folder names no chat template: asked
// before anything is loaded.
void check_chat_template(const std::filesystem::path& folder, const std::string& setting);

class ChatSetting {
 public:
  // No conversation is written.
  ChatSetting() = default;
  // `setting`: "auto" (the model's own), "none", "solar", "chatml", or a Jinja file.
  // `model` must outlive it.
  ChatSetting(const std::filesystem::path& folder, const std::string& setting,
              const model::LanguageModel& model);

  // Of a model behind an endpoint, which writes conversations itself: "auto", or "none". Error
  // {usage}: any other.
  static ChatSetting of_server(const std::string& setting);

  const text::ChatFormat* format() const { return own_ ? own_ : given_ ? &*given_ : nullptr; }
  // Of the template's text, hex, or "server"; empty: none.
  std::string hash() const;
  // {"name", "sha256"} ({"name": "server"} of an endpoint), or null.
  OrderedJson json() const;

 private:
  bool servers_ = false;
  const text::ChatFormat* own_ = nullptr;
  std::optional<text::ChatFormat> given_ = {};
};

}  // namespace helio::eval
