// Causal attention of one document and one key/value head, forward and backward (part of
// kernels_impl.h). Exact softmax over whole rows of scores: a block of query rows at a time, the
// block's scores in cache. Rotary embedding is applied where queries and keys are packed, so that
// rotated copies never reach memory.

constexpr int64_t kRows = 32;  // query rows in a block
constexpr int64_t kScoreRows = 4;
constexpr int64_t kScoreVectors = HELIO_SCORE_VECTORS;
constexpr int64_t kPanel = kScoreVectors * kLanes;  // keys side by side in a packed panel

int64_t panels(int64_t tokens) { return (tokens + kPanel - 1) / kPanel; }

bool attention_fits(int64_t size) { return size == 16 || size == 32 || size == 64 || size == 128; }

// Packed keys and values as panels and as rows, gradients of both, blocks of queries, and scores.
int64_t attention_scratch(int64_t tokens, int64_t size) {
  return panels(tokens) * kPanel * (6 * size + 2 * kRows) + 6 * kRows * size + 4 * kRows;
}

struct Scratch {
  float* next;
  float* take(int64_t count) {
    float* taken = next;
    next += count;
    return taken;
  }
};

inline void rotate(const float* from, const float* cos, const float* sin, float* to, int64_t size,
                   float scale) {
  const int64_t half = size / 2;
  for (int64_t i = 0; i < half; ++i) {
    const float a = from[i], b = from[i + half];
    to[i] = scale * (a * cos[i] - b * sin[i]);
    to[i + half] = scale * (b * cos[i] + a * sin[i]);
  }
}

// The transpose of rotate: gradients of rotated heads back to unrotated ones.
inline void rotate_back(const float* from, const float* cos, const float* sin, float* to,
                        int64_t size, float scale) {
  const int64_t half = size / 2;
  for (int64_t i = 0; i < half; ++i) {
    const float a = from[i], b = from[i + half];
    to[i] = scale * (a * cos[i] + b * sin[i]);
    to[i + half] = scale * (b * cos[i] - a * sin[i]);
  }
}

// rows [tokens, size] -> panels [panel][size][kPanel]; places beyond the last token are 0.
void pack_panels(const float* rows, float* to, int64_t tokens, int64_t size) {
  for (int64_t first = 0; first < tokens; first += kPanel, to += size * kPanel)
    for (int64_t j = 0; j < kPanel; ++j)
      for (int64_t d = 0; d < size; ++d)
        to[d * kPanel + j] = first + j < tokens ? rows[(first + j) * size + d] : 0.0F;
}

// scores [kRows, panels of keys] = a [kRows, size] * packed
template <int64_t kSize>
void scores_of(const float* a, const float* packed, float* scores, int64_t row,
               int64_t panel_count) {
  for (int64_t panel = 0; panel < panel_count; ++panel, packed += kSize * kPanel) {
    for (int64_t i = 0; i < kRows; i += kScoreRows) {
      Vector sums[kScoreRows][kScoreVectors] = {};
      for (int64_t d = 0; d < kSize; ++d) {
#pragma GCC unroll 4
        for (int64_t r = 0; r < kScoreRows; ++r) {
#pragma GCC unroll 4
          for (int64_t v = 0; v < kScoreVectors; ++v)
            sums[r][v] += a[(i + r) * kSize + d] * load(packed + d * kPanel + v * kLanes);
        }
      }
#pragma GCC unroll 4
      for (int64_t r = 0; r < kScoreRows; ++r)
#pragma GCC unroll 4
        for (int64_t v = 0; v < kScoreVectors; ++v)
          store(scores + (i + r) * row + panel * kPanel + v * kLanes, sums[r][v]);
    }
  }
}

enum class Into { set, add };

// c [kTile, size] (+)= sum over k < count of a(i, k) * b [count, size], where a(i, k) stands at
// a[i * a_row + k * a_step].
template <int64_t kVectors, int64_t kTile, Into kInto>
inline void product_tile(const float* a, int64_t a_row, int64_t a_step, const float* b,
                         int64_t count, float* c) {
  constexpr int64_t size = kVectors * kLanes;
  Vector sums[kTile][kVectors] = {};
  for (int64_t k = 0; k < count; ++k) {
#pragma GCC unroll 16
    for (int64_t i = 0; i < kTile; ++i) {
      const float factor = a[i * a_row + k * a_step];
#pragma GCC unroll 16
      for (int64_t v = 0; v < kVectors; ++v) sums[i][v] += factor * load(b + k * size + v * kLanes);
    }
  }
#pragma GCC unroll 16
  for (int64_t i = 0; i < kTile; ++i)
#pragma GCC unroll 16
    for (int64_t v = 0; v < kVectors; ++v) {
      float* place = c + i * size + v * kLanes;
      store(place, kInto == Into::add ? load(place) + sums[i][v] : sums[i][v]);
    }
}

