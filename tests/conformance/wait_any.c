/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Waits for any of several: which one is taken, that it is one, and that the others are as they were (W2), abandoned
 * mutexes among them (W4), and that none of this changes among many processes.
 */
#include "support/clock.h"
#include "support/waiter.h"

#define CROWD 8
#define ROUNDS 100

/* How long processes are let race where nothing else ends it. */
#define RACE_NS (250 * CLOCK_MS)

static size_t any(const waiter_set *set, ist_status expected)
{
    size_t index = 99;
    CHECK_STATUS(expected, ist_wait_any(set->items, set->count, 0, &index));
    return index;
}

/* ---- which one ---- */

/* W2 */
TEST(the_first_of_those_that_are_signalled_is_taken)
{
    /* Every pattern of six semaphores. */
    for (unsigned pattern = 1; pattern < 64; pattern++) {
        waiter_set set;
        size_t lowest = 0;
        char left[16];
        waiter_make(&set, pattern & 1 ? "1" : "0", pattern & 2 ? "1" : "0", pattern & 4 ? "1" : "0",
                    pattern & 8 ? "1" : "0", pattern & 16 ? "1" : "0", pattern & 32 ? "1" : "0", (char *)NULL);
        while ((pattern >> lowest & 1) == 0)
            lowest++;
        assert_int_equal(any(&set, IST_OK), lowest);
        for (size_t i = 0; i < 6; i++) {
            left[2 * i] = (pattern >> i & 1) != 0 && i != lowest ? '1' : '0';
            left[2 * i + 1] = i == 5 ? '\0' : ' ';
        }
        WAITER_CHECK(&set, left);
        waiter_close(&set);
    }
}

/* W2 */
TEST(objects_are_taken_one_after_another_in_their_order)
{
    waiter_set set;
    waiter_make(&set, "2", "set", "timer", "manual-set", "mutex", (char *)NULL);
    CHECK_OK(ist_timer_set(set.handles[2], IST_TIMER_RELATIVE, 0, 0));
    WAITER_CHECK(&set, "2 1 1 1 0");
    assert_int_equal(any(&set, IST_OK), 0);
    WAITER_CHECK(&set, "1 1 1 1 0");
    assert_int_equal(any(&set, IST_OK), 0);
    WAITER_CHECK(&set, "0 1 1 1 0");
    assert_int_equal(any(&set, IST_OK), 1);
    WAITER_CHECK(&set, "0 0 1 1 0");
    assert_int_equal(any(&set, IST_OK), 2);
    WAITER_CHECK(&set, "0 0 0 1 0");
    for (int n = 0; n < 3; n++)
        assert_int_equal(any(&set, IST_OK), 3);
    CHECK_OK(ist_event_reset(set.handles[3]));
    assert_int_equal(any(&set, IST_OK), 4);
    WAITER_CHECK(&set, "0 0 0 0 1");
    CHECK_OK(ist_mutex_release(set.handles[4]));
    waiter_close(&set);
}

/* W2 X5 */
TEST(a_wait_that_times_out_has_taken_nothing_and_tells_no_index)
{
    waiter_set set;
    size_t index = 99;
    waiter_make(&set, "mutex", "0", "event", "manual", "timer", "manual-timer", (char *)NULL);
    peer *other = waiter_start(&set);
    PEER_ASK(other, "IST_OK 0", "any 0 0");
    CHECK_STATUS(IST_TIMEOUT, ist_wait_any(set.items, set.count, 0, &index));
    CHECK_STATUS(IST_TIMEOUT, ist_wait_any(set.items, set.count, 30 * CLOCK_MS, &index));
    assert_int_equal(index, 99);
    WAITER_CHECK(&set, "1 0 0 0 0 0");
    peer_end(other);
    waiter_close(&set);
}

/* W2 */
TEST(the_last_of_sixty_four_is_found)
{
    waiter_set set;
    ist_semaphore *made[IST_WAIT_MAX];
    const ist_waitable *items[IST_WAIT_MAX];
    size_t index = 99;
    waiter_make(&set, "1", (char *)NULL);
    for (size_t i = 0; i < IST_WAIT_MAX; i++) {
        CHECK_OK(ist_semaphore_create(&made[i], NULL, NULL));
        items[i] = ist_semaphore_waitable(made[i]);
    }
    for (size_t i = IST_WAIT_MAX; i-- > 0;) {
        CHECK_OK(ist_semaphore_release(made[i], 1, NULL));
        CHECK_OK(ist_wait_any(items, IST_WAIT_MAX, 0, &index));
        assert_int_equal(index, i);
        CHECK_STATUS(IST_TIMEOUT, ist_wait_any(items, IST_WAIT_MAX, 0, &index));
    }
    for (size_t i = 0; i < IST_WAIT_MAX; i++)
        ist_semaphore_close(made[i]);
    waiter_close(&set);
}

