// One image and one caption, straight from the features (no packing, no blocks).
#pragma once

#include "interface.h"
#include "kernels.h"

namespace shieldclip {

struct Pair {
  const Features& features;
  int64_t image;
  int64_t caption;

  const float* patches() const {
    return features.patches + image * features.patch_count * features.width;
  }
  const float* tokens() const {
    return features.tokens + features.offsets[caption] * features.width;
  }
  int patch_count() const { return int(features.patch_count); }
  int token_count() const {
    return int(features.offsets[caption + 1] - features.offsets[caption]);
  }

  // alpha (1 - cos) of the global features.
  double global_term(const Kernels& kernels, double alpha) const {
    if (alpha == 0) return 0;
    const float* a = features.image_globals + image * features.global_width;
    const float* b = features.text_globals + caption * features.global_width;
    return alpha * (1.0 - kernels.dot(a, b, features.global_width));
  }
};

// Row stride of a block of cosines of one pair; off powers of two, room for a whole last vector.
inline int64_t pair_stride(int64_t patches) { return (patches + 15) / 16 * 16 + 16; }

inline Cosines cosines(const Pair& pair, const Kernels& kernels, float* out) {
  const int64_t stride = pair_stride(pair.patch_count());
  kernels.product(pair.patches(), pair.patch_count(), pair.tokens(), pair.token_count(),
                  pair.features.width, out, stride);
  return {out, stride, pair.patch_count(), pair.token_count()};
}

// The distance in float64 from the features on, to a tolerance of 1e-9.
double precise_distance(const Pair& pair, const Settings& settings);

}  // namespace shieldclip