// All of c [rows, size]; the last few rows one by one.
template <int64_t kSize, Into kInto>
void product(const float* a, int64_t a_row, int64_t a_step, const float* b, int64_t count, float* c,
             int64_t rows) {
  constexpr int64_t vectors = kSize / kLanes;
  constexpr int64_t tile = vectors >= HELIO_ACCUMULATORS      ? 1
                           : HELIO_ACCUMULATORS / vectors > 8 ? 8
                                                              : HELIO_ACCUMULATORS / vectors;
  int64_t i = 0;
  for (; i + tile <= rows; i += tile)
    product_tile<vectors, tile, kInto>(a + i * a_row, a_row, a_step, b, count, c + i * kSize);
  for (; i < rows; ++i)
    product_tile<vectors, 1, kInto>(a + i * a_row, a_row, a_step, b, count, c + i * kSize);
}

inline float inverse_root(int64_t size) { return 1.0F / __builtin_sqrtf(static_cast<float>(size)); }

// Rotated and scaled queries first .. first + kRows of one head; 0 beyond the document.
void pack_queries(const AttentionUnit& u, int64_t head, int64_t first, float* to) {
  const int64_t half = u.size / 2;
  for (int64_t i = 0; i < kRows; ++i, to += u.size) {
    const int64_t t = first + i;
    if (t < u.tokens) {
      rotate(u.q + t * u.qkv_row + head * u.size, u.cos + t * half, u.sin + t * half, to, u.size,
             inverse_root(u.size));
    } else {
      for (int64_t d = 0; d < u.size; ++d) to[d] = 0;
    }
  }
}

void pack_keys(const AttentionUnit& u, float* rows) {
  const int64_t half = u.size / 2;
  for (int64_t t = 0; t < u.tokens; ++t)
    rotate(u.k + t * u.qkv_row, u.cos + t * half, u.sin + t * half, rows + t * u.size, u.size, 1);
}

// Rows of one head, side by side; 0 beyond the last.
void pack_rows(const float* from, int64_t from_row, float* to, int64_t rows, int64_t size,
               int64_t wanted) {
  for (int64_t t = 0; t < wanted; ++t)
    for (int64_t d = 0; d < size; ++d) to[t * size + d] = t < rows ? from[t * from_row + d] : 0.0F;
}

// Scores of token t: those of tokens in branches before its own become too low to count.
inline void hide_branches(const AttentionUnit& u, int64_t t, float* scores) {
  if (u.branch_count < 2) return;
  int64_t own = u.branches[0];
  for (int64_t b = 1; b < u.branch_count && u.branches[b] <= t; ++b) own = u.branches[b];
  for (int64_t j = u.branches[0]; j < own; ++j) scores[j] = kLowest;
}

template <int64_t kSize>
void attention_of(const AttentionUnit& u) {
  const int64_t row = panels(u.tokens) * kPanel;
  Scratch scratch{u.scratch};
  float* keys = scratch.take(row * kSize);
  float* packed_keys = scratch.take(row * kSize);
  float* values = scratch.take(row * kSize);
  float* queries = scratch.take(kRows * kSize);
  float* block = scratch.take(kRows * kSize);
  float* scores = scratch.take(kRows * row);
  pack_keys(u, keys);
  pack_panels(keys, packed_keys, u.tokens, kSize);
  pack_rows(u.v, u.qkv_row, values, u.tokens, kSize, u.tokens);
  for (int64_t head = 0; head < u.heads; ++head) {
    for (int64_t first = 0; first < u.tokens; first += kRows) {
      const int64_t last = first + kRows < u.tokens ? first + kRows : u.tokens;
      pack_queries(u, head, first, queries);
      scores_of<kSize>(queries, packed_keys, scores, row, panels(last));
      float factors[kRows];
      for (int64_t i = 0; i < last - first; ++i) {
        float* line = scores + i * row;
        const int64_t seen = first + i + 1;
        hide_branches(u, first + i, line);
        const float largest = row_max(line, seen), sum = exp_row(line, seen, largest);
        for (int64_t j = seen; j < last; ++j) line[j] = 0;
        factors[i] = 1.0F / sum;
        u.lse[(first + i) * u.lse_row + head] = largest + __builtin_logf(sum);
      }
      product<kSize, Into::set>(scores, row, 1, values, last, block, last - first);
      for (int64_t i = 0; i < last - first; ++i) {
        float* out = u.out + (first + i) * u.out_row + head * kSize;
        for (int64_t d = 0; d < kSize; d += kLanes)
          store(out + d, load(block + i * kSize + d) * factors[i]);
      }
    }
  }
}

