/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A5: processes of other ABIs and C libraries share every kind with this one's. ISTHMUS_TEST_MIXED names this program
 * as it was built for others, with a colon between them; each scene is played by every two of them, both ways. The leg
 * `mixed` does that; elsewhere there is nobody to meet.
 */
#include "support/check.h"
#include "support/clock.h"
#include "support/peer.h"
#include "support/utc.h"
#include "support/waiter.h"

#include <unistd.h>

/* ---- who plays ---- */

#define BUILDS_MAX 4

/* The first is this program itself. */
static const char *builds[BUILDS_MAX];
static size_t build_count;

static bool find_builds(void)
{
    static char text[2048];
    const char *named = getenv("ISTHMUS_TEST_MIXED");
    if (build_count == 0) {
        snprintf(text, sizeof text, "%s", named != NULL ? named : "");
        builds[build_count++] = "";
        for (char *at = strtok(text, ":"); at != NULL && build_count < BUILDS_MAX; at = strtok(NULL, ":"))
            builds[build_count++] = at;
    }
    return build_count > 1;
}

/* What is started between these two is of that build. */
static void begin_build(size_t build)
{
    assert_int_equal(setenv("ISTHMUS_TEST_RUNNER", builds[build], 1), 0);
}

static void end_build(void)
{
    assert_int_equal(unsetenv("ISTHMUS_TEST_RUNNER"), 0);
}

static peer *start(size_t build, const waiter_set *set)
{
    begin_build(build);
    peer *who = waiter_start_patient(set);
    end_build();
    return who;
}

typedef void scene(size_t one, size_t other);

static void by_every_two(scene *play)
{
    for (size_t one = 0; one < build_count; one++)
        for (size_t other = 0; other < build_count; other++)
            if (one != other)
                play(one, other);
}

#define NEEDS_BUILDS(test)                                                                                             \
    do {                                                                                                               \
        if (!find_builds())                                                                                            \
            SKIP(test, "ISTHMUS_TEST_MIXED names no programs of other ABIs");                                          \
    } while (0)

/* ---- objects ---- */

static void hand_over(size_t one, size_t other)
{
    waiter_set set = {0};
    waiter_make(&set, "mutex", (const char *)NULL);
    peer *owner = start(one, &set);
    peer *waiter = start(other, &set);
    for (int n = 0; n < 3; n++) {
        PEER_ASK(owner, "IST_OK 0", "any 0 0");
        PEER_ASK(waiter, "IST_TIMEOUT -", "any 0 0");
        PEER_ASK(waiter, "IST_E_NOT_OWNER", "release 0");
        waiter_begin(waiter, "any forever 0");
        PEER_ASK(owner, "IST_OK", "release 0");
        WAITER_HEAR(waiter, "IST_OK 0");
        PEER_ASK(owner, "IST_TIMEOUT -", "any 0 0");
        PEER_ASK(waiter, "IST_OK", "release 0");
    }
    peer_end(owner);
    peer_end(waiter);
    waiter_close(&set);
}

/* A5 X1 */
TEST(a_mutex_is_handed_over_between_abis)
{
    NEEDS_BUILDS(a_mutex_is_handed_over_between_abis);
    by_every_two(hand_over);
}

static void abandon(size_t one, size_t other)
{
    waiter_set set = {0};
    waiter_make(&set, "mutex", "mutex", "event", (const char *)NULL);
    peer *owner = start(one, &set);
    peer *first = start(other, &set);
    peer *second = start(other, &set);
    PEER_ASK(owner, "IST_OK 0", "any 0 0");
    PEER_ASK(owner, "IST_OK 0", "any 0 1");
    waiter_begin(first, "any forever 2 0");
    waiter_begin(second, "any forever 1");
    peer_kill(owner);
    WAITER_HEAR(first, "IST_ABANDONED 1");
    WAITER_HEAR(second, "IST_ABANDONED 0");
    peer_forget(owner);
    peer_end(first);
    peer_end(second);
    waiter_close(&set);
}

/* A5 X3 */
TEST(an_owner_of_another_abi_that_is_killed_abandons_at_once)
{
    NEEDS_BUILDS(an_owner_of_another_abi_that_is_killed_abandons_at_once);
    by_every_two(abandon);
}

