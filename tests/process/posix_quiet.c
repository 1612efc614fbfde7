/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * W6: what is not contended asks the system for nothing, which a filter of system calls shows; and who is blocked
 * sleeps but for its re-check, which is counted by the system.
 */
#include "support/check.h"
#include "support/clock.h"
#include "support/peer.h"

#include <signal.h>
#include <unistd.h>

#include "stage/deputy.h"
#include "stage/filter.h"
#include "stage/props.h"
#include "stage/stage.h"

#define OFTEN 1000

/* ---- no call ---- */

static ist_mutex *global_mutex;

static void mutexes(void)
{
    STAGE_IS(prop_acquire(0), IST_OK);
    STAGE_IS(prop_acquire_for_a_while(0), IST_OK);
    STAGE_IS(prop_try(0), IST_OK);
    for (int n = 0; n < 3; n++)
        STAGE_IS(prop_release(0), IST_OK);
    STAGE_IS(prop_release(0), IST_E_NOT_OWNER);
}

static void semaphores(void)
{
    const ist_waitable *item = ist_semaphore_waitable(prop_semaphore);
    uint32_t previous = 9;
    STAGE_IS(ist_wait(item, 0), IST_TIMEOUT);
    STAGE_IS(ist_semaphore_release(prop_semaphore, 2, &previous), IST_OK);
    STAGE_CHECK(previous == 0);
    STAGE_IS(ist_wait(item, IST_FOREVER), IST_OK);
    STAGE_IS(ist_wait(item, 1000), IST_OK);
}

static void events(void)
{
    const ist_waitable *item = ist_event_waitable(prop_event[0]);
    const ist_waitable *manual = ist_event_waitable(prop_manual[0]);
    STAGE_IS(ist_wait(item, 0), IST_TIMEOUT);
    STAGE_IS(ist_event_set(prop_event[0]), IST_OK);
    STAGE_IS(ist_event_reset(prop_event[0]), IST_OK);
    STAGE_IS(ist_event_set(prop_event[0]), IST_OK);
    STAGE_IS(ist_wait(item, IST_FOREVER), IST_OK);
    STAGE_IS(ist_wait(manual, 0), IST_TIMEOUT);
    STAGE_IS(ist_event_set(prop_manual[0]), IST_OK);
    STAGE_IS(ist_wait(manual, IST_FOREVER), IST_OK);
    STAGE_IS(ist_event_reset(prop_manual[0]), IST_OK);
}

static void several(void)
{
    const ist_waitable *items[] = {ist_event_waitable(prop_event[1]), ist_mutex_waitable(prop_mutex[1]),
                                   ist_semaphore_waitable(prop_semaphore), ist_event_waitable(prop_manual[1])};
    size_t index = 9;
    STAGE_IS(ist_wait_all(items, 4, 0), IST_TIMEOUT);
    STAGE_IS(ist_wait_any(items, 4, IST_FOREVER, &index), IST_OK);
    STAGE_CHECK(index == 1);
    STAGE_IS(ist_event_set(prop_event[1]), IST_OK);
    STAGE_IS(ist_event_set(prop_manual[1]), IST_OK);
    STAGE_IS(ist_semaphore_release(prop_semaphore, 1, NULL), IST_OK);
    STAGE_IS(ist_wait_all(items, 4, IST_FOREVER), IST_OK);
    STAGE_IS(ist_mutex_release(prop_mutex[1]), IST_OK);
    STAGE_IS(ist_mutex_release(prop_mutex[1]), IST_OK);
    STAGE_IS(ist_event_reset(prop_manual[1]), IST_OK);
    STAGE_IS(ist_signal_and_wait(items[2], items[1], 0), IST_OK);
    STAGE_IS(ist_signal_and_wait(items[1], items[2], 0), IST_OK);
}

static void two_scopes(void)
{
    STAGE_IS(ist_mutex_acquire(global_mutex, IST_FOREVER), IST_OK);
    STAGE_IS(prop_acquire(0), IST_OK);
    STAGE_IS(ist_mutex_release(global_mutex), IST_OK);
    STAGE_IS(prop_release(0), IST_OK);
}

static int play_without_calls(void *argument)
{
    void (*const *play)(void) = argument;
    char name[STAGE_NAME_SIZE];
    stage_name(name, "Global\\", "quiet");
    STAGE_IS(props_open(0), IST_OK);
    STAGE_IS(ist_mutex_create(&global_mutex, name, NULL), IST_OK);
    (*play)(); /* the thread's first acquisition */
    if (!filter_forbid_all())
        return 1;
    for (int n = 0; n < OFTEN; n++)
        (*play)();
    return 0;
}

