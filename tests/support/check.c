/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The checks: a failed one says what was expected, what came, and what the system said.
 */
#include "check.h"

#include "peer.h"

int check_setup(void **state)
{
    (void)state;
    return 0;
}

int check_teardown(void **state)
{
    (void)state;
    peer_kill_all();
    return 0;
}

void check_fail_at(const char *file, int line, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    print_error("%s:%d: %s\n", file, line, text);
    _fail(file, line);
}

static void fail_status(const char *file, int line, const char *call, const char *expected, ist_status actual)
{
    ist_detail detail;
    ist_error_detail(&detail);
    check_fail_at(file, line, "%s\n  expected %s, got %s (last failure: %s by %s, code %u in space %d, note \"%s\")",
                  call, expected, ist_status_name(actual), ist_status_name(detail.status), detail.call,
                  (unsigned)detail.code, (int)detail.space, detail.note);
}

static void check_detail(const char *file, int line, const char *call, ist_status actual)
{
    ist_detail detail;
    ist_error_detail(&detail);
    if (detail.status != actual) {
        check_fail_at(file, line, "%s\n  failed with %s but the error detail says %s", call, ist_status_name(actual),
                      ist_status_name(detail.status));
    }
    if (detail.call == NULL) {
        check_fail_at(file, line, "%s\n  failed with %s but the error detail has no call", call,
                      ist_status_name(actual));
    }
}

void check_status_at(const char *file, int line, const char *call, ist_status expected, ist_status actual)
{
    if (actual != expected) {
        fail_status(file, line, call, ist_status_name(expected), actual);
    }
    if (actual < 0) {
        check_detail(file, line, call, actual);
    }
}

void check_row_at(const char *file, int line, const char *row, ist_status expected, ist_status actual)
{
    check_status_at(file, line, row, expected, actual);
}

void check_fails_at(const char *file, int line, const char *call, ist_status actual)
{
    if (actual >= 0) {
        fail_status(file, line, call, "a failure", actual);
    }
    check_detail(file, line, call, actual);
}

void check_skip_at(const char *file, int line, const char *test, const char *reason)
{
    print_message("SKIP %s: %s\n", test, reason);
    _skip(file, line);
}

void unique_name(char name[NAME_SIZE], const char *prefix, const char *word)
{
    static unsigned counter;
    counter++;
    (void)snprintf(name, NAME_SIZE, "%s%s-%llu-%u", prefix, word, (unsigned long long)ist_process_id(), counter);
}

size_t crowd_size(size_t usual)
{
    const char *text = getenv("ISTHMUS_TEST_PEERS");
    unsigned long wanted = text == NULL ? 0 : strtoul(text, NULL, 10);
    return wanted > 1 && wanted < usual ? (size_t)wanted : usual;
}

unsigned check_bound_ms(void)
{
    return getenv("ISTHMUS_TEST_SLOW") != NULL ? 60000u : 10000u;
}
