// SPDX-License-Identifier: MIT
// api: times are integer microseconds; names that end in Usec are wall-clock instants unless the sentence says span.

#include "daemon/varlink/api.h"

#include <string.h>

#include "daemon/core/util.h"

#define REQUIRED false
#define OPTIONAL true
#define BOOL(name, optional, help)                                                                                             \
        { name, API_BOOL, NULL, optional, help }
#define INT(name, optional, help)                                                                                              \
        { name, API_INT, NULL, optional, help }
#define STRING(name, optional, help)                                                                                           \
        { name, API_STRING, NULL, optional, help }
#define STRINGS(name, optional, help)                                                                                          \
        { name, API_STRINGS, NULL, optional, help }
#define INTS(name, optional, help)                                                                                             \
        { name, API_INTS, NULL, optional, help }
#define TEXTS(name, optional, help)                                                                                            \
        { name, API_TEXTS, NULL, optional, help }
#define OBJECT(name, of, optional, help)                                                                                       \
        { name, API_OBJECT, of, optional, help }
#define OBJECTS(name, of, optional, help)                                                                                      \
        { name, API_OBJECTS, of, optional, help }
#define ROW(name, help, right, more, in, out)                                                                                  \
        { name, help, right, more, in, ARRAY_SIZE(in), out, ARRAY_SIZE(out) }
#define ROW_NO_IN(name, help, right, more, out)                                                                                \
        { name, help, right, more, NULL, 0, out, ARRAY_SIZE(out) }

/* ---- types ---- */

static const struct api_field hold_fields[] = {
        STRING("by", REQUIRED, "Who did it: a user's name or number."),
        INT("atUsec", REQUIRED, "When."),
        INT("untilUsec", OPTIONAL, "When it ends by itself; null: not."),
        STRING("reason", OPTIONAL, "Why, in the words of who did it."),
        STRING("group", OPTIONAL, "The group that is held, with all of its members; null: the job itself."),
};

static const struct api_field group_fields[] = {
        STRING("name", REQUIRED, "The group's name; \"@NAME\" stands for it where a job is asked for."),
        STRING("description", OPTIONAL, "Description=."),
        INT("members", REQUIRED, "How many jobs are members."),
        INT("maxRunning", OPTIONAL, "MaxRunning=; null: as many as come."),
        INT("running", REQUIRED, "How many members have a run in flight."),
        INT("waiting", REQUIRED, "How many jobs wait for a place in it."),
        OBJECT("hold", "Hold", OPTIONAL, "Who paused it; null: nobody."),
};
static const struct api_field accepted_fields[] = {
        STRING("job", REQUIRED, "The job's name."),
        INT("runId", REQUIRED, "The run that does it."),
        STRING("outcome", REQUIRED, "started, joined, queued or replacing."),
        INT("behindRunId", OPTIONAL, "The run in flight that it waits for; null: it waits for none."),
};

/* Of a run; Run, the end of a Trigger and events share them. */
#define RUN_FIELDS                                                                                                             \
        INT("runId", REQUIRED, "The run's number."), STRING("job", REQUIRED, "The job's name."),                               \
                INT("slotUsec", OPTIONAL, "Nominal instant of the slot it runs for; null for a triggered run."),               \
                STRING("cause", REQUIRED, "schedule, catch-up, boot, wake, chain, trigger or retry."),                         \
                INT("attempt", REQUIRED, "From 1."),                                                                           \
                INT("startUsec", OPTIONAL, "When its program began; null: it has not, or never did."),                         \
                INT("endUsec", OPTIONAL, "When its last process was gone; null: it is in flight."),                            \
                INT("lagUsec", OPTIONAL, "Span from the slot (with its drawn delay) to the decision to start it."),            \
                STRING("result", OPTIONAL,                                                                                     \
                       "success, finished, failed, timeout, signal, oom, start-failed, cancelled or interrupted; null: it is " \
                       "in flight."),                                                                                          \
                INT("exitCode", OPTIONAL, "Exit status, where it exited."),                                                    \
                STRING("signal", OPTIONAL, "Name of the signal that ended it, such as SIGTERM."),                              \
                STRING("error", OPTIONAL, "start-failed: the step that failed, and why."),                                     \
                INT("cpuUsec", OPTIONAL,                                                                                       \
                    "Span of processor time of all its processes; without cgroup, of those waited for; null: not known."),     \
                INT("memoryPeak", OPTIONAL, "Bytes that its processes had at most; null where that is not known."),            \
                INT("parentRunId", OPTIONAL, "The run that this one follows; null: none."),                                    \
                STRING("value", OPTIONAL,                                                                                      \
                       "End of its output, at most CaptureMax=; null: none, no UTF-8 text, or no right to see it."),           \
                STRING("valueBase64", OPTIONAL, "The same where it is no UTF-8 text.")

static const struct api_field run_fields[] = {RUN_FIELDS};