// scores become the probabilities p, d_scores p * (d_scores - delta), up to each row's own token.
void probabilities(float* scores, float* d_scores, int64_t seen, int64_t end, float lse,
                   float delta) {
  const int64_t whole = seen - seen % kLanes;
  for (int64_t j = 0; j < whole; j += kLanes) {
    const Vector p = exp(load(scores + j) - lse);
    store(scores + j, p);
    store(d_scores + j, p * (load(d_scores + j) - delta));
  }
  if (whole < seen) {  // a row ends with a whole panel: there is a full vector to read
    const Vector p = exp(load(scores + whole) - lse), d = p * (load(d_scores + whole) - delta);
    store_part(scores + whole, p, seen - whole);
    store_part(d_scores + whole, d, seen - whole);
  }
  for (int64_t j = seen; j < end; ++j) scores[j] = d_scores[j] = 0;
}

template <int64_t kSize>
void attention_backward_of(const AttentionUnit& u) {
  constexpr int64_t half = kSize / 2;
  const int64_t row = panels(u.tokens) * kPanel;
  Scratch scratch{u.scratch};
  float* keys = scratch.take(row * kSize);
  float* packed_keys = scratch.take(row * kSize);
  float* values = scratch.take(row * kSize);
  float* packed_values = scratch.take(row * kSize);
  float* d_keys = scratch.take(row * kSize);
  float* d_values = scratch.take(row * kSize);
  float* queries = scratch.take(kRows * kSize);
  float* d_out = scratch.take(kRows * kSize);
  float* out = scratch.take(kRows * kSize);
  float* d_queries = scratch.take(kRows * kSize);
  float* scores = scratch.take(kRows * row);
  float* d_scores = scratch.take(kRows * row);
  pack_keys(u, keys);
  pack_panels(keys, packed_keys, u.tokens, kSize);
  pack_rows(u.v, u.qkv_row, values, u.tokens, kSize, u.tokens);
  pack_panels(values, packed_values, u.tokens, kSize);
  for (int64_t i = 0; i < u.tokens * kSize; ++i) d_keys[i] = d_values[i] = 0;
  for (int64_t head = 0; head < u.heads; ++head) {
    for (int64_t first = 0; first < u.tokens; first += kRows) {
      const int64_t last = first + kRows < u.tokens ? first + kRows : u.tokens, rows = last - first;
      pack_queries(u, head, first, queries);
      pack_rows(u.d_out + first * u.out_row + head * kSize, u.out_row, d_out, rows, kSize, kRows);
      pack_rows(u.out + first * u.out_row + head * kSize, u.out_row, out, rows, kSize, rows);
      scores_of<kSize>(queries, packed_keys, scores, row, panels(last));
      scores_of<kSize>(d_out, packed_values, d_scores, row, panels(last));
      for (int64_t i = 0; i < rows; ++i) {
        hide_branches(u, first + i, scores + i * row);
        Vector delta = {};
        for (int64_t d = 0; d < kSize; d += kLanes)
          delta += load(d_out + i * kSize + d) * load(out + i * kSize + d);
        probabilities(scores + i * row, d_scores + i * row, first + i + 1, last,
                      u.lse[(first + i) * u.lse_row + head], sum_lanes(delta));
      }
      product<kSize, Into::add>(scores, 1, row, d_out, rows, d_values, last);
      product<kSize, Into::add>(d_scores, 1, row, queries, rows, d_keys, last);
      product<kSize, Into::set>(d_scores, row, 1, keys, last, d_queries, rows);
      for (int64_t i = 0; i < rows; ++i) {
        const int64_t t = first + i;
        rotate_back(d_queries + i * kSize, u.cos + t * half, u.sin + t * half,
                    u.d_q + t * u.qkv_row + head * kSize, kSize, inverse_root(kSize));
      }
    }
  }
  for (int64_t t = 0; t < u.tokens; ++t) {
    rotate_back(d_keys + t * kSize, u.cos + t * half, u.sin + t * half, u.d_k + t * u.qkv_row,
                kSize, 1);
    for (int64_t d = 0; d < kSize; ++d) u.d_v[t * u.qkv_row + d] = d_values[t * kSize + d];
  }
}

void attention(const AttentionUnit& u) {
  switch (u.size) {
    case 16:
      return attention_of<16>(u);
    case 32:
      return attention_of<32>(u);
    case 64:
      return attention_of<64>(u);
    default:
      return attention_of<128>(u);
  }
}

void attention_backward(const AttentionUnit& u) {
  switch (u.size) {
    case 16:
      return attention_backward_of<16>(u);
    case 32:
      return attention_backward_of<32>(u);
    case 64:
      return attention_backward_of<64>(u);
    default:
      return attention_backward_of<128>(u);
  }
}
