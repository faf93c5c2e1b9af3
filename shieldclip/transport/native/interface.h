// The C interface that Python's ctypes calls; native/library.py declares the same structures.
#pragma once

#include <stdint.h>

extern "C" {

// Features are row-major float32; distances are alpha (1 - cos) + (1 - alpha) <T_eps, C>.
struct Features {
  const float* patches;      // [images][patch_count][width]
  const float* tokens;       // [offsets[captions]][width]
  const int64_t* offsets;    // [captions + 1]
  const float* image_globals;  // [images][global_width], or null where alpha is 0
  const float* text_globals;   // [captions][global_width], or null
  int64_t images;
  int64_t patch_count;
  int64_t captions;
  int64_t width;
  int64_t global_width;
};

struct Settings {
  double epsilon;
  double tolerance;
  double global_weight;  // alpha
  double slack;          // Distances this close are compared in float64.
  int64_t max_iterations;
  int64_t threads;
};

struct Stats {
  int64_t pairs;
  int64_t solved;
  int64_t iterations;
  int64_t unconverged;
  int64_t buffer_bytes;  // Largest sum of all threads' buffers.
};

// Nearest caption of every image: index[images] (-1: none) and distance[images]. `seeds`
// [images][seed_count] are captions to try first.
void shieldclip_search(const char* instructions, const struct Features* features,
                       const struct Settings* settings, const int64_t* seeds, int64_t seed_count,
                       int64_t* index, double* distance, struct Stats* stats);

// The same among `candidates` [images][candidate_count] only.
void shieldclip_search_among(const char* instructions, const struct Features* features,
                             const struct Settings* settings, const int64_t* candidates,
                             int64_t candidate_count, int64_t* index, double* distance,
                             struct Stats* stats);

// Of image 0 and caption 0, from the block product.
struct Inspection {
  double mean_doubt;  // See doubt.h.
  double most_doubt;
  double bound;       // Lower bound of the transport distance; weaker above the limit.
  int64_t exceeds;    // Proven to exceed the limit?
};

// Also writes the cosines [tokens][patches] that the block product computes.
void shieldclip_inspect(const char* instructions, const struct Features* features,
                        const struct Settings* settings, double limit,
                        struct Inspection* inspection, float* cosines);

// The compiled instruction sets that this processor runs, the fastest last, between spaces.
const char* shieldclip_instructions(void);

}  // extern "C"
