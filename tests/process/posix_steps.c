/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A process killed, and a process stopped, after each instruction of each operation on mutexes, semaphores, events and
 * timers, one run for each. Killed: who comes later finds the objects as they were before the operation or as they are
 * after it, all of them together, and can use them. Stopped: others go on at once and are right, and so is the stopped
 * one when it is let on: its operation has happened before theirs or happens after them. The re-check of waits is an
 * hour away throughout.
 *
 * ISTHMUS_TEST_STRIDE=n tries only every nth instruction of each scene, beginning at another one in each.
 * ISTHMUS_TEST_MATRIX=single leaves this out.
 */
#include "support/check.h"
#include "support/peer.h"

#include "stage/run.h"

/* As those see it who come later. */
static world_state seen(world_state state, bool child_lives)
{
    if (state.owner == WORLD_CHILD)
        state.owner = child_lives ? WORLD_RIVAL : WORLD_ABANDONED;
    return state;
}

static bool is_seen(const world_state *found, world_state state, bool child_lives)
{
    world_state wanted = seen(state, child_lives);
    return world_same(found, &wanted);
}

/* What others make of it: the objects are as they fill them, and nobody dead owns the mutex. */
static world_state refilled(world_state state)
{
    world_state full = run_shared->next;
    full.owner = state.owner == WORLD_ABANDONED ? WORLD_FREE : state.owner;
    full.depth = state.depth;
    return full;
}

static void complain(const char *what, const world_state *found)
{
    char text[80];
    world_tell(found, text);
    stage_fail("%s: %s; the child says %s", what, text, ist_status_name(run_shared->status));
}

static void check_killed(const play *played, run_tally *count)
{
    world_state after = played->start;
    (void)play_happen(played, &after);
    player_ask(&run_keeper, run_look, 0);
    bool is_before = is_seen(&run_shared->found, played->start, false);
    bool is_after = is_seen(&run_shared->found, after, false);
    count->before += is_before;
    count->after += is_after;
    if (!is_before && !is_after)
        complain("killed, it leaves", &run_shared->found);
}

/* The child has ended its operation, with `status`, and the world is to be `wanted`. */
static bool ends_as(ist_status status, const world_state *wanted, const world_state *found)
{
    return run_shared->status == status && is_seen(found, *wanted, true);
}

/* A wait for any that found the world as it was, and then as it is: it looks at one object after the other, and takes
   the first that it finds signalled. No lower one was signalled throughout (W2). */
static bool ends_among(const play *played, const world_state *is, const world_state *found)
{
    for (const char *at = played->letters; *at != '\0'; at++) {
        play alone = {NULL, PLAY_WAIT, (char[]){*at, '\0'}, 0, false, *is};
        world_state late = *is;
        ist_status status = play_happen(&alone, &late);
        world_state was = played->start;
        size_t index = (size_t)(at - played->letters);
        if (status != IST_TIMEOUT && run_shared->index == index && ends_as(status, &late, found))
            return true;
        if (status != IST_TIMEOUT && play_happen(&alone, &was) != IST_TIMEOUT)
            return false;
    }
    return ends_as(IST_TIMEOUT, is, found);
}

/* Others go on, then the child: it was through, or begins only now. */
static void check_stopped(const play *played, trace *child, run_tally *count)
{
    world_state after = played->start;
    ist_status was = play_happen(played, &after);
    player_ask(&run_keeper, run_look_and_fill, 0);
    world_state met = run_shared->found;
    bool is_before = is_seen(&met, played->start, true);
    bool is_after = is_seen(&met, after, true);
    world_state through = refilled(after);
    world_state full = refilled(played->start);
    world_state late = full;
    ist_status is = play_happen(played, &late);

    count->before += is_before;
    count->after += is_after;
    if (!is_before && !is_after)
        complain("stopped, it shows", &met);
    if (!trace_to_mark(child)) {
        stage_fail("let on, the child does not end");
        return;
    }
    player_ask(&run_keeper, run_look, 0);
    bool was_through = is_after && ends_as(was, &through, &run_shared->found);
    bool was_late = is_before && (played->does == PLAY_ANY ? ends_among(played, &full, &run_shared->found)
                                                           : ends_as(is, &late, &run_shared->found));
    if (!was_through && !was_late)
        complain("let on, it ends with", &run_shared->found);
    if (trace_finish(child) != 0)
        stage_fail("the child failed");
    else if (run_shared->releases != (was_through ? through.depth : late.depth) && played->does != PLAY_ANY)
        stage_fail("the child owned the mutex %d times", run_shared->releases);
}

