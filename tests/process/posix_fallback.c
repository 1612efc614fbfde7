/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Where the system has no futex_waitv, or a filter forbids it, waits for several objects are polled: everything works,
 * a death is found as before, and the traits say that nobody is told of it at once.
 */
#include "support/check.h"
#include "support/clock.h"
#include "support/peer.h"

#include <errno.h>
#include <unistd.h>

#include "stage/deputy.h"
#include "stage/filter.h"
#include "stage/props.h"
#include "stage/stage.h"

#define CALL_FUTEX_WAITV 449u

static ist_status forbid(unsigned error)
{
    return filter_refuse(CALL_FUTEX_WAITV, error) ? IST_OK : IST_E_UNSUPPORTED;
}

/* The re-check is an hour: no poll may need it. */
static deputy *start(unsigned error)
{
    deputy *made = props_patient_deputy();
    DEPUTY_IS(made, forbid, error, IST_OK);
    return made;
}

static void with_each_error(int (*play)(void *), const char *what)
{
    static const unsigned errors[] = {ENOSYS, EPERM};
    unsigned before = stage_failures();
    for (size_t n = 0; n < COUNT_OF(errors); n++) {
        unsigned error = errors[n];
        stage_case("%s, futex_waitv refused with %u", what, error);
        props_begin("fallback");
        assert_int_equal(stage_run(play, &error), 0);
        stage_clear();
    }
    assert_int_equal(stage_failures(), before);
}

#define NEEDS_FILTER(test)                                                                                             \
    do {                                                                                                               \
        const char *why = NULL;                                                                                        \
        if (!filter_works(&why))                                                                                       \
            SKIP(test, why);                                                                                           \
    } while (0)

/* ---- traits ---- */

static ist_status tells_at_once(unsigned unused)
{
    ist_traits traits = {.struct_size = sizeof traits};
    (void)unused;
    ist_traits_get(&traits);
    return traits.abandon_at_once ? IST_OK : IST_TIMEOUT;
}

static int ask_traits(void *argument)
{
    DEPUTY_IS(start(*(unsigned *)argument), tells_at_once, 0, IST_TIMEOUT);
    return 0;
}

/* X3 */
TEST(the_traits_do_not_promise_what_the_system_forbids)
{
    NEEDS_FILTER(the_traits_do_not_promise_what_the_system_forbids);
    with_each_error(ask_traits, "traits");
}

/* ---- deaths ---- */

static int owner_dies(void *argument)
{
    deputy *owner = props_deputy();
    deputy *waiter = start(*(unsigned *)argument);
    deputy *thread = deputy_start_thread(waiter);
    DEPUTY_IS(owner, prop_acquire, 0, IST_OK);
    DEPUTY_IS(owner, prop_acquire, 1, IST_OK);
    deputy_ask_asleep(waiter, prop_acquire, 0);
    deputy_ask_asleep(thread, prop_acquire, 1);
    deputy_kill(owner);
    DEPUTY_ANSWERS(waiter, IST_ABANDONED);
    DEPUTY_ANSWERS(thread, IST_ABANDONED);
    return 0;
}

static int owner_releases(void *argument)
{
    deputy *owner = start(*(unsigned *)argument);
    deputy *waiter = start(*(unsigned *)argument);
    DEPUTY_IS(owner, prop_acquire, 0, IST_OK);
    deputy_ask_asleep(waiter, prop_acquire, 0);
    DEPUTY_IS(owner, prop_release, 0, IST_OK);
    DEPUTY_ANSWERS(waiter, IST_OK);
    deputy_ask_asleep(owner, prop_acquire, 0);
    deputy_kill(waiter);
    DEPUTY_ANSWERS(owner, IST_ABANDONED);
    return 0;
}

/* X3 */
TEST(an_owners_end_is_found_without_futex_waitv)
{
    NEEDS_FILTER(an_owners_end_is_found_without_futex_waitv);
    with_each_error(owner_dies, "an owner that dies");
    with_each_error(owner_releases, "an owner that releases, and one that dies");
}

