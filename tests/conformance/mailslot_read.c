/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Reads that wait, and what a cancel ends: B4, W5, L10. Waits for slots are in mailslot_wait.c.
 */
#include "support/host.h"
#include "support/mailslot_peer.h"

#define THREADS 8

/* A slot of a patient peer, which a wake-up that is lost would leave waiting. */
static peer *start_reader(char name[NAME_SIZE], ist_mailslot **writer)
{
    peer *reader = mailslot_start_patient();
    unique_name(name, "", "wait");
    PEER_ASK(reader, "IST_OK", "create %s", name);
    CHECK_OK(ist_mailslot_open(writer, name, IST_WRITE));
    return reader;
}

/* ---- reads ---- */

/* B4 W5 */
TEST(reading_an_empty_slot_ends_with_its_time_and_never_early)
{
    static const int64_t timeouts[] = {0, 1, 999, 1000001, 7 * CLOCK_MS + 13, 33 * CLOCK_MS, 120 * CLOCK_MS};
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        char buffer[8];
        size_t got = 9;
        int64_t start = clock_steady_ns();
        CHECK_STATUS(IST_TIMEOUT, ist_mailslot_read(pair.reader, buffer, sizeof buffer, timeouts[i], &got));
        assert_true(clock_steady_ns() - start >= timeouts[i]);
        assert_int_equal(got, 0);
    }
    MAILSLOT_WRITE(pair.writer, "still good");
    MAILSLOT_READ(pair.reader, "still good");
    mailslot_close(&pair);
}

/* B4 */
TEST(what_is_there_is_read_whatever_the_timeout)
{
    static const int64_t timeouts[] = {0, 1, 99, 1000000, INT64_MAX - 1, INT64_MAX, IST_FOREVER};
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        char buffer[8];
        size_t got = 0;
        MAILSLOT_WRITE(pair.writer, "x");
        CHECK_OK(ist_mailslot_read(pair.reader, buffer, sizeof buffer, timeouts[i], &got));
        assert_int_equal(got, 1);
    }
    mailslot_close(&pair);
}

/* B4 */
TEST(a_reader_that_waits_gets_the_message_that_comes)
{
    char name[NAME_SIZE];
    ist_mailslot *writer = NULL;
    peer *reader = start_reader(name, &writer);
    for (int n = 0; n < 5; n++) {
        mailslot_begin(reader, n % 2 == 0 ? "block forever" : "block 9223372036854");
        MAILSLOT_WRITE(writer, "first");
        MAILSLOT_WRITE(writer, "second");
        MAILSLOT_HEAR(reader, "IST_OK first");
        PEER_ASK(reader, "IST_OK second", "read 0");
    }
    ist_mailslot_close(writer);
    peer_end(reader);
}

/* Reads without ever falling asleep. */
static ist_status read_awake(ist_mailslot *slot)
{
    int64_t end = clock_steady_ns() + mailslot_bound_ns();
    ist_status status = IST_TIMEOUT;
    while (status == IST_TIMEOUT && clock_steady_ns() < end) {
        char buffer[8];
        size_t got = 0;
        status = ist_mailslot_read(slot, buffer, sizeof buffer, 0, &got);
    }
    return status;
}

/* B4: a write for each step of a reader that falls asleep */
TEST(no_message_of_many_fails_to_wake_the_reader)
{
    int rounds = host_emulator() != NULL ? 2000 : 20000;
    char name[NAME_SIZE];
    ist_mailslot *there = NULL;
    mailslot_pair here;
    peer *other = start_reader(name, &there);
    mailslot_make(&here, 0, 0);
    PEER_ASK(other, "ok", "slot 1");
    PEER_ASK(other, "IST_OK", "open %s", here.name);
    PEER_ASK(other, "ok", "slot 0");
    PEER_ASK(other, "echoing", "echo 1 %d", rounds);
    for (int n = 0; n < rounds; n++) {
        MAILSLOT_WRITE(there, "x");
        CHECK_OK(read_awake(here.reader));
    }
    MAILSLOT_HEAR(other, "IST_OK");
    ist_mailslot_close(there);
    mailslot_close(&here);
    peer_end(other);
}

