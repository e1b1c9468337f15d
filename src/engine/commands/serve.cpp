// Serve models over an OpenAI-compatible API.
#include <fmt/format.h>

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
            .required = {"models"},
            .examples = {"helio serve models/sdpo/step-2",
                         "helio serve chat=models/sdpo base=models/base --port 8000",
                         "helio serve models/* --memory 8GiB",
                         "helio serve models/chat --address 0.0.0.0 --api-key-file keys.txt"}};
  }

  void describe(Fields& f) override {
    f("models", models_,
      "Model folders (Hugging Face layout), each DIR or NAME=DIR; the first also answers requests "
      "that name no model.");
    f("address", http_.address, "IP address to listen on; 0.0.0.0: all, which needs API keys.");
    f("port", port_, "Port to listen on; 0: any free one.", between(0, 65535));
    f("api_key_file", key_file_, "Keys that clients may send as bearer tokens, one a line.");
    f("allow_host", access_.hosts, "Names this server goes by, for the Host check.");
    f("allow_origin", access_.origins, "Web pages that may call it (https://site); *: any.");
    describe_precision(f, dtype_, weights_);
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
  using Named = std::vector<std::pair<std::string, std::string>>;  // names and folders

  Named named_models() const {
    Named out;
    for (const auto& word : models_) {
      out.push_back(split_name(word));
      for (size_t i = 0; i + 1 < out.size(); ++i)
        if (out[i].first == out.back().first)
          throw Error(ErrorKind::usage, "two models are named '" + out[i].first + "'")
              .with_hint("NAME=DIR gives another name");
    }
    return out;
  }

  std::unique_ptr<serve::ModelShelf> load_all(const Named& named, cli::Context& context) const {
    std::vector<serve::ServedModel> models;
    for (const auto& [name, dir] : named) {
      context.monitor.note("loading " + name + " from " + dir);
      models.push_back(load_served_model(name, dir, options()));
    }
    return std::make_unique<serve::ModelShelf>(std::move(models));
  }

  std::unique_ptr<serve::ModelShelf> load_when_asked(const Named& named,
                                                     cli::Context& context) const {
    std::vector<serve::ShelvedModel> models;
    for (const auto& [name, dir] : named) {
      const uint64_t bytes = memory_of_served_model(dir, options());
      context.monitor.note(fmt::format("{} from {}: {} MiB when loaded", name, dir, bytes >> 20));
      models.push_back({.name = name,
                        .created = static_cast<int64_t>(std::time(nullptr)),
                        .bytes = bytes,
                        .load = [this, name = name, dir = dir] {
                          return load_served_model(name, dir, options());
                        }});
    }
    return std::make_unique<serve::ModelShelf>(std::move(models),
                                               checkpoint::parse_byte_size(memory_));
  }

  ServedModelOptions options() const {
    return {.dtype = dtype_, .weights = weights_, .engine = engine_};
  }

  static std::pair<std::string, std::string> split_name(const std::string& word) {
    const size_t mark = word.find('=');
    if (mark != word.npos && word.find('/') > mark)
      return {word.substr(0, mark), word.substr(mark + 1)};
    fs::path dir = word;
    if (dir.filename().empty()) dir = dir.parent_path();
    return {fs::absolute(dir).lexically_normal().filename().string(), word};
  }
  std::string shown_address() const {
    return http_.address.find(':') == std::string::npos ? http_.address : "[" + http_.address + "]";
  }

  std::vector<std::string> models_ = {};
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
