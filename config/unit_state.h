// SPDX-License-Identifier: MIT
// unit_state: how a systemd unit is, as systemctl shows it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct unit_state {
        char load[16];       /* "loaded", "not-found", "masked" … */
        char active[16];     /* "active", "inactive", "failed" … */
        char result[24];     /* of the latest start that got so far: "success", "exit-code", "oom-kill" … */
        char invocation[33]; /* the id of that start; "": there was none that systemd remembers */
        int main_code; /* how its main process has ended: CLD_EXITED, CLD_KILLED, CLD_DUMPED; 0: it has not, or there was none */
        int main_status;                       /* its exit status or signal */
        bool stays;                            /* RemainAfterExit=yes */
        bool lacks_condition, lacks_assertion; /* of the latest start: one did not hold */
};

/* Reads lines "Property=value"; what is not known is passed over. */
void unit_state_parse(const char *text, struct unit_state *ret);
/* Whether it is neither active nor about to be or to end. */
bool unit_state_is_over(const struct unit_state *state);

/* Starts systemctl of the system, or of the user, with these words behind its own options, which are NULL-terminated: the signals that
 * the caller has blocked are not, TERM and INT are ignored. out: its standard output; -1: ours. The process, or a negative error. */
pid_t unit_systemctl(bool is_user, const char *const *words, int out);
/* Asks for the state of a unit. 0; -EHOSTDOWN where systemd does not answer; another negative error. */
int unit_show(const char *unit, bool is_user, struct unit_state *ret);
/* What is against its start, as far as can be seen before: as job_unit_error_to_string() takes it; 0: nothing. */
int unit_look(const char *unit, bool is_user);
