/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Thread lives: who owns a mutex, or works on an attempt, and whether that thread still exists.
 *
 * A thread is known in a scope by the id of its life, which is never used again. The life is a slot in a *block*: an
 * object of the registry that one process makes, whose data others map for reading only. The slot holds a robust
 * process-shared pthread mutex that the thread locks and never unlocks, so that the kernel marks its lock word when the
 * thread ends, however it ends, and wakes one of those who sleep on it. What the kernel does not tell (exec by another
 * thread than the first, more robust mutexes than it looks at, a kill by lack of memory) is found by asking: a block's
 * file is locked through a description that is open by a mapping alone, which no close and no fork can reach, and which
 * goes with the process's memory.
 *
 * An id: 0, then 49 random bits of the block, 6 of the slot, 8 of its use. A block whose file is gone is dead. That a
 * new block gets the number of a dead one, while a mutex still names a thread of that, has a chance of 1 in 2^49 for
 * each such mutex and block.
 *
 *   byte  size  field          in a slot of 128 bytes, 64 of them to a block; written by its process alone
 *      0     8  id             0 while the slot changes hands; published last
 *      8     4  watch_offset   of the lock word, from the slot's begin
 *     12     4  process        and
 *     16     4  thread         as the kernel counts them, in
 *     24     8  space          process_space()
 *     32    96  mutex          pthread_mutex_t: 24 to 48 bytes; of it only the lock word means the same everywhere
 */
#ifndef ISTHMUS_POSIX_LIFE_H
#define ISTHMUS_POSIX_LIFE_H

#include "core/atomic.h"
#include "posix/scope.h"
#include "posix/word.h"

/* The highest bit of a word is posix/claim.h's. */
#define LIFE_ID_BITS 63

/* What this process knows of the lives in one scope. Never freed. */
typedef struct lives {
    struct lives *next;
    scope where;
    struct life_block *blocks;
} lives;

/* Those of a scope's directory as it is; NULL where there is no memory for them. Inside the gate. */
lives *lives_of(const scope *where);

/* What a thread knows of itself in the last scope of each sort that it was in. */
typedef struct life_mine {
    const lives *of;
    uint64_t id;
    uint64_t generation; /* of the process: a child of fork is another one */
} life_mine;

IST_HIDDEN extern IST_THREAD_LOCAL_QUICK life_mine life_known[2];

/* Differs from every value that it has in another process that shares our thread-locals' past. */
IST_HIDDEN extern const volatile uint64_t *life_generation;

/* Gives the calling thread a life in the scope. Outside the gate. */
ist_status life_begin(lives *of, uint64_t *id, plat_error *error);

/* Where in life_known a scope's stands. */
static inline uint32_t life_place(const scope *where)
{
    return where->global ? 1 : 0;
}

/* The calling thread's id if it has used it lately, else 0. */
static inline uint64_t life_quickly(const lives *of)
{
    const life_mine *mine = &life_known[life_place(&of->where)];

    return mine->of == of && mine->generation == *life_generation ? mine->id : 0;
}

/* The calling thread's id in the scope. The usual way needs no call. */
static inline ist_status life_own(lives *of, uint64_t *id, plat_error *error)
{
    *id = life_quickly(of);
    return *id != 0 ? IST_OK : life_begin(of, id, error);
}

/* 0 where it has none yet. */
uint64_t life_find(lives *of);

static inline uint64_t life_if_any(lives *of)
{
    uint64_t id = life_quickly(of);

    return id != 0 ? id : life_find(of);
}

/* Where to sleep to learn of an end; word is NULL where that cannot be done. Keeps the block mapped until
   life_unwatch(), which passes an end on to all who sleep on it, since the kernel wakes only one, who may do anything
   after that. */
typedef struct life_watch {
    word_watch word;
    struct life_block *block;
} life_watch;

/* Whether the thread with this id has ended; fills *watch, unless it is NULL, if not. A doubt is a no. Now and then it
   asks the system also for what the kernel did not mark. Lives are believed of a user who may have an id in the object
   at all: a stranger can make a block of any number that is free. */
struct registry_entry;
bool life_has_ended(lives *of, uint64_t id, const struct registry_entry *object, life_watch *watch);
void life_unwatch(life_watch *watch);

/* The kernel woke one of those who sleep on the life that has ended: wakes the others. */
void life_spread(lives *of, uint64_t id);

/* When the program is loaded. */
void life_install(void);

/* At the normal exit: what this process made goes, but stays mapped. Only where a thread still owns a mutex it is left
   to the sweep: until the process has ended it is that thread's. */
void life_leave_all(void);

/* In a forked child: it has no lives, and its parent's are not its own. */
void life_reset_after_fork(void);

#endif
