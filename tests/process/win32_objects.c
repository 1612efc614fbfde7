/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A plain Win32 program and isthmus share mutexes, semaphores, events and timers under one name, in both directions.
 * Only on Windows.
 */
#include "support/host.h"
#include "support/kind.h"
#include "support/peer.h"

#include <isthmus/win32.h>

#include "native/native_win32.h"

#include <wchar.h>

#define MS INT64_C(1000000)

/* What the other program calls the kinds, and whether a wait takes something. */
static const struct sort {
    const char *word;
    kind_number kind;
    bool takes;
} sorts[] = {
    {"mutex", KIND_MUTEX, true},   {"semaphore", KIND_SEMAPHORE, true}, {"event", KIND_EVENT, true},
    {"manual", KIND_EVENT, false}, {"timer", KIND_TIMER, true},         {"manual-timer", KIND_TIMER, false},
};

#define PEER L"win32_objects_peer.exe"

static void start(native *who, const char *verb, const char *sort, const char *name, const char *rights)
{
    wchar_t arguments[NATIVE_PATH_UNITS];
    (void)swprintf(arguments, NATIVE_PATH_UNITS, L"%hs %hs %hs %hs", verb, sort, name, rights);
    native_start_program(who, PEER, arguments);
}

static void begin(native *who, const char *verb, const char *sort, const char *name, const char *rights)
{
    start(who, verb, sort, name, rights);
    if (who->failed)
        CHECK_FAIL("%s %s: %s", verb, sort, who->line);
}

static int64_t bound_ns(void)
{
    return (int64_t)check_bound_ms() * MS;
}

/* ---- one object, two programs ---- */

static void share_mutex(native *other, ist_mutex *mutex)
{
    ist_mutex_state state = IST_MUTEX_STATE_INIT;
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    native_ask(other, "wait 0", "258");
    native_ask(other, "release", "288");
    CHECK_OK(ist_mutex_release(mutex));
    native_ask(other, "wait 0", "258");
    CHECK_OK(ist_mutex_release(mutex));
    native_ask(other, "wait 0", "0");
    CHECK_STATUS(IST_TIMEOUT, ist_mutex_acquire(mutex, 0));
    CHECK_STATUS(IST_TIMEOUT, ist_mutex_acquire(mutex, MS));
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(mutex));
    CHECK_OK(ist_mutex_query(mutex, &state));
    assert_true(state.owned == 1 && state.owned_here == 0 && state.abandoned == 0);
    native_ask(other, "release", "0");
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    CHECK_OK(ist_mutex_release(mutex));
}

TEST(a_native_mutex_is_ours_too)
{
    char name[NAME_SIZE];
    native other;
    ist_mutex *mutex = NULL;
    ist_mutex *joined = NULL;
    ist_mutex_options options = IST_MUTEX_OPTIONS_INIT;
    unique_name(name, "", "mutex");
    begin(&other, "make", "mutex", name, "");
    CHECK_OK(ist_mutex_open(&mutex, name, IST_WRITE));
    share_mutex(&other, mutex);
    options.initially_owned = 1;
    CHECK_STATUS(IST_EXISTED, ist_mutex_create(&joined, name, &options)); /* N5 X4 */
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(joined));
    share_mutex(&other, joined);
    ist_mutex_close(joined);
    ist_mutex_close(mutex);
    native_end(&other);
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mutex_open(&mutex, name, IST_WRITE)); /* L1 */
}

TEST(our_mutex_is_a_native_one_too)
{
    char name[NAME_SIZE];
    native other;
    ist_mutex *mutex = NULL;
    ist_mutex_options options = IST_MUTEX_OPTIONS_INIT;
    unique_name(name, "", "mutex");
    options.initially_owned = 1;
    CHECK_OK(ist_mutex_create(&mutex, name, &options));
    begin(&other, "open", "mutex", name, "");
    native_ask(&other, "wait 0", "258");
    CHECK_OK(ist_mutex_release(mutex));
    share_mutex(&other, mutex);
    native_end(&other);
    ist_mutex_close(mutex);
}

