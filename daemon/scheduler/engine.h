// SPDX-License-Identifier: MIT
// engine: all policy, as a pure state machine: events in, actions out. It reads no clock, file or socket and logs nothing.
// Every slot of a segment ends in exactly one outcome; keys get theirs in order, but for one that waits for a run to end.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/core/clock.h"
#include "daemon/core/wire.h"
#include "daemon/scheduler/clockstep.h"
#include "daemon/scheduler/groups.h"
#include "daemon/scheduler/image.h"
#include "daemon/scheduler/registry.h"

#define ENGINE_BATCH         1024                  /* slots that one engine_advance() starts or accounts for at most */
#define ENGINE_REMOVED_MAX   10000                 /* jobs no longer defined whose phase is remembered */
#define ENGINE_TELL_US       (60 * USEC_PER_SEC)   /* a lasting trouble is told this often */
#define ENGINE_REMIND_US     USEC_PER_DAY          /* a hold is told this often */
#define ENGINE_CLAIM_LEAD_US (1 * USEC_PER_SEC)    /* so long before a slot the horizon is moved over it, */
#define ENGINE_CLAIM_SPAN_US (2 * USEC_PER_SEC)    /* so far; more where the disk is slow */
#define ENGINE_CLAIM_GAP_US  (100 * USEC_PER_MSEC) /* slots that start late are claimed together, so often at most */
#define ENGINE_CLAIM_WAIT_US (5 * USEC_PER_SEC)    /* a slot waits so long for the ledger, then it runs without */
#define ENGINE_STEP_LIMIT_US CLOCKSTEP_LIMIT_US    /* a larger step back begins a new time line */
#define ENGINE_LATE_US       (1 * USEC_PER_SEC)    /* a slot that starts so long behind its instant is told as late */
#define ENGINE_ROUTINE_US    (5 * USEC_PER_SEC)    /* runs of a hosted job that come more often may be routine; see there */

enum slot_outcome {
        SLOT_RAN,
        SLOT_MISSED,
        SLOT_WITHHELD,
        SLOT_MERGED,      /* into another slot's run */
        SLOT_INTERRUPTED, /* it was claimed, and whether it started cannot be known */
        SLOT_OUTCOME_MAX
};

/* Why a slot was missed or withheld, or could not run at its instant. */
enum slot_reason {
        SLOT_REASON_NONE,
        SLOT_REASON_OVERLAP,    /* a run was in flight */
        SLOT_REASON_DOWN,       /* chimed was not running */
        SLOT_REASON_SUSPENDED,  /* the machine slept */
        SLOT_REASON_CLOCK_STEP, /* the wall clock was set over it */
        SLOT_REASON_DEADLINE,   /* too late: StartDeadline=, or the next slot was due */
        SLOT_REASON_PAUSED,     /* withheld, as are the next three */
        SLOT_REASON_CANCELLED,
        SLOT_REASON_DISABLED, /* its definition now says Enabled=no */
        SLOT_REASON_REMOVED,  /* its definition is gone */
        SLOT_REASON_CALENDAR, /* its day is left out by Only= or Except= */
        /* missed, too (the numbers are in ledgers): */
        SLOT_REASON_POOL,           /* the places of its groups were taken until it was too late */
        SLOT_REASON_CONDITION_WAIT, /* its conditions did not hold within ConditionWait= */
        SLOT_REASON_RESOURCES,      /* no process could be made until it was too late */
        /* withheld, too: */
        SLOT_REASON_CONDITION, /* its conditions did not hold */
        SLOT_REASON_FAILED,    /* StopAfterFailures= has stopped the job */
        SLOT_REASON_MAX
};

/* What a slot that did not run comes to for a reason. */
static inline enum slot_outcome slot_outcome_of(enum slot_reason reason) {
        bool is_missed = reason < SLOT_REASON_PAUSED || (reason >= SLOT_REASON_POOL && reason <= SLOT_REASON_RESOURCES);
        return is_missed ? SLOT_MISSED : SLOT_WITHHELD;
}