/* Of a job; Job and the reply of ShowJob share them. */
#define JOB_FIELDS                                                                                                             \
        STRING("name", REQUIRED, "The job's name."),                                                                           \
                STRING("state", REQUIRED,                                                                                      \
                       "waiting, running, pending (something waits for the run in flight, or one more attempt is to come), "   \
                       "paused, cancelled, "                                                                                   \
                       "finished, "                                                                                            \
                       "failed, manual (no schedule) or disabled."),                                                           \
                STRING("description", OPTIONAL, "Description=."), STRING("schedule", REQUIRED, "When it runs, in words."),     \
                INT("nextSlotUsec", OPTIONAL, "Nominal instant of the next slot; null: none is planned."),                     \
                INT("nextStartUsec", OPTIONAL, "The same with its drawn delay."),                                              \
                STRING("nextReason", OPTIONAL, "Why there is no next slot, or what moves it."),                                \
                INT("lastSlotUsec", OPTIONAL, "Slot of the latest run."),                                                      \
                INT("lastStartUsec", OPTIONAL, "Start of the latest run."),                                                    \
                STRING("lastResult", OPTIONAL, "Result of the latest run that has ended."),                                    \
                INT("lastDurationUsec", OPTIONAL, "Span it took."), INTS("runningRunIds", REQUIRED, "Runs in flight."),        \
                INT("pending", REQUIRED, "How many slots, or a trigger, wait for the run in flight."),                         \
                INT("runs", REQUIRED, "Runs that have ended since chimed began to count."),                                    \
                INT("successes", REQUIRED, "Of them good ones."), INT("failures", REQUIRED, "Of them failed ones."),           \
                INT("failuresInRow", REQUIRED, "Slots that have failed since the latest good run."),                           \
                INT("triggered", REQUIRED, "Of the runs those by trigger."),                                                   \
                INT("missed", REQUIRED, "Slots that were missed."),                                                            \
                INT("withheld", REQUIRED, "Slots that passed while it was paused, cancelled or disabled."),                    \
                INT("merged", REQUIRED, "Slots that went into another slot's run."),                                           \
                INT("interrupted", REQUIRED, "Runs whose end is not known."),                                                  \
                STRINGS("groups", REQUIRED, "Groups it belongs to."),                                                          \
                INT("attempt", OPTIONAL, "The attempt of its last slot that is to come; null: none is."),                      \
                INT("attemptUsec", OPTIONAL, "When that comes."),                                                              \
                INT("overdueSinceUsec", OPTIONAL,                                                                              \
                    "Since when it had no good run, where that is longer than ExpectWithin=; null: it is not overdue."),       \
                OBJECT("hold", "Hold", OPTIONAL, "Who paused or cancelled it, or paused a group of it; null: nobody.")

static const struct api_field job_fields[] = {JOB_FIELDS};

static const struct api_field policy_fields[] = {
        STRING("overlap", REQUIRED, "Overlap=: skip, queue, replace or parallel."),
        INT("queueMax", OPTIONAL, "queue: how many slots may wait."),
        INT("maxParallel", OPTIONAL, "parallel: how many runs may be in flight."),
        STRING("catchUp", OPTIONAL, "CatchUp=: none, one or all; null: it has no schedule of its own."),
        INT("catchUpMax", OPTIONAL, "all: how many slots are kept."),
        INT("startDeadlineUsec", OPTIONAL,
            "StartDeadline=, a span; null: it is not set, a slot may wait as long as the manual says; -1: without limit."),
        INT("retries", REQUIRED, "Retries=: attempts after the first."),
        INT("retryDelayUsec", OPTIONAL, "Span before the first of them; null: there are none."),
        INT("retryBackoffPpm", OPTIONAL, "Each further span is the one before times this, in millionths,"),
        INT("retryMaxDelayUsec", OPTIONAL, "and no longer than this."),
        BOOL("isInterruptedRetried", REQUIRED, "RetryInterrupted=."),
        INT("stopAfterFailures", OPTIONAL, "StopAfterFailures=; null: never."),
        INT("expectWithinUsec", OPTIONAL, "ExpectWithin=, a span; null: no good run is expected."),
        BOOL("hasConditions", REQUIRED, "Conditions are asked when a run is to start."),
        INT("conditionWaitUsec", OPTIONAL, "ConditionWait=, a span; null: a slot does not wait for them."),
        INT("priority", REQUIRED, "Priority=: the higher has a place in a pool first."),
};
static const struct api_field pool_fields[] = {
        STRING("group", OPTIONAL, "The group whose MaxRunning= it is; null: that of all jobs."),
        INT("maxRunning", REQUIRED, "How many runs there may be at a time."),
        INT("running", REQUIRED, "How many places are taken."),
        INT("waiting", REQUIRED, "How many jobs wait for one."),
};
static const struct api_field tie_fields[] = {
        STRING("job", REQUIRED, "The other job."),
        STRINGS("events", REQUIRED,
                "What of the one that is followed makes a slot of the other: success, failure, end, recovery, missed, overdue "
                "or "
                "finished."),
};

static const struct api_field next_slot_fields[] = {
        STRING("job", REQUIRED, "The job's name."),
        INT("slotUsec", REQUIRED, "Nominal instant."),
        INT("startUsec", REQUIRED, "With its drawn delay."),
        STRING("note", OPTIONAL, "What may move it or keep it from running."),
};

static const struct api_field missed_fields[] = {
        STRING("job", REQUIRED, "The job's name."),
        INT("firstSlotUsec", REQUIRED, "Nominal instant of the first slot."),
        INT("lastSlotUsec", REQUIRED, "And of the last."),
        INT("count", REQUIRED, "How many."),
        STRING("outcome", REQUIRED, "missed, withheld, merged or interrupted; ran only where that, or routine, was asked for."),
        STRING("reason", REQUIRED,
               "overlap, down, suspended, clock-step, deadline, paused, cancelled, disabled or removed; empty: none is "
               "needed."),
        INT("runId", OPTIONAL, "merged: the run that took them in. ran: the run of the first."),
        INT("lagUsec", OPTIONAL, "ran: the longest span from a slot to the decision to start it; else null, as where it is 0."),
        STRING("result", OPTIONAL, "ran: how each of their runs ended, of which ListRuns has none; null: it has them."),
};

