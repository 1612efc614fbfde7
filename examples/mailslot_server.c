/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Reads the mailslot `\\.\mailslot\SampleMailslot` and shows each message, a UTF-16 text. mailslot_client writes some;
 * so does any Win32 program that opens the same name.
 *
 * usage: mailslot_server [MESSAGES]    ends after so many messages; without a number when it is killed
 */
#include <isthmus/isthmus.h>

#include <stdio.h>
#include <stdlib.h>

#define NAME "\\\\.\\mailslot\\SampleMailslot"
#define LARGEST_BYTES 424
#define LARGEST_UNITS (LARGEST_BYTES / sizeof(ist_char16))
#define TEXT_BYTES (3 * LARGEST_UNITS) /* of UTF-8 for as many units */

static int failed(const char *what, ist_status status)
{
    ist_detail detail;

    ist_error_detail(&detail);
    fprintf(stderr, "%s: %s (%s), %s: code %lu %s\n", what, ist_status_text(status), ist_status_name(status),
            detail.call, (unsigned long)detail.code, detail.note);
    return 1;
}

/* What a writer writes need not be a text. */
static void show(unsigned long number, const ist_char16 *message, size_t bytes)
{
    char text[TEXT_BYTES];

    if (ist_utf16_read(text, sizeof text, message, bytes / sizeof *message, NULL) != IST_OK)
        printf("Message #%lu: %lu bytes, which are no text\n", number, (unsigned long)bytes);
    else
        printf("Message #%lu: %s\n", number, text);
    fflush(stdout);
}

static int read_messages(ist_mailslot *slot, unsigned long messages)
{
    ist_char16 message[LARGEST_UNITS];
    unsigned long count = 0;
    size_t bytes = 0;
    ist_status status = IST_OK;

    while (status == IST_OK && (messages == 0 || count < messages)) {
        status = ist_mailslot_read(slot, message, sizeof message, IST_FOREVER, &bytes);
        if (status == IST_OK)
            show(++count, message, bytes);
    }
    return status < 0 ? failed("Could not read a message", status) : 0;
}

int main(int argc, char **argv)
{
    ist_mailslot_options options = IST_MAILSLOT_OPTIONS_INIT;
    ist_mailslot *slot = NULL;
    unsigned long messages = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    ist_status status = IST_OK;
    int result = 0;

    if (argc > 2 || (argc == 2 && messages == 0)) {
        fprintf(stderr, "usage: mailslot_server [MESSAGES]\n");
        return 2;
    }
    options.message_max = LARGEST_BYTES; /* so that none is too large for the buffer */
    status = ist_mailslot_create(&slot, NAME, &options);
    if (status < 0)
        return failed("Could not create the mailslot " NAME, status);
    printf("The mailslot " NAME " is created.\nWaiting for new messages...\n");
    fflush(stdout);
    result = read_messages(slot, messages);
    ist_mailslot_close(slot);
    return result;
}
