// One thread's search: streams the pool past a batch of images.
#pragma once

#include <vector>

#include "block.h"
#include "buffer.h"
#include "interface.h"
#include "kernels.h"
#include "plan.h"
#include "winner.h"

namespace shieldclip {

class Matcher {
 public:
  Matcher(const Features& features, const Settings& settings, const Kernels& kernels,
          const Plan& plan);

  // Finds the nearest captions of the images of a batch. Seeds [images][seed_count] come first.
  void match(int64_t batch, const int64_t* seeds, int64_t seed_count, int64_t* index,
             double* distance);

  // Finds the nearest of the captions `seeds` only.
  void match_among(int64_t batch, const int64_t* seeds, int64_t seed_count, int64_t* index,
                   double* distance);

  Stats stats() const;

 private:
  struct Survivor {
    double bound;
    double global_term;
    int64_t caption;
  };

  void begin(int64_t batch, const int64_t* seeds, int64_t seed_count);
  void settle(int64_t* index, double* distance);
  double refined(const Pair& pair);
  void try_seeds(int64_t image);
  bool tried(int64_t image, int64_t caption) const;
  void match_chunk(Range chunk);
  void match_image(int64_t image, Range chunk);
  void exclude(int64_t image, Range chunk);
  bool exceeds(int64_t image, const Survivor& survivor);
  void solve(const Pair& pair, double global_term, const Cosines& cosines);
  Stopping stopping(int64_t image, double global_term) const;
  Range next_chunk(int64_t begin) const;

  const Features& features_;
  const Settings& settings_;
  const Kernels& kernels_;
  const Plan& plan_;
  Block block_;
  Buffer pair_;
  Buffer scratch_;
  Range images_ = {};              // The batch.
  const int64_t* seeds_ = nullptr;
  int64_t seed_count_ = 0;
  std::vector<Winner> winners_;    // One per image of the batch.
  std::vector<Survivor> survivors_;
  Stats stats_ = {};
};

}  // namespace shieldclip
