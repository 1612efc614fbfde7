/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What the core asks a backend for mutexes, semaphores, events and timers, and that every argument is checked before:
 * where one is wrong, the backend is asked nothing and no memory is taken.
 */
#include "support/kind.h"

#include <isthmus/win32.h>

#include "fake/fake.h"

static int setup(void **state)
{
    (void)state;
    fake_reset();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_ledger end = fake_ledger_now();
    fake_reset();
    return end.memory + end.objects + end.errors == 0 ? 0 : -1;
}

static const plat_kind plat_kinds[KINDS] = {PLAT_MUTEX, PLAT_SEMAPHORE, PLAT_EVENT, PLAT_TIMER};

static void *make(kind_number number, const char *name)
{
    void *handle = NULL;
    CHECK_ROW(kinds[number].name, IST_OK, kinds[number].create(&handle, name, NULL));
    assert_non_null(handle);
    return handle;
}

/* ---- what holds for all four ---- */

TEST(a_create_asks_for_its_kind_under_a_name_without_prefix)
{
    for (size_t i = 0; i < KINDS; i++) {
        void *handle = make((kind_number)i, "Global\\x");
        assert_int_equal(fake_last.object_request.kind, plat_kinds[i]);
        assert_true(fake_last.named);
        assert_true(fake_last.global);
        assert_string_equal(fake_last.name, "x");
        assert_int_equal(fake_last.name_length, 1);
        kinds[i].close(handle);
        handle = make((kind_number)i, NULL);
        assert_false(fake_last.named);
        kinds[i].close(handle);
    }
}

TEST(an_audience_and_trust_arrive_as_they_were_given)
{
    for (size_t i = 0; i < KINDS; i++) {
        kind_options options;
        void *handle = NULL;
        kinds[i].init(&options);
        kinds[i].admit(&options, IST_AUDIENCE_GROUP_WRITE, IST_TRUST_EVERYONE);
        CHECK_OK(kinds[i].create(&handle, "x", &options));
        assert_int_equal(fake_last.object_request.audience, IST_AUDIENCE_GROUP_WRITE);
        assert_true(fake_last.object_request.trust_everyone);
        kinds[i].close(handle);
        handle = make((kind_number)i, "x");
        assert_int_equal(fake_last.object_request.audience, IST_AUDIENCE_OWNER);
        assert_false(fake_last.object_request.trust_everyone);
        kinds[i].close(handle);
    }
}

TEST(a_taken_name_is_told_as_news)
{
    for (size_t i = 0; i < KINDS; i++) {
        void *second = NULL;
        void *handle = make((kind_number)i, "x");
        CHECK_STATUS(IST_EXISTED, kinds[i].create(&second, "Local\\x", NULL));
        assert_non_null(second);
        kinds[i].close(second);
        kinds[i].close(handle);
    }
}

TEST(an_open_asks_for_its_kind_and_splits_access_and_trust)
{
    static const ist_access rights[] = {IST_READ, IST_WRITE};
    for (size_t i = 0; i < KINDS; i++) {
        void *handle = make((kind_number)i, "x");
        for (size_t j = 0; j < 2 * COUNT_OF(rights); j++) {
            void *second = NULL;
            ist_trust trust = j % 2 != 0 ? IST_TRUST_EVERYONE : IST_TRUST_OWNER;
            CHECK_OK(kinds[i].open(&second, "Local\\x", rights[j / 2] | trust));
            assert_int_equal(fake_last.kind, plat_kinds[i]);
            assert_int_equal(fake_last.access, rights[j / 2]);
            assert_true(fake_last.trust_everyone == (j % 2 != 0));
            assert_string_equal(fake_last.name, "x");
            kinds[i].close(second);
        }
        kinds[i].close(handle);
    }
}