const char *slot_outcome_to_string(enum slot_outcome outcome);
const char *slot_reason_to_string(enum slot_reason reason);

enum action_kind {
        ACTION_START,   /* tell the runner; `start` */
        ACTION_SEGMENT, /* a segment begins; `segment` */
        ACTION_OUTCOME, /* slots are accounted for; `outcome` */
        ACTION_STARTED, /* a run reached its program; `run` */
        ACTION_ENDED,   /* a run has ended: it may be acknowledged to the runner; `run`, `end` */
        ACTION_REFUSED, /* a run was not executed, for a condition did not hold, or there were no processes, memory or descriptors: it may
                         * be acknowledged to the runner, and counts for nothing; `run`, `end`, see engine_condition() */
        ACTION_KILL, /* tell the runner to end a run and its processes; `kill_run` */
        ACTION_DROPPED, /* a run that was promised will not be, because its trigger was cancelled or (`run.end.result`) its conditions
                         * did not hold in time, or chimed went down (interrupted); `run.run.run` */
        ACTION_HOLD,    /* a command or its time has changed whether the job runs by itself; `hold` */
        ACTION_CLOSED,  /* its definition has gone, or says Enabled=no; a run in flight goes on; `unplanned` */
        ACTION_WRITE,   /* the ledger must have the job with the next horizon at the latest */
        ACTION_HORIZON, /* to be made durable, then told by engine_claimed(); `horizon` */
        ACTION_CLOCK,   /* the wall clock was set or synchronised, or the machine slept; `clock` */
        ACTION_GIVEN_UP, /* the attempt that was to come will not: the failure before it, or that it was interrupted, is the last word
                          * on its slot; `given_up` */
        ACTION_OVERDUE,    /* no good run for longer than ExpectWithin=, or that is over; `overdue` */
        ACTION_GROUP_HOLD, /* the same as HOLD of a group; `group_hold` */
        ACTION_GONE,       /* the job's number will be used for another */
};

enum hold_change {
        HOLD_PAUSED,
        HOLD_RESUMED,
        HOLD_EXPIRED, /* a pause's time is over: resumed */
        HOLD_CANCELLED,
        HOLD_STARTED, /* armed again */
        HOLD_INTERVAL_SET,
        HOLD_INTERVAL_RESET, /* by command, or by a changed definition */
        HOLD_FINISHED,       /* its schedule has come to its end */
        HOLD_FAILED,         /* StopAfterFailures= has stopped it */
        HOLD_REMINDER,       /* still paused or cancelled, a day after it was last told */
        HOLD_CHANGE_MAX
};

const char *hold_change_to_string(enum hold_change change);

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
                        bool is_unknown; /* by which policy, only a scheduler knew that has died */
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
                        bool is_again;                   /* an earlier scheduler has told it, the ledger has not heard of it */
                } outcome;
                struct {
                        struct job_run run;
                        struct run_end end; /* ENDED */
                        bool has_changed;   /* ENDED: good after failed, failed after good, or the first */
                        bool is_final; /* ENDED: of its slot: there is no attempt after it; REFUSED: nothing else tells of it */
                        bool is_short; /* ENDED, not final: it could not be started for lack of resources */
                        bool is_quiet; /* ENDED: the same once more, as the one before */
                        bool is_routine; /* ENDED: the same good end as before, of a slot at its time, of a hosted job that runs often:
                                          * no row of its own is due to it */
                        int64_t retry_us;    /* ENDED, not final: from now to the next attempt */
                        bool is_again;       /* STARTED: an earlier scheduler has seen it, the ledger has not */
                        bool is_asked_again; /* REFUSED: its slot, or its trigger, waits for its conditions, */
                        uint64_t next_run;   /* under this number, which whoever was told of this run has now; 0: nobody was */
                } run;
                struct {
                        struct job_retry retry;
                        enum slot_reason
                                reason; /* deadline (the next slot is due), down, or what was done to the job; none: it may
                                                  * have begun, and was interrupted */
                        bool is_final;  /* it counts as a failure: nobody asked for the end, and it is known */
                } given_up;
                struct {
                        int64_t since_rt_us; /* of the last good run, or since it was expected */
                        bool is_over;
                        bool is_again; /* it was told before */
                } overdue;
                uint64_t kill_run;
                enum hold_change hold;
                struct {
                        uint32_t group;
                        enum hold_change change; /* PAUSED, RESUMED, EXPIRED, REMINDER */
                } group_hold;
                struct clock_sample horizon;
                enum slot_reason unplanned; /* removed or disabled */
                struct clockstep clock;
        };
};

