/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Waits for all in several processes at once (W3): they overlap and cross, nothing is lost and nothing taken twice;
 * whoever looks never sees a part taken; and a release that one of them cannot use reaches whoever can (HAZARDS 17, 18,
 * 21). Those who are killed are in wait_all_killed.c.
 */
#include "support/clock.h"
#include "support/host.h"
#include "support/waiter.h"

#define OBJECTS_MAX 6

/* How long processes are let race where nothing else ends it. */
#define RACE_NS (250 * CLOCK_MS)

/* How often something is done where a call takes a tenth of a microsecond; an emulator takes a hundred times as long.
 */
static unsigned often(unsigned usual)
{
    return host_emulator() != NULL ? usual / 50 : usual;
}

/* ---- the roles: each opens the objects of its words, KIND NAME KIND NAME..., and waits for all of them ---- */

typedef struct company {
    size_t count;
    const kind *sorts[OBJECTS_MAX];
    void *handles[OBJECTS_MAX];
    const ist_waitable *items[OBJECTS_MAX];
} company;

static bool join(company *all, int argc, char **argv)
{
    memset(all, 0, sizeof *all);
    for (int i = 0; i + 1 < argc; i += 2) {
        for (size_t k = 0; k < KINDS; k++)
            if (strcmp(kinds[k].name, argv[i]) == 0)
                all->sorts[all->count] = &kinds[k];
        void **handle = &all->handles[all->count];
        if (all->sorts[all->count]->open(handle, peer_unword(argv[i + 1]), IST_WRITE) != IST_OK)
            return false;
        all->items[all->count] = all->sorts[all->count]->waitable(*handle);
        all->count++;
    }
    (void)waiter_be_patient();
    peer_answer("ready");
    return true;
}

/* "take N": waits for all, so often; answers how often they came.
   "drain": polls until they are not there; answers how often they were.
   "try": polls and waits a moment, for as long as a race lasts; answers how often they came. */
static int run_taker(int argc, char **argv)
{
    company all;
    char line[PEER_LINE_SIZE];
    if (!join(&all, argc, argv))
        return 1;
    while (peer_listen(line)) {
        unsigned long rounds = strtoul(line + strcspn(line, "0123456789"), NULL, 10);
        unsigned long came = 0;
        if (strncmp(line, "take", 4) == 0)
            while (rounds-- > 0)
                came += ist_wait_all(all.items, all.count, IST_FOREVER) == IST_OK;
        else if (strncmp(line, "drain", 5) == 0)
            while (ist_wait_all(all.items, all.count, 0) == IST_OK)
                came++;
        else
            for (int64_t end = clock_steady_ns() + RACE_NS; clock_steady_ns() < end; rounds++)
                came += ist_wait_all(all.items, all.count, rounds % 4096 != 0 ? 0 : 100000) == IST_OK;
        peer_answer("%lu", came);
    }
    return 0;
}

/* The first objects are mutexes, the last word is a mapping: "eat N" takes all, adds one to the cells that its mutexes
   guard, by reading and writing, and releases them. Its words are KIND NAME CELL... behind the mapping. */
static int run_philosopher(int argc, char **argv)
{
    company all;
    ist_mapping *table = NULL;
    ist_view view = IST_VIEW_INIT;
    char line[PEER_LINE_SIZE];
    if (argc < 7 || ist_mapping_open(&table, peer_unword(argv[0]), IST_WRITE) != IST_OK ||
        ist_mapping_view(table, IST_WRITE, 0, 0, &view) != IST_OK || !join(&all, argc - 3, argv + 3))
        return 1;
    volatile uint32_t *cells[2] = {(uint32_t *)view.data + strtoul(argv[1], NULL, 10),
                                   (uint32_t *)view.data + strtoul(argv[2], NULL, 10)};
    while (peer_listen(line)) {
        unsigned long meals = 0;
        for (unsigned long rounds = strtoul(line, NULL, 10); rounds > 0; rounds--) {
            if (ist_wait_all(all.items, 2, IST_FOREVER) != IST_OK)
                break;
            for (size_t i = 0; i < 2; i++)
                *cells[i] = *cells[i] + 1;
            if (ist_mutex_release(all.handles[rounds % 2]) != IST_OK ||
                ist_mutex_release(all.handles[(rounds + 1) % 2]) != IST_OK)
                break;
            meals++;
        }
        peer_answer("%lu", meals);
    }
    return 0;
}

