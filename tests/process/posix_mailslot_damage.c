/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A3 for mailslots: a process that may write to the segment writes anything into the queue, before and during reads
 * and writes. Each call gives a status, soon; and when it has stopped, the reader goes on, with all the room.
 *
 * ISTHMUS_TEST_RANDOM=n begins at another number.
 */
#include "support/check.h"
#include "support/peer.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "posix/mail.h"
#include "stage/stage.h"

#define CAPACITY 8192u
#define CELLS (CAPACITY / MAIL_CELL_BYTES)
#define ROUNDS 3000u
#define CALLS_BEFORE_QUIET 10000u

static char name[STAGE_NAME_SIZE];
static ist_mailslot *reader;
static ist_mailslot *writer;
static unsigned char *queue; /* the segment's data */
static size_t queue_size;
static uint64_t luck;

static uint64_t random_number(void)
{
    luck += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = (luck ^ luck >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

/* ---- the segment ---- */

static int open_segment(void)
{
    char path[600];
    struct dirent *entry = NULL;
    int fd = -1;
    DIR *list = opendir(STAGE_GLOBAL_DIRECTORY);
    while (list != NULL && fd < 0 && (entry = readdir(list)) != NULL)
        if (strstr(entry->d_name, ".n.") != NULL) {
            snprintf(path, sizeof path, "%s/%s/r", STAGE_GLOBAL_DIRECTORY, entry->d_name);
            fd = open(path, O_RDWR | O_CLOEXEC);
        }
    if (list != NULL)
        closedir(list);
    return fd;
}

static void meet(void)
{
    ist_mailslot_options options = IST_MAILSLOT_OPTIONS_INIT;
    options.capacity_bytes = CAPACITY;
    stage_name(name, "", "damage");
    STAGE_IS(ist_mailslot_create(&reader, name, &options), IST_OK);
    STAGE_IS(ist_mailslot_open(&writer, name, IST_WRITE), IST_OK);
    int fd = open_segment();
    queue_size = (size_t)mail_data_size(CELLS);
    queue = mmap(NULL, queue_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)segment_data_offset());
    if (queue == MAP_FAILED) {
        stage_fail("the segment cannot be mapped");
        _exit(1);
    }
    close(fd);
}

/* ---- damage ---- */

static size_t index_size(void)
{
    return sizeof(mail_tops) + MAIL_SLOTS_MIN * sizeof(uint64_t) + CELLS * sizeof(mail_cell);
}

/* Something that may pass for sound, or not, at a place that matters. */
static void hit(void)
{
    static const uint64_t tempting[] = {0,         1,          2,          CELLS - 1,        CELLS,
                                        CELLS + 1, UINT32_MAX, UINT64_MAX, UINT64_C(1) << 23};
    uint64_t value = random_number();
    size_t at = (size_t)(random_number() % index_size());
    if (value % 3 != 0)
        value = tempting[value / 3 % COUNT_OF(tempting)];
    if (random_number() % 2 == 0) {
        at = at / 8 * 8;
        memcpy(queue + at, &value, 8);
    } else {
        at = at / 4 * 4;
        memcpy(queue + at, &value, 4);
    }
}

static void smash(void)
{
    for (size_t at = 0; at + 8 <= index_size(); at += 8) {
        uint64_t value = random_number();
        memcpy(queue + at, &value, 8);
    }
}

/* ---- use ---- */

static void check_among(ist_status status, const ist_status *allowed, size_t count, const char *call)
{
    for (size_t n = 0; n < count; n++)
        if (allowed[n] == status)
            return;
    stage_fail("%s: %s", call, ist_status_name(status));
}

static void use(void)
{
    static const ist_status reads[] = {IST_OK, IST_TIMEOUT, IST_EMPTY, IST_E_CORRUPT, IST_E_SIZE};
    static const ist_status writes[] = {IST_OK, IST_E_SPACE, IST_E_CORRUPT};
    static unsigned char buffer[CAPACITY];
    ist_mailslot_facts facts = IST_MAILSLOT_FACTS_INIT;
    size_t got = 0;
    size_t size = (size_t)(random_number() % 1000);
    check_among(ist_mailslot_write(writer, buffer, size), writes, COUNT_OF(writes), "write");
    check_among(ist_mailslot_write(writer, buffer, 1), writes, COUNT_OF(writes), "write");
    check_among(ist_mailslot_info(reader, &facts), reads, COUNT_OF(reads), "info");
    check_among(ist_mailslot_peek(reader, buffer, 10, &got), reads, COUNT_OF(reads), "peek");
    check_among(ist_wait(ist_mailslot_waitable(reader), 0), reads, COUNT_OF(reads), "wait");
    check_among(ist_mailslot_read(reader, buffer, sizeof buffer, 0, &got), reads, COUNT_OF(reads), "read");
    check_among(ist_mailslot_read(reader, buffer, 100, 0, &got), reads, COUNT_OF(reads), "read");
}

/* How many reads failed until there was nothing any more. */
static unsigned read_all(void)
{
    static unsigned char buffer[CAPACITY];
    size_t got = 0;
    unsigned failures = 0;
    for (unsigned n = 0; n < CALLS_BEFORE_QUIET; n++) {
        ist_status status = ist_mailslot_read(reader, buffer, sizeof buffer, 0, &got);
        if (status == IST_TIMEOUT)
            return failures;
        failures += status != IST_OK;
    }
    stage_fail("the reader finds no end");
    return failures;
}

static void check_sound(void)
{
    unsigned fits = 0;
    while (ist_mailslot_write(writer, "x", 1) == IST_OK && fits <= CELLS)
        fits++;
    if (fits != CELLS)
        stage_fail("afterwards there is room for %u messages", fits);
    STAGE_CHECK(read_all() == 0);
}

static int hit_between_calls(void *argument)
{
    (void)argument;
    meet();
    for (unsigned n = 0; n < ROUNDS; n++) {
        stage_case("round %u: some words", n);
        for (unsigned hits = 0; hits < 1 + n % 4; hits++) {
            hit();
            use();
        }
        (void)read_all();
    }
    smash();
    STAGE_CHECK(read_all() != 0);
    check_sound();
    return 0;
}

static int smashed(void *argument)
{
    (void)argument;
    meet();
    for (unsigned n = 0; n < ROUNDS / 10; n++) {
        stage_case("round %u: everything", n);
        smash();
        use();
        (void)read_all();
        smash();
        if (read_all() == 0)
            stage_fail("the reader has not noticed");
        check_sound();
    }
    return 0;
}

static int hit_during_calls(void *argument)
{
    (void)argument;
    meet();
    pid_t villain = stage_fork();
    if (villain == 0)
        for (alarm(300);;)
            hit();
    for (unsigned n = 0; n < ROUNDS; n++) {
        stage_case("round %u: somebody else is at it", n);
        use();
    }
    stage_kill(villain);
    (void)read_all();
    smash();
    STAGE_CHECK(read_all() != 0);
    check_sound();
    return 0;
}

static void play(int (*act)(void *argument))
{
    unsigned before = stage_failures();
    if (stage_shared_because() != NULL)
        SKIP(damage, stage_shared_because());
    luck = stage_number("ISTHMUS_TEST_RANDOM", 1);
    assert_int_equal(stage_run(act, NULL), 0);
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

/* A3 */
TEST(any_words_in_a_queue_give_a_status_and_the_reader_goes_on)
{
    play(hit_between_calls);
}

/* A3 */
TEST(a_queue_of_random_bytes_begins_anew)
{
    play(smashed);
}

/* A3 */
TEST(words_that_change_during_calls_give_a_status)
{
    play(hit_during_calls);
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(any_words_in_a_queue_give_a_status_and_the_reader_goes_on),
        RUN(a_queue_of_random_bytes_begins_anew),
        RUN(words_that_change_during_calls_give_a_status),
    };
    return cmocka_run_group_tests_name("process.posix_mailslot_damage", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
