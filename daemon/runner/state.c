// SPDX-License-Identifier: MIT
// state: the folder of the ledger, which is the scheduler's own and the runner's to make.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/util.h"
#include "daemon/runner/runner_internal.h"

/* The folders above, which a new user may not have yet; what can't be made is missed by who needs it. */
static void make_parents(const char *path) {
        char parent[PATH_MAX];

        for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
                mkdir(parent, 0700);
        }
}

/* But for what a new file system has of itself. */
static bool is_empty(int folder_fd) {
        int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *stream = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;
        bool is_any = !stream;

        while (!is_any && (entry = readdir(stream)))
                is_any = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
                         strcmp(entry->d_name, "lost+found") != 0;
        if (stream)
                closedir(stream);
        else
                util_close(fd);
        return !is_any;
}

/* One that was there before and can't be given may do as it is. */
static int give(const struct upkeep_settings *settings, bool is_made) {
        _cleanup_close_ int fd = open(settings->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (is_made ? O_NOFOLLOW : 0));
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return is_made ? -errno : 0;
        if (!is_made && (st.st_uid != 0 || !is_empty(fd)))
                return 0;
        bool is_given = fchown(fd, settings->uid, settings->gid) == 0 && fchmod(fd, 0700) == 0;
        return is_given || !is_made ? 0 : -errno;
}

int state_prepare(const struct upkeep_settings *settings, bool is_user) {
        if (!settings->state)
                return 0;
        if (is_user)
                make_parents(settings->state);
        bool is_made = mkdir(settings->state, 0700) == 0;
        int r = is_made || errno == EEXIST ? 0 : -errno;
        if (r == 0 && settings->has_identity)
                r = give(settings, is_made);
        if (r < 0)
                fprintf(stderr, "chimed-runner: %s: %s; give --state=DIR, or --state= for no ledger\n", settings->state,
                        strerror(-r));
        return r;
}
