#pragma once

#include "kernels.h"

namespace shieldclip {

// The table of "avx512", "avx2" or "generic"; the caller has checked that the processor runs it.
const Kernels& kernels_named(const char* instructions);

}  // namespace shieldclip
