// Compiled once per instruction set, with ISA=generic, avx2, avxvnni, avx512 or avx512vnni.
#include "kernels.h"

#include "bound.h"
#include "product.h"
#include "similarity.h"
#include "solver.h"

#define NAME_OF(isa) #isa
#define NAME(isa) NAME_OF(isa)

namespace shieldclip::ISA {

const Kernels kernels = {
    NAME(ISA),    kPanelRows, kPanelTokens, kQuantised,
    packed_width, pack_rows,  pack_tokens,  similarity,
    product,      bound,      solve,        exceeds,
    dot,
};

}  // namespace shieldclip::ISA
