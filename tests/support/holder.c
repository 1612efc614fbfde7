/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The roles "holder" and "heir". holder.h has the commands.
 */
#include "holder.h"

#define SLOTS 8
#define WORDS_MAX 10

typedef struct holder_slot {
    ist_mapping *mapping;
    ist_view view;
} holder_slot;

typedef struct holder_command {
    const char *verb;
    size_t least_words; /* behind the verb */
    void (*run)(size_t count, char **words);
} holder_command;

static holder_slot slots[SLOTS];
static size_t current;

static uint64_t to_number(const char *word)
{
    return strtoull(word, NULL, 10);
}

static ist_access to_access(const char *word)
{
    ist_access trust = 0;
    if (*word == '+') {
        trust = IST_TRUST_EVERYONE;
        word++;
    }
    if (strcmp(word, "read") == 0) {
        return IST_READ | trust;
    }
    if (strcmp(word, "write") == 0) {
        return IST_WRITE | trust;
    }
    if (strcmp(word, "copy") == 0) {
        return IST_COPY | trust;
    }
    if (strcmp(word, "readwrite") == 0) {
        return IST_READ | IST_WRITE | trust;
    }
    return (ist_access)to_number(word) | trust;
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
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    for (size_t i = 2; i < count; i++) {
        if (strcmp(words[i], "sparse") == 0) {
            options.flags |= IST_MAPPING_SPARSE;
        } else if (strcmp(words[i], "read") == 0) {
            options.access = IST_READ;
        } else if (strcmp(words[i], "trust") == 0) {
            options.trust = IST_TRUST_EVERYONE;
        } else if (strncmp(words[i], "audience=", 9) == 0) {
            options.audience = (ist_audience)to_number(words[i] + 9);
        } else if (strncmp(words[i], "path=", 5) == 0) {
            options.path = peer_unword(words[i] + 5);
        }
    }
    answer_status(ist_mapping_create(&slots[current].mapping, peer_unword(words[0]), to_number(words[1]), &options));
}

static void do_open(size_t count, char **words)
{
    (void)count;
    answer_status(ist_mapping_open(&slots[current].mapping, peer_unword(words[0]), to_access(words[1])));
}

static void do_size(size_t count, char **words)
{
    (void)count;
    (void)words;
    peer_answer("%llu", (unsigned long long)ist_mapping_size(slots[current].mapping));
}

static void do_view(size_t count, char **words)
{
    (void)count;
    ist_view *view = &slots[current].view;
    ist_status status = ist_mapping_view(slots[current].mapping, to_access(words[0]), to_number(words[1]),
                                         (size_t)to_number(words[2]), view);
    peer_answer("%s %llu", ist_status_name(status), (unsigned long long)view->size);
}

static volatile unsigned char *byte_at(const char *word)
{
    ist_view *view = &slots[current].view;
    uint64_t offset = to_number(word);
    if (view->data == NULL || offset >= view->size) {
        peer_answer("outside");
        return NULL;
    }
    return (volatile unsigned char *)view->data + (size_t)offset;
}

static void do_poke(size_t count, char **words)
{
    (void)count;
    volatile unsigned char *byte = byte_at(words[0]);
    if (byte != NULL) {
        *byte = (unsigned char)to_number(words[1]);
        peer_answer("ok");
    }
}

static void do_peek(size_t count, char **words)
{
    (void)count;
    volatile unsigned char *byte = byte_at(words[0]);
    if (byte != NULL) {
        peer_answer("%u", (unsigned)*byte);
    }
}

static void do_blank(size_t count, char **words)
{
    (void)count;
    (void)words;
    const ist_view *view = &slots[current].view;
    const unsigned char *bytes = view->data;
    for (size_t i = 0; i < view->size; i++) {
        if (bytes[i] != 0) {
            peer_answer("%u at %llu", (unsigned)bytes[i], (unsigned long long)i);
            return;
        }
    }
    peer_answer("blank");
}

static void do_commit(size_t count, char **words)
{
    (void)count;
    answer_status(ist_view_commit(&slots[current].view, (size_t)to_number(words[0]), (size_t)to_number(words[1])));
}

static void do_flush(size_t count, char **words)
{
    (void)count;
    (void)words;
    answer_status(ist_view_flush(&slots[current].view));
}

static void do_unmap(size_t count, char **words)
{
    (void)count;
    (void)words;
    ist_view_unmap(&slots[current].view);
    peer_answer("ok");
}

