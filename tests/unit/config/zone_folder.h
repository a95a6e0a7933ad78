// SPDX-License-Identifier: MIT
// zone_folder: a temporary folder of zone files for the tests of zone and zones.
#pragma once

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

static char folder[64];

static inline void folder_make(void) {
        snprintf(folder, sizeof(folder), "/tmp/chimed-test-zone.XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
}

static inline int folder_remove_one(const char *path, const struct stat *st, int kind, struct FTW *place) {
        (void)st;
        (void)kind;
        (void)place;
        return remove(path);
}

static inline void folder_remove(void) {
        nftw(folder, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The path of a name in the folder, until the next call. */
static inline const char *folder_path(const char *name) {
        static char path[128];

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        return path;
}

static inline void folder_write(const char *name, const void *bytes, size_t size) {
        FILE *f = fopen(folder_path(name), "w");

        ck_assert(f && fwrite(bytes, 1, size, f) == size && fclose(f) == 0);
}
