/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Whether a thread of any process still lives. Blocks of others are mapped for reading when first asked about, and
 * unmapped when their process has ended and nobody sleeps on them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

#include "posix/clock.h"
#include "posix/error.h"
#include "posix/gate.h"
#include "posix/life_block.h"
#include "posix/lock.h"

/* What the kernel did not mark is asked for no more often than this. */
#define ASK_INTERVAL INT64_C(50000000)

static const volatile life_slot *slot_of(const life_block *block, uint64_t id)
{
    return &block->slots[life_index_of(id)];
}

/* ---- blocks ---- */

uint64_t life_block_size(void)
{
    return segment_whole_pages(sizeof(life_slot) * LIFE_SLOTS);
}

void life_block_name(char out[32], uint64_t number)
{
    (void)snprintf(out, 32, "%c.%013" PRIx64, NAME_CLASS_LIVES, number);
}

ist_status life_block_map(life_block *block, int fd, uint32_t data_offset, bool writable, plat_error *error)
{
    int access = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    void *at = mmap(NULL, (size_t)life_block_size(), access, MAP_SHARED, fd, (off_t)data_offset);

    if (at == MAP_FAILED)
        return error_from_errno(error, "mmap");
    block->slots = at;
    return IST_OK;
}

/* Opens a block's file. -1 with ENOENT where it is gone; not where the whole directory is, with the living in it. */
static int open_block(const lives *of, uint64_t number)
{
    char name[32];
    char path[NAME_ENTRY_SIZE];
    scope where;
    plat_error error;

    if (scope_again(&of->where, &where, &error) != IST_OK || where.turn != of->where.turn) {
        errno = ESTALE;
        return -1;
    }
    life_block_name(name, number);
    (void)snprintf(path, sizeof path, "%s%s", where.prefix, name);
    return segment_open(where.directory, path);
}

/* A file of another size than ours may not be touched where it is mapped. */
static bool is_sound(int fd, uid_t *owner)
{
    struct stat facts;

    if (fstat(fd, &facts) != 0)
        return false;
    *owner = facts.st_uid;
    return S_ISREG(facts.st_mode) && (uint64_t)facts.st_size == segment_data_offset() + life_block_size();
}

static life_block *find_block(const lives *of, uint64_t number)
{
    life_block *block = of->blocks;

    while (block != NULL && block->number != number)
        block = block->next;
    return block;
}

/* Whether the block's process has ended. */
static void ask_for_process(const lives *of, life_block *block)
{
    int64_t now = clock_steady();
    int fd = -1;

    if (block->own || now - block->asked < ASK_INTERVAL)
        return;
    block->asked = now;
    fd = open_block(of, block->number);
    block->ended = fd < 0 ? errno == ENOENT : !lock_is_held_alone(fd, LOCK_HANDLE);
    if (fd >= 0)
        descriptor_drop(fd);
}

/* With each block that comes some are asked whether they may go, the longest unasked first: so that there are never
   many more than there are living processes. */
#define ASKED_AT_ONCE 4

static void ask_for_some(const lives *of)
{
    for (int i = 0; i < ASKED_AT_ONCE; i++) {
        life_block *oldest = NULL;

        for (life_block *block = of->blocks; block != NULL; block = block->next)
            if (!block->own && block->watches == 0 && (oldest == NULL || block->asked < oldest->asked))
                oldest = block;
        if (oldest != NULL)
            ask_for_process(of, oldest);
    }
}

/* NULL where there is none to look at; *gone says whether that is because its process has ended. */
static life_block *look_up(lives *of, uint64_t number, bool *gone)
{
    life_block *block = find_block(of, number);
    plat_error error;
    int fd = -1;

    *gone = false;
    if (block != NULL)
        return block;
    fd = open_block(of, number);
    if (fd < 0) {
        *gone = errno == ENOENT;
        return NULL;
    }
    ask_for_some(of);
    block = plat_memory_take(sizeof *block);
    if (block != NULL && is_sound(fd, &block->owner) &&
        life_block_map(block, fd, segment_data_offset(), false, &error) == IST_OK) {
        block->number = number;
        block->next = of->blocks;
        of->blocks = block;
    } else {
        plat_memory_give(block);
        block = NULL;
    }
    descriptor_drop(fd);
    return block;
}

