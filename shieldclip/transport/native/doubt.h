// How far cosines of quantised vectors may be off.
//
// With x^ for a quantised x: |x.y - x^.y^| <= |x - x^| |y| + |x^| |y - y^| (Cauchy-Schwarz).
#pragma once

#include "kernels.h"

namespace shieldclip {

// Of a set of vectors.
struct Blur {
  float mean_error;
  float most_error;
  float size;
};

inline Blur blur_of(const Fit* fits, int64_t count) {
  Blur blur = {};
  for (int64_t n = 0; n < count; ++n) {
    blur.mean_error += fits[n].error / count;
    if (fits[n].error > blur.most_error) blur.most_error = fits[n].error;
    if (fits[n].size > blur.size) blur.size = fits[n].size;
  }
  return blur;
}

inline Doubt doubt_of(const Blur& patches, const Blur& tokens) {
  return {patches.mean_error * tokens.size + patches.size * tokens.mean_error,
          patches.most_error * tokens.size + patches.size * tokens.most_error};
}

}  // namespace shieldclip
