// SPDX-License-Identifier: MIT
// ctl: chimectl as a whole.
#pragma once

/* Runs the command line; returns the exit status. */
int ctl_run(int argc, char **argv);