static void count_and_signal(size_t one, size_t other)
{
    waiter_set set = {0};
    waiter_make(&set, "0", "event", "manual", (const char *)NULL);
    peer *giver = start(one, &set);
    peer *waiter = start(other, &set);
    waiter_begin(waiter, "any forever 0");
    PEER_ASK(giver, "IST_OK", "release 0 3");
    WAITER_HEAR(waiter, "IST_OK 0");
    PEER_ASK(waiter, "2", "state 0");
    PEER_ASK(giver, "2", "state 0");
    waiter_begin(waiter, "any forever 1");
    PEER_ASK(giver, "IST_OK", "set 1");
    WAITER_HEAR(waiter, "IST_OK 0");
    PEER_ASK(giver, "IST_TIMEOUT -", "any 0 1");
    waiter_begin(waiter, "any forever 2");
    PEER_ASK(giver, "IST_OK", "set 2");
    PEER_ASK(giver, "IST_OK", "reset 2");
    WAITER_HEAR(waiter, "IST_OK 0"); /* E1 */
    PEER_ASK(waiter, "IST_TIMEOUT -", "any 0 2");
    peer_end(giver);
    peer_end(waiter);
    waiter_close(&set);
}

/* A5 S2 E1 */
TEST(semaphores_and_events_are_shared_between_abis)
{
    NEEDS_BUILDS(semaphores_and_events_are_shared_between_abis);
    by_every_two(count_and_signal);
}

static void arm_and_await(size_t one, size_t other)
{
    waiter_set set = {0};
    waiter_make(&set, "timer", "manual-timer", (const char *)NULL);
    peer *setter = start(one, &set);
    peer *waiter = start(other, &set);
    waiter_begin(waiter, "any forever 0"); /* sleeps before it is set */
    PEER_ASK(setter, "IST_OK", "arm 0 relative 20000000 0");
    WAITER_HEAR(waiter, "IST_OK 0");
    PEER_ASK(setter, "IST_OK", "arm 0 relative 1000000 5");
    for (int n = 0; n < 3; n++)
        PEER_ASK(waiter, "IST_OK 0", "any forever 0");
    PEER_ASK(waiter, "IST_OK", "cancel 0");
    PEER_ASK(setter, "IST_OK", "arm 1 utc %llu 0", (unsigned long long)(utc_now_ns() + 50 * CLOCK_MS));
    PEER_ASK(waiter, "IST_OK 0", "any forever 1");
    PEER_ASK(setter, "1", "state 1");
    PEER_ASK(setter, "IST_OK", "arm 1 relative 3600000000000 0");
    PEER_ASK(waiter, "IST_TIMEOUT -", "any 10 1");
    peer_kill(setter); /* T3 */
    PEER_ASK(waiter, "0", "state 1");
    peer_forget(setter);
    peer_end(waiter);
    waiter_close(&set);
}

/* A5 T1 T3 */
TEST(timers_are_shared_between_abis)
{
    NEEDS_BUILDS(timers_are_shared_between_abis);
    by_every_two(arm_and_await);
}

static void gather(size_t one, size_t other)
{
    waiter_set set = {0};
    waiter_make(&set, "owned", "event", "0", "manual", (const char *)NULL);
    peer *giver = start(one, &set);
    peer *waiter = start(other, &set);
    waiter_begin(waiter, "all forever 0 1 2 3");
    PEER_ASK(giver, "IST_OK", "set 1");
    PEER_ASK(giver, "IST_OK", "set 3");
    PEER_ASK(giver, "IST_OK", "release 2 2");
    WAITER_CHECK(&set, "1 1 2 1");
    CHECK_OK(ist_mutex_release(set.handles[0]));
    WAITER_HEAR(waiter, "IST_OK");
    WAITER_CHECK(&set, "1 0 1 1");
    PEER_ASK(giver, "IST_TIMEOUT", "all 0 0 2");
    peer_kill(waiter);
    PEER_ASK(giver, "IST_ABANDONED", "all 0 0 2 3");
    WAITER_CHECK(&set, "1 0 0 1");
    peer_forget(waiter);
    peer_end(giver);
    waiter_close(&set);
}

/* A5 W3 W4 */
TEST(a_wait_for_all_takes_at_one_instant_what_another_abi_gives)
{
    NEEDS_BUILDS(a_wait_for_all_takes_at_one_instant_what_another_abi_gives);
    by_every_two(gather);
}

/* ---- claimants that are killed ---- */

#define MUTEXES 8

