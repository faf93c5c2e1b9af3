// Entropic transport in float64: what float32 cannot hold, and what must be certain.
#pragma once

#include "kernels.h"

namespace shieldclip {

// The same distance as Kernels::solve, in float64: by scaling where exponents allow (depth of
// the shifted kernel up to 600), else in the log domain.
Solution solve_precisely(const Cosines& cosines, const Stopping& stopping);

// From a cost matrix C[token * patches + patch].
Solution solve_precisely(const double* cost, int patches, int tokens, const Stopping& stopping);

}  // namespace shieldclip
