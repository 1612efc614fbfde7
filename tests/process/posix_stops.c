/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A process killed, and a process stopped, at each system call of each operation on a name, one run for each: with a
 * lone observer afterwards, and with another process that runs through meanwhile. posix_pairs.c stops both.
 *
 * ISTHMUS_TEST_STRIDE=n tries only every nth stop of each scene, beginning at another one in each.
 */
#include "support/check.h"
#include "support/peer.h"

#include "stage/scene.h"

static unsigned long runs;
static unsigned long points;
static unsigned long most;

/* Plays the scene once for each stop of A. */
static void at_each_stop(scene played)
{
    unsigned stride = (unsigned)stage_number("ISTHMUS_TEST_STRIDE", 1);
    for (unsigned n = (unsigned)(runs % stride);; n += stride) {
        played.a_stops = n;
        scene_announce(&played);
        runs++;
        if (!scene_play(&played).a_stopped || stage_failures() > 20) {
            most = n > most ? n : most;
            return;
        }
        points++;
    }
}

/* No actor closes or exports what a dead holder left: by having a handle it would have made a new object. */
static bool makes_sense(const scene *played)
{
    bool has_handle = played->a == SCENE_CLOSE || played->a == SCENE_EXPORT;
    bool needs_token = played->a == SCENE_IMPORT;
    return !(played->holder == SCENE_DEAD && has_handle) && !(played->holder == SCENE_NOBODY && needs_token);
}

static void torture(scene_op op, scene_op other, scene_fate fate, const scene_holder *holders, size_t count)
{
    unsigned before = stage_failures();
    for (size_t n = 0; n < count; n++) {
        scene played = {op, other, holders[n], fate, 0, SCENE_THROUGH};
        if (makes_sense(&played))
            at_each_stop(played);
    }
    assert_int_equal(stage_failures(), before);
}

static void kill_and_look(scene_op op, scene_flavour flavour)
{
    static const scene_holder holders[] = {SCENE_NOBODY, SCENE_DEAD, SCENE_ALIVE, SCENE_DIES_EARLY, SCENE_CLOSES_EARLY};
    const char *why = NULL;
    if (!scene_works(&why))
        SKIP(killed_or_stopped_at_each_call, why);
    scene_prepare(flavour);
    torture(op, SCENE_NOTHING, SCENE_A_DIES, holders, COUNT_OF(holders));
}

static void stop_and_pass(scene_op op, scene_flavour flavour)
{
    static const scene_holder holders[] = {SCENE_NOBODY, SCENE_DEAD, SCENE_ALIVE, SCENE_CLOSES_EARLY};
    static const scene_op others[] = {SCENE_FIRST, SCENE_OPEN, SCENE_CLOSE, SCENE_SWEEP};
    const char *why = NULL;
    if (!scene_works(&why))
        SKIP(killed_or_stopped_at_each_call, why);
    scene_prepare(flavour);
    for (size_t n = 0; n < COUNT_OF(others); n++)
        torture(op, others[n], SCENE_ALL_FINISH, holders, COUNT_OF(holders));
}

#define STOPS(who, op)                                                                                                 \
    TEST(who##_killed_at_any_call_leaves_a_free_name_or_a_living_object)                                               \
    {                                                                                                                  \
        kill_and_look(op, SCENE_LOCAL);                                                                                \
    }                                                                                                                  \
    TEST(who##_stopped_at_any_call_delays_nobody)                                                                      \
    {                                                                                                                  \
        stop_and_pass(op, SCENE_LOCAL);                                                                                \
    }                                                                                                                  \
    TEST(who##_of_a_global_object_killed_at_any_call_leaves_a_free_name_or_a_living_object)                            \
    {                                                                                                                  \
        kill_and_look(op, SCENE_GLOBAL_READ);                                                                          \
    }                                                                                                                  \
    TEST(who##_of_a_global_object_stopped_at_any_call_delays_nobody)                                                   \
    {                                                                                                                  \
        stop_and_pass(op, SCENE_GLOBAL_READ);                                                                          \
    }

/* Killed: L1, L3, L4, hazard 8. Stopped: L8, hazard 2. */
STOPS(create, SCENE_CREATE)
STOPS(the_first_create_of_a_process, SCENE_FIRST)
STOPS(open, SCENE_OPEN)
STOPS(close, SCENE_CLOSE)
STOPS(a_sweep, SCENE_SWEEP)
STOPS(export, SCENE_EXPORT)
STOPS(import, SCENE_IMPORT)

#define RUN_STOPS(who)                                                                                                 \
    RUN(who##_killed_at_any_call_leaves_a_free_name_or_a_living_object), RUN(who##_stopped_at_any_call_delays_nobody), \
        RUN(who##_of_a_global_object_killed_at_any_call_leaves_a_free_name_or_a_living_object),                        \
        RUN(who##_of_a_global_object_stopped_at_any_call_delays_nobody)

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN_STOPS(create),  RUN_STOPS(the_first_create_of_a_process),
        RUN_STOPS(open),    RUN_STOPS(close),
        RUN_STOPS(a_sweep), RUN_STOPS(export),
        RUN_STOPS(import),
    };
    int failed = cmocka_run_group_tests_name("process.posix_stops", tests, NULL, NULL);
    printf("%lu runs, %lu crash and stop points, the longest operation has %lu\n", runs, points, most);
    return failed;
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
