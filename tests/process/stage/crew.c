/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The crowd and its keepers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/check.h"

#include "crew_book.h"

ledger *book;
tools mine;
char crew_names[8][STAGE_NAME_SIZE];

void crew_begin(void)
{
    static const char *const words[] = {"guard", "shares", "baton", "lamp", "coins", "bell", "alarm", "clock"};
    book = stage_memory(sizeof *book);
    for (size_t n = 0; n < COUNT_OF(words); n++)
        stage_name(crew_names[n], "", words[n]);
}

/* ---- objects ---- */

uint32_t count_of(const ist_semaphore *semaphore)
{
    ist_semaphore_state state = IST_SEMAPHORE_STATE_INIT;
    STAGE_IS(ist_semaphore_query(semaphore, &state), IST_OK);
    return state.count;
}

bool is_set(const ist_event *event)
{
    ist_event_state state = IST_EVENT_STATE_INIT;
    STAGE_IS(ist_event_query(event, &state), IST_OK);
    return state.set != 0;
}

bool is_signalled(const ist_timer *timer)
{
    ist_timer_state state = IST_TIMER_STATE_INIT;
    STAGE_IS(ist_timer_query(timer, &state), IST_OK);
    return state.signalled != 0;
}

/* ---- guard, shares, baton, lamp ---- */

static void enter_guard(unsigned place, bool abandoned)
{
    uint64_t me = (uint64_t)(place + 1) << 32 | get(&book->places[place].generation);
    uint64_t before = __atomic_exchange_n(&book->owner, me, __ATOMIC_SEQ_CST);
    if (before == 0)
        return;
    unsigned whose = (unsigned)(before >> 32) - 1;
    if (!abandoned)
        stage_fail("place %u owns the guard, and so does place %u", place, whose);
    else if ((uint32_t)before > get(&book->places[whose].doomed))
        stage_fail("the guard is abandoned, but place %u that owned it lives", whose);
}

static void leave_guard(unsigned place)
{
    uint64_t me = (uint64_t)(place + 1) << 32 | get(&book->places[place].generation);
    uint64_t before = __atomic_exchange_n(&book->owner, 0, __ATOMIC_SEQ_CST);
    if (before != me)
        stage_fail("place %u owned the guard, and so did place %u", place, (unsigned)(before >> 32) - 1);
    STAGE_IS(ist_mutex_release(mine.guard), IST_OK);
}

/* Shares first, so that a baton that lies there says that the shares do too. */
static void give_back(uint32_t missing)
{
    if (missing > 0)
        STAGE_IS(ist_semaphore_release(mine.shares, missing, NULL), IST_OK);
    STAGE_IS(ist_event_set(mine.baton), IST_OK);
}

void check_shares(uint32_t least, uint32_t most, bool has_baton, bool has_lamp, const char *who)
{
    uint32_t count = count_of(mine.shares);
    if (count < least || count > most)
        stage_fail("%s finds %u shares, not %u to %u", who, (unsigned)count, (unsigned)least, (unsigned)most);
    if (has_baton && !is_set(mine.baton))
        stage_fail("%s finds no baton", who);
    if (has_lamp && !is_set(mine.lamp))
        stage_fail("%s finds the lamp out", who);
}

/* So that some are killed while they have the guard, some of them once more, and while the lamp is out. */
static void dwell(uint64_t random)
{
    bool again = random % 5 == 0;
    if (again)
        STAGE_IS(ist_mutex_acquire(mine.guard, 0), IST_OK);
    if (random % 7 == 0)
        STAGE_IS(ist_event_reset(mine.lamp), IST_OK);
    if (random % 4 == 0)
        usleep((useconds_t)(random % 1000));
    if (random % 7 == 0)
        STAGE_IS(ist_event_set(mine.lamp), IST_OK);
    if (again)
        STAGE_IS(ist_mutex_release(mine.guard), IST_OK);
}

