// Cosines of a group of images with a chunk of captions, by one product of matrices, and how far
// they may be off.
#pragma once

#include <vector>

#include "buffer.h"
#include "doubt.h"
#include "interface.h"
#include "kernels.h"
#include "plan.h"

namespace shieldclip {

struct Range {
  int64_t begin;
  int64_t end;
};

class Block {
 public:
  Block(const Features& features, const Kernels& kernels, const Plan& plan);

  // Packs the patches of a batch of images.
  void take_images(Range images);

  // Packs the words of a chunk of captions.
  void take_captions(Range captions);

  // Computes the cosines of a group of the images, which starts at a multiple of the group's size.
  void multiply(Range group);

  // Of a pair within the last group and chunk.
  Cosines cosines(int64_t image, int64_t caption) const;
  Doubt doubt(int64_t image, int64_t caption) const {
    return doubt_of(image_blurs_[image - images_.begin], caption_blurs_[caption - captions_.begin]);
  }

  int64_t bytes() const;

 private:
  float* packed_group(int64_t first_image);

  const Features& features_;
  const Kernels& kernels_;
  const Plan& plan_;
  Buffer turned_;
  Buffer patches_;
  Buffer tokens_;
  Buffer values_;
  std::vector<Fit> fits_;
  std::vector<Blur> image_blurs_;
  std::vector<Blur> caption_blurs_;
  Range images_ = {};
  Range captions_ = {};
  Range group_ = {};
};

}  // namespace shieldclip
