/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A3, A5: a segment's header with every byte corrupted in turn and at random, the file cut or grown, the segment
 * missing. Calls of others give a status: never a crash, a hang, or an access outside the object; and when it is
 * gone, everything is as before. ISTHMUS_TEST_RANDOM says how many random corruptions are tried.
 */
#include "support/check.h"
#include "support/peer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix/segment.h"
#include "stage/stage.h"

#define SIZE 8192u

static char name[STAGE_NAME_SIZE];
static char object_path[256];
static char segment_path[280];
static int *ready;

/* ---- the holder ---- */

static pid_t start_holder(void)
{
    *ready = 0;
    pid_t pid = stage_fork();
    if (pid == 0) {
        ist_mapping *mapping = NULL;
        ist_view view = IST_VIEW_INIT;
        alarm(0);
        if (!STAGE_IS(ist_mapping_create(&mapping, name, SIZE, NULL), IST_OK))
            _exit(1);
        if (STAGE_IS(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view), IST_OK))
            memset(view.data, 0x5a, view.size);
        __atomic_store_n(ready, 1, __ATOMIC_RELEASE);
        for (;;)
            pause();
    }
    while (!__atomic_load_n(ready, __ATOMIC_ACQUIRE))
        usleep(100); /* or the deadline comes */
    return pid;
}

