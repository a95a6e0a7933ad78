// SPDX-License-Identifier: MIT
// run: the words about runs that both processes share. One row per case; an enumerator without its row prints as "invalid"
// and a test walks them all.

#include "daemon/core/run.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "daemon/core/util.h"

static const struct {
        const char *name;
        bool is_good, is_failure;
} result_rows[RUN_RESULT_MAX] = {
        [RUN_RESULT_NONE] = {"none", false, false},           [RUN_RESULT_SUCCESS] = {"success", true, false},
        [RUN_RESULT_FAILED] = {"failed", false, true},        [RUN_RESULT_TIMEOUT] = {"timeout", false, true},
        [RUN_RESULT_SIGNAL] = {"signal", false, true},        [RUN_RESULT_START_FAILED] = {"start-failed", false, true},
        [RUN_RESULT_CANCELLED] = {"cancelled", false, false}, [RUN_RESULT_INTERRUPTED] = {"interrupted", false, false},
        [RUN_RESULT_FINISHED] = {"finished", true, false},    [RUN_RESULT_SKIPPED] = {"skipped", true, false},
        [RUN_RESULT_CONDITION] = {"condition", false, false}, [RUN_RESULT_OOM] = {"oom", false, true},
};

static const char *const cause_names[RUN_CAUSE_MAX] = {
        [RUN_CAUSE_SCHEDULE] = "schedule", [RUN_CAUSE_CATCH_UP] = "catch-up", [RUN_CAUSE_RETRY] = "retry",
        [RUN_CAUSE_BOOT] = "boot",         [RUN_CAUSE_TRIGGER] = "trigger",   [RUN_CAUSE_WAKE] = "wake",
        [RUN_CAUSE_CHAIN] = "chain",
};

static const char *const event_names[RUN_EVENT_MAX] = {
        [RUN_EVENT_NONE] = "none",       [RUN_EVENT_RECOVERY] = "recovery", [RUN_EVENT_SUCCESS] = "success",
        [RUN_EVENT_FAILURE] = "failure", [RUN_EVENT_END] = "end",           [RUN_EVENT_MISSED] = "missed",
        [RUN_EVENT_OVERDUE] = "overdue", [RUN_EVENT_FINISHED] = "finished",
};

static const char *const step_names[RUN_STEP_MAX] = {
        [RUN_STEP_NONE] = "none",
        [RUN_STEP_DEFINITION] = "definition",
        [RUN_STEP_LINK] = "link",
        [RUN_STEP_ENVIRONMENT] = "environment",
        [RUN_STEP_PIPE] = "pipe",
        [RUN_STEP_CLONE] = "clone",
        [RUN_STEP_SESSION] = "session",
        [RUN_STEP_SIGNALS] = "signals",
        [RUN_STEP_OOM_SCORE] = "oom-score",
        [RUN_STEP_TIMER_SLACK] = "timer-slack",
        [RUN_STEP_GROUPS] = "groups",
        [RUN_STEP_GROUP] = "group",
        [RUN_STEP_USER] = "user",
        [RUN_STEP_STDIN] = "stdin",
        [RUN_STEP_STDOUT] = "stdout",
        [RUN_STEP_STDERR] = "stderr",
        [RUN_STEP_DESCRIPTORS] = "descriptors",
        [RUN_STEP_WORKING_DIRECTORY] = "working-directory",
        [RUN_STEP_EXEC] = "exec",
        [RUN_STEP_TIME] = "time",
        [RUN_STEP_STOP_PATH] = "stop-path",
        [RUN_STEP_CONDITION] = "condition",
        [RUN_STEP_LIMITS] = "limits",
        [RUN_STEP_SCHEDULING] = "scheduling",
        [RUN_STEP_KEYRING] = "keyring",
        [RUN_STEP_CAPABILITIES] = "capabilities",
        [RUN_STEP_ROOT_DIRECTORY] = "root-directory",
        [RUN_STEP_NO_NEW_PRIVILEGES] = "no-new-privileges",
        [RUN_STEP_CGROUP] = "cgroup",
        [RUN_STEP_UNIT] = "unit",
        [RUN_STEP_PLUGIN] = "plugin",
        [RUN_STEP_PARAMETERS] = "parameters",
};

static const char *name_or_invalid(const char *name) {
        return name ? name : "invalid";
}

const char *run_result_to_string(enum run_result result) {
        return name_or_invalid((size_t)result < ARRAY_SIZE(result_rows) ? result_rows[result].name : NULL);
}

const char *run_cause_to_string(enum run_cause cause) {
        return name_or_invalid((size_t)cause < ARRAY_SIZE(cause_names) ? cause_names[cause] : NULL);
}

const char *run_step_to_string(enum run_step step) {
        return name_or_invalid((size_t)step < ARRAY_SIZE(step_names) ? step_names[step] : NULL);
}

const char *run_event_to_string(enum run_event event) {
        return name_or_invalid((size_t)event < ARRAY_SIZE(event_names) ? event_names[event] : NULL);
}

const char *run_start_error(const struct run_end *end) {
        bool is_output = end->step == RUN_STEP_STDOUT || end->step == RUN_STEP_STDERR;

        if (end->step == RUN_STEP_UNIT)
                return job_unit_error_to_string(end->error);
        if (end->step == RUN_STEP_CONDITION && end->error == 0)
                return "ExecCondition= exited with 255, or was ended by a signal";
        if (end->step == RUN_STEP_PARAMETERS && end->error == EPERM)
                return "the definition does not accept what the trigger passed";
        if (is_output && end->error == ENOTSUP)
                return "it is neither a regular file nor a character device";
        if (is_output && end->error == ELOOP)
                return "it is a symbolic link";
        if (is_output && end->error == ENXIO)
                return "it is a FIFO, or a device that is not there";
        return end->error > 0 ? strerrordesc_np(end->error) : NULL;
}

bool run_result_is_good(enum run_result result) {
        return (size_t)result < ARRAY_SIZE(result_rows) && result_rows[result].is_good;
}

bool run_result_is_failure(enum run_result result) {
        return (size_t)result < ARRAY_SIZE(result_rows) && result_rows[result].is_failure;
}
