/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * How a token holds an object (docs/posix-registry.md, "Tokens"): export, ask, import, close, withdraw, sweep.
 *
 * An exporter made the object. It locks a byte for each ticket, writes the ticket, and closes its handle; it may stay,
 * withdraw at its exit, or be killed. Importers join and unlink the ticket. A visitor opens the object by its name,
 * closes it, and sweeps, for ever. Each may be killed before any system call, or stop there for ever. Directories,
 * publishing and newer objects are in registry.pml; here is one object, which is linked or not.
 */

#ifndef TICKETS
#define TICKETS 1 /* importer p is for ticket p % TICKETS */
#endif
#ifndef VISITORS
#define VISITORS 1
#endif
#ifndef DEATHS
#define DEATHS 1
#endif

#define EXPORTER 0
#define IMPORTERS 2 /* processes 1 and 2 */
#define PROCESSES (1 + IMPORTERS + VISITORS)
#define IMPORTS(p) (p >= 1 && p <= IMPORTERS)
#define VISITS(p) (p > IMPORTERS)
#define MINE (me % TICKETS)

bit linked = 1;       /* r is there */
bit alive = 1;        /* the life word is not 0 */
byte zero = 1;        /* descriptions with a lock on byte 0: the exporter's handle to begin with */
bit byte_k[TICKETS];  /* the exporter's lock on the byte that is the ticket's number */
bit ticket[TICKETS];  /* t.<k> is there */
bit dead[PROCESSES];  /* killed: what a sweep can see */
bit idle[PROCESSES];  /* in no call, and without a handle */
byte v[PROCESSES];    /* the life word that it read: see registry.pml */
#define NONE 0
#define CURRENT 1
#define OLD 2

/* What only the proof knows. */
byte held = 1;
byte coming;
byte winners[TICKETS];
bit ended; /* there was an instant at which nobody held, came, or could import */

#define COUNTS(k) (byte_k[k] && ticket[k])
#if TICKETS == 1
#define ANY_BYTE (byte_k[0])
#define ANY_COUNTS COUNTS(0)
#else
#define ANY_BYTE (byte_k[0] || byte_k[1])
#define ANY_COUNTS (COUNTS(0) || COUNTS(1))
#endif

#define WHEN(condition, step)                                                                                          \
    if                                                                                                                 \
    ::condition -> step                                                                                                \
    ::else                                                                                                             \
    fi
#if DEATHS
#define DO(step)                                                                                                       \
    if                                                                                                                 \
    ::atomic { true; step }                                                                                            \
    ::atomic { true; die(); goto gone }                                                                                \
    fi
#else
#define DO(step) atomic { true; step }
#endif

#define NOTE_END WHEN(held == 0 && coming == 0 && !ANY_COUNTS, ended = 1)

inline comes()
{
    WHEN(!closing && !on_way, on_way = 1; coming++)
}

inline goes()
{
    WHEN(on_way, on_way = 0; coming--; NOTE_END)
}

inline die()
{
    d_step {
        dead[me] = 1;
        WHEN(holding, holding = 0; held--);
        WHEN(locked, locked = 0; zero--);
        WHEN(on_way, on_way = 0; coming--);
        if
        :: me == EXPORTER ->
            k = 0;
            do
            :: k == TICKETS -> break
            :: else -> byte_k[k] = 0; k++
            od
        :: else
        fi;
        k = 0;
        closing = 0;
        v[me] = NONE;
        idle[me] = 1;
        NOTE_END
    }
}

#define SWAP                                                                                                           \
    k = 0;                                                                                                             \
    do                                                                                                                 \
    ::k == PROCESSES -> break                                                                                          \
    ::else -> WHEN(v[k] == CURRENT, v[k] = OLD);                                                                       \
    k++                                                                                                                \
    od;                                                                                                                \
    k = 0

/* An importer does not find what its ticket promises, though the exporter keeps it. */
#define NOT_FOUND assert(!IMPORTS(me) || !byte_k[MINE] || !(ticket[MINE] || spent))

#define CALL_ENDS                                                                                                      \
    k = 0;                                                                                                             \
    v[me] = NONE;                                                                                                      \
    closing = 0;                                                                                                       \
    goto next

