/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The first process: creates the file mapping `Local\HelloWorld`, writes a UTF-16 text into it, and keeps it until
 * Enter is pressed. hello_client reads the text; so does any Win32 program that opens the same name.
 */
#include <isthmus/isthmus.h>

#include <stdio.h>

#define NAME "Local\\HelloWorld"
#define MESSAGE "Message from first process"
#define SIZE 256

static int failed(const char *what, ist_status status)
{
    ist_detail detail;

    ist_error_detail(&detail);
    fprintf(stderr, "%s: %s (%s), %s: code %lu %s\n", what, ist_status_text(status), ist_status_name(status),
            detail.call, (unsigned long)detail.code, detail.note);
    return 1;
}

static int write_and_wait(ist_mapping *mapping)
{
    ist_view view = IST_VIEW_INIT;
    ist_status status = ist_mapping_view(mapping, IST_WRITE, 0, SIZE, &view);

    if (status < 0)
        return failed("Could not map a view of the file mapping object", status);
    printf("The file view is created.\n");
    status = ist_utf16_write(view.data, view.size / sizeof(ist_char16), MESSAGE, NULL);
    if (status == IST_OK) {
        printf("The message is written to the shared memory: \"" MESSAGE "\"\n");
        printf("Press Enter to clean up and quit.\n");
        fflush(stdout);
        (void)getchar();
    }
    ist_view_unmap(&view);
    return status < 0 ? failed("Could not write the message", status) : 0;
}

int main(void)
{
    ist_mapping *mapping = NULL;
    ist_status status = ist_mapping_create(&mapping, NAME, SIZE, NULL);
    int result = 0;

    if (status < 0)
        return failed("Could not create the file mapping object", status);
    printf("The file mapping object, " NAME ", is %s.\n", status == IST_EXISTED ? "opened" : "created");
    result = write_and_wait(mapping);
    ist_mapping_close(mapping);
    return result;
}
