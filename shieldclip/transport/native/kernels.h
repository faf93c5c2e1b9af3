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

// What packing made of a vector x: x^.
struct Fit {
  float error;  // |x - x^|, rounded up.
  float size;   // At least |x| and |x^|.
};

// Of the cosines of one image and one caption; zero where they are exact.
struct Doubt {
  float mean;  // Largest error of <T, C>, for any plan T with uniform marginals.
  float most;  // Largest error of any entry of C.
};

// One transport distance and how it was found.
struct Solution {
  double linear;      // <T, C>, corrected for what the row sums of T still lack.
  double row_error;   // L1 error of the row sums.
  int64_t iterations;
  bool converged;
  bool excluded;      // Proven to exceed the limit before it was found.
};

struct Stopping {
  double epsilon;
  double tolerance;
  int64_t max_iterations;
  double limit;  // Distances above it are of no interest.
};

struct Kernels {
  const char* name;
  int panel_rows;     // Rows of a panel of packed patches.
  int panel_tokens;   // Tokens of a panel of packed tokens.
  bool quantised;     // Is `similarity` off by what the fits of its vectors say, or exact?

  // Floats of a vector in a panel.
  int64_t (*packed_width)(int64_t width);
  // [count, width] -> panels of rows, the last one whole, and a fit per row. `turned` is scratch of
  // width * 16 floats.
  void (*pack_rows)(const float* rows, int64_t count, int64_t width, float* turned, float* packed,
                    Fit* fits);
  // [count, width] -> panels of tokens; the last panel is as narrow as what is left.
  void (*pack_tokens)(const float* tokens, int64_t count, int64_t width, float* turned,
                      float* packed, Fit* fits);
  // out[token * stride + row] for `panels` panels of rows and `count` tokens.
  void (*similarity)(const float* rows, int64_t panels, const float* tokens, int64_t count,
                     int64_t width, float* out, int64_t stride);
  // out[token * stride + patch], exact, straight from the features of one image and one caption.
  void (*product)(const float* patches, int patch_count, const float* tokens, int token_count,
                  int64_t width, float* out, int64_t stride);
  // Lower bound of the unregularised, hence of every entropic, transport cost. A value above
  // `limit` may be a weaker bound than could be had.
  float (*bound)(const Cosines& cosines, float limit, float* scratch);
  // Transport distance; float32 where its range allows, float64 elsewhere.
  Solution (*solve)(const Cosines& cosines, const Stopping& stopping, float* scratch);
  // Does the distance exceed the limit for all cosines within the doubt? False where unclear.
  bool (*exceeds)(const Cosines& cosines, const Doubt& doubt, const Stopping& stopping,
                  float* scratch);
  float (*dot)(const float* a, const float* b, int64_t width);
};

// Floats of scratch that `bound`, `solve` and `exceeds` may use, whatever the instruction set.
inline int64_t scratch_floats(int64_t patches, int64_t tokens) {
  return (patches + 16) * (tokens + 12) + 4 * (tokens + 16) + 64;
}

namespace generic {
extern const Kernels kernels;
}
namespace avx2 {
extern const Kernels kernels;
}
namespace avxvnni {
extern const Kernels kernels;
}
namespace avx512 {
extern const Kernels kernels;
}
namespace avx512vnni {
extern const Kernels kernels;
}

}  // namespace shieldclip