proctype process(byte me)
{
    byte k;
    bit holding, locked, on_way, closing, begun;
    bit spent; /* only BROKEN_SPEND_FIRST: this importer has unlinked the ticket, and not joined */

next:
    atomic {
        idle[me] = 1;
        if
        :: me == EXPORTER && !begun -> begun = 1; idle[me] = 0; holding = 1; locked = 1; goto export
        :: me == EXPORTER && begun -> goto stay
        :: IMPORTS(me) && !begun -> begun = 1; idle[me] = 0; goto import
        :: IMPORTS(me) && begun -> goto gone
        :: VISITS(me) -> idle[me] = 0; goto look
        :: VISITS(me) -> goto sweep
        fi
    }

    /* ---- export ---- */
export:
#ifdef BROKEN_TICKET_LATE
    /* the ticket only after the handle is closed */
    DO(byte_k[0] = 1; goto close);
#else
    DO(byte_k[k] = 1);
    DO(ticket[k] = 1; k++; if :: k < TICKETS -> goto export :: else -> k = 0 fi; goto close);
#endif

    /* ---- an exporter's later calls: let go of what is imported; at its exit withdraw all ---- */
stay:
#ifdef BROKEN_TICKET_LATE
    DO(ticket[0] = 1);
#endif
    DO(if
       :: k < TICKETS && byte_k[k] && !ticket[k] -> byte_k[k] = 0; NOTE_END; goto stay
       :: k < TICKETS -> k++; goto stay
       :: k == TICKETS -> k = 0
       fi);
    idle[me] = 0;
withdraw:
    DO(ticket[k] = 0; NOTE_END);
    DO(byte_k[k] = 0; k++; if :: k < TICKETS -> goto withdraw :: else -> k = 0 fi; closing = 1);
    goto close_word;

    /* ---- import ---- */
import:
#ifdef BROKEN_SPEND_FIRST
    DO(if :: ticket[MINE] -> ticket[MINE] = 0; spent = 1; NOTE_END; winners[MINE]++ :: else -> CALL_ENDS fi);
#else
    DO(if :: ticket[MINE] :: else -> CALL_ENDS fi);
#endif

    /* ---- look ---- */
look:
    DO(if :: linked :: else -> NOT_FOUND; CALL_ENDS fi);
    DO(if :: alive -> v[me] = CURRENT :: else -> NOT_FOUND; goto remove fi);

    /* ---- ask; for a close, too ---- */
ask:
#ifdef BROKEN_REST_FIRST
    goto ask_byte;
#else
    DO(if
       :: zero == 0 && !ANY_BYTE -> goto reap
       :: zero != 0 -> comes(); goto answered /* the kernel reports any of the locks */
       :: ANY_BYTE
       fi);
ask_zero:
    DO(if :: zero != 0 -> comes(); goto answered :: else fi);
#endif
ask_byte:
    /* this lock may be what keeps the object, which the next step tells */
    DO(if
       :: byte_k[k] -> WHEN(ticket[k], comes())
       :: else -> k++; if :: k < TICKETS -> goto ask_byte :: else -> goto ask_end fi
       fi);
#ifdef BROKEN_BYTES_COUNT
    /* whether or not its ticket is there */
    DO(k = 0; comes(); goto answered);
#endif
    DO(if
       :: ticket[k] -> k = 0; comes(); goto answered
       :: else -> goes(); k++; if :: k < TICKETS -> goto ask_byte :: else -> goto ask_end fi
       fi);
ask_end:
#ifdef BROKEN_REST_FIRST
    DO(k = 0; if :: zero != 0 -> comes(); goto answered :: else -> goto reap fi);
#endif
    k = 0;
    goto reap;
answered:
    if
    :: closing -> CALL_ENDS
    :: else
    fi;

    /* ---- join ---- */
    DO(v[me] = NONE; zero++; locked = 1);
    DO(if
       :: alive -> SWAP; assert(!ended); held++; holding = 1; goes()
       :: else -> NOT_FOUND; zero--; locked = 0; goes(); CALL_ENDS
       fi);
#ifndef BROKEN_SPEND_FIRST
    /* one importer uses the ticket; the handle of another is closed */
    WHEN(IMPORTS(me), DO(WHEN(ticket[MINE], ticket[MINE] = 0; winners[MINE]++; assert(winners[MINE] <= 1))));
#endif

    /* ---- close ---- */
close:
    DO(assert(linked && alive); holding = 0; held--; locked = 0; zero--; NOTE_END; closing = 1);
close_word:
    DO(if :: alive -> v[me] = CURRENT; goto ask :: else -> CALL_ENDS fi);

    /* ---- reap, remove ---- */
reap:
    DO(if
       :: alive && v[me] == CURRENT -> alive = 0; v[me] = NONE; WHEN(!closing, NOT_FOUND)
       :: else -> CALL_ENDS
       fi);
remove:
    DO(linked = 0; CALL_ENDS);

    /* ---- sweep: a ticket whose lock is gone or whose target has ended is deleted ---- */
sweep:
    DO(if
       /* One step: a ticket is written after its byte is locked, so a lock that is gone stays gone. */
       :: ticket[k] && (!byte_k[k] || (TICKETS == 1 && dead[1] && dead[2]) || (TICKETS == 2 && dead[2 - k])) ->
           ticket[k] = 0;
           NOTE_END
       :: else
       fi;
       k++;
       if :: k < TICKETS -> goto sweep :: else -> k = 0 fi;
       goto next);

gone:
    skip
}

/* In every state: what is held, or may be imported, is intact. Where nobody is killed: once all calls are through,
   there is nothing left but what may still be imported, though the exporter has not let go of its lock. */
hidden byte x, busy;
proctype observer()
{
end:
    do
    :: d_step {
        assert((held == 0 && !ANY_COUNTS) || (alive && linked));
        busy = 0;
        x = 0;
        do
        :: x == PROCESSES -> break
        :: else -> WHEN(!idle[x], busy = 1); x++
        od;
        assert(busy || DEATHS || !linked || ANY_COUNTS)
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
        run observer()
    }
}
