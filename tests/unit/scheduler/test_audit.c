// SPDX-License-Identifier: MIT
// The audit of a ledger: what is right is clean, each kind of fault is named with its place, and what is planted into a ledger that was
// right, drawn at random, is found.

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/util.h"
#include "daemon/scheduler/audit.h"
#include "tests/unit/run_suite.h"

#define HOUR USEC_PER_HOUR
#define BASE (INT64_C(1795262400) * USEC_PER_SEC) /* of the wall clock: key 0 of all plans */
#define BOOT (100 * USEC_PER_SEC)                 /* of BOOTTIME: key 0 of those that count on it */
#define NOW  (BASE + 100000 * HOUR)

#define WALL  "Every=1h\nMode=fixed-rate\nAlign=@1795262400\n"
#define GRID  "Every=1h\nMode=fixed-rate\n"
#define DELAY "Every=1h\nJitter=50%\n"

static struct audit *audit;
static struct audit_terms terms;
static struct job_image image;
static struct audit_verdict verdict;

static void setup(void) {
        ck_assert_int_eq(audit_new(NULL, &audit), 0);
        image = (struct job_image){0};
        terms = (struct audit_terms){.image = &image, .now_rt_us = NOW, .since_rt_us = INT64_MIN, .has_all_runs = true};
}

static void teardown(void) {
        audit = audit_free(audit);
}

static struct ledger_segment plan(uint32_t segment, const char *when, int64_t first_key, uint8_t boot) {
        struct ledger_segment s = {.segment = segment, .when = when, .first_key = first_key, .offset_us = BASE - BOOT};
        s.anchor_us = strcmp(when, WALL) == 0 ? BASE : BOOT;
        s.boot_id[0] = boot;
        return s;
}

static struct ledger_range range(enum slot_outcome outcome, uint32_t segment, int64_t first, int64_t last) {
        return (struct ledger_range){
                .segment = segment,
                .outcome = outcome,
                .reason = outcome == SLOT_MISSED ? SLOT_REASON_OVERLAP : SLOT_REASON_NONE,
                .first = first,
                .last = last,
                .n = (uint64_t)(last - first) + 1,
                .first_rt_us = BASE + first * HOUR,
                .last_rt_us = BASE + last * HOUR,
                .told_rt_us = BASE + last * HOUR + USEC_PER_SEC,
        };
}

static void add_run(uint64_t number, uint32_t segment, int64_t key) {
        struct ledger_run run = {
                .run = {.run = number, .segment = segment, .key = key, .slot_rt_us = BASE + key * HOUR},
                .end = {.result = RUN_RESULT_SUCCESS},
        };
        ck_assert_int_eq(audit_add_run(audit, &run), 0);
}

/* "gap 1:3..5 x3|double 2:0..0 x1" */
static void print_faults(char buf[static 4096]) {
        size_t n = 0;
        buf[0] = '\0';
        for (size_t i = 0; i < verdict.n_listed && n < 4000; i++) {
                const struct audit_fault *f = &verdict.faults[i];
                n += (size_t)snprintf(buf + n, 4096 - n, "%s%s %" PRIu32 ":%" PRId64 "..%" PRId64 " x%" PRIu64,
                                      i > 0 ? "|" : "", audit_fault_to_string(f->kind), f->segment, f->first, f->last, f->n);
        }
}

/* ---- a table ---- */

/* A ledger, oldest rows first, as words: "P 1 0": a plan on the wall clock from key 0 on, "G" on BOOTTIME, "D" a fixed delay, "Z" one that
 * can't be read; with "/2" of boot 2. "r 1 0..4": ran, with their runs; "R" without; m missed, w withheld, i interrupted; "g 1 0..3 9":
 * merged into run 9; with "=N" another number of slots, "+S" S seconds off. "x 7 1 3": run 7 for a slot. "k 1 5": the mark.
 * "o 1 4": a slot that waits, "f 1 4 7" a run on its way, "q 1 2..3": waits to be merged. "t 3 1": retention took slots and runs. "s 5": since key 5.
 * "c 2 60": in boot 2 the clock was set by 60 s. "b 0": OnBoot=, "h 0 7": run 7 of a hook. */
