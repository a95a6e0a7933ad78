// SPDX-License-Identifier: MIT
// folder: the run folder: one instance at a time, whether it is the first one of this boot, and the control socket.
// The socket is made by us and not by the scheduler: so it lies in a folder that root owns, and clients wait in its backlog while
// a scheduler is replaced.

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/core/util.h"
#include "daemon/runner/runner_internal.h"

#define SOCKET_NAME    "io.chimed"
#define SOCKET_BACKLOG 128

/* Opens the folder; others must not be able to put anything into it. */
static int open_folder(const char *path) {
        struct stat st;

        if (mkdir(path, 0755) < 0 && errno != EEXIST) {
                int r = -errno;
                fprintf(stderr, "chimed-runner: %s: %s; give --run=DIR, a folder that can be made or is yours\n", path,
                        strerror(-r));
                return r;
        }
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || fstat(fd, &st) < 0) {
                fprintf(stderr, "chimed-runner: %s: %s\n", path, strerror(errno));
                util_close(fd);
                return -errno;
        }
        if (!util_is_protected(&st)) {
                char why[48] = "others can write there";
                if (st.st_uid != 0 && st.st_uid != geteuid())
                        snprintf(why, sizeof(why), "it belongs to user %u", (unsigned)st.st_uid);
                fprintf(stderr, "chimed-runner: %s: refused, because %s; give a folder of your own\n", path, why);
                util_close(fd);
                return -EPERM;
        }
        return fd;
}

static int write_small(int fd, const char *text) {
        size_t size = strlen(text);

        if (ftruncate(fd, 0) < 0)
                return -errno;
        ssize_t n = pwrite(fd, text, size, 0);
        return n == (ssize_t)size ? 0 : n < 0 ? -errno : -EIO;
}

/* Of the process, not of the descriptor, which a child has until it comes to its program. */
static int lock_whole(int fd) {
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

        return fcntl(fd, F_SETLK, &whole) < 0 ? -errno : 0;
}

static int lock(int folder_fd, const char *path) {
        /* who can open it can lock it, so nobody else can */
        int fd = openat(folder_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        char text[32] = "";

        if (fd < 0 || fchmod(fd, 0600) < 0) {
                fprintf(stderr, "chimed-runner: %s/lock: %s\n", path, strerror(errno));
                util_close(fd);
                return -EACCES;
        }
        if (lock_whole(fd) < 0) {
                ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
                text[n > 0 ? strcspn(text, "\n") : 0] = '\0';
                fprintf(stderr, "chimed: another instance uses %s (pid %s)\n", path, text[0] ? text : "unknown");
                util_close(fd);
                return -EBUSY;
        }
        snprintf(text, sizeof(text), "%d\n", (int)getpid());
        int r = write_small(fd, text);
        if (r < 0) {
                fprintf(stderr, "chimed-runner: %s/lock: %s\n", path, strerror(-r));
                util_close(fd);
                return r;
        }
        return fd;
}

void folder_read(int folder_fd, const char *name, char *text, size_t size) {
        _cleanup_close_ int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        ssize_t n = fd >= 0 ? read(fd, text, size - 1) : 0;

        text[n > 0 ? n : 0] = '\0';
}

int folder_write(int folder_fd, const char *name, const char *text) {
        char new_name[NAME_MAX];

        snprintf(new_name, sizeof(new_name), "%s.new", name);
        _cleanup_close_ int fd = openat(folder_fd, new_name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        int r = fd < 0 || fchmod(fd, 0600) < 0 ? -errno : write_small(fd, text);
        return r == 0 && renameat(folder_fd, new_name, folder_fd, name) < 0 ? -errno : r;
}

/* 1 where the stamp is of another boot or missing, and then it is of this one. */
static int stamp(int folder_fd, const char *boot_id) {
        char text[64];

        folder_read(folder_fd, "boot", text, sizeof(text));
        text[strcspn(text, "\n")] = '\0';
        if (strcmp(text, boot_id) == 0)
                return 0;
        snprintf(text, sizeof(text), "%s\n", boot_id);
        int r = folder_write(folder_fd, "boot", text);
        return r < 0 ? r : 1;
}

/* Binds through the folder's descriptor, whatever the length of its path; neither unlink nor bind follows a link of that name. */
static int bind_socket(int folder_fd, int fd) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        if (unlinkat(folder_fd, SOCKET_NAME, 0) < 0 && errno != ENOENT)
                return -errno;
        snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" SOCKET_NAME, folder_fd);
        mode_t mask = umask(0111); /* everybody may connect; what a client may do is looked up for each call */
        int r = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
        umask(mask);
        return r;
}

static int make_socket(int folder_fd, const char *path) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int r = fd < 0 ? -errno : bind_socket(folder_fd, fd);

        if (r == 0 && listen(fd, SOCKET_BACKLOG) < 0)
                r = -errno;
        if (r == 0)
                return fd;
        fprintf(stderr, "chimed-runner: %s/" SOCKET_NAME ": the control socket cannot be made: %s\n", path, strerror(-r));
        util_close(fd);
        return r;
}

int folder_enter(const char *path, const char *boot_id, int listen_fd, struct run_folder *ret) {
        struct run_folder folder = {.fd = open_folder(path), .lock_fd = -1, .listen_fd = listen_fd, .is_given = listen_fd >= 0};
        int r = folder.fd;

        if (r >= 0)
                r = folder.lock_fd = lock(folder.fd, path);
        if (r >= 0) {
                r = stamp(folder.fd, boot_id);
                folder.is_first_of_boot = r > 0;
                if (r < 0)
                        fprintf(stderr, "chimed-runner: %s/boot: %s\n", path, strerror(-r));
        }
        if (r >= 0 && !folder.is_given)
                r = folder.listen_fd = make_socket(folder.fd, path);
        if (r < 0) {
                folder_leave(&folder);
                return r;
        }
        *ret = folder;
        return 0;
}

int folder_keep(const struct run_folder *folder, bool is_kept) {
        const int fds[] = {folder->fd, folder->lock_fd, folder->listen_fd};

        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                if (fcntl(fds[i], F_SETFD, is_kept ? 0 : FD_CLOEXEC) < 0)
                        return -errno;
        return 0;
}

int folder_lock_again(struct run_folder *folder) {
        int r = lock_whole(folder->lock_fd);

        folder->is_lost = r < 0;
        return r;
}

void folder_begin_re_execution(const struct run_folder *folder) {
        unlinkat(folder->fd, FOLDER_REFUSAL, 0);
}

void folder_end_re_execution(const struct run_folder *folder, const char *refusal) {
        if (refusal)
                folder_write(folder->fd, FOLDER_REFUSAL, refusal);
        (void)futimens(folder->lock_fd, NULL);
}

void folder_leave(struct run_folder *folder) {
        if (folder->listen_fd >= 0 && !folder->is_given && !folder->is_lost && unlinkat(folder->fd, SOCKET_NAME, 0) < 0 &&
            errno != ENOENT)
                fprintf(stderr, "chimed-runner: " SOCKET_NAME ": %s\n", strerror(errno));
        folder->listen_fd = util_close(folder->listen_fd);
        if (folder->lock_fd >= 0 && !folder->is_lost && ftruncate(folder->lock_fd, 0) < 0)
                fprintf(stderr, "chimed-runner: lock: %s\n", strerror(errno));
        folder->lock_fd = util_close(folder->lock_fd);
        folder->fd = util_close(folder->fd);
}
