/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Operations.
 */
#include "play.h"

#include <string.h>

#define HOUR INT64_C(3600000000000)

static bool is_signalled(const world_state *now, char letter)
{
    switch (letter) {
    case 'm':
        return now->owner != WORLD_RIVAL;
    case 's':
        return now->count > 0;
    case 'a':
        return now->set != 0;
    case 'e':
        return now->manual != 0;
    default:
        return now->signalled != 0;
    }
}

static ist_status take(world_state *now, char letter)
{
    ist_status status = IST_OK;
    switch (letter) {
    case 'm':
        status = now->owner == WORLD_ABANDONED ? IST_ABANDONED : IST_OK;
        now->depth = now->owner == WORLD_CHILD ? now->depth + 1 : 1;
        now->owner = WORLD_CHILD;
        break;
    case 's':
        now->count--;
        break;
    case 'a':
        now->set = 0;
        break;
    case 'e':
        break;
    default:
        now->signalled = 0;
    }
    return status;
}

static ist_status wait_for(const play *played, world_state *now)
{
    const char *letters = played->letters;
    ist_status status = IST_OK;
    if (played->does == PLAY_ALL) {
        for (const char *at = letters; *at != '\0'; at++)
            if (!is_signalled(now, *at))
                return IST_TIMEOUT;
        for (const char *at = letters; *at != '\0'; at++)
            if (take(now, *at) == IST_ABANDONED)
                status = IST_ABANDONED;
        return status;
    }
    for (const char *at = letters; *at != '\0'; at++)
        if (is_signalled(now, *at))
            return take(now, *at);
    return IST_TIMEOUT;
}

ist_status play_happen(const play *played, world_state *now)
{
    switch (played->does) {
    case PLAY_RELEASE_MUTEX:
        now->depth--;
        if (now->depth == 0)
            now->owner = WORLD_FREE;
        return IST_OK;
    case PLAY_RELEASE_SEMAPHORE:
        if (now->count == WORLD_COUNT_MAX)
            return IST_E_LIMIT;
        now->count++;
        return IST_OK;
    case PLAY_SET:
    case PLAY_RESET:
        now->set = played->does == PLAY_SET;
        return IST_OK;
    case PLAY_SET_MANUAL:
    case PLAY_RESET_MANUAL:
        now->manual = played->does == PLAY_SET_MANUAL;
        return IST_OK;
    case PLAY_SET_TIMER:
    case PLAY_SET_TIMER_LATE:
        now->signalled = played->does == PLAY_SET_TIMER;
        return IST_OK;
    case PLAY_CANCEL:
        return IST_OK;
    default:
        return wait_for(played, now);
    }
}

ist_status play_act(const play *played, size_t *index)
{
    world_items items;
    size_t count = played->letters != NULL ? world_list(played->letters, items) : 0;
    switch (played->does) {
    case PLAY_ACQUIRE:
        return ist_mutex_acquire(here.mutex, played->timeout_ns);
    case PLAY_WAIT:
        return ist_wait(items[0], played->timeout_ns);
    case PLAY_ANY:
        return ist_wait_any(items, count, played->timeout_ns, index);
    case PLAY_ALL:
        return ist_wait_all(items, count, played->timeout_ns);
    case PLAY_RELEASE_MUTEX:
        return ist_mutex_release(here.mutex);
    case PLAY_RELEASE_SEMAPHORE:
        return ist_semaphore_release(here.semaphore, 1, NULL);
    case PLAY_SET:
        return ist_event_set(here.automatic);
    case PLAY_SET_MANUAL:
        return ist_event_set(here.manual);
    case PLAY_RESET:
        return ist_event_reset(here.automatic);
    case PLAY_RESET_MANUAL:
        return ist_event_reset(here.manual);
    case PLAY_SET_TIMER:
        return ist_timer_set(here.timer, IST_TIMER_RELATIVE, 0, 0);
    case PLAY_SET_TIMER_LATE:
        return ist_timer_set(here.timer, IST_TIMER_RELATIVE, HOUR, 0);
    default:
        return ist_timer_cancel(here.timer);
    }
}
