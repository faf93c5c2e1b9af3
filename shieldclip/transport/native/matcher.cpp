#include "matcher.h"

#include <algorithm>
#include <cmath>

namespace shieldclip {
namespace {

constexpr double kRefinement = 20;
constexpr double kFinest = 1e-6;  // What float32 reaches.

}  // namespace

Matcher::Matcher(const Features& features, const Settings& settings, const Kernels& kernels,
                 const Plan& plan)
    : features_(features),
      settings_(settings),
      kernels_(kernels),
      plan_(plan),
      block_(features, kernels, plan),
      pair_(plan.longest * pair_stride(features.patch_count)),
      scratch_(scratch_floats(features.patch_count, plan.longest)) {}

Stats Matcher::stats() const {
  Stats stats = stats_;
  stats.buffer_bytes += block_.bytes() + pair_.bytes() + scratch_.bytes();
  return stats;
}

void Matcher::match(int64_t batch, const int64_t* seeds, int64_t seed_count, int64_t* index,
                    double* distance) {
  begin(batch, seeds, seed_count);
  block_.take_images(images_);
  for (Range chunk = next_chunk(0); chunk.begin < features_.captions;
       chunk = next_chunk(chunk.end)) {
    match_chunk(chunk);
  }
  settle(index, distance);
}

void Matcher::match_among(int64_t batch, const int64_t* seeds, int64_t seed_count, int64_t* index,
                          double* distance) {
  begin(batch, seeds, seed_count);
  settle(index, distance);
}

void Matcher::begin(int64_t batch, const int64_t* seeds, int64_t seed_count) {
  const int64_t first = batch * plan_.batch_images;
  images_ = {first, std::min(first + plan_.batch_images, features_.images)};
  seeds_ = seeds;
  seed_count_ = seed_count;
  winners_.assign(images_.end - images_.begin, Winner());
  for (int64_t image = images_.begin; image < images_.end; ++image) try_seeds(image);
}

void Matcher::settle(int64_t* index, double* distance) {
  for (int64_t image = images_.begin; image < images_.end; ++image) {
    Winner& winner = winners_[image - images_.begin];
    const bool certain = winner.certain();
    if (!certain) winner.decide(features_, settings_, image);
    index[image] = winner.caption();
    distance[image] =
        certain ? refined({features_, image, winner.caption()}) : winner.distance();
  }
}

// The distance at a finer tolerance than a search needs; in float64 where float32 takes too long.
double Matcher::refined(const Pair& pair) {
  const Stopping stopping = {settings_.epsilon,
                             std::max(kFinest, settings_.tolerance / kRefinement),
                             settings_.max_iterations, INFINITY};
  const Solution solution =
      kernels_.solve(cosines(pair, kernels_, pair_.data()), stopping, scratch_.data());
  if (!solution.converged) return precise_distance(pair, settings_);
  const double alpha = settings_.global_weight;
  return pair.global_term(kernels_, alpha) + (1 - alpha) * solution.linear;
}

void Matcher::try_seeds(int64_t image) {
  const int64_t* seeds = seeds_ + image * seed_count_;
  for (int64_t n = 0; n < seed_count_; ++n) {
    const Pair pair = {features_, image, seeds[n]};
    const double global_term = pair.global_term(kernels_, settings_.global_weight);
    if (pair.token_count() == 0) continue;
    if (winners_[image - images_.begin].repeats(pair, global_term)) continue;
    solve(pair, global_term, cosines(pair, kernels_, pair_.data()));
  }
}

bool Matcher::tried(int64_t image, int64_t caption) const {
  const int64_t* seeds = seeds_ + image * seed_count_;
  return std::find(seeds, seeds + seed_count_, caption) != seeds + seed_count_;
}

// As many captions from `begin` on as fit a block of cosines.
Range Matcher::next_chunk(int64_t begin) const {
  const int64_t* offsets = features_.offsets;
  int64_t end = begin;
  while (end < features_.captions && offsets[end + 1] - offsets[begin] <= plan_.chunk_tokens) {
    ++end;
  }
  return {begin, end};
}

void Matcher::match_chunk(Range chunk) {
  block_.take_captions(chunk);
  for (int64_t start = images_.begin; start < images_.end; start += plan_.group_images) {
    const Range group = {start, std::min(start + plan_.group_images, images_.end)};
    block_.multiply(group);
    for (int64_t image = group.begin; image < group.end; ++image) match_image(image, chunk);
  }
}

// Bounds first, then the survivors from the most promising on.
void Matcher::match_image(int64_t image, Range chunk) {
  exclude(image, chunk);
  std::sort(survivors_.begin(), survivors_.end(),
            [](const Survivor& a, const Survivor& b) { return a.bound < b.bound; });
  Winner& winner = winners_[image - images_.begin];
  for (const Survivor& survivor : survivors_) {
    if (survivor.bound > winner.limit()) break;
    const Pair pair = {features_, image, survivor.caption};
    if (tried(image, pair.caption) || winner.repeats(pair, survivor.global_term)) continue;
    if (!kernels_.quantised) {
      solve(pair, survivor.global_term, block_.cosines(image, pair.caption));
    } else if (!exceeds(image, survivor)) {
      solve(pair, survivor.global_term, cosines(pair, kernels_, pair_.data()));
    }
  }
}

void Matcher::exclude(int64_t image, Range chunk) {
  survivors_.clear();
  const double alpha = settings_.global_weight;
  const double limit = winners_[image - images_.begin].limit();
  for (int64_t caption = chunk.begin; caption < chunk.end; ++caption) {
    const Cosines cosines = block_.cosines(image, caption);
    if (cosines.tokens == 0) continue;
    ++stats_.pairs;
    const double global_term =
        Pair{features_, image, caption}.global_term(kernels_, alpha);
    const double doubt = block_.doubt(image, caption).mean;
    const double left = stopping(image, global_term).limit + doubt;
    const double bound = kernels_.bound(cosines, float(left), scratch_.data()) - doubt;
    const double lowest = global_term + (1 - alpha) * bound;
    if (lowest <= limit) survivors_.push_back({lowest, global_term, caption});
  }
}

// Do the quantised cosines already show that a survivor is no winner?
bool Matcher::exceeds(int64_t image, const Survivor& survivor) {
  return kernels_.exceeds(block_.cosines(image, survivor.caption),
                          block_.doubt(image, survivor.caption),
                          stopping(image, survivor.global_term), scratch_.data());
}

void Matcher::solve(const Pair& pair, double global_term, const Cosines& cosines) {
  const Solution solution =
      kernels_.solve(cosines, stopping(pair.image, global_term), scratch_.data());
  ++stats_.solved;
  stats_.iterations += solution.iterations;
  if (solution.excluded) return;
  const double distance = global_term + (1 - settings_.global_weight) * solution.linear;
  winners_[pair.image - images_.begin].offer(pair, global_term, distance, solution,
                                             settings_.slack);
  stats_.unconverged += !solution.converged;
}

// With what the winner so far and the global term leave to the transport distance.
Stopping Matcher::stopping(int64_t image, double global_term) const {
  const double alpha = settings_.global_weight;
  const double left = winners_[image - images_.begin].limit() - global_term;
  return {settings_.epsilon, settings_.tolerance, settings_.max_iterations,
          alpha < 1 ? left / (1 - alpha) : INFINITY};
}

}  // namespace shieldclip
