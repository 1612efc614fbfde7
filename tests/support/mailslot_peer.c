/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The role "mailslot". mailslot_peer.h has the commands.
 */
#include "mailslot_peer.h"

#include "sync.h"
#include "waiter.h"

#define ROLE "mailslot"
#define SLOTS 8
#define WORDS_MAX 6
#define TEXT_MAX 1024

static ist_mailslot *slots[SLOTS];
static size_t current;

static uint64_t to_number(const char *word)
{
    return strtoull(word, NULL, 10);
}

static int64_t to_time(const char *word)
{
    return strcmp(word, "forever") == 0 ? IST_FOREVER : (int64_t)to_number(word) * CLOCK_MS;
}

static void answer_status(ist_status status)
{
    peer_answer("%s", ist_status_name(status));
}

static void do_slot(size_t count, char **words)
{
    (void)count;
    current = (size_t)to_number(words[0]) % SLOTS;
    peer_answer("ok");
}

static void do_create(size_t count, char **words)
{
    ist_mailslot_options options = IST_MAILSLOT_OPTIONS_INIT;
    for (size_t i = 1; i < count; i++) {
        if (strncmp(words[i], "message=", 8) == 0)
            options.message_max = (uint32_t)to_number(words[i] + 8);
        else if (strncmp(words[i], "capacity=", 9) == 0)
            options.capacity_bytes = (uint32_t)to_number(words[i] + 9);
    }
    answer_status(ist_mailslot_create(&slots[current], peer_unword(words[0]), &options));
}

static void do_open(size_t count, char **words)
{
    (void)count;
    answer_status(ist_mailslot_open(&slots[current], peer_unword(words[0]), IST_WRITE));
}

static void do_close(size_t count, char **words)
{
    (void)count;
    (void)words;
    ist_mailslot_close(slots[current]);
    slots[current] = NULL;
    peer_answer("ok");
}

static void do_write(size_t count, char **words)
{
    const char *text = strcmp(words[0], "-") == 0 ? "" : words[0];
    (void)count;
    answer_status(ist_mailslot_write(slots[current], text, strlen(text)));
}

static void do_read(size_t count, char **words)
{
    char text[TEXT_MAX + 1] = "";
    size_t got = 0;
    ist_status status = ist_mailslot_read(slots[current], text, TEXT_MAX, to_time(words[0]), &got);
    (void)count;
    if (status == IST_OK)
        text[got] = '\0';
    peer_answer("%s %s", ist_status_name(status), text[0] != '\0' ? text : "-");
}

static void do_block(size_t count, char **words)
{
    peer_answer("waiting");
    do_read(count, words);
}

static void do_await(size_t count, char **words)
{
    (void)count;
    peer_answer("waiting");
    answer_status(ist_wait(ist_mailslot_waitable(slots[current]), to_time(words[0])));
}

static void do_info(size_t count, char **words)
{
    ist_mailslot_facts facts = IST_MAILSLOT_FACTS_INIT;
    ist_status status = ist_mailslot_info(slots[current], &facts);
    char next[24] = "none";
    (void)count;
    (void)words;
    if (facts.next_bytes != IST_MAILSLOT_NONE)
        (void)snprintf(next, sizeof next, "%llu", (unsigned long long)facts.next_bytes);
    peer_answer("%s %s %llu", ist_status_name(status), next, (unsigned long long)facts.waiting);
}

/* Writes numbered messages as long as that goes. */
static void write_many(uint32_t writer, uint32_t count)
{
    ist_status status = IST_OK;
    uint32_t number = 0;
    while (number < count && (status == IST_OK || status == IST_E_SPACE)) {
        status = mailslot_write_numbered(slots[current], writer, number);
        number += status == IST_OK;
        if (status == IST_E_SPACE)
            waiter_rest(CLOCK_MS);
    }
    peer_answer("%s %u", ist_status_name(status), (unsigned)number);
}

static void do_pour(size_t count, char **words)
{
    (void)count;
    write_many((uint32_t)to_number(words[0]), (uint32_t)to_number(words[1]));
}

static void do_storm(size_t count, char **words)
{
    (void)count;
    peer_answer("storming");
    write_many((uint32_t)to_number(words[0]), UINT32_MAX);
}