struct engine;

/* A new engine without jobs, for the runner that sent this HELLO: its instance keys the draws, next_run is the first run number
 * that may be used, an epoch of 0 says that it had no scheduler before. 0, -ENOMEM. */
int engine_new(const struct wire_hello *hello, struct engine **ret);
struct engine *engine_free(struct engine *e);
/* What keys the draws of FixedRandomDelay=: the same for the life of the machine. Before all definitions; zeroes where it is not called. */
void engine_set_machine(struct engine *e, const uint8_t machine[static 16]);

/* What is known of the time before, for engine_restore(). */
struct engine_past {
        uint8_t boot_id[16]; /* of this boot */
        uint8_t seed[16];    /* keys the draws, for the life of the ledger */
        bool is_same_runner; /* the ledger was written under the runner that is connected: what it does not know never started */
        struct clock_sample horizon; /* slots up to here may have been started, none beyond it was; */
        uint8_t horizon_boot_id[16]; /* its BOOTTIME is of this boot */
        struct clock_sample last;    /* the clocks at the latest commit, */
        uint8_t last_boot_id[16];    /* in which boot */
};

/* A number for a run that is no job's. */
uint64_t engine_take_run(struct engine *e);
/* Numbers below are used up. */
void engine_skip_runs(struct engine *e, uint64_t next_run);
/* Before all restores. */
void engine_set_past(struct engine *e, const struct engine_past *past);
/* A job as the ledger has it; when is its definition's policy. Before its definition and its runs. 0, -EEXIST, -ENOMEM. */
int engine_restore(struct engine *e, struct clock_sample now, const char *name, const struct job_when *when,
                   const struct job_image *image);
/* The job for the ledger, for image_done(); *ret_when is its definition's policy, borrowed. */
void engine_take_image(struct engine *e, struct clock_sample now, uint32_t job, struct job_image *ret,
                       const struct job_when **ret_when);

/* A definition, new or changed; the plan is made at the commit. `when` and `description` (NULL: none) are copied. 0, -ENOMEM. */
int engine_define(struct engine *e, const struct wire_define *define, const struct job_when *when, const char *description);
/* A name is no longer defined; takes effect at the commit. Unknown names are ignored. */
void engine_remove(struct engine *e, const char *name);
/* A group; before each commit all of them are told, and those that are not are gone with it. max_running 0: no limit. 0, -ENOMEM. */
int engine_define_group(struct engine *e, const char *name, const char *description, uint32_t max_running);
/* How many runs there may be in all from the next commit on; 0: no limit. */
void engine_set_max_running(struct engine *e, uint32_t n);
/* A run that the runner had from an earlier scheduler; before the commit, after its job's definition. 0, -ENOMEM, -EEXIST (the
 * job has another run in flight: the runner is confused). */
int engine_adopt(struct engine *e, struct clock_sample now, const struct wire_run *run);
/* The host of a hosted job has told all that it knows, before the first commit: what neither it nor the ledger knows never started. */
void engine_trust_host(struct engine *e, const char *name);
/* Puts what was defined into force: plans new and changed jobs, leaves the others alone. No slot is made due by a change, and none
 * is lost by it: what is due by then of a job that was defined or removed is done first, by its old plan. 0, -ENOMEM. */
int engine_commit(struct engine *e, struct clock_sample now, const struct wire_commit *commit);

/* The runner's word. A start told before the commit (of an adopted run) makes no action. Unknown runs: engine_started() ignores
 * them; engine_ended() returns 1 (acknowledge and forget). */
