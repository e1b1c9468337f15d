// Attention of single queries over keys and values that lie in pages (part of kernels_impl.h): the
// step of generation, where each sequence has one new token. Bound by reading the pages once.

inline float dot(const float* a, const float* b, int64_t size) {
  Vector sum = {};
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) sum += load(a + i) * load(b + i);
  float rest = 0;
  for (; i < size; ++i) rest += a[i] * b[i];
  return sum_lanes(sum) + rest;
}

inline void add_scaled(float* to, const float* from, float scale, int64_t size) {
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) store(to + i, load(to + i) + load(from + i) * scale);
  for (; i < size; ++i) to[i] += from[i] * scale;
}

// c tanh(s / c)
void cap_scores(float* scores, int64_t count, float cap) {
  const auto capped = [&](Vector s) {
    const Vector e = exp(s * (2.0F / cap));
    return cap * (1.0F - 2.0F / (e + 1.0F));
  };
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(scores + i, capped(load(scores + i)));
  if (i < count) store_part(scores + i, capped(load_part(scores + i, count - i)), count - i);
}

void paged_attention(const PagedUnit& u) {
  const int64_t count = u.last - u.first;
  for (int64_t t = u.first; t < u.last; ++t) {
    const float* key = u.key_pages[t / u.page_tokens] + (t % u.page_tokens) * u.size;
    for (int64_t h = 0; h < u.heads; ++h)
      u.scratch[h * count + t - u.first] = u.scale * dot(u.q + h * u.size, key, u.size);
  }
  for (int64_t h = 0; h < u.heads; ++h) {
    float* const scores = u.scratch + h * count;
    if (u.softcap != 0) cap_scores(scores, count, u.softcap);
    const float sum = exp_row(scores, count, row_max(scores, count));
    for (int64_t i = 0; i < count; ++i) scores[i] /= sum;
    for (int64_t d = 0; d < u.size; ++d) u.out[h * u.size + d] = 0;
  }
  for (int64_t t = u.first; t < u.last; ++t) {
    const float* value = u.value_pages[t / u.page_tokens] + (t % u.page_tokens) * u.size;
    for (int64_t h = 0; h < u.heads; ++h)
      add_scaled(u.out + h * u.size, value, u.scratch[h * count + t - u.first], u.size);
  }
}
