/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A3: what a hostile peer writes into the words of objects and into the table of claims. Every call of others gives a
 * status: never a crash, a hang, or an access outside; and a call that does not wait is over before long. White box:
 * the peer knows where everything is. ISTHMUS_TEST_RANDOM says how many random damages are tried.
 */
#include "support/check.h"
#include "support/clock.h"
#include "support/peer.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/object.h"
#include "posix/claim_table.h"
#include "posix/object.h"
#include "stage/props.h"
#include "stage/stage.h"
#include "stage/victim.h"

/* ---- what is damaged ---- */

static volatile object_words *words[VICTIM_KINDS];
static object_words sound[VICTIM_KINDS];
static volatile claim_slot *slots;

static plat_object *plat_of(const ist_waitable *item)
{
    return item->plat;
}

static void find_words(void)
{
    const ist_waitable *items[VICTIM_KINDS];
    victim_items(items);
    for (size_t n = 0; n < VICTIM_KINDS; n++) {
        words[n] = plat_of(items[n])->words;
        memcpy(&sound[n], (const void *)(uintptr_t)words[n], sizeof sound[n]);
    }
    slots = plat_of(items[0])->claims->slots;
}

static void mend(void)
{
    for (size_t n = 0; n < VICTIM_KINDS; n++)
        memcpy((void *)(uintptr_t)words[n], &sound[n], sizeof sound[n]);
    memset((void *)(uintptr_t)slots, 0, CLAIM_SLOTS * sizeof *slots);
}

/* The peer makes everything and damages it; the victims are its children. */
static int play_damage(void *argument)
{
    void (*const *damage)(void) = argument;
    STAGE_IS(props_open(0), IST_OK);
    victim_signal();
    find_words();
    (*damage)();
    mend();
    victim_check(IST_OK);
    return 0;
}

