// SPDX-License-Identifier: MIT
// days: on which days the slots of a job may run. Compiled to one bit for each day there is, once for all jobs that say the same: so what is
// asked for each slot is a look at a bit, whatever the calendars are made of.

#include "config/days.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/civil.h"
#include "config/day_list.h"
#include "config/job.h"
#include "config/pack.h"

#define USEC_PER_SEC INT64_C(1000000)
#define WORD_BITS    64
#define NO_DAY       INT64_MAX

/* What Only= or Except= names. */
struct member {
        bool is_except;
        char *name;
        struct day_list days;
};

struct days {
        struct interned interned;
        char *text, *words;
        struct zone *zone;
        bool is_open_outside;          /* on days that no calendar can have */
        int64_t last_change;           /* from this day on, all are alike */
        uint64_t open[DAY_LIST_WORDS]; /* bit 0 is 1970-01-01; those of no day are like is_open_outside */
        size_t n;
        struct member calendars[];
};

static const uint8_t text_key[16] = "chimed days";

/* ---- drafts ---- */

void days_draft_done(struct days_draft *draft) {
        for (size_t i = 0; i < draft->n; i++)
                free(draft->calendars[i]);
        draft->n = draft->size = 0;
}

int days_draft_add(struct days_draft *draft, bool is_except, const char *calendar) {
        size_t size = strlen(calendar) + sizeof("Except=\n");

        if (draft->n == DAYS_CALENDARS_MAX || draft->size + size > DAYS_TEXT_MAX)
                return 1;
        draft->calendars[draft->n] = strdup(calendar);
        if (!draft->calendars[draft->n])
                return -ENOMEM;
        draft->is_except[draft->n++] = is_except;
        draft->size += size;
        return 0;
}

/* ---- texts ---- */

static void put(struct pack *p, const char *text) {
        pack_raw(p, text, strlen(text));
}

static void put_keys(struct pack *p, const struct days_draft *draft, bool is_except) {
        for (size_t i = 0; i < draft->n; i++)
                if (draft->is_except[i] == is_except) {
                        put(p, is_except ? "Except=" : "Only=");
                        put(p, draft->calendars[i]);
                        put(p, "\n");
                }
}

/* "only on a or b", for one of the two. */
static void put_words(struct pack *p, const struct days *d, bool is_except) {
        const char *before = !is_except ? "only on " : p->size > 0 ? ", not on " : "not on ";

        for (size_t i = 0; i < d->n; i++)
                if (d->calendars[i].is_except == is_except) {
                        put(p, before);
                        put(p, d->calendars[i].name);
                        before = " or ";
                }
}

/* Gives what was put, to be freed; NULL without memory. */
static char *take_text(struct pack *p) {
        pack_u8(p, 0);
        if (pack_result(p) < 0)
                pack_done(p);
        return (char *)p->data;
}

/* ---- the bits ---- */

static bool is_day_open(const struct days *d, int64_t day) {
        return day >= 0 && day < DAY_LIST_END ? d->open[day / WORD_BITS] >> day % WORD_BITS & 1 : d->is_open_outside;
}

static void fill(struct days *d) {
        uint64_t closed[DAY_LIST_WORDS] = {};

        d->is_open_outside = true;
        for (size_t i = 0; i < d->n; i++) {
                day_list_mark(&d->calendars[i].days, d->calendars[i].is_except ? closed : d->open);
                d->is_open_outside = d->is_open_outside && d->calendars[i].is_except;
        }
        for (size_t i = 0; i < DAY_LIST_WORDS; i++)
                d->open[i] = (d->is_open_outside ? UINT64_MAX : d->open[i]) & ~closed[i];
        d->last_change = DAY_LIST_END;
        while (d->last_change > 0 && is_day_open(d, d->last_change - 1) == d->is_open_outside)
                d->last_change--;
}

/* The first day at or after one that is open, or not; NO_DAY. */
static int64_t find_day(const struct days *d, int64_t day, bool is_open) {
        uint64_t first = UINT64_MAX << (day > 0 ? day % WORD_BITS : 0);

        if (day > d->last_change)
                return NO_DAY;
        for (int64_t i = day > 0 ? day / WORD_BITS : 0; i < DAY_LIST_WORDS; i++, first = UINT64_MAX) {
                uint64_t found = (is_open ? d->open[i] : ~d->open[i]) & first;
                if (found)
                        return i * WORD_BITS + __builtin_ctzll(found);
        }
        return NO_DAY;
}

/* ---- compiling ---- */

static void free_days(struct days *d) {
        for (size_t i = 0; i < d->n; i++) {
                free(d->calendars[i].name);
                day_list_done(&d->calendars[i].days);
        }
        free(d->text);
        free(d->words);
        zone_unref(d->zone);
        free(d);
}

/* Reads "NAME: DAYS", which must be as this prints it. */
static int read_member(struct member *c, const char *text) {
        struct pattern_error error;
        size_t size = strcspn(text, " ");
        const char *why;

        if (size < 2 || text[size - 1] != ':' || !text[size])
                return -EBADMSG;
        c->name = strndup(text, size - 1);
        if (!c->name)
                return -ENOMEM;
        int r = job_name_is_valid(c->name, &why) ? day_list_add(&c->days, text + size + 1, &error) : -EBADMSG;
        if (r == 0 && (c->days.n == 0 || strcmp(day_list_text(&c->days), text + size + 1) != 0))
                r = -EBADMSG;
        return r == -EINVAL || r > 0 ? -EBADMSG : r;
}

