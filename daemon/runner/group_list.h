// SPDX-License-Identifier: MIT
// group_list: the groups of a generation, for the scheduler: who runs something needs only what the jobs say.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/runner/definitions.h"

#define GROUP_LIST_MAX 100000

/* All texts are owned. */
struct group_text {
        char *name, *description; /* "": none */
        char *file;               /* where it came from */
        uint32_t max_running;     /* 0: no limit */
        bool is_broken;           /* in a reading: it is there, but can't be used */
};

/* Zero-initialise. By name. */
struct group_list {
        struct group_text *list;
        size_t n, allocated;
};

void group_list_done(struct group_list *groups);
/* Takes the texts over, also on failure. Names come in their order. 0, -EINVAL (no name, or out of order), -E2BIG, -ENOMEM. */
int group_list_take(struct group_list *groups, struct group_text *text);
/* What the files say becomes what is in force; what they say with errors stays as it is there, and so does what stood in files that the
 * definitions to come could not be read from. To be called before those are swapped. *ret_has_changed: it is not the same as before.
 * 0, or -ENOMEM: nothing has changed. */
int group_list_swap(struct group_list *current, const struct group_list *read, const struct definitions *next,
                    bool *ret_has_changed);
