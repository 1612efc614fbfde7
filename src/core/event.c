/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Events: what a call asks for is checked here.
 */
#include <isthmus/event.h>

#include "core/detail.h"
#include "core/object.h"
#include "core/options.h"

OBJECT_HANDLE(event, PLAT_EVENT)

static ist_status read_request(const ist_event_options *options, plat_object_request *request)
{
    ist_event_options ours;
    ist_status status = options_copy(&ours, sizeof ours, sizeof ours, options);

    if (status == IST_OK && (ours.manual_reset > 1 || ours.initially_set > 1))
        status = detail_refuse(IST_E_ARG, "manual_reset and initially_set");
    if (status == IST_OK)
        status = options_check_common(ours.audience, ours.trust);
    if (status == IST_OK) {
        request->manual_reset = ours.manual_reset != 0;
        request->initially = ours.initially_set != 0;
        request->audience = ours.audience;
        request->trust_everyone = ours.trust == IST_TRUST_EVERYONE;
    }
    return status;
}

ist_status ist_event_set(ist_event *event)
{
    plat_error error;

    if (event == NULL)
        return detail_refuse(IST_E_ARG, "event");
    return detail_from_backend(plat_event_set(event->waitable.plat, &error), &error);
}

ist_status ist_event_reset(ist_event *event)
{
    plat_error error;

    if (event == NULL)
        return detail_refuse(IST_E_ARG, "event");
    return detail_from_backend(plat_event_reset(event->waitable.plat, &error), &error);
}

ist_status ist_event_query(const ist_event *event, ist_event_state *out)
{
    plat_object_state state;
    ist_event_state ours = IST_EVENT_STATE_INIT;
    ist_status status = object_query(ist_event_waitable(event), out, &state);

    if (status == IST_OK) {
        ours.set = state.count;
        ours.manual_reset = state.manual_reset;
        object_answer(out, &ours, sizeof ours);
    }
    return status;
}
