/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What a handle for reading allows, and whom an audience leaves in, as far as one user can see it: A1, A2.
 */
#include "support/kind.h"
#include "support/sync.h"

static ist_event *make_event(char name[NAME_SIZE], bool manual, bool set)
{
    ist_event *event = NULL;
    ist_event_options options = IST_EVENT_OPTIONS_INIT;
    options.manual_reset = manual;
    options.initially_set = set;
    unique_name(name, "", "access");
    CHECK_OK(ist_event_create(&event, name, &options));
    return event;
}

/* ---- handles for reading ---- */

/* A1 */
TEST(a_mutex_for_reading_is_neither_acquired_nor_released)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = NULL;
    ist_mutex *reader = NULL;
    ist_mutex_state state = IST_MUTEX_STATE_INIT;
    unique_name(name, "", "access");
    CHECK_OK(ist_mutex_create(&mutex, name, NULL));
    CHECK_OK(ist_mutex_open(&reader, name, IST_READ));
    CHECK_STATUS(IST_E_ACCESS, ist_mutex_acquire(reader, 0));
    CHECK_STATUS(IST_E_ACCESS, ist_mutex_acquire(reader, IST_FOREVER));
    CHECK_STATUS(IST_E_ACCESS, ist_mutex_release(reader));
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    CHECK_STATUS(IST_E_ACCESS, ist_mutex_acquire(reader, 0));
    CHECK_STATUS(IST_E_ACCESS, ist_mutex_release(reader));
    CHECK_OK(ist_mutex_query(reader, &state));
    assert_int_equal(state.owned, 1);
    assert_int_equal(state.owned_here, 1);
    CHECK_OK(ist_mutex_release(mutex));
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(mutex));
    ist_mutex_close(reader);
    ist_mutex_close(mutex);
}

/* A1 */
TEST(a_semaphore_for_reading_is_neither_released_nor_taken)
{
    char name[NAME_SIZE];
    ist_semaphore *semaphore = NULL;
    ist_semaphore *reader = NULL;
    ist_semaphore_options options = IST_SEMAPHORE_OPTIONS_INIT;
    ist_semaphore_state state = IST_SEMAPHORE_STATE_INIT;
    uint32_t previous = 77;
    unique_name(name, "", "access");
    options.initial = 2;
    options.maximum = 3;
    CHECK_OK(ist_semaphore_create(&semaphore, name, &options));
    CHECK_OK(ist_semaphore_open(&reader, name, IST_READ));
    CHECK_STATUS(IST_E_ACCESS, ist_wait(ist_semaphore_waitable(reader), 0));
    CHECK_STATUS(IST_E_ACCESS, ist_wait(ist_semaphore_waitable(reader), IST_FOREVER));
    CHECK_STATUS(IST_E_ACCESS, ist_semaphore_release(reader, 1, &previous));
    assert_int_equal(previous, 77);
    CHECK_OK(ist_semaphore_query(reader, &state));
    assert_int_equal(state.count, 2);
    assert_int_equal(state.maximum, 3);
    ist_semaphore_close(reader);
    ist_semaphore_close(semaphore);
}

/* A1 */
TEST(an_automatic_event_for_reading_is_neither_set_nor_reset_nor_taken)
{
    char name[NAME_SIZE];
    ist_event *reader = NULL;
    ist_event_state state = IST_EVENT_STATE_INIT;
    ist_event *event = make_event(name, false, true);
    CHECK_OK(ist_event_open(&reader, name, IST_READ));
    CHECK_STATUS(IST_E_ACCESS, ist_wait(ist_event_waitable(reader), 0));
    CHECK_STATUS(IST_E_ACCESS, ist_wait(ist_event_waitable(reader), IST_FOREVER));
    CHECK_STATUS(IST_E_ACCESS, ist_event_reset(reader));
    CHECK_OK(ist_event_query(reader, &state));
    assert_int_equal(state.set, 1);
    CHECK_OK(ist_wait(ist_event_waitable(event), 0));
    CHECK_STATUS(IST_E_ACCESS, ist_event_set(reader));
    CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_event_waitable(event), 0));
    ist_event_close(reader);
    ist_event_close(event);
}

/* A1 */
TEST(a_manual_reset_event_for_reading_is_waited_for_and_not_changed)
{
    char name[NAME_SIZE];
    ist_event *reader = NULL;
    ist_event *event = make_event(name, true, false);
    CHECK_OK(ist_event_open(&reader, name, IST_READ));
    CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_event_waitable(reader), 0));
    CHECK_STATUS(IST_E_ACCESS, ist_event_set(reader));
    CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_event_waitable(event), 0));
    CHECK_OK(ist_event_set(event));
    CHECK_OK(ist_wait(ist_event_waitable(reader), 0));
    CHECK_STATUS(IST_E_ACCESS, ist_event_reset(reader));
    CHECK_OK(ist_wait(ist_event_waitable(reader), IST_FOREVER));
    ist_event_close(reader);
    ist_event_close(event);
}

