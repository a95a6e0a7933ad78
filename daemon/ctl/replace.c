// SPDX-License-Identifier: MIT
// replace: written under another name beside it, then renamed.

#include "daemon/ctl/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/util.h"

/* As if it had been made by open(). */
static int set_mode(int fd) {
        mode_t mask = umask(0);

        umask(mask);
        return fchmod(fd, 0666 & ~mask) < 0 ? -errno : 0;
}

int replace_begin(struct replace *r, const char *path) {
        struct stat st;
        int result = 0;

        if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
                return -EEXIST;
        *r = (struct replace){.path = path};
        if (asprintf(&r->temporary, "%s.XXXXXX", path) < 0)
                return -ENOMEM;
        int fd = mkostemp(r->temporary, O_CLOEXEC);
        if (fd < 0)
                result = -errno;
        else if ((result = set_mode(fd)) == 0 && !(r->out = fdopen(fd, "w")))
                result = -ENOMEM;
        if (result == 0)
                return 0;
        if (fd >= 0) {
                unlink(r->temporary);
                util_close(fd);
        }
        free(r->temporary);
        return result;
}

int replace_end(struct replace *r, bool is_good) {
        bool has_failed = ferror(r->out);
        int result = fclose(r->out) != 0 || has_failed ? -(errno ? errno : EIO) : 0;

        if (is_good && result == 0 && rename(r->temporary, r->path) < 0)
                result = -errno;
        if (!is_good || result < 0)
                unlink(r->temporary);
        free(r->temporary);
        return result;
}
