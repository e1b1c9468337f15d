// Whole runs in a small workspace, and a way to stop them at a step.
#pragma once

#include "core/error.h"
#include "train/pretrain.h"
#include "workspace.h"

namespace helio::train {

// Asks to stop once `step` is done.
class StopAt final : public Monitor {
 public:
  StopAt(StopRequest& stop, int64_t step) : stop_(stop), step_(step) {}
  void begin(std::string_view, int64_t, std::string_view unit) override {
    steps_ = unit == "steps";
  }
  void at(int64_t done, std::string_view) override {
    if (steps_ && done == step_) stop_.raise();
  }
  void end(std::string_view) override {}
  void note(std::string_view) override {}
  void warn(std::string_view) override {}

 private:
  StopRequest& stop_;
  int64_t step_;
  bool steps_ = false;
};

inline ErrorKind kind_of(const std::function<void()>& body, std::string* text = nullptr) {
  try {
    body();
  } catch (const Error& error) {
    if (text) *text = error.what();
    return error.kind();
  }
  ADD_FAILURE() << "no error";
  return ErrorKind::internal;
}

class Runs : public testing::Test {
 protected:
  void SetUp() override {
    write_tokenizer(dir_ / "tokenizer");
    write_tokens(dir_ / "tokens", {});
  }
  PretrainOptions options(const std::string& name) {
    PretrainOptions o;
    o.tokens = (dir_ / "tokens").string();
    o.tokenizer = (dir_ / "tokenizer").string();
    o.out = (dir_ / "models").string() + "/" + name;
    o.run = (dir_ / "runs").string() + "/" + name;
    o.sequence = 24;
    o.model = tiny_shape();
    o.sampling = tiny_sampling();
    o.train = tiny_training();
    return o;
  }
  std::string model_hash(const std::string& name) const {
    return load_manifest(dir_ / "models" / name).content;
  }
  std::string metrics(const std::string& name) const {
    return untimed_metrics(dir_ / "runs" / name);
  }
  // A small model to start from.
  std::string base() {
    if (!has_manifest(dir_ / "models" / "base")) PretrainRun(options("base")).run(monitor_, stop_);
    return (dir_ / "models").string() + "/base";
  }
  std::string write_rows(const std::string& name, const std::vector<Json>& rows) {
    std::string text;
    for (const Json& row : rows) text += row.dump() + "\n";
    write_file_atomic(dir_ / name, text);
    return (dir_ / name).string();
  }

  TempDir dir_;
  SilentMonitor monitor_;
  StopRequest stop_;
};

}  // namespace helio::train