static void end_killed(const play *played, trace *child, unsigned n, run_tally *count)
{
    (void)n;
    trace_kill(child);
    check_killed(played, count);
}

/* What the others make of the world in mid-operation: as it was, with nothing, or with everything. */
static void choose_next(const play *played, unsigned number)
{
    static const world_state empty = {WORLD_FREE, 0, 0, 0, 0, 0};
    static const world_state full = {WORLD_FREE, WORLD_COUNT_MAX, 1, 1, 1, 0};
    run_shared->next = number % 2 == 0 ? played->start : number % 4 == 1 ? empty : full;
}

static void end_stopped(const play *played, trace *child, unsigned n, run_tally *count)
{
    choose_next(played, n);
    check_stopped(played, child, count);
}

/* In no instant are both events set. */
static int cross(uintptr_t argument)
{
    (void)argument;
    STAGE_IS(ist_event_reset(here.manual), IST_OK);
    STAGE_IS(ist_event_set(here.automatic), IST_OK);
    return 0;
}

static void end_crossed(const play *played, trace *child, unsigned n, run_tally *count)
{
    static const world_state one = {WORLD_FREE, 0, 1, 0, 0, 0};
    (void)played;
    (void)n;
    count->before++;
    player_ask(&run_keeper, cross, 0);
    if (!trace_to_mark(child))
        stage_fail("let on, the child does not end");
    player_ask(&run_keeper, run_look, 0);
    if (!ends_as(IST_TIMEOUT, &one, &run_shared->found))
        complain("it takes what was never there at once, and leaves", &run_shared->found);
    if (trace_finish(child) != 0)
        stage_fail("the child failed");
    count->after++;
}

static void run(const play *played)
{
    static const run_way ways[] = {{"killed", NULL, NULL, NULL, end_killed},
                                   {"stopped", NULL, NULL, NULL, end_stopped}};
    unsigned before = stage_failures();
    const char *why = NULL;
    if (!run_works(&why))
        SKIP(stopped_after_each_instruction, why);
    run_all(played, ways, COUNT_OF(ways));
    assert_int_equal(stage_failures(), before);
}

