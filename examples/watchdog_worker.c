/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The program that watchdog watches: it owns a mutex while it works. Kill it, and the watchdog knows.
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

/* First the mutex, then the event: who sees the event can block on the mutex until the work is done. */
static int work(ist_mutex *working, ist_event *started)
{
    ist_status status = ist_mutex_acquire(working, IST_FOREVER);

    if (status == IST_ABANDONED)
        printf("The worker before has crashed, and nobody was told yet.\n");
    if (status >= 0)
        status = ist_event_set(started);
    if (status < 0)
        return failed("Could not begin", status);
    printf("Working. Press Enter when the work is done, or kill me.\n");
    fflush(stdout);
    (void)getchar();
    status = ist_mutex_release(working);
    return status < 0 ? failed("Could not release the mutex", status) : 0;
}

int main(void)
{
    ist_mutex *working = NULL;
    ist_event *started = NULL;
    ist_status status = ist_mutex_create(&working, MUTEX, NULL);
    int result = 0;

    if (status >= 0)
        status = ist_event_create(&started, EVENT, NULL);
    result = status < 0 ? failed("Could not create " MUTEX " and " EVENT, status) : work(working, started);
    ist_event_close(started);
    ist_mutex_close(working);
    return result;
}
