// SPDX-License-Identifier: MIT
// control_commands: the engine is given the command, then what it decided is done (link_settle()). A call that will wait is entered
// between the two: what it waits for may come at once.

#include "daemon/scheduler/control_commands.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "daemon/core/util.h"
#include "daemon/scheduler/control_client.h"
#include "daemon/scheduler/control_follow.h"
#include "daemon/scheduler/control_json.h"
#include "daemon/scheduler/control_methods.h"
#include "daemon/scheduler/control_parameters.h"
#include "daemon/scheduler/control_wait.h"
#include "daemon/scheduler/parcels.h"

static json_t *about_job(const struct control_call *call) {
        json_t *o = json_object();
        control_put_text(&o, "job", engine_job_name(call->engine, call->job));
        return o;
}

static json_t *about_view(const struct control_call *call, struct job_view *ret_view) {
        json_t *o = about_job(call);
        engine_view(call->engine, call->now, call->job, ret_view);
        return o;
}

static void not_possible(const struct control_call *call, const char *why) {
        json_t *o = about_job(call);
        control_put_text(&o, "reason", why);
        control_error(call, API_ERROR_NOT_POSSIBLE, o);
}

const char *control_unarmed_state(const struct job_view *view) {
        if (view->is_disabled)
                return "disabled";
        if (view->is_cancelled)
                return "cancelled";
        if (view->is_failed)
                return "failed";
        if (view->is_finished)
                return "finished";
        switch (view->status) {
        case JOB_STATUS_CANCELLED:
        case JOB_STATUS_FINISHED:
        case JOB_STATUS_FAILED:
        case JOB_STATUS_DISABLED:
                return job_status_to_string(view->status);
        case JOB_STATUS_WAITING:
        case JOB_STATUS_RUNNING:
        case JOB_STATUS_PENDING:
        case JOB_STATUS_PAUSED:
        case JOB_STATUS_MANUAL:
        case JOB_STATUS_MAX:
                break;
        }
        return NULL;
}

/* The state that keeps the job from running; `otherwise` where the view hides it behind a run in flight. */
static void not_armed(const struct control_call *call, const char *otherwise) {
        struct job_view view;
        json_t *o = about_view(call, &view);
        const char *state = control_unarmed_state(&view);
        control_put_text(&o, "state", state ? state : otherwise);
        control_error(call, API_ERROR_NOT_ARMED, o);
}

void control_begin(struct control_call *call, char by[static 32]) {
        call->control->command_job = call->job;
        call->control->command_by = control_by(call->client, by);
}

int control_settle(struct control_call *call) {
        int r = link_settle(call->control->link, call->now);
        call->control->command_job = INDEX_NONE;
        call->control->command_by = NULL;
        return r;
}

static void tell(const struct control_call *call, const char *what) {
        char by[32];
        const char *job = engine_job_name(call->engine, call->job);
        control_tell(call->control, call->now, false, job, "%s: %s by %s", job, what, control_by(call->client, by));
}

/* A reason that is too long is an error, not cut in silence. False where the call is answered. */
static bool get_reason(const struct control_call *call, const char **ret) {
        const char *reason = message_get_text(call->message, "reason", NULL);
        if (reason && strlen(reason) > BOOK_TEXT_MAX) {
                control_invalid(call, "reason");
                return false;
        }
        *ret = reason;
        return true;
}

/* ---- Trigger ---- */