TEST(an_export_and_an_import_ask_for_what_they_were_given)
{
    for (size_t i = 0; i < KINDS; i++) {
        char token[IST_TOKEN_SIZE];
        void *second = NULL;
        void *handle = make((kind_number)i, NULL);
        plat_object *half = fake_newest();
        CHECK_OK(kinds[i].export(handle, UINT64_MAX, IST_READ, token));
        assert_ptr_equal(fake_last.object, half);
        assert_true(fake_last.process_id == UINT64_MAX);
        assert_int_equal(fake_last.access, IST_READ);
        CHECK_OK(kinds[i].export(handle, 1, IST_WRITE, token));
        assert_int_equal(fake_last.access, IST_WRITE);
        CHECK_OK(kinds[i].import(&second, token));
        assert_int_equal(fake_last.kind, plat_kinds[i]);
        assert_string_equal(fake_last.token, token);
        kinds[i].close(second);
        CHECK_STATUS(IST_E_KIND, kinds[(i + 1) % KINDS].import(&second, token));
        assert_null(second);
        kinds[i].close(handle);
    }
}

/* Nothing was asked for and nothing came out. */
static void check_untouched(const kind *row, const void *out)
{
    if (fake_calls() != 0 || fake_ledger_now().memory != 0)
        CHECK_FAIL("%s: a wrong argument was asked about", row->name);
    assert_null(out);
}

TEST(a_wrong_name_access_or_token_asks_nothing)
{
    char token[IST_TOKEN_SIZE + 1];
    memset(token, 'x', sizeof token);
    token[IST_TOKEN_SIZE] = '\0';
    for (size_t i = 0; i < KINDS; i++) {
        static const ist_access wrong[] = {0, IST_COPY, IST_READ | IST_WRITE, IST_TRUST_EVERYONE, IST_READ | 0x200};
        void *out = &fake_last;
        CHECK_STATUS(IST_E_ARG, kinds[i].create(NULL, "x", NULL));
        CHECK_STATUS(IST_E_ARG, kinds[i].open(NULL, "x", IST_READ));
        CHECK_STATUS(IST_E_ARG, kinds[i].import(NULL, "x"));
        CHECK_STATUS(IST_E_NAME, kinds[i].create(&out, "a\\b", NULL));
        check_untouched(&kinds[i], out);
        for (size_t j = 0; j < COUNT_OF(wrong); j++) {
            out = &fake_last;
            CHECK_STATUS(IST_E_ARG, kinds[i].open(&out, "", wrong[j]));
            check_untouched(&kinds[i], out);
        }
        out = &fake_last;
        CHECK_STATUS(IST_E_ARG, kinds[i].open(&out, NULL, IST_READ));
        check_untouched(&kinds[i], out);
        out = &fake_last;
        CHECK_STATUS(IST_E_NAME, kinds[i].open(&out, "", IST_READ));
        check_untouched(&kinds[i], out);
        out = &fake_last;
        CHECK_STATUS(IST_E_ARG, kinds[i].import(&out, NULL));
        check_untouched(&kinds[i], out);
        out = &fake_last;
        CHECK_STATUS(IST_E_ARG, kinds[i].import(&out, token));
        check_untouched(&kinds[i], out);
    }
}

TEST(wrong_options_ask_nothing)
{
    for (size_t i = 0; i < KINDS; i++) {
        kind_options options;
        void *out = &fake_last;
        for (size_t row = 0; row < 7; row++) {
            kinds[i].init(&options);
            switch (row) {
            case 0:
                options.struct_size = 0;
                break;
            case 1:
                options.struct_size = kinds[i].options_size - 1;
                break;
            case 2:
                options.struct_size = UINT32_MAX;
                break;
            case 3: /* an option that only a newer version knows */
                options.struct_size = kinds[i].options_size + 4;
                options.bytes[kinds[i].options_size + 3] = 1;
                break;
            case 4:
                kinds[i].admit(&options, (ist_audience)5, IST_TRUST_OWNER);
                break;
            case 5:
                kinds[i].admit(&options, IST_AUDIENCE_OWNER, 1);
                break;
            default:
                kinds[i].admit(&options, IST_AUDIENCE_OWNER, 0x300);
                break;
            }
            out = &fake_last;
            CHECK_ROW(kinds[i].name, IST_E_ARG, kinds[i].create(&out, "a\\b", &options));
            check_untouched(&kinds[i], out);
        }
    }
}

