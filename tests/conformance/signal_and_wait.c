/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * ist_signal_and_wait: what it signals and what it takes, what it refuses and then leaves alone, and two processes that
 * take turns by it.
 */
#include "support/clock.h"
#include "support/waiter.h"

static ist_status swap(const waiter_set *set, size_t signal, size_t item, int64_t timeout_ns)
{
    return ist_signal_and_wait(set->items[signal], set->items[item], timeout_ns);
}

/* ---- both halves ---- */

TEST(one_is_signalled_and_the_other_taken)
{
    waiter_set set;
    waiter_make(&set, "owned", "0", "event", "manual", "2", "set", "mutex", "timer", (char *)NULL);
    CHECK_OK(swap(&set, 0, 4, 0));
    WAITER_CHECK(&set, "0 0 0 0 1 1 0 0");
    CHECK_OK(swap(&set, 1, 5, 0));
    WAITER_CHECK(&set, "0 1 0 0 1 0 0 0");
    CHECK_OK(swap(&set, 2, 6, IST_FOREVER));
    WAITER_CHECK(&set, "0 1 1 0 1 0 1 0");
    CHECK_OK(ist_timer_set(set.handles[7], IST_TIMER_RELATIVE, 0, 0));
    CHECK_OK(swap(&set, 3, 7, 1));
    WAITER_CHECK(&set, "0 1 1 1 1 0 1 0");
    CHECK_OK(swap(&set, 6, 3, 0));
    WAITER_CHECK(&set, "0 1 1 1 1 0 0 0");
    waiter_close(&set);
}

TEST(one_object_may_be_both)
{
    waiter_set set;
    waiter_make(&set, "owned", "0", "event", "manual", (char *)NULL);
    for (size_t i = 0; i < 4; i++)
        CHECK_OK(swap(&set, i, i, 0));
    WAITER_CHECK(&set, "1 0 0 1");
    CHECK_OK(ist_mutex_release(set.handles[0]));
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(set.handles[0]));
    waiter_close(&set);
}

/* X1 */
TEST(a_mutex_that_is_signalled_is_released_once)
{
    waiter_set set;
    waiter_make(&set, "owned", "manual-set", (char *)NULL);
    peer *other = waiter_start(&set);
    CHECK_OK(ist_wait(set.items[0], 0));
    CHECK_OK(swap(&set, 0, 1, 0));
    PEER_ASK(other, "IST_TIMEOUT -", "any 0 0");
    CHECK_OK(swap(&set, 0, 1, 0));
    PEER_ASK(other, "IST_OK 0", "any 0 0");
    CHECK_STATUS(IST_E_NOT_OWNER, swap(&set, 0, 1, 0));
    peer_end(other);
    waiter_close(&set);
}

/* W5 */
TEST(after_a_timeout_the_signal_has_been_given)
{
    waiter_set set;
    waiter_make(&set, "0", "event", "manual", "owned", "0", (char *)NULL);
    for (size_t i = 0; i < 4; i++)
        CHECK_STATUS(IST_TIMEOUT, swap(&set, i, 4, i % 2 == 0 ? 0 : CLOCK_MS));
    WAITER_CHECK(&set, "1 1 1 0 0");
    waiter_close(&set);
}

/* W5 */
TEST(its_timeout_is_never_early)
{
    static const int64_t timeouts[] = {1, 999999, 20 * CLOCK_MS + 1, 60 * CLOCK_MS};
    waiter_set set;
    waiter_make(&set, "0", "event", (char *)NULL);
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        int64_t start = clock_steady_ns();
        CHECK_STATUS(IST_TIMEOUT, swap(&set, 0, 1, timeouts[i]));
        assert_true(clock_steady_ns() - start >= timeouts[i]);
    }
    WAITER_CHECK(&set, "4 0");
    waiter_close(&set);
}

/* W4 */
TEST(an_abandoned_mutex_is_told_and_owned)
{
    waiter_set set;
    waiter_make(&set, "0", "mutex", (char *)NULL);
    waiter_abandon(&set, 1);
    CHECK_STATUS(IST_ABANDONED, swap(&set, 0, 1, 0));
    WAITER_CHECK(&set, "1 1");
    CHECK_OK(ist_mutex_release(set.handles[1]));
    waiter_close(&set);
}

/* ---- what is refused ---- */

TEST(when_the_signal_fails_nothing_is_waited_for)
{
    waiter_set set;
    ist_semaphore *full = NULL;
    ist_event *reader = NULL;
    ist_semaphore_options options = IST_SEMAPHORE_OPTIONS_INIT;
    options.initial = 3;
    options.maximum = 3;
    waiter_make(&set, "1", "mutex", "event", "timer", (char *)NULL);
    CHECK_OK(ist_semaphore_create(&full, NULL, &options));
    CHECK_OK(ist_event_open(&reader, set.names[2], IST_READ));
    CHECK_STATUS(IST_E_NOT_OWNER, swap(&set, 1, 0, IST_FOREVER));
    CHECK_STATUS(IST_E_LIMIT, ist_signal_and_wait(ist_semaphore_waitable(full), set.items[0], 0));
    CHECK_STATUS(IST_E_LIMIT, ist_signal_and_wait(ist_semaphore_waitable(full), ist_semaphore_waitable(full), 0));
    CHECK_STATUS(IST_E_ACCESS, ist_signal_and_wait(ist_event_waitable(reader), set.items[0], 0));
    CHECK_STATUS(IST_E_ARG, swap(&set, 3, 0, 0));
    CHECK_STATUS(IST_E_ARG, ist_signal_and_wait(NULL, set.items[0], 0));
    WAITER_CHECK(&set, "1 0 0 0");
    ist_event_close(reader);
    ist_semaphore_close(full);
    waiter_close(&set);
}