void engine_started(struct engine *e, struct clock_sample now, const struct wire_started *started);
int engine_ended(struct engine *e, struct clock_sample now, const struct wire_ended *ended);

/* ---- commands: each does first what is due of the job; none loses a slot, and only a start makes one due. After engine_stop()
 * only a run can be cancelled: what passes from then on is the next scheduler's to tell ---- */

enum trigger_if_running {
        TRIGGER_JOIN,
        TRIGGER_QUEUE,
        TRIGGER_REJECT,
        TRIGGER_REPLACE,  /* ends the run in flight */
        TRIGGER_PARALLEL, /* one beside it; queue where there are as many as may be */
};

struct engine_trigger {
        enum trigger_if_running if_running;
        const void *parameters; /* a set for the run (config/parameters.h), which the job accepts; borrowed */
        size_t parameters_size;
        bool is_rebase; /* the grid counts from now on */
        bool is_forced; /* also a cancelled or disabled job */
};

enum trigger_outcome {
        TRIGGER_STARTED,
        TRIGGER_JOINED,    /* the run in flight does it */
        TRIGGER_QUEUED,    /* one behind it does it, alone or with the slot that waits */
        TRIGGER_REPLACING, /* the same, and the one in flight is being ended */
        TRIGGER_REJECTED,  /* the rest: nothing is done. A run is in flight: its number is given */
        TRIGGER_NOT_ARMED,
        TRIGGER_NOT_A_GRID,        /* is_rebase of a job without Every=, or on the wall clock */
        TRIGGER_NOT_PARALLEL,      /* its Overlap= allows no run beside another */
        TRIGGER_PARAMETERS_DIFFER, /* the run that it would join, or that waits, has others: its number is given */
        TRIGGER_PARAMETERS_FULL,   /* PARCELS_MAX or PARCELS_SIZE_MAX is reached */
        TRIGGER_STOPPING,
        TRIGGER_OUTCOME_MAX
};

/* Runs the job now: there is never an extra run beside the one whose number is given. Returns enum trigger_outcome, or -ENOMEM. */
int engine_trigger(struct engine *e, struct clock_sample now, uint32_t job, const struct engine_trigger *trigger,
                   uint64_t *ret_run);
/* The number of the run in flight that a trigger would join, or of the one that waits and that it would wait with, or of the run that has
 * failed and whose next attempt it would be: it must have the same parameters. 0: there is none; UINT64_MAX: an attempt whose number is not
 * known. */
uint64_t engine_trigger_meets(const struct engine *e, uint32_t job, const struct engine_trigger *trigger);
/* The parameters of a run in flight, or of one that is promised, or ended by the action at hand; NULL: none. Borrowed until the next event. */
const char *engine_parameters(const struct engine *e, uint32_t job, uint64_t run, size_t *ret_size);
/* The names of those that the job's definition accepts, with a blank between them; "": none. Borrowed until the next event. */
const char *engine_job_accepted(const struct engine *e, uint32_t job);
/* Ends the run in flight (ACTION_KILL; its ACTION_ENDED comes when its processes are gone) and drops what waits: slots and a trigger, for
 * whatever, and the attempt that is to come; unless is_run_only, the schedule too, if it has one. *ret_run is the run that is being ended, 0
 * for none. 1, 0 where nothing was there to cancel, ENGINE_REFUSED_STOPPING, -ENOMEM. */
int engine_cancel(struct engine *e, struct clock_sample now, uint32_t job, bool is_run_only, uint64_t *ret_run);
/* What 0, 1 or a refusal mean for the others: 0 it was so before, 1 done. All may be ENGINE_REFUSED_STOPPING. */
enum {
        ENGINE_REFUSED_DISABLED = 2,
        ENGINE_REFUSED_NO_INTERVAL,
        ENGINE_REFUSED_CANCELLED,
        ENGINE_REFUSED_STOPPING,
        ENGINE_REFUSED_FINISHED,
        ENGINE_REFUSED_FAILED
};
/* Arms a cancelled, finished or failed job as if it were new. 0, 1, ENGINE_REFUSED_DISABLED, ENGINE_REFUSED_FINISHED where its Until= has
 * passed, -ENOMEM. */
