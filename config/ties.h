// SPDX-License-Identifier: MIT
// ties: what ties a job to others: the groups that it is a member of, and the jobs that follow it or that it follows.
// Pure.
#pragma once

#include <stddef.h>

#include "config/intern.h"

#define TIES_MAX 64 /* names of one job */

enum tie_kind {
        TIE_MEMBER,     /* MemberOf=: names a group, in the order of their defaults */
        TIE_ON_SUCCESS, /* written in the parent: names a job that follows */
        TIE_ON_FAILURE,
        TIE_ON_END,
        TIE_ON_RECOVERY,
        TIE_ON_MISSED,
        TIE_ON_FINISHED,
        TIE_ON_SUCCESS_OF, /* written in the child: names a job that it follows */
        TIE_ON_FAILURE_OF,
        TIE_ON_END_OF,
        TIE_KIND_MAX
};

struct tie {
        enum tie_kind kind;
        const char *name;
};

/* The same pointer for the same content; immutable. By kind, those of groups in the order in which they were given, else by name; each once. */
struct ties {
        struct interned interned;
        size_t n;
        char *text; /* its keys as canonical "Key=NAME NAME\n" text */
        struct tie list[];
};

/* The key that a kind is written as ("OnSuccess"). */
const char *tie_kind_to_string(enum tie_kind kind);
/* The kind of a key, or TIE_KIND_MAX. */
enum tie_kind tie_kind_from_string(const char *key);

/* Makes one of 1..TIES_MAX ties, which are sorted in place and whose names are copied, or finds the equal one that is there. 0 and one to be given
 * back with ties_unref(); -ENOMEM. */
int ties_compile(struct interner *table, struct tie *list, size_t n, const struct ties **ret);
const struct ties *ties_ref(const struct ties *t);
/* Takes NULL, returns NULL. */
const struct ties *ties_unref(const struct ties *t);
