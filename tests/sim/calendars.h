// SPDX-License-Identifier: MIT
// calendars: agendas for the simulation and the timelines, in one table, kept until the process ends: a copied policy needs no care.
#pragma once

#include "config/job.h"

extern struct agendas sim_agendas;

/* The policy of a when-text such as "OnCalendar=02:30\nTimeZone=Europe/Berlin\n"; aborts where it is none. Its agenda is the table's. */
struct job_when sim_when(const char *text);
/* Makes a policy that of a member of groups ("one two"). */
void sim_join(struct job_when *when, const char *groups);
/* Adds a line such as "OnSuccess=b\n". */
void sim_tie(struct job_when *when, const char *line);
