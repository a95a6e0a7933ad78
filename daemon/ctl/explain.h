// SPDX-License-Identifier: MIT
// explain: an expression of the schedule language, read as people give it, and its next slots with what the clock does to them.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/pattern.h"
#include "config/wall_change.h"
#include "config/zones.h"

#define EXPLAIN_SLOTS_DEFAULT 5
#define EXPLAIN_SLOTS_MAX     1000

struct explain_wish {
        bool is_cron;     /* else it is found out */
        const char *zone; /* of an expression without one; NULL: the machine's */
        enum wall_gap gap;
        enum wall_fold fold;
        int64_t from_us; /* slots after this instant */
        size_t n;        /* how many, 1..EXPLAIN_SLOTS_MAX */
};

struct explanation {
        const char *expression; /* borrowed */
        struct pattern *pattern;
        struct wall wall; /* its zone is owned */
        int64_t *slots;
        size_t n;
        bool has_zone_changes; /* that are still to come */
        bool has_change;
        struct wall_change change; /* the next one after from_us that meets it */
};

/* Reads an expression: a calendar event, or a cron expression where it has five or six fields or is a nickname. It is borrowed as
 * long as the explanation is there. Returns 0; -EINVAL with the error set (a zone that there is not, too); another negative error. */
int explain_read(const char *expression, const struct explain_wish *wish, struct zones *zones, struct explanation *ret,
                 struct pattern_error *ret_error);
/* Takes a zeroed one. */
void explain_done(struct explanation *e);
/* Whether a text could not be the name of a job, nor a pattern of such names: then it is meant as an expression. */
bool explain_is_expression(const char *text);
/* What a change of the clock did to a slot, in two or three words; NULL: nothing. Static. */
const char *explain_note(const struct explanation *e, int64_t slot_us);
/* A sentence on the next change of the clock that meets it, or on none; given to the caller. *ret is NULL where the zone has no
 * changes. 0, -ENOMEM. */
int explain_clock(const struct explanation *e, char **ret);
/* All of it, given to the caller; NULL without memory. */
json_t *explain_json(const struct explanation *e);
