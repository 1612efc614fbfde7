/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Waits for all of several: all or none (W3), abandoned mutexes among them (W4). What others see of them while they go
 * on is in wait_all_race.c.
 */
#include "support/clock.h"
#include "support/waiter.h"

static ist_status all(const waiter_set *set, int64_t timeout_ns)
{
    return ist_wait_all(set->items, set->count, timeout_ns);
}

/* ---- all ---- */

/* W3 W1 */
TEST(all_of_several_kinds_are_taken_at_once)
{
    waiter_set set;
    waiter_make(&set, "2", "set", "manual-set", "timer", "manual-timer", "mutex", (char *)NULL);
    CHECK_OK(ist_timer_set(set.handles[3], IST_TIMER_RELATIVE, 0, 0));
    CHECK_OK(ist_timer_set(set.handles[4], IST_TIMER_RELATIVE, 0, 0));
    CHECK_OK(all(&set, 0));
    WAITER_CHECK(&set, "1 0 1 0 1 1");
    CHECK_OK(ist_mutex_release(set.handles[5]));
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(set.handles[5]));
    waiter_close(&set);
}

/* W3 */
TEST(a_wait_for_all_of_one_is_a_wait_for_it)
{
    waiter_set set;
    waiter_make(&set, "1", (char *)NULL);
    CHECK_OK(all(&set, IST_FOREVER));
    CHECK_STATUS(IST_TIMEOUT, all(&set, 0));
    WAITER_CHECK(&set, "0");
    waiter_close(&set);
}

/* W3 W1 */
TEST(own_mutexes_in_the_set_are_owned_once_more)
{
    waiter_set set;
    waiter_make(&set, "owned", "1", "mutex", (char *)NULL);
    peer *other = waiter_start(&set);
    CHECK_OK(all(&set, 0));
    CHECK_OK(ist_mutex_release(set.handles[0]));
    CHECK_OK(ist_mutex_release(set.handles[2]));
    PEER_ASK(other, "IST_OK 1", "any 0 0 2");
    CHECK_OK(ist_mutex_release(set.handles[0]));
    PEER_ASK(other, "IST_OK 0", "any 0 0 2");
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(set.handles[0]));
    peer_end(other);
    waiter_close(&set);
}

/* W3: they may be in one wait for any everywhere */
TEST(scopes_mix_in_a_wait_for_all_only_where_the_trait_says_so)
{
    ist_traits traits = IST_TRAITS_INIT;
    ist_semaphore *semaphores[2] = {NULL, NULL};
    ist_semaphore_options options = IST_SEMAPHORE_OPTIONS_INIT;
    size_t index = 99;
    ist_traits_get(&traits);
    options.initial = 2;
    for (size_t i = 0; i < 2; i++) {
        char name[NAME_SIZE];
        unique_name(name, i == 0 ? "Global\\" : "Local\\", "wait");
        ist_status status = ist_semaphore_create(&semaphores[i], name, &options);
        if (status == IST_E_ACCESS)
            SKIP(scopes_mix_in_a_wait_for_all_only_where_the_trait_says_so,
                 "this user may not create Global\\ objects");
        CHECK_OK(status);
    }
    const ist_waitable *items[2] = {ist_semaphore_waitable(semaphores[0]), ist_semaphore_waitable(semaphores[1])};
    CHECK_STATUS(traits.wait_all_mixed != 0 ? IST_OK : IST_E_UNSUPPORTED, ist_wait_all(items, 2, 0));
    for (size_t i = 0; i < 2; i++) {
        ist_semaphore_state state = IST_SEMAPHORE_STATE_INIT;
        CHECK_OK(ist_semaphore_query(semaphores[i], &state));
        assert_int_equal(state.count, 2 - traits.wait_all_mixed);
    }
    CHECK_OK(ist_wait_any(items, 2, 0, &index));
    assert_int_equal(index, 0);
    ist_semaphore_close(semaphores[0]);
    ist_semaphore_close(semaphores[1]);
}