bool control_get_trigger(const struct control_call *call, struct engine_trigger *ret, char **ret_parameters) {
        static const char *const words[] = {
                [TRIGGER_JOIN] = "join",       [TRIGGER_QUEUE] = "queue",       [TRIGGER_REJECT] = "reject",
                [TRIGGER_REPLACE] = "replace", [TRIGGER_PARALLEL] = "parallel",
        };
        const char *if_running = message_get_text(call->message, "ifRunning", "join");
        const char *schedule = message_get_text(call->message, "schedule", "keep");
        struct engine_trigger trigger = {
                .is_rebase = strcmp(schedule, "rebase") == 0,
                .is_forced = message_get_bool(call->message, "force"),
        };
        size_t i = 0;
        while (i < ARRAY_SIZE(words) && strcmp(words[i], if_running) != 0)
                i++;
        if (i == ARRAY_SIZE(words)) {
                control_invalid(call, "ifRunning");
                return false;
        }
        trigger.if_running = (enum trigger_if_running)i;
        if (!trigger.is_rebase && strcmp(schedule, "keep") != 0) {
                control_invalid(call, "schedule");
                return false;
        }
        bool needs_control = trigger.is_rebase || trigger.is_forced || trigger.if_running == TRIGGER_REPLACE ||
                             message_get_bool(call->message, "output");
        if (needs_control && call->right < API_RIGHT_CONTROL) {
                control_denied(call, API_RIGHT_CONTROL);
                return false;
        }
        if (!control_get_parameters(call, ret_parameters, &trigger.parameters_size))
                return false;
        trigger.parameters = *ret_parameters;
        *ret = trigger;
        return true;
}

static const char *trigger_word(enum trigger_outcome outcome) {
        static const char *const words[TRIGGER_OUTCOME_MAX] = {
                [TRIGGER_STARTED] = "started",
                [TRIGGER_JOINED] = "joined",
                [TRIGGER_QUEUED] = "queued",
                [TRIGGER_REPLACING] = "replacing",
        };
        return words[outcome];
}

void control_put_accepted(const struct control_call *call, uint32_t job, enum trigger_outcome outcome, uint64_t run,
                          struct job_view *ret_view, json_t **o) {
        engine_view(call->engine, call->now, job, ret_view);
        bool is_behind = ret_view->run && (outcome == TRIGGER_QUEUED || outcome == TRIGGER_REPLACING);
        control_put_text(o, "job", engine_job_name(call->engine, job));
        control_put_int(o, "runId", (int64_t)run);
        control_put_text(o, "outcome", trigger_word(outcome));
        control_put_known(o, "behindRunId", is_behind, is_behind ? (int64_t)ret_view->run->run : 0);
}

static void reply_accepted(const struct control_call *call, enum trigger_outcome outcome, uint64_t run) {
        struct job_view view;
        json_t *o = json_object();
        control_put_text(&o, "kind", "accepted");
        control_put_accepted(call, call->job, outcome, run, &view, &o);
        const char *state = control_unarmed_state(&view);
        control_put_text(&o, "state", state ? state : view.is_paused ? "paused" : NULL);
        control_put_int(&o, "atUsec", call->now.rt_us);
        if (call->message->is_oneway)
                json_decref(o);
        else
                control_send(call->client, o, call->message->is_more);
}

void control_refuse_trigger(const struct control_call *call, const struct engine_trigger *trigger,
                            enum trigger_outcome outcome) {
        struct job_view view;
        uint64_t met;
        json_t *o;
        switch (outcome) {
        case TRIGGER_REJECTED:
                o = about_view(call, &view);
                control_put_int(&o, "runId", view.run ? (int64_t)view.run->run : 0);
                control_error(call, API_ERROR_ALREADY_RUNNING, o);
                break;
        case TRIGGER_NOT_ARMED:
                not_armed(call, "disabled");
                break;
        case TRIGGER_NOT_A_GRID:
                not_possible(call, "only a job with Every= that is armed and not on the wall clock can be rebased");
                break;
        case TRIGGER_NOT_PARALLEL:
                not_possible(call, "its Overlap= is not parallel: no run of it begins beside another");
                break;
        case TRIGGER_PARAMETERS_DIFFER:
                o = about_job(call);
                met = engine_trigger_meets(call->engine, call->job, trigger);
                control_put_known(&o, "runId", met <= INT64_MAX, (int64_t)met);
                control_error(call, API_ERROR_PARAMETERS_DIFFER, o);
                break;
        case TRIGGER_PARAMETERS_FULL:
                o = json_object();
                control_put_text(&o, "what", "bytes of parameters of runs in flight, or triggers with any");
                control_put_int(&o, "limit", PARCELS_SIZE_MAX);
                control_error(call, API_ERROR_LIMIT_REACHED, o);
                break;
        case TRIGGER_STOPPING:
                control_error(call, API_ERROR_NOT_READY, NULL);
                break;
        case TRIGGER_STARTED:
        case TRIGGER_JOINED:
        case TRIGGER_QUEUED:
        case TRIGGER_REPLACING:
        case TRIGGER_OUTCOME_MAX:
                break;
        }
}

