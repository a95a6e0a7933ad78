// SPDX-License-Identifier: MIT
// runs: how a run ended, in words and as an exit status.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#define RUNS_WORDS 400 /* bytes */

/* "succeeded after 41min 3s", "failed with exit status 3 after 4s", "is in flight". Returns buf. */
char *runs_words(const json_t *run, char buf[static RUNS_WORDS]);
/* The same in a word or two: "success", "exit 3", "SIGSEGV". Returns buf. */
char *runs_result(const json_t *run, char buf[static RUNS_WORDS]);
/* True for success and finished. */
bool runs_is_good(const json_t *run);
/* True for those of `failed`: failed, timeout, signal, start-failed. */
bool runs_is_failure(const json_t *run);
/* The same of a result by its name. */
bool runs_is_failure_word(const char *result);
/* What `trigger --wait` exits with. NULL: it never began. */
int runs_exit_status(const json_t *run);
