// SPDX-License-Identifier: MIT
// csv_file: a file of lines under a header, which is renamed to FILE.1, FILE.2 and so on when it has its size.
// It is opened for each line: whoever renames or removes it meanwhile (logrotate, an admin) is right.

#include "daemon/plugins/csv_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

const char *csv_step_to_string(enum csv_step step) {
        switch (step) {
        case CSV_OPEN:
                return "could not be opened";
        case CSV_LOOK:
                return "could not be read";
        case CSV_FOREIGN:
                return "is not a file that this job could have written, and stays as it is";
        case CSV_ROTATE:
                return "could not be renamed";
        case CSV_WRITE:
                return "could not be written";
        }
        return "?";
}

static int open_file(const char *path, int *ret_fd, int64_t *ret_size) {
        struct stat st;
        int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0644);

        if (fd < 0)
                return -errno;
        int r = fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;
        if (r < 0) {
                close(fd);
                return r;
        }
        *ret_fd = fd;
        *ret_size = st.st_size;
        return 0;
}

/* Cuts off the line that has no end. -EBADMSG: it is longer than any of ours. */
static int cut_torn_line(int fd, int64_t *size) {
        char tail[CSV_LINE_MAX];
        int64_t from = *size > (int64_t)sizeof(tail) ? *size - (int64_t)sizeof(tail) : 0;
        ssize_t n = pread(fd, tail, sizeof(tail), from);

        if (n <= 0)
                return n < 0 ? -errno : -EBADMSG;
        const char *end = memrchr(tail, '\n', (size_t)n);
        if (!end)
                return -EBADMSG;
        if (end == tail + n - 1)
                return 0;
        if (ftruncate(fd, from + (end + 1 - tail)) < 0)
                return -errno;
        *size = from + (end + 1 - tail);
        return 0;
}

/* Makes a file ready for a line. Positive: its columns are others. *step is set where it fails. */
static int prepare(const struct csv_file *file, int fd, int64_t *size, enum csv_step *step) {
        size_t length = strlen(file->header);
        char head[CSV_LINE_MAX];

        *step = CSV_LOOK;
        if (*size == 0)
                return 0;
        ssize_t n = pread(fd, head, length + 1, 0);
        if (n < 0)
                return -errno;
        if (n == (ssize_t)length + 1 && memcmp(head, file->header, length) == 0 && head[length] == '\n') {
                int r = cut_torn_line(fd, size);
                if (r != -EBADMSG)
                        return r;
        } else if (n == *size && n <= (ssize_t)length && memcmp(head, file->header, (size_t)n) == 0) { /* a torn header */
                *size = 0;
                return ftruncate(fd, 0) < 0 ? -errno : 0;
        }
        if (n > (ssize_t)strlen(CSV_FIRST) && memcmp(head, CSV_FIRST ",", strlen(CSV_FIRST ",")) == 0)
                return 1;
        *step = CSV_FOREIGN;
        return -EEXIST;
}

static int rename_old(const char *path, int from, int to) {
        char old[PATH_MAX + 16], new[PATH_MAX + 16];

        snprintf(old, sizeof(old), from ? "%s.%d" : "%s", path, from);
        snprintf(new, sizeof(new), "%s.%d", path, to);
        return rename(old, new) < 0 && errno != ENOENT ? -errno : 0;
}

static int rotate(const struct csv_file *file) {
        if (file->keep == 0)
                return unlink(file->path) < 0 && errno != ENOENT ? -errno : 0;
        for (int i = file->keep; i > 0; i--) {
                int r = rename_old(file->path, i - 1, i);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* One write; what it did only in part is taken back. */
static int write_line(const struct csv_file *file, int fd, int64_t size, const char *line) {
        struct iovec parts[] = {
                {(char *)file->header, size ? 0 : strlen(file->header)},
                {(char *)"\n", size ? 0 : 1},
                {(char *)line, strlen(line)},
                {(char *)"\n", 1},
        };
        size_t wanted = 0;
        for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
                wanted += parts[i].iov_len;
        ssize_t n = writev(fd, parts, sizeof(parts) / sizeof(*parts));
        if (n == (ssize_t)wanted)
                return 0;
        int r = n < 0 ? -errno : -ENOSPC;
        if (n > 0 && ftruncate(fd, size) < 0)
                r = -errno;
        return r;
}

/* Opens the file for a line of so many bytes. Positive: it is full, or of other columns. */
static int begin(const struct csv_file *file, size_t line_size, int *ret_fd, int64_t *ret_size, enum csv_step *step) {
        int64_t size;

        *step = CSV_OPEN;
        int fd = -1, r = open_file(file->path, &fd, &size);
        if (r < 0)
                return r;
        r = prepare(file, fd, &size, step);
        if (r == 0 && size > 0 && size + (int64_t)line_size > file->size_max)
                r = 1;
        if (r != 0) {
                close(fd);
                return r;
        }
        *ret_fd = fd;
        *ret_size = size;
        return 0;
}

int csv_append(const struct csv_file *file, const char *line, enum csv_step *ret_step) {
        size_t line_size = strlen(line) + 1;
        int64_t size;
        int fd, r = begin(file, line_size, &fd, &size, ret_step);

        if (r == 1) {
                *ret_step = CSV_ROTATE;
                r = rotate(file);
                if (r == 0)
                        r = begin(file, line_size, &fd, &size, ret_step);
        }
        if (r != 0)
                return r == 1 ? -EBUSY : r; /* somebody else has filled it meanwhile */
        *ret_step = CSV_WRITE;
        r = write_line(file, fd, size, line);
        close(fd);
        return r;
}