static void do_drain(size_t count, char **words)
{
    ist_status status = IST_OK;
    uint64_t sum = 0;
    (void)count;
    for (uint64_t left = to_number(words[0]); left > 0 && status == IST_OK; left--) {
        uint32_t writer = 0;
        uint32_t number = 0;
        status = mailslot_read_numbered(slots[current], mailslot_bound_ns(), &writer, &number);
        sum += number;
    }
    peer_answer("%s %llu", ist_status_name(status), (unsigned long long)sum);
}

static void do_echo(size_t count, char **words)
{
    ist_mailslot *to = slots[to_number(words[0]) % SLOTS];
    ist_status status = IST_OK;
    (void)count;
    peer_answer("echoing");
    for (uint64_t left = to_number(words[1]); left > 0 && status == IST_OK; left--) {
        volatile uint64_t delay = left * 7 % 2000;
        char text[TEXT_MAX];
        size_t got = 0;
        while (delay > 0)
            delay--;
        status = ist_mailslot_read(slots[current], text, sizeof text, IST_FOREVER, &got);
        if (status == IST_OK)
            status = ist_mailslot_write(to, text, got);
    }
    answer_status(status);
}

static void do_fork(size_t count, char **words)
{
    peer_half half = peer_fork();
    (void)count;
    (void)words;
    peer_answer("%s", half == PEER_CHILD ? "child" : half == PEER_PARENT ? "parent" : "no fork");
}

static void do_heir(size_t count, char **words)
{
    (void)count;
    (void)words;
    peer_leave_heir("heir");
}

static void do_patient(size_t count, char **words)
{
    (void)count;
    (void)words;
    peer_answer("%s", waiter_be_patient() ? "yes" : "no");
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

typedef struct mailslot_command {
    const char *verb;
    size_t least_words; /* behind the verb */
    void (*run)(size_t count, char **words);
} mailslot_command;

static const mailslot_command commands[] = {
    {"slot", 1, do_slot},     {"create", 1, do_create},   {"open", 1, do_open},   {"close", 0, do_close},
    {"write", 1, do_write},   {"read", 1, do_read},       {"block", 1, do_block}, {"await", 1, do_await},
    {"info", 0, do_info},     {"pour", 2, do_pour},       {"storm", 1, do_storm}, {"drain", 1, do_drain},
    {"echo", 2, do_echo},     {"fork", 0, do_fork},       {"heir", 0, do_heir},   {"exit", 0, do_exit},
    {"vanish", 0, do_vanish}, {"patient", 0, do_patient},
};

static void obey(char *line)
{
    char *words[WORDS_MAX];
    size_t count = 0;
    for (char *at = line; count < WORDS_MAX && *at != '\0';) {
        words[count++] = at;
        at += strcspn(at, " ");
        if (*at == ' ')
            *at++ = '\0';
    }
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (count > commands[i].least_words && strcmp(words[0], commands[i].verb) == 0) {
            commands[i].run(count - 1, words + 1);
            return;
        }
    }
    peer_answer("what?");
}

static int run(int argc, char **argv)
{
    char line[PEER_LINE_SIZE];
    (void)argc;
    (void)argv;
    while (peer_listen(line))
        obey(line);
    return 0;
}

const peer_role mailslot_roles[] = {{ROLE, run}};
const size_t mailslot_role_count = COUNT_OF(mailslot_roles);

/* ---- the test's side of the role ---- */

peer *mailslot_start(void)
{
    return peer_start(ROLE, (const char *)NULL);
}

peer *mailslot_start_patient(void)
{
    char answer[PEER_LINE_SIZE];
    peer *who = mailslot_start();
    peer_query(who, answer, "patient");
    return who;
}

peer *mailslot_start_writer(const char *name)
{
    peer *who = mailslot_start();
    PEER_ASK(who, "IST_OK", "open %s", peer_word(name));
    return who;
}

void mailslot_begin(peer *who, const char *line)
{
    PEER_ASK(who, "waiting", "%s", line);
    sync_pause();
}

void mailslot_hear_at(const char *file, int line, peer *who, const char *answer)
{
    sync_hear_at(file, line, who, answer);
}

int64_t mailslot_bound_ns(void)
{
    return sync_bound_ns();
}
