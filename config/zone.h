// SPDX-License-Identifier: MIT
// zone: time zones out of TZif files (RFC 9636, versions 1 to 4) with the rule in their footer.
// Pure but for zone_open(), zone_trace() and zone_suggest(), which read files. Instants and civil times are seconds since 1970; a civil time counts
// as if the wall clock were UTC. What lies beyond ±2^60 seconds is taken as that border.
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/hash.h"

#define ZONE_NAME_MAX 255 /* bytes, without the end */

struct zone; /* immutable but for its count, which belongs to one thread at a time */

struct zone_instants {
        int n;
        int64_t utc_s[2];
};

/* Reads a zone: name is one of IANA's ("Europe/Berlin"), "UTC" (needs no file) or NULL for the machine's (/etc/localtime, UTC where
 * there is none; its name is what the link says, else "localtime"). folder NULL: $TZDIR, or else /usr/share/zoneinfo. A link to what is
 * not there is -ENOENT, unless it names UTC.
 * Returns 0 and a zone to be given back with zone_unref(); -EINVAL: no name of a zone (empty, over 255 bytes, ".." and the like);
 * -ENOENT: no such zone; -EBADMSG: damaged data; -ENOTSUP: the data count leap seconds; -ENOMEM or what the file system says. */
int zone_open(const char *folder, const char *name, struct zone **ret);
/* The same from a file's bytes, which are only borrowed, as is the name. Bounds: 1 MiB, 2000 changes, 256 types. */
int zone_parse(const void *data, size_t size, const char *name, struct zone **ret);

/* Where the data are read: name and folder as above. 0, -EINVAL, -ENAMETOOLONG. */
int zone_path(const char *folder, const char *name, char ret[static PATH_MAX]);
/* Calls fn with the links on the way there, and with the file, or with what is missing: as long as none of them changes, neither do
 * the data. Errors of fn end it. 0 or a negative error. */
int zone_trace(const char *folder, const char *name, int (*fn)(void *userdata, const char *path), void *userdata);

struct zone *zone_ref(struct zone *z);
/* Takes NULL, returns NULL. */
struct zone *zone_unref(struct zone *z);

/* Borrowed. */
const char *zone_name(const struct zone *z);
/* Of the data, so that new ones are noticed. */
struct hash128 zone_hash(const struct zone *z);

/* Seconds east of UTC at an instant. ret_is_dst and ret_abbreviation (borrowed from the zone) may be NULL. */
int32_t zone_offset(const struct zone *z, int64_t utc_s, bool *ret_is_dst, const char **ret_abbreviation);
/* The first instant after utc_s at which the offset changes (not only abbreviation or daylight flag); INT64_MAX: never. */
int64_t zone_next_change(const struct zone *z, int64_t utc_s);
/* The instants at which the wall clock shows a civil time. n = 1: the usual case; 2: it shows it twice (a fold), first and second;
 * 0: never (a gap), then utc_s[0] is the instant at which the clock jumps over it. utc_s[1] is meant with n = 2 only. */
struct zone_instants zone_resolve(const struct zone *z, int64_t civil_s);

/* The known zone that may have been meant ("Berlin": "Europe/Berlin"), out of the lists in the folder (NULL as above).
 * Returns 0; -ENOENT: none is near; -ENODATA: there is no list; -ENOMEM or what the file system says. */
int zone_suggest(const char *folder, const char *name, char ret[static ZONE_NAME_MAX + 1]);
