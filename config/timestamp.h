// SPDX-License-Identifier: MIT
// timestamp: points in time for Align= and the tools: "@SECONDS", RFC 3339, "YYYY-MM-DD[ HH:MM[:SS[.ffffff]]][ UTC]".
// Pure but for the zone: a time without offset is in the local zone of the calling process (localtime_r's).
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A time whose zone may not be known yet. */
struct timestamp {
        int64_t us;     /* since 1970 in UTC; or, if is_civil, as if the wall clock were UTC */
        bool is_civil;  /* no offset was written */
        bool has_clock; /* false: a bare date, 00:00 of it */
};

/* Reads text without asking for a zone. Returns 0, or -EINVAL with *ret_why set to static text. Range: 1970 to 2262. */
int timestamp_read(const char *text, struct timestamp *ret, const char **ret_why);
/* Reads text as realtime microseconds since 1970. Returns 0, or -EINVAL with *ret_why set to static text. Range: 1970 to 2262. */
int timestamp_parse(const char *text, int64_t *ret_rt_us, const char **ret_why);
/* Prints rt_us as RFC 3339 in UTC, fraction only where it is not 0 ("2026-11-21T02:30:00Z"). At most 40 bytes. Returns buf. */
char *timestamp_print_utc(int64_t rt_us, char buf[static 40]);
/* Prints a civil time as "2026-11-21 02:30", seconds and their fraction only where they are not 0. At most 40 bytes. Returns buf. */
char *timestamp_print_civil(int64_t civil_us, char buf[static 40]);
