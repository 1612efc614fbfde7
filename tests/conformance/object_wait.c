/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A blocked wait goes on and keeps its object, though not its name, when every handle is closed: L5.
 */
#include "support/clock.h"
#include "support/host.h"
#include "support/sync.h"

/* A thread that waits, and one that closes meanwhile. */
typedef struct bereft {
    ist_event *begun; /* set when the wait begins */
    ist_event *owned; /* set when the mutex is owned */
    const ist_waitable *item;
    int64_t timeout_ns;
    ist_mutex *mutex;
    ist_event *event;
    ist_timer *timer;
    uint32_t manual_reset;
    char name[NAME_SIZE];
    ist_status status; /* of the wait */
    int64_t lasted_ns;
    bool name_was_free;
} bereft;

static void await(const ist_event *event)
{
    if (ist_wait(ist_event_waitable(event), IST_FOREVER) != IST_OK)
        abort();
}

static void wait_in_thread(bereft *self)
{
    int64_t begun = clock_steady_ns();
    self->status = ist_signal_and_wait(ist_event_waitable(self->begun), self->item, self->timeout_ns);
    self->lasted_ns = clock_steady_ns() - begun;
}

static void close_in_thread(bereft *self)
{
    ist_mapping *mapping = NULL;
    await(self->begun);
    /* Nobody sets it again: time to fall asleep. */
    (void)ist_wait(ist_event_waitable(self->begun), 30 * CLOCK_MS);
    ist_event_close(self->event);
    ist_timer_close(self->timer);
    ist_mutex_close(self->mutex);
    self->name_was_free = ist_mapping_create(&mapping, self->name, 4096, NULL) == IST_OK;
    ist_mapping_close(mapping);
}

static void wait_or_close(void *context, size_t index)
{
    if (index == 0)
        wait_in_thread(context);
    else
        close_in_thread(context);
}

/* The one that closes owns what the other waits for, and ends. */
static void wait_or_own(void *context, size_t index)
{
    bereft *self = context;
    if (index == 0)
        await(self->owned);
    else if (ist_mutex_acquire(self->mutex, 0) != IST_OK || ist_event_set(self->owned) != IST_OK)
        abort();
    wait_or_close(context, index);
}

/* Whether who signals counts as blocked. */
static bool is_promised(void)
{
    ist_traits traits = IST_TRAITS_INIT;
    ist_traits_get(&traits);
    return strcmp(traits.backend, "posix") == 0;
}

/* Has it all done. Who signalled counts as blocked on POSIX; on Windows the handle may be closed before the wait has
   been given it, and then it is done again. */
static void run(bereft *self, void (*prepare)(bereft *self), void (*body)(void *context, size_t index))
{
    for (int tries = 0; tries < 20; tries++) {
        unique_name(self->name, "", "bereft");
        self->mutex = NULL;
        self->event = NULL;
        self->timer = NULL;
        prepare(self);
        CHECK_OK(ist_event_create(&self->begun, NULL, NULL));
        CHECK_OK(ist_event_create(&self->owned, NULL, NULL));
        host_threads(2, body, self);
        ist_event_close(self->begun);
        ist_event_close(self->owned);
        if (self->status != IST_E_ARG || is_promised())
            return;
    }
}

static void prepare_event(bereft *self)
{
    ist_event_options options = IST_EVENT_OPTIONS_INIT;
    options.manual_reset = self->manual_reset;
    CHECK_OK(ist_event_create(&self->event, self->name, &options));
    self->item = ist_event_waitable(self->event);
    self->timeout_ns = 250 * CLOCK_MS;
}

static void prepare_timer(bereft *self)
{
    ist_timer_options options = IST_TIMER_OPTIONS_INIT;
    options.manual_reset = self->manual_reset;
    CHECK_OK(ist_timer_create(&self->timer, self->name, &options));
    CHECK_OK(ist_timer_set(self->timer, IST_TIMER_RELATIVE, 250 * CLOCK_MS, 0));
    self->item = ist_timer_waitable(self->timer);
    self->timeout_ns = sync_bound_ns();
}

static void prepare_mutex(bereft *self)
{
    CHECK_OK(ist_mutex_create(&self->mutex, self->name, NULL));
    self->item = ist_mutex_waitable(self->mutex);
    self->timeout_ns = sync_bound_ns();
}