static int open_segment(void)
{
    int fd = open(segment_path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        stage_fail("there is no segment at %s", segment_path);
    return fd;
}

/* ---- those who meet it, each in a process of its own ---- */

static bool is_status(ist_status status)
{
    return status <= IST_EXISTED && status >= IST_E_OS;
}

static void look(ist_mapping *mapping)
{
    ist_view view = IST_VIEW_INIT;
    if (ist_mapping_view(mapping, IST_WRITE, 0, 0, &view) != IST_OK)
        return;
    STAGE_CHECK(view.size == ist_mapping_size(mapping));
    for (size_t at = 0; at < view.size; at += 512)
        ((volatile char *)view.data)[at] = 0x5a;
    ist_view_unmap(&view);
}

static int meet(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    ist_status status = ist_mapping_open(&mapping, name, IST_WRITE);
    STAGE_CHECK(is_status(status) && (status >= 0) == (mapping != NULL));
    if (mapping != NULL)
        look(mapping);
    ist_mapping_close(mapping);
    status = ist_mapping_create(&mapping, name, SIZE, NULL);
    STAGE_CHECK(is_status(status) && (status >= 0) == (mapping != NULL));
    if (mapping != NULL)
        look(mapping);
    ist_mapping_close(mapping);
    status = ist_mapping_open(&mapping, "not there", IST_READ);
    STAGE_CHECK(status == IST_E_NOT_FOUND);
    return 0;
}

static int meet_with_status(void *argument)
{
    ist_mapping *mapping = NULL;
    ist_status wanted = *(ist_status *)argument;
    STAGE_IS(ist_mapping_open(&mapping, name, IST_READ), wanted);
    ist_mapping_close(mapping);
    STAGE_IS(ist_mapping_create(&mapping, name, SIZE, NULL), wanted == IST_OK ? IST_EXISTED : wanted);
    ist_mapping_close(mapping);
    return 0;
}

static int find_free(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    STAGE_IS(ist_mapping_open(&mapping, name, IST_READ), IST_E_NOT_FOUND);
    stage_check_empty("when the corrupted object has died");
    STAGE_IS(ist_mapping_create(&mapping, name, SIZE, NULL), IST_OK);
    ist_mapping_close(mapping);
    stage_check_empty("when the next one has closed");
    return 0;
}

static void check_meeting(int (*play)(void *), void *argument)
{
    int status = stage_run(play, argument);
    if (status != 0)
        stage_fail("who met it ended with status %#x", (unsigned)status);
}

/* The end of one play: the holder dies, whatever the header says now; nothing may stay (L3, the life word aside). */
static void bury(pid_t holder)
{
    stage_kill(holder);
    check_meeting(find_free, NULL);
    stage_clear();
}

static void begin(void)
{
    char scope[128];
    stage_clear();
    stage_case("the holder begins");
    stage_name(name, "", "corrupt");
    stage_local_directory(scope, sizeof scope);
    snprintf(object_path, sizeof object_path, "%s/n.%s", scope, name);
    snprintf(segment_path, sizeof segment_path, "%s/r", object_path);
    if (ready == NULL)
        ready = stage_memory(sizeof *ready);
}

/* ---- exact answers ---- */

typedef struct field {
    const char *what;
    size_t offset;
    uint32_t value;
    ist_status wanted;
} field;

/* A3, A5, N4 */
TEST(a_corrupted_field_of_a_living_object_has_its_status)
{
    static const field fields[] = {
        {"magic", offsetof(segment_header, magic), 0, IST_E_CORRUPT},
        {"magic of the other byte order", offsetof(segment_header, magic), SEGMENT_MAGIC_SWAPPED, IST_E_LAYOUT},
        {"next layout", offsetof(segment_header, layout), SEGMENT_LAYOUT + 1, IST_E_LAYOUT},
        {"no layout", offsetof(segment_header, layout), 0, IST_E_LAYOUT},
        {"another kind", offsetof(segment_header, kind), 99, IST_E_KIND},
        {"a mutex with data", offsetof(segment_header, kind), SEGMENT_MUTEX, IST_E_CORRUPT},
        {"unknown flags", offsetof(segment_header, flags), 0x80, IST_E_CORRUPT},
        {"a file without a path", offsetof(segment_header, flags), SEGMENT_FILE, IST_E_CORRUPT},
        {"unknown audience", offsetof(segment_header, audience), 5, IST_E_CORRUPT},
        {"endless name", offsetof(segment_header, name_length), 0xffffffff, IST_E_CORRUPT},
        {"no name", offsetof(segment_header, name_length), 0, IST_E_CORRUPT},
        {"size 0", offsetof(segment_header, size), 0, IST_E_CORRUPT},
        {"larger than the file", offsetof(segment_header, size), SIZE + 4096, IST_E_CORRUPT},
        {"huge", offsetof(segment_header, size) + 4, 0x7fffffff, IST_E_CORRUPT},
        {"negative", offsetof(segment_header, size) + 4, 0xffffffff, IST_E_CORRUPT},
        {"data elsewhere", offsetof(segment_header, data_offset), 0, IST_E_CORRUPT},
        {"a path and no file", offsetof(segment_header, path_length), 7, IST_E_CORRUPT},
        {"endless path", offsetof(segment_header, path_length), 0xffffffff, IST_E_CORRUPT},
        {"another name", offsetof(segment_header, name), 0x41414141, IST_E_CORRUPT},
    };
    unsigned before = stage_failures();
    begin();
    pid_t holder = start_holder();
    int fd = open_segment();
    for (size_t n = 0; n < COUNT_OF(fields); n++) {
        uint32_t original = 0;
        stage_case("field: %s", fields[n].what);
        STAGE_CHECK(pread(fd, &original, 4, (off_t)fields[n].offset) == 4);
        STAGE_CHECK(pwrite(fd, &fields[n].value, 4, (off_t)fields[n].offset) == 4);
        ist_status wanted = fields[n].wanted;
        check_meeting(meet_with_status, &wanted);
        STAGE_CHECK(pwrite(fd, &original, 4, (off_t)fields[n].offset) == 4);
        wanted = IST_OK;
        check_meeting(meet_with_status, &wanted);
    }
    close(fd);
    bury(holder);
    assert_int_equal(stage_failures(), before);
}

/* ---- everything ---- */

static unsigned long tried;

/* Writes `bytes` there, has others meet it, and puts back what was there, or begins anew when it is gone. */
static void with_bytes(pid_t *holder, int *fd, const unsigned char *bytes, size_t length, size_t offset)
{
    unsigned char original[sizeof(segment_header)];
    struct stat facts;
    tried++;
    STAGE_CHECK(pread(*fd, original, length, (off_t)offset) == (ssize_t)length);
    STAGE_CHECK(pwrite(*fd, bytes, length, (off_t)offset) == (ssize_t)length);
    check_meeting(meet, NULL);
    if (fstat(*fd, &facts) == 0 && facts.st_nlink != 0 &&
        pwrite(*fd, original, length, (off_t)offset) == (ssize_t)length)
        return;
    close(*fd);
    bury(*holder);
    *holder = start_holder();
    *fd = open_segment();
}

/* A3 */
TEST(every_byte_of_a_living_objects_header_may_be_wrong)
{
    unsigned before = stage_failures();
    begin();
    pid_t holder = start_holder();
    int fd = open_segment();
    for (size_t at = 0; at < sizeof(segment_header) + 16 && stage_failures() < before + 10; at++) {
        unsigned char original = 0;
        STAGE_CHECK(pread(fd, &original, 1, (off_t)at) == 1);
        const unsigned char values[] = {0, 0xff, (unsigned char)~original, (unsigned char)(original + 1)};
        for (size_t n = 0; n < COUNT_OF(values); n++) {
            stage_case("byte %u of a living object is %#x", (unsigned)at, values[n]);
            with_bytes(&holder, &fd, &values[n], 1, at);
        }
    }
    close(fd);
    bury(holder);
    assert_int_equal(stage_failures(), before);
}

static uint64_t random_number(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* A3 */
TEST(any_bytes_may_be_in_a_living_objects_header)
{
    unsigned long rounds = stage_number("ISTHMUS_TEST_RANDOM", 2000);
    uint64_t random = 0x2545f4914f6cdd1du;
    unsigned before = stage_failures();
    begin();
    pid_t holder = start_holder();
    int fd = open_segment();
    for (unsigned long round = 0; round < rounds && stage_failures() < before + 10; round++) {
        unsigned char bytes[64];
        size_t length = 1 + (size_t)random_number(&random) % (round % 3 == 0 ? sizeof bytes : 4);
        size_t offset = (size_t)random_number(&random) % (sizeof(segment_header) - sizeof bytes);
        for (size_t n = 0; n < length; n++)
            bytes[n] = (unsigned char)random_number(&random);
        stage_case("round %lu: %u random bytes at %u", round, (unsigned)length, (unsigned)offset);
        with_bytes(&holder, &fd, bytes, length, offset);
    }
    close(fd);
    bury(holder);
    assert_int_equal(stage_failures(), before);
}

/* A3, L3, L4: of a dead object only the life word counts; it goes whatever else is in it. */
TEST(a_dead_object_goes_whatever_is_in_its_header)
{
    unsigned before = stage_failures();
    begin();
    for (size_t at = 0; at < sizeof(segment_header) && stage_failures() < before + 10; at += at < 128 ? 1 : 32) {
        stage_case("byte %u of a dead object is wrong", (unsigned)at);
        unsigned char byte = 0;
        pid_t holder = start_holder();
        int fd = open_segment();
        STAGE_CHECK(pread(fd, &byte, 1, (off_t)at) == 1);
        byte = (unsigned char)~byte;
        STAGE_CHECK(pwrite(fd, &byte, 1, (off_t)at) == 1);
        close(fd);
        tried++;
        bury(holder);
    }
    assert_int_equal(stage_failures(), before);
}

/* Lengths other than the right one; below 0: counted back from it. */
static const off_t lengths[] = {0,    1,    63,   64,    65,    67,    68,    127,   128, 383,         384,
                                4095, 4096, 4097, 65535, 65536, 65537, 69632, 73727, -1,  -(off_t)SIZE};

static void set_length(size_t n)
{
    struct stat facts;
    STAGE_CHECK(stat(segment_path, &facts) == 0);
    off_t length = lengths[n] < 0 ? facts.st_size + lengths[n] : lengths[n];
    stage_case("%ld of %ld bytes", (long)length, (long)facts.st_size);
    STAGE_CHECK(length != facts.st_size && truncate(segment_path, length) == 0);
}

/* A3 */
TEST(a_living_objects_file_of_any_other_length_is_corrupt)
{
    unsigned before = stage_failures();
    begin();
    for (size_t n = 0; n < COUNT_OF(lengths); n++) {
        ist_status wanted = IST_E_CORRUPT;
        pid_t holder = start_holder();
        set_length(n);
        check_meeting(meet_with_status, &wanted);
        tried++;
        bury(holder);
    }
    assert_int_equal(stage_failures(), before);
}

/* A3, L3 */
TEST(a_dead_objects_file_of_any_length_goes)
{
    unsigned before = stage_failures();
    begin();
    for (size_t n = 0; n < COUNT_OF(lengths); n++) {
        stage_kill(start_holder());
        set_length(n);
        check_meeting(find_free, NULL);
        stage_clear();
        tried++;
    }
    assert_int_equal(stage_failures(), before);
}

static int find_nothing_or_make(void *argument)
{
    ist_mapping *mapping = NULL;
    ist_status wanted = *(ist_status *)argument;
    STAGE_IS(ist_mapping_open(&mapping, name, IST_READ), IST_E_NOT_FOUND);
    STAGE_IS(ist_mapping_create(&mapping, name, SIZE, NULL), wanted);
    ist_mapping_close(mapping);
    return 0;
}

/* Hazard 8: a live holder whose segment is missing does not make anybody spin. */
TEST(a_living_object_whose_segment_is_missing_is_not_found)
{
    ist_status wanted = IST_OK;
    unsigned before = stage_failures();
    begin();
    pid_t holder = start_holder();
    stage_case("the segment is missing");
    STAGE_CHECK(unlink(segment_path) == 0);
    check_meeting(find_nothing_or_make, &wanted);
    stage_kill(holder);
    stage_clear();
    holder = start_holder();
    stage_case("the object's directory is missing");
    STAGE_CHECK(unlink(segment_path) == 0 && rmdir(object_path) == 0);
    check_meeting(find_nothing_or_make, &wanted);
    stage_kill(holder);
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_corrupted_field_of_a_living_object_has_its_status),
        RUN(every_byte_of_a_living_objects_header_may_be_wrong),
        RUN(any_bytes_may_be_in_a_living_objects_header),
        RUN(a_dead_object_goes_whatever_is_in_its_header),
        RUN(a_living_objects_file_of_any_other_length_is_corrupt),
        RUN(a_dead_objects_file_of_any_length_goes),
        RUN(a_living_object_whose_segment_is_missing_is_not_found),
    };
    int failed = cmocka_run_group_tests_name("process.posix_corrupt", tests, NULL, NULL);
    printf("%lu corruptions tried\n", tried);
    return failed;
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