TEST(options_of_a_newer_version_that_ask_for_nothing_new_are_fine)
{
    for (size_t i = 0; i < KINDS; i++) {
        kind_options options;
        void *out = NULL;
        kinds[i].init(&options);
        options.struct_size = (uint32_t)sizeof options;
        CHECK_OK(kinds[i].create(&out, "x", &options));
        kinds[i].close(out);
    }
}

TEST(a_wrong_export_asks_nothing_and_empties_the_token)
{
    for (size_t i = 0; i < KINDS; i++) {
        static const ist_access wrong[] = {0, IST_COPY, IST_READ | IST_WRITE, IST_READ | IST_TRUST_EVERYONE};
        char token[IST_TOKEN_SIZE] = "x";
        void *handle = make((kind_number)i, NULL);
        fake_fail(0, IST_OK);
        CHECK_STATUS(IST_E_ARG, kinds[i].export(handle, 1, IST_READ, NULL));
        CHECK_STATUS(IST_E_ARG, kinds[i].export(NULL, 1, IST_READ, token));
        assert_string_equal(token, "");
        token[0] = 'x';
        CHECK_STATUS(IST_E_ARG, kinds[i].export(handle, 0, IST_READ, token));
        assert_string_equal(token, "");
        for (size_t j = 0; j < COUNT_OF(wrong); j++) {
            token[0] = 'x';
            CHECK_STATUS(IST_E_ARG, kinds[i].export(handle, 1, wrong[j], token));
            assert_string_equal(token, "");
        }
        assert_int_equal(fake_calls(), 0);
        kinds[i].close(handle);
    }
}

TEST(no_handle_is_no_waitable_and_its_close_does_nothing)
{
    for (size_t i = 0; i < KINDS; i++) {
        assert_null(kinds[i].waitable(NULL));
        kinds[i].close(NULL);
    }
    assert_null(ist_win32_waitable_handle(NULL));
    ist_win32_waitable_unwrap(NULL);
    assert_int_equal(fake_calls(), 0);
}

/* ---- queries ---- */

TEST(a_query_tells_what_the_backend_says)
{
    static const plat_object_state state = {3, 9, true, true, true};
    fake_pretend_state(&state);
    for (size_t i = 0; i < KINDS; i++) {
        kind_state told;
        void *handle = make((kind_number)i, NULL);
        memset(&told, 0, sizeof told);
        told.struct_size = kinds[i].state_size;
        CHECK_OK(kinds[i].query(handle, &told));
        assert_ptr_equal(fake_last.object, fake_newest());
        assert_int_equal(told.struct_size, kinds[i].state_size);
        switch ((kind_number)i) {
        case KIND_MUTEX:
            assert_int_equal(told.mutex.owned, 3);
            assert_int_equal(told.mutex.owned_here, 1);
            assert_int_equal(told.mutex.abandoned, 1);
            break;
        case KIND_SEMAPHORE:
            assert_int_equal(told.semaphore.count, 3);
            assert_int_equal(told.semaphore.maximum, 9);
            break;
        case KIND_EVENT:
            assert_int_equal(told.event.set, 3);
            assert_int_equal(told.event.manual_reset, 1);
            break;
        default:
            assert_int_equal(told.timer.signalled, 3);
            break;
        }
        kinds[i].close(handle);
    }
}

TEST(a_query_writes_no_more_than_the_caller_knows)
{
    static const plat_object_state state = {UINT32_MAX, UINT32_MAX, true, true, true};
    fake_pretend_state(&state);
    for (size_t i = 0; i < KINDS; i++) {
        void *handle = make((kind_number)i, NULL);
        for (uint32_t size = 4; size <= sizeof(kind_state); size++) {
            kind_state told;
            memset(&told, 0xA5, sizeof told);
            told.struct_size = size;
            CHECK_OK(kinds[i].query(handle, &told));
            assert_int_equal(told.struct_size, size);
            uint32_t written = size < kinds[i].state_size ? size : kinds[i].state_size;
            for (size_t at = written; at < sizeof told; at++)
                assert_int_equal(told.bytes[at], 0xA5);
        }
        kinds[i].close(handle);
    }
}