/* A1 E1: the reader that sleeps is woken like any other */
TEST(a_set_wakes_who_waits_in_another_process_by_a_handle_for_reading)
{
    char name[NAME_SIZE];
    ist_event *event = make_event(name, true, false);
    peer *other = sync_start_patient();
    PEER_ASK(other, "IST_OK", "open event %s read", name);
    for (int i = 0; i < 5; i++) {
        sync_block(other);
        CHECK_OK(ist_event_set(event));
        SYNC_HEAR(other, "IST_OK");
        CHECK_OK(ist_event_reset(event));
        PEER_ASK(other, "IST_TIMEOUT", "wait 0");
    }
    ist_event_close(event);
    peer_end(other);
}

/* A timer and a handle for reading it. */
static ist_timer *make_timer(bool manual, ist_timer **reader)
{
    char name[NAME_SIZE];
    ist_timer *timer = NULL;
    ist_timer_options options = IST_TIMER_OPTIONS_INIT;
    options.manual_reset = manual;
    unique_name(name, "", "access");
    CHECK_OK(ist_timer_create(&timer, name, &options));
    CHECK_OK(ist_timer_open(reader, name, IST_READ));
    return timer;
}

/* A1 */
TEST(a_timer_for_reading_is_neither_set_nor_cancelled)
{
    for (int manual = 0; manual < 2; manual++) {
        ist_timer *reader = NULL;
        ist_timer_state state = IST_TIMER_STATE_INIT;
        ist_timer *timer = make_timer(manual != 0, &reader);
        CHECK_STATUS(IST_E_ACCESS, ist_timer_set(reader, IST_TIMER_RELATIVE, 0, 0));
        CHECK_STATUS(IST_E_ACCESS, ist_timer_cancel(reader));
        CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_timer_waitable(timer), 0));
        CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 0, 0));
        CHECK_OK(ist_wait(ist_timer_waitable(timer), sync_bound_ns()));
        CHECK_OK(ist_timer_query(reader, &state));
        assert_int_equal(state.signalled, manual);
        ist_timer_close(reader);
        ist_timer_close(timer);
    }
}

/* A1 */
TEST(a_manual_reset_timer_for_reading_is_waited_for)
{
    ist_timer *reader = NULL;
    ist_timer *timer = make_timer(true, &reader);
    CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_timer_waitable(reader), 0));
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 0, 0));
    for (int i = 0; i < 2; i++)
        CHECK_OK(ist_wait(ist_timer_waitable(reader), sync_bound_ns()));
    ist_timer_close(reader);
    ist_timer_close(timer);
}

/* A1 */
TEST(a_synchronization_timer_for_reading_is_not_waited_for)
{
    ist_timer *reader = NULL;
    ist_timer *timer = make_timer(false, &reader);
    CHECK_STATUS(IST_E_ACCESS, ist_wait(ist_timer_waitable(reader), 0));
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 0, 0));
    CHECK_STATUS(IST_E_ACCESS, ist_wait(ist_timer_waitable(reader), IST_FOREVER));
    CHECK_OK(ist_wait(ist_timer_waitable(timer), sync_bound_ns()));
    ist_timer_close(reader);
    ist_timer_close(timer);
}

/* A1 */
TEST(a_handle_for_reading_signals_nothing_and_then_nothing_is_waited_for)
{
    char name[NAME_SIZE];
    ist_event *reader = NULL;
    ist_semaphore *taken = NULL;
    ist_semaphore_options options = IST_SEMAPHORE_OPTIONS_INIT;
    ist_event *event = make_event(name, true, false);
    options.initial = 1;
    CHECK_OK(ist_event_open(&reader, name, IST_READ));
    CHECK_OK(ist_semaphore_create(&taken, NULL, &options));
    CHECK_STATUS(IST_E_ACCESS, ist_signal_and_wait(ist_event_waitable(reader), ist_semaphore_waitable(taken), 0));
    CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_event_waitable(event), 0));
    CHECK_OK(ist_wait(ist_semaphore_waitable(taken), 0));
    ist_semaphore_close(taken);
    ist_event_close(reader);
    ist_event_close(event);
}

/* ---- audiences ---- */

static const ist_audience audiences[] = {IST_AUDIENCE_OWNER, IST_AUDIENCE_GROUP_READ, IST_AUDIENCE_GROUP_WRITE,
                                         IST_AUDIENCE_EVERYONE_READ, IST_AUDIENCE_EVERYONE_WRITE};

/* The creator's user has everything, in another process too. */
static void check_owner_has_all(peer *other, size_t k, const char *name)
{
    static const char *const changes[KINDS][2] = {
        {"wait 0", "IST_OK"}, {"release 1", "IST_OK 0"}, {"set", "IST_OK"}, {"due 0", "IST_OK"}};
    PEER_ASK(other, "IST_OK", "open %s %s write", kinds[k].name, peer_word(name));
    PEER_ASK(other, changes[k][1], "%s", changes[k][0]);
    PEER_ASK(other, "IST_OK", "wait forever");
    PEER_ASK(other, "ok", "close");
    PEER_ASK(other, "IST_OK", "open %s %s read", kinds[k].name, peer_word(name));
    PEER_ASK(other, "ok", "close");
    PEER_ASK(other, "IST_EXISTED", "create %s %s", kinds[k].name, peer_word(name));
    PEER_ASK(other, "ok", "close");
}

