#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <new>

namespace shieldclip {

// Zeroed floats on a cache-line boundary.
class Buffer {
 public:
  explicit Buffer(int64_t floats) : bytes_((floats * 4 + 63) / 64 * 64) {
    data_ = static_cast<float*>(aligned_alloc(64, bytes_ > 0 ? bytes_ : 64));
    if (!data_) throw std::bad_alloc();
    memset(data_, 0, bytes_);
  }
  ~Buffer() { free(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  float* data() { return data_; }
  const float* data() const { return data_; }
  int64_t bytes() const { return bytes_; }

 private:
  int64_t bytes_;
  float* data_;
};

}  // namespace shieldclip