/* Takes all and lets go of them in their order, until it is killed. */
static int gather_for_ever(int argc, char **argv)
{
    ist_mutex *mutexes[MUTEXES];
    const ist_waitable *items[MUTEXES];
    if (argc != MUTEXES)
        return 1;
    for (int n = 0; n < MUTEXES; n++) {
        if (ist_mutex_open(&mutexes[n], peer_unword(argv[n]), IST_WRITE) != IST_OK)
            return 1;
        items[n] = ist_mutex_waitable(mutexes[n]);
    }
    for (bool told = false;; told = true) {
        ist_status status = ist_wait_all(items, MUTEXES, IST_FOREVER);
        for (int n = 0; n < MUTEXES && status >= 0; n++)
            status = ist_mutex_release(mutexes[n]);
        if (!told || status < 0)
            peer_answer("%s", status < 0 ? ist_status_name(status) : "ready");
        if (status < 0)
            return 1;
    }
}

static peer *start_gatherer(size_t build, const waiter_set *set)
{
    const char *words[MUTEXES];
    char line[PEER_LINE_SIZE];
    for (size_t n = 0; n < MUTEXES; n++)
        words[n] = peer_word(set->names[n]);
    begin_build(build);
    peer *who = peer_start("gatherer", words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7],
                           (const char *)NULL);
    end_build();
    peer_hear(who, line);
    if (strcmp(line, "ready") != 0)
        CHECK_FAIL("a claimant of build \"%s\" got %s", builds[build], line);
    return who;
}

/* The dead one had released some, in their order: what it still has is the last of them, or nothing. */
static void check_whole(const waiter_set *set)
{
    bool abandoned = false;
    for (size_t n = 0; n < MUTEXES; n++) {
        ist_mutex_state state = IST_MUTEX_STATE_INIT;
        CHECK_OK(ist_mutex_query(set->handles[n], &state));
        if (abandoned && !state.abandoned)
            CHECK_FAIL("mutex %u was not taken, and one before it was", (unsigned)n);
        abandoned = state.abandoned != 0;
    }
}

static void kill_claimants(size_t one, size_t other)
{
    waiter_set set = {0};
    waiter_make(&set, "mutex", "mutex", "mutex", "mutex", "mutex", "mutex", "mutex", "mutex", (const char *)NULL);
    peer *observer = start(other, &set);
    for (unsigned round = 0; round < 40; round++) {
        char answer[PEER_LINE_SIZE];
        peer *gatherer = start_gatherer(one, &set);
        usleep(round * 37 % 1000);
        peer_kill(gatherer);
        peer_forget(gatherer);
        if (round % 2 == 0)
            check_whole(&set);
        peer_query(observer, answer, "all 0 0 1 2 3 4 5 6 7");
        if (strcmp(answer, "IST_OK") != 0 && strcmp(answer, "IST_ABANDONED") != 0)
            CHECK_FAIL("after the claimant's death a wait for all was %s", answer);
        for (unsigned n = 0; n < MUTEXES; n++)
            PEER_ASK(observer, "IST_OK", "release %u", n);
    }
    peer_end(observer);
    waiter_close(&set);
}

/* A5 W3 */
TEST(a_claimant_of_another_abi_that_is_killed_takes_all_or_nothing)
{
    NEEDS_BUILDS(a_claimant_of_another_abi_that_is_killed_takes_all_or_nothing);
    by_every_two(kill_claimants);
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_mutex_is_handed_over_between_abis),
        RUN(an_owner_of_another_abi_that_is_killed_abandons_at_once),
        RUN(semaphores_and_events_are_shared_between_abis),
        RUN(timers_are_shared_between_abis),
        RUN(a_wait_for_all_takes_at_one_instant_what_another_abi_gives),
        RUN(a_claimant_of_another_abi_that_is_killed_takes_all_or_nothing),
    };
    return cmocka_run_group_tests_name("process.posix_mixed_abi", tests, NULL, NULL);
}

/* As the runner of a peer it gets the program whose place it takes as its first word. */
int main(int argc, char **argv)
{
    static const peer_role roles[] = {WAITER_ROLE_ROW, {"gatherer", gather_for_ever}};
    bool runs = argc > 1 && strchr(argv[1], '/') != NULL;
    return peer_main(runs ? argc - 1 : argc, runs ? argv + 1 : argv, roles, COUNT_OF(roles), suite);
}