static const struct {
        const char *what, *ledger, *faults;
} rows[] = {
        {"nothing at all", "", ""},
        {"a plan and no slot yet", "P 1 0;k 1 0", ""},
        {"all ran", "P 1 0;r 1 0..4;k 1 5", ""},
        {"all outcomes in turn", "P 1 0;r 1 0..4;m 1 5..9;w 1 10..10;g 1 11..12 14;r 1 13..13;i 1 14..14;x 14 1 13;k 1 15", ""},
        {"the first key is not 0", "P 1 7;r 1 7..9;k 1 10", ""},
        {"on BOOTTIME", "G 1 0;r 1 0..9;k 1 10", ""},
        {"a fixed delay", "D 1 0;r 1 0..9;k 1 10", ""},
        {"told out of turn", "P 1 0;r 1 0..3;m 1 5..6;r 1 4..4;k 1 7", ""},
        {"a slot of OnBoot=", "P 1 0;r 1 0..3;b 0;b 5;k 1 4", ""},
        /* gaps */
        {"no outcome at all", "P 1 0;k 1 3", "gap 1:0..2 x3"},
        {"a gap at the head", "P 1 0;r 1 2..4;k 1 5", "gap 1:0..1 x2"},
        {"a gap within", "P 1 0;r 1 0..2;m 1 5..9;k 1 10", "gap 1:3..4 x2"},
        {"a gap before the mark", "P 1 0;r 1 0..4;k 1 6", "gap 1:5..5 x1"},
        {"a gap of a fixed delay", "D 1 0;r 1 0..2;r 1 4..4;k 1 5", "gap 1:3..3 x1"},
        {"behind the mark nothing is asked for", "P 1 0;r 1 0..4;r 1 8..8;k 1 5", ""},
        {"before it, up to it", "P 1 0;r 1 0..3;r 1 8..8;k 1 5", "gap 1:4..4 x1"},
        {"without a mark neither", "P 1 0;r 1 0..4;k 0 0", ""},
        /* what is open is no gap */
        {"a slot waits", "P 1 0;r 1 0..3;m 1 5..6;k 1 7;o 1 4", ""},
        {"a run is on its way", "P 1 0;r 1 0..3;k 1 5;f 1 4 99", ""},
        {"slots wait to be merged", "P 1 0;r 1 0..3;k 1 7;q 1 4..6", ""},
        {"one waits, another is missing", "P 1 0;r 1 0..3;m 1 6..6;k 1 7;o 1 4", "gap 1:4..5 x1"},
        {"it has its outcome by now", "P 1 0;r 1 0..4;k 1 5;o 1 4", ""},
        /* doubles and numbers */
        {"one slot twice", "P 1 0;r 1 0..3;m 1 3..6;k 1 7", "double 1:3..3 x1"},
        {"the same row twice", "P 1 0;m 1 0..3;m 1 0..3;k 1 4", "double 1:0..3 x4"},
        {"one row inside another", "P 1 0;m 1 0..9;w 1 4..5;k 1 10", "double 1:4..5 x2"},
        {"one too many", "P 1 0;m 1 0..3=5;k 1 4", "count 1:0..3 x5"},
        {"one too few", "P 1 0;m 1 0..3=3;k 1 4", "count 1:0..3 x3"},
        {"folded rows", "P 1 0;R 1 0..8=5;m 1 1..9=5;k 1 10", ""},
        {"folded rows with a gap", "P 1 0;R 1 0..8=5;m 1 1..9=4;k 1 10", "gap 1:0..9 x1"},
        {"folded rows with a double", "P 1 0;R 1 0..8=5;m 1 1..9=6;k 1 10", "double 1:0..9 x1"},
        {"a folded row around one that waits", "P 1 0;R 1 0..8=8;k 1 9;o 1 4", ""},
        {"two slots of one boot", "b 0;b 0", "double 0:0..0 x1"},
        {"ends of several parents at one instant", "h 0 0;h 0 7;h 0 0;h 0 8", ""},
        {"one run for two of them", "h 0 7;h 0 0;h 0 7", "double 0:0..0 x1"},
        /* beyond the plan */
        {"before the first", "P 1 5;r 1 4..6;k 1 7", "beyond 1:4..6 x3"},
        {"what is to come", "P 1 0;r 1 0..4;m 1 200000..200001;k 1 5", "beyond 1:200000..200001 x2"},
        /* instants */
        {"an instant that is off", "P 1 0;r 1 0..3;m 1 4..4+1;k 1 5", "instant 1:4..4 x1"},
        {"read not quite at once", "G 1 0;r 1 0..3;m 1 4..4+0.09;k 1 5", ""},
        {"an instant of BOOTTIME that is off", "G 1 0;r 1 0..3;m 1 4..4+1;k 1 5", "instant 1:4..4 x1"},
        {"the clock was set", "G 1 0;r 1 0..3;m 1 4..4+60;k 1 5;c 0 60", ""},
        {"it was set by less", "G 1 0;r 1 0..3;m 1 4..4+60;k 1 5;c 0 50", "instant 1:4..4 x1"},
        {"the wait was shorter than it can be", "D 1 0;r 1 0..3;r 1 4..4+-1860;k 1 5", "instant 1:3..4 x2"},
        {"the wait was as short as it can be", "D 1 0;r 1 0..3;r 1 4..4+-1800;k 1 5", ""},
        /* plans */
        {"two plans", "P 1 0;r 1 0..4;P 2 5;r 2 5..9;k 2 10", ""},
        {"a plan that ended nobody knows when", "P 1 0;r 1 0..4;P 2 50;r 2 50..59;k 2 60", ""},
        {"a plan goes on in the next boot", "G 1 0;r 1 0..4;G 2 5/2;r 2 5..9;k 2 10", ""},
        {"a gap in the next boot", "G 1 0;r 1 0..3;G 2 5/2;r 2 6..9;k 2 10", "gap 2:5..5 x1"},
        {"no plan of a segment", "P 1 0;r 1 0..4;r 2 5..6;P 3 7;r 3 7..9;k 3 10", "no-plan 2:5..6 x2"},
        {"a plan that was never written", "r 1 0..2;P 2 3;r 2 3..4;k 2 5", ""},
        {"a plan that is not understood", "Z 1 0;r 1 0..4;m 1 9..9;k 1 20", ""},
        {"a plan that has begun since", "P 1 0;r 1 0..4;P 2 5;r 2 7..7;k 1 5", ""},
        /* runs */
        {"slots that ran and no run", "P 1 0;r 1 0..3;R 1 4..5;k 1 6", "no-run 1:4..5 x2"},
        {"a run and no slot that ran", "P 1 0;r 1 0..3;m 1 4..5;k 1 6;x 9 1 4", "no-slot 1:4..4 x1"},
        {"a run behind the mark", "P 1 0;r 1 0..3;k 1 4;x 9 1 4", ""},
        {"merged into no run", "P 1 0;g 1 0..3 77;r 1 4..4;k 1 5", "no-run 1:0..3 x4"},
        {"merged into a run that was lost", "P 1 0;g 1 0..3 77;i 1 4..4;k 1 5", ""},
        {"merged into one that is on its way", "P 1 0;g 1 0..3 77;k 1 5;f 1 4 77", ""},
        /* retention */
        {"the oldest slots were taken", "P 1 0;r 1 50..60;k 1 61;t 50 0", ""},
        {"a later gap is one", "P 1 0;r 1 50..60;m 1 63..64;k 1 65;t 50 0", "gap 1:61..62 x2"},
        {"the oldest runs were taken", "P 1 0;R 1 0..9;r 1 10..12;k 1 13;t 0 10", ""},
        {"more runs are missing", "P 1 0;R 1 0..9;r 1 10..12;R 1 13..13;k 1 14;t 0 10", "no-run 1:13..13 x1"},
        {"a run whose slot was taken", "P 1 0;x 3 1 7;r 1 50..60;k 1 61;t 50 0", ""},
        /* since */
        {"since a key", "P 1 0;r 1 50..60;k 1 61;s 50", ""},
        {"a gap since then", "P 1 0;r 1 52..60;k 1 61;s 50", "gap 1:50..51 x2"},
        {"since a key of BOOTTIME", "G 1 0;r 1 50..60;k 1 61;s 49", ""},
        {"since a key of a delay", "D 1 0;r 1 50..60;k 1 61;s 50", ""},
        {"since the mark", "P 1 0;k 1 61;s 61", ""},
        {"nothing since then, and there should be", "P 1 0;k 1 61;s 59", "gap 1:59..60 x2"},
        /* a file that was changed by hand */
        {"ends in the wrong order", "P 1 0;m 1 4..0;k 1 5", "gap 1:0..3 x4|count 1:4..0 x18446744073709551613|gap 1:1..4 x4"},
        {"huge keys", "P 1 0;m 1 9223372036854775806..9223372036854775807;k 1 1", NULL},
        {"huge instants of a clock that was set", "G 1 0;m 1 0..3;k 1 4;c 0 9000000000000", ""},
        {"since the end of time", "G 1 0;m 1 0..3;k 1 4;s 2000000000", ""},
        {"a huge mark", "P 1 -9223372036854775808;k 1 9223372036854775807", NULL},
};

