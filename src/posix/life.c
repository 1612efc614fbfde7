/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The lives of this process's own threads. life_ask.c asks for those of others.
 */
#include "posix/life.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "posix/error.h"
#include "posix/gate.h"
#include "posix/life_block.h"
#include "posix/object.h"
#include "posix/process.h"

IST_THREAD_LOCAL_QUICK life_mine life_known[2];

pthread_mutex_t life_mutex = PTHREAD_MUTEX_INITIALIZER;
uint64_t life_space;
lives *life_list;

#define NUMBER_BITS 49
#define NO_BLOCK UINT64_MAX /* a number that no id has */

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

/* Some C libraries hand a child its parent's list of robust mutexes, and write through it: it gets a copy of what is
   the parent's, which nobody else sees. */
static void make_private(life_block *block)
{
    size_t size = (size_t)life_block_size();
    void *at = (void *)(uintptr_t)block->slots;
    void *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);

    if (copy == MAP_FAILED)
        return;
    memcpy(copy, at, size);
    if (mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON | MAP_FIXED, -1, 0) == at)
        memcpy(at, copy, size);
    (void)munmap(copy, size);
}

/* Lets go of what is the parent's, but for the memory of the slots. */
static void forget_blocks(void)
{
    for (lives *of = life_list; of != NULL; of = of->next)
        for (life_block *block = of->blocks; block != NULL; block = block->next)
            if (block->own) {
                registry_forget(&block->entry);
                make_private(block);
                life_space = 0;
                block->own = false;
                block->guard = NULL; /* is not here */
                block->watches++;    /* for ever */
                block->number = NO_BLOCK;
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
    for (of = life_list; of != NULL && (of->where.state != where->state || of->where.turn != where->turn);
         of = of->next)
        continue;
    if (of == NULL && (of = plat_memory_take(sizeof *of)) != NULL) {
        of->where = *where;
        of->next = life_list;
        life_list = of;
    }
    (void)pthread_mutex_unlock(&life_mutex);
    return of;
}

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

/* ---- the calling thread ---- */

static bool is_free(const life_block *block, size_t index)
{
    return !life_slot_is_spent(block, index) && life_slot_is_idle(block, index);
}

/* Lets go of blocks whose every id was some dead thread's: that their file is gone says the same. */
static void drop_spent(lives *of)
{
    for (life_block **link = &of->blocks; *link != NULL;) {
        life_block *block = *link;
        size_t spent = 0;

        while (spent < LIFE_SLOTS && life_slot_is_spent(block, spent) && life_slot_is_idle(block, spent))
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

/* 0 where the calling thread has no life in the scope. */
static uint64_t find_mine(const lives *of)
{
    for (const life_block *block = of->blocks; block != NULL; block = block->next)
        for (size_t index = 0; block->own && index < LIFE_SLOTS; index++)
            if (life_slot_is_mine(block, index))
                return block->users[index].id;
    return 0;
}

static ist_status begin_life(lives *of, uint64_t *id, plat_error *error)
{
    life_block *fresh = NULL;
    ist_status status = IST_OK;

    for (life_block *block = of->blocks; block != NULL; block = block->next)
        for (size_t index = 0; block->own && index < LIFE_SLOTS; index++)
            if (is_free(block, index)) {
                *id = life_slot_begin(block, index);
                return IST_OK;
            }
    drop_spent(of);
    status = make_block(of, &fresh, error);
    if (status == IST_OK)
        *id = life_slot_begin(fresh, 0);
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
        life_known[life_place(&of->where)] = (life_mine){of, *id, *generation};
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

/* Whether another thread owns the mutex by a life in the block. */
static bool is_owned_in(void *context, registry_entry *entry)
{
    const life_block *block = context;
    const plat_object *object = object_of(entry);
    uint64_t state = 0;

    return object != NULL && object->words != NULL && object->kind == PLAT_MUTEX && object_peek(object, &state) &&
           life_number_of(state) == block->number && block->users[life_index_of(state)].thread != life_known;
}

/* Nobody owns by a life that others can no longer see: whoever acquires after this has another generation, and begins
   another life, for which the exit's thread is asked once more and others wait for the end. */
void life_leave_all(void)
{
    (void)pthread_mutex_lock(&life_mutex);
    begin_generation();
    for (lives *of = life_list; of != NULL; of = of->next)
        for (life_block *block = of->blocks; block != NULL; block = block->next)
            if (block->own && !registry_visit(is_owned_in, block)) {
                unguard(block);
                block->own = false;
                block->watches++; /* for ever: threads have locked what is in it */
            }
    (void)pthread_mutex_unlock(&life_mutex);
}