static void take_together(unsigned place, uint64_t random)
{
    const ist_waitable *items[] = {ist_event_waitable(mine.lamp), ist_semaphore_waitable(mine.shares),
                                   ist_mutex_waitable(mine.guard), ist_event_waitable(mine.baton)};
    ist_status status = ist_wait_all(items, 4, random % 3 == 0 ? (int64_t)(random % 3000000) : IST_FOREVER);
    if (status == IST_TIMEOUT)
        return;
    if (status != IST_ABANDONED && !STAGE_IS(status, IST_OK))
        return;
    enter_guard(place, status == IST_ABANDONED);
    check_shares(SHARES - 1, SHARES - 1, false, true, "who has taken all");
    if (is_set(mine.baton))
        stage_fail("the baton is there although it was taken");
    add(&book->together);
    dwell(random);
    give_back(1);
    leave_guard(place);
}

void take_guard(unsigned place, uint64_t random)
{
    ist_status status = ist_mutex_acquire(mine.guard, IST_FOREVER);
    if (status != IST_ABANDONED && !STAGE_IS(status, IST_OK))
        return;
    enter_guard(place, status == IST_ABANDONED);
    if (status == IST_ABANDONED) {
        check_shares(SHARES - 1, SHARES, false, false, "who mends");
        dwell(random);
        STAGE_IS(ist_event_set(mine.lamp), IST_OK);
        give_back(SHARES - count_of(mine.shares));
        add(&book->mended);
    } else {
        check_shares(SHARES, SHARES, true, true, "who has the guard");
        dwell(random);
    }
    add(&book->alone);
    leave_guard(place);
}

/* ---- coins, bell, alarm ---- */

static void begin_taking(unsigned place, bool coins, bool bell, bool alarm_too)
{
    put(&book->places[place].taking[COINS], coins);
    put(&book->places[place].taking[BELL], bell);
    put(&book->places[place].taking[ALARM], alarm_too);
}

static void end_taking(unsigned place)
{
    begin_taking(place, false, false, false);
}

static void take_any(unsigned place, bool coins, bool bell, bool alarm_too, int64_t timeout_ns)
{
    const ist_waitable *items[GOODS];
    good which[GOODS];
    size_t count = 0;
    size_t index = 0;
    if (bell) {
        which[count] = BELL;
        items[count++] = ist_event_waitable(mine.bell);
    }
    if (alarm_too) {
        which[count] = ALARM;
        items[count++] = ist_timer_waitable(mine.alarm);
    }
    if (coins) {
        which[count] = COINS;
        items[count++] = ist_semaphore_waitable(mine.coins);
    }
    begin_taking(place, coins, bell, alarm_too);
    ist_status status = count == 1 ? ist_wait(items[0], timeout_ns) : ist_wait_any(items, count, timeout_ns, &index);
    if (status == IST_OK)
        add(&book->accounts[which[index]].taken);
    else if (timeout_ns == IST_FOREVER || status != IST_TIMEOUT)
        STAGE_IS(status, IST_OK);
    end_taking(place);
}

static void take_pair(unsigned place, int64_t timeout_ns)
{
    const ist_waitable *items[] = {ist_event_waitable(mine.bell), ist_semaphore_waitable(mine.coins)};
    begin_taking(place, true, true, false);
    ist_status status = ist_wait_all(items, 2, timeout_ns);
    if (status == IST_OK) {
        add(&book->accounts[BELL].taken);
        add(&book->accounts[COINS].taken);
    } else if (status != IST_TIMEOUT) {
        STAGE_IS(status, IST_OK);
    }
    end_taking(place);
}

static void give_coin(unsigned place)
{
    uint32_t previous = 0;
    put(&book->places[place].giving[COINS], 1);
    ist_status status = ist_semaphore_release(mine.coins, 1, &previous);
    if (status == IST_OK)
        add(&book->accounts[COINS].given);
    else
        STAGE_IS(status, IST_E_LIMIT);
    put(&book->places[place].giving[COINS], 0);
    if (status == IST_OK && previous >= COINS_MAX)
        stage_fail("%u coins, and one more was given", (unsigned)previous);
    if (count_of(mine.coins) > COINS_MAX)
        stage_fail("too many coins");
}