static uint64_t next_run;

static enum slot_outcome outcome_of(char c) {
        static const char letters[SLOT_OUTCOME_MAX] = {
                [SLOT_MISSED] = 'm', [SLOT_WITHHELD] = 'w', [SLOT_MERGED] = 'g', [SLOT_INTERRUPTED] = 'i'};
        const char *found = memchr(letters, c, sizeof(letters));
        return found ? (enum slot_outcome)(found - letters) : SLOT_RAN;
}

/* "1 0..4[=N][+S][ RUN]" */
static struct ledger_range read_range(const char *word) {
        unsigned segment;
        long long first, last;
        int n;
        ck_assert_int_eq(sscanf(word + 1, "%u %lld..%lld%n", &segment, &first, &last, &n), 3);
        const char *rest = word + 1 + n;
        struct ledger_range r = {.segment = segment,
                                 .outcome = outcome_of(word[0]),
                                 .reason = SLOT_REASON_OVERLAP,
                                 .first = first,
                                 .last = last,
                                 .n = (uint64_t)last - (uint64_t)first + 1};
        if (*rest == '=')
                r.n = strtoull(rest + 1, (char **)&rest, 10);
        int64_t off_us = *rest == '+' ? (int64_t)(strtod(rest + 1, (char **)&rest) * USEC_PER_SEC) : 0;
        bool is_far = llabs(first) > 1000000;
        r.first_rt_us = is_far ? INT64_MAX : BASE + first * HOUR + off_us;
        r.last_rt_us = is_far ? INT64_MAX : BASE + last * HOUR + off_us;
        r.told_rt_us = is_far || last > 100000 ? 0 : r.last_rt_us + USEC_PER_SEC;
        if (*rest == ' ')
                r.run = strtoull(rest + 1, NULL, 10);
        return r;
}

