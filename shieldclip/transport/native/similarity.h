// Block matrix product: cosines of many patches with many tokens, transposed ([token][patch]) so
// that patches lie in the lanes of every later step.
#pragma once

#ifdef SHIELDCLIP_VNNI
#include "quantised.h"
#else
#include "unquantised.h"
#endif

namespace shieldclip::ISA {

// tile<count> for a count known only at run time.
template <int Tokens>
void narrow_tile(int count, const float* rows, const float* tokens, int64_t width, float* out,
                 int64_t stride) {
  if constexpr (Tokens > 0) {
    if (count == Tokens) {
      tile<Tokens>(rows, tokens, width, out, stride);
    } else {
      narrow_tile<Tokens - 1>(count, rows, tokens, width, out, stride);
    }
  }
}

inline void similarity(const float* rows, int64_t panels, const float* tokens, int64_t count,
                       int64_t width, float* out, int64_t stride) {
  const int64_t size = packed_width(width);
  for (int64_t panel = 0; panel < panels; ++panel) {
    const float* panel_rows = rows + panel * size * kPanelRows;
    float* panel_out = out + panel * kPanelRows;
    int64_t start = 0;
    for (; start + kPanelTokens <= count; start += kPanelTokens) {
      tile<kPanelTokens>(panel_rows, tokens + start * size, width, panel_out + start * stride,
                         stride);
    }
    narrow_tile<kPanelTokens - 1>(int(count - start), panel_rows, tokens + start * size, width,
                                  panel_out + start * stride, stride);
  }
}

}  // namespace shieldclip::ISA
