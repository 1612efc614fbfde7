/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * How one name lives and dies on POSIX (docs/posix-registry.md): publish, join, reap, remove, close, sweep.
 *
 * NP processes create, open, hold, close and sweep for ever. Each may be killed before any system call (and another
 * one takes its place), or stop there for ever (it is then not scheduled again). An observer looks at every state as
 * somebody does who comes when all others have stopped. README.md says what is modelled and what is not; ./check runs
 * it, and the broken variants, which must fail.
 */

#ifndef NP
#define NP 3
#endif
#ifndef CALLS
#define CALLS 0 /* creates and opens that a process makes, and how often it is replaced; 0: no end to either */
#endif
#ifndef TRIES
#define TRIES 0 /* only with CALLS: lost races in one call; more is a call that somebody can hold up */
#endif
#ifndef G
#define G 4 /* inodes 1 to G-1; 0 is none. Who would need one more makes nothing. */
#endif
#ifndef OBSERVE
#define OBSERVE 1
#endif
#ifndef SWEEP
#define SWEEP 1 /* privates: 1 all processes sweep them; 2 one more process does, and only those of process 0;
                   0 nobody. A private that nobody sweeps is seen by nobody: it is made and discarded in one step. */
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef W
#define W 0 /* 1: the life word is in a file of its own, w */
#endif
#ifndef FORK
#define FORK 0 /* 1: holders fork */
#endif
#ifndef FOREIGN
#define FOREIGN 99 /* the process of another user: it may look, lock and swap, but neither make nor remove */
#endif

#if SWEEP == 2
#define PROCESSES (NP + 1)
#define SWEEPS(p) (p == NP)
#define STEPWISE (me == 0)
#else
#define PROCESSES NP
#define SWEEPS(p) (SWEEP)
#define STEPWISE (SWEEP)
#endif
#define CALLS_TOO(p) (p < NP)

/* The file system. A directory and the r in it are made by one process and have one number. */
#define NOWHERE 0
#define PRIVATE 1   /* p.<random> */
#define PUBLISHED 2 /* n.<name> */
#define DOOMED 3    /* d.<random> */
byte name;          /* the directory that n.<name> is; 0: there is none */
byte place[G];      /* what a directory is called */
bit has_r[G];
bit has_w[G];
#define EMPTY(x) (!has_r[x] && !has_w[x])

/* The kernel, and the shared memory. */
byte locks[G]; /* open file descriptions with a shared lock on byte 0 of r */
bit probed[G]; /* somebody has an exclusive lock for an instant: only BROKEN_PROBE */
bit alive[G];  /* the life word is not 0 */

/* What each process has open or remembers. An inode that is here is not used again. */
byte seg[PROCESSES];
byte dir[PROCESSES];
byte v[PROCESSES]; /* the life word that it read of seg: its value does not matter, only what a swap would find */
#define NONE 0    /* has not read, or it was 0 */
#define CURRENT 1 /* it is still that, unless it is 0 */
#define OLD 2     /* somebody has joined since */
byte desc[PROCESSES]; /* only with FORK: which description its lock is on */
bit holds[PROCESSES]; /* a create or open has returned a handle that is not closed */

/* What only the proof knows. */
byte held[G];   /* such handles */
byte coming[G]; /* living joiners who were told that somebody holds, and are not through */
bit ended[G];   /* it was published, and since then there was an instant without any of those */

#define WHEN(condition, step)                                                                                          \
    if                                                                                                                 \
    ::condition -> step                                                                                                \
    ::else                                                                                                             \
    fi

/* One system call or one access to shared memory, with what the process decides upon it; or death before it. (It
   begins with "true" so that an "else" in the step is not taken for one between the step and death.) */
#if DEATHS
#define DO(step)                                                                                                       \
    if                                                                                                                 \
    ::atomic { true; step }                                                                                                \
    ::atomic { true; die(); goto next }                                                                                \
    fi
#else
#define DO(step) atomic { true; step }
#endif

#define INTACT(x) (name == x && place[x] == PUBLISHED && has_r[x] && alive[x])

/* An object that nobody holds any more never comes back. */
inline note_end(x)
{
    WHEN(place[x] >= PUBLISHED && held[x] == 0 && coming[x] == 0, ended[x] = 1)
}

inline unlock()
{
    locks[seg[me]]--;
#if FORK
    i = 0;
    do
    :: i == PROCESSES -> break
    :: i < PROCESSES && i != me && desc[i] == desc[me] -> locks[seg[me]]++; break /* the other half of a fork has it, too */
    :: else -> i++
    od;
    i = 0;
    desc[me] = 0;
#endif
    locked = 0
}

