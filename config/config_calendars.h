// SPDX-License-Identifier: MIT
// config_calendars: the [calendar NAME] sections of all files, and the jobs that name them in Only= and Except=; for config.c only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config_unit.h"
#include "config/day_list.h"

struct calendar {
        char *name, *file;
        unsigned line;
        bool is_broken;
        struct day_list days;
};

/* Zero-initialise; calendars_done() frees. */
struct calendars {
        struct calendar *list;
        size_t n, allocated;
        struct job_mentions told; /* of [defaults], not to be told again for the next job */
};

void calendars_done(struct calendars *calendars);
/* Reads the calendars of a unit, which tells its errors. 0, -ENOMEM. */
int calendars_add(struct calendars *calendars, const struct unit *unit);
/* Once all are there: of several of one name none can be used (told), and those whose days are all over before now_rt_us (0: not known) are
 * told. */
void calendars_settle(struct calendars *calendars, int64_t now_rt_us, struct diags *diags);
/* Looks up what Only= and Except= of a job name and compiles its days, which are told where they leave none from now on. 0; 1 where one is not
 * there or can't be used (told); a negative error. */
int calendars_resolve(struct calendars *calendars, struct job *job, struct agendas *agendas, int64_t now_rt_us,
                      struct diags *diags);
