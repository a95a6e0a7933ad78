// SPDX-License-Identifier: MIT
// environment: a job's environment: a list of NAME=VALUE where the later one wins, and EnvironmentFile=.

#include "daemon/runner/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/util.h"

void environment_done(struct environment *e) {
        for (size_t i = 0; i < e->n; i++)
                free(e->list[i]);
        free(e->list);
        *e = (struct environment){};
}

/* Where a name is, or e->n. */
static size_t find(const struct environment *e, const char *name, size_t size) {
        size_t i = 0;

        while (i < e->n && (strncmp(e->list[i], name, size) != 0 || e->list[i][size] != '='))
                i++;
        return i;
}

/* Takes the assignment, also on failure. */
static int take(struct environment *e, char *assignment) {
        size_t at;

        if (!assignment)
                return -ENOMEM;
        at = find(e, assignment, strcspn(assignment, "="));
        if (at < e->n) {
                free(e->list[at]);
                e->list[at] = assignment;
                return 0;
        }
        if (e->n + 1 >= e->allocated || e->n >= ENVIRONMENT_MAX) {
                size_t allocated = e->allocated ? 2 * e->allocated : 32;
                char **list = e->n < ENVIRONMENT_MAX ? reallocarray(e->list, allocated, sizeof(*list)) : NULL;
                if (!list) {
                        free(assignment);
                        return e->n < ENVIRONMENT_MAX ? -ENOMEM : -E2BIG;
                }
                e->list = list;
                e->allocated = allocated;
        }
        e->list[e->n++] = assignment;
        e->list[e->n] = NULL;
        return 0;
}

int environment_set(struct environment *e, const char *assignment) {
        return take(e, strdup(assignment));
}

int environment_set_value(struct environment *e, const char *name, const char *value) {
        char *assignment;

        return take(e, asprintf(&assignment, "%s=%s", name, value) < 0 ? NULL : assignment);
}

const char *environment_get(const struct environment *e, const char *name) {
        size_t size = strlen(name), at = find(e, name, size);

        return at < e->n ? e->list[at] + size + 1 : NULL;
}

static bool is_name(const char *s, size_t size) {
        for (size_t i = 0; i < size; i++) {
                char c = s[i];
                if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || (i > 0 && c >= '0' && c <= '9')))
                        return false;
        }
        return size > 0;
}

/* A value in the making, in a buffer as large as the text. */
struct value {
        const char *at, *end;
        char *out;
        size_t n;
        size_t n_kept; /* trailing blanks beyond it are dropped */
};

static void put(struct value *v, char c, bool is_kept) {
        v->out[v->n++] = c;
        if (is_kept)
                v->n_kept = v->n;
}

/* A quoted part, from behind its opening quote to behind its closing one. */
static int parse_quoted(struct value *v, char quote) {
        for (; v->at < v->end; v->at++) {
                char c = *v->at;
                if (c == quote) {
                        v->at++;
                        return 0;
                }
                if (c == '\\' && quote == '"' && v->at + 1 < v->end) {
                        c = *++v->at;
                        if (c == '\n')
                                continue;
                        if (!strchr("\"\\`$", c))
                                put(v, '\\', true);
                }
                put(v, c, true);
        }
        return -EINVAL;
}

/* From behind the '=' to the end of the line that ends the value. */
static int parse_value(struct value *v) {
        while (v->at < v->end && (*v->at == ' ' || *v->at == '\t'))
                v->at++;
        while (v->at < v->end && *v->at != '\n') {
                char c = *v->at++;
                if (c == '"' || c == '\'') {
                        int r = parse_quoted(v, c);
                        if (r < 0)
                                return r;
                        v->n_kept = v->n;
                } else if (c == '\\' && v->at < v->end) {
                        c = *v->at++;
                        if (c != '\n')
                                put(v, c, true);
                } else
                        put(v, c, c != ' ' && c != '\t' && c != '\r');
        }
        v->n = v->n_kept;
        return 0;
}

