/* Exponential draws and sampling probabilities in integers, as the stub may not touch the target's
 * floating-point state.
 *
 * Hazards are in units of 2^-48, probabilities of 2^-63. Relative errors are below 2^-22 (shown by the unit
 * test). */
#ifndef RSPROF_HOOK_STUB_MATH_H
#define RSPROF_HOOK_STUB_MATH_H

#include "hook/stub_abi.h"

#define HOOK_PROBABILITY_ONE (1ull << 63)
#define HOOK_LN2_2_64        0xb17217f7d1cf79acull /* ln 2 × 2^64 */
#define HOOK_LN2_2_48        0xb17217f7d1cfull     /* ln 2 × 2^48 */

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

/* −ln(uniform / 2^64) × 2^48: exponential, of mean 1. The logarithm comes bit by bit from squaring the
 * mantissa. */
static inline uint64_t hook_exponential(uint64_t uniform)
{
    uniform |= 1;
    unsigned zeros = (unsigned)__builtin_clzll(uniform);
    uint64_t mantissa = uniform << zeros; /* [1, 2) × 2^63 */
    uint64_t fraction = 0;                /* log2(mantissa) × 2^40 */
    for (unsigned bit = 0; bit < 40; bit++) {
        uint64_t square = (uint64_t)((unsigned __int128)mantissa * mantissa >> 64); /* [1, 4) × 2^62 */
        fraction = fraction << 1 | square >> 63;
        mantissa = square >> 63 ? square : square << 1;
    }
    uint64_t log2_inverse = ((uint64_t)(zeros + 1) << 40) - fraction;
    return (uint64_t)((unsigned __int128)log2_inverse * HOOK_LN2_2_64 >> (40 + 64 - HOOK_HAZARD_BITS));
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
    for (unsigned i = 18; i >= 2; i--)
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

/* 65536 / probability: the blocks that a sample stands for. */
static inline uint64_t hook_weight_blocks(uint64_t probability)
{
    const uint64_t high = 1u << (63 + 16 - 64);
    return probability > high ? hook_divide_128(high, probability / 2, probability) : UINT64_MAX;
}

#endif
