// SPDX-License-Identifier: MIT
// verb_trigger: runs jobs now, and says what does it; with --wait or --follow it stays.

#include <string.h>

#include "daemon/core/util.h"
#include "daemon/ctl/reply.h"
#include "daemon/ctl/trigger_stay.h"
#include "daemon/ctl/verbs.h"

/* The word that was given, or else nothing. */
static void add_word(const struct session *s, enum ctl_option option, const char *name, json_t *parameters) {
        if (session_has(s, option))
                json_object_set_new(parameters, name, json_string(session_text(s, option)));
}

/* The texts were checked when the command line was read. */
static json_t *make_set(const struct options *o) {
        json_t *set = json_object();

        for (size_t i = 0; i < o->n_sets; i++) {
                char name[PARAMETER_NAME_MAX + 1] = "";
                size_t size = strcspn(o->sets[i], "=");
                memcpy(name, o->sets[i], size);
                json_object_set_new(set, name, json_string(o->sets[i] + size + 1));
        }
        return set;
}

json_t *trigger_parameters(const struct session *s, const char *job) {
        json_t *p = json_pack("{s:s}", "job", job);

        if (!p)
                return NULL;
        add_word(s, OPTION_IF_RUNNING, "ifRunning", p);
        add_word(s, OPTION_SCHEDULE, "schedule", p);
        if (session_has(s, OPTION_FORCE))
                json_object_set_new(p, "force", json_true());
        if (session_has(s, OPTION_FOLLOW))
                json_object_set_new(p, "output", json_true());
        if (s->options->n_sets > 0)
                json_object_set_new(p, "parameters", make_set(s->options));
        return p;
}

/* ---- words ---- */

static const struct {
        const char *outcome, *before, *after; /* the run's number */
} outcomes[] = {
        {"started", "run ", " started"},
        {"joined", "joined run ", ", which is in flight"},
        {"queued", "queued as run ", ", behind the one in flight"},
        {"waiting", "queued as run ", "; chimectl why says what it waits for"},
        {"replacing", "run ", " starts when the one in flight has been ended"},
};

/* The job's state, where its schedule does not go on by this, and what would make it. */
static const struct {
        const char *state, *way;
} notices[] = {
        {"paused", "chimectl resume"}, {"cancelled", "chimectl start"},  {"finished", "chimectl start"},
        {"failed", "chimectl start"},  {"disabled", "no Enabled=no in"},
};

FILE *trigger_out(struct session *s) {
        if (s->is_json || session_has(s, OPTION_QUIET))
                return NULL;
        return session_has(s, OPTION_FOLLOW) ? stderr : s->out;
}

static void say_accepted(struct session *s, const char *job, const json_t *reply) {
        const char *outcome = reply_text_or(reply, "outcome", "?"), *state = reply_text_or(reply, "state", "");
        FILE *out = trigger_out(s);

        if (strcmp(outcome, "queued") == 0 && reply_int(reply, "behindRunId", 0) == 0)
                outcome = "waiting";
        for (size_t i = 0; out && i < ARRAY_SIZE(outcomes); i++)
                if (strcmp(outcomes[i].outcome, outcome) == 0)
                        fprintf(out, "%s: %s%lld%s\n", job, outcomes[i].before, (long long)reply_int(reply, "runId", 0),
                                outcomes[i].after);
        for (size_t i = 0; out && i < ARRAY_SIZE(notices); i++)
                if (strcmp(notices[i].state, state) == 0)
                        fprintf(out, "%s is still %s; its schedule goes on with: %s %s\n", job, state, notices[i].way, job);
}

void trigger_say_accepted(struct session *s, const char *job, const json_t *reply) {
        const json_t *accepted = json_object_get(reply, "accepted");
        size_t i;
        json_t *one;

        if (!json_is_array(accepted))
                say_accepted(s, job, reply);
        json_array_foreach(accepted, i, one) {
                say_accepted(s, reply_text_or(one, "job", "?"), one);
        }
}

static int trigger_plainly(struct session *s, const struct names *names) {
        int worst = CTL_EXIT_DONE;

        for (size_t i = 0; i < names->n; i++) {
                json_t *reply;
                int status = session_call(s, API_TRIGGER, trigger_parameters(s, names->list[i]), &reply);
                worst = status > worst ? status : worst;
                if (status != CTL_EXIT_DONE)
                        continue;
                if (s->is_json)
                        session_json(s, reply);
                else
                        trigger_say_accepted(s, names->list[i], reply);
                session_flush(s);
                json_decref(reply);
        }
        return worst;
}

int verb_trigger(struct session *s) {
        bool is_staying = session_has(s, OPTION_WAIT) || session_has(s, OPTION_FOLLOW);
        struct names names = {};

        if (session_has(s, OPTION_TIMEOUT) && !is_staying)
                return session_fail(CTL_EXIT_USAGE, "trigger: --timeout needs --wait or --follow");
        int status = names_resolve_targets(s, s->names, s->n_names, &names);
        if (status != CTL_EXIT_DONE)
                return status;
        status = is_staying ? trigger_stay(s, &names) : trigger_plainly(s, &names);
        names_done(&names);
        return status;
}
