/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Hazard 7: a program closes descriptors that are not its own, and their numbers come back as its files.
 */
#include "support/check.h"
#include "support/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage/stage.h"

#define NUMBERS 64 /* as many as a test opens, and more */

static char name[STAGE_NAME_SIZE];

static void close_all(int from)
{
    for (int fd = from; fd < NUMBERS; fd++)
        close(fd);
}

/* Our own files on every number that is free. */
static void take_numbers(const char *path, int files[NUMBERS])
{
    for (int n = 0; n < NUMBERS; n++)
        files[n] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static void temporary(char path[64])
{
    snprintf(path, 64, "/tmp/isthmus-test-%ld", (long)getpid());
}

static void check_untouched(const char *path, const int files[NUMBERS])
{
    struct stat facts = {0};
    struct stat named = {0};
    STAGE_CHECK(stat(path, &named) == 0);
    for (int n = 0; n < NUMBERS; n++)
        if (fstat(files[n], &facts) != 0 || facts.st_ino != named.st_ino || facts.st_size != 0 || facts.st_nlink != 1) {
            stage_fail("number %d was closed, written or unlinked", files[n]);
            break;
        }
    int other = open(path, O_RDWR | O_CLOEXEC);
    STAGE_CHECK(flock(other, LOCK_EX | LOCK_NB) == 0);
#if defined(F_OFD_GETLK)
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    STAGE_CHECK(fcntl(other, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_UNLCK);
#endif
    close(other);
}

static int close_under_handle(void *argument)
{
    int files[NUMBERS];
    char path[64];
    ist_mapping *mapping = NULL;
    ist_mapping *second = NULL;
    ist_view early = IST_VIEW_INIT;
    ist_view late = IST_VIEW_INIT;
    bool reuse = *(bool *)argument;
    temporary(path);
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    STAGE_IS(ist_mapping_view(mapping, IST_WRITE, 0, 0, &early), IST_OK);
    close_all(3);
    if (reuse)
        take_numbers(path, files);
    STAGE_IS(ist_mapping_view(mapping, IST_READ, 0, 0, &late), IST_E_BROKEN);
    *(volatile char *)early.data = 1;
    char token[IST_TOKEN_SIZE];
    STAGE_IS(ist_mapping_export(mapping, ist_process_id(), IST_READ, token), IST_E_BROKEN);
    STAGE_CHECK(ist_mapping_size(mapping) == ist_page_size());
    ist_mapping_close(mapping);
    if (reuse)
        check_untouched(path, files);
    ist_view_unmap(&early);
    if (reuse)
        close_all(3);
    /* The library finds its feet again, and the name, which nobody holds, is free. */
    STAGE_IS(ist_mapping_create(&second, name, 4096, NULL), IST_OK);
    STAGE_IS(ist_mapping_view(second, IST_READ, 0, 0, &late), IST_OK);
    if (late.data != NULL)
        STAGE_CHECK(*(char *)late.data == 0);
    ist_mapping_close(second);
    stage_check_empty("after closefrom and a new life");
    unlink(path);
    return 0;
}

/* The handle is never closed: its exit must touch nothing either. */
static int exit_without_descriptors(void *argument)
{
    int files[NUMBERS];
    char path[64];
    ist_mapping *mapping = NULL;
    (void)argument;
    temporary(path);
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    close_all(3);
    take_numbers(path, files);
    unlink(path);
    exit(0);
}

static int standard_three_closed(void *argument)
{
    ist_mapping *mapping = NULL;
    ist_mapping *again = NULL;
    ist_view view = IST_VIEW_INIT;
    (void)argument;
    close_all(0);
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    STAGE_IS(ist_mapping_open(&again, name, IST_WRITE), IST_OK);
    STAGE_IS(ist_mapping_view(again, IST_WRITE, 0, 0, &view), IST_OK);
    for (int fd = 0; fd < 3; fd++)
        STAGE_CHECK(fcntl(fd, F_GETFD) < 0 && errno == EBADF);
    for (int fd = 3; fd < NUMBERS; fd++)
        STAGE_CHECK(fcntl(fd, F_GETFD) < 0 || (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    ist_view_unmap(&view);
    ist_mapping_close(again);
    ist_mapping_close(mapping);
    stage_check_empty("when everything is closed");
    return 0;
}

static int find_nothing(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    STAGE_IS(ist_mapping_open(&mapping, name, IST_READ), IST_E_NOT_FOUND);
    stage_check_empty("after a newcomer's first call");
    return 0;
}

static void on_stage(int (*play)(void *), void *argument)
{
    unsigned before = stage_failures();
    stage_name(name, "", "descriptors");
    stage_case("descriptors");
    assert_int_equal(stage_run(play, argument), 0);
    assert_int_equal(stage_run(find_nothing, NULL), 0);
    assert_int_equal(stage_failures(), before);
}

/* Hazard 7 */
TEST(a_handle_whose_descriptors_were_closed_is_broken_and_closes_silently)
{
    bool reuse = false;
    on_stage(close_under_handle, &reuse);
}

/* Hazard 7 */
TEST(a_file_on_a_stolen_number_is_neither_closed_nor_locked_nor_unlinked)
{
    bool reuse = true;
    on_stage(close_under_handle, &reuse);
}

/* Hazard 7, L3 */
TEST(an_exit_after_closefrom_touches_no_file)
{
    on_stage(exit_without_descriptors, NULL);
}

/* Hazard 7 */
TEST(no_descriptor_of_ours_is_a_standard_one)
{
    on_stage(standard_three_closed, NULL);
}

static int hold_until_killed(void *argument)
{
    ist_mapping *mapping = NULL;
    int *ready = argument;
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    __atomic_store_n(ready, 1, __ATOMIC_RELEASE);
    pause();
    return 0;
}

static int open_elsewhere(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    STAGE_IS(ist_mapping_open(&mapping, name, IST_READ), IST_OK);
    return 0;
}

static int reuse_own_numbers(void *argument)
{
    ist_mapping *lost = NULL;
    ist_mapping *kept = NULL;
    int *ready = stage_memory(sizeof *ready);
    pid_t holder = stage_fork();
    (void)argument;
    if (holder == 0)
        _exit(hold_until_killed(ready));
    while (!__atomic_load_n(ready, __ATOMIC_ACQUIRE))
        usleep(100);
    STAGE_IS(ist_mapping_open(&lost, name, IST_WRITE), IST_OK);
    close_all(3);
    STAGE_IS(ist_mapping_open(&kept, name, IST_WRITE), IST_OK);
    ist_mapping_close(lost);
    stage_kill(holder);
    STAGE_CHECK(stage_run(open_elsewhere, NULL) == 0);
    ist_mapping_close(kept);
    return 0;
}

/* L1, hazard 7: the numbers come back as another handle's on the same object. */
TEST(a_handle_that_lost_its_numbers_to_another_closes_nothing_of_it)
{
    unsigned before = stage_failures();
    stage_name(name, "", "numbers");
    stage_case("numbers that come back");
    assert_int_equal(stage_run(reuse_own_numbers, NULL), 0);
    assert_int_equal(stage_failures(), before);
    stage_clear();
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_handle_whose_descriptors_were_closed_is_broken_and_closes_silently),
        RUN(a_file_on_a_stolen_number_is_neither_closed_nor_locked_nor_unlinked),
        RUN(an_exit_after_closefrom_touches_no_file),
        RUN(no_descriptor_of_ours_is_a_standard_one),
        RUN(a_handle_that_lost_its_numbers_to_another_closes_nothing_of_it),
    };
    return cmocka_run_group_tests_name("process.posix_descriptors", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
