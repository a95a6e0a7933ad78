// SPDX-License-Identifier: MIT
// helper: where the programs are that another one starts: beside it in a build tree, else where they are installed.
#pragma once

#include <limits.h>

/* The path of this very program. 0 or a negative error. */
int helper_own_path(char buf[static PATH_MAX]);
/* The program of this name beside the one at own, else the installed one. Returns buf. */
const char *helper_path(const char *own, const char *name, char buf[static PATH_MAX]);
