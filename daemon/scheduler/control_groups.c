// SPDX-License-Identifier: MIT
// control_groups: a command for a group is one step of the engine, and one reply. Starting is all or nothing: the error names the job that
// refuses.

#include "daemon/scheduler/control_groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/ties.h"
#include "daemon/core/util.h"
#include "daemon/scheduler/control_client.h"
#include "daemon/scheduler/control_commands.h"
#include "daemon/scheduler/control_follow.h"
#include "daemon/scheduler/control_json.h"
#include "daemon/scheduler/control_methods.h"
#include "daemon/scheduler/control_wait.h"

bool control_find_group(const struct engine *e, const char *job, uint32_t *ret) {
        if (job[0] != '@')
                return false;
        *ret = engine_find_group(e, job + 1);
        return true;
}

bool control_takes_group(enum api_method method) {
        return method == API_TRIGGER || method == API_CANCEL || method == API_START || method == API_PAUSE ||
               method == API_RESUME;
}

static bool is_hold(const struct control_call *call) {
        ptrdiff_t method = call->row - api_methods();
        return method == API_PAUSE || method == API_RESUME;
}

enum api_right control_group_needs(const struct control_call *call, enum api_right right) {
        return is_hold(call) ? API_RIGHT_ADMIN : right;
}

enum api_right control_group_right(const struct control_call *call) {
        const struct engine *e = call->engine;
        if (call->client->is_admin)
                return API_RIGHT_ADMIN;
        if (is_hold(call))
                return API_RIGHT_SEE;
        enum api_right least = API_RIGHT_CONTROL;
        uint32_t first = engine_walk_members(e, call->group, 0);
        for (uint32_t job = first; job != INDEX_NONE; job = engine_walk_members(e, call->group, job + 1)) {
                enum api_right right = control_client_right(call->client, e, job);
                least = right < least ? right : least;
        }
        return first == INDEX_NONE ? API_RIGHT_SEE : least;
}

/* ---- commands ---- */

static const char *group_name(const struct control_call *call) {
        return engine_groups(call->engine)->list[call->group].name;
}

static json_t *about_group(const struct control_call *call) {
        char name[JOB_NAME_MAX + 2];
        json_t *o = json_object();
        snprintf(name, sizeof(name), "@%s", group_name(call));
        control_put_text(&o, "job", name);
        return o;
}

static void tell(const struct control_call *call, const char *what) {
        char by[32];
        control_tell(call->control, call->now, false, NULL, "group %s: %s by %s", group_name(call), what,
                     control_by(call->client, by));
}

/* Does what was decided, and answers where it was not refused. what: for the journal, NULL where that has it. */
static int finish(struct control_call *call, int result, const char *state, const char *what) {
        bool is_held = engine_groups(call->engine)->list[call->group].hold.is_on;
        json_t *o = about_group(call);
        int r = control_settle(call);
        if (result < 0 || r < 0 || result > 1) {
                json_decref(o);
                if (result > 1 && r >= 0)
                        control_refuse(call, result);
                return result < 0 ? result : r;
        }
        if (result == 1 && what)
                tell(call, what);
        if (result == 1)
                control_client_hold(call->client, call->now);
        control_put_bool(&o, "changed", result == 1);
        control_put_text(&o, "state", state ? state : is_held ? "paused" : "waiting");
        control_reply(call, o);
        return 0;
}

/* The runs of the members, by job, in a list with room for all of them. */
static int trigger_members(struct control_call *call, const struct engine_trigger *trigger, json_t **accepted,
                           struct control_follow_run *list, size_t *ret_n) {
        const struct engine *e = call->engine;
        int r = 0;
        *ret_n = 0;
        for (uint32_t job = engine_walk_members(e, call->group, 0); r >= 0 && job != INDEX_NONE;
             job = engine_walk_members(e, call->group, job + 1)) {
                uint64_t run = 0;
                r = engine_trigger(call->engine, call->now, job, trigger, &run);
                if (r < 0 || r >= TRIGGER_REJECTED)
                        continue;
                json_t *o = json_object();
                struct job_view view;
                control_put_accepted(call, job, (enum trigger_outcome)r, run, &view, &o);
                control_append(accepted, o);
                list[(*ret_n)++] = (struct control_follow_run){.job = job, .outcome = (enum trigger_outcome)r, .run = run};
        }
        return r < 0 ? r : 0;
}

