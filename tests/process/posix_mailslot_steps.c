/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A writer killed, and a writer stopped, after each instruction of a write to a mailslot. Meanwhile others write and
 * the reader reads, and nobody waits for it. Killed: its message is there whole or not at all, and its room comes back.
 * Stopped and let on: its message arrives once. And a reader killed after each instruction of a read, while a forked
 * one reads on.
 *
 * ISTHMUS_TEST_STRIDE=n tries only every nth instruction. ISTHMUS_TEST_MATRIX=single leaves this out.
 */
#include "support/check.h"
#include "support/peer.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/plat.h"
#include "posix/mail.h"
#include "stage/stage.h"
#include "stage/step.h"

#define HOUR_NS INT64_C(3600000000000)
#define CELL 256u
#define CELLS 8u
#define OWN_SIZE 600u /* three cells */
#define OWN_CELLS 3u

typedef struct board {
    ist_status status; /* of the child's write */
    bool fills;        /* others fill the slot */
} board;

static board *shared;
static step_path *path;
static char name[STAGE_NAME_SIZE];
static ist_mailslot *reader;
static ist_mailslot *writer;
static unsigned long tried;
static unsigned long arrived;

/* ---- the child ---- */

static void be_child(const char *letter, size_t size)
{
    ist_mailslot *slot = NULL;
    STAGE_IS(ist_mailslot_open(&slot, name, IST_WRITE), IST_OK);
    STAGE_IS(ist_mailslot_write(slot, "warm", 4), IST_OK);
    trace_join();
    shared->status = ist_mailslot_write(slot, letter, size);
    trace_mark();
    ist_mailslot_close(slot);
    _exit(0);
}

/* ---- the others ---- */

static unsigned fill(void)
{
    unsigned count = 0;
    while (ist_mailslot_write(writer, "x", 1) == IST_OK)
        count++;
    return count;
}

static unsigned cells_of(size_t size)
{
    return (unsigned)((size + CELL - 1) / CELL);
}

typedef struct found {
    unsigned own;
    unsigned others;
} found;

static found drain(const char *letter, size_t size)
{
    found what = {0, 0};
    char buffer[CELL * CELLS];
    size_t got = 0;
    while (ist_mailslot_read(reader, buffer, sizeof buffer, 0, &got) == IST_OK) {
        bool own = got == size && memcmp(buffer, letter, size) == 0;
        what.own += own;
        what.others += !own && got == 1 && buffer[0] == 'x';
        if (!own && got != 1)
            stage_fail("a torn message of %u bytes", (unsigned)got);
    }
    return what;
}

static void start(trace *child, const char *letter, size_t size)
{
    char buffer[CELL];
    size_t got = 0;
    pid_t pid = stage_fork();
    if (pid == 0)
        be_child(letter, size);
    trace_begin(child, pid);
    STAGE_IS(ist_mailslot_read(reader, buffer, sizeof buffer, 0, &got), IST_OK);
    STAGE_CHECK(got == 4);
}

/* Nothing is left of anybody: all the room is there. */
static void check_room(const char *letter, size_t size)
{
    unsigned fits = fill();
    found last = drain(letter, size);
    if (fits != CELLS || last.own != 0 || last.others != CELLS)
        stage_fail("room for %u messages; then %u of the child's and %u others", fits, last.own, last.others);
}

static void end_killed(trace *child, const char *letter, size_t size)
{
    trace_kill(child);
    unsigned fits = shared->fills ? fill() : 0; /* beside its message, or in the room that it left */
    found what = drain(letter, size);
    if (what.own > 1 || what.others != fits || (shared->fills && fits != CELLS - what.own * cells_of(size)))
        stage_fail("killed, it left its message %u times, and room for %u", what.own, fits);
    arrived += what.own;
    check_room(letter, size);
}

/* Others go on at once, in all the room but the child's. */
static void end_stopped(trace *child, const char *letter, size_t size)
{
    unsigned fits = shared->fills ? fill() : 0;
    found what = drain(letter, size);
    if (what.others != fits || (shared->fills && fits < CELLS - OWN_CELLS))
        stage_fail("beside a stopped writer: room for %u, and %u arrived", fits, what.others);
    arrived += what.own;
    if (!trace_to_mark(child))
        stage_fail("let on, the child does not end");
    STAGE_IS(shared->status, IST_OK);
    if (trace_finish(child) != 0)
        stage_fail("the child failed");
    what.own += drain(letter, size).own;
    if (what.own != 1)
        stage_fail("let on, its message arrived %u times", what.own);
    check_room(letter, size);
}

typedef void ending(trace *child, const char *letter, size_t size);

static void try_all(ending *end, const char *letter, size_t size, bool fills)
{
    trace child;
    unsigned stride = (unsigned)stage_number("ISTHMUS_TEST_STRIDE", 1);
    stage_case("a write of %u bytes, to find its path", (unsigned)size);
    shared->fills = fills;
    start(&child, letter, size);
    if (!step_record(&child, path))
        stage_fail("a write took no path");
    trace_kill(&child);
    (void)drain(letter, size);
    unsigned before = stage_failures();
    for (unsigned n = 1; n < path->count && stage_failures() == before; n += stride) {
        stage_case("a write of %u bytes, ended after %u of %u instructions", (unsigned)size, n, path->count);
        start(&child, letter, size);
        if (step_to(&child, path, n)) {
            tried++;
            end(&child, letter, size);
        } else { /* it looked for room from another cell on, and is through */
            trace_kill(&child);
            (void)drain(letter, size);
        }
    }
}

