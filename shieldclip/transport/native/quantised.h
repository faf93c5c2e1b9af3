// Block matrix product in 8 bits, four products and their sum an instruction (VNNI).
//
// Every vector is rotated and rounded to whole multiples, -127 to 127, of a scale of its own. The
// instruction multiplies unsigned by signed bytes: patches are shifted by 128, and sums start at
// -128 times the sum of the token. A panel holds, per four entries, one 32-bit word a vector, then
// the scales, then the starts.
#pragma once

#include "hadamard.h"
#include "kernels.h"
#include "panels.h"

namespace shieldclip::ISA {

constexpr bool kQuantised = true;
constexpr int kShift = 128;
constexpr float kLargest = 127.0f;
constexpr float kRounding = 2e-6f;  // Of float32, in the rotation and here, relative to |x|.

inline int64_t words(int64_t width) { return (width + 3) / 4; }

inline int64_t packed_width(int64_t width) { return words(width) + 2; }

// Up to kLanes vectors, side by side, with zeros beyond `count`.
inline void turn(const float* vectors, int count, int64_t width, float* turned) {
  memset(turned, 0, sizeof(float) * width * kLanes);
  for (int lane = 0; lane < count; ++lane) {
    for (int64_t k = 0; k < width; ++k) turned[k * kLanes + lane] = vectors[lane * width + k];
  }
}

inline Lanes largest_entry(const float* turned, int64_t width) {
  Lanes most = {};
  for (int64_t k = 0; k < width; ++k) most = maximum(most, absolute(load(turned + k * kLanes)));
  return most;
}

// Quantises up to kLanes vectors into a panel of `stride` vectors; `shift` goes to every byte.
inline void quantise(const float* vectors, int count, int64_t width, int shift, float* turned,
                     float* panel, int stride, Fit* fits) {
  turn(vectors, count, width, turned);
  rotate(turned, width);
  const Lanes scale = largest_entry(turned, width) * (1.0f / kLargest);
  const Lanes inverse = choose(scale > kTiny, 1.0f / scale, Lanes{});
  Lanes error = {}, size = {};
  Integers start = {};
  for (int64_t word = 0; word < words(width); ++word) {
    Integers bytes = {};
    for (int64_t k = 4 * word; k < 4 * word + 4; ++k) {
      Integers whole = {};
      if (k < width) {
        const Lanes exact = load(turned + k * kLanes);
        whole = nearest(exact * inverse);
        const Lanes rounded = __builtin_convertvector(whole, Lanes) * scale;
        error += (exact - rounded) * (exact - rounded);
        size += exact * exact;
      }
      start -= kShift * whole;
      bytes |= ((whole + shift) & 255) << int(8 * (k - 4 * word));
    }
    store_some(panel + word * stride, (Lanes)bytes, count);
  }
  store_some(panel + words(width) * stride, scale, count);
  store_some(panel + (words(width) + 1) * stride, (Lanes)start, count);
  for (int lane = 0; lane < count; ++lane) {
    const float length = sqrtf(size[lane]);
    const float missed = sqrtf(error[lane]) * 1.0001f + kRounding * length;
    fits[lane] = {missed, length * 1.0001f + missed};
  }
}

inline void pack_rows(const float* rows, int64_t count, int64_t width, float* turned,
                      float* packed, Fit* fits) {
  for (int64_t start = 0; start < count; start += kLanes) {
    const int taken = count - start < kLanes ? int(count - start) : kLanes;
    float* panel = packed + start / kPanelRows * kPanelRows * packed_width(width);
    quantise(rows + start * width, taken, width, kShift, turned, panel + start % kPanelRows,
             kPanelRows, fits + start);
  }
}

inline void pack_tokens(const float* tokens, int64_t count, int64_t width, float* turned,
                        float* packed, Fit* fits) {
  static_assert(kPanelTokens <= kLanes, "a panel of tokens is quantised at once");
  for (int64_t start = 0; start < count; start += kPanelTokens) {
    const int taken = count - start < kPanelTokens ? int(count - start) : kPanelTokens;
    quantise(tokens + start * width, taken, width, 0, turned,
             packed + start * packed_width(width), taken, fits + start);
  }
}

template <int Tokens>
void tile(const float* rows, const float* tokens, int64_t width, float* out, int64_t stride) {
  const int64_t steps = words(width);
  Integers left[Tokens];
  Integers right[Tokens];
  const float* scales = tokens + steps * Tokens;
#pragma GCC unroll 16
  for (int token = 0; token < Tokens; ++token) {
    left[token] = right[token] = broadcast_word(scales + Tokens + token);
  }
  for (int64_t k = 0; k < steps; ++k) {
    const Integers a = (Integers)load(rows + k * kPanelRows);
    const Integers b = (Integers)load(rows + k * kPanelRows + kLanes);
#pragma GCC unroll 16
    for (int token = 0; token < Tokens; ++token) {
      const Integers t = broadcast_word(tokens + k * Tokens + token);
      left[token] = add_products(left[token], a, t);
      right[token] = add_products(right[token], b, t);
    }
  }
  const Lanes left_scale = load(rows + steps * kPanelRows);
  const Lanes right_scale = load(rows + steps * kPanelRows + kLanes);
#pragma GCC unroll 16
  for (int token = 0; token < Tokens; ++token) {
    const Lanes scale = broadcast(scales[token]);
    store(out + token * stride, __builtin_convertvector(left[token], Lanes) * left_scale * scale);
    store(out + token * stride + kLanes,
          __builtin_convertvector(right[token], Lanes) * right_scale * scale);
  }
}

}  // namespace shieldclip::ISA
