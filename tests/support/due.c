/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * One timer.
 */
#include "due.h"

ist_timer *due_make(bool manual)
{
    ist_timer *timer = NULL;
    ist_timer_options options = IST_TIMER_OPTIONS_INIT;
    options.manual_reset = manual;
    CHECK_OK(ist_timer_create(&timer, NULL, &options));
    return timer;
}

ist_status due_wait(const ist_timer *timer, int64_t timeout_ns)
{
    return ist_wait(ist_timer_waitable(timer), timeout_ns);
}

ist_status due_poll(const ist_timer *timer)
{
    return due_wait(timer, 0);
}

uint32_t due_signalled(const ist_timer *timer)
{
    ist_timer_state state = IST_TIMER_STATE_INIT;
    CHECK_OK(ist_timer_query(timer, &state));
    return state.signalled;
}

int64_t due_resolution_ns(void)
{
    ist_traits traits = IST_TRAITS_INIT;
    ist_traits_get(&traits);
    return (int64_t)traits.timer_resolution_ns;
}
