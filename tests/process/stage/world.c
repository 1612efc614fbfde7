/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The world.
 */
#include "world.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/plat.h"

world here;

static char names[5][STAGE_NAME_SIZE];

#define HOUR INT64_C(3600000000000)

void world_name(void)
{
    static const char *const words[] = {"mutex", "semaphore", "automatic", "manual", "timer"};
    for (size_t n = 0; n < 5; n++) {
        char what[48];
        snprintf(what, sizeof what, "%s-%ld", words[n], (long)getpid());
        stage_name(names[n], "", what);
    }
}

static void create(void)
{
    ist_semaphore_options counted = IST_SEMAPHORE_OPTIONS_INIT;
    ist_event_options manual = IST_EVENT_OPTIONS_INIT;
    counted.maximum = WORLD_COUNT_MAX;
    manual.manual_reset = 1;
    STAGE_IS(ist_mutex_create(&here.mutex, names[0], NULL), IST_OK);
    STAGE_IS(ist_semaphore_create(&here.semaphore, names[1], &counted), IST_OK);
    STAGE_IS(ist_event_create(&here.automatic, names[2], NULL), IST_OK);
    STAGE_IS(ist_event_create(&here.manual, names[3], &manual), IST_OK);
    STAGE_IS(ist_timer_create(&here.timer, names[4], NULL), IST_OK);
}

static void join(world *out)
{
    STAGE_IS(ist_mutex_open(&out->mutex, names[0], IST_WRITE), IST_OK);
    STAGE_IS(ist_semaphore_open(&out->semaphore, names[1], IST_WRITE), IST_OK);
    STAGE_IS(ist_event_open(&out->automatic, names[2], IST_WRITE), IST_OK);
    STAGE_IS(ist_event_open(&out->manual, names[3], IST_WRITE), IST_OK);
    STAGE_IS(ist_timer_open(&out->timer, names[4], IST_WRITE), IST_OK);
}

static void leave(world *left)
{
    ist_mutex_close(left->mutex);
    ist_semaphore_close(left->semaphore);
    ist_event_close(left->automatic);
    ist_event_close(left->manual);
    ist_timer_close(left->timer);
    *left = (world){NULL, NULL, NULL, NULL, NULL};
}

void world_enter(bool creates, bool rechecks)
{
    plat_seam_recheck(rechecks ? 0 : HOUR);
    if (creates)
        create();
    else
        join(&here);
}

void world_leave(void)
{
    leave(&here);
}

void world_touch(void)
{
    world again = {NULL, NULL, NULL, NULL, NULL};
    join(&again);
    leave(&again);
}

size_t world_list(const char *letters, world_items out)
{
    size_t count = strlen(letters);
    for (size_t n = 0; n < count; n++)
        switch (letters[n]) {
        case 'm':
            out[n] = ist_mutex_waitable(here.mutex);
            break;
        case 's':
            out[n] = ist_semaphore_waitable(here.semaphore);
            break;
        case 'a':
            out[n] = ist_event_waitable(here.automatic);
            break;
        case 'e':
            out[n] = ist_event_waitable(here.manual);
            break;
        default:
            out[n] = ist_timer_waitable(here.timer);
        }
    return count;
}

static ist_status poll(const char *letter)
{
    world_items items;
    (void)world_list(letter, items);
    return ist_wait(items[0], 0);
}

/* Takes the object as often as it can be taken, at most `most` times. */
static int take_from(const char *letter, int most)
{
    int taken = 0;
    ist_status status = IST_OK;
    while (taken <= most && (status = poll(letter)) == IST_OK)
        taken++;
    if (taken > most)
        stage_fail("%s was taken more than %d times", letter, most);
    else
        STAGE_IS(status, IST_TIMEOUT);
    return taken;
}

static world_owner try_mutex(void)
{
    ist_status status = ist_mutex_acquire(here.mutex, 0);
    if (status == IST_TIMEOUT)
        return WORLD_RIVAL;
    if (status != IST_ABANDONED && !STAGE_IS(status, IST_OK))
        return WORLD_RIVAL;
    STAGE_IS(ist_mutex_release(here.mutex), IST_OK);
    return status == IST_ABANDONED ? WORLD_ABANDONED : WORLD_FREE;
}

world_state world_drain(void)
{
    world_state found = {WORLD_FREE, 0, 0, 0, 0, 0};
    found.owner = try_mutex();
    found.count = take_from("s", WORLD_COUNT_MAX);
    found.set = take_from("a", 1);
    found.manual = poll("e") == IST_OK;
    STAGE_IS(ist_event_reset(here.manual), IST_OK);
    found.signalled = take_from("t", 1);
    STAGE_IS(ist_timer_cancel(here.timer), IST_OK);
    return found;
}

