/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * One direction of a pipe's connection on POSIX, of messages (src/posix/ring.h, ring.c, ring_read.c).
 *
 * A writer writes so many messages of any size and may give up; a reader reads. Each may be killed before any step, and
 * a process that has the same end goes on. README.md says what is modelled and what is not; ./check runs it, and the
 * broken variants, which must fail.
 */

#ifndef MESSAGES
#define MESSAGES 3
#endif
#ifndef CAPACITY
#define CAPACITY 4 /* at least twice QUOTA, and a size */
#endif
#ifndef DEATHS
#define DEATHS 1 /* of each side */
#endif

#define QUOTA 1
#define SMALL 1              /* fits the quota: with its size it takes two cells */
#define WHOLE 2              /* offered, and all in the ring at once */
#define PARTS (CAPACITY + 1) /* offered, and sent in parts */

/* A cell: what it is of which message. */
#define SIZE_OF(m) ((m) * 16 + 15)
#define BYTE_OF(m, k) ((m) * 16 + (k))

/* The word `large`. */
#define STATE(l) ((l) & 3)
#define NONE 0
#define OFFERED 1
#define TAKEN 2
#define TURN 4
#define COUNT 8
#define AS(l, state) ((l) - STATE(l) + (state))
#define TAKEN_OF(l) (AS(l, TAKEN) ^ TURN)

/* Shared memory. */
byte head, sent, large, offer_size, offer_head;
byte tail, consumed;
byte cell[CAPACITY];
bit dropped;

/* What a side has for itself; it changes by one store. */
byte w_head, w_sent, w_offer, w_put, w_large;
byte r_tail, r_consumed, r_left, r_reach, r_offer, r_large;

/* What only the proof knows. */
#define UNKNOWN 0
#define SENT 1
#define WITHDRAWN 2
byte size[MESSAGES + 1];
byte fate[MESSAGES + 1];
byte reading; /* the message that has been read in part */
byte offset;
byte latest; /* that was read */
bit through; /* the writer */

#define WHEN(condition, step)                                                                                          \
    if                                                                                                                 \
    ::condition -> step                                                                                                \
    ::else                                                                                                             \
    fi

/* One access to shared memory with what is decided upon it; or death before it. */
#define DO(step)                                                                                                       \
    if                                                                                                                 \
    ::atomic { true; step }                                                                                            \
    ::atomic { lives < DEATHS -> goto die }                                                                            \
    fi

inline lay(from, count)
{
    k = 0;
    do
    :: k < count -> cell[(w_head + k) % CAPACITY] = BYTE_OF(n, from + k); k++
    :: else -> break
    od;
    k = 0
}

active proctype writer()
{
    byte lives, n, used, unread, fits, k, seen;

next:
    atomic {
        used = 0; unread = 0; fits = 0; seen = 0;
        WHEN(n == MESSAGES || dropped, through = 1; goto over);
        n++;
        if
        :: size[n] = SMALL
        :: size[n] = WHOLE
        :: size[n] = PARTS
        fi
    };

    /* ---- what one who was killed has left ---- */
    DO(seen = head);
    if
    :: seen != w_head -> DO(sent = w_sent); DO(head = w_head)
    :: else
    fi;
    if
    :: STATE(w_large) == OFFERED ->
        DO(seen = (large == TAKEN_OF(w_large)); WHEN(large == w_large, large = AS(large, NONE)));
        if
        :: seen ->
            DO(w_large = TAKEN_OF(w_large); w_head = w_head + w_put; w_sent = w_sent + w_offer);
            DO(sent = w_sent);
            DO(head = w_head)
        :: else -> DO(w_large = AS(w_large, NONE))
        fi
    :: else
    fi;
    if
    :: STATE(w_large) == TAKEN && w_put < w_offer -> goto cut_short
    :: else
    fi;
    if
    :: size[n] != SMALL -> goto offer
    :: else
    fi;

    /* ---- between the others ---- */
small:
    DO(used = w_head - tail);
    DO(unread = w_sent - consumed);
    if
    :: unread < QUOTA && used + 2 <= CAPACITY -> skip
    :: else ->
        if
        :: goto small
        :: atomic { fate[n] = WITHDRAWN; goto next }
        fi
    fi;
    DO(cell[w_head % CAPACITY] = SIZE_OF(n); cell[(w_head + 1) % CAPACITY] = BYTE_OF(n, 0));
#ifdef BROKEN_SHOW_FIRST
    DO(sent = w_sent + 1);
    DO(head = w_head + 2);
    DO(w_head = w_head + 2; w_sent = w_sent + 1);
#else
    DO(w_head = w_head + 2; w_sent = w_sent + 1);
    DO(sent = w_sent);
    DO(head = w_head);
#endif
    atomic { fate[n] = SENT; goto next };

    /* ---- offered ---- */
offer:
    DO(used = w_head - tail; fits = (size[n] < CAPACITY - used -> size[n] : CAPACITY - used); lay(0, fits));
    DO(w_offer = size[n]; w_put = fits; w_large = AS(w_large, OFFERED) + COUNT);
    DO(offer_size = w_offer);
    DO(offer_head = w_head + w_put);
    DO(large = w_large);
send:
    DO(seen = large);
    if
    :: seen == w_large ->
        if
        :: goto send
        :: goto withdraw
        fi
    :: else -> assert(seen == TAKEN_OF(w_large))
    fi;
    DO(w_large = seen; w_head = w_head + w_put; w_sent = w_sent + w_offer);
    DO(sent = w_sent);
    DO(head = w_head);
parts:
    atomic { WHEN(w_put == w_offer, fate[n] = SENT; goto next) };
    DO(used = w_head - tail;
       fits = (w_offer - w_put < CAPACITY - used -> w_offer - w_put : CAPACITY - used);
       lay(w_put, fits));
    if
    :: fits == 0 ->
        if
        :: goto parts
        :: goto cut_short
        fi
    :: else
    fi;
    DO(w_head = w_head + fits; w_put = w_put + fits);
    DO(head = w_head);
    goto parts;
withdraw:
#ifdef BROKEN_STORE
    DO(seen = 1; large = AS(w_large, NONE));
#else
    DO(seen = (large == w_large); WHEN(large == w_large, large = AS(large, NONE)));
#endif
    if
    :: seen -> DO(w_large = AS(w_large, NONE))
    :: else -> goto send
    fi;
    atomic { assert(latest < n && reading != n); fate[n] = WITHDRAWN; goto next };

cut_short:
    atomic { dropped = 1; through = 1; goto over };
die:
    atomic { lives++; k = 0; goto next };
over:
    skip
}

