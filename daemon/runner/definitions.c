// SPDX-License-Identifier: MIT
// definitions: the store of what jobs run: by hash and by name, one generation in force and the next in the making.
// The two tables hold pointers only, so a reading of unchanged files costs a pointer a job. Since and trail belong to the name:
// they move to the definition that takes it over.

#include "daemon/runner/definitions.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/job.h"

_Static_assert(CONFIG_FILE_MAX < 1 << 27, "the lines of a file are counted in 27 bits");

typedef uint64_t (*key_fn)(const struct definition *d);

static uint64_t text_key(const char *purpose, const char *text) {
        return hash_64((const uint8_t *)purpose, text, strlen(text));
}

uint64_t definitions_file_key(const char *file) {
        return text_key("chimed file name", file);
}

uint64_t definitions_name_key(const char *name) {
        return text_key("chimed job named", name);
}

static uint64_t key_of_hash(const struct definition *d) {
        return d->hash.word[0];
}

static uint64_t key_of_name(const struct definition *d) {
        return definitions_name_key(definition_name(d));
}

/* 0 or -ENOMEM; afterwards n entries fit without an allocation. */
static int table_reserve(struct definition_table *t, size_t n, key_fn key) {
        size_t allocated = t->allocated ? t->allocated : 64;

        while (n > allocated - allocated / 4)
                allocated *= 2;
        if (allocated == t->allocated)
                return 0;
        struct definition **slots = calloc(allocated, sizeof(*slots));
        if (!slots)
                return -ENOMEM;
        for (size_t i = 0; i < t->allocated; i++) {
                if (!t->slots[i])
                        continue;
                size_t at = key(t->slots[i]) & (allocated - 1);
                while (slots[at])
                        at = (at + 1) & (allocated - 1);
                slots[at] = t->slots[i];
        }
        free(t->slots);
        t->slots = slots;
        t->allocated = allocated;
        return 0;
}

/* Room must have been reserved. */
static void table_put(struct definition_table *t, struct definition *d, key_fn key) {
        size_t at = key(d) & (t->allocated - 1);

        while (t->slots[at])
                at = (at + 1) & (t->allocated - 1);
        t->slots[at] = d;
        t->n++;
}

static void table_remove(struct definition_table *t, const struct definition *d, key_fn key) {
        size_t mask = t->allocated - 1, at = key(d) & mask;

        while (t->slots[at] != d) {
                if (!t->slots[at])
                        return;
                at = (at + 1) & mask;
        }
        t->slots[at] = NULL;
        t->n--;
        /* what was pushed on by the removed one moves up */
        for (size_t next = (at + 1) & mask; t->slots[next]; next = (next + 1) & mask) {
                size_t home = key(t->slots[next]) & mask;
                if (((next - home) & mask) >= ((next - at) & mask)) {
                        t->slots[at] = t->slots[next];
                        t->slots[next] = NULL;
                        at = next;
                }
        }
}

static void table_done(struct definition_table *t) {
        free(t->slots);
        *t = (struct definition_table){};
}

static struct definition *find_hash(const struct definition_table *t, const struct hash128 *hash) {
        if (t->n == 0)
                return NULL;
        for (size_t at = hash->word[0] & (t->allocated - 1); t->slots[at]; at = (at + 1) & (t->allocated - 1))
                if (memcmp(&t->slots[at]->hash, hash, sizeof(*hash)) == 0)
                        return t->slots[at];
        return NULL;
}

static struct definition *find_name(const struct definition_table *t, const char *name) {
        if (t->n == 0)
                return NULL;
        for (size_t at = definitions_name_key(name) & (t->allocated - 1); t->slots[at]; at = (at + 1) & (t->allocated - 1))
                if (strcmp(definition_name(t->slots[at]), name) == 0)
                        return t->slots[at];
        return NULL;
}

void definitions_init(struct definitions *d) {
        *d = (struct definitions){};
}

static void definition_release(struct definitions *d, struct definition *definition) {
        blobs_give(&d->shared, definition->when);
        blobs_give(&d->shared, definition->manner);
        blobs_give(&d->shared, definition->file);
        free(definition->trail);
        free(definition);
}

static void definition_free(struct definitions *d, struct definition *definition) {
        table_remove(&d->by_hash, definition, key_of_hash);
        definition_release(d, definition);
}

