// Block matrix product in float32.
#pragma once

#include "kernels.h"
#include "panels.h"

namespace shieldclip::ISA {

constexpr bool kQuantised = false;

inline int64_t packed_width(int64_t width) { return width; }

inline void pack_rows(const float* rows, int64_t count, int64_t width, float*, float* packed,
                      Fit* fits) {
  memset(fits, 0, sizeof(Fit) * count);
  for (int64_t start = 0; start < count; start += kPanelRows) {
    for (int lane = 0; lane < kPanelRows; ++lane) {
      const float* row = rows + (start + lane) * width;
      const bool real = start + lane < count;
      for (int64_t k = 0; k < width; ++k) packed[k * kPanelRows + lane] = real ? row[k] : 0.0f;
    }
    packed += width * kPanelRows;
  }
}

inline void pack_tokens(const float* tokens, int64_t count, int64_t width, float*, float* packed,
                        Fit* fits) {
  memset(fits, 0, sizeof(Fit) * count);
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

}  // namespace shieldclip::ISA
