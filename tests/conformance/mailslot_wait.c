/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mailslots in waits: W2, W3, W5, L5. Reads that wait are in mailslot_read.c.
 */
#include "support/host.h"
#include "support/mailslot_peer.h"

/* A slot of a patient peer, which a wake-up that is lost would leave waiting. */
static peer *start_reader(char name[NAME_SIZE], ist_mailslot **writer)
{
    peer *reader = mailslot_start_patient();
    unique_name(name, "", "wait");
    PEER_ASK(reader, "IST_OK", "create %s", name);
    CHECK_OK(ist_mailslot_open(writer, name, IST_WRITE));
    return reader;
}

static ist_status poll(const ist_mailslot *slot)
{
    return ist_wait(ist_mailslot_waitable(slot), 0);
}

TEST(a_wait_for_a_slot_ends_while_a_message_waits_and_takes_nothing)
{
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    CHECK_STATUS(IST_TIMEOUT, poll(pair.reader));
    MAILSLOT_WRITE(pair.writer, "one");
    MAILSLOT_WRITE(pair.writer, "two");
    CHECK_OK(poll(pair.reader));
    CHECK_OK(poll(pair.reader));
    MAILSLOT_READ(pair.reader, "one");
    CHECK_OK(ist_wait(ist_mailslot_waitable(pair.reader), IST_FOREVER));
    MAILSLOT_READ(pair.reader, "two");
    CHECK_STATUS(IST_TIMEOUT, poll(pair.reader));
    mailslot_close(&pair);
}

TEST(a_wait_for_a_slot_is_ended_by_a_message)
{
    char name[NAME_SIZE];
    ist_mailslot *writer = NULL;
    peer *reader = start_reader(name, &writer);
    for (int n = 0; n < 5; n++) {
        mailslot_begin(reader, "await forever");
        MAILSLOT_WRITE(writer, "x");
        MAILSLOT_HEAR(reader, "IST_OK");
        PEER_ASK(reader, "IST_OK x", "read 0");
    }
    ist_mailslot_close(writer);
    peer_end(reader);
}

/* W5 */
TEST(a_wait_for_a_slot_is_never_early)
{
    static const int64_t timeouts[] = {1, 1000001, 33 * CLOCK_MS, 120 * CLOCK_MS};
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        int64_t start = clock_steady_ns();
        CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_mailslot_waitable(pair.reader), timeouts[i]));
        assert_true(clock_steady_ns() - start >= timeouts[i]);
    }
    mailslot_close(&pair);
}

typedef struct mixture {
    mailslot_pair pair;
    ist_mutex *mutex;
    ist_timer *timer;
    ist_event *event;
    ist_status created;
    const ist_waitable *items[4]; /* the event, the slot, the timer, the mutex */
} mixture;

/* Nothing but the mutex is signalled. */
static void make_mixture(mixture *of)
{
    mailslot_make(&of->pair, 0, 0);
    CHECK_OK(ist_mutex_create(&of->mutex, NULL, NULL));
    CHECK_OK(ist_timer_create(&of->timer, NULL, NULL));
    CHECK_OK(ist_event_create(&of->event, NULL, NULL));
    of->items[0] = ist_event_waitable(of->event);
    of->items[1] = ist_mailslot_waitable(of->pair.reader);
    of->items[2] = ist_timer_waitable(of->timer);
    of->items[3] = ist_mutex_waitable(of->mutex);
}

static void close_mixture(mixture *of)
{
    ist_event_close(of->event);
    ist_timer_close(of->timer);
    ist_mutex_close(of->mutex);
    mailslot_close(&of->pair);
}

static void check_any(const mixture *of, size_t count, ist_status expected, size_t expected_index)
{
    size_t index = 9;
    CHECK_STATUS(expected, ist_wait_any(of->items, count, 0, &index));
    assert_int_equal(index, expected_index);
}

/* W2 */
TEST(a_slot_takes_its_place_among_others_in_a_wait_for_any)
{
    mixture of;
    make_mixture(&of);
    check_any(&of, 3, IST_TIMEOUT, 9);
    check_any(&of, 4, IST_OK, 3);
    CHECK_OK(ist_timer_set(of.timer, IST_TIMER_RELATIVE, 0, 0));
    CHECK_OK(ist_wait_any(of.items, 3, mailslot_bound_ns(), NULL));
    MAILSLOT_WRITE(of.pair.writer, "x");
    check_any(&of, 4, IST_OK, 1);
    check_any(&of, 3, IST_OK, 1);
    CHECK_OK(ist_event_set(of.event));
    check_any(&of, 4, IST_OK, 0);
    check_any(&of, 4, IST_OK, 1);
    MAILSLOT_READ(of.pair.reader, "x");
    check_any(&of, 4, IST_OK, 3);
    CHECK_OK(ist_mutex_release(of.mutex));
    CHECK_OK(ist_mutex_release(of.mutex));
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(of.mutex));
    close_mixture(&of);
}

