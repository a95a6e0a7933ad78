// SPDX-License-Identifier: MIT
// handover: what a re-executed runner is given by itself: runs, definitions, what is in force, and the numbers of its descriptors, in a
// sealed memory file.
#pragma once

#include <stddef.h>

#include "daemon/runner/runner_internal.h"

#define HANDOVER_FORMS_MAX 96

/* The forms of what is handed over, as a line of --version: a program that prints it can read what this one writes. A program that
 * reads older forms, too, prints a line for each. */
void handover_print_forms(char forms[static HANDOVER_FORMS_MAX]);

/* Writes what the runner knows; no run may be launching. *ret_fd: a new descriptor, given to the caller. 0, -EBUSY, -ENOMEM, or
 * another error of the file. */
int handover_write(const struct runner *runner, int *ret_fd);
/* Reads it into a runner that knows nothing yet; its descriptors become the runner's, close-on-exec from then on. The program that
 * wrote it may have been an older one: definitions that it wrote in another form are kept without what they run, and the runner's
 * generation is 0, so that nothing is told before the files were read anew.
 * 0; -EPROTONOSUPPORT: a form that is not known; -EBADMSG: damaged; -EBADF: a descriptor is not there; -ENOMEM; another error of the
 * file. On error the runner is of no more use than to be left as it is. */
int handover_read(struct runner *runner, int fd);