static void read_word(const char *word, struct ledger_range *ranges, size_t *n_ranges) {
        unsigned segment = 0, boot = 0;
        long long first = 0, last = 0;
        const char *slash = strchr(word, '/');
        if (slash)
                boot = (unsigned)atoi(slash + 1);
        sscanf(word + 1, "%u %lld..%lld", &segment, &first, &last);
        switch (word[0]) {
        case 'P':
        case 'G':
        case 'D':
        case 'Z': {
                const char *when = word[0] == 'P' ? WALL : word[0] == 'G' ? GRID : word[0] == 'D' ? DELAY : "Moon=full\n";
                struct ledger_segment s = plan(segment, when, first, (uint8_t)boot);
                ck_assert_int_eq(audit_add_segment(audit, &s), 0);
                break;
        }
        case 'x': {
                unsigned number;
                ck_assert_int_eq(sscanf(word + 1, "%u %u %lld", &number, &segment, &first), 3);
                add_run(number, segment, first);
                break;
        }
        case 'k':
                image.segment = segment;
                image.key = first;
                if (segment == 0)
                        terms.image = NULL;
                break;
        case 'o':
                image.waiting = (struct job_waiting){.is_slot = true, .segment = segment, .key = first};
                break;
        case 'f': {
                unsigned number;
                ck_assert_int_eq(sscanf(word + 1, "%u %lld %u", &segment, &first, &number), 3);
                image.run = (struct job_run){.run = number, .segment = segment, .key = first};
                break;
        }
        case 'q':
                image.merging = (struct job_range){.is_open = true, .segment = segment, .first = first, .last = last};
                break;
        case 't':
                terms.trimmed_slots = segment;
                terms.trimmed_runs = (uint64_t)first;
                break;
        case 's':
                terms.since_rt_us = BASE + segment * HOUR;
                break;
        case 'c': {
                struct ledger_clock c = {
                        .kind = LEDGER_CLOCK_STEP, .by_us = first * USEC_PER_SEC, .boot_id = {(uint8_t)segment}};
                c.at = (struct clock_sample){.rt_us = BASE + 2 * HOUR + c.by_us, .bt_us = BOOT + 2 * HOUR};
                ck_assert_int_eq(audit_add_clock(audit, &c), 0);
                break;
        }
        case 'b':
        case 'h':
                ranges[*n_ranges] = range(SLOT_RAN, 0, 0, 0);
                ranges[*n_ranges].item = word[0] == 'b' ? WIRE_ITEM_BOOT : WIRE_ITEM_CHAIN;
                ranges[*n_ranges].run = word[0] == 'b' ? 0 : (uint64_t)first;
                ranges[*n_ranges].first_rt_us = ranges[*n_ranges].last_rt_us = BASE + segment * HOUR;
                (*n_ranges)++;
                break;
        default:
                ranges[(*n_ranges)++] = read_range(word);
                for (int64_t key = first; word[0] == 'r' && key <= last; key++)
                        add_run(++next_run, segment, key);
        }
}