/* B2 B4 */
TEST(a_message_of_0_bytes_wakes_the_reader)
{
    char name[NAME_SIZE];
    ist_mailslot *writer = NULL;
    if (host_emulator() != NULL)
        SKIP(a_message_of_0_bytes_wakes_the_reader, "Wine loses messages of 0 bytes in a mailslot");
    peer *reader = start_reader(name, &writer);
    mailslot_begin(reader, "block forever");
    MAILSLOT_WRITE(writer, "");
    MAILSLOT_HEAR(reader, "IST_OK -");
    ist_mailslot_close(writer);
    peer_end(reader);
}

/* B3: what waits for room in a buffer waits for nothing */
TEST(a_reader_that_waits_is_told_of_a_message_that_does_not_fit)
{
    char name[NAME_SIZE];
    char large[2000];
    ist_mailslot *writer = NULL;
    peer *reader = start_reader(name, &writer);
    memset(large, 'l', sizeof large);
    mailslot_begin(reader, "block forever");
    CHECK_OK(ist_mailslot_write(writer, large, sizeof large));
    MAILSLOT_HEAR(reader, "IST_E_SIZE -");
    PEER_ASK(reader, "IST_OK 2000 1", "info");
    ist_mailslot_close(writer);
    peer_end(reader);
}

/* ---- threads ---- */

typedef struct crowd {
    mailslot_pair pair;
    ist_semaphore *done;
    ist_status status[HOST_THREADS_MAX];
    size_t got[HOST_THREADS_MAX];
    uint32_t writers[HOST_THREADS_MAX];
    uint32_t numbers[HOST_THREADS_MAX];
} crowd;

static void read_in_thread(void *context, size_t index)
{
    crowd *all = context;
    char buffer[THREADS];
    all->got[index] = 9;
    all->status[index] =
        ist_mailslot_read(all->pair.reader, buffer, sizeof buffer, mailslot_bound_ns(), &all->got[index]);
    (void)ist_semaphore_release(all->done, 1, NULL);
}

/* The last thread does to the others what `stir` says until all have ended. */
static void stir_until_done(crowd *all, void (*stir)(crowd *all))
{
    for (size_t ended = 0; ended < THREADS;) {
        stir(all);
        while (ist_wait(ist_semaphore_waitable(all->done), CLOCK_MS) == IST_OK)
            ended++;
    }
}

static void stir_by_cancel(crowd *all)
{
    (void)ist_mailslot_cancel(all->pair.reader);
}

static void read_or_cancel(void *context, size_t index)
{
    if (index < THREADS)
        read_in_thread(context, index);
    else
        stir_until_done(context, stir_by_cancel);
}

TEST(a_cancel_ends_the_reads_of_other_threads)
{
    static crowd all;
    mailslot_make(&all.pair, 0, 0);
    CHECK_OK(ist_semaphore_create(&all.done, NULL, NULL));
    host_threads(THREADS + 1, read_or_cancel, &all);
    for (size_t i = 0; i < THREADS; i++) {
        CHECK_STATUS(IST_CANCELLED, all.status[i]);
        assert_int_equal(all.got[i], 0);
    }
    MAILSLOT_EMPTY(all.pair.reader);
    MAILSLOT_WRITE(all.pair.writer, "later");
    MAILSLOT_READ(all.pair.reader, "later");
    ist_semaphore_close(all.done);
    mailslot_close(&all.pair);
}

