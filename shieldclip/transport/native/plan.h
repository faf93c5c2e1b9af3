// How a search is cut up, so that what a thread works on stays in its cache.
#pragma once

#include <algorithm>

#include "interface.h"
#include "kernels.h"

namespace shieldclip {

struct Plan {
  int64_t group_images;   // Images whose patches make one block of cosines.
  int64_t group_panels;   // Panels of packed patches of a full group.
  int64_t batch_images;   // Images for which a thread streams the pool once.
  int64_t batches;
  int64_t chunk_tokens;   // Tokens of a block of cosines, unless one caption has more.
  int64_t stride;         // Of a block of cosines.
  int64_t longest;        // Tokens of the longest caption.
};

constexpr int64_t kGroupRows = 768;
constexpr int64_t kChunkTokens = 252;             // 18 panels of 14, 42 of 6.
constexpr int64_t kPackedFloats = int64_t(1) << 20;  // Patches packed per thread: 4 MB.

inline int64_t panels(int64_t images, const Features& features, const Kernels& kernels) {
  return (images * features.patch_count + kernels.panel_rows - 1) / kernels.panel_rows;
}

// The images per group, up to `most`, that waste the least of the last panel.
inline int64_t best_group(int64_t most, const Features& features, const Kernels& kernels) {
  int64_t best = 1;
  double best_use = 0;
  for (int64_t images = 1; images <= most; ++images) {
    const int64_t rows = panels(images, features, kernels) * kernels.panel_rows;
    const double use = double(images * features.patch_count) / double(rows);
    if (use >= best_use) {
      best = images;
      best_use = use;
    }
  }
  return best;
}

inline int64_t longest_caption(const Features& features) {
  int64_t longest = 0;
  for (int64_t c = 0; c < features.captions; ++c) {
    longest = std::max(longest, features.offsets[c + 1] - features.offsets[c]);
  }
  return longest;
}

inline Plan make_plan(const Features& features, const Settings& settings,
                      const Kernels& kernels) {
  Plan plan = {};
  const int64_t share =
      std::max<int64_t>(1, (features.images + settings.threads - 1) / settings.threads);
  const int64_t fitting = std::max<int64_t>(1, kGroupRows / features.patch_count);
  plan.group_images = best_group(std::min(fitting, share), features, kernels);
  plan.group_panels = panels(plan.group_images, features, kernels);
  const int64_t group_floats =
      plan.group_panels * kernels.panel_rows * kernels.packed_width(features.width);
  const int64_t groups = std::max<int64_t>(1, kPackedFloats / group_floats);
  const int64_t needed = (share + plan.group_images - 1) / plan.group_images;
  plan.batch_images = std::min(groups, needed) * plan.group_images;
  plan.batches = (features.images + plan.batch_images - 1) / plan.batch_images;
  plan.stride = plan.group_panels * kernels.panel_rows + 16;
  plan.longest = longest_caption(features);
  plan.chunk_tokens = std::max(kChunkTokens, plan.longest);
  return plan;
}

// For a search that streams nothing: a few images a batch, and no blocks.
inline Plan make_short_plan(const Features& features) {
  Plan plan = {};
  plan.group_images = 1;
  plan.batch_images = 16;
  plan.batches = (features.images + plan.batch_images - 1) / plan.batch_images;
  plan.longest = longest_caption(features);
  return plan;
}

}  // namespace shieldclip