static const struct api_field fault_fields[] = {
        STRING("kind", REQUIRED,
               "gap (slots without an outcome), double (with two), beyond (outcomes of slots that are not in the plan, or not "
               "yet), "
               "count (a row whose number is not that of its slots), instant (a row at other times than the plan's), no-plan "
               "(outcomes of a plan that is not there), no-run (slots that ran, or were merged, and no run that did it) or "
               "no-slot "
               "(a run whose slot has not run)."),
        INT("firstSlotUsec", OPTIONAL, "Instant of the first slot; null: not known."),
        INT("lastSlotUsec", OPTIONAL, "And of the last. instant: the planned one."),
        INT("count", REQUIRED, "How many slots."),
        INT("segment", REQUIRED, "The plan, counted from 1."),
        INT("firstKey", REQUIRED, "The first slot's number in it,"),
        INT("lastKey", REQUIRED, "and the last one's."),
        INT("runId", OPTIONAL, "no-run, no-slot: the run."),
};

/* ---- methods ---- */

static const struct api_field job_or_group[] = {
        STRING("job", REQUIRED, "The job's name, or \"@NAME\": all members of a group, in one step.")};
static const struct api_field the_job[] = {STRING("job", REQUIRED, "The job's name.")};

static const struct api_field status_out[] = {
        STRING("version", REQUIRED, "Of chimed."),
        STRING("instance", REQUIRED, "Id of this runner's life; journal records name runs by it and their number."),
        INT("upSinceUsec", REQUIRED, "When this scheduler began."),
        INT("pid", REQUIRED, "Its process."),
        STRING("settingsFile", REQUIRED, "chimed.conf in use."),
        STRINGS("jobFolders", REQUIRED, "Folders that the job files are read from, earlier ones first."),
        INT("generation", REQUIRED, "Count of readings of the job files."),
        INT("files", REQUIRED, "Job files in force."),
        INT("errors", REQUIRED, "Errors of the latest reading; what they concern keeps its last good definition."),
        INT("warnings", REQUIRED, "Warnings of the latest reading."),
        INT("jobs", REQUIRED, "Jobs known."),
        INT("running", REQUIRED, "Of them with a run in flight."),
        INT("paused", REQUIRED, "Of them paused."),
        INT("cancelled", REQUIRED, "Of them cancelled."),
        INT("failing", REQUIRED, "Of them those whose latest run failed."),
        INT("connections", REQUIRED, "Clients."),
        INT("subscriptions", REQUIRED, "Of them streams of events."),
        INT("eventsDropped", REQUIRED, "Events that slow subscribers lost."),
        INT("journalDropped", REQUIRED, "Records that journald did not take."),
        BOOL("isStopping", REQUIRED, "Nothing more is started."),
};
static const struct api_field list_in[] = {
        STRINGS("jobs", OPTIONAL,
                "Only these, by name, or as \"@GROUP\" its members, as elsewhere where jobs are listed; null: all."),
        INT("after", OPTIONAL, "What the page before gave as `after`."),
};
static const struct api_field list_out[] = {
        OBJECTS("jobs", "Job", REQUIRED, "In no order that means anything."),
        INT("after", OPTIONAL, "There may be more: call again with this; null: that was all."),
};
static const struct api_field show_out[] = {
        JOB_FIELDS,
        OBJECT("lastRun", "Run", OPTIONAL, "The latest run, also one in flight."),
        OBJECT("lastGood", "Run", OPTIONAL, "The latest good run."),
        OBJECT("lastFailure", "Run", OPTIONAL, "The latest failed run."),
        OBJECTS("recent", "Missed", REQUIRED, "The latest slots that did not run by themselves, newest first."),
        OBJECT("policy", "Policy", REQUIRED, "By which rules it runs."),
        OBJECTS("pools", "Pool", REQUIRED,
                "What limits how many run beside each other: its groups with MaxRunning=, and all jobs."),
        OBJECTS("follows", "Tie", REQUIRED, "The jobs that it follows, up to a bound."),
        INT("followsLeftOut", REQUIRED, "How many were over that bound."),
        OBJECTS("starts", "Tie", REQUIRED, "The jobs that follow it, up to a bound."),
        INT("startsLeftOut", REQUIRED, "How many were over that bound."),
        STRINGS("accepted", REQUIRED, "The parameters that a trigger may pass."),
        STRING("command", OPTIONAL, "What it runs; null: a unit, or no right to see it."),
        STRING("unit", OPTIONAL, "The systemd service that it starts; null: a command, or no right to see it."),
        STRING("user", OPTIONAL, "As whom; null: as the daemon's own user."),
        STRING("stopPath", OPTIONAL, "Where this is there when a run is to start, the job is finished; null: not set."),
        STRINGS("conditions", OPTIONAL, "Its conditions, as they would be written; null: no right to see them."),
        INT("timeoutUsec", OPTIONAL, "Timeout=, the span of a run; null: none, or no right to see it."),
        STRING("file", OPTIONAL, "Where its definition is."),
        INT("line", OPTIONAL, "And in which line."),
};
static const struct api_field next_in[] = {
        STRINGS("jobs", OPTIONAL, "Of these jobs; null: all."),
        INT("n", OPTIONAL, "How many slots of each job, 1 to 1000; default 1."),
        INT("fromUsec", OPTIONAL, "After this instant; default: now."),
        INT("after", OPTIONAL, "What the page before gave as `after`."),
};
static const struct api_field next_out[] = {
        OBJECTS("next", "NextSlot", REQUIRED, "Job by job, each job's in order."),
        INT("after", OPTIONAL, "There may be more: call again with this; null: that was all."),
};
static const struct api_field simulate_in[] = {
        STRINGS("jobs", OPTIONAL, "Of these jobs; null: all."),
        INT("untilUsec", OPTIONAL, "Up to this instant; default: a day later."),
        INT("tookUsec", OPTIONAL,
            "Span that each run takes; null: the median of its job's good runs among the latest 1000 of the ledger, else as "
            "long as "
            "the latest one, else no time."),
        INT("limit", OPTIONAL, "How many runs and rows of slots in all, 1 to 1000, with more to 500000; default: so many."),
};
static const struct api_field simulate_out[] = {
        INT("beganUsec", REQUIRED, "The instant from which on it goes on: of the call."),
        INT("jobs", REQUIRED, "How many jobs take part."),
        INT("measured", REQUIRED, "Of them those of which a run has ended."),
        OBJECTS("runs", "Run", REQUIRED,
                "Runs, with their times and numbers as they would be; members that nobody knows are absent."),
        OBJECTS("missed", "Missed", REQUIRED, "Slots that would not run by themselves."),
        BOOL("isCut", REQUIRED, "There would be more: the limit, or the time that it may take, was reached."),
};
static const struct api_field groups_in[] = {INT("after", OPTIONAL, "What the page before gave as `after`.")};
static const struct api_field groups_out[] = {
        OBJECTS("groups", "Group", REQUIRED, "In no order that means anything."),
        INT("after", OPTIONAL, "There may be more: call again with this; null: that was all."),
};
static const struct api_field why_in[] = {
        STRING("job", REQUIRED, "The job's name."),
        INT("slotUsec", OPTIONAL, "What became of the slot of this instant, as far as it is in memory."),
        INT("atUsec", OPTIONAL,
            "What became of the slot at this instant or, where there is none, the last one before it, from the "
            "ledger; null, like slotUsec: how it stands now."),
};
static const struct api_field why_out[] = {
        STRING("job", REQUIRED, "The job's name."),
        STRING("state", REQUIRED, "As in Job."),
        STRINGS("sentences", REQUIRED, "For people, in order; instants in them are UTC as RFC 3339."),
        STRING("reason", OPTIONAL, "In one word what keeps it from running, or kept the slot; null: nothing does."),
        STRINGS("reasons", REQUIRED,
                "All that holds now, in the order of this list: run (something waits for the end of the run in flight), retry "
                "(for the "
                "next attempt), pool (for a place), condition (did not hold when they were last asked), ledger (a slot waits "
                "for the disk), "
                "clock (for its synchronisation), paused, group-paused, cancelled, disabled, failed, finished, manual, "
                "calendar, overdue."),
        STRING("condition", OPTIONAL, "The condition that did not hold when they were last asked; null: none is known."),
        STRING("placeGroup", OPTIONAL, "pool: the group; null there: the places of all jobs."),
        INT("placesBefore", OPTIONAL, "pool: how many that wait for a place go before it."),
        INT("waitsUntilUsec", OPTIONAL, "pool, condition: when what waits is given up; null: it is not."),
        OBJECT("slot", "Missed", OPTIONAL, "The slots spoken of, where they did not run by themselves."),
        OBJECT("run", "Run", OPTIONAL, "The run spoken of."),
        INT("nextSlotUsec", OPTIONAL, "Nominal instant of the next slot."),
        STRING("outcome", OPTIONAL, "With atUsec: ran, missed, withheld, merged or interrupted; null: there was no such slot."),
        INT("slotUsec", OPTIONAL, "With atUsec: nominal instant of the slot."),
};
static const struct api_field runs_in[] = {
        STRING("job", OPTIONAL, "Of this job, also one that is no longer defined; null: of all."),
        INT("sinceUsec", OPTIONAL, "That started at this instant or after it; of those that never did their slot counts."),
        INT("untilUsec", OPTIONAL, "At this instant or before it."),
        BOOL("failed", OPTIONAL, "Only failed, timeout, signal, oom and start-failed."),
        INT("runId", OPTIONAL, "Only this one."),
        INT("limit", OPTIONAL, "How many at most, 1 to 100; default 100."),
        INT("after", OPTIONAL, "What the page before gave as `after`."),
};
static const struct api_field runs_out[] = {
        OBJECTS("runs", "Run", REQUIRED,
                "Newest first. Of a job that is named the values of the latest, the latest good and the latest failed run."),
        INT("trimmed", REQUIRED, "Of a job that is named: how many runs History= has taken away over all times."),
        INT("after", OPTIONAL, "There may be more: call again with this; null: that was all."),
};
static const struct api_field missed_in[] = {
        STRING("job", OPTIONAL, "Of this job, also one that is no longer defined; null: of all."),
        INT("sinceUsec", OPTIONAL, "Slots at this instant or after it."),
        INT("untilUsec", OPTIONAL, "At this instant or before it."),
        STRINGS("outcomes", OPTIONAL,
                "missed (default), withheld, merged, interrupted, ran; routine: those that ran whose runs ListRuns does not "
                "have."),
        INT("limit", OPTIONAL, "How many rows are looked at, 1 to 100; default 100."),
        INT("after", OPTIONAL, "What the page before gave as `after`."),
};
static const struct api_field missed_out[] = {
        OBJECTS("missed", "Missed", REQUIRED, "Newest first, in the order in which it became known."),
        INT("trimmed", REQUIRED, "Of a job that is named: how many slots retention has taken away over all times."),
        INT("after", OPTIONAL, "There may be more: call again with this; null: that was all."),
};
static const struct api_field audit_in[] = {
        STRING("job", OPTIONAL, "Of this job, also one that is no longer defined; null: of all, one a reply."),
        INT("sinceUsec", OPTIONAL, "Slots at this instant or after it; rows that reach into that time count as a whole."),
        INT("after", OPTIONAL, "What the reply before gave as `after`."),
};
static const struct api_field audit_out[] = {
        STRING("job", OPTIONAL, "The job's name; null: there is no more."),
        INT("ran", REQUIRED, "Slots that ran,"),
        INT("missed", REQUIRED, "were missed,"),
        INT("withheld", REQUIRED, "were withheld,"),
        INT("merged", REQUIRED, "were merged into another slot's run,"),
        INT("interrupted", REQUIRED, "or were interrupted."),
        INT("open", REQUIRED, "Slots that wait, or whose run is on its way."),
        INT("runs", REQUIRED, "Runs that were looked at."),
        INT("plans", REQUIRED, "Plans that were looked at."),
        INT("trimmed", REQUIRED, "Slots that retention has taken away over all times."),
        INT("unchecked", REQUIRED,
            "Slots that were counted only: retention has taken their plan, it can't be read, or the "
            "data of its zone are others now."),
        INT("firstSlotUsec", OPTIONAL, "Instant of the first slot that was looked at."),
        INT("lastSlotUsec", OPTIONAL, "And of the last."),
        OBJECTS("faults", "Fault", REQUIRED, "What is not as it should be, up to a bound."),
        INT("faultsLeftOut", REQUIRED, "How many were over that bound."),
        INT("after", OPTIONAL, "There may be more jobs: call again with this; null: that was all."),
};
static const struct api_field trigger_in[] = {
        STRING("job", REQUIRED, "The job's name, or \"@NAME\": all members of a group, in one step."),
        STRING("ifRunning", OPTIONAL,
               "Where a run is in flight: join it (default), queue one behind it, reject, replace (needs control), or "
               "parallel: one "
               "beside it, if its Overlap= is that and there is room."),
        STRING("schedule", OPTIONAL,
               "keep (default), or rebase: the next slot comes one interval from now (Every= on no wall clock; needs "
               "control)."),
        BOOL("force", OPTIONAL, "Also where it is cancelled, finished, failed or disabled (needs control)."),
        TEXTS("parameters", OPTIONAL,
              "What the run gets as CHIMED_PARAM_NAME, by names that the job accepts (AcceptParameters=): at most 64, together "
              "16 KiB; default: none. A run that is joined, or that waits, must have the same."),
        BOOL("output", OPTIONAL, "With more: send its output too (needs control)."),
};
static const struct api_field trigger_out[] = {
        STRING("kind", REQUIRED,
               "accepted; with more then started, output, retry (an attempt has failed, and one more is to come), and last "
               "ended, of a "
               "group once for each member."),
        STRING("job", REQUIRED, "The job's name; accepted, for a group: \"@NAME\"."),
        INT("runId", OPTIONAL, "The run that does it; absent for a group."),
        OBJECTS("accepted", "Accepted", OPTIONAL, "accepted, for a group: what does each member."),
        STRING("outcome", OPTIONAL, "accepted: started, joined, queued or replacing."),
        INT("behindRunId", OPTIONAL, "accepted: the run in flight that it waits for; null: it waits for none."),
        STRING("state", OPTIONAL, "accepted: the job's state, where it is paused, cancelled, finished, failed or disabled."),
        INT("atUsec", REQUIRED, "When."),
        INT("stream", OPTIONAL, "output: 1 standard output, 2 standard error."),
        STRING("text", OPTIONAL, "output: a piece of it; bytes that are no UTF-8 come as U+FFFD."),
        INT("dropped", OPTIONAL, "output: bytes lost before this piece."),
        INT("attempt", OPTIONAL, "retry: the attempt that is to come."),
        INT("attemptUsec", OPTIONAL, "retry: when it comes."),
        OBJECT("run", "Run", OPTIONAL,
               "ended: the last attempt; null where it never began because it was cancelled before. retry: the one that has "
               "failed."),
};
static const struct api_field cancel_in[] = {
        STRING("job", REQUIRED, "The job's name, or \"@NAME\": all members of a group, in one step."),
        STRING("what", OPTIONAL,
               "all (default): its schedule, what waits and its run; run: its run, or the attempt that is to come, and what "
               "waits."),
        INT("runId", OPTIONAL, "With run: only if this one is in flight, or waits with a trigger and none is in flight."),
        STRING("reason", OPTIONAL, "Why, for those who read it later; at most 200 bytes."),
};
static const struct api_field cancel_out[] = {
        STRING("job", REQUIRED, "As it was given."),
        BOOL("changed", REQUIRED, "Whether there was anything to cancel."),
        STRING("state", REQUIRED, "The job's state now; of a group: waiting, paused or cancelled."),
        OBJECT("run", "Run", OPTIONAL,
               "The run that was ended; its processes are gone. Absent for a group, as is the rest: runs are being ended."),
        INT("droppedAttempt", OPTIONAL, "The attempt of its last slot that was to come, and will not; null: none was."),
        INT("droppedSlots", OPTIONAL, "How many slots waited, and will not run."),
        INT("droppedRunId", OPTIONAL, "The run that a trigger was promised, and that will not begin; null: none was."),
};
static const struct api_field changed_out[] = {
        STRING("job", REQUIRED, "As it was given."),
        BOOL("changed", REQUIRED, "False: it was so before."),
        STRING("state", REQUIRED, "The job's state now; of a group: waiting, paused or cancelled."),
        INT("nextSlotUsec", OPTIONAL, "Nominal instant of the next slot."),
        STRING("group", OPTIONAL, "A group of the job that is paused: the job goes on no sooner than that; null: none is."),
        INT("runId", OPTIONAL, "The run in flight, which goes on; null: there is none."),
};
static const struct api_field pause_in[] = {
        STRING("job", REQUIRED, "The job's name, or \"@NAME\": all members of a group, in one step."),
        INT("forUsec", OPTIONAL, "Span after which it goes on by itself; null: until Resume."),
        STRING("reason", OPTIONAL, "Why, for those who read it later; at most 200 bytes."),
};
static const struct api_field interval_in[] = {
        STRING("job", REQUIRED, "The job's name."),
        INT("everyUsec", OPTIONAL, "The new interval, from 1000."),
        BOOL("reset", OPTIONAL, "Back to the definition's."),
};
static const struct api_field interval_out[] = {
        STRING("job", REQUIRED, "The job's name."),
        BOOL("changed", REQUIRED, "False: it was so before."),
        INT("everyUsec", REQUIRED, "The interval in force."),
        INT("nextSlotUsec", OPTIONAL, "Nominal instant of the next slot."),
};
static const struct api_field wait_in[] = {
        STRING("job", REQUIRED, "The job's name."),
        INT("more", OPTIONAL, "For so many more ends of runs; default 1."),
        INT("runs", OPTIONAL, "Until its count of runs is so high."),
        INT("successes", OPTIONAL, "Until its count of good runs is so high."),
        BOOL("finished", OPTIONAL, "Until nothing of it is in flight or waits."),
        INT("forUsec", OPTIONAL, "Span after which the answer is TimedOut."),
};
static const struct api_field wait_out[] = {
        STRING("job", REQUIRED, "The job's name."),
        INT("runs", REQUIRED, "Its count of runs."),
        INT("successes", REQUIRED, "Its count of good runs."),
        STRING("state", REQUIRED, "The job's state now."),
        OBJECT("lastRun", "Run", OPTIONAL, "The run whose end was waited for, or the latest."),
};
static const struct api_field subscribe_in[] = {
        STRINGS("jobs", OPTIONAL, "Only these, by name; null: all, also those that come later."),
        STRINGS("kinds", OPTIONAL, "Only these kinds of events; null: all but output."),
        INT("queue", OPTIONAL,
            "How many events may wait for this reader, 1 to 4096; default 256. Then the oldest are dropped."),
};
static const struct api_field subscribe_out[] = {
        STRING("kind", REQUIRED,
               "state (first, one a job), armed, started, output, ended, missed, withheld, merged, caught-up, dropped, end, "
               "reload or "
               "clock."),
        INT("seq", REQUIRED, "Counts the events of this stream from 1; a gap is told by a dropped event."),
        INT("atUsec", REQUIRED, "When."),
        STRING("job", OPTIONAL, "The job's name; null: it concerns none."),
        STRING("state", OPTIONAL, "state, armed: as in Job."),
        INT("nextSlotUsec", OPTIONAL, "state, armed: nominal instant of the next slot."),
        INTS("runningRunIds", OPTIONAL, "state: runs in flight."),
        OBJECT("hold", "Hold", OPTIONAL, "state: who paused or cancelled it."),
        STRING("by", OPTIONAL, "armed: who did it."),
        INT("runId", OPTIONAL, "started, output, ended, caught-up, merged: the run."),
        INT("slotUsec", OPTIONAL, "started, ended, caught-up: as in Run."),
        STRING("cause", OPTIONAL, "started, ended, caught-up: as in Run."),
        INT("attempt", OPTIONAL, "started, ended, caught-up: as in Run."),
        INT("startUsec", OPTIONAL, "started, ended, caught-up: as in Run."),
        INT("endUsec", OPTIONAL, "ended: as in Run."),
        INT("lagUsec", OPTIONAL, "started, ended, caught-up: as in Run."),
        STRING("result", OPTIONAL, "ended: as in Run."),
        INT("exitCode", OPTIONAL, "ended: as in Run."),
        STRING("signal", OPTIONAL, "ended: as in Run."),
        STRING("error", OPTIONAL, "ended: as in Run."),
        INT("cpuUsec", OPTIONAL, "ended: as in Run."),
        STRING("value", OPTIONAL, "ended: as in Run."),
        STRING("valueBase64", OPTIONAL, "ended: as in Run."),
        INT("stream", OPTIONAL, "output: 1 standard output, 2 standard error."),
        STRING("text", OPTIONAL, "output: a piece of it; bytes that are no UTF-8 come as U+FFFD."),
        INT("firstSlotUsec", OPTIONAL, "missed, withheld, merged: as in Missed."),
        INT("lastSlotUsec", OPTIONAL, "missed, withheld, merged: as in Missed."),
        INT("count", OPTIONAL, "missed, withheld, merged: slots. dropped: events. output: bytes lost before this piece."),
        STRING("reason", OPTIONAL, "missed, withheld, merged: as in Missed. end: removed, cancelled, disabled or stopping."),
        INT("stepUsec", OPTIONAL, "clock: span by which the wall clock was set, negative: back."),
        INT("sleptUsec", OPTIONAL, "clock: how long the machine was suspended; absent: it was not."),
        INT("generation", OPTIONAL, "reload: count of readings."),
        INT("added", OPTIONAL, "reload: jobs."),
        INT("changed", OPTIONAL, "reload: jobs."),
        INT("removed", OPTIONAL, "reload: jobs."),
        INT("errors", OPTIONAL, "reload: in the job files."),
};
static const struct api_field reload_out[] = {
        INT("generation", REQUIRED, "Count of readings of the job files."),
        INT("jobs", REQUIRED, "Jobs now in force."),
        INT("files", REQUIRED, "Job files now in force."),
        INT("added", REQUIRED, "Jobs that are new."),
        INT("changed", REQUIRED, "Jobs whose definition has changed."),
        INT("removed", REQUIRED, "Jobs that are gone."),
        INT("errors", REQUIRED, "Errors; what they concern keeps its last good definition."),
        INT("warnings", REQUIRED, "Warnings."),
        STRINGS("diagnostics", REQUIRED, "All of them as FILE:LINE:COLUMN: TEXT, up to a bound."),
        INT("diagnosticsLeftOut", REQUIRED, "How many were over that bound."),
};

