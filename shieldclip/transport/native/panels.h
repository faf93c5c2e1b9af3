// How vectors lie in panels for the block product: panel after panel, of one entry after the other,
// of the vectors side by side. A last, narrower panel of tokens is as narrow as what is left.
#pragma once

#include "lanes.h"

namespace shieldclip::ISA {

constexpr int kPanelRows = 2 * kLanes;
#if defined(__AVX512F__)
constexpr int kPanelTokens = 14;  // 28 of 32 registers add up, the rest hold operands.
#else
constexpr int kPanelTokens = 6;  // 12 of 16.
#endif

}  // namespace shieldclip::ISA
