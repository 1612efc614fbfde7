/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mailslots between a plain Win32 program and isthmus, in both directions. Only on Windows.
 */
#include "support/mailslot_peer.h"

#include <isthmus/win32.h>

#include "native/native_win32.h"
#include "win32/mailslot.h"
#include "win32/sign.h"

#include <string.h>
#include <wchar.h>

#define MESSAGE L"Message 1 for mailslot"

static void begin(native *who, const char *verb, const char *name)
{
    wchar_t arguments[NATIVE_PATH_UNITS];
    (void)swprintf(arguments, NATIVE_PATH_UNITS, L"%hs %hs", verb, name);
    native_start_program(who, L"win32_pipe_peer.exe", arguments);
    if (who->failed)
        CHECK_FAIL("win32_pipe_peer %s: %s", verb, who->line);
}

/* B2 */
TEST(messages_of_a_native_writer_arrive_in_order)
{
    char name[NAME_SIZE];
    native other;
    ist_mailslot *slot = NULL;
    unique_name(name, "", "slot");
    CHECK_OK(ist_mailslot_create(&slot, name, NULL));
    begin(&other, "post", name);
    native_ask(&other, "write", "ok");
    for (wchar_t digit = L'1'; digit <= L'3'; digit++) {
        wchar_t expected[] = MESSAGE;
        wchar_t text[64] = L"";
        size_t got = 0;
        expected[8] = digit;
        CHECK_OK(ist_wait(ist_mailslot_waitable(slot), check_bound_ms() * INT64_C(1000000)));
        CHECK_OK(ist_mailslot_read(slot, text, sizeof text, 0, &got));
        assert_int_equal(got, sizeof MESSAGE);
        assert_memory_equal(text, expected, sizeof MESSAGE);
    }
    native_end(&other);
    ist_mailslot_close(slot);
}

/* B2 */
TEST(messages_of_ours_arrive_at_a_native_reader)
{
    char name[NAME_SIZE];
    native other;
    ist_mailslot *slot = NULL;
    unique_name(name, "", "slot");
    begin(&other, "slot", name);
    CHECK_OK(ist_mailslot_open(&slot, name, IST_WRITE | IST_TRUST_EVERYONE)); /* Windows does not say whose */
    native_ask(&other, "read", "none");
    for (wchar_t digit = L'1'; digit <= L'3'; digit++) {
        wchar_t message[] = MESSAGE;
        message[8] = digit;
        CHECK_OK(ist_mailslot_write(slot, message, sizeof message));
    }
    native_ask(&other, "read", "Message 1 for mailslot");
    native_ask(&other, "read", "Message 2 for mailslot");
    native_ask(&other, "read", "Message 3 for mailslot");
    native_ask(&other, "read", "none");
    ist_mailslot_close(slot);
    native_end(&other);
}

/* A2: where the system does not say whose a slot is */
TEST(a_sign_stands_beside_our_slot_as_long_as_it_is_there)
{
    char name[NAME_SIZE];
    ist_mailslot *slot = NULL;
    plat_channel_name parsed = {name, 0};
    unique_name(name, "", "Signed");
    parsed.length = strlen(name);
    assert_false(win32_mailslot_is_signed(&parsed));
    CHECK_OK(ist_mailslot_create(&slot, name, NULL));
    assert_true(win32_mailslot_is_signed(&parsed));
    name[0] = (char)(name[0] ^ ' '); /* the other case */
    assert_true(win32_mailslot_is_signed(&parsed));
    ist_mailslot_close(slot);
    assert_false(win32_mailslot_is_signed(&parsed));
}

/* Somebody who looks holds it a little longer. */
TEST(a_sign_that_is_down_says_nothing_and_can_be_put_up_again)
{
    static const wchar_t name[] = L"Global\\isthmus.test.sign";
    HANDLE sign = win32_sign_make(name);
    HANDLE looking = OpenEventW(SYNCHRONIZE, FALSE, name);
    assert_non_null(sign);
    assert_non_null(looking);
    assert_true(win32_sign_is_there(name));
    win32_sign_end(sign);
    assert_false(win32_sign_is_there(name));
    sign = win32_sign_make(name);
    assert_non_null(sign);
    assert_true(win32_sign_is_there(name));
    (void)CloseHandle(looking);
    assert_true(win32_sign_is_there(name));
    win32_sign_end(sign);
    assert_false(win32_sign_is_there(name));
}

/* B1: the name a native program has made is taken */
TEST(a_native_slot_is_not_made_again)
{
    char name[NAME_SIZE];
    native other;
    ist_mailslot *slot = NULL;
    unique_name(name, "", "slot");
    begin(&other, "slot", name);
    CHECK_STATUS(IST_E_EXISTS, ist_mailslot_create(&slot, name, NULL));
    assert_null(slot);
    native_end(&other);
}

/* A1 */
TEST(an_audience_may_write_and_nothing_else)
{
    char name[NAME_SIZE];
    ist_mailslot *slot = NULL;
    ist_mailslot_options options = IST_MAILSLOT_OPTIONS_INIT;
    unique_name(name, "", "slot");
    CHECK_OK(ist_mailslot_create(&slot, name, &options));
    assert_int_equal(native_rights(ist_win32_mailslot_handle(slot), WinWorldSid), 0);
    ist_mailslot_close(slot);
    unique_name(name, "", "slot");
    options.audience = IST_AUDIENCE_EVERYONE_WRITE;
    CHECK_OK(ist_mailslot_create(&slot, name, &options));
    assert_int_equal(native_rights(ist_win32_mailslot_handle(slot), WinWorldSid), FILE_GENERIC_WRITE);
    ist_mailslot_close(slot);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(messages_of_a_native_writer_arrive_in_order),
        RUN(messages_of_ours_arrive_at_a_native_reader),
        RUN(a_sign_stands_beside_our_slot_as_long_as_it_is_there),
        RUN(a_sign_that_is_down_says_nothing_and_can_be_put_up_again),
        RUN(a_native_slot_is_not_made_again),
        RUN(an_audience_may_write_and_nothing_else),
    };
    return cmocka_run_group_tests_name("win32_mailslots", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
