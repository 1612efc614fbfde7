/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * How a wait for all takes several objects at one instant on POSIX: tags, decisions, settling (src/posix/claim.c).
 *
 * CLAIMANTS processes try to take one of each object, so often; USERS poll, take and release single objects, so often.
 * With MANUALS the claimants want two manual-reset events to be set as well, which they do not take, and a setter sets
 * and resets those. A process may be killed before any step, and its next life goes on. Who stops for ever is not
 * scheduled again. README.md says what is modelled and what is not; ./check runs it, and the broken variants, which
 * must fail.
 */

#ifndef CLAIMANTS
#define CLAIMANTS 2
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2 /* of each claimant */
#endif
#ifndef USERS
#define USERS 1
#endif
#ifndef CALLS
#define CALLS 2 /* of each user */
#endif
#ifndef OBJECTS
#define OBJECTS 2 /* that are claimed */
#endif
#ifndef MANUALS
#define MANUALS 0
#endif
#ifndef SETS
#define SETS 3 /* sets and resets */
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef MAXIMUM
#define MAXIMUM 1 /* 1: automatic events; 2: semaphores */
#endif
#ifndef INITIAL
#define INITIAL MAXIMUM
#endif
#ifndef DEATHS
#define DEATHS 0 /* of each process */
#endif

/* Shared memory. A state word is a value or a tag. The version that goes with a value is left out: with it more swaps
   fail, and are tried again, and that is all. */
#define TAGGED(w) ((w) >= 4)
#define TAG(slot, item, sequence) (4 + ((sequence) * SLOTS + (slot)) * OBJECTS + (item))
#define ITEM(w) (((w) - 4) % OBJECTS)
#define SLOT(w) (((w) - 4) / OBJECTS % SLOTS)
#define SEQUENCE(w) (((w) - 4) / (OBJECTS * SLOTS))
byte state[OBJECTS];

/* The table. Object i is item i of every attempt. */
byte owner[SLOTS];    /* the claimant's life, 0 if free */
byte decision[SLOTS]; /* sequence, and one of */
#define IDLE 0
#define OPEN 1
#define DONE 2
#define GIVEN_UP 3
#define DECISION(sequence, what) ((sequence) * 4 + (what))
#define SEQUENCE_OF(d) ((d) / 4)
byte count[SLOTS];
byte before[SLOTS * OBJECTS];
byte after[SLOTS * OBJECTS];
#define AT(slot, item) ((slot) * OBJECTS + (item))

/* Lives are never used again. */
#define LIFE(p, n) (1 + (p) + (n) * CLAIMANTS)
bit dead[LIFE(0, DEATHS + 1) + 1];

#if MANUALS
byte manual[2]; /* count of sets, and the bit */
bit instant[CLAIMANTS]; /* only the proof: both were set at one time since this one tagged its last object */
#define IS_SET(m) ((m) % 2)
#endif

byte real[OBJECTS]; /* only the proof: what is there, if everything is taken when it is decided */

#define WHEN(condition, step)                                                                                          \
    if                                                                                                                 \
    ::condition -> step                                                                                                \
    ::else                                                                                                             \
    fi
/* One access to shared memory, with what the process decides upon it; or death before it. */
#if DEATHS
#define DO(step)                                                                                                       \
    if                                                                                                                 \
    ::atomic { true; step }                                                                                            \
    ::atomic { lives < DEATHS; goto die }                                                                              \
    fi
#else
#define DO(step) atomic { true; step }
#endif
#define NOTHING 255

/* A state word is what there is, or its tag leads to that. */
#ifdef ONLY_SEEN
#define SOUND(i)
#define ALL_SOUND
#else
#define STANDS_FOR(w) (decision[SLOT(w)] % 4 == DONE -> after[AT(SLOT(w), ITEM(w))] : before[AT(SLOT(w), ITEM(w))])
#define SOUND(i)                                                                                                       \
    if                                                                                                                 \
    ::TAGGED(state[i]) ->                                                                                              \
        assert(ITEM(state[i]) == i && SEQUENCE_OF(decision[SLOT(state[i])]) == SEQUENCE(state[i]));                    \
        assert(decision[SLOT(state[i])] % 4 != IDLE && STANDS_FOR(state[i]) == real[i])                                \
    ::else -> assert(state[i] == real[i])                                                                              \
    fi
#define ALL_SOUND                                                                                                      \
    d_step                                                                                                             \
    {                                                                                                                  \
        SOUND(0);                                                                                                      \
        SOUND(OBJECTS - 1)                                                                                             \
    }
#endif

