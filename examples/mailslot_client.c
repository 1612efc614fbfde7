/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Writes three UTF-16 texts into the mailslot `\\.\mailslot\SampleMailslot`, which mailslot_server reads, or any Win32
 * program that has created the same name. A write waits for nobody, and nobody answers.
 */
#include <isthmus/isthmus.h>

#include <stdio.h>

#define NAME "\\\\.\\mailslot\\SampleMailslot"
#define MESSAGES 3
#define UNITS 64

static int failed(const char *what, ist_status status)
{
    ist_detail detail;

    ist_error_detail(&detail);
    fprintf(stderr, "%s: %s (%s), %s: code %lu %s\n", what, ist_status_text(status), ist_status_name(status),
            detail.call, (unsigned long)detail.code, detail.note);
    return 1;
}

static ist_status write_text(ist_mailslot *slot, const char *text)
{
    ist_char16 message[UNITS];
    size_t units = 0;
    ist_status status = ist_utf16_write(message, UNITS, text, &units);

    return status == IST_OK ? ist_mailslot_write(slot, message, units * sizeof *message) : status;
}

int main(void)
{
    static const char *const texts[MESSAGES] = {"Message 1 for mailslot", "Message 2 for mailslot",
                                                "Message 3 for mailslot"};
    ist_mailslot *slot = NULL;
    ist_status status = ist_mailslot_open(&slot, NAME, IST_WRITE);

    if (status == IST_E_NOT_FOUND) {
        fprintf(stderr, "Nobody reads " NAME ".\n");
        return 1;
    }
    if (status < 0)
        return failed("Could not open the mailslot " NAME, status);
    printf("The mailslot " NAME " is opened.\n");
    for (int n = 0; n < MESSAGES && status >= 0; n++) {
        status = write_text(slot, texts[n]);
        if (status >= 0)
            printf("The message \"%s\" is written to the slot.\n", texts[n]);
    }
    ist_mailslot_close(slot);
    return status < 0 ? failed("Could not write a message", status) : 0;
}