int engine_start(struct engine *e, struct clock_sample now, uint32_t job);
/* until_bt_us: when it goes on by itself, INT64_MAX for never; pausing again sets it anew (1).
 * 0, 1, ENGINE_REFUSED_DISABLED, ENGINE_REFUSED_CANCELLED, ENGINE_REFUSED_FINISHED, -ENOMEM. */
int engine_pause(struct engine *e, struct clock_sample now, uint32_t job, int64_t until_bt_us);
int engine_resume(struct engine *e, struct clock_sample now, uint32_t job);
/* every_us from JOB_EVERY_MIN to DURATION_MAX, or 0 for the definition's. 0, 1, ENGINE_REFUSED_NO_INTERVAL, -ENOMEM. */
int engine_set_interval(struct engine *e, struct clock_sample now, uint32_t job, int64_t every_us);

/* ---- groups: each command is one step for all members ---- */

/* The groups, with their holds; borrowed until the next event. */
const struct groups *engine_groups(const struct engine *e);
/* One that is defined, or held, or INDEX_NONE. */
uint32_t engine_find_group(const struct engine *e, const char *name);
/* The first member from row `from` on that is defined, or INDEX_NONE. */
uint32_t engine_walk_members(const struct engine *e, uint32_t group, uint32_t from);
/* The first group that holds a job, or INDEX_NONE. */
uint32_t engine_holding_group(const struct engine *e, uint32_t job);
/* A hold that the ledger has; before the jobs are restored. 0, -ENOMEM. */
int engine_restore_group(struct engine *e, struct clock_sample now, const char *name, const char *by, const char *reason,
                         int64_t at_rt_us, int64_t until_rt_us);
/* Holds a group as a whole: its members' slots are withheld until it is resumed or, from until_bt_us on, goes on by itself. Members may be
 * paused by themselves beside. by and reason (NULL: none) are copied. 0 it was so before, 1, ENGINE_REFUSED_STOPPING, -ENOMEM. */
int engine_pause_group(struct engine *e, struct clock_sample now, uint32_t group, const char *by, const char *reason,
                       int64_t until_bt_us);
/* The hold of the group ends; members that are paused by themselves, or by another group, stay so. As engine_pause_group(). */
int engine_resume_group(struct engine *e, struct clock_sample now, uint32_t group);
/* Arms all members, or none: then it returns why the one in *ret_job refuses, as engine_start(). 0: all were armed. */
int engine_start_group(struct engine *e, struct clock_sample now, uint32_t group, uint32_t *ret_job);
/* TRIGGER_STARTED where each member can be triggered; else why the one in *ret_job refuses. -ENOMEM. Each is then to be triggered before any
 * other event. */
int engine_check_trigger(struct engine *e, struct clock_sample now, uint32_t group, const struct engine_trigger *trigger,
                         uint32_t *ret_job);

/* The horizon is durable up to here, and so is all that was written with it: no slot beyond it is started of jobs whose slots could
 * run again. Without a ledger (before engine_set_past()) nothing waits for it. */
void engine_claimed(struct engine *e, struct clock_sample now, struct clock_sample horizon);

/* Does what is due. Returns 0, 1 where more may be due (call again, now or later), -ENOMEM. */
int engine_advance(struct engine *e, struct clock_sample now);
/* What happened to the clocks since the last event; to be told before any other event with the new time. Slots of the time asleep
 * count as suspended; those of wall grids that a step forward left out as stepped over, or, where it comes with the first
 * synchronisation, as passed while down; a large step back makes new plans. 0, -ENOMEM. */
int engine_clock_change(struct engine *e, struct clock_sample now, const struct clockstep *change);
/* From now on nothing is started: what waits is kept in the ledger for the next scheduler, or missed where there is none. */
void engine_stop(struct engine *e, struct clock_sample now);
/* When engine_advance() wants to be called: BOOTTIME and REALTIME instants, INT64_MAX for never. */
void engine_next_wake(const struct engine *e, int64_t *ret_bt_us, int64_t *ret_rt_us);

