/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A crowd on one name: processes that create, open, look and close at random, and are killed at random.
 * ISTHMUS_TEST_KILLS says how many are killed, ISTHMUS_TEST_PEERS how many there are at once.
 *
 * Invariants. A creator finds zeros. Whoever holds can open again, and gets the same object. An object's generation
 * never changes. Generations are numbered in the order of creation, so nobody may join one that is older than the
 * newest there was when its call began: that one's creator found the name free, so the older had died.
 */
#include "support/check.h"
#include "support/peer.h"

#include <unistd.h>

#include "stage/stage.h"

#define WORDS 512
#define MOST 200

/* What the crowd shares besides the object. */
typedef struct board {
    uint64_t newest; /* generation */
    uint64_t created;
    uint64_t joined;
    uint64_t missed;
} board;

static board *shared;
static unsigned most_pause; /* microseconds between two rounds of one process */
static char name[STAGE_NAME_SIZE];

static uint64_t random_number(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void add(uint64_t *count)
{
    __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}

static uint64_t stamp(uint64_t *words)
{
    for (unsigned n = 0; n < WORDS; n++)
        if (__atomic_load_n(&words[n], __ATOMIC_RELAXED) != 0 && (n == 0 || n > MOST)) {
            stage_fail("a new object is not zero: word %u is %llu", n, (unsigned long long)words[n]);
            break;
        }
    uint64_t generation = __atomic_add_fetch(&shared->newest, 1, __ATOMIC_ACQ_REL);
    __atomic_store_n(&words[WORDS - 1], generation, __ATOMIC_RELEASE);
    __atomic_store_n(&words[0], generation, __ATOMIC_RELEASE);
    return generation;
}

/* While I hold: a second handle is to the same object, shown by my own word in it. */
static void meet_myself(unsigned place, uint64_t *words, uint64_t number)
{
    ist_mapping *again = NULL;
    ist_view view = IST_VIEW_INIT;
    __atomic_store_n(&words[1 + place], number, __ATOMIC_RELEASE);
    if (!STAGE_IS(ist_mapping_open(&again, name, IST_READ), IST_OK))
        return;
    if (STAGE_IS(ist_mapping_view(again, IST_READ, 0, 0, &view), IST_OK)) {
        uint64_t *other = view.data;
        if (__atomic_load_n(&other[1 + place], __ATOMIC_ACQUIRE) != number)
            stage_fail("a holder who opens again has another object");
        ist_view_unmap(&view);
    }
    ist_mapping_close(again);
}

static void hold(ist_mapping *mapping, bool made, uint64_t newest, unsigned place, uint64_t number)
{
    ist_view view = IST_VIEW_INIT;
    if (!STAGE_IS(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view), IST_OK))
        return;
    uint64_t *words = view.data;
    uint64_t first = made ? stamp(words) : __atomic_load_n(&words[0], __ATOMIC_ACQUIRE);
    if (first != 0 && first < newest)
        stage_fail("joined generation %llu when %llu was there", (unsigned long long)first, (unsigned long long)newest);
    if (number % 4 == 0)
        meet_myself(place, words, number);
    if (number % 8 == 0)
        usleep((useconds_t)(number % 5000));
    uint64_t last = __atomic_load_n(&words[0], __ATOMIC_ACQUIRE);
    if (first != 0 && last != first)
        stage_fail("generation %llu became %llu", (unsigned long long)first, (unsigned long long)last);
    ist_view_unmap(&view);
}

static void come_and_go(unsigned place)
{
    uint64_t random = ((uint64_t)getpid() << 20) + place + 1;
    for (;;) {
        ist_mapping *mapping = NULL;
        uint64_t number = random_number(&random);
        uint64_t newest = __atomic_load_n(&shared->newest, __ATOMIC_ACQUIRE);
        bool creates = number % 3 != 0;
        alarm(STAGE_DEADLINE_SECONDS);
        if (number % 2 == 0) /* two hundred that only run would keep each other from running */
            usleep((useconds_t)(number % most_pause));
        ist_status status =
            creates ? ist_mapping_create(&mapping, name, WORDS * 8, NULL) : ist_mapping_open(&mapping, name, IST_WRITE);
        if (status == IST_OK || status == IST_EXISTED) {
            bool made = creates && status == IST_OK;
            add(made ? &shared->created : &shared->joined);
            hold(mapping, made, newest, place, number);
        } else if (!creates && status == IST_E_NOT_FOUND) {
            add(&shared->missed);
        } else {
            STAGE_IS(status, IST_OK);
            _exit(1);
        }
        ist_mapping_close(mapping);
    }
}

static pid_t join_crowd(unsigned place)
{
    pid_t pid = stage_fork();
    if (pid == 0) {
        STAGE_CHECK(nice(5) != -1);
        come_and_go(place);
    }
    return pid;
}

static int come_last(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    STAGE_IS(ist_mapping_open(&mapping, name, IST_READ), IST_E_NOT_FOUND);
    stage_check_empty("after the first call behind the crowd");
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    ist_mapping_close(mapping);
    stage_check_empty("behind the crowd");
    return 0;
}

static void play_crowd(unsigned count, unsigned long kills)
{
    pid_t crowd[MOST];
    uint64_t random = 0x9e3779b97f4a7c15u;
    unsigned before = stage_failures();
    shared = stage_memory(sizeof *shared);
    stage_name(name, "", "crowd");
    for (unsigned n = 0; n < count; n++)
        crowd[n] = join_crowd(n);
    for (unsigned long n = 0; n < kills && stage_failures() == before; n++) {
        stage_case("a crowd of %u, %lu killed", count, n);
        unsigned place = (unsigned)(random_number(&random) % count);
        usleep((useconds_t)(random_number(&random) % 4000));
        stage_kill(crowd[place]);
        crowd[place] = join_crowd(place);
    }
    for (unsigned n = 0; n < count; n++)
        stage_kill(crowd[n]);
    assert_int_equal(stage_run(come_last, NULL), 0);
    printf("%lu killed of a crowd of %u: %llu created, %llu joined, %llu found nothing\n", kills, count,
           (unsigned long long)shared->created, (unsigned long long)shared->joined, (unsigned long long)shared->missed);
    assert_int_equal(stage_failures(), before);
}

/* N8, L1, L3, L4: somebody always holds. */
TEST(a_large_crowd_that_is_killed_at_random_agrees_and_leaves_nothing)
{
    most_pause = 40000;
    play_crowd((unsigned)crowd_size(MOST), stage_number("ISTHMUS_TEST_KILLS", 1000) / 2);
}

/* N8, L1, L3, L4: the object is made and dies all the time. */
TEST(a_few_that_are_killed_at_random_agree_and_leave_nothing)
{
    most_pause = 300;
    play_crowd(3, stage_number("ISTHMUS_TEST_KILLS", 1000) / 2);
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_large_crowd_that_is_killed_at_random_agrees_and_leaves_nothing),
        RUN(a_few_that_are_killed_at_random_agree_and_leave_nothing),
    };
    return cmocka_run_group_tests_name("process.posix_crowd", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