START_TEST(each_fault_has_its_name_and_place) {
        struct ledger_range ranges[32];
        size_t n = 0;
        char *copy = strdup(rows[_i].ledger), *save = NULL, found[4096];
        next_run = 0;
        for (char *word = strtok_r(copy, ";", &save); word; word = strtok_r(NULL, ";", &save))
                read_word(word, ranges, &n);
        free(copy);
        while (n > 0)
                ck_assert_int_eq(audit_add_range(audit, &ranges[--n]), 0);
        audit_finish(audit, &terms, &verdict);
        print_faults(found);
        if (rows[_i].faults)
                ck_assert_msg(strcmp(found, rows[_i].faults) == 0, "%s: %s: found %s", rows[_i].what, rows[_i].ledger, found);
        else
                ck_assert_msg(verdict.n_faults > 0, "%s", rows[_i].what);
}
END_TEST

/* ---- at random ---- */

static uint64_t seed;

static uint64_t draw(uint64_t n) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        return seed % n;
}

#define RANGES 400

static struct ledger_range made[RANGES];
static struct ledger_run made_runs[RANGES];
static struct ledger_segment made_plans[8];
static size_t n_made, n_made_runs, n_made_plans;

static void make_run(uint64_t number, uint32_t segment, int64_t key) {
        made_runs[n_made_runs++] = (struct ledger_run){
                .run = {.run = number, .segment = segment, .key = key, .slot_rt_us = BASE + key * HOUR},
                .end = {.result = RUN_RESULT_SUCCESS},
        };
}

/* A ledger without a fault: some plans one after the other, their slots in rows of all outcomes, some told out of turn. */
static void make_ledger(void) {
        static const char *const policies[] = {WALL, GRID, DELAY};
        uint64_t number = 0;
        int64_t key = (int64_t)draw(5);
        n_made = n_made_runs = n_made_plans = 0;
        for (uint32_t segment = 1; segment <= 1 + draw(6); segment++) {
                const char *when = policies[draw(3)];
                if (segment > 1 && draw(2) == 0)
                        when = made_plans[n_made_plans - 1].when;
                made_plans[n_made_plans++] = plan(segment, when, key, (uint8_t)segment);
                for (uint64_t i = draw(30); i > 0; i--) {
                        enum slot_outcome outcome = (enum slot_outcome)draw(SLOT_OUTCOME_MAX);
                        struct ledger_range *r = &made[n_made++];
                        int64_t n = outcome == SLOT_RAN ? 1 : 1 + (int64_t)draw(draw(4) == 0 ? 1000 : 4);
                        *r = range(outcome, segment, key, key + n - 1);
                        key += n;
                        if (outcome == SLOT_MERGED) {
                                r->run = ++number;
                                make_run(number, segment, key);
                                made[n_made] = range(SLOT_RAN, segment, key, key);
                                made[n_made++].run = number;
                                key++;
                        } else if (outcome == SLOT_RAN) {
                                r->run = ++number;
                                make_run(number, segment, key - 1);
                        }
                }
        }
        for (size_t i = 1; i < n_made; i++)
                if (draw(8) == 0) {
                        struct ledger_range other = made[i];
                        made[i] = made[i - 1];
                        made[i - 1] = other;
                }
        image = (struct job_image){.segment = (uint32_t)n_made_plans, .key = key};
}

