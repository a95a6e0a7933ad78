// SPDX-License-Identifier: MIT
// job_output: where a job's output goes: StandardOutput=, StandardError=, CaptureMax=.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/job_draft.h"
#include "config/size.h"

static const struct {
        const char *name; /* a path follows a colon */
        enum job_output_kind kind;
        bool is_error_only;
} kinds[] = {
        {"journal", JOB_OUTPUT_JOURNAL, false},    {"journal-direct", JOB_OUTPUT_JOURNAL_DIRECT, false},
        {"null", JOB_OUTPUT_NULL, false},          {"inherit", JOB_OUTPUT_INHERIT, true},
        {"file:", JOB_OUTPUT_FILE, false},         {"append:", JOB_OUTPUT_APPEND, false},
        {"truncate:", JOB_OUTPUT_TRUNCATE, false},
};

const char *job_output_kind_name(enum job_output_kind kind) {
        size_t i = 0;

        while (i < sizeof(kinds) / sizeof(kinds[0]) && kinds[i].kind != kind)
                i++;
        return i < sizeof(kinds) / sizeof(kinds[0]) ? kinds[i].name : "?";
}

static int take_output(struct job_draft *d, const struct job_setting *s, size_t row, struct job_output *ret) {
        char *path = NULL;

        if (job_output_has_path(kinds[row].kind)) {
                const char *text = s->value + strlen(kinds[row].name);
                int r = draft_check_path(d, s, text);
                if (r == 0)
                        r = draft_copy(text, &path);
                if (r)
                        return r;
        }
        free(ret->path);
        *ret = (struct job_output){.kind = kinds[row].kind, .path = path};
        return 0;
}

static int parse_output(struct job_draft *d, const struct job_setting *s, bool is_error, struct job_output *ret) {
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
                bool has_path = job_output_has_path(kinds[i].kind);
                if (kinds[i].is_error_only && !is_error)
                        continue;
                if (has_path ? strncmp(s->value, kinds[i].name, strlen(kinds[i].name)) == 0
                             : strcmp(s->value, kinds[i].name) == 0)
                        return take_output(d, s, i, ret);
        }
        return draft_error(d, s, 0,
                           "%s=%.60s is not known; there is journal, journal-direct, null, %sfile:PATH, append:PATH and "
                           "truncate:PATH",
                           s->key, s->value, is_error ? "inherit, " : "");
}

int parse_standard_output(struct job_draft *d, const struct job_setting *s) {
        return parse_output(d, s, false, &d->job->what.output);
}

int parse_standard_error(struct job_draft *d, const struct job_setting *s) {
        return parse_output(d, s, true, &d->job->what.error);
}

void draft_finish_output(struct job_draft *d) {
        struct job_what *what = &d->job->what;
        struct job_output *output = &what->output, *error = &what->error;
        bool is_same = !d->set[KEY_STANDARD_ERROR] ||
                       (error->kind == output->kind && (!output->path || strcmp(error->path, output->path) == 0));

        if (!is_same)
                return;
        free(error->path);
        error->path = NULL;
        /* two descriptors of one file would write over each other; through pipes the streams are told apart */
        bool is_shared = output->path || output->kind == JOB_OUTPUT_JOURNAL_DIRECT;
        error->kind = is_shared ? JOB_OUTPUT_INHERIT : output->kind;
}

int parse_capture_max(struct job_draft *d, const struct job_setting *s) {
        uint64_t bytes;
        int r = size_parse(s->value, JOB_CAPTURE_MAX, &bytes);
        if (r == -ERANGE)
                return draft_error(d, s, 0, "%.40s is more than %dK", s->value, JOB_CAPTURE_MAX / 1024);
        if (r < 0)
                return draft_error(d, s, 0, "\"%.40s\" is no size; write bytes or 16K", s->value);
        d->job->what.capture_max = (uint32_t)bytes;
        return 0;
}