/* 1 of 2 */
static void share_semaphore(native *other, ist_semaphore *semaphore)
{
    ist_semaphore_state state = IST_SEMAPHORE_STATE_INIT;
    uint32_t previous = 9;
    CHECK_OK(ist_semaphore_query(semaphore, &state));
    assert_true(state.count == 1 && state.maximum == 2);
    CHECK_OK(ist_wait(ist_semaphore_waitable(semaphore), 0));
    native_ask(other, "wait 0", "258");
    CHECK_OK(ist_semaphore_release(semaphore, 1, &previous));
    assert_int_equal(previous, 0);
    native_ask(other, "wait 0", "0");
    CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_semaphore_waitable(semaphore), 0));
    native_ask(other, "release", "0");
    native_ask(other, "release", "0");
    native_ask(other, "release", "298");
    previous = 9;
    CHECK_STATUS(IST_E_LIMIT, ist_semaphore_release(semaphore, 1, &previous));
    assert_int_equal(previous, 9);
    CHECK_OK(ist_wait(ist_semaphore_waitable(semaphore), 0));
}

TEST(a_semaphore_is_counted_by_both)
{
    char name[NAME_SIZE];
    native other;
    ist_semaphore *semaphore = NULL;
    ist_semaphore_options options = IST_SEMAPHORE_OPTIONS_INIT;
    unique_name(name, "", "semaphore");
    begin(&other, "make", "semaphore", name, "");
    CHECK_OK(ist_semaphore_open(&semaphore, name, IST_WRITE));
    share_semaphore(&other, semaphore);
    ist_semaphore_close(semaphore);
    native_end(&other);
    options.initial = 1;
    options.maximum = 2;
    CHECK_OK(ist_semaphore_create(&semaphore, name, &options));
    begin(&other, "open", "semaphore", name, "");
    share_semaphore(&other, semaphore);
    native_end(&other);
    ist_semaphore_close(semaphore);
}

static void share_event(native *other, ist_event *event, bool manual)
{
    const ist_waitable *item = ist_event_waitable(event);
    ist_event_state state = IST_EVENT_STATE_INIT;
    CHECK_OK(ist_event_query(event, &state));
    assert_true(state.set == 0 && state.manual_reset == (manual ? 1U : 0U));
    CHECK_STATUS(IST_TIMEOUT, ist_wait(item, 0));
    native_ask(other, "set", "0");
    CHECK_OK(ist_wait(item, bound_ns()));
    CHECK_STATUS(manual ? IST_OK : IST_TIMEOUT, ist_wait(item, 0));
    CHECK_OK(ist_event_set(event));
    native_ask(other, "wait 0", "0");
    native_ask(other, "wait 0", manual ? "0" : "258");
    CHECK_OK(ist_event_set(event));
    native_ask(other, "reset", "0");
    CHECK_STATUS(IST_TIMEOUT, ist_wait(item, 0));
    native_ask(other, "set", "0");
    CHECK_OK(ist_event_reset(event));
    native_ask(other, "wait 0", "258");
}

TEST(an_event_is_set_by_both_and_keeps_its_sort)
{
    for (int manual = 0; manual < 2; manual++) {
        char name[NAME_SIZE];
        native other;
        ist_event *event = NULL;
        ist_event_options options = IST_EVENT_OPTIONS_INIT;
        unique_name(name, "", "event");
        options.manual_reset = (uint32_t)manual;
        begin(&other, "make", manual != 0 ? "manual" : "event", name, "");
        CHECK_OK(ist_event_open(&event, name, IST_WRITE));
        share_event(&other, event, manual != 0);
        ist_event_close(event);
        native_end(&other);
        CHECK_OK(ist_event_create(&event, name, &options));
        begin(&other, "open", "event", name, "");
        share_event(&other, event, manual != 0);
        native_end(&other);
        ist_event_close(event);
    }
}

