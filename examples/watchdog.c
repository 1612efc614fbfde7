/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Watches watchdog_worker, which owns a mutex while it works. The watchdog blocks on that mutex, without looking again
 * and again: it gets it with IST_OK when the worker has released it, and with IST_ABANDONED when the worker has ended
 * without, be it by a crash, a kill or an exit in the wrong place. Then it says so and watches for the next worker.
 */
#include <isthmus/isthmus.h>

#include <stdio.h>

#define MUTEX "Local\\Watchdog.working"
#define EVENT "Local\\Watchdog.started"

static int failed(const char *what, ist_status status)
{
    ist_detail detail;

    ist_error_detail(&detail);
    fprintf(stderr, "%s: %s (%s), %s: code %lu %s\n", what, ist_status_text(status), ist_status_name(status),
            detail.call, (unsigned long)detail.code, detail.note);
    return 1;
}

static void say(const char *what)
{
    printf("%s\n", what);
    fflush(stdout);
}

/* Waits for a worker, and for its end: IST_OK or IST_ABANDONED. */
static ist_status watch_one(ist_mutex *working, const ist_event *started)
{
    ist_status released = IST_OK;
    ist_status status = ist_wait(ist_event_waitable(started), IST_FOREVER);

    if (status < 0)
        return status;
    say("A worker has started.");
    status = ist_mutex_acquire(working, IST_FOREVER);
    if (status < 0)
        return status;
    released = ist_mutex_release(working); /* for the next worker */
    return released < 0 ? released : status;
}

static int watch(ist_mutex *working, const ist_event *started)
{
    ist_status status = IST_ABANDONED;

    say("Start watchdog_worker, and end it as you like.");
    while (status == IST_ABANDONED) {
        status = watch_one(working, started);
        if (status == IST_ABANDONED)
            say("The worker has crashed: start another.");
    }
    if (status < 0)
        return failed("Could not watch", status);
    say("The worker has done its work.");
    return 0;
}

int main(void)
{
    ist_mutex *working = NULL;
    ist_event *started = NULL;
    ist_status status = ist_mutex_create(&working, MUTEX, NULL);
    int result = 0;

    if (status >= 0)
        status = ist_event_create(&started, EVENT, NULL);
    result = status < 0 ? failed("Could not create " MUTEX " and " EVENT, status) : watch(working, started);
    ist_event_close(started);
    ist_mutex_close(working);
    return result;
}