static void judge(void) {
        audit_reset(audit);
        for (size_t i = 0; i < n_made_plans; i++)
                ck_assert_int_eq(audit_add_segment(audit, &made_plans[i]), 0);
        for (size_t i = n_made; i > 0; i--)
                ck_assert_int_eq(audit_add_range(audit, &made[i - 1]), 0);
        for (size_t i = 0; i < n_made_runs; i++)
                ck_assert_int_eq(audit_add_run(audit, &made_runs[i]), 0);
        audit_finish(audit, &terms, &verdict);
}

/* Each spoils one thing; false where this ledger has no place for it. `at` is a row. */
static bool plant_gap(size_t at) {
        made[at] = made[--n_made];
        return true;
}
static bool plant_double(size_t at) {
        made[n_made] = range(SLOT_WITHHELD, made[at].segment, made[at].last, made[at].last);
        n_made++;
        return true;
}
static bool plant_one_more(size_t at) {
        made[at].n++;
        return true;
}
static bool plant_one_less(size_t at) {
        made[at].n--;
        return true;
}
static bool plant_shorter(size_t at) {
        made[at].last--;
        made[at].n--;
        made[at].last_rt_us -= HOUR;
        return made[at].n > 0;
}
static bool plant_instant(size_t at) {
        made[at].first_rt_us += 2 * USEC_PER_SEC;
        return strcmp(made_plans[made[at].segment - 1].when, DELAY) != 0;
}
static bool plant_no_run(size_t at) {
        if (n_made_runs == 0)
                return false;
        made_runs[at % n_made_runs] = made_runs[n_made_runs - 1];
        n_made_runs--;
        return true;
}
static bool plant_no_slot(size_t at) {
        make_run(9999, made[at].segment, made[at].first);
        return made[at].outcome != SLOT_RAN;
}
static bool plant_merged(size_t at) {
        made[at].run = 9999;
        return made[at].outcome == SLOT_MERGED;
}
static bool plant_beyond(size_t at) {
        int64_t key = image.key + 200000;
        (void)at;
        made[n_made] = range(SLOT_MISSED, image.segment, key, key);
        made[n_made++].told_rt_us = BASE;
        return true;
}
static bool plant_no_plan(size_t at) {
        (void)at;
        if (n_made_plans < 3)
                return false;
        made_plans[1] = made_plans[--n_made_plans]; /* a later one is here twice */
        for (size_t i = 0; i < n_made; i++)
                if (made[i].segment == 2)
                        return true;
        return false;
}

static const struct {
        const char *what;
        bool (*plant)(size_t at);
} plants[] = {
        {"a row is gone", plant_gap},          {"a slot twice", plant_double},
        {"one too many", plant_one_more},      {"one too few", plant_one_less},
        {"a row ends early", plant_shorter},   {"another instant", plant_instant},
        {"a run is gone", plant_no_run},       {"a run without its slot", plant_no_slot},
        {"merged into nothing", plant_merged}, {"a slot that is to come", plant_beyond},
        {"a plan is gone", plant_no_plan},
};

/* The last rows of a plan that is over may be gone: how it ended is not in the ledger. */
static bool is_tail(size_t at) {
        for (size_t i = 0; i < n_made; i++)
                if (made[i].segment == made[at].segment && made[i].first > made[at].last)
                        return false;
        return made[at].segment < n_made_plans;
}

START_TEST(what_is_planted_is_found) {
        size_t n_planted[ARRAY_SIZE(plants)] = {0};
        for (uint64_t round = 1; round <= 1500; round++) {
                char found[4096];
                seed = round * UINT64_C(0x9e3779b97f4a7c15);
                make_ledger();
                judge();
                print_faults(found);
                if (verdict.n_faults > 0)
                        ck_abort_msg("seed %" PRIu64 ": a ledger without fault: %s", round, found);
                if (n_made == 0)
                        continue;
                size_t plant = draw(ARRAY_SIZE(plants)), at = draw(n_made);
                bool is_hidden = is_tail(at) && (plants[plant].plant == plant_gap || plants[plant].plant == plant_shorter);
                if (!plants[plant].plant(at) || is_hidden)
                        continue;
                judge();
                n_planted[plant]++;
                if (verdict.n_faults == 0)
                        ck_abort_msg("seed %" PRIu64 ": %s: not found", round, plants[plant].what);
        }
        for (size_t i = 0; i < ARRAY_SIZE(plants); i++)
                ck_assert_msg(n_planted[i] > 10, "%s: planted %zu times only", plants[i].what, n_planted[i]);
}
END_TEST

