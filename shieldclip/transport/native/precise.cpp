#include "precise.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace shieldclip {
namespace {

constexpr double kDeepest = 600;  // exp(-600) and the scalings it brings stay in float64.

// A problem in float64. Matrices are [tokens][patches]; weights are uniform.
struct Precise {
  const double* cost;
  int patches;
  int tokens;
  double epsilon;
  std::vector<double> f;       // Potential of the patches.
  std::vector<double> g;       // Potential of the tokens.
  std::vector<double> kernel;  // exp((f + g - C) / eps) for the potentials it was built with.
  std::vector<double> sums;    // Row sums of the plan.

  const double* row(const double* matrix, int token) const {
    return matrix + std::size_t(token) * patches;
  }
};

// f_i = min_j C_ij, g_j = min_i (C_ij - f_i).
void start_potentials(Precise& p) {
  p.f.assign(p.cost, p.cost + p.patches);
  for (int t = 1; t < p.tokens; ++t) {
    for (int i = 0; i < p.patches; ++i) p.f[i] = std::min(p.f[i], p.row(p.cost, t)[i]);
  }
  p.g.resize(p.tokens);
  for (int t = 0; t < p.tokens; ++t) {
    p.g[t] = INFINITY;
    for (int i = 0; i < p.patches; ++i) p.g[t] = std::min(p.g[t], p.row(p.cost, t)[i] - p.f[i]);
  }
}

// Fills the kernel; returns the largest |exponent|.
double build_kernel(Precise& p) {
  double deepest = 0;
  p.kernel.resize(std::size_t(p.patches) * p.tokens);
  for (int t = 0; t < p.tokens; ++t) {
    for (int i = 0; i < p.patches; ++i) {
      const double exponent = (p.f[i] + p.g[t] - p.row(p.cost, t)[i]) / p.epsilon;
      deepest = std::max(deepest, std::abs(exponent));
      p.kernel[std::size_t(t) * p.patches + i] = std::exp(exponent);
    }
  }
  return deepest;
}

double row_error(const Precise& p) {
  double error = 0;
  for (double sum : p.sums) error += std::abs(sum - 1.0 / p.patches);
  return error;
}

// Row sums of u K v, and K v in `totals`.
void sum_rows(Precise& p, const double* u, const double* v, double* totals) {
  std::fill(totals, totals + p.patches, 0.0);
  for (int t = 0; t < p.tokens; ++t) {
    const double* k = p.row(p.kernel.data(), t);
    for (int i = 0; i < p.patches; ++i) totals[i] += k[i] * v[t];
  }
  for (int i = 0; i < p.patches; ++i) p.sums[i] = u[i] * totals[i];
}

// Sinkhorn scaling of the kernel; ends with the potentials of the plan and its row sums.
Solution by_scaling(Precise& p, const Stopping& stopping) {
  std::vector<double> u(p.patches, 0.0), v(p.tokens, 1.0), totals(p.patches);
  sum_rows(p, u.data(), v.data(), totals.data());
  Solution solution = {};
  while (!solution.converged && solution.iterations < stopping.max_iterations) {
    for (int i = 0; i < p.patches; ++i) u[i] = 1.0 / (p.patches * totals[i]);
    for (int t = 0; t < p.tokens; ++t) {
      const double* k = p.row(p.kernel.data(), t);
      double total = 0;
#pragma omp simd reduction(+ : total)
      for (int i = 0; i < p.patches; ++i) total += k[i] * u[i];
      v[t] = 1.0 / (p.tokens * total);
    }
    sum_rows(p, u.data(), v.data(), totals.data());
    solution.row_error = row_error(p);
    solution.converged = solution.row_error < stopping.tolerance;
    ++solution.iterations;
  }
  for (int i = 0; i < p.patches; ++i) p.f[i] += p.epsilon * std::log(u[i]);
  for (int t = 0; t < p.tokens; ++t) p.g[t] += p.epsilon * std::log(v[t]);
  return solution;
}

// g_j = eps (log b_j - log sum_i exp((f_i - C_ij) / eps))
void update_tokens(Precise& p) {
  for (int t = 0; t < p.tokens; ++t) {
    const double* cost = p.row(p.cost, t);
    double top = -INFINITY;
    for (int i = 0; i < p.patches; ++i) top = std::max(top, p.f[i] - cost[i]);
    double total = 0;
    for (int i = 0; i < p.patches; ++i) total += std::exp((p.f[i] - cost[i] - top) / p.epsilon);
    p.g[t] = -top - p.epsilon * std::log(p.tokens * total);
  }
}

// log sum_j exp((g_j - C_ij) / eps), times eps.
double soft_maximum(const Precise& p, int patch) {
  double top = -INFINITY;
  for (int t = 0; t < p.tokens; ++t) top = std::max(top, p.g[t] - p.row(p.cost, t)[patch]);
  double total = 0;
  for (int t = 0; t < p.tokens; ++t) {
    total += std::exp((p.g[t] - p.row(p.cost, t)[patch] - top) / p.epsilon);
  }
  return top + p.epsilon * std::log(total);
}

Solution by_logarithms(Precise& p, const Stopping& stopping) {
  std::vector<double> soft(p.patches);
  for (int i = 0; i < p.patches; ++i) soft[i] = soft_maximum(p, i);
  Solution solution = {};
  while (!solution.converged && solution.iterations < stopping.max_iterations) {
    for (int i = 0; i < p.patches; ++i) p.f[i] = -soft[i] - p.epsilon * std::log(p.patches);
    update_tokens(p);
    for (int i = 0; i < p.patches; ++i) {
      soft[i] = soft_maximum(p, i);
      p.sums[i] = std::exp((p.f[i] + soft[i]) / p.epsilon);
    }
    solution.row_error = row_error(p);
    solution.converged = solution.row_error < stopping.tolerance;
    ++solution.iterations;
  }
  return solution;
}

// <T, C> + sum_i (a_i - r_i) f_i
double corrected_value(const Precise& p) {
  double value = 0;
  for (int t = 0; t < p.tokens; ++t) {
    for (int i = 0; i < p.patches; ++i) {
      const double cost = p.row(p.cost, t)[i];
      value += cost * std::exp((p.f[i] + p.g[t] - cost) / p.epsilon);
    }
  }
  for (int i = 0; i < p.patches; ++i) value += (1.0 / p.patches - p.sums[i]) * p.f[i];
  return value;
}

}  // namespace

Solution solve_precisely(const double* cost, int patches, int tokens, const Stopping& stopping) {
  Precise problem = {cost, patches, tokens, stopping.epsilon, {}, {}, {}, {}};
  problem.sums.resize(patches);
  start_potentials(problem);
  const bool scalable = build_kernel(problem) <= kDeepest;
  Solution solution = scalable ? by_scaling(problem, stopping) : by_logarithms(problem, stopping);
  solution.linear = corrected_value(problem);
  return solution;
}

Solution solve_precisely(const Cosines& s, const Stopping& stopping) {
  std::vector<double> cost(std::size_t(s.patches) * s.tokens);
  for (int t = 0; t < s.tokens; ++t) {
    for (int i = 0; i < s.patches; ++i) {
      cost[std::size_t(t) * s.patches + i] = 1.0 - double(s.values[t * s.stride + i]);
    }
  }
  return solve_precisely(cost.data(), s.patches, s.tokens, stopping);
}

}  // namespace shieldclip
