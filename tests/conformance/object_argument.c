/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Arguments of mutexes, semaphores, events and timers at and beyond their limits, what a query writes, and what the
 * error detail says.
 */
#include "support/kind.h"
#include "support/sync.h"

static void *make(const kind *sort)
{
    void *handle = NULL;
    CHECK_ROW(sort->name, IST_OK, sort->create(&handle, NULL, NULL));
    return handle;
}

/* ---- creating and opening ---- */

/* Creates with these options, which are wrong, and sees that nothing was made. */
static void check_refused(const kind *sort, const kind_options *options)
{
    char name[NAME_SIZE];
    void *handle = &handle;
    unique_name(name, "", "args");
    CHECK_ROW(sort->name, IST_E_ARG, sort->create(&handle, name, options));
    assert_null(handle);
    CHECK_ROW(sort->name, IST_E_ARG, sort->create(&handle, NULL, options));
    CHECK_ROW(sort->name, IST_E_NOT_FOUND, sort->open(&handle, name, IST_READ));
}

TEST(options_of_an_impossible_size_are_refused)
{
    for (size_t k = 0; k < KINDS; k++) {
        const uint32_t sizes[] = {0, 1, 4, kinds[k].options_size - 1, 5000, 0x80000000u, UINT32_MAX};
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            kind_options options;
            kinds[k].init(&options);
            options.struct_size = sizes[i];
            check_refused(&kinds[k], &options);
        }
    }
}

TEST(newer_options_are_fine_as_long_as_what_is_new_in_them_is_zero)
{
    for (size_t k = 0; k < KINDS; k++) {
        kind_options options;
        void *handle = NULL;
        kinds[k].init(&options);
        options.struct_size = (uint32_t)sizeof options;
        CHECK_ROW(kinds[k].name, IST_OK, kinds[k].create(&handle, NULL, &options));
        kinds[k].close(handle);
        for (size_t i = kinds[k].options_size; i < sizeof options; i++) {
            options.bytes[i] = 1;
            check_refused(&kinds[k], &options);
            options.bytes[i] = 0;
        }
    }
}

TEST(an_audience_or_a_trust_that_is_none_is_refused)
{
    static const int audiences[] = {-1, 5, 100, INT32_MAX, INT32_MIN};
    static const ist_trust trusts[] = {1, 2, 0x101, 0x200, 0x80000000u, UINT32_MAX};
    for (size_t k = 0; k < KINDS; k++) {
        kind_options options;
        for (size_t i = 0; i < COUNT_OF(audiences); i++) {
            ist_audience audience;
            /* Through memory: the enumeration itself need not hold such a value. */
            memcpy(&audience, &audiences[i], sizeof audience);
            kinds[k].init(&options);
            kinds[k].admit(&options, audience, IST_TRUST_OWNER);
            check_refused(&kinds[k], &options);
        }
        for (size_t i = 0; i < COUNT_OF(trusts); i++) {
            kinds[k].init(&options);
            kinds[k].admit(&options, IST_AUDIENCE_OWNER, trusts[i]);
            check_refused(&kinds[k], &options);
        }
    }
}

TEST(a_switch_that_is_neither_on_nor_off_is_refused)
{
    kind_options options;
    kinds[KIND_MUTEX].init(&options);
    options.mutex.initially_owned = 2;
    check_refused(&kinds[KIND_MUTEX], &options);
    kinds[KIND_EVENT].init(&options);
    options.event.manual_reset = 2;
    check_refused(&kinds[KIND_EVENT], &options);
    kinds[KIND_EVENT].init(&options);
    options.event.initially_set = UINT32_MAX;
    check_refused(&kinds[KIND_EVENT], &options);
    kinds[KIND_TIMER].init(&options);
    options.timer.manual_reset = 0x100;
    check_refused(&kinds[KIND_TIMER], &options);
}

TEST(options_of_defaults_are_as_good_as_none)
{
    for (size_t k = 0; k < KINDS; k++) {
        kind_options options;
        kind_state states[2];
        kinds[k].init(&options);
        for (size_t i = 0; i < 2; i++) {
            void *handle = NULL;
            CHECK_OK(kinds[k].create(&handle, NULL, i == 0 ? NULL : &options));
            memset(&states[i], 0, sizeof states[i]);
            states[i].struct_size = kinds[k].state_size;
            CHECK_OK(kinds[k].query(handle, &states[i]));
            kinds[k].close(handle);
        }
        assert_memory_equal(&states[0], &states[1], sizeof states[0]);
    }
}

