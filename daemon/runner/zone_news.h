// SPDX-License-Identifier: MIT
// zone_news: which time zones are others than at the reading before.
// Pure. A zone is a line "NAME FOUND HASH": the name that was asked for, that of the zone found, and the hash of its data; "/" stands
// for the machine's, and for none found.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/zone.h"
#include "daemon/core/wire.h"

#define ZONE_LINE_MAX (2 * (ZONE_NAME_MAX + 1) + 33) /* bytes, with the end */

/* The line of a zone; name NULL: the machine's; zone NULL: none. */
void zone_line_print(const char *name, const struct zone *zone, char ret[static ZONE_LINE_MAX]);

/* Compares the lines of two readings, and says in words for people what has changed: "" where nothing has. Zones of which one of them
 * knows nothing are no news. Returns true where one is found again that was not. */
bool zone_news(const char *const *before, size_t n_before, const char *const *after, size_t n_after,
               char ret_why[static WIRE_WHY_MAX]);
