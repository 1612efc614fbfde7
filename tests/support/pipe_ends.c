/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Pipes in tests: the test's side of pipe_peer.h.
 */
#include "clock.h"
#include "pipe_peer.h"
#include "waiter.h"

#define TEXT_MAX 4096

#if defined(ISTHMUS_STATIC)
/* A seam of core/plat.h: the shared library does not show it. */
bool plat_seam_recheck(int64_t interval_ns);
#endif

/* ---- peers ---- */

peer *pipe_start(void)
{
    char answer[PEER_LINE_SIZE];
    peer *who = peer_start(PIPE_ROLE, (const char *)NULL);
    peer_query(who, answer, "patient");
    return who;
}

int pipe_be_patient(void **state)
{
    ist_traits traits = IST_TRAITS_INIT;
    (void)state;
    ist_traits_get(&traits);
    if (traits.abandon_at_once)
        (void)waiter_be_patient();
    return 0;
}

void pipe_be_impatient(void)
{
#if defined(ISTHMUS_STATIC)
    (void)plat_seam_recheck(0);
#endif
}

peer *pipe_start_client(const char *name)
{
    peer *who = pipe_start();
    PEER_ASK(who, "IST_OK", "connect %s both 0", peer_word(name));
    return who;
}

peer *pipe_start_server(const char *name, const char *options)
{
    peer *who = pipe_start();
    PEER_ASK(who, "IST_OK", "serve %s %s", peer_word(name), options);
    return who;
}

void pipe_begin(peer *who, const char *command)
{
    waiter_begin(who, command);
}

void pipe_hear_at(const char *file, int line, peer *who, const char *answer)
{
    waiter_hear_at(file, line, who, answer);
}

/* ---- ends ---- */

int64_t pipe_bound_ns(void)
{
    return waiter_bound_ns();
}

void pipe_pause(void)
{
    waiter_rest(20 * CLOCK_MS);
}

ist_pipe_options pipe_options(ist_pipe_type type)
{
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    options.type = type;
    return options;
}

ist_pipe *pipe_serve(char name[NAME_SIZE], ist_pipe_type type)
{
    ist_pipe_options options = pipe_options(type);
    ist_pipe *pipe = NULL;
    unique_name(name, "", "pipe");
    CHECK_OK(ist_pipe_serve(&pipe, name, &options));
    return pipe;
}

/* What a client may of a pipe of this direction. */
static ist_access access_of(ist_pipe_direction direction)
{
    return direction == IST_PIPE_INBOUND ? IST_WRITE : direction == IST_PIPE_OUTBOUND ? IST_READ : IST_READ | IST_WRITE;
}

void pipe_join(pipe_ends *ends, const ist_pipe_options *options)
{
    ends->server = NULL;
    ends->client = NULL;
    unique_name(ends->name, "", "pipe");
    CHECK_OK(ist_pipe_serve(&ends->server, ends->name, options));
    CHECK_OK(ist_pipe_connect(&ends->client, ends->name,
                              access_of(options != NULL ? options->direction : IST_PIPE_DUPLEX), 0));
    CHECK_OK(ist_pipe_accept(ends->server, pipe_bound_ns()));
}

void pipe_part(pipe_ends *ends)
{
    ist_pipe_close(ends->client);
    ist_pipe_close(ends->server);
    ends->client = NULL;
    ends->server = NULL;
}

peer *pipe_join_peer(pipe_ends *ends, ist_pipe_type type)
{
    ends->client = NULL;
    ends->server = pipe_serve(ends->name, type);
    peer *who = pipe_start_client(ends->name);
    CHECK_OK(ist_pipe_accept(ends->server, pipe_bound_ns()));
    return who;
}

void pipe_put_at(const char *file, int line, ist_pipe *pipe, const char *text)
{
    size_t written = 99;
    size_t size = strlen(text);
    check_status_at(file, line, text, IST_OK, ist_pipe_write(pipe, text, size, pipe_bound_ns(), &written));
    if (written != size)
        check_fail_at(file, line, "%zu bytes of \"%s\" went", written, text);
}

