#include "winner.h"

#include <string.h>

#include <algorithm>
#include <cmath>

namespace shieldclip {
namespace {

constexpr double kCostRange = 2.0;  // 1 - cosine lies in [0, 2].
constexpr double kTie = 1e-9;       // The tolerance of the float64 solver.

bool same_words(const Pair& a, const Pair& b) {
  return a.token_count() == b.token_count() &&
         memcmp(a.tokens(), b.tokens(), sizeof(float) * a.token_count() * a.features.width) == 0;
}

}  // namespace

bool Winner::repeats(const Pair& pair, double global_term) {
  if (candidates_.empty()) return false;
  Candidate& best = candidates_[best_];
  if (best.caption == pair.caption) return true;
  if (global_term != best.global_term) return false;
  if (!same_words(pair, {pair.features, pair.image, best.caption})) return false;
  best.caption = std::min(best.caption, pair.caption);
  return true;
}

void Winner::offer(const Pair& pair, double global_term, double distance, const Solution& solution,
                   double slack) {
  const double doubt = solution.converged ? 0.0 : kCostRange * solution.row_error;
  limit_ = std::min(limit_, distance + doubt + slack);
  if (!(distance - doubt <= limit_)) return;
  candidates_.push_back({pair.caption, global_term, distance, doubt});
  if (distance < candidates_[best_].distance) best_ = candidates_.size() - 1;
  if (candidates_.size() > crowded_) drop_beaten();
}

void Winner::drop_beaten() {
  const auto beaten = [this](const Candidate& c) { return c.distance - c.doubt > limit_; };
  candidates_.erase(std::remove_if(candidates_.begin(), candidates_.end(), beaten),
                    candidates_.end());
  const auto nearer = [](const Candidate& a, const Candidate& b) {
    return a.distance < b.distance;
  };
  best_ = std::min_element(candidates_.begin(), candidates_.end(), nearer) - candidates_.begin();
  crowded_ = 2 * candidates_.size() + 64;
}

bool Winner::certain() {
  drop_beaten();
  return candidates_.size() == 1;
}

void Winner::decide(const Features& features, const Settings& settings, int64_t image) {
  double least = INFINITY;
  for (Candidate& c : candidates_) {
    c.distance = precise_distance({features, image, c.caption}, settings);
    least = std::min(least, c.distance);
  }
  best_ = candidates_.size();
  for (std::size_t n = 0; n < candidates_.size(); ++n) {
    const Candidate& c = candidates_[n];
    if (c.distance > least + kTie) continue;
    if (best_ == candidates_.size() || c.caption < candidates_[best_].caption) best_ = n;
  }
}

double Winner::distance() const {
  return candidates_.empty() ? INFINITY : candidates_[best_].distance;
}

}  // namespace shieldclip
