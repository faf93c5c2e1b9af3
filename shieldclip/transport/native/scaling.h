// Entropic transport in float32 by Sinkhorn scaling, one problem at a time, all of it in the
// first-level cache.
//
// K_ij = exp((f_i + g_j - C_ij) / eps) with (f, g) of the lower bound: no entry exceeds 1 and every
// column holds a 1. The plan is u K v. Columns are exact after every step.
#pragma once

#include "bound.h"
#include "kernels.h"
#include "lanes.h"

namespace shieldclip::ISA {

constexpr float kDeepest = 60.0f;  // Beyond exp(-60), scalings leave the range of float32.
constexpr float kLog2E = 1.44269504f;
constexpr int kGroup = 4;          // Vectors of patches, or tokens, handled together.

// Where a problem lives in the scratch.
struct Problem {
  int rows;      // Patches rounded up to whole vectors.
  int tokens;
  float epsilon;
  float share;   // b_j
  float depth;   // Largest (C_ij - f_i - g_j) / eps.
  float* weight;  // a_i [rows], zero past the last patch.
  float* top;     // 1 - f_i [rows]
  float* u;       // [rows]
  float* next_u;  // [rows]
  float* sums;    // r_i [rows]
  float* slack;   // g_j [tokens], as the next two with room for a whole last vector
  float* v;       // [tokens]
  float* price;   // g_j + eps log v_j [tokens]
  float* kernel;  // K [tokens, rounded up to a group][rows]
};

inline int round_up(int value, int step) { return (value + step - 1) / step * step; }

inline Problem lay_out(const Cosines& s, float epsilon, float* scratch) {
  Problem p;
  p.epsilon = epsilon;
  p.rows = round_up(s.patches, kLanes);
  p.tokens = s.tokens;
  p.share = 1.0f / s.tokens;
  float** arrays[] = {&p.weight, &p.top, &p.u, &p.next_u, &p.sums};
  for (float** array : arrays) {
    *array = scratch;
    scratch += p.rows;
  }
  p.kernel = scratch;
  p.slack = p.kernel + int64_t(round_up(s.tokens, kGroup)) * p.rows;
  p.v = p.slack + round_up(s.tokens, kLanes);
  p.price = p.v + round_up(s.tokens, kLanes);
  return p;
}

// Fills K, weights and starting u and v; false where an exponent is too deep for float32.
inline bool prepare(const Cosines& s, Problem& p) {
  patch_maxima(s, p.top);
  const float scale = kLog2E / p.epsilon;
  Lanes deepest = {};
  for (int token = 0; token < s.tokens; ++token) {
    const float slack = token_slack(s, token, p.top);
    p.slack[token] = slack;
    p.v[token] = 1.0f;
    for (int start = 0; start < p.rows; start += kLanes) {
      const Lanes cosine = load(s.values + token * s.stride + start);
      Lanes exponent = (cosine - load(p.top + start) + slack) * scale;
      Lanes entry = power_of_two(maximum(exponent, broadcast(-120.0f)));
      if (start + kLanes > s.patches) {
        const Integers real = first(s.patches - start);
        exponent = choose(real, exponent, Lanes{});
        entry = choose(real, entry, Lanes{});
      }
      deepest = minimum(deepest, exponent);
      store(p.kernel + int64_t(token) * p.rows + start, entry);
    }
  }
  const int padded = round_up(s.tokens, kGroup);
  memset(p.kernel + int64_t(s.tokens) * p.rows, 0, sizeof(float) * (padded - s.tokens) * p.rows);
  for (int start = 0; start < p.rows; start += kLanes) {
    store(p.weight + start,
          choose(first(s.patches - start), broadcast(1.0f / s.patches), Lanes{}));
  }
  memset(p.u, 0, sizeof(float) * p.rows);
  p.depth = -lowest(deepest) / kLog2E;
  return p.depth <= kDeepest;
}

// v_j = b_j / sum_i K_ij u_i
inline void scale_columns(const Problem& p) {
  for (int token = 0; token < p.tokens; token += kGroup) {
    const float* k = p.kernel + int64_t(token) * p.rows;
    Lanes a = {}, b = {}, c = {}, d = {};
    for (int start = 0; start < p.rows; start += kLanes) {
      const Lanes u = load(p.u + start);
      a += load(k + start) * u;
      b += load(k + p.rows + start) * u;
      c += load(k + 2 * p.rows + start) * u;
      d += load(k + 3 * p.rows + start) * u;
    }
    Four total = sums(a, b, c, d);
    total = total > kTiny ? total : kTiny - Four{};
    total = p.share / total;
    memcpy(p.v + token, &total, sizeof total);
  }
}

// Row sums r = u (K v) and the next u = a / (K v) of `Vectors` vectors of patches; adds up |r - a|.
template <int Vectors>
inline Lanes scale_rows_of(const Problem& p, int start) {
  Lanes even[Vectors] = {};
  Lanes odd[Vectors] = {};
  const float* k = p.kernel + start;
  int token = 0;
  for (; token + 2 <= p.tokens; token += 2, k += 2 * int64_t(p.rows)) {
    const Lanes v = broadcast(p.v[token]);
    const Lanes w = broadcast(p.v[token + 1]);
#pragma GCC unroll 4
    for (int n = 0; n < Vectors; ++n) {
      even[n] += load(k + n * kLanes) * v;
      odd[n] += load(k + p.rows + n * kLanes) * w;
    }
  }
  Lanes error = {};
#pragma GCC unroll 4
  for (int n = 0; n < Vectors; ++n) {
    if (token < p.tokens) even[n] += load(k + n * kLanes) * p.v[token];
    const Lanes total = maximum(even[n] + odd[n], broadcast(kTiny));
    const Lanes weight = load(p.weight + start + n * kLanes);
    const Lanes row_sum = total * load(p.u + start + n * kLanes);
    error += absolute(row_sum - weight);
    store(p.sums + start + n * kLanes, row_sum);
    store(p.next_u + start + n * kLanes, weight * reciprocal(total));
  }
  return error;
}

inline float scale_rows(const Problem& p) {
  Lanes error = {};
  int start = 0;
  for (; start + 4 * kLanes <= p.rows; start += 4 * kLanes) error += scale_rows_of<4>(p, start);
  const int left = (p.rows - start) / kLanes;
  if (left == 3) error += scale_rows_of<3>(p, start);
  if (left == 2) error += scale_rows_of<2>(p, start);
  if (left == 1) error += scale_rows_of<1>(p, start);
  return sum(error);
}

// One step of u and v; returns the L1 error of the row sums.
inline float iterate(Problem& p) {
  float* swap = p.u;
  p.u = p.next_u;
  p.next_u = swap;
  scale_columns(p);
  return scale_rows(p);
}

}  // namespace shieldclip::ISA
