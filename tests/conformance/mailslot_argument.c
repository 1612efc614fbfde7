/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Arguments of mailslots at and beyond their limits, what an info writes, and who may do what (B1). What costs nothing
 * to ask the core alone is in tests/unit.
 */
#include "support/host.h"
#include "support/mailslot_peer.h"

/* Creates with these options, which are wrong, and sees that nothing was made. */
static void check_refused(const char *row, const ist_mailslot_options *options)
{
    char name[NAME_SIZE];
    ist_mailslot *slot = (ist_mailslot *)&name;
    unique_name(name, "", "args");
    CHECK_ROW(row, IST_E_ARG, ist_mailslot_create(&slot, name, options));
    assert_null(slot);
    CHECK_ROW(row, IST_E_NOT_FOUND, ist_mailslot_open(&slot, name, IST_WRITE));
}

#define WRONG(field, value)                                                                                            \
    do {                                                                                                               \
        ist_mailslot_options options = IST_MAILSLOT_OPTIONS_INIT;                                                      \
        options.field = (value);                                                                                       \
        check_refused(#field " " #value, &options);                                                                    \
    } while (false)

TEST(wrong_options_are_refused_and_make_nothing)
{
    WRONG(struct_size, 0);
    WRONG(struct_size, (uint32_t)sizeof options - 1);
    WRONG(struct_size, UINT32_MAX);
    WRONG(flags, 1);
    WRONG(capacity_bytes, IST_MAILSLOT_CAPACITY_MAX + 1);
    WRONG(audience, IST_AUDIENCE_GROUP_READ);
    WRONG(audience, IST_AUDIENCE_EVERYONE_READ);
    WRONG(audience, (ist_audience)5);
    WRONG(trust, 1);
    WRONG(message_max, IST_MAILSLOT_CAPACITY + 1);
    WRONG(message_max, UINT32_MAX);
}

/* B8: what could never arrive */
TEST(a_largest_message_that_the_capacity_cannot_hold_is_refused)
{
    static const uint32_t capacities[] = {1, 1000, 65536};
    for (size_t i = 0; i < COUNT_OF(capacities); i++) {
        ist_mailslot_options options = IST_MAILSLOT_OPTIONS_INIT;
        options.capacity_bytes = capacities[i];
        options.message_max = capacities[i] + 1;
        check_refused("message_max", &options);
    }
}

TEST(a_largest_message_that_the_capacity_is_promised_to_hold_is_fine)
{
    static const uint32_t capacities[] = {257, 1000, 65536, 1 << 20};
    static char bytes[1 << 20];
    if (host_emulator() != NULL)
        SKIP(a_largest_message_that_the_capacity_is_promised_to_hold_is_fine,
             "Wine refuses large messages in a mailslot");
    for (size_t i = 0; i < COUNT_OF(capacities); i++) {
        size_t got = 0;
        mailslot_pair pair;
        mailslot_make(&pair, capacities[i] - 256, capacities[i]);
        CHECK_OK(ist_mailslot_write(pair.writer, bytes, capacities[i] - 256));
        CHECK_OK(ist_mailslot_read(pair.reader, bytes, sizeof bytes, 0, &got));
        assert_int_equal(got, capacities[i] - 256);
        mailslot_close(&pair);
    }
}

TEST(every_audience_that_writes_is_fine)
{
    static const ist_audience audiences[] = {IST_AUDIENCE_OWNER, IST_AUDIENCE_GROUP_WRITE, IST_AUDIENCE_EVERYONE_WRITE};
    for (size_t i = 0; i < COUNT_OF(audiences); i++) {
        char name[NAME_SIZE];
        ist_mailslot_options options = IST_MAILSLOT_OPTIONS_INIT;
        ist_mailslot *reader = NULL;
        ist_mailslot *writer = NULL;
        options.audience = audiences[i];
        unique_name(name, "", "audience");
        CHECK_OK(ist_mailslot_create(&reader, name, &options));
        CHECK_OK(ist_mailslot_open(&writer, name, IST_WRITE));
        MAILSLOT_WRITE(writer, "x");
        MAILSLOT_READ(reader, "x");
        ist_mailslot_close(writer);
        ist_mailslot_close(reader);
    }
}

TEST(newer_options_are_fine_as_long_as_what_is_new_in_them_is_zero)
{
    struct {
        ist_mailslot_options known;
        unsigned char news[8];
    } options = {IST_MAILSLOT_OPTIONS_INIT, {0}};
    char name[NAME_SIZE];
    ist_mailslot *slot = NULL;
    unique_name(name, "", "newer");
    options.known.struct_size = (uint32_t)sizeof options;
    CHECK_OK(ist_mailslot_create(&slot, name, &options.known));
    ist_mailslot_close(slot);
    options.news[0] = 1;
    check_refused("news", &options.known);
}

TEST(a_slot_is_opened_for_writing_only)
{
    static const ist_access wrong[] = {0, IST_READ, IST_READ | IST_WRITE, IST_COPY, IST_TRUST_EVERYONE};
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        ist_mailslot *slot = (ist_mailslot *)&pair;
        CHECK_STATUS(IST_E_ARG, ist_mailslot_open(&slot, pair.name, wrong[i]));
        assert_null(slot);
    }
    CHECK_STATUS(IST_E_ARG, ist_mailslot_open(NULL, pair.name, IST_WRITE));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_create(NULL, pair.name, NULL));
    mailslot_close(&pair);
}

