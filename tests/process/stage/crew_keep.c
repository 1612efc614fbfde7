/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The keepers of the crowd.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/check.h"

#include "crew_book.h"

static void make(void)
{
    ist_semaphore_options counted = IST_SEMAPHORE_OPTIONS_INIT;
    ist_event_options event = IST_EVENT_OPTIONS_INIT;
    STAGE_IS(ist_mutex_create(&mine.guard, crew_names[0], NULL), IST_OK);
    counted.initial = counted.maximum = SHARES;
    STAGE_IS(ist_semaphore_create(&mine.shares, crew_names[1], &counted), IST_OK);
    counted.initial = 0;
    counted.maximum = COINS_MAX;
    STAGE_IS(ist_semaphore_create(&mine.coins, crew_names[4], &counted), IST_OK);
    STAGE_IS(ist_event_create(&mine.bell, crew_names[5], &event), IST_OK);
    event.initially_set = 1;
    STAGE_IS(ist_event_create(&mine.baton, crew_names[2], &event), IST_OK);
    event.manual_reset = 1;
    STAGE_IS(ist_event_create(&mine.lamp, crew_names[3], &event), IST_OK);
    STAGE_IS(ist_timer_create(&mine.alarm, crew_names[6], NULL), IST_OK);
    STAGE_IS(ist_timer_create(&mine.clock, crew_names[7], NULL), IST_OK);
}

static void leave(void)
{
    ist_mutex_close(mine.guard);
    ist_semaphore_close(mine.shares);
    ist_event_close(mine.baton);
    ist_event_close(mine.lamp);
    ist_semaphore_close(mine.coins);
    ist_event_close(mine.bell);
    ist_timer_close(mine.alarm);
    ist_timer_close(mine.clock);
}

static void check_account(good which, uint64_t there, const char *what)
{
    const account *of = &book->accounts[which];
    uint64_t least_taken = of->taken;
    uint64_t most_taken = of->taken + of->perhaps_taken;
    if (there + least_taken > of->given + of->perhaps_given || there + most_taken < of->given)
        stage_fail("%s: %llu given and perhaps %llu more, %llu taken and perhaps %llu more, but %llu are there", what,
                   (unsigned long long)of->given, (unsigned long long)of->perhaps_given, (unsigned long long)of->taken,
                   (unsigned long long)of->perhaps_taken, (unsigned long long)there);
}

static bool is_over(void)
{
    return get(&book->over) != 0 || stage_failures() != 0;
}

/* What is set is taken. */
static void wait_until_taken(good which)
{
    for (unsigned waited_us = 0; !is_over(); waited_us += 100) {
        if (which == BELL ? !is_set(mine.bell) : !is_signalled(mine.alarm))
            return;
        if (waited_us >= check_bound_ms() * 1000) {
            stage_fail("%s, and nobody takes it", which == BELL ? "the bell is set" : "the alarm is signalled");
            return;
        }
        usleep(100);
    }
}

/* What was taken is accounted for: by who took it, or by the death of somebody who was about to. That one may have been
   blamed too early. */
static void wait_until_accounted(good which, uint64_t buried)
{
    account *of = &book->accounts[which];
    for (unsigned waited_us = 0; read_count(&of->taken) + of->vanished < of->given && !is_over(); waited_us += 100) {
        if (waited_us >= 50000 && read_count(&of->perhaps_taken) != buried)
            of->vanished++;
        else if (waited_us >= check_bound_ms() * 1000)
            stage_fail("%s was lost: nobody was killed who could have taken it", which == BELL ? "a set" : "an alarm");
        else
            usleep(100);
    }
    if (read_count(&of->taken) + of->vanished > of->given && of->vanished > 0)
        of->vanished--;
    if (read_count(&of->taken) + of->vanished > of->given)
        stage_fail("%s was taken twice", which == BELL ? "a set" : "an alarm");
}

static void give(good which)
{
    uint64_t buried = read_count(&book->accounts[which].perhaps_taken);
    if (which == BELL) {
        STAGE_IS(ist_event_set(mine.bell), IST_OK);
        add(&book->accounts[BELL].given);
    } else {
        STAGE_IS(ist_timer_set(mine.alarm, IST_TIMER_RELATIVE, MS / 4, 0), IST_OK);
        add(&book->accounts[ALARM].given);
        usleep(400);
    }
    wait_until_taken(which);
    wait_until_accounted(which, buried);
}

static void check_in_the_end(void)
{
    usleep(1000); /* for the alarm */
    check_account(COINS, count_of(mine.coins), "coins");
    check_account(BELL, is_set(mine.bell), "bell");
    check_account(ALARM, is_signalled(mine.alarm), "alarm");
    STAGE_IS(ist_timer_set(mine.clock, IST_TIMER_RELATIVE, 0, 0), IST_OK);
    STAGE_IS(ist_wait(ist_timer_waitable(mine.clock), 0), IST_OK);
    take_guard(CREW_MOST, 1);
    check_shares(SHARES, SHARES, true, true, "the last one");
    for (int n = 0; n < 40; n++) { /* so that what the dead left is found */
        ist_mutex *again = NULL;
        STAGE_IS(ist_mutex_open(&again, crew_names[0], IST_READ), IST_OK);
        ist_mutex_close(again);
    }
}

int crew_keep(unsigned keeper)
{
    unsigned place = CREW_MOST + keeper;
    if (keeper == 0)
        make();
    else
        while (get(&book->keepers_ready) == 0)
            usleep(100);
    if (keeper != 0)
        crew_join();
    __atomic_fetch_add(&book->keepers_ready, 1, __ATOMIC_SEQ_CST);
    while (!is_over()) {
        alarm(STAGE_DEADLINE_SECONDS);
        if (keeper == 0)
            take_guard(place, 1);
        else
            give(keeper == 1 ? BELL : ALARM);
        usleep(keeper == 0 ? 1500 : 50);
    }
    while (keeper == 0 && get(&book->keepers_left) < CREW_KEEPERS - 1)
        usleep(100);
    if (keeper == 0)
        check_in_the_end();
    leave();
    __atomic_fetch_add(&book->keepers_left, 1, __ATOMIC_SEQ_CST);
    exit(0);
}

void crew_wait_ready(void)
{
    while (get(&book->keepers_ready) < CREW_KEEPERS && stage_failures() == 0)
        usleep(100);
}

void crew_end(void)
{
    put(&book->over, 1);
}