/* W5 A1: a failed call has changed nothing */
TEST(when_the_wait_is_refused_nothing_is_signalled)
{
    waiter_set set;
    ist_semaphore *reader = NULL;
    waiter_make(&set, "0", "event", "owned", "1", (char *)NULL);
    CHECK_OK(ist_semaphore_open(&reader, set.names[3], IST_READ));
    for (size_t i = 0; i < 3; i++) {
        CHECK_STATUS(IST_E_ARG, ist_signal_and_wait(set.items[i], NULL, 0));
        CHECK_STATUS(IST_E_ARG, swap(&set, i, 3, -2));
        CHECK_STATUS(IST_E_ACCESS, ist_signal_and_wait(set.items[i], ist_semaphore_waitable(reader), 0));
    }
    WAITER_CHECK(&set, "0 0 1 1");
    ist_semaphore_close(reader);
    waiter_close(&set);
}

/* ---- two processes ---- */

TEST(a_blocked_one_is_released_by_the_other_process)
{
    waiter_set set;
    waiter_make(&set, "event", "0", "event", "owned", (char *)NULL);
    peer *other = waiter_start_patient(&set);
    waiter_begin(other, "swap 0 1 forever");
    CHECK_OK(ist_wait(set.items[0], waiter_bound_ns()));
    CHECK_OK(ist_semaphore_release(set.handles[1], 1, NULL));
    WAITER_HEAR(other, "IST_OK");
    waiter_begin(other, "swap 0 3 forever");
    CHECK_OK(swap(&set, 3, 0, waiter_bound_ns()));
    WAITER_HEAR(other, "IST_OK");
    WAITER_CHECK(&set, "0 0 0 1");
    PEER_ASK(other, "IST_OK", "release 3");
    peer_end(other);
    waiter_close(&set);
}

/* "begin N": signals the first event and waits for the second, so often. "follow N": waits for the second, answers by
   the first, and so on, so often. Both answer how often that was done. */
static int run_partner(int argc, char **argv)
{
    ist_event *events[2] = {NULL, NULL};
    char line[PEER_LINE_SIZE];
    for (int i = 0; i < 2; i++)
        if (argc < 2 || ist_event_open(&events[i], argv[i], IST_WRITE) != IST_OK)
            return 1;
    const ist_waitable *items[2] = {ist_event_waitable(events[0]), ist_event_waitable(events[1])};
    (void)waiter_be_patient();
    peer_answer("ready");
    while (peer_listen(line)) {
        bool follows = line[0] == 'f';
        unsigned long turns = 0;
        unsigned long rounds = strtoul(line + strcspn(line, "0123456789"), NULL, 10) - follows;
        bool fine = !follows || ist_wait(items[1], IST_FOREVER) == IST_OK;
        for (; fine && rounds > 0; rounds--, turns++)
            fine = ist_signal_and_wait(items[0], items[1], IST_FOREVER) == IST_OK;
        if (fine && follows)
            turns += ist_event_set(events[0]) == IST_OK;
        peer_answer("%lu", turns);
    }
    return 0;
}

/* E1: automatic events, so that a turn that was lost or came twice stops them */
TEST(two_processes_take_turns)
{
    waiter_set set;
    waiter_make(&set, "event", "event", (char *)NULL);
    peer *first = peer_start("partner", peer_word(set.names[0]), peer_word(set.names[1]), (const char *)NULL);
    peer *second = peer_start("partner", peer_word(set.names[1]), peer_word(set.names[0]), (const char *)NULL);
    WAITER_HEAR(first, "ready");
    WAITER_HEAR(second, "ready");
    peer_say(second, "follow 2000");
    peer_say(first, "begin 2000");
    WAITER_HEAR(first, "2000");
    WAITER_HEAR(second, "2000");
    WAITER_CHECK(&set, "0 0");
    peer_end(first);
    peer_end(second);
    waiter_close(&set);
}

/* X1: the way a condition is waited for */
TEST(whoever_lets_go_of_a_mutex_and_waits_hears_what_is_said_under_it)
{
    waiter_set set;
    waiter_make(&set, "mutex", "event", (char *)NULL);
    peer *other = waiter_start_patient(&set);
    for (int round = 0; round < 100; round++) {
        PEER_ASK(other, "IST_OK 0", "any 0 0");
        PEER_ASK(other, "waiting", "begin swap 0 1 forever");
        CHECK_OK(ist_wait(set.items[0], waiter_bound_ns()));
        CHECK_OK(ist_event_set(set.handles[1]));
        CHECK_OK(ist_mutex_release(set.handles[0]));
        WAITER_HEAR(other, "IST_OK");
        WAITER_CHECK(&set, "0 0");
    }
    peer_end(other);
    waiter_close(&set);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(one_is_signalled_and_the_other_taken),
        RUN(one_object_may_be_both),
        RUN(a_mutex_that_is_signalled_is_released_once),
        RUN(after_a_timeout_the_signal_has_been_given),
        RUN(its_timeout_is_never_early),
        RUN(an_abandoned_mutex_is_told_and_owned),
        RUN(when_the_signal_fails_nothing_is_waited_for),
        RUN(when_the_wait_is_refused_nothing_is_signalled),
        RUN(a_blocked_one_is_released_by_the_other_process),
        RUN(two_processes_take_turns),
        RUN(whoever_lets_go_of_a_mutex_and_waits_hears_what_is_said_under_it),
    };
    return cmocka_run_group_tests_name("signal_and_wait", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {WAITER_ROLE_ROW, {"partner", run_partner}};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
