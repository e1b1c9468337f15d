// Options of the training commands. Torch-free: recipes are checked by programs without LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"

namespace helio::train {

// Shape of a new decoder (Llama architecture).
struct ModelShape {
  int64_t layers = 8, hidden = 192, heads = 6, kv_heads = 2, ffn = 512, context = 512;
  double rope_theta = 10000, norm_eps = 1e-5, init_std = 0.02;
  bool tied = true;
  void describe(Fields& f) {
    f("layers", layers, "Decoder layers.", at_least(1));
    f("hidden", hidden, "Width of the residual stream.", at_least(1));
    f("heads", heads, "Attention heads.", at_least(1));
    f("kv_heads", kv_heads, "Key/value heads (grouped-query attention).", at_least(1));
    f("ffn", ffn, "Width of the feed-forward layer.", at_least(1));
    f("context", context, "Positions the model is made for.", at_least(2));
    f("rope_theta", rope_theta, "Base of the rotary embedding.", at_least(1));
    f("norm_eps", norm_eps, "Epsilon of RMSNorm.");
    f("init_std", init_std, "Standard deviation of the initial weights.");
    f("tied", tied, "Share the embedding with the output head.");
  }
};

// How the processes of a run divide what they keep (helio launch, torchrun, srun).
struct Sharding {
  std::string shard = "none";
  void describe(Fields& f) {
    f("shard", shard,
      "What each process of a run keeps a part of only: nothing; the optimiser's state (ZeRO-1); "
      "that and the summed gradients (ZeRO-2); these and the weights (ZeRO-3), with "
      "train.recompute.",
      one_of({"none", "optimizer", "gradients", "weights"}));
  }
};

// How any model is optimised.
struct Optimisation {
  int64_t steps = 0;
  double epochs = 1;
  int64_t batch_size = 8, micro_batch_size = 0;
  double lr = 1e-3, min_lr_ratio = 0.1, warmup_ratio = 0.05, weight_decay = 0.1;
  double beta1 = 0.9, beta2 = 0.95, eps = 1e-8, clip = 1.0;
  std::string schedule = "cosine";
  double decay_ratio = 0.2;
  std::vector<std::string> freeze = {}, lora_targets = {"*_proj.weight"};
  int64_t lora_rank = 0;
  double lora_alpha = 16;
  int64_t seed = 42, threads = 0;
  int64_t save_every = 50, log_every = 1, validate_every = 0;
  std::string dtype = "float32";
  bool recompute = false;
  std::string optimizer = "adamw", muon_scale = "as_adamw";
  double muon_momentum = 0.95, ema = 0, z_loss = 0;
  double spike_factor = 0;
  std::string spike_action = "skip";
  bool noise_scale = false;
  int64_t stop_after = 0, keep_last = 2;
  double time_limit = 0;
  bool keep_best = false;
  Sharding sharding = {};
  void describe(Fields& f) {
    f("steps", steps, "Optimiser steps; 0: as many as `epochs` gives.", at_least(0));
    f("epochs", epochs, "Passes over the data when steps is 0.", at_least(0));
    f("batch_size", batch_size, "Sequences (pairs, for alignment) in an optimiser step.",
      at_least(1));
    f("micro_batch_size", micro_batch_size, "Sequences in a forward pass; 0: all at once.",
      at_least(0));
    f("lr", lr, "Peak learning rate.", at_least(0));
    f("min_lr_ratio", min_lr_ratio, "Final learning rate as a share of the peak.", between(0, 1));
    f("warmup_ratio", warmup_ratio, "Share of the steps that warm up linearly.", between(0, 1));
    f("weight_decay", weight_decay, "Decoupled decay of 2-D weights (norms are left alone).",
      at_least(0));
    f("beta1", beta1, "AdamW's first moment.", between(0, 1));
    f("beta2", beta2, "AdamW's second moment.", between(0, 1));
    f("eps", eps, "AdamW's epsilon.", at_least(0));
    f("clip", clip, "Largest gradient norm; 0 does not clip.", at_least(0));
    f("schedule", schedule, "How the learning rate falls after the warm-up.",
      one_of({"cosine", "linear", "constant", "wsd"}));
    f("decay_ratio", decay_ratio, "Share of the steps at the end in which wsd's rate falls.",
      between(0, 1));
    f("freeze", freeze,
      "Weights that are not trained: patterns of their names, as model.layers.[0-9].*");
    f("lora_rank", lora_rank,
      "Rank of LoRA adapters that are trained in the weights' place, and merged; 0: the weights.",
      at_least(0));
    f("lora_alpha", lora_alpha, "LoRA's alpha: adapters count alpha / rank.");
    f("lora_targets", lora_targets, "Weights that get adapters: patterns of their names.");
    f("seed", seed, "Seed of initialisation and data order.", at_least(0));
    f("threads", threads, "CPU threads; 0: all cores. Part of what makes runs repeat to the bit.",
      at_least(0));
    f("optimizer", optimizer,
      "adamw; adamw8bit (its state in a quarter of the memory); muon (matrices inside the layers; "
      "AdamW for the rest); adafactor (next to no state).",
      one_of({"adamw", "adamw8bit", "muon", "adafactor"}));
    f("muon_momentum", muon_momentum, "Muon's momentum.", between(0, 1));
    f("muon_scale", muon_scale,
      "Muon's step size: as_adamw (lr and weight_decay mean what they mean for AdamW), or "
      "original.",
      one_of({"as_adamw", "original"}));
    f("ema", ema,
      "Decay of a moving average of the weights, written to OUT/ema (0.999 is usual); 0: none.",
      between(0, 1));
    f("z_loss", z_loss,
      "Weight of the squared log of the softmax's denominator in the loss (PaLM: 1e-4); not in "
      "alignment.",
      at_least(0));
    f("spike_factor", spike_factor,
      "A step is a spike when its gradient's norm is so many times the median of the last 32 "
      "steps', or its loss as far out; 0: nothing is.",
      at_least(0));
    f("spike_action", spike_action,
      "What becomes of a spike: its step changes no weight (ten in a row stop the run), or the run "
      "stops at once.",
      one_of({"skip", "stop"}));
    f("noise_scale", noise_scale,
      "Report gradient_noise_scale, the batch size in targets beyond which more brings little; "
      "needs two micro-batches a step.");
    f("dtype", dtype,
      "What factors of matrix products are rounded to; weights, sums and the optimiser stay f32. "
      "auto: bfloat16 where the processor multiplies it faster (AMX, AVX512_BF16), else float32.",
      one_of({"float32", "bfloat16", "auto"}));
    f("recompute", recompute,
      "Keep only each layer's input for the backward pass and compute the layer once more there: "
      "less memory, about a third more time, the same numbers.");
    f("save_every", save_every, "Steps between checkpoints to resume from; 0: only when stopped.",
      at_least(0));
    f("keep_last", keep_last, "Checkpoints kept to resume from.", at_least(1));
    f("keep_best", keep_best,
      "Keep the weights that had the lowest held-out loss: in RUN/best, and in OUT/best at the "
      "end.");
    f("stop_after", stop_after,
      "Save and stop (exit 75) after so many steps of this call; 0: at the end.", at_least(0));
    f("time_limit", time_limit,
      "Save and stop (exit 75) after so many minutes of this call; 0: at the end.", at_least(0));
    f("log_every", log_every, "Steps between lines of metrics.", at_least(1));
    f("validate_every", validate_every, "Steps between held-out losses; 0: start and end only.",
      at_least(0));
    sharding.describe(f);
  }
};

// What is written to show how far a model has come.
struct Sampling {
  int64_t samples = 2, sample_tokens = 48;
  void describe(Fields& f) {
    f("samples", samples,
      "Beginnings (of held-out documents or conversations) that the model goes on from at each "
      "checkpoint and at the end; 0: none.",
      at_least(0));
    f("sample_tokens", sample_tokens, "Longest of these texts, in tokens.", at_least(1));
  }
};

// What to do when a run was cut off earlier and left checkpoints.
struct Continuation {
  bool resume = false, restart = false;
  void describe(Fields& f) {
    f("resume", resume,
      "Go on from the last checkpoint of the same run; start when there is none.");
    f("restart", restart, "Drop the checkpoints of an unfinished run and start over.");
  }
};

// helio pretrain: from scratch, or continued from `init`.
struct PretrainOptions {
  std::string tokens = {}, tokenizer = {}, init = {}, out = {}, run = {};
  int64_t sequence = 512, heldout_tokens = 65536;
  ModelShape model = {};
  Sampling sampling = {};
  Optimisation train = {};
  Continuation unfinished = {};
  void describe(Fields& f) {
    f.input("tokens", tokens, "Token shards (helio tokens build).");
    f.input("tokenizer", tokenizer,
            "Tokenizer the shards were made with; copied beside the model.");
    f.input("init", init, "Model to continue from; empty: from scratch with the shape below.");
    f("sequence", sequence, "Tokens in a packed training sequence.", at_least(2));
    f("heldout_tokens", heldout_tokens,
      "Held-out tokens that eval/loss is measured on (a fixed sample); 0: all.", at_least(0));
    sampling.describe(f);
    f.section("model", model, "Shape of a new model.");
    f.section("train", train, "Optimisation.");
    f.output("out", out, "models", "Folder of the trained model (Hugging Face layout).");
    f.output("run", run, "runs", "Folder of metrics, logs and checkpoints.");
    unfinished.describe(f);
  }
};

// How conversations are read and written, by fine-tuning and by alignment.
struct ConversationChoice {
  std::string dataset = {}, chat_template = "auto", texts = "chat";
  void describe_dataset(Fields& f) {
    f("dataset", dataset,
      "A name in LLaMA-Factory's dataset_info.json, where data is the folder that holds it.");
  }
  void describe_writing(Fields& f) {
    f("chat_template", chat_template,
      "Template of the conversations: auto (the model's own), solar, chatml, or a Jinja file; "
      "saved "
      "with the model.");
    f("texts", texts,
      "How prompts and answers without roles are read: as what a user and the assistant say, or as "
      "they stand, without the template.",
      one_of({"chat", "plain"}));
  }
};

// helio sft: supervised fine-tuning on conversations.
struct SftOptions : ConversationChoice {
  std::string model = {}, data = {}, out = {}, run = {};
  int64_t max_length = 512, limit = 0;
  double heldout = 0.05;
  std::string loss_on = "assistant", packing = "none";
  Sampling sampling = {};
  Optimisation train = {
      .epochs = 2, .batch_size = 16, .lr = 5e-4, .min_lr_ratio = 0.0, .weight_decay = 0.0};
  Continuation unfinished = {};
  void describe(Fields& f) {
    f.input("model", model, "Model to start from.");
    f.input("data", data,
            "JSON or JSONL: messages, ShareGPT's conversations, prompt/completion, or Alpaca's "
            "instruction/input/output.");
    describe_dataset(f);
    f("max_length", max_length, "Longer conversations are cut at the end.", at_least(8));
    f("limit", limit, "Use only the first so many examples; 0: all.", at_least(0));
    f("heldout", heldout,
      "Share of conversations kept for the held-out loss, by a hash of the user's words.",
      between(0, 0.9));
    f("loss_on", loss_on, "Which tokens are learned.", one_of({"assistant", "all"}));
    f("packing", packing,
      "How rows of max_length are filled: one conversation each, several that fit, or end to end "
      "and cut. None sees another.",
      one_of({"none", "best_fit", "stream"}));
    describe_writing(f);
    sampling.describe(f);
    f.section("train", train, "Optimisation.");
    f.output("out", out, "models", "Folder of the trained model.");
    f.output("run", run, "runs", "Folder of metrics, logs and checkpoints.");
    unfinished.describe(f);
  }
};

// How pairs are judged, by training and by `helio align score`.
struct PreferenceChoice : ConversationChoice {
  std::string loss = "sigmoid", f_divergence = "reverse_kl";
  double beta = 0.1, label_smoothing = 0.0;
  double f_alpha = 0.5, discopop_tau = 0.05, simpo_gamma = 0.5, cpo_alpha = 1;
  double desirable_weight = 1, undesirable_weight = 1;
  int64_t max_length = 512, limit = 0;
  void describe_loss(Fields& f) {
    f("loss", loss,
      "Objective, by TRL's name: sigmoid (DPO), hinge, ipo, exo_pair, nca_pair, robust, bco_pair, "
      "sppo_hard, aot, aot_unpaired, apo_zero, apo_down, discopop, sft, sigmoid_norm, kto, "
      "apo_zero_unpaired, cpo, simpo, orpo; several with weights: sigmoid+0.2*sft.");
    f("beta", beta, "How closely the model is held to the reference.", at_least(0));
    f("label_smoothing", label_smoothing, "Share of preferences assumed flipped.", between(0, 0.5));
    f("f_divergence", f_divergence, "How the log-ratio to the reference becomes a score.",
      one_of({"reverse_kl", "forward_kl", "js_divergence", "alpha_divergence"}));
    f("f_alpha", f_alpha, "Order of alpha_divergence.");
    f("discopop_tau", discopop_tau, "Temperature of discopop's blend.");
    f("simpo_gamma", simpo_gamma, "simpo's target margin.");
    f("cpo_alpha", cpo_alpha, "Weight of cpo's cross entropy of the chosen answers.");
    f("desirable_weight", desirable_weight, "Weight of good answers in kto.", at_least(0));
    f("undesirable_weight", undesirable_weight, "Weight of bad answers in kto.", at_least(0));
  }
  void describe_data(Fields& f) {
    describe_dataset(f);
    f("max_length", max_length,
      "Longest prompt and answer, in tokens; the prompt is cut on the left.", at_least(8));
    f("limit", limit, "Use only the first so many pairs; 0: all.", at_least(0));
    describe_writing(f);
  }
};

// helio align: (s)DPO. With steps T > 1 the data is cut into T chunks; step t starts from, and is
// measured against, the model of step t-1 (sDPO, Kim et al. 2024).
struct AlignOptions : PreferenceChoice {
  std::string model = {}, data = {}, reference = {}, out = {}, run = {}, references = {};
  std::string benchmarks = {}, contaminated = "drop";
  std::string order = "easy_to_hard", chunks = "pairs", ease = "per_token";
  double heldout = 0.1;
  bool reference_free = false;
  int64_t steps = 1, samples = 4, sample_tokens = 48;
  Optimisation train = {.epochs = 1,
                        .batch_size = 8,
                        .lr = 5e-5,
                        .min_lr_ratio = 0.0,
                        .warmup_ratio = 0.1,
                        .weight_decay = 0.0,
                        .schedule = "linear"};
  Continuation unfinished = {};
  void describe(Fields& f) {
    f.input("model", model, "Model to start from (M0).");
    f.input("data", data,
            "JSON or JSONL of preference pairs: prompt, chosen, rejected (TRL's columns, ShareGPT, "
            "Alpaca, HH-RLHF, Orca pairs, UltraFeedback), or prompt, completion, label for kto.");
    f.input("reference", reference, "Reference of the first step; empty: the model itself.");
    describe_loss(f);
    f("reference_free", reference_free,
      "Compare log-probabilities themselves, not their ratio to the reference's.");
    f("steps", steps, "Number of sDPO steps (chunks of the data); 1 is plain DPO.", at_least(1));
    f("order", order, "How the data is put into chunks: by the start model's ease, or at random.",
      one_of({"easy_to_hard", "hard_to_easy", "random"}));
    f("chunks", chunks,
      "What is ordered: single pairs by their margin, or whole sources by their accuracy (the "
      "paper's).",
      one_of({"pairs", "sources"}));
    f("ease", ease,
      "The start model's margin: log-probabilities of the answers per token, or summed.",
      one_of({"per_token", "sum"}));
    f("heldout", heldout, "Share of pairs kept for held-out accuracy, by a hash of the prompt.",
      between(0, 0.9));
    describe_data(f);
    f.input("benchmarks", benchmarks,
            "Benchmarks (a file of JSON lines, or a folder of them): pairs that share a run of 13 "
            "words with one are told of.");
    f("contaminated", contaminated, "What becomes of those pairs.", one_of({"drop", "keep"}));
    f("samples", samples,
      "Held-out prompts answered before and after each step, and what KL is estimated from; 0: "
      "none.",
      at_least(0));
    f("sample_tokens", sample_tokens, "Longest of these answers, in tokens.", at_least(1));
    f.section("train", train, "Optimisation of each step.");
    f("references", references,
      "Folder of reference log-probabilities, to share among runs; empty: within the run's.");
    f.output("out", out, "models", "Folder: step-1/, step-2/ ... each a model.");
    f.output("run", run, "runs",
             "Folder of metrics, logs, checkpoints and reference log-probabilities.");
    unfinished.describe(f);
  }
};

// helio align score: what a model, and a reference, make of preference data.
struct ScoreOptions : PreferenceChoice {
  std::string model = {}, data = {}, reference = {}, references = {};
  int64_t threads = 0;
  void describe(Fields& f) {
    f.input("model", model, "Model to score with.");
    f.input("data", data,
            "JSON or JSONL of preference pairs: prompt, chosen, rejected (TRL's columns, ShareGPT, "
            "Alpaca, HH-RLHF, Orca pairs, UltraFeedback), or prompt, completion, label for kto.");
    f.input("reference", reference,
            "Reference model; empty: rewards are of the log-probabilities themselves.");
    f("references", references,
      "Folder of log-probabilities, to share among runs; empty: nothing is kept.");
    describe_loss(f);
    describe_data(f);
    f("threads", threads, "CPU threads; 0: all cores.", at_least(0));
  }
};

}  // namespace helio::train
