/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What the core asks a backend for mailslots, and that every argument is checked before: where one is wrong, the
 * backend is asked nothing and no memory is taken. mailslots_failing.c has the failures.
 */
#include "support/check.h"

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
    return end.memory + end.mailslots + end.errors == 0 ? 0 : -1;
}

static void *const somewhere = &fake_last;

/* Nothing was asked for and nothing came out. */
static void check_untouched(const char *row, const void *out)
{
    if (fake_calls() != 0 || fake_ledger_now().memory != 0)
        CHECK_FAIL("%s: a wrong argument was asked about", row);
    assert_null(out);
}

static ist_mailslot *make_reader(void)
{
    ist_mailslot *slot = NULL;
    CHECK_OK(ist_mailslot_create(&slot, "x", NULL));
    fake_fail(0, IST_OK);
    return slot;
}

static ist_mailslot *make_writer(void)
{
    ist_mailslot *slot = NULL;
    CHECK_OK(ist_mailslot_open(&slot, "x", IST_WRITE));
    fake_fail(0, IST_OK);
    return slot;
}

/* ---- names ---- */

typedef struct name_row {
    const char *given;
    const char *passed; /* NULL: IST_E_NAME */
} name_row;

static const name_row names[] = {
    {"x", "x"},
    {"\\\\.\\mailslot\\x", "x"},
    {"\\\\.\\MAILSLOT\\x", "x"},
    {"\\\\.\\MailSlot\\Big \xC3\x84", "Big \xC3\x84"},
    {"*:?\"<>|", "*:?\"<>|"},
    {"", NULL},
    {"\\\\.\\mailslot\\", NULL},
    {"\\\\.\\mailslot", NULL},
    {"\\\\.\\x", NULL},
    {"\\\\.\\pipe\\x", NULL},
    {"\\\\other\\mailslot\\x", NULL},
    {"a\\b", NULL},
    {"a/b", NULL},
    {"Local\\x", NULL},
    {"x.", NULL},
    {"\xC3", NULL},
    {"\xED\xA0\x80", NULL},
};

static void check_name(const char *given, const char *passed)
{
    ist_mailslot *slot = somewhere;
    CHECK_ROW(given, passed != NULL ? IST_OK : IST_E_NAME, ist_mailslot_create(&slot, given, NULL));
    if (passed == NULL) {
        check_untouched(given, slot);
        slot = somewhere;
        CHECK_ROW(given, IST_E_NAME, ist_mailslot_open(&slot, given, IST_WRITE));
        check_untouched(given, slot);
        return;
    }
    assert_string_equal(fake_last.name, passed);
    assert_int_equal(fake_last.name_length, strlen(passed));
    ist_mailslot_close(slot);
    memset(&fake_last, 0, sizeof fake_last);
    CHECK_ROW(given, IST_OK, ist_mailslot_open(&slot, given, IST_WRITE));
    assert_string_equal(fake_last.name, passed);
    assert_int_equal(fake_last.name_length, strlen(passed));
    ist_mailslot_close(slot);
    fake_fail(0, IST_OK);
}

TEST(a_name_arrives_without_its_prefix_or_not_at_all)
{
    char given[IST_MAILSLOT_NAME_MAX + 2];
    for (size_t i = 0; i < COUNT_OF(names); i++)
        check_name(names[i].given, names[i].passed);
    memset(given, 'n', sizeof given);
    given[IST_MAILSLOT_NAME_MAX + 1] = '\0';
    check_name(given, NULL);
    check_name(given + 1, given + 1);
}

/* ---- options ---- */

static void check_asked(const ist_mailslot_options *options, uint32_t message_max, uint32_t capacity_bytes,
                        ist_audience audience)
{
    ist_mailslot *slot = NULL;
    CHECK_OK(ist_mailslot_create(&slot, "x", options));
    assert_int_equal(fake_last.mailslot_request.message_max, message_max);
    assert_int_equal(fake_last.mailslot_request.capacity_bytes, capacity_bytes);
    assert_int_equal(fake_last.mailslot_request.audience, audience);
    ist_mailslot_close(slot);
}

