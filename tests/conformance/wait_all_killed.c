/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Whoever is killed in the middle of a wait for all has taken nothing (W3), strands nobody (E2), and leaves nothing
 * that others would run out of (L3).
 */
#include "support/clock.h"
#include "support/host.h"
#include "support/waiter.h"

#define CROWD 4

/* Ends a peer that polls without end, after so many milliseconds of it. */
static void kill_in_the_middle(peer *victim, int64_t time_ms)
{
    waiter_rest(time_ms * CLOCK_MS);
    peer_kill(victim);
    peer_forget(victim);
}

static peer *start_spinning(const waiter_set *set, const char *slots)
{
    peer *victim = waiter_start(set);
    PEER_ASK(victim, "spinning", "spin %s", slots);
    return victim;
}

/* W3: whoever looks first finds everything */
TEST(a_waiter_for_all_that_is_killed_at_any_time_has_taken_nothing)
{
    static const char *const slots[] = {"0 1", "1 2", "2 3 1 0", "3 0 1"};
    waiter_set set;
    waiter_make(&set, "1", "event", "set", "mutex", (char *)NULL);
    for (int round = 0; round < 32; round++) {
        kill_in_the_middle(start_spinning(&set, slots[round % 4]), 1 + round % 5);
        if (round % 2 == 0)
            WAITER_CHECK(&set, "1 0 1 0");
        CHECK_OK(ist_wait(set.items[0], 0));
        CHECK_OK(ist_wait(set.items[2], 0));
        CHECK_OK(ist_wait(set.items[3], 0));
        CHECK_OK(ist_semaphore_release(set.handles[0], 1, NULL));
        CHECK_OK(ist_event_set(set.handles[2]));
        CHECK_OK(ist_mutex_release(set.handles[3]));
        CHECK_STATUS(IST_TIMEOUT, ist_wait(set.items[1], 0));
    }
    waiter_close(&set);
}

/* W3 E2: those who are blocked for what it was about to take get it */
TEST(a_waiter_for_all_that_is_killed_strands_nobody_who_waits_for_a_part)
{
    static const char *const waits[CROWD] = {"any forever 1", "all forever 1 2", "any forever 3 2", "all forever 1 3"};
    static const char *const answers[CROWD] = {"IST_OK 0", "IST_OK", "IST_OK 1", "IST_OK"};
    for (int round = 0; round < 8; round++) {
        waiter_set set;
        waiter_make(&set, "1", "0", "0", "event", (char *)NULL);
        peer *waiting = waiter_start(&set);
        peer *victim = start_spinning(&set, "0 1 2 3");
        waiter_begin(waiting, waits[round % CROWD]);
        CHECK_OK(ist_semaphore_release(set.handles[1], 1, NULL));
        CHECK_OK(ist_semaphore_release(set.handles[2], 1, NULL));
        kill_in_the_middle(victim, round / CROWD);
        if (round % CROWD == 3)
            CHECK_OK(ist_event_set(set.handles[3]));
        WAITER_HEAR(waiting, answers[round % CROWD]);
        peer_end(waiting);
        waiter_close(&set);
    }
}

/* W3 L3: neither by what they were about to take, which is gone, nor by what they had for the wait itself. An emulator
   is too slow for as many as would show it, and has nothing that could run out. */
TEST(however_many_are_killed_others_go_on_waiting_for_all)
{
    waiter_set kept;
    waiter_make(&kept, "1", "1", (char *)NULL);
    for (int round = 0; round < (host_emulator() != NULL ? 5 : 800); round++) {
        waiter_set set;
        waiter_make(&set, "1", "1", "1", "1", "1", "1", "1", "event", (char *)NULL);
        kill_in_the_middle(start_spinning(&set, "0 1 2 3 4 5 6 7"), 1);
        waiter_close(&set);
        CHECK_OK(ist_wait_all(kept.items, 2, 0));
        CHECK_OK(ist_semaphore_release(kept.handles[0], 1, NULL));
        CHECK_OK(ist_semaphore_release(kept.handles[1], 1, NULL));
    }
    waiter_close(&kept);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_waiter_for_all_that_is_killed_at_any_time_has_taken_nothing),
        RUN(a_waiter_for_all_that_is_killed_strands_nobody_who_waits_for_a_part),
        RUN(however_many_are_killed_others_go_on_waiting_for_all),
    };
    return cmocka_run_group_tests_name("wait_all_killed", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {WAITER_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
