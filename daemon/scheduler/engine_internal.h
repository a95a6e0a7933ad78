// SPDX-License-Identifier: MIT
// engine_internal: what the engine's parts share: engine.c (definitions, runs, actions), slots.c (slots and their outcomes), due.c
// (whose instant has come), segments.c (plans), catch_up.c, commands.c, restore.c (what the ledger had) and views.c.
#pragma once

#include "config/acyclic.h"
#include "daemon/scheduler/engine.h"
#include "daemon/scheduler/parcels.h"
#include "daemon/scheduler/places.h"
#include "daemon/scheduler/plan.h"
#include "daemon/scheduler/schedule.h"

/* What hooks are to hear; each job that follows gets a slot. */
struct chain_news {
        struct clock_sample now;
        int64_t at_bt_us;
        uint32_t job;
        uint32_t events; /* bits */
        bool may_recur;  /* whoever finds the ledger as it is now will tell it once more */
        struct run_parent parent;
};

struct chains {
        struct edge *edges; /* from a parent to a child, sorted, each pair once; the tag is a bit for each enum run_event */
        size_t n_edges;
        bool has_ties;           /* some job names another, be it there or not */
        struct chain_news *news; /* until the actions of an event are taken; before the first commit, until then */
        size_t n_news, allocated_news;
        struct chain_served { /* of a new scheduler: the runner has a run of the child already */
                uint32_t child;
                uint64_t run;
        } * served;
        size_t n_served, allocated_served;
        bool has_commit;
};

/* Runs that are not looked at by their job's plan; see beside.c. */
struct beside_row {
        uint32_t job, next; /* next of its job, or free: row + 1, 0: none */
        struct job_run run;
};

struct beside {
        struct beside_row *rows;
        uint32_t n, allocated, free;
        struct index by_run;
};

struct engine {
        struct registry jobs;
        struct parcels parcels;
        struct beside beside;
        struct schedule boot_wake;   /* by job: fixed delays, BOOTTIME grids, and when to tell of lasting trouble */
        struct schedule real_wake;   /* by job: wall grids */
        struct schedule parked;      /* by job: a start that waits for the ledger, at the number of the claim that has it */
        struct clock_sample horizon; /* durable */
        struct clock_sample asked;   /* the latest that was asked for */
        int64_t asked_at_bt_us;      /* since when that is on its way to the disk; INT64_MAX: it is not */
        int64_t claim_took_us;       /* the latest was so long on its way */
        int64_t next_claim_bt_us;    /* before it only the horizon is moved */
        uint64_t n_claims;           /* asked for so far */
        bool is_claim_lowered;       /* the durable one is too high since the clock was set back */
        bool holds_slots;            /* what waits for the ledger waits for as long as it takes */
        bool has_ledger;
        bool is_retelling;        /* outcomes that an earlier scheduler has told */
        struct schedule at_boot;  /* by job: OnBoot= slots, BOOTTIME */
        struct schedule at_delay; /* by job: fixed delays beside calendars, BOOTTIME */
        struct schedule at_wake;  /* by job: OnWake= slots, at the instant of the resume, BOOTTIME */
        struct schedule holds;    /* by job: when a pause ends or a hold is told again, BOOTTIME */
        struct schedule retries;  /* by job: the next attempt of a slot, BOOTTIME */
        struct schedule expects;  /* by job: when it is overdue, or to be told of it again, BOOTTIME */
        struct index by_run;      /* jobs with a run in flight, by its number */
        struct groups groups;
        int64_t next_group_bt_us; /* when the hold of a group ends or is told again; INT64_MAX: none is on */
        struct chains chains;
        struct clock_sample now;                /* the latest that an event came with */
        uint32_t max_running, next_max_running; /* of all jobs together, 0: no limit; and from the next commit on */
        struct places places; /* of all jobs, and of each group by its number + 1; none where nothing has a limit */
        bool holds_places;    /* none is granted until a commit is done */
        uint8_t instance[16];
        uint8_t seed[16];    /* keys the draws, */
        uint8_t machine[16]; /* and these the ones that stay */
        uint8_t boot_id[16];
        bool is_same_runner;
        struct clock_sample past_horizon; /* of the scheduler before, */
        uint8_t past_boot_id[16];         /* of which boot */
        int64_t last_rt_us;               /* REALTIME when it last wrote, */
        int64_t last_offset_us;           /* that minus BOOTTIME, */
        uint8_t last_boot_id[16];         /* in which boot */
        uint64_t next_run;
        int64_t boot_bt_us; /* when the boot began */
        bool is_first_of_boot;
        bool is_first_scheduler;
        struct clock_sample resumed;       /* when a resync was committed: slots before passed while no scheduler was up */
        struct clock_sample asleep, woken; /* the latest sleep of the machine: after the first, up to the second */
        int64_t stepped_from_us;           /* the latest step forward left out the wall-clock instants after this, */
        int64_t stepped_to_us;             /* up to this */
        bool is_clock_trusted;             /* wall grids run: the clock is synchronised, or they have waited long enough */
        int64_t trust_bt_us;               /* when they have */
        bool is_stopping;
        bool has_failed;
        size_t n_removed;
        size_t n_restored; /* by the ledger, and not judged yet */
        int64_t offset_us; /* REALTIME minus BOOTTIME, see engine_slot_rt() */
        uint32_t *touched; /* rows defined or removed since the last commit */
        size_t n_touched, allocated_touched;
        struct action *actions;
        size_t n_actions, next_action, allocated_actions;
        uint32_t gone;      /* row to be given back once its ACTION_GONE was looked at; INDEX_NONE: none */
        struct action lost; /* written to where there was no memory */
};

