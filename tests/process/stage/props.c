/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Props.
 */
#include "props.h"

#include <stdio.h>

#include "core/plat.h"

#define WHILE_NS (INT64_C(300) * 1000000)

ist_mutex *prop_mutex[PROPS];
ist_event *prop_event[PROPS];
ist_event *prop_manual[PROPS];
ist_semaphore *prop_semaphore;
ist_timer *prop_timer;

static char stem[STAGE_NAME_SIZE];

void props_begin(const char *what)
{
    static unsigned plays;
    char numbered[48];
    snprintf(numbered, sizeof numbered, "%s%u", what, plays++);
    stage_name(stem, "", numbered);
}

static const char *name_of(const char *sort, unsigned number)
{
    static char name[STAGE_NAME_SIZE + 24];
    snprintf(name, sizeof name, "%s-%s%u", stem, sort, number);
    return name;
}

static ist_status worst(ist_status a, ist_status b)
{
    return a < 0 ? a : b < 0 ? b : IST_OK;
}

ist_status props_open(unsigned unused)
{
    ist_event_options manual = IST_EVENT_OPTIONS_INIT;
    ist_semaphore_options counted = IST_SEMAPHORE_OPTIONS_INIT;
    ist_status status = IST_OK;
    (void)unused;
    manual.manual_reset = 1;
    counted.maximum = 1000;
    for (unsigned n = 0; n < PROPS; n++) {
        status = worst(status, ist_mutex_create(&prop_mutex[n], name_of("mutex", n), NULL));
        status = worst(status, ist_event_create(&prop_event[n], name_of("event", n), NULL));
        status = worst(status, ist_event_create(&prop_manual[n], name_of("manual", n), &manual));
    }
    status = worst(status, ist_semaphore_create(&prop_semaphore, name_of("semaphore", 0), &counted));
    return worst(status, ist_timer_create(&prop_timer, name_of("timer", 0), NULL));
}

void props_close(void)
{
    for (unsigned n = 0; n < PROPS; n++) {
        ist_mutex_close(prop_mutex[n]);
        ist_event_close(prop_event[n]);
        ist_event_close(prop_manual[n]);
    }
    ist_semaphore_close(prop_semaphore);
    ist_timer_close(prop_timer);
}

ist_status props_open_again(void)
{
    ist_mutex *mutex = NULL;
    ist_event *event = NULL;
    ist_event *manual = NULL;
    ist_semaphore *semaphore = NULL;
    ist_timer *timer = NULL;
    ist_status status = ist_mutex_open(&mutex, name_of("mutex", 0), IST_WRITE);
    status = worst(ist_event_open(&event, name_of("event", 0), IST_WRITE), status);
    status = worst(ist_event_open(&manual, name_of("manual", 0), IST_WRITE), status);
    status = worst(ist_semaphore_open(&semaphore, name_of("semaphore", 0), IST_WRITE), status);
    status = worst(ist_timer_open(&timer, name_of("timer", 0), IST_WRITE), status);
    prop_mutex[0] = mutex != NULL ? mutex : prop_mutex[0];
    prop_event[0] = event != NULL ? event : prop_event[0];
    prop_manual[0] = manual != NULL ? manual : prop_manual[0];
    prop_semaphore = semaphore != NULL ? semaphore : prop_semaphore;
    prop_timer = timer != NULL ? timer : prop_timer;
    return status;
}

static ist_status recheck_ms(unsigned ms)
{
    return plat_seam_recheck((int64_t)ms * 1000000) ? IST_OK : IST_E_UNSUPPORTED;
}

static deputy *start(unsigned ms)
{
    deputy *made = deputy_start();
    STAGE_IS(deputy_do(made, props_open, 0), IST_OK);
    STAGE_IS(deputy_do(made, recheck_ms, ms), IST_OK);
    return made;
}

deputy *props_deputy(void)
{
    return start(0);
}

deputy *props_patient_deputy(void)
{
    return start(3600u * 1000);
}

deputy *props_restless_deputy(void)
{
    return start(1);
}

ist_status prop_acquire(unsigned number)
{
    return ist_mutex_acquire(prop_mutex[number], IST_FOREVER);
}

ist_status prop_acquire_for_a_while(unsigned number)
{
    return ist_mutex_acquire(prop_mutex[number], WHILE_NS);
}

ist_status prop_try(unsigned number)
{
    return ist_mutex_acquire(prop_mutex[number], 0);
}

ist_status prop_release(unsigned number)
{
    return ist_mutex_release(prop_mutex[number]);
}

ist_status prop_await_event(unsigned number)
{
    return ist_wait(ist_event_waitable(prop_event[number]), IST_FOREVER);
}

ist_status prop_await_manual(unsigned number)
{
    return ist_wait(ist_event_waitable(prop_manual[number]), IST_FOREVER);
}

ist_status prop_set(unsigned number)
{
    return ist_event_set(prop_event[number]);
}

ist_status prop_reset(unsigned number)
{
    return ist_event_reset(prop_event[number]);
}

ist_status prop_look(unsigned number)
{
    ist_mutex_state state = IST_MUTEX_STATE_INIT;
    ist_status status = ist_mutex_query(prop_mutex[number], &state);
    if (status != IST_OK)
        return status;
    if (state.abandoned)
        return IST_ABANDONED;
    if (state.owned_here)
        return IST_EXISTED;
    return state.owned ? IST_TIMEOUT : IST_OK;
}