/* W2 */
TEST(a_blocked_wait_takes_what_another_process_signals)
{
    waiter_set set;
    waiter_make(&set, "0", "event", "manual", "timer", "owned", (char *)NULL);
    peer *other = waiter_start_patient(&set);
    static const char *const answers[] = {"IST_OK 0", "IST_OK 1", "IST_OK 2", "IST_OK 3", "IST_OK 4"};
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        waiter_begin(other, "any forever 0 1 2 3 4");
        switch (i) {
        case 0:
            CHECK_OK(ist_semaphore_release(set.handles[0], 1, NULL));
            break;
        case 1:
            CHECK_OK(ist_event_set(set.handles[1]));
            break;
        case 2:
            CHECK_OK(ist_event_set(set.handles[2]));
            break;
        case 3:
            CHECK_OK(ist_timer_set(set.handles[3], IST_TIMER_RELATIVE, 0, 0));
            break;
        default:
            CHECK_OK(ist_mutex_release(set.handles[4]));
            break;
        }
        WAITER_HEAR(other, answers[i]);
        CHECK_OK(ist_event_reset(set.handles[2]));
        WAITER_CHECK(&set, "0 0 0 0 1");
    }
    PEER_ASK(other, "IST_OK", "release 4");
    peer_end(other);
    waiter_close(&set);
}

/* W4 */
TEST(an_abandoned_mutex_is_told_by_its_index)
{
    waiter_set set;
    waiter_make(&set, "0", "mutex", "1", (char *)NULL);
    waiter_abandon(&set, 1);
    assert_int_equal(any(&set, IST_ABANDONED), 1);
    WAITER_CHECK(&set, "0 1 1");
    CHECK_OK(ist_mutex_release(set.handles[1]));
    assert_int_equal(any(&set, IST_OK), 1);
    CHECK_OK(ist_mutex_release(set.handles[1]));
    waiter_close(&set);
}

/* W4 W2 */
TEST(an_abandoned_mutex_behind_what_is_taken_stays_abandoned)
{
    waiter_set set;
    waiter_make(&set, "1", "mutex", "mutex", (char *)NULL);
    waiter_abandon(&set, 1);
    waiter_abandon(&set, 2);
    assert_int_equal(any(&set, IST_OK), 0);
    assert_int_equal(any(&set, IST_ABANDONED), 1);
    assert_int_equal(any(&set, IST_OK), 1);
    CHECK_STATUS(IST_ABANDONED, ist_wait(set.items[2], 0));
    waiter_close(&set);
}

/* W4 X3 */
TEST(a_blocked_wait_for_any_takes_a_mutex_whose_owner_dies)
{
    waiter_set set;
    waiter_make(&set, "0", "mutex", "event", (char *)NULL);
    peer *owner = waiter_start(&set);
    peer *other = waiter_start(&set);
    PEER_ASK(owner, "IST_OK 0", "any 0 1");
    waiter_begin(other, "any forever 0 1 2");
    peer_kill(owner);
    WAITER_HEAR(other, "IST_ABANDONED 1");
    PEER_ASK(other, "IST_OK", "release 1");
    PEER_ASK(other, "IST_OK 1", "any 0 0 1 2");
    peer_forget(owner);
    peer_end(other);
    waiter_close(&set);
}

/* ---- many processes ---- */

static peer *crowd[CROWD];

/* W2: what was released is what was taken, each of it once */
TEST(many_who_wait_for_the_same_set_take_each_release_once)
{
    waiter_set set;
    static const char *const waits[] = {"any forever 0 1 2", "any forever 2 1 0", "any forever 1", "any forever 1 0"};
    waiter_make(&set, "0", "0", "event", (char *)NULL);
    for (size_t i = 0; i < CROWD; i++)
        crowd[i] = waiter_start_patient(&set);
    for (int round = 0; round < ROUNDS / 4; round++) {
        for (size_t i = 0; i < CROWD; i++)
            PEER_ASK(crowd[i], "waiting", "begin %s", waits[i % COUNT_OF(waits)]);
        /* Those who wait for the second only are served whatever the others take: enough for all of them comes. */
        CHECK_OK(ist_semaphore_release(set.handles[0], CROWD / 2, NULL));
        CHECK_OK(ist_semaphore_release(set.handles[1], CROWD, NULL));
        char heard[PEER_LINE_SIZE];
        for (size_t i = 0; i < CROWD; i++) {
            peer_hear(crowd[i], heard);
            assert_memory_equal(heard, "IST_OK ", 7);
        }
        for (size_t left = CROWD / 2; left > 0; left--)
            CHECK_OK(ist_wait_any(set.items, 3, 0, NULL));
        WAITER_CHECK(&set, "0 0 0");
    }
    for (size_t i = 0; i < CROWD; i++)
        peer_end(crowd[i]);
    waiter_close(&set);
}

