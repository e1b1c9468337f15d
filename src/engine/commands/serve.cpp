// Serve models over an OpenAI-compatible API.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <ostream>

#include "checkpoint/model_copy.h"
#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "engine/load_served_model.h"
#include "engine/precision_options.h"
#include "nn/runtime.h"
#include "serve/service.h"

namespace helio::engine {
namespace {

class ServeCommand final : public cli::Command {
 public:
  cli::Card card() const override {
    return {.positional = {"models"},
            .repeated = {"adapter", "draft"},
            .required = {"models"},
            .examples = {"helio serve models/sdpo/step-2",
                         "helio serve chat=models/sdpo base=models/base --port 8000",
                         "helio serve models/* --memory 8GiB",
                         "helio serve models/upscaled --draft models/base",
                         "helio serve models/base --adapter legal=runs/legal",
                         "helio serve models/chat --address 0.0.0.0 --api-key-file keys.txt"}};
  }

  void describe(Fields& f) override {
    f("models", models_,
      "Model folders (Hugging Face layout) or GGUF files, each DIR or NAME=DIR; the first also "
      "answers requests that name no model.");
    f("address", http_.address, "IP address to listen on; 0.0.0.0: all, which needs API keys.");
    f("port", port_, "Port to listen on; 0: any free one.", between(0, 65535));
    f("api_key_file", key_file_, "Keys that clients may send as bearer tokens, one a line.");
    f("allow_host", access_.hosts, "Names this server goes by, for the Host check.");
    f("allow_origin", access_.origins, "Web pages that may call it (https://site); *: any.");
    describe_precision(f, dtype_, weights_);
    f("adapter", adapters_,
      "LoRA adapters of the first model as PEFT saves them, NAME=DIR: each is served as a model of "
      "that name.");
    f("draft", drafts_,
      "Smaller models with the same vocabulary that propose tokens (the answers stay, it may be "
      "faster): DIR for the only model, NAME=DIR.");
    f("draft_tokens", engine_.draft_tokens, "Tokens they propose at a time.", between(1, 64));
    f("slots", engine_.slots, "Answers that are generated at once.", between(1, 1024));
    f("queue", engine_.waiting, "Requests that may wait; more are told 429.", at_least(0));
    f("cache_tokens", engine_.cache_tokens,
      "Tokens whose keys and values are held, by model; 0: four of the longest sequences.",
      at_least(0));
    f("memory", memory_,
      "Room for models (8GiB): they are loaded when asked for, and the one unused for longest "
      "makes "
      "way. Empty: all are loaded and stay.");
    f("grace", grace_, "Seconds that answers in work have to end after SIGTERM.", at_least(0));
    f("threads", threads_, "CPU threads; 0: all cores.", at_least(0));
  }

  int run(cli::Context& context) override {
    http_.port = static_cast<uint16_t>(port_);
    if (!key_file_.empty()) access_.keys = serve::read_keys(key_file_);
    access_.loopback = http_.address == "127.0.0.1" || http_.address == "::1";
    if (!access_.loopback && access_.keys.empty())
      throw Error(ErrorKind::usage, "an address that others can reach needs --api-key-file")
          .with_hint("one key a line; openssl rand -hex 24 makes one");
    nn::prepare_runtime(threads_);
    // Listens first: a port that is taken shows before a model is loaded. The service is declared
    // behind the server, which outlives all replies.
    serve::Service* service_at = nullptr;
    serve::HttpServer server(http_, [&](serve::HttpRequest request, serve::HttpReply reply) {
      service_at->handle(std::move(request), std::move(reply));
    });
    const auto named = named_models();
    serve::Service service(
        memory_.empty() ? load_all(named, context) : load_when_asked(named, context), access_);
    service_at = &service;
    const std::string url = fmt::format("http://{}:{}", shown_address(), server.port());
    if (context.json) context.out << compact({{"url", url}, {"port", server.port()}}) << std::endl;
    context.monitor.note("serving at " + url + "/v1 (Ctrl-C ends)");
    server.run([&] {
      service.tick();
      if (!context.stop.raised() || stopping_) return;
      stopping_ = true;
      context.monitor.note(fmt::format("stopping: {} answers in work have {} s to end",
                                       service.answering(), grace_));
      service.begin_draining();
      server.stop(grace_);
    });
    context.monitor.note("stopped");
    return 0;
  }

 private:
  struct Named {
    std::string name = {}, dir = {}, draft = {}, adapter = {};
  };

