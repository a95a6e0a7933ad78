// SPDX-License-Identifier: MIT
// zone_internal: what a zone is made of: the table of its changes, then the rule that goes on for ever.
// For the files zone*.c only.
#pragma once

#include "config/zone.h"

#define ZONE_BORDER           (INT64_C(1) << 60)
#define ZONE_FILE_MAX         (1 << 20)
#define ZONE_ABBREVIATION_MAX 15
#define ZONE_OFFSET_MIN       (-89999) /* RFC 9636: more than 25 h west */
#define ZONE_OFFSET_MAX       93599    /* and less than 26 h east is no offset */

struct zone_type {
        int32_t offset_s; /* east of UTC */
        bool is_dst;
        char abbreviation[ZONE_ABBREVIATION_MAX + 1];
};

enum zone_day_form {
        ZONE_DAY_JULIAN,  /* Jn: 1..365, February 29 is never counted */
        ZONE_DAY_ORDINAL, /* n: 0..365 */
        ZONE_DAY_WEEKDAY, /* Mm.w.d: weekday d of week w of month m, week 5 is the last */
};

struct zone_day {
        enum zone_day_form form;
        int day, month, week, weekday;
        int32_t time_s; /* from that day's 00:00; -167 h to 167 h */
};

struct zone_rule {
        bool has_daylight;
        struct zone_type standard, daylight;
        struct zone_day begin, end; /* of daylight */
};

/* A stretch of time without any change: from begin_s until before end_s. */
struct zone_span {
        int64_t begin_s, end_s; /* INT64_MIN, INT64_MAX: no border */
        const struct zone_type *type;
};

struct zone_change {
        int64_t at_s;
        uint8_t type; /* from then on */
};

struct zone {
        unsigned refs;
        struct hash128 hash;
        int32_t offset_min_s, offset_max_s; /* of all types */
        bool has_rule;
        struct zone_rule rule; /* from the last change on */
        size_t n_changes, n_types;
        struct zone_change *changes;
        struct zone_type *types; /* the first holds before the first change */
        char name[];
};

/* Reads a POSIX TZ string with RFC 9636's extensions. A rule that never leaves daylight time becomes one without change.
 * Returns 0 or -EBADMSG. */
int zone_rule_parse(const char *text, size_t size, struct zone_rule *ret);
/* The stretch in which an instant lies; the type is borrowed from the rule. */
struct zone_span zone_rule_span(const struct zone_rule *r, int64_t utc_s);