/* A fresh action at the end of the queue, zeroed but for kind and job; never NULL. */
struct action *engine_emit(struct engine *e, enum action_kind kind, uint32_t job);

static inline struct job_row *engine_row(struct engine *e, uint32_t job) {
        return &e->jobs.rows[job];
}

/* The policy that the plan at hand was made under (until a commit the old one). */
static inline const struct job_when *engine_policy(const struct engine *e, const struct job_row *row) {
        return registry_when(&e->jobs, row->was != INDEX_NONE ? row->was : row->when);
}
/* The grid of a job under a policy. */
struct plan_grid engine_grid(const struct engine *e, const struct job_row *row, const struct job_when *when);
/* `now` on the clock of the policy's slots. */
int64_t engine_slot_now(const struct job_when *when, struct clock_sample now);
/* An instant of the policy's clock as wall-clock time. The same slot is told with the same microsecond, also by the next
 * scheduler: two clocks can't be read in one instant, so a difference below the slack is none. */
#define ENGINE_OFFSET_SLACK_US 500
void engine_note_offset(struct engine *e, struct clock_sample now);
/* An instant of BOOTTIME by an offset; what lies before NotBefore= by less than the slack lies at it. */
int64_t engine_rt_of(const struct job_when *when, int64_t slot_us, int64_t offset_us);
int64_t engine_slot_rt(struct engine *e, const struct job_when *when, int64_t slot_us, struct clock_sample now);
/* True if the machine slept at an instant of the clock of the policy's slots. */
bool engine_has_slept_at(const struct engine *e, const struct job_when *when, int64_t slot_us);
/* A wall-clock instant on the clock of the policy's slots. */
int64_t engine_from_rt(const struct engine *e, const struct job_when *when, int64_t rt_us);
/* Until= on that clock; INT64_MAX: none, or it is not known yet when that is. */
int64_t engine_until(const struct engine *e, const struct job_when *when);
/* When a fixed delay that begins at an instant is over: not before NotBefore=. */
int64_t engine_next_delay(const struct engine *e, const struct job_row *row, const struct job_when *when, int64_t from_us);
/* Draws of fixed-delay waits for a job's next slot. */
int64_t engine_wait(const struct engine *e, const struct job_row *row, const struct job_when *when);
/* Draws how much later catching up begins at a slot. */
int64_t engine_spread(const struct engine *e, const struct job_row *row, const struct job_when *when, int64_t key);
/* True if the job has a plan: its definition is in force, nobody has cancelled it, and its schedule is not over. */
static inline bool engine_has_plan(const struct job_row *row) {
        return row->state == JOB_STATE_ARMED && !row->is_cancelled && !row->is_finished && !row->is_failed;
}
/* The same, but of a job from the ledger, which no commit has judged yet, what it was when the ledger had it last. */
static inline bool engine_had_plan(const struct job_row *row) {
        return row->is_restored ? row->was_planned : engine_has_plan(row);
}
/* True if the run that the plan looks at is in flight: another one can begin beside it only. */
static inline bool engine_is_running(const struct engine *e, const struct job_row *row) {
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        return cold && cold->run.run > 0;
}
/* True if any run of the job is in flight. */
bool engine_is_in_flight(const struct engine *e, const struct job_row *row);

/* The same, or one more attempt of its last slot is to come. */
bool engine_is_busy(const struct engine *e, const struct job_row *row);

/* Forgets the run in flight. */
void engine_drop_run(struct engine *e, uint32_t job);
/* Room in the queues that a policy may need. 0, -ENOMEM. */
int engine_reserve(struct engine *e, uint32_t job, const struct job_when *when);
/* The run that the plan looks at is that, or none, for the moment: its places stay as they are. 0, -ENOMEM. */
int engine_put_run(struct engine *e, uint32_t job, const struct job_run *run);
/* The same run is taken out again. */
void engine_lift_run(struct engine *e, uint32_t job);
/* Makes a run the job's run in flight. 0, -ENOMEM. */
int engine_begin_run(struct engine *e, uint32_t job, const struct job_run *run);

/* A number for a run to come. */
/* Whether what nobody knows of never started; else it may have. */
static inline bool engine_knows_starts(const struct engine *e, const struct job_row *row) {
        return e->is_same_runner && !row->is_unsure;
}

