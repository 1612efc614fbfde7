/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What another user left behind or did to an object, and who may clear it away.
 */
#include "support/check.h"
#include "support/peer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage/stage.h"

#define ANNA 61001
#define BERT 61002

static char name[STAGE_NAME_SIZE];

#define NEEDS_ROOT(test)                                                                                               \
    do {                                                                                                               \
        if (stage_one_user_because() != NULL)                                                                          \
            SKIP(test, stage_one_user_because());                                                                      \
    } while (0)

static int vanish_as_anna(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    stage_become(ANNA, 0);
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    _exit(0);
}

static int root_does_not_trust(void *argument)
{
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    char list[600];
    (void)argument;
    STAGE_CHECK(stage_run(vanish_as_anna, NULL) == 0);
    STAGE_IS(ist_mapping_open(&mapping, name, IST_READ), IST_E_NOT_FOUND);
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_E_ACCESS);
    STAGE_CHECK(stage_leftovers(list, sizeof list) == 1);
    options.trust = IST_TRUST_EVERYONE;
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, &options), IST_OK);
    ist_mapping_close(mapping);
    return 0;
}

/* L1 N8: without its life word, which only trust maps, a removal could take an object that somebody is joining. */
TEST(root_removes_what_a_stranger_left_only_with_trust)
{
    unsigned before = stage_failures();
    NEEDS_ROOT(root_removes_what_a_stranger_left_only_with_trust);
    stage_name(name, "Global\\", "left");
    assert_int_equal(stage_run(root_does_not_trust, NULL), 0);
    stage_check_empty("after root");
    assert_int_equal(stage_failures(), before);
}

static int create_over_file(void *argument)
{
    static const char path[] = "isthmus-grown";
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    struct stat facts = {0};
    (void)argument;
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    STAGE_CHECK(fd >= 0 && stage_run(vanish_as_anna, NULL) == 0);
    options.path = path;
    STAGE_IS(ist_mapping_create(&mapping, name, 65536, &options), IST_E_ACCESS);
    STAGE_CHECK(fstat(fd, &facts) == 0 && facts.st_size == 0);
    close(fd);
    unlink(path);
    return 0;
}

/* N5 N9: the name is looked at before the file is touched. */
TEST(a_create_that_finds_its_name_barred_leaves_its_file_alone)
{
    unsigned before = stage_failures();
    NEEDS_ROOT(a_create_that_finds_its_name_barred_leaves_its_file_alone);
    stage_name(name, "Global\\", "barred");
    assert_int_equal(stage_run(create_over_file, NULL), 0);
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

static int link_what_may_be_written(void *argument)
{
    char from[300];
    char to[300];
    ist_mapping *mapping = NULL;
    (void)argument;
    stage_become(BERT, 0);
    STAGE_IS(ist_mapping_open(&mapping, name, IST_WRITE | IST_TRUST_EVERYONE), IST_OK);
    snprintf(from, sizeof from, "%s/isthmus.n.%s/r", STAGE_GLOBAL_DIRECTORY, strchr(name, '\\') + 1);
    snprintf(to, sizeof to, "%s/kept-by-bert", STAGE_GLOBAL_DIRECTORY);
    STAGE_CHECK(link(from, to) == 0);
    ist_mapping_close(mapping);
    return 0;
}

static int anna_is_linked(void *argument)
{
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    pid_t linker = stage_fork();
    int *ready = argument;
    if (linker == 0) {
        while (!__atomic_load_n(ready, __ATOMIC_ACQUIRE))
            usleep(100);
        _exit(link_what_may_be_written(NULL));
    }
    stage_become(ANNA, 0);
    options.audience = IST_AUDIENCE_EVERYONE_WRITE;
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, &options), IST_OK);
    __atomic_store_n(ready, 1, __ATOMIC_RELEASE);
    STAGE_CHECK(stage_wait(linker) == 0);
    _exit(0);
}

static int anna_comes_again(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    stage_become(ANNA, 0);
    STAGE_IS(ist_mapping_create(&mapping, name, 4096, NULL), IST_OK);
    ist_mapping_close(mapping);
    return 0;
}

/* L4 */
TEST(a_peers_link_to_an_object_does_not_keep_its_name_from_the_owner)
{
    unsigned before = stage_failures();
    int *ready = stage_memory(sizeof *ready);
    NEEDS_ROOT(a_peers_link_to_an_object_does_not_keep_its_name_from_the_owner);
    stage_name(name, "Global\\", "linked");
    assert_int_equal(stage_run(anna_is_linked, ready), 0);
    assert_int_equal(stage_run(anna_comes_again, NULL), 0);
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(root_removes_what_a_stranger_left_only_with_trust),
        RUN(a_create_that_finds_its_name_barred_leaves_its_file_alone),
        RUN(a_peers_link_to_an_object_does_not_keep_its_name_from_the_owner),
    };
    return cmocka_run_group_tests_name("process.posix_barred", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
