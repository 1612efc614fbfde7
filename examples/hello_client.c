/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The second process: opens the file mapping `Local\HelloWorld` that hello_server, or a Win32 program, has created,
 * and prints the text in it.
 */
#include <isthmus/isthmus.h>

#include <stdio.h>

#define NAME "Local\\HelloWorld"
#define SIZE 256

static int failed(const char *what, ist_status status)
{
    ist_detail detail;

    ist_error_detail(&detail);
    fprintf(stderr, "%s: %s (%s), %s: code %lu %s\n", what, ist_status_text(status), ist_status_name(status),
            detail.call, (unsigned long)detail.code, detail.note);
    return 1;
}

static int read_message(ist_mapping *mapping)
{
    char message[SIZE * 2];
    ist_view view = IST_VIEW_INIT;
    ist_status status = ist_mapping_view(mapping, IST_READ, 0, SIZE, &view);

    if (status < 0)
        return failed("Could not map a view of the file mapping object", status);
    printf("The file view is created.\n");
    status = ist_utf16_read(message, sizeof message, view.data, view.size / sizeof(ist_char16), NULL);
    if (status == IST_OK) {
        printf("The following message is read from the shared memory:\n");
        printf("\"%s\"\n", message);
    }
    ist_view_unmap(&view);
    return status < 0 ? failed("Could not read the message", status) : 0;
}

int main(void)
{
    ist_mapping *mapping = NULL;
    ist_status status = ist_mapping_open(&mapping, NAME, IST_READ);
    int result = 0;

    if (status < 0)
        return failed("Could not open the file mapping object " NAME, status);
    printf("The file mapping object, " NAME ", is opened.\n");
    result = read_message(mapping);
    ist_mapping_close(mapping);
    return result;
}
