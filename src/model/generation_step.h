// One step of the engine: the next tokens of the sequences that a plan names, through the model,
// and what each chooses of them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "model/decoder.h"
#include "model/draft.h"
#include "model/page_pool.h"
#include "model/paged_cache.h"
#include "model/sequence.h"

namespace helio::model {

class GenerationStep {
 public:
  // How many rows go through a product: as many as there are, or, where each sequence has one,
  // whole groups of them, the rest filled with rows that nobody reads. Products sum groups of four
  // rows alike, what is left of a group otherwise (nn/product_kernels_impl.h), and from 24 rows on
  // LibTorch's do it (nn/packed_weight.cpp).
  enum class Rows { as_many, whole_groups };
  static constexpr int64_t kRowGroup = 4;

  // `draft` may be null; decoder, pool and draft outlive this. Where `shares`, full pages become
  // findable.
  GenerationStep(const Decoder& decoder, PagePool& pool, Draft* draft, bool shares, Rows rows)
      : decoder_(decoder),
        pool_(pool),
        rows_(rows),
        cache_(decoder.config(), pool.pages() + (rows == Rows::whole_groups ? 1 : 0),
               pool.tokens_per_page(), decoder.dtype()),
        draft_(draft),
        shares_(shares) {}

  struct Counts {
    uint64_t new_tokens = 0, proposed = 0, accepted = 0;
  };
  // Feeds `step` tokens of each sequence, after its `fed`, and as many proposals as its `wanted`
  // asks for, into pages that are there; tells sinks. Sequences that have come to their end are
  // marked (Sequence::ended), their sinks not told.
  Counts run(std::span<Sequence* const> chosen);

 private:
  void fill_up(std::vector<int64_t>& ids, std::vector<nn::PagedStep>& steps) const;
  at::Tensor logits_of(const at::Tensor& hidden_TH, std::vector<int64_t> rows) const;
  void score_prompt(Sequence& sequence, const at::Tensor& hidden_TH);
  void choose(Sequence& sequence, const at::Tensor& logits_TV, const float* log_sums,
              Counts& counts);
  bool emit(Sequence& sequence, const TokenScore& score);

  const Decoder& decoder_;
  PagePool& pool_;
  Rows rows_;
  PagedCache cache_;
  std::vector<PageId> spare_page_ = {static_cast<PageId>(pool_.pages())};  // with whole_groups
  Draft* draft_;
  bool shares_;
};

}  // namespace helio::model
