/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A crowd that uses objects of all kinds, alone and together, and is killed and stopped at random. Some who are never
 * killed set what the others wait for, and mend what the dead have left. ISTHMUS_TEST_KILLS says how many are killed,
 * ISTHMUS_TEST_PEERS how many there are at once.
 *
 * Invariants. Of the guard, the shares, the baton and the lamp (a mutex, a semaphore, an automatic and a manual-reset
 * event): shares and baton are only taken by waits for all four, and given back before the guard is released, and only
 * who has the guard puts the lamp out, for a while. So who gets the guard in order finds all of them; who gets it from
 * a dead owner mends what that one had taken. Nobody owns the guard who is not alone with it. Of the coins, the bell
 * and the alarm (a semaphore, an automatic event, a timer): what was given is what was taken and what is there, but for
 * what those were about who were killed; no more coins are there than there may be; and what is set is taken, since
 * somebody always waits.
 */
#include "support/check.h"
#include "support/peer.h"

#include <signal.h>
#include <unistd.h>

#include "stage/crew.h"
#include "stage/stage.h"

#define CROWD 12

static uint64_t random_number(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void work(unsigned place, uint64_t random)
{
    crew_join();
    for (;;) {
        alarm(STAGE_DEADLINE_SECONDS);
        crew_work(place, random_number(&random));
        if (stage_failures() != 0)
            _exit(1);
    }
}

static pid_t hire(unsigned place, uint64_t random)
{
    crew_reset(place);
    pid_t pid = stage_fork();
    if (pid == 0) {
        STAGE_CHECK(nice(5) != -1);
        work(place, random | 1);
    }
    return pid;
}

/* Stops one for a moment. */
static void hold_up(pid_t pid, uint64_t random)
{
    kill(pid, SIGSTOP);
    usleep((useconds_t)(random % 8000));
    kill(pid, SIGCONT);
}

static void dismiss(unsigned place, pid_t pid)
{
    crew_doom(place);
    stage_kill(pid);
    crew_bury(place);
}

static void play_crowd(unsigned count, unsigned long kills)
{
    pid_t crowd[CREW_MOST];
    pid_t keepers[CREW_KEEPERS];
    uint64_t random = 0x9e3779b97f4a7c15u;
    unsigned before = stage_failures();
    unsigned long stops = 0;
    crew_begin();
    for (unsigned n = 0; n < CREW_KEEPERS; n++)
        if ((keepers[n] = stage_fork()) == 0)
            _exit(crew_keep(n));
    crew_wait_ready();
    for (unsigned n = 0; n < count; n++)
        crowd[n] = hire(n, random_number(&random));
    for (unsigned long n = 0; n < kills && stage_failures() == before; n++) {
        stage_case("a crowd of %u, %lu killed", count, n);
        unsigned place = (unsigned)(random_number(&random) % count);
        usleep((useconds_t)(random_number(&random) % 5000));
        if (random_number(&random) % 4 == 0) {
            hold_up(crowd[random_number(&random) % count], random_number(&random));
            stops++;
        }
        dismiss(place, crowd[place]);
        crowd[place] = hire(place, random_number(&random));
    }
    for (unsigned n = 0; n < count; n++)
        dismiss(n, crowd[n]);
    crew_end();
    for (unsigned n = 0; n < CREW_KEEPERS; n++)
        STAGE_CHECK(stage_wait(keepers[n]) == 0);
    stage_check_empty("behind the crowd");
    printf("%lu killed and %lu stopped of a crowd of %u\n", kills, stops, count);
    crew_tell();
    assert_int_equal(stage_failures(), before);
}

/* X1 X3, S2 S3, E1 E2, T3, W2 W3 W4, L1 L3 L8. */
TEST(a_crowd_that_is_killed_at_random_takes_nothing_twice_and_strands_nobody)
{
    play_crowd((unsigned)crowd_size(CROWD), stage_number("ISTHMUS_TEST_KILLS", 5000));
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_crowd_that_is_killed_at_random_takes_nothing_twice_and_strands_nobody),
    };
    return cmocka_run_group_tests_name("process.posix_kills", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
