// SPDX-License-Identifier: MIT
// calendars: agendas for the simulation and the timelines, in one table, kept until the process ends: a copied policy needs no care.
#pragma once

#include "config/agenda.h"

extern struct agendas sim_agendas;

/* The agenda of a when-text such as "OnCalendar=02:30\nTimeZone=Europe/Berlin\n"; aborts where it is none. */
const struct agenda *sim_agenda(const char *text);
