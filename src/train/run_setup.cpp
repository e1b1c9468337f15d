#include "train/run_setup.h"

#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/version.h"
#include "text/chat.h"
#include "text/chat_template.h"
#include "train/distributed/placement.h"

namespace helio::train {
namespace {

bool is_continuation(const std::string& name) { return name == "resume" || name == "restart"; }

// Where something is kept decides nothing.
bool is_cache(const std::string& name) { return name == "references"; }

std::string shell_word(const std::string& text) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:=+@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == text.npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// The values of a list, between which FieldInfo::value has ", ", as words of a command line.
std::string shell_words(const std::string& values) {
  std::string words;
  for (size_t at = 0; at <= values.size();) {
    const size_t end = std::min(values.find(", ", at), values.size());
    words += (at == 0 ? "" : " ") + shell_word(values.substr(at, end - at));
    at = end + 2;
  }
  return words;
}

void erase_path(OrderedJson& json, const std::string& dotted) {
  const size_t dot = dotted.find('.');
  if (dot == std::string::npos) json.erase(dotted);
  else if (json.contains(dotted.substr(0, dot)))
    erase_path(json[dotted.substr(0, dot)], dotted.substr(dot + 1));
}

fs::path default_run(const fs::path& out) {
  const fs::path plain = out.filename().empty() ? out.parent_path() : out;
  if (plain.parent_path().filename() == "models")
    return plain.parent_path().parent_path() / "runs" / plain.filename();
  return plain.string() + "-run";
}

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name"))
      return line.substr(std::min(line.size(), line.find(':') + 2));
  return "unknown";
}

}  // namespace

RunSetup set_up_run(const std::string& command, const Describe& now, const Describe& defaults,
                    int64_t threads) {
  RunSetup setup{.command = command,
                 .command_line = "helio " + command,
                 .options = options_json(now),
                 .given = options_json(now),
                 .threads = threads};
  const auto fields = options_fields(now), fresh = options_fields(defaults);
  for (size_t i = 0; i < fields.size(); ++i) {
    const FieldInfo& field = fields[i];
    if (field.role == FieldRole::input && !field.value.empty())
      setup.inputs.push_back(describe_input(field.name, field.value));
    if (field.name == "out") setup.out = field.value;
    if (field.name == "run") setup.run = field.value;
    if (field.role != FieldRole::plain || is_continuation(field.name) || is_cache(field.name))
      erase_path(setup.options, field.name);
    if (is_continuation(field.name) || field.value == fresh[i].value) continue;
    if (field.type == FieldType::boolean)
      setup.command_line += (field.value == "true" ? " --" : " --no-") + field.name;
    else {
      const bool list = field.type == FieldType::strings || field.type == FieldType::numbers;
      setup.command_line +=
          " --" + field.name + " " + (list ? shell_words(field.value) : shell_word(field.value));
    }
  }
  if (setup.out.empty()) throw Error(ErrorKind::usage, "no folder for the model: --out");
  if (setup.run.empty()) setup.run = default_run(setup.out);

  const auto asked = std::find_if(fields.begin(), fields.end(), [](const FieldInfo& field) {
    return field.name == "train.threads";
  });
  OrderedJson decides = {
      {"command", command},
      {"options", setup.options},
      {"threads", distributed::threads_of_key(asked == fields.end() ? "" : asked->value, threads)},
      {"code", code_hash("train")}};
  for (const char* name : {"train.save_every", "train.recompute", "train.keep_last",
                           "train.stop_after", "train.time_limit", "train.shard"})
    erase_path(decides["options"], name);
  for (const auto& input : setup.inputs) decides["inputs"].push_back({input.role, input.content});
  setup.key = sha256_hex(compact(decides));
  return setup;
}

