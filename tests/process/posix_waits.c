/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What POSIX has and waits do not let through: signal handlers that return (W5) and cancelled threads; and what only
 * POSIX promises of ist_signal_and_wait.
 */
#include "support/clock.h"
#include "support/waiter.h"

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

static volatile sig_atomic_t interruptions;

static void count_interruption(int number)
{
    (void)number;
    interruptions++;
}

/* From here on a handler runs every 3 ms; 0 ends that. */
static void interrupt_every_ms(long interval_ms)
{
    struct sigaction action = {0};
    struct itimerval timer = {{0, interval_ms * 1000}, {0, interval_ms * 1000}};
    action.sa_handler = count_interruption;
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    interruptions = 0;
    assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* Waits for what does not come. */
typedef ist_status wait_for_nothing(const waiter_set *set, int64_t timeout_ns);

static ist_status wait_one(const waiter_set *set, int64_t timeout_ns)
{
    return ist_wait(set->items[0], timeout_ns);
}

static ist_status wait_any(const waiter_set *set, int64_t timeout_ns)
{
    return ist_wait_any(set->items, 3, timeout_ns, NULL);
}

static ist_status wait_all(const waiter_set *set, int64_t timeout_ns)
{
    return ist_wait_all(set->items, set->count, timeout_ns);
}

static ist_status wait_swap(const waiter_set *set, int64_t timeout_ns)
{
    return ist_signal_and_wait(set->items[1], set->items[0], timeout_ns);
}

static wait_for_nothing *const waits[] = {wait_one, wait_any, wait_all, wait_swap};

/* W5 */
TEST(a_handler_that_returns_does_not_end_a_wait_before_its_time)
{
    for (size_t i = 0; i < COUNT_OF(waits); i++) {
        waiter_set set;
        waiter_make(&set, "event", "0", "timer", "set", (char *)NULL);
        interrupt_every_ms(3);
        int64_t start = clock_steady_ns();
        ist_status status = waits[i](&set, 100 * CLOCK_MS);
        int64_t end = clock_steady_ns();
        sig_atomic_t seen = interruptions;
        interrupt_every_ms(0);
        CHECK_STATUS(IST_TIMEOUT, status);
        assert_true(end - start >= 100 * CLOCK_MS);
        assert_true(seen > 0);
        waiter_close(&set);
    }
}

/* W5: it goes on, and still hears what it waits for */
TEST(a_wait_that_was_interrupted_is_released_by_a_set)
{
    waiter_set set;
    waiter_make(&set, "event", "manual", (char *)NULL);
    peer *other = waiter_start(&set);
    interrupt_every_ms(3);
    for (int round = 0; round < 20; round++) {
        /* The peer sets the event at some time while this process waits. */
        peer_say(other, "any 5 1");
        peer_say(other, "set 0");
        ist_status status = ist_wait(set.items[0], waiter_bound_ns());
        WAITER_HEAR(other, "IST_TIMEOUT -");
        WAITER_HEAR(other, "IST_OK");
        CHECK_OK(status);
    }
    interrupt_every_ms(0);
    peer_end(other);
    waiter_close(&set);
}

typedef struct cancelled {
    const ist_waitable *item;
    ist_semaphore *begun;
    ist_status status;
    bool returned;
} cancelled;

static void *wait_and_note(void *argument)
{
    cancelled *me = argument;
    (void)ist_semaphore_release(me->begun, 1, NULL);
    me->status = ist_wait(me->item, IST_FOREVER);
    me->returned = true;
    pthread_testcancel();
    return NULL;
}

TEST(cancelling_a_thread_does_not_end_its_wait)
{
    waiter_set set;
    pthread_t thread;
    void *result = NULL;
    waiter_make(&set, "0", "event", (char *)NULL);
    cancelled body = {set.items[1], set.handles[0], IST_E_OS, false};
    assert_int_equal(pthread_create(&thread, NULL, wait_and_note, &body), 0);
    CHECK_OK(ist_wait(set.items[0], waiter_bound_ns()));
    waiter_rest(10 * CLOCK_MS);
    assert_int_equal(pthread_cancel(thread), 0);
    waiter_rest(30 * CLOCK_MS);
    CHECK_OK(ist_event_set(set.handles[1]));
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_true(body.returned);
    CHECK_OK(body.status);
    assert_ptr_equal(result, PTHREAD_CANCELED);
    WAITER_CHECK(&set, "0 0");
    waiter_close(&set);
}

/* Answers each request at once by a set and a reset, and says when that is over. */
static int run_pulser(int argc, char **argv)
{
    ist_event *events[2] = {NULL, NULL};
    ist_semaphore *over = NULL;
    if (argc < 3 || ist_event_open(&events[0], argv[0], IST_WRITE) != IST_OK ||
        ist_event_open(&events[1], argv[1], IST_WRITE) != IST_OK ||
        ist_semaphore_open(&over, argv[2], IST_WRITE) != IST_OK)
        return 1;
    peer_answer("ready");
    while (ist_wait(ist_event_waitable(events[0]), IST_FOREVER) == IST_OK && ist_event_set(events[1]) == IST_OK &&
           ist_event_reset(events[1]) == IST_OK && ist_semaphore_release(over, 1, NULL) == IST_OK)
        continue;
    return 1;
}

/* E1: whoever signals and waits is blocked from before the signal on, as far as a set and a reset in answer go */
TEST(an_answer_that_is_set_and_reset_at_once_is_never_missed)
{
    waiter_set set;
    waiter_make(&set, "event", "manual", "0", (char *)NULL);
    peer *other = peer_start("pulser", peer_word(set.names[0]), peer_word(set.names[1]), peer_word(set.names[2]),
                             (const char *)NULL);
    WAITER_HEAR(other, "ready");
    for (int n = 0; n < 2000; n++) {
        CHECK_OK(ist_signal_and_wait(set.items[0], set.items[1], waiter_bound_ns()));
        CHECK_OK(ist_wait(set.items[2], waiter_bound_ns()));
    }
    WAITER_CHECK(&set, "0 0 0");
    peer_kill(other);
    peer_forget(other);
    waiter_close(&set);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_handler_that_returns_does_not_end_a_wait_before_its_time),
        RUN(a_wait_that_was_interrupted_is_released_by_a_set),
        RUN(cancelling_a_thread_does_not_end_its_wait),
        RUN(an_answer_that_is_set_and_reset_at_once_is_never_missed),
    };
    return cmocka_run_group_tests_name("posix_waits", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {WAITER_ROLE_ROW, {"pulser", run_pulser}};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
