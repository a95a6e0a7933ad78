// SPDX-License-Identifier: MIT
// times: instants in local time and spans, as the screens have them. The zone is the process's (TZ, /etc/localtime).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TIMES_SIZE 64 /* bytes of a buffer for any of them */

/* "Fri 18:00:00" within six days of now, else "2026-11-20 02:30"; "-" for what is no time. All return buf. */
char *times_short(int64_t now_us, int64_t us, char buf[static TIMES_SIZE]);
/* "Mon 2026-11-23 02:30:00 CET"; exact: to the millisecond, where it is not a full second. */
char *times_full(int64_t us, char buf[static TIMES_SIZE]);
char *times_exact(int64_t us, char buf[static TIMES_SIZE]);
/* As short as it can be among instants that are so far apart: "2026-11-20", "Fri", "02:30", "02:30:05". */
char *times_among(int64_t us, int64_t apart_us, char buf[static TIMES_SIZE]);
/* A span in its two largest units: "1d 14h", "41min 3s", "350ms"; a negative one counts as 0. */
char *times_span(int64_t us, char buf[static TIMES_SIZE]);
/* The same for tables, where minutes are enough: "41min". */
char *times_about(int64_t us, char buf[static TIMES_SIZE]);
/* A copy of a sentence in which instants of RFC 3339 in UTC have become local, with date and zone or short; given to the
 * caller. NULL without memory. */
char *times_localize(int64_t now_us, const char *sentence, bool is_full);
/* Of a civil time (microseconds since 1970 as if the wall clock were UTC): "Mon 2026-11-23"; "02:30:00", with a fraction where it has
 * one; as short as it can be "02:30". */
char *times_civil_day(int64_t civil_us, char buf[static TIMES_SIZE]);
char *times_civil_clock(int64_t civil_us, bool is_short, char buf[static TIMES_SIZE]);
/* Reads an instant as timestamp_parse() does, and as systemd.time(7) has them: "now", "today", "yesterday", "tomorrow", "-2h", "2h ago",
 * "+5min", "11:12"; and as the screens print them: "Fri 2026-11-20 02:30:00", or "Fri 02:30:00" for the latest that has passed.
 * 0, or -EINVAL with *ret_why set to static text. */
int times_parse(const char *text, int64_t now_us, int64_t *ret_us, const char **ret_why);
