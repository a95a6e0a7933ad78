// SPDX-License-Identifier: MIT
// helper: where the programs are that another one starts.

#include "daemon/core/helper.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int helper_own_path(char buf[static PATH_MAX]) {
        ssize_t n = readlink("/proc/self/exe", buf, PATH_MAX - 1);

        if (n < 0)
                return -errno;
        buf[n] = '\0';
        return 0;
}

const char *helper_path(const char *own, const char *name, char buf[static PATH_MAX]) {
        struct stat st;
        const char *slash = strrchr(own, '/');
        int n = snprintf(buf, PATH_MAX, "%.*s/%s", slash ? (int)(slash - own) : 0, own, name);

        if (n > 0 && n < PATH_MAX && stat(buf, &st) == 0 && S_ISREG(st.st_mode))
                return buf;
        snprintf(buf, PATH_MAX, CHIMED_LIBEXECDIR "/%s", name);
        return buf;
}
