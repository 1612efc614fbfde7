/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Atomic words in shared memory, and the other places where compilers differ: the only compiler conditionals of the
 * project. A shared word is a plain fixed-width integer (its layout must be the same for every compiler that maps
 * it), touched only through these.
 */
#ifndef ISTHMUS_CORE_ATOMIC_H
#define ISTHMUS_CORE_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#if defined(_MSC_VER) && !defined(__clang__)

#include <intrin.h>

#define IST_THREAD_LOCAL __declspec(thread)

/* Interlocked operations are full barriers, which is more than asked for. */
static __forceinline uint32_t atomic_load_u32(const volatile uint32_t *word)
{
    return (uint32_t)_InterlockedOr((volatile long *)word, 0);
}

static __forceinline bool atomic_swap_u32(volatile uint32_t *word, uint32_t *expected, uint32_t desired)
{
    uint32_t seen = (uint32_t)_InterlockedCompareExchange((volatile long *)word, (long)desired, (long)*expected);
    bool done = seen == *expected;
    *expected = seen;
    return done;
}

#else

#define IST_THREAD_LOCAL _Thread_local

/* Reads a word; what its writer wrote before is seen. */
static inline uint32_t atomic_load_u32(const volatile uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

/* Compare-and-swap: if the word is *expected it becomes desired; else *expected becomes what it is. A full barrier,
   because every user orders it against a lock or an ask in the kernel. */
static inline bool atomic_swap_u32(volatile uint32_t *word, uint32_t *expected, uint32_t desired)
{
    return __atomic_compare_exchange_n(word, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

#endif

#endif
