#include "interface.h"

#include <mutex>

#include "dispatch.h"
#include "matcher.h"
#include "plan.h"
#include "threads.h"

namespace shieldclip {
namespace {

void add(const Stats& from, Stats* to) {
  to->pairs += from.pairs;
  to->solved += from.solved;
  to->iterations += from.iterations;
  to->unconverged += from.unconverged;
  to->buffer_bytes += from.buffer_bytes;
}

// Runs `match(matcher, batch)` for all batches of a plan.
template <typename Match>
void search(const Features& features, const Settings& settings, const Kernels& kernels,
            const Plan& plan, Stats* stats, const Match& match) {
  std::mutex adding;
  share_out(plan.batches, settings.threads, [&](auto&& each) {
    Matcher matcher(features, settings, kernels, plan);
    each([&](int64_t batch) { match(matcher, batch); });
    const std::lock_guard<std::mutex> lock(adding);
    add(matcher.stats(), stats);
  });
}

}  // namespace
}  // namespace shieldclip

using namespace shieldclip;

extern "C" void shieldclip_search(const char* instructions, const Features* features,
                                  const Settings* settings, const int64_t* seeds,
                                  int64_t seed_count, int64_t* index, double* distance,
                                  Stats* stats) {
  const Kernels& kernels = kernels_named(instructions);
  const Plan plan = make_plan(*features, *settings, kernels);
  search(*features, *settings, kernels, plan, stats, [&](Matcher& matcher, int64_t batch) {
    matcher.match(batch, seeds, seed_count, index, distance);
  });
}

extern "C" void shieldclip_search_among(const char* instructions, const Features* features,
                                        const Settings* settings, const int64_t* candidates,
                                        int64_t candidate_count, int64_t* index, double* distance,
                                        Stats* stats) {
  const Kernels& kernels = kernels_named(instructions);
  const Plan plan = make_short_plan(*features);
  search(*features, *settings, kernels, plan, stats, [&](Matcher& matcher, int64_t batch) {
    matcher.match_among(batch, candidates, candidate_count, index, distance);
  });
}
