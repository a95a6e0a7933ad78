// SPDX-License-Identifier: MIT
// describe: what a plugin says of itself.

#include "daemon/host/describe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/host/plugin_file.h"

int describe_main(const char *path) {
        struct plugin_files files = {};
        struct plugin_file *file;
        char why[PLUGIN_WHY_MAX], *text = NULL;
        int r = plugin_files_open(&files, path, geteuid(), &file, why);

        if (r == 0)
                r = plugin_description_print(&file->description, &text);
        if (r == 0 && (fputs(text, stdout) < 0 || fflush(stdout) != 0))
                r = -errno;
        free(text);
        plugin_files_done(&files);
        if (r < 0)
                fprintf(stderr, "%s\n", r == -EINVAL ? why : strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
