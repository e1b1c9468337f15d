#include "train/align.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "train/compute.h"
#include "train/estimate.h"

namespace helio::train {

PreferenceBatches::Options batch_options(const Optimisation& train) {
  return {.order = {.batch_size = train.batch_size,
                    .steps = train.steps,
                    .epochs = train.epochs,
                    .seed = static_cast<uint64_t>(train.seed)},
          .micro_batch_size = train.micro_batch_size};
}

LossFormula loss_formula(const PreferenceChoice& o) {
  return {o.loss,
          {.beta = o.beta,
           .label_smoothing = o.label_smoothing,
           .f_divergence = o.f_divergence,
           .f_alpha = o.f_alpha,
           .discopop_tau = o.discopop_tau,
           .simpo_gamma = o.simpo_gamma,
           .cpo_alpha = o.cpo_alpha,
           .desirable_weight = o.desirable_weight,
           .undesirable_weight = o.undesirable_weight}};
}

AlignRun::AlignRun(AlignOptions options, const PairCheck& contaminated)
    : options_(std::move(options)) {
  AlignOptions fresh;
  setup_ =
      set_up_run("align", describe(options_), describe(fresh), use_threads(options_.train.threads));
  check_output(setup_.out);
  if (options_.train.z_loss > 0)
    throw Error(ErrorKind::usage, "z_loss belongs to the cross entropy of pretrain and sft")
        .with_hint("leave train.z_loss out of helio align");
  if (!distributed::placement().alone() && options_.train.sharding.shard == "weights")
    throw Error(ErrorKind::usage,
                "alignment scores and samples with whole weights: they cannot be divided")
        .with_hint("use --train.shard gradients");
  const LossFormula formula = loss_formula(options_);
  config_ = checkpoint::load_decoder_config(options_.model);
  const auto tokenizer = text::load_tokenizer(options_.model);
  check_vocabulary(tokenizer->vocab_size(), config_.vocab_size, options_.model);
  check_length(options_.max_length, config_.longest_sequence());
  const auto format = text::ChatFormat::load(options_.model, *tokenizer, options_.chat_template);
  chat_template_ = format.source();
  add_to_key(setup_, format);
  auto loaded = text::load_preferences(options_.data, options_.limit, options_.dataset);
  refused_ = loaded.refused;
  check_contamination(loaded.rows, contaminated);
  data_ = encode_preferences(loaded.rows, format, options_.max_length, options_.heldout,
                             plain_texts(options_));
  if (loaded.unpaired > 0 && !formula.unpaired()) refuse_unpaired(loaded.unpaired, options_.loss);
  if (options_.chunks == "pairs") planned_chunks();  // enough pairs?
  const auto end = format.eos().empty() ? std::nullopt : tokenizer->id_of(format.eos());
  eos_ = end.value_or(-1);
}

// Pairs that share words with a benchmark are counted, and left out unless they are to be kept.
void AlignRun::check_contamination(std::vector<text::Preference>& rows,
                                   const PairCheck& contaminated) {
  if (options_.benchmarks.empty()) return;
  HELIO_CHECK(contaminated, "benchmarks are given with a check");
  std::vector<text::Preference> clean;
  for (auto& row : rows) {
    const bool shares = contaminated(row);
    contaminated_ += shares ? 1 : 0;
    if (!shares || options_.contaminated == "keep") clean.push_back(std::move(row));
  }
  rows = std::move(clean);
}

// Chunks of equal size without a model: how many steps there will be.
std::vector<std::vector<size_t>> AlignRun::planned_chunks() const {
  return make_chunks(std::vector<double>(data_.train.size()), options_.steps, "random", 0);
}

Workload AlignRun::workload() const {
  int64_t tokens = 0;  // of pairs whose prompt is read once
  for (const auto& pair : data_.train)
    tokens += static_cast<int64_t>(pair.prompt.size() + pair.chosen.size() + pair.rejected.size());
  const int64_t mean = tokens / static_cast<int64_t>(data_.train.size());
  int64_t steps = 0;
  for (const auto& chunk : planned_chunks()) steps += optimiser_steps(chunk.size());
  return {.steps = steps,
          .tokens = steps * options_.train.batch_size * mean,
          .sequence = mean,
          .step_rows = options_.train.batch_size,
          .micro_rows = options_.train.micro_batch_size,
          .forward_tokens = 3 * tokens,
          .train = options_.train,
          .processes = distributed::placement().size};
}

OrderedJson AlignRun::plan() const {
  OrderedJson plan = plan_json(setup_, config_, workload());
  plan["pairs"] = data_.train.size();
  plan["heldout_pairs"] = data_.heldout.size();
  plan["pairs_refused"] = refused_;
  plan["pairs_contaminated"] = contaminated_;
  plan["pairs_equal_after_cut"] = data_.equal_after_cut;
  plan["prompts_cut"] = data_.prompts_cut;
  plan["answers_cut"] = data_.answers_cut;
  return plan;
}

int64_t AlignRun::optimiser_steps(size_t pairs) const {
  ExampleOrder::Options order = batch_options(options_.train).order;
  order.examples = static_cast<int64_t>(pairs);
  return ExampleOrder(order).steps();
}

OrderedJson AlignRun::plan_chunks(Monitor& monitor, const StopRequest& stop) {
  OrderedJson plan = this->plan();
  if (needs_start_scores()) score_start(model::Decoder::load(options_.model), monitor, stop);
  const auto chunks = chunks_of_data();
  plan["chunks"] = OrderedJson::array();
  for (const auto& chunk : chunks) {
    OrderedJson sources = OrderedJson::object();
    for (const size_t i : chunk) {
      const std::string& source = data_.train[i].source;
      sources[source] = sources.value(source, int64_t(0)) + 1;
    }
    OrderedJson facts = {{"pairs", chunk.size()},
                         {"optimiser_steps", optimiser_steps(chunk.size())},
                         {"sources", sources}};
    if (!start_train_.empty()) facts.update(ease_of(chunk));
    plan["chunks"].push_back(facts);
  }
  plan["duplicates"] = duplicates_json(find_duplicates(data_.train, chunks));
  return plan;
}

bool AlignRun::needs_start_scores() const { return options_.order != "random"; }

// Scores of all pairs under M0.
void AlignRun::score_start(const model::Decoder& model, Monitor& monitor, const StopRequest& stop) {
  ReferenceScores references(reference_dir(), monitor, stop, link_.get());
  const std::string& content = setup_.inputs.front().content;
  start_train_ = references.get("start", model, content, data_.train);
  start_heldout_ = references.get("start-heldout", model, content, data_.heldout);
}

std::vector<std::vector<size_t>> AlignRun::chunks_of_data() const {
  const auto seed = static_cast<uint64_t>(options_.train.seed);
  std::vector<double> margins(data_.train.size());
  for (size_t i = 0; i < start_train_.size(); ++i)
    margins[i] = free_margin(data_.train[i], start_train_[i], options_.ease);
  if (options_.chunks == "pairs") return make_chunks(margins, options_.steps, options_.order, seed);
  std::vector<std::string> sources;
  for (const auto& pair : data_.train) sources.push_back(pair.source);
  return make_source_chunks(sources, margins, options_.steps, options_.order, seed);
}

// Parts of the same run are gone on from, refused or dropped as asked; parts of another are
// dropped.
void AlignRun::choose_continuation() {
  const Continuation& asked = options_.unfinished;
  if (asked.resume && asked.restart)
    throw Error(ErrorKind::usage, "resume and restart exclude each other");
  const fs::path record = setup_.run / "env.json";
  const Json env = fs::exists(record) ? Json::parse(read_file(record), nullptr, false) : Json();
  const bool same = env.is_object() && env.value("key", "") == setup_.key;
  if (asked.resume && same) return;
  const bool parts =
      fs::exists(setup_.out / "step-1") || fs::exists(setup_.run / "step-1" / "checkpoints");
  if (!asked.restart && parts && same && !has_manifest(setup_.out))
    throw Error(ErrorKind::usage, "an earlier run of the same alignment was cut off")
        .with_hint("go on:       " + setup_.command_line +
                   " --resume\n        start over:  " + setup_.command_line + " --restart");
  std::vector<fs::path> old;
  for (const auto& base : {setup_.out, setup_.run})
    if (fs::is_directory(base))
      for (const auto& entry : fs::directory_iterator(base)) old.push_back(entry.path());
  for (const auto& path : old) {
    const std::string name = path.filename().string();
    if (name.starts_with("step-") || (same && asked.restart && name == "reference"))
      fs::remove_all(path);
  }
}

std::string AlignRun::of_leader(const std::string& text) const {
  return link_ ? link_->gather(leads() ? text : std::string()).front() : text;
}

OrderedJson AlignRun::run(Monitor& shown, const StopRequest& stop) {
  link_ = distributed::join(setup_.key);
  SilentMonitor silent;
  Monitor& monitor = leads() ? shown : silent;
  check_room(config_, workload(), room_here(setup_.run));
  if (leads()) {
    choose_continuation();
    fs::remove(setup_.out / kManifestName);  // until every step is there again
    write_run_folder(setup_);
  }
  for (const auto& [reason, count] : refused_)
    monitor.note(std::to_string(count) + " pairs left out: " + reason);
  if (contaminated_ > 0 && options_.contaminated == "keep")
    monitor.warn(std::to_string(contaminated_) +
                 " pairs share words with a benchmark and are trained on: scores on it will look "
                 "better than they are");
  else if (contaminated_ > 0)
    monitor.note(std::to_string(contaminated_) +
                 " pairs left out: they share words with a benchmark");
  if (data_.equal_after_cut > 0)
    monitor.note(std::to_string(data_.equal_after_cut) +
                 " pairs left out: what tells their answers apart lies beyond max_length");
  if (data_.prompts_cut + data_.answers_cut > 0)
    monitor.note(std::to_string(data_.prompts_cut) + " prompts cut on the left and " +
                 std::to_string(data_.answers_cut) + " answers at the end, to max_length");

  ArtefactInput previous = setup_.inputs.front();  // M0
  model::Decoder model = model::Decoder::load(options_.model);
  score_start(model, monitor, stop);
  const auto chunks = chunks_of_data();
  const Duplicates duplicates = find_duplicates(data_.train, chunks);
  if (duplicates.across_chunks > 0)
    monitor.warn(std::to_string(duplicates.across_chunks) +
                 " pairs also stand in an earlier chunk: the reference of their step was trained "
                 "on them, and will look better than it is");

  OrderedJson steps = OrderedJson::array();
  int64_t number = 0;
  for (const auto& chunk : chunks) {
    const Step step = next_step(++number, previous, chunk);
    if (!of_leader(finished(step) ? "finished" : "").empty()) {
      monitor.note(step.name() + " is there already");
      model = model::Decoder::load(step.out);
    } else {
      in_context([&] { return "in sDPO step " + std::to_string(number); },
                 [&] { take_step(step, model, monitor, stop); });
      if (leads()) Checkpoints(step.run, step.key).clear();
    }
    if (leads()) previous = describe_input("model", step.out);
    previous.content = of_leader(previous.content);
    previous.name = setup_.out.filename().string() + "/" + step.name();
    if (leads()) steps.push_back(load_manifest(step.out).facts);
  }
  if (!leads()) return nullptr;
  const OrderedJson facts = {
      {"pairs", data_.train.size()},
      {"heldout_pairs", data_.heldout.size()},
      {"pairs_refused", refused_},
      {"pairs_contaminated", contaminated_},
      {"pairs_equal_after_cut", data_.equal_after_cut},
      {"prompts_cut", data_.prompts_cut},
      {"answers_cut", data_.answers_cut},
      {"duplicates", duplicates_json(duplicates)},
      {"start_heldout_preference", free_accuracy(data_.heldout, start_heldout_).json()},
      {"steps", steps}};
  finish(facts);
  return facts;
}

AlignRun::Step AlignRun::next_step(int64_t number, const ArtefactInput& previous,
                                   const std::vector<size_t>& chunk) const {
  Step step{.number = number, .start = previous, .reference = previous, .chunk = chunk};
  step.start.role = "model";
  step.reference.role = "reference";
  for (const auto& input : setup_.inputs)
    if (number == 1 && input.role == "reference") step.reference = input;
  step.key = sha256_hex(setup_.key + " " + step.name() + " " + previous.content);
  step.out = setup_.out / step.name();
  step.run = setup_.run / step.name();
  return step;
}

fs::path AlignRun::reference_dir() const {
  return options_.references.empty() ? setup_.run / "reference" : fs::path(options_.references);
}

bool AlignRun::finished(const Step& step) const {
  return has_manifest(step.out) && load_manifest(step.out).facts.value("run_key", "") == step.key;
}

std::vector<EncodedPreference> AlignRun::chunk_pairs(const std::vector<size_t>& chunk) const {
  std::vector<EncodedPreference> pairs;
  for (const size_t i : chunk) pairs.push_back(data_.train[i]);
  return pairs;
}

}  // namespace helio::train
