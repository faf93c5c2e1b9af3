// Cosines of one image and one caption, straight from the features: lanes run along the width.
#pragma once

#include "lanes.h"

namespace shieldclip::ISA {

constexpr int kPatchesAtOnce = 4;
#if defined(__AVX512F__)
constexpr int kTokensAtOnce = 5;  // 20 of 32 registers add up.
#else
constexpr int kTokensAtOnce = 2;  // 8 of 16.
#endif

struct Features4 {
  const float* rows[kPatchesAtOnce];
};

// out[token * stride + n] for `Tokens` tokens and four patches.
template <int Tokens>
inline void dots(const Features4& patches, const float* tokens, int64_t width, float* out,
                 int64_t stride) {
  Lanes total[Tokens][kPatchesAtOnce] = {};
  for (int64_t k = 0; k < width; k += kLanes) {
    const int left = width - k < kLanes ? int(width - k) : kLanes;
    Lanes patch[kPatchesAtOnce];
#pragma GCC unroll 4
    for (int n = 0; n < kPatchesAtOnce; ++n) patch[n] = load_some(patches.rows[n] + k, left);
#pragma GCC unroll 5
    for (int token = 0; token < Tokens; ++token) {
      const Lanes t = load_some(tokens + token * width + k, left);
#pragma GCC unroll 4
      for (int n = 0; n < kPatchesAtOnce; ++n) total[token][n] += patch[n] * t;
    }
  }
#pragma GCC unroll 5
  for (int token = 0; token < Tokens; ++token) {
    const Lanes* t = total[token];
    const Four four = sums(t[0], t[1], t[2], t[3]);
    memcpy(out + token * stride, &four, sizeof four);
  }
}

// dots<count> for a count known only at run time.
template <int Tokens>
inline void some_dots(int count, const Features4& patches, const float* tokens, int64_t width,
                      float* out, int64_t stride) {
  if constexpr (Tokens > 0) {
    if (count == Tokens) {
      dots<Tokens>(patches, tokens, width, out, stride);
    } else {
      some_dots<Tokens - 1>(count, patches, tokens, width, out, stride);
    }
  }
}

// out[token * stride + patch]; rows of `out` have room for patches rounded up to whole vectors.
inline void product(const float* patches, int patch_count, const float* tokens, int token_count,
                    int64_t width, float* out, int64_t stride) {
  for (int patch = 0; patch < patch_count; patch += kPatchesAtOnce) {
    Features4 four;
    for (int n = 0; n < kPatchesAtOnce; ++n) {
      const int row = patch + n < patch_count ? patch + n : patch_count - 1;
      four.rows[n] = patches + row * width;
    }
    for (int token = 0; token < token_count; token += kTokensAtOnce) {
      const int left = token_count - token;
      some_dots<kTokensAtOnce>(left < kTokensAtOnce ? left : kTokensAtOnce, four,
                               tokens + token * width, width, out + token * stride + patch,
                               stride);
    }
  }
}

inline float dot(const float* a, const float* b, int64_t width) {
  Lanes total = {};
  int64_t k = 0;
  for (; k + kLanes <= width; k += kLanes) total += load(a + k) * load(b + k);
  float rest = 0;
  for (; k < width; ++k) rest += a[k] * b[k];
  return sum(total) + rest;
}

}  // namespace shieldclip::ISA
