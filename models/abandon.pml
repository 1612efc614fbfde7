/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * How the waiters for a mutex learn on POSIX that its owner has ended (src/posix/mutex.c, life.c, wait.c).
 *
 * Process 0 owns all mutexes to begin with. Each process acquires and releases, so often, or its time is up. It may be
 * killed before any step; its next life goes on where it was. README.md says what is modelled and what is not; ./check
 * runs it, and the broken variants, which must fail.
 */

#ifndef NP
#define NP 4
#endif
#ifndef MUTEXES
#define MUTEXES 2
#endif
#ifndef CALLS
#define CALLS 1 /* acquisitions of each process but 0, */
#endif
#ifndef MORE
#define MORE 0 /* and of process 0, after it has released what it begins with */
#endif
#define CALLS_OF(p) ((p) == 0 -> MORE : CALLS)
#ifndef DEATHS
#define DEATHS 1 /* of each process, */
#endif
#ifndef MORTALS
#define MORTALS NP /* of the first so many */
#endif
#define MAY_DIE (lives < DEATHS && me < MORTALS)
/* Of two mutexes processes 1 and 2 want one each, the others any. */
#define WANTS(p, m) ((m) < MUTEXES && (MUTEXES == 1 || (p) % 3 == 0 || (p) == 1 + (m)))
#ifndef TIMEOUTS
#define TIMEOUTS 1
#endif
#ifndef LOSSES
#define LOSSES 1 /* 0: nobody is killed whose death takes a wake with it, so there is no re-check */
#endif

/* Who tells the others of a death, of which the kernel tells one: */
#if defined(BROKEN_SILENT) || defined(BROKEN_RENEW_ONLY) || defined(BROKEN_TAKER_ONLY)
#define PASS 0
#endif
#if defined(BROKEN_SILENT) || defined(BROKEN_RENEW_ONLY)
#define SPREAD 0
#endif
#ifdef BROKEN_SILENT
#define RENEW 0
#endif
#ifndef PASS
#define PASS 1 /* who has slept on a life that has ended wakes all who sleep on it, whatever else he finds */
#endif
#ifndef SPREAD
#define SPREAD 1 /* who takes an abandoned mutex wakes all who sleep on that life */
#endif
#ifndef RENEW
#define RENEW 1 /* who takes an abandoned mutex wakes all who sleep on the mutex */
#endif

/* Lives are never used again. */
#ifdef BROKEN_IDS
#define LIFE(p, n) (1 + (p))
#else
#define LIFE(p, n) (1 + (p) + (n) * NP)
#endif
#define LIVES (1 + NP * (DEATHS + 1))

/* Shared memory. */
byte state[MUTEXES]; /* the life of the owner; 0: free */
bit ended[LIVES];    /* the kernel has marked the life's word */
bit some[MUTEXES];   /* bit 0 of the wake word; the rest is in seen, as in wake.pml */
byte seen[NP];       /* of the wake word of the mutex that it wants, or wakes */
#define NONE 0
#define CURRENT 1
#define OLD 2

/* The kernel: who is queued on the wake word of what he wants, on which life; who has been woken. Who was woken on one
   word stays queued on the other until he runs. */
bit on_mutex[NP];
byte on_life[NP];
bit woken[NP];

byte want[NP];

/* What only the proof knows. */
byte owns[MUTEXES]; /* the life that has acquired it and not released it */
bit told[NP];       /* the one whom the kernel has woken for a death, and who has not passed that on */
bit lost;           /* such a one was killed, or one who had cleared bit 0 and not yet woken anybody: from now on the
                       re-check may be needed */

#define WHEN(condition, step)                                                                                          \
    if                                                                                                                 \
    ::condition -> step                                                                                                \
    ::else                                                                                                             \
    fi
/* One access to shared memory or one system call, with what the process decides upon it; or death before it. */
#define DO(step)                                                                                                       \
    if                                                                                                                 \
    ::atomic { true; step }                                                                                            \
    ::atomic { MAY_DIE && (LOSSES || !told[me]) -> goto die }                                                          \
    fi

/* The wake word of m changes. */
inline change(m)
{
    d_step {
        k = 0;
        do
        :: k == NP -> break
        :: else -> WHEN(want[k] == m && seen[k] == CURRENT, seen[k] = OLD); k++
        od;
        k = 0
    }
}

inline wake_mutex(m)
{
    d_step {
#ifdef BROKEN_WAKE_ONE
        /* only one of them: the others look at the life of an owner who is none any more */
        k = 0;
        do
        :: k == NP -> break
        :: k < NP && want[k] == m && on_mutex[k] -> on_mutex[k] = 0; woken[k] = 1; break
        :: else -> k++
        od;
        k = NP;
#else
        k = 0;
#endif
        do
        :: k == NP -> break
        :: else -> WHEN(want[k] == m && on_mutex[k], on_mutex[k] = 0; woken[k] = 1); k++
        od;
        k = 0
    }
}

inline wake_life(l)
{
    d_step {
        k = 0;
        do
        :: k == NP -> break
        :: else -> WHEN(on_life[k] == l, on_life[k] = 0; woken[k] = 1); k++
        od;
        k = 0;
        told[me] = 0
    }
}

inline unqueue()
{
    on_mutex[me] = 0;
    on_life[me] = 0;
    woken[me] = 0
}

#define FORGET(then) atomic { s = 0; second = 0; last = 0; seen[me] = NONE; told[me] = 0; then }

/* Nobody who lives is robbed. */
inline own(m)
{
    assert(owns[m] == 0 || ended[owns[m]]);
    owns[m] = LIFE(me, lives)
}