  std::vector<Named> named_models() const {
    std::vector<Named> out;
    for (const auto& word : models_) {
      const auto [name, dir] = split_name(word);
      if (find(out, name))
        throw Error(ErrorKind::usage, "two models are named '" + name + "'")
            .with_hint("NAME=DIR gives another name");
      out.push_back({.name = name, .dir = dir});
    }
    const Named first = out[0];
    for (const auto& word : adapters_) {
      if (!has_name(word))
        throw Error(ErrorKind::usage, "--adapter takes NAME=DIR, not '" + word + "'");
      const auto [name, dir] = split_name(word);
      if (find(out, name))
        throw Error(ErrorKind::usage, "--adapter: there is a model named '" + name + "' already");
      out.push_back({.name = name, .dir = first.dir, .adapter = dir});
    }
    for (const auto& word : drafts_) {
      const bool plain = !has_name(word);
      if (plain && models_.size() > 1)
        throw Error(ErrorKind::usage, "whose draft is '" + word + "'?")
            .with_hint("--draft NAME=DIR says for which of the models");
      const auto [name, dir] = plain ? std::pair(out[0].name, word) : split_name(word);
      Named* const model = find(out, name);
      if (!model) throw Error(ErrorKind::usage, "--draft: no model is named '" + name + "'");
      if (!model->draft.empty())
        throw Error(ErrorKind::usage, "--draft: two drafts for '" + name + "'");
      model->draft = dir;
    }
    return out;
  }

  static Named* find(std::vector<Named>& models, const std::string& name) {
    const auto found = std::find_if(models.begin(), models.end(),
                                    [&](const Named& model) { return model.name == name; });
    return found == models.end() ? nullptr : &*found;
  }

  std::unique_ptr<serve::ModelShelf> load_all(const std::vector<Named>& named,
                                              cli::Context& context) const {
    std::vector<serve::ServedModel> models;
    for (const auto& one : named) {
      context.monitor.note("loading " + one.name + " from " + one.dir +
                           (one.adapter.empty() ? "" : " with " + one.adapter));
      models.push_back(load_served_model(one.name, one.dir, options(one)));
    }
    return std::make_unique<serve::ModelShelf>(std::move(models));
  }

  std::unique_ptr<serve::ModelShelf> load_when_asked(const std::vector<Named>& named,
                                                     cli::Context& context) const {
    std::vector<serve::ShelvedModel> models;
    for (const auto& one : named) {
      const uint64_t bytes = memory_of_served_model(one.dir, options(one));
      context.monitor.note(
          fmt::format("{} from {}: {} MiB when loaded", one.name, one.dir, bytes >> 20));
      models.push_back(
          {.name = one.name,
           .created = static_cast<int64_t>(std::time(nullptr)),
           .facts = served_model_facts(one.dir, options(one)),
           .bytes = bytes,
           .load = [this, one] { return load_served_model(one.name, one.dir, options(one)); }});
    }
    return std::make_unique<serve::ModelShelf>(std::move(models),
                                               checkpoint::parse_byte_size(memory_));
  }

  ServedModelOptions options(const Named& model) const {
    return {.dtype = dtype_,
            .weights = weights_,
            .draft = model.draft,
            .adapter = model.adapter,
            .engine = engine_};
  }

  static bool has_name(const std::string& word) {
    const size_t mark = word.find('=');
    return mark != word.npos && word.find('/') > mark;
  }
  static std::pair<std::string, std::string> split_name(const std::string& word) {
    if (has_name(word)) return {word.substr(0, word.find('=')), word.substr(word.find('=') + 1)};
    fs::path dir = word;
    if (dir.filename().empty()) dir = dir.parent_path();
    if (dir.extension() == ".gguf" && fs::is_regular_file(dir)) dir.replace_extension();
    return {fs::absolute(dir).lexically_normal().filename().string(), word};
  }
  std::string shown_address() const {
    return http_.address.find(':') == std::string::npos ? http_.address : "[" + http_.address + "]";
  }

  std::vector<std::string> models_ = {}, adapters_ = {}, drafts_ = {};
  std::string key_file_ = {}, memory_ = {}, dtype_ = "float32", weights_ = "f32";
  int64_t port_ = 8000, grace_ = 20, threads_ = 0;
  serve::HttpOptions http_ = {};
  serve::AccessOptions access_ = {};
  model::EngineOptions engine_ = {};
  bool stopping_ = false;
};

}  // namespace
}  // namespace helio::engine
HELIO_COMMAND(helio::engine::ServeCommand)
