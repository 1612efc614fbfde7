/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What Windows keeps of the rules, as data.
 */
#include "core/plat.h"
#include "win32/clock.h"
#include "win32/native.h"

/* In session 0, where services live, `Local\` is `Global\`: both name the same kernel directory (N7). */
static bool in_session_zero(void)
{
    DWORD session = 1;

    return ProcessIdToSessionId(GetCurrentProcessId(), &session) && session == 0;
}

void plat_traits(ist_traits *traits)
{
    SYSTEM_INFO system;

    GetSystemInfo(&system);
    traits->granularity = IST_GRANULARITY; /* dwAllocationGranularity has been this on every Windows */
    traits->page_size = system.dwPageSize;
    traits->backend = "win32";
    traits->has_fork = 0;
    traits->stop_exact = 1; /* the kernel's objects: a call is done or not */
    traits->one_scope = in_session_zero();
    traits->token_holds = 1; /* the handle is in the target already */
    traits->abandon_at_once = 1;
    traits->wait_all_mixed = 1;
    traits->recheck_ns = 0;
    traits->timer_resolution_ns =
        WIN32_TICK_NS; /* relative ones are not early; absolute ones go by a clock that ticks */
    traits->wait_tick_ns = WIN32_TICK_NS;
}

uint64_t plat_process_id(void)
{
    return GetCurrentProcessId();
}
