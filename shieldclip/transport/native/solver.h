// Transport distances: scaling to the end, or until a certificate says that it is not worth it.
#pragma once

#include "certificate.h"
#include "precise.h"
#include "scaling.h"

namespace shieldclip::ISA {

constexpr float kFirstLook = 0.2f;   // A of the certificate at which it is first worth its time.
constexpr float kNextLook = 0.25f;   // A then falls by this factor from look to look.
constexpr double kFarthest = 2.0;    // No distance exceeds it.

// A of the certificate, or more.
inline float distance_to_end(const Problem& p, const Doubt& doubt, float row_error) {
  return (p.depth + doubt.most / p.epsilon) * row_error;
}

// Is the distance above the limit for all cosines within the doubt? False where that is unclear
// even when the scaling is much finer than the doubt.
inline bool exceeds(const Cosines& s, const Doubt& doubt, const Stopping& stopping,
                    float* scratch) {
  Problem p = lay_out(s, float(stopping.epsilon), scratch);
  if (stopping.limit >= kFarthest || !prepare(s, p)) return false;
  scale_rows(p);
  const float c = doubt.most / p.epsilon;
  float look = kFirstLook;
  for (int64_t n = 0; n < stopping.max_iterations; ++n) {
    const float row_error = iterate(p);
    const float left = distance_to_end(p, doubt, row_error);
    const bool last = left < c * c / 8 || row_error < float(stopping.tolerance);
    if (!last && left > look) continue;
    if (lower_bound(moments(s, p), p, row_error, doubt) > stopping.limit) return true;
    if (last) return false;
    look = left * kNextLook;
  }
  return false;
}

inline Solution solve(const Cosines& s, const Stopping& stopping, float* scratch) {
  Problem p = lay_out(s, float(stopping.epsilon), scratch);
  if (!prepare(s, p)) return solve_precisely(s, stopping);
  scale_rows(p);
  Solution solution = {};
  float look = stopping.limit < kFarthest ? kFirstLook : 0;
  while (!solution.converged && solution.iterations < stopping.max_iterations) {
    const float row_error = iterate(p);
    solution.row_error = row_error;
    solution.converged = row_error < float(stopping.tolerance);
    ++solution.iterations;
    const float left = distance_to_end(p, Doubt{}, row_error);
    if (solution.converged || left > look) continue;
    solution.excluded = lower_bound(moments(s, p), p, row_error, Doubt{}) > stopping.limit;
    if (solution.excluded) return solution;
    look = left * kNextLook;
  }
  solution.linear = moments(s, p).value;
  if (!(solution.linear == solution.linear)) return solve_precisely(s, stopping);
  return solution;
}

}  // namespace shieldclip::ISA