static void share_timer(native *other, ist_timer *timer, bool manual)
{
    const ist_waitable *item = ist_timer_waitable(timer);
    ist_timer_state state = IST_TIMER_STATE_INIT;
    CHECK_STATUS(IST_TIMEOUT, ist_wait(item, 0));
    native_ask(other, "due 1", "0");
    CHECK_OK(ist_wait(item, bound_ns()));
    CHECK_STATUS(manual ? IST_OK : IST_TIMEOUT, ist_wait(item, 0));
    CHECK_OK(ist_timer_query(timer, &state));
    assert_int_equal(state.signalled, manual ? 1 : 0);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, MS, 0));
    native_ask(other, "wait 60000", "0");
    native_ask(other, "wait 0", manual ? "0" : "258");
    native_ask(other, "due 3600000", "0");
    CHECK_STATUS(IST_TIMEOUT, ist_wait(item, 0));
    CHECK_OK(ist_timer_set(timer, IST_TIMER_UTC, 0, 0));
    native_ask(other, "wait 60000", "0");
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 3600000 * MS, 0));
}

TEST(a_timer_is_set_by_both)
{
    for (int manual = 0; manual < 2; manual++) {
        char name[NAME_SIZE];
        native other;
        ist_timer *timer = NULL;
        ist_timer_options options = IST_TIMER_OPTIONS_INIT;
        unique_name(name, "", "timer");
        options.manual_reset = (uint32_t)manual;
        begin(&other, "make", manual != 0 ? "manual-timer" : "timer", name, "");
        CHECK_OK(ist_timer_open(&timer, name, IST_WRITE));
        share_timer(&other, timer, manual != 0);
        ist_timer_close(timer);
        native_end(&other);
        CHECK_OK(ist_timer_create(&timer, name, &options));
        begin(&other, "open", "timer", name, "");
        share_timer(&other, timer, manual != 0);
        native_end(&other);
        ist_timer_close(timer);
    }
}

/* ---- ends ---- */

/* X3: by the end of a thread, and of a process. */
TEST(a_native_owners_end_abandons_the_mutex)
{
    char name[NAME_SIZE];
    native other;
    ist_mutex *mutex = NULL;
    ist_mutex_state state = IST_MUTEX_STATE_INIT;
    unique_name(name, "", "abandoned");
    begin(&other, "make", "mutex", name, "");
    CHECK_OK(ist_mutex_open(&mutex, name, IST_WRITE));
    native_ask(&other, "abandon", "0");
    CHECK_OK(ist_mutex_query(mutex, &state));
    assert_true(state.owned == 0 && state.abandoned == 1);
    CHECK_STATUS(IST_ABANDONED, ist_mutex_acquire(mutex, bound_ns()));
    CHECK_OK(ist_mutex_query(mutex, &state));
    assert_true(state.owned == 1 && state.owned_here == 1 && state.abandoned == 0);
    CHECK_OK(ist_mutex_release(mutex));
    native_ask(&other, "wait 0", "0");
    assert_true(WriteFile(other.input, "end\n", 4, &(DWORD){0}, NULL));
    CHECK_STATUS(IST_ABANDONED, ist_mutex_acquire(mutex, bound_ns()));
    CHECK_OK(ist_mutex_release(mutex));
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    CHECK_OK(ist_mutex_release(mutex));
    native_end(&other);
    ist_mutex_close(mutex);
}

static void acquire_and_end(void *context, size_t index)
{
    (void)index;
    (void)ist_mutex_acquire(context, IST_FOREVER);
}

/* X3 */
TEST(a_native_program_learns_that_our_owner_has_ended)
{
    char name[NAME_SIZE];
    native other;
    ist_mutex *mutex = NULL;
    unique_name(name, "", "abandoned");
    CHECK_OK(ist_mutex_create(&mutex, name, NULL));
    begin(&other, "open", "mutex", name, "");
    host_threads(1, acquire_and_end, mutex);
    native_ask(&other, "wait 60000", "128");
    native_ask(&other, "release", "0");
    native_ask(&other, "wait 0", "0");
    native_end(&other);
    CHECK_STATUS(IST_ABANDONED, ist_mutex_acquire(mutex, bound_ns()));
    CHECK_OK(ist_mutex_release(mutex));
    ist_mutex_close(mutex);
}

/* ---- kinds and rights ---- */

