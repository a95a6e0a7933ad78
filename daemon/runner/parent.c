// SPDX-License-Identifier: MIT
// parent: what a run of a chain hears of the job that it follows. The record was checked when it was read: words are words.

#include "daemon/runner/parent.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/timestamp.h"
#include "daemon/core/util.h"

/* Without one newline at its end; a byte that no variable can hold becomes a question mark. */
static char *print_output(const struct wire_start *start) {
        const char *output = (const char *)start->parent_output;
        size_t size = start->parent_output_size;
        char *text = malloc(size + 1);

        if (!text)
                return NULL;
        if (size > 0 && output[size - 1] == '\n')
                size--;
        for (size_t i = 0; i < size; i++)
                text[i] = output[i] ? output[i] : '?';
        text[size] = 0;
        return text;
}

int parent_set(struct environment *e, const char *instance, const struct wire_start *start) {
        const struct run_parent *p = &start->parent;
        char run[64] = "", code[8] = "", slot[40] = "", slot_us[24] = "", attempt[8] = "", missed[24];
        const char *signal = p->signal > 0 ? sigabbrev_np(p->signal) : "";

        if (p->event == RUN_EVENT_NONE)
                return 0;
        if (p->run > 0)
                snprintf(run, sizeof(run), "%s-%llu", instance, (unsigned long long)p->run);
        if (p->exit_code >= 0)
                snprintf(code, sizeof(code), "%u", (unsigned)p->exit_code % 256);
        if (p->slot_rt_us > 0) {
                timestamp_print_utc(p->slot_rt_us, slot);
                snprintf(slot_us, sizeof(slot_us), "%lld", (long long)p->slot_rt_us);
        }
        if (p->attempt > 0)
                snprintf(attempt, sizeof(attempt), "%u", p->attempt);
        snprintf(missed, sizeof(missed), "%llu", (unsigned long long)p->missed);
        _cleanup_free_ char *output = print_output(start);
        if (!output)
                return -ENOMEM;
        const char *const pairs[][2] = {
                {"CHIMED_PARENT_JOB", p->job},
                {"CHIMED_PARENT_EVENT", run_event_to_string(p->event)},
                {"CHIMED_PARENT_RUN_ID", run},
                {"CHIMED_PARENT_RESULT", p->result == RUN_RESULT_NONE ? "" : run_result_to_string(p->result)},
                {"CHIMED_PARENT_EXIT_STATUS", code},
                {"CHIMED_PARENT_SIGNAL", signal ? signal : ""},
                {"CHIMED_PARENT_SLOT", slot},
                {"CHIMED_PARENT_SLOT_USEC", slot_us},
                {"CHIMED_PARENT_ATTEMPT", attempt},
                {"CHIMED_PARENT_MISSED", missed},
                {"CHIMED_PARENT_REASON", p->reason},
                {"CHIMED_PARENT_OUTPUT", output},
        };
        int r = 0;
        for (size_t i = 0; i < ARRAY_SIZE(pairs) && r == 0; i++)
                r = environment_set_value(e, pairs[i][0], pairs[i][1]);
        return r;
}
