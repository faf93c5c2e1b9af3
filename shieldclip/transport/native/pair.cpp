#include "pair.h"

#include <cstddef>
#include <vector>

#include "precise.h"

namespace shieldclip {
namespace {

constexpr double kTolerance = 1e-9;
constexpr int64_t kPatience = 10;  // Times the iterations that float32 gets.

double precise_dot(const float* a, const float* b, int64_t width) {
  double total = 0;
#pragma omp simd reduction(+ : total)
  for (int64_t k = 0; k < width; ++k) total += double(a[k]) * double(b[k]);
  return total;
}

}  // namespace

double precise_distance(const Pair& pair, const Settings& settings) {
  const Features& features = pair.features;
  const int patches = pair.patch_count();
  std::vector<double> cost(std::size_t(patches) * pair.token_count());
  for (int t = 0; t < pair.token_count(); ++t) {
    const float* token = pair.tokens() + t * features.width;
    for (int i = 0; i < patches; ++i) {
      const float* patch = pair.patches() + i * features.width;
      cost[std::size_t(t) * patches + i] = 1.0 - precise_dot(patch, token, features.width);
    }
  }
  const Stopping stopping = {settings.epsilon, kTolerance,
                             settings.max_iterations * kPatience};
  const Solution solution = solve_precisely(cost.data(), patches, pair.token_count(), stopping);
  const double alpha = settings.global_weight;
  if (alpha == 0) return solution.linear;
  const double cosine = precise_dot(
      features.image_globals + pair.image * features.global_width,
      features.text_globals + pair.caption * features.global_width, features.global_width);
  return alpha * (1.0 - cosine) + (1.0 - alpha) * solution.linear;
}

}  // namespace shieldclip
