// SPDX-License-Identifier: MIT
// calendar: calendar events as in systemd.time(7), read into patterns.
// Pure.
#pragma once

#include "config/pattern.h"

/* Reads an event such as "Mon..Fri 02:30 Europe/Berlin": all that systemd 252 reads, but for a zone's abbreviation ("CEST"), which
 * would depend on the zone of this machine: the last word, if no part of the time, is the name of a zone that the caller looks up.
 * The text of the result is normalized as systemd does it: the same events make the same text in most cases.
 * Returns 0 and a pattern to be given back with pattern_free(); -EINVAL with the error set: unreadable, or no time of
 * 1970..2199 can ever match; -ENOMEM. */
int calendar_parse(const char *text, struct pattern **ret, struct pattern_error *ret_error);
/* Reads one word that says days and no time: weekdays ("Sat,Sun") or the date of an event ("*-12-25"). The text of the result is as short; it
 * matches at 00:00. Returns as above. */
int calendar_parse_days(const char *word, struct pattern **ret, struct pattern_error *ret_error);
