/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Native handles in our waits, and ours in native ones. Only on Windows.
 */
#include "support/host.h"
#include "support/kind.h"
#include "support/peer.h"

#include <isthmus/win32.h>

#include "native/native_win32.h"

#define MS INT64_C(1000000)
#define DAY (24 * 3600000 * MS)

static int64_t bound_ns(void)
{
    return (int64_t)check_bound_ms() * MS;
}

static ist_waitable *wrap(HANDLE handle)
{
    ist_waitable *item = NULL;
    CHECK_OK(ist_win32_waitable_wrap(&item, handle));
    return item;
}

static ist_event *make_event(bool manual, bool set)
{
    ist_event *event = NULL;
    ist_event_options options = IST_EVENT_OPTIONS_INIT;
    options.manual_reset = manual;
    options.initially_set = set;
    CHECK_OK(ist_event_create(&event, NULL, &options));
    return event;
}

/* ---- wrapped handles ---- */

static int role_idle(int argc, char **argv)
{
    char line[PEER_LINE_SIZE];
    (void)argc;
    (void)argv;
    peer_answer("here");
    return peer_listen(line) ? 1 : 0;
}

TEST(a_process_that_ends_ends_a_wait_for_any)
{
    char line[PEER_LINE_SIZE];
    size_t index = 9;
    ist_event *event = make_event(false, false);
    peer *who = peer_start("idle", NULL);
    peer_hear(who, line);
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)peer_id(who));
    assert_non_null(process);
    ist_waitable *item = wrap(process);
    assert_true(CloseHandle(process));
    const ist_waitable *items[] = {ist_event_waitable(event), item};
    CHECK_STATUS(IST_TIMEOUT, ist_wait_any(items, 2, 0, &index));
    CHECK_STATUS(IST_TIMEOUT, ist_wait_any(items, 2, MS, &index));
    peer_kill(who);
    CHECK_OK(ist_wait_any(items, 2, bound_ns(), &index));
    assert_int_equal(index, 1);
    CHECK_OK(ist_event_set(event));
    CHECK_OK(ist_wait_all(items, 2, bound_ns()));
    CHECK_STATUS(IST_TIMEOUT, ist_wait_all(items, 2, 0));
    peer_forget(who);
    ist_win32_waitable_unwrap(item);
    ist_win32_waitable_unwrap(NULL);
    ist_event_close(event);
}

static DWORD WINAPI end_when_set(void *event)
{
    return ist_wait(ist_event_waitable(event), IST_FOREVER) == IST_OK ? 0 : 1;
}

TEST(a_thread_that_ends_ends_a_wait_for_any)
{
    size_t index = 9;
    ist_event *go = make_event(false, false);
    ist_event *never = make_event(false, false);
    HANDLE thread = CreateThread(NULL, 0, end_when_set, go, 0, NULL);
    assert_non_null(thread);
    ist_waitable *item = wrap(thread);
    const ist_waitable *items[] = {item, ist_event_waitable(never)};
    CHECK_STATUS(IST_TIMEOUT, ist_wait_any(items, 2, MS, &index));
    CHECK_OK(ist_signal_and_wait(ist_event_waitable(go), item, bound_ns()));
    CHECK_OK(ist_wait_any(items, 2, IST_FOREVER, &index));
    assert_int_equal(index, 0);
    ist_win32_waitable_unwrap(item);
    assert_int_equal(WaitForSingleObject(thread, 0), WAIT_OBJECT_0);
    (void)CloseHandle(thread);
    ist_event_close(never);
    ist_event_close(go);
}

static void wait_for_item(void *context, size_t index)
{
    ist_status *status = context;
    ist_waitable *self = NULL;
    (void)index;
    *status = ist_win32_waitable_wrap(&self, GetCurrentThread());
    if (*status == IST_OK)
        *status = ist_wait(self, 0);
    ist_win32_waitable_unwrap(self);
}

/* Or a wait elsewhere would be for whoever waits. */
TEST(what_stands_for_the_calling_thread_is_wrapped_as_that_thread)
{
    ist_status status = IST_E_OS;
    ist_waitable *self = wrap(GetCurrentProcess());
    CHECK_STATUS(IST_TIMEOUT, ist_wait(self, 0));
    ist_win32_waitable_unwrap(self);
    host_threads(1, wait_for_item, &status);
    assert_int_equal(status, IST_TIMEOUT);
}