TEST(what_is_not_asked_for_is_a_mebibyte_for_messages_of_any_size)
{
    ist_mailslot_options options = IST_MAILSLOT_OPTIONS_INIT;
    check_asked(NULL, 0, 1048576, IST_AUDIENCE_OWNER);
    check_asked(&options, 0, IST_MAILSLOT_CAPACITY, IST_AUDIENCE_OWNER);
}

TEST(what_is_asked_for_arrives)
{
    ist_mailslot_options options = IST_MAILSLOT_OPTIONS_INIT;
    options.message_max = IST_MAILSLOT_CAPACITY_MAX;
    options.capacity_bytes = IST_MAILSLOT_CAPACITY_MAX;
    options.audience = IST_AUDIENCE_GROUP_WRITE;
    options.trust = IST_TRUST_EVERYONE;
    check_asked(&options, 1073741824, 1073741824, IST_AUDIENCE_GROUP_WRITE);
    options.message_max = 1;
    options.capacity_bytes = 1;
    options.audience = IST_AUDIENCE_EVERYONE_WRITE;
    check_asked(&options, 1, 1, IST_AUDIENCE_EVERYONE_WRITE);
}

static void check_refused(const char *row, const ist_mailslot_options *options)
{
    ist_mailslot *slot = somewhere;
    CHECK_ROW(row, IST_E_ARG, ist_mailslot_create(&slot, "a\\b", options));
    check_untouched(row, slot);
}

#define WRONG(field, value)                                                                                            \
    do {                                                                                                               \
        ist_mailslot_options options = IST_MAILSLOT_OPTIONS_INIT;                                                      \
        options.field = (value);                                                                                       \
        check_refused(#field " " #value, &options);                                                                    \
    } while (false)

TEST(wrong_options_ask_nothing_whatever_the_name)
{
    WRONG(struct_size, 0);
    WRONG(struct_size, (uint32_t)sizeof options - 1);
    WRONG(struct_size, UINT32_MAX);
    WRONG(flags, 1);
    WRONG(flags, 0x80000000u);
    WRONG(capacity_bytes, IST_MAILSLOT_CAPACITY_MAX + 1);
    WRONG(capacity_bytes, UINT32_MAX);
    WRONG(message_max, IST_MAILSLOT_CAPACITY + 1);
    WRONG(message_max, UINT32_MAX);
    WRONG(audience, IST_AUDIENCE_GROUP_READ);
    WRONG(audience, IST_AUDIENCE_EVERYONE_READ);
    WRONG(audience, (ist_audience)5);
    WRONG(audience, (ist_audience)-1);
    WRONG(trust, 1);
    WRONG(trust, IST_TRUST_EVERYONE | 0x200);
}

typedef struct newer_options {
    ist_mailslot_options known;
    unsigned char news[8];
} newer_options;

TEST(options_of_a_newer_version_may_not_ask_for_anything_new)
{
    newer_options options = {IST_MAILSLOT_OPTIONS_INIT, {0}};
    options.known.struct_size = (uint32_t)sizeof options;
    check_asked(&options.known, 0, IST_MAILSLOT_CAPACITY, IST_AUDIENCE_OWNER);
    fake_fail(0, IST_OK);
    options.news[7] = 1;
    check_refused("news", &options.known);
}

/* ---- handles ---- */

TEST(an_open_is_for_writing_and_splits_off_trust)
{
    ist_mailslot *slot = NULL;
    CHECK_OK(ist_mailslot_open(&slot, "x", IST_WRITE));
    assert_false(fake_last.trust_everyone);
    ist_mailslot_close(slot);
    CHECK_OK(ist_mailslot_open(&slot, "x", IST_WRITE | IST_TRUST_EVERYONE));
    assert_true(fake_last.trust_everyone);
    ist_mailslot_close(slot);
}

TEST(a_wrong_open_asks_nothing)
{
    static const ist_access wrong[] = {
        0, IST_COPY, IST_READ | IST_WRITE, IST_TRUST_EVERYONE, IST_READ, IST_WRITE | IST_COPY, IST_WRITE | 0x200};
    ist_mailslot *slot = somewhere;
    CHECK_STATUS(IST_E_ARG, ist_mailslot_create(NULL, "x", NULL));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_open(NULL, "x", IST_WRITE));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_create(&slot, NULL, NULL));
    check_untouched("no name", slot);
    slot = somewhere;
    CHECK_STATUS(IST_E_ARG, ist_mailslot_open(&slot, NULL, IST_WRITE));
    check_untouched("no name", slot);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        slot = somewhere;
        CHECK_STATUS(IST_E_ARG, ist_mailslot_open(&slot, "", wrong[i]));
        check_untouched("access", slot);
    }
}

