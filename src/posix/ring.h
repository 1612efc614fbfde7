/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * One direction of a connection: a ring of bytes, one writer and one reader, each in a process of its own. Nothing here
 * sleeps, wakes or asks the system: posix/connection.h does.
 *
 * The shared words, of which each is written by one side; `large` is swapped by both:
 *
 *   byte  size  field         written by the writer
 *      0     8  head          bytes of the ring ever written
 *      8     8  sent          bytes of payload ever sent; moves before head
 *     16     4  data_wake     the reader sleeps here: bit 0 somebody may be asleep, the rest counts (posix/wait.c)
 *     20     4  large         RING_NONE, RING_OFFERED, RING_TAKEN in bits 0-1; bit 2 turns with each taking; the rest
 *                            counts the offers
 *     24     8  offer_size    bytes of the message offered
 *     32     8  offer_head    so far it is in the ring already
 *     40    24  reserved      0
 *                             by the reader
 *     64     8  tail          bytes of the ring ever read
 *     72     8  consumed      bytes of payload ever read
 *     80     8  left          bytes of the first message that are unread, when a part of it has been read
 *     88     4  room_wake     the writer sleeps here
 *     92     4  bell          RING_SILENT, RING_ARMED, RING_RINGING, RING_RUNG: whether the writer is to ring, or has
 *     96    32  reserved      0
 *
 * A message is its size as LEB128, 7 bits to a byte and the lowest first, and then the payload. It is there when head
 * has moved past it, which is one store: a writer that is killed has written all of it or nothing. The ring has room
 * for more than twice the quota, so that every mixture of messages fits whose payloads fit the quota. A message of no
 * bytes costs only its byte.
 *
 * A message larger than the quota is not put between the others. It is *offered*: what fits is laid behind head, and
 * head stays. When the reader has read all that is before it, it takes the offer, and the writer, which has waited for
 * that, moves head and sends the rest as it finds room. Until it is taken the writer can withdraw it. Both swap the
 * word `large` from the offer they have seen, which no later offer is like. Whether an offer was taken the turned bit
 * says also when the writer has gone on since, and has offered the next.
 *
 * A ring of bytes has no sizes and no offers, and its quota is what it holds.
 *
 * What a side alone moves on it keeps in a ring_side, which the other cannot reach, and takes nothing back from the
 * shared words but when it begins. A side's state changes by one store there, and is shown after that: processes that
 * have one end together by fork, and use it in turn, find it whole whenever one of them is killed.
 */
#ifndef ISTHMUS_POSIX_RING_H
#define ISTHMUS_POSIX_RING_H

#include "core/atomic.h"
#include "core/plat.h"

#define RING_NONE UINT32_C(0)
#define RING_OFFERED UINT32_C(1)
#define RING_TAKEN UINT32_C(2)
#define RING_LARGE_STATE UINT32_C(3)
#define RING_LARGE_TURN UINT32_C(4)
#define RING_LARGE_COUNT UINT32_C(8) /* one offer */

#define RING_SILENT UINT32_C(0)
#define RING_ARMED UINT32_C(1)
#define RING_RUNG UINT32_C(2)
#define RING_RINGING UINT32_C(3)

/* Bytes of a message, at most. */
#define RING_MESSAGE_MAX UINT64_C(0xffffffff)

typedef struct ring_words {
    uint64_t head;
    uint64_t sent;
    uint32_t data_wake;
    uint32_t large;
    uint64_t offer_size;
    uint64_t offer_head;
    uint64_t reserved[3];
    uint64_t tail;
    uint64_t consumed;
    uint64_t left;
    uint32_t room_wake;
    uint32_t bell;
    uint64_t reserved_too[4];
} ring_words;

_Static_assert(sizeof(ring_words) == 128, "the table above");
_Static_assert(offsetof(ring_words, data_wake) == 16, "the table above");
_Static_assert(offsetof(ring_words, offer_size) == 24, "the table above");
_Static_assert(offsetof(ring_words, offer_head) == 32, "the table above");
_Static_assert(offsetof(ring_words, tail) == 64, "the table above");
_Static_assert(offsetof(ring_words, left) == 80, "the table above");
_Static_assert(offsetof(ring_words, room_wake) == 88, "the table above");
_Static_assert(offsetof(ring_words, bell) == 92, "the table above");

