// SPDX-License-Identifier: MIT
// file: a file that only says "now", or a few lines that are replaced whole.
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Sets the file's times to now; makes it where it is not there. The final link is not followed. Negative errno. */
int file_touch(const char *path);

/* Writes size bytes to PATH.new and renames that to PATH: a reader sees the old ones or the new ones. Negative errno. */
int file_replace(const char *path, const void *bytes, size_t size);

/* How long ago the file was written, by the wall clock; negative where that is in the future. Negative errno. */
int file_age(const char *path, int64_t now_rt_us, int64_t *ret_us);
