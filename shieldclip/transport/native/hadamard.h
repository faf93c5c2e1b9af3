// A fixed rotation that evens out the entries of vectors, so that they lose less in a few bits:
// signs by a hash of the place, then the orthonormal Walsh-Hadamard transform.
//
// Vectors lie in lanes: values[k * kLanes + lane]. A width that is no power of two is cut into
// blocks that are.
#pragma once

#include <math.h>

#include "lanes.h"

namespace shieldclip::ISA {

inline float sign_at(int64_t place) {
  uint32_t hash = uint32_t(place) * 0x9e3779b1u;
  hash = (hash ^ hash >> 15) * 0x85ebca77u;
  return hash >> 31 ? -1.0f : 1.0f;
}

inline void rotate_block(float* values, int64_t size) {
  for (int64_t half = 1; half < size; half *= 2) {
    for (int64_t base = 0; base < size; base += 2 * half) {
      for (int64_t k = base; k < base + half; ++k) {
        const Lanes a = load(values + k * kLanes);
        const Lanes b = load(values + (k + half) * kLanes);
        store(values + k * kLanes, a + b);
        store(values + (k + half) * kLanes, a - b);
      }
    }
  }
}

inline void rotate(float* values, int64_t width) {
  int64_t start = 0;
  while (start < width) {
    int64_t size = 1;
    while (2 * size <= width - start) size *= 2;
    const float length = 1.0f / sqrtf(float(size));
    for (int64_t k = start; k < start + size; ++k) {
      store(values + k * kLanes, load(values + k * kLanes) * (length * sign_at(k)));
    }
    rotate_block(values + start * kLanes, size);
    start += size;
  }
}

}  // namespace shieldclip::ISA