/* W3 */
TEST(named_and_unnamed_objects_are_waited_for_together)
{
    waiter_set set;
    ist_event *unnamed = NULL;
    waiter_make(&set, "1", (char *)NULL);
    CHECK_OK(ist_event_create(&unnamed, NULL, NULL));
    const ist_waitable *items[2] = {set.items[0], ist_event_waitable(unnamed)};
    CHECK_STATUS(IST_TIMEOUT, ist_wait_all(items, 2, 0));
    CHECK_OK(ist_event_set(unnamed));
    CHECK_OK(ist_wait_all(items, 2, 0));
    WAITER_CHECK(&set, "0");
    CHECK_STATUS(IST_TIMEOUT, ist_wait(items[1], 0));
    ist_event_close(unnamed);
    waiter_close(&set);
}

/* ---- or none ---- */

/* W3: whichever is missing, and wherever it stands */
TEST(where_one_is_missing_nothing_is_taken)
{
    static const char *const there[] = {"1", "set", "manual-set", "owned"};
    static const char *const missing[] = {"0", "event", "manual", "timer", "manual-timer"};
    for (size_t place = 0; place < COUNT_OF(there); place++) {
        for (size_t i = 0; i < COUNT_OF(missing); i++) {
            waiter_set set;
            const char *words[COUNT_OF(there)];
            memcpy(words, there, sizeof words);
            words[place] = missing[i];
            waiter_make(&set, words[0], words[1], words[2], words[3], (char *)NULL);
            CHECK_STATUS(IST_TIMEOUT, all(&set, 0));
            CHECK_STATUS(IST_TIMEOUT, all(&set, CLOCK_MS));
            for (size_t n = 0; n < COUNT_OF(there); n++)
                CHECK_ROW(words[n], n == place ? IST_TIMEOUT : IST_OK, ist_wait(set.items[n], 0));
            /* The try just made and what was there before, and no more. */
            if (place != 3) {
                CHECK_OK(ist_mutex_release(set.handles[3]));
                CHECK_OK(ist_mutex_release(set.handles[3]));
                CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(set.handles[3]));
            }
            waiter_close(&set);
        }
    }
}

/* W3 X5 */
TEST(where_a_mutex_is_anothers_nothing_is_taken)
{
    waiter_set set;
    waiter_make(&set, "1", "mutex", "set", "mutex", (char *)NULL);
    peer *other = waiter_start(&set);
    PEER_ASK(other, "IST_OK 0", "any 0 1");
    CHECK_STATUS(IST_TIMEOUT, all(&set, 0));
    CHECK_STATUS(IST_TIMEOUT, all(&set, 20 * CLOCK_MS));
    WAITER_CHECK(&set, "1 1 1 0");
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(set.handles[3]));
    PEER_ASK(other, "IST_OK", "release 1");
    CHECK_OK(all(&set, 0));
    WAITER_CHECK(&set, "0 1 0 1");
    peer_end(other);
    waiter_close(&set);
}

/* W3 W1 */
TEST(a_wait_for_all_that_is_refused_has_taken_nothing)
{
    waiter_set set;
    ist_semaphore *second = NULL;
    ist_semaphore *reader = NULL;
    waiter_make(&set, "1", "set", "mutex", (char *)NULL);
    CHECK_OK(ist_semaphore_open(&second, set.names[0], IST_WRITE));
    CHECK_OK(ist_semaphore_open(&reader, set.names[0], IST_READ));
    const ist_waitable *items[4] = {set.items[0], set.items[1], set.items[2], ist_semaphore_waitable(second)};
    CHECK_STATUS(IST_E_ARG, ist_wait_all(items, 4, 0));
    WAITER_CHECK(&set, "1 1 0");
    items[0] = ist_semaphore_waitable(reader);
    CHECK_STATUS(IST_E_ACCESS, ist_wait_all(items, 3, 0));
    WAITER_CHECK(&set, "1 1 0");
    ist_semaphore_close(reader);
    ist_semaphore_close(second);
    waiter_close(&set);
}