/* ---- what is done with them ---- */

TEST(a_write_hands_on_what_it_was_given)
{
    char bytes[8] = {0};
    ist_mailslot *slot = make_writer();
    CHECK_OK(ist_mailslot_write(slot, bytes, 5));
    assert_ptr_equal(fake_last.mailslot, fake_newest_mailslot());
    assert_ptr_equal(fake_last.data, bytes);
    assert_int_equal(fake_last.data_size, 5);
    CHECK_OK(ist_mailslot_write(slot, NULL, 0));
    assert_int_equal(fake_last.data_size, 0);
    ist_mailslot_close(slot);
}

TEST(a_read_and_a_peek_hand_on_what_they_were_given)
{
    static const int64_t timeouts[] = {0, 1, INT64_MAX, IST_FOREVER};
    char bytes[8] = {0};
    size_t got = 9;
    ist_mailslot *slot = make_reader();
    fake_pretend_transfer(IST_OK, 3);
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        CHECK_OK(ist_mailslot_read(slot, bytes, 5, timeouts[i], &got));
        assert_ptr_equal(fake_last.mailslot, fake_newest_mailslot());
        assert_ptr_equal(fake_last.buffer, bytes);
        assert_int_equal(fake_last.buffer_size, 5);
        assert_true(fake_last.timeout_ns == timeouts[i]);
        assert_int_equal(got, 3);
    }
    CHECK_OK(ist_mailslot_peek(slot, bytes + 1, 6, &got));
    assert_ptr_equal(fake_last.buffer, bytes + 1);
    assert_int_equal(fake_last.buffer_size, 6);
    fake_pretend_transfer(IST_OK, 0);
    CHECK_OK(ist_mailslot_read(slot, NULL, 0, 0, &got));
    CHECK_OK(ist_mailslot_peek(slot, NULL, 0, &got));
    assert_int_equal(got, 0);
    ist_mailslot_close(slot);
}

TEST(news_of_a_read_come_back)
{
    size_t got = 9;
    ist_mailslot *slot = make_reader();
    fake_pretend_transfer(IST_TIMEOUT, 0);
    CHECK_STATUS(IST_TIMEOUT, ist_mailslot_read(slot, NULL, 0, 0, &got));
    assert_int_equal(got, 0);
    fake_pretend_transfer(IST_CANCELLED, 0);
    CHECK_STATUS(IST_CANCELLED, ist_mailslot_read(slot, NULL, 0, 0, &got));
    fake_pretend_transfer(IST_EMPTY, 0);
    CHECK_STATUS(IST_EMPTY, ist_mailslot_peek(slot, NULL, 0, &got));
    ist_mailslot_close(slot);
}

/* What may be done with the other handle only. */
static void check_no_reader(ist_mailslot *slot)
{
    char byte = 0;
    size_t got = 9;
    ist_mailslot_facts facts = IST_MAILSLOT_FACTS_INIT;
    CHECK_STATUS(IST_E_ARG, ist_mailslot_read(slot, &byte, 1, 0, &got));
    assert_int_equal(got, 0);
    got = 9;
    CHECK_STATUS(IST_E_ARG, ist_mailslot_peek(slot, &byte, 1, &got));
    assert_int_equal(got, 0);
    CHECK_STATUS(IST_E_ARG, ist_mailslot_info(slot, &facts));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_cancel(slot));
    assert_null(ist_mailslot_waitable(slot));
}

TEST(only_the_reader_reads_and_only_a_writer_writes)
{
    char byte = 0;
    ist_mailslot *reader = make_reader();
    ist_mailslot *writer = make_writer();
    check_no_reader(writer);
    check_no_reader(NULL);
    CHECK_STATUS(IST_E_ARG, ist_mailslot_write(reader, &byte, 1));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_write(NULL, &byte, 1));
    assert_null(ist_win32_mailslot_handle(NULL));
    ist_mailslot_close(NULL);
    assert_int_equal(fake_calls(), 0);
    ist_mailslot_close(writer);
    ist_mailslot_close(reader);
}