inline lock()
{
    locked = 1;
    locks[seg[me]]++;
#if FORK
    desc[me] = 1;
    i = 0;
    do
    :: i == PROCESSES -> break
    :: i < PROCESSES && i != me && desc[i] == desc[me] -> desc[me]++; i = 0
    :: else -> i++
    od;
    i = 0;
#endif
}

/* The kernel closes what the process had, all at once. */
inline die()
{
    d_step {
        WHEN(holds[me], held[seg[me]]--; holds[me] = 0);
        WHEN(on_way, coming[seg[me]]--; on_way = 0);
        WHEN(probing, probed[seg[me]] = 0; probing = 0);
        WHEN(elsewhere, locks[dir[me]]--; elsewhere = 0);
        WHEN(seg[me] != 0, note_end(seg[me]));
        WHEN(locked, unlock());
        WHEN(!STEPWISE && place[seg[me]] == PRIVATE,
             has_w[seg[me]] = 0; has_r[seg[me]] = 0; place[seg[me]] = NOWHERE)
    };
    forget()
}

/* What nothing and nobody stands for any more looks like new: fewer states. */
inline forget()
{
    d_step {
        seg[me] = 0;
        dir[me] = 0;
        v[me] = NONE;
        i = 1;
        j = 0;
        do
        :: i == G -> break
        :: i < G && (j == PROCESSES || alive[i] + ended[i] == 0) -> alive[i] = 0; ended[i] = 0; i++; j = 0
        :: i < G && j < PROCESSES && alive[i] + ended[i] != 0 ->
            if
            :: place[i] != NOWHERE || locks[i] != 0 || seg[j] == i || dir[j] == i -> i++; j = 0
            :: else -> j++
            fi
        od;
        i = 0;
        j = 0
    }
}

/* mkdir p.<random>: the lowest number that nothing and nobody stands for; or none, seg is 0. */
inline make_directory()
{
    d_step {
        i = 1;
        j = 0;
        do
        :: i == G || j == PROCESSES -> break
        :: i < G && j < PROCESSES ->
            if
            :: place[i] != NOWHERE || locks[i] != 0 || seg[j] == i || dir[j] == i -> i++; j = 0
            :: else -> j++
            fi
        od;
        j = 0;
        if
        :: i == G
        :: else -> seg[me] = i; place[i] = PRIVATE; alive[i] = 0; ended[i] = 0
        fi;
        i = 0
    }
}

/* The handle is about to be returned: no other object of this name is held. */
inline confirm()
{
    d_step {
        holds[me] = 1;
        held[seg[me]]++;
        assert(!ended[seg[me]]);
        i = 1;
        do
        :: i == G -> break
        :: else -> assert(i == seg[me] || held[i] == 0); i++
        od;
        i = 0;
#if CALLS
        tries = 0
#endif
    }
}

/* The life word from v to v+1: every other swap that was about to be made of it will fail. */
#ifdef BROKEN_NO_SWAP
#define SWAP skip
#else
#define SWAP                                                                                                           \
    i = 0;                                                                                                             \
    do                                                                                                                 \
    ::i == PROCESSES -> break                                                                                                 \
    ::else -> WHEN(seg[i] == seg[me] && v[i] == CURRENT, v[i] = OLD);                                                  \
    i++                                                                                                                \
    od;                                                                                                                \
    i = 0
#endif

/* Nobody holds an object of this name. A create makes one; an open or a sweep is done. Without an end to the calls,
   what comes next covers both. */
#if CALLS
#define ABSENT                                                                                                         \
    forget();                                                                                                          \
    if                                                                                                                 \
    ::goto next                                                                                                        \
    ::me != FOREIGN -> goto make                                                                                       \
    fi
#else
#define ABSENT                                                                                                         \
    forget();                                                                                                          \
    goto next
#endif

/* Start over, because somebody else got further. */
#if CALLS
#define AGAIN                                                                                                          \
    forget();                                                                                                          \
    tries++;                                                                                                           \
    assert(tries <= TRIES);                                                                                            \
    goto look
#else
#define AGAIN                                                                                                          \
    forget();                                                                                                          \
    goto next
#endif

#define REMOVED                                                                                                        \
    if                                                                                                                 \
    ::closing -> forget(); goto next                                                                                   \
    ::else -> AGAIN                                                                                                    \
    fi