static inline uint64_t engine_take_run_number(struct engine *e) {
        return e->next_run++;
}

/* restore.c */
/* What the ledger had is compared with what the runner has said: before the first commit makes plans. */
void restore_settle(struct engine *e, struct clock_sample now);
/* A run of the runner's that the ledger has not heard of: its slot, and those before it, get their outcome. 0, -ENOMEM. */
int restore_adopted(struct engine *e, struct clock_sample now, uint32_t job, const struct wire_start *start);
/* The run that the ledger has in flight is not the runner's: it, or its slot, gets its end. */
void restore_end_unknown(struct engine *e, struct clock_sample now, uint32_t job);
/* The plan of a restored job ends: slots that were claimed are interrupted, those that passed while no scheduler was up get
 * their outcome, what waits goes on waiting. */
void restore_close(struct engine *e, struct clock_sample now, uint32_t job, const struct job_when *old);
/* What waited, or was lost on its way to the runner, starts or gets its outcome. 0, -ENOMEM. */
int restore_waiting(struct engine *e, struct clock_sample now, uint32_t job);
/* The plan of a restored job goes on under the same policy, or ends as under `old` and one under `when` follows it. */
void restore_plan(struct engine *e, struct clock_sample now, uint32_t job, const struct job_when *old,
                  const struct job_when *when);

/* segments.c */
/* Begins a segment with the plan that the row holds; for what the caller has to add until the next action. */
struct action *segments_begin(struct engine *e, uint32_t job);
/* The first plan of a name that has none: from row->since_us on. */
void segments_plan_first(struct engine *e, struct clock_sample now, uint32_t job, const struct job_when *when, bool is_resync);
/* A name that is known gets its first schedule: nothing is due because of that, so an interval begins with its end. Before
 * segments_plan_first(). */
void segments_begin_known(struct engine *e, struct clock_sample now, uint32_t job, const struct job_when *when);
/* From a plan under `old` to one under `when`: the last slot plus n times the new interval, first after now. */
void segments_plan_next(struct engine *e, struct clock_sample now, uint32_t job, const struct job_when *old,
                        const struct job_when *when);
/* A grid that counts from now on. */
void segments_rebase(struct engine *e, struct clock_sample now, uint32_t job);
/* Queues the OnBoot= slot, if it is still to come; generation 0 where no commit is the reason. */
void segments_plan_boot_slot(struct engine *e, struct clock_sample now, uint32_t job, const struct job_when *when,
                             uint64_t generation);
/* The slots of the plan at hand up to now get their outcome; what waits goes on waiting. */
void segments_close(struct engine *e, struct clock_sample now, uint32_t job);
/* Ends the plan at hand for good: also what waits gets its outcome: slots are withheld for a reason (NONE: they may wait on), promised
 * runs are dropped. */
void segments_end(struct engine *e, struct clock_sample now, uint32_t job, enum slot_reason reason);

/* True while a first plan waits for a clock that is right: it begins with NotBefore=. */
bool segments_await_clock(const struct engine *e, const struct job_row *row);
/* True if there were as many runs since the job was armed as MaxRuns= says. */
bool segments_have_all_run(const struct engine *e, const struct job_row *row);
/* True if no slot of the plan at hand is to come any more, by Until=, MaxRuns= or because its calendar is over. */
bool segments_are_over(const struct engine *e, const struct job_row *row);
/* The schedule is over: what waits goes on waiting, the run in flight goes on. */
void segments_finish(struct engine *e, struct clock_sample now, uint32_t job);
/* The same, because a run that has just ended says so. */
void segments_finish_by_run(struct engine *e, struct clock_sample now, uint32_t job);

/* Gives back the row of a removed job that has no phase, or one more than are remembered, once no run of it is in flight. */
void segments_forget_removed(struct engine *e, uint32_t job);

/* catch_up.c */
/* True while passed slots of CatchUp=all wait, or one of them runs: slots that come meanwhile join them. */
bool catch_up_is_open(const struct engine *e, const struct job_row *row);
/* Slots up to `last` have come while a run is in flight. True: they join those that wait. */
bool catch_up_joins(struct engine *e, struct clock_sample now, uint32_t job, const struct plan_grid *grid, int64_t last);
/* So many keys from the row's on may wait, at least, before any is given up. */
int64_t catch_up_room(const struct engine *e, const struct job_row *row, const struct plan_grid *grid);
/* True if the slots up to `last`, which have come, are to be caught up one by one. */
bool catch_up_takes(const struct engine *e, struct clock_sample now, uint32_t job, const struct plan_grid *grid, int64_t last);
/* Starts the oldest of them, or lets it wait for CatchUpSpread=. 0, -ENOMEM. */
int catch_up_due(struct engine *e, struct clock_sample now, uint32_t job, const struct plan_grid *grid, int64_t last);
/* True while catching up has to wait for CatchUpSpread=, drawn for the slot `key`, at most longest_us from the first call on. */
bool catch_up_waits(struct engine *e, struct clock_sample now, uint32_t job, int64_t key, int64_t longest_us);
/* A definition says something else about catching up than the old one: a wait for CatchUpSpread= begins anew. */
void catch_up_change(struct engine *e, uint32_t job, const struct job_when *old, const struct job_when *when);
/* What waits to be caught up, up to an instant of the grid's clock, will not run: withheld for a reason; NONE: missed for what kept it. */
void catch_up_drop(struct engine *e, struct clock_sample now, uint32_t job, int64_t until_us, enum slot_reason reason);

