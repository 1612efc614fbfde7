/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Hazard 3: one process stopped at each system call of an operation, a second one stopped at each of its own calls
 * meanwhile, then some killed and the others let on. Losing a probe to somebody who then dies shows only here.
 *
 * ISTHMUS_TEST_MATRIX=single leaves this out; ISTHMUS_TEST_PAIRS bounds the pairs of each combination (0: all), of
 * which then every n-th is taken, others in each combination.
 */
#include "support/check.h"
#include "support/peer.h"

#include <unistd.h>

#include "stage/scene.h"

#define WORKERS 2u

typedef struct tally {
    unsigned long pairs;
    unsigned long combinations;
} tally;

static tally *tallies; /* one for each worker */

/* How many stops A makes when B is not there, or some more. */
static unsigned find_length(scene_op op, scene_holder holder)
{
    scene played = {op, SCENE_NOTHING, holder, SCENE_ALL_FINISH, 1, 0};
    for (;; played.a_stops += 8) {
        scene_announce(&played);
        if (!scene_play(&played).a_stopped)
            return played.a_stops;
    }
}

/* Of one flavour: each test has its own. */
static unsigned length_of(scene_op op, scene_holder holder)
{
    static unsigned lengths[8][8];
    STAGE_CHECK((size_t)op < COUNT_OF(lengths) && (size_t)holder < COUNT_OF(lengths[0]));
    if (lengths[op][holder] == 0)
        lengths[op][holder] = find_length(op, holder);
    return lengths[op][holder];
}

/* Plays the pairs of one combination that are this worker's: every n-th of all, and with each of A's stops others of
   B's. */
static void play_combination(scene played, unsigned worker, unsigned long limit, tally *count)
{
    unsigned long b_length = length_of(played.b, played.holder);
    unsigned long all = length_of(played.a, played.holder) * b_length;
    unsigned long stride = limit == 0 || all <= limit ? 1 : all / limit + 1;
    for (unsigned long n = count->combinations % stride + worker * stride; n < all && stage_failures() <= 20;
         n += WORKERS * stride) {
        played.a_stops = (unsigned)(1 + n / b_length);
        played.b_stops = (unsigned)(1 + (n + n / b_length) % b_length);
        scene_announce(&played);
        scene_reach reach = scene_play(&played);
        count->pairs += reach.a_stopped && reach.b_stopped;
    }
    count->combinations++;
}

/* What has a handle before it begins has made a new object where the holder was dead: nothing dead is left to see. */
static bool makes_sense(const scene *played)
{
    return played->holder != SCENE_DEAD || (played->a != SCENE_CLOSE && played->b != SCENE_CLOSE);
}

/* What the pairs of one test have in common. */
typedef struct theme {
    scene_flavour flavour;
    scene_op a;
    const scene_holder *holders;
    size_t holder_count;
    unsigned long limit;
} theme;

static int play_all(unsigned worker, const theme *played_theme)
{
    static const scene_op ops[] = {SCENE_CREATE, SCENE_OPEN, SCENE_CLOSE, SCENE_SWEEP};
    static const scene_fate fates[] = {SCENE_A_DIES, SCENE_A_FINISHES, SCENE_B_DIES, SCENE_BOTH_DIE};
    stage_mount("mode=1777,size=64m");
    scene_prepare(played_theme->flavour);
    for (size_t b = 0; b < COUNT_OF(ops); b++)
        for (size_t holder = 0; holder < played_theme->holder_count; holder++)
            for (size_t fate = 0; fate < COUNT_OF(fates); fate++) {
                scene played = {played_theme->a, ops[b], played_theme->holders[holder], fates[fate], 0, 0};
                if (makes_sense(&played))
                    play_combination(played, worker, played_theme->limit, &tallies[worker]);
            }
    return 0;
}

static void in_pairs(theme played)
{
    const char *matrix = getenv("ISTHMUS_TEST_MATRIX");
    const char *why = NULL;
    if (matrix != NULL && strcmp(matrix, "single") == 0)
        SKIP(pairs_of_stops, "ISTHMUS_TEST_MATRIX asks for single stops only");
    if (!scene_works(&why))
        SKIP(pairs_of_stops, why);
    /* Without a private stage the workers would see each other's private files in the user's scope. */
    unsigned workers = stage_shared_because() == NULL ? WORKERS : 1;
    pid_t pids[WORKERS] = {0};
    unsigned before = stage_failures();
    played.limit = stage_number("ISTHMUS_TEST_PAIRS", played.limit);
    for (unsigned n = 0; n < WORKERS; n++) {
        pids[n] = stage_fork();
        if (pids[n] == 0)
            _exit(play_all(n, &played));
        if (workers == 1)
            assert_int_equal(stage_wait(pids[n]), 0);
    }
    for (unsigned n = 0; n < WORKERS && workers > 1; n++)
        assert_int_equal(stage_wait(pids[n]), 0);
    assert_int_equal(stage_failures(), before);
}

static const scene_holder without[] = {SCENE_NOBODY, SCENE_DEAD};
static const scene_holder with[] = {SCENE_ALIVE};
static const scene_holder leaving[] = {SCENE_DIES_EARLY, SCENE_DIES_LATE, SCENE_CLOSES_EARLY, SCENE_CLOSES_LATE};
static const scene_holder any[] = {SCENE_NOBODY, SCENE_DEAD, SCENE_ALIVE, SCENE_DIES_EARLY};

#define PAIRS(who, op)                                                                                                 \
    TEST(who##_and_another_at_any_two_calls_with_nobody_else)                                                          \
    {                                                                                                                  \
        in_pairs((theme){SCENE_LOCAL, op, without, COUNT_OF(without), 180});                                           \
    }                                                                                                                  \
    TEST(who##_and_another_at_any_two_calls_with_a_holder)                                                             \
    {                                                                                                                  \
        in_pairs((theme){SCENE_LOCAL, op, with, COUNT_OF(with), 100});                                                 \
    }                                                                                                                  \
    TEST(who##_and_another_at_any_two_calls_while_a_holder_leaves)                                                     \
    {                                                                                                                  \
        in_pairs((theme){SCENE_LOCAL, op, leaving, COUNT_OF(leaving), 90});                                            \
    }                                                                                                                  \
    TEST(who##_and_another_of_a_global_object_at_any_two_calls)                                                        \
    {                                                                                                                  \
        in_pairs((theme){SCENE_GLOBAL_READ, op, any, COUNT_OF(any), 60});                                              \
    }

/* L1, L4, L8, hazard 3. */
PAIRS(create, SCENE_CREATE)
PAIRS(open, SCENE_OPEN)
PAIRS(close, SCENE_CLOSE)
PAIRS(sweep, SCENE_SWEEP)

#define RUN_PAIRS(who)                                                                                                 \
    RUN(who##_and_another_at_any_two_calls_with_nobody_else), RUN(who##_and_another_at_any_two_calls_with_a_holder),   \
        RUN(who##_and_another_at_any_two_calls_while_a_holder_leaves),                                                 \
        RUN(who##_and_another_of_a_global_object_at_any_two_calls)

static int suite(void)
{
    const struct CMUnitTest tests[] = {RUN_PAIRS(create), RUN_PAIRS(open), RUN_PAIRS(close), RUN_PAIRS(sweep)};
    tallies = stage_memory(WORKERS * sizeof *tallies);
    int failed = cmocka_run_group_tests_name("process.posix_pairs", tests, NULL, NULL);
    printf("%lu pairs of stops in %lu combinations\n", tallies[0].pairs + tallies[1].pairs, tallies[0].combinations);
    return failed;
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
