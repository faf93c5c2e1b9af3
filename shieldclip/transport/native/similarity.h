// Block matrix product: cosines of many patches with many tokens, transposed ([token][patch]) so
// that patches lie in the lanes of every later step.
#pragma once

#include "lanes.h"

namespace shieldclip::ISA {

constexpr int kPanelRows = 2 * kLanes;
#if defined(__AVX512F__)
constexpr int kPanelTokens = 14;  // 28 of 32 registers add up, the rest hold operands.
#else
constexpr int kPanelTokens = 6;  // 12 of 16.
#endif

inline void pack_rows(const float* rows, int64_t count, int64_t width, float* packed) {
  for (int64_t start = 0; start < count; start += kPanelRows) {
    for (int lane = 0; lane < kPanelRows; ++lane) {
      const float* row = rows + (start + lane) * width;
      const bool real = start + lane < count;
      for (int64_t k = 0; k < width; ++k) packed[k * kPanelRows + lane] = real ? row[k] : 0.0f;
    }
    packed += width * kPanelRows;
  }
}

inline void pack_tokens(const float* tokens, int64_t count, int64_t width, float* packed) {
  for (int64_t start = 0; start < count; start += kPanelTokens) {
    const int taken = count - start < kPanelTokens ? int(count - start) : kPanelTokens;
    for (int64_t k = 0; k < width; ++k) {
      for (int token = 0; token < taken; ++token) {
        packed[k * taken + token] = tokens[(start + token) * width + k];
      }
    }
    packed += width * taken;
  }
}

template <int Tokens>
void tile(const float* rows, const float* tokens, int64_t width, float* out, int64_t stride) {
  Lanes left[Tokens] = {};
  Lanes right[Tokens] = {};
  for (int64_t k = 0; k < width; ++k) {
    const Lanes a = load(rows + k * kPanelRows);
    const Lanes b = load(rows + k * kPanelRows + kLanes);
#pragma GCC unroll 16
    for (int token = 0; token < Tokens; ++token) {
      const Lanes t = broadcast(tokens[k * Tokens + token]);
      left[token] += a * t;
      right[token] += b * t;
    }
  }
#pragma GCC unroll 16
  for (int token = 0; token < Tokens; ++token) {
    store(out + token * stride, left[token]);
    store(out + token * stride + kLanes, right[token]);
  }
}

// tile<count> for a count known only at run time.
template <int Tokens>
void narrow_tile(int count, const float* rows, const float* tokens, int64_t width, float* out,
                 int64_t stride) {
  if constexpr (Tokens > 0) {
    if (count == Tokens) {
      tile<Tokens>(rows, tokens, width, out, stride);
    } else {
      narrow_tile<Tokens - 1>(count, rows, tokens, width, out, stride);
    }
  }
}

inline void similarity(const float* rows, int64_t panels, const float* tokens, int64_t count,
                       int64_t width, float* out, int64_t stride) {
  for (int64_t panel = 0; panel < panels; ++panel) {
    const float* panel_rows = rows + panel * width * kPanelRows;
    float* panel_out = out + panel * kPanelRows;
    int64_t start = 0;
    for (; start + kPanelTokens <= count; start += kPanelTokens) {
      tile<kPanelTokens>(panel_rows, tokens + start * width, width, panel_out + start * stride,
                         stride);
    }
    narrow_tile<kPanelTokens - 1>(int(count - start), panel_rows, tokens + start * width, width,
                                  panel_out + start * stride, stride);
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
