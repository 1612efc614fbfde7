/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Somebody sleeps, and another process, which is to wake him or sleeps beside him, is killed or stopped after each
 * instruction of what it does. Who is to wake and dies or stands still in the middle delays a sleeper by no more than
 * the re-check; who is let on, and who only sleeps too, delays nobody: there the re-check is an hour away.
 *
 * ISTHMUS_TEST_STRIDE=n tries only every nth instruction of each scene, beginning at another one in each.
 * ISTHMUS_TEST_MATRIX=single leaves this out.
 */
#include "support/check.h"
#include "support/peer.h"

#include <unistd.h>

#include "stage/run.h"

static player sleeper;

/* ---- the sleeper ---- */

static int enter(uintptr_t rechecks)
{
    world_enter(false, rechecks != 0);
    STAGE_IS(ist_mutex_acquire(here.mutex, IST_FOREVER), IST_OK);
    STAGE_IS(ist_mutex_release(here.mutex), IST_OK);
    return 0;
}

static int leave(uintptr_t argument)
{
    (void)argument;
    world_leave();
    return 0;
}

static int sleep_on(uintptr_t letter)
{
    world_items items;
    (void)world_list((char[]){(char)letter, '\0'}, items);
    ist_status status = ist_wait(items[0], IST_FOREVER);
    if (letter == 'm' && status >= 0)
        STAGE_IS(ist_mutex_release(here.mutex), IST_OK);
    return (int)status;
}

static void come(bool rechecks)
{
    sleeper = player_start();
    player_ask(&sleeper, enter, rechecks);
}

static void come_rechecking(void)
{
    come(true);
}

static void come_patient(void)
{
    come(false);
}

static void go(void)
{
    if (player_is_done(&sleeper) || stage_failures() != 0) {
        player_kill(&sleeper);
        return;
    }
    player_ask(&sleeper, leave, 0);
    player_dismiss(&sleeper);
}

/* ---- the keeper ---- */

static char letter_of(const play *played)
{
    switch (played->does) {
    case PLAY_RELEASE_SEMAPHORE:
        return 's';
    case PLAY_SET:
        return 'a';
    case PLAY_SET_MANUAL:
        return 'e';
    case PLAY_SET_TIMER:
        return 't';
    default:
        return played->letters[0];
    }
}

static void begin(const play *played)
{
    player_begin(&sleeper, sleep_on, (uintptr_t)letter_of(played));
    player_wait_asleep(&sleeper);
}

static int is_there(uintptr_t letter)
{
    ist_mutex_state mutex = IST_MUTEX_STATE_INIT;
    ist_semaphore_state semaphore = IST_SEMAPHORE_STATE_INIT;
    ist_event_state event = IST_EVENT_STATE_INIT;
    ist_timer_state timer = IST_TIMER_STATE_INIT;
    switch ((char)letter) {
    case 'm':
        STAGE_IS(ist_mutex_query(here.mutex, &mutex), IST_OK);
        return mutex.owned == 0;
    case 's':
        STAGE_IS(ist_semaphore_query(here.semaphore, &semaphore), IST_OK);
        return semaphore.count != 0;
    case 't':
        STAGE_IS(ist_timer_query(here.timer, &timer), IST_OK);
        return timer.signalled != 0;
    default:
        STAGE_IS(ist_event_query(letter == 'a' ? here.automatic : here.manual, &event), IST_OK);
        return event.set != 0;
    }
}

static int give(uintptr_t letter)
{
    world_state wanted = {WORLD_FREE, letter == 's', letter == 'a', letter == 'e', letter == 't', 0};
    world_fill(&wanted);
    return 0;
}

/* Whether it comes, as it must while what it sleeps on is there. It may be about to where nothing is there any more. */
static bool comes(char letter)
{
    for (unsigned waited_us = 0; waited_us < check_bound_ms() * 1000; waited_us += 100) {
        if (player_is_done(&sleeper))
            return true;
        if (!player_ask(&run_keeper, is_there, (uintptr_t)letter))
            return player_is_done(&sleeper);
        usleep(100);
    }
    stage_fail("it sleeps on beside what it waits for");
    return false;
}

