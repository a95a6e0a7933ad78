// SPDX-License-Identifier: MIT
// config_files: which files there are, and their text, read so that nothing strange can hurt; for config_*.c only.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/diag.h"

struct config_file {
        char *name; /* within its folder */
        char *path;
        size_t rank;     /* of its folder: the lower one masks */
        bool is_refused; /* its folder is: the name masks as ever, the content can't be trusted */
        bool is_used;    /* for the caller */
};

struct config_files {
        struct config_file *list;
        size_t n, allocated;
};

void config_files_done(struct config_files *files);
/* Sorts by name and keeps of each name the one of the first folder; with is_keeping_all only sorts, by name and folder. */
void config_files_sort(struct config_files *files, bool is_keeping_all);

/* Adds what is in a folder: names that end in suffix to files, and folders NAME.ini.d to drop_ins (if not NULL).
 * Returns 0, also where there is no such folder; 1 if the folder is refused because others can write to it (told; what is in it
 * is added as refused); a negative error where it can't be listed (told) or memory is short. */
int config_files_scan(const char *folder, size_t rank, const char *suffix, struct config_files *files,
                      struct config_files *drop_ins, struct diags *diags);

enum config_file_result {
        CONFIG_FILE_READ,
        CONFIG_FILE_MASKED, /* a link to /dev/null */
        CONFIG_FILE_ABSENT,
        CONFIG_FILE_REFUSED, /* told */
};

/* Reads a whole regular file that only root or the caller can write. The text is given to the caller.
 * Returns one of the results, or a negative error where nothing can be read at present (told but for -ENOMEM). */
int config_file_read(const char *path, struct diags *diags, char **ret_text, size_t *ret_size);
