/* Exponential draws and sampling probabilities in integers, as the stub may not touch the target's
 * floating-point state.
 *
 * Hazards are in units of 2^-48, probabilities of 2^-63. Relative errors are below 2^-22 (shown by the unit
 * test). */
#ifndef RSPROF_HOOK_STUB_MATH_H
#define RSPROF_HOOK_STUB_MATH_H

#include "hook/stub_abi.h"

#define HOOK_PROBABILITY_ONE (1ull << 63)
#define HOOK_LN2_2_48        0xb17217f7d1cfull /* ln 2 × 2^48 */

/* a × b / 2^63 */
static inline uint64_t hook_multiply_63(uint64_t a, uint64_t b)
{
    return (uint64_t)((unsigned __int128)a * b >> 63);
}

/* (high × 2^64 + low) / divisor; the caller sees to high < divisor. */
static inline uint64_t hook_divide_128(uint64_t high, uint64_t low, uint64_t divisor)
{
    uint64_t quotient, rest;
    __asm__("divq %4" : "=a"(quotient), "=d"(rest) : "a"(low), "d"(high), "r"(divisor));
    return quotient;
}

/* xorshift64*, by Marsaglia and Vigna. `*state` must not be 0 and never becomes 0. */
static inline uint64_t hook_random(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545f4914f6cdd1dull;
}

/* An exponential draw of mean 1, × 2^48, by von Neumann's method, which needs comparisons only: the run of
 * falling numbers that a uniform one starts is of odd length with the probability exp(−uniform). Each start
 * that fails adds one. */
static inline uint64_t hook_exponential(uint64_t *random)
{
    for (uint64_t whole = 0;; whole += 1ull << HOOK_HAZARD_BITS) {
        uint64_t first = hook_random(random), last = first, next;
        unsigned length = 1;
        while ((next = hook_random(random)) < last) {
            last = next;
            length++;
        }
        if (length % 2)
            return whole + (first >> (64 - HOOK_HAZARD_BITS));
    }
}

/* rate × size, or the greatest number. */
static inline uint64_t hook_hazard(uint64_t rate, uint64_t size)
{
    uint64_t hazard;
    return __builtin_mul_overflow(rate, size, &hazard) ? UINT64_MAX : hazard;
}

/* (1 − exp(−hazard)) × 2^63; exactly 1 from a hazard of 44 on, which differs by less than 2^-63. At least 1
 * for hazard > 0. */
static inline uint64_t hook_probability(uint64_t hazard)
{
    if (hazard >= 44ull << HOOK_HAZARD_BITS)
        return HOOK_PROBABILITY_ONE;
    unsigned halvings = (unsigned)(hazard / HOOK_LN2_2_48);
    uint64_t rest = (hazard - halvings * HOOK_LN2_2_48) << (63 - HOOK_HAZARD_BITS);
    uint64_t series = HOOK_PROBABILITY_ONE; /* (1 − exp(−rest)) / rest = 1 − rest/2 (1 − rest/3 (1 − …)) */
#pragma GCC unroll 12                       /* then divisions are multiplications */
    for (unsigned i = 13; i >= 2; i--)
        series = HOOK_PROBABILITY_ONE - hook_multiply_63(rest, series) / i;
    uint64_t less = hook_multiply_63(rest, series);
    return halvings ? HOOK_PROBABILITY_ONE - ((HOOK_PROBABILITY_ONE - less) >> halvings) : less;
}

/* size / probability, rounded: the bytes that a sample stands for. */
static inline uint64_t hook_weight_bytes(uint64_t size, uint64_t probability)
{
    if (probability == HOOK_PROBABILITY_ONE)
        return size;
    unsigned __int128 scaled = ((unsigned __int128)size << 63) + probability / 2;
    if (scaled >> 64 >= probability)
        return UINT64_MAX;
    return hook_divide_128((uint64_t)(scaled >> 64), (uint64_t)scaled, probability);
}

/* weight² × (1 − probability), in 1024 bytes²: a sample's part in the variance of what it is added to.
 * Weights count up to 2^36 bytes, so that sums have room. */
static inline uint64_t hook_variance(uint64_t weight_bytes, uint64_t probability)
{
    uint64_t weight = weight_bytes < 1ull << 36 ? weight_bytes : 1ull << 36;
    uint64_t square = (uint64_t)((unsigned __int128)weight * weight >> 10);
    return hook_multiply_63(square, HOOK_PROBABILITY_ONE - probability);
}

/* 65536 / probability: the blocks that a sample stands for. */
static inline uint64_t hook_weight_blocks(uint64_t probability)
{
    const uint64_t high = 1u << (63 + 16 - 64);
    return probability > high ? hook_divide_128(high, probability / 2, probability) : UINT64_MAX;
}

#endif