/* The next action in order, valid until the next call of any engine function; NULL when all are taken. Take them after each event. */
const struct action *engine_next_action(struct engine *e);
/* True where an action was lost for lack of memory: the shell should end, a new scheduler learns all from the runner. */
bool engine_has_failed(const struct engine *e);

/* How a job stands. */
enum job_status {
        JOB_STATUS_WAITING,
        JOB_STATUS_RUNNING,
        JOB_STATUS_PENDING, /* running, and something waits behind that; or one more attempt is to come */
        JOB_STATUS_PAUSED,
        JOB_STATUS_CANCELLED,
        JOB_STATUS_FINISHED, /* its schedule is over */
        JOB_STATUS_FAILED,   /* stopped by StopAfterFailures= */
        JOB_STATUS_MANUAL,   /* on demand only */
        JOB_STATUS_DISABLED,
        JOB_STATUS_MAX
};

const char *job_status_to_string(enum job_status status);

/* Why a schedule is over. */
enum job_end {
        JOB_END_NONE,     /* it is not */
        JOB_END_RUNS,     /* MaxRuns= */
        JOB_END_RUN,      /* a run ended so */
        JOB_END_UNTIL,    /* no slot is left before Until= */
        JOB_END_CALENDAR, /* no instant of its calendar is left */
        JOB_END_MAX
};

struct job_view {
        enum job_status
                status; /* the first of: pending, running, disabled, cancelled, failed, finished, paused, manual, waiting */
        bool is_paused, is_cancelled, is_finished, is_failed;
        bool is_disabled;              /* by its definition, or that is gone */
        bool is_held;                  /* paused by itself; */
        uint32_t group;                /* the first of its groups that is paused, INDEX_NONE: none is */
        int64_t paused_until_bt_us;    /* by itself; INT64_MAX: no end */
        const struct job_run *run;     /* in flight, or NULL */
        uint64_t pending_run;          /* the number promised to what waits for it to end, 0: nothing waits */
        bool is_pending_slot;          /* what waits is a slot (for a fixed-rate job) */
        int64_t next_slot_rt_us;       /* planned; INT64_MAX: none, or it counts from the end of the run in flight */
        int64_t next_start_rt_us;      /* the same with its drawn delay */
        bool is_child;                 /* it follows other jobs */
        bool is_interval_set;          /* by engine_set_interval() */
        bool is_claim_awaited;         /* a slot starts as soon as the ledger has it */
        bool is_overdue;               /* no good run for longer than ExpectWithin=, */
        int64_t good_rt_us;            /* since then: the last good end, or since one was expected */
        const struct job_retry *retry; /* the attempt that is to come, or NULL */
        enum job_end end;
        uint32_t n_beside;                 /* runs in flight beside `run`, begun before it */
        uint32_t n_waiting;                /* slots that were taken off the plan and wait, for whatever */
        uint32_t n_line;                   /* slots that wait for a run to end, by Overlap=queue or for a replaced one; */
        int64_t line_slot_rt_us;           /* the first of them */
        bool is_clock_awaited;             /* its slots wait for the clock to be synchronised */
        bool is_place_awaited;             /* what is due waits for a place in its groups, or among all jobs */
        const struct job_waiting *waiting; /* what its conditions keep from starting, or NULL */
};

/* The runs of a job that are in flight, by their numbers. Returns how many. */
#define ENGINE_RUNS_MAX (JOB_PARALLEL_MAX + 1)
size_t engine_list_runs(const struct engine *e, uint32_t job, uint64_t ret[static ENGINE_RUNS_MAX]);
/* The condition of a job that did not hold when they were last asked, and what was found; NULL: none is known. Borrowed until the next
 * event. */