static int hash_content(struct days *d) {
        struct hash128 zone = zone_hash(d->zone);
        struct pack p = {};

        put(&p, d->text);
        put(&p, zone_name(d->zone));
        pack_raw(&p, &zone, sizeof(zone));
        int r = pack_result(&p);
        if (r == 0)
                d->interned.hash = hash_128(text_key, p.data, p.size);
        pack_done(&p);
        return r;
}

/* What makes it the same as others: text and zone. */
static int begin(struct agendas *agendas, const struct days_draft *draft, struct days *d, char why[static ZONE_WHY_MAX]) {
        struct pack text = {};

        put_keys(&text, draft, false);
        put_keys(&text, draft, true);
        d->text = take_text(&text);
        if (!d->text)
                return -ENOMEM;
        int r = agendas->find_zone(agendas->userdata, *draft->zone ? draft->zone : NULL, &d->zone, why);
        return r == 0 ? hash_content(d) : r;
}

static int finish(const struct days_draft *draft, struct days *d) {
        struct pack words = {};
        int r = 0;

        for (d->n = 0; r == 0 && d->n < draft->n; d->n++) {
                d->calendars[d->n].is_except = draft->is_except[d->n];
                r = read_member(&d->calendars[d->n], draft->calendars[d->n]);
        }
        if (r < 0)
                return r;
        put_words(&words, d, false);
        put_words(&words, d, true);
        d->words = take_text(&words);
        fill(d);
        return d->words ? 0 : -ENOMEM;
}

int days_compile(struct agendas *agendas, const struct days_draft *draft, const struct days **ret,
                 char ret_why[static ZONE_WHY_MAX]) {
        struct days *d = calloc(1, sizeof(*d) + draft->n * sizeof(d->calendars[0]));

        if (!d)
                return -ENOMEM;
        int r = begin(agendas, draft, d, ret_why);
        struct interned *known = r == 0 ? intern_find(&agendas->days, &d->interned.hash) : NULL;
        if (r == 0 && !known)
                r = finish(draft, d);
        if (r == 0 && !known)
                r = intern_add(&agendas->days, &d->interned);
        if (r != 0 || known)
                free_days(d);
        if (r == 0)
                *ret = known ? (const struct days *)known : d;
        return r;
}

const struct days *days_ref(const struct days *d) {
        ((struct days *)d)->interned.uses++;
        return d;
}

const struct days *days_unref(const struct days *d) {
        struct days *gone = (struct days *)d;

        if (gone && intern_release(&gone->interned))
                free_days(gone);
        return NULL;
}

/* ---- what is asked of one ---- */

const char *days_text(const struct days *d) {
        return d->text;
}

const char *days_words(const struct days *d) {
        return d->words;
}

const char *days_zone(const struct days *d) {
        const char *name = zone_name(d->zone);
        return strcmp(name, "localtime") != 0 ? name : NULL;
}

struct hash128 days_hash(const struct days *d) {
        return d->interned.hash;
}

static int64_t floor_s(int64_t us) {
        return us / USEC_PER_SEC - (us % USEC_PER_SEC < 0);
}

/* The first instant after utc_s, which shows an earlier day, from which the clock may show a day. */
static int64_t find_instant(const struct days *d, int64_t utc_s, int64_t day) {
        struct zone_instants shown = zone_resolve(d->zone, day * CIVIL_DAY_S);
        int64_t found_s = shown.utc_s[shown.n == 2 && shown.utc_s[0] <= utc_s];

        return found_s > utc_s ? found_s : utc_s + 1;
}

bool days_is_open(const struct days *d, int64_t rt_us, int64_t *ret_until_us) {
        int64_t utc_s = floor_s(rt_us), offset_s = zone_offset(d->zone, utc_s, NULL, NULL);
        int64_t day = civil_day_of_seconds(utc_s + offset_s);
        bool is_open = is_day_open(d, day);
        int64_t until_day = find_day(d, day + 1, !is_open), change_s = zone_next_change(d->zone, utc_s), until_s = INT64_MAX;

        if (until_day != NO_DAY)
                until_s = find_instant(d, utc_s, until_day);
        /* a fold that begins in the first hours of a day leads back into the day before */
        if (change_s < until_s && change_s + zone_offset(d->zone, change_s, NULL, NULL) < day * CIVIL_DAY_S)
                until_s = change_s;
        *ret_until_us = until_s < INT64_MAX / USEC_PER_SEC ? until_s * USEC_PER_SEC : DAYS_NEVER;
        return is_open;
}

const char *days_which(const struct days *d, int64_t rt_us) {
        int64_t utc_s = floor_s(rt_us), day = civil_day_of_seconds(utc_s + zone_offset(d->zone, utc_s, NULL, NULL));
        const char *only = NULL;
        bool is_in_only = false;

        for (size_t i = 0; i < d->n; i++) {
                const struct member *c = &d->calendars[i];
                bool has_day = day >= 0 && day < DAY_LIST_END && day_list_next(&c->days, day) == day;
                if (c->is_except && has_day)
                        return c->name;
                if (!c->is_except) {
                        only = only ? only : c->name;
                        is_in_only = is_in_only || has_day;
                }
        }
        return is_in_only ? NULL : only;
}
