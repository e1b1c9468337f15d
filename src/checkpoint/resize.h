// A model for a larger (or padded, or shorter) vocabulary: the embedding and the output head get
// rows for the tokens of another tokenizer that continues the old one; everything else stays byte
// for byte. Torch-free, in constant memory.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/rewrite.h"
#include "checkpoint/safetensors.h"
#include "core/fields.h"
#include "core/json.h"
#include "core/monitor.h"

namespace helio::checkpoint {

// What two tokenizers say about the vocabulary (the text layer reads them).
struct VocabularyChange {
  int64_t tokens = 0;  // of the new tokenizer: its largest id + 1
  // Ids below keep their rows; the rest are new. None: all rows of the model are in use.
  std::optional<int64_t> base_tokens = {};
  // For each new token the old ids that stood for its text before. May lack tokens.
  std::map<int64_t, std::vector<int64_t>> pieces = {};
};

struct ResizeOptions {
  std::string model = {}, tokenizer = {}, out = {}, init = "mean";
  int64_t pad_to_multiple = 1, seed = 0;
  bool shrink = false;
  void describe(Fields& f) {
    f.input("model", model, "Model to resize (Hugging Face folder with safetensors).");
    f.input("tokenizer", tokenizer, "Tokenizer that continues the model's own (folder or file).");
    f("init", init,
      "What new rows begin as: the mean of the rows of the token's old pieces, zero, normal noise "
      "of the config's initializer_range, or the mean of all old rows.",
      one_of({"mean", "zero", "normal", "copy-mean-of-all"}));
    f("pad_to_multiple", pad_to_multiple, "Rows become a multiple of this.", between(1, 1 << 20));
    f("shrink", shrink, "Drop rows that the tokenizer does not use; otherwise rows only grow.");
    f("seed", seed, "For init normal.");
    f.output("out", out, "models", "Folder of the resized model.");
  }
};

// A resizing that is checked and ready; making it reads headers only.
class Resize {
 public:
  Resize(const ResizeOptions& options, VocabularyChange change);

  struct Plan {
    int64_t rows_before = 0, rows_after = 0;
    int64_t base_tokens = 0, tokens = 0;
    int64_t new_tokens = 0, with_pieces = 0;  // those whose row comes from their pieces
    int64_t reused_rows = 0;                  // new tokens on rows the model had as padding
    int64_t padding_rows = 0;                 // at the end, of no token
    int64_t parameters_before = 0, parameters_after = 0;
    std::vector<std::string> tensors = {};  // that have a row a token
  };
  const Plan& plan() const { return plan_; }
  // Tokenizer files of the model that the new tokenizer does not bring, and so are left out.
  const std::vector<std::string>& left_out() const { return left_out_; }

  // Writes options.out: weights (sharded as the source), config.json with the new vocab_size, the
  // new tokenizer's files, generation config, licences, manifest. The folder appears complete or
  // not at all; one made by helio before is replaced, any other is not.
  void write(Monitor& monitor, const StopRequest& stop) const;

 private:
  void find_tensors();
  void plan_rows();
  std::vector<OutputFile> files(
      const std::map<std::string, std::shared_ptr<const NewRows>>& rows) const;
  std::shared_ptr<const NewRows> rows_for(const TensorInfo& tensor, const StopRequest& stop) const;
  void seal(const std::filesystem::path& dir, std::vector<ArtefactFile> weights) const;

  ResizeOptions options_;
  VocabularyChange change_;
  SafeTensors source_;
  OrderedJson config_ = {};
  std::string config_path_ = {};
  double deviation_ = 0.02;  // of init normal
  std::vector<const TensorInfo*> tables_ = {};
  Plan plan_ = {};
  std::vector<std::string> left_out_ = {};
};

}  // namespace helio::checkpoint