TEST(wrapping_takes_nothing)
{
    HANDLE event = CreateEventW(NULL, FALSE, TRUE, NULL);
    HANDLE mutex = CreateMutexW(NULL, FALSE, NULL);
    ist_waitable *items[2] = {wrap(event), wrap(mutex)};
    assert_false(ReleaseMutex(mutex));
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    assert_true(SetEvent(event));
    CHECK_OK(ist_wait_all((const ist_waitable *const *)items, 2, 0));
    assert_true(ReleaseMutex(mutex));
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    ist_win32_waitable_unwrap(items[0]);
    ist_win32_waitable_unwrap(items[1]);
    (void)CloseHandle(event);
    (void)CloseHandle(mutex);
}

static void acquire_and_end(void *mutex, size_t index)
{
    (void)index;
    (void)WaitForSingleObject(mutex, INFINITE);
}

/* X3 W4 */
TEST(a_wrapped_mutex_of_a_thread_that_has_ended_is_abandoned)
{
    size_t index = 9;
    HANDLE mutex = CreateMutexW(NULL, FALSE, NULL);
    ist_waitable *item = wrap(mutex);
    ist_event *event = make_event(false, false);
    const ist_waitable *items[] = {ist_event_waitable(event), item};
    host_threads(1, acquire_and_end, mutex);
    CHECK_STATUS(IST_ABANDONED, ist_wait_any(items, 2, 0, &index));
    assert_int_equal(index, 1);
    assert_true(ReleaseMutex(mutex));
    host_threads(1, acquire_and_end, mutex);
    CHECK_OK(ist_event_set(event));
    CHECK_STATUS(IST_ABANDONED, ist_wait_all(items, 2, 0));
    assert_true(ReleaseMutex(mutex));
    ist_event_close(event);
    ist_win32_waitable_unwrap(item);
    (void)CloseHandle(mutex);
}

TEST(what_cannot_be_waited_for_is_not_wrapped)
{
    DWORD before = 0;
    DWORD after = 0;
    ist_waitable *item = NULL;
    HANDLE closed = CreateEventW(NULL, TRUE, TRUE, NULL);
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, NULL);
    assert_true(CloseHandle(closed));
    CHECK_STATUS(IST_E_ARG, ist_win32_waitable_wrap(&item, NULL));
    CHECK_STATUS(IST_E_ARG, ist_win32_waitable_wrap(NULL, section));
    assert_true(GetProcessHandleCount(GetCurrentProcess(), &before));
    CHECK_STATUS(IST_E_ARG, ist_win32_waitable_wrap(&item, closed));
    CHECK_FAILS(ist_win32_waitable_wrap(&item, section)); /* no right to wait, or nothing to wait for */
    assert_null(item);
    assert_true(GetProcessHandleCount(GetCurrentProcess(), &after));
    assert_int_equal(after, before);
    (void)CloseHandle(section);
}

/* W1 */
TEST(an_object_and_its_wrapped_handle_are_the_same_twice)
{
    ist_event *event = make_event(false, true);
    ist_event *other = make_event(false, true);
    ist_waitable *item = wrap(ist_win32_waitable_handle(ist_event_waitable(event)));
    const ist_waitable *twins[] = {ist_event_waitable(event), ist_event_waitable(other), item};
    CHECK_STATUS(IST_E_ARG, ist_wait_all(twins, 3, 0));
    CHECK_OK(ist_wait_all(twins, 2, 0));
    CHECK_STATUS(IST_TIMEOUT, ist_wait(item, 0));
    ist_win32_waitable_unwrap(item);
    ist_event_close(other);
    ist_event_close(event);
}

/* ---- our handles ---- */

