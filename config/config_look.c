// SPDX-License-Identifier: MIT
// config_look: whether what jobs name is there, asked by processes that become their users: what another user may do is the kernel's to say.
// Whatever is told here may be different when a job starts; so it is never an error.

#include "config/config_look.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/unit_state.h"

#define LOOK_TIME_MS (5 * 1000) /* for the things of one job */

enum finding {
        FINDING_DONE, /* nothing more of this job */
        FINDING_USER,
        FINDING_ROOT,
        FINDING_DIRECTORY,
        FINDING_PROGRAM,
        FINDING_CONDITION,
        FINDING_UNIT,
};

/* What the process says: one finding of one job, whole in one write. */
struct report {
        uint32_t job;
        enum finding what;
        int error;
        uint32_t condition; /* of FINDING_CONDITION */
};

static bool is_same_text(const char *a, const char *b) {
        return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same_place(const struct job_what *a, const struct job_what *b) {
        return a->has_identity == b->has_identity && a->uid == b->uid && a->gid == b->gid && a->n_groups == b->n_groups &&
               (a->n_groups == 0 || memcmp(a->groups, b->groups, a->n_groups * sizeof(*a->groups)) == 0) &&
               is_same_text(a->root_directory, b->root_directory);
}

/* ---- in the process ---- */

/* As a start does it. */
static int enter(const struct job_what *what, enum finding *ret) {
        *ret = FINDING_ROOT;
        if (what->root_directory && chroot(what->root_directory) < 0)
                return errno;
        if (chdir("/") < 0)
                return errno;
        *ret = FINDING_USER;
        if (!what->has_identity)
                return 0;
        if (setgroups(what->n_groups, what->groups) < 0 || setresgid(what->gid, what->gid, what->gid) < 0 ||
            setresuid(what->uid, what->uid, what->uid) < 0)
                return errno;
        return 0;
}

static int look_at_program(const char *path) {
        struct stat st;

        if (stat(path, &st) < 0)
                return errno;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? EISDIR : EACCES;
        return access(path, X_OK) < 0 ? errno : 0;
}

/* PATH= as the job has it; NULL where a file or chimed's own environment may say another. */
static const char *search_path(const struct job_what *what) {
        bool is_elsewhere = what->environment_files || job_pass_find(what->passed, "PATH=") == JOB_PASS_NAME;
        const char *path = is_elsewhere ? NULL : JOB_SEARCH_PATH;

        for (char **variable = what->environment; variable && *variable; variable++)
                if (strncmp(*variable, "PATH=", 5) == 0)
                        path = *variable + 5;
        return path;
}

static int find_program(const struct job_what *what, const char *name) {
        const char *path = search_path(what);
        int result = path ? ENOENT : 0;

        if (strchr(name, '/'))
                return look_at_program(name);
        for (size_t size; path && *path; path += size + (path[size] == ':')) {
                char place[4096];
                size = strcspn(path, ":");
                if (size == 0 || snprintf(place, sizeof(place), "%.*s/%s", (int)size, path, name) >= (int)sizeof(place))
                        continue;
                int error = look_at_program(place);
                if (error == 0)
                        return 0;
                if (error == EACCES)
                        result = error;
        }
        return result;
}

/* As set_directory() of launch_child.c decides. */
static int look_at_directory(const struct job_what *what) {
        const char *home = what->home && what->home[0] == '/' ? what->home : "/", *path = what->working_directory;

        if (what->is_working_directory_optional || (!path && !what->has_identity))
                return 0;
        if (chdir(path && strcmp(path, "~") != 0 ? path : home) == 0)
                return chdir("/") < 0 ? errno : 0;
        return !path && errno == ENOENT ? 0 : errno;
}

static void report(int fd, size_t job, enum finding what, int error, size_t condition) {
        const struct report r = {.job = (uint32_t)job, .what = what, .error = error, .condition = (uint32_t)condition};

        if ((error != 0 || what == FINDING_DONE) && write(fd, &r, sizeof(r)) != (ssize_t)sizeof(r))
                _exit(1); /* nobody listens */
}

static void look_at_job(int fd, size_t n, const struct job_what *what, bool is_user) {
        report(fd, n, FINDING_DIRECTORY, look_at_directory(what), 0);
        if (what->work == JOB_WORK_UNIT)
                report(fd, n, FINDING_UNIT, unit_look(what->argv[0], is_user), 0);
        else if (what->work != JOB_WORK_PLUGIN) /* of which config_plugins tells */
                report(fd, n, FINDING_PROGRAM, find_program(what, what->argv[0]), 0);
        for (size_t i = 0; i < what->n_conditions; i++)
                if (what->conditions[i].kind == JOB_CONDITION_EXEC)
                        report(fd, n, FINDING_CONDITION, find_program(what, what->conditions[i].argv[0]), i);
        report(fd, n, FINDING_DONE, 0, 0);
}

/* Looks at the jobs from the first on that are in the same place. */
__attribute__((noreturn)) static void look(int fd, const struct config *config, size_t first, bool is_user) {
        const struct job_what *place = &config->jobs[first]->what;
        enum finding stage;
        int error = enter(place, &stage);

        for (size_t i = first; i < config->n_jobs; i++) {
                if (!is_same_place(&config->jobs[i]->what, place))
                        continue;
                if (error == 0)
                        look_at_job(fd, i, &config->jobs[i]->what, is_user);
                else {
                        report(fd, i, stage, error, 0);
                        report(fd, i, FINDING_DONE, 0, 0);
                }
        }
        _exit(0);
}

/* ---- on the other side ---- */

static void tell(const struct job *job, struct diags *diags, const char *key, const char *value, int error) {
        const struct job_what *what = &job->what;
        char user[150] = "";

        if (what->login_name)
                snprintf(user, sizeof(user), ", for user %.100s", what->login_name);
        else if (what->has_identity)
                snprintf(user, sizeof(user), ", for user %u", what->uid);
        diags_add(diags, true, job->file, job->line, 0, "job %s: %s%.200s: %s%s", job->name, key, value, strerror(error), user);
}

static void tell_finding(const struct job *job, const struct report *r, struct diags *diags) {
        const struct job_what *what = &job->what;

        switch (r->what) {
        case FINDING_DONE:
                return;
        case FINDING_USER:
                tell(job, diags, "User=", what->user ? what->user : "", r->error);
                return;
        case FINDING_ROOT:
                tell(job, diags, "RootDirectory=", what->root_directory ? what->root_directory : "", r->error);
                return;
        case FINDING_DIRECTORY:
                tell(job, diags, what->working_directory ? "WorkingDirectory=" : "the home ",
                     what->working_directory ? what->working_directory : what->home, r->error);
                return;
        case FINDING_PROGRAM:
                tell(job, diags, "the program ", what->argv[0], r->error);
                return;
        case FINDING_UNIT:
                diags_add(diags, true, job->file, job->line, 0, "job %s: Unit=%.200s: %s", job->name, what->argv[0],
                          job_unit_error_to_string(r->error));
                return;
        case FINDING_CONDITION:
                if (r->condition < what->n_conditions)
                        tell(job, diags, "the program of ExecCondition=", what->conditions[r->condition].argv[0], r->error);
                return;
        }
}

/* Who can write there can put a set-user-ID program of root's into it, and what that loads. */
static void check_root(const struct job *job, struct diags *diags) {
        const char *root = job->what.root_directory;
        struct stat st;

        if (root && stat(root, &st) == 0 && (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH))))
                diags_add(diags, true, job->file, job->line, 0,
                          "job %s: RootDirectory=%.200s: others than root can write there, and so may become root in it",
                          job->name, root);
}

