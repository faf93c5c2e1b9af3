// Which of the compiled instruction sets this processor runs. A macro says what was compiled: not
// every compiler knows all of them.
#include "dispatch.h"

#include <string>
#include <vector>

#include "interface.h"

namespace shieldclip {
namespace {

#ifdef SHIELDCLIP_AVX2
#define RUNS(feature) (__builtin_cpu_supports(feature) != 0)
#endif

// The fastest last.
std::vector<const Kernels*> runnable() {
  std::vector<const Kernels*> found = {&generic::kernels};
#ifdef SHIELDCLIP_AVX2
  __builtin_cpu_init();
  const bool avx2 = RUNS("avx2") && RUNS("fma");
  if (avx2) found.push_back(&avx2::kernels);
#ifdef SHIELDCLIP_AVXVNNI
  if (avx2 && RUNS("avxvnni")) found.push_back(&avxvnni::kernels);
#endif
#ifdef SHIELDCLIP_AVX512
  const bool avx512 = avx2 && RUNS("avx512f") && RUNS("avx512dq");
  if (avx512) found.push_back(&avx512::kernels);
#ifdef SHIELDCLIP_AVX512VNNI
  if (avx512 && RUNS("avx512vnni")) found.push_back(&avx512vnni::kernels);
#endif
#endif
#endif
  return found;
}

}  // namespace

const Kernels& kernels_named(const char* instructions) {
  for (const Kernels* kernels : runnable()) {
    if (instructions == std::string(kernels->name)) return *kernels;
  }
  return generic::kernels;
}

}  // namespace shieldclip

extern "C" const char* shieldclip_instructions(void) {
  static const std::string names = [] {
    std::string all;
    for (const auto* kernels : shieldclip::runnable()) all += std::string(kernels->name) + " ";
    return all;
  }();
  return names.c_str();
}