/* L9 */
TEST(the_native_handle_is_the_object_and_is_not_inherited)
{
    DWORD flags = HANDLE_FLAG_INHERIT;
    assert_null(ist_win32_waitable_handle(NULL));
    for (int which = 0; which < KINDS; which++) {
        void *handle = NULL;
        CHECK_OK(kinds[which].create(&handle, NULL, NULL));
        HANDLE object = ist_win32_waitable_handle(kinds[which].waitable(handle));
        assert_true(GetHandleInformation(object, &flags));
        assert_int_equal(flags & HANDLE_FLAG_INHERIT, 0);
        kinds[which].close(handle);
    }
    ist_event *event = make_event(false, false);
    assert_true(SetEvent(ist_win32_waitable_handle(ist_event_waitable(event))));
    CHECK_OK(ist_wait(ist_event_waitable(event), 0));
    ist_event_close(event);
}

/* Exports to this process itself and imports, so that the imported handle can be looked at. */
static void *import_for_reading(const kind *row, void *from)
{
    char token[IST_TOKEN_SIZE];
    void *imported = NULL;
    CHECK_OK(row->export(from, ist_process_id(), IST_READ, token));
    CHECK_OK(row->import(&imported, token));
    return imported;
}

static void check_duplicates(DWORD rights)
{
    HANDLE self = GetCurrentProcess();
    HANDLE wider = NULL;
    for (int which = (rights & 2) != 0 ? KIND_SEMAPHORE : KIND_MUTEX; which < KINDS; which++) {
        void *handle = NULL;
        CHECK_OK(kinds[which].create(&handle, NULL, NULL));
        void *imported = import_for_reading(&kinds[which], handle);
        HANDLE reader = ist_win32_waitable_handle(kinds[which].waitable(imported));
        assert_false(DuplicateHandle(self, reader, self, &wider, rights, FALSE, 0));
        kinds[which].close(imported);
        kinds[which].close(handle);
    }
}

/* A1 M11: 2 is the right to change, which mutexes do not have. */
TEST(an_object_imported_for_reading_cannot_be_duplicated_into_more)
{
    check_duplicates(2);
    check_duplicates(2 | SYNCHRONIZE);
}

/* A1 M11: or it could be waited for, or grant itself everything else. */
TEST(an_object_imported_for_reading_cannot_be_duplicated_to_wait_or_to_own_it)
{
    if (host_emulator() != NULL)
        SKIP(an_object_imported_for_reading_cannot_be_duplicated_to_wait_or_to_own_it,
             "Wine grants everybody the standard rights and SYNCHRONIZE");
    check_duplicates(SYNCHRONIZE);
    check_duplicates(WRITE_DAC);
    check_duplicates(WRITE_OWNER);
}

/* A1 M11: what a token for reading gives does not wait where that takes. */
TEST(an_object_imported_for_reading_is_not_taken_and_not_passed_on_for_more)
{
    for (int which = 0; which < KINDS; which++) {
        char token[IST_TOKEN_SIZE];
        void *handle = NULL;
        CHECK_OK(kinds[which].create(&handle, NULL, NULL));
        void *imported = import_for_reading(&kinds[which], handle);
        void *again = import_for_reading(&kinds[which], imported);
        CHECK_ROW(kinds[which].name, IST_E_ACCESS, ist_wait(kinds[which].waitable(imported), 0));
        CHECK_ROW(kinds[which].name, IST_E_ACCESS, ist_wait(kinds[which].waitable(again), 0));
        CHECK_ROW(kinds[which].name, IST_E_ACCESS, kinds[which].export(imported, ist_process_id(), IST_WRITE, token));
        kinds[which].close(again);
        kinds[which].close(imported);
        kinds[which].close(handle);
    }
}

/* M11: a wrong kind does not use a token up. */
TEST(a_token_of_another_kind_is_refused_and_still_serves)
{
    ist_mapping *mapping = NULL;
    for (int which = 0; which < KINDS; which++) {
        char token[IST_TOKEN_SIZE];
        void *handle = NULL;
        void *imported = NULL;
        CHECK_OK(kinds[which].create(&handle, NULL, NULL));
        CHECK_OK(kinds[which].export(handle, ist_process_id(), IST_WRITE, token));
        CHECK_STATUS(IST_E_KIND, ist_mapping_import(&mapping, token));
        for (int other = 0; other < KINDS; other++)
            if (other != which)
                CHECK_STATUS(IST_E_KIND, kinds[other].import(&imported, token));
        CHECK_OK(kinds[which].import(&imported, token));
        kinds[which].close(imported);
        CHECK_STATUS(IST_E_ARG, kinds[which].import(&imported, token));
        kinds[which].close(handle);
    }
}

