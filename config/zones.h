// SPDX-License-Identifier: MIT
// zones: remembers the time zones that were asked for last, so that a thousand jobs of one zone read it once; and says of a name
// that is none what was probably meant.
#pragma once

#include "config/zone.h"

#define ZONES_MAX    1024 /* more than there are; the oldest ones are forgotten */
#define ZONE_WHY_MAX 600  /* bytes of a reason, with the end */

/* Zero-initialise (folder as in zone_open()); zones_done() frees. */
struct zones {
        const char *folder;
        struct zones_entry *list;
        size_t n, oldest;
};

void zones_done(struct zones *zones);
/* Finds a zone as zone_open() does; a NULL name is the machine's. Returns 0 and a zone to be given back with zone_unref(); 1 if
 * there is none of that name or its data are not understood, with a text that says so in ret_why; or a negative error where
 * nothing can be read at present (-ENOMEM, -EMFILE, -ENFILE). */
int zones_find(struct zones *zones, const char *name, struct zone **ret, char ret_why[static ZONE_WHY_MAX]);
/* Those that are remembered: i < zones->n. Returns the name that was asked for, NULL: the machine's; *ret the zone, NULL: there is
 * none. Both are borrowed until the next call of zones_find(). */
const char *zones_get(const struct zones *zones, size_t i, const struct zone **ret);
/* zones_find() for struct agendas: zones is a struct zones. */
int zones_find_for_agendas(void *zones, const char *name, struct zone **ret, char ret_why[static ZONE_WHY_MAX]);
