/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The queue of a mailslot under load: writers in several processes, writers in several threads, writers killed at
 * random. Who waits has its re-check an hour away.
 *
 * ISTHMUS_TEST_KILLS=n kills n writers.
 */
#include "support/check.h"
#include "support/peer.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/atomic.h"
#include "core/plat.h"
#include "stage/stage.h"

#define HOUR_NS INT64_C(3600000000000)
#define WRITERS 4u
#define LARGEST 1500u

/* What each message is: the rest of its bytes follow from its head. */
typedef struct letter {
    uint32_t writer;
    uint32_t number;
    uint32_t size;
    unsigned char bytes[LARGEST];
} letter;

#define HEAD offsetof(letter, bytes)

static char name[STAGE_NAME_SIZE];

/* ---- letters ---- */

static unsigned char byte_of(const letter *what, uint32_t at)
{
    return (unsigned char)(what->writer * 31 + what->number * 7 + at * 13);
}

static size_t compose(letter *out, uint32_t writer, uint32_t number)
{
    out->writer = writer;
    out->number = number;
    out->size = number % 16 == 0 ? (number * 37) % LARGEST : number % 64;
    for (uint32_t at = 0; at < out->size; at++)
        out->bytes[at] = byte_of(out, at);
    return HEAD + out->size;
}

static bool is_sound(const letter *what, size_t got)
{
    bool sound = got >= HEAD && what->size <= LARGEST && got == HEAD + what->size;
    for (uint32_t at = 0; sound && at < what->size; at++)
        sound = what->bytes[at] == byte_of(what, at);
    return sound;
}

static ist_mailslot *create(uint32_t capacity)
{
    ist_mailslot_options options = IST_MAILSLOT_OPTIONS_INIT;
    ist_mailslot *slot = NULL;
    options.capacity_bytes = capacity;
    STAGE_IS(ist_mailslot_create(&slot, name, &options), IST_OK);
    return slot;
}

static ist_mailslot *open_writer(void)
{
    ist_mailslot *slot = NULL;
    STAGE_IS(ist_mailslot_open(&slot, name, IST_WRITE), IST_OK);
    return slot;
}

static void check_gone(void)
{
    ist_mailslot *slot = NULL;
    STAGE_IS(ist_mailslot_open(&slot, name, IST_WRITE), IST_E_NOT_FOUND);
}

/* Until there is room. */
static bool post(ist_mailslot *slot, uint32_t writer, uint32_t number)
{
    letter what;
    size_t size = compose(&what, writer, number);
    ist_status status = IST_E_SPACE;
    while ((status = ist_mailslot_write(slot, &what, size)) == IST_E_SPACE)
        sched_yield();
    return STAGE_IS(status, IST_OK);
}

static void write_many(uint32_t writer, uint32_t count)
{
    ist_mailslot *slot = open_writer();
    for (uint32_t n = 0; n < count && post(slot, writer, n); n++) {}
    ist_mailslot_close(slot);
}

/* How many messages of one cell fit. */
static unsigned fill(ist_mailslot *writer)
{
    unsigned count = 0;
    while (ist_mailslot_write(writer, "x", 1) == IST_OK)
        count++;
    return count;
}

static unsigned drain(ist_mailslot *reader)
{
    letter what;
    size_t got = 0;
    unsigned count = 0;
    while (ist_mailslot_read(reader, &what, sizeof what, 0, &got) == IST_OK)
        count++;
    return count;
}

/* ---- load ---- */

static void read_many(ist_mailslot *reader, uint32_t count)
{
    uint32_t next[WRITERS] = {0};
    letter what;
    size_t got = 0;
    for (uint32_t n = 0; n < count; n++) {
        if (!STAGE_IS(ist_mailslot_read(reader, &what, sizeof what, IST_FOREVER, &got), IST_OK))
            return;
        if (!is_sound(&what, got) || what.writer >= WRITERS || what.number != next[what.writer]) {
            stage_fail("message %u is torn, or out of its writer's order", (unsigned)n);
            return;
        }
        next[what.writer]++;
    }
}

static int crowd(void *argument)
{
    pid_t writers[WRITERS];
    uint32_t each = stage_number("ISTHMUS_TEST_SLOW", 0) != 0 ? 10000 : 50000;
    ist_mailslot *reader = create(65536);
    (void)argument;
    STAGE_CHECK(plat_seam_recheck(HOUR_NS));
    for (uint32_t n = 0; n < WRITERS; n++)
        if ((writers[n] = stage_fork()) == 0) {
            alarm(300);
            write_many(n, each);
            _exit(0);
        }
    alarm(300);
    read_many(reader, WRITERS * each);
    for (uint32_t n = 0; n < WRITERS; n++)
        STAGE_CHECK(stage_wait(writers[n]) == 0);
    STAGE_CHECK(drain(reader) == 0);
    ist_mailslot_close(reader);
    check_gone();
    return 0;
}

static void play(int (*act)(void *argument))
{
    unsigned before = stage_failures();
    stage_name(name, "", "mail");
    assert_int_equal(stage_run(act, NULL), 0);
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

/* B2 */
TEST(messages_of_four_writers_arrive_whole_once_and_in_their_writers_order)
{
    play(crowd);
}

/* ---- threads ---- */

/* The reader's handle and the writer's map the queue at two places: that a cell which one writer filled was freed
   before another one takes it cannot be seen by who looks at addresses. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:link_cell\nrace:fill\n";
}
#endif
#endif

#define THREADS 3u
#define FROM_EACH 5000u

typedef struct both_ends {
    ist_mailslot *reader;
    ist_mailslot *writer;
    volatile uint32_t next;
    volatile uint32_t sum;
    volatile uint32_t ended; /* readers */
} both_ends;