/* delay.c: fixed delays beside calendars */
/* It counts from an instant on. */
void delay_begin(struct engine *e, uint32_t job, int64_t from_bt_us);
/* It is over when the days end that are left out now. */
void delay_reopen(struct engine *e, struct clock_sample now, uint32_t job);
/* What is known of the job, for delay_plan(). */
enum delay_past {
        DELAY_PAST_NEW,      /* nothing: the name was never seen */
        DELAY_PAST_KNOWN,    /* all */
        DELAY_PAST_RECALLED, /* what the runner remembers */
        DELAY_PAST_RESTORED, /* what the ledger had */
};
/* Where it stands after a commit from a policy (NULL: the job had no plan) to the one in force. 0, -ENOMEM. */
int delay_plan(struct engine *e, struct clock_sample now, uint32_t job, const struct job_when *old, enum delay_past past);
/* True if it will make a slot. */
bool delay_is_awaited(const struct engine *e, const struct job_row *row);
/* Queues it, or takes it out of the queue. */
void delay_arm(struct engine *e, uint32_t job);
/* True where there is none, or none that Until= lets come. */
bool delay_is_over(const struct engine *e, const struct job_row *row);
/* What may have been started before a death gets its outcome. */
void delay_restore(struct engine *e, struct clock_sample now, uint32_t job);

/* closed.c */
/* True if a slot at an instant of the policy's clock is never to run. */
bool closed_is_at(const struct engine *e, const struct job_when *when, int64_t slot_us);
bool closed_is_at_rt(const struct job_when *when, int64_t rt_us);
/* The last key up to `last` that may run, or the one before the row's key. */
int64_t closed_last_open(const struct engine *e, const struct job_row *row, int64_t last);
/* The first key from one on that may run; the one behind `last` where none up to that may. */
int64_t closed_first_open(const struct engine *e, const struct job_when *when, struct plan_grid *grid, int64_t key,
                          int64_t last);
/* The instant of the first slot that may run, of that at slot_us and those after it; INT64_MAX: none is known. No slots are counted. */
int64_t closed_open_after(const struct engine *e, const struct job_when *when, const struct plan_grid *grid, int64_t slot_us);
/* Keys from one on, `last` at most, that are all closed or all open. */
struct closed_stretch {
        int64_t first, last;
        int64_t first_us; /* nominal instant */
        bool is_closed;
};
struct closed_stretch closed_stretch(const struct engine *e, const struct job_when *when, struct plan_grid *grid, int64_t key,
                                     int64_t last);
/* The grid of a range of the plan at hand, standing at its first key. */
struct plan_grid closed_grid(const struct engine *e, const struct job_row *row, const struct job_range *range);
/* How many slots of a range may run. */
uint64_t closed_count_open(const struct engine *e, const struct job_row *row, const struct job_range *range);
/* The first instant from one on at which a slot may run; INT64_MAX: none is known. */
int64_t closed_opens_at(const struct engine *e, const struct job_when *when, int64_t slot_us);

/* conditions.c: runs whose conditions are asked */
/* True if a run that starts now asks them. */
bool conditions_are_asked(const struct engine *e, const struct job_row *row);
/* conditions_decided() of a run that asks; to be called by that. */
void conditions_hold(struct engine *e, struct clock_sample now, uint32_t job, struct job_run *run);
/* They hold, or a run has come to another end: its slot has run. */
static inline void conditions_decided(struct engine *e, struct clock_sample now, uint32_t job, struct job_run *run) {
        if (run->is_asked || run->is_open)
                conditions_hold(e, now, job, run);
}
/* True if a run in flight that ends so is undone: a condition does not hold; or there were no resources to start it, that says nothing of
 * the job, and nothing is told of its slot yet, which waits for the next try. */
bool conditions_undo(const struct job_run *run, const struct run_end *end);
/* The run in flight is undone. As engine_ended(). */
int conditions_refused(struct engine *e, struct clock_sample now, uint32_t job, const struct wire_ended *ended,
                       int64_t end_bt_us);

