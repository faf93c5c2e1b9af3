#pragma once

#include "kernels.h"

namespace shieldclip {

// The table of an instruction set that `shieldclip_instructions` names.
const Kernels& kernels_named(const char* instructions);

}  // namespace shieldclip