static void *write_in_thread(void *argument)
{
    both_ends *here = argument;
    uint32_t writer = atomic_add_u32(&here->next, 1);
    for (uint32_t n = 0; n < FROM_EACH && post(here->writer, writer, n); n++) {}
    return NULL;
}

static void *read_in_thread(void *argument)
{
    both_ends *here = argument;
    letter what;
    size_t got = 0;
    ist_status status = IST_OK;
    while ((status = ist_mailslot_read(here->reader, &what, sizeof what, IST_FOREVER, &got)) == IST_OK) {
        STAGE_CHECK(is_sound(&what, got));
        (void)atomic_add_u32(&here->sum, what.number);
    }
    STAGE_IS(status, IST_CANCELLED);
    (void)atomic_add_u32(&here->ended, 1);
    return NULL;
}

static int threads(void *argument)
{
    both_ends here = {create(16384), open_writer(), 0, 0, 0};
    pthread_t writers[THREADS];
    pthread_t readers[THREADS];
    (void)argument;
    STAGE_CHECK(plat_seam_recheck(HOUR_NS));
    for (uint32_t n = 0; n < THREADS; n++) {
        STAGE_CHECK(pthread_create(&writers[n], NULL, write_in_thread, &here) == 0);
        STAGE_CHECK(pthread_create(&readers[n], NULL, read_in_thread, &here) == 0);
    }
    for (uint32_t n = 0; n < THREADS; n++)
        STAGE_CHECK(pthread_join(writers[n], NULL) == 0);
    while (atomic_load_u32(&here.sum) != THREADS * (FROM_EACH * (FROM_EACH - 1) / 2))
        usleep(1000);
    while (atomic_load_u32(&here.ended) != THREADS) { /* one may be between two reads */
        STAGE_IS(ist_mailslot_cancel(here.reader), IST_OK);
        usleep(1000);
    }
    for (uint32_t n = 0; n < THREADS; n++)
        STAGE_CHECK(pthread_join(readers[n], NULL) == 0);
    ist_mailslot_close(here.writer);
    ist_mailslot_close(here.reader);
    return 0;
}

/* L10 */
TEST(threads_share_a_writers_handle_and_a_readers)
{
    play(threads);
}

/* ---- kills ---- */

#define STEADY 2u
#define VICTIM STEADY

typedef struct progress {
    uint32_t next[STEADY + 1];
    bool failed;
} progress;

/* Reads what is there by now, and not what others go on to write. A victim's messages begin anew with each. */
static void read_some(ist_mailslot *reader, progress *seen)
{
    ist_mailslot_facts facts = IST_MAILSLOT_FACTS_INIT;
    letter what;
    size_t got = 0;
    STAGE_IS(ist_mailslot_info(reader, &facts), IST_OK);
    for (uint64_t n = 0; n < facts.waiting && !seen->failed; n++) {
        STAGE_IS(ist_mailslot_read(reader, &what, sizeof what, 0, &got), IST_OK);
        if (is_sound(&what, got) && what.writer <= VICTIM && what.number == seen->next[what.writer]) {
            seen->next[what.writer]++;
            continue;
        }
        stage_fail("a message is torn, lost or doubled: writer %u, number %u", what.writer, what.number);
        seen->failed = true;
    }
}

static pid_t start_writer(uint32_t writer)
{
    pid_t pid = stage_fork();
    if (pid == 0) {
        alarm(300);
        write_many(writer, UINT32_MAX);
        _exit(0);
    }
    return pid;
}

static void kill_one(ist_mailslot *reader, progress *seen, unsigned n)
{
    pid_t victim = start_writer(VICTIM);
    seen->next[VICTIM] = 0;
    for (unsigned turns = 0; turns < n % 97; turns++) {
        read_some(reader, seen);
        usleep(n % 13);
    }
    usleep(n % 1000);
    kill(victim, SIGKILL);
    stage_wait(victim);
    read_some(reader, seen);
}

static int massacre(void *argument)
{
    ist_mailslot *reader = create(32768);
    ist_mailslot *writer = open_writer();
    progress seen = {{0}, false};
    pid_t steady[STEADY];
    unsigned kills = (unsigned)stage_number("ISTHMUS_TEST_KILLS", 1000);
    (void)argument;
    for (uint32_t n = 0; n < STEADY; n++)
        steady[n] = start_writer(n);
    for (unsigned n = 0; n < kills && !seen.failed; n++) {
        stage_case("writer %u is killed", n);
        kill_one(reader, &seen, n * 7919);
    }
    for (uint32_t n = 0; n < STEADY; n++)
        stage_kill(steady[n]);
    read_some(reader, &seen);
    unsigned fits = fill(writer);
    if (fits != 32768 / 256)
        stage_fail("the dead left room for %u messages", fits);
    STAGE_CHECK(drain(reader) == fits);
    ist_mailslot_close(writer);
    ist_mailslot_close(reader);
    return 0;
}

/* B7 */
TEST(killed_writers_leave_whole_messages_and_the_room_that_they_had)
{
    play(massacre);
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(messages_of_four_writers_arrive_whole_once_and_in_their_writers_order),
        RUN(threads_share_a_writers_handle_and_a_readers),
        RUN(killed_writers_leave_whole_messages_and_the_room_that_they_had),
    };
    return cmocka_run_group_tests_name("process.posix_mail_queue", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
