/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * One slot of a block: how a thread makes it its own, so that its end is marked.
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

#include "posix/life_block.h"

static uint32_t thread_number(void)
{
#if defined(__linux__)
    return (uint32_t)syscall(SYS_gettid);
#else
    return 0;
#endif
}

static bool make_lock(volatile life_slot *slot)
{
    pthread_mutex_t *mutex = (pthread_mutex_t *)(uintptr_t)slot->mutex;
    pthread_mutexattr_t kind;
    bool done = false;

    memset(mutex, 0, sizeof slot->mutex);
    if (pthread_mutexattr_init(&kind) != 0)
        return false;
    done = pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED) == 0 &&
#if !defined(__APPLE__)
           pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST) == 0 &&
#endif
           pthread_mutex_init(mutex, &kind) == 0;
    (void)pthread_mutexattr_destroy(&kind);
    return done;
}

/* The lock word is the first that was 0 before the lock and is the thread's number after it; 0 if there is none. */
static uint32_t find_lock_word(volatile life_slot *slot, uint32_t thread)
{
    uint32_t before[LIFE_MUTEX_SIZE / sizeof(uint32_t)];
    volatile uint32_t *words = slot->mutex;

    for (size_t n = 0; n < sizeof before / sizeof *before; n++)
        before[n] = words[n];
    if (pthread_mutex_lock((pthread_mutex_t *)(uintptr_t)slot->mutex) != 0)
        return 0;
    for (size_t n = 0; n < sizeof before / sizeof *before && thread != 0; n++)
        if (before[n] == 0 && words[n] == thread)
            return (uint32_t)(offsetof(life_slot, mutex) + n * sizeof *words);
    return 0;
}

/* Where the kernel does not mark the end of a thread, the thread does, as one of the last things it does. */
static pthread_key_t ending;
static pthread_once_t ending_once = PTHREAD_ONCE_INIT;

static void mark_end_in(const life_block *block, const void *thread)
{
    for (size_t index = 0; block->own && index < LIFE_SLOTS; index++) {
        volatile uint32_t *mark = &block->slots[index].mark;

        if (block->users[index].thread == thread && block->users[index].word == mark) {
            atomic_store_u32(mark, LIFE_ENDED);
            word_wake(mark);
        }
    }
}

static void mark_end(void *context)
{
    (void)pthread_mutex_lock(&life_mutex);
    for (const lives *of = life_list; of != NULL; of = of->next)
        for (const life_block *block = of->blocks; block != NULL; block = block->next)
            mark_end_in(block, context);
    (void)pthread_mutex_unlock(&life_mutex);
}

static void make_key(void)
{
    (void)pthread_key_create(&ending, mark_end);
}

static void watch_ourselves(void)
{
    (void)pthread_once(&ending_once, make_key);
    (void)pthread_setspecific(ending, life_known);
}

uint64_t life_slot_begin(life_block *block, size_t index)
{
    volatile life_slot *slot = &block->slots[index];
    life_user *user = &block->users[index];
    uint64_t before = atomic_load_u64(&slot->id);
    uint32_t offset = 0;
    uint32_t watch = 0;

    /* From here on whoever looks for the one before finds it ended. A full barrier: what follows is not seen before. */
    (void)atomic_swap_u64(&slot->id, &before, 0);
    slot->mark = 0;
    user->thread = life_known;
    user->number = thread_number();
    user->id = block->number << (LIFE_SLOT_BITS + LIFE_USE_BITS) | (uint64_t)index << LIFE_USE_BITS | user->uses++;
    if (make_lock(slot))
        offset = find_lock_word(slot, user->number);
    slot->process = (uint32_t)getpid();
    slot->thread = user->number;
    slot->space = life_space;
    watch = offset != 0 ? offset : (uint32_t)offsetof(life_slot, mark);
    user->word = life_slot_word(slot, watch);
    slot->watch_offset = watch;
    if (offset == 0)
        watch_ourselves();
    if (offset != 0) /* so that the kernel wakes who sleeps on the word */
        (void)atomic_or_u32(user->word, LIFE_WAITERS);
    atomic_store_u64(&slot->id, user->id);
    return user->id;
}

static bool has_ended(const life_user *user)
{
    return (atomic_load_u32(user->word) & LIFE_ENDED) != 0;
}

bool life_slot_is_idle(const life_block *block, size_t index)
{
    return block->users[index].thread == NULL || has_ended(&block->users[index]);
}

bool life_slot_is_spent(const life_block *block, size_t index)
{
    return block->users[index].uses > LIFE_USE_MAX;
}

bool life_slot_is_mine(const life_block *block, size_t index)
{
    const life_user *user = &block->users[index];

    return user->thread == life_known && user->number == thread_number() && !has_ended(user);
}
