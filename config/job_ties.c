// SPDX-License-Identifier: MIT
// job_ties: MemberOf=, OnSuccess= and their kin. In files they name what may stand in other files: they are looked up once all are read.

#include <errno.h>
#include <stdlib.h>

#include "config/job_draft.h"

int parse_tie(struct job_draft *d, const struct job_setting *s) {
        enum tie_kind kind = tie_kind_from_string(s->key);
        return draft_names(d, s, (uint8_t)kind, &d->job->ties, TIES_MAX, kind == TIE_MEMBER ? "group" : "job",
                           "names in MemberOf=, OnSuccess= and their kin");
}

int job_compile_ties(struct job *job, struct agendas *agendas) {
        struct tie list[TIES_MAX];
        size_t n = job->ties.n;

        for (size_t i = 0; i < n; i++)
                list[i] = (struct tie){.kind = (enum tie_kind)job->ties.list[i].kind, .name = job->ties.list[i].name};
        return n > 0 ? ties_compile(&agendas->ties, list, n, &job->when.ties) : 0;
}

int draft_finish_ties(struct job_draft *d) {
        return d->is_canonical && d->agendas ? job_compile_ties(d->job, d->agendas) : 0;
}
