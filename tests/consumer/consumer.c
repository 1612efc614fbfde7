/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What a consumer does first: sees that headers and library belong together, creates, opens, writes, reads.
 * consumer.cpp is the same file, compiled as C++.
 */
#include <isthmus/isthmus.h>
#include <isthmus/win32.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    ist_mapping *writer = NULL;
    ist_mapping *reader = NULL;
    ist_view written = IST_VIEW_INIT;
    ist_view seen = IST_VIEW_INIT;
    char name[64];
    int ok = 0;

    (void)snprintf(name, sizeof name, "Local\\consumer-%lu", (unsigned long)ist_process_id());
    if (ist_version() == IST_VERSION && ist_mapping_create(&writer, name, 256, &options) == IST_OK &&
        ist_mapping_view(writer, IST_WRITE, 0, 0, &written) == IST_OK &&
        ist_mapping_open(&reader, name, IST_READ) == IST_OK &&
        ist_mapping_view(reader, IST_READ, 0, 0, &seen) == IST_OK) {
        memcpy(written.data, "here", 5);
        ok = memcmp(seen.data, "here", 5) == 0;
    }
    if (!ok) {
        ist_detail detail;
        ist_error_detail(&detail);
        fprintf(stderr, "%s: %s: %s %lu\n", name, ist_status_name(detail.status), detail.call,
                (unsigned long)detail.code);
    }
    ist_view_unmap(&written);
    ist_view_unmap(&seen);
    ist_mapping_close(writer);
    ist_mapping_close(reader);
    printf("consumer of isthmus %s: %s\n", ist_version_text(), ok ? "ok" : "failed");
    return ok ? 0 : 1;
}