/* waiting.c: slots that can't start at their instant */
/* How many wait. */
uint32_t waiting_count(const struct job_cold *cold);
/* True if one more may wait. */
bool waiting_has_room(const struct engine *e, const struct job_row *row);
/* A slot begins to wait behind those that do, beside a trigger. There is room, and the job has its cold state. */
void waiting_put(struct engine *e, uint32_t job, const struct job_waiting *slot);
/* A slot that was taken to be started waits again, before the others; there is room for it always. */
void waiting_put_back(struct engine *e, uint32_t job, const struct job_waiting *slot);
/* This one waits no more, wherever it stands. False: it does not wait. */
bool waiting_remove(struct engine *e, uint32_t job, enum wire_item item, uint32_t segment, int64_t key);
/* The first one waits no more; a trigger does. */
void waiting_take(struct engine *e, uint32_t job);
/* When something is to be done about what waits, no run being in flight (BOOTTIME, 0: at once, INT64_MAX: when something else has
 * happened). */
int64_t waiting_wake(const struct engine *e, uint32_t job);
/* Why one that waited is missed where its StartDeadline= is over. */
static inline enum slot_reason waiting_late_reason(const struct job_waiting *slot) {
        return slot->until_reason == SLOT_REASON_RESOURCES ? SLOT_REASON_RESOURCES : SLOT_REASON_DEADLINE;
}
/* Slots that have waited too long are missed, for what kept them. The job has its cold state. */
void waiting_give_up(struct engine *e, struct clock_sample now, uint32_t job);

/* What counted on the run of a slot that waited, and has none, counts from now on. */
void waiting_go_without(struct engine *e, struct clock_sample now, uint32_t job);

/* retry.c: the next attempt of a slot, and what its last one comes to */
/* True where a start lacked processes, memory or descriptors: that says nothing of the job. */
bool retry_is_short(const struct run_end *end);
/* The wait after so many of them. */
int64_t retry_short_delay(unsigned n);
/* The run in flight has failed, at an instant: plans the next attempt of its slot. False where there is none. */
bool retry_plan(struct engine *e, struct clock_sample now, uint32_t job, const struct run_end *end, int64_t end_bt_us);
/* The last attempt of a slot has ended: counts failures in a row, and stops the job by StopAfterFailures=. */
void retry_settle(struct engine *e, struct clock_sample now, uint32_t job, enum run_result result);
/* Starts the attempt that waits, now. 0, -ENOMEM. */
int retry_start(struct engine *e, struct clock_sample now, uint32_t job);
/* Its instant has come: starts it, unless a slot has come first. 0, -ENOMEM. */
int retry_due(struct engine *e, struct clock_sample now, uint32_t job);
/* It will not come, for a reason as in ACTION_GIVEN_UP. Nothing happens where none waits. */
void retry_drop(struct engine *e, struct clock_sample now, uint32_t job, enum slot_reason reason);
/* retry_holds() where an attempt waits; to be called by that. */
bool retry_outlasts(struct engine *e, struct clock_sample now, uint32_t job);
/* True while it waits: nothing else of the job starts by itself. A slot of the plan that is due ends the wait. */
static inline bool retry_holds(struct engine *e, struct clock_sample now, uint32_t job) {
        const struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        return cold && cold->retry.is_waiting && retry_outlasts(e, now, job);
}
/* True if a run in flight is the attempt that has waited last. */
bool retry_is_of(const struct job_cold *cold, const struct job_run *run);
/* The same; where a death, or an attempt of another slot, has overwritten what is known of it, that is made up from the run in flight. */
bool retry_take_up(struct job_cold *cold, int64_t end_bt_us);
/* It was not executed, for its conditions did not hold, first at an instant: it waits until another one to be asked for again. */
void retry_put_back(struct engine *e, uint32_t job, int64_t since_bt_us, int64_t at_bt_us);
/* Queues it, or takes it out of the queue. */
void retry_arm(struct engine *e, uint32_t job);
/* An attempt may have begun before a death that the runner did not survive: it is interrupted, and the last of its slot. */
void retry_interrupt(struct engine *e, struct clock_sample now, uint32_t job);
/* What waited before a death goes on waiting, unless its time is over, or it may have begun. Before the commit makes plans. */
void retry_restore(struct engine *e, struct clock_sample now, uint32_t job);

/* expect.c: ExpectWithin= */
/* Queues the job for when it is overdue, or takes it out. */
void expect_arm(struct engine *e, uint32_t job);
/* It is overdue, or is to be told of it again. 0, -ENOMEM. */
int expect_due(struct engine *e, struct clock_sample now, uint32_t job);
/* A run has ended well. */
void expect_good(struct engine *e, uint32_t job, int64_t end_bt_us);
/* A hold is over: it counts anew. */
void expect_begin(struct engine *e, struct clock_sample now, uint32_t job);
/* True while it is overdue; *ret_since_bt_us is from when it counts, in either case. */
bool expect_is_overdue(const struct engine *e, const struct job_row *row, int64_t *ret_since_bt_us);

/* pools.c: MaxRunning= */
struct occasion;
/* pools_admit() where anything has a limit; to be called by that. */
bool pools_queue(struct engine *e, struct clock_sample now, uint32_t job);
/* True if the job may start a run now: a place in each of its pools is its own, until pools_begin_run() or slots_arm(), which gives it
 * back where nothing of the job waits for it. Else it is in the queue, and slots_arm() is called when its turn has come. */