TEST(an_access_that_is_none_is_refused)
{
    static const ist_access accesses[] = {0,
                                          IST_READ | IST_WRITE,
                                          IST_COPY,
                                          IST_COPY | IST_READ,
                                          8,
                                          IST_READ | 0x200,
                                          IST_WRITE | 0x80000000u,
                                          IST_TRUST_EVERYONE,
                                          IST_TRUST_EVERYONE | IST_READ | IST_WRITE,
                                          UINT32_MAX};
    for (size_t k = 0; k < KINDS; k++) {
        char name[NAME_SIZE];
        void *handle = NULL;
        unique_name(name, "", "args");
        CHECK_OK(kinds[k].create(&handle, name, NULL));
        for (size_t i = 0; i < COUNT_OF(accesses); i++) {
            void *second = &second;
            CHECK_STATUS(IST_E_ARG, kinds[k].open(&second, name, accesses[i]));
            assert_null(second);
        }
        kinds[k].close(handle);
    }
}

TEST(nothing_where_something_must_be_is_refused)
{
    for (size_t k = 0; k < KINDS; k++) {
        void *handle = &handle;
        kind_state state;
        memset(&state, 0, sizeof state);
        state.struct_size = kinds[k].state_size;
        CHECK_STATUS(IST_E_ARG, kinds[k].create(NULL, "x", NULL));
        CHECK_STATUS(IST_E_ARG, kinds[k].create(NULL, NULL, NULL));
        CHECK_STATUS(IST_E_ARG, kinds[k].open(NULL, "x", IST_READ));
        CHECK_STATUS(IST_E_ARG, kinds[k].open(&handle, NULL, IST_READ));
        assert_null(handle);
        CHECK_STATUS(IST_E_ARG, kinds[k].query(NULL, &state));
        CHECK_STATUS(IST_E_ARG, ist_wait(kinds[k].waitable(NULL), 0));
    }
    CHECK_STATUS(IST_E_ARG, ist_mutex_acquire(NULL, 0));
    CHECK_STATUS(IST_E_ARG, ist_mutex_release(NULL));
    CHECK_STATUS(IST_E_ARG, ist_semaphore_release(NULL, 1, NULL));
    CHECK_STATUS(IST_E_ARG, ist_event_set(NULL));
    CHECK_STATUS(IST_E_ARG, ist_event_reset(NULL));
    CHECK_STATUS(IST_E_ARG, ist_timer_set(NULL, IST_TIMER_RELATIVE, 0, 0));
    CHECK_STATUS(IST_E_ARG, ist_timer_cancel(NULL));
}

/* W5 X5 */
TEST(a_timeout_below_zero_that_is_not_forever_is_refused)
{
    static const int64_t timeouts[] = {-2, -1000, INT64_MIN, INT64_MIN + 1};
    for (size_t k = 0; k < KINDS; k++) {
        void *handle = make(&kinds[k]);
        for (size_t i = 0; i < COUNT_OF(timeouts); i++)
            CHECK_STATUS(IST_E_ARG, ist_wait(kinds[k].waitable(handle), timeouts[i]));
        kinds[k].close(handle);
    }
}

/* W5 X5: what is signalled is taken whatever the timeout */
TEST(the_longest_timeout_is_one)
{
    ist_mutex *mutex = make(&kinds[KIND_MUTEX]);
    CHECK_OK(ist_mutex_acquire(mutex, INT64_MAX));
    CHECK_OK(ist_mutex_acquire(mutex, INT64_MAX - 1));
    CHECK_OK(ist_mutex_release(mutex));
    CHECK_OK(ist_mutex_release(mutex));
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(mutex));
    ist_mutex_close(mutex);
}

/* W5: also for who has to wait */
TEST(who_waits_for_the_longest_timeout_is_released)
{
    char token[IST_TOKEN_SIZE];
    ist_event *event = make(&kinds[KIND_EVENT]);
    peer *other = sync_start_patient();
    CHECK_OK(ist_event_export(event, peer_id(other), IST_WRITE, token));
    PEER_ASK(other, "IST_OK", "import event %s", peer_word(token));
    /* In milliseconds, just below 2^63 nanoseconds. */
    PEER_ASK(other, "waiting", "block 9223372036854");
    sync_pause();
    CHECK_OK(ist_event_set(event));
    SYNC_HEAR(other, "IST_OK");
    ist_event_close(event);
    peer_end(other);
}