static const struct api_row methods[API_METHOD_MAX] = {
        [API_GET_STATUS] =
                ROW_NO_IN("GetStatus", "The daemon: version, files in force, counts.", API_RIGHT_SEE, API_SINGLE, status_out),
        [API_LIST_JOBS] = ROW("ListJobs", "Jobs, page by page; with more all pages as a stream.", API_RIGHT_SEE, API_MAY_MORE,
                              list_in, list_out),
        [API_SHOW_JOB] = ROW("ShowJob", "One job with its latest runs. Its command and its output only to who may control it.",
                             API_RIGHT_SEE, API_SINGLE, the_job, show_out),
        [API_NEXT] = ROW("Next", "The next slots of jobs, as far as they are planned.", API_RIGHT_SEE, API_SINGLE, next_in,
                         next_out),
        [API_SIMULATE] =
                ROW("Simulate",
                    "What the jobs would do from now on: the engine goes on, from the state that it is in, on a clock of its "
                    "own. Nothing is run or changed. With more page by page as a stream.",
                    API_RIGHT_SEE, API_MAY_MORE, simulate_in, simulate_out),
        [API_LIST_GROUPS] =
                ROW("ListGroups", "Groups of jobs, page by page.", API_RIGHT_SEE, API_SINGLE, groups_in, groups_out),
        [API_WHY] = ROW("Why", "What became of a slot, or why nothing runs now.", API_RIGHT_SEE, API_SINGLE, why_in, why_out),
        [API_LIST_RUNS] = ROW("ListRuns", "Runs that the ledger has, page by page. Values only to who may control the job.",
                              API_RIGHT_SEE, API_SINGLE, runs_in, runs_out),
        [API_LIST_MISSED] = ROW("ListMissed", "Slots that did not run by themselves, as the ledger has them, page by page.",
                                API_RIGHT_SEE, API_SINGLE, missed_in, missed_out),
        [API_AUDIT] = ROW("Audit",
                          "Compares a job's slots in the ledger with its recorded plans, slot by slot. Of all jobs with more "
                          "as a stream.",
                          API_RIGHT_SEE, API_MAY_MORE, audit_in, audit_out),
        [API_TRIGGER] =
                ROW("Trigger",
                    "Runs a job now. Plain: one reply once it is decided which run does it. With more: how that run goes on. A "
                    "paused job runs; a cancelled or disabled one is NotArmed, unless forced.",
                    API_RIGHT_TRIGGER, API_MAY_MORE, trigger_in, trigger_out),
        [API_CANCEL] =
                ROW("Cancel", "Ends a job's schedule, its run and what waits. Replies when the run's processes are gone.",
                    API_RIGHT_CONTROL, API_SINGLE, cancel_in, cancel_out),
        [API_START] = ROW(
                "Start", "Arms a cancelled job again, as if it were new; its counts are kept. Of a group all members, or none.",
                API_RIGHT_CONTROL, API_SINGLE, job_or_group, changed_out),
        [API_PAUSE] = ROW("Pause",
                          "Starts no more slots of a job; its run in flight goes on. Slots that pass are withheld. The hold of "
                          "a group is its own: only admins may.",
                          API_RIGHT_CONTROL, API_SINGLE, pause_in, changed_out),
        [API_RESUME] = ROW("Resume", "Ends a pause: goes on at the next slot, without backlog.", API_RIGHT_CONTROL, API_SINGLE,
                           job_or_group, changed_out),
        [API_SET_INTERVAL] =
                ROW("SetInterval",
                    "Gives a job with Every= another interval, from its last slot on, until its schedule is changed in the "
                    "job file or it is reset.",
                    API_RIGHT_CONTROL, API_SINGLE, interval_in, interval_out),
        [API_WAIT] = ROW("Wait", "Replies when runs of a job have ended.", API_RIGHT_SEE, API_SINGLE, wait_in, wait_out),
        [API_SUBSCRIBE] =
                ROW("Subscribe",
                    "A stream of events: how each job stands now, then what happens. Never waits for a slow reader: its oldest "
                    "events are dropped, and how many is told. Output and values only of jobs that the caller may control.",
                    API_RIGHT_SEE, API_MUST_MORE, subscribe_in, subscribe_out),
        [API_RELOAD] = ROW_NO_IN("Reload", "Reads the job files. Replies when they are in force.", API_RIGHT_ADMIN, API_SINGLE,
                                 reload_out),
};

