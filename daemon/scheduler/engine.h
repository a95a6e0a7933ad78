// SPDX-License-Identifier: MIT
// engine: all policy, as a pure state machine: events in, actions out. It reads no clock, file or socket and logs nothing.
// Every slot of a segment ends in exactly one outcome; keys of a segment get theirs in order, without gap or double.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/core/clock.h"
#include "daemon/core/wire.h"
#include "daemon/scheduler/registry.h"

#define ENGINE_BATCH         1024                /* slots that one engine_advance() starts or accounts for at most */
#define ENGINE_REMOVED_MAX   10000               /* jobs no longer defined whose phase is remembered */
#define ENGINE_TELL_US       (60 * USEC_PER_SEC) /* a lasting trouble is told this often */
#define ENGINE_STEP_LIMIT_US (3 * USEC_PER_HOUR) /* a larger step back begins a new time line */

enum slot_outcome {
        SLOT_RAN,
        SLOT_MISSED,
        SLOT_WITHHELD,
        SLOT_MERGED, /* into another slot's run */
        SLOT_OUTCOME_MAX
};

/* Why a slot was missed or withheld, or could not run at its instant. */
enum slot_reason {
        SLOT_REASON_NONE,
        SLOT_REASON_OVERLAP,    /* a run was in flight */
        SLOT_REASON_DOWN,       /* chimed was not running */
        SLOT_REASON_CLOCK_STEP, /* the wall clock was set over it */
        SLOT_REASON_DEADLINE,   /* too late: StartDeadline=, or the next slot was due */
        SLOT_REASON_MAX
};

const char *slot_outcome_to_string(enum slot_outcome outcome);
const char *slot_reason_to_string(enum slot_reason reason);

enum action_kind {
        ACTION_START,   /* tell the runner; `start` */
        ACTION_SEGMENT, /* a segment begins; `segment` */
        ACTION_OUTCOME, /* slots are accounted for; `outcome` */
        ACTION_STARTED, /* a run reached its program; `run` */
        ACTION_ENDED,   /* a run has ended: it may be acknowledged to the runner; `run`, `end` */
        ACTION_CLOCK,   /* the wall clock was set; `step_us` */
        ACTION_GONE,    /* the job's number will be used for another */
};

/* One order from the engine to the shell. Plain data; name and the like are asked of the engine by job. */
struct action {
        enum action_kind kind;
        uint32_t job; /* row of the registry; INDEX_NONE where no job is meant */
        union {
                struct wire_start start;
                struct {
                        uint32_t segment;
                        enum wire_item item;
                        int64_t anchor_us;
                        int64_t first_key;
                } segment;
                struct {
                        enum wire_item item;
                        uint32_t segment;
                        enum slot_outcome outcome;
                        enum slot_reason reason;
                        int64_t first, last; /* keys; every key between them */
                        uint64_t n;
                        int64_t first_rt_us, last_rt_us; /* nominal instants as wall-clock time */
                        uint64_t run;                    /* ran, merged: which */
                        int64_t lag_us;                  /* ran: start decided minus instant and drawn delay */
                        bool is_more;                    /* the trouble lasts: more of the same row may follow */
                } outcome;
                struct {
                        struct job_run run;
                        struct run_end end; /* ENDED */
                        bool has_changed;   /* ENDED: good after failed, failed after good, or the first */
                } run;
                int64_t step_us;
        };
};

struct engine;

/* A new engine without jobs, for the runner that sent this HELLO: its instance keys the draws, next_run is the first run number
 * that may be used, an epoch of 0 says that it had no scheduler before. 0, -ENOMEM. */
int engine_new(const struct wire_hello *hello, struct engine **ret);
struct engine *engine_free(struct engine *e);

/* A definition, new or changed; the plan is made at the commit. `when` is copied. 0, -ENOMEM. */
int engine_define(struct engine *e, const struct wire_define *define, const struct job_when *when);
/* A name is no longer defined; takes effect at the commit. Unknown names are ignored. */
void engine_remove(struct engine *e, const char *name);
/* A run that the runner had from an earlier scheduler; before the commit, after its job's definition. 0, -ENOMEM, -EEXIST (the
 * job has another run in flight: the runner is confused). */
int engine_adopt(struct engine *e, const struct wire_run *run);
/* Puts what was defined into force: plans new and changed jobs, leaves the others alone. No slot is made due by a change, and none
 * is lost by it: what is due by then of a job that was defined or removed is done first, by its old plan. 0, -ENOMEM. */
int engine_commit(struct engine *e, struct clock_sample now, const struct wire_commit *commit);

/* The runner's word. A start told before the commit (of an adopted run) makes no action. Unknown runs: engine_started() ignores
 * them; engine_ended() returns 1 (acknowledge and forget). */
void engine_started(struct engine *e, struct clock_sample now, const struct wire_started *started);
int engine_ended(struct engine *e, struct clock_sample now, const struct wire_ended *ended);

/* Does what is due. Returns 0, 1 where more may be due (call again, now or later), -ENOMEM. */
int engine_advance(struct engine *e, struct clock_sample now);
/* The wall clock was set by step_us: slots of wall grids that a step forward left out count as such, whenever they are looked at;
 * a large step back makes new plans. To be told before any other event with the new time. 0, -ENOMEM. */
int engine_clock_step(struct engine *e, struct clock_sample now, int64_t step_us);
/* From now on nothing is started: slots that wait to be merged into a run are missed. */
void engine_stop(struct engine *e, struct clock_sample now);
/* When engine_advance() wants to be called: BOOTTIME and REALTIME instants, INT64_MAX for never. */
void engine_next_wake(const struct engine *e, int64_t *ret_bt_us, int64_t *ret_rt_us);

/* The next action in order, valid until the next call of any engine function; NULL when all are taken. Take them after each event. */
const struct action *engine_next_action(struct engine *e);
/* True where an action was lost for lack of memory: the shell should end, a new scheduler learns all from the runner. */
bool engine_has_failed(const struct engine *e);

/* Views, borrowed until the next event. */
const char *engine_job_name(const struct engine *e, uint32_t job);
const struct job_when *engine_job_when(const struct engine *e, uint32_t job);
const struct registry *engine_registry(const struct engine *e);
