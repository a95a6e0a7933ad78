// SPDX-License-Identifier: MIT
// notify: what is to be told is a set of flags, so that a manager that does not read costs nothing but one try in a while.

#include "daemon/core/notify.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/duration.h"
#include "daemon/core/clock.h"
#include "daemon/core/util.h"

#define STATUS_US (10 * USEC_PER_SEC)
#define AGAIN_US  (100 * USEC_PER_MSEC) /* what could not be sent */

struct notify {
        struct loop_source *timer;
        notify_status_fn print_status;
        void *userdata;
        int fd;
        int64_t interval_us;
        bool feeds_watchdog;
        bool is_ready_due, is_stopping;
        char status[NOTIFY_STATUS_MAX]; /* that was sent */
};

static int connect_manager(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        size_t size = strlen(path);
        if ((path[0] != '/' && path[0] != '@') || size >= sizeof(address.sun_path))
                return -EINVAL;
        memcpy(address.sun_path, path, size);
        if (path[0] == '@')
                address.sun_path[0] = '\0'; /* an abstract one */
        else
                size++;
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)) == 0)
                return fd;
        int r = -errno;
        util_close(fd);
        return r;
}

/* Microseconds that the manager waits for a sign of life, 0: it does not. */
static int64_t find_watchdog(void) {
        const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
        if (!us || (pid && strtol(pid, NULL, 10) != getpid()))
                return 0;
        long long n = strtoll(us, NULL, 10);
        return n > 0 ? n : 0;
}

static void send_due(struct notify *n) {
        char status[NOTIFY_STATUS_MAX] = "", message[NOTIFY_STATUS_MAX + 128];
        n->print_status(n->userdata, status);
        bool is_new = strcmp(status, n->status) != 0;
        int size = snprintf(message, sizeof(message), "%s%s%s%s%s%s", n->is_ready_due ? "READY=1\n" : "",
                            n->is_stopping ? "STOPPING=1\nEXTEND_TIMEOUT_USEC=60000000\n" : "",
                            n->feeds_watchdog ? "WATCHDOG=1\n" : "", is_new ? "STATUS=" : "", is_new ? status : "",
                            is_new ? "\n" : "");
        int64_t wait_us = n->interval_us;
        if (size > 0 && send(n->fd, message, (size_t)size, MSG_NOSIGNAL) < 0)
                wait_us = AGAIN_US;
        else {
                strcpy(n->status, status);
                n->is_ready_due = false;
        }
        loop_arm_timer(n->timer, clock_now().bt_us + wait_us);
}

static int on_timer(void *userdata, bool is_clock_change) {
        (void)is_clock_change;
        send_due(userdata);
        return 0;
}

int notify_new(struct loop *loop, notify_status_fn print_status, void *userdata, struct notify **ret) {
        const char *path = getenv("NOTIFY_SOCKET");
        *ret = NULL;
        if (!path || !*path)
                return 0;
        struct notify *n = calloc(1, sizeof(*n));
        if (!n)
                return -ENOMEM;
        int64_t watchdog_us = find_watchdog();
        *n = (struct notify){
                .print_status = print_status,
                .userdata = userdata,
                .feeds_watchdog = watchdog_us > 0,
                .interval_us = watchdog_us > 0 && watchdog_us / 2 < STATUS_US ? watchdog_us / 2 : STATUS_US,
        };
        n->fd = connect_manager(path);
        if (n->fd < 0) { /* a variable that was left over, say: no reason not to work */
                notify_free(n);
                return 0;
        }
        int r = loop_add_timer(loop, LOOP_CLOCK_BOOT, on_timer, n, &n->timer);
        if (r == 0)
                r = loop_arm_timer(n->timer, clock_now().bt_us + n->interval_us);
        if (r < 0) {
                notify_free(n);
                return r;
        }
        *ret = n;
        return 0;
}

struct notify *notify_free(struct notify *n) {
        if (!n)
                return NULL;
        loop_source_free(n->timer);
        util_close(n->fd);
        free(n);
        return NULL;
}

void notify_ready(struct notify *n) {
        if (!n)
                return;
        n->is_ready_due = true;
        send_due(n);
}

void notify_stopping(struct notify *n) {
        if (!n)
                return;
        n->is_stopping = true;
        send_due(n);
}