/* ---- blocked ---- */

/* W3 */
TEST(a_blocked_wait_for_all_holds_nothing_back)
{
    waiter_set set;
    waiter_make(&set, "1", "set", "mutex", "manual", (char *)NULL);
    peer *other = waiter_start_patient(&set);
    waiter_begin(other, "all forever 0 1 2 3");
    WAITER_CHECK(&set, "1 1 0 0");
    for (size_t i = 0; i < 3; i++)
        CHECK_OK(ist_wait(set.items[i], 0));
    CHECK_OK(ist_event_set(set.handles[3]));
    WAITER_CHECK(&set, "0 0 1 1");
    CHECK_OK(ist_mutex_release(set.handles[2]));
    CHECK_OK(ist_event_set(set.handles[1]));
    WAITER_CHECK(&set, "0 1 0 1");
    CHECK_OK(ist_semaphore_release(set.handles[0], 1, NULL));
    WAITER_HEAR(other, "IST_OK");
    WAITER_CHECK(&set, "0 0 1 1");
    peer_end(other);
    waiter_close(&set);
}

/* W3: one change after another, in every place the last one */
TEST(a_blocked_wait_for_all_ends_with_the_last_change_whichever_it_is)
{
    waiter_set set;
    waiter_make(&set, "0", "event", "mutex", "0", (char *)NULL);
    peer *other = waiter_start_patient(&set);
    for (size_t last = 0; last < 4; last++) {
        CHECK_OK(ist_wait(set.items[2], 0));
        waiter_begin(other, "all forever 0 1 2 3");
        for (size_t n = 1; n <= 4; n++) {
            switch ((last + n) % 4) {
            case 1:
                CHECK_OK(ist_event_set(set.handles[1]));
                break;
            case 2:
                CHECK_OK(ist_mutex_release(set.handles[2]));
                break;
            default:
                CHECK_OK(ist_semaphore_release(set.handles[(last + n) % 4], 1, NULL));
                break;
            }
        }
        WAITER_HEAR(other, "IST_OK");
        WAITER_CHECK(&set, "0 0 1 0");
        PEER_ASK(other, "IST_OK", "release 2");
    }
    peer_end(other);
    waiter_close(&set);
}

/* E1 W3 */
TEST(a_set_that_is_reset_before_the_others_come_releases_nobody)
{
    waiter_set set;
    waiter_make(&set, "manual", "0", (char *)NULL);
    peer *other = waiter_start_patient(&set);
    waiter_begin(other, "all 300 0 1");
    CHECK_OK(ist_event_set(set.handles[0]));
    CHECK_OK(ist_event_reset(set.handles[0]));
    CHECK_OK(ist_semaphore_release(set.handles[1], 1, NULL));
    WAITER_HEAR(other, "IST_TIMEOUT");
    WAITER_CHECK(&set, "0 1");
    peer_end(other);
    waiter_close(&set);
}

/* W3 E2 */
TEST(a_blocked_waiter_for_all_that_is_killed_leaves_everything)
{
    waiter_set set;
    waiter_make(&set, "1", "set", "mutex", "event", (char *)NULL);
    for (int round = 0; round < 5; round++) {
        peer *victim = waiter_start_patient(&set);
        peer *heir = waiter_start_patient(&set);
        waiter_begin(victim, "all forever 0 1 2 3");
        waiter_begin(heir, "all forever 3 2 1 0");
        peer_kill(victim);
        WAITER_CHECK(&set, "1 1 0 0");
        CHECK_OK(ist_event_set(set.handles[3]));
        WAITER_HEAR(heir, "IST_OK");
        WAITER_CHECK(&set, "0 0 1 0");
        PEER_ASK(heir, "IST_OK", "release 2");
        CHECK_OK(ist_semaphore_release(set.handles[0], 1, NULL));
        CHECK_OK(ist_event_set(set.handles[1]));
        peer_forget(victim);
        peer_end(heir);
    }
    waiter_close(&set);
}

