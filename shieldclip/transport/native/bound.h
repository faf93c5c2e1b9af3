// Lower bound of a transport cost from its cost matrix: patch minima and one c-transform.
//
// f_i = min_j C_ij, g_j = min_i (C_ij - f_i): f_i + g_j <= C_ij, so by duality
// mean f + mean g <= OT_0(C) <= <T, C> for every plan T with uniform marginals.
#pragma once

#include "kernels.h"
#include "lanes.h"

namespace shieldclip::ISA {

// With s = 1 - C: top_i = max_j s_ij = 1 - f_i. Lanes past the last patch are 0. Returns mean top.
inline float patch_maxima(const Cosines& s, float* top) {
  Lanes total = {};
  for (int start = 0; start < s.patches; start += kLanes) {
    const float* column = s.values + start;
    Lanes most = load(column);
    for (int token = 1; token < s.tokens; ++token) {
      most = maximum(most, load(column + token * s.stride));
    }
    if (start + kLanes > s.patches) most = choose(first(s.patches - start), most, Lanes{});
    store(top + start, most);
    total += most;
  }
  return sum(total) / s.patches;
}

// g_j = min_i (top_i - s_ij), over real patches.
inline float token_slack(const Cosines& s, int token, const float* top) {
  const float* row = s.values + token * s.stride;
  Lanes least = broadcast(4.0f);
  int start = 0;
  for (; start + kLanes <= s.patches; start += kLanes) {
    least = minimum(least, load(top + start) - load(row + start));
  }
  if (start < s.patches) {
    const Lanes gap = load(top + start) - load(row + start);
    least = minimum(least, choose(first(s.patches - start), gap, least));
  }
  return lowest(least);
}

inline float bound(const Cosines& s, float limit, float* scratch) {
  const float patch_side = 1.0f - patch_maxima(s, scratch);
  if (patch_side > limit) return patch_side;
  float token_side = 0;
  for (int token = 0; token < s.tokens; ++token) token_side += token_slack(s, token, scratch);
  return patch_side + token_side / s.tokens;
}

}  // namespace shieldclip::ISA
