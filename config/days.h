// SPDX-License-Identifier: MIT
// days: on which days the slots of a job may run: its Only= and Except=, with the days of the calendars that they name, in its zone.
// Pure: zones are found by the function of struct agendas.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/agenda.h"
#include "config/hash.h"
#include "config/zones.h"

#define DAYS_CALENDARS_MAX 16   /* of one job */
#define DAYS_TEXT_MAX      6000 /* bytes of all of them together, printed */
#define DAYS_NEVER         INT64_MAX

struct days; /* the same pointer for the same content; immutable */

/* What it is made of. Zero-initialise. */
struct days_draft {
        char *calendars[DAYS_CALENDARS_MAX]; /* "NAME: DAYS", owned */
        bool is_except[DAYS_CALENDARS_MAX];
        size_t n, size;
        char zone[ZONE_NAME_MAX + 1]; /* "": the machine's */
};

void days_draft_done(struct days_draft *draft);
/* Adds a calendar "NAME: DAYS", the days as day_list_text() has them; it is copied. 0; 1: there are DAYS_CALENDARS_MAX, or DAYS_TEXT_MAX
 * bytes, already; -ENOMEM. */
int days_draft_add(struct days_draft *draft, bool is_except, const char *calendar);

/* Compiles a draft of at least one calendar, or finds the equal one that is there. Returns 0 and one to be given back with days_unref(); 1 where
 * the zone can't be found, with the reason; -EBADMSG where a calendar is not what the draft asks for; -ENOMEM and the like. */
int days_compile(struct agendas *agendas, const struct days_draft *draft, const struct days **ret,
                 char ret_why[static ZONE_WHY_MAX]);

const struct days *days_ref(const struct days *d);
/* Takes NULL, returns NULL. */
const struct days *days_unref(const struct days *d);

/* Whether slots at an instant (microseconds since 1970, UTC) may run; and the first instant after it from which that may be different, or
 * DAYS_NEVER. Cheap: it can be asked for each slot. */
bool days_is_open(const struct days *d, int64_t rt_us, int64_t *ret_until_us);
/* The calendar that closes an instant: the first of Except= that has its day, else, where none of Only= has it, the first of those. NULL: the
 * instant is open. Borrowed. */
const char *days_which(const struct days *d, int64_t rt_us);

/* Its keys as canonical "Key=NAME: DAYS\n" text without the zone, and for people ("only on workdays, not on holidays"). Borrowed. */
const char *days_text(const struct days *d);
const char *days_words(const struct days *d);
/* The name of its zone; NULL: the machine's, which has none. Borrowed. */
const char *days_zone(const struct days *d);
/* Of text and zone and the zone's data: what it comes to. */
struct hash128 days_hash(const struct days *d);