void definitions_done(struct definitions *d) {
        for (size_t i = 0; i < d->by_hash.allocated; i++)
                if (d->by_hash.slots[i])
                        definition_release(d, d->by_hash.slots[i]);
        table_done(&d->by_hash);
        table_done(&d->current);
        table_done(&d->next);
        free(d->retired);
        free(d->broken);
        definitions_init(d);
}

/* Its file is still to be set. */
static struct definition *definition_new(struct definitions *d, const struct definition_text *text) {
        size_t name_size = strlen(text->name) + 1, manner_size = job_what_manner_size(text->what, text->what_size);
        size_t command_size = text->what_size - manner_size;
        size_t size = offsetof(struct definition, text) + name_size + command_size;
        struct definition *new = malloc(size > sizeof(*new) ? size : sizeof(*new));

        if (!new)
                return NULL;
        *new = (struct definition){
                .hash = text->hash,
                .when = blobs_take(&d->shared, text->when, text->when_size),
                .manner = blobs_take(&d->shared, text->what, manner_size),
                .command_size = (uint16_t)command_size,
                .state = DEFINITION_NEXT,
        };
        if (!new->when || !new->manner) {
                definition_release(d, new);
                return NULL;
        }
        memcpy(new->text, text->name, name_size);
        memcpy(new->text + name_size, (const char *)text->what + manner_size, command_size);
        return new;
}

void definition_put_what(const struct definition *d, struct pack *p) {
        pack_raw(p, d->manner->data, d->manner->size);
        pack_raw(p, d->text + strlen(d->text) + 1, d->command_size);
}

int definition_decode_what(const struct definition *d, struct job_what *ret) {
        struct pack p = {};

        definition_put_what(d, &p);
        int r = pack_result(&p);
        if (r == 0)
                r = job_what_decode(p.data, p.size, ret);
        pack_done(&p);
        return r;
}

bool definition_is_hosted(const struct definition *d) {
        return job_work_is_hosted(job_what_command_work(d->text + strlen(d->text) + 1, d->command_size));
}

const char *definition_host_name(const struct definition *d, const struct job_what *what) {
        return what->host ? what->host : definition_name(d);
}

int definition_host_hash(const struct definition *d, struct hash128 *ret) {
        struct job_what what;
        int r = definition_decode_what(d, &what);

        if (r < 0)
                return r;
        r = job_host_hash(&what, d->hash, ret);
        job_what_done(&what);
        return r;
}

/* The name is borrowed of what, which is given. */
static int fill_host(const struct definition *d, struct job_what *what, struct wire_define *define) {
        int r = definition_decode_what(d, what);

        if (r < 0)
                return r;
        define->host = definition_host_name(d, what);
        define->host_timeout_us = what->timeout_us;
        define->host_grace_us = what->kill_grace_us;
        define->host_capture_max = what->capture_max;
        return job_host_hash(what, d->hash, &define->host_hash);
}

void definition_put_define(const struct definition *d, struct pack *p) {
        char accepted[JOB_ACCEPTED_MAX];
        struct wire_define define = {
                .hash = d->hash,
                .since_rt_us = d->since_rt_us,
                .since_bt_us = d->since_bt_us,
                .has_trail = d->trail != NULL,
                .name = definition_name(d),
                .when = (const char *)d->when->data,
                .when_size = d->when->size,
                .accepted = accepted,
        };
        struct job_what what = {};

        job_what_print_accepted(d->text + strlen(d->text) + 1, d->command_size, accepted);
        if (d->trail)
                define.trail = *d->trail;
        int r = definition_is_hosted(d) ? fill_host(d, &what, &define) : 0;
        wire_put_define(p, &define);
        if (r == -ENOMEM)
                p->error = r;
        job_what_done(&what);
}

