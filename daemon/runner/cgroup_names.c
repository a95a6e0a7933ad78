// SPDX-License-Identifier: MIT
// cgroup_names: which cgroups of runs there are.
// Those that no run uses are in a list, the one used last first. A table of all finds them by name.

#include "daemon/runner/cgroup_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/util.h"

#define BUCKETS_MIN 64

static size_t hash_name(const char *name) {
        uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */

        for (; *name; name++)
                h = (h ^ (uint8_t)*name) * UINT64_C(1099511628211);
        return (size_t)(h ^ h >> 32);
}

static struct cgroup_entry **find_place(const struct cgroup_names *names, const char *name) {
        struct cgroup_entry **at = &names->buckets[hash_name(name) % names->n_buckets];

        while (*at && strcmp((*at)->name, name) != 0)
                at = &(*at)->next;
        return at;
}

struct cgroup_entry *cgroup_names_find(const struct cgroup_names *names, const char *name) {
        return names->n_buckets > 0 ? *find_place(names, name) : NULL;
}

/* Takes one that no run uses out of the list. */
static void unlink_kept(struct cgroup_names *names, struct cgroup_entry *e) {
        *(e->newer ? &e->newer->older : &names->newest) = e->older;
        *(e->older ? &e->older->newer : &names->oldest) = e->newer;
        e->newer = e->older = NULL;
        names->n_kept--;
}

static struct cgroup_entry *entry_free(struct cgroup_entry *e) {
        cgroup_close(&e->cgroup);
        free(e);
        return NULL;
}

void cgroup_names_done(struct cgroup_names *names) {
        for (size_t i = 0; i < names->n_buckets; i++)
                while (names->buckets[i]) {
                        struct cgroup_entry *e = names->buckets[i];
                        names->buckets[i] = e->next;
                        entry_free(e);
                }
        free(names->buckets);
        *names = (struct cgroup_names){};
}

/* Keeps as many buckets as entries. */
static int make_room(struct cgroup_names *names) {
        struct cgroup_names larger = {.n_buckets = names->n_buckets ? 2 * names->n_buckets : BUCKETS_MIN};

        if (names->n < names->n_buckets)
                return 0;
        larger.buckets = calloc(larger.n_buckets, sizeof(*larger.buckets));
        if (!larger.buckets)
                return -ENOMEM;
        for (size_t i = 0; i < names->n_buckets; i++)
                while (names->buckets[i]) {
                        struct cgroup_entry *e = names->buckets[i], **at = find_place(&larger, e->name);
                        names->buckets[i] = e->next;
                        e->next = NULL;
                        *at = e;
                }
        free(names->buckets);
        names->buckets = larger.buckets;
        names->n_buckets = larger.n_buckets;
        return 0;
}

int cgroup_names_add(struct cgroup_names *names, const char *name, struct cgroup_entry **ret) {
        struct cgroup_entry *e = make_room(names) < 0 ? NULL : malloc(sizeof(*e));

        if (!e)
                return -ENOMEM;
        *e = (struct cgroup_entry){.cgroup = CGROUP_NONE, .is_used = true};
        strcpy(e->name, name);
        *find_place(names, name) = e;
        names->n++;
        *ret = e;
        return 0;
}

/* Whether a run may begin in it. One whose processes outlive their run, or which nobody can look at, may not; else it is made anew. */
static bool is_free(const struct cgroup_entry *e) {
        return !e->is_used && (!e->is_suspect || (e->cgroup.dir_fd >= 0 && cgroup_is_empty(&e->cgroup)));
}

int cgroup_names_take(struct cgroup_names *names, const char *job, struct cgroup_entry **ret) {
        char name[CGROUP_NAME_MAX];

        for (unsigned n = 1;; n++) {
                snprintf(name, sizeof(name), "%.*s@%u", JOB_NAME_MAX, job, n);
                struct cgroup_entry *e = cgroup_names_find(names, name);
                if (!e)
                        return cgroup_names_add(names, name, ret);
                if (!is_free(e))
                        continue;
                unlink_kept(names, e);
                e->is_used = true;
                *ret = e;
                return 0;
        }
}

void cgroup_names_give(struct cgroup_names *names, struct cgroup_entry *e) {
        e->is_used = false;
        e->older = names->newest;
        *(e->older ? &e->older->newer : &names->oldest) = e;
        names->newest = e;
        names->n_kept++;
}

static bool is_gone(const struct cgroup_entry *e, bool (*is_there)(void *userdata, const char *job), void *userdata) {
        char job[CGROUP_NAME_MAX];

        strcpy(job, e->name);
        job[strcspn(job, "@")] = '\0';
        return !is_there(userdata, job);
}

bool cgroup_names_drop(struct cgroup_names *names, bool (*is_there)(void *userdata, const char *job), void *userdata,
                       char name[static CGROUP_NAME_MAX]) {
        struct cgroup_entry *e = names->oldest;

        while (names->n_kept <= CGROUP_KEPT_MAX && e && (!is_there || !is_gone(e, is_there, userdata)))
                e = e->newer;
        if (!e)
                return false;
        unlink_kept(names, e);
        *find_place(names, e->name) = e->next;
        names->n--;
        strcpy(name, e->name);
        entry_free(e);
        return true;
}
