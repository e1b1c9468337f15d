#include "eval/chat_setting.h"

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "text/chat_template.h"

namespace helio::eval {
namespace {

[[noreturn]] void no_template(const std::string& folder) {
  throw Error(ErrorKind::not_found, "'" + folder + "' has no chat template")
      .with_hint(
          "IFEval, EQ-Bench and MT-Bench are conversations: --chat-template FILE (Jinja), chatml "
          "or "
          "solar writes them so, none asks the text as it stands (not MT-Bench)");
}

}  // namespace

void check_chat_template(const std::filesystem::path& folder, const std::string& setting) {
  // A GGUF file says so itself, once it is loaded.
  if (setting == "auto" && fs::is_directory(folder) &&
      text::load_chat_files(folder).templates.empty())
    no_template(folder.string());
}

ChatSetting::ChatSetting(const std::filesystem::path& folder, const std::string& setting,
                         const model::LanguageModel& model) {
  if (setting == "none") return;
  if (setting == "auto") own_ = &model.chat();
  else given_.emplace(text::ChatFormat::load(folder, model.tokenizer(), setting));
}

ChatSetting ChatSetting::of_server(const std::string& setting) {
  if (setting != "auto" && setting != "none")
    throw Error(ErrorKind::usage, "--chat-template " + setting + " cannot be given to an endpoint")
        .with_hint("it writes conversations in its own template: auto; none sends texts");
  ChatSetting out;
  out.servers_ = setting == "auto";
  return out;
}

std::string ChatSetting::hash() const {
  if (servers_) return "server";
  return format() ? sha256_hex(format()->source()) : std::string();
}

OrderedJson ChatSetting::json() const {
  if (servers_) return {{"name", "server"}};
  if (!format()) return nullptr;
  // A file's name, not where it lies.
  return {{"name", fs::path(format()->name()).filename().string()}, {"sha256", hash()}};
}

}  // namespace helio::eval