/* ---- several ---- */

#define SEVERAL 5

static void list_items(const ist_waitable *items[SEVERAL])
{
    items[0] = ist_event_waitable(prop_event[0]);
    items[1] = ist_mutex_waitable(prop_mutex[0]);
    items[2] = ist_semaphore_waitable(prop_semaphore);
    items[3] = ist_timer_waitable(prop_timer);
    items[4] = ist_event_waitable(prop_manual[0]);
}

/* IST_OK when it took the item with this number; with the number SEVERAL it waits 20 ms for nothing. */
static ist_status await_any(unsigned number)
{
    const ist_waitable *items[SEVERAL];
    int64_t timeout_ns = number < SEVERAL ? IST_FOREVER : 20 * CLOCK_MS;
    int64_t began = clock_steady_ns();
    size_t index = SEVERAL;
    list_items(items);
    ist_status status = ist_wait_any(items, SEVERAL, timeout_ns, &index);
    if (status == IST_TIMEOUT)
        STAGE_CHECK(clock_steady_ns() - began >= timeout_ns);
    else
        STAGE_CHECK(index == number);
    return status;
}

static ist_status await_all(unsigned unused)
{
    const ist_waitable *items[SEVERAL];
    (void)unused;
    list_items(items);
    return ist_wait_all(items, SEVERAL, IST_FOREVER);
}

static ist_status give(unsigned number)
{
    switch (number) {
    case 0:
        return ist_event_set(prop_event[0]);
    case 1:
        return ist_mutex_release(prop_mutex[0]);
    case 2:
        return ist_semaphore_release(prop_semaphore, 1, NULL);
    case 3:
        return ist_timer_set(prop_timer, IST_TIMER_RELATIVE, CLOCK_MS, 0);
    default:
        return ist_event_set(prop_manual[0]);
    }
}

static int wait_for_any(void *argument)
{
    deputy *owner = props_deputy();
    deputy *waiter = start(*(unsigned *)argument);
    DEPUTY_IS(owner, prop_acquire, 0, IST_OK);
    DEPUTY_IS(waiter, await_any, SEVERAL, IST_TIMEOUT);
    for (unsigned n = 0; n < SEVERAL; n++) {
        deputy_ask_asleep(waiter, await_any, n);
        DEPUTY_IS(owner, give, n, IST_OK);
        DEPUTY_ANSWERS(waiter, IST_OK);
        if (n == 1) {
            DEPUTY_IS(waiter, prop_release, 0, IST_OK);
            DEPUTY_IS(owner, prop_acquire, 0, IST_OK);
        }
    }
    return 0;
}

static int wait_for_all(void *argument)
{
    deputy *owner = props_deputy();
    deputy *waiter = start(*(unsigned *)argument);
    DEPUTY_IS(owner, prop_acquire, 0, IST_OK);
    deputy_ask_asleep(waiter, await_all, 0);
    for (unsigned n = 0; n < SEVERAL; n++)
        if (n != 1)
            DEPUTY_IS(owner, give, n, IST_OK);
    deputy_await_sleep(waiter);
    STAGE_CHECK(!deputy_has_answered(waiter));
    deputy_kill(owner);
    DEPUTY_ANSWERS(waiter, IST_ABANDONED);
    return 0;
}

/* W1 W2 W5 */
TEST(waits_for_several_work_without_futex_waitv)
{
    NEEDS_FILTER(waits_for_several_work_without_futex_waitv);
    with_each_error(wait_for_any, "a wait for any");
    with_each_error(wait_for_all, "a wait for all");
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(the_traits_do_not_promise_what_the_system_forbids),
        RUN(an_owners_end_is_found_without_futex_waitv),
        RUN(waits_for_several_work_without_futex_waitv),
    };
    return cmocka_run_group_tests_name("process.posix_fallback", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