TEST(a_wrong_query_asks_nothing)
{
    for (size_t i = 0; i < KINDS; i++) {
        kind_state told;
        void *handle = make((kind_number)i, NULL);
        memset(&told, 0, sizeof told);
        fake_fail(0, IST_OK);
        for (uint32_t size = 0; size < 4; size++) {
            told.struct_size = size;
            CHECK_STATUS(IST_E_ARG, kinds[i].query(handle, &told));
        }
        told.struct_size = kinds[i].state_size;
        CHECK_STATUS(IST_E_ARG, kinds[i].query(NULL, &told));
        CHECK_STATUS(IST_E_ARG, kinds[i].query(handle, NULL));
        assert_int_equal(fake_calls(), 0);
        kinds[i].close(handle);
    }
}

/* ---- Windows ---- */

TEST(a_wrapped_handle_is_the_backends_to_keep)
{
    int somewhere = 0;
    ist_waitable *item = NULL;
    CHECK_OK(ist_win32_waitable_wrap(&item, &somewhere));
    assert_ptr_equal(fake_last.native, &somewhere);
    assert_ptr_equal(ist_win32_waitable_handle(item), &somewhere);
    ist_win32_waitable_unwrap(item);
    fake_fail(0, IST_OK);
    item = (ist_waitable *)&somewhere;
    CHECK_STATUS(IST_E_ARG, ist_win32_waitable_wrap(&item, NULL));
    assert_null(item);
    CHECK_STATUS(IST_E_ARG, ist_win32_waitable_wrap(NULL, &somewhere));
    assert_int_equal(fake_calls(), 0);
}

TEST(the_traits_of_waits_come_from_the_backend)
{
    ist_traits traits = IST_TRAITS_INIT;
    ist_traits_get(&traits);
    assert_int_equal(traits.abandon_at_once, 1);
    assert_int_equal(traits.wait_all_mixed, 0);
    assert_true(traits.recheck_ns == FAKE_RECHECK_NS);
    assert_true(traits.timer_resolution_ns == FAKE_RESOLUTION_NS);
    assert_true(traits.wait_tick_ns == FAKE_TICK_NS);
}

#define RUN_OVER_FAKE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        RUN_OVER_FAKE(a_create_asks_for_its_kind_under_a_name_without_prefix),
        RUN_OVER_FAKE(an_audience_and_trust_arrive_as_they_were_given),
        RUN_OVER_FAKE(a_taken_name_is_told_as_news),
        RUN_OVER_FAKE(an_open_asks_for_its_kind_and_splits_access_and_trust),
        RUN_OVER_FAKE(an_export_and_an_import_ask_for_what_they_were_given),
        RUN_OVER_FAKE(a_wrong_name_access_or_token_asks_nothing),
        RUN_OVER_FAKE(wrong_options_ask_nothing),
        RUN_OVER_FAKE(options_of_a_newer_version_that_ask_for_nothing_new_are_fine),
        RUN_OVER_FAKE(a_wrong_export_asks_nothing_and_empties_the_token),
        RUN_OVER_FAKE(no_handle_is_no_waitable_and_its_close_does_nothing),
        RUN_OVER_FAKE(a_query_tells_what_the_backend_says),
        RUN_OVER_FAKE(a_query_writes_no_more_than_the_caller_knows),
        RUN_OVER_FAKE(a_wrong_query_asks_nothing),
        RUN_OVER_FAKE(a_wrapped_handle_is_the_backends_to_keep),
        RUN_OVER_FAKE(the_traits_of_waits_come_from_the_backend),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("objects", tests, NULL, NULL);
}