int control_do_trigger(struct control_call *call) {
        struct engine_trigger trigger;
        uint64_t run = 0;
        char by[32], what[64];
        _cleanup_free_ char *parameters = NULL;
        if (!control_get_trigger(call, &trigger, &parameters) || (call->message->is_more && !control_wait_is_free(call)))
                return 0;
        control_begin(call, by);
        int r = engine_trigger(call->engine, call->now, call->job, &trigger, &run);
        if (r >= TRIGGER_REJECTED)
                control_refuse_trigger(call, &trigger, (enum trigger_outcome)r);
        else if (r >= 0) {
                reply_accepted(call, (enum trigger_outcome)r, run);
                snprintf(what, sizeof(what), "run %" PRIu64 " triggered", run);
                tell(call, what);
                struct control_follow_run followed = {.job = call->job, .outcome = (enum trigger_outcome)r, .run = run};
                r = call->message->is_more ? control_follow_begin(call, &followed, 1) : 0;
        }
        int q = control_settle(call);
        return r < 0 ? r : q;
}

/* ---- Cancel ---- */

void control_put_cancelled(json_t **o, bool has_changed, const struct job_view *view, json_t *run,
                           const struct control_dropped *dropped) {
        control_put_bool(o, "changed", has_changed);
        control_put_text(o, "state", job_status_to_string(view->status));
        control_put(o, "run", run);
        control_put_known(o, "droppedAttempt", dropped->attempt > 0, dropped->attempt);
        control_put_int(o, "droppedSlots", dropped->n_slots);
        control_put_known(o, "droppedRunId", dropped->run > 0, (int64_t)dropped->run);
}

static void reply_cancelled(const struct control_call *call, bool has_changed, const struct control_dropped *dropped) {
        struct job_view view;
        json_t *o = about_view(call, &view);
        control_put_cancelled(&o, has_changed, &view, json_null(), dropped);
        control_reply(call, o);
}

/* With what=run: there is something to cancel, and the run is the one that is meant. False where the call is answered. */
static bool is_run_there(const struct control_call *call) {
        const json_t *wanted = message_get(call->message, "runId");
        struct job_view view;
        json_t *o = about_view(call, &view);
        uint64_t run = view.run ? view.run->run : view.pending_run;
        if (wanted && (uint64_t)json_integer_value(wanted) != run) {
                control_put_int(&o, "runId", json_integer_value(wanted));
                control_error(call, API_ERROR_NO_SUCH_RUN, o);
                return false;
        }
        if (run > 0 || view.n_waiting > 0 || view.retry) {
                json_decref(o);
                return true;
        }
        control_error(call, API_ERROR_NOT_RUNNING, o);
        return false;
}

bool control_get_cancel(const struct control_call *call, bool *ret_is_run_only, const char **ret_reason) {
        const char *what = message_get_text(call->message, "what", "all");
        bool is_run_only = strcmp(what, "run") == 0;
        if (!get_reason(call, ret_reason))
                return false;
        if (!is_run_only && (strcmp(what, "all") != 0 || message_get(call->message, "runId"))) {
                control_invalid(call, strcmp(what, "all") != 0 ? "what" : "runId");
                return false;
        }
        *ret_is_run_only = is_run_only;
        return true;
}