const char *engine_condition(const struct engine *e, uint32_t job);
/* INDEX_NONE where no job of this name is defined. */
uint32_t engine_find_job(const struct engine *e, const char *name);
/* The first job from row `from` on that is defined, or INDEX_NONE. Rows keep their place. */
uint32_t engine_walk_jobs(const struct engine *e, uint32_t from);
/* The jobs that a job follows: the next one, from *at on (0 at first), with what of it makes a slot (a bit for each enum run_event); or
 * INDEX_NONE. It takes as long as there are edges. */
uint32_t engine_walk_parents(const struct engine *e, uint32_t job, size_t *at, uint32_t *ret_events);
/* The jobs that follow a job, in the same way; it takes as long as there are. */
uint32_t engine_walk_children(const struct engine *e, uint32_t job, size_t *at, uint32_t *ret_events);
/* True if a slot starts as soon as the ledger has it. */
bool engine_awaits_claim(const struct engine *e, uint32_t job);
void engine_view(const struct engine *e, struct clock_sample now, uint32_t job, struct job_view *ret);
/* Up to n next slots after an instant, as wall-clock time: nominal, and with the drawn delay. Returns how many: fixed-rate jobs have
 * as many as are asked for, fixed-delay jobs at most one; jobs that don't run by themselves none. */
size_t engine_next_slots(const struct engine *e, struct clock_sample now, uint32_t job, int64_t from_rt_us, size_t n,
                         int64_t *ret_slot_rt_us, int64_t *ret_start_rt_us);
/* The job whose slot is next by the clocks alone, and when it is to start; INDEX_NONE: none has one. */
uint32_t engine_next_job(const struct engine *e, struct clock_sample now, int64_t *ret_start_rt_us);
/* Counts of jobs, a cancelled one with a run in flight among both. It takes as long as there are holds, or jobs where a group is held. */
struct engine_totals {
        size_t n_running /* runs */, n_paused, n_cancelled;
};
void engine_count(const struct engine *e, struct engine_totals *ret);
/* Description= of a job, "" where it has none. */
const char *engine_job_description(const struct engine *e, uint32_t job);

/* How many runs there are in a group, by its number, or in all (INDEX_NONE), and how many jobs wait for a place in it. */
struct engine_pool {
        uint32_t max_running; /* 0: no limit */
        uint32_t n_running;   /* and those that are about to start */
        size_t n_waiting;
};
void engine_view_pool(const struct engine *e, uint32_t group, struct engine_pool *ret);
/* What a job waits for that waits for a place. */
#define ENGINE_RUNNERS_TOLD 2
struct engine_place {
        const char *group; /* whose pool is full, borrowed until the next event; NULL: that of all jobs */
        struct engine_pool pool;
        bool is_full;                          /* else its free places are kept for somebody before it */
        size_t n_before;                       /* who want one of its pools, and go first */
        int64_t since_bt_us, until_bt_us;      /* it may wait; INT64_MAX: no limit */
        uint32_t runners[ENGINE_RUNNERS_TOLD]; /* some jobs that run there */
        size_t n_runners;
};
/* False if the job does not wait for a place. It takes as long as there are waiters. */
bool engine_view_place(const struct engine *e, uint32_t job, struct engine_place *ret);

/* Another engine, as yet without jobs, that goes on as this one would, with a clock that is right and no ledger. 0, -ENOMEM. */
int engine_new_copy(const struct engine *e, struct engine **ret);
/* Copies a job that is defined, as it stands between two events, with its run in flight. Its number in the copy is *ret; after a failure
 * the copy can only be freed. 0, -ENOMEM, -ENOSPC. */
int engine_copy_job(const struct engine *e, uint32_t job, struct engine *copy, uint32_t *ret);
/* Once all jobs are copied: which follows which. */
void engine_copy_ties(struct engine *copy);

/* Views, borrowed until the next event. */
const char *engine_job_name(const struct engine *e, uint32_t job);
const struct job_when *engine_job_when(const struct engine *e, uint32_t job);
/* The policy that its plan at hand was made under: another one between a definition and its commit. */
const struct job_when *engine_plan_when(const struct engine *e, uint32_t job);
const struct registry *engine_registry(const struct engine *e);
