// SPDX-License-Identifier: MIT
// control_parameters: names are compared with what the definition accepts here, so that people hear which they may pass. The runner does it
// once more.

#include "daemon/scheduler/control_parameters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/parameters.h"
#include "daemon/core/util.h"
#include "daemon/scheduler/control_json.h"
#include "daemon/scheduler/control_methods.h"

static bool is_among(const char *names, const char *name) {
        size_t size = strlen(name);
        while (*names) {
                size_t n = strcspn(names, " ");
                if (n == size && memcmp(names, name, n) == 0)
                        return true;
                names += n + strspn(names + n, " ");
        }
        return false;
}

json_t *control_json_accepted(const struct engine *e, uint32_t job) {
        json_t *list = json_array();
        for (const char *names = engine_job_accepted(e, job); *names;) {
                size_t n = strcspn(names, " ");
                control_append(&list, json_stringn(names, n));
                names += n + strspn(names + n, " ");
        }
        return list;
}

/* False where the call is answered. */
static bool does_accept(const struct control_call *call, uint32_t job, const json_t *parameters) {
        const char *accepted = engine_job_accepted(call->engine, job);
        for (void *i = json_object_iter((json_t *)parameters); i; i = json_object_iter_next((json_t *)parameters, i)) {
                const char *name = json_object_iter_key(i);
                if (is_among(accepted, name))
                        continue;
                json_t *o = json_object();
                control_put_text(&o, "job", engine_job_name(call->engine, job));
                control_put_text(&o, "name", name);
                control_put(&o, "accepted", control_json_accepted(call->engine, job));
                control_error(call, API_ERROR_NOT_ACCEPTED, o);
                return false;
        }
        return true;
}

static bool do_all_accept(const struct control_call *call, const json_t *parameters) {
        const struct engine *e = call->engine;
        if (call->job != INDEX_NONE)
                return does_accept(call, call->job, parameters);
        for (uint32_t job = engine_walk_members(e, call->group, 0); job != INDEX_NONE;
             job = engine_walk_members(e, call->group, job + 1))
                if (!does_accept(call, job, parameters))
                        return false;
        return true;
}

/* A set of the members of the object. As parameters_make(). */
static int make_set(const json_t *parameters, char **ret, size_t *ret_size) {
        char *texts[PARAMETERS_N_MAX];
        size_t n = 0;
        int r = json_object_size(parameters) > PARAMETERS_N_MAX ? -E2BIG : 0;
        for (void *i = json_object_iter((json_t *)parameters); r == 0 && i;
             i = json_object_iter_next((json_t *)parameters, i)) {
                r = asprintf(&texts[n], "%s=%s", json_object_iter_key(i), json_string_value(json_object_iter_value(i)));
                r = r < 0 ? -ENOMEM : 0;
                n += r == 0;
        }
        if (r == 0)
                r = parameters_make((const char *const *)texts, n, ret, ret_size, NULL);
        while (n > 0)
                free(texts[--n]);
        return r;
}

bool control_get_parameters(const struct control_call *call, char **ret, size_t *ret_size) {
        const json_t *parameters = message_get(call->message, "parameters");
        if (!parameters) {
                *ret = NULL;
                *ret_size = 0;
                return true;
        }
        if (!do_all_accept(call, parameters))
                return false;
        int r = make_set(parameters, ret, ret_size);
        if (r == -ENOMEM)
                control_error(call, API_ERROR_NOT_READY, NULL);
        else if (r < 0)
                control_invalid(call, "parameters");
        return r == 0;
}
