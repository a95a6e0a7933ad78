// SPDX-License-Identifier: MIT
// other: asks the runner of a run folder for something, from another process, and waits until it is done.
#pragma once

enum other_order {
        OTHER_STOP = 1,   /* to end in order; it has as long as it takes */
        OTHER_RE_EXECUTE, /* to execute its program anew, which it may refuse */
};

/* Returns the exit status: 0, also where no runner is there; 1 with the error, or why it refuses, on standard error. */
int other_main(const char *run_folder, enum other_order order);
