/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * How a wait sleeps and is woken on POSIX: a state word and a wake word for each object, futexes, no lost wake-up.
 *
 * WAITERS processes wait for ever for one object or for any or all of two, and may time out; SIGNALLERS set or release
 * what they like, for ever; or lockers do both to one mutex. With DEATHS anybody may be killed before any step, and
 * another takes its place. Who stops for ever is not scheduled again. README.md says what is modelled and what is not;
 * ./check runs it, and the broken variants, which must fail.
 */

#define EVENT 0     /* automatic: taken by one, two sets count as one */
#define SEMAPHORE 1 /* released by 1 or 2, at most 2 */
#define MANUAL 2    /* set and reset; not taken */
#define MUTEX 3     /* value 1 is free; whoever takes it releases it */
#ifndef KIND
#define KIND EVENT
#endif
#ifndef OBJECTS
#define OBJECTS 1
#endif
#ifndef WAITERS
#define WAITERS 3
#endif
#ifndef SIGNALLERS
#define SIGNALLERS 2
#endif
#ifndef ANY
#define ANY 1 /* with two objects: so many waiters wait for any of the two, the next for object 1, the next for 0 */
#endif
#ifndef ALL
#define ALL 0 /* 1: the first of them wait for all of the two */
#endif
#define WAITS_FOR_ALL(p) (ALL && (p) < ANY)
#ifndef DEATHS
#define DEATHS 0
#endif
#ifndef PRESET
#define PRESET 0 /* bit 0 is always set: the waiters may not write */
#endif

#if KIND == MUTEX
#define PROCESSES WAITERS /* the lockers */
#define SIGNAL_OF(p) (p)
#define SENDERS WAITERS
#else
#define PROCESSES (WAITERS + SIGNALLERS)
#define SIGNAL_OF(p) ((p) - WAITERS)
#define SENDERS SIGNALLERS
#endif
#if OBJECTS == 1
#define IN_SET(p, o) ((p) < WAITERS)
#else
#define IN_SET(p, o) ((p) < WAITERS && ((p) < ANY || ((p) - ANY) % 2 != (o)))
#endif
#define FIRST(p) (IN_SET(p, 0) -> 0 : 1)
#define NEXT(p, o) (OBJECTS == 2 && (o) == 0 && IN_SET(p, 1) -> 1 : OBJECTS)
#define AT(p, o) ((p) * OBJECTS + (o))
#define DUE(p, s) ((p) * SENDERS + (s))

/* Shared memory. Of the wake word there is bit 0; of the rest it only matters whether it is still what somebody has
   read, which seen says: the word never comes back to a value that it had, for each time that bit 0 is cleared the
   rest goes up. (That 31 bits do not come round while somebody is between his reading and his sleep is assumed.) */
byte value[OBJECTS];
bit some[OBJECTS]; /* bit 0: somebody may sleep */
byte seen[PROCESSES * OBJECTS];
#define NONE 0
#define CURRENT 1
#define OLD 2

/* The kernel. */
bit queued[WAITERS * OBJECTS];
bit woken[WAITERS];

/* What only the proof knows. */
bit calling[WAITERS];
bit asleep[WAITERS];             /* the call to sleep has found all words unchanged, and nobody has woken him */
bit due[WAITERS * SENDERS];      /* he was in his call when this signaller, not through, changed a word of his */
bit owed[WAITERS];               /* that signaller was killed */
bit fresh[WAITERS];              /* MANUAL: a set has come since his call began: the count of sets is not what it was */
bit low[WAITERS];                /* object 0 has been signalled ever since his call began */

#define WHEN(condition, step)                                                                                          \
    if                                                                                                                 \
    ::condition -> step                                                                                                \
    ::else                                                                                                             \
    fi
/* One access to shared memory or one system call, with what the process decides upon it; or death before it. */
#if DEATHS
#define DO(step)                                                                                                       \
    if                                                                                                                 \
    ::atomic { true; step }                                                                                            \
    ::atomic { true; goto die }                                                                                        \
    fi
#else
#define DO(step) atomic { true; step }
#endif

#if KIND == MANUAL
#define SIGNALLED(p, o) (value[o] || fresh[p]) /* the bit, or the count is not the one he began with */
#ifdef BROKEN_NO_COUNT
#define RELEASES(p, o) (value[o])
#else
#define RELEASES(p, o) SIGNALLED(p, o)
#endif
#else
#define SIGNALLED(p, o) (value[o] != 0)
#define RELEASES(p, o) SIGNALLED(p, o)
#endif