/* N4 */
TEST(a_name_that_a_native_object_holds_is_of_its_kind_only)
{
    for (size_t held = 0; held < COUNT_OF(sorts); held++) {
        char name[NAME_SIZE];
        native other;
        unique_name(name, "", "kind");
        begin(&other, "make", sorts[held].word, name, "");
        for (int asked = 0; asked < KINDS; asked++) {
            void *handle = NULL;
            bool same = sorts[held].kind == (kind_number)asked;
            CHECK_ROW(kinds[asked].name, same ? IST_OK : IST_E_KIND, kinds[asked].open(&handle, name, IST_READ));
            kinds[asked].close(handle);
            CHECK_ROW(kinds[asked].name, same ? IST_EXISTED : IST_E_KIND, kinds[asked].create(&handle, name, NULL));
            kinds[asked].close(handle);
        }
        native_end(&other);
    }
}

/* N4 */
TEST(a_native_program_does_not_get_our_name_for_another_kind)
{
    for (int which = 0; which < KINDS; which++) {
        char name[NAME_SIZE];
        void *handle = NULL;
        unique_name(name, "", "kind");
        CHECK_OK(kinds[which].create(&handle, name, NULL));
        for (size_t asked = 0; asked < COUNT_OF(sorts); asked++) {
            native other;
            start(&other, "make", sorts[asked].word, name, "");
            assert_string_equal(other.line, sorts[asked].kind == (kind_number)which ? "ready" : "failed Create 6");
            native_end(&other);
        }
        kinds[which].close(handle);
    }
}

static ist_status poll(int which, void *handle)
{
    return ist_wait(kinds[which].waitable(handle), 0);
}

/* 1 is to look, 20000 READ_CONTROL. */
TEST(a_native_object_that_grants_looking_gives_a_handle_for_looking)
{
    static const char *const words[] = {"semaphore", "event", "manual"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        char name[NAME_SIZE];
        native other;
        void *handle = NULL;
        const kind *row = &kinds[i == 0 ? KIND_SEMAPHORE : KIND_EVENT];
        kind_state state = {0};
        state.struct_size = row->state_size;
        unique_name(name, "", "guarded");
        begin(&other, "guarded", words[i], name, "20001");
        CHECK_ROW(words[i], IST_E_ACCESS, row->open(&handle, name, IST_WRITE));
        CHECK_ROW(words[i], IST_E_ACCESS, row->create(&handle, name, NULL));
        CHECK_ROW(words[i], IST_OK, row->open(&handle, name, IST_READ));
        CHECK_ROW(words[i], IST_OK, row->query(handle, &state));
        row->close(handle);
        native_end(&other);
    }
}

/* 100000 is SYNCHRONIZE, 2 to change. */
TEST(a_native_object_that_grants_less_gives_handles_for_less)
{
    if (host_emulator() != NULL)
        SKIP(a_native_object_that_grants_less_gives_handles_for_less,
             "Wine grants everybody the standard rights and SYNCHRONIZE, and makes no timer that its maker may not "
             "have");
    for (size_t i = 0; i < COUNT_OF(sorts); i++) {
        char name[NAME_SIZE];
        native other;
        void *handle = NULL;
        int which = (int)sorts[i].kind;
        kind_state state = {0};
        state.struct_size = kinds[which].state_size;
        unique_name(name, "", "guarded");
        begin(&other, "guarded", sorts[i].word, name, "20001");
        CHECK_ROW(sorts[i].word, IST_E_ACCESS, kinds[which].open(&handle, name, IST_WRITE));
        CHECK_ROW(sorts[i].word, IST_OK, kinds[which].open(&handle, name, IST_READ));
        CHECK_ROW(sorts[i].word, IST_E_ACCESS, poll(which, handle));
        kinds[which].close(handle);
        native_end(&other);
        begin(&other, "guarded", sorts[i].word, name, "100002");
        CHECK_ROW(sorts[i].word, IST_E_ACCESS, kinds[which].open(&handle, name, IST_WRITE));
        CHECK_ROW(sorts[i].word, IST_OK, kinds[which].open(&handle, name, IST_WRITE | IST_TRUST_EVERYONE));
        CHECK_ROW(sorts[i].word, IST_E_UNSUPPORTED, kinds[which].query(handle, &state));
        assert_in_range(poll(which, handle), IST_OK, IST_TIMEOUT);
        kinds[which].close(handle);
        native_end(&other);
    }
}

