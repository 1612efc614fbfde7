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
#define IST_THREAD_LOCAL_QUICK IST_THREAD_LOCAL

/* Of the library alone: reached without a detour. */
#define IST_HIDDEN

/* Kept out of its caller, whose usual way then needs no frame. */
#define IST_APART __declspec(noinline)

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

static __forceinline uint64_t atomic_load_u64(const volatile uint64_t *word)
{
    return (uint64_t)_InterlockedCompareExchange64((volatile __int64 *)word, 0, 0);
}

static __forceinline bool atomic_swap_u64(volatile uint64_t *word, uint64_t *expected, uint64_t desired)
{
    uint64_t seen =
        (uint64_t)_InterlockedCompareExchange64((volatile __int64 *)word, (__int64)desired, (__int64)*expected);
    bool done = seen == *expected;
    *expected = seen;
    return done;
}

static __forceinline void atomic_store_u32(volatile uint32_t *word, uint32_t value)
{
    (void)_InterlockedExchange((volatile long *)word, (long)value);
}

static __forceinline void atomic_store_u64(volatile uint64_t *word, uint64_t value)
{
    uint64_t seen = atomic_load_u64(word); /* 32-bit compilers have no exchange of 64 bits */

    while (!atomic_swap_u64(word, &seen, value))
        continue;
}

static __forceinline uint32_t atomic_or_u32(volatile uint32_t *word, uint32_t bits)
{
    return (uint32_t)_InterlockedOr((volatile long *)word, (long)bits);
}

static __forceinline uint32_t atomic_add_u32(volatile uint32_t *word, uint32_t value)
{
    return (uint32_t)_InterlockedExchangeAdd((volatile long *)word, (long)value);
}

#else

#define IST_THREAD_LOCAL _Thread_local

/* For a few bytes: read without a call, out of the room that glibc keeps for libraries loaded later. Others keep none.
 */
#if defined(__GLIBC__)
#define IST_THREAD_LOCAL_QUICK _Thread_local __attribute__((tls_model("initial-exec")))
#else
#define IST_THREAD_LOCAL_QUICK IST_THREAD_LOCAL
#endif
#define IST_HIDDEN __attribute__((visibility("hidden")))
#define IST_APART __attribute__((noinline))

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

/* The same for words of 64 bits, which must lie at a multiple of 8. */
static inline uint64_t atomic_load_u64(const volatile uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline bool atomic_swap_u64(volatile uint64_t *word, uint64_t *expected, uint64_t desired)
{
    return __atomic_compare_exchange_n(word, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Everything written before is seen by who reads the value. */
static inline void atomic_store_u32(volatile uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static inline void atomic_store_u64(volatile uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

/* Both return what the word was before. */
static inline uint32_t atomic_or_u32(volatile uint32_t *word, uint32_t bits)
{
    return __atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST);
}

static inline uint32_t atomic_add_u32(volatile uint32_t *word, uint32_t value)
{
    return __atomic_fetch_add(word, value, __ATOMIC_SEQ_CST);
}

#endif

#endif