static inline bool pools_admit(struct engine *e, struct clock_sample now, uint32_t job) {
        return e->places.n_pools == 0 || pools_queue(e, now, job);
}
/* True while the job waits for its turn. */
bool pools_is_queued(const struct engine *e, const struct job_cold *cold);
/* What was to be started waits for a place, or is missed if no more may wait. The job has its cold state. */
int pools_let_wait(struct engine *e, struct clock_sample now, uint32_t job, const struct occasion *o);
/* The job leaves the queue, and gives back what it was granted, if nothing of it waits for that. */
void pools_leave_idle(struct engine *e, uint32_t job);
/* A run takes its places, or gives them back: then the next ones have them. */
void pools_begin_run(struct engine *e, uint32_t job);
void pools_end_run(struct engine *e, uint32_t job);
/* Limits and members are those of the definitions that this commit puts into force. Between the two nobody is granted a place, so that
 * whoever waits again has its turn, whatever its row. 0, -ENOMEM. */
int pools_begin_commit(struct engine *e);
int pools_end_commit(struct engine *e);

/* group_holds.c */
/* True if one of the job's groups is held. */
bool group_holds_are_on(const struct engine *e, const struct job_row *row);
/* Holds of groups that end up to an instant end, and those that are due are told again. */
void group_holds_due(struct engine *e, struct clock_sample now, int64_t until_bt_us);
/* Its groups may be others now: the job is paused by them, or goes on. */
void group_holds_judge(struct engine *e, struct clock_sample now, uint32_t job);

/* The groups, with their holds, for a copy that has none. 0, -ENOMEM. */
int group_holds_copy(const struct engine *e, struct engine *copy);

/* passing.c: parameters */
/* Those that nothing needs any more go. */
void passing_sweep(struct engine *e);
/* The number that a trigger was told stands for its parameters. */
void passing_promise(struct engine *e, uint32_t job, uint64_t run, const struct engine_trigger *trigger);
/* What that run was asked for with is done by this one. */
void passing_follow(struct engine *e, uint32_t job, uint64_t from, uint64_t to);
/* True if two runs have not the same; 0: no run. */
bool passing_clashes(const struct engine *e, uint32_t job, uint64_t a, uint64_t b);
/* TRIGGER_STARTED, or why its parameters keep a trigger from being heard. */
enum trigger_outcome passing_refuse(const struct engine *e, uint32_t job, const struct engine_trigger *trigger);

/* chains.c: jobs that follow others */
/* Which job follows which, by the definitions that a commit puts into force: before it does. */
void chains_commit(struct engine *e);
/* The last attempt of a slot or a trigger has ended; before the run is dropped and the result noted. */
void chains_ended(struct engine *e, struct clock_sample now, uint32_t job, const struct run_end *end, int64_t end_bt_us);
/* The next attempt will not come: the one before it was the last. */
void chains_given_up(struct engine *e, struct clock_sample now, uint32_t job, const struct job_retry *retry);
/* The job has finished or is overdue. */
void chains_event(struct engine *e, struct clock_sample now, uint32_t job, enum run_event event);
/* Slots of it were told as missed, if they were. */
void chains_missed(struct engine *e, uint32_t job, const struct action *a);
/* The runner has a run of the child from an earlier scheduler. 0, -ENOMEM. */
int chains_note_served(struct engine *e, uint32_t child, const struct run_parent *parent);
/* chains_drain() where there may be news; to be called by that. */
bool chains_tell(struct engine *e);
/* The hooks get their slots: before the shell takes what the event came to, so that both are written together. True if any was
 * told. */
static inline bool chains_drain(struct engine *e) {
        return (e->chains.n_news > 0 || e->chains.n_served > 0) && e->chains.has_commit && chains_tell(e);
}
void chains_done(struct engine *e);

/* beside.c: runs of a job at the same time */
void beside_done(struct beside *b);
/* The rows of a job: from cold->beside on, then from .next; NULL: there are no more. */
const struct beside_row *beside_walk(const struct engine *e, uint32_t at);
/* True if another run may begin beside the one in flight. */
bool beside_has_room(const struct engine *e, const struct job_row *row);
/* One more of a job that has its cold state. 0, -ENOMEM. */
int beside_add(struct engine *e, uint32_t job, const struct job_run *run);
/* Puts the run in flight aside: the job looks as if there were none. 0, -ENOMEM. */
int beside_put(struct engine *e, uint32_t job);
/* A run that is aside; NULL: it is not. */
struct job_run *beside_find(struct engine *e, uint64_t run, uint32_t *ret_job);
/* Makes a run that is aside the one in flight, and puts that aside. 0, -ENOMEM. */
int beside_bring(struct engine *e, uint32_t job, uint64_t number);
/* A list of a job's runs that are aside, for free(). 0, -ENOMEM. */
int beside_list(const struct engine *e, const struct job_cold *cold, struct job_run **ret, uint32_t *ret_n);
/* One of them that the runner has not told of, for a slot of the plan; 0: there is none. */
uint64_t beside_of_slot(const struct engine *e, const struct job_cold *cold, uint32_t segment, int64_t key);
/* One of them that the runner has not told of; 0: there is none. */
uint64_t beside_unknown(const struct engine *e, const struct job_cold *cold);
/* Where no run is in flight and nothing waits, the latest that is aside becomes it. */
void beside_settle(struct engine *e, uint32_t job);
/* The same, whatever waits. */
void beside_show(struct engine *e, uint32_t job);