/* A1: whether taking it is a matter of the sort is known of an event, and of a timer only to its maker. */
TEST(a_handle_for_reading_waits_for_no_native_object_that_a_wait_takes)
{
    for (size_t i = 0; i < COUNT_OF(sorts); i++) {
        char name[NAME_SIZE];
        native other;
        void *handle = NULL;
        int which = (int)sorts[i].kind;
        bool waits = !sorts[i].takes || sorts[i].kind == KIND_TIMER;
        unique_name(name, "", "reader");
        begin(&other, "make", sorts[i].word, name, "");
        CHECK_ROW(sorts[i].word, IST_OK, kinds[which].open(&handle, name, IST_READ));
        CHECK_ROW(sorts[i].word, waits ? IST_TIMEOUT : IST_E_ACCESS, poll(which, handle));
        kinds[which].close(handle);
        native_end(&other);
    }
}

static void set_manual(kind_options *options, kind_number which)
{
    if (which == KIND_EVENT)
        options->event.manual_reset = 1;
    else if (which == KIND_TIMER)
        options->timer.manual_reset = 1;
}

/* What a kind's audience gets, by the sort of the object. */
static DWORD expected_rights(const struct sort *sort, ist_audience audience)
{
    DWORD change = sort->kind == KIND_MUTEX ? 0 : 2;
    DWORD rights = 0;
    if (audience == IST_AUDIENCE_EVERYONE_READ)
        rights = READ_CONTROL | 1 | (sort->takes ? 0 : SYNCHRONIZE);
    else if (audience == IST_AUDIENCE_EVERYONE_WRITE)
        rights = READ_CONTROL | 1 | SYNCHRONIZE | change;
    return rights;
}

/* A1 */
TEST(an_audience_of_an_object_is_exactly_what_the_native_list_grants)
{
    static const ist_audience audiences[] = {IST_AUDIENCE_OWNER, IST_AUDIENCE_GROUP_READ, IST_AUDIENCE_EVERYONE_READ,
                                             IST_AUDIENCE_EVERYONE_WRITE};
    for (size_t i = 0; i < COUNT_OF(sorts); i++)
        for (size_t j = 0; j < COUNT_OF(audiences); j++) {
            char name[NAME_SIZE];
            void *handle = NULL;
            const kind *row = &kinds[sorts[i].kind];
            kind_options options;
            row->init(&options);
            row->admit(&options, audiences[j], IST_TRUST_OWNER);
            if (!sorts[i].takes)
                set_manual(&options, sorts[i].kind);
            unique_name(name, "", "audience");
            CHECK_OK(row->create(&handle, name, &options));
            HANDLE object = ist_win32_waitable_handle(row->waitable(handle));
            assert_int_equal(native_rights(object, WinWorldSid), expected_rights(&sorts[i], audiences[j]));
            assert_int_equal(native_rights(object, WinLocalSystemSid) & 0x1F0000, 0x1F0000);
            row->close(handle);
        }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_native_mutex_is_ours_too),
        RUN(our_mutex_is_a_native_one_too),
        RUN(a_semaphore_is_counted_by_both),
        RUN(an_event_is_set_by_both_and_keeps_its_sort),
        RUN(a_timer_is_set_by_both),
        RUN(a_native_owners_end_abandons_the_mutex),
        RUN(a_native_program_learns_that_our_owner_has_ended),
        RUN(a_name_that_a_native_object_holds_is_of_its_kind_only),
        RUN(a_native_program_does_not_get_our_name_for_another_kind),
        RUN(a_native_object_that_grants_looking_gives_a_handle_for_looking),
        RUN(a_native_object_that_grants_less_gives_handles_for_less),
        RUN(a_handle_for_reading_waits_for_no_native_object_that_a_wait_takes),
        RUN(an_audience_of_an_object_is_exactly_what_the_native_list_grants),
    };
    return cmocka_run_group_tests_name("win32_objects", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