TEST(wrong_reads_and_writes_ask_nothing)
{
    char byte = 0;
    size_t got = 9;
    ist_mailslot *reader = make_reader();
    ist_mailslot *writer = make_writer();
    CHECK_STATUS(IST_E_ARG, ist_mailslot_read(reader, &byte, 1, 0, NULL));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_read(reader, NULL, 1, 0, &got));
    assert_int_equal(got, 0);
    CHECK_STATUS(IST_E_ARG, ist_mailslot_read(reader, &byte, 1, -2, &got));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_read(reader, &byte, 1, INT64_MIN, &got));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_peek(reader, &byte, 1, NULL));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_peek(reader, NULL, 1, &got));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_write(writer, NULL, 1));
#if SIZE_MAX > UINT32_MAX
    CHECK_STATUS(IST_E_SIZE, ist_mailslot_write(writer, &byte, (size_t)UINT32_MAX + 1));
#endif
    assert_int_equal(fake_calls(), 0);
    ist_mailslot_close(writer);
    ist_mailslot_close(reader);
}

typedef union told {
    ist_mailslot_facts facts;
    unsigned char bytes[sizeof(ist_mailslot_facts) + 16];
} told;

TEST(an_answer_writes_no_more_than_the_caller_knows)
{
    ist_mailslot *slot = make_reader();
    for (uint32_t size = 0; size <= sizeof(told); size++) {
        told out;
        memset(&out, 0xA5, sizeof out);
        out.facts.struct_size = size;
        CHECK_STATUS(size < 4 ? IST_E_ARG : IST_OK, ist_mailslot_info(slot, &out.facts));
        assert_int_equal(out.facts.struct_size, size);
        size_t known = size < 4 ? 4 : size < sizeof out.facts ? size : sizeof out.facts;
        for (size_t at = known; at < sizeof out; at++)
            assert_int_equal(out.bytes[at], 0xA5);
    }
    CHECK_STATUS(IST_E_ARG, ist_mailslot_info(slot, NULL));
    ist_mailslot_close(slot);
}

TEST(what_a_slot_tells_is_the_backends)
{
    ist_mailslot_facts facts = IST_MAILSLOT_FACTS_INIT;
    ist_mailslot *slot = make_reader();
    CHECK_OK(ist_mailslot_info(slot, &facts));
    assert_int_equal(facts.message_max, FAKE_TOLD);
    assert_int_equal(facts.next_bytes, FAKE_TOLD);
    assert_int_equal(facts.waiting, FAKE_TOLD);
    assert_int_equal(facts.capacity_bytes, FAKE_TOLD);
    CHECK_OK(ist_mailslot_cancel(slot));
    assert_ptr_equal(fake_last.mailslot, fake_newest_mailslot());
    assert_int_equal(fake_last.cancels, 1);
    assert_ptr_equal(ist_win32_mailslot_handle(slot), plat_mailslot_native(fake_newest_mailslot()));
    ist_mailslot_close(slot);
}

#define RUN_OVER_FAKE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        RUN_OVER_FAKE(a_name_arrives_without_its_prefix_or_not_at_all),
        RUN_OVER_FAKE(what_is_not_asked_for_is_a_mebibyte_for_messages_of_any_size),
        RUN_OVER_FAKE(what_is_asked_for_arrives),
        RUN_OVER_FAKE(wrong_options_ask_nothing_whatever_the_name),
        RUN_OVER_FAKE(options_of_a_newer_version_may_not_ask_for_anything_new),
        RUN_OVER_FAKE(an_open_is_for_writing_and_splits_off_trust),
        RUN_OVER_FAKE(a_wrong_open_asks_nothing),
        RUN_OVER_FAKE(a_write_hands_on_what_it_was_given),
        RUN_OVER_FAKE(a_read_and_a_peek_hand_on_what_they_were_given),
        RUN_OVER_FAKE(news_of_a_read_come_back),
        RUN_OVER_FAKE(only_the_reader_reads_and_only_a_writer_writes),
        RUN_OVER_FAKE(wrong_reads_and_writes_ask_nothing),
        RUN_OVER_FAKE(an_answer_writes_no_more_than_the_caller_knows),
        RUN_OVER_FAKE(what_a_slot_tells_is_the_backends),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("mailslots", tests, NULL, NULL);
}
