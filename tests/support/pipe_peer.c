/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The role "pipe". pipe_peer.h has the commands; what the test does itself is in pipe_ends.c.
 */
#include "pipe_peer.h"

#include "clock.h"
#include "waiter.h"

#define SLOTS 8
#define WORDS_MAX 12
#define SHOWN_MAX 512 /* bytes of a text that is answered */

typedef struct pipe_command {
    const char *verb;
    size_t least_words; /* behind the verb */
    void (*run)(size_t count, char **words);
} pipe_command;

static ist_pipe *slots[SLOTS];
static size_t current;

/* ---- words ---- */

static uint64_t to_number(const char *word)
{
    return strtoull(word, NULL, 10);
}

static int64_t to_timeout(const char *word)
{
    return strcmp(word, "forever") == 0 ? IST_FOREVER : (int64_t)to_number(word) * CLOCK_MS;
}

static ist_access to_access(const char *word)
{
    ist_access trust = *word == '+' ? IST_TRUST_EVERYONE : 0;
    word += *word == '+';
    return trust | (strcmp(word, "read") == 0    ? IST_READ
                    : strcmp(word, "write") == 0 ? IST_WRITE
                                                 : IST_READ | IST_WRITE);
}

static void answer_status(ist_status status)
{
    peer_answer("%s", ist_status_name(status));
}

static void answer_text(ist_status status, const char *bytes, size_t got)
{
    char text[SHOWN_MAX + 1];
    size_t shown = got < SHOWN_MAX ? got : SHOWN_MAX;
    memcpy(text, bytes, shown);
    text[shown] = '\0';
    peer_answer("%s %zu %s", ist_status_name(status), got, got == 0 ? "-" : peer_word(text));
}

/* ---- ends ---- */

static void do_slot(size_t count, char **words)
{
    (void)count;
    current = (size_t)to_number(words[0]) % SLOTS;
    peer_answer("ok");
}

static void read_option(ist_pipe_options *options, const char *word)
{
    if (strcmp(word, "message") == 0)
        options->type = IST_PIPE_MESSAGE;
    else if (strcmp(word, "inbound") == 0)
        options->direction = IST_PIPE_INBOUND;
    else if (strcmp(word, "outbound") == 0)
        options->direction = IST_PIPE_OUTBOUND;
    else if (strcmp(word, "first") == 0)
        options->flags = IST_PIPE_FIRST;
    else if (strcmp(word, "trust") == 0)
        options->trust = IST_TRUST_EVERYONE;
    else if (strncmp(word, "instances=", 10) == 0)
        options->instances = (uint32_t)to_number(word + 10);
    else if (strncmp(word, "in=", 3) == 0)
        options->inbound_bytes = (uint32_t)to_number(word + 3);
    else if (strncmp(word, "out=", 4) == 0)
        options->outbound_bytes = (uint32_t)to_number(word + 4);
    else if (strncmp(word, "audience=", 9) == 0)
        options->audience = (ist_audience)to_number(word + 9);
}

static void do_serve(size_t count, char **words)
{
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    for (size_t i = 1; i < count; i++)
        read_option(&options, words[i]);
    answer_status(ist_pipe_serve(&slots[current], peer_unword(words[0]), &options));
}

static void do_connect(size_t count, char **words)
{
    (void)count;
    answer_status(ist_pipe_connect(&slots[current], peer_unword(words[0]), to_access(words[1]), to_timeout(words[2])));
}

static void do_accept(size_t count, char **words)
{
    (void)count;
    answer_status(ist_pipe_accept(slots[current], to_timeout(words[0])));
}

static void do_disconnect(size_t count, char **words)
{
    (void)count;
    (void)words;
    answer_status(ist_pipe_disconnect(slots[current]));
}

static void do_close(size_t count, char **words)
{
    (void)count;
    (void)words;
    ist_pipe_close(slots[current]);
    slots[current] = NULL;
    peer_answer("ok");
}

