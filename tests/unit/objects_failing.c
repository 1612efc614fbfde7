/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * As failing.c, for mutexes, semaphores, events, timers and waits: whatever fails at whichever step comes through with
 * what the system said, nothing comes out, and nothing leaks.
 */
#include "support/kind.h"

#include <isthmus/win32.h>

#include "fake/fake.h"

/* What a call works with: made without failures before each try, let go after it. */
typedef struct scene {
    size_t number; /* the kind's */
    void *handle;  /* named "there" */
    char token[IST_TOKEN_SIZE];
    void *out;
    kind_state told;
    size_t index;
    uint32_t previous;
    ist_mutex *mutex;
    ist_semaphore *semaphore;
    ist_event *event;
    ist_timer *timer;
} scene;

typedef struct public_call {
    const char *name;
    ist_status (*make)(scene *at);
    void (*check_nothing)(const scene *at);
    unsigned steps; /* how many things the backend is asked for */
} public_call;

static void *const somewhere = &fake_last;

static ist_status call_create(scene *at)
{
    return kinds[at->number].create(&at->out, "new", NULL);
}

static ist_status call_create_unnamed(scene *at)
{
    return kinds[at->number].create(&at->out, NULL, NULL);
}

static ist_status call_create_existing(scene *at)
{
    ist_status status = kinds[at->number].create(&at->out, "there", NULL);
    return status == IST_EXISTED ? IST_OK : status;
}

static ist_status call_open(scene *at)
{
    return kinds[at->number].open(&at->out, "there", IST_WRITE);
}

static ist_status call_import(scene *at)
{
    return kinds[at->number].import(&at->out, at->token);
}

static ist_status call_export(scene *at)
{
    memset(at->token, 'x', sizeof at->token - 1);
    return kinds[at->number].export(at->handle, 7, IST_WRITE, at->token);
}

static ist_status call_query(scene *at)
{
    memset(&at->told, 0xA5, sizeof at->told);
    at->told.struct_size = kinds[at->number].state_size;
    return kinds[at->number].query(at->handle, &at->told);
}

static ist_status call_wrap(scene *at)
{
    ist_waitable *item = somewhere;
    ist_status status = ist_win32_waitable_wrap(&item, somewhere);
    at->out = NULL;
    if (status != IST_OK)
        assert_null(item);
    ist_win32_waitable_unwrap(item);
    return status;
}

static ist_status call_mutex_release(scene *at)
{
    return ist_mutex_release(at->mutex);
}

static ist_status call_mutex_acquire(scene *at)
{
    return ist_mutex_acquire(at->mutex, IST_FOREVER);
}

static ist_status call_semaphore_release(scene *at)
{
    return ist_semaphore_release(at->semaphore, 1, &at->previous);
}

static ist_status call_event_set(scene *at)
{
    return ist_event_set(at->event);
}

static ist_status call_event_reset(scene *at)
{
    return ist_event_reset(at->event);
}

static ist_status call_timer_set(scene *at)
{
    return ist_timer_set(at->timer, IST_TIMER_UTC, -1, 1);
}

static ist_status call_timer_cancel(scene *at)
{
    return ist_timer_cancel(at->timer);
}

static ist_status call_wait(scene *at)
{
    return ist_wait(kinds[at->number].waitable(at->handle), IST_FOREVER);
}

static ist_status call_wait_any(scene *at)
{
    const ist_waitable *items[2] = {ist_mutex_waitable(at->mutex), ist_event_waitable(at->event)};
    return ist_wait_any(items, 2, 0, &at->index);
}

static ist_status call_wait_all(scene *at)
{
    const ist_waitable *items[2] = {ist_mutex_waitable(at->mutex), ist_event_waitable(at->event)};
    return ist_wait_all(items, 2, 5);
}

static ist_status call_signal_and_wait(scene *at)
{
    return ist_signal_and_wait(ist_semaphore_waitable(at->semaphore), ist_timer_waitable(at->timer), 0);
}

static void no_handle(const scene *at)
{
    assert_null(at->out);
}

static void no_token(const scene *at)
{
    assert_string_equal(at->token, "");
}

static void no_state(const scene *at)
{
    assert_int_equal(at->told.struct_size, kinds[at->number].state_size);
    for (size_t i = sizeof at->told.struct_size; i < sizeof at->told; i++)
        assert_int_equal(at->told.bytes[i], 0xA5);
}

static void no_news(const scene *at)
{
    assert_int_equal(at->index, 7);
    assert_int_equal(at->previous, 7);
}

