// SPDX-License-Identifier: MIT
// describe: chimed-host --describe: what a plugin says of itself.
#pragma once

/* Prints the lines of plugin_description_print() to standard output, or why the file is no plugin, one line, to standard error. It
 * executes what code the file runs when it is loaded, but none of its functions. The exit status. */
int describe_main(const char *path);