static void check_status(ist_status wanted)
{
    ist_status status = (ist_status)player_end(&sleeper);
    if (status != wanted)
        stage_fail("the sleeper says %s", ist_status_name(status));
}

/* What is left when as much as `left` was given more than taken. */
static void check_left(char letter, int left)
{
    player_ask(&run_keeper, run_look, 0);
    const world_state *found = &run_shared->found;
    int there = letter == 's' ? found->count : letter == 'a' ? found->set : letter == 't' ? found->signalled : 0;
    if (letter == 'e' ? found->manual != 1 : there != left)
        stage_fail("%d of %c are left, not %d", there, letter, left);
    STAGE_CHECK(found->owner == WORLD_FREE);
}

/* ---- who wakes ---- */

/* A mutex comes either way, and says whether it was released. Of the others, one that was not given is given now. */
static void end_killed(const play *played, trace *child, unsigned n, run_tally *count)
{
    char letter = letter_of(played);
    (void)n;
    trace_kill(child);
    if (letter == 'm') {
        ist_status status = (ist_status)player_end(&sleeper);
        count->after += status == IST_OK;
        count->before += status == IST_ABANDONED;
        STAGE_CHECK(status == IST_OK || status == IST_ABANDONED);
        check_left(letter, 0);
        return;
    }
    bool again = !comes(letter);
    if (again)
        player_ask(&run_keeper, give, (uintptr_t)letter);
    check_status(IST_OK);
    player_ask(&run_keeper, run_look, 0);
    const world_state *found = &run_shared->found;
    int left = letter == 's' ? found->count : letter == 'a' ? found->set : letter == 't' ? found->signalled : 0;
    STAGE_CHECK(left == 0 || (again && left == 1));
    STAGE_CHECK(found->manual == (letter == 'e'));
    count->after += !again || left == 1;
    count->before += again && left == 0;
}

static void let_on(trace *child)
{
    if (child->ended || (!child->marked && !trace_to_mark(child)))
        stage_fail("let on, the child does not end");
}

static void finish(const play *played, trace *child)
{
    check_left(letter_of(played), 0);
    if (trace_finish(child) != 0)
        stage_fail("the child failed");
}

static void end_stopped(const play *played, trace *child, unsigned n, run_tally *count)
{
    bool woken = comes(letter_of(played));
    (void)n;
    count->after += woken;
    count->before += !woken;
    let_on(child);
    check_status(IST_OK);
    finish(played, child);
}

static void end_let_on(const play *played, trace *child, unsigned n, run_tally *count)
{
    (void)n;
    count->before++;
    let_on(child);
    count->after++;
    check_status(IST_OK);
    finish(played, child);
}

/* ---- who sleeps too ---- */

static void wake_all(const play *played)
{
    if (letter_of(played) == 'm')
        run_release_rival();
    else
        player_ask(&run_keeper, give, (uintptr_t)letter_of(played));
    check_status(IST_OK);
}

static void end_killed_beside(const play *played, trace *child, unsigned n, run_tally *count)
{
    (void)n;
    trace_kill(child);
    wake_all(played);
    check_left(letter_of(played), 0);
    count->before++;
    count->after++;
}

static void end_stopped_beside(const play *played, trace *child, unsigned n, run_tally *count)
{
    bool ended = n == 0;
    if (ended)
        STAGE_CHECK(run_shared->status == IST_TIMEOUT);
    wake_all(played);
    let_on(child);
    STAGE_CHECK(run_shared->status == IST_TIMEOUT || (!ended && letter_of(played) == 'm') || letter_of(played) == 'e');
    if (letter_of(played) != 'm' || run_shared->status == IST_TIMEOUT)
        check_left(letter_of(played), 0);
    if (trace_finish(child) != 0)
        stage_fail("the child failed");
    count->before++;
    count->after++;
}

/* ---- tests ---- */

