// SPDX-License-Identifier: MIT
// verb_import: job files made of crontabs and timers: what is read, and where the result goes.

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/core/util.h"
#include "daemon/ctl/import.h"
#include "daemon/ctl/verbs.h"

/* ---- reading ---- */

/* All of a descriptor as text, given to the caller. 0; -E2BIG; -EBADMSG: it is no text; or what read() says. */
static int read_text(int fd, char **ret) {
        char *text = malloc(IMPORT_TEXT_MAX + 1);
        size_t size = 0;
        ssize_t n = 1;

        while (text && size <= IMPORT_TEXT_MAX && (n = read(fd, text + size, IMPORT_TEXT_MAX + 1 - size)) != 0) {
                if (n < 0 && errno != EINTR)
                        break;
                size += n > 0 ? (size_t)n : 0;
        }
        int r = !text ? -ENOMEM : n < 0 ? -errno : size > IMPORT_TEXT_MAX ? -E2BIG : memchr(text, '\0', size) ? -EBADMSG : 0;
        if (r < 0) {
                free(text);
                return r;
        }
        text[size] = '\0';
        *ret = text;
        return 0;
}

/* A file, or the standard input for "-". An exit status; failures are told. */
static int read_file(const char *path, char **ret) {
        bool is_input = strcmp(path, "-") == 0;
        _cleanup_close_ int fd = is_input ? -1 : open(path, O_RDONLY | O_CLOEXEC);
        int r = !is_input && fd < 0 ? -errno : read_text(is_input ? STDIN_FILENO : fd, ret);

        if (r == 0)
                return CTL_EXIT_DONE;
        return session_fail(CTL_EXIT_FAILED, "%s: %s", path,
                            r == -E2BIG     ? "larger than 1 MiB"
                            : r == -EBADMSG ? "this is no text"
                                            : strerror(-r));
}

/* What "systemctl cat" says of a unit; what it complains of goes to standard error. 1: there is none. */
static int read_unit(const struct session *s, const char *unit, char **ret) {
        int ends[2], status = 0;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
                if (dup2(ends[1], STDOUT_FILENO) >= 0)
                        execlp("systemctl", "systemctl", session_has(s, OPTION_USER) ? "--user" : "--system", "--no-pager",
                               "cat", "--", unit, NULL);
                _exit(127);
        }
        int r = pid < 0 ? -errno : 0;
        util_close(ends[1]);
        if (r == 0)
                r = read_text(ends[0], ret);
        util_close(ends[0]);
        while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (r < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
                return r;
        free(*ret);
        *ret = NULL;
        return 1;
}

/* ---- crontabs ---- */

static bool is_account(const char *name) {
        return getpwnam(name) != NULL;
}

static bool is_program(const char *name) {
        const char *path = getenv("PATH");

        if (!path)
                path = JOB_SEARCH_PATH;
        for (size_t size; *path; path += size + (path[size] == ':')) {
                char place[PATH_MAX];
                size = strcspn(path, ":");
                if (snprintf(place, sizeof(place), "%.*s/%s", (int)size, path, name) < (int)sizeof(place) &&
                    access(place, X_OK) == 0)
                        return true;
        }
        return false;
}

static bool begins_with(const char *path, const char *start) {
        return strncmp(path, start, strlen(start)) == 0;
}

/* Whose crontab a file is, by its place. */
static const char *find_user(const char *path) {
        static const char *const folders[] = {"/var/spool/cron/crontabs/", "/var/spool/cron/tabs/", "/var/spool/cron/"};

        for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
                if (begins_with(path, folders[i]) && !strchr(path + strlen(folders[i]), '/'))
                        return path + strlen(folders[i]);
        return NULL;
}

