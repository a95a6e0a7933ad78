// SPDX-License-Identifier: MIT
// groups: the table of [group NAME]s: what their definitions say, and who holds them. Which jobs are members, their policies say.
// Pure. Groups are named by number, which stays as long as the group is defined or held.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/scheduler/index.h"

#define GROUPS_HELD_MAX 1000 /* groups that are no longer defined whose hold is remembered */

/* A pause of all members. */
struct group_hold {
        bool is_on;
        char *by, *reason;    /* owned; reason may be NULL */
        int64_t at_rt_us;     /* since when */
        int64_t until_bt_us;  /* INT64_MAX: no end */
        int64_t remind_bt_us; /* when it is told again */
};

struct group {
        char *name;           /* owned; NULL: the number is free */
        char *description;    /* owned; NULL: none */
        uint32_t max_running; /* 0: no limit */
        bool is_defined;
        bool is_announced; /* since the last commit: the next three take effect at the next */
        char *next_description;
        uint32_t next_max_running;
        struct group_hold hold; /* it belongs to the name, whatever is defined */
};

/* Zero-initialise. */
struct groups {
        struct group *list;
        size_t n, allocated;
        size_t n_held; /* holds that are on, of groups defined or not */
        struct index by_name;
};

void groups_done(struct groups *g);
/* The group of a name that is defined, held or announced; INDEX_NONE where there is none. */
uint32_t groups_find(const struct groups *g, const char *name);
/* The group is in the list that the next groups_commit() puts into force; a later word on it counts. 0, -ENOMEM. */
int groups_announce(struct groups *g, const char *name, const char *description, uint32_t max_running);
/* What was announced since the last commit is all that there is. */
void groups_commit(struct groups *g);
/* The number of a name, which may be a new one for a hold. 0, -ENOMEM. */
int groups_add(struct groups *g, const char *name, uint32_t *ret);
/* Holds a group, or holds it otherwise. by and reason (NULL: none) are copied. 0, -ENOMEM. */
int groups_hold(struct groups *g, uint32_t group, const char *by, const char *reason, int64_t at_rt_us, int64_t until_bt_us,
                int64_t remind_bt_us);
/* The hold ends; a group that is not defined goes with the next commit. */
void groups_release(struct groups *g, uint32_t group);
