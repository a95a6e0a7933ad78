// SPDX-License-Identifier: MIT
// ties: what ties a job to others. Equal ones are kept once; one allocation has the text and all names.

#include "config/ties.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/hash.h"
#include "config/pack.h"

static const uint8_t text_key[16] = "chimed ties";

static const char *const keys[TIE_KIND_MAX] = {
        [TIE_MEMBER] = "MemberOf",        [TIE_ON_SUCCESS] = "OnSuccess",      [TIE_ON_FAILURE] = "OnFailure",
        [TIE_ON_END] = "OnEnd",           [TIE_ON_RECOVERY] = "OnRecovery",    [TIE_ON_MISSED] = "OnMissed",
        [TIE_ON_FINISHED] = "OnFinished", [TIE_ON_SUCCESS_OF] = "OnSuccessOf", [TIE_ON_FAILURE_OF] = "OnFailureOf",
        [TIE_ON_END_OF] = "OnEndOf",
};

const char *tie_kind_to_string(enum tie_kind kind) {
        return keys[kind];
}

enum tie_kind tie_kind_from_string(const char *key) {
        enum tie_kind kind = 0;

        while (kind < TIE_KIND_MAX && strcmp(keys[kind], key) != 0)
                kind++;
        return kind;
}

static int compare(const struct tie *a, const struct tie *b) {
        if (a->kind != b->kind)
                return a->kind < b->kind ? -1 : 1;
        return a->kind == TIE_MEMBER ? 0 : strcmp(a->name, b->name);
}

static bool has(const struct tie *list, size_t n, const struct tie *wanted) {
        for (size_t i = 0; i < n; i++)
                if (list[i].kind == wanted->kind && strcmp(list[i].name, wanted->name) == 0)
                        return true;
        return false;
}

/* By insertion: stable, and the list is short. Returns how many are left. */
static size_t sort(struct tie *list, size_t n) {
        size_t n_sorted = 0;

        for (size_t i = 0; i < n; i++) {
                struct tie tie = list[i];
                if (has(list, n_sorted, &tie))
                        continue;
                size_t at = n_sorted++;
                for (; at > 0 && compare(&tie, &list[at - 1]) < 0; at--)
                        list[at] = list[at - 1];
                list[at] = tie;
        }
        return n_sorted;
}

static void put(struct pack *p, const char *text) {
        pack_raw(p, text, strlen(text));
}

static int print(const struct tie *list, size_t n, struct pack *p) {
        for (size_t i = 0; i < n; i++) {
                bool is_first = i == 0 || list[i - 1].kind != list[i].kind,
                     is_last = i + 1 == n || list[i + 1].kind != list[i].kind;
                if (is_first)
                        put(p, keys[list[i].kind]);
                put(p, is_first ? "=" : " ");
                put(p, list[i].name);
                if (is_last)
                        put(p, "\n");
        }
        return pack_result(p);
}

/* The names lie behind the text. */
static struct ties *make(const struct pack *text, const struct tie *list, size_t n) {
        struct ties *t = malloc(sizeof(*t) + n * sizeof(t->list[0]) + 2 * (text->size + 1));

        if (!t)
                return NULL;
        *t = (struct ties){.n = n, .text = (char *)&t->list[n]};
        memcpy(t->text, text->data, text->size);
        t->text[text->size] = 0;
        char *at = t->text + text->size + 1;
        for (size_t i = 0; i < n; i++) {
                t->list[i] = (struct tie){.kind = list[i].kind, .name = strcpy(at, list[i].name)};
                at += strlen(at) + 1;
        }
        return t;
}

int ties_compile(struct interner *table, struct tie *list, size_t n, const struct ties **ret) {
        struct pack text = {};
        struct ties *t = NULL;

        n = sort(list, n);
        int r = print(list, n, &text);
        struct hash128 hash = r == 0 ? hash_128(text_key, text.data, text.size) : (struct hash128){};
        const struct ties *known = r == 0 ? (const struct ties *)intern_find(table, &hash) : NULL;
        if (r == 0 && !known) {
                t = make(&text, list, n);
                if (t)
                        t->interned.hash = hash;
                r = t ? intern_add(table, &t->interned) : -ENOMEM;
                if (r < 0)
                        free(t);
        }
        pack_done(&text);
        if (r == 0)
                *ret = known ? known : t;
        return r;
}

const struct ties *ties_ref(const struct ties *t) {
        ((struct ties *)t)->interned.uses++;
        return t;
}

const struct ties *ties_unref(const struct ties *t) {
        struct ties *gone = (struct ties *)t;

        if (gone && intern_release(&gone->interned))
                free(gone);
        return NULL;
}
