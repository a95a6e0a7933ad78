// SPDX-License-Identifier: MIT
// config_groups: the [group NAME] sections of all files, and what they give to the jobs that name them in MemberOf=; for config.c only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "config/config_unit.h"

/* Its texts and settings are borrowed from the unit that it stands in. */
struct group_section {
        const char *name, *file, *description;
        unsigned line;
        uint32_t max_running;
        bool is_broken;
        struct job_setting *defaults; /* owned: of its section and those in drop-ins */
        size_t n_defaults;
};

/* Zero-initialise; config_groups_done() frees. */
struct config_groups {
        struct group_section *list;
        size_t n, allocated;
};

void config_groups_done(struct config_groups *groups);
/* Reads the groups of a unit, which tells its errors and must stay as long as the groups. 0, -ENOMEM. */
int config_groups_add(struct config_groups *groups, const struct unit *unit);
/* Once all are there: of several of one name none can be used (told). Gives all to the configuration. 0, -ENOMEM. */
int config_groups_settle(struct config_groups *groups, struct config *config, struct diags *diags);
/* Whether the settings of a job, its defaults among them, say that it is a member of some group. */
bool config_groups_has_member(const struct job_setting *settings, size_t n);
/* The defaults of the groups that the settings of a job name in MemberOf=, in that order, given to the caller for free().
 * 0; 1 where a group is not there or can't be used, or two of them say different things (told); -ENOMEM. */
int config_groups_resolve(const struct config_groups *groups, const struct job_setting *settings, size_t n, struct diags *diags,
                          struct job_setting **ret, size_t *ret_n);