void world_fill(const world_state *wanted)
{
    uint32_t previous = 9;
    if (wanted->count > 0)
        STAGE_IS(ist_semaphore_release(here.semaphore, (uint32_t)wanted->count, &previous), IST_OK);
    if (wanted->set)
        STAGE_IS(ist_event_set(here.automatic), IST_OK);
    if (wanted->manual)
        STAGE_IS(ist_event_set(here.manual), IST_OK);
    if (wanted->signalled)
        STAGE_IS(ist_timer_set(here.timer, IST_TIMER_RELATIVE, 0, 0), IST_OK);
    STAGE_CHECK(wanted->count == 0 || previous == 0);
}

static void use_mutex(bool owned)
{
    STAGE_IS(ist_mutex_acquire(here.mutex, 0), owned ? IST_TIMEOUT : IST_OK);
    if (!owned) {
        STAGE_IS(ist_mutex_acquire(here.mutex, IST_FOREVER), IST_OK);
        STAGE_IS(ist_mutex_release(here.mutex), IST_OK);
        STAGE_IS(ist_mutex_release(here.mutex), IST_OK);
    }
    STAGE_IS(ist_mutex_release(here.mutex), IST_E_NOT_OWNER);
}

static void use_semaphore(void)
{
    uint32_t previous = 9;
    STAGE_IS(ist_semaphore_release(here.semaphore, WORLD_COUNT_MAX, &previous), IST_OK);
    STAGE_CHECK(previous == 0);
    STAGE_IS(ist_semaphore_release(here.semaphore, 1, NULL), IST_E_LIMIT);
    STAGE_CHECK(take_from("s", WORLD_COUNT_MAX) == WORLD_COUNT_MAX);
}

static void use_events(void)
{
    STAGE_IS(ist_event_set(here.automatic), IST_OK);
    STAGE_IS(ist_event_set(here.automatic), IST_OK);
    STAGE_CHECK(take_from("a", 1) == 1);
    STAGE_IS(ist_event_set(here.manual), IST_OK);
    STAGE_IS(poll("e"), IST_OK);
    STAGE_IS(poll("e"), IST_OK);
    STAGE_IS(ist_event_reset(here.manual), IST_OK);
    STAGE_IS(poll("e"), IST_TIMEOUT);
}

static void use_timer(void)
{
    STAGE_IS(ist_timer_set(here.timer, IST_TIMER_RELATIVE, 0, 0), IST_OK);
    STAGE_CHECK(take_from("t", 1) == 1);
    STAGE_IS(ist_timer_set(here.timer, IST_TIMER_RELATIVE, HOUR, 0), IST_OK);
    STAGE_IS(poll("t"), IST_TIMEOUT);
    STAGE_IS(ist_timer_cancel(here.timer), IST_OK);
}

/* Waits for several at once, in a full world. */
static void use_waits(bool owned)
{
    static const world_state full = {WORLD_FREE, 1, 1, 1, 1, 0};
    world_items items;
    size_t index = 99;
    world_state left;
    world_fill(&full);
    STAGE_IS(ist_wait_any(items, world_list("tsa", items), 0, &index), IST_OK);
    STAGE_CHECK(index == 0);
    STAGE_IS(ist_wait_all(items, world_list("msat", items), 0), IST_TIMEOUT);
    STAGE_IS(ist_wait_all(items, world_list("msae", items), 0), owned ? IST_TIMEOUT : IST_OK);
    if (!owned)
        STAGE_IS(ist_mutex_release(here.mutex), IST_OK);
    left = world_drain();
    STAGE_CHECK(left.count == owned && left.set == owned && left.manual == 1 && left.signalled == 0);
}

void world_use(bool owned)
{
    use_mutex(owned);
    use_semaphore();
    use_events();
    use_timer();
    use_waits(owned);
}

bool world_same(const world_state *a, const world_state *b)
{
    return a->owner == b->owner && a->count == b->count && a->set == b->set && a->manual == b->manual &&
           a->signalled == b->signalled;
}

void world_tell(const world_state *what, char out[80])
{
    static const char *const owners[] = {"free", "the child's", "another's", "abandoned"};
    snprintf(out, 80, "mutex %s, count %d, set %d, manual %d, timer %d", owners[what->owner], what->count, what->set,
             what->manual, what->signalled);
}
