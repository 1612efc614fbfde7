/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What this POSIX system is.
 */
#include "core/plat.h"

#include <unistd.h>

#include "posix/clock.h"
#include "posix/lock.h"
#include "posix/word.h"

void plat_traits(ist_traits *traits)
{
    traits->granularity = IST_GRANULARITY;
    traits->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
    traits->backend = "posix";
    traits->has_fork = 1;
    traits->stop_exact = LOCK_ASKS_WITHOUT_TAKING;
    traits->one_scope = 0;
    traits->token_holds = 0;
    traits->abandon_at_once = word_waits_for_several();
    traits->wait_all_mixed = 0;
    traits->recheck_ns = (uint64_t)clock_recheck();
    traits->timer_resolution_ns = 1;
    traits->wait_tick_ns = 1;
}

uint64_t plat_process_id(void)
{
    return (uint64_t)getpid();
}
