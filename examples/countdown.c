/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Counts down with a periodic timer, and stops early when another process says so: one wait for any of an event and a
 * timer. The timer is unnamed, the event is `Local\Countdown.stop`.
 *
 * usage: countdown [SECONDS]    counts down
 *        countdown stop         stops all that count down
 */
#include <isthmus/isthmus.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STOP "Local\\Countdown.stop"
#define USUAL 10
#define MOST 1000000
#define SECOND_NS 1000000000
#define SECOND_MS 1000

static int failed(const char *what, ist_status status)
{
    ist_detail detail;

    ist_error_detail(&detail);
    fprintf(stderr, "%s: %s (%s), %s: code %lu %s\n", what, ist_status_text(status), ist_status_name(status),
            detail.call, (unsigned long)detail.code, detail.note);
    return 1;
}

/* Where both are signalled the first in the array is taken: a stop comes before a second. */
static int count_down(const ist_event *stop, const ist_timer *timer, long left)
{
    const ist_waitable *either[] = {ist_event_waitable(stop), ist_timer_waitable(timer)};
    size_t which = 1;
    ist_status status = IST_OK;

    while (left > 0 && which == 1 && status >= 0) {
        printf("%ld\n", left);
        fflush(stdout);
        status = ist_wait_any(either, 2, IST_FOREVER, &which);
        left -= status >= 0 && which == 1;
    }
    if (status < 0)
        return failed("Could not wait", status);
    printf(which == 1 ? "Lift-off.\n" : "Stopped.\n");
    return 0;
}

static int start(long seconds)
{
    ist_event_options for_all = IST_EVENT_OPTIONS_INIT;
    ist_event *stop = NULL;
    ist_timer *timer = NULL;
    ist_status status = IST_OK;
    int result = 0;

    for_all.manual_reset = 1;
    status = ist_event_create(&stop, STOP, &for_all);
    if (status >= 0)
        status = ist_timer_create(&timer, NULL, NULL);
    if (status >= 0)
        status = ist_timer_set(timer, IST_TIMER_RELATIVE, SECOND_NS, SECOND_MS);
    result = status < 0 ? failed("Could not make " STOP " and a timer", status) : count_down(stop, timer, seconds);
    ist_timer_close(timer);
    ist_event_close(stop);
    return result;
}

/* The event goes with the last that counts down, and the set with it. */
static int stop_all(void)
{
    ist_event *stop = NULL;
    ist_status status = ist_event_open(&stop, STOP, IST_WRITE);

    if (status == IST_E_NOT_FOUND) {
        fprintf(stderr, "Nothing counts down.\n");
        return 1;
    }
    if (status >= 0)
        status = ist_event_set(stop);
    ist_event_close(stop);
    return status < 0 ? failed("Could not set " STOP, status) : 0;
}

int main(int argc, char **argv)
{
    long seconds = argc > 1 ? strtol(argv[1], NULL, 10) : USUAL;

    if (argc == 2 && strcmp(argv[1], "stop") == 0)
        return stop_all();
    if (argc > 2 || seconds < 1 || seconds > MOST) {
        fprintf(stderr, "usage: countdown [SECONDS] | countdown stop\n");
        return 2;
    }
    return start(seconds);
}