static void run(const play *played, const run_way *ways, size_t count)
{
    unsigned before = stage_failures();
    const char *why = NULL;
    if (!run_works(&why))
        SKIP(stopped_after_each_instruction, why);
    run_all(played, ways, count);
    assert_int_equal(stage_failures(), before);
}

static void run_waker(const play *played)
{
    static const run_way ways[] = {
        {"killed beside a sleeper", come_rechecking, go, begin, end_killed},
        {"stopped beside a sleeper", come_rechecking, go, begin, end_stopped},
        {"let on beside a sleeper", come_patient, go, begin, end_let_on},
    };
    run(played, ways, COUNT_OF(ways));
}

static void run_waiter(const play *played)
{
    static const run_way ways[] = {
        {"killed beside another", come_patient, go, begin, end_killed_beside},
        {"stopped beside another", come_patient, go, begin, end_stopped_beside},
    };
    run(played, ways, COUNT_OF(ways));
}

#define MS INT64_C(1000000)
#define PLAY(runs, name, does, letters, timeout_ns, ...)                                                               \
    TEST(name)                                                                                                         \
    {                                                                                                                  \
        static const play played = {#name, does, letters, timeout_ns, false, __VA_ARGS__};                             \
        runs(&played);                                                                                                 \
    }

/* X3, E1 E2, S2, T2, L8, hazards 11, 18, 19. The world: owner, count, event, manual-reset event, timer, depth. */
PLAY(run_waker, a_release_of_a_mutex, PLAY_RELEASE_MUTEX, "m", 0, {WORLD_CHILD, 0, 0, 0, 0, 1})
PLAY(run_waker, a_release_of_a_semaphore, PLAY_RELEASE_SEMAPHORE, NULL, 0, {WORLD_FREE, 0, 0, 0, 0, 0})
PLAY(run_waker, a_set, PLAY_SET, NULL, 0, {WORLD_FREE, 0, 0, 0, 0, 0})
PLAY(run_waker, a_set_for_all, PLAY_SET_MANUAL, NULL, 0, {WORLD_FREE, 0, 0, 0, 0, 0})
PLAY(run_waker, a_set_of_a_timer, PLAY_SET_TIMER, NULL, 0, {WORLD_FREE, 0, 0, 0, 0, 0})
PLAY(run_waiter, an_acquire_that_sleeps, PLAY_ACQUIRE, "m", MS, {WORLD_RIVAL, 0, 0, 0, 0, 0})
PLAY(run_waiter, a_take_of_a_semaphore_that_sleeps, PLAY_WAIT, "s", MS, {WORLD_FREE, 0, 0, 0, 0, 0})
PLAY(run_waiter, a_take_of_an_event_that_sleeps, PLAY_WAIT, "a", MS, {WORLD_FREE, 0, 0, 0, 0, 0})
PLAY(run_waiter, a_wait_for_any_that_sleeps, PLAY_ANY, "at", MS, {WORLD_FREE, 0, 0, 0, 0, 0})
PLAY(run_waiter, a_wait_for_all_that_sleeps, PLAY_ALL, "am", MS, {WORLD_FREE, 0, 0, 0, 0, 0})
PLAY(run_waiter, a_wait_for_a_timer_that_sleeps, PLAY_WAIT, "t", MS, {WORLD_FREE, 0, 0, 0, 0, 0})

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_release_of_a_mutex),
        RUN(a_release_of_a_semaphore),
        RUN(a_set),
        RUN(a_set_for_all),
        RUN(a_set_of_a_timer),
        RUN(an_acquire_that_sleeps),
        RUN(a_take_of_a_semaphore_that_sleeps),
        RUN(a_take_of_an_event_that_sleeps),
        RUN(a_wait_for_any_that_sleeps),
        RUN(a_wait_for_all_that_sleeps),
        RUN(a_wait_for_a_timer_that_sleeps),
    };
    int failed = cmocka_run_group_tests_name("process.posix_wakes", tests, NULL, NULL);
    run_sum_up();
    return failed;
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