/* ---- figures ---- */

START_TEST(the_verdict_has_the_numbers) {
        struct ledger_segment p = plan(1, WALL, 0, 0);
        struct ledger_range ranges[] = {range(SLOT_MISSED, 1, 5, 9), range(SLOT_RAN, 1, 0, 4)};
        ck_assert_int_eq(audit_add_segment(audit, &p), 0);
        for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
                ck_assert_int_eq(audit_add_range(audit, &ranges[i]), 0);
        for (uint64_t i = 0; i < 5; i++)
                add_run(i + 1, 1, (int64_t)i);
        image = (struct job_image){.segment = 1, .key = 11, .waiting = {.is_slot = true, .segment = 1, .key = 10}};
        terms.trimmed_slots = 3;
        audit_finish(audit, &terms, &verdict);
        ck_assert_uint_eq(verdict.n_faults, 0);
        ck_assert_uint_eq(verdict.slots[SLOT_RAN], 5);
        ck_assert_uint_eq(verdict.slots[SLOT_MISSED], 5);
        ck_assert_uint_eq(verdict.n_open, 1);
        ck_assert_uint_eq(verdict.n_runs, 5);
        ck_assert_uint_eq(verdict.n_segments, 1);
        ck_assert_uint_eq(verdict.n_trimmed, 3);
        ck_assert_int_eq(verdict.first_rt_us, BASE);
        ck_assert_int_eq(verdict.last_rt_us, BASE + 9 * HOUR);
}
END_TEST

START_TEST(a_fault_says_when) {
        struct ledger_segment p = plan(1, GRID, 0, 0);
        ck_assert_int_eq(audit_add_segment(audit, &p), 0);
        image = (struct job_image){.segment = 1, .key = 3};
        audit_finish(audit, &terms, &verdict);
        ck_assert_uint_eq(verdict.n_listed, 1);
        ck_assert_int_eq(verdict.faults[0].first_rt_us, BASE);
        ck_assert_int_eq(verdict.faults[0].last_rt_us, BASE + 2 * HOUR);
}
END_TEST

/* An outage of centuries at a thousand slots a second, and more faults than are listed. */
START_TEST(it_is_done_by_division) {
        struct ledger_segment p = plan(1, "Every=1ms\nMode=fixed-rate\nAlign=@1795262400\n", 0, 0);
        p.anchor_us = BASE;
        ck_assert_int_eq(audit_add_segment(audit, &p), 0);
        image = (struct job_image){.segment = 1, .key = INT64_C(10000000000000)};
        for (int64_t i = 9999; i >= 0; i--) {
                struct ledger_range r = range(SLOT_MISSED, 1, 0, 0);
                r.first = i * 1000000000;
                r.last = r.first + 999999998;
                r.n = 999999999;
                r.first_rt_us = BASE + r.first * USEC_PER_MSEC;
                r.last_rt_us = BASE + r.last * USEC_PER_MSEC;
                if (audit_add_range(audit, &r) < 0)
                        ck_abort_msg("row %" PRId64, i);
        }
        terms.now_rt_us = INT64_MAX / 4;
        audit_finish(audit, &terms, &verdict);
        ck_assert_uint_eq(verdict.n_faults, 10000);
        ck_assert_uint_eq(verdict.n_listed, AUDIT_FAULTS_MAX);
}
END_TEST

/* ---- calendars ---- */

static int find_utc(void *userdata, const char *name, struct zone **ret, char why[static ZONE_WHY_MAX]) {
        (void)userdata, (void)name, (void)why;
        return zone_open(NULL, "UTC", ret);
}

/* The slots 0..2 of an hourly calendar, the last of them a second late, and none of the slot 3. */
static void judge_calendar(struct agendas *agendas, const uint8_t calendar[static 16]) {
        struct ledger_segment p = plan(1, "OnCalendar=*-*-* *:00:00\nTimeZone=UTC\n", 0, 0);
        struct ledger_range r = range(SLOT_MISSED, 1, 0, 2);
        struct audit *own;

        p.anchor_us = BASE;
        memcpy(p.calendar, calendar, sizeof(p.calendar));
        r.last_rt_us += USEC_PER_SEC;
        ck_assert_int_eq(audit_new(agendas, &own), 0);
        ck_assert_int_eq(audit_add_segment(own, &p), 0);
        ck_assert_int_eq(audit_add_range(own, &r), 0);
        image = (struct job_image){.segment = 1, .key = 4};
        audit_finish(own, &terms, &verdict);
        audit_free(own);
}

