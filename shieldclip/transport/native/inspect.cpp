// What the kernels say of one image and one caption on the way to an answer; for tests.
#include "block.h"
#include "dispatch.h"
#include "interface.h"
#include "plan.h"

using namespace shieldclip;

extern "C" void shieldclip_inspect(const char* instructions, const Features* features,
                                   const Settings* settings, double limit,
                                   Inspection* inspection, float* cosines) {
  const Kernels& kernels = kernels_named(instructions);
  const Plan plan = make_plan(*features, *settings, kernels);
  Block block(*features, kernels, plan);
  block.take_images({0, 1});
  block.take_captions({0, 1});
  block.multiply({0, 1});
  const Cosines found = block.cosines(0, 0);
  for (int token = 0; token < found.tokens; ++token) {
    for (int patch = 0; patch < found.patches; ++patch) {
      *cosines++ = found.values[token * found.stride + patch];
    }
  }
  const Doubt doubt = block.doubt(0, 0);
  const Stopping stopping = {settings->epsilon, settings->tolerance, settings->max_iterations,
                             limit};
  Buffer scratch(scratch_floats(features->patch_count, plan.longest));
  inspection->mean_doubt = doubt.mean;
  inspection->most_doubt = doubt.most;
  inspection->bound = kernels.bound(found, float(limit), scratch.data()) - doubt.mean;
  inspection->exceeds = kernels.exceeds(found, doubt, stopping, scratch.data());
}