static const struct api_row types[] = {
        ROW_NO_IN("Hold", "Why a job does not run by itself.", API_RIGHT_SEE, API_SINGLE, hold_fields),
        ROW_NO_IN("Run", "One execution of a job.", API_RIGHT_SEE, API_SINGLE, run_fields),
        ROW_NO_IN("Job", "A job and how it stands.", API_RIGHT_SEE, API_SINGLE, job_fields),
        ROW_NO_IN("Group", "A group of jobs and how it stands.", API_RIGHT_SEE, API_SINGLE, group_fields),
        ROW_NO_IN("Accepted", "What becomes of one member of a group that was triggered.", API_RIGHT_SEE, API_SINGLE,
                  accepted_fields),
        ROW_NO_IN("Policy", "By which rules a job runs.", API_RIGHT_SEE, API_SINGLE, policy_fields),
        ROW_NO_IN("Pool", "Places for runs, and how many are taken.", API_RIGHT_SEE, API_SINGLE, pool_fields),
        ROW_NO_IN("Tie", "What ties a job to another that it follows, or that follows it.", API_RIGHT_SEE, API_SINGLE,
                  tie_fields),
        ROW_NO_IN("NextSlot", "A planned instant of a job.", API_RIGHT_SEE, API_SINGLE, next_slot_fields),
        ROW_NO_IN("Missed", "Slots in a row that did not run by themselves.", API_RIGHT_SEE, API_SINGLE, missed_fields),
        ROW_NO_IN("Fault", "Where the ledger is not as its plans say.", API_RIGHT_SEE, API_SINGLE, fault_fields),
};