/* A peer that takes two objects of the set, in this order. */
static peer *start_taker(const waiter_set *set, size_t first, size_t second)
{
    peer *who = peer_start("taker", kinds[set->sorts[first]].name, peer_word(set->names[first]),
                           kinds[set->sorts[second]].name, peer_word(set->names[second]), (const char *)NULL);
    WAITER_HEAR(who, "ready");
    return who;
}

static unsigned long hear_number(peer *who)
{
    char line[PEER_LINE_SIZE];
    peer_hear(who, line);
    return strtoul(line, NULL, 10);
}

static uint32_t count_of(const waiter_set *set, size_t place)
{
    ist_semaphore_state state = IST_SEMAPHORE_STATE_INIT;
    CHECK_OK(ist_semaphore_query(set->handles[place], &state));
    return state.count;
}

/* ---- nothing is lost, nothing taken twice ---- */

/* W3: two processes, opposite orders; a poll finds both as long as there are both */
TEST(crossing_waits_for_all_take_each_pair_once)
{
    waiter_set set;
    char count[16];
    (void)snprintf(count, sizeof count, "%u", often(200000));
    waiter_make(&set, count, count, (char *)NULL);
    peer *takers[2] = {start_taker(&set, 0, 1), start_taker(&set, 1, 0)};
    peer_say(takers[0], "drain");
    peer_say(takers[1], "drain");
    unsigned long taken = hear_number(takers[0]);
    taken += hear_number(takers[1]);
    assert_int_equal(taken, often(200000));
    WAITER_CHECK(&set, "0 0");
    peer_end(takers[0]);
    peer_end(takers[1]);
    waiter_close(&set);
}

/* W3: {A,B}, {B,C} and {C,A}, each in both orders; what is given is just what they need, so all of them come to an end
 */
TEST(overlapping_waits_for_all_in_a_ring_are_all_served)
{
    const unsigned rounds = often(2000);
    waiter_set set;
    peer *takers[6];
    waiter_make(&set, "0", "0", "0", (char *)NULL);
    for (size_t i = 0; i < 6; i++) {
        takers[i] = i % 2 == 0 ? start_taker(&set, i / 2, (i / 2 + 1) % 3) : start_taker(&set, (i / 2 + 1) % 3, i / 2);
        peer_say(takers[i], "take %u", rounds);
    }
    for (unsigned n = 0; n < 4 * rounds; n++)
        for (size_t i = 0; i < 3; i++)
            CHECK_OK(ist_semaphore_release(set.handles[(i + n) % 3], 1, NULL));
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(hear_number(takers[i]), rounds);
        peer_end(takers[i]);
    }
    WAITER_CHECK(&set, "0 0 0");
    waiter_close(&set);
}

/* W3 X1 */
TEST(philosophers_who_take_both_forks_at_once_all_eat)
{
    enum { PLACES = 4 };
    const unsigned meals = often(2000);
    waiter_set set;
    char name[NAME_SIZE];
    char digits[PLACES][4];
    ist_mapping *table = NULL;
    ist_view view = IST_VIEW_INIT;
    peer *guests[PLACES];
    unique_name(name, "", "table");
    CHECK_OK(ist_mapping_create(&table, name, 4096, NULL));
    CHECK_OK(ist_mapping_view(table, IST_READ, 0, 0, &view));
    waiter_make(&set, "mutex", "mutex", "mutex", "mutex", (char *)NULL);
    for (size_t i = 0; i < PLACES; i++)
        (void)snprintf(digits[i], sizeof digits[i], "%u", (unsigned)i);
    for (size_t i = 0; i < PLACES; i++) {
        size_t next = (i + 1) % PLACES;
        guests[i] = peer_start("philosopher", peer_word(name), digits[i], digits[next], "mutex",
                               peer_word(set.names[i]), "mutex", peer_word(set.names[next]), (const char *)NULL);
        WAITER_HEAR(guests[i], "ready");
    }
    for (size_t i = 0; i < PLACES; i++)
        peer_say(guests[i], "%u", meals);
    for (size_t i = 0; i < PLACES; i++)
        assert_int_equal(hear_number(guests[i]), meals);
    for (size_t i = 0; i < PLACES; i++) {
        assert_int_equal(((volatile uint32_t *)view.data)[i], 2 * meals);
        peer_end(guests[i]);
    }
    WAITER_CHECK(&set, "0 0 0 0");
    waiter_close(&set);
    ist_view_unmap(&view);
    ist_mapping_close(table);
}

