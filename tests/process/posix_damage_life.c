/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A3: a mutex that names an owner in a block of lives that a hostile peer made, and a process whose own block a peer of
 * the same user writes into. Every call gives a status, and a mutex whose owner's end cannot be shown stays owned.
 */
#include "support/check.h"
#include "support/peer.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/object.h"
#include "posix/life_block.h"
#include "posix/object.h"
#include "posix/process.h"
#include "stage/props.h"
#include "stage/stage.h"
#include "stage/victim.h"

#define NUMBER UINT64_C(0x1234567890abc)
#define SLOT 5
#define USE 7
#define OWNER (NUMBER << (LIFE_SLOT_BITS + LIFE_USE_BITS) | SLOT << LIFE_USE_BITS | USE)

static char block_path[200];
static char file_path[220];

static off_t sound_size(void)
{
    return (off_t)(segment_data_offset() + life_block_size());
}

static void make_file(off_t size, mode_t mode)
{
    int fd = open(file_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    STAGE_CHECK(fd >= 0 && ftruncate(fd, size) == 0 && fchmod(fd, mode) == 0);
    close(fd);
}

static void clear_block(void)
{
    (void)unlink(file_path);
    (void)rmdir(file_path);
    (void)unlink(block_path);
    (void)rmdir(block_path);
}

static void name_owner(void)
{
    ist_mutex_waitable(prop_mutex[0])->plat->words->state = OWNER;
}

/* A newcomer takes the mutex only from an owner that has ended. */
static int meet_owner(void *argument)
{
    ist_status wanted = *(ist_status *)argument;
    STAGE_IS(prop_try(0), wanted);
    STAGE_IS(prop_try(1), IST_OK);
    STAGE_IS(prop_release(1), IST_OK);
    return 0;
}

static void check_owner(ist_status wanted)
{
    name_owner();
    STAGE_CHECK(stage_run(meet_owner, &wanted) == 0);
    name_owner();
    victim_meet();
}

static void begin_block(const char *what)
{
    char local[128];
    char name[32];
    stage_case("%s", what);
    clear_block();
    stage_local_directory(local, sizeof local);
    life_block_name(name, NUMBER);
    snprintf(block_path, sizeof block_path, "%s/%s", local, name);
    snprintf(file_path, sizeof file_path, "%s/r", block_path);
    clear_block();
    STAGE_CHECK(mkdir(block_path, 0755) == 0);
}

static void odd_files(void)
{
    static const off_t sizes[] = {0, 1, 4096, -4096, -1, 1, 4096, 1 << 20};
    begin_block("no block");
    clear_block();
    check_owner(IST_ABANDONED);
    begin_block("an empty directory");
    check_owner(IST_ABANDONED);
    begin_block("a fifo");
    STAGE_CHECK(mkfifo(file_path, 0644) == 0);
    check_owner(IST_TIMEOUT);
    begin_block("a directory for a file");
    STAGE_CHECK(mkdir(file_path, 0755) == 0);
    check_owner(IST_TIMEOUT);
    begin_block("a link to nowhere");
    STAGE_CHECK(symlink("nowhere", file_path) == 0);
    check_owner(IST_TIMEOUT);
    begin_block("a link to a device");
    STAGE_CHECK(symlink("/dev/zero", file_path) == 0);
    check_owner(IST_TIMEOUT);
    begin_block("a file for a directory");
    STAGE_CHECK(rmdir(block_path) == 0);
    close(open(block_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    check_owner(IST_TIMEOUT);
    for (size_t n = 0; n < COUNT_OF(sizes); n++) {
        off_t size = n < 3 ? sizes[n] : sound_size() + sizes[n];
        begin_block("a file of another size");
        make_file(size, 0644);
        check_owner(IST_TIMEOUT);
    }
}

static life_slot *map_slots(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *at = fd < 0 ? MAP_FAILED
                      : mmap(NULL, (size_t)life_block_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                             (off_t)segment_data_offset());
    if (fd >= 0)
        close(fd);
    return at != MAP_FAILED ? at : NULL;
}

/* A maker that lives holds the lock; this one does not: his ends are not asked for a second time before 50 ms. */
static void odd_slots(void)
{
    static const uint32_t numbers[] = {0,   1,   19,  20,  21,   28,         32,         33,
                                       124, 125, 128, 132, 4096, 0x7ffffffc, 0x80000000, 0xfffffffc};
    begin_block("a block that its maker fills");
    make_file(sound_size(), 0644);
    life_slot *slots = map_slots(file_path);
    STAGE_CHECK(slots != NULL);
    if (slots == NULL)
        return;
    for (size_t offset = 0; offset < COUNT_OF(numbers); offset++)
        for (size_t number = 0; number < COUNT_OF(numbers); number += 3) {
            life_slot slot = {OWNER,           numbers[offset], numbers[number],  numbers[number],
                              numbers[number], process_space(), {numbers[number]}};
            slots[SLOT] = slot;
            stage_case("watch at %u, number %u", (unsigned)numbers[offset], (unsigned)numbers[number]);
            name_owner();
            victim_meet();
        }
    munmap(slots, (size_t)life_block_size());
}

/* ---- the victim's own ---- */

static uint64_t random_number(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Of the life that owns the first mutex. */
static life_slot *map_own_block(void)
{
    char local[128];
    char name[32];
    char path[220];
    stage_local_directory(local, sizeof local);
    life_block_name(name, ist_mutex_waitable(prop_mutex[0])->plat->words->state >> (LIFE_SLOT_BITS + LIFE_USE_BITS));
    snprintf(path, sizeof path, "%s/%s/r", local, name);
    return map_slots(path);
}

static void is_status(ist_status status)
{
    STAGE_CHECK(status <= IST_TIMEOUT && status >= IST_E_OS);
}

static void *use_first(void *argument)
{
    (void)argument;
    is_status(prop_acquire_for_a_while(2));
    is_status(prop_look(2));
    is_status(prop_release(2));
    return NULL;
}

/* The peer is this process itself, by a mapping of its own. The mutexes are spared: what the kernel and the C library
   make of a list that somebody else writes is not the library's. */
static int use_damaged_block(void *argument)
{
    uint64_t random = *(uint64_t *)argument;
    pthread_t thread;
    victim_may_crash();
    (void)prop_acquire(0); /* from the round before, too */
    life_slot *slots = map_own_block();
    if (slots == NULL)
        return 1;
    for (size_t n = 0; n < LIFE_SLOTS; n++) {
        unsigned char *bytes = (unsigned char *)&slots[n];
        for (size_t at = 0; at < offsetof(life_slot, mutex); at++)
            if (random_number(&random) % 2 == 0)
                bytes[at] = (unsigned char)random_number(&random);
    }
    for (int n = 0; n < 3; n++) {
        is_status(prop_try(0));
        is_status(prop_look(0));
        is_status(prop_release(0));
        is_status(prop_acquire_for_a_while(1));
        if (pthread_create(&thread, NULL, use_first, NULL) != 0 || pthread_join(thread, NULL) != 0)
            return 2;
    }
    return 0;
}

static void own_block(void)
{
    uint64_t random = UINT64_C(0x853c49e6748fea9b);
    clear_block();
    for (unsigned round = 0; round < 100 && stage_failures() == 0; round++) {
        stage_case("round %u of a damaged block of one's own", round);
        (void)random_number(&random);
        int status = stage_run(use_damaged_block, &random);
        if (status != 0)
            stage_fail("a process whose block was damaged ended with status %#x", (unsigned)status);
    }
}

/* ---- tests ---- */

static int play_damage(void *argument)
{
    void (*const *damage)(void) = argument;
    STAGE_IS(props_open(0), IST_OK);
    (*damage)();
    clear_block();
    return 0;
}

static void check_damage(void (*damage)(void), const char *what)
{
    unsigned before = stage_failures();
    stage_case("%s", what);
    props_begin("lives");
    assert_int_equal(stage_run(play_damage, &damage), 0);
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

#define NEEDS_PRIVACY(test)                                                                                            \
    do {                                                                                                               \
        if (stage_shared_because() != NULL)                                                                            \
            SKIP(test, stage_shared_because());                                                                        \
    } while (0)

/* A3 A4 X3 */
TEST(an_owner_whose_block_is_not_one_is_alive_unless_nothing_is_there)
{
    NEEDS_PRIVACY(an_owner_whose_block_is_not_one_is_alive_unless_nothing_is_there);
    check_damage(odd_files, "odd files");
}

/* A3 */
TEST(any_bytes_in_a_peers_block_give_a_status)
{
    NEEDS_PRIVACY(any_bytes_in_a_peers_block_give_a_status);
    check_damage(odd_slots, "odd slots");
}

/* A3 */
TEST(any_bytes_in_ones_own_block_give_a_status)
{
    NEEDS_PRIVACY(any_bytes_in_ones_own_block_give_a_status);
    check_damage(own_block, "a damaged block of one's own");
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(an_owner_whose_block_is_not_one_is_alive_unless_nothing_is_there),
        RUN(any_bytes_in_a_peers_block_give_a_status),
        RUN(any_bytes_in_ones_own_block_give_a_status),
    };
    return cmocka_run_group_tests_name("process.posix_damage_life", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
