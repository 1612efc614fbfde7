/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Victims.
 */
#include "victim.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "support/check.h"
#include "support/clock.h"

#define SHORT_NS CLOCK_MS

void victim_items(const ist_waitable *items[VICTIM_KINDS])
{
    items[VICTIM_MUTEX] = ist_mutex_waitable(prop_mutex[0]);
    items[VICTIM_SEMAPHORE] = ist_semaphore_waitable(prop_semaphore);
    items[VICTIM_TIMER] = ist_timer_waitable(prop_timer);
    items[VICTIM_EVENT] = ist_event_waitable(prop_event[0]);
    items[VICTIM_MANUAL] = ist_event_waitable(prop_manual[0]);
}

static int64_t began;

/* Every call here waits for a millisecond at most. */
static void is_status(ist_status status, const char *call)
{
    int64_t now = clock_steady_ns();
    if (status > IST_TIMEOUT || status < IST_E_OS)
        stage_fail("%s is no status but %d", call, (int)status);
    if (now - began > (int64_t)check_bound_ms() * CLOCK_MS / 4)
        stage_fail("%s took %lld ms", call, (long long)((now - began) / CLOCK_MS));
    began = now;
}

#define GIVES_STATUS(call) is_status((call), #call)

static void use_timer(void)
{
    ist_timer_state state = IST_TIMER_STATE_INIT;
    const ist_waitable *item = ist_timer_waitable(prop_timer);
    GIVES_STATUS(ist_timer_query(prop_timer, &state));
    GIVES_STATUS(ist_wait(item, 0));
    GIVES_STATUS(ist_wait(item, SHORT_NS));
    GIVES_STATUS(ist_wait_any(&item, 1, 0, NULL));
    GIVES_STATUS(ist_timer_cancel(prop_timer));
    GIVES_STATUS(ist_timer_set(prop_timer, IST_TIMER_RELATIVE, 0, 1));
    GIVES_STATUS(ist_timer_set(prop_timer, IST_TIMER_UTC, 1000, 0));
    GIVES_STATUS(ist_wait(item, SHORT_NS));
}

static void use_event(ist_event *event)
{
    ist_event_state state = IST_EVENT_STATE_INIT;
    GIVES_STATUS(ist_event_query(event, &state));
    GIVES_STATUS(ist_wait(ist_event_waitable(event), SHORT_NS));
    GIVES_STATUS(ist_event_set(event));
    GIVES_STATUS(ist_wait(ist_event_waitable(event), 0));
    GIVES_STATUS(ist_event_reset(event));
}

static void use_mutex(void)
{
    ist_mutex_state state = IST_MUTEX_STATE_INIT;
    GIVES_STATUS(ist_mutex_query(prop_mutex[0], &state));
    GIVES_STATUS(ist_mutex_release(prop_mutex[0]));
    GIVES_STATUS(ist_mutex_acquire(prop_mutex[0], SHORT_NS));
    GIVES_STATUS(ist_mutex_acquire(prop_mutex[0], 0));
    GIVES_STATUS(ist_mutex_release(prop_mutex[0]));
}

static void use_semaphore(void)
{
    ist_semaphore_state state = IST_SEMAPHORE_STATE_INIT;
    uint32_t previous = 0;
    GIVES_STATUS(ist_semaphore_query(prop_semaphore, &state));
    GIVES_STATUS(ist_wait(ist_semaphore_waitable(prop_semaphore), SHORT_NS));
    GIVES_STATUS(ist_semaphore_release(prop_semaphore, 1, &previous));
    GIVES_STATUS(ist_semaphore_release(prop_semaphore, IST_SEMAPHORE_MAX, &previous));
    GIVES_STATUS(ist_wait(ist_semaphore_waitable(prop_semaphore), 0));
}

static void use_everything(void)
{
    const ist_waitable *items[VICTIM_KINDS];
    size_t index = 0;
    victim_items(items);
    began = clock_steady_ns();
    GIVES_STATUS(ist_wait_all(items, VICTIM_KINDS, 0));
    GIVES_STATUS(ist_wait_any(items, VICTIM_KINDS, SHORT_NS, &index));
    use_mutex();
    use_semaphore();
    use_event(prop_event[0]);
    use_event(prop_manual[0]);
    use_timer();
    GIVES_STATUS(ist_wait_all(items, VICTIM_KINDS, SHORT_NS));
    GIVES_STATUS(ist_wait_all(items, VICTIM_EVENT, 0));
    GIVES_STATUS(ist_wait_any(items, VICTIM_KINDS, 0, &index));
}

void victim_may_crash(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    for (size_t n = 0; n < COUNT_OF(signals); n++)
        (void)signal(signals[n], SIG_DFL);
}

static int use_inherited(void *argument)
{
    (void)argument;
    victim_may_crash();
    use_everything();
    return 0;
}

/* What cannot be opened is left out: its handle stays the inherited one. */
static int use_opened(void *argument)
{
    (void)argument;
    victim_may_crash();
    began = clock_steady_ns();
    GIVES_STATUS(props_open_again());
    use_everything();
    return 0;
}

static int use_only_timer(void *argument)
{
    (void)argument;
    victim_may_crash();
    began = clock_steady_ns();
    use_timer();
    return 0;
}

static void run(int (*play)(void *))
{
    int status = stage_run(play, NULL);
    if (status != 0)
        stage_fail("a victim ended with status %#x", (unsigned)status);
}

void victim_meet(void)
{
    run(use_inherited);
    run(use_opened);
}

void victim_meet_timer(void)
{
    run(use_only_timer);
}

void victim_signal(void)
{
    STAGE_IS(ist_semaphore_release(prop_semaphore, 3, NULL), IST_OK);
    STAGE_IS(ist_event_set(prop_event[0]), IST_OK);
    STAGE_IS(ist_event_set(prop_manual[0]), IST_OK);
    STAGE_IS(ist_timer_set(prop_timer, IST_TIMER_RELATIVE, 0, 0), IST_OK);
}

static int use_soundly(void *argument)
{
    const ist_waitable *items[VICTIM_KINDS];
    victim_items(items);
    victim_signal();
    STAGE_IS(ist_wait_all(items, VICTIM_KINDS, 0), *(ist_status *)argument);
    STAGE_IS(ist_mutex_release(prop_mutex[0]), IST_OK);
    STAGE_IS(ist_event_reset(prop_manual[0]), IST_OK);
    return 0;
}

void victim_check(ist_status wanted)
{
    if (stage_run(use_soundly, &wanted) != 0)
        stage_fail("who used what is sound did not come to its end");
}