int definitions_add(struct definitions *d, const struct definition_text *text) {
        struct definition *definition = find_hash(&d->by_hash, &text->hash);
        const char *why;

        if (!job_name_is_valid(text->name, &why))
                return -EINVAL;
        if (text->when_size > JOB_WHEN_TEXT_MAX || text->what_size > JOB_WHAT_MAX)
                return -EMSGSIZE;
        if (find_name(&d->next, text->name))
                return -EEXIST;
        if (definition && strcmp(definition_name(definition), text->name) != 0)
                return -EINVAL; /* two definitions of one hash: never by chance */
        if (table_reserve(&d->next, d->next.n + 1, key_of_name) < 0 ||
            table_reserve(&d->by_hash, d->by_hash.n + 1, key_of_hash) < 0)
                return -ENOMEM;
        struct blob *file = blobs_take(&d->shared, text->file, strlen(text->file) + 1);
        if (file && !definition) {
                definition = definition_new(d, text);
                if (definition)
                        table_put(&d->by_hash, definition, key_of_hash);
        }
        if (!file || !definition) {
                blobs_give(&d->shared, file);
                return -ENOMEM;
        }
        blobs_give(&d->shared, definition->file);
        definition->file = file; /* given */
        definition->line = text->line & ((1U << 27) - 1);
        definition->is_next = true;
        table_put(&d->next, definition, key_of_name);
        return 0;
}

static int reserve_retired(struct definitions *d, size_t n) {
        if (n <= d->allocated_retired)
                return 0;
        struct definition **retired = reallocarray(d->retired, n, sizeof(*retired));
        if (!retired)
                return -ENOMEM;
        d->retired = retired;
        d->allocated_retired = n;
        return 0;
}

int definitions_restore(struct definitions *d, const struct definition_text *text, const struct wire_define *define,
                        bool is_retired) {
        const char *why;

        if (!job_name_is_valid(text->name, &why))
                return -EINVAL;
        if (find_hash(&d->by_hash, &text->hash) || (!is_retired && find_name(&d->current, text->name)))
                return -EEXIST;
        if (table_reserve(&d->by_hash, d->by_hash.n + 1, key_of_hash) < 0 ||
            table_reserve(&d->current, d->current.n + 1, key_of_name) < 0 || reserve_retired(d, d->n_retired + 1) < 0)
                return -ENOMEM;
        struct definition *definition = definition_new(d, text);
        if (!definition)
                return -ENOMEM;
        definition->file = blobs_take(&d->shared, text->file, strlen(text->file) + 1);
        if (define->has_trail)
                definition->trail = malloc(sizeof(*definition->trail));
        if (!definition->file || (define->has_trail && !definition->trail)) {
                definition_release(d, definition);
                return -ENOMEM;
        }
        if (define->has_trail)
                *definition->trail = define->trail;
        definition->since_rt_us = define->since_rt_us;
        definition->since_bt_us = define->since_bt_us;
        definition->line = text->line & ((1U << 27) - 1);
        definition->state = is_retired ? DEFINITION_RETIRED : DEFINITION_CURRENT;
        table_put(&d->by_hash, definition, key_of_hash);
        if (is_retired)
                d->retired[d->n_retired++] = definition;
        else
                table_put(&d->current, definition, key_of_name);
        return 0;
}

int definitions_add_broken(struct definitions *d, uint64_t key) {
        if (d->n_broken == d->allocated_broken) {
                size_t allocated = d->allocated_broken ? 2 * d->allocated_broken : 16;
                uint64_t *broken = reallocarray(d->broken, allocated, sizeof(*broken));
                if (!broken)
                        return -ENOMEM;
                d->broken = broken;
                d->allocated_broken = allocated;
        }
        d->broken[d->n_broken++] = key;
        return 0;
}

bool definitions_is_broken(const struct definitions *d, uint64_t key) {
        for (size_t i = 0; i < d->n_broken; i++)
                if (d->broken[i] == key)
                        return true;
        return false;
}

static void forget_next(struct definitions *d) {
        table_done(&d->next);
        free(d->broken);
        d->broken = NULL;
        d->n_broken = d->allocated_broken = 0;
}

void definitions_abandon(struct definitions *d) {
        for (size_t i = 0; i < d->next.allocated; i++) {
                struct definition *definition = d->next.slots[i];
                if (!definition)
                        continue;
                definition->is_next = false;
                if (definition->state == DEFINITION_NEXT)
                        definition_free(d, definition);
        }
        forget_next(d);
}

static int compare_keys(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
        return (x > y) - (x < y);
}

static bool has_broken(const struct definitions *d, uint64_t key) {
        return d->n_broken > 0 && bsearch(&key, d->broken, d->n_broken, sizeof(key), compare_keys);
}