proctype process(byte me)
{
    byte i, j;
    bit locked, on_way, probing;
    bit elsewhere; /* only BROKEN_OTHER_FILE: its lock is on dir */
    bit closing; /* only with CALLS: what follows a removal */
    byte calls, tries;

    /* ---- what to do next ---- */
next:
    atomic {
#if CALLS
        tries = 0;
        closing = 0;
        if
        :: calls == CALLS -> goto done
        :: else -> calls++
        fi;
#endif
        if
#if CALLS
        :: CALLS_TOO(me) -> goto look
#else
        :: CALLS_TOO(me) && name != 0 -> dir[me] = name; goto look_r
        :: CALLS_TOO(me) && me != FOREIGN ->
            make_directory();
            if
            :: seg[me] == 0 -> goto next
#if SWEEP
            :: seg[me] != 0 && STEPWISE -> goto make_r
#endif
            :: else -> goto make_name
            fi
#endif
#if SWEEP
        :: SWEEPS(me) && me != FOREIGN ->
            i = 1;
            do
            :: i == G - 1 -> break
            :: i < G - 1 -> i++
            :: break
            od;
            if
            :: place[i] == PRIVATE || place[i] == DOOMED -> dir[me] = i; i = 0; goto sweep
            :: else -> i = 0; calls = calls - (CALLS != 0); goto next
            fi
#endif
#if FORK
        :: i = 0;
            do
            :: i == PROCESSES -> i = 0; goto next
            :: i < PROCESSES && holds[i] -> break
            :: i < PROCESSES -> i++
            od;
            seg[me] = seg[i];
            desc[me] = desc[i];
            i = 0;
            locked = 1;
            holds[me] = 1;
            held[seg[me]]++;
            goto hold
#endif
        fi
    }

    /* ---- look: open the name's r, map it, read the life word ---- */
#if CALLS
look:
    DO(dir[me] = name; if :: name == 0 -> ABSENT :: else fi);
#endif
look_r:
    DO(if
       :: has_r[dir[me]] -> seg[me] = dir[me]; dir[me] = 0
       :: !has_r[dir[me]] -> ABSENT
       :: !has_r[dir[me]] && me != FOREIGN -> forget(); goto remove_directory /* a sweep */
       fi);
look_word:
#if W
    /* w is unlinked only once the word in it is 0 */
    DO(if :: has_w[seg[me]] && alive[seg[me]] -> v[me] = CURRENT :: else -> goto remove fi);
#else
    DO(if :: alive[seg[me]] -> v[me] = CURRENT :: else -> goto remove fi);
#endif

    /* ---- ask ---- */
#ifdef BROKEN_PROBE
    /* by taking the lock exclusively */
    DO(if
       :: locks[seg[me]] == 0 && !probed[seg[me]] -> probed[seg[me]] = 1; probing = 1
       :: else -> coming[seg[me]]++; on_way = 1; goto join
       fi);
    DO(probed[seg[me]] = 0; probing = 0; goto reap);
#elif defined(BROKEN_ASK_FIRST)
    DO(coming[seg[me]]++; on_way = 1);
#else
    DO(if
       :: locks[seg[me]] == 0 -> goto reap
       :: locks[seg[me]] == 0 -> goto look_word              /* to ask again is as good */
       :: locks[seg[me]] != 0 -> forget(); goto next         /* a sweep, or a refusal */
       :: locks[seg[me]] != 0 -> coming[seg[me]]++; on_way = 1
       fi);
#endif

    /* ---- join ---- */
join:
#ifdef BROKEN_OTHER_FILE
    /* open r again by its path, and lock it, without seeing that it is the same */
    DO(v[me] = NONE; if :: name != 0 && has_r[name] -> dir[me] = name :: else -> goto join_fails fi);
    DO(if :: dir[me] == seg[me] -> dir[me] = 0; lock() :: else -> locks[dir[me]]++; elsewhere = 1 fi);
    WHEN(elsewhere, DO(locks[dir[me]]--; elsewhere = 0; goto join_fails)); /* the life word of seg is 0 */
#else
    DO(v[me] = NONE; if :: has_r[seg[me]] :: else -> goto join_fails fi); /* open r again, as the hold */
    DO(if :: !probed[seg[me]] -> lock() :: else -> goto join_fails fi);
#endif
    /* read the word, swap, until one swap succeeds or the word is 0: as good as one step */
    DO(if
       :: alive[seg[me]] ->
           SWAP;
           WHEN(on_way, coming[seg[me]]--; on_way = 0);
           confirm();
           goto hold
       :: else
       fi);
join_fails:
    DO(WHEN(on_way, coming[seg[me]]--; on_way = 0); WHEN(locked, note_end(seg[me]); unlock()); AGAIN);

    /* ---- publish ---- */
#if CALLS
make:
    DO(make_directory(); if :: seg[me] == 0 -> goto next :: else -> WHEN(!STEPWISE, goto make_name) fi);
#endif
#if SWEEP
make_r:
    DO(if :: place[seg[me]] != NOWHERE -> has_r[seg[me]] = 1 :: else -> AGAIN fi);
    DO(lock());
#if W
    DO(if :: place[seg[me]] != NOWHERE -> has_w[seg[me]] = 1 :: else -> goto discard fi);
#endif
#endif
make_name:
    DO(WHEN(!STEPWISE, has_w[seg[me]] = W; has_r[seg[me]] = 1; lock());
       if
       :: place[seg[me]] == PRIVATE && (name == 0 || EMPTY(name)) ->
           WHEN(name != 0, place[name] = NOWHERE);
           alive[seg[me]] = 1;
           name = seg[me];
           place[name] = PUBLISHED;
           confirm();
           goto hold
       :: else /* the name is taken, or a sweep took the private: discard it */
       fi);
discard:
#if SWEEP
#if W
    DO(WHEN(STEPWISE, has_w[seg[me]] = 0));
#endif
    DO(WHEN(STEPWISE, has_r[seg[me]] = 0));
    DO(WHEN(STEPWISE && place[seg[me]] == PRIVATE && EMPTY(seg[me]), place[seg[me]] = NOWHERE));
#endif
    DO(WHEN(!STEPWISE, has_w[seg[me]] = 0; has_r[seg[me]] = 0; place[seg[me]] = NOWHERE); unlock(); AGAIN);

    /* ---- hold, close ---- */
hold:
#ifdef BROKEN_CLOSE_LAST
    /* ask before letting go */
    DO(if :: locks[seg[me]] == 1 -> v[me] = CURRENT :: else fi);
    DO(assert(INTACT(seg[me])); holds[me] = 0; held[seg[me]]--; note_end(seg[me]); unlock();
       if :: v[me] == NONE -> forget(); goto next :: else -> closing = (CALLS != 0); goto reap fi);
#else
    DO(assert(INTACT(seg[me])); holds[me] = 0; held[seg[me]]--; note_end(seg[me]); unlock(); closing = (CALLS != 0));
#ifdef BROKEN_READ_LATE
    /* the version after the question */
    DO(if :: locks[seg[me]] != 0 -> forget(); goto next :: else fi);
    DO(if :: alive[seg[me]] -> v[me] = CURRENT :: else -> forget(); goto next fi);
#else
    DO(if :: alive[seg[me]] -> v[me] = CURRENT :: else -> forget(); goto next fi);
    DO(if :: locks[seg[me]] != 0 -> forget(); goto next :: else fi);
#endif
#endif

    /* ---- reap: nobody holds, and the version was v before that was asked ---- */
reap:
    DO(if
       :: me == FOREIGN -> forget(); goto next /* not its own */
       :: me != FOREIGN && alive[seg[me]] && v[me] == CURRENT -> alive[seg[me]] = 0; v[me] = NONE
       :: else -> if :: closing -> forget(); goto next :: else -> AGAIN fi
       fi);

    /* ---- remove seg, whose word is 0 ---- */
remove:
#ifdef BROKEN_LATE_UNLINK
    DO(WHEN(name != 0, has_w[name] = 0; has_r[name] = 0)); /* by its path */
#else
    DO(if
       :: me == FOREIGN -> forget(); goto next
       :: me != FOREIGN && name != 0 -> dir[me] = name
       :: me != FOREIGN && name == 0 -> REMOVED
       fi);
    DO(if
       :: has_r[dir[me]] && dir[me] != seg[me] -> REMOVED /* it belongs to a newer object */
       :: else -> seg[me] = 0
       fi);
#if W && !defined(BROKEN_W_LAST)
    DO(has_w[dir[me]] = 0);
#endif
    DO(has_r[dir[me]] = 0);
#if W && defined(BROKEN_W_LAST)
    DO(has_w[dir[me]] = 0);
#endif
#endif
remove_directory:
    DO(WHEN(name != 0 && EMPTY(name), place[name] = NOWHERE; name = 0); REMOVED);

    /* ---- sweep: dir is a p. or d. ---- */
sweep:
    DO(if
       :: place[dir[me]] == DOOMED -> goto sweep_doomed
       :: place[dir[me]] == PRIVATE && has_r[dir[me]] -> seg[me] = dir[me] /* open */
       :: place[dir[me]] == PRIVATE && !has_r[dir[me]]
       :: else -> forget(); goto next
       fi);
    DO(if :: seg[me] != 0 && locks[seg[me]] != 0 -> forget(); goto next :: else -> seg[me] = 0 fi);
#ifndef BROKEN_SWEEP
    DO(if :: place[dir[me]] == PRIVATE -> place[dir[me]] = DOOMED :: else -> forget(); goto next fi);
#endif
sweep_doomed:
#if W
    DO(has_w[dir[me]] = 0);
#endif
    DO(has_r[dir[me]] = 0);
    DO(WHEN((place[dir[me]] == DOOMED || place[dir[me]] == PRIVATE) && EMPTY(dir[me]), place[dir[me]] = NOWHERE);
       forget(); goto next);

done:
    skip
}

