// SPDX-License-Identifier: MIT
// import: the text of job files as it grows, and the names of jobs.

#include "daemon/ctl/import.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/memory_stream.h"
#include "daemon/core/util.h"
#include "daemon/ctl/text.h"

int import_begin(struct import *i) {
        *i = (struct import){};
        i->out = memory_stream_open(&i->text, &i->size);
        return i->out ? 0 : -ENOMEM;
}

int import_finish(struct import *i) {
        bool has_failed = !memory_stream_finish(i->out, &i->text) || i->has_failed;

        i->out = NULL;
        return i->n > IMPORT_JOBS_MAX ? -E2BIG : has_failed ? -ENOMEM : 0;
}

void import_done(struct import *i) {
        if (i->out)
                fclose(i->out);
        free(i->text);
        free(i->jobs);
        *i = (struct import){};
}

/* ---- lines ---- */

__attribute__((format(printf, 2, 0))) static void put_comment(struct import *i, const char *format, va_list arguments) {
        _cleanup_free_ char *text = NULL;

        if (vasprintf(&text, format, arguments) < 0) {
                text = NULL;
                i->has_failed = true;
                return;
        }
        text_clean(text, true);
        char *rest = text;
        for (char *line; (line = strsep(&rest, "\n"));)
                fprintf(i->out, "#%s%s\n", *line ? " " : "", line);
}

void import_comment(struct import *i, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        put_comment(i, format, arguments);
        va_end(arguments);
}

void import_lose(struct import *i, const char *format, ...) {
        va_list arguments;

        i->n_lost++;
        va_start(arguments, format);
        put_comment(i, format, arguments);
        va_end(arguments);
}

void import_gap(struct import *i) {
        fflush(i->out);
        if (i->size > 1 && memcmp(i->text + i->size - 2, "\n\n", 2) != 0)
                fputc('\n', i->out);
}

void import_key(struct import *i, const char *key, const char *format, ...) {
        _cleanup_free_ char *value = NULL;
        va_list arguments;

        va_start(arguments, format);
        if (vasprintf(&value, format, arguments) < 0) {
                value = NULL;
                i->has_failed = true;
        }
        va_end(arguments);
        fprintf(i->out, "%s=", key);
        for (const char *c = value; c && *c; c++) {
                fputc(*c, i->out);
                if (*c == '\n' && c[1] != '\n')
                        fputc(' ', i->out);
        }
        fputc('\n', i->out);
}

void import_words(struct import *i, const char *key, const char *value) {
        static const char blanks[] = " \t";

        fprintf(i->out, "%s", key);
        for (char before = '='; value += strspn(value, blanks), *value; before = ' ') {
                size_t size = strcspn(value, blanks);
                fprintf(i->out, "%c%.*s", before, (int)size, value);
                value += size;
        }
        fputc('\n', i->out);
}

void import_end(struct import *i) {
        import_gap(i);
        i->end = i->size;
}

void import_variable(struct import *i, const char *name, const char *value) {
        _cleanup_free_ char *word = NULL, *quoted = NULL;

        if (asprintf(&word, "%s=%s", name, value) < 0 ||
            job_command_print((char *const[]){word, NULL}, 4 * strlen(word) + 8, &quoted) < 0)
                i->has_failed = true;
        else
                import_key(i, "Environment", "%s", quoted);
}

/* ---- names ---- */

static bool is_taken(const struct import *i, const char *name) {
        for (size_t k = 0; k < i->n; k++)
                if (strcmp(i->jobs[k].name, name) == 0)
                        return true;
        return false;
}

/* Of what a name may hold only, beginning with a letter or digit. */
static void make_valid(const char *from, char to[static JOB_NAME_MAX + 1]) {
        size_t n = 0;

        while (*from && !isalnum((unsigned char)*from))
                from++;
        for (; *from && n < JOB_NAME_MAX - 6; from++) /* there is room for a number */
                to[n++] = (isalnum((unsigned char)*from) && (unsigned char)*from < 0x80) || strchr("_-.:", *from) ? *from : '-';
        to[n] = '\0';
        if (n == 0)
                strcpy(to, "job");
}

void import_section(struct import *i, const char *name) {
        struct import_job *jobs = reallocarray(i->jobs, i->n + 1, sizeof(*jobs));
        char valid[JOB_NAME_MAX + 1];

        if (jobs)
                i->jobs = jobs;
        if (!jobs || i->n > IMPORT_JOBS_MAX) {
                i->has_failed = true;
                return;
        }
        make_valid(name, valid);
        struct import_job *job = &i->jobs[i->n];
        job->begin = i->end;
        strcpy(job->name, valid);
        for (unsigned number = 2; is_taken(i, job->name); number++)
                snprintf(job->name, sizeof(job->name), "%.*s-%u", JOB_NAME_MAX - 6, valid, number % 100000);
        i->n++;
        fprintf(i->out, "[job %s]\n", job->name);
}