/* Nobody sleeps beside a signalled object, but those whom a signaller is about to wake, or was when he was killed. */
#define CHECK(p)                                                                                                       \
    WHEN(asleep[p],                                                                                                    \
         j = owed[p];                                                                                                  \
         k = 0;                                                                                                        \
         do                                                                                                            \
         ::k == SENDERS -> break                                                                                       \
         ::else -> j = j || due[DUE(p, k)];                                                                            \
         k++                                                                                                           \
         od;                                                                                                           \
         k = 0;                                                                                                        \
         assert(j || !(IN_SET(p, 0) && SIGNALLED(p, 0)) ||                                                             \
                (WAITS_FOR_ALL(p) && !SIGNALLED(p, OBJECTS - 1)));                                                     \
         assert(j || !(IN_SET(p, OBJECTS - 1) && SIGNALLED(p, OBJECTS - 1)) ||                                         \
                (WAITS_FOR_ALL(p) && !SIGNALLED(p, 0)));                                                               \
         j = 0)

/* The wake word of o changes. */
inline change(o)
{
    d_step {
        k = 0;
        do
        :: k == PROCESSES -> break
        :: else -> WHEN(seen[AT(k, o)] == CURRENT, seen[AT(k, o)] = OLD); k++
        od;
        k = 0
    }
}

/* The signaller has changed a word of o that others look at: until he is through, they may have to thank him. */
inline promise(o)
{
    d_step {
        k = 0;
        do
        :: k == WAITERS -> break
        :: else -> WHEN(calling[k] && IN_SET(k, o), due[DUE(k, SIGNAL_OF(me))] = 1); k++
        od;
        k = 0
    }
}

inline through()
{
    d_step {
        i = 0;
        do
        :: i == WAITERS -> break
        :: else -> due[DUE(i, SIGNAL_OF(me))] = 0; CHECK(i); i++
        od;
        i = 0
    }
}

inline unqueue(p)
{
    queued[AT(p, 0)] = 0;
#if OBJECTS == 2
    queued[AT(p, 1)] = 0;
#endif
    woken[p] = 0;
    asleep[p] = 0
}

inline forgive()
{
    d_step {
        owed[me] = 0;
        k = 0;
        do
        :: k == SENDERS -> break
        :: else -> due[DUE(me, k)] = 0; k++
        od;
        k = 0
    }
}

/* Reading the state and the compare-and-swap that takes it are one step: what is lost when the swap fails is only the
   reading. */
inline take(o)
{
    d_step {
        WHEN(OBJECTS == 2 && o == 1, assert(!low[me])); /* a lower one was there throughout: W2 */
#if KIND != MANUAL
        value[o]--;
#endif
        WHEN(OBJECTS == 2 && o == 0 && value[0] == 0,
             k = 0;
             do
             :: k == WAITERS -> break
             :: else -> low[k] = 0; k++
             od;
             k = 0)
    }
}

/* The steps after the state word has been changed. */
#ifdef BROKEN_ONE
#define FUTEX_WAKE(o)                                                                                                  \
    if                                                                                                                 \
    ::queued[AT(0, o)] -> unqueue(0); woken[0] = 1                                                                     \
    ::queued[AT(1, o)] -> unqueue(1); woken[1] = 1                                                                     \
    ::WAITERS > 2 && queued[AT(WAITERS - 1, o)] -> unqueue(WAITERS - 1); woken[WAITERS - 1] = 1                        \
    ::else                                                                                                             \
    fi
#else
#define FUTEX_WAKE(o)                                                                                                  \
    d_step                                                                                                             \
    {                                                                                                                  \
        k = 0;                                                                                                         \
        do                                                                                                             \
        ::k == WAITERS -> break                                                                                        \
        ::else -> WHEN(queued[AT(k, o)], unqueue(k); woken[k] = 1);                                                    \
        k++                                                                                                            \
        od;                                                                                                            \
        k = 0                                                                                                          \
    }
#endif

/* The call is over, with what it waited for or without. Who has taken a mutex goes on to release it. (A last try that
   takes it is as good as an earlier one.) */
#if KIND == MUTEX
#define RETURN(taken)                                                                                                  \
    leave();                                                                                                           \
    if                                                                                                                 \
    ::taken -> goto signal                                                                                             \
    ::else -> goto wait                                                                                                \
    fi
