// SPDX-License-Identifier: MIT
// first: the runner as the first process of a PID namespace, which is that of a container: what is different there.
#pragma once

#include <signal.h>
#include <stdint.h>

/* Such a process never gets a signal that it has neither blocked nor a handler for: holds these back until they are asked for, so that a stop
 * during the start is not lost. Elsewhere nothing is done. */
void first_hold_signals(const sigset_t *set);

/* What tells this boot from others, and when it began (BOOTTIME): the kernel's word, and 0; for a first process its own start, which is the
 * boot of its container, and its instant. The same after it has executed itself anew. 0 or a negative error. */
int first_boot(uint8_t ret_id[static 16], int64_t *ret_bt_us);