/* What was read comes in order, and nothing is left out whose write has returned. */
inline arrive(m)
{
    assert(m > latest && fate[m] != WITHDRAWN);
    latest++;
    do
    :: latest < m -> assert(fate[latest] != SENT); latest++
    :: else -> break
    od
}

active proctype reader()
{
    byte lives, seen, end, was, is, count, reach, m, k;
    bit last;

look:
    atomic { seen = 0; end = 0; was = 0; is = 0; count = 0; reach = 0; m = 0; k = 0; WHEN(dropped, goto over) };

    /* ---- what one who was killed has left ---- */
    if
    :: STATE(r_large) == OFFERED ->
#ifdef BROKEN_WORD
        DO(is = (large == TAKEN_OF(r_large));
#else
        DO(is = ((large ^ r_large) & TURN) != 0;
#endif
           if
           :: is -> r_large = TAKEN_OF(r_large); r_left = r_offer
           :: else -> r_large = NONE; r_reach = r_tail
           fi;
           is = 0)
    :: else
    fi;
    DO(seen = tail);
    if
    :: seen != r_tail -> DO(consumed = r_consumed); DO(tail = r_tail)
    :: else
    fi;

    /* ---- read ---- */
    DO(last = through);
    DO(end = head; WHEN(end < r_reach, end = r_reach); assert(end >= r_tail && end - r_tail <= CAPACITY));
    if
    :: end == r_tail && last && (STATE(large) != OFFERED || r_left != 0) -> goto finish
    :: end == r_tail && r_left == 0 -> goto take
    :: end == r_tail -> goto look
    :: else
    fi;
    /* the bytes, which must still be there */
    DO(k = 0;
       if
       :: r_left == 0 ->
           m = cell[r_tail % CAPACITY] / 16;
           assert(cell[r_tail % CAPACITY] == SIZE_OF(m) && cell[(r_tail + 1) % CAPACITY] == BYTE_OF(m, 0));
           count = 1
       :: else ->
           count = (r_left < end - r_tail -> r_left : end - r_tail);
           if
           :: true
           :: count = 1
           fi;
           m = (offset == 0 -> cell[r_tail % CAPACITY] / 16 : reading);
           do
           :: k < count -> assert(cell[(r_tail + k) % CAPACITY] == BYTE_OF(m, offset + k)); k++
           :: else -> break
           od
       fi);
    DO(if
       :: r_left == 0 -> r_tail = r_tail + 2; arrive(m)
       :: else ->
           reading = m;
           offset = offset + count;
           r_tail = r_tail + count;
           r_left = r_left - count;
           WHEN(r_left == 0, assert(offset == size[m]); arrive(m); reading = 0; offset = 0)
       fi;
       r_consumed = r_consumed + count);
    DO(consumed = r_consumed);
    DO(tail = r_tail);
    goto look;

    /* ---- take an offer ---- */
take:
    DO(was = large);
    DO(count = offer_size);
    DO(reach = offer_head);
    DO(end = head; WHEN(end < r_reach, end = r_reach));
    if
    :: end == r_tail && STATE(was) == OFFERED -> skip
    :: else -> goto look
    fi;
#ifndef BROKEN_ONE_LOOK
    DO(is = large);
    if
    :: is == was -> skip
    :: else -> goto look
    fi;
#endif
    assert(count > QUOTA && reach >= end && reach - end <= count && reach - end <= CAPACITY);
#ifdef BROKEN_TAKE_FIRST
    DO(WHEN(large == was, large = TAKEN_OF(was)));
    DO(r_large = was; r_offer = count; r_reach = reach);
#else
    DO(r_large = was; r_offer = count; r_reach = reach);
    DO(WHEN(large == was, large = TAKEN_OF(was)));
#endif
    goto look;

finish:
    atomic {
        do
        :: latest < MESSAGES -> latest++; assert(fate[latest] != SENT)
        :: else -> break
        od;
        goto over
    };
die:
    atomic { lives++; goto look };
over:
    skip
}