/* In a child, whose handles go with it. */
static int play_all(void *argument)
{
    static char letter[OWN_SIZE];
    ending *end = *(ending **)argument;
    ist_mailslot_options options = IST_MAILSLOT_OPTIONS_INIT;
    options.capacity_bytes = CELL * CELLS;
    STAGE_CHECK(plat_seam_recheck(HOUR_NS));
    stage_name(name, "", "steps");
    for (size_t n = 0; n < sizeof letter; n++)
        letter[n] = (char)('a' + n % 23);
    STAGE_IS(ist_mailslot_create(&reader, name, &options), IST_OK);
    STAGE_IS(ist_mailslot_open(&writer, name, IST_WRITE), IST_OK);
    check_room(letter, sizeof letter);
    try_all(end, letter, 64, true);
    try_all(end, letter, sizeof letter, true);
    try_all(end, letter, sizeof letter, false);
    printf("a write ended at %lu instructions; %lu times its message was there\n", tried, arrived);
    if (tried == 0 || arrived == 0 || arrived >= tried)
        stage_fail("of %lu ends %lu were after the message was there", tried, arrived);
    return 0;
}

/* ---- a reader ---- */

#define READER_CELLS MAIL_SLOTS_MIN /* so that the others can fill every slot */

static void start_reader(trace *child, const char *letter)
{
    ist_mailslot_options options = IST_MAILSLOT_OPTIONS_INIT;
    options.capacity_bytes = CELL * READER_CELLS;
    STAGE_IS(ist_mailslot_create(&reader, name, &options), IST_OK);
    STAGE_IS(ist_mailslot_open(&writer, name, IST_WRITE), IST_OK);
    STAGE_IS(ist_mailslot_write(writer, letter, OWN_SIZE), IST_OK);
    pid_t pid = stage_fork();
    if (pid == 0) {
        char buffer[OWN_SIZE];
        size_t got = 0;
        trace_join();
        (void)ist_mailslot_read(reader, buffer, sizeof buffer, 0, &got);
        trace_mark();
        _exit(0);
    }
    trace_begin(child, pid);
}

/* Its writer lives, so that nobody reclaims what the read has left. */
static void end_reader(trace *child, const char *letter)
{
    trace_kill(child);
    unsigned fits = fill(); /* also in the slot that it cleared and did not count */
    found what = drain(letter, OWN_SIZE);
    if (what.own > 1 || what.others != fits || fits < READER_CELLS - OWN_CELLS)
        stage_fail("the message is there %u times, then %u of %u others", what.own, what.others, fits);
    fits = fill();
    if (fits < READER_CELLS - 1 || drain(letter, OWN_SIZE).others != fits)
        stage_fail("room for %u messages", fits);
    arrived += what.own;
    ist_mailslot_close(writer);
    ist_mailslot_close(reader);
}

static int play_reader(void *argument)
{
    static char letter[OWN_SIZE];
    trace child;
    unsigned stride = (unsigned)stage_number("ISTHMUS_TEST_STRIDE", 1);
    (void)argument;
    STAGE_CHECK(plat_seam_recheck(HOUR_NS));
    stage_name(name, "", "steps");
    memset(letter, 'r', sizeof letter);
    start_reader(&child, letter);
    if (!step_record(&child, path))
        stage_fail("a read took no path");
    end_reader(&child, letter);
    unsigned before = stage_failures();
    arrived = 0;
    for (unsigned n = 1; n < path->count && stage_failures() == before; n += stride) {
        stage_case("a read, ended after %u of %u instructions", n, path->count);
        start_reader(&child, letter);
        tried += step_to(&child, path, n);
        end_reader(&child, letter);
    }
    printf("a read ended at %lu instructions; %lu times its message was there still\n", tried, arrived);
    if (tried == 0 || arrived == 0 || arrived >= tried)
        stage_fail("of %lu ends %lu were before the message was gone", tried, arrived);
    return 0;
}

/* ---- tests ---- */

static void run(int (*act)(void *argument), ending *end)
{
    unsigned before = stage_failures();
    const char *why = NULL;
    if (getenv("ISTHMUS_TEST_MATRIX") != NULL && strcmp(getenv("ISTHMUS_TEST_MATRIX"), "single") == 0)
        SKIP(ended_after_each_instruction, "ISTHMUS_TEST_MATRIX asks for single stops only");
    if (!step_works(&why))
        SKIP(ended_after_each_instruction, why);
    assert_int_equal(stage_run(act, &end), 0);
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

/* B7 */
TEST(a_writer_killed_after_any_instruction_leaves_the_whole_message_or_nothing)
{
    run(play_all, end_killed);
}

/* L8 */
TEST(a_writer_stopped_after_any_instruction_delays_nobody)
{
    run(play_all, end_stopped);
}

/* L7 L8 */
TEST(a_reader_killed_after_any_instruction_leaves_its_forked_one_the_room)
{
    run(play_reader, NULL);
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_writer_killed_after_any_instruction_leaves_the_whole_message_or_nothing),
        RUN(a_writer_stopped_after_any_instruction_delays_nobody),
        RUN(a_reader_killed_after_any_instruction_leaves_its_forked_one_the_room),
    };
    return cmocka_run_group_tests_name("process.posix_mailslot_steps", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    shared = stage_memory(sizeof *shared);
    path = stage_memory(sizeof *path);
    return peer_main(argc, argv, NULL, 0, suite);
}