/* commands.c */
/* The job has its cold state, and is paused: what is on its way is withheld. */
void commands_stop_slots(struct engine *e, struct clock_sample now, uint32_t job);
/* It is not paused any more, since an instant of BOOTTIME. */
void commands_go_on(struct engine *e, struct clock_sample now, uint32_t job, int64_t since_bt_us);
/* 0, or why engine_start() refuses. */
int commands_refuse_start(const struct engine *e, struct clock_sample now, uint32_t job);
/* TRIGGER_STARTED, or why engine_trigger() would refuse. */
enum trigger_outcome commands_refuse_trigger(const struct engine *e, uint32_t job, const struct engine_trigger *trigger);
/* Queues the job for the end of its pause or for the next time its hold is told, or takes it out. */
void commands_arm_hold(struct engine *e, uint32_t job);
/* A pause's time is over, or a hold is to be told again. */
void commands_hold_due(struct engine *e, struct clock_sample now, uint32_t job);
/* The same, if it is so. */
void commands_settle_hold(struct engine *e, struct clock_sample now, uint32_t job);

/* Asks once for the end of the run in flight. */
void engine_end_run(struct engine *e, uint32_t job);

/* claims.c */
#define ENGINE_CLAIM_NONE (INT64_MIN / 4) /* a horizon below every slot */
/* claims_permit() where there is a ledger; to be called by that. */
bool claims_take(struct engine *e, struct clock_sample now, uint32_t job, int64_t key);
/* True if the slot `key` of the job may start now. Else the job is parked: it wakes when the ledger has what must be known. Its
 * queues are to be set anew. */
static inline bool claims_permit(struct engine *e, struct clock_sample now, uint32_t job, int64_t key) {
        return !e->has_ledger || claims_take(e, now, job, key);
}
/* The same for the attempt that waits, whose claim is in its job's image: it may have begun. */
bool claims_take_attempt(struct engine *e, struct clock_sample now, uint32_t job);
/* True if a slot that starts now does so without what claims_permit() asks for. */
bool claims_is_without(const struct engine *e, struct clock_sample now, uint32_t job, int64_t key);
/* True while the job's slots start in turn and late, each claimed on its own: the horizon does not speak for them. */
bool claims_are_own(const struct engine *e, const struct job_row *row);
/* Of a job whose slots start late: the last one that may have been started when its image is durable. */
int64_t claims_last_key(const struct engine *e, uint32_t job);
/* Where the ledger takes too long, what waits for it need not wait longer. */
void claims_release_overdue(struct engine *e, struct clock_sample now);
/* Asks for what must be durable soon, once for all of it. */
void claims_ask(struct engine *e, struct clock_sample now);
/* Lowers the instants to when claims_ask() or claims_release_overdue() have something to do. */
void claims_next_wake(const struct engine *e, int64_t *bt_us, int64_t *rt_us);
/* The wall clock was set back: what was claimed is not. */
void claims_lower(struct engine *e);
/* The machine slept: nobody waited for the disk meanwhile. */
void claims_sleep(struct engine *e, int64_t slept_us);

/* slots.c */
/* True while a slot of the job waits that will start late. */
bool slots_are_late(const struct engine *e, const struct job_row *row);
/* A slot begins to wait that will start late: the ledger is to know that it has not, and later that it may have. */
void slots_note_late(struct engine *e, uint32_t job);
/* The row's next slot waits; a trigger that waits too is done by the same run. The job has its cold state. */
void slots_let_wait(struct engine *e, struct clock_sample now, uint32_t job);
/* Those from the row's key on, `last` at most, that are closed are withheld, as far as one comes that is open. */
void slots_pass_closed(struct engine *e, struct clock_sample now, uint32_t job, int64_t last);
/* The slots from the row's key to last may have started or not: nobody knows. */
void slots_interrupt(struct engine *e, struct clock_sample now, uint32_t job, int64_t last);
/* The outcome of slots that are off the plan already; for what the caller has to add until the next action. */
struct action *slots_tell(struct engine *e, uint32_t job, enum slot_outcome outcome, enum slot_reason reason, uint32_t segment,
                          int64_t first, int64_t last, int64_t slot_rt_us);
