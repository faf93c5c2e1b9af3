#include "block.h"

#include <algorithm>

namespace shieldclip {

Block::Block(const Features& features, const Kernels& kernels, const Plan& plan)
    : features_(features),
      kernels_(kernels),
      plan_(plan),
      turned_(16 * features.width),
      patches_(plan.batch_images / plan.group_images * plan.group_panels * kernels.panel_rows *
               kernels.packed_width(features.width)),
      tokens_(plan.chunk_tokens * kernels.packed_width(features.width)),
      values_(plan.chunk_tokens * plan.stride + 16),
      fits_(std::max(plan.chunk_tokens, plan.group_images * features.patch_count)) {}

int64_t Block::bytes() const {
  int64_t bytes = 0;
  for (const Buffer* buffer : {&turned_, &patches_, &tokens_, &values_}) bytes += buffer->bytes();
  return bytes + int64_t(fits_.size() * sizeof(Fit)) +
         int64_t((image_blurs_.capacity() + caption_blurs_.capacity()) * sizeof(Blur));
}

float* Block::packed_group(int64_t first_image) {
  return patches_.data() + (first_image - images_.begin) / plan_.group_images *
                               plan_.group_panels * kernels_.panel_rows *
                               kernels_.packed_width(features_.width);
}

void Block::take_images(Range images) {
  images_ = images;
  image_blurs_.clear();
  const int64_t patches = features_.patch_count;
  for (int64_t start = images.begin; start < images.end; start += plan_.group_images) {
    const int64_t taken = std::min(plan_.group_images, images.end - start);
    kernels_.pack_rows(features_.patches + start * patches * features_.width, taken * patches,
                       features_.width, turned_.data(), packed_group(start), fits_.data());
    for (int64_t n = 0; n < taken; ++n) {
      image_blurs_.push_back(blur_of(fits_.data() + n * patches, patches));
    }
  }
}

void Block::take_captions(Range captions) {
  captions_ = captions;
  caption_blurs_.clear();
  const int64_t* offsets = features_.offsets;
  const int64_t first = offsets[captions.begin];
  kernels_.pack_tokens(features_.tokens + first * features_.width, offsets[captions.end] - first,
                       features_.width, turned_.data(), tokens_.data(), fits_.data());
  for (int64_t caption = captions.begin; caption < captions.end; ++caption) {
    caption_blurs_.push_back(
        blur_of(fits_.data() + offsets[caption] - first, offsets[caption + 1] - offsets[caption]));
  }
}

void Block::multiply(Range group) {
  group_ = group;
  const int64_t* offsets = features_.offsets;
  kernels_.similarity(packed_group(group.begin),
                      panels(group.end - group.begin, features_, kernels_), tokens_.data(),
                      offsets[captions_.end] - offsets[captions_.begin], features_.width,
                      values_.data(), plan_.stride);
}

Cosines Block::cosines(int64_t image, int64_t caption) const {
  const int64_t* offsets = features_.offsets;
  const float* column = values_.data() + (image - group_.begin) * features_.patch_count;
  return {column + (offsets[caption] - offsets[captions_.begin]) * plan_.stride, plan_.stride,
          int(features_.patch_count), int(offsets[caption + 1] - offsets[caption])};
}

}  // namespace shieldclip
