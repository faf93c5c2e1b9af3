// Which of the compiled instruction sets this processor runs.
#include "dispatch.h"

#include <string.h>

#include "interface.h"

extern "C" const char* shieldclip_instructions(void) {
#ifdef SHIELDCLIP_X86
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) {
    return __builtin_cpu_supports("avx512vnni") ? "generic avx2 avx512 avx512vnni"
                                                : "generic avx2 avx512";
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "generic avx2";
#endif
  return "generic";
}

namespace shieldclip {

const Kernels& kernels_named(const char* instructions) {
#ifdef SHIELDCLIP_X86
  if (strcmp(instructions, "avx512vnni") == 0) return avx512vnni::kernels;
  if (strcmp(instructions, "avx512") == 0) return avx512::kernels;
  if (strcmp(instructions, "avx2") == 0) return avx2::kernels;
#endif
  (void)instructions;
  return generic::kernels;
}

}  // namespace shieldclip
