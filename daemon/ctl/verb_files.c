// SPDX-License-Identifier: MIT
// verb_files: what is about job files: check and cat read them in this process, reload has chimed read them.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/config_look.h"
#include "config/config_origins.h"
#include "daemon/core/helper.h"
#include "daemon/core/util.h"
#include "daemon/ctl/names.h"
#include "daemon/ctl/places.h"
#include "daemon/ctl/reply.h"
#include "daemon/ctl/text.h"
#include "daemon/ctl/verbs.h"

/* False where there was no memory for all of them. */
static bool print_diags(const struct diags *diags, FILE *out) {
        bool is_whole = true;

        for (size_t i = 0; i < diags->n; i++) {
                _cleanup_free_ char *text = diag_print(&diags->list[i]);
                if (text)
                        text_clean(text, false);
                fprintf(out, "%s\n", text ? text : "(not enough memory)");
                is_whole = text && is_whole;
        }
        size_t n_all = diags->n_errors + diags->n_warnings;
        if (n_all > diags->n)
                fprintf(out, "... and %zu more\n", n_all - diags->n);
        return is_whole && !diags->out_of_memory;
}

static const char *plural(size_t n) {
        return n == 1 ? "" : "s";
}

/* NULL where there is no memory for all of them. */
static json_t *diags_json(const struct diags *diags) {
        json_t *list = json_array();
        int r = 0;

        for (size_t i = 0; i < diags->n; i++) {
                const struct diag *d = &diags->list[i];
                r |= json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:b, s:s}", "file", d->file, "line", (int)d->line,
                                                           "column", (int)d->column, "isWarning", (int)d->is_warning, "text",
                                                           d->text));
        }
        if (r != 0) {
                json_decref(list);
                return NULL;
        }
        return json_pack("{s:I, s:I, s:o}", "errors", (json_int_t)diags->n_errors, "warnings", (json_int_t)diags->n_warnings,
                         "diagnostics", list);
}

/* False where there was no memory for all of it. */
static bool print_check(struct session *s, const struct diags *diags, const struct config *config) {
        if (s->is_json) {
                json_t *reply = diags_json(diags);
                if (reply)
                        session_json(s, reply);
                json_decref(reply);
                return reply && !diags->out_of_memory;
        }
        bool is_whole = print_diags(diags, s->out);
        if (diags->n_errors == 0 && diags->n_warnings == 0)
                session_say(s, "%zu job%s in %zu file%s: nothing is wrong.", config->n_jobs, plural(config->n_jobs),
                            config->n_files, plural(config->n_files));
        else
                session_say(s, "%zu error%s, %zu warning%s.%s", diags->n_errors, plural(diags->n_errors), diags->n_warnings,
                            plural(diags->n_warnings), diags->n_errors > 0 ? " What is wrong keeps its last good jobs." : "");
        return is_whole;
}

int verb_check(struct session *s) {
        struct places places = {};
        struct diags diags = {};
        struct config *config = NULL;
        char own[PATH_MAX], host[PATH_MAX];
        int status = places_find(s, &places);

        places.paths.plugin_host = helper_own_path(own) == 0 ? helper_path(own, "chimed-host", host) : NULL;
        places.paths.warns_of_plugins = true;
        if (status == CTL_EXIT_DONE) {
                int r = config_load(&places.paths, &diags, &config);
                if (r < 0 && diags.n_errors == 0)
                        status = session_fail(CTL_EXIT_FAILED, "the files can't be read: %s", strerror(-r));
                else {
                        r = config ? config_look(config, session_has(s, OPTION_USER), &diags) : 0;
                        bool is_whole = print_check(s, &diags, config);
                        session_flush(s);
                        status = diags.n_errors > 0 ? CTL_EXIT_FAILED : CTL_EXIT_DONE;
                        if (r < 0)
                                status = session_fail(CTL_EXIT_FAILED, "programs and folders could not be looked for: %s",
                                                      strerror(-r));
                        else if (!is_whole)
                                status = session_tell_memory();
                }
        }
        config_free(config);
        diags_done(&diags);
        places_done(&places);
        return status;
}

/* ---- reload ---- */

