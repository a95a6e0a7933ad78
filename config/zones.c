// SPDX-License-Identifier: MIT
// zones: remembers the time zones that were asked for last. A wrong name is remembered with its answer, too: looking for a near one
// reads a list of them all.

#include "config/zones.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct zones_entry {
        char *name;        /* NULL: the machine's */
        struct zone *zone; /* NULL: why not */
        char *why;
};

static void entry_done(struct zones_entry *e) {
        free(e->name);
        zone_unref(e->zone);
        free(e->why);
}

void zones_done(struct zones *zones) {
        for (size_t i = 0; i < zones->n; i++)
                entry_done(&zones->list[i]);
        free(zones->list);
        *zones = (struct zones){.folder = zones->folder};
}

static int explain_unknown(const char *folder, const char *name, const char *path, char **ret) {
        char near[ZONE_NAME_MAX + 1];
        int r = zone_suggest(folder, name, near), n;

        if (r == -ENODATA)
                n = asprintf(ret, "\"%.64s\" is no time zone here, and there is no list of them: is tzdata installed?", name);
        else if (r == 0 && strcmp(near, name) == 0)
                n = asprintf(ret, "the data of the time zone %.64s are missing: there is no %.300s", name, path);
        else if (r == 0)
                n = asprintf(ret, "\"%.64s\" is no time zone; did you mean %s?", name, near);
        else
                n = asprintf(ret, "\"%.64s\" is no time zone, such as Europe/Berlin or UTC", name);
        return n < 0 ? -ENOMEM : 0;
}

/* The text about a zone that can't be opened (name NULL: the machine's), or the error itself where it says nothing of the zone. */
static int explain(const char *folder, const char *name, int error, char **ret) {
        const char *words = name ? name : "of the machine";
        char path[PATH_MAX] = "";
        int n;

        (void)zone_path(folder, name, path);
        switch (error) {
        case -EINVAL:
        case -ENOENT:
                if (name)
                        return explain_unknown(folder, name, path, ret);
                n = asprintf(ret, "the data of the time zone %s are missing: %.300s is a link to nothing", words, path);
                break;
        case -ENOMEM:
        case -EMFILE:
        case -ENFILE:
                return error;
        case -EBADMSG:
                n = asprintf(ret, "the data of the time zone %.64s are damaged (%.300s)", words, path);
                break;
        case -ENOTSUP:
                n = asprintf(ret, "the time zone %.64s counts leap seconds, which the clock does not (%.300s)", words, path);
                break;
        default:
                n = asprintf(ret, "the time zone %.64s can't be read (%.300s): %s", words, path, strerror(-error));
        }
        return n < 0 ? -ENOMEM : 0;
}

static int entry_fill(const char *folder, const char *name, struct zones_entry *ret) {
        struct zones_entry e = {.name = name ? strdup(name) : NULL};
        int r = name && !e.name ? -ENOMEM : zone_open(folder, name, &e.zone);

        if (r < 0)
                r = explain(folder, name, r, &e.why);
        if (r < 0) {
                entry_done(&e);
                return r;
        }
        *ret = e;
        return 0;
}

static struct zones_entry *find(struct zones *zones, const char *name) {
        for (size_t i = 0; i < zones->n; i++) {
                const char *known = zones->list[i].name;
                if (name && known ? strcmp(known, name) == 0 : name == known)
                        return &zones->list[i];
        }
        return NULL;
}

static int add(struct zones *zones, const char *name, struct zones_entry **ret) {
        struct zones_entry e;

        if (!zones->list)
                zones->list = calloc(ZONES_MAX, sizeof(*zones->list));
        int r = zones->list ? entry_fill(zones->folder, name, &e) : -ENOMEM;
        if (r < 0)
                return r;
        struct zones_entry *place = &zones->list[zones->n];
        if (zones->n < ZONES_MAX)
                zones->n++;
        else {
                place = &zones->list[zones->oldest];
                zones->oldest = (zones->oldest + 1) % ZONES_MAX;
                entry_done(place);
        }
        *place = e;
        *ret = place;
        return 0;
}

int zones_find(struct zones *zones, const char *name, struct zone **ret, char ret_why[static ZONE_WHY_MAX]) {
        struct zones_entry *e = find(zones, name);
        int r = e ? 0 : add(zones, name, &e);

        if (r < 0)
                return r;
        if (!e->zone) {
                snprintf(ret_why, ZONE_WHY_MAX, "%s", e->why);
                return 1;
        }
        *ret = zone_ref(e->zone);
        return 0;
}

const char *zones_get(const struct zones *zones, size_t i, const struct zone **ret) {
        *ret = zones->list[i].zone;
        return zones->list[i].name;
}

int zones_find_for_agendas(void *zones, const char *name, struct zone **ret, char ret_why[static ZONE_WHY_MAX]) {
        return zones_find(zones, name, ret, ret_why);
}
