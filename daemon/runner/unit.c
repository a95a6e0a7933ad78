// SPDX-License-Identifier: MIT
// unit: what a start of a systemd unit has come to, as its process says it and the runner understands it.

#include "daemon/runner/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/job_draft.h"
#include "daemon/core/util.h"

#define LOAD_STATE "LoadState="

/* First words that say more than the exit status behind them. */
static const struct {
        const char *word;
        enum run_result result;
        int error;
} rows[] = {
        {"SystemState=offline", RUN_RESULT_START_FAILED, EHOSTDOWN},
        {"RemainAfterExit=yes", RUN_RESULT_START_FAILED, EALREADY},
        {"AssertResult=no", RUN_RESULT_START_FAILED, EPROTO},
        {"Job=failed", RUN_RESULT_START_FAILED, ECANCELED},
        {"Result=start-limit-hit", RUN_RESULT_START_FAILED, EBUSY},
        {"Result=resources", RUN_RESULT_START_FAILED, EIO},
        {"ConditionResult=no", RUN_RESULT_SKIPPED, 0},
        {"Result=exec-condition", RUN_RESULT_SKIPPED, 0},
        {"Result=timeout", RUN_RESULT_TIMEOUT, 0},
        {"Result=oom-kill", RUN_RESULT_OOM, 0},
};

/* ---- in the process ---- */

static struct unit_end end_with(const char *name, const char *value, int status) {
        struct unit_end end = {.how = {.number = status}};

        snprintf(end.line, sizeof(end.line), "%s%s", name, value);
        return end;
}

struct unit_end unit_refuse(int error, const struct unit_state *shown) {
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (rows[i].error == error)
                        return end_with(rows[i].word, "", 1);
        return end_with(LOAD_STATE, shown ? shown->load : "error", 1);
}

static struct exit_status how_main_ended(const struct unit_state *state) {
        bool is_killed = state->main_code == CLD_KILLED || state->main_code == CLD_DUMPED;

        if (strcmp(state->result, "success") == 0)
                return (struct exit_status){};
        if (is_killed)
                return (struct exit_status){.is_signal = true, .number = state->main_status};
        /* it was another process of the unit that failed, or all did well but came too late */
        return (struct exit_status){.number = state->main_status > 0 ? state->main_status : 1};
}

struct unit_end unit_judge(const struct unit_state *before, const struct unit_state *after, bool has_failed) {
        bool was_running = !unit_state_is_over(before), is_new = strcmp(before->invocation, after->invocation) != 0;
        struct unit_end end;

        if (!has_failed && after->lacks_condition)
                return end_with("ConditionResult=no", "", 0);
        if (has_failed && after->lacks_assertion)
                return unit_refuse(EPROTO, NULL);
        if (has_failed && strcmp(after->result, "start-limit-hit") == 0)
                return unit_refuse(EBUSY, NULL);
        if (has_failed && !was_running && !is_new)
                return unit_refuse(ECANCELED, NULL);
        end = end_with("Result=", after->result, 0);
        if (after->invocation[0])
                snprintf(end.line, sizeof(end.line), "Result=%s InvocationID=%s", after->result, after->invocation);
        end.how = how_main_ended(after);
        return end;
}

/* ---- in the runner ---- */

/* In place of the unit its process, with one pipe for all that it says, in order. */
int unit_make_process(struct job_what *what, bool is_user_manager) {
        char *option, **argv = NULL;
        int r = asprintf(&option, "--unit=%s", what->argv[0]) < 0 ? -ENOMEM : 0;

        if (r < 0)
                return r;
        r = strv_take(&argv, 0, strdup("/proc/self/exe"));
        int taken = strv_take(&argv, strv_count(argv), option);
        r = r < 0 ? r : taken;
        if (r == 0 && is_user_manager)
                r = strv_take(&argv, strv_count(argv), strdup("--user"));
        if (r < 0) {
                strv_free(argv);
                return r;
        }
        strv_free(what->argv);
        what->argv = argv;
        what->work = JOB_WORK_COMMAND;
        what->error.kind = JOB_OUTPUT_INHERIT;
        return 0;
}

/* The last line, without its end; "" where there is none. */
static void read_last_line(const struct output_tail *tail, char ret[static UNIT_LINE_MAX]) {
        size_t size = 0, begin = 0, n, from = tail->size > UNIT_LINE_MAX - 1 ? tail->size - (UNIT_LINE_MAX - 1) : 0;
        const char *data;

        for (; (n = output_tail_read(tail, from, SIZE_MAX, &data)) > 0; from += n, size += n)
                memcpy(ret + size, data, n);
        if (size > 0 && ret[size - 1] == '\n')
                size--;
        ret[size] = '\0';
        for (size_t i = 0; i < size; i++)
                if (ret[i] == '\n')
                        begin = i + 1;
        memmove(ret, ret + begin, size - begin + 1);
}

void unit_take_end(const struct output_tail *tail, struct run_end *end) {
        char line[UNIT_LINE_MAX];
        size_t name = strlen(LOAD_STATE);

        read_last_line(tail, line);
        line[strcspn(line, " ")] = '\0';
        int error = strncmp(line, LOAD_STATE, name) == 0 ? job_unit_load_error(line + name) : 0;
        enum run_result result = error > 0 ? RUN_RESULT_START_FAILED : RUN_RESULT_NONE;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (strcmp(rows[i].word, line) == 0) {
                        result = rows[i].result;
                        error = rows[i].error;
                }
        if (result == RUN_RESULT_NONE)
                return;
        end->result = result;
        end->step = RUN_STEP_UNIT;
        end->error = error;
        if (result != RUN_RESULT_START_FAILED)
                return;
        end->exit_code = -1;
        end->signal = 0;
}