static void wait_or_write(void *context, size_t index)
{
    mixture *of = context;
    if (index == 0) {
        size_t got = 9;
        ist_status status = ist_wait_any(of->items, 3, mailslot_bound_ns(), &got);
        if (status == IST_OK && got == 1)
            (void)ist_event_set(of->event);
    } else {
        (void)ist_wait(of->items[2], 20 * CLOCK_MS);
        (void)ist_mailslot_write(of->pair.writer, "x", 1);
    }
}

/* W2 */
TEST(a_message_ends_a_wait_for_any_that_is_blocked)
{
    for (int round = 0; round < 5; round++) {
        mixture of;
        make_mixture(&of);
        host_threads(2, wait_or_write, &of);
        CHECK_OK(ist_wait(of.items[0], 0));
        MAILSLOT_READ(of.pair.reader, "x");
        close_mixture(&of);
    }
}

/* W3 */
TEST(a_slot_is_waited_for_alone_or_not_at_all_in_a_wait_for_all)
{
    mixture of;
    make_mixture(&of);
    MAILSLOT_WRITE(of.pair.writer, "x");
    CHECK_OK(ist_wait_all(&of.items[1], 1, 0));
    CHECK_STATUS(IST_E_UNSUPPORTED, ist_wait_all(of.items, 2, 0));
    CHECK_STATUS(IST_E_UNSUPPORTED, ist_wait_all(&of.items[1], 2, IST_FOREVER));
    MAILSLOT_READ(of.pair.reader, "x");
    CHECK_STATUS(IST_TIMEOUT, ist_wait_all(&of.items[1], 1, 0));
    close_mixture(&of);
}

TEST(an_event_is_signalled_and_a_slot_waited_for)
{
    mixture of;
    make_mixture(&of);
    CHECK_STATUS(IST_TIMEOUT, ist_signal_and_wait(of.items[0], of.items[1], 0));
    CHECK_OK(ist_wait(of.items[0], 0));
    MAILSLOT_WRITE(of.pair.writer, "x");
    CHECK_OK(ist_signal_and_wait(of.items[0], of.items[1], IST_FOREVER));
    CHECK_OK(ist_wait(of.items[0], 0));
    CHECK_STATUS(IST_E_ARG, ist_signal_and_wait(of.items[1], of.items[0], 0));
    MAILSLOT_READ(of.pair.reader, "x");
    close_mixture(&of);
}

static void wait_or_close(void *context, size_t index)
{
    mixture *of = context;
    if (index == 0) {
        size_t got = 9;
        ist_status status = ist_wait_any(of->items + 1, 2, mailslot_bound_ns(), &got);
        if (status == IST_OK && got == 1)
            (void)ist_event_set(of->event);
    } else {
        (void)ist_wait(of->items[0], 30 * CLOCK_MS);
        ist_mailslot_close(of->pair.reader);
        of->created = ist_mailslot_create(&of->pair.reader, of->pair.name, NULL);
        (void)ist_timer_set(of->timer, IST_TIMER_RELATIVE, 0, 0);
    }
}

/* L5: the wait keeps the slot, though not its name */
TEST(a_wait_goes_on_when_its_slot_is_closed)
{
    mixture of;
    if (host_emulator() != NULL)
        SKIP(a_wait_goes_on_when_its_slot_is_closed, "Wine keeps the name of what a thread waits for");
    make_mixture(&of);
    host_threads(2, wait_or_close, &of);
    CHECK_OK(ist_wait(of.items[0], 0));
    CHECK_OK(of.created);
    CHECK_STATUS(IST_E_BROKEN, ist_mailslot_write(of.pair.writer, "x", 1));
    MAILSLOT_EMPTY(of.pair.reader);
    close_mixture(&of);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_wait_for_a_slot_ends_while_a_message_waits_and_takes_nothing),
        RUN(a_wait_for_a_slot_is_ended_by_a_message),
        RUN(a_wait_for_a_slot_is_never_early),
        RUN(a_slot_takes_its_place_among_others_in_a_wait_for_any),
        RUN(a_message_ends_a_wait_for_any_that_is_blocked),
        RUN(a_slot_is_waited_for_alone_or_not_at_all_in_a_wait_for_all),
        RUN(an_event_is_signalled_and_a_slot_waited_for),
        RUN(a_wait_goes_on_when_its_slot_is_closed),
    };
    return cmocka_run_group_tests_name("mailslot_wait", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, mailslot_roles, mailslot_role_count, run_all);
}
