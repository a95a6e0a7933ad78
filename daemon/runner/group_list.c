// SPDX-License-Identifier: MIT
// group_list: two sorted lists are merged into the one that is in force from then on.

#include "daemon/runner/group_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void text_done(struct group_text *text) {
        free(text->name);
        free(text->description);
        free(text->file);
}

void group_list_done(struct group_list *groups) {
        for (size_t i = 0; i < groups->n; i++)
                text_done(&groups->list[i]);
        free(groups->list);
        *groups = (struct group_list){};
}

static int check(const struct group_list *groups, const struct group_text *text) {
        const char *why;

        if (!text->name || !text->description || !text->file)
                return -ENOMEM;
        if (!job_name_is_valid(text->name, &why) ||
            (groups->n > 0 && strcmp(groups->list[groups->n - 1].name, text->name) >= 0))
                return -EINVAL;
        return groups->n < GROUP_LIST_MAX ? 0 : -E2BIG;
}

int group_list_take(struct group_list *groups, struct group_text *text) {
        int r = check(groups, text);

        if (r == 0 && groups->n == groups->allocated) {
                size_t allocated = groups->allocated ? 2 * groups->allocated : 8;
                struct group_text *grown = reallocarray(groups->list, allocated, sizeof(*grown));
                if (grown) {
                        groups->list = grown;
                        groups->allocated = allocated;
                } else
                        r = -ENOMEM;
        }
        if (r == 0)
                groups->list[groups->n++] = *text;
        else
                text_done(text);
        *text = (struct group_text){};
        return r;
}

static int copy(struct group_list *groups, const struct group_text *from) {
        struct group_text text = {
                .name = strdup(from->name),
                .description = strdup(from->description),
                .file = strdup(from->file),
                .max_running = from->max_running,
        };
        return group_list_take(groups, &text);
}

static bool is_same(const struct group_list *a, const struct group_list *b) {
        if (a->n != b->n)
                return false;
        for (size_t i = 0; i < a->n; i++)
                if (strcmp(a->list[i].name, b->list[i].name) != 0 ||
                    strcmp(a->list[i].description, b->list[i].description) != 0 ||
                    a->list[i].max_running != b->list[i].max_running)
                        return false;
        return true;
}

int group_list_swap(struct group_list *current, const struct group_list *read, const struct definitions *next,
                    bool *ret_has_changed) {
        struct group_list merged = {};
        int r = 0;

        for (size_t i = 0, k = 0; r == 0 && (i < current->n || k < read->n);) {
                const struct group_text *old = i < current->n ? &current->list[i] : NULL;
                const struct group_text *new = k < read->n ? &read->list[k] : NULL;
                int order = !old ? 1 : !new ? -1 : strcmp(old->name, new->name);
                bool stays =
                        order < 0 ? definitions_is_broken(next, definitions_file_key(old->file)) : order == 0 && new->is_broken;
                if (stays)
                        r = copy(&merged, old);
                else if (order >= 0 && !new->is_broken)
                        r = copy(&merged, new);
                i += order <= 0;
                k += order >= 0;
        }
        if (r < 0) {
                group_list_done(&merged);
                return r;
        }
        *ret_has_changed = !is_same(current, &merged);
        group_list_done(current);
        *current = merged; /* given */
        return 0;
}
