// The inner loops that are compiled once per instruction set, behind one table of functions.
#pragma once

#include <stdint.h>

namespace shieldclip {

// A view of the cosines of one image and one caption: S[token * stride + patch].
struct Cosines {
  const float* values;
  int64_t stride;
  int patches;
  int tokens;
};

// One transport distance and how it was found.
struct Solution {
  double linear;      // <T, C>, corrected for what the row sums of T still lack.
  double row_error;   // L1 error of the row sums.
  int64_t iterations;
  bool converged;
};

struct Stopping {
  double epsilon;
  double tolerance;
  int64_t max_iterations;
};

struct Kernels {
  const char* name;
  int panel_rows;     // Rows of a panel of packed patches.
  int panel_tokens;   // Tokens of a panel of packed tokens.

  // [count, width] -> panels [width][panel_rows]; the last panel is filled up with zeros.
  void (*pack_rows)(const float* rows, int64_t count, int64_t width, float* packed);
  // [count, width] -> panels [width][panel_tokens]; the last panel is as narrow as what is left.
  void (*pack_tokens)(const float* tokens, int64_t count, int64_t width, float* packed);
  // out[token * stride + row] for `panels` panels of rows and `count` tokens.
  void (*similarity)(const float* rows, int64_t panels, const float* tokens, int64_t count,
                     int64_t width, float* out, int64_t stride);
  // Lower bound of the unregularised, hence of every entropic, transport cost. A value above
  // `limit` may be a weaker bound than could be had.
  float (*bound)(const Cosines& cosines, float limit, float* scratch);
  // Transport distance; float32 where its range allows, float64 elsewhere.
  Solution (*solve)(const Cosines& cosines, const Stopping& stopping, float* scratch);
  float (*dot)(const float* a, const float* b, int64_t width);
};

// Floats of scratch that `bound` and `solve` may use, whatever the instruction set.
inline int64_t scratch_floats(int64_t patches, int64_t tokens) {
  return (patches + 16) * (tokens + 12) + 2 * tokens + 64;
}

namespace generic {
extern const Kernels kernels;
}
namespace avx2 {
extern const Kernels kernels;
}
namespace avx512 {
extern const Kernels kernels;
}

}  // namespace shieldclip