static int import_file(struct session *s, struct import *i, const char *path) {
        _cleanup_free_ char *text = NULL;
        int status = read_file(path, &text);

        if (status != CTL_EXIT_DONE)
                return status;
        struct import_crontab how = {.origin = strcmp(path, "-") == 0 ? "a crontab" : path, .user = find_user(path)};
        bool is_system =
                session_has(s, OPTION_SYSTEM) || strcmp(path, "/etc/crontab") == 0 || begins_with(path, "/etc/cron.d/");
        enum import_users users = is_system  ? IMPORT_USERS_ALL
                                  : how.user ? IMPORT_USERS_NONE
                                             : import_crontab_find_users(text, is_account, is_program);
        if (users == IMPORT_USERS_UNSURE)
                return session_fail(CTL_EXIT_FAILED,
                                    "%s seems to have a column of users, of whom some are not known here: give --system", path);
        how.has_users = users == IMPORT_USERS_ALL;
        import_crontab(i, text, &how);
        return CTL_EXIT_DONE;
}

/* ---- timers ---- */

/* A unit by its name, or a file where the name is one. An exit status; failures are told. 1 of read_unit() leaves *ret alone if it may
 * be missing. */
static int load_unit(struct session *s, const char *name, bool is_file, bool may_be_missing, struct unit_file *ret) {
        _cleanup_free_ char *text = NULL;
        int status = CTL_EXIT_DONE, r = 0;

        if (is_file && may_be_missing && access(name, R_OK) < 0)
                return CTL_EXIT_DONE;
        if (is_file)
                status = read_file(name, &text);
        else
                r = read_unit(s, name, &text);
        if (status != CTL_EXIT_DONE || (r == 1 && may_be_missing))
                return status;
        if (r != 0)
                return session_fail(CTL_EXIT_FAILED, "%s: %s", name, r > 0 ? "systemctl does not know it" : strerror(-r));
        if (!import_is_clean(text))
                return session_fail(CTL_EXIT_FAILED, "%s: it has bytes that a job file may not hold", name);
        return unit_file_parse(text, ret) < 0 ? session_tell_memory() : CTL_EXIT_DONE;
}

/* The file of another unit in the same folder. */
static char *beside(const char *path, const char *unit) {
        const char *slash = strrchr(path, '/');
        char *other;

        return asprintf(&other, "%.*s%s", slash ? (int)(slash + 1 - path) : 0, path, unit) < 0 ? NULL : other;
}

static int import_one_timer(struct session *s, struct import *i, const char *given) {
        static const char ending[] = ".timer";
        struct unit_file timer = {}, service = {};
        bool is_file = strchr(given, '/') || access(given, F_OK) == 0;
        const char *slash = is_file ? strrchr(given, '/') : NULL, *base = slash ? slash + 1 : given;
        size_t size = strlen(base), n_ending = sizeof(ending) - 1;
        bool has_ending = size > n_ending && strcmp(base + size - n_ending, ending) == 0;
        _cleanup_free_ char *name = strndup(base, has_ending ? size - n_ending : size), *unit = NULL, *starts = NULL,
                            *other = NULL;

        if (!name || asprintf(&unit, "%s%s", name, ending) < 0)
                return session_tell_memory();
        int status = load_unit(s, is_file ? given : unit, is_file, false, &timer);
        if (status == CTL_EXIT_DONE) {
                starts = import_timer_starts(name, &timer);
                other = starts && is_file ? beside(given, starts) : NULL;
                if (!starts || (is_file && !other))
                        status = session_tell_memory();
                else
                        status = load_unit(s, is_file ? other : starts, is_file, true, &service);
        }
        if (status == CTL_EXIT_DONE)
                import_timer(i, name, &timer, service.text ? &service : NULL);
        unit_file_done(&timer);
        unit_file_done(&service);
        return status;
}

/* ---- the result ---- */

