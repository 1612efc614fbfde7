/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The queue of a mailslot on POSIX (src/posix/mail.h, mail_write.c, mail_read.c, mail_reclaim.c).
 *
 * Each writer writes so many messages, of one cell or two, and may be killed before any step; its next life goes on.
 * The reader reads until all are through. README.md says what is modelled and what is not; ./check runs it, and the
 * broken variants, which must fail.
 */

#ifndef WRITERS
#define WRITERS 2
#endif
#ifndef MESSAGES
#define MESSAGES 2 /* of the first writer, */
#endif
#ifndef OTHERS
#define OTHERS MESSAGES /* and of each other */
#endif
#define LETTERS_OF(p) ((p) == 0 -> MESSAGES : OTHERS)
#ifndef CELLS
#define CELLS 2
#endif
#ifndef SLOTS
#define SLOTS 2 /* a power of two, not below CELLS */
#endif
#ifndef DEATHS
#define DEATHS 1 /* of each of */
#endif
#ifndef MORTALS
#define MORTALS WRITERS /* the first so many */
#endif

#define LIFE(p, n) (1 + (p) + (n) * WRITERS)
#define LIVES (1 + WRITERS * (DEATHS + 1))
#define LETTERS (WRITERS * MESSAGES + 1)
#define NONE 15

/* A slot: the first cell and 1, or 0; and the round. */
#define PLACE(position) ((position) % SLOTS)
#ifdef BROKEN_ROUNDS
#define ROUND(position) 0
#else
#define ROUND(position) ((position) / SLOTS)
#endif

/* Shared memory. */
byte owner[CELLS]; /* a life, or 0 */
byte first[CELLS];
byte next[CELLS]; /* or NONE */
byte content[CELLS];
byte entry[SLOTS];
byte round[SLOTS];
byte tail;

/* The kernel. */
bit dead[LIVES];

/* What only the proof knows: of each message, by its number. */
bit published[LETTERS];
bit arrived[LETTERS];
byte size[LETTERS];
byte latest[WRITERS]; /* that arrived */
byte through;         /* writers */

#define WHEN(condition, step)                                                                                          \
    if                                                                                                                 \
    ::condition -> step                                                                                                \
    ::else                                                                                                             \
    fi

/* One access to shared memory with what is decided upon it; or death before it. */
#define DO(step)                                                                                                       \
    if                                                                                                                 \
    ::atomic { true; step }                                                                                            \
    ::atomic { lives < DEATHS && me < MORTALS -> goto die }                                                            \
    fi

#define ME (1 + me * MESSAGES + (letter - 1))
#define MINE LIFE(me, lives)

