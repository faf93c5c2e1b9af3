// The captions that may still be the nearest one of an image.
#pragma once

#include <stdint.h>

#include <cstddef>
#include <vector>

#include "interface.h"
#include "kernels.h"
#include "pair.h"

namespace shieldclip {

class Winner {
 public:
  // What a lower bound must exceed for its caption to be out.
  double limit() const { return limit_; }

  // Has the caption, word for word, been offered already? If so, its place among ties is noted.
  bool repeats(const Pair& pair, double global_term);

  void offer(const Pair& pair, double global_term, double distance, const Solution& solution,
             double slack);

  // Is there one candidate only, given all there was to offer? Drops the beaten ones.
  bool certain();

  // Decides between several candidates in float64; exact ties go to the lowest index.
  void decide(const Features& features, const Settings& settings, int64_t image);

  // The nearest caption so far; -1 where none was offered.
  int64_t caption() const { return candidates_.empty() ? -1 : candidates_[best_].caption; }

  // Its distance; infinite where none was offered.
  double distance() const;

 private:
  struct Candidate {
    int64_t caption;
    double global_term;
    double distance;
    double doubt;  // How far an unconverged distance may be off.
  };

  void drop_beaten();

  std::vector<Candidate> candidates_;
  std::size_t best_ = 0;
  std::size_t crowded_ = 64;
  double limit_ = 1e300;
};

}  // namespace shieldclip