void write_run_folder(const RunSetup& setup) {
  make_dirs(setup.run);
  // JSON is YAML: `helio COMMAND --config run.yaml` reads it back.
  write_file_atomic(setup.run / "run.yaml", pretty(setup.given));
  utsname system = {};
  uname(&system);
  write_file_atomic(setup.run / "env.json",
                    pretty({{"helio", std::string(version())},
                            {"code", code_hash("train")},
                            {"command", setup.command_line},
                            {"key", setup.key},
                            {"threads", setup.threads},
                            {"cpu", cpu_model()},
                            {"cores", std::thread::hardware_concurrency()},
                            {"system", std::string(system.sysname) + " " + system.release + " " +
                                           system.machine}}));
}

void check_output(const std::filesystem::path& out) {
  if (!fs::exists(out) || has_manifest(out)) return;
  const auto ours =
      [](const fs::directory_entry& entry) {  // also parts of a folder of models, cut off
        const std::string name = entry.path().filename().string();
        return name.starts_with(kTemporaryPrefix) || name == "heldout.jsonl" ||
               has_manifest(entry.path());
      };
  if (fs::is_directory(out) &&
      std::all_of(fs::directory_iterator(out), fs::directory_iterator(), ours))
    return;
  throw Error(ErrorKind::invalid,
              "'" + out.string() + "' exists and was not made by helio: it is left alone")
      .with_hint("choose another --out, or remove it");
}

Manifest model_manifest(const RunSetup& setup, const std::filesystem::path& dir) {
  const fs::path plain = dir.filename().empty() ? dir.parent_path() : dir;
  Manifest manifest;
  manifest.kind = "model";
  manifest.name = plain.filename().string();
  manifest.made_by = setup.command;
  manifest.version = std::string(version());
  manifest.code = code_hash("train");
  manifest.inputs = setup.inputs;
  manifest.options = setup.options;
  return manifest;
}

void copy_tokenizer(const std::filesystem::path& source, const std::filesystem::path& dir,
                    const std::string& chat_template) {
  if (!fs::exists(source / "tokenizer.json"))
    throw Error(ErrorKind::not_found, "'" + source.string() + "' has no tokenizer.json")
        .with_hint("a model folder must carry its tokenizer; make one with helio tokenizer train");
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
                           "added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja"})
    if (fs::exists(source / name)) write_file_atomic(dir / name, read_file(source / name));
  const auto own = text::load_chat_files(source).templates;
  if (const fs::path more = source / "additional_chat_templates"; fs::is_directory(more)) {
    make_dirs(dir / more.filename());
    for (const auto& file : list_files(more, {".jinja"}))
      write_file_atomic(dir / more.filename() / file.filename(), read_file(file));
  }
  const auto found = own.find("default");
  const std::string& wanted =
      chat_template.empty() && own.empty() ? text::solar_template_jinja() : chat_template;
  if (!wanted.empty() && (found == own.end() || found->second.text != wanted))
    write_file_atomic(dir / "chat_template.jinja", wanted);
}

void copy_adapter(const std::filesystem::path& run, const std::filesystem::path& dir) {
  if (!fs::is_directory(run / "adapter")) return;
  make_dirs(dir / "adapter");
  for (const auto& file : list_files(run / "adapter"))
    write_file_atomic(dir / "adapter" / file.filename(), read_file(file));
  std::error_code ignored;
  fs::remove_all(run / "adapter", ignored);
}

void check_vocabulary(int64_t tokenizer_ids, int64_t embeddings,
                      const std::filesystem::path& tokenizer) {
  if (tokenizer_ids <= embeddings) return;
  throw Error(ErrorKind::invalid, "the tokenizer in '" + tokenizer.string() + "' has " +
                                      std::to_string(tokenizer_ids) + " ids, the model only " +
                                      std::to_string(embeddings) + " embeddings")
      .with_hint("use the tokenizer the model was made with");
}

void check_length(int64_t max_length, int64_t positions) {
  if (max_length <= positions) return;
  throw Error(ErrorKind::invalid, "max_length (" + std::to_string(max_length) +
                                      ") is longer than the model's " + std::to_string(positions) +
                                      " positions")
      .with_hint("lower max_length");
}

void add_to_key(RunSetup& setup, const text::ChatFormat& format) {
  setup.key = sha256_hex(setup.key + " " + sha256_hex(format.source()));
}

}  // namespace helio::train