/* W2 E2: T waits for {1, 0} and U for {0}: whatever T takes, a set of 0 that it has not taken is U's */
TEST(whoever_takes_another_object_leaves_the_first_to_others)
{
    waiter_set set;
    waiter_make(&set, "event", "event", (char *)NULL);
    peer *both = waiter_start_patient(&set);
    peer *one = waiter_start_patient(&set);
    for (int round = 0; round < ROUNDS; round++) {
        char heard[PEER_LINE_SIZE];
        PEER_ASK(one, "waiting", "begin any forever 0");
        PEER_ASK(both, "waiting", "begin any forever 1 0");
        if (round % 4 == 0)
            waiter_rest(3 * CLOCK_MS);
        CHECK_OK(ist_event_set(set.handles[0]));
        CHECK_OK(ist_event_set(set.handles[1]));
        peer_hear(both, heard);
        if (strcmp(heard, "IST_OK 1") == 0) {
            /* It took the one set of the first, and the second is still there. */
            CHECK_OK(ist_wait(set.items[1], 0));
            CHECK_OK(ist_event_set(set.handles[0]));
        } else {
            assert_string_equal(heard, "IST_OK 0");
        }
        WAITER_HEAR(one, "IST_OK 0");
        WAITER_CHECK(&set, "0 0");
    }
    peer_end(both);
    peer_end(one);
    waiter_close(&set);
}

static int run_toggler(int argc, char **argv)
{
    ist_event *event = NULL;
    ist_semaphore *semaphore = NULL;
    char line[PEER_LINE_SIZE];
    if (argc < 2 || ist_event_open(&event, argv[0], IST_WRITE) != IST_OK ||
        ist_semaphore_open(&semaphore, argv[1], IST_WRITE) != IST_OK)
        return 1;
    const ist_waitable *pair[2] = {ist_semaphore_waitable(semaphore), ist_event_waitable(event)};
    peer_answer("ready");
    while (peer_listen(line)) {
        int wrong = 0;
        for (int64_t end = clock_steady_ns() + RACE_NS; clock_steady_ns() < end;) {
            wrong += ist_event_set(event) != IST_OK;
            wrong += ist_wait_all(pair, 2, 0) < 0;
            wrong += ist_wait_any(pair, 2, 0, NULL) < 0;
            wrong += ist_event_reset(event) != IST_OK;
        }
        peer_answer("%d", wrong);
    }
    return 0;
}

/* W2: whatever becomes of the others, the first is signalled throughout the call, so it is the one */
TEST(an_object_that_is_signalled_throughout_is_never_passed_over)
{
    waiter_set set;
    waiter_make(&set, "manual-set", "event", "0", (char *)NULL);
    for (size_t i = 0; i < 3; i++) {
        crowd[i] = peer_start("toggler", peer_word(set.names[1]), peer_word(set.names[2]), (const char *)NULL);
        WAITER_HEAR(crowd[i], "ready");
    }
    for (size_t i = 0; i < 3; i++)
        peer_say(crowd[i], "go");
    for (int64_t end = clock_steady_ns() + RACE_NS; clock_steady_ns() < end;) {
        const ist_waitable *behind[3] = {set.items[2], set.items[0], set.items[1]};
        size_t index = 99;
        assert_int_equal(any(&set, IST_OK), 0);
        CHECK_OK(ist_wait_any(behind, 3, 0, &index));
        assert_int_equal(index, 1);
    }
    for (size_t i = 0; i < 3; i++) {
        WAITER_HEAR(crowd[i], "0");
        peer_end(crowd[i]);
    }
    waiter_close(&set);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(the_first_of_those_that_are_signalled_is_taken),
        RUN(objects_are_taken_one_after_another_in_their_order),
        RUN(a_wait_that_times_out_has_taken_nothing_and_tells_no_index),
        RUN(the_last_of_sixty_four_is_found),
        RUN(a_blocked_wait_takes_what_another_process_signals),
        RUN(an_abandoned_mutex_is_told_by_its_index),
        RUN(an_abandoned_mutex_behind_what_is_taken_stays_abandoned),
        RUN(a_blocked_wait_for_any_takes_a_mutex_whose_owner_dies),
        RUN(many_who_wait_for_the_same_set_take_each_release_once),
        RUN(whoever_takes_another_object_leaves_the_first_to_others),
        RUN(an_object_that_is_signalled_throughout_is_never_passed_over),
    };
    return cmocka_run_group_tests_name("wait_any", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {WAITER_ROLE_ROW, {"toggler", run_toggler}};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