/* ---- nobody sees a part ---- */

/* W3: the two counts only go down, together. Who looks at one, the other, and the first again sees them in order. */
TEST(two_counts_that_are_taken_together_go_down_together)
{
    waiter_set set;
    unsigned long looks = 0;
    char count[16];
    (void)snprintf(count, sizeof count, "%u", often(200000));
    waiter_make(&set, count, count, (char *)NULL);
    peer *takers[2] = {start_taker(&set, 0, 1), start_taker(&set, 1, 0)};
    peer_say(takers[0], "drain");
    peer_say(takers[1], "drain");
    while (count_of(&set, 0) != 0 || count_of(&set, 1) != 0) {
        size_t first = looks++ % 2;
        uint32_t before = count_of(&set, first);
        uint32_t between = count_of(&set, 1 - first);
        uint32_t after = count_of(&set, first);
        if (before < between || between < after)
            CHECK_FAIL("a part was taken: %u of the one, then %u of the other, then %u of the one", (unsigned)before,
                       (unsigned)between, (unsigned)after);
    }
    unsigned long taken = hear_number(takers[0]);
    taken += hear_number(takers[1]);
    assert_int_equal(taken, often(200000));
    peer_end(takers[0]);
    peer_end(takers[1]);
    waiter_close(&set);
}

/* The second object never comes. Whoever looks at the first, polls for it, or takes it finds it there, always. */
static void check_never_touched(const char *sort, const char *never)
{
    waiter_set set;
    peer *takers[3];
    waiter_make(&set, sort, never, (char *)NULL);
    bool is_event = set.sorts[0] == KIND_EVENT;
    for (size_t i = 0; i < COUNT_OF(takers); i++) {
        takers[i] = i % 2 == 0 ? start_taker(&set, 0, 1) : start_taker(&set, 1, 0);
        peer_say(takers[i], "try");
    }
    int64_t end = clock_steady_ns() + RACE_NS;
    for (int n = 0; clock_steady_ns() < end; n++) {
        size_t index = 9;
        const ist_waitable *turned[2] = {set.items[1], set.items[0]};
        if (is_event || set.sorts[0] == KIND_SEMAPHORE)
            WAITER_CHECK(&set, "1 0");
        CHECK_OK(n % 2 == 0 ? ist_wait(set.items[0], 0) : ist_wait_any(turned, 2, 0, &index));
        assert_int_equal(index, n % 2 == 0 ? 9 : 1);
        if (set.sorts[0] == KIND_SEMAPHORE)
            CHECK_OK(ist_semaphore_release(set.handles[0], 1, NULL));
        else if (set.sorts[0] == KIND_MUTEX)
            CHECK_OK(ist_mutex_release(set.handles[0]));
        else
            CHECK_OK(ist_event_set(set.handles[0]));
    }
    for (size_t i = 0; i < COUNT_OF(takers); i++) {
        assert_int_equal(hear_number(takers[i]), 0);
        peer_end(takers[i]);
    }
    waiter_close(&set);
}

/* W3 */
TEST(a_semaphore_that_a_wait_for_all_cannot_take_is_always_there_for_others)
{
    check_never_touched("1", "0");
    check_never_touched("1", "event");
}

/* W3 */
TEST(an_event_that_a_wait_for_all_cannot_take_is_always_there_for_others)
{
    check_never_touched("set", "0");
    check_never_touched("manual-set", "timer");
}