/* ---- errors ---- */

static const struct api_field no_run[] = {STRING("job", REQUIRED, "The job's name."),
                                          INT("runId", REQUIRED, "As it was given.")};
static const struct api_field running_run[] = {STRING("job", REQUIRED, "The job's name."),
                                               INT("runId", REQUIRED, "The run in flight.")};
static const struct api_field not_armed[] = {
        STRING("job", REQUIRED, "The job's name."),
        STRING("state", REQUIRED, "cancelled, finished, failed or disabled."),
};
static const struct api_field not_possible[] = {
        STRING("job", REQUIRED, "The job's name."),
        STRING("reason", REQUIRED, "Why, in words."),
};
static const struct api_field not_accepted[] = {
        STRING("job", REQUIRED, "The job's name."),
        STRING("name", REQUIRED, "The parameter."),
        STRINGS("accepted", REQUIRED, "Those that it accepts."),
};
static const struct api_field differ[] = {
        STRING("job", REQUIRED, "The job's name."),
        INT("runId", OPTIONAL,
            "The run in flight, or that waits, or that has failed and whose next attempt is to come; null: an earlier one."),
};
static const struct api_field ledger_failed[] = {STRING("reason", REQUIRED, "Why, in words.")};
static const struct api_field limit_reached[] = {
        STRING("what", REQUIRED, "Of what there are too many."),
        INT("limit", REQUIRED, "How many there may be."),
};