proctype writer(byte me)
{
    byte lives, letter, count, c, chain, last, t, s;
    byte mark, ended, seen;
    bit reclaimed;

begin:
    atomic {
        c = 0; count = 0; reclaimed = 0; chain = 0; last = 0; t = 0; seen = 0;
        WHEN(letter == LETTERS_OF(me), through++; goto over);
        letter++;
        if
        :: size[ME] = 1
        :: CELLS > 1 -> size[ME] = 2
        fi
    };

    /* ---- take cells ---- */
search:
    DO(if
       :: count == size[ME] -> c = 0; goto publish
       :: count < size[ME] && c == CELLS -> c = 0; goto lacking
       :: count < size[ME] && c < CELLS && owner[c] == 0 -> owner[c] = MINE; goto link
       :: else -> c++; goto search
       fi);
link:
    DO(WHEN(count == 0, chain = c);
       WHEN(count != 0, next[last] = c);
       next[c] = NONE;
       first[c] = chain;
       last = c;
       count++);
    DO(content[c] = ME; c++; goto search);

    /* ---- too few: reclaim once, then give back ---- */
lacking:
    WHEN(reclaimed, goto give_back);
    reclaimed = 1;
#ifdef BROKEN_ASK_LATE
    mark = 0;
    s = 0;
    do
    :: s < SLOTS -> DO(WHEN(entry[s] != 0, mark = mark | (1 << (entry[s] - 1))); s++)
    :: else -> break
    od;
#endif
    s = 1;
    ended = 0;
    do
    :: s < LIVES -> DO(WHEN(dead[s], ended = ended | (1 << s)); s++)
    :: else -> break
    od;
#ifndef BROKEN_ASK_LATE
    mark = 0;
    s = 0;
    do
    :: s < SLOTS -> DO(WHEN(entry[s] != 0, mark = mark | (1 << (entry[s] - 1))); s++)
    :: else -> break
    od;
#endif
    s = 0;
    do
    :: s < CELLS ->
        DO(seen = owner[s];
           WHEN(seen != 0 && ((ended >> seen) & 1) && ((mark >> first[s]) & 1) && owner[first[s]] == seen, seen = 0);
           WHEN(seen != 0 && !((ended >> seen) & 1), seen = 0));
        if
        :: seen != 0 ->
#ifdef BROKEN_STORE
            DO(owner[s] = 0)
#else
            DO(WHEN(owner[s] == seen, owner[s] = 0))
#endif
        :: else
        fi;
        s++
    :: else -> break
    od;
    atomic { s = 0; mark = 0; ended = 0; seen = 0; goto search };

give_back:
    /* nothing of it is left, and the message was not written */
    do
    :: count > 0 -> DO(seen = next[chain]; WHEN(owner[chain] == MINE, owner[chain] = 0); chain = seen; count--)
    :: else -> break
    od;
    goto begin;

    /* ---- publish ---- */
publish:
    DO(t = tail);
    DO(if
       :: entry[PLACE(t)] == 0 && round[PLACE(t)] == ROUND(t) ->
           entry[PLACE(t)] = chain + 1;
           published[ME] = 1;
           c = 1
       :: else
       fi);
    DO(WHEN(tail == t, tail = t + 1); WHEN(c, goto begin); goto publish);

    /* ---- killed: the next life begins with the next message ---- */
die:
    atomic {
        dead[MINE] = 1;
        lives++;
        s = 0; mark = 0; ended = 0; seen = 0;
        goto begin
    };
over:
    skip
}

proctype reader()
{
    byte head, c, n, is, who, all, follows;

look:
    atomic {
        if
        :: entry[PLACE(head)] != 0 && round[PLACE(head)] == ROUND(head) ->
            c = entry[PLACE(head)] - 1;
            is = content[c];
            n = 0;
            goto check
        :: else -> WHEN(through == WRITERS && (entry[PLACE(head)] == 0), goto through_all)
        fi
    };
    /* somebody writes, or all are through */
    atomic { (entry[PLACE(head)] != 0 || through == WRITERS); goto look };

check:
    /* ---- copy: whole, not torn, not before, in its writer's order ---- */
    atomic {
        assert(is != 0 && published[is] && !arrived[is]);
        assert((is - 1) % MESSAGES + 1 > latest[(is - 1) / MESSAGES]);
        who = owner[c];
        all = c;
        n = 0
    };
copy:
    atomic {
        assert(all < CELLS && content[all] == is && owner[all] == who);
        n++;
        all = next[all];
        if
        :: n < size[is] -> goto copy
        :: else -> assert(all == NONE)
        fi
    };
    /* ---- clear, free, count ---- */
    atomic {
        arrived[is] = 1;
        latest[(is - 1) / MESSAGES] = (is - 1) % MESSAGES + 1;
        entry[PLACE(head)] = 0;
        round[PLACE(head)] = ROUND(head + SLOTS);
        all = c;
        n = 0
    };
    do
    :: all != NONE ->
        atomic { follows = next[all] };
        atomic {
            if
            :: owner[all] == who -> owner[all] = 0; all = follows
            :: else -> all = NONE /* a reclaimer was faster */
            fi
        }
    :: else -> break
    od;
    atomic { head++; c = 0; is = 0; who = 0; all = 0; follows = 0; n = 0; goto look };

through_all:
    skip;
    /* ---- nothing is lost; and what is not free somebody left who has ended, and a reclaimer takes it ---- */
    d_step {
        n = 1;
        do
        :: n == LETTERS -> break
        :: else -> assert(published[n] == arrived[n]); n++
        od;
        n = 0;
        do
        :: n == CELLS -> break
        :: else -> assert(owner[n] == 0 || dead[owner[n]]); n++
        od
    }
}

init
{
    atomic {
        byte p;
        do
        :: p < WRITERS -> run writer(p); p++
        :: else -> break
        od;
        run reader()
    }
}