/* W3 X5 */
TEST(a_mutex_that_a_wait_for_all_cannot_take_is_always_free_for_others)
{
    check_never_touched("mutex", "0");
}

/* Makes one of two objects signalled and then not, and then the other: never both at once. */
static void signal_in_turn(const waiter_set *set, size_t place)
{
    if (set->sorts[place] == KIND_SEMAPHORE) {
        CHECK_OK(ist_semaphore_release(set->handles[place], 1, NULL));
        CHECK_OK(ist_wait(set->items[place], 0));
    } else if (set->sorts[place] == KIND_TIMER) {
        CHECK_OK(ist_timer_set(set->handles[place], IST_TIMER_RELATIVE, 0, 0));
        CHECK_OK(ist_timer_set(set->handles[place], IST_TIMER_UTC, INT64_MAX, 0));
    } else {
        CHECK_OK(ist_event_set(set->handles[place]));
        CHECK_OK(ist_event_reset(set->handles[place]));
    }
}

/* W3 */
TEST(objects_that_are_never_signalled_together_are_never_taken_together)
{
    static const char *const pairs[][2] = {{"manual", "manual"}, {"manual", "0"}, {"0", "manual-timer"}, {"0", "0"}};
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        waiter_set set;
        waiter_make(&set, pairs[i][0], pairs[i][1], (char *)NULL);
        peer *takers[2] = {start_taker(&set, 0, 1), start_taker(&set, 1, 0)};
        peer_say(takers[0], "try");
        peer_say(takers[1], "try");
        int64_t end = clock_steady_ns() + RACE_NS;
        do
            for (size_t n = 0; n < often(2000); n++)
                signal_in_turn(&set, n % 2);
        while (clock_steady_ns() < end);
        for (size_t n = 0; n < COUNT_OF(takers); n++) {
            assert_int_equal(hear_number(takers[n]), 0);
            peer_end(takers[n]);
        }
        waiter_close(&set);
    }
}

/* ---- nobody is forgotten ---- */

/* W3 E2: of what a wait for all cannot use, whoever can use it learns */
TEST(a_set_that_a_wait_for_all_cannot_use_reaches_whoever_can)
{
    waiter_set set;
    waiter_make(&set, "event", "event", (char *)NULL);
    peer *both = waiter_start_patient(&set);
    peer *one = waiter_start_patient(&set);
    for (int round = 0; round < 60; round++) {
        PEER_ASK(both, "waiting", "begin all forever %d %d", round % 2, 1 - round % 2);
        PEER_ASK(one, "waiting", "begin any forever 0");
        if (round % 4 == 0)
            waiter_rest(3 * CLOCK_MS);
        CHECK_OK(ist_event_set(set.handles[0]));
        WAITER_HEAR(one, "IST_OK 0");
        CHECK_OK(ist_event_set(set.handles[1]));
        CHECK_OK(ist_event_set(set.handles[0]));
        WAITER_HEAR(both, "IST_OK");
        WAITER_CHECK(&set, "0 0");
    }
    peer_end(both);
    peer_end(one);
    waiter_close(&set);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(crossing_waits_for_all_take_each_pair_once),
        RUN(overlapping_waits_for_all_in_a_ring_are_all_served),
        RUN(philosophers_who_take_both_forks_at_once_all_eat),
        RUN(two_counts_that_are_taken_together_go_down_together),
        RUN(a_semaphore_that_a_wait_for_all_cannot_take_is_always_there_for_others),
        RUN(an_event_that_a_wait_for_all_cannot_take_is_always_there_for_others),
        RUN(a_mutex_that_a_wait_for_all_cannot_take_is_always_free_for_others),
        RUN(objects_that_are_never_signalled_together_are_never_taken_together),
        RUN(a_set_that_a_wait_for_all_cannot_use_reaches_whoever_can),
    };
    return cmocka_run_group_tests_name("wait_all_race", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {WAITER_ROLE_ROW, {"taker", run_taker}, {"philosopher", run_philosopher}};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
