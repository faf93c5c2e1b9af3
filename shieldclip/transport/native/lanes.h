// SIMD vocabulary: one vector of float32 as wide as the instruction set this file is compiled for.
//
// Everything lies in namespace ISA (a macro: avx512, avx2, ... or generic). Functions of several
// compilations must never share a name, or the linker keeps one of them for all: code that the
// processor cannot run. For the same reason these headers use no templates of the C++ library.
#pragma once

#include <stdint.h>
#include <string.h>

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
#define SHIELDCLIP_VNNI  // The instruction set multiplies and adds bytes.
#endif

namespace shieldclip::ISA {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

typedef float Lanes __attribute__((vector_size(kLanes * 4)));
typedef int32_t Integers __attribute__((vector_size(kLanes * 4)));
typedef float Four __attribute__((vector_size(16)));

constexpr float kToWhole = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number.
constexpr float kTiny = 1e-37f;  // Keeps 0 / 0 in padded lanes finite.

inline Lanes load(const float* from) {
  Lanes lanes;
  memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

inline void store(float* to, Lanes lanes) { memcpy(to, &lanes, sizeof lanes); }

inline Lanes broadcast(float value) { return value - Lanes{}; }

inline Lanes maximum(Lanes a, Lanes b) {
#if defined(__AVX512F__)
  return _mm512_max_ps(a, b);
#elif defined(__AVX2__)
  return _mm256_max_ps(a, b);
#else
  return a > b ? a : b;
#endif
}

inline Lanes minimum(Lanes a, Lanes b) {
#if defined(__AVX512F__)
  return _mm512_min_ps(a, b);
#elif defined(__AVX2__)
  return _mm256_min_ps(a, b);
#else
  return a < b ? a : b;
#endif
}

inline Lanes absolute(Lanes a) { return maximum(a, -a); }

// 1 / a to about 1e-7, cheaper than a division: estimate and one Newton step.
inline Lanes reciprocal(Lanes a) {
#if defined(__AVX512F__)
  Lanes guess = _mm512_rcp14_ps(a);
#elif defined(__AVX2__)
  Lanes guess = _mm256_rcp_ps(a);
#endif
#if defined(__AVX2__) || defined(__AVX512F__)
  return guess * (2.0f - a * guess);
#else
  return 1.0f / a;
#endif
}

// All-ones in the first `count` lanes.
inline Integers first(int count) {
  Integers places;
  for (int lane = 0; lane < kLanes; ++lane) places[lane] = lane;
  return places < count;
}

// The first `count` floats, then zeros.
inline Lanes load_some(const float* from, int count) {
#if defined(__AVX512F__)
  return _mm512_maskz_loadu_ps(__mmask16((1u << count) - 1), from);
#elif defined(__AVX2__)
  return _mm256_maskload_ps(from, (__m256i)first(count));
#else
  Lanes lanes = {};
  memcpy(&lanes, from, sizeof(float) * count);
  return lanes;
#endif
}

inline void store_some(float* to, Lanes lanes, int count) {
  memcpy(to, &lanes, sizeof(float) * count);
}

inline Lanes choose(Integers mask, Lanes yes, Lanes no) { return mask ? yes : no; }

// To the nearest whole number, for |a| < 2^22.
inline Integers nearest(Lanes a) {
  return (Integers)(a + kToWhole) - 0x4b400000;
}

#ifdef SHIELDCLIP_VNNI
// In all lanes, the 32 bits that lie where a float could.
inline Integers broadcast_word(const float* from) {
  int32_t word;
  memcpy(&word, from, sizeof word);
  return word - Integers{};
}

// total + the four products of unsigned bytes of a and signed bytes of b, in every lane.
inline Integers add_products(Integers total, Integers a, Integers b) {
#if defined(__AVX512VNNI__)
  return (Integers)_mm512_dpbusd_epi32((__m512i)total, (__m512i)a, (__m512i)b);
#else
  return (Integers)_mm256_dpbusd_avx_epi32((__m256i)total, (__m256i)a, (__m256i)b);
#endif
}
#endif

inline Four low_half_sum(Lanes a) {
#if defined(__AVX512F__)
  const __m256 half = _mm512_castps512_ps256(a) + _mm512_extractf32x8_ps(a, 1);
  return _mm256_castps256_ps128(half) + _mm256_extractf128_ps(half, 1);
#elif defined(__AVX2__)
  return _mm256_castps256_ps128(a) + _mm256_extractf128_ps(a, 1);
#else
  return a;
#endif
}

inline float sum(Lanes a) {
  const Four four = low_half_sum(a);
  return (four[0] + four[1]) + (four[2] + four[3]);
}

inline float lowest(Lanes a) {
#if defined(__AVX512F__)
  return _mm512_reduce_min_ps(a);
#else
  float least = a[0];
  for (int lane = 1; lane < kLanes; ++lane) least = a[lane] < least ? a[lane] : least;
  return least;
#endif
}

// The sums of four vectors at once: a 4 x 4 transpose within every 128 bits, then one fold.
inline Four sums(Lanes a, Lanes b, Lanes c, Lanes d) {
#if defined(__AVX512F__)
  const Lanes ab = _mm512_unpacklo_ps(a, b) + _mm512_unpackhi_ps(a, b);
  const Lanes cd = _mm512_unpacklo_ps(c, d) + _mm512_unpackhi_ps(c, d);
  return low_half_sum(_mm512_shuffle_ps(ab, cd, 0x44) + _mm512_shuffle_ps(ab, cd, 0xee));
#elif defined(__AVX2__)
  return low_half_sum(_mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d)));
#else
  return Four{sum(a), sum(b), sum(c), sum(d)};
#endif
}

// 2^x for x in [-126, 126] to 3e-7: the nearest whole power, times a polynomial of least relative
// error on [-1/2, 1/2].
inline Lanes power_of_two(Lanes x) {
  const Lanes rounded = x + kToWhole;
  const Lanes r = x - (rounded - kToWhole);
  Lanes p = r * 1.32764715e-3f + 9.67554133e-3f;
  p = p * r + 5.55071327e-2f;
  p = p * r + 0.240221197f;
  p = p * r + 0.693146967f;
  p = p * r + 1.00000007f;
  return (Lanes)((Integers)p + ((Integers)rounded << 23));
}

// log(x) for normal x > 0 to 1e-6: exponent, and the series of atanh on the mantissa.
inline Lanes logarithm(Lanes x) {
  const Integers bits = (Integers)x - 0x3f3504f3;  // Mantissa in [sqrt(1/2), sqrt(2)).
  const Integers power = bits >> 23;
  const Lanes mantissa = (Lanes)((bits & 0x7fffff) + 0x3f3504f3);
  const Lanes z = (mantissa - 1.0f) / (mantissa + 1.0f);
  const Lanes zz = z * z;
  const Lanes series = ((zz * (1.0f / 7) + 1.0f / 5) * zz + 1.0f / 3) * zz + 1.0f;
  return __builtin_convertvector(power, Lanes) * 0.69314718f + 2.0f * z * series;
}

}  // namespace shieldclip::ISA