void pipe_get_part_at(const char *file, int line, ist_pipe *pipe, size_t size, ist_status status, const char *text)
{
    char heard[TEXT_MAX + 1];
    size_t got = 99;
    assert_true(size <= TEXT_MAX);
    check_status_at(file, line, text, status, ist_pipe_read(pipe, heard, size, pipe_bound_ns(), &got));
    assert_true(got <= size);
    heard[got] = '\0';
    if (got != strlen(text) || memcmp(heard, text, got) != 0)
        check_fail_at(file, line, "should have read \"%s\" and read \"%s\"", text, heard);
}

void pipe_get_at(const char *file, int line, ist_pipe *pipe, const char *text)
{
    pipe_get_part_at(file, line, pipe, TEXT_MAX, IST_OK, text);
}

void pipe_get_nothing_at(const char *file, int line, ist_pipe *pipe, ist_status status)
{
    char heard[TEXT_MAX];
    size_t got = 99;
    check_status_at(file, line, "reading", status, ist_pipe_read(pipe, heard, sizeof heard, 0, &got));
    if (got != 0)
        check_fail_at(file, line, "read %zu bytes with %s", got, ist_status_name(status));
}

void pipe_check_peek_at(const char *file, int line, ist_pipe *pipe, uint64_t available, uint64_t message)
{
    ist_pipe_peeked peeked = IST_PIPE_PEEKED_INIT;
    check_status_at(file, line, "peeking", IST_OK, ist_pipe_peek(pipe, NULL, 0, &peeked));
    if (peeked.copied_bytes != 0 || peeked.available_bytes != available || peeked.message_bytes != message)
        check_fail_at(file, line, "%llu bytes wait, %llu of the first message, %u copied",
                      (unsigned long long)peeked.available_bytes, (unsigned long long)peeked.message_bytes,
                      (unsigned)peeked.copied_bytes);
}

void pipe_check_gone(const char *name)
{
    ist_pipe_options options = pipe_options(IST_PIPE_MESSAGE);
    ist_pipe_facts facts = IST_PIPE_FACTS_INIT;
    ist_pipe *pipe = NULL;
    CHECK_ROW(name, IST_E_NOT_FOUND, ist_pipe_connect(&pipe, name, IST_READ, 0));
    options.flags = IST_PIPE_FIRST;
    options.direction = IST_PIPE_OUTBOUND;
    options.instances = 7;
    CHECK_ROW(name, IST_OK, ist_pipe_serve(&pipe, name, &options));
    CHECK_OK(ist_pipe_info(pipe, &facts));
    assert_int_equal(facts.type, IST_PIPE_MESSAGE);
    assert_int_equal(facts.direction, IST_PIPE_OUTBOUND);
    assert_int_equal(facts.instances_max, 7);
    assert_int_equal(facts.connected, 0);
    ist_pipe_close(pipe);
    CHECK_ROW(name, IST_E_NOT_FOUND, ist_pipe_connect(&pipe, name, IST_READ, 0));
}

/* ---- data ---- */

static unsigned char byte_at(unsigned seed, size_t offset)
{
    return (unsigned char)(seed + offset * 7 + offset / 251 + offset / 65536 * 3);
}

void pipe_fill(void *bytes, size_t size, unsigned seed)
{
    unsigned char *to = bytes;
    for (size_t i = 0; i < size; i++)
        to[i] = byte_at(seed, i);
}

bool pipe_is_filled(const void *bytes, size_t size, unsigned seed, size_t offset)
{
    const unsigned char *from = bytes;
    for (size_t i = 0; i < size; i++)
        if (from[i] != byte_at(seed, offset + i))
            return false;
    return true;
}

void *pipe_memory(size_t size)
{
    void *bytes = calloc(1, size > 0 ? size : 1);
    assert_non_null(bytes);
    return bytes;
}
