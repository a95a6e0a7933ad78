// SPDX-License-Identifier: MIT
// intern: things that are kept once for all who say the same, so that pointers to them are compared as bytes; by their hash.
// Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/hash.h"

/* The first member of what is interned. */
struct interned {
        struct hash128 hash; /* of all that makes two of them the same */
        struct interned *next;
        struct interner *table;
        uint32_t uses;
};

/* Zero-initialise. Belongs to one thread, and to all that is in it: it stays where it is as long as there is one. */
struct interner {
        struct interned **buckets;
        size_t n, n_buckets;
};

/* Frees the table; all that was in it must have been given back. */
void interner_done(struct interner *table);
/* The one of this hash with one use more, or NULL. */
struct interned *intern_find(struct interner *table, const struct hash128 *hash);
/* Adds one whose hash is set, with one use. 0, -ENOMEM. */
int intern_add(struct interner *table, struct interned *fresh);
/* Gives a use back. True where it was the last one: it is out of the table, and the caller frees it. */
bool intern_release(struct interned *gone);
