/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A mailslot and the system: how its reader goes, who may come in, what is asked of the system when nobody has to
 * wait, and a disk that is too small. The re-check of waits, and of the reader, is an hour away.
 */
#include "support/check.h"
#include "support/peer.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "core/plat.h"
#include "stage/filter.h"
#include "stage/stage.h"

#define HOUR_NS INT64_C(3600000000000)
#define SECOND_NS INT64_C(1000000000)

static char name[STAGE_NAME_SIZE];

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
    char byte = 0;
    size_t got = 0;
    unsigned count = 0;
    while (ist_mailslot_read(reader, &byte, 1, 0, &got) == IST_OK)
        count++;
    return count;
}

static void play(int (*act)(void *argument))
{
    unsigned before = stage_failures();
    stage_name(name, "", "mail");
    assert_int_equal(stage_run(act, NULL), 0);
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

/* ---- the reader goes ---- */

static void await_letter(ist_mailslot *writer, ist_status wanted)
{
    STAGE_IS(ist_mailslot_write(writer, "x", 1), wanted);
}

static void say(int fd)
{
    STAGE_CHECK(write(fd, "x", 1) == 1);
}

static void hear(int fd)
{
    char byte = 0;
    STAGE_CHECK(read(fd, &byte, 1) == 1);
}

/* A process that holds a reader's handle; `twice`: and a forked child that does, whose id is *child. */
static pid_t start_reader(bool twice, pid_t *child)
{
    int ready[2];
    pid_t *board = stage_memory(sizeof *board);
    STAGE_CHECK(pipe(ready) == 0);
    pid_t pid = stage_fork();
    if (pid == 0) {
        (void)create(4096);
        if (twice && (*board = fork()) == 0)
            *board = getpid();
        say(ready[1]);
        for (;;)
            pause();
    }
    hear(ready[0]);
    if (twice)
        hear(ready[0]);
    *child = *board;
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static int reader_is_killed(void *argument)
{
    pid_t child = 0;
    (void)argument;
    STAGE_CHECK(plat_seam_recheck(HOUR_NS));
    pid_t reader = start_reader(false, &child);
    ist_mailslot *writer = open_writer();
    await_letter(writer, IST_OK);
    stage_kill(reader);
    await_letter(writer, IST_E_BROKEN);
    ist_mailslot *again = create(4096);
    await_letter(writer, IST_E_BROKEN);
    STAGE_CHECK(drain(again) == 0);
    ist_mailslot_close(again);
    ist_mailslot_close(writer);
    check_gone();
    return 0;
}

static int reader_forks(void *argument)
{
    pid_t child = 0;
    (void)argument;
    STAGE_CHECK(plat_seam_recheck(HOUR_NS));
    pid_t reader = start_reader(true, &child);
    ist_mailslot *writer = open_writer();
    await_letter(writer, IST_OK);
    stage_kill(reader);
    await_letter(writer, IST_OK);
    kill(child, SIGKILL);
    for (int n = 0; n < 1000 && ist_mailslot_write(writer, NULL, 0) != IST_E_BROKEN; n++)
        usleep(10000);
    await_letter(writer, IST_E_BROKEN);
    ist_mailslot_close(writer);
    return 0;
}

static void *create_in_thread(void *out)
{
    *(ist_mailslot **)out = create(4096);
    return NULL;
}

static int readers_thread_ends(void *argument)
{
    pthread_t thread;
    ist_mailslot *reader = NULL;
    (void)argument;
    STAGE_CHECK(plat_seam_recheck(HOUR_NS));
    STAGE_CHECK(pthread_create(&thread, NULL, create_in_thread, &reader) == 0);
    ist_mailslot *early = NULL;
    while (ist_mailslot_open(&early, name, IST_WRITE) != IST_OK)
        sched_yield();
    STAGE_CHECK(pthread_join(thread, NULL) == 0);
    ist_mailslot *late = open_writer();
    await_letter(early, IST_OK);
    await_letter(late, IST_OK);
    STAGE_CHECK(drain(reader) == 2);
    ist_mailslot_close(reader);
    await_letter(early, IST_E_BROKEN);
    await_letter(late, IST_E_BROKEN);
    ist_mailslot_close(early);
    ist_mailslot_close(late);
    return 0;
}

/* What the program does to be rid of all descriptors, ours too. */
static void close_all(void)
{
    for (int fd = 3; fd < 256; fd++)
        close(fd);
}

static int descriptors_are_closed(void *argument)
{
    pid_t child = 0;
    (void)argument;
    STAGE_CHECK(plat_seam_recheck(1)); /* it asks, again and again */
    pid_t reader = start_reader(true, &child);
    ist_mailslot *writer = open_writer();
    close_all();
    for (int n = 0; n < 3; n++) {
        await_letter(writer, IST_OK);
        usleep(3000);
    }
    stage_kill(reader);
    await_letter(writer, IST_OK);
    kill(child, SIGKILL);
    for (int n = 0; n < 1000 && ist_mailslot_write(writer, NULL, 0) != IST_E_BROKEN; n++)
        usleep(10000);
    await_letter(writer, IST_E_BROKEN);
    ist_mailslot *again = create(4096);
    await_letter(writer, IST_E_BROKEN);
    ist_mailslot_close(again);
    ist_mailslot_close(writer);
    return 0;
}

static int name_is_taken_anew(void *argument)
{
    pid_t child = 0;
    (void)argument;
    STAGE_CHECK(plat_seam_recheck(HOUR_NS));
    pid_t reader = start_reader(false, &child);
    ist_mailslot *writer = open_writer();
    close_all();
    await_letter(writer, IST_OK);
    stage_kill(reader);
    ist_mailslot *again = create(4096);
    await_letter(writer, IST_E_BROKEN);
    STAGE_CHECK(drain(again) == 0);
    ist_mailslot_close(again);
    ist_mailslot_close(writer);
    return 0;
}

/* B6 L1 */
TEST(a_killed_reader_breaks_its_writers_at_once_and_its_name_is_free)
{
    play(reader_is_killed);
}

/* B6 L7 */
TEST(a_readers_forked_child_keeps_the_slot)
{
    play(reader_forks);
}

/* B6 */
TEST(the_end_of_the_thread_that_made_a_slot_is_not_its_end)
{
    play(readers_thread_ends);
}

/* B6 */
TEST(a_writer_whose_descriptors_were_closed_learns_of_the_readers_end)
{
    play(descriptors_are_closed);
    play(name_is_taken_anew);
}

/* ---- several users ---- */

#define STRANGER 61001

static int be_stranger(void *argument)
{
    ist_status *wanted = argument;
    ist_mailslot *slot = NULL;
    stage_become(STRANGER, 0);
    STAGE_IS(ist_mailslot_create(&slot, name, NULL), IST_E_ACCESS);
    STAGE_IS(ist_mailslot_open(&slot, name, IST_WRITE), IST_E_ACCESS);
    STAGE_IS(ist_mailslot_open(&slot, name, IST_WRITE | IST_TRUST_EVERYONE), *wanted);
    if (slot != NULL)
        STAGE_IS(ist_mailslot_write(slot, "x", 1), IST_OK);
    return 0;
}

static int strangers(void *argument)
{
    ist_mailslot_options options = IST_MAILSLOT_OPTIONS_INIT;
    ist_mailslot *slot = NULL;
    ist_status wanted = IST_E_ACCESS;
    (void)argument;
    STAGE_IS(ist_mailslot_create(&slot, name, &options), IST_OK);
    STAGE_CHECK(stage_run(be_stranger, &wanted) == 0);
    STAGE_CHECK(drain(slot) == 0);
    ist_mailslot_close(slot);
    options.audience = IST_AUDIENCE_EVERYONE_WRITE;
    wanted = IST_OK;
    STAGE_IS(ist_mailslot_create(&slot, name, &options), IST_OK);
    STAGE_CHECK(stage_run(be_stranger, &wanted) == 0);
    STAGE_CHECK(drain(slot) == 1);
    ist_mailslot_close(slot);
    return 0;
}

/* A1 A2 B1 */
TEST(another_users_slot_is_for_its_audience)
{
    const char *why = stage_one_user_because();
    if (why != NULL)
        SKIP(another_users_slot_is_for_its_audience, why);
    play(strangers);
}

/* ---- quiet ---- */

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZER_CALLS true
#endif
#endif
#if !defined(SANITIZER_CALLS)
#define SANITIZER_CALLS false
#endif

static void exchange(ist_mailslot *reader, ist_mailslot *writer)
{
    ist_mailslot_facts facts = IST_MAILSLOT_FACTS_INIT;
    char what[1000] = {0};
    size_t got = 0;
    STAGE_IS(ist_mailslot_write(writer, what, sizeof what), IST_OK);
    STAGE_IS(ist_mailslot_write(writer, NULL, 0), IST_OK);
    STAGE_IS(ist_wait(ist_mailslot_waitable(reader), IST_FOREVER), IST_OK);
    STAGE_IS(ist_mailslot_info(reader, &facts), IST_OK);
    STAGE_CHECK(facts.waiting == 2 && facts.next_bytes == 1000);
    STAGE_IS(ist_mailslot_peek(reader, what, sizeof what, &got), IST_OK);
    STAGE_IS(ist_mailslot_read(reader, what, sizeof what, IST_FOREVER, &got), IST_OK);
    STAGE_CHECK(got == 1000);
    STAGE_IS(ist_mailslot_read(reader, what, sizeof what, SECOND_NS, &got), IST_OK);
    STAGE_IS(ist_mailslot_read(reader, what, sizeof what, 0, &got), IST_TIMEOUT);
}

static int exchange_without_calls(void *argument)
{
    ist_mailslot *reader = create(4096);
    ist_mailslot *writer = open_writer();
    (void)argument;
    STAGE_CHECK(plat_seam_recheck(HOUR_NS));
    exchange(reader, writer); /* the thread's first */
    if (!filter_forbid_all())
        return 1;
    for (int n = 0; n < 1000; n++)
        exchange(reader, writer);
    return 0;
}

TEST(who_need_not_wait_asks_the_system_for_nothing)
{
    const char *why = NULL;
    if (SANITIZER_CALLS)
        SKIP(who_need_not_wait_asks_the_system_for_nothing, "this sanitizer makes system calls of its own");
    if (!filter_works(&why))
        SKIP(who_need_not_wait_asks_the_system_for_nothing, why);
    play(exchange_without_calls);
}

/* ---- no room ---- */

static int no_room(void *argument)
{
    ist_mailslot_options options = IST_MAILSLOT_OPTIONS_INIT;
    ist_mailslot *slot = NULL;
    (void)argument;
    if (!stage_mount("size=1m"))
        return 0;
    options.capacity_bytes = UINT32_C(16) << 20;
    STAGE_IS(ist_mailslot_create(&slot, name, &options), IST_E_SPACE);
    STAGE_CHECK(slot == NULL);
    slot = create(65536);
    ist_mailslot *writer = open_writer();
    STAGE_CHECK(fill(writer) == 256);
    STAGE_CHECK(drain(slot) == 256);
    ist_mailslot_close(writer);
    ist_mailslot_close(slot);
    return 0;
}

/* M3 B8 */
TEST(a_slot_that_the_disk_cannot_hold_is_not_made)
{
    play(no_room);
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_killed_reader_breaks_its_writers_at_once_and_its_name_is_free),
        RUN(a_readers_forked_child_keeps_the_slot),
        RUN(the_end_of_the_thread_that_made_a_slot_is_not_its_end),
        RUN(a_writer_whose_descriptors_were_closed_learns_of_the_readers_end),
        RUN(another_users_slot_is_for_its_audience),
        RUN(who_need_not_wait_asks_the_system_for_nothing),
        RUN(a_slot_that_the_disk_cannot_hold_is_not_made),
    };
    return cmocka_run_group_tests_name("process.posix_mailslot_life", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
