/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A blocked wait goes on and keeps its object, though not its name, when every handle is closed: L5.
 */
#include "support/clock.h"
#include "support/host.h"
#include "support/sync.h"

/* A thread that waits and one that closes meanwhile. By the time `begun` is set the wait has begun. */
typedef struct bereft {
    ist_event *begun;
    const ist_waitable *item;
    int64_t timeout_ns;
    void (*meanwhile)(struct bereft *self);
    ist_status status;
    int64_t lasted_ns;
    ist_mutex *mutex;
    ist_event *event;
    ist_timer *timer;
    bool name_was_free;
    char name[NAME_SIZE];
} bereft;

static void wait_or_close(void *context, size_t index)
{
    bereft *self = context;
    if (index == 0) {
        int64_t begun = clock_steady_ns();
        self->status = ist_signal_and_wait(ist_event_waitable(self->begun), self->item, self->timeout_ns);
        self->lasted_ns = clock_steady_ns() - begun;
    } else {
        if (ist_wait(ist_event_waitable(self->begun), IST_FOREVER) != IST_OK)
            abort();
        self->meanwhile(self);
    }
}

static void run(bereft *self)
{
    CHECK_OK(ist_event_create(&self->begun, NULL, NULL));
    host_threads(2, wait_or_close, self);
    ist_event_close(self->begun);
}

static void close_all(bereft *self)
{
    ist_mapping *mapping = NULL;
    ist_event_close(self->event);
    ist_timer_close(self->timer);
    ist_mutex_close(self->mutex);
    self->name_was_free = ist_mapping_create(&mapping, self->name, 4096, NULL) == IST_OK;
    ist_mapping_close(mapping);
}

static void begin(bereft *self, int64_t timeout_ns)
{
    memset(self, 0, sizeof *self);
    unique_name(self->name, "", "bereft");
    self->timeout_ns = timeout_ns;
    self->meanwhile = close_all;
}

/* L5 W5 */
TEST(a_wait_whose_handles_are_all_closed_goes_on_to_its_timeout)
{
    for (int manual = 0; manual < 2; manual++) {
        bereft self;
        ist_event_options options = IST_EVENT_OPTIONS_INIT;
        options.manual_reset = (uint32_t)manual;
        begin(&self, 250 * CLOCK_MS);
        CHECK_OK(ist_event_create(&self.event, self.name, &options));
        self.item = ist_event_waitable(self.event);
        run(&self);
        CHECK_OK(self.status == IST_TIMEOUT ? IST_OK : self.status);
        assert_true(self.lasted_ns >= self.timeout_ns);
    }
}

/* L5 T1 */
TEST(a_timer_whose_handles_are_all_closed_becomes_due_for_who_waits)
{
    for (int manual = 0; manual < 2; manual++) {
        bereft self;
        ist_timer_options options = IST_TIMER_OPTIONS_INIT;
        options.manual_reset = (uint32_t)manual;
        begin(&self, sync_bound_ns());
        CHECK_OK(ist_timer_create(&self.timer, self.name, &options));
        CHECK_OK(ist_timer_set(self.timer, IST_TIMER_RELATIVE, 250 * CLOCK_MS, 0));
        self.item = ist_timer_waitable(self.timer);
        run(&self);
        CHECK_OK(self.status);
    }
}

static void close_all_later(bereft *self)
{
    sync_pause();
    close_all(self);
}

/* Owns the mutex before the other waits for it, closes it meanwhile, and ends. */
static void wait_or_own(void *context, size_t index)
{
    bereft *self = context;
    if (index == 1 && ist_mutex_acquire(self->mutex, 0) != IST_OK)
        abort();
    if (index == 1 && ist_event_set(self->event) != IST_OK)
        abort();
    if (index == 0 && ist_wait(ist_event_waitable(self->event), IST_FOREVER) != IST_OK)
        abort();
    wait_or_close(context, index);
}

static void close_mutex(bereft *self)
{
    ist_mutex_close(self->mutex);
}

/* L5 X3: the owner ends and the waiter has what nobody has a handle to */
TEST(who_waits_for_a_mutex_learns_of_its_owners_end_though_all_handles_are_closed)
{
    bereft self;
    begin(&self, sync_bound_ns());
    self.meanwhile = close_mutex;
    CHECK_OK(ist_mutex_create(&self.mutex, self.name, NULL));
    CHECK_OK(ist_event_create(&self.event, NULL, NULL));
    CHECK_OK(ist_event_create(&self.begun, NULL, NULL));
    self.item = ist_mutex_waitable(self.mutex);
    host_threads(2, wait_or_own, &self);
    assert_string_equal(ist_status_name(self.status), "IST_ABANDONED");
    ist_event_close(self.begun);
    ist_event_close(self.event);
}

/* L5 L1: the wait keeps the object, not the name */
TEST(the_name_is_free_while_only_a_wait_keeps_the_object)
{
    bereft self;
    if (host_emulator() != NULL)
        SKIP(the_name_is_free_while_only_a_wait_keeps_the_object, "Wine keeps the name of what a thread waits for");
    begin(&self, 250 * CLOCK_MS);
    self.meanwhile = close_all_later;
    CHECK_OK(ist_event_create(&self.event, self.name, NULL));
    self.item = ist_event_waitable(self.event);
    run(&self);
    assert_true(self.name_was_free);
    CHECK_OK(self.status == IST_TIMEOUT ? IST_OK : self.status);
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
        RUN(a_wait_goes_on_when_another_process_closes_its_handles),
    };
    return cmocka_run_group_tests_name("object_wait", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, sync_roles, sync_role_count, run_all);
}
