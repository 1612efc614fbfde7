/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * An end of a connection from the inside, and the memory that both share:
 *
 *   byte  size  field           written by
 *      0     4  magic           the maker, as all others but `dropped` and `parted`
 *      4     4  layout          version of this table and of the ring's
 *      8     4  messages        1 or 0
 *     12     4  inbound_bytes   quota
 *     16     4  outbound_bytes  quota
 *     20     4  dropped         either end: not 0 when nothing is to be read or written any more
 *     24     4  parted          either end: not 0 when an end was closed, and the socket is to be asked before a sleep
     28    36  reserved        0
 *     64   128  inbound         posix/ring.h: from client to server
 *    192   128  outbound        from server to client
 *    320  3776  reserved        0
 *   4096        data of the inbound ring, then of the outbound one, ring_capacity() each
 *
 * Of an end's locks `reading` and `writing` are for whole calls, and are waited for with the call's patience. The other
 * three are held for a few lines without a sleep, `socket_lock` inside the others.
 */
#ifndef ISTHMUS_POSIX_CONNECTION_END_H
#define ISTHMUS_POSIX_CONNECTION_END_H

#include "posix/connection.h"
#include "posix/descriptor.h"
#include "posix/registry.h"
#include "posix/ring.h"

#define CONNECTION_MAGIC UINT32_C(0x49535450)
#define CONNECTION_LAYOUT UINT32_C(1)
#define CONNECTION_DATA 4096

typedef struct connection_words {
    uint32_t magic;
    uint32_t layout;
    uint32_t messages;
    uint32_t inbound_bytes;
    uint32_t outbound_bytes;
    uint32_t dropped;
    uint32_t parted;
    uint32_t reserved[9];
    ring_words inbound;
    ring_words outbound;
} connection_words;

_Static_assert(offsetof(connection_words, dropped) == 20, "the table above");
_Static_assert(offsetof(connection_words, parted) == 24, "the table above");
_Static_assert(offsetof(connection_words, inbound) == 64, "the table above");
_Static_assert(offsetof(connection_words, outbound) == 192, "the table above");
_Static_assert(sizeof(connection_words) == 320, "the table above");

/* What an end keeps where only forked children reach it too. */
typedef struct connection_side {
    ring_side ring;
    volatile uint32_t watched; /* an event loop watches the socket: a read that finds nothing arms the bell */
} connection_side;

struct connection {
    _Alignas(8) volatile uint64_t seen_there; /* when the socket last said that the peer is; 0: never */
    _Alignas(8) volatile uint64_t seen_alive; /* when `life`, filled, was last asked about; 0: never */
    volatile uint32_t references;
    volatile uint32_t closed;
    volatile uint32_t end_was_seen; /* of the peer's life, by a wait */
    uint64_t seen_generation;       /* of this process: in a forked child `life` says nothing */
    life_watch life;                /* filled once */
    bool may_read;
    bool may_write;
    connection_peer peer;
    registry_entry believed; /* whose lives are believed: the peer's user's; else empty */

    volatile connection_words *words;
    uint64_t size; /* of the memory */
    connection_side *side;
    descriptor memory;
    ring in;
    ring out;

    turn reading;
    turn writing;
    turn in_lock;  /* of `in` */
    turn out_lock; /* of `out` */
    turn socket_lock;
    descriptor socket;
};

/* ---- connection_memory.c ---- */

/* Whether nobody can cut this file short, as far as the system can forbid that, nor take its pages away. */
bool connection_is_sealed(int fd);

uint64_t connection_size(const connection_shape *shape);

/* Maps the memory, of this size, and the end's own; the first is checked. What was mapped when it fails is
   connection_unmap()'s. */
ist_status connection_map(connection *of, const connection_shape *shape, bool server, off_t size, plat_error *error);
void connection_unmap(connection *of);

/* ---- connection_sleep.c ---- */

/* Something that is tried again and again until it is not IST_TIMEOUT any more. */
typedef ist_status connection_try(void *context, plat_error *error);

/* Tries until it comes to something, the end is broken or the call is over. Between two tries it sleeps on the word,
   which moves when another try may do better. */
ist_status connection_block(connection *of, volatile uint32_t *word, const patience *until, connection_try *trying,
                            void *context, plat_error *error);

/* IST_E_BROKEN when this side has closed the end, or either has dropped it. */
ist_status connection_check(const connection *of, plat_error *error);
ist_status connection_is_broken(plat_error *error);

/* Makes it so that nothing is to be read or written any more, for both. */
void connection_break(connection *of);

/* Says in the word that somebody is going to sleep on it; wakes who said so. */
word_watch connection_say_asleep(volatile uint32_t *word);
void connection_wake(volatile uint32_t *word);

/* The same for those who have not said so. */
void connection_wake_all(volatile uint32_t *word);

/* ---- connection_bell.c ---- */

/* False where the socket has been asked just now and no end was closed since. */
bool connection_peer_may_be_gone(const connection *of);

/* Forgets a socket whose number the program has closed or taken for its own: from then on the peer is gone. */
void connection_doubt(connection *of);

/* After a write: makes the peer's socket readable if the peer asks for that. */
void connection_ring_bell(connection *of);

/* After a read that found nothing: no longer readable, until something comes. */
void connection_arm_bell(connection *of);

#endif