static void do_import(size_t count, char **words)
{
    (void)count;
    answer_status(ist_pipe_import(&slots[current], peer_unword(words[0])));
}

/* ---- data ---- */

static void do_write(size_t count, char **words)
{
    size_t written = 0;
    (void)count;
    const char *text = peer_unword(words[0]);
    ist_status status =
        ist_pipe_write(slots[current], text, text == NULL ? 0 : strlen(text), to_timeout(words[1]), &written);
    peer_answer("%s %zu", ist_status_name(status), written);
}

static void do_pour(size_t count, char **words)
{
    size_t written = 0;
    size_t size = (size_t)to_number(words[0]);
    char *bytes = malloc(size + 1);
    (void)count;
    pipe_fill(bytes, size, (unsigned)to_number(words[1]));
    ist_status status = ist_pipe_write(slots[current], bytes, size, to_timeout(words[2]), &written);
    free(bytes);
    peer_answer("%s %zu", ist_status_name(status), written);
}

static void do_read(size_t count, char **words)
{
    size_t got = 0;
    size_t size = (size_t)to_number(words[0]);
    char *bytes = malloc(size + 1);
    (void)count;
    ist_status status = ist_pipe_read(slots[current], bytes, size, to_timeout(words[1]), &got);
    answer_text(status, bytes, got);
    free(bytes);
}

static void do_drink(size_t count, char **words)
{
    size_t got = 0;
    size_t size = (size_t)to_number(words[0]);
    char *bytes = malloc(size + 1);
    (void)count;
    ist_status status = ist_pipe_read(slots[current], bytes, size, to_timeout(words[3]), &got);
    bool right = pipe_is_filled(bytes, got, (unsigned)to_number(words[1]), (size_t)to_number(words[2]));
    free(bytes);
    peer_answer("%s %zu %s", ist_status_name(status), got, right ? "yes" : "no");
}

static void do_peek(size_t count, char **words)
{
    ist_pipe_peeked peeked = IST_PIPE_PEEKED_INIT;
    size_t size = (size_t)to_number(words[0]);
    char *bytes = malloc(size + 1);
    (void)count;
    ist_status status = ist_pipe_peek(slots[current], bytes, size, &peeked);
    free(bytes);
    peer_answer("%s %u %llu %llu", ist_status_name(status), (unsigned)peeked.copied_bytes,
                (unsigned long long)peeked.available_bytes, (unsigned long long)peeked.message_bytes);
}

static void do_flush(size_t count, char **words)
{
    (void)count;
    answer_status(ist_pipe_flush(slots[current], to_timeout(words[0])));
}

static void do_transact(size_t count, char **words)
{
    size_t got = 0;
    size_t size = (size_t)to_number(words[1]);
    char *bytes = malloc(size + 1);
    (void)count;
    const char *text = peer_unword(words[0]);
    ist_status status = ist_pipe_transact(slots[current], text, text == NULL ? 0 : strlen(text), bytes, size,
                                          to_timeout(words[2]), &got);
    answer_text(status, bytes, got);
    free(bytes);
}

static void do_call(size_t count, char **words)
{
    size_t got = 0;
    size_t size = (size_t)to_number(words[2]);
    char *bytes = malloc(size + 1);
    (void)count;
    const char *name = peer_unword(words[0]);
    const char *text = peer_unword(words[1]);
    ist_status status = ist_pipe_call(name, IST_TRUST_OWNER, text, text == NULL ? 0 : strlen(text), bytes, size,
                                      to_timeout(words[3]), &got);
    answer_text(status, bytes, got);
    free(bytes);
}

static void do_echo(size_t count, char **words)
{
    static char bytes[65536];
    ist_status status = IST_OK;
    (void)count;
    for (uint64_t rounds = to_number(words[0]); rounds > 0 && status == IST_OK; rounds--) {
        size_t got = 0;
        status = ist_pipe_read(slots[current], bytes, sizeof bytes, IST_FOREVER, &got);
        if (status == IST_OK)
            status = ist_pipe_write(slots[current], bytes, got, IST_FOREVER, NULL);
    }
    answer_status(status);
}

