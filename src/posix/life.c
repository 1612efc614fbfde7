/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The lives of this process's own threads. life_ask.c asks for those of others.
 */
#include "posix/life.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

#include "posix/error.h"
#include "posix/gate.h"
#include "posix/life_block.h"
#include "posix/object.h"
#include "posix/process.h"

IST_THREAD_LOCAL_QUICK life_mine life_known[2];

pthread_mutex_t life_mutex = PTHREAD_MUTEX_INITIALIZER;
uint64_t life_space;
static lives *list;

/* ---- which process ---- */

/* A child of a raw clone runs no fork handler; where the system can it wipes this word for it. */
static uint64_t unwiped_generation = 1;
static volatile uint64_t *generation = &unwiped_generation;
static uint64_t last_generation = 1;
const volatile uint64_t *life_generation = &unwiped_generation;

void life_install(void)
{
#if defined(MADV_WIPEONFORK)
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *at = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);

    if (at != MAP_FAILED && madvise(at, page, MADV_WIPEONFORK) == 0) {
        generation = at;
        *generation = last_generation;
        life_generation = generation;
    } else if (at != MAP_FAILED) {
        (void)munmap(at, page);
    }
#endif
}

static void begin_generation(void)
{
    *generation = ++last_generation;
}

/* Lets go of what is the parent's. The memory of the slots stays: the list of robust mutexes that some C libraries hand
   to a child leads through it. */
static void forget_blocks(void)
{
    for (lives *of = list; of != NULL; of = of->next)
        for (life_block *block = of->blocks; block != NULL; block = block->next)
            if (block->own) {
                registry_forget(&block->entry);
                block->own = false;
                block->guard = NULL; /* is not here */
                block->watches++;    /* for ever */
            }
}

/* Inside the gate. */
static void check_generation(void)
{
    if (*generation == 0) {
        forget_blocks();
        begin_generation();
    }
}

void life_reset_after_fork(void)
{
    (void)pthread_mutex_init(&life_mutex, NULL);
    forget_blocks();
    begin_generation();
}

/* ---- blocks ---- */

lives *lives_of(const scope *where)
{
    lives *of = NULL;

    (void)pthread_mutex_lock(&life_mutex);
    for (of = list; of != NULL && of->where.state != where->state; of = of->next)
        continue;
    if (of == NULL && (of = plat_memory_take(sizeof *of)) != NULL) {
        of->where = *where;
        of->next = list;
        list = of;
    }
    (void)pthread_mutex_unlock(&life_mutex);
    return of;
}

#define NUMBER_BITS 49

/* Keeps the lock of a block by a mapping of its description, which no close can reach and no fork copies. Where a
   mapping does not keep a lock the descriptor has to. */
static void guard(life_block *block)
{
#if defined(__linux__) && defined(MADV_DONTFORK)
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *at = mmap(NULL, page, PROT_NONE, MAP_SHARED, block->entry.hold.fd, 0);

    if (at != MAP_FAILED && madvise(at, page, MADV_DONTFORK) == 0) {
        block->guard = at;
        descriptor_close(&block->entry.hold);
    } else if (at != MAP_FAILED) {
        (void)munmap(at, page);
    }
#else
    (void)block;
#endif
}

static void unguard(life_block *block)
{
    if (block->guard != NULL)
        (void)munmap(block->guard, (size_t)sysconf(_SC_PAGESIZE));
    block->guard = NULL;
}

static ist_status make_block(lives *of, life_block **out, plat_error *error)
{
    static const registry_want want = {SEGMENT_LIVES, IST_WRITE, false, 0, true};
    const registry_plan plan = {.size = life_block_size(), .audience = IST_AUDIENCE_EVERYONE_READ, .alone = true};
    char name[32];
    life_block *block = plat_memory_take(sizeof *block);
    ist_status status = IST_OK;

    if (block == NULL) {
        (void)error_refuse(error, IST_E_MEMORY, "memory for thread lives", "%s", "");
        return IST_E_MEMORY;
    }
    life_space = process_space();
    block->number = name_number() & ((UINT64_C(1) << NUMBER_BITS) - 1);
    life_block_name(name, block->number);
    status = registry_create_own(&block->entry, of->where.global, name, false, &want, &plan, error);
    if (status == IST_OK && block->entry.where.state != of->where.state)
        status = error_refuse(error, IST_E_ACCESS, "scope", "%s", "the process has changed its user");
    if (status == IST_OK)
        status = life_block_map(block, block->entry.access.fd, block->entry.header.data_offset, true, error);
    if (status != IST_OK) {
        registry_close(&block->entry);
        plat_memory_give(block);
        return status;
    }
    guard(block);
    block->own = true;
    block->next = of->blocks;
    of->blocks = block;
    *out = block;
    return IST_OK;
}

/* ---- slots ---- */

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

        if (block->threads[index] == thread && block->slots[index].watch_offset == offsetof(life_slot, mark)) {
            atomic_store_u32(mark, LIFE_ENDED);
            word_wake(mark);
        }
    }
}

static void mark_end(void *context)
{
    (void)pthread_mutex_lock(&life_mutex);
    for (const lives *of = list; of != NULL; of = of->next)
        for (const life_block *block = of->blocks; block != NULL; block = block->next)
            mark_end_in(block, context);
    (void)pthread_mutex_unlock(&life_mutex);
}

static void make_key(void)
{
    (void)pthread_key_create(&ending, mark_end);
}

