/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A handle to a mutex, semaphore, event or timer: its place in the registry and its words, in the segment's page.
 *
 *   byte  size  field      from SEGMENT_WORDS_OFFSET; written by
 *      0     8  state      all who may: by compare-and-swap only; the kind's file says what it is
 *      8     4  wake       bit 0: somebody may be asleep; the rest counts: see posix/wait.c; by compare-and-swap
 *     12     4  recursion  of a mutex, how often it was acquired again by its owner, who alone writes it; 0 while free
 *     16     8  claims     id of the table (posix/claim.h), 0 for what is never taken: the maker
 *     24     4  maximum    of a semaphore: the maker
 *     28     4  sort       OBJECT_MANUAL, OBJECT_ALWAYS_WAKES: the maker
 *     32    32  reserved   0
 *     64   512  settings   of a timer: posix/timer.c
 *    576  1472  reserved   0
 */
#ifndef ISTHMUS_POSIX_OBJECT_H
#define ISTHMUS_POSIX_OBJECT_H

#include "posix/claim.h"
#include "posix/life.h"
#include "posix/registry.h"

#define OBJECT_MANUAL UINT32_C(1)       /* a wait takes nothing */
#define OBJECT_ALWAYS_WAKES UINT32_C(2) /* who may only read waits without saying so */

#define TIMER_SETTINGS 8

typedef struct timer_setting {
    uint64_t writer; /* life id, and whether he is through: by compare-and-swap; the rest by the writer */
    int64_t due;     /* nanoseconds on the mode's clock */
    int64_t period;  /* nanoseconds, 0 for one shot */
    uint64_t fired;  /* how often earlier settings did, for who was blocked then */
    uint32_t mode;
    uint32_t reserved[7];
} timer_setting;

typedef struct object_words {
    uint64_t state;
    uint32_t wake;
    uint32_t recursion;
    uint64_t claims;
    uint32_t maximum;
    uint32_t sort;
    uint64_t reserved[4];
    timer_setting settings[TIMER_SETTINGS];
    uint8_t padding[1472];
} object_words;

_Static_assert(sizeof(timer_setting) == 64, "the table above");
_Static_assert(sizeof(object_words) == SEGMENT_WORDS_SIZE, "the table above");
_Static_assert(offsetof(object_words, wake) == 8, "the table above");
_Static_assert(offsetof(object_words, claims) == 16, "the table above");
_Static_assert(offsetof(object_words, sort) == 28, "the table above");
_Static_assert(offsetof(object_words, settings) == 64, "the table above");
_Static_assert(SEGMENT_WORDS_OFFSET % 64 == 0, "words that are swapped lie in lines of their own");

/* What a wait needs of an end of a pipe or of a mailslot, which have no words of this sort (PLAT_CHANNEL). Each keeps a
   plat_object as its first member, of which only kind, channel and references count. */
typedef struct channel_face {
    /* IST_OK: a read would not block. IST_TIMEOUT: it would; with watch, unless it is NULL, it says where the peer's
       end shows. Takes nothing. */
    ist_status (*look)(plat_object *channel, life_watch *watch, plat_error *error);

    /* Says that somebody is going to sleep until a look comes out differently; the word moves then. */
    word_watch (*announce)(plat_object *channel);

    /* Nobody of this wait reads the word any more; or NULL. */
    void (*rest)(plat_object *channel, const volatile uint32_t *word);

    /* The last reference is gone. */
    void (*free)(plat_object *channel);
} channel_face;

/* What the usual operation reads comes first, in one line of the cache. */
struct plat_object {
    const lives *writer_lives; /* lives, if the handle is for writing, else NULL */
    uint32_t place;            /* in life_known */
    volatile object_words *words;
    plat_kind kind;
    ist_access access;
    lives *lives;
    uint32_t maximum; /* checked copy */
    bool manual;
    bool always_wakes;
    claims *claims;               /* NULL for what is never taken */
    volatile uint32_t references; /* the handle, and waits that are blocked (L5) */
    void *page;                   /* of the words, where that is not the entry's own */
    const channel_face *channel;  /* of PLAT_CHANNEL, else NULL */
    registry_entry entry;
};

/* The handle that an entry of the registry belongs to; NULL if it is another kind's. */
plat_object *object_of(registry_entry *entry);

/* Settles a tag that a claimant left in the state word of an object that this process does not hold. False: it may be
   there still. Inside the gate. */
bool object_settle_absent(const scope *where, uid_t owner, uint64_t id, claims *table, uint64_t tag);

void object_reference(plat_object *object);
void object_release(plat_object *object);

/* Whether the words can be written at all, whatever the handle is for: a reading audience cannot. */
static inline bool object_may_write(const plat_object *object)
{
    return object->access == IST_WRITE || object->page == NULL;
}

/* IST_E_ACCESS unless the handle is for writing. */
ist_status object_check_writable(const plat_object *object, plat_error *error);

/* Reads the state word, settling what is claimed. */
ist_status object_state(plat_object *object, uint64_t *state, plat_error *error);

/* What the state word is to everybody, without settling: a reader may not. False where that cannot be told. */
bool object_peek(const plat_object *object, uint64_t *state);

/* Wakes those who are asleep. */
void object_wake_sleepers(plat_object *object);

/* Wakes who waits, after the state has changed. That was done by a full barrier, so that a waiter who said that it is
   going to sleep has either seen the change or is seen here (edge: announce, look again in posix/wait.c). */
static inline void object_wake(plat_object *object)
{
    if ((atomic_load_u32(&object->words->wake) & 1) != 0)
        object_wake_sleepers(object);
}

#endif
