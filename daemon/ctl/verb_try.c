// SPDX-License-Identifier: MIT
// verb_try: a job in this terminal. chimed-runner does it, the program that does it on schedule, so that there is no other way to start one.

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/helper.h"
#include "daemon/core/util.h"
#include "daemon/ctl/places.h"
#include "daemon/ctl/verbs.h"

#define ARGUMENTS_MAX (OPTIONS_FOLDERS_MAX + 6)

struct command {
        char path[PATH_MAX];
        char *list[ARGUMENTS_MAX + 1];
        size_t n;
        bool has_failed; /* without memory */
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

int verb_try(struct session *s) {
        struct command c = {};
        int status = make_command(s, &c, "try");

        if (status == CTL_EXIT_DONE) {
                execv(c.path, c.list);
                status = session_fail(CTL_EXIT_NOT_RUN, "%s: %s", c.path, strerror(errno));
        }
        command_done(&c);
        return status;
}