/* ---- looking ---- */

TEST(a_query_without_room_for_its_size_is_refused)
{
    for (size_t k = 0; k < KINDS; k++) {
        void *handle = make(&kinds[k]);
        CHECK_STATUS(IST_E_ARG, kinds[k].query(handle, NULL));
        for (uint32_t size = 0; size < sizeof(uint32_t); size++) {
            kind_state state;
            memset(&state, 0x5A, sizeof state);
            state.struct_size = size;
            CHECK_STATUS(IST_E_ARG, kinds[k].query(handle, &state));
            for (size_t i = sizeof size; i < sizeof state; i++)
                assert_int_equal(state.bytes[i], 0x5A);
        }
        kinds[k].close(handle);
    }
}

TEST(a_query_writes_no_more_than_the_caller_knows_of)
{
    for (size_t k = 0; k < KINDS; k++) {
        void *handle = make(&kinds[k]);
        for (uint32_t size = sizeof(uint32_t); size <= sizeof(kind_state); size++) {
            kind_state state;
            memset(&state, 0x5A, sizeof state);
            state.struct_size = size;
            CHECK_OK(kinds[k].query(handle, &state));
            assert_int_equal(state.struct_size, size);
            for (size_t i = size; i < sizeof state; i++)
                assert_int_equal(state.bytes[i], 0x5A);
            for (size_t i = kinds[k].state_size; i < sizeof state; i++)
                assert_int_equal(state.bytes[i], 0x5A);
        }
        kinds[k].close(handle);
    }
}

/* ---- the detail ---- */

TEST(what_the_library_refuses_has_no_system_code_and_names_what_was_wrong)
{
    ist_detail detail;
    ist_semaphore *semaphore = make(&kinds[KIND_SEMAPHORE]);
    CHECK_STATUS(IST_E_ARG, ist_semaphore_release(semaphore, 0, NULL));
    ist_error_detail(&detail);
    assert_int_equal(detail.space, IST_CODES_NONE);
    assert_int_equal(detail.code, 0);
    assert_true(strlen(detail.call) > 0);
    CHECK_OK(ist_semaphore_release(semaphore, 1, NULL));
    CHECK_OK(ist_wait(ist_semaphore_waitable(semaphore), 0));
    CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_semaphore_waitable(semaphore), 0));
    ist_error_detail(&detail);
    assert_int_equal(detail.status, IST_E_ARG);
    ist_semaphore_close(semaphore);
}

TEST(each_refusal_names_the_call_that_refused)
{
    ist_detail detail;
    ist_mutex *mutex = make(&kinds[KIND_MUTEX]);
    ist_semaphore *semaphore = make(&kinds[KIND_SEMAPHORE]);
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(mutex));
    ist_error_detail(&detail);
    assert_true(strlen(detail.call) > 0);
    CHECK_OK(ist_semaphore_release(semaphore, 1, NULL));
    CHECK_STATUS(IST_E_LIMIT, ist_semaphore_release(semaphore, IST_SEMAPHORE_MAX, NULL));
    ist_error_detail(&detail);
    assert_true(strlen(detail.call) > 0);
    ist_semaphore_close(semaphore);
    ist_mutex_close(mutex);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(options_of_an_impossible_size_are_refused),
        RUN(newer_options_are_fine_as_long_as_what_is_new_in_them_is_zero),
        RUN(an_audience_or_a_trust_that_is_none_is_refused),
        RUN(a_switch_that_is_neither_on_nor_off_is_refused),
        RUN(options_of_defaults_are_as_good_as_none),
        RUN(an_access_that_is_none_is_refused),
        RUN(nothing_where_something_must_be_is_refused),
        RUN(a_timeout_below_zero_that_is_not_forever_is_refused),
        RUN(the_longest_timeout_is_one),
        RUN(who_waits_for_the_longest_timeout_is_released),
        RUN(a_query_without_room_for_its_size_is_refused),
        RUN(a_query_writes_no_more_than_the_caller_knows_of),
        RUN(what_the_library_refuses_has_no_system_code_and_names_what_was_wrong),
        RUN(each_refusal_names_the_call_that_refused),
    };
    return cmocka_run_group_tests_name("object_argument", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, sync_roles, sync_role_count, run_all);
}
