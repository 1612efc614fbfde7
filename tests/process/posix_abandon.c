/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * X3, E2, hazards 11, 12, 18, 19: who learns of a death. The kernel tells one of those who sleep on a life; where that
 * has to suffice the re-check is an hour, so that a wake-up that is lost stays lost. Where it may be lost, because it
 * went to somebody who died or stands still, the usual re-check heals it.
 */
#include "support/check.h"
#include "support/peer.h"

#include <errno.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage/deputy.h"
#include "stage/props.h"
#include "stage/stage.h"
#include "stage/trace.h"

#define WAITERS 4

/* Each play is a process of its own. */
static void on_stage(int (*play)(void *), void *argument, const char *what)
{
    unsigned before = stage_failures();
    stage_case("%s", what);
    props_begin("abandon");
    assert_int_equal(stage_run(play, argument), 0);
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

#define NEEDS_REPORTS(test)                                                                                            \
    do {                                                                                                               \
        ist_traits traits = {.struct_size = sizeof traits};                                                            \
        ist_traits_get(&traits);                                                                                       \
        if (!traits.abandon_at_once)                                                                                   \
            SKIP(test, "deaths are found by looking again");                                                           \
    } while (0)

#define NEEDS_TRACES(test)                                                                                             \
    do {                                                                                                               \
        const char *why = NULL;                                                                                        \
        if (!trace_works(&why))                                                                                        \
            SKIP(test, why);                                                                                           \
    } while (0)

/* ---- the kernel wakes one ---- */

static int one_mutex(void *argument)
{
    deputy *owner = props_deputy();
    deputy *waiters[WAITERS];
    unsigned served = 0;
    (void)argument;
    DEPUTY_IS(owner, prop_acquire, 0, IST_OK);
    for (size_t n = 0; n < WAITERS; n++)
        deputy_ask_asleep(waiters[n] = props_patient_deputy(), prop_acquire, 0);
    deputy_kill(owner);
    for (bool done[WAITERS] = {false}; served < WAITERS; usleep(100))
        for (size_t n = 0; n < WAITERS; n++)
            if (!done[n] && deputy_has_answered(waiters[n])) {
                done[n] = true;
                DEPUTY_ANSWERS(waiters[n], served++ == 0 ? IST_ABANDONED : IST_OK);
                DEPUTY_IS(waiters[n], prop_release, 0, IST_OK);
            }
    return 0;
}

static int mutex_for_each(void *argument)
{
    deputy *owner = props_deputy();
    deputy *waiters[WAITERS];
    (void)argument;
    for (unsigned n = 0; n < WAITERS; n++)
        DEPUTY_IS(owner, prop_acquire, n, IST_OK);
    for (unsigned n = 0; n < WAITERS; n++)
        deputy_ask_asleep(waiters[n] = props_patient_deputy(), prop_acquire, n);
    deputy_kill(owner);
    for (unsigned n = 0; n < WAITERS; n++)
        DEPUTY_ANSWERS(waiters[n], IST_ABANDONED);
    return 0;
}

/* X3, hazard 11 */
TEST(all_who_sleep_on_one_life_learn_of_its_end)
{
    NEEDS_REPORTS(all_who_sleep_on_one_life_learn_of_its_end);
    on_stage(one_mutex, NULL, "four waiters for one mutex");
    on_stage(mutex_for_each, NULL, "four waiters for four mutexes of one owner");
}

#define FELLOWS 8
#define ROUNDS 40

/* Owner and eight waiters in one process die at once: the wake-up may go to one of the dying. */
static int die_together(void *argument)
{
    deputy *survivors[WAITERS];
    unsigned long rounds = stage_number("ISTHMUS_TEST_ROUNDS", ROUNDS);
    (void)argument;
    survivors[0] = props_deputy();
    survivors[1] = deputy_start_thread(survivors[0]);
    survivors[2] = props_deputy();
    survivors[3] = deputy_start_thread(survivors[2]);
    for (unsigned long round = 0; round < rounds; round++) {
        stage_case("round %lu of owners that die with eight waiters", round);
        deputy *owner = props_deputy();
        for (unsigned n = 0; n < WAITERS; n++)
            DEPUTY_IS(owner, prop_acquire, n, IST_OK);
        for (unsigned n = 0; n < FELLOWS; n++)
            deputy_ask(deputy_start_thread(owner), prop_acquire, n % WAITERS);
        for (unsigned n = 0; n < WAITERS; n++)
            deputy_ask_asleep(survivors[n], prop_acquire, n);
        deputy_kill(owner);
        for (unsigned n = 0; n < WAITERS; n++) {
            DEPUTY_ANSWERS(survivors[n], IST_ABANDONED);
            DEPUTY_IS(survivors[n], prop_release, n, IST_OK);
        }
    }
    return 0;
}

/* X3, hazard 11 */
TEST(who_waits_learns_also_where_the_wake_went_to_the_dying)
{
    on_stage(die_together, NULL, "owners that die with eight waiters");
}

/* ---- who is told and does not take ---- */

static ist_status mutex_and_event(unsigned number)
{
    const ist_waitable *items[] = {ist_mutex_waitable(prop_mutex[0]), ist_event_waitable(prop_event[number])};
    return ist_wait_all(items, 2, IST_FOREVER);
}

/* The wait for all sleeps on the mutex if it comes first in the order of the objects, which is random. */
static int gather_in_vain(void *argument)
{
    deputy *owner = props_deputy();
    deputy *gatherers[PROPS];
    (void)argument;
    DEPUTY_IS(owner, prop_acquire, 0, IST_OK);
    DEPUTY_IS(owner, prop_acquire, 1, IST_OK);
    for (unsigned n = 0; n < PROPS; n++)
        deputy_ask_asleep(gatherers[n] = props_patient_deputy(), mutex_and_event, n);
    deputy *waiter = props_patient_deputy();
    deputy_ask_asleep(waiter, prop_acquire, 1);
    deputy_kill(owner);
    DEPUTY_ANSWERS(waiter, IST_ABANDONED);
    return 0;
}

/* X3 W3, hazard 11: whoever sees a death first tells the others, also when he does not take. */
TEST(a_wait_for_all_that_cannot_go_on_does_not_keep_a_death_to_itself)
{
    NEEDS_REPORTS(a_wait_for_all_that_cannot_go_on_does_not_keep_a_death_to_itself);
    on_stage(gather_in_vain, NULL, "waits for all that see a death");
}

/* ---- who is told and stands still ---- */

static ist_status event_or_mutex_traced(unsigned number)
{
    const ist_waitable *items[] = {ist_event_waitable(prop_event[number]), ist_mutex_waitable(prop_mutex[number])};
    size_t index = 9;
    trace_join();
    ist_status status = ist_wait_any(items, 2, IST_FOREVER, &index);
    return status == IST_OK && index == 0 ? IST_EXISTED : status;
}

#define CALL_FUTEX_WAITV 449

/* Lets it sleep in the kernel, from where it comes back to a stop. */
static void let_sleep(trace *child, const deputy *who)
{
    while (!(child->entry && child->call == CALL_FUTEX_WAITV) && trace_steps(child, 1))
        continue;
    STAGE_CHECK(!child->ended && ptrace(PTRACE_SYSCALL, child->pid, NULL, NULL) == 0);
    deputy_await_sleep(who);
}

/* The first who slept is the one whom the kernel wakes. */
static void await_wake(const trace *child)
{
    int status = 0;
    while (waitpid(child->pid, &status, __WALL) < 0 && errno == EINTR)
        continue;
    STAGE_CHECK(WIFSTOPPED(status));
}

typedef enum fate { TAKES_ANOTHER, STAYS, DIES } fate;

static int told_and_still(void *argument)
{
    fate what = *(fate *)argument;
    deputy *owner = props_deputy();
    deputy *told = props_deputy();
    deputy *waiter = what == TAKES_ANOTHER ? props_patient_deputy() : props_deputy();
    trace child;
    DEPUTY_IS(owner, prop_acquire, 0, IST_OK);
    STAGE_IS(props_open(0), IST_OK);
    deputy_ask(told, event_or_mutex_traced, 0);
    trace_begin(&child, told->process);
    let_sleep(&child, told);
    deputy_ask_asleep(waiter, prop_acquire, 0);
    deputy_kill(owner);
    await_wake(&child);
    if (what == TAKES_ANOTHER) {
        STAGE_IS(prop_set(0), IST_OK);
        trace_let_go(&child);
        DEPUTY_ANSWERS(told, IST_EXISTED);
        stage_case("who was told has taken another");
    } else if (what == DIES) {
        trace_kill(&child);
    }
    DEPUTY_ANSWERS(waiter, IST_ABANDONED);
    return 0;
}

/* X3, hazards 11, 18 */
TEST(who_is_told_of_a_death_and_takes_another_object_passes_it_on)
{
    NEEDS_REPORTS(who_is_told_of_a_death_and_takes_another_object_passes_it_on);
    NEEDS_TRACES(who_is_told_of_a_death_and_takes_another_object_passes_it_on);
    on_stage(told_and_still, &(fate){TAKES_ANOTHER}, "who is told takes another");
}

/* X3 L8, hazard 11 */
TEST(who_is_told_of_a_death_and_stops_or_dies_delays_others_by_a_re_check)
{
    NEEDS_REPORTS(who_is_told_of_a_death_and_stops_or_dies_delays_others_by_a_re_check);
    NEEDS_TRACES(who_is_told_of_a_death_and_stops_or_dies_delays_others_by_a_re_check);
    on_stage(told_and_still, &(fate){STAYS}, "who is told stands still");
    on_stage(told_and_still, &(fate){DIES}, "who is told dies");
}

/* ---- a life that is another's by now ---- */

static unsigned *tries;

static ist_status snatch(unsigned number)
{
    ist_status status = IST_TIMEOUT;
    while (status == IST_TIMEOUT) {
        status = prop_try(number);
        __atomic_fetch_add(tries, 1, __ATOMIC_RELEASE);
    }
    return status;
}

static void ask_snatching(deputy *who)
{
    unsigned before = __atomic_load_n(tries, __ATOMIC_ACQUIRE);
    deputy_ask(who, snatch, 0);
    while (__atomic_load_n(tries, __ATOMIC_ACQUIRE) < before + 10)
        usleep(100);
}

/* The sleeper began when `first` owned; then `second` does, and dies. */
static int stale_life(void *argument)
{
    bool first_dies = *(bool *)argument;
    ist_status second_gets = first_dies ? IST_ABANDONED : IST_OK;
    unsigned snatched = 0;
    tries = stage_memory(sizeof *tries);
    for (unsigned round = 0; round < 10; round++) {
        deputy *first = props_deputy();
        deputy *second = props_deputy();
        deputy *sleeper = props_patient_deputy();
        stage_case("round %u of a stale life", round);
        DEPUTY_IS(first, prop_acquire, 0, IST_OK);
        deputy_ask_asleep(sleeper, prop_acquire, 0);
        ask_snatching(second);
        if (first_dies)
            deputy_kill(first);
        else
            DEPUTY_IS(first, prop_release, 0, IST_OK);
        while (!deputy_has_answered(second) && !deputy_has_answered(sleeper))
            usleep(100);
        if (deputy_has_answered(second)) {
            snatched++;
            DEPUTY_ANSWERS(second, second_gets);
            deputy_kill(second);
            DEPUTY_ANSWERS(sleeper, IST_ABANDONED);
            DEPUTY_IS(sleeper, prop_release, 0, IST_OK);
        } else {
            DEPUTY_ANSWERS(sleeper, second_gets);
            DEPUTY_IS(sleeper, prop_release, 0, IST_OK);
            DEPUTY_ANSWERS(second, IST_OK);
            DEPUTY_IS(second, prop_release, 0, IST_OK);
        }
    }
    printf("%u of 10 sleepers were overtaken\n", snatched);
    return 0;
}

/* X3, hazard 12 */
TEST(who_sleeps_learns_of_the_end_of_an_owner_that_came_later)
{
    bool ways[] = {false, true};
    NEEDS_REPORTS(who_sleeps_learns_of_the_end_of_an_owner_that_came_later);
    for (size_t n = 0; n < COUNT_OF(ways); n++)
        on_stage(stale_life, &ways[n], "a stale life");
}

/* ---- between the change and the wake ---- */

static ist_status set_traced(unsigned number)
{
    trace_join();
    return prop_set(number);
}

static ist_status release_traced(unsigned number)
{
    trace_join();
    return prop_release(number);
}

static int changes_and_wakes_nobody(void *argument)
{
    bool dies = *(bool *)argument;
    deputy *changer = props_deputy();
    deputy *waiter = props_deputy();
    deputy *beside = deputy_start_thread(waiter);
    trace child;
    DEPUTY_IS(changer, prop_acquire, 0, IST_OK);
    deputy_ask_asleep(waiter, prop_acquire, 0);
    deputy_ask_asleep(beside, prop_await_event, 0);
    deputy_ask(changer, release_traced, 0);
    trace_begin(&child, changer->process);
    STAGE_CHECK(trace_steps(&child, 1) && child.entry); /* at its wake */
    if (dies)
        trace_kill(&child);
    DEPUTY_ANSWERS(waiter, IST_OK);
    if (!dies)
        trace_let_go(&child);
    deputy *setter = props_deputy();
    deputy_ask(setter, set_traced, 0);
    trace_begin(&child, setter->process);
    STAGE_CHECK(trace_steps(&child, 1) && child.entry);
    if (dies)
        trace_kill(&child);
    DEPUTY_ANSWERS(beside, IST_OK);
    return 0;
}

/* E2 L8, hazard 19 */
TEST(who_stops_or_dies_before_the_wake_delays_others_by_a_re_check)
{
    bool ways[] = {false, true};
    NEEDS_REPORTS(who_stops_or_dies_before_the_wake_delays_others_by_a_re_check);
    NEEDS_TRACES(who_stops_or_dies_before_the_wake_delays_others_by_a_re_check);
    for (size_t n = 0; n < COUNT_OF(ways); n++)
        on_stage(changes_and_wakes_nobody, &ways[n], "a change without its wake");
}

static int die_asleep(void *argument)
{
    deputy *sleepers[WAITERS];
    (void)argument;
    STAGE_IS(props_open(0), IST_OK);
    for (size_t n = 0; n < WAITERS; n++)
        deputy_ask_asleep(sleepers[n] = props_patient_deputy(), prop_await_event, 0);
    for (size_t n = 0; n + 1 < WAITERS; n++)
        deputy_kill(sleepers[n]);
    STAGE_IS(prop_set(0), IST_OK);
    DEPUTY_ANSWERS(sleepers[WAITERS - 1], IST_OK);
    return 0;
}

/* E2 */
TEST(sleepers_that_are_killed_strand_nobody_and_take_no_set_along)
{
    on_stage(die_asleep, NULL, "sleepers that are killed");
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(all_who_sleep_on_one_life_learn_of_its_end),
        RUN(who_waits_learns_also_where_the_wake_went_to_the_dying),
        RUN(a_wait_for_all_that_cannot_go_on_does_not_keep_a_death_to_itself),
        RUN(who_is_told_of_a_death_and_takes_another_object_passes_it_on),
        RUN(who_is_told_of_a_death_and_stops_or_dies_delays_others_by_a_re_check),
        RUN(who_sleeps_learns_of_the_end_of_an_owner_that_came_later),
        RUN(who_stops_or_dies_before_the_wake_delays_others_by_a_re_check),
        RUN(sleepers_that_are_killed_strand_nobody_and_take_no_set_along),
    };
    return cmocka_run_group_tests_name("process.posix_abandon", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