int verb_reload(struct session *s) {
        json_t *reply, *line;
        size_t i;

        s->progress = "chimed is reading the job files";
        int status = session_call(s, API_RELOAD, json_object(), &reply);
        if (status != CTL_EXIT_DONE)
                return status;
        long long errors = reply_int(reply, "errors", 0), left_out = reply_int(reply, "diagnosticsLeftOut", 0);
        long long jobs = reply_int(reply, "jobs", 0), files = reply_int(reply, "files", 0);
        if (s->is_json)
                session_json(s, reply);
        else {
                json_array_foreach(json_object_get(reply, "diagnostics"), i, line) {
                        fprintf(s->out, "%s\n", json_is_string(line) ? json_string_value(line) : "?");
                }
                if (left_out > 0)
                        fprintf(s->out, "... and %lld more: chimectl check\n", left_out);
                session_say(s, "Read anew: %lld job%s from %lld file%s: %lld new, %lld changed, %lld removed; %lld error%s",
                            jobs, plural((size_t)jobs), files, plural((size_t)files), (long long)reply_int(reply, "added", 0),
                            (long long)reply_int(reply, "changed", 0), (long long)reply_int(reply, "removed", 0), errors,
                            plural((size_t)errors));
                if (errors > 0)
                        session_say(s, "What is wrong keeps its last good jobs.");
        }
        session_flush(s);
        json_decref(reply);
        return errors > 0 ? CTL_EXIT_FAILED : CTL_EXIT_DONE;
}

/* ---- cat ---- */

/* "Key=value    # file:line", further lines of the value indented. */
static void print_origin(const struct config_origin *origin, size_t width, FILE *out) {
        _cleanup_free_ char *text = NULL;
        size_t used = 0;

        if (asprintf(&text, "%s=%s", origin->key, origin->value) < 0) {
                text = NULL;
                return;
        }
        text_clean(text, true);
        char *rest = text, *line = strsep(&rest, "\n");
        used = text_width(line);
        fprintf(out, "%s%*s# ", line, used < width ? (int)(width - used) + 2 : 2, "");
        if (origin->group)
                fprintf(out, "group %s (%s:%u)\n", origin->group, origin->file, origin->line);
        else
                fprintf(out, "%s:%u\n", origin->file, origin->line);
        while ((line = strsep(&rest, "\n")))
                fprintf(out, "        %s\n", line);
}

/* The column of the origins: behind the longest line that leaves room for them. */
static size_t find_width(const struct config_origins *origins, size_t limit) {
        size_t width = 0;

        for (size_t i = 0; i < origins->n; i++) {
                size_t used = strlen(origins->list[i].key) + 1 + text_width(origins->list[i].value);
                if (used > width && used <= limit && !strchr(origins->list[i].value, '\n'))
                        width = used;
        }
        return width;
}

static void print_origins(struct session *s, const char *job, const struct config_origins *origins) {
        if (s->is_json) {
                json_t *list = json_array();
                for (size_t i = 0; i < origins->n; i++) {
                        const struct config_origin *o = &origins->list[i];
                        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:i, s:b, s:s*}", "key", o->key, "value",
                                                              o->value, "file", o->file, "line", (int)o->line, "isDefault",
                                                              (int)o->is_default, "group", o->group));
                }
                session_json(s, list);
                json_decref(list);
                return;
        }
        fprintf(s->out, "[job %s]\n", job);
        size_t width = find_width(origins, s->view.width / 2);
        for (size_t i = 0; i < origins->n; i++)
                print_origin(&origins->list[i], width, s->out);
}

static int cat_one(struct session *s, const struct config_paths *paths, const char *job) {
        struct config_origins origins = {};
        struct diags diags = {};
        int status = CTL_EXIT_DONE, r = config_load_origins(paths, job, &diags, &origins);

        if (r < 0)
                status = session_fail(CTL_EXIT_FAILED, "the files can't be read: %s; see: chimectl check", strerror(-r));
        else if (!origins.is_found)
                status = session_fail(CTL_EXIT_NO_SUCH_JOB, "no file has a job \"%s\"; the folders are: %s%s", job,
                                      paths->folders[0], paths->n_folders > 1 ? ", ..." : "");
        else
                print_origins(s, job, &origins);
        if (r == 0 && origins.is_broken)
                status = session_fail(CTL_EXIT_FAILED, "%s has errors, what ran last runs on: chimectl check", job);
        config_origins_done(&origins);
        diags_done(&diags);
        return status;
}

int verb_cat(struct session *s) {
        struct places places = {};
        int status = places_find(s, &places), worst = status;

        for (size_t i = 0; places.paths.folders && i < s->n_names; i++) {
                if (i > 0 && !s->is_json)
                        fputc('\n', s->out);
                status = cat_one(s, &places.paths, s->names[i]);
                worst = status > worst ? status : worst;
        }
        places_done(&places);
        return worst;
}