/* Who meets a tag w in object i: the decision, which he gives up if it is open; the item; the swap. */
#ifdef BLIND
#define OVER(d, w) false /* settles by what is decided in that slot by now */
#else
#define OVER(d, w) (SEQUENCE_OF(d) != SEQUENCE(w) || (d) % 4 == IDLE)
#endif
#ifdef BROKEN_STORE
#define SETTLED(i, w) true
#else
#define SETTLED(i, w) (state[i] == w)
#endif
#define SETTLE(i, w)                                                                                                   \
    DO(d = decision[SLOT(w)];                                                                                          \
       WHEN(d % 4 == OPEN && !OVER(d, w), d++; d++; decision[SLOT(w)] = d);                                            \
       ALL_SOUND);                                                                                                     \
    DO(if                                                                                                              \
       ::OVER(d, w) -> v = NOTHING                                                                                     \
       ::!OVER(d, w) && d % 4 == DONE -> v = after[AT(SLOT(w), ITEM(w))]                                               \
       ::else -> v = before[AT(SLOT(w), ITEM(w))]                                                                      \
       fi;                                                                                                             \
       d = 0);                                                                                                         \
    DO(if                                                                                                              \
       ::v == NOTHING -> assert(state[i] != w) /* claimed by nobody */                                                 \
       ::v != NOTHING && SETTLED(i, w) -> state[i] = v                                                                 \
       ::else                                                                                                          \
       fi;                                                                                                             \
       v = 0;                                                                                                          \
       w = 0;                                                                                                          \
       ALL_SOUND)

proctype claimant(byte me)
{
    byte lives, attempts;
    byte s;       /* the slot */
    byte i;       /* the item, which is the object */
    byte w, d, v; /* what it read; for a settling */
    byte c, x;    /* of a slot to inherit: how many items, and what one becomes */

begin:
#ifdef BROKEN_SEQUENCE
#define NEXT(sequence) (sequence)
#else
#define NEXT(sequence) ((sequence) + 1)
#endif
    if
    :: attempts == ATTEMPTS -> goto end
    :: else
    fi;

    /* ---- a slot: a free one, or that of a claimant who has died ---- */
free:
    DO(if
       :: owner[s] == 0 -> owner[s] = LIFE(me, lives); goto open
       :: else -> s++; if :: s < SLOTS -> goto free :: else -> s = 0 fi
       fi);
remains:
    DO(if
       :: dead[owner[s]] -> w = owner[s]
       :: else -> s++; if :: s < SLOTS -> goto remains :: else -> s = 0; goto begin fi
       fi);
#ifndef BROKEN_REUSE
    DO(d = decision[s]; c = count[s]); /* two words, which the dead do not change */
    if
    :: d % 4 == IDLE -> c = 0; goto inherit
    :: else
    fi;
    DO(WHEN(d % 4 == OPEN && decision[s] == d, decision[s] = DECISION(SEQUENCE_OF(d), GIVEN_UP));
       v = decision[s];
       ALL_SOUND);
    WHEN(SEQUENCE_OF(v) != SEQUENCE_OF(d), c = 0; goto inherit); /* somebody else has inherited it */
remains_item:
    if
    :: i == c -> i = 0; c = 0; goto inherit
    :: else
    fi;
    DO(if
       :: v % 4 == DONE -> x = after[AT(s, i)]
       :: else -> x = before[AT(s, i)]
       fi);
    DO(WHEN(state[i] == TAG(s, i, SEQUENCE_OF(d)), state[i] = x); x = 0; i++; ALL_SOUND);
    goto remains_item;
#endif
inherit:
    DO(d = 0;
       v = 0;
       if
       :: owner[s] == w -> owner[s] = LIFE(me, lives); w = 0
       :: else -> w = 0; s = 0; goto begin
       fi);

    /* ---- open ---- */
open:
    DO(count[s] = 0);
    DO(decision[s] = DECISION(NEXT(SEQUENCE_OF(decision[s])), OPEN); attempts++; ALL_SOUND);

    /* ---- list and tag each object, in their order ---- */
look:
    DO(w = state[i]);
    if
    :: TAGGED(w) -> SETTLE(i, w); goto look
    :: w == 0 -> goto give_up
    :: else
    fi;
    DO(before[AT(s, i)] = w);
    DO(after[AT(s, i)] = w - 1);
    DO(count[s] = i + 1);
#ifdef BROKEN_EARLY
    WHEN(i == OBJECTS - 1, goto decide);
#endif
    DO(if
       :: state[i] == w -> w = 0; state[i] = TAG(s, i, SEQUENCE_OF(decision[s])); i++; ALL_SOUND
       :: else -> w = 0; goto look
       fi;
#if MANUALS
       instant[me] = IS_SET(manual[0]) && IS_SET(manual[1])
#endif
    );
    if
    :: i < OBJECTS -> goto look
    :: else
    fi;

#if MANUALS
    /* ---- what is not taken: read twice ---- */
    DO(w = manual[0]);
    DO(v = manual[1]);
    WHEN(!IS_SET(w) || !IS_SET(v), goto give_up);
#ifndef BROKEN_ONCE
    DO(WHEN(manual[0] != w, goto give_up));
    DO(WHEN(manual[1] != v, goto give_up));
#endif
    w = 0;
    v = 0;
#endif

    /* ---- decide: the one instant ---- */
decide:
    DO(if
       :: decision[s] % 4 == OPEN ->
           decision[s] = DECISION(SEQUENCE_OF(decision[s]), DONE);
#if MANUALS
           assert(instant[me]);
#endif
           assert(real[0] > 0 && real[OBJECTS - 1] > 0);
           real[0]--;
           WHEN(OBJECTS == 2, real[OBJECTS - 1]--)
       :: else
       fi;
#if MANUALS
       instant[me] = 0;
#endif
       i = 0;
       ALL_SOUND);
#ifdef BROKEN_EARLY
    WHEN(w != 0,
         i = OBJECTS - 1;
         DO(WHEN(state[i] == w, state[i] = TAG(s, i, SEQUENCE_OF(decision[s]))); w = 0; i = 0));
#endif
    goto settle;
give_up:
    DO(w = 0;
       v = 0;
#if MANUALS
       instant[me] = 0;
#endif
       WHEN(decision[s] % 4 == OPEN, decision[s] = DECISION(SEQUENCE_OF(decision[s]), GIVEN_UP));
       i = 0;
       ALL_SOUND);

    /* ---- settle. Nobody changes its decision or its items any more, so reading them is no step ---- */
settle:
    if
    :: i == OBJECTS || i == count[s] -> i = 0; goto close
    :: else
    fi;
    DO(WHEN(state[i] == TAG(s, i, SEQUENCE_OF(decision[s])),
            if
            :: decision[s] % 4 == DONE -> state[i] = after[AT(s, i)]
            :: else -> state[i] = before[AT(s, i)]
            fi);
       i++;
       ALL_SOUND);
    goto settle;
close:
    DO(decision[s] = DECISION(SEQUENCE_OF(decision[s]), IDLE); ALL_SOUND);
    DO(owner[s] = 0; s = 0);
    goto begin;

#if DEATHS
die:
    atomic {
        dead[LIFE(me, lives)] = 1;
        lives++;
        s = 0;
        i = 0;
        w = 0;
        d = 0;
        v = 0;
        c = 0;
        x = 0;
#if MANUALS
        instant[me] = 0;
#endif
        goto begin
    }
#endif
end:
    skip
}