int control_cancel(const struct control_call *call, bool is_run_only, const char *reason, uint64_t *ret_run) {
        struct job_view view;
        int r = 0;
        engine_view(call->engine, call->now, call->job, &view);
        if (!is_run_only && !control_unarmed_state(&view))
                r = book_sign(call->book, call->job, call->now, call->control->command_by, reason, INT64_MAX);
        return r < 0 ? r : engine_cancel(call->engine, call->now, call->job, is_run_only, ret_run);
}

int control_do_cancel(struct control_call *call) {
        struct job_view view;
        const char *reason;
        bool is_run_only;
        uint64_t run = 0;
        char by[32];
        if (!control_get_cancel(call, &is_run_only, &reason))
                return 0;
        /* never refused for others that wait: a connection waits for one only, so these are bounded */
        if (is_run_only && !is_run_there(call))
                return 0;
        engine_view(call->engine, call->now, call->job, &view);
        struct control_dropped dropped = {
                .attempt = view.retry ? view.retry->attempt : 0, .n_slots = view.n_waiting, .run = view.pending_run};
        control_begin(call, by);
        int result = control_cancel(call, is_run_only, reason, &run);
        bool is_done = result == 0 || result == 1;
        struct control_wait *wait = is_done && run > 0 ? control_wait_begin(call, CONTROL_WAIT_CANCEL, INT64_MAX) : NULL;
        if (wait) {
                wait->run = run;
                wait->has_changed = result == 1;
                wait->dropped = dropped;
        }
        if (result == 1 && is_run_only)
                tell(call, "run cancelled");
        int r = control_settle(call);
        if (result < 0 || r < 0)
                return result < 0 ? result : r;
        if (result == 1 && !is_run_only)
                control_client_hold(call->client, call->now);
        if (!is_done) /* ENGINE_REFUSED_STOPPING */
                control_error(call, API_ERROR_NOT_READY, NULL);
        else if (run == 0)
                reply_cancelled(call, result == 1, &dropped);
        return 0;
}

/* ---- Start, Pause, Resume ---- */

static void reply_changed(const struct control_call *call, bool has_changed) {
        struct job_view view;
        json_t *o = about_view(call, &view);
        control_put_bool(&o, "changed", has_changed);
        control_put_text(&o, "state", job_status_to_string(view.status));
        control_put_known(&o, "nextSlotUsec", view.next_slot_rt_us != INT64_MAX, view.next_slot_rt_us);
        control_put_text(&o, "group", view.group != INDEX_NONE ? engine_groups(call->engine)->list[view.group].name : NULL);
        control_put_known(&o, "runId", view.run, view.run ? (int64_t)view.run->run : 0);
        control_reply(call, o);
}

void control_refuse(const struct control_call *call, int refusal) {
        static const char *const states[] = {
                [ENGINE_REFUSED_DISABLED] = "disabled",
                [ENGINE_REFUSED_CANCELLED] = "cancelled",
                [ENGINE_REFUSED_FINISHED] = "finished",
                [ENGINE_REFUSED_FAILED] = "failed",
        };
        const char *state = (size_t)refusal < ARRAY_SIZE(states) ? states[refusal] : NULL;
        if (state)
                not_armed(call, state);
        else /* STOPPING */
                control_error(call, API_ERROR_NOT_READY, NULL);
}

/* Does what was decided and answers: result is 0 or 1, a refusal or a negative error. what: for the journal, NULL where that has it. */
static int finish(struct control_call *call, int result, const char *what) {
        int r = control_settle(call);
        if (result < 0 || r < 0)
                return result < 0 ? result : r;
        if (result > 1) {
                control_refuse(call, result);
                return 0;
        }
        if (result == 1 && what)
                tell(call, what);
        if (result == 1)
                control_client_hold(call->client, call->now);
        reply_changed(call, result == 1);
        return 0;
}

