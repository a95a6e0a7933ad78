// SPDX-License-Identifier: MIT
// errors: the errors of the interface, told with what to do next, and the exit status that each means.
#pragma once

#include "daemon/ctl/session.h"

/* Tells a reply's error on standard error. Returns the exit status. */
int errors_tell(struct session *s, enum api_method method, const struct client_reply *reply);
/* The exit status of an error, by its full name. */
int errors_status(const char *error);
/* Says that there is no such job, with the nearest name. Returns CTL_EXIT_NO_SUCH_JOB. */
int errors_tell_no_job(struct session *s, const char *name);
