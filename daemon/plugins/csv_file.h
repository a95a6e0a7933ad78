// SPDX-License-Identifier: MIT
// csv_file: a file of lines under a header, which is renamed to FILE.1, FILE.2 and so on when it has its size.
#pragma once

#include <stdint.h>

#define CSV_LINE_MAX 4096
#define CSV_SIZE_MIN 4096
#define CSV_KEEP_MAX 100

struct csv_file {
        const char *path;
        const char *header; /* its first column is CSV_FIRST: so a file of ours is known by it, whatever the rest */
        int64_t size_max;   /* bytes; CSV_SIZE_MIN at least */
        int keep;           /* old files; 0: the full one is removed */
};
#define CSV_FIRST "time"

enum csv_step { CSV_OPEN, CSV_LOOK, CSV_FOREIGN, CSV_ROTATE, CSV_WRITE };

/*
 * Appends the line (without its end) in one write. The file is made with its header where it is not there, or another set of
 * columns, or full. What a power cut or a full disk left of a line at its end is cut off first. Final links are not followed.
 * 0, or a negative errno; *ret_step is what was tried last. CSV_FOREIGN: the file is nobody's of ours and stays as it is.
 */
int csv_append(const struct csv_file *file, const char *line, enum csv_step *ret_step);

const char *csv_step_to_string(enum csv_step step);
