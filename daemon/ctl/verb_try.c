// SPDX-License-Identifier: MIT
// verb_try: a job in this terminal, and what its run would get. chimed-runner does both, the program that does it on schedule, so that there
// is no other way to start one.

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/core/helper.h"
#include "daemon/core/util.h"
#include "daemon/ctl/places.h"
#include "daemon/ctl/screens.h"
#include "daemon/ctl/text.h"
#include "daemon/ctl/verbs.h"

#define ARGUMENTS_MAX (OPTIONS_FOLDERS_MAX + PARAMETERS_N_MAX + 6)

struct command {
        char path[PATH_MAX];
        char *list[ARGUMENTS_MAX + 1];
        size_t n;
        bool has_failed; /* without memory */
        pid_t pid;
};

__attribute__((format(printf, 2, 3))) static void add(struct command *c, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        if (c->n == ARGUMENTS_MAX || vasprintf(&c->list[c->n], format, arguments) < 0)
                c->has_failed = true;
        else
                c->n++;
        va_end(arguments);
}

/* Of the folders that nobody named, some need not be there. */
static void add_folders(const struct session *s, struct command *c, const struct config_paths *paths) {
        bool is_named = s->options->n_folders > 0;

        for (size_t i = 0; i < paths->n_folders; i++)
                if (is_named || access(paths->folders[i], F_OK) == 0)
                        add(c, "--jobs=%s", paths->folders[i]);
}

/* chimed-runner with what says which job, and where the files are. An exit status; failures are told. */
static int make_command(struct session *s, struct command *c, const char *verb) {
        struct places places = {};
        char own[PATH_MAX];
        int status, r = helper_own_path(own);

        if (r < 0)
                return session_fail(CTL_EXIT_FAILED, "/proc/self/exe: %s", strerror(-r));
        status = places_find(s, &places);
        if (status == CTL_EXIT_DONE) {
                add(c, "%s", helper_path(own, "chimed-runner", c->path));
                add(c, "--%s=%s", verb, s->names[0]);
                add(c, "--config=%s", places.paths.settings_file);
                add_folders(s, c, &places.paths);
                for (size_t i = 0; i < s->options->n_sets; i++)
                        add(c, "--set=%s", s->options->sets[i]);
                if (session_has(s, OPTION_USER))
                        add(c, "--user");
                if (session_has(s, OPTION_QUIET))
                        add(c, "--quiet");
                if (c->has_failed)
                        status = session_tell_memory();
        }
        places_done(&places);
        return status;
}

static void command_done(struct command *c) {
        while (c->n > 0)
                free(c->list[--c->n]);
}

/* Returns only where it fails. */
static int become(struct command *c) {
        execv(c->path, c->list);
        return session_fail(CTL_EXIT_NOT_RUN, "%s: %s", c->path, strerror(errno));
}

int verb_try(struct session *s) {
        struct command c = {};
        int status = make_command(s, &c, "try");

        if (status == CTL_EXIT_DONE)
                status = become(&c);
        command_done(&c);
        return status;
}

/* ---- env ---- */

/* Starts it. Returns its standard output, or NULL with errno. */
static FILE *begin(struct command *c) {
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return NULL;
        FILE *in = fdopen(fds[0], "r");
        c->pid = in ? fork() : -1;
        if (c->pid == 0)
                _exit(dup2(fds[1], STDOUT_FILENO) < 0 ? CTL_EXIT_FAILED : become(c));
        util_close(fds[1]);
        if (c->pid > 0)
                return in;
        if (in)
                fclose(in);
        else
                util_close(fds[0]);
        return NULL;
}

/* Its exit status; CTL_EXIT_FAILED where a signal ended it. */
static int wait_for(pid_t pid) {
        int status;

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return CTL_EXIT_FAILED;
        return WIFEXITED(status) ? WEXITSTATUS(status) : CTL_EXIT_FAILED;
}

/* JSON has no bytes that are no UTF-8; a shell has. */
static json_t *make_string(char *text, bool is_json) {
        json_t *string = json_string(text);

        if (string || !is_json)
                return string ? string : json_string_nocheck(text);
        text_clean(text, true);
        return json_string(text);
}

/* A number with its name, where it has one, for people. */
static json_t *make_account(const char *number, bool is_group) {
        uint32_t id = (uint32_t)strtoul(number, NULL, 10);
        const struct passwd *user = is_group ? NULL : getpwuid(id);
        const struct group *group = is_group ? getgrgid(id) : NULL;

        if (!user && !group)
                return json_string(number);
        return json_sprintf("%s (%s)", user ? user->pw_name : group->gr_name, number);
}

static json_t *make_setting(const char *key, char *value, bool is_json) {
        bool is_user = strcmp(key, "User") == 0,
             is_group = strcmp(key, "Group") == 0 || strcmp(key, "SupplementaryGroups") == 0;
        json_t *made = !is_json && (is_user || is_group) ? make_account(value, is_group) : make_string(value, is_json);

        return json_pack("{s:s, s:o}", "key", key, "value", made);
}

/* Takes "KEY=VALUE" of chimed-runner over. */
static void take(json_t *env, char *text, bool is_json) {
        char *value = strchr(text, '='), *second = value ? strchr(value + 1, '=') : NULL;

        if (!value)
                return;
        *value++ = '\0';
        if (strcmp(text, "Job") == 0)
                json_object_set_new(env, "job", make_string(value, is_json));
        else if (strcmp(text, "Argument") == 0)
                json_array_append_new(json_object_get(env, "command"), make_string(value, is_json));
        else if (strcmp(text, "Own") == 0)
                json_array_append_new(json_object_get(env, "ofEachRun"), make_string(value, is_json));
        else if (strcmp(text, "Variable") == 0 && second) {
                *second++ = '\0';
                json_object_set_new(json_object_get(env, "environment"), value, make_string(second, is_json));
        } else
                json_array_append_new(json_object_get(env, "settings"), make_setting(text, value, is_json));
}

static json_t *read_env(FILE *in, bool is_json) {
        json_t *env = json_pack("{s:s, s:[], s:[], s:{}, s:[]}", "job", "", "command", "settings", "environment", "ofEachRun");
        _cleanup_free_ char *text = NULL;
        size_t size = 0;

        while (env && getdelim(&text, &size, '\0', in) > 0)
                take(env, text, is_json);
        return env;
}

int verb_env(struct session *s) {
        struct command c = {};
        int status = make_command(s, &c, "env");
        FILE *in = status == CTL_EXIT_DONE ? begin(&c) : NULL;

        if (!in && status == CTL_EXIT_DONE)
                status = session_fail(CTL_EXIT_FAILED, "%s: %s", c.path, strerror(errno));
        command_done(&c);
        if (!in)
                return status;
        json_t *env = read_env(in, s->is_json);
        fclose(in);
        status = wait_for(c.pid);
        if (!env)
                status = session_tell_memory();
        else if (status == CTL_EXIT_DONE && s->is_json)
                session_json(s, env);
        else if (status == CTL_EXIT_DONE && screen_env(&s->view, env, session_has(s, OPTION_EXPORT), s->out) < 0)
                status = session_tell_memory();
        json_decref(env);
        return status;
}