static const struct api_row errors[API_ERROR_MAX] = {
        [API_ERROR_NO_SUCH_JOB] = ROW_NO_IN("NoSuchJob", "No job has this name.", API_RIGHT_SEE, API_SINGLE, the_job),
        [API_ERROR_NO_SUCH_RUN] = ROW_NO_IN("NoSuchRun", "This run is not in flight.", API_RIGHT_SEE, API_SINGLE, no_run),
        [API_ERROR_NOT_ARMED] =
                ROW_NO_IN("NotArmed", "The job does not run in this state.", API_RIGHT_SEE, API_SINGLE, not_armed),
        [API_ERROR_ALREADY_RUNNING] = ROW_NO_IN("AlreadyRunning", "A run is in flight, and the trigger was to reject.",
                                                API_RIGHT_SEE, API_SINGLE, running_run),
        [API_ERROR_NOT_RUNNING] = ROW_NO_IN("NotRunning", "No run of the job is in flight, and nothing waits to run.",
                                            API_RIGHT_SEE, API_SINGLE, the_job),
        [API_ERROR_NOT_POSSIBLE] = ROW_NO_IN("NotPossible", "The job is not of the kind that this can be done with.",
                                             API_RIGHT_SEE, API_SINGLE, not_possible),
        [API_ERROR_NOT_ACCEPTED] = ROW_NO_IN("NotAccepted", "The job's definition does not accept this parameter.",
                                             API_RIGHT_SEE, API_SINGLE, not_accepted),
        [API_ERROR_PARAMETERS_DIFFER] =
                ROW_NO_IN("ParametersDiffer", "What the trigger would join has other parameters than it.", API_RIGHT_SEE,
                          API_SINGLE, differ),
        [API_ERROR_TIMED_OUT] =
                ROW_NO_IN("TimedOut", "What was waited for has not happened in time.", API_RIGHT_SEE, API_SINGLE, the_job),
        [API_ERROR_LIMIT_REACHED] =
                ROW_NO_IN("LimitReached", "There are too many of these already.", API_RIGHT_SEE, API_SINGLE, limit_reached),
        [API_ERROR_NOT_READY] = {"NotReady", "The scheduler is starting or stopping: try again.", API_RIGHT_SEE, API_SINGLE,
                                 NULL, 0, NULL, 0},
        [API_ERROR_NO_LEDGER] = {"NoLedger", "chimed was started without --state=DIR: it keeps no ledger.", API_RIGHT_SEE,
                                 API_SINGLE, NULL, 0, NULL, 0},
        [API_ERROR_LEDGER_FAILED] =
                ROW_NO_IN("LedgerFailed", "The ledger could not answer.", API_RIGHT_SEE, API_SINGLE, ledger_failed),
};

const struct api_row *api_methods(void) {
        return methods;
}

const struct api_row *api_errors(void) {
        return errors;
}

const struct api_row *api_types(size_t *ret_n) {
        *ret_n = ARRAY_SIZE(types);
        return types;
}

const struct api_row *api_method_find(const char *name) {
        for (size_t i = 0; i < API_METHOD_MAX; i++)
                if (strcmp(methods[i].name, name) == 0)
                        return &methods[i];
        return NULL;
}

const char *api_right_to_string(enum api_right right) {
        static const char *const words[] = {
                [API_RIGHT_SEE] = "see",
                [API_RIGHT_TRIGGER] = "trigger",
                [API_RIGHT_CONTROL] = "control",
                [API_RIGHT_ADMIN] = "admin",
        };
        return words[right];
}

const char *const *api_event_kinds(void) {
        static const char *const kinds[] = {"state",  "armed",     "started", "output", "ended",  "missed", "withheld",
                                            "merged", "caught-up", "dropped", "end",    "reload", "clock",  NULL};
        return kinds;
}