proctype process(byte me)
{
    byte lives, calls;
    byte s; /* the owner that it saw */
    byte k; /* for one step only */
    bit second;  /* has announced itself */
    bit last;    /* the time is up: one more try */
    bit releases;

    if
    :: me == 0 -> atomic { want[0] = 0; goto release }
    :: else
    fi;

next:
    atomic {
        releases = 0;
        if
        :: calls == CALLS_OF(me) -> goto gone
        :: calls < CALLS_OF(me) && WANTS(me, 0) -> want[me] = 0
        :: calls < CALLS_OF(me) && WANTS(me, 1) -> want[me] = MUTEXES - 1
        fi;
        calls++
    };

    /* ---- look; a free one is taken, which is one step, as in wake.pml ---- */
look:
    DO(s = state[want[me]];
       WHEN(s == 0, state[want[me]] = LIFE(me, lives); own(want[me]); goto owner);
#ifdef BROKEN_IDS
       WHEN(s == LIFE(me, lives), own(want[me]); s = 0; goto owner); /* once more, it thinks */
#else
       assert(s != LIFE(me, lives))
#endif
    );
    DO(WHEN(ended[s], goto abandoned)); /* or the value of the word to sleep with */
    DO(WHEN(state[want[me]] != s, goto look);
       if
       :: last -> goto leave
       :: !last && second -> goto sleep
       :: else
       fi);

    /* ---- announce ---- */
announce:
    DO(WHEN(!some[want[me]], change(want[me]); some[want[me]] = 1); seen[me] = CURRENT; second = 1; s = 0; goto look);

    /* ---- sleep on the mutex's wake word and the owner's life word ---- */
sleep:
    DO(if
       :: seen[me] == CURRENT -> on_mutex[me] = 1
       :: else -> goto over
       fi);
    DO(if
       :: !ended[s] -> on_life[me] = (woken[me] -> 0 : s)
       :: else -> goto over
       fi);
    /* What ends the sleep, if nobody wakes him, is settled beforehand, so that who sleeps for ever is stuck. */
    if
    :: true -> atomic { woken[me] || lost -> goto over } /* lost: the re-check */
#if TIMEOUTS
    :: atomic { true -> last = 1; goto over }
#endif
    :: atomic { MAY_DIE && (LOSSES || !told[me]) -> goto die }
    fi;
over:
#if PASS
    /* whether its life has ended, and the call that wakes: one step, since what has ended stays so */
    DO(unqueue(); seen[me] = NONE; WHEN(ended[s], wake_life(s)); told[me] = 0; s = 0; goto announce);
#else
    atomic { unqueue(); seen[me] = NONE; s = 0; goto announce };
#endif

    /* ---- the owner has ended: take it, tell all ---- */
abandoned:
    DO(if
       :: state[want[me]] == s -> state[want[me]] = LIFE(me, lives); own(want[me])
       :: else -> s = 0; goto look
       fi);
#if SPREAD
    DO(wake_life(s));
#endif
    s = 0;
#if RENEW
    goto wake;
#endif

owner:
    FORGET(releases = 1; goto release);

    /* ---- release, with object_wake() ---- */
release:
    DO(assert(owns[want[me]] == LIFE(me, lives) && state[want[me]] == LIFE(me, lives));
       releases = 1;
       owns[want[me]] = 0;
       state[want[me]] = 0);
wake:
    DO(if
       :: some[want[me]] -> seen[me] = CURRENT
       :: else -> goto woke
       fi);
    DO(WHEN(seen[me] == CURRENT, change(want[me]); some[want[me]] = 0); seen[me] = NONE);
    if
    :: atomic { true; wake_mutex(want[me]) }
    :: atomic { MAY_DIE && LOSSES -> lost = 1; goto die } /* bit 0 is cleared, and nobody woken */
    fi;
woke:
    atomic {
        seen[me] = NONE;
        if
        :: !releases -> goto owner /* it has only begun to own it */
        :: releases && me == 0 && calls == 0 && MUTEXES == 2 && want[0] == 0 && owns[MUTEXES - 1] == LIFE(0, lives) ->
            want[0] = MUTEXES - 1;
            goto release
        :: else -> releases = 0; goto next
        fi
    };

leave:
    FORGET(goto next);

    /* ---- killed: out of all queues; the kernel marks the life; and wakes one ---- */
die:
    atomic {
        WHEN(told[me], lost = 1);
        told[me] = 0;
        unqueue();
        seen[me] = NONE;
        s = 0;
        second = 0;
        last = 0;
        releases = 0
    };
    ended[LIFE(me, lives)] = 1;
    atomic {
        s = LIFE(me, lives);
        if
        :: on_life[0] == s -> on_life[0] = 0; woken[0] = 1; told[0] = 1
        :: on_life[1] == s -> on_life[1] = 0; woken[1] = 1; told[1] = 1
        :: NP > 2 && on_life[NP - 2] == s -> on_life[NP - 2] = 0; woken[NP - 2] = 1; told[NP - 2] = 1
        :: on_life[NP - 1] == s -> on_life[NP - 1] = 0; woken[NP - 1] = 1; told[NP - 1] = 1
        :: else
        fi;
        s = 0;
        lives++;
#ifdef BROKEN_IDS
        ended[LIFE(me, lives)] = 0;
#endif
        goto next
    };

gone:
    skip
}

init
{
    atomic {
        byte p;
        state[0] = LIFE(0, 0);
        owns[0] = LIFE(0, 0);
        state[MUTEXES - 1] = LIFE(0, 0);
        owns[MUTEXES - 1] = LIFE(0, 0);
        do
        :: p < NP -> run process(p); p++
        :: else -> break
        od;
        p = 0
    }
}