static const public_call public_calls[] = {
    {"create", call_create, no_handle, 2},
    {"create unnamed", call_create_unnamed, no_handle, 2},
    {"create existing", call_create_existing, no_handle, 2},
    {"open", call_open, no_handle, 2},
    {"import", call_import, no_handle, 2},
    {"export", call_export, no_token, 1},
    {"query", call_query, no_state, 1},
    {"wait", call_wait, no_news, 1},
    {"wrap", call_wrap, no_handle, 2},
    {"mutex release", call_mutex_release, no_news, 1},
    {"mutex acquire", call_mutex_acquire, no_news, 1},
    {"semaphore release", call_semaphore_release, no_news, 1},
    {"event set", call_event_set, no_news, 1},
    {"event reset", call_event_reset, no_news, 1},
    {"timer set", call_timer_set, no_news, 1},
    {"timer cancel", call_timer_cancel, no_news, 1},
    {"wait any", call_wait_any, no_news, 1},
    {"wait all", call_wait_all, no_news, 1},
    {"signal and wait", call_signal_and_wait, no_news, 1},
};

static void enter(scene *at, size_t number)
{
    memset(at, 0, sizeof *at);
    fake_reset();
    at->number = number;
    at->index = 7;
    at->previous = 7;
    CHECK_OK(kinds[number].create(&at->handle, "there", NULL));
    CHECK_OK(kinds[number].export(at->handle, 7, IST_READ, at->token));
    CHECK_OK(ist_mutex_create(&at->mutex, NULL, NULL));
    CHECK_OK(ist_semaphore_create(&at->semaphore, NULL, NULL));
    CHECK_OK(ist_event_create(&at->event, NULL, NULL));
    CHECK_OK(ist_timer_create(&at->timer, NULL, NULL));
    at->out = somewhere;
}

static void check_same(fake_ledger before)
{
    fake_ledger after = fake_ledger_now();
    assert_int_equal(after.memory, before.memory);
    assert_int_equal(after.objects, before.objects);
    assert_int_equal(after.errors, before.errors);
}

static void leave(scene *at)
{
    static const fake_ledger nothing;
    if (at->out != somewhere)
        kinds[at->number].close(at->out);
    kinds[at->number].close(at->handle);
    ist_mutex_close(at->mutex);
    ist_semaphore_close(at->semaphore);
    ist_event_close(at->event);
    ist_timer_close(at->timer);
    check_same(nothing);
}

static void check_detail(ist_status expected, bool memory)
{
    ist_detail detail;
    ist_error_detail(&detail);
    assert_int_equal(detail.status, expected);
    assert_non_null(detail.call);
    assert_int_equal(detail.space, memory ? IST_CODES_NONE : IST_CODES_ERRNO);
    assert_int_equal(detail.code, memory ? 0 : FAKE_CODE);
    assert_string_equal(detail.note, memory ? "" : FAKE_NOTE);
    if (!memory)
        assert_string_equal(detail.call, FAKE_CALL);
}

/* Lets the nth step of a call fail; returns false when the call has fewer steps and so succeeded. */
static bool fail_once(const public_call *call, size_t number, unsigned nth, ist_status status)
{
    scene at;
    enter(&at, number);
    fake_ledger before = fake_ledger_now();
    fake_fail(nth, status);
    ist_status actual = call->make(&at);
    bool failed = fake_failed();
    bool memory = fake_failed_memory();
    fake_fail(0, IST_OK);
    if (failed) {
        ist_status expected = memory ? IST_E_MEMORY : status;
        CHECK_ROW(call->name, expected, actual);
        call->check_nothing(&at);
        check_detail(expected, memory);
        check_same(before);
        if (call->make != call_export)
            CHECK_ROW(call->name, IST_OK, call->make(&at));
    } else {
        CHECK_ROW(call->name, IST_OK, actual);
    }
    leave(&at);
    return failed;
}

static const ist_status failures[] = {
#define FAILURE(name, value, text) (ist_status)(value),
    IST_STATUS_LIST(FAILURE)
#undef FAILURE
};

static void fail_at_every_step(const public_call *call, size_t number)
{
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        unsigned nth = 1;
        if (failures[i] >= 0)
            continue;
        while (fail_once(call, number, nth, failures[i]))
            nth++;
        assert_int_equal(nth - 1, call->steps);
    }
}

TEST(whatever_fails_at_any_step_comes_through_and_works_when_it_is_made_again)
{
    for (size_t number = 0; number < KINDS; number++)
        for (size_t i = 0; i < COUNT_OF(public_calls); i++)
            fail_at_every_step(&public_calls[i], number);
}

TEST(a_success_after_a_failure_leaves_the_detail)
{
    scene at;
    enter(&at, KIND_EVENT);
    fake_fail(1, IST_E_LIMIT);
    CHECK_STATUS(IST_E_LIMIT, ist_event_set(at.event));
    fake_fail(0, IST_OK);
    CHECK_OK(ist_event_set(at.event));
    fake_pretend_wait(IST_TIMEOUT, 0);
    CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_event_waitable(at.event), 0));
    check_detail(IST_E_LIMIT, false);
    leave(&at);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_fails_at_any_step_comes_through_and_works_when_it_is_made_again),
        cmocka_unit_test(a_success_after_a_failure_leaves_the_detail),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("objects_failing", tests, NULL, NULL);
}