/* A cancel is not kept for who comes later. */
TEST(a_cancel_of_nothing_changes_nothing)
{
    char buffer[8];
    size_t got = 0;
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    CHECK_OK(ist_mailslot_cancel(pair.reader));
    CHECK_STATUS(IST_TIMEOUT, ist_mailslot_read(pair.reader, buffer, sizeof buffer, 0, &got));
    CHECK_STATUS(IST_TIMEOUT, ist_mailslot_read(pair.reader, buffer, sizeof buffer, 20 * CLOCK_MS, &got));
    CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_mailslot_waitable(pair.reader), 20 * CLOCK_MS));
    MAILSLOT_WRITE(pair.writer, "x");
    CHECK_OK(ist_mailslot_cancel(pair.reader));
    MAILSLOT_READ(pair.reader, "x");
    mailslot_close(&pair);
}

static void read_or_write(void *context, size_t index)
{
    crowd *all = context;
    if (index < THREADS)
        read_in_thread(context, index);
    else
        for (size_t i = 0; i < THREADS; i++)
            all->status[index] = ist_mailslot_write(all->pair.writer, "12345678", i + 1);
}

/* L10: of as many readers as messages, each gets one */
TEST(threads_that_read_at_once_get_a_message_each)
{
    static crowd all;
    CHECK_OK(ist_semaphore_create(&all.done, NULL, NULL));
    for (int round = 0; round < 20; round++) {
        size_t sum = 0;
        mailslot_make(&all.pair, 0, 0);
        host_threads(THREADS + 1, read_or_write, &all);
        CHECK_OK(all.status[THREADS]);
        for (size_t i = 0; i < THREADS; i++) {
            CHECK_OK(all.status[i]);
            sum += all.got[i];
        }
        assert_int_equal(sum, THREADS * (THREADS + 1) / 2);
        MAILSLOT_EMPTY(all.pair.reader);
        mailslot_close(&all.pair);
    }
    ist_semaphore_close(all.done);
}

#define EACH 30

static void write_in_thread(void *context, size_t index)
{
    crowd *all = context;
    for (uint32_t n = 0; n < EACH && all->status[index] == IST_OK; n++)
        all->status[index] = mailslot_write_numbered(all->pair.writer, (uint32_t)index, n);
}

/* L10 B2: through one handle, and each thread's messages in their order */
TEST(threads_that_write_at_once_lose_nothing)
{
    static crowd all;
    uint32_t next[THREADS] = {0};
    if (host_emulator() != NULL)
        SKIP(threads_that_write_at_once_lose_nothing, "Wine lets a mailslot's writer wait for room");
    memset(&all, 0, sizeof all);
    mailslot_make(&all.pair, 0, 0);
    host_threads(THREADS, write_in_thread, &all);
    for (size_t i = 0; i < THREADS; i++)
        CHECK_OK(all.status[i]);
    for (size_t i = 0; i < (size_t)THREADS * EACH; i++) {
        uint32_t writer = 0;
        uint32_t number = 0;
        CHECK_ROW("read", IST_OK, mailslot_read_numbered(all.pair.reader, 0, &writer, &number));
        assert_true(writer < THREADS);
        assert_int_equal(number, next[writer]++);
    }
    MAILSLOT_EMPTY(all.pair.reader);
    mailslot_close(&all.pair);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(reading_an_empty_slot_ends_with_its_time_and_never_early),
        RUN(what_is_there_is_read_whatever_the_timeout),
        RUN(a_reader_that_waits_gets_the_message_that_comes),
        RUN(no_message_of_many_fails_to_wake_the_reader),
        RUN(a_message_of_0_bytes_wakes_the_reader),
        RUN(a_reader_that_waits_is_told_of_a_message_that_does_not_fit),
        RUN(a_cancel_ends_the_reads_of_other_threads),
        RUN(a_cancel_of_nothing_changes_nothing),
        RUN(threads_that_read_at_once_get_a_message_each),
        RUN(threads_that_write_at_once_lose_nothing),
    };
    return cmocka_run_group_tests_name("mailslot_read", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, mailslot_roles, mailslot_role_count, run_all);
}