/* Nobody else moves any more. What is held is intact; a sweep leaves only what is locked; a create succeeds. All that
   it does it does alone and in one go, so a plain computation stands for it, and then everything is put back. */
hidden byte x, tried, was_name, was_place[G], was_alive[G];
hidden byte was_r[G], was_w[G];

inline lone_remove()
{
    has_w[name] = 0;
    has_r[name] = 0;
    place[name] = NOWHERE;
    name = 0
}

proctype observer()
{
end:
    do
    :: d_step {
        was_name = name;
        x = 1;
        do
        :: x == G -> break
        :: else ->
            assert(held[x] == 0 || INTACT(x));
            was_place[x] = place[x];
            was_r[x] = has_r[x];
            was_w[x] = has_w[x];
            was_alive[x] = alive[x];
            x++
        od;

#if !DEATHS
        /* nobody was killed, nobody is in a call, nobody holds: nothing is left */
        tried = (name != 0);
        x = 0;
        do
        :: x == PROCESSES -> break
        :: else -> WHEN(seg[x] + dir[x] != 0, tried = 0); x++
        od;
        assert(!tried);
#endif

        /* a sweep */
        if
        :: name != 0 && !has_r[name] -> WHEN(EMPTY(name), place[name] = NOWHERE; name = 0)
        :: name != 0 && has_r[name] ->
            x = name;
#if W
            WHEN(!has_w[name] || !alive[name] || locks[name] == 0, alive[name] = 0; lone_remove());
#else
            WHEN(!alive[name] || locks[name] == 0, alive[name] = 0; lone_remove());
#endif
        :: else
        fi;
        x = 1;
        do
        :: x == G -> break
        :: else ->
            WHEN(place[x] == PRIVATE && (!has_r[x] || locks[x] == 0), place[x] = DOOMED);
            WHEN(place[x] == DOOMED, has_w[x] = 0; has_r[x] = 0; place[x] = NOWHERE);
            assert(place[x] == NOWHERE || locks[x] != 0);
            x++
        od;
        assert(name == 0 || (held[name] + coming[name] != 0 && alive[name] && !ended[name]));

        /* what a create meets that comes without a sweep: it joins, or finds the way free */
        name = was_name;
        x = 1;
        do
        :: x == G -> break
        :: else ->
            place[x] = was_place[x];
            has_r[x] = was_r[x];
            has_w[x] = was_w[x];
            alive[x] = was_alive[x];
            x++
        od;
        tried = 0;
        do
        :: name == 0 || EMPTY(name) -> break /* the rename succeeds */
        :: name != 0 && has_r[name] ->
#if W
            if
            :: has_w[name] && alive[name] && locks[name] != 0 -> assert(!ended[name]); break
            :: else -> alive[name] = 0; lone_remove()
            fi
#else
            if
            :: alive[name] && locks[name] != 0 -> assert(!ended[name]); break
            :: else -> alive[name] = 0; lone_remove()
            fi
#endif
        :: else -> tried++; assert(tried < 3) /* the name cannot be taken */
        od;

        name = was_name;
        x = 1;
        do
        :: x == G -> break
        :: else ->
            place[x] = was_place[x];
            has_r[x] = was_r[x];
            has_w[x] = was_w[x];
            alive[x] = was_alive[x];
            x++
        od
    }
    od
}

init
{
    atomic {
        byte p;
        do
        :: p < PROCESSES -> run process(p); p++
        :: else -> break
        od;
        p = 0;
#if OBSERVE
        run observer()
#endif
    }
}