/* ---- clock ---- */

static void wind_clock(uint64_t random)
{
    switch (random % 4) {
    case 0:
        STAGE_IS(ist_timer_cancel(mine.clock), IST_OK);
        break;
    case 1:
        STAGE_IS(ist_timer_set(mine.clock, IST_TIMER_UTC, (int64_t)(random % 1000), 0), IST_OK);
        break;
    default:
        STAGE_IS(ist_timer_set(mine.clock, IST_TIMER_RELATIVE, (int64_t)(random % 1000000), (uint32_t)(random % 4 - 2)),
                 IST_OK);
    }
    ist_status status = ist_wait(ist_timer_waitable(mine.clock), (int64_t)(random % 500000));
    if (status != IST_TIMEOUT)
        STAGE_IS(status, IST_OK);
}

/* ---- the crowd ---- */

void crew_reset(unsigned place)
{
    put(&book->places[place].generation, get(&book->places[place].generation) + 1);
}

void crew_join(void)
{
    STAGE_IS(ist_mutex_open(&mine.guard, crew_names[0], IST_WRITE), IST_OK);
    STAGE_IS(ist_semaphore_open(&mine.shares, crew_names[1], IST_WRITE), IST_OK);
    STAGE_IS(ist_event_open(&mine.baton, crew_names[2], IST_WRITE), IST_OK);
    STAGE_IS(ist_event_open(&mine.lamp, crew_names[3], IST_WRITE), IST_OK);
    STAGE_IS(ist_semaphore_open(&mine.coins, crew_names[4], IST_WRITE), IST_OK);
    STAGE_IS(ist_event_open(&mine.bell, crew_names[5], IST_WRITE), IST_OK);
    STAGE_IS(ist_timer_open(&mine.alarm, crew_names[6], IST_WRITE), IST_OK);
    STAGE_IS(ist_timer_open(&mine.clock, crew_names[7], IST_WRITE), IST_OK);
}

void crew_work(unsigned place, uint64_t random)
{
    uint64_t choice = random >> 32;
    add(&book->operations);
    switch (random % 9) {
    case 0:
    case 1:
        take_together(place, choice);
        break;
    case 2:
        take_guard(place, choice);
        break;
    case 3:
        take_any(place, true, false, false, (int64_t)(choice % 1000000));
        break;
    case 4:
        give_coin(place);
        break;
    case 5:
        take_any(place, false, choice % 2 == 0, choice % 2 != 0, IST_FOREVER);
        break;
    case 6:
        take_any(place, true, true, true, IST_FOREVER);
        break;
    case 7:
        wind_clock(choice);
        break;
    default:
        take_pair(place, (int64_t)(choice % 2000000));
    }
}

void crew_doom(unsigned place)
{
    put(&book->places[place].doomed, get(&book->places[place].generation));
}

void crew_bury(unsigned place)
{
    for (unsigned n = 0; n < GOODS; n++) {
        book->accounts[n].perhaps_given += get(&book->places[place].giving[n]);
        book->accounts[n].perhaps_taken += get(&book->places[place].taking[n]);
        put(&book->places[place].giving[n], 0);
        put(&book->places[place].taking[n], 0);
    }
}

void crew_tell(void)
{
    static const char *const words[] = {"coins", "bell", "alarm"};
    printf("%llu operations: together %llu, alone %llu, mended %llu\n",
           (unsigned long long)read_count(&book->operations), (unsigned long long)read_count(&book->together),
           (unsigned long long)read_count(&book->alone), (unsigned long long)read_count(&book->mended));
    for (unsigned n = 0; n < GOODS; n++)
        printf("%s: %llu given and perhaps %llu more, %llu taken and perhaps %llu more\n", words[n],
               (unsigned long long)book->accounts[n].given, (unsigned long long)book->accounts[n].perhaps_given,
               (unsigned long long)book->accounts[n].taken, (unsigned long long)book->accounts[n].perhaps_taken);
}
