/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Timers: what a call asks for is checked here.
 */
#include <isthmus/timer.h>

#include "core/detail.h"
#include "core/object.h"
#include "core/options.h"

OBJECT_HANDLE(timer, PLAT_TIMER)

static ist_status read_request(const ist_timer_options *options, plat_object_request *request)
{
    ist_timer_options ours;
    ist_status status = options_copy(&ours, sizeof ours, sizeof ours, options);

    if (status == IST_OK && ours.manual_reset > 1)
        status = detail_refuse(IST_E_ARG, "manual_reset");
    if (status == IST_OK)
        status = options_check_common(ours.audience, ours.trust);
    if (status == IST_OK) {
        request->manual_reset = ours.manual_reset != 0;
        request->audience = ours.audience;
        request->trust_everyone = ours.trust == IST_TRUST_EVERYONE;
    }
    return status;
}

ist_status ist_timer_set(ist_timer *timer, ist_timer_clock clock, int64_t due_ns, uint32_t period_ms)
{
    plat_error error;
    bool absolute = clock == IST_TIMER_UTC;

    if (timer == NULL)
        return detail_refuse(IST_E_ARG, "timer");
    if (clock != IST_TIMER_RELATIVE && !absolute)
        return detail_refuse(IST_E_ARG, "clock");
    if (!absolute && due_ns < 0)
        return detail_refuse(IST_E_ARG, "due_ns");
    if (period_ms > IST_TIMER_PERIOD_MAX)
        return detail_refuse(IST_E_ARG, "period_ms");
    return detail_from_backend(plat_timer_set(timer->waitable.plat, absolute, due_ns, period_ms, &error), &error);
}

ist_status ist_timer_cancel(ist_timer *timer)
{
    plat_error error;

    if (timer == NULL)
        return detail_refuse(IST_E_ARG, "timer");
    return detail_from_backend(plat_timer_cancel(timer->waitable.plat, &error), &error);
}

ist_status ist_timer_query(const ist_timer *timer, ist_timer_state *out)
{
    plat_object_state state;
    ist_timer_state ours = IST_TIMER_STATE_INIT;
    ist_status status = object_query(ist_timer_waitable(timer), out, &state);

    if (status == IST_OK) {
        ours.signalled = state.count;
        object_answer(out, &ours, sizeof ours);
    }
    return status;
}
