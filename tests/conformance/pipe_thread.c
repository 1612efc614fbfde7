/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * One end in several threads: L10, P5.
 */
#include "support/host.h"
#include "support/pipe_peer.h"

#define WRITERS 4
#define MESSAGES 300
#define LARGEST 6000

typedef struct message_head {
    uint32_t writer;
    uint32_t number;
    uint32_t size;
} message_head;

typedef struct traffic {
    ist_pipe *writing;
    ist_pipe *reading;
    size_t readers;
    ist_status wrong[WRITERS * 2];
    uint32_t seen[WRITERS][MESSAGES]; /* how often; each by one thread */
    bool torn;
} traffic;

static void write_some(traffic *all, size_t writer)
{
    unsigned char bytes[LARGEST];
    for (uint32_t n = 0; n < MESSAGES && all->wrong[writer] == IST_OK; n++) {
        message_head head = {(uint32_t)writer, n, (uint32_t)(sizeof head + (n * 97 + writer * 13) % 500)};
        if (n % 50 == 0)
            head.size = LARGEST;
        pipe_fill(bytes, head.size, (unsigned)(writer + n));
        memcpy(bytes, &head, sizeof head);
        all->wrong[writer] = ist_pipe_write(all->writing, bytes, head.size, pipe_bound_ns(), NULL);
    }
}

static bool is_whole(const unsigned char *bytes, size_t got, message_head *head)
{
    if (got < sizeof *head)
        return false;
    memcpy(head, bytes, sizeof *head);
    return head->writer < WRITERS && head->number < MESSAGES && head->size == got &&
           pipe_is_filled(bytes + sizeof *head, got - sizeof *head, head->writer + head->number, sizeof *head);
}

static void read_some(traffic *all, size_t reader)
{
    unsigned char bytes[LARGEST];
    size_t share = WRITERS * MESSAGES / all->readers;
    for (size_t n = 0; n < share && all->wrong[WRITERS + reader] == IST_OK; n++) {
        message_head head;
        size_t got = 0;
        all->wrong[WRITERS + reader] = ist_pipe_read(all->reading, bytes, sizeof bytes, pipe_bound_ns(), &got);
        if (!is_whole(bytes, got, &head))
            all->torn = true;
        else
            all->seen[head.writer][head.number]++;
    }
}

static void run_traffic(void *context, size_t index)
{
    traffic *all = context;
    if (index < WRITERS)
        write_some(all, index);
    else
        read_some(all, index - WRITERS);
}

static void check_traffic(size_t readers)
{
    static traffic all;
    pipe_ends ends;
    ist_pipe_options options = pipe_options(IST_PIPE_MESSAGE);
    pipe_join(&ends, &options);
    for (int turn = 0; turn < 2; turn++) {
        memset(&all, 0, sizeof all);
        all.writing = turn == 0 ? ends.client : ends.server;
        all.reading = turn == 0 ? ends.server : ends.client;
        all.readers = readers;
        host_threads(WRITERS + readers, run_traffic, &all);
        for (size_t i = 0; i < COUNT_OF(all.wrong); i++)
            CHECK_OK(all.wrong[i]);
        assert_false(all.torn);
        for (size_t i = 0; i < WRITERS; i++)
            for (size_t k = 0; k < MESSAGES; k++)
                assert_int_equal(all.seen[i][k], 1);
    }
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    pipe_part(&ends);
}

/* L10 P5 */
TEST(messages_of_several_threads_stay_whole)
{
    check_traffic(1);
}

/* L10 P5 */
TEST(several_threads_read_whole_messages_each_once)
{
    check_traffic(2);
    check_traffic(4);
}

typedef struct duplex {
    ist_pipe *ends[2];
    ist_status wrong[4];
    bool torn[2];
} duplex;

#define STREAM ((size_t)2 << 20)

