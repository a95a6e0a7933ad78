// SPDX-License-Identifier: MIT
// intern: things that are kept once for all who say the same. Nothing is compared but hashes of 128 bits.

#include "config/intern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_MIN 64

static struct interned **bucket_of(const struct interner *table, const struct hash128 *hash) {
        return &table->buckets[hash->word[0] & (table->n_buckets - 1)];
}

static int grow(struct interner *table) {
        struct interner bigger = {.n = table->n, .n_buckets = table->n_buckets > 0 ? 4 * table->n_buckets : BUCKETS_MIN};

        bigger.buckets = calloc(bigger.n_buckets, sizeof(*bigger.buckets));
        if (!bigger.buckets)
                return -ENOMEM;
        for (size_t i = 0; i < table->n_buckets; i++)
                for (struct interned *item = table->buckets[i], *next; item; item = next) {
                        struct interned **bucket = bucket_of(&bigger, &item->hash);
                        next = item->next;
                        item->next = *bucket;
                        *bucket = item;
                }
        free(table->buckets);
        *table = bigger;
        return 0;
}

void interner_done(struct interner *table) {
        free(table->buckets);
        *table = (struct interner){};
}

struct interned *intern_find(struct interner *table, const struct hash128 *hash) {
        struct interned *found = table->n > 0 ? *bucket_of(table, hash) : NULL;

        while (found && memcmp(&found->hash, hash, sizeof(*hash)) != 0)
                found = found->next;
        if (found)
                found->uses++;
        return found;
}

int intern_add(struct interner *table, struct interned *fresh) {
        if (table->n >= table->n_buckets && grow(table) < 0)
                return -ENOMEM;
        struct interned **bucket = bucket_of(table, &fresh->hash);
        fresh->next = *bucket;
        *bucket = fresh;
        fresh->table = table;
        fresh->uses = 1;
        table->n++;
        return 0;
}

bool intern_release(struct interned *gone) {
        if (--gone->uses > 0)
                return false;
        struct interned **at = bucket_of(gone->table, &gone->hash);
        while (*at != gone)
                at = &(*at)->next;
        *at = gone->next;
        gone->table->n--;
        return true;
}
