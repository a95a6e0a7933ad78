// SPDX-License-Identifier: MIT
// past: runs are kept for a while only (History=), but that their slots ran is known for longer: where the runs end, slots go on.

#include "daemon/ctl/past.h"

#include <errno.h>
#include <string.h>

#include "config/duration.h"
#include "daemon/ctl/history.h"
#include "daemon/ctl/names.h"
#include "daemon/ctl/reply.h"

#define ROWS_MAX  10000        /* of a kind */
#define BEFORE_US USEC_PER_DAY /* a run that began so long before is drawn where it reaches into the period */

/* What was asked for, of one job or of all. */
struct rows {
        json_t *runs, *slots;
        json_t *oldest; /* slot of the runs of each job */
};

static int get_rows(struct session *s, const struct past_wish *wish, const char *job, struct rows *rows) {
        json_t *of_runs = json_object(), *of_slots;

        if (job)
                json_object_set_new(of_runs, "job", json_string(job));
        json_object_set_new(of_runs, "untilUsec", json_integer(wish->until_us));
        of_slots = json_copy(of_runs);
        int64_t since_us = wish->is_drawn && wish->from_us > BEFORE_US ? wish->from_us - BEFORE_US : wish->from_us;
        json_object_set_new(of_runs, "sinceUsec", json_integer(since_us));
        json_object_set_new(of_slots, "sinceUsec", json_integer(wish->from_us));
        json_object_set_new(
                of_slots, "outcomes",
                json_pack(wish->is_drawn ? "[s,s,s,s,s]" : "[s,s,s,s]", "missed", "withheld", "merged", "interrupted", "ran"));
        int status = history_add(s, API_LIST_RUNS, of_runs, ROWS_MAX, true, rows->runs, NULL);
        if (status == CTL_EXIT_DONE)
                status = history_add(s, API_LIST_MISSED, of_slots, ROWS_MAX, true, rows->slots, NULL);
        json_decref(of_runs);
        json_decref(of_slots);
        return status;
}

/* Takes from slots in a row those from an instant on. False: none is left. */
static bool clip(json_t *slots, int64_t before_us) {
        int64_t first_us = reply_int(slots, "firstSlotUsec", REPLY_NO_TIME), n = reply_int(slots, "count", 1);
        int64_t last_us = reply_int(slots, "lastSlotUsec", first_us), step_us = n > 1 ? (last_us - first_us) / (n - 1) : 0;

        if (last_us < before_us || step_us <= 0)
                return last_us < before_us;
        n = first_us < before_us ? (before_us - 1 - first_us) / step_us + 1 : 0;
        json_object_set_new(slots, "count", json_integer(n));
        json_object_set_new(slots, "lastSlotUsec", json_integer(first_us + (n - 1) * step_us));
        return n > 0;
}

static int take_runs(const struct past_wish *wish, struct rows *rows) {
        size_t i;
        json_t *run;
        int r = 0;

        json_array_foreach(rows->runs, i, run) {
                const char *job = reply_text_or(run, "job", "?");
                int64_t slot_us = reply_int(run, "slotUsec", INT64_MAX);
                if (slot_us < reply_int(rows->oldest, job, INT64_MAX))
                        json_object_set_new(rows->oldest, job, json_integer(slot_us));
                if (r == 0 && (wish->with_flights || reply_text(run, "result")))
                        r = wish->row(wish->userdata, run);
        }
        return r;
}

static int take_slots(const struct past_wish *wish, struct rows *rows) {
        size_t i;
        json_t *slots;
        int r = 0;

        json_array_foreach(rows->slots, i, slots) {
                bool has_run = strcmp(reply_text_or(slots, "outcome", ""), "ran") == 0;
                int64_t oldest_us = reply_int(rows->oldest, reply_text_or(slots, "job", "?"), INT64_MAX);
                bool has_rows = has_run && !reply_text(slots, "result"); /* of runs */
                if (r == 0 && (!has_rows || clip(slots, oldest_us)))
                        r = wish->row(wish->userdata, slots);
        }
        return r;
}

static int take_job(struct session *s, const struct past_wish *wish, const char *job, bool *is_cut) {
        struct rows rows = {.runs = json_array(), .slots = json_array(), .oldest = json_object()};
        int status = get_rows(s, wish, job, &rows) == CTL_EXIT_DONE ? CTL_EXIT_DONE : PAST_NONE, r = 0;

        if (status == CTL_EXIT_DONE)
                r = take_runs(wish, &rows);
        if (status == CTL_EXIT_DONE && r == 0)
                r = take_slots(wish, &rows);
        *is_cut = *is_cut || json_array_size(rows.runs) >= ROWS_MAX || json_array_size(rows.slots) >= ROWS_MAX;
        json_decref(rows.runs);
        json_decref(rows.slots);
        json_decref(rows.oldest);
        return r < 0 ? session_tell_memory() : status;
}

int past_take(struct session *s, const struct past_wish *wish, bool *ret_is_cut) {
        struct names names = {};
        bool is_cut = false;
        int status = names_resolve(s, s->names, s->n_names, &names);

        if (status == CTL_EXIT_DONE && names.n == 0)
                status = take_job(s, wish, NULL, &is_cut);
        for (size_t i = 0; status == CTL_EXIT_DONE && i < names.n; i++)
                status = take_job(s, wish, names.list[i], &is_cut);
        names_done(&names);
        *ret_is_cut = is_cut;
        return status;
}