/* L5 W5 */
TEST(a_wait_whose_handles_are_all_closed_goes_on_to_its_timeout)
{
    for (uint32_t manual = 0; manual < 2; manual++) {
        bereft self = {.manual_reset = manual};
        run(&self, prepare_event, wait_or_close);
        assert_string_equal(ist_status_name(self.status), "IST_TIMEOUT");
        assert_true(self.lasted_ns >= self.timeout_ns);
    }
}

/* L5 T1 */
TEST(a_timer_whose_handles_are_all_closed_becomes_due_for_who_waits)
{
    for (uint32_t manual = 0; manual < 2; manual++) {
        bereft self = {.manual_reset = manual};
        run(&self, prepare_timer, wait_or_close);
        assert_string_equal(ist_status_name(self.status), "IST_OK");
    }
}

/* L5 X3: the owner ends, and the waiter has what nobody has a handle to */
TEST(who_waits_for_a_mutex_learns_of_its_owners_end_though_all_handles_are_closed)
{
    bereft self = {0};
    run(&self, prepare_mutex, wait_or_own);
    assert_string_equal(ist_status_name(self.status), "IST_ABANDONED");
}

/* L5 L1: the wait keeps the object, not the name */
TEST(the_name_is_free_while_only_a_wait_keeps_the_object)
{
    bereft self = {0};
    if (host_emulator() != NULL)
        SKIP(the_name_is_free_while_only_a_wait_keeps_the_object, "Wine keeps the name of what a thread waits for");
    run(&self, prepare_mutex, wait_or_own);
    assert_true(self.name_was_free);
    run(&self, prepare_timer, wait_or_close);
    assert_true(self.name_was_free);
    run(&self, prepare_event, wait_or_close);
    assert_true(self.name_was_free);
}

/* Closes as soon as the other has signalled. */
static void wait_or_close_at_once(void *context, size_t index)
{
    bereft *self = context;
    if (index == 0) {
        wait_in_thread(self);
        return;
    }
    while (ist_wait(ist_event_waitable(self->begun), 0) == IST_TIMEOUT) {}
    ist_event_close(self->event);
}

static void prepare_short(bereft *self)
{
    prepare_event(self);
    self->timeout_ns = CLOCK_MS / 5;
}

/* L5: on POSIX who signals counts as blocked from before. Meant for a leg that sees memory used after it was freed. */
TEST(handles_that_are_closed_in_answer_to_the_signal_do_not_end_the_wait)
{
    for (int i = 0; i < 2000 && is_promised(); i++) {
        bereft self = {0};
        run(&self, prepare_short, wait_or_close_at_once);
        assert_string_equal(ist_status_name(self.status), "IST_TIMEOUT");
    }
}

/* L5: another process goes on where this one has closed */
TEST(a_wait_goes_on_when_another_process_closes_its_handles)
{
    char name[NAME_SIZE];
    ist_event *event = NULL;
    unique_name(name, "", "bereft");
    CHECK_OK(ist_event_create(&event, name, NULL));
    peer *other = sync_start_patient();
    PEER_ASK(other, "IST_OK", "open event %s write", name);
    sync_block(other);
    ist_event_close(event);
    event = NULL;
    sync_pause();
    CHECK_OK(ist_event_open(&event, name, IST_WRITE));
    CHECK_OK(ist_event_set(event));
    SYNC_HEAR(other, "IST_OK");
    ist_event_close(event);
    peer_end(other);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_wait_whose_handles_are_all_closed_goes_on_to_its_timeout),
        RUN(a_timer_whose_handles_are_all_closed_becomes_due_for_who_waits),
        RUN(who_waits_for_a_mutex_learns_of_its_owners_end_though_all_handles_are_closed),
        RUN(the_name_is_free_while_only_a_wait_keeps_the_object),
        RUN(handles_that_are_closed_in_answer_to_the_signal_do_not_end_the_wait),
        RUN(a_wait_goes_on_when_another_process_closes_its_handles),
    };
    return cmocka_run_group_tests_name("object_wait", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, sync_roles, sync_role_count, run_all);
}
