// SPDX-License-Identifier: MIT
// timeline_rows: rows are read without trust: what has no time that can be drawn is left out.

#include "daemon/ctl/timeline_rows.h"

#include <stdio.h>
#include <string.h>

#include "daemon/ctl/reply.h"
#include "daemon/ctl/runs.h"

/* A run that never began has no place in time but its slot. */
static int add_run(struct timeline *t, const char *job, const json_t *run, int64_t open_us) {
        int64_t from_us = reply_int(run, "startUsec", reply_int(run, "slotUsec", -1));
        const char *result = reply_text_or(run, "result", "");
        struct timeline_span span = {.from_us = from_us, .to_us = reply_int(run, "endUsec", open_us), .n = 1, .is_run = true};
        char words[RUNS_WORDS];

        if (from_us < 0)
                return 0;
        span.to_us = span.to_us < from_us ? from_us : span.to_us;
        span.mark = runs_is_failure(run)                 ? TIMELINE_FAILED
                    : strcmp(result, "interrupted") == 0 ? TIMELINE_INTERRUPTED
                                                         : TIMELINE_RAN;
        snprintf(span.note, sizeof(span.note), "%.*s", TIMELINE_NOTE - 1, runs_result(run, words));
        return timeline_add(t, job, &span);
}

static int add_slots(struct timeline *t, const char *job, const json_t *slots) {
        int64_t first_us = reply_int(slots, "firstSlotUsec", -1), n = reply_int(slots, "count", 1);
        struct timeline_span span = {
                .from_us = first_us, .to_us = reply_int(slots, "lastSlotUsec", first_us), .n = (uint64_t)n};

        if (first_us < 0 || n < 1 || !timeline_mark_find(reply_text_or(slots, "outcome", ""), &span.mark))
                return 0;
        snprintf(span.note, sizeof(span.note), "%.*s", TIMELINE_NOTE - 1, reply_text_or(slots, "reason", ""));
        return timeline_add(t, job, &span);
}

int timeline_add_row(struct timeline *t, const json_t *row, int64_t open_us) {
        const char *job = reply_text(row, "job");

        if (!job)
                return 0;
        if (json_object_get(row, "outcome"))
                return add_slots(t, job, row);
        return json_object_get(row, "runId") ? add_run(t, job, row, open_us) : timeline_add_job(t, job);
}
