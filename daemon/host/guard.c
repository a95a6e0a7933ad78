// SPDX-License-Identifier: MIT
// guard: a plugin can change its process in more ways than can be put right; these are the ones that happen by oversight, and those
// after which the host would go on without hearing anything.

#include "daemon/host/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/tick.h"
#include "daemon/core/util.h"

_Static_assert(ORDERS_FD == TICK_FD + 1 && PAGE_FD == TICK_FD + GUARD_FDS - 1, "the descriptors follow each other");

/* Without them an end of a child is not heard, or a reader's end is ours. */
static const struct {
        int signal;
        void (*handler)(int);
        const char *what;
} dispositions[] = {{SIGCHLD, SIG_DFL, "what SIGCHLD does"}, {SIGPIPE, SIG_IGN, "what SIGPIPE does"}};

/* What was changed last; NULL: nothing. */
static const char *put_signals_back(void) {
        const char *what = NULL;
        struct sigaction found;

        for (size_t i = 0; i < ARRAY_SIZE(dispositions); i++) {
                if (sigaction(dispositions[i].signal, NULL, &found) < 0 ||
                    (found.sa_handler == dispositions[i].handler && !(found.sa_flags & SA_NOCLDWAIT)))
                        continue;
                (void)signal(dispositions[i].signal, dispositions[i].handler);
                what = dispositions[i].what;
        }
        return what;
}

int guard_init(struct guard *g) {
        struct stat st;

        *g = (struct guard){.cwd_fd = -1, .uid = getuid(), .euid = geteuid(), .gid = getgid(), .egid = getegid()};
        (void)put_signals_back();
        g->umask = umask(022);
        umask(g->umask);
        sigprocmask(SIG_SETMASK, NULL, &g->mask);
        g->cwd_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (g->cwd_fd >= 0 && fstat(g->cwd_fd, &st) == 0) {
                g->cwd.dev = st.st_dev;
                g->cwd.ino = st.st_ino;
        }
        for (int i = 0; i < GUARD_FDS; i++) {
                if (fstat(TICK_FD + i, &st) < 0)
                        return -errno;
                g->fds[i].dev = st.st_dev;
                g->fds[i].ino = st.st_ino;
        }
        void *page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED)
                return -errno;
        g->mark = page;
        *g->mark = 1;
        if (madvise(page, 1, MADV_WIPEONFORK) < 0) { /* before Linux 4.14 */
                munmap(page, 1);
                g->mark = NULL;
        }
        return 0;
}

void guard_done(struct guard *g) {
        g->cwd_fd = util_close(g->cwd_fd);
        if (g->mark)
                munmap((void *)g->mark, 1);
        g->mark = NULL;
}

static bool is_place_kept(const struct guard *g) {
        struct stat st;

        return g->cwd_fd < 0 || (stat(".", &st) == 0 && st.st_dev == g->cwd.dev && st.st_ino == g->cwd.ino);
}

/* What can't be put right; NULL where all is well. */
static const char *find_loss(const struct guard *g) {
        struct stat st;

        for (int i = 0; i < GUARD_FDS; i++)
                if (fstat(TICK_FD + i, &st) < 0 || st.st_dev != g->fds[i].dev || st.st_ino != g->fds[i].ino)
                        return "descriptors of the host";
        if (getuid() != g->uid || geteuid() != g->euid || getgid() != g->gid || getegid() != g->egid)
                return "the user or group";
        return NULL;
}

enum guard_found guard_check(struct guard *g, const char **ret_what) {
        const char *what = find_loss(g), *changed;
        sigset_t mask = {}; /* the kernel fills a part of it */

        if (what) {
                *ret_what = what;
                return GUARD_LOST;
        }
        if (umask(g->umask) != g->umask)
                what = "the umask";
        if (!is_place_kept(g)) {
                what = "the working directory";
                (void)!fchdir(g->cwd_fd);
        }
        if (sigprocmask(SIG_SETMASK, &g->mask, &mask) == 0 && memcmp(&mask, &g->mask, sizeof(mask)) != 0)
                what = "the signal mask";
        if ((changed = put_signals_back()))
                what = changed;
        const char *locale = setlocale(LC_ALL, NULL);
        if (!locale || strcmp(locale, "C") != 0) {
                what = "the locale";
                setlocale(LC_ALL, "C");
        }
        if (uselocale((locale_t)0) != LC_GLOBAL_LOCALE) {
                what = "the locale";
                uselocale(LC_GLOBAL_LOCALE);
        }
        if (!what)
                return GUARD_CLEAN;
        *ret_what = what;
        return GUARD_PUT_BACK;
}
