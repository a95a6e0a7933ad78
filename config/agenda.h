// SPDX-License-Identifier: MIT
// agenda: all OnCalendar= and Cron= of a job, in their zones, and the grid of its Every= beside them, as one row of instants; equal ones
// are kept once.
// Pure: zones are found by a function that is given.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "config/hash.h"
#include "config/intern.h"
#include "config/pattern.h"
#include "config/wall_grid.h"
#include "config/zones.h"

#define AGENDA_LINES_MAX 32      /* expressions of one job */
#define AGENDA_TEXT_MAX  3600    /* bytes of all of them together, printed */
#define AGENDA_STEP_MIN  1000    /* µs between the slots of one expression */
#define AGENDA_WALK_MAX  1000000 /* slots of several expressions that are passed in one call */

struct agenda;

/* The agendas of a process, the days that they are kept to and the ties between jobs, each once. Zero-initialise but for the function; belongs to one thread, and to all agendas from it: it
 * stays where it is as long as there is one. */
struct agendas {
        /* As zones_find(): 0; 1 with a reason; a negative error. */
        int (*find_zone)(void *userdata, const char *name, struct zone **ret, char ret_why[static ZONE_WHY_MAX]);
        void *userdata;
        struct interner table, days, ties; /* the others: of days.c and ties.c */
};

/* Frees the table; all that is in it must have been given back. */
void agendas_done(struct agendas *agendas);

/* What an agenda is made of. Zero-initialise. */
struct agenda_draft {
        struct pattern *patterns[AGENDA_LINES_MAX]; /* owned */
        bool is_cron[AGENDA_LINES_MAX];
        size_t n;
        size_t size;                  /* bytes of their texts */
        char zone[ZONE_NAME_MAX + 1]; /* of those that name none; "": the machine's */
        uint8_t gap, fold;            /* enum wall_gap, enum wall_fold */
        bool days_and;                /* how the crontab lines were read */
        bool has_grid;                /* a grid is counted on the clock of `zone` */
};

void agenda_draft_done(struct agenda_draft *draft);
/* Adds an expression, which is taken, also on failure. 0; 1: there are AGENDA_LINES_MAX, or AGENDA_TEXT_MAX bytes, already. */
int agenda_draft_add(struct agenda_draft *draft, struct pattern *pattern, bool is_cron);

/* Compiles a draft of at least one expression or a grid, which is emptied of them, or finds the equal one that is there. Returns 0 and an agenda to be
 * given back with agenda_unref(); 1 where a zone can't be found, with the reason; -ENOMEM and the like. */
int agenda_compile(struct agendas *agendas, struct agenda_draft *draft, const struct agenda **ret,
                   char ret_why[static ZONE_WHY_MAX]);

const struct agenda *agenda_ref(const struct agenda *a);
/* Takes NULL, returns NULL. */
const struct agenda *agenda_unref(const struct agenda *a);

/* Its keys as canonical "Key=value\n" text, and in one line for people ("Mon..Fri 02:30 Europe/Berlin"). Borrowed. */
const char *agenda_text(const struct agenda *a);
const char *agenda_words(const struct agenda *a);
/* The name of the zone that its grid is counted in ("localtime": the machine's has none), NULL where it is for no such grid. Borrowed. */
const char *agenda_grid_zone(const struct agenda *a);
/* Of its text and the data of its zones: what it comes to. */
struct hash128 agenda_hash(const struct agenda *a);
/* True if there are minutes with more than one slot of one expression. */
bool agenda_is_fast(const struct agenda *a);

/* The first slot after an instant (microseconds since 1970, UTC), or PATTERN_NEVER. A grid (NULL or every_us 0: none) is in its row; it is
 * a parameter, for commands change it. A civil one is for an agenda that was compiled for one. */
int64_t agenda_next(const struct agenda *a, const struct wall_grid *grid, int64_t after_us);

/* A slot and its number, counted from any slot on. */
struct agenda_slot {
        int64_t key, us;
};
/* Moves on to the last slot that is neither behind until_key nor after until_us; the instant PATTERN_NEVER stands for all keys behind the last
 * slot there is. Whole days and months are counted where there is one expression, and the slots of a grid up to the next one of an
 * expression; else at most AGENDA_WALK_MAX slots are passed in one call. The slot's key is -1 or greater. */
void agenda_advance(const struct agenda *a, const struct wall_grid *grid, struct agenda_slot *slot, int64_t until_key,
                    int64_t until_us);