START_TEST(instants_are_computed_where_the_data_of_the_zones_are_the_same) {
        static const uint8_t unknown[16], other[16] = {1};
        struct agendas agendas = {.find_zone = find_utc};
        struct job_when when;
        char *description, text[] = "OnCalendar=*-*-* *:00:00\nTimeZone=UTC\n";

        ck_assert_int_eq(job_when_parse(text, strlen(text), &agendas, &when, &description), 0);
        struct hash128 hash = agenda_hash(when.agenda);
        const uint8_t *same[] = {unknown, (const uint8_t *)&hash};
        for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
                judge_calendar(&agendas, same[i]);
                ck_assert_uint_eq(verdict.n_faults, 2);
                ck_assert_int_eq(verdict.faults[0].kind, AUDIT_INSTANT);
                ck_assert_int_eq(verdict.faults[1].kind, AUDIT_GAP);
                ck_assert_uint_eq(verdict.n_unchecked, 0);
        }
        judge_calendar(&agendas, other);
        ck_assert_uint_eq(verdict.n_faults, 1);
        ck_assert_int_eq(verdict.faults[0].kind, AUDIT_GAP);
        ck_assert_uint_eq(verdict.n_unchecked, 3);
        terms.since_rt_us = BASE + HOUR;
        judge_calendar(&agendas, other);
        ck_assert_uint_eq(verdict.n_faults, 1);
        job_when_done(&when);
        free(description);
        agendas_done(&agendas);
}
END_TEST

/* Of a grid and a calendar that are both fast: key 2n is n seconds behind key 0. */
START_TEST(where_the_way_is_too_long_to_be_walked_an_instant_is_taken_and_counted_from) {
        static char when[] = "Every=1s\nMode=fixed-rate\nOnCalendar=*-*-* *:*:*\nTimeZone=UTC\n";
        struct agendas agendas = {.find_zone = find_utc};
        struct ledger_segment p = plan(1, when, 0, 0);
        struct ledger_range far = range(SLOT_MISSED, 1, 0, 2400000), next = range(SLOT_MISSED, 1, 2400001, 2400004);
        struct audit *own;

        p.anchor_us = far.first_rt_us = BASE + USEC_PER_SEC / 2;
        far.last_rt_us = p.anchor_us + 1200000 * USEC_PER_SEC;
        next.first_rt_us = far.last_rt_us + USEC_PER_SEC / 2;
        next.last_rt_us = far.last_rt_us + (_i == 0 ? 2 : 1) * USEC_PER_SEC;
        far.last_rt_us += _i == 2 ? 1 : 0; /* which is no slot */
        ck_assert_int_eq(audit_new(&agendas, &own), 0);
        ck_assert_int_eq(audit_add_segment(own, &p), 0);
        ck_assert_int_eq(audit_add_range(own, &next), 0);
        ck_assert_int_eq(audit_add_range(own, &far), 0);
        image = (struct job_image){.segment = 1, .key = 2400005};
        terms.now_rt_us = BASE + 3000000 * USEC_PER_SEC;
        audit_finish(own, &terms, &verdict);
        ck_assert_uint_eq(verdict.n_faults > 0, _i > 0);
        ck_assert_uint_eq(verdict.n_unchecked, _i < 2);
        audit_free(own);
        agendas_done(&agendas);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("audit");
        TCase *tc = tcase_create("audit");
        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_loop_test(tc, each_fault_has_its_name_and_place, 0, ARRAY_SIZE(rows));
        tcase_add_test(tc, what_is_planted_is_found);
        tcase_add_test(tc, the_verdict_has_the_numbers);
        tcase_add_test(tc, a_fault_says_when);
        tcase_add_test(tc, it_is_done_by_division);
        tcase_add_test(tc, instants_are_computed_where_the_data_of_the_zones_are_the_same);
        tcase_add_loop_test(tc, where_the_way_is_too_long_to_be_walked_an_instant_is_taken_and_counted_from, 0, 3);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
