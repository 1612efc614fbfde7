/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A program of which only one runs at a time: the one that owns the mutex `Local\SingleInstance`. A second start says
 * so and exits with 1. However the first one ends, killed or not, the next start succeeds: there is no lock file to
 * remove.
 *
 * To own is what counts, not to have created: a mutex that somebody else merely has open would be IST_EXISTED too.
 */
#include <isthmus/isthmus.h>

#include <stdio.h>

#define NAME "Local\\SingleInstance"

static int failed(const char *what, ist_status status)
{
    ist_detail detail;

    ist_error_detail(&detail);
    fprintf(stderr, "%s: %s (%s), %s: code %lu %s\n", what, ist_status_text(status), ist_status_name(status),
            detail.call, (unsigned long)detail.code, detail.note);
    return 1;
}

/* With the mutex owned. */
static int run(ist_mutex *mutex, ist_status status)
{
    if (status == IST_ABANDONED)
        printf("The one before was killed, while somebody else looked on.\n");
    printf("This is the only instance. Press Enter to quit.\n");
    fflush(stdout);
    (void)getchar();
    status = ist_mutex_release(mutex);
    return status < 0 ? failed("Could not release the mutex", status) : 0;
}

int main(void)
{
    ist_mutex *mutex = NULL;
    ist_status status = ist_mutex_create(&mutex, NAME, NULL);
    int result = 1;

    if (status < 0)
        return failed("Could not create the mutex " NAME, status);
    status = ist_mutex_acquire(mutex, 0);
    if (status < 0)
        result = failed("Could not acquire the mutex " NAME, status);
    else if (status == IST_TIMEOUT)
        fprintf(stderr, "Another instance is running.\n");
    else
        result = run(mutex, status);
    ist_mutex_close(mutex);
    return result;
}