/* Takes the findings until the process ends or hangs. */
static void listen_to(int fd, const struct config *config, size_t first, bool *is_seen, struct diags *diags) {
        const struct job_what *place = &config->jobs[first]->what;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        struct report r;

        while (poll(&p, 1, LOOK_TIME_MS) > 0) {
                if (read(fd, &r, sizeof(r)) != (ssize_t)sizeof(r) || r.job >= config->n_jobs)
                        break;
                is_seen[r.job] = true;
                tell_finding(config->jobs[r.job], &r, diags);
        }
        bool is_told = false;
        for (size_t i = first; i < config->n_jobs; i++) {
                const struct job *job = config->jobs[i];
                if (is_seen[i] || !is_same_place(&job->what, place))
                        continue;
                is_seen[i] = true;
                if (!is_told)
                        diags_add(diags, true, job->file, job->line, 0,
                                  "job %s: looking for its program and folders takes too long; is a network file system away?",
                                  job->name);
                is_told = true;
        }
}

static int look_from(const struct config *config, size_t first, bool is_user, bool *is_seen, struct diags *diags) {
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        pid_t pid = fork();
        if (pid == 0)
                look(fds[1], config, first, is_user);
        int error = errno;
        close(fds[1]);
        if (pid > 0) {
                listen_to(fds[0], config, first, is_seen, diags);
                kill(pid, SIGKILL);
                waitpid(pid, NULL, WNOHANG); /* it may sleep in the kernel */
        }
        close(fds[0]);
        return pid < 0 ? -error : 0;
}

int config_look(const struct config *config, bool is_user, struct diags *diags) {
        bool *is_seen = calloc(config->n_jobs + 1, sizeof(*is_seen));
        int r = is_seen ? 0 : -ENOMEM;

        for (size_t i = 0; i < config->n_jobs && r == 0; i++) {
                check_root(config->jobs[i], diags);
                if (!is_seen[i])
                        r = look_from(config, i, is_user, is_seen, diags);
        }
        free(is_seen);
        diags_sort(diags);
        return r;
}