/* ---- facts ---- */

static void do_info(size_t count, char **words)
{
    ist_pipe_facts facts = IST_PIPE_FACTS_INIT;
    (void)count;
    (void)words;
    ist_status status = ist_pipe_info(slots[current], &facts);
    peer_answer("%s %d %d %u %u %u", ist_status_name(status), (int)facts.type, (int)facts.direction,
                (unsigned)facts.server, (unsigned)facts.connected, (unsigned)facts.instances_max);
}

static void do_peer(size_t count, char **words)
{
    ist_pipe_peer_facts facts = IST_PIPE_PEER_FACTS_INIT;
    (void)count;
    (void)words;
    ist_status status = ist_pipe_peer(slots[current], &facts);
    peer_answer("%s %llu %u", ist_status_name(status), (unsigned long long)facts.process_id, (unsigned)facts.same_user);
}

static void do_wait(size_t count, char **words)
{
    (void)count;
    answer_status(ist_wait(ist_pipe_waitable(slots[current]), to_timeout(words[0])));
}

/* ---- the process ---- */

static void do_fork(size_t count, char **words)
{
    static const char *const halves[] = {"no fork", "child", "parent"};
    (void)count;
    (void)words;
    peer_half half = peer_fork();
    peer_answer("%s", halves[half == PEER_CHILD ? 1 : half == PEER_PARENT ? 2 : 0]);
}

static void do_patient(size_t count, char **words)
{
    ist_traits traits = IST_TRAITS_INIT;
    (void)count;
    (void)words;
    ist_traits_get(&traits);
    peer_answer("%s", traits.abandon_at_once && waiter_be_patient() ? "yes" : "no");
}

static void do_exit(size_t count, char **words)
{
    (void)count;
    (void)words;
    exit(0);
}

static void do_vanish(size_t count, char **words)
{
    (void)count;
    (void)words;
    peer_vanish();
}

static void do_begin(size_t count, char **words);
static void do_later(size_t count, char **words);

static const pipe_command commands[] = {
    {"slot", 1, do_slot},
    {"serve", 1, do_serve},
    {"connect", 3, do_connect},
    {"accept", 1, do_accept},
    {"disconnect", 0, do_disconnect},
    {"close", 0, do_close},
    {"import", 1, do_import},
    {"write", 2, do_write},
    {"pour", 3, do_pour},
    {"read", 2, do_read},
    {"drink", 4, do_drink},
    {"peek", 1, do_peek},
    {"flush", 1, do_flush},
    {"transact", 3, do_transact},
    {"call", 4, do_call},
    {"echo", 1, do_echo},
    {"info", 0, do_info},
    {"peer", 0, do_peer},
    {"wait", 1, do_wait},
    {"begin", 1, do_begin},
    {"later", 1, do_later},
    {"fork", 0, do_fork},
    {"patient", 0, do_patient},
    {"exit", 0, do_exit},
    {"vanish", 0, do_vanish},
};

static void obey(size_t count, char **words)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (count > 0 && strcmp(words[0], commands[i].verb) == 0 && count > commands[i].least_words) {
            commands[i].run(count - 1, words + 1);
            return;
        }
    }
    peer_answer("what?");
}

static void do_begin(size_t count, char **words)
{
    peer_answer("waiting");
    obey(count, words);
}

static void do_later(size_t count, char **words)
{
    pipe_pause();
    obey(count, words);
}

int pipe_run(int argc, char **argv)
{
    char line[PEER_LINE_SIZE];
    (void)argc;
    (void)argv;
    while (peer_listen(line)) {
        char *words[WORDS_MAX];
        size_t count = 0;
        for (char *at = line; count < WORDS_MAX && *at != '\0';) {
            words[count++] = at;
            at += strcspn(at, " ");
            if (*at == ' ')
                *at++ = '\0';
        }
        obey(count, words);
    }
    return 0;
}
