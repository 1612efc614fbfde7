/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Whether a name lives.
 */
#include "life.h"

void life_check_gone(const char *name)
{
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    CHECK_ROW(name, IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
    CHECK_ROW(name, IST_OK, ist_mapping_create(&mapping, name, 4096, NULL));
    CHECK_ROW(name, IST_OK, ist_mapping_view(mapping, IST_READ, 0, 4096, &view));
    for (size_t i = 0; i < 4096; i++)
        assert_int_equal(((unsigned char *)view.data)[i], 0);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    CHECK_ROW(name, IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
}

void life_check_alive(const char *name)
{
    ist_mapping *mapping = NULL;
    CHECK_ROW(name, IST_OK, ist_mapping_open(&mapping, name, IST_READ));
    ist_mapping_close(mapping);
    mapping = NULL;
    CHECK_ROW(name, IST_EXISTED, ist_mapping_create(&mapping, name, 4096, NULL));
    ist_mapping_close(mapping);
}

peer *life_start_creator(const char *name)
{
    peer *who = peer_start_holder();
    PEER_ASK(who, "IST_OK", "create %s 4096", peer_word(name));
    PEER_ASK(who, "IST_OK 4096", "view write 0 4096");
    PEER_ASK(who, "ok", "poke 0 77");
    PEER_ASK(who, "ok", "poke 4095 78");
    return who;
}
