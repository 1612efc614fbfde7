/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Many at once: N8 between processes, L10 between threads.
 */
#include "support/host.h"
#include "support/peer.h"

#define CROWD 200
#define THREADS 8

static peer *crowd[CROWD];

static size_t start_crowd(void)
{
    size_t count = crowd_size(CROWD);
    for (size_t i = 0; i < count; i++)
        crowd[i] = peer_start_holder();
    return count;
}

static void end_crowd(size_t count)
{
    for (size_t i = 0; i < count; i++)
        peer_end(crowd[i]);
}

/* Tells everybody, then hears everybody; returns how many answered `wanted`, and fails for whoever says neither. */
static size_t ask_crowd(size_t count, const char *wanted, const char *also, const char *line)
{
    size_t hits = 0;
    for (size_t i = 0; i < count; i++)
        peer_say(crowd[i], "%s", line);
    for (size_t i = 0; i < count; i++) {
        char answer[PEER_LINE_SIZE];
        peer_hear(crowd[i], answer);
        if (strcmp(answer, wanted) == 0)
            hits++;
        else if (also == NULL || strcmp(answer, also) != 0)
            CHECK_FAIL("\"%s\" was answered with \"%s\"", line, answer);
    }
    return hits;
}

/* N8 */
TEST(two_hundred_processes_create_one_name_at_once_and_agree)
{
    size_t count = start_crowd();
    for (int round = 0; round < 5; round++) {
        char name[NAME_SIZE];
        char line[PEER_LINE_SIZE];
        unique_name(name, "Local\\", "race");
        (void)snprintf(line, sizeof line, "create %s 4096", name);
        assert_int_equal(ask_crowd(count, "IST_OK", "IST_EXISTED", line), 1);
        assert_int_equal(ask_crowd(count, "IST_OK 4096", NULL, "view write 0 4096"), count);
        for (size_t i = 0; i < count; i++)
            PEER_ASK(crowd[i], "ok", "poke %zu %zu", i, i % 250 + 1);
        for (size_t i = 0; i < count; i++) {
            char expected[16];
            (void)snprintf(expected, sizeof expected, "%zu", i % 250 + 1);
            PEER_ASK(crowd[(i + 7) % count], expected, "peek %zu", i);
        }
        assert_int_equal(ask_crowd(count, "ok", NULL, "unmap"), count);
        assert_int_equal(ask_crowd(count, "ok", NULL, "close"), count);
    }
    end_crowd(count);
}

/* N8 */
TEST(whoever_opens_while_others_create_finds_nothing_or_a_whole_object)
{
    size_t count = start_crowd();
    size_t page = (size_t)ist_page_size();
    for (int round = 0; round < 5; round++) {
        char name[NAME_SIZE];
        size_t made = 0;
        unique_name(name, "", "race");
        for (size_t i = 0; i < count; i++) {
            if (i % 2 == 0)
                peer_say(crowd[i], "create %s %zu", name, 3 * page);
            else
                peer_say(crowd[i], "open %s write", name);
        }
        for (size_t i = 0; i < count; i++) {
            char answer[PEER_LINE_SIZE];
            char whole[64];
            peer_hear(crowd[i], answer);
            if (strcmp(answer, "IST_E_NOT_FOUND") == 0 && i % 2 == 1)
                continue;
            if (i % 2 == 0 && strcmp(answer, "IST_EXISTED") == 0)
                (void)snprintf(answer, sizeof answer, "IST_OK");
            else
                made += i % 2 == 0;
            assert_string_equal(answer, "IST_OK");
            (void)snprintf(whole, sizeof whole, "IST_OK %zu", 3 * page);
            PEER_ASK(crowd[i], whole, "view write 0 0");
            PEER_ASK(crowd[i], "blank", "blank");
            PEER_ASK(crowd[i], "ok", "unmap");
        }
        assert_int_equal(made, 1);
        assert_int_equal(ask_crowd(count, "ok", NULL, "close"), count);
    }
    end_crowd(count);
}

/* N8 L4: the name dies and is born again all the time, and everybody gets a whole object each time */
TEST(a_crowd_that_creates_and_closes_one_name_never_sees_old_data)
{
    size_t count = start_crowd() / 4;
    char name[NAME_SIZE];
    unique_name(name, "", "churn");
    for (size_t i = 0; i < count; i++)
        peer_say(crowd[i], "churn %s 200 %zu", name, i);
    for (size_t i = 0; i < count; i++) {
        char answer[PEER_LINE_SIZE];
        peer_hear(crowd[i], answer);
        assert_string_equal(answer, "ok");
    }
    ist_mapping *mapping = NULL;
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
    end_crowd(crowd_size(CROWD));
}