/* A1 N7 */
TEST(an_audience_takes_nothing_from_the_owner)
{
    static const char *const prefixes[] = {"", "Global\\"};
    for (size_t i = 0; i < KINDS * COUNT_OF(audiences) * COUNT_OF(prefixes); i++) {
        const kind *sort = &kinds[i % KINDS];
        char name[NAME_SIZE];
        void *handle = NULL;
        kind_options options;
        unique_name(name, prefixes[i / KINDS % COUNT_OF(prefixes)], "audience");
        sort->init(&options);
        sort->admit(&options, audiences[i / KINDS / COUNT_OF(prefixes)], IST_TRUST_OWNER);
        ist_status status = sort->create(&handle, name, &options);
        if (status == IST_E_ACCESS && name[0] == 'G')
            SKIP(an_audience_takes_nothing_from_the_owner, "this user may not create Global\\ objects");
        CHECK_ROW(sort->name, IST_OK, status);
        peer *other = sync_start();
        check_owner_has_all(other, i % KINDS, name);
        peer_end(other);
        sort->close(handle);
        CHECK_ROW(sort->name, IST_E_NOT_FOUND, sort->open(&handle, name, IST_READ));
    }
}

/* A1 L1 */
TEST(an_object_with_an_audience_dies_with_its_last_handle_and_may_be_unnamed)
{
    for (size_t i = 0; i < KINDS * COUNT_OF(audiences); i++) {
        const kind *sort = &kinds[i % KINDS];
        void *handle = NULL;
        kind_options options;
        sort->init(&options);
        sort->admit(&options, audiences[i / KINDS], IST_TRUST_EVERYONE);
        CHECK_ROW(sort->name, IST_OK, sort->create(&handle, NULL, &options));
        sort->close(handle);
    }
}

/* A1 E1: with readers admitted the sets still reach everybody */
TEST(an_event_with_readers_wakes_readers_and_writers)
{
    for (size_t i = 0; i < COUNT_OF(audiences); i++) {
        char name[NAME_SIZE];
        ist_event *event = NULL;
        ist_event_options options = IST_EVENT_OPTIONS_INIT;
        options.manual_reset = 1;
        options.audience = audiences[i];
        unique_name(name, "", "audience");
        CHECK_OK(ist_event_create(&event, name, &options));
        peer *reader = sync_start_patient();
        peer *writer = sync_start_patient();
        PEER_ASK(reader, "IST_OK", "open event %s read", name);
        PEER_ASK(writer, "IST_OK", "open event %s write", name);
        sync_block(reader);
        sync_block(writer);
        CHECK_OK(ist_event_set(event));
        SYNC_HEAR(reader, "IST_OK");
        SYNC_HEAR(writer, "IST_OK");
        peer_end(reader);
        peer_end(writer);
        ist_event_close(event);
    }
}

/* A2 */
TEST(trusting_everyone_finds_what_trusting_the_owner_finds)
{
    for (size_t k = 0; k < KINDS; k++) {
        char name[NAME_SIZE];
        void *handle = NULL;
        void *second = NULL;
        kind_options options;
        kinds[k].init(&options);
        kinds[k].admit(&options, IST_AUDIENCE_OWNER, IST_TRUST_EVERYONE);
        unique_name(name, "", "trust");
        CHECK_OK(kinds[k].create(&handle, name, &options));
        CHECK_OK(kinds[k].open(&second, name, IST_WRITE | IST_TRUST_EVERYONE));
        kinds[k].close(second);
        CHECK_OK(kinds[k].open(&second, name, IST_READ | IST_TRUST_EVERYONE));
        CHECK_STATUS(IST_E_ACCESS, ist_wait(kinds[k].waitable(second), 0));
        kinds[k].close(second);
        CHECK_STATUS(IST_EXISTED, kinds[k].create(&second, name, &options));
        kinds[k].close(second);
        kinds[k].close(handle);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_mutex_for_reading_is_neither_acquired_nor_released),
        RUN(a_semaphore_for_reading_is_neither_released_nor_taken),
        RUN(an_automatic_event_for_reading_is_neither_set_nor_reset_nor_taken),
        RUN(a_manual_reset_event_for_reading_is_waited_for_and_not_changed),
        RUN(a_set_wakes_who_waits_in_another_process_by_a_handle_for_reading),
        RUN(a_timer_for_reading_is_neither_set_nor_cancelled),
        RUN(a_manual_reset_timer_for_reading_is_waited_for),
        RUN(a_synchronization_timer_for_reading_is_not_waited_for),
        RUN(a_handle_for_reading_signals_nothing_and_then_nothing_is_waited_for),
        RUN(an_audience_takes_nothing_from_the_owner),
        RUN(an_object_with_an_audience_dies_with_its_last_handle_and_may_be_unnamed),
        RUN(an_event_with_readers_wakes_readers_and_writers),
        RUN(trusting_everyone_finds_what_trusting_the_owner_finds),
    };
    return cmocka_run_group_tests_name("object_access", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, sync_roles, sync_role_count, run_all);
}