/* All that can fail is done here, so that the swap itself cannot. */
static int prepare_swap(struct definitions *d) {
        if (d->n_broken > 0)
                qsort(d->broken, d->n_broken, sizeof(*d->broken), compare_keys);
        if (table_reserve(&d->next, d->next.n + (d->n_broken > 0 ? d->current.n : 0), key_of_name) < 0)
                return -ENOMEM;
        if (reserve_retired(d, d->n_retired + d->current.n) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < d->current.allocated; i++) {
                struct definition *old = d->current.slots[i];
                if (old && !find_name(&d->next, definition_name(old)) &&
                    (has_broken(d, definitions_file_key(definition_file(old))) || has_broken(d, key_of_name(old))))
                        table_put(&d->next, old, key_of_name);
        }
        return 0;
}

static void take_over(struct definitions *d, struct definition *new, struct clock_sample now, struct definitions_delta *delta) {
        struct definition *old = find_name(&d->current, definition_name(new));

        new->is_next = false;
        if (old == new)
                return;
        if (old) {
                new->since_rt_us = old->since_rt_us;
                new->since_bt_us = old->since_bt_us;
                free(new->trail);
                new->trail = old->trail;
                old->trail = NULL; /* moved */
                delta->n_changed++;
        } else {
                new->since_rt_us = now.rt_us;
                new->since_bt_us = now.bt_us;
                delta->n_added++;
        }
        new->state = DEFINITION_CURRENT;
        new->is_unsent = true;
        new->is_removed = false;
}

/* What is in force again is no longer retired. */
static void compact_retired(struct definitions *d) {
        size_t n = 0;

        for (size_t i = 0; i < d->n_retired; i++)
                if (d->retired[i]->state == DEFINITION_RETIRED)
                        d->retired[n++] = d->retired[i];
        d->n_retired = n;
}

static void retire(struct definitions *d, struct definition *old, bool is_removed) {
        old->state = DEFINITION_RETIRED;
        old->is_removed = old->is_unsent = is_removed;
        d->retired[d->n_retired++] = old;
}

int definitions_swap(struct definitions *d, struct clock_sample now, struct definitions_delta *ret) {
        struct definitions_delta delta = {};

        if (prepare_swap(d) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < d->next.allocated; i++)
                if (d->next.slots[i])
                        take_over(d, d->next.slots[i], now, &delta);
        compact_retired(d);
        for (size_t i = 0; i < d->current.allocated; i++) {
                struct definition *old = d->current.slots[i];
                struct definition *new = old ? find_name(&d->next, definition_name(old)) : NULL;
                if (new == old)
                        continue;
                delta.n_removed += !new;
                retire(d, old, !new);
        }
        table_done(&d->current);
        d->current = d->next;
        d->next = (struct definition_table){};
        forget_next(d);
        *ret = delta;
        return 0;
}

void definitions_purge(struct definitions *d) {
        size_t n = 0;

        for (size_t i = 0; i < d->n_retired; i++) {
                struct definition *old = d->retired[i];
                old->is_unsent = false;
                if (old->n_uses > 0 || old->is_next)
                        d->retired[n++] = old;
                else
                        definition_free(d, old);
        }
        d->n_retired = n;
        if (n == 0) {
                free(d->retired);
                d->retired = NULL;
                d->allocated_retired = 0;
        }
}

struct definition *definitions_by_hash(const struct definitions *d, const struct hash128 *hash) {
        struct definition *found = find_hash(&d->by_hash, hash);

        return found && found->state != DEFINITION_NEXT ? found : NULL;
}

struct definition *definitions_by_name(const struct definitions *d, const char *name) {
        return find_name(&d->current, name);
}

struct definition *definitions_walk(const struct definitions *d, size_t *cursor) {
        while (*cursor < d->current.allocated) {
                struct definition *at = d->current.slots[(*cursor)++];
                if (at)
                        return at;
        }
        return NULL;
}

struct wire_trail *definitions_trail(struct definitions *d, const struct definition *of) {
        struct definition *now = find_name(&d->current, definition_name(of));

        if (now && !now->trail)
                now->trail = calloc(1, sizeof(*now->trail));
        return now ? now->trail : NULL;
}