int control_do_start(struct control_call *call) {
        char by[32];
        control_begin(call, by);
        return finish(call, engine_start(call->engine, call->now, call->job), "started");
}

int control_do_resume(struct control_call *call) {
        char by[32];
        control_begin(call, by);
        return finish(call, engine_resume(call->engine, call->now, call->job), "resumed");
}

bool control_get_pause(const struct control_call *call, int64_t *ret_for_us, const char **ret_reason) {
        const json_t *span = message_get(call->message, "forUsec");
        int64_t for_us = span ? json_integer_value(span) : INT64_MAX;
        if (!get_reason(call, ret_reason))
                return false;
        if (span && (for_us <= 0 || for_us > DURATION_MAX)) {
                control_invalid(call, "forUsec");
                return false;
        }
        *ret_for_us = for_us;
        return true;
}

int control_do_pause(struct control_call *call) {
        int64_t for_us;
        const char *reason;
        char by[32];
        if (!control_get_pause(call, &for_us, &reason))
                return 0;
        bool is_endless = for_us == INT64_MAX;
        int64_t until_bt_us = is_endless ? INT64_MAX : call->now.bt_us + for_us;
        struct job_view view;
        engine_view(call->engine, call->now, call->job, &view);
        bool is_so = view.is_held && view.paused_until_bt_us == until_bt_us;
        control_begin(call, by);
        int r = 0;
        if (!control_unarmed_state(&view) && !is_so) /* else the hold stays whose it is */
                r = book_sign(call->book, call->job, call->now, call->control->command_by, reason,
                              is_endless ? INT64_MAX : call->now.rt_us + for_us);
        if (r == 0)
                r = engine_pause(call->engine, call->now, call->job, until_bt_us);
        return finish(call, r, NULL);
}

/* ---- SetInterval ---- */

int control_do_set_interval(struct control_call *call) {
        const json_t *every = message_get(call->message, "everyUsec");
        bool is_reset = message_get_bool(call->message, "reset");
        int64_t every_us = every ? json_integer_value(every) : 0;
        char by[32];
        if (!every == !is_reset || (every && (every_us < JOB_EVERY_MIN || every_us > DURATION_MAX))) {
                control_invalid(call, "everyUsec");
                return 0;
        }
        control_begin(call, by);
        int result = engine_set_interval(call->engine, call->now, call->job, every_us);
        int r = control_settle(call);
        if (result < 0 || r < 0)
                return result < 0 ? result : r;
        if (result == ENGINE_REFUSED_STOPPING) {
                control_error(call, API_ERROR_NOT_READY, NULL);
                return 0;
        }
        if (result == ENGINE_REFUSED_NO_INTERVAL) {
                not_possible(call, "the job has no Every=");
                return 0;
        }
        if (result == 1) {
                tell(call, "interval set");
                control_client_hold(call->client, call->now);
        }
        struct job_view view;
        json_t *o = about_view(call, &view);
        control_put_bool(&o, "changed", result == 1);
        control_put_int(&o, "everyUsec", engine_job_when(call->engine, call->job)->every_us);
        control_put_known(&o, "nextSlotUsec", view.next_slot_rt_us != INT64_MAX, view.next_slot_rt_us);
        control_reply(call, o);
        return 0;
}

/* ---- Reload ---- */

int control_do_reload(struct control_call *call) {
        uint64_t number;
        if (!control_wait_is_free(call))
                return 0;
        int r = link_reload(call->control->link, &number);
        if (r == 1 || r == -ENOBUFS) { /* a runner that does not read its orders is not ready either */
                control_error(call, API_ERROR_NOT_READY, NULL);
                return 0;
        }
        if (r < 0)
                return r;
        struct control_wait *wait = control_wait_begin(call, CONTROL_WAIT_RELOAD, INT64_MAX);
        if (wait)
                wait->number = number;
        return 0;
}