#else
#define RETURN(taken)                                                                                                  \
    leave();                                                                                                           \
    goto wait
#endif
inline leave()
{
    d_step {
#ifdef BROKEN_CLEAR
        /* who leaves clears bit 0 */
        some[0] = 0;
        k = 0;
        do
        :: k == PROCESSES -> break
        :: else -> WHEN(seen[AT(k, 0)] == CURRENT, seen[AT(k, 0)] = OLD); k++
        od;
        k = 0;
#endif
        seen[AT(me, 0)] = NONE;
        seen[AT(me, OBJECTS - 1)] = NONE;
        second = 0;
        last = 0;
        calling[me] = 0;
        fresh[me] = 0;
        low[me] = 0;
#if ALL
        blocking = 0;
#endif
        o = 0
    };
    forgive()
}

proctype process(byte me)
{
    byte o;       /* which object of the set, or the one that is signalled */
    byte i, j, k; /* for one step only */
    bit second;   /* has announced itself: what it tries is not the first time */
    bit last;     /* the time is up: one more try */
#if ALL
    bit blocking; /* what was not signalled */
#endif
#ifdef BROKEN_TEST_FIRST
    bit bits; /* what it read of bit 0 */
#endif

#if KIND != MUTEX
    if
    :: me >= WAITERS -> goto signal
    :: else
    fi;
#endif

    /* ---- wait ---- */
wait:
    DO(calling[me] = 1; fresh[me] = 0; o = FIRST(me); low[me] = (OBJECTS == 2 && o == 0 && value[0] != 0));
try:
#if ALL
    if
    :: WAITS_FOR_ALL(me) -> goto try_all
    :: else
    fi;
#endif
    DO(if
       :: RELEASES(me, o) -> take(o); RETURN(true)
       :: else -> o = NEXT(me, o)
       fi;
       if
       :: o < OBJECTS -> goto try
       :: o == OBJECTS && last -> RETURN(false)
       :: o == OBJECTS && !last -> o = FIRST(me); WHEN(second, goto sleep)
       fi);

    /* ---- announce: set bit 0 of each wake word, and keep what the word then is ---- */
announce:
    DO(WHEN(!some[o], change(o); some[o] = 1);
       seen[AT(me, o)] = CURRENT;
       o = NEXT(me, o);
       if
       :: o < OBJECTS -> goto announce
       :: else -> o = FIRST(me); second = 1
       fi);
#ifdef BROKEN_NO_SECOND_TRY
    WHEN(!last, goto sleep);
#endif
    goto try;

    /* ---- sleep: the call compares each word and queues the process on it, in one step ---- */
sleep:
    DO(if
       :: seen[AT(me, o)] != CURRENT -> unqueue(me); goto over
       :: else -> queued[AT(me, o)] = !woken[me]; o = NEXT(me, o)
       fi;
       if
       :: o < OBJECTS -> goto sleep
       :: else -> asleep[me] = !woken[me]; d_step { CHECK(me) }
       fi);
slept:
    /* woken; or the time is up, at any time; or the re-check, which only those need whose signaller is late or dead */
    if
    :: atomic { woken[me] -> unqueue(me) }
    :: atomic { true -> unqueue(me); last = 1 }
#if DEATHS
    :: atomic { owed[me] -> unqueue(me) }
    :: atomic { due[DUE(me, 0)] -> unqueue(me) }
    :: atomic { due[DUE(me, SENDERS - 1)] -> unqueue(me) }
    :: atomic { true; goto die }
#endif
    fi;
over:
    /* in one step with what follows: nobody else looks at what changes here */
    atomic {
        forgive();
        o = FIRST(me);
#ifdef BROKEN_STAY_ANNOUNCED
        /* without announcing itself again: with the word as it is by now */
        WHEN(IN_SET(me, 0), seen[AT(me, 0)] = CURRENT);
        WHEN(IN_SET(me, OBJECTS - 1), seen[AT(me, OBJECTS - 1)] = CURRENT);
        goto try
#else
        seen[AT(me, 0)] = NONE;
        seen[AT(me, OBJECTS - 1)] = NONE;
        if
#if ALL
        :: WAITS_FOR_ALL(me) -> goto announce_one
#endif
        :: !WAITS_FOR_ALL(me) -> goto announce
        :: second = 0; goto try /* whose word has moved tries before he announces himself again */
        fi
#endif
    };

#if ALL
#ifdef BROKEN_ELSEWHERE
#define SAME true /* sleeps on what it has announced, though it is another that is not signalled */
#else
#define SAME (o == blocking)
#endif
    /* ---- a wait for all looks until it finds one that is not signalled; says so there; sleeps there ---- */
try_all:
    DO(if
       :: RELEASES(me, o) && o == 0 -> o = 1; goto try_all
       :: RELEASES(me, o) && o == 1
       :: !RELEASES(me, o) && last -> RETURN(false)
       :: !RELEASES(me, o) && !last && second && SAME -> o = 0; goto sleep_on_one
       :: else -> seen[AT(me, blocking)] = NONE; blocking = o; o = 0; goto announce_one
       fi);
    /* the attempt, of which claim.pml is the model */
    DO(o = 0;
       if
       :: value[0] && value[1] -> take(0); value[1]--; RETURN(true)
       :: else -> goto try_all
       fi);
announce_one:
    DO(WHEN(!some[blocking], change(blocking); some[blocking] = 1);
       seen[AT(me, blocking)] = CURRENT;
       second = 1;
       o = 0;
       goto try_all);
sleep_on_one:
    DO(WHEN(seen[AT(me, blocking)] != CURRENT, goto over);
       queued[AT(me, blocking)] = 1;
       asleep[me] = 1;
       d_step { CHECK(me) };
       goto slept);
#endif

    /* ---- signal: set, release, or reset ---- */
#if KIND == MUTEX
#define CHANGED value[0] = 1
#define THROUGH                                                                                                        \
    through();                                                                                                         \
    goto wait
#else
#define THROUGH                                                                                                        \
    through();                                                                                                         \
    o = 0;                                                                                                             \
    goto signal
#endif
#if KIND == EVENT
#define CHANGED value[o] = 1
#elif KIND == SEMAPHORE
#define CHANGED                                                                                                        \
    if                                                                                                                 \
    ::value[o] < 2 -> value[o]++                                                                                       \
    ::value[o] == 0 -> value[o] = 2                                                                                    \
    ::value[o] == 2 -> o = 0; goto signal                                                                              \
    fi
#elif KIND == MANUAL
#define CHANGED                                                                                                        \
    if                                                                                                                 \
    ::value[o] -> value[o] = 0; goto signal                                                                            \
    ::true ->                                                                                                          \
        value[o] = 1;                                                                                                  \
        k = 0;                                                                                                         \
        do                                                                                                             \
        ::k == WAITERS -> break                                                                                        \
        ::else -> fresh[k] = calling[k];                                                                               \
        k++                                                                                                            \
        od;                                                                                                            \
        k = 0                                                                                                          \
    fi
#endif
signal:
#ifdef BROKEN_TEST_FIRST
    DO(bits = some[o]);
    DO(CHANGED; promise(o); WHEN(!bits, THROUGH); bits = 0; seen[AT(me, o)] = CURRENT);
#else
    atomic {
        if
        :: true
        :: OBJECTS == 2 -> o = 1
        fi;
        CHANGED;
        promise(o)
    };
    DO(if
       :: !some[o] && !PRESET -> THROUGH
       :: else -> seen[AT(me, o)] = CURRENT
       fi);
#endif
#ifdef BROKEN_NO_COUNTER
    /* the bit is cleared, but the word does not go up: it is again what it was when the next has set the bit */
    DO(some[o] = 0; seen[AT(me, o)] = NONE; promise(o));
#else
    DO(WHEN(seen[AT(me, o)] == CURRENT, change(o); some[o] = 0; promise(o)); seen[AT(me, o)] = NONE);
#endif
    DO(FUTEX_WAKE(o); THROUGH);

    /* ---- killed: the kernel takes it out of its queues; another takes its place ---- */
#if DEATHS
die:
    atomic {
        WHEN(KIND == MUTEX || me >= WAITERS,
             k = 0;
             do
             :: k == WAITERS -> break
             :: else -> WHEN(due[DUE(k, SIGNAL_OF(me))], owed[k] = 1; due[DUE(k, SIGNAL_OF(me))] = 0); k++
             od;
             k = 0);
#if KIND != MUTEX
        WHEN(me >= WAITERS, seen[AT(me, o)] = NONE; o = 0; goto signal);
#endif
        unqueue(me);
        leave();
        goto wait
    }
#endif
}

init
{
    atomic {
        byte p;
        value[0] = (KIND == MUTEX);
        do
        :: p < PROCESSES -> run process(p); p++
        :: else -> break
        od;
        p = 0
    }
}
