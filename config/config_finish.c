// SPDX-License-Identifier: MIT
// config_finish: from the jobs that were built to those of the snapshot: what each needs of others, and that a name stands once.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_loader.h"
#include "config/config_mail.h"

/* What a job needs of other files. Without it the job is broken. */
static int finish_job(struct loader *l, struct declared *d) {
        int r = calendars_resolve(&l->calendars, d->job, &l->config->agendas, l->paths->now_rt_us, l->diags);

        if (r == 0)
                r = d->is_refused ? 1 : job_seal(d->job, l->diags);
        if (r != 1)
                return r;
        d->job->name = d->job->file = NULL; /* they stay with what is declared */
        d->job = job_free(d->job);
        if (loader_traces(l, d->name))
                l->origins->is_broken = true;
        return 0;
}

static int compare_declared(const void *a, const void *b) {
        const struct declared *x = a, *y = b;
        int order = strcmp(x->name, y->name);

        if (order == 0)
                order = strcmp(x->file, y->file);
        return order ? order : (x->line > y->line) - (x->line < y->line);
}

/* A file of which it is not known what jobs it has. */
static bool has_unread(const struct config *c) {
        for (size_t i = 0; i < c->n_broken; i++)
                if (!c->broken[i].name)
                        return true;
        return false;
}

static void sort_declared(struct loader *l) {
        if (l->n_declared > 0)
                qsort(l->declared, l->n_declared, sizeof(*l->declared), compare_declared);
}

static int compare_declared_name(const void *name, const void *declared) {
        return strcmp(name, ((const struct declared *)declared)->name);
}

/* The job that sends the mails of the one at i, of the n that are sorted. Without it that one is refused. */
static int add_mailer(struct loader *l, size_t i, size_t n) {
        const struct job *job = l->declared[i].job;
        const struct job_mention *first = &job->mail.list[0];
        struct job *mailer = NULL;
        int r = config_mail_make(job, &l->config->settings, &l->config->agendas, l->diags, &mailer);

        if (r == 0) {
                const struct declared *other = bsearch(mailer->name, l->declared, n, sizeof(*other), compare_declared_name);
                if (other)
                        diags_add(l->diags, false, first->file, first->line, first->column,
                                  "the mails of %s are sent by a job %s, and there is one of this name at %s:%u", job->name,
                                  mailer->name, other->file, other->line);
                r = other ? 1 : identity_resolve(&l->identities, mailer, l->diags);
        }
        if (r == 0)
                r = loader_grow((void **)&l->declared, l->n_declared + 1, &l->declared_allocated, sizeof(*l->declared));
        if (r == 0) {
                l->declared[l->n_declared++] =
                        (struct declared){.job = mailer, .name = mailer->name, .file = mailer->file, .line = mailer->line};
                return 0;
        }
        job_free(mailer);
        l->declared[i].is_refused = true;
        return r < 0 ? r : 0;
}

static int add_mailers(struct loader *l) {
        size_t n = l->n_declared;
        bool is_told = false;
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                const struct job *job = l->declared[i].job;
                if (!job || job->mail.n == 0)
                        continue;
                const struct job_mention *first = &job->mail.list[0];
                if (!is_told && !config_mail_can_send(&l->config->settings))
                        diags_add(l->diags, true, first->file, first->line, first->column,
                                  "no mail can be sent: there is no sendmail; install a mail system, or name its sendmail by "
                                  "Sendmail= in chimed.conf");
                is_told = true;
                r = add_mailer(l, i, n);
        }
        sort_declared(l);
        return r;
}

int loader_finish_jobs(struct loader *l) {
        sort_declared(l);
        calendars_settle(&l->calendars, l->paths->now_rt_us, l->diags);
        int r = add_mailers(l);
        if (r == 0)
                r = config_ties_resolve(l->declared, l->n_declared, has_unread(l->config), &l->config->agendas, l->diags);
        if (r == 0)
                r = config_plugins_settle(l->declared, l->n_declared, l->diags);
        for (size_t i = 0; r == 0 && i < l->n_declared; i++)
                if (l->declared[i].job)
                        r = finish_job(l, &l->declared[i]);
        return r;
}

/* All declarations of one name: a good one is taken over; of several none is. */
static int settle_name(struct loader *l, struct declared *list, size_t n) {
        for (size_t i = 1; i < n; i++)
                diags_add(l->diags, false, list[i].file, list[i].line, 0, "job %s is defined at %s:%u, too; neither is taken",
                          list[i].name, list[0].file, list[0].line);
        if (n == 1 && list[0].job) {
                l->config->jobs[l->config->n_jobs++] = list[0].job;
                list[0].name = list[0].file = NULL;
                list[0].job = NULL;
                return 0;
        }
        for (size_t i = 0; i < n; i++) {
                int r = loader_add_broken(l, list[i].file, list[i].name);
                if (r < 0)
                        return r;
        }
        return 0;
}

int loader_settle_jobs(struct loader *l) {
        int r = 0;

        l->config->jobs = calloc(l->n_declared + 1, sizeof(*l->config->jobs));
        if (!l->config->jobs)
                return -ENOMEM;
        for (size_t i = 0, next; r == 0 && i < l->n_declared; i = next) {
                for (next = i + 1; next < l->n_declared && strcmp(l->declared[next].name, l->declared[i].name) == 0;)
                        next++;
                r = settle_name(l, l->declared + i, next - i);
        }
        return r;
}