static const char *skip_line(const char *at, const char *end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));

        return newline ? newline + 1 : end;
}

int environment_parse(struct environment *e, const char *text, size_t size) {
        const char *at = text, *end = text + size;

        if (memchr(text, 0, size))
                return -EINVAL;
        _cleanup_free_ char *out = malloc(size + 1);
        if (!out)
                return -ENOMEM;
        while (at < end) {
                at += strspn(at, " \t\r\n") < (size_t)(end - at) ? strspn(at, " \t\r\n") : (size_t)(end - at);
                if (at == end)
                        break;
                size_t name_size = strcspn(at, "=\n");
                const char *equals = at + name_size;
                while (name_size > 0 && (at[name_size - 1] == ' ' || at[name_size - 1] == '\t'))
                        name_size--;
                if (equals >= end || *equals != '=' || !is_name(at, name_size)) {
                        at = skip_line(at, end);
                        continue;
                }
                struct value v = {.at = equals + 1, .end = end, .out = out};
                int r = parse_value(&v);
                if (r < 0)
                        return r;
                char *assignment;
                if (asprintf(&assignment, "%.*s=%.*s", (int)name_size, at, (int)v.n, out) < 0)
                        return -ENOMEM;
                r = take(e, assignment);
                if (r < 0)
                        return r;
                at = v.at;
        }
        return 0;
}

/* The whole of a file into text, which holds ENVIRONMENT_FILE_MAX + 1 bytes. Returns its size or an error. */
static ssize_t read_text(int fd, char *text) {
        size_t size = 0;

        for (;;) {
                ssize_t n = read(fd, text + size, ENVIRONMENT_FILE_MAX + 1 - size);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                size += (size_t)n;
                if (size > ENVIRONMENT_FILE_MAX)
                        return -EFBIG;
                if (n == 0)
                        return (ssize_t)size;
        }
}

int environment_read_file(struct environment *e, const char *path) {
        /* nothing but a regular file is opened to be read: a device may do things upon that */
        _cleanup_close_ int found = open(path, O_PATH | O_CLOEXEC);
        _cleanup_free_ char *text = NULL;
        char link[32];
        struct stat st;

        if (found < 0 || fstat(found, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        snprintf(link, sizeof(link), "/proc/self/fd/%d", found);
        _cleanup_close_ int fd = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return errno == ENOENT ? -EIO : -errno; /* the file is there; /proc may not be */
        text = malloc(ENVIRONMENT_FILE_MAX + 2);
        if (!text)
                return -ENOMEM;
        ssize_t size = read_text(fd, text);
        if (size < 0)
                return (int)size;
        text[size] = '\0';
        int r = environment_parse(e, text, (size_t)size);
        explicit_bzero(text, (size_t)size);
        return r;
}

int environment_pass(struct environment *e, char *const *words, char *const *list) {
        int r = 0;

        for (; words && *list && r == 0; list++)
                switch (job_pass_find(words, *list)) {
                case JOB_PASS_NOT:
                        break;
                case JOB_PASS_PATTERN:
                        r = find(e, *list, strcspn(*list, "=")) < e->n ? 0 : environment_set(e, *list);
                        break;
                case JOB_PASS_NAME:
                        r = environment_set(e, *list);
                        break;
                }
        return r;
}

static int set_all(struct environment *e, char *const *list) {
        for (; list && *list; list++) {
                int r = environment_set(e, *list);
                if (r < 0)
                        return r;
        }
        return 0;
}

int environment_build(struct environment *e, char *const *base, const struct job_what *what, char *const *fixed) {
        int r = set_all(e, base);

        for (char *const *file = what->environment_files; r == 0 && file && *file; file++) {
                bool is_optional = **file == '-';
                r = environment_read_file(e, *file + is_optional);
                if (r == -ENOENT && is_optional)
                        r = 0;
        }
        if (r == 0)
                r = set_all(e, what->environment);
        return r == 0 ? set_all(e, fixed) : r;
}