TEST(a_slot_without_a_name_is_refused)
{
    ist_mailslot *slot = (ist_mailslot *)&slot;
    CHECK_STATUS(IST_E_ARG, ist_mailslot_create(&slot, NULL, NULL));
    assert_null(slot);
    slot = (ist_mailslot *)&slot;
    CHECK_STATUS(IST_E_ARG, ist_mailslot_open(&slot, NULL, IST_WRITE));
    assert_null(slot);
}

/* B1 */
TEST(the_reader_does_not_write_and_a_writer_does_nothing_else)
{
    char buffer[8];
    size_t got = 9;
    ist_mailslot_facts facts = IST_MAILSLOT_FACTS_INIT;
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    MAILSLOT_WRITE(pair.writer, "x");
    CHECK_STATUS(IST_E_ARG, ist_mailslot_write(pair.reader, "y", 1));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_read(pair.writer, buffer, sizeof buffer, 0, &got));
    assert_int_equal(got, 0);
    CHECK_STATUS(IST_E_ARG, ist_mailslot_peek(pair.writer, buffer, sizeof buffer, &got));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_info(pair.writer, &facts));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_cancel(pair.writer));
    assert_null(ist_mailslot_waitable(pair.writer));
    MAILSLOT_READ(pair.reader, "x");
    MAILSLOT_EMPTY(pair.reader);
    mailslot_close(&pair);
}

TEST(wrong_reads_and_writes_take_and_leave_nothing)
{
    char buffer[8];
    size_t got = 9;
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    MAILSLOT_WRITE(pair.writer, "x");
    CHECK_STATUS(IST_E_ARG, ist_mailslot_write(pair.writer, NULL, 1));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_write(NULL, "y", 1));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_read(pair.reader, NULL, 1, 0, &got));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_read(pair.reader, buffer, sizeof buffer, -2, &got));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_read(pair.reader, buffer, sizeof buffer, 0, NULL));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_read(NULL, buffer, sizeof buffer, 0, &got));
    assert_int_equal(got, 0);
    MAILSLOT_READ(pair.reader, "x");
    MAILSLOT_EMPTY(pair.reader);
    mailslot_close(&pair);
}

/* L6 */
TEST(no_slot_is_closed_and_waited_for_in_vain)
{
    ist_mailslot_close(NULL);
    assert_null(ist_mailslot_waitable(NULL));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_cancel(NULL));
}

TEST(an_info_writes_no_more_than_the_caller_knows)
{
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    for (uint32_t size = 0; size <= sizeof(ist_mailslot_facts) + 8; size++) {
        union {
            ist_mailslot_facts facts;
            unsigned char bytes[sizeof(ist_mailslot_facts) + 8];
        } told;
        memset(&told, 0xA5, sizeof told);
        told.facts.struct_size = size;
        CHECK_STATUS(size < 4 ? IST_E_ARG : IST_OK, ist_mailslot_info(pair.reader, &told.facts));
        for (size_t at = size < 4 ? 4 : size; at < sizeof told; at++)
            assert_int_equal(told.bytes[at], 0xA5);
    }
    CHECK_STATUS(IST_E_ARG, ist_mailslot_info(pair.reader, NULL));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_info(NULL, NULL));
    mailslot_close(&pair);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(wrong_options_are_refused_and_make_nothing),
        RUN(a_largest_message_that_the_capacity_cannot_hold_is_refused),
        RUN(a_largest_message_that_the_capacity_is_promised_to_hold_is_fine),
        RUN(every_audience_that_writes_is_fine),
        RUN(newer_options_are_fine_as_long_as_what_is_new_in_them_is_zero),
        RUN(a_slot_is_opened_for_writing_only),
        RUN(a_slot_without_a_name_is_refused),
        RUN(the_reader_does_not_write_and_a_writer_does_nothing_else),
        RUN(wrong_reads_and_writes_take_and_leave_nothing),
        RUN(no_slot_is_closed_and_waited_for_in_vain),
        RUN(an_info_writes_no_more_than_the_caller_knows),
    };
    return cmocka_run_group_tests_name("mailslot_argument", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, mailslot_roles, mailslot_role_count, run_all);
}