/* Where a writer is. */
typedef struct ring_written {
    uint64_t head;
    uint64_t sent;
    uint64_t offer; /* bytes of the message that is offered or being sent in parts */
    uint64_t put;   /* bytes of that which are in the ring or were */
    uint32_t large; /* as it was last left in the shared word, or taken by the reader */
    uint32_t reserved;
} ring_written;

/* Where a reader is. */
typedef struct ring_got {
    uint64_t tail;
    uint64_t consumed;
    uint64_t left;  /* bytes of the first message that are unread, when a part of it has been read */
    uint64_t reach; /* what is there although head may not have moved: of an offer that was taken */
    uint64_t offer; /* bytes of the message that is being taken */
    uint32_t large; /* the offer that was last taken, or is being: RING_TAKEN, RING_OFFERED */
    uint32_t reserved;
} ring_got;

/* What a side keeps for itself, in memory that is shared with forked children alone. Of the two states of each sort
   that counts which the number says. An end writes in one direction and reads in the other. */
typedef struct ring_side {
    ring_written written[2];
    ring_got got[2];
    volatile uint32_t written_now;
    volatile uint32_t got_now;
} ring_side;

typedef struct ring {
    volatile ring_words *words;
    unsigned char *data;
    uint64_t capacity;
    uint32_t quota;
    bool messages;
    ring_side *side;
} ring;

/* Bytes of data that a ring of this quota has, whole pages on every system of pages of 4 KiB. */
uint64_t ring_capacity(uint32_t quota);

/* Begins as a side of the ring from what the shared words say, which is zero in new memory. */
void ring_begin_writer(ring *of);
void ring_begin_reader(ring *of);

/* ---- the writer; none of these two at once ---- */

/* Shows what a process that has the end too, and was killed, may have left unshown; withdraws what it has offered.
   IST_E_BROKEN: a part of a message is sent and the rest will never be. */
ist_status ring_resume(ring *of, plat_error *error);

/* Writes what fits: of a ring of messages all, in one instant, or nothing (IST_TIMEOUT). *put counts the bytes. Of
   messages the size is at most the quota. */
ist_status ring_write(ring *of, const void *data, size_t size, size_t *put, plat_error *error);

/* Offers a message that is larger than the quota. */
ist_status ring_offer(ring *of, const void *data, size_t size, plat_error *error);

/* Sends one more part of it, once it is taken. IST_OK: all is sent. IST_TIMEOUT: not yet; *moved: whether more is. */
ist_status ring_send(ring *of, const void *data, size_t size, bool *moved, plat_error *error);

/* Takes the offer back: false when the reader has taken it. */
bool ring_withdraw(ring *of);

/* The place to write next, and what is before it shown; whether the reader has read what was before a place. */
uint64_t ring_place(ring *of);
bool ring_is_read(const ring *of, uint64_t place);

/* ---- the reader; none of these two at once ---- */

/* Reads up to size bytes, of one message. IST_OK: all of it, or bytes; IST_MORE: a part; IST_TIMEOUT: nothing is there,
   and *got is 0. */
ist_status ring_read(ring *of, void *buffer, size_t size, size_t *got, plat_error *error);

/* Whether a message is offered and nothing stands before it; takes it, so that reading goes on with it. */
bool ring_has_offer(ring *of);
ist_status ring_take(ring *of, plat_error *error);

/* Whether there is something to read but for an offer. What is damaged is something. */
bool ring_has_data(ring *of);

/* Fills *out but for struct_size, and copies, as plat_pipe_peek(). An offer counts when `offers` says so. */
ist_status ring_peek(ring *of, bool offers, void *buffer, size_t size, ist_pipe_peeked *out, plat_error *error);

#endif