static void run_duplex(void *context, size_t index)
{
    duplex *all = context;
    unsigned char *bytes = malloc(STREAM);
    size_t done = 0;
    if (index < 2) {
        pipe_fill(bytes, STREAM, (unsigned)index);
        all->wrong[index] = ist_pipe_write(all->ends[index], bytes, STREAM, pipe_bound_ns(), &done);
    } else {
        size_t side = 3 - index; /* reads what that one writes */
        while (done < STREAM && all->wrong[index] == IST_OK) {
            size_t got = 0;
            all->wrong[index] = ist_pipe_read(all->ends[1 - side], bytes, STREAM, pipe_bound_ns(), &got);
            all->torn[side] = all->torn[side] || !pipe_is_filled(bytes, got, (unsigned)side, done);
            done += got;
        }
    }
    free(bytes);
}

/* L10: reading and writing do not wait for each other */
TEST(an_end_is_read_and_written_at_once)
{
    pipe_ends ends;
    duplex all;
    pipe_join(&ends, NULL);
    memset(&all, 0, sizeof all);
    all.ends[0] = ends.server;
    all.ends[1] = ends.client;
    host_threads(4, run_duplex, &all);
    for (size_t i = 0; i < COUNT_OF(all.wrong); i++)
        CHECK_OK(all.wrong[i]);
    assert_false(all.torn[0]);
    assert_false(all.torn[1]);
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    PIPE_GET_NOTHING(ends.client, IST_TIMEOUT);
    pipe_part(&ends);
}

typedef struct stock {
    char name[NAME_SIZE];
    ist_status wrong[8];
} stock;

/* Even ones serve one client after another, odd ones are those. */
static void run_stock(void *context, size_t index)
{
    stock *all = context;
    ist_status *status = &all->wrong[index];
    ist_pipe *pipe = NULL;
    char bytes[8];
    size_t got = 0;
    ist_pipe_options options = pipe_options(IST_PIPE_MESSAGE);
    if (index % 2 == 0)
        *status = ist_pipe_serve(&pipe, all->name, &options);
    for (int i = 0; i < 50 && *status == IST_OK; i++) {
        if (index % 2 != 0) {
            *status = ist_pipe_call(all->name, IST_TRUST_OWNER, "q", 1, bytes, sizeof bytes, pipe_bound_ns(), &got);
            continue;
        }
        *status = ist_pipe_accept(pipe, pipe_bound_ns());
        if (*status == IST_OK)
            *status = ist_pipe_read(pipe, bytes, sizeof bytes, pipe_bound_ns(), &got);
        if (*status == IST_OK)
            *status = ist_pipe_write(pipe, bytes, got, pipe_bound_ns(), NULL);
        if (*status == IST_OK)
            *status = ist_pipe_flush(pipe, pipe_bound_ns());
        if (*status == IST_OK)
            *status = ist_pipe_disconnect(pipe);
    }
    ist_pipe_close(pipe);
}

/* L10 P2: as many calls as answers, whoever meets whom */
TEST(threads_that_serve_and_threads_that_call_all_come_to_their_end)
{
    stock all;
    ist_pipe *keeper = NULL;
    ist_pipe *busy = NULL;
    ist_pipe_options options = pipe_options(IST_PIPE_MESSAGE);
    memset(&all, 0, sizeof all);
    unique_name(all.name, "", "stock");
    /* The name is there from the first call to the last. */
    CHECK_OK(ist_pipe_serve(&keeper, all.name, &options));
    CHECK_OK(ist_pipe_connect(&busy, all.name, IST_READ, 0));
    host_threads(COUNT_OF(all.wrong), run_stock, &all);
    for (size_t i = 0; i < COUNT_OF(all.wrong); i++)
        CHECK_OK(all.wrong[i]);
    ist_pipe_close(busy);
    ist_pipe_close(keeper);
    pipe_check_gone(all.name);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(messages_of_several_threads_stay_whole),
        RUN(several_threads_read_whole_messages_each_once),
        RUN(an_end_is_read_and_written_at_once),
        RUN(threads_that_serve_and_threads_that_call_all_come_to_their_end),
    };
    return cmocka_run_group_tests_name("pipe_thread", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
