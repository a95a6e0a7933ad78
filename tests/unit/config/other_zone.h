// SPDX-License-Identifier: MIT
// other_zone: a finder of zones for struct agendas, to see what new data of a zone do.
#pragma once

#include <check.h>
#include <stdio.h>

#include "config/zones.h"

/* Any name has the data of the file that userdata names. */
static inline int find_other(void *userdata, const char *name, struct zone **ret, char why[static ZONE_WHY_MAX]) {
        static uint8_t data[65536];
        FILE *f = fopen(userdata, "r");

        (void)why;
        ck_assert_ptr_nonnull(f);
        size_t size = fread(data, 1, sizeof(data), f);
        fclose(f);
        return zone_parse(data, size, name, ret);
}