static void do_close(size_t count, char **words)
{
    (void)count;
    (void)words;
    ist_mapping_close(slots[current].mapping);
    slots[current].mapping = NULL;
    peer_answer("ok");
}

static void do_export(size_t count, char **words)
{
    (void)count;
    char token[IST_TOKEN_SIZE];
    ist_status status = ist_mapping_export(slots[current].mapping, to_number(words[0]), to_access(words[1]), token);
    peer_answer("%s %s", ist_status_name(status), token);
}

static void do_import(size_t count, char **words)
{
    (void)count;
    answer_status(ist_mapping_import(&slots[current].mapping, peer_unword(words[0])));
}

static void do_detail(size_t count, char **words)
{
    (void)count;
    (void)words;
    ist_detail detail;
    ist_error_detail(&detail);
    answer_status(detail.status);
}

static void do_text(size_t count, char **words)
{
    (void)count;
    (void)words;
    const ist_view *view = &slots[current].view;
    char text[PEER_LINE_SIZE / 2];
    ist_status status = ist_utf16_read(text, sizeof text, view->data, view->size / sizeof(ist_char16), NULL);
    peer_answer("%s", status == IST_OK ? text : ist_status_name(status));
}

static void do_pid(size_t count, char **words)
{
    (void)count;
    (void)words;
    peer_answer("%llu", (unsigned long long)ist_process_id());
}

/* One round of a churn; false when a fresh object is not fresh, or the name cannot be had. */
static bool churn_once(const char *name, size_t cell)
{
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    ist_status status = ist_mapping_create(&mapping, name, 4096, NULL);
    bool good = status >= 0 && ist_mapping_view(mapping, IST_WRITE, 0, 4096, &view) == IST_OK;
    if (good) {
        volatile unsigned char *mine = (volatile unsigned char *)view.data + cell % 4096;
        good = status == IST_EXISTED || *mine == 0;
        *mine = 1;
    }
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    return good;
}

static void do_churn(size_t count, char **words)
{
    (void)count;
    const char *name = peer_unword(words[0]);
    uint64_t rounds = to_number(words[1]);
    for (uint64_t i = 0; i < rounds; i++) {
        if (!churn_once(name, (size_t)to_number(words[2]))) {
            ist_detail detail;
            ist_error_detail(&detail);
            peer_answer("round %llu: not fresh, or %s by %s (%u)", (unsigned long long)i,
                        ist_status_name(detail.status), detail.call, (unsigned)detail.code);
            return;
        }
    }
    peer_answer("ok");
}

static void do_heir(size_t count, char **words)
{
    (void)count;
    (void)words;
    peer_leave_heir("heir");
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

static const holder_command commands[] = {
    {"slot", 1, do_slot},     {"create", 2, do_create}, {"open", 2, do_open},     {"size", 0, do_size},
    {"view", 3, do_view},     {"poke", 2, do_poke},     {"peek", 1, do_peek},     {"blank", 0, do_blank},
    {"commit", 2, do_commit}, {"flush", 0, do_flush},   {"unmap", 0, do_unmap},   {"close", 0, do_close},
    {"export", 2, do_export}, {"import", 1, do_import}, {"detail", 0, do_detail}, {"heir", 0, do_heir},
    {"exit", 0, do_exit},     {"vanish", 0, do_vanish}, {"text", 0, do_text},     {"churn", 3, do_churn},
    {"pid", 0, do_pid},
};

static size_t split(char *line, char **words)
{
    size_t count = 0;
    char *at = line;
    while (count < WORDS_MAX && *at != '\0') {
        words[count++] = at;
        at += strcspn(at, " ");
        if (*at == ' ') {
            *at++ = '\0';
        }
    }
    return count;
}

static void obey(char *line)
{
    char *words[WORDS_MAX];
    size_t count = split(line, words);
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (count > 0 && strcmp(words[0], commands[i].verb) == 0 && count > commands[i].least_words) {
            commands[i].run(count - 1, words + 1);
            return;
        }
    }
    peer_answer("what?");
}

static int run_holder(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    char line[PEER_LINE_SIZE];
    while (peer_listen(line)) {
        obey(line);
    }
    return 0;
}

static int run_heir(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    char line[PEER_LINE_SIZE];
    peer_answer("here");
    while (peer_listen(line)) {
        peer_answer("%s", strcmp(line, "ping") == 0 ? "pong" : "what?");
    }
    return 0;
}

const peer_role holder_roles[] = {{HOLDER_ROLE, run_holder}, {"heir", run_heir}};
const size_t holder_role_count = COUNT_OF(holder_roles);
