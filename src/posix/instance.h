/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * An instance's part of a pipe: the words that all instances share, the slot that is its alone, and the bell by which
 * clients wake it.
 *
 *   byte  size  field          of the words in the segment; written by processes of the pipe's owner
 *      0     4  type           ist_pipe_type; by the maker, before publishing; so are the next four
 *      4     4  direction      ist_pipe_direction
 *      8     4  instances_max  1 to IST_PIPE_INSTANCES_MAX, or 0
 *     12     4  inbound_bytes
 *     16     4  outbound_bytes
 *     20     4  opened         1 from when the maker has slot 0: until then, for a second, nobody else takes it
 *     24     8  next           sequence of the next instance to listen, by compare-and-swap
 *     32     4  vacancy        moved on, and woken, when an instance listens and when one goes
 *     36     4  hint           a slot below which all are mostly taken
 *     40     4  slots          no slot from here on has ever been taken
 *     44     4  reserved       0
 *     48     8  made           on the steady clock, by the maker; long ago, and not opened: the maker is not coming
 *     56     8  reserved       0
 *     64   960  lives          of threads that serve: that of slot n at n % INSTANCE_LIVES, for clients that wait
 *
 * Behind the words, or at the same place of the file `w` where an audience may only read:
 *
 *   1024  1024  bells          whoever may connect moves one on: bit 0 says that somebody sleeps
 *
 * A slot is a byte of the segment, 1 + its number, which the instance's hold locks exclusively: as long as somebody
 * does there is a process that may listen on the sockets with this slot in their name.
 *
 * What is read from here is copied, checked and then used. No more depends on it than whether a client is served.
 */
#ifndef ISTHMUS_POSIX_INSTANCE_H
#define ISTHMUS_POSIX_INSTANCE_H

#include "posix/life.h"
#include "posix/registry.h"

#define INSTANCE_LIVES 120
#define INSTANCE_BELLS 256

/* Instances of a pipe that allows any number. */
#define INSTANCE_MOST UINT32_C(65536)

typedef struct pipe_words {
    uint32_t type;
    uint32_t direction;
    uint32_t instances_max;
    uint32_t inbound_bytes;
    uint32_t outbound_bytes;
    uint32_t opened;
    uint64_t next;
    uint32_t vacancy;
    uint32_t hint;
    uint32_t slots;
    uint32_t reserved[1];
    int64_t made;
    uint32_t reserved_more[2];
    uint64_t lives[INSTANCE_LIVES];
    uint32_t bells[INSTANCE_BELLS];
} pipe_words;

_Static_assert(sizeof(pipe_words) == SEGMENT_WORDS_SIZE, "the table above");
_Static_assert(offsetof(pipe_words, opened) == 20, "the table above");
_Static_assert(offsetof(pipe_words, next) == 24, "the table above");
_Static_assert(offsetof(pipe_words, vacancy) == 32, "the table above");
_Static_assert(offsetof(pipe_words, slots) == 40, "the table above");
_Static_assert(offsetof(pipe_words, made) == 48, "the table above");
_Static_assert(offsetof(pipe_words, lives) == 64, "the table above");
_Static_assert(offsetof(pipe_words, bells) == 1024, "the table above");

/* A checked copy of what the first instance laid down. */
typedef struct pipe_plan {
    ist_pipe_type type;
    ist_pipe_direction direction;
    uint32_t instances_max;
    uint32_t inbound_bytes;
    uint32_t outbound_bytes;
} pipe_plan;

/* What is mapped of a pipe. */
typedef struct pipe_view {
    volatile pipe_words *words;
    volatile uint32_t *bells;
    void *page; /* of the words, where that is not the entry's own */
} pipe_view;

/* Writes the words of a new pipe. */
void pipe_words_fill(const plat_pipe_request *request, pipe_words *out);

/* Maps the words beside the entry's life page. */
ist_status pipe_view_map(const registry_entry *entry, bool writable, pipe_view *out, plat_error *error);
void pipe_view_unmap(pipe_view *view);

ist_status pipe_plan_read(const pipe_view *view, pipe_plan *out, plat_error *error);

/* Whether a client with this access is one that the direction is for. */
bool pipe_plan_allows(const pipe_plan *plan, ist_access access);

/* Whether another user than the owner may only read. */
bool pipe_is_only_read(const registry_entry *entry, uid_t user);

/* ---- slots ---- */

/* Takes a free slot for the entry's hold; the maker's is 0, mostly. IST_E_LIMIT: there is none. */
ist_status instance_take_slot(const registry_entry *entry, const pipe_view *view, uint32_t instances_max, bool maker,
                              uint32_t *slot, plat_error *error);

/* Says that it is going to be free. */
void instance_give_slot(const pipe_view *view, uint32_t slot);

/* Whether somebody has the slot. A doubt is a yes. */
bool instance_has_slot(int fd, uint32_t slot);

/* How many there are. */
uint32_t instance_count(const registry_entry *entry, const pipe_view *view, uint32_t instances_max);

/* ---- listening ---- */

uint64_t instance_next(const pipe_view *view);

/* Wakes clients that wait until an instance listens, or until there is none. */
void instance_tell(const pipe_view *view);

/* A thread serves no more with this slot, though it may live on. */
void instance_forget_life(const pipe_view *view, uint32_t slot, uint64_t life);

/* Where a client sleeps until somebody serves no more. */
void instance_watch(const pipe_view *view, const registry_entry *entry, lives *of, life_watch *watch);

/* ---- bells ---- */

static inline volatile uint32_t *instance_bell(const pipe_view *view, uint64_t sequence)
{
    return &view->bells[sequence % INSTANCE_BELLS];
}

/* Says that somebody is going to sleep. Edge: announce, then look for a client; its partner is bell_ring(). */
word_watch bell_announce(volatile uint32_t *bell);

/* Wakes who sleeps, after what he sleeps for has been done by a full barrier or a system call. */
void bell_ring(volatile uint32_t *bell);

#endif