/* The outcome of the slot that waits. */
void slots_tell_waiting(struct engine *e, uint32_t job, enum slot_outcome outcome, enum slot_reason reason);
/* The slot that waits, which was never tried, is missed; told together with those that follow, once a minute at least. */
void slots_miss_waiting(struct engine *e, struct clock_sample now, uint32_t job, enum slot_reason reason);
/* True while there is no need to tell those yet. */
bool slots_are_gathered(const struct engine *e, struct clock_sample now, const struct job_row *row);
/* The slots from the row's key to last are missed or withheld; told when the range they belong to ends. 0, -ENOMEM. */
int slots_miss(struct engine *e, struct clock_sample now, uint32_t job, int64_t last, enum slot_reason reason);
/* Starts a run for the row's next slot. 0, -ENOMEM. */
int slots_start_next(struct engine *e, struct clock_sample now, uint32_t job, enum run_cause cause, int64_t lag_us);
/* Queues the job for its next wake, or takes it out of the queues, as its state asks for. */
void slots_arm(struct engine *e, uint32_t job);
/* Takes the job out of the queues of boots and wakes. */
void slots_leave_events(struct engine *e, uint32_t job);
/* Gives the slots that passed under the run in flight or in a pause, up to an instant of the grid's clock, their outcome. */
void slots_pass(struct engine *e, struct clock_sample now, uint32_t job, int64_t until_us);
/* The same for those that passed while an older one waited for a place, which has come. */
void slots_pass_waiting(struct engine *e, struct clock_sample now, uint32_t job);
/* slots_flush_missed() where there is one; to be called by that. */
void slots_tell_missed(struct engine *e, struct clock_sample now, uint32_t job, bool is_more);
/* Emits the open range of missed slots, if there is one; is_more: its trouble lasts. */
static inline void slots_flush_missed(struct engine *e, struct clock_sample now, uint32_t job, bool is_more) {
        const struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        if (cold && cold->missed.is_open)
                slots_tell_missed(e, now, job, is_more);
}
/* What waits gives way to a later slot. */
void slots_give_way(struct engine *e, uint32_t job);
/* Nothing starts any more: what waits does so in the ledger, for the next scheduler, or is missed where there is none; a trigger is told. */
void slots_keep_waiting(struct engine *e, struct clock_sample now, uint32_t job);
/* What waits will not run: the slot is missed or withheld for a reason, a promised run is dropped. */
void slots_drop_waiting(struct engine *e, struct clock_sample now, uint32_t job, enum slot_reason reason);
/* A trigger that has joined what waited, or an earlier scheduler, waits with it no more. */
void slots_drop_promise(struct engine *e, uint32_t job, enum slot_reason reason);
/* The slot of a run in flight has run. */
void slots_tell_ran(struct engine *e, uint32_t job, const struct job_run *run);
/* Emits the slots that wait to be merged: into a run (not before its conditions hold), or as missed (run 0). */
void slots_flush_merging(struct engine *e, struct clock_sample now, uint32_t job, uint64_t run);
/* What a run is started for. */
struct occasion {
        bool has_waited;   /* whether the ledger had what it must know was asked before it was taken out of the line */
        bool is_unclaimed; /* then: it had not */
        enum wire_item item;
        enum run_cause cause;
        uint16_t attempt; /* 0: the first */
        uint32_t segment;
        int64_t anchor_us, key;
        int64_t slot_us, slot_rt_us;
        int64_t lag_us;
        struct run_parent parent;
        bool was_refused; /* its conditions did not hold when they were asked before */
        uint16_t n_short; /* as in job_run */
};
/* Starts a run, which does what a waiting trigger was promised; what is open before a slot is emitted behind it, merged slots into
 * it. 0, -ENOMEM. */
int slots_start(struct engine *e, struct clock_sample now, uint32_t job, const struct occasion *o);
/* The slots from the row's key to last wait for the next slot's run. 0, -ENOMEM. */
int slots_merge(struct engine *e, struct clock_sample now, uint32_t job, int64_t last, enum slot_reason reason);

/* due.c */
/* The plan ends while slots of it are due that wait for the ledger: the latest goes on waiting, as behind a run. 0, -ENOMEM. */
int due_let_wait(struct engine *e, struct clock_sample now, uint32_t job);
/* Does what is due of one job by the plan at hand. 0, -ENOMEM. */
int due_settle(struct engine *e, struct clock_sample now, uint32_t job);
/* Starts what waited for the run in flight, which has ended. 0, -ENOMEM. */
int due_start_waiting(struct engine *e, struct clock_sample now, uint32_t job);
/* A parent's end, or what its hooks hear, is a slot of the job at an instant (BOOTTIME); one that may be told once more after a death
 * waits until the ledger has it. 0, -ENOMEM. */
int due_chain(struct engine *e, struct clock_sample now, uint32_t job, const struct run_parent *parent, int64_t slot_us,
              bool may_recur);
/* Starts a run without a slot. 0, -ENOMEM. */
int due_start_triggered(struct engine *e, struct clock_sample now, uint32_t job);
