#pragma once

#include <stdint.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace shieldclip {

// Shares items [0, count) among threads. `thread` is called once in each, with a function that
// calls its argument for every item of this thread's share.
template <typename Thread>
void share_out(int64_t count, int64_t threads, const Thread& thread) {
  std::atomic<int64_t> next{0};
  const auto each = [&](auto&& work) {
    for (int64_t item = next++; item < count; item = next++) work(item);
  };
  std::vector<std::thread> others;
  for (int64_t n = 1; n < std::min(threads, count); ++n) others.emplace_back([&] { thread(each); });
  thread(each);
  for (std::thread& other : others) other.join();
}

}  // namespace shieldclip
