// SPDX-License-Identifier: MIT
// cron: the time fields of crontab(5), read into patterns.
// Pure.
#pragma once

#include "config/pattern.h"

/* Reads five fields (minute, hour, day, month, weekday), six with seconds before them, or a nickname ("@daily"). Beyond crontab(5):
 * day L (the last), L-3, 15W (the working day nearest to the 15th), LW, ?; weekday 5L (the last Friday), 5#2 (the second).
 * The day matches as in cron: if both day fields are restricted, one of them suffices, and a field that begins with "*" is not
 * restricted, also with a step ("*" by 2): then both must match. days_and: both must match in any case (CronDays=and).
 * The canonical text does not say how the days are joined. Returns and gives what calendar_parse() does. */
int cron_parse(const char *text, bool days_and, struct pattern **ret, struct pattern_error *ret_error);
