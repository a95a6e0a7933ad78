// SPDX-License-Identifier: MIT
// run: the words about runs that both processes share: results, causes, steps of a start. Tables, one row per case.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/job.h"

enum run_result {
        RUN_RESULT_NONE, /* not ended yet */
        RUN_RESULT_SUCCESS,
        RUN_RESULT_FAILED,       /* exit status other than 0 */
        RUN_RESULT_TIMEOUT,      /* ended by its Timeout= */
        RUN_RESULT_SIGNAL,       /* ended by a signal that was not ours */
        RUN_RESULT_START_FAILED, /* never reached its program */
        RUN_RESULT_CANCELLED,    /* ended by a command or at stop */
        RUN_RESULT_INTERRUPTED,  /* its end cannot be known */
        RUN_RESULT_FINISHED,     /* the job has come to its end */
        RUN_RESULT_SKIPPED,      /* there was nothing to do, by its word */
        RUN_RESULT_CONDITION,    /* not executed: a condition did not hold */
        RUN_RESULT_OOM,          /* failed, after the kernel had killed a process of it for lack of memory */
        RUN_RESULT_MAX
};

enum run_cause {
        RUN_CAUSE_SCHEDULE,
        RUN_CAUSE_CATCH_UP,
        RUN_CAUSE_BOOT,
        RUN_CAUSE_TRIGGER,
        RUN_CAUSE_RETRY,
        RUN_CAUSE_WAKE,
        RUN_CAUSE_CHAIN, /* the end of another job's run, or what has become of its slots */
        RUN_CAUSE_MAX
};

/* What of a job its hooks hear of. */
enum run_event {
        RUN_EVENT_NONE,
        RUN_EVENT_RECOVERY, /* the first good end after failures */
        RUN_EVENT_SUCCESS,
        RUN_EVENT_FAILURE,
        RUN_EVENT_END, /* good or failed */
        RUN_EVENT_MISSED,
        RUN_EVENT_OVERDUE,
        RUN_EVENT_FINISHED, /* its schedule is over */
        RUN_EVENT_MAX
};

/* The steps of a start; their order is in launch_child.c. Which one failed is told with its errno, and kept in the ledger by its number. */
enum run_step {
        RUN_STEP_NONE,
        RUN_STEP_DEFINITION,  /* the runner does not know the hash */
        RUN_STEP_LINK,        /* the runner could not be told */
        RUN_STEP_ENVIRONMENT, /* an EnvironmentFile= */
        RUN_STEP_PIPE,
        RUN_STEP_CLONE,
        RUN_STEP_SESSION,
        RUN_STEP_SIGNALS,
        RUN_STEP_OOM_SCORE,
        RUN_STEP_TIMER_SLACK,
        RUN_STEP_GROUPS,
        RUN_STEP_GROUP,
        RUN_STEP_USER,
        RUN_STEP_STDIN,
        RUN_STEP_STDOUT,
        RUN_STEP_STDERR,
        RUN_STEP_DESCRIPTORS,
        RUN_STEP_WORKING_DIRECTORY,
        RUN_STEP_EXEC,
        RUN_STEP_TIME,      /* not at exec in time */
        RUN_STEP_STOP_PATH, /* behind the user: StopWhenPathExists= */
        RUN_STEP_CONDITION, /* behind that, and processes before the program: its conditions */
        RUN_STEP_LIMITS,    /* these in front of the groups */
        RUN_STEP_SCHEDULING,
        RUN_STEP_KEYRING,
        RUN_STEP_CAPABILITIES,
        RUN_STEP_ROOT_DIRECTORY,
        RUN_STEP_NO_NEW_PRIVILEGES, /* behind the user */
        RUN_STEP_CGROUP,            /* before the clone, or behind it: into the run's cgroup */
        RUN_STEP_UNIT,              /* instead of the program: a unit */
        RUN_STEP_PLUGIN,            /* in its host: it can't be loaded */
        RUN_STEP_PARAMETERS,        /* before it: those of the trigger, against the definition */
        RUN_STEP_MAX
};

/* The word of a value ("start-failed", "catch-up", "working-directory"); "invalid" outside the range. */
const char *run_result_to_string(enum run_result result);
const char *run_cause_to_string(enum run_cause cause);
const char *run_step_to_string(enum run_step step);
const char *run_event_to_string(enum run_event event);
struct run_end;
/* What the step of a failed start met, in words; NULL where that is not known. */
const char *run_start_error(const struct run_end *end);
/* True for success, skipped and finished. */
bool run_result_is_good(enum run_result result);
/* True for failed, timeout, signal, start-failed, oom. */
bool run_result_is_failure(enum run_result result);

/* How a run ended. */
struct run_end {
        enum run_result result;
        int exit_code;                    /* 0..255 where it exited, else -1 */
        int signal;                       /* the signal that ended it, else 0 */
        enum run_step step;               /* start-failed: where */
        int error;                        /* start-failed: errno there (positive) */
        int64_t start_rt_us, start_bt_us; /* of exec; 0 where it never started */
        int64_t end_rt_us, end_bt_us;
        int64_t cpu_us;      /* user and system time of all its processes; without a cgroup, of those that were waited for */
        int64_t memory_peak; /* bytes; 0: not known */
};

#define RUN_REASON_MAX 24 /* bytes of a word for why slots were missed, with the NUL */

/* Why a run of a chain was started: what another job's hooks hear. */
struct run_parent {
        enum run_event event; /* NONE: no job is the parent, and nothing else is set */
        enum run_result result;
        int exit_code, signal; /* as in struct run_end */
        uint16_t attempt;      /* the slot had so many; 0: there was no run */
        uint64_t run;          /* that has ended; 0: none */
        int64_t slot_rt_us;    /* of that run, or the latest that was missed */
        uint64_t missed;       /* slots that were missed, for a reason */
        char reason[RUN_REASON_MAX];
        char job[JOB_NAME_MAX + 1];
};
