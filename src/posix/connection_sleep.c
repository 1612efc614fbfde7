/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * How a call on an end waits for the peer. A sleeper says so in a wake word, tries again, asks the socket whether the
 * peer is there, and sleeps on the word and on the life of a thread of the peer, until the next re-check at the latest.
 * The lives of a process end before its sockets do: once the life has ended the socket is asked again and again, with
 * pauses that grow, since another thread or a forked process may have it for as long as it likes.
 */
#include "posix/clock.h"
#include "posix/connection_end.h"
#include "posix/error.h"

#define FIRST_PAUSE INT64_C(1000000)

/* So long the word that tells of the end of the peer's life says enough. */
#define LIVES UINT64_C(50000000)

/* ---- words ---- */

/* Edge: say it, then look again; its partner is connection_wake() after a change. */
word_watch connection_say_asleep(volatile uint32_t *word)
{
    return (word_watch){word, atomic_or_u32(word, 1) | 1};
}

/* The count moves before the wake, so that who is on the way to sleep does not. Where the swap fails somebody else has
   moved it, who may die before he wakes anybody. */
static void wake(volatile uint32_t *word, uint32_t seen)
{
    (void)atomic_swap_u32(word, &seen, (seen + 2) & ~UINT32_C(1));
    word_wake(word);
}

void connection_wake(volatile uint32_t *word)
{
    uint32_t seen = atomic_load_u32(word);

    if ((seen & 1) != 0)
        wake(word, seen);
}

void connection_wake_all(volatile uint32_t *word)
{
    wake(word, atomic_load_u32(word));
}

/* ---- broken ---- */

ist_status connection_is_broken(plat_error *error)
{
    return error_refuse(error, IST_E_BROKEN, "peer", "%s", "gone");
}

ist_status connection_check(const connection *of, plat_error *error)
{
    return atomic_load_u32(&of->closed) == 0 && atomic_load_u32(&of->words->dropped) == 0 ? IST_OK
                                                                                          : connection_is_broken(error);
}

/* ---- sleep ---- */

typedef struct sleeping {
    connection *of;
    const patience *until;
    int64_t pause; /* since the life has ended, or where none is known */
    bool doubts;   /* that, or a re-check: whether the socket is ours still is asked too */
} sleeping;

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What the kernel marks shows in the word at once; for what it does not mark life_has_ended() asks the system. */
static bool lives_on(const connection *of, uint64_t now)
{
    uint64_t asked = atomic_load_u64(&of->seen_alive);

    return asked != 0 && now - asked < LIVES && of->seen_generation == *life_generation &&
           atomic_load_u32(of->life.word.word) == of->life.word.value;
}

/* The first watch stays with the end. */
static void keep_watch(connection *of, life_watch *watch, uint64_t now)
{
    turn_take_shortly(&of->socket_lock);
    if (of->life.word.word == NULL && watch->word.word != NULL) {
        of->life = *watch;
        of->seen_generation = *life_generation;
        watch->block = NULL;
    }
    if (of->life.word.word != NULL)
        atomic_store_u64(&of->seen_alive, now);
    turn_give(&of->socket_lock);
}

/* How long a sleep may last by what is known of the peer's life; *watch is where its end shows. */
static int64_t sleep_at_most(sleeping *here, life_watch *watch)
{
    connection *of = here->of;
    uint64_t now = (uint64_t)clock_steady();
    int64_t length = clock_recheck();

    *watch = (life_watch){{NULL, 0}, NULL};
    if (lives_on(of, now)) {
        watch->word = of->life.word;
        return length;
    }
    if (of->peer.lives != NULL && of->peer.life_id != 0 &&
        !life_has_ended(of->peer.lives, of->peer.life_id, &of->believed, watch)) {
        keep_watch(of, watch, now);
        return length;
    }
    here->pause = here->pause == 0 ? FIRST_PAUSE : sooner(here->pause * 2, length);
    return here->pause;
}

/* The kernel wakes one of those who sleep on a life that ends: the others are told here. */
static void end_watch(life_watch *watch)
{
    if (watch->block != NULL)
        life_unwatch(watch);
    else if (watch->word.word != NULL && atomic_load_u32(watch->word.word) != watch->word.value)
        word_wake(watch->word.word);
}

static void sleep_on(sleeping *here, word_watch said)
{
    word_watch watches[2] = {said, {NULL, 0}};
    life_watch life = {{NULL, 0}, NULL};
    int64_t length = sleep_at_most(here, &life);
    int64_t end = sooner(here->until->deadline, clock_next_recheck());
    size_t count = 1;

    if (life.word.word != NULL)
        watches[count++] = life.word;
    end = sooner(end, clock_add(clock_steady(), length));
    word_sleep(watches, count, end);
    end_watch(&life);
    here->doubts = here->pause != 0 || clock_steady() >= end;
}

static bool is_alone(const sleeping *here, bool over)
{
    if (here->doubts)
        connection_doubt(here->of);
    return (over || here->doubts || connection_peer_may_be_gone(here->of)) && connection_peer_is_gone(here->of);
}

/* ---- block ---- */

/* The peer is gone: what it did before it went is seen now. */
static ist_status try_last(connection_try *trying, void *context, plat_error *error)
{
    ist_status status = trying(context, error);

    return status == IST_TIMEOUT ? connection_is_broken(error) : status;
}

/* One round. IST_TIMEOUT with *over not set: again. Who has stopped the call is looked for after it is said that
   somebody sleeps, and moves that word after he has. */
static ist_status try_and_sleep(sleeping *here, volatile uint32_t *word, connection_try *trying, void *context,
                                bool *over, plat_error *error)
{
    word_watch said = {NULL, 0};
    ist_status status = IST_OK;

    *over = patience_is_over(here->until);
    if (!*over)
        said = connection_say_asleep(word);
    status = trying(context, error);
    if (status != IST_TIMEOUT)
        return status;
    if (patience_is_stopped(here->until))
        return IST_CANCELLED;
    if (is_alone(here, *over))
        return try_last(trying, context, error);
    if (!*over)
        sleep_on(here, said);
    return IST_TIMEOUT;
}

ist_status connection_block(connection *of, volatile uint32_t *word, const patience *until, connection_try *trying,
                            void *context, plat_error *error)
{
    sleeping here = {of, until, 0, false};
    bool over = false;
    ist_status status = trying(context, error);

    while (status == IST_TIMEOUT && !over) {
        status = try_and_sleep(&here, word, trying, context, &over, error);
        /* Who has got what woke him costs the next change no needless call. */
        if (status == IST_TIMEOUT && !over)
            status = trying(context, error);
    }
    return status;
}