static size_t count_of_group(const struct control_call *call) {
        size_t n = 0;
        for (uint32_t job = engine_walk_members(call->engine, call->group, 0); job != INDEX_NONE;
             job = engine_walk_members(call->engine, call->group, job + 1))
                n++;
        return n;
}

/* A stream of so many runs may begin. False where the call is answered. */
static bool may_follow(const struct control_call *call, size_t n) {
        if (n <= CONTROL_FOLLOW_MAX)
                return control_wait_is_free(call);
        json_t *o = json_object();
        control_put_text(&o, "what", "members of a group that is waited for");
        control_put_int(&o, "limit", CONTROL_FOLLOW_MAX);
        control_error(call, API_ERROR_LIMIT_REACHED, o);
        return false;
}

/* Each member, and whoever wants to hear of the runs does: that begins before anything of it is done. accepted is taken. */
static int trigger_all(struct control_call *call, const struct engine_trigger *trigger, size_t n_members) {
        json_t *accepted = json_array(), *o = about_group(call);
        struct control_follow_run *list = calloc(n_members + 1, sizeof(*list));
        size_t n = 0;
        int r = list ? trigger_members(call, trigger, &accepted, list, &n) : -EBADMSG;
        bool is_followed = r == 0 && call->message->is_more && n > 0;
        control_put_text(&o, "kind", "accepted");
        control_put(&o, "accepted", accepted);
        control_put_int(&o, "atUsec", call->now.rt_us);
        if (is_followed)
                control_send(call->client, o, true);
        if (is_followed)
                r = control_follow_begin(call, list, n);
        int q = control_settle(call);
        if (r == 0 && q == 0 && !is_followed)
                control_reply(call, o);
        else if (!is_followed)
                json_decref(o);
        free(list);
        return r < 0 ? r : q;
}

static int do_trigger(struct control_call *call) {
        struct engine_trigger trigger;
        uint32_t job;
        char by[32];
        size_t n_members = count_of_group(call);
        _cleanup_free_ char *parameters = NULL;
        if (!control_get_trigger(call, &trigger, &parameters) || (call->message->is_more && !may_follow(call, n_members)))
                return 0;
        control_begin(call, by);
        int result = engine_check_trigger(call->engine, call->now, call->group, &trigger, &job);
        if (result == TRIGGER_STARTED) {
                int r = trigger_all(call, &trigger, n_members);
                if (r == 0)
                        tell(call, "triggered");
                return r;
        }
        int r = control_settle(call);
        call->job = job;
        if (result > 0 && r >= 0)
                control_refuse_trigger(call, &trigger, (enum trigger_outcome)result);
        return result < 0 ? result : r;
}

static int do_cancel(struct control_call *call) {
        const struct engine *e = call->engine;
        const char *reason;
        bool is_run_only;
        char by[32];
        int result = 0, r = 0;
        if (!control_get_cancel(call, &is_run_only, &reason))
                return 0;
        if (message_get(call->message, "runId")) {
                control_invalid(call, "runId");
                return 0;
        }
        control_begin(call, by);
        for (uint32_t job = engine_walk_members(e, call->group, 0); r >= 0 && r <= 1 && job != INDEX_NONE;
             job = engine_walk_members(e, call->group, job + 1)) {
                uint64_t run;
                call->job = job;
                r = control_cancel(call, is_run_only, reason, &run);
                result |= r == 1;
        }
        call->job = INDEX_NONE;
        return finish(call, r < 0 || r > 1 ? r : result, is_run_only ? NULL : "cancelled", "cancelled");
}