#define NOBODY WORLD_FREE
#define MS INT64_C(1000000)
#define PLAY(name, does, letters, timeout_ns, cold, ...)                                                               \
    TEST(name)                                                                                                         \
    {                                                                                                                  \
        static const play played = {#name, does, letters, timeout_ns, cold, __VA_ARGS__};                              \
        run(&played);                                                                                                  \
    }

/* X1 X3, E1 E2, S2 S3, T2 T3, W2 W3 W4, L7 L8. The world: owner, count, event, manual-reset event, timer, depth. */
PLAY(the_first_acquire_of_a_thread, PLAY_ACQUIRE, "m", 0, true, {NOBODY, 0, 0, 0, 0, 0})
PLAY(an_acquire, PLAY_ACQUIRE, "m", 0, false, {NOBODY, 0, 0, 0, 0, 0})
PLAY(an_acquire_of_anothers, PLAY_ACQUIRE, "m", 0, false, {WORLD_RIVAL, 0, 0, 0, 0, 0})
PLAY(an_acquire_that_sleeps, PLAY_ACQUIRE, "m", MS, false, {WORLD_RIVAL, 0, 0, 0, 0, 0})
PLAY(an_acquire_of_ones_own, PLAY_ACQUIRE, "m", 0, false, {WORLD_CHILD, 0, 0, 0, 0, 1})
PLAY(an_acquire_of_an_abandoned_one, PLAY_ACQUIRE, "m", 0, false, {WORLD_ABANDONED, 0, 0, 0, 0, 0})
PLAY(a_release_of_a_mutex, PLAY_RELEASE_MUTEX, NULL, 0, false, {WORLD_CHILD, 0, 0, 0, 0, 1})
PLAY(a_release_of_two, PLAY_RELEASE_MUTEX, NULL, 0, false, {WORLD_CHILD, 0, 0, 0, 0, 2})
PLAY(a_release_of_a_semaphore, PLAY_RELEASE_SEMAPHORE, NULL, 0, false, {NOBODY, 1, 0, 0, 0, 0})
PLAY(a_take_of_a_semaphore, PLAY_WAIT, "s", 0, false, {NOBODY, 2, 0, 0, 0, 0})
PLAY(a_take_that_sleeps, PLAY_WAIT, "s", MS, false, {NOBODY, 0, 0, 0, 0, 0})
PLAY(a_set, PLAY_SET, NULL, 0, false, {NOBODY, 0, 0, 0, 0, 0})
PLAY(a_reset, PLAY_RESET, NULL, 0, false, {NOBODY, 0, 1, 0, 0, 0})
PLAY(a_take_of_an_event, PLAY_WAIT, "a", 0, false, {NOBODY, 0, 1, 0, 0, 0})
PLAY(a_set_for_all, PLAY_SET_MANUAL, NULL, 0, false, {NOBODY, 0, 0, 0, 0, 0})
PLAY(a_reset_for_all, PLAY_RESET_MANUAL, NULL, 0, false, {NOBODY, 0, 0, 1, 0, 0})
PLAY(a_set_of_a_timer, PLAY_SET_TIMER, NULL, 0, false, {NOBODY, 0, 0, 0, 0, 0})
PLAY(a_set_of_a_signalled_timer, PLAY_SET_TIMER_LATE, NULL, 0, false, {NOBODY, 0, 0, 0, 1, 0})
PLAY(a_cancel, PLAY_CANCEL, NULL, 0, false, {NOBODY, 0, 0, 0, 1, 0})
PLAY(a_take_of_a_timer, PLAY_WAIT, "t", 0, false, {NOBODY, 0, 0, 0, 1, 0})
PLAY(a_wait_for_any, PLAY_ANY, "amst", 0, false, {WORLD_RIVAL, 1, 0, 0, 1, 0})
PLAY(a_wait_for_any_with_an_abandoned_one, PLAY_ANY, "samt", 0, false, {WORLD_ABANDONED, 0, 0, 0, 1, 0})
PLAY(a_wait_for_all, PLAY_ALL, "msae", 0, false, {NOBODY, 1, 1, 1, 0, 0})
PLAY(a_wait_for_all_with_a_timer, PLAY_ALL, "tesma", 0, false, {NOBODY, 2, 1, 1, 1, 0})
PLAY(a_wait_for_all_with_an_abandoned_one, PLAY_ALL, "msa", 0, false, {WORLD_ABANDONED, 1, 1, 0, 0, 0})
PLAY(a_wait_for_all_with_ones_own, PLAY_ALL, "msa", 0, false, {WORLD_CHILD, 1, 1, 0, 0, 1})
PLAY(a_wait_for_all_that_gives_up, PLAY_ALL, "msae", 0, false, {NOBODY, 1, 0, 1, 0, 0})
PLAY(a_wait_for_all_that_sleeps, PLAY_ALL, "msae", MS, false, {WORLD_RIVAL, 1, 1, 1, 0, 0})

/* W3. In which order it looks at the two is a matter of chance: each world is another one. */
TEST(a_wait_for_all_takes_nothing_of_what_comes_one_after_the_other)
{
    static const run_way crossed[] = {{"crossed", NULL, NULL, NULL, end_crossed}};
    static const play played = {"a_wait_for_all_of_two", PLAY_ALL, "ae", 0, false, {WORLD_FREE, 0, 0, 1, 0, 0}};
    unsigned before = stage_failures();
    const char *why = NULL;
    if (!run_works(&why))
        SKIP(stopped_after_each_instruction, why);
    for (int n = 0; n < 8; n++)
        run_all(&played, crossed, COUNT_OF(crossed));
    assert_int_equal(stage_failures(), before);
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(the_first_acquire_of_a_thread),
        RUN(an_acquire),
        RUN(an_acquire_of_anothers),
        RUN(an_acquire_that_sleeps),
        RUN(an_acquire_of_ones_own),
        RUN(an_acquire_of_an_abandoned_one),
        RUN(a_release_of_a_mutex),
        RUN(a_release_of_two),
        RUN(a_release_of_a_semaphore),
        RUN(a_take_of_a_semaphore),
        RUN(a_take_that_sleeps),
        RUN(a_set),
        RUN(a_reset),
        RUN(a_take_of_an_event),
        RUN(a_set_for_all),
        RUN(a_reset_for_all),
        RUN(a_set_of_a_timer),
        RUN(a_set_of_a_signalled_timer),
        RUN(a_cancel),
        RUN(a_take_of_a_timer),
        RUN(a_wait_for_any),
        RUN(a_wait_for_any_with_an_abandoned_one),
        RUN(a_wait_for_all),
        RUN(a_wait_for_all_with_a_timer),
        RUN(a_wait_for_all_with_an_abandoned_one),
        RUN(a_wait_for_all_with_ones_own),
        RUN(a_wait_for_all_that_gives_up),
        RUN(a_wait_for_all_that_sleeps),
        RUN(a_wait_for_all_takes_nothing_of_what_comes_one_after_the_other),
    };
    int failed = cmocka_run_group_tests_name("process.posix_steps", tests, NULL, NULL);
    run_sum_up();
    return failed;
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