static void watch_ourselves(volatile life_slot *slot)
{
    slot->watch_offset = offsetof(life_slot, mark);
    (void)pthread_once(&ending_once, make_key);
    (void)pthread_setspecific(ending, life_known);
}

static uint64_t begin_slot(life_block *block, size_t index)
{
    volatile life_slot *slot = &block->slots[index];
    uint32_t thread = thread_number();
    uint32_t offset = 0;
    uint64_t id =
        block->number << (LIFE_SLOT_BITS + LIFE_USE_BITS) | (uint64_t)index << LIFE_USE_BITS | block->uses[index];

    atomic_store_u64(&slot->id, 0); /* from here on whoever looks for the one before finds it ended */
    slot->mark = 0;
    if (make_lock(slot))
        offset = find_lock_word(slot, thread);
    slot->process = (uint32_t)getpid();
    slot->thread = thread;
    slot->space = life_space;
    if (offset == 0) {
        watch_ourselves(slot);
    } else {
        slot->watch_offset = offset;
        /* So that the kernel wakes who sleeps on the word. */
        (void)atomic_or_u32(life_slot_word(slot, offset), LIFE_WAITERS);
    }
    block->threads[index] = life_known;
    block->uses[index]++;
    atomic_store_u64(&slot->id, id);
    return id;
}

/* Whether nobody uses the slot, or the thread that did has ended. */
static bool is_idle(const life_block *block, size_t index)
{
    const volatile life_slot *slot = &block->slots[index];

    return block->threads[index] == NULL ||
           (atomic_load_u32(life_slot_word(slot, slot->watch_offset)) & LIFE_ENDED) != 0;
}

static bool is_spent(const life_block *block, size_t index)
{
    return block->uses[index] > LIFE_USE_MAX;
}

static bool is_free(const life_block *block, size_t index)
{
    return !is_spent(block, index) && is_idle(block, index);
}

/* Lets go of blocks whose every id was some dead thread's: that their file is gone says the same. */
static void drop_spent(lives *of)
{
    for (life_block **link = &of->blocks; *link != NULL;) {
        life_block *block = *link;
        size_t spent = 0;

        while (spent < LIFE_SLOTS && is_spent(block, spent) && is_idle(block, spent))
            spent++;
        if (block->own && block->watches == 0 && spent == LIFE_SLOTS) {
            *link = block->next;
            unguard(block);
            registry_close(&block->entry);
            (void)munmap((void *)(uintptr_t)block->slots, (size_t)life_block_size());
            plat_memory_give(block);
        } else {
            link = &block->next;
        }
    }
}

static bool is_mine(const life_block *block, size_t index)
{
    const volatile life_slot *slot = &block->slots[index];

    return block->threads[index] == life_known && slot->thread == thread_number() &&
           (atomic_load_u32(life_slot_word(slot, slot->watch_offset)) & LIFE_ENDED) == 0;
}

/* 0 where the calling thread has no life in the scope. */
static uint64_t find_mine(const lives *of)
{
    for (const life_block *block = of->blocks; block != NULL; block = block->next)
        for (size_t index = 0; block->own && index < LIFE_SLOTS; index++)
            if (is_mine(block, index))
                return atomic_load_u64(&block->slots[index].id);
    return 0;
}

static ist_status begin_life(lives *of, uint64_t *id, plat_error *error)
{
    life_block *fresh = NULL;
    ist_status status = IST_OK;

    for (life_block *block = of->blocks; block != NULL; block = block->next)
        for (size_t index = 0; block->own && index < LIFE_SLOTS; index++)
            if (is_free(block, index)) {
                *id = begin_slot(block, index);
                return IST_OK;
            }
    drop_spent(of);
    status = make_block(of, &fresh, error);
    if (status == IST_OK)
        *id = begin_slot(fresh, 0);
    return status;
}

ist_status life_begin(lives *of, uint64_t *id, plat_error *error)
{
    int entered = gate_enter();
    ist_status status = IST_OK;

    (void)pthread_mutex_lock(&life_mutex);
    check_generation();
    *id = find_mine(of);
    if (*id == 0)
        status = begin_life(of, id, error);
    if (status == IST_OK)
        life_known[of->where.global] = (life_mine){of, *id, *generation};
    (void)pthread_mutex_unlock(&life_mutex);
    gate_leave(entered);
    return status;
}

uint64_t life_find(lives *of)
{
    uint64_t id = 0;

    (void)pthread_mutex_lock(&life_mutex);
    if (*generation != 0) /* or what it found would be the parent's */
        id = find_mine(of);
    (void)pthread_mutex_unlock(&life_mutex);
    return id;
}

/* ---- exit ---- */

static bool is_owned_in(void *context, registry_entry *entry)
{
    const life_block *block = context;
    const plat_object *object = object_of(entry);
    uint64_t state = 0;

    return object != NULL && object->words != NULL && object->kind == PLAT_MUTEX && object_peek(object, &state) &&
           state >> (LIFE_SLOT_BITS + LIFE_USE_BITS) == block->number;
}

void life_leave_all(void)
{
    (void)pthread_mutex_lock(&life_mutex);
    for (lives *of = list; of != NULL; of = of->next)
        for (life_block *block = of->blocks; block != NULL; block = block->next)
            if (block->own && !registry_visit(is_owned_in, block))
                unguard(block);
    (void)pthread_mutex_unlock(&life_mutex);
}