static int do_start(struct control_call *call) {
        char by[32];
        control_begin(call, by);
        int result = engine_start_group(call->engine, call->now, call->group, &call->job);
        return finish(call, result, NULL, "started");
}

static int do_pause(struct control_call *call) {
        int64_t for_us;
        const char *reason;
        char by[32];
        if (!control_get_pause(call, &for_us, &reason))
                return 0;
        control_begin(call, by);
        int result = engine_pause_group(call->engine, call->now, call->group, call->control->command_by, reason,
                                        for_us < INT64_MAX ? call->now.bt_us + for_us : INT64_MAX);
        return finish(call, result, NULL, NULL);
}

static int do_resume(struct control_call *call) {
        char by[32];
        control_begin(call, by);
        return finish(call, engine_resume_group(call->engine, call->now, call->group), NULL, "resumed");
}

int control_do_group(struct control_call *call) {
        ptrdiff_t method = call->row - api_methods();
        return method == API_TRIGGER  ? do_trigger(call)
               : method == API_CANCEL ? do_cancel(call)
               : method == API_START  ? do_start(call)
               : method == API_PAUSE  ? do_pause(call)
                                      : do_resume(call);
}

/* ---- ListGroups ---- */

struct count {
        uint32_t n_members, n_running;
};

/* In one walk through the jobs. */
static struct count *count_members(const struct engine *e) {
        const struct groups *groups = engine_groups(e);
        struct count *counts = calloc(groups->n + 1, sizeof(*counts));
        for (uint32_t job = engine_walk_jobs(e, 0); counts && job != INDEX_NONE; job = engine_walk_jobs(e, job + 1)) {
                const struct ties *ties = engine_job_when(e, job)->ties;
                const struct job_cold *cold = registry_cold(engine_registry(e), &engine_registry(e)->rows[job]);
                for (size_t i = 0; ties && i < ties->n && ties->list[i].kind == TIE_MEMBER; i++) {
                        uint32_t group = groups_find(groups, ties->list[i].name);
                        if (group == INDEX_NONE)
                                continue;
                        counts[group].n_members++;
                        counts[group].n_running += cold && cold->run.run > 0;
                }
        }
        return counts;
}

static json_t *group_json(const struct control_call *call, uint32_t number, const struct count *count) {
        const struct group *group = &engine_groups(call->engine)->list[number];
        struct engine_pool pool;
        json_t *o = json_object();
        engine_view_pool(call->engine, number, &pool);
        control_put_text(&o, "name", group->name);
        control_put_text(&o, "description", group->description);
        control_put_int(&o, "members", count->n_members);
        control_put_known(&o, "maxRunning", group->max_running > 0, group->max_running);
        control_put_int(&o, "running", count->n_running);
        control_put_int(&o, "waiting", (int64_t)pool.n_waiting);
        control_put(&o, "hold", control_json_group_hold(group, call->now));
        return o;
}

int control_do_list_groups(struct control_call *call) {
        const struct groups *groups = engine_groups(call->engine);
        int64_t at = message_get_int(call->message, "after", 0);
        if (at < 0 || at > UINT32_MAX) {
                control_invalid(call, "after");
                return 0;
        }
        _cleanup_free_ struct count *counts = count_members(call->engine);
        if (!counts)
                return -EBADMSG; /* the client may come again */
        json_t *list = json_array(), *o = json_object();
        for (int n = 0; n < CONTROL_PAGE && at < (int64_t)groups->n; at++)
                if (groups->list[at].name && (groups->list[at].is_defined || groups->list[at].hold.is_on)) {
                        control_append(&list, group_json(call, (uint32_t)at, &counts[at]));
                        n++;
                }
        control_put(&o, "groups", list);
        control_put_known(&o, "after", at < (int64_t)groups->n, at);
        control_reply(call, o);
        return 0;
}