static void check_damage(void (*damage)(void), const char *what)
{
    unsigned before = stage_failures();
    stage_case("%s", what);
    props_begin("damage");
    assert_int_equal(stage_run(play_damage, &damage), 0);
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

/* ---- chosen words ---- */

static void with_state(uint64_t state, const char *what)
{
    for (size_t n = 0; n < VICTIM_KINDS; n++) {
        stage_case("%s, %#llx in object %u", what, (unsigned long long)state, (unsigned)n);
        words[n]->state = state;
        victim_meet();
        memcpy((void *)(uintptr_t)words[n], &sound[n], sizeof sound[n]);
    }
}

static void chosen_states(void)
{
    static const uint64_t states[] = {1, 2, 3, 1001, UINT32_MAX, INT64_MAX, INT64_MAX - 1, UINT64_C(1) << 62};
    for (size_t n = 0; n < COUNT_OF(states); n++)
        with_state(states[n], "a state");
    for (size_t setting = 0; setting < TIMER_SETTINGS; setting++)
        with_state((uint64_t)setting << 60 | UINT64_C(0x3fffffffff), "a setting that never was");
}

static void chosen_tags(void)
{
    static const uint64_t tags[] = {0,        1, 63, UINT64_C(1) << 51, (UINT64_C(1) << 51) - 1, UINT64_C(63) << 57,
                                    INT64_MAX};
    for (size_t n = 0; n < COUNT_OF(tags); n++)
        with_state(CLAIM_TAG | tags[n], "a tag of nobody's attempt");
}

/* A3 */
TEST(any_state_of_an_object_gives_a_status)
{
    check_damage(chosen_states, "states");
    check_damage(chosen_tags, "tags");
}

static void chosen_fields(void)
{
    static const uint32_t values[] = {0, 1, 2, 3, 0x7fffffff, 0x80000000, UINT32_MAX};
    for (size_t n = 0; n < COUNT_OF(values); n++)
        for (size_t kind = 0; kind < VICTIM_KINDS; kind++) {
            stage_case("%#x in each field of object %u", (unsigned)values[n], (unsigned)kind);
            words[kind]->wake = values[n];
            words[kind]->recursion = values[n];
            victim_meet();
            words[kind]->maximum = values[n];
            victim_meet();
            words[kind]->sort = values[n];
            victim_meet();
            words[kind]->claims = values[n];
            victim_meet();
            memcpy((void *)(uintptr_t)words[kind], &sound[kind], sizeof sound[kind]);
        }
}

/* A3 */
TEST(any_other_field_of_an_object_gives_a_status)
{
    check_damage(chosen_fields, "fields");
}

static void chosen_settings(void)
{
    static const int64_t numbers[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, 999999, INT64_MAX - 1, INT64_MAX};
    volatile object_words *timer = words[VICTIM_TIMER];
    for (size_t due = 0; due < COUNT_OF(numbers); due++)
        for (size_t period = 0; period < COUNT_OF(numbers); period++)
            for (uint32_t mode = 0; mode < 5; mode++) {
                timer_setting setting = {UINT64_MAX, numbers[due], numbers[period], UINT64_MAX - mode, mode, {0}};
                stage_case("timer: due %lld, period %lld, mode %u", (long long)numbers[due], (long long)numbers[period],
                           (unsigned)mode);
                for (size_t n = 0; n < TIMER_SETTINGS; n++)
                    timer->settings[n] = setting;
                victim_meet_timer();
            }
}

/* A3 */
TEST(any_setting_of_a_timer_gives_a_status)
{
    check_damage(chosen_settings, "settings");
}

/* ---- claims ---- */

#define OPEN UINT64_C(1)
#define DONE UINT64_C(2)
#define GIVEN_UP UINT64_C(3)

static uint64_t tag(size_t slot, size_t item)
{
    return CLAIM_TAG | (uint64_t)slot << 57 | (uint64_t)item << 51 | 1;
}

static void fill_slots(uint64_t owner, uint64_t decision, uint64_t value, uint64_t object)
{
    for (size_t n = 0; n < CLAIM_SLOTS; n++) {
        slots[n].owner = owner;
        slots[n].decision = decision;
        slots[n].count = decision % 3 == 0 ? UINT32_MAX : IST_WAIT_MAX;
        for (size_t item = 0; item < IST_WAIT_MAX; item++)
            slots[n].items[item] = (claim_item){value, value, object};
    }
}

static void chosen_claims(void)
{
    static const uint64_t owners[] = {1, INT64_MAX, CLAIM_TAG, UINT64_MAX};
    static const uint64_t values[] = {0, 1, INT64_MAX, CLAIM_TAG | 1, UINT64_MAX};
    static const uint64_t decisions[] = {0, OPEN, DONE, GIVEN_UP, 4 | OPEN, 4 | DONE, 4 | GIVEN_UP, UINT64_MAX};
    for (size_t value = 0; value < COUNT_OF(values); value++)
        for (size_t decision = 0; decision < COUNT_OF(decisions); decision++) {
            uint64_t owner = owners[(value + decision) % COUNT_OF(owners)];
            stage_case("claims of %#llx: decision %#llx, value %#llx", (unsigned long long)owner,
                       (unsigned long long)decisions[decision], (unsigned long long)values[value]);
            fill_slots(0, decisions[decision], values[value], 1);
            slots[63].owner = owner;
            for (size_t n = 0; n < VICTIM_KINDS; n++)
                words[n]->state = tag(63, n);
            victim_meet();
            mend();
        }
}

/* A3 */
TEST(any_claim_gives_a_status)
{
    check_damage(chosen_claims, "claims");
}

static void claimed_for_ever(void)
{
    static const uint64_t owners[] = {CLAIM_TAG | 1, UINT64_MAX};
    for (size_t n = 0; n < COUNT_OF(owners); n++) {
        stage_case("every slot belongs to %#llx", (unsigned long long)owners[n]);
        fill_slots(owners[n], 4 | OPEN, 0, 1);
        victim_meet();
        mend();
    }
}

/* A3: a poll is over before long also where every slot is taken by nobody. */
TEST(a_table_that_is_full_of_nobody_gives_a_status)
{
    check_damage(claimed_for_ever, "a full table");
}

/* An id whose block has no file is of a thread that has ended. What it was at had no other holder and is gone. */
static void left_by_the_dead(void)
{
    stage_case("every slot is what a dead claimant left");
    fill_slots(UINT64_C(0x123456789abcd00), 4 | OPEN, 0, UINT64_C(0x1122334455667788));
    victim_check(IST_OK);
}

/* W3 L3 */
TEST(attempts_of_the_dead_on_objects_that_are_gone_do_not_fill_the_table)
{
    check_damage(left_by_the_dead, "attempts of the dead");
}

/* ---- random ---- */

static uint64_t random_number(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void damage_randomly(volatile void *memory, size_t size, uint64_t *random)
{
    volatile unsigned char *bytes = memory;
    size_t length = 1 + (size_t)random_number(random) % 16;
    size_t at = (size_t)random_number(random) % (size - length);
    for (size_t n = 0; n < length; n++)
        bytes[at + n] = (unsigned char)random_number(random);
}

static void random_bytes(void)
{
    unsigned long rounds = stage_number("ISTHMUS_TEST_RANDOM", 500);
    uint64_t random = UINT64_C(0x9e3779b97f4a7c15);
    unsigned before = stage_failures();
    for (unsigned long round = 0; round < rounds && stage_failures() < before + 10; round++) {
        stage_case("round %lu of random bytes", round);
        for (size_t n = 0; n < VICTIM_KINDS; n++) {
            size_t size = n == VICTIM_TIMER ? sizeof(object_words) : 40;
            damage_randomly(words[n], size, &random);
            if (random_number(&random) % 4 == 0)
                words[n]->state = CLAIM_TAG | (random_number(&random) & (UINT64_C(3) << 57 | UINT64_C(3) << 51 | 1));
        }
        for (size_t n = 0; n < 16; n++)
            damage_randomly(&slots[n % 4], sizeof *slots, &random);
        victim_meet();
        mend();
    }
}

/* A3 */
TEST(random_bytes_in_objects_and_claims_give_a_status)
{
    check_damage(random_bytes, "random bytes");
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(any_state_of_an_object_gives_a_status),
        RUN(any_other_field_of_an_object_gives_a_status),
        RUN(any_setting_of_a_timer_gives_a_status),
        RUN(any_claim_gives_a_status),
        RUN(a_table_that_is_full_of_nobody_gives_a_status),
        RUN(attempts_of_the_dead_on_objects_that_are_gone_do_not_fill_the_table),
        RUN(random_bytes_in_objects_and_claims_give_a_status),
    };
    return cmocka_run_group_tests_name("process.posix_damage", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