static void check_without_calls(void (*play)(void), const char *what)
{
    unsigned before = stage_failures();
    stage_case("%s", what);
    props_begin("quiet");
    assert_int_equal(stage_run(play_without_calls, &play), 0);
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZER_CALLS true
#endif
#endif
#if !defined(SANITIZER_CALLS)
#define SANITIZER_CALLS false
#endif

#define NEEDS_FILTER(test)                                                                                             \
    do {                                                                                                               \
        const char *why = NULL;                                                                                        \
        if (SANITIZER_CALLS)                                                                                           \
            SKIP(test, "this sanitizer makes system calls of its own");                                                \
        if (!filter_works(&why))                                                                                       \
            SKIP(test, why);                                                                                           \
    } while (0)

/* W6 */
TEST(an_uncontended_mutex_asks_the_system_for_nothing)
{
    NEEDS_FILTER(an_uncontended_mutex_asks_the_system_for_nothing);
    check_without_calls(mutexes, "a mutex");
}

/* W6 */
TEST(a_semaphore_and_an_event_that_nobody_waits_for_ask_the_system_for_nothing)
{
    NEEDS_FILTER(a_semaphore_and_an_event_that_nobody_waits_for_ask_the_system_for_nothing);
    check_without_calls(semaphores, "a semaphore");
    check_without_calls(events, "events");
}

/* W6 */
TEST(a_wait_for_several_that_are_signalled_asks_the_system_for_nothing)
{
    NEEDS_FILTER(a_wait_for_several_that_are_signalled_asks_the_system_for_nothing);
    check_without_calls(several, "several");
}

/* W6 */
TEST(mutexes_of_two_scopes_in_turn_ask_the_system_for_nothing)
{
    NEEDS_FILTER(mutexes_of_two_scopes_in_turn_ask_the_system_for_nothing);
    check_without_calls(two_scopes, "mutexes of both scopes in turn");
}

/* ---- asleep ---- */

static ist_status await_any(unsigned ignored)
{
    const ist_waitable *items[] = {ist_mutex_waitable(prop_mutex[0]), ist_event_waitable(prop_event[0]),
                                   ist_semaphore_waitable(prop_semaphore), ist_timer_waitable(prop_timer)};
    (void)ignored;
    return ist_wait_any(items, 4, IST_FOREVER, NULL);
}

static ist_status await_all(unsigned ignored)
{
    const ist_waitable *items[] = {ist_mutex_waitable(prop_mutex[0]), ist_event_waitable(prop_event[0])};
    (void)ignored;
    return ist_wait_all(items, 2, IST_FOREVER);
}

static ist_status await_far_timer(unsigned ignored)
{
    (void)ignored;
    STAGE_IS(ist_timer_set(prop_timer, IST_TIMER_RELATIVE, PROP_HOUR_NS, 0), IST_OK);
    return ist_wait(ist_timer_waitable(prop_timer), IST_FOREVER);
}

static deputy_job *const blocked[] = {prop_acquire, prop_await_event, prop_await_manual,
                                      await_any,    await_all,        await_far_timer};

static int sleep_soundly(void *argument)
{
    deputy *owner = props_deputy();
    (void)argument;
    DEPUTY_IS(owner, prop_acquire, 0, IST_OK);
    for (size_t n = 0; n < COUNT_OF(blocked); n++) {
        deputy *waiter = props_patient_deputy();
        deputy_ask(waiter, blocked[n], 0);
        deputy_await_sleep(waiter);
        unsigned long before = deputy_sleeps(waiter);
        usleep(300000);
        if (before == 0 || deputy_sleeps(waiter) != before)
            stage_fail("waiter %u went to sleep %lu times while it was blocked", (unsigned)n,
                       deputy_sleeps(waiter) - before);
        deputy_kill(waiter);
    }
    return 0;
}

/* A re-check costs a sleep, and asking may cost some. */
static int sleep_lightly(void *argument)
{
    deputy *owner = props_deputy();
    ist_traits traits = {.struct_size = sizeof traits};
    (void)argument;
    ist_traits_get(&traits);
    DEPUTY_IS(owner, prop_acquire, 0, IST_OK);
    for (size_t n = 0; n < COUNT_OF(blocked); n++) {
        deputy *waiter = props_deputy();
        deputy_ask(waiter, blocked[n], 0);
        deputy_await_sleep(waiter);
        unsigned long before = deputy_sleeps(waiter);
        int64_t began = clock_steady_ns();
        usleep(500000);
        unsigned long sleeps = deputy_sleeps(waiter) - before;
        uint64_t due = (uint64_t)(clock_steady_ns() - began) / traits.recheck_ns + 1;
        if (sleeps == 0 || sleeps > 3 * due)
            stage_fail("waiter %u went to sleep %lu times in the time of %lu re-checks", (unsigned)n, sleeps,
                       (unsigned long)due);
        deputy_kill(waiter);
    }
    return 0;
}

static void check_sleep(int (*play)(void *), const char *what)
{
    unsigned before = stage_failures();
    stage_case("%s", what);
    props_begin("asleep");
    assert_int_equal(stage_run(play, NULL), 0);
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

/* W5 W6 */
TEST(who_is_blocked_sleeps_but_for_its_re_check)
{
    ist_traits traits = {.struct_size = sizeof traits};
    ist_traits_get(&traits);
    if (!traits.abandon_at_once)
        SKIP(who_is_blocked_sleeps_but_for_its_re_check, "deaths are found by looking again");
    check_sleep(sleep_soundly, "waiters whose re-check is an hour");
    check_sleep(sleep_lightly, "waiters with the usual re-check");
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(an_uncontended_mutex_asks_the_system_for_nothing),
        RUN(a_semaphore_and_an_event_that_nobody_waits_for_ask_the_system_for_nothing),
        RUN(a_wait_for_several_that_are_signalled_asks_the_system_for_nothing),
        RUN(mutexes_of_two_scopes_in_turn_ask_the_system_for_nothing),
        RUN(who_is_blocked_sleeps_but_for_its_re_check),
    };
    return cmocka_run_group_tests_name("process.posix_quiet", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