/* ---- one object: a poll that takes it; a set or release ---- */
proctype user(byte me)
{
    byte lives, calls;
    byte i, w, d, v;
    bit releases;

next:
    atomic {
        if
        :: calls == CALLS -> goto end
        :: calls < CALLS -> i = 0
        :: calls < CALLS && OBJECTS == 2 -> i = OBJECTS - 1
        fi;
        calls++;
        if
        :: releases = 0
        :: releases = 1
        fi
    };
look:
    DO(w = state[i];
       if
       :: w == 0 && !releases -> assert(real[i] == 0); goto next /* tells that it is not there */
       :: w == MAXIMUM && releases -> assert(real[i] == MAXIMUM); w = 0; goto next /* an event that is set; a limit */
       :: else
       fi);
    if
    :: TAGGED(w) -> SETTLE(i, w); goto look
    :: else
    fi;
    DO(if
       :: state[i] != w -> w = 0; goto look
       :: state[i] == w && releases -> state[i] = w + 1; real[i]++
       :: state[i] == w && !releases -> state[i] = w - 1; assert(real[i] > 0); real[i]--
       fi;
       w = 0;
       ALL_SOUND);
    goto next;

#if DEATHS
die:
    lives++;
    i = 0;
    w = 0;
    d = 0;
    v = 0;
    goto next;
#endif
end:
    skip
}

#if MANUALS
proctype setter()
{
    byte sets, m;

    do
    :: sets == SETS -> break
    :: sets < SETS ->
        atomic {
            if
            :: m = 0
            :: m = 1
            fi;
            if
            :: IS_SET(manual[m]) -> manual[m]-- /* a reset */
            :: IS_SET(manual[m]) -> manual[m] = manual[m] + 2
            :: else -> manual[m] = manual[m] + 3
            fi;
            m = 0;
            sets++;
            WHEN(IS_SET(manual[0]) && IS_SET(manual[1]), instant[0] = 1; instant[CLAIMANTS - 1] = 1)
        }
    od
}
#endif

init
{
    atomic {
        byte p;
        state[0] = INITIAL;
        real[0] = INITIAL;
        state[OBJECTS - 1] = INITIAL;
        real[OBJECTS - 1] = INITIAL;
        do
        :: p < CLAIMANTS -> run claimant(p); p++
        :: p >= CLAIMANTS && p < CLAIMANTS + USERS -> run user(p); p++
        :: p == CLAIMANTS + USERS -> break
        od;
        p = 0;
#if MANUALS
        run setter()
#endif
    }
}
