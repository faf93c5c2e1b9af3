#include "matcher.h"

#include <algorithm>

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
      patches_(plan.batch_images / plan.group_images * plan.group_panels * kernels.panel_rows *
               features.width),
      tokens_(plan.chunk_tokens * features.width),
      block_(plan.chunk_tokens * plan.stride + 16),
      pair_(plan.longest * pair_stride(features.patch_count)),
      scratch_(scratch_floats(features.patch_count, plan.longest)) {}

Stats Matcher::stats() const {
  Stats stats = stats_;
  for (const Buffer* buffer : {&patches_, &tokens_, &block_, &pair_, &scratch_}) {
    stats.buffer_bytes += buffer->bytes();
  }
  return stats;
}

void Matcher::match(int64_t batch, const int64_t* seeds, int64_t seed_count, int64_t* index,
                    double* distance) {
  begin(batch, seeds, seed_count);
  pack();
  for (Chunk chunk = next_chunk(0); chunk.begin < features_.captions;
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
  first_ = batch * plan_.batch_images;
  images_ = std::min(plan_.batch_images, features_.images - first_);
  seeds_ = seeds;
  seed_count_ = seed_count;
  winners_.assign(images_, Winner());
  for (int64_t n = 0; n < images_; ++n) try_seeds(first_ + n);
}

void Matcher::settle(int64_t* index, double* distance) {
  for (int64_t n = 0; n < images_; ++n) {
    const int64_t image = first_ + n;
    Winner& winner = winners_[n];
    const bool certain = winner.certain();
    if (!certain) winner.decide(features_, settings_, image);
    index[image] = winner.caption();
    distance[image] =
        certain ? refined({features_, image, winner.caption()}) : winner.distance();
  }
}

// The distance at a finer tolerance than a search needs.
double Matcher::refined(const Pair& pair) {
  const Stopping stopping = {settings_.epsilon,
                             std::max(kFinest, settings_.tolerance / kRefinement),
                             settings_.max_iterations};
  const Solution solution =
      kernels_.solve(cosines(pair, kernels_, pair_.data()), stopping, scratch_.data());
  const double alpha = settings_.global_weight;
  return pair.global_term(kernels_, alpha) + (1 - alpha) * solution.linear;
}

float* Matcher::packed_group(int64_t group) {
  return patches_.data() + group * plan_.group_panels * kernels_.panel_rows * features_.width;
}

void Matcher::pack() {
  for (int64_t start = 0; start < images_; start += plan_.group_images) {
    const int64_t taken = std::min(plan_.group_images, images_ - start);
    const int64_t row = (first_ + start) * features_.patch_count;
    kernels_.pack_rows(features_.patches + row * features_.width, taken * features_.patch_count,
                       features_.width, packed_group(start / plan_.group_images));
  }
}

void Matcher::try_seeds(int64_t image) {
  const int64_t* seeds = seeds_ + image * seed_count_;
  for (int64_t n = 0; n < seed_count_; ++n) {
    const Pair pair = {features_, image, seeds[n]};
    const double global_term = pair.global_term(kernels_, settings_.global_weight);
    if (pair.token_count() == 0 || winners_[image - first_].repeats(pair, global_term)) continue;
    solve(pair, global_term, cosines(pair, kernels_, pair_.data()));
  }
}

bool Matcher::tried(int64_t image, int64_t caption) const {
  const int64_t* seeds = seeds_ + image * seed_count_;
  return std::find(seeds, seeds + seed_count_, caption) != seeds + seed_count_;
}

// As many captions from `begin` on as fit a block of cosines.
Matcher::Chunk Matcher::next_chunk(int64_t begin) const {
  const int64_t* offsets = features_.offsets;
  int64_t end = begin;
  while (end < features_.captions && offsets[end + 1] - offsets[begin] <= plan_.chunk_tokens) {
    ++end;
  }
  return {begin, end};
}

Cosines Matcher::in_block(const float* block, Chunk chunk, int64_t caption) const {
  const int64_t* offsets = features_.offsets;
  return {block + (offsets[caption] - offsets[chunk.begin]) * plan_.stride, plan_.stride,
          int(features_.patch_count), int(offsets[caption + 1] - offsets[caption])};
}

void Matcher::match_chunk(Chunk chunk) {
  const int64_t token = features_.offsets[chunk.begin];
  const int64_t count = features_.offsets[chunk.end] - token;
  kernels_.pack_tokens(features_.tokens + token * features_.width, count, features_.width,
                       tokens_.data());
  for (int64_t start = 0; start < images_; start += plan_.group_images) {
    const int64_t taken = std::min(plan_.group_images, images_ - start);
    kernels_.similarity(packed_group(start / plan_.group_images),
                        panels(taken, features_, kernels_), tokens_.data(), count,
                        features_.width, block_.data(), plan_.stride);
    for (int64_t n = 0; n < taken; ++n) {
      match_image(first_ + start + n, chunk, block_.data() + n * features_.patch_count);
    }
  }
}

// Bounds first, then the survivors from the most promising on.
void Matcher::match_image(int64_t image, Chunk chunk, const float* block) {
  exclude(image, chunk, block);
  std::sort(survivors_.begin(), survivors_.end(),
            [](const Survivor& a, const Survivor& b) { return a.bound < b.bound; });
  Winner& winner = winners_[image - first_];
  for (const Survivor& survivor : survivors_) {
    if (survivor.bound > winner.limit()) break;
    const Pair pair = {features_, image, survivor.caption};
    if (tried(image, pair.caption) || winner.repeats(pair, survivor.global_term)) continue;
    solve(pair, survivor.global_term, in_block(block, chunk, survivor.caption));
  }
}

void Matcher::exclude(int64_t image, Chunk chunk, const float* block) {
  survivors_.clear();
  const double alpha = settings_.global_weight;
  const double limit = winners_[image - first_].limit();
  for (int64_t caption = chunk.begin; caption < chunk.end; ++caption) {
    const Cosines cosines = in_block(block, chunk, caption);
    if (cosines.tokens == 0) continue;
    ++stats_.pairs;
    const double global_term =
        Pair{features_, image, caption}.global_term(kernels_, alpha);
    const double left = alpha < 1 ? (limit - global_term) / (1 - alpha) : 0.0;
    const double bound =
        global_term + (1 - alpha) * kernels_.bound(cosines, float(left), scratch_.data());
    if (bound <= limit) survivors_.push_back({bound, global_term, caption});
  }
}

void Matcher::solve(const Pair& pair, double global_term, const Cosines& cosines) {
  const double alpha = settings_.global_weight;
  const Stopping stopping = {settings_.epsilon, settings_.tolerance,
                             settings_.max_iterations};
  const Solution solution = kernels_.solve(cosines, stopping, scratch_.data());
  const double distance = global_term + (1 - alpha) * solution.linear;
  winners_[pair.image - first_].offer(pair, global_term, distance, solution, settings_.slack);
  ++stats_.solved;
  stats_.iterations += solution.iterations;
  stats_.unconverged += !solution.converged;
}

}  // namespace shieldclip