typedef struct thread_work {
    char name[NAME_SIZE];
    ist_mapping *mapping[THREADS];
    ist_mapping *shared;
    ist_status status[THREADS];
    size_t wrong[THREADS];
} thread_work;

static thread_work work;

static void create_in_thread(void *context, size_t index)
{
    thread_work *all = context;
    all->status[index] = ist_mapping_create(&all->mapping[index], all->name, 4096, NULL);
}

static void close_in_thread(void *context, size_t index)
{
    thread_work *all = context;
    ist_mapping_close(all->mapping[index]);
}

/* L10 N8 */
TEST(eight_threads_create_one_name_at_once_and_agree)
{
    for (int round = 0; round < 50; round++) {
        size_t made = 0;
        unique_name(work.name, "", "threads");
        host_threads(THREADS, create_in_thread, &work);
        for (size_t i = 0; i < THREADS; i++) {
            assert_true(work.status[i] == IST_OK || work.status[i] == IST_EXISTED);
            made += work.status[i] == IST_OK;
        }
        assert_int_equal(made, 1);
        host_threads(THREADS, close_in_thread, &work);
        CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&work.shared, work.name, IST_READ));
    }
}

static void come_and_go_in_thread(void *context, size_t index)
{
    thread_work *all = context;
    for (int i = 0; i < 100; i++) {
        ist_mapping *mapping = NULL;
        ist_view view = IST_VIEW_INIT;
        ist_status status = (index + (size_t)i) % 3 == 0 ? ist_mapping_open(&mapping, all->name, IST_WRITE)
                                                         : ist_mapping_create(&mapping, all->name, 65536, NULL);
        if (status == IST_E_NOT_FOUND)
            continue;
        if (status < 0 || ist_mapping_view(mapping, IST_WRITE, 0, 0, &view) != IST_OK) {
            all->wrong[index]++;
            all->status[index] = status;
        } else {
            all->wrong[index] += view.size != 65536;
            ((volatile unsigned char *)view.data)[index] = (unsigned char)i;
            all->wrong[index] += ((volatile unsigned char *)view.data)[index] != (unsigned char)i;
        }
        ist_view_unmap(&view);
        ist_mapping_close(mapping);
    }
}

/* L10 */
TEST(eight_threads_come_and_go_under_one_name)
{
    memset(&work, 0, sizeof work);
    unique_name(work.name, "", "threads");
    host_threads(THREADS, come_and_go_in_thread, &work);
    for (size_t i = 0; i < THREADS; i++) {
        CHECK_OK(work.status[i]);
        assert_int_equal(work.wrong[i], 0);
    }
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&work.shared, work.name, IST_READ));
}

static void use_shared_in_thread(void *context, size_t index)
{
    thread_work *all = context;
    for (int i = 0; i < 100; i++) {
        ist_view view = IST_VIEW_INIT;
        char token[IST_TOKEN_SIZE];
        ist_mapping *again = NULL;
        all->wrong[index] += ist_mapping_size(all->shared) != 2 * IST_GRANULARITY;
        all->wrong[index] += ist_mapping_view(all->shared, IST_WRITE, IST_GRANULARITY, 64, &view) != IST_OK;
        if (view.data != NULL)
            ((volatile unsigned char *)view.data)[index] = (unsigned char)i;
        ist_view_unmap(&view);
        all->wrong[index] += ist_mapping_export(all->shared, ist_process_id(), IST_READ, token) != IST_OK;
        all->wrong[index] += ist_mapping_import(&again, token) != IST_OK;
        ist_mapping_close(again);
    }
}

/* L10 */
TEST(eight_threads_use_one_handle_at_once)
{
    memset(&work, 0, sizeof work);
    unique_name(work.name, "", "threads");
    CHECK_OK(ist_mapping_create(&work.shared, work.name, 2 * IST_GRANULARITY, NULL));
    host_threads(THREADS, use_shared_in_thread, &work);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(work.wrong[i], 0);
    ist_mapping_close(work.shared);
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&work.shared, work.name, IST_READ));
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(two_hundred_processes_create_one_name_at_once_and_agree),
        RUN(whoever_opens_while_others_create_finds_nothing_or_a_whole_object),
        RUN(a_crowd_that_creates_and_closes_one_name_never_sees_old_data),
        RUN(eight_threads_create_one_name_at_once_and_agree),
        RUN(eight_threads_come_and_go_under_one_name),
        RUN(eight_threads_use_one_handle_at_once),
    };
    return cmocka_run_group_tests_name("race", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
