// SPDX-License-Identifier: MIT
// groups: definitions come as a whole list each time, so that what is not in it need not be told.

#include "daemon/scheduler/groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t name_hash(const char *name) {
        uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a: names of root's files */
        for (; *name; name++)
                hash = (hash ^ (uint8_t)*name) * UINT64_C(1099511628211);
        return hash;
}

static uint64_t row_hash(const void *table, uint32_t group) {
        return name_hash(((const struct groups *)table)->list[group].name);
}

static bool row_equal(const void *table, uint32_t group, const void *wanted) {
        return strcmp(((const struct groups *)table)->list[group].name, wanted) == 0;
}

static void clear_hold(struct group_hold *hold) {
        free(hold->by);
        free(hold->reason);
        *hold = (struct group_hold){0};
}

static void clear(struct group *group) {
        free(group->name);
        free(group->description);
        free(group->next_description);
        clear_hold(&group->hold);
        *group = (struct group){0};
}

void groups_done(struct groups *g) {
        for (size_t i = 0; i < g->n; i++)
                clear(&g->list[i]);
        free(g->list);
        index_done(&g->by_name);
        *g = (struct groups){0};
}

uint32_t groups_find(const struct groups *g, const char *name) {
        return index_find(&g->by_name, name_hash(name), row_equal, g, name);
}

static uint32_t free_number(const struct groups *g) {
        uint32_t group = 0;
        while (group < g->n && g->list[group].name)
                group++;
        return group;
}

int groups_add(struct groups *g, const char *name, uint32_t *ret) {
        uint32_t group = groups_find(g, name);
        if (group != INDEX_NONE) {
                *ret = group;
                return 0;
        }
        group = g->by_name.n < g->n ? free_number(g) : (uint32_t)g->n;
        if (group == g->allocated) {
                size_t n = g->allocated * 2 + 8;
                struct group *p = realloc(g->list, n * sizeof(*p));
                if (!p)
                        return -ENOMEM;
                g->list = p;
                g->allocated = n;
        }
        char *copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        g->list[group] = (struct group){.name = copy};
        if (index_add(&g->by_name, name_hash(name), group, row_hash, g) < 0) {
                clear(&g->list[group]);
                return -ENOMEM;
        }
        if (group == g->n)
                g->n++;
        *ret = group;
        return 0;
}

static void drop(struct groups *g, uint32_t group) {
        index_remove(&g->by_name, row_hash(g, group), group, row_hash, g);
        clear(&g->list[group]);
}

int groups_announce(struct groups *g, const char *name, const char *description, uint32_t max_running) {
        char *copy = description ? strdup(description) : NULL;
        uint32_t number;
        int r = description && !copy ? -ENOMEM : groups_add(g, name, &number);
        if (r < 0) {
                free(copy);
                return r;
        }
        struct group *group = &g->list[number];
        free(group->next_description);
        group->next_description = copy;
        group->next_max_running = max_running;
        group->is_announced = true;
        return 0;
}

void groups_commit(struct groups *g) {
        size_t n_undefined = 0;
        for (uint32_t i = 0; i < g->n; i++) {
                struct group *group = &g->list[i];
                if (!group->name)
                        continue;
                free(group->description);
                group->description = group->next_description;
                group->max_running = group->next_max_running;
                group->is_defined = group->is_announced;
                group->next_description = NULL;
                group->next_max_running = 0;
                group->is_announced = false;
                if (!group->is_defined && group->hold.is_on && ++n_undefined > GROUPS_HELD_MAX)
                        groups_release(g, i);
                if (!group->is_defined && !group->hold.is_on)
                        drop(g, i);
        }
}

int groups_hold(struct groups *g, uint32_t group, const char *by, const char *reason, int64_t at_rt_us, int64_t until_bt_us,
                int64_t remind_bt_us) {
        struct group_hold *hold = &g->list[group].hold;
        struct group_hold next = {
                .is_on = true,
                .by = strdup(by),
                .reason = reason ? strdup(reason) : NULL,
                .at_rt_us = at_rt_us,
                .until_bt_us = until_bt_us,
                .remind_bt_us = remind_bt_us,
        };
        if (!next.by || (reason && !next.reason)) {
                clear_hold(&next);
                return -ENOMEM;
        }
        g->n_held += !hold->is_on;
        clear_hold(hold);
        *hold = next;
        return 0;
}

void groups_release(struct groups *g, uint32_t group) {
        if (g->list[group].hold.is_on)
                g->n_held--;
        clear_hold(&g->list[group].hold);
}