/* ---- a wait that outlives its handle ---- */

typedef struct closing {
    ist_event *event;
    int64_t timeout_ns;
    HANDLE begun;  /* set when the wait is about to begin */
    HANDLE number; /* of the handle that was closed */
    HANDLE others[200];
    bool set_first; /* natively, by a second handle */
    ist_status status;
} closing;

/* The number of the closed handle comes back as that of a set event. */
static void reuse_number(closing *play)
{
    for (size_t i = 0; i < COUNT_OF(play->others); i++) {
        play->others[i] = CreateEventW(NULL, TRUE, TRUE, NULL);
        if (play->others[i] == play->number)
            break;
    }
}

static void wait_or_close(void *context, size_t index)
{
    closing *play = context;
    HANDLE second = NULL;
    if (index == 0) {
        (void)SetEvent(play->begun);
        play->status = ist_wait(ist_event_waitable(play->event), play->timeout_ns);
        return;
    }
    (void)WaitForSingleObject(play->begun, INFINITE);
    Sleep(100); /* time to block */
    play->number = ist_win32_waitable_handle(ist_event_waitable(play->event));
    (void)DuplicateHandle(GetCurrentProcess(), play->number, GetCurrentProcess(), &second, 0, FALSE,
                          DUPLICATE_SAME_ACCESS);
    ist_event_close(play->event);
    reuse_number(play);
    if (play->set_first)
        (void)SetEvent(second);
    (void)CloseHandle(second);
}

static ist_status play_closing(int64_t timeout_ns, bool set)
{
    closing play = {NULL, 0, NULL, NULL, {NULL}, false, IST_E_OS};
    play.event = make_event(false, false);
    play.begun = CreateEventW(NULL, TRUE, FALSE, NULL);
    play.timeout_ns = timeout_ns;
    play.set_first = set;
    host_threads(2, wait_or_close, &play);
    (void)CloseHandle(play.begun);
    for (size_t i = 0; i < COUNT_OF(play.others) && play.others[i] != NULL; i++)
        (void)CloseHandle(play.others[i]);
    return play.status;
}

/* L5 */
TEST(a_wait_whose_handle_is_closed_waits_for_nothing_else)
{
    CHECK_STATUS(IST_TIMEOUT, play_closing(150 * MS, false));
    CHECK_STATUS(IST_TIMEOUT, play_closing(200 * MS + 1, false));
    CHECK_OK(play_closing(bound_ns(), true));
    CHECK_OK(play_closing(IST_FOREVER, true));
}

/* W5: the native call cannot say these. */
TEST(a_timeout_of_more_than_49_days_is_one)
{
    CHECK_OK(play_closing(50 * DAY, true));
    CHECK_OK(play_closing(INT64_MAX, true));
    CHECK_OK(play_closing(UINT32_MAX * MS, true));
    CHECK_OK(play_closing(UINT32_MAX * MS - 1, true));
}

static const peer_role roles[] = {{"idle", role_idle}};

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_process_that_ends_ends_a_wait_for_any),
        RUN(a_thread_that_ends_ends_a_wait_for_any),
        RUN(what_stands_for_the_calling_thread_is_wrapped_as_that_thread),
        RUN(wrapping_takes_nothing),
        RUN(a_wrapped_mutex_of_a_thread_that_has_ended_is_abandoned),
        RUN(what_cannot_be_waited_for_is_not_wrapped),
        RUN(an_object_and_its_wrapped_handle_are_the_same_twice),
        RUN(the_native_handle_is_the_object_and_is_not_inherited),
        RUN(an_object_imported_for_reading_cannot_be_duplicated_into_more),
        RUN(an_object_imported_for_reading_cannot_be_duplicated_to_wait_or_to_own_it),
        RUN(an_object_imported_for_reading_is_not_taken_and_not_passed_on_for_more),
        RUN(a_token_of_another_kind_is_refused_and_still_serves),
        RUN(a_wait_whose_handle_is_closed_waits_for_nothing_else),
        RUN(a_timeout_of_more_than_49_days_is_one),
    };
    return cmocka_run_group_tests_name("win32_waits", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
