// Fine-tuning: whose chat template is used and saved, plain texts, frozen weights.
#include "train/sft.h"

#include "run_fixture.h"

namespace helio::train {
namespace {

class FineTunings : public Runs {
 protected:
  SftOptions sft_options(const std::string& name) {
    std::vector<Json> rows;
    for (int i = 0; i < 8; ++i)
      rows.push_back({{"prompt", "Question " + std::to_string(i)},
                      {"completion", "Answer " + std::to_string(i)}});
    SftOptions o;
    o.model = base();
    o.data = write_rows("sft.jsonl", rows);
    o.out = (dir_ / "models").string() + "/" + name;
    o.run = (dir_ / "runs").string() + "/" + name;
    o.max_length = 64;
    o.heldout = 0;
    o.sampling = tiny_sampling();
    o.train = tiny_training();
    o.train.steps = 2;
    return o;
  }
  std::string saved_template(const SftOptions& o) const {
    return text::load_chat_files(o.out).templates.at("default").text;
  }
  // A copy of the base model with other files beside it.
  std::string model_with(const std::string& name, const std::string& chat_template) {
    const fs::path dir = dir_ / "models" / name;
    fs::copy(base(), dir);
    fs::remove(dir / "chat_template.jinja");
    fs::remove(dir / kManifestName);
    if (!chat_template.empty()) write_file_atomic(dir / "chat_template.jinja", chat_template);
    return dir.string();
  }
  const std::string own_ =
      "{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}"
      "{% if add_generation_prompt %}<assistant>{% endif %}";
};

TEST_F(FineTunings, TheModelsOwnTemplateIsUsedAndKept) {
  auto o = sft_options("own");
  o.model = model_with("templated", own_);
  SftRun(o).run(monitor_, stop_);
  EXPECT_EQ(saved_template(o), own_);
  auto other = sft_options("solar");
  other.model = o.model;
  other.chat_template = "solar";
  SftRun(other).run(monitor_, stop_);
  EXPECT_EQ(saved_template(other), text::solar_template_jinja());
  EXPECT_NE(model_hash("own"), model_hash("solar"));
}

TEST_F(FineTunings, WithoutATemplateTheNextStepIsSaid) {
  auto o = sft_options("none");
  o.model = model_with("bare", "");
  std::string what;
  EXPECT_EQ(kind_of([&] { SftRun{o}; }, &what), ErrorKind::not_found);
  EXPECT_NE(what.find("no chat template"), std::string::npos) << what;
  o.chat_template = "solar";
  EXPECT_GT(SftRun(o).plan()["tokens"].get<int64_t>(), 0);
}

TEST_F(FineTunings, PlainTextsAreShorterThanChats) {
  auto chat = sft_options("chat"), plain = sft_options("plain");
  plain.texts = "plain";
  EXPECT_LT(SftRun(plain).plan()["tokens"].get<int64_t>(),
            SftRun(chat).plan()["tokens"].get<int64_t>());
}

TEST_F(FineTunings, FrozenWeightsStayAsTheyAre) {
  auto o = sft_options("frozen");
  o.train.warmup_ratio = 0;
  o.train.freeze = {"model.embed_tokens.*", "model.layers.0.*"};
  SftRun(o).run(monitor_, stop_);
  const auto before = model::Decoder::load(o.model), after = model::Decoder::load(o.out);
  const c10::AutoGradMode no_grad(false);
  for (size_t i = 0; i < before.parameters().size(); ++i) {
    const auto& [name, weight] = before.parameters()[i];
    const bool frozen = name.find("embed") != name.npos || name.find("layers.0.") != name.npos;
    EXPECT_EQ(difference(weight, after.parameters()[i].tensor) == 0, frozen) << name;
  }
  o.train.freeze = {"nothing.*"};
  o.out += "2";
  EXPECT_EQ(kind_of([&] { SftRun(o).run(monitor_, stop_); }), ErrorKind::invalid);
}

}  // namespace
}  // namespace helio::train
