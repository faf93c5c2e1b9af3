// What an unfinished plan Q = u K v proves about the distance <T, C> of the finished one.
//
// Let f, g be the potentials of Q, r its row sums (its column sums are exact), R = C^ - f - g for
// the costs C^ it was made with, and |C - C^| <= e. With c = e / eps,
//   KL(T|Q) + KL(Q|T) = <T - Q, log T - log Q> <= A + c |T - Q|_1,
//   A = osc(f* - f) |a - r|_1 / (2 eps), osc(f* - f) / eps <= depth + 2 c + osc(log u),
// where depth is the range of the exponents of K. By Pinsker KL(Q|T) >= |T - Q|_1^2 / 2, hence
// KL(T|Q) <= A + c^2 / 2 =: k. By Donsker and Varadhan's formula and Bernstein's inequality
//   E_T R >= E_Q R - sqrt(2 k Var_Q R) - (E_Q R - min R) k / 3,
// and <T, C^> = a.f + b.g + E_T R, where a.f + b.g + E_Q R is the value below.
#pragma once

#include <math.h>

#include "kernels.h"
#include "lanes.h"
#include "scaling.h"

namespace shieldclip::ISA {

struct Moments {
  double value;     // <Q, C^> + sum_i (a_i - r_i) f_i, right to first order in r.
  double mean;      // E_Q R
  double variance;  // Var_Q R
  double lowest;    // min R
  double spread;    // osc(log u)
};

inline void set_prices(const Problem& p) {
  for (int token = 0; token < p.tokens; token += kLanes) {
    const Lanes log_v = logarithm(maximum(load(p.v + token), broadcast(kTiny)));
    store(p.price + token, load(p.slack + token) + p.epsilon * log_v);
  }
}

inline Moments moments(const Cosines& s, const Problem& p) {
  set_prices(p);
  Lanes cosine = {}, correction = {}, first_moment = {}, second_moment = {};
  Lanes least = broadcast(1e30f), most_log = broadcast(-1e30f), least_log = broadcast(1e30f);
  for (int start = 0; start < p.rows; start += kLanes) {
    const Integers real = first(s.patches - start);
    const Lanes u = load(p.u + start);
    const Lanes log_u = logarithm(maximum(u, broadcast(kTiny)));
    const Lanes height = load(p.top + start) - p.epsilon * log_u;  // 1 - f
    Lanes row = {}, row_first = {}, row_second = {}, row_least = broadcast(1e30f);
    for (int token = 0; token < p.tokens; ++token) {
      const Lanes entry = load(p.kernel + int64_t(token) * p.rows + start) * p.v[token];
      const Lanes similar = load(s.values + token * s.stride + start);
      const Lanes rest = height - similar - p.price[token];
      row += entry * similar;
      row_first += entry * rest;
      row_second += entry * rest * rest;
      row_least = minimum(row_least, rest);
    }
    const Lanes missing = (load(p.sums + start) - load(p.weight + start)) * height;
    correction += choose(real, missing, Lanes{});
    cosine += choose(real, row * u, Lanes{});
    first_moment += choose(real, row_first * u, Lanes{});
    second_moment += choose(real, row_second * u, Lanes{});
    least = choose(real, minimum(least, row_least), least);
    most_log = choose(real, maximum(most_log, log_u), most_log);
    least_log = choose(real, minimum(least_log, log_u), least_log);
  }
  const double mean = sum(first_moment);
  const double variance = double(sum(second_moment)) - mean * mean;
  return {1.0 - double(sum(cosine)) + double(sum(correction)), mean, variance > 0 ? variance : 0,
          lowest(least), -double(lowest(-most_log)) - double(lowest(least_log))};
}

// Lower bound of <T, C> for all costs within the doubt.
inline double lower_bound(const Moments& m, const Problem& p, double row_error,
                          const Doubt& doubt) {
  const double c = doubt.most / p.epsilon;
  const double k = 0.5 * (p.depth + 2 * c + m.spread) * row_error + 0.5 * c * c;
  return m.value - sqrt(2 * k * m.variance) - (m.mean - m.lowest) * k / 3 - doubt.mean;
}

}  // namespace shieldclip::ISA