/* Unmaps blocks of the dead. */
static void clear_ended(lives *of)
{
    for (life_block **link = &of->blocks; *link != NULL;) {
        life_block *block = *link;

        if (block->ended && block->watches == 0 && !block->own) {
            *link = block->next;
            (void)munmap((void *)(uintptr_t)block->slots, (size_t)life_block_size());
            plat_memory_give(block);
        } else {
            link = &block->next;
        }
    }
}

/* ---- asking ---- */

/* Whether the thread is none of its process any more, where that can be seen from here. */
static bool has_left(const volatile life_slot *slot)
{
#if defined(__linux__)
    return slot->space != 0 && slot->space == life_space && slot->process != 0 && slot->thread != 0 &&
           syscall(SYS_tgkill, (pid_t)slot->process, (pid_t)slot->thread, 0) != 0 && errno == ESRCH;
#else
    (void)slot;
    return false;
#endif
}

/* Asks the system what the kernel may not have marked. */
static bool ask_system(const lives *of, life_block *block, const volatile life_slot *slot)
{
    ask_for_process(of, block);
    return block->ended || has_left(slot);
}

/* The word belongs to the thread only if the slot is its own before and after it was read. */
static bool has_ended(const life_block *block, uint64_t id, word_watch *watch)
{
    const volatile life_slot *slot = slot_of(block, id);
    const volatile uint32_t *word = NULL;

    *watch = (word_watch){NULL, 0};
    if (block->ended || atomic_load_u64(&slot->id) != id)
        return true;
    word = life_slot_word(slot, slot->watch_offset);
    if (word != NULL)
        *watch = (word_watch){word, atomic_load_u32(word)};
    return atomic_load_u64(&slot->id) != id || (watch->value & LIFE_ENDED) != 0;
}

/* Who may own what is in the object: root may everything. */
static bool is_believed(const life_block *block, const registry_entry *object)
{
    bool shared =
        object->header.audience == IST_AUDIENCE_GROUP_WRITE || object->header.audience == IST_AUDIENCE_EVERYONE_WRITE;

    return block->own || shared || block->owner == object->owner || block->owner == 0;
}

static bool ask_locked(lives *of, uint64_t id, const registry_entry *object, life_watch *watch)
{
    bool gone = false;
    word_watch word = {NULL, 0};
    life_block *block = look_up(of, life_number_of(id), &gone);

    if (block == NULL)
        return gone;
    if (!is_believed(block, object) || has_ended(block, id, &word))
        return true;
    if (ask_system(of, block, slot_of(block, id))) {
        if (word.word != NULL)
            word_wake(word.word);
        return true;
    }
    if (watch != NULL && word.word != NULL) {
        block->watches++;
        *watch = (life_watch){word, block};
    }
    return false;
}

bool life_has_ended(lives *of, uint64_t id, const registry_entry *object, life_watch *watch)
{
    int entered = 0;
    bool ended = false;

    if (watch != NULL)
        *watch = (life_watch){{NULL, 0}, NULL};
    if (!gate_try_enter(&entered))
        return false;
    (void)pthread_mutex_lock(&life_mutex);
    ended = ask_locked(of, id, object, watch);
    clear_ended(of);
    (void)pthread_mutex_unlock(&life_mutex);
    gate_leave(entered);
    return ended;
}

void life_unwatch(life_watch *watch)
{
    if (watch->block != NULL) {
        if (atomic_load_u32(watch->word.word) != watch->word.value)
            word_wake(watch->word.word);
        (void)pthread_mutex_lock(&life_mutex);
        watch->block->watches--;
        (void)pthread_mutex_unlock(&life_mutex);
    }
    *watch = (life_watch){{NULL, 0}, NULL};
}

void life_spread(lives *of, uint64_t id)
{
    life_block *block = NULL;
    const volatile life_slot *slot = NULL;
    const volatile uint32_t *word = NULL;

    (void)pthread_mutex_lock(&life_mutex);
    block = find_block(of, life_number_of(id));
    if (block != NULL) {
        slot = slot_of(block, id);
        word = life_slot_word(slot, slot->watch_offset);
    }
    if (word != NULL)
        word_wake(word);
    (void)pthread_mutex_unlock(&life_mutex);
}
