// Compiled once per instruction set, with ISA=avx512, avx2 or generic.
#include "kernels.h"

#include "bound.h"
#include "scaling.h"
#include "similarity.h"

#define NAME_OF(isa) #isa
#define NAME(isa) NAME_OF(isa)

namespace shieldclip::ISA {

const Kernels kernels = {
    NAME(ISA), kPanelRows, kPanelTokens, pack_rows, pack_tokens, similarity, bound, solve, dot,
};

}  // namespace shieldclip::ISA
