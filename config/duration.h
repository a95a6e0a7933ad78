// SPDX-License-Identifier: MIT
// duration: time spans as in systemd.time(7), in microseconds.
// Pure: text to number and back.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define USEC_PER_MSEC     INT64_C(1000)
#define USEC_PER_SEC      INT64_C(1000000)
#define USEC_PER_MINUTE   (60 * USEC_PER_SEC)
#define USEC_PER_HOUR     (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY      (24 * USEC_PER_HOUR)
#define DURATION_INFINITY INT64_MAX
/* The longest finite span that is accepted: 100 years of 365.25 days, so that sums with clocks never overflow. */
#define DURATION_MAX (36525 * USEC_PER_DAY)

/* The lower of two spans, instants or keys. */
static inline int64_t duration_lower(int64_t a, int64_t b) {
        return a < b ? a : b;
}

/* Reads a span such as "5s", "1h 30min", "1.5 days", "90" (seconds) or "infinity".
 * Units: us ms s m(in) h d(ays) w(eeks) with systemd's spellings; months and years are refused because their length varies.
 * Returns 0 and sets *ret_us, or a negative error with *ret_why (static text that says what would be right):
 * -EINVAL not a span, -ERANGE over DURATION_MAX. ret_why may be NULL. */
int duration_parse(const char *text, int64_t *ret_us, const char **ret_why);

/* Prints us so that duration_parse() reads it back exactly ("1h 30min", "infinity", "0"). At most 96 bytes with the NUL.
 * Returns buf. */
char *duration_print(int64_t us, char buf[static 96]);