/* 0 or a negative error; then there is no file. */
static int write_job(int folder, const char *file, const char *text, size_t size) {
        /* for its owner only, as a crontab is: its variables may be secrets */
        _cleanup_close_ int fd = openat(folder, file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        if (fd < 0)
                return -errno;
        for (; size > 0 && *text == '\n'; text++) /* that which stands between two jobs */
                size--;
        while (size > 1 && memcmp(text + size - 2, "\n\n", 2) == 0)
                size--;
        while (size > 0) {
                ssize_t n = write(fd, text, size);
                int error = errno;
                if (n < 0 && error == EINTR)
                        continue;
                if (n < 0) {
                        unlinkat(folder, file, 0);
                        return -error;
                }
                text += n;
                size -= (size_t)n;
        }
        return 0;
}

static char *file_of(const struct import *i, size_t k, char buf[static JOB_NAME_MAX + 8]) {
        snprintf(buf, JOB_NAME_MAX + 8, "%s.ini", i->jobs[k].name);
        return buf;
}

/* The folder, made where it is missing, but not the ones above. A descriptor or -1; failures are told. */
static int open_output(const char *name) {
        bool is_missing = mkdir(name, 0755) < 0 && errno == ENOENT;
        int folder = is_missing ? -1 : open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (folder < 0)
                session_fail(CTL_EXIT_FAILED, "--output=%s: %s", name,
                             is_missing ? "the folder above it is missing" : strerror(errno));
        return folder;
}

/* A file for each job, all or none; files that are there stay as they are. */
static int write_jobs(struct session *s, const struct import *i) {
        const char *name = session_text(s, OPTION_OUTPUT);
        char file[JOB_NAME_MAX + 8];
        _cleanup_close_ int folder = open_output(name);

        if (folder < 0)
                return CTL_EXIT_FAILED;
        for (size_t k = 0; k < i->n; k++) {
                size_t begin = i->jobs[k].begin, end = k + 1 < i->n ? i->jobs[k + 1].begin : i->size;
                int r = write_job(folder, file_of(i, k, file), i->text + begin, end - begin);
                if (r == 0)
                        continue;
                session_fail(CTL_EXIT_FAILED, "%s/%s: %s; nothing is written%s", name, file, strerror(-r),
                             r == -EEXIST ? "; import all files in one call, then names are numbered" : "");
                while (k-- > 0)
                        unlinkat(folder, file_of(i, k, file), 0);
                return CTL_EXIT_FAILED;
        }
        session_say(s, "%zu job%s in %s; before they are put into place: chimectl check --jobs=%s", i->n, i->n == 1 ? "" : "s",
                    name, name);
        return CTL_EXIT_DONE;
}

static int print_result(struct session *s, struct import *i) {
        int r = import_finish(i), status = CTL_EXIT_DONE;

        if (r < 0)
                return session_fail(CTL_EXIT_FAILED, "%s", r == -E2BIG ? "there are too many jobs" : strerror(-r));
        if (session_has(s, OPTION_OUTPUT))
                status = write_jobs(s, i);
        else
                fwrite(i->text, 1, i->size > 1 && i->text[i->size - 2] == '\n' ? i->size - 1 : i->size, s->out);
        if (status != CTL_EXIT_DONE || i->n_lost == 0)
                return status;
        return session_fail(CTL_EXIT_FAILED, "%zu thing%s could not be carried over: see the comments with \"not imported\"",
                            i->n_lost, i->n_lost == 1 ? "" : "s");
}

int verb_import(struct session *s) {
        bool is_crontab = strcmp(s->names[0], "crontab") == 0;
        int status = CTL_EXIT_DONE;
        struct import i;

        if (!is_crontab && strcmp(s->names[0], "timer") != 0)
                return session_fail(CTL_EXIT_USAGE, "import takes crontab or timer first, not \"%s\"", s->names[0]);
        if (import_begin(&i) < 0)
                return session_tell_memory();
        for (size_t k = 1; status == CTL_EXIT_DONE && k < s->n_names; k++)
                status = is_crontab ? import_file(s, &i, s->names[k]) : import_one_timer(s, &i, s->names[k]);
        if (status == CTL_EXIT_DONE)
                status = print_result(s, &i);
        import_done(&i);
        return status;
}