/* ---- abandoned mutexes ---- */

/* W4 */
TEST(an_abandoned_mutex_in_the_set_is_told_and_all_are_owned)
{
    waiter_set set;
    waiter_make(&set, "mutex", "1", "mutex", "mutex", (char *)NULL);
    peer *other = waiter_start(&set);
    waiter_abandon(&set, 2);
    waiter_abandon(&set, 3);
    CHECK_STATUS(IST_ABANDONED, all(&set, 0));
    WAITER_CHECK(&set, "1 0 1 1");
    PEER_ASK(other, "IST_TIMEOUT -", "any 0 0 2 3");
    CHECK_OK(ist_semaphore_release(set.handles[1], 1, NULL));
    CHECK_OK(all(&set, 0));
    for (size_t n = 0; n < 6; n++)
        CHECK_OK(ist_mutex_release(set.handles[n % 3 == 1 ? 3 : n % 3]));
    PEER_ASK(other, "IST_OK", "all 0 0 2 3");
    peer_end(other);
    waiter_close(&set);
}

/* W4 W3 */
TEST(a_wait_for_all_that_times_out_leaves_a_mutex_abandoned)
{
    waiter_set set;
    waiter_make(&set, "mutex", "0", (char *)NULL);
    waiter_abandon(&set, 0);
    CHECK_STATUS(IST_TIMEOUT, all(&set, 0));
    CHECK_STATUS(IST_TIMEOUT, all(&set, 20 * CLOCK_MS));
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(set.handles[0]));
    CHECK_STATUS(IST_ABANDONED, ist_wait(set.items[0], 0));
    waiter_close(&set);
}

/* W4 X3 */
TEST(a_blocked_wait_for_all_learns_of_an_owners_death)
{
    waiter_set set;
    waiter_make(&set, "1", "mutex", "mutex", (char *)NULL);
    peer *owner = waiter_start(&set);
    peer *other = waiter_start(&set);
    PEER_ASK(owner, "IST_OK 0", "any 0 1");
    waiter_begin(other, "all forever 0 1 2");
    WAITER_CHECK(&set, "1 1 0");
    peer_kill(owner);
    WAITER_HEAR(other, "IST_ABANDONED");
    WAITER_CHECK(&set, "0 1 1");
    PEER_ASK(other, "IST_OK", "release 1");
    PEER_ASK(other, "IST_OK", "release 2");
    peer_forget(owner);
    peer_end(other);
    waiter_close(&set);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(all_of_several_kinds_are_taken_at_once),
        RUN(a_wait_for_all_of_one_is_a_wait_for_it),
        RUN(own_mutexes_in_the_set_are_owned_once_more),
        RUN(scopes_mix_in_a_wait_for_all_only_where_the_trait_says_so),
        RUN(named_and_unnamed_objects_are_waited_for_together),
        RUN(where_one_is_missing_nothing_is_taken),
        RUN(where_a_mutex_is_anothers_nothing_is_taken),
        RUN(a_wait_for_all_that_is_refused_has_taken_nothing),
        RUN(a_blocked_wait_for_all_holds_nothing_back),
        RUN(a_blocked_wait_for_all_ends_with_the_last_change_whichever_it_is),
        RUN(a_set_that_is_reset_before_the_others_come_releases_nobody),
        RUN(a_blocked_waiter_for_all_that_is_killed_leaves_everything),
        RUN(an_abandoned_mutex_in_the_set_is_told_and_all_are_owned),
        RUN(a_wait_for_all_that_times_out_leaves_a_mutex_abandoned),
        RUN(a_blocked_wait_for_all_learns_of_an_owners_death),
    };
    return cmocka_run_group_tests_name("wait_all", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {WAITER_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
