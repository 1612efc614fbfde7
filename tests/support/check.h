/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What every test includes, first: cmocka with the headers it wants before it, the public API, and checks that show a
 * status by name together with what the system said.
 *
 * A test is a sentence:
 *     (the rule's number in a comment here)
 *     TEST(a_view_outlives_the_last_handle_but_the_name_does_not) { ... }
 * and stands in the file's list as RUN(a_view_outlives_the_last_handle_but_the_name_does_not).
 */
#ifndef ISTHMUS_TESTS_CHECK_H
#define ISTHMUS_TESTS_CHECK_H

#if defined(_MSC_VER) && !defined(_CRT_SECURE_NO_WARNINGS)
#define _CRT_SECURE_NO_WARNINGS
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <isthmus/isthmus.h>

#if defined(__GNUC__) && !defined(__clang__) && defined(__MINGW32__)
#define CHECK_FORMAT(text, first) __attribute__((format(gnu_printf, text, first)))
#elif defined(__GNUC__)
#define CHECK_FORMAT(text, first) __attribute__((format(printf, text, first)))
#else
#define CHECK_FORMAT(text, first)
#endif

#define TEST(name)                                                                                                     \
    static void name##_body(void);                                                                                     \
    static void name(void **state)                                                                                     \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        name##_body();                                                                                                 \
    }                                                                                                                  \
    static void name##_body(void)

/* A test leaves no peer behind, also when it fails. */
#define RUN(name) cmocka_unit_test_setup_teardown(name, check_setup, check_teardown)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

int check_setup(void **state);
int check_teardown(void **state);

/* Fails the running test and says where and why. Does not return. */
void check_fail_at(const char *file, int line, const char *format, ...) CHECK_FORMAT(3, 4);
#define CHECK_FAIL(...) check_fail_at(__FILE__, __LINE__, __VA_ARGS__)

/* The call answers exactly this status; when it is a failure, the thread's error detail says the same. */
void check_status_at(const char *file, int line, const char *call, ist_status expected, ist_status actual);
#define CHECK_STATUS(expected, call) check_status_at(__FILE__, __LINE__, #call, expected, call)
#define CHECK_OK(call) CHECK_STATUS(IST_OK, call)

/* The call fails, with whichever status. */
void check_fails_at(const char *file, int line, const char *call, ist_status actual);
#define CHECK_FAILS(call) check_fails_at(__FILE__, __LINE__, #call, call)

/* Like CHECK_STATUS, with words for the row of a table that the test is at. */
void check_row_at(const char *file, int line, const char *row, ist_status expected, ist_status actual);
#define CHECK_ROW(row, expected, call) check_row_at(__FILE__, __LINE__, row, expected, call)

/* Says why the running test cannot be run here, and leaves it. */
void check_skip_at(const char *file, int line, const char *test, const char *reason);
#define SKIP(test, reason) check_skip_at(__FILE__, __LINE__, #test, reason)

/* A name that no other test and no other run has: `prefix` and `word`, the process id and a number. */
#define NAME_SIZE (IST_NAME_MAX + 1)
void unique_name(char name[NAME_SIZE], const char *prefix, const char *word);

/* How many peers a crowd has: `usual`, or fewer where the environment variable ISTHMUS_TEST_PEERS says so. */
size_t crowd_size(size_t usual);

/* "Within ten seconds or it hangs": 10,000, or 60,000 where ISTHMUS_TEST_SLOW is set. In milliseconds. */
unsigned check_bound_ms(void);

#endif
