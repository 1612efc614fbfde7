/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * M3, M7, M9 on a file system that cannot reserve: what is in a file stays, whoever maps it anew.
 */
#include "support/check.h"
#include "support/peer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "stage/stage.h"

#define SIZE ((size_t)65536)
#define ROUNDS 2000

static char path[80];

static ist_mapping *map_file(void)
{
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    options.path = path;
    STAGE_IS(ist_mapping_create(&mapping, NULL, SIZE, &options), IST_OK);
    return mapping;
}

/* Writes each byte and looks whether it stays, while another process maps the file again and again. */
static int write_and_look(void *argument)
{
    ist_view view = IST_VIEW_INIT;
    const int *done = argument;
    ist_mapping *mapping = map_file();
    if (!STAGE_IS(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view), IST_OK))
        return 1;
    volatile unsigned char *bytes = view.data;
    for (unsigned round = 1; !__atomic_load_n(done, __ATOMIC_ACQUIRE); round++)
        for (size_t at = 4095; at < SIZE; at += 4096) {
            bytes[at] = (unsigned char)(round | 1);
            if (bytes[at] != (unsigned char)(round | 1)) {
                stage_fail("byte %lu was overwritten", (unsigned long)at);
                return 1;
            }
        }
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    return 0;
}

static int play(void *argument)
{
    int *done = stage_memory(sizeof *done);
    (void)argument;
    if (mount("ramfs", "/mnt", "ramfs", 0, "") != 0)
        return 90;
    snprintf(path, sizeof path, "/mnt/isthmus-test-%ld", (long)getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    STAGE_CHECK(fd >= 0);
    ist_mapping_close(map_file()); /* grows it */
    pid_t writer = stage_fork();
    if (writer == 0)
        _exit(write_and_look(done));
    for (int n = 0; n < ROUNDS; n++)
        ist_mapping_close(map_file());
    __atomic_store_n(done, 1, __ATOMIC_RELEASE);
    STAGE_CHECK(stage_wait(writer) == 0);
    close(fd);
    return umount("/mnt") == 0 ? 0 : 91;
}

/* M7 M9 */
TEST(mapping_a_file_anew_writes_nothing_into_what_others_have_mapped)
{
    unsigned before = stage_failures();
    if (stage_shared_because() != NULL)
        SKIP(mapping_a_file_anew_writes_nothing_into_what_others_have_mapped, stage_shared_because());
    stage_case("ramfs");
    assert_int_equal(stage_run(play, NULL), 0);
    assert_int_equal(stage_failures(), before);
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {RUN(mapping_a_file_anew_writes_nothing_into_what_others_have_mapped)};
    return cmocka_run_group_tests_name("process.posix_unreserved", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
