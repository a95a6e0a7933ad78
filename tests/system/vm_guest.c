// SPDX-License-Identifier: MIT
// vm_guest VERB [ARGUMENT]: what the tests in a virtual machine need inside of it: its clocks, and a line to the world outside that
// a power cut can't take back. It sets clocks, so it refuses to run anywhere else.
//
//   now            prints REALTIME BOOTTIME MONOTONIC in microseconds
//   set USEC       sets the wall clock by so much; prints REALTIME and BOOTTIME just before
//   sync           tells the kernel that the wall clock is synchronised
//   ran            as a job: "ran JOB SLOT RUN CAUSE BOOTTIME"
//   stamp          of each line of standard input: "rec REALTIME BOOTTIME LINE"
//   watch          whenever the machine has slept: "woke REALTIME BOOTTIME USEC"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define LINE_OUT  "/dev/ttyS1" /* a file outside */
#define WATCH_US  2000
#define SLEPT_US  50000 /* less is the distance of two readings */
#define LINE_SIZE 8192

static int64_t read_us(clockid_t id) {
        struct timespec ts = {};
        (void)clock_gettime(id, &ts);
        return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static bool is_in_test_machine(void) {
        char text[1024] = "";
        FILE *f = fopen("/proc/cmdline", "re");
        bool is_there = f && fgets(text, sizeof(text), f) && strstr(text, "chimed.vm=yes");
        if (f)
                fclose(f);
        return is_there;
}

/* One line in one write, so that those of several processes don't mix. */
__attribute__((format(printf, 1, 2))) static int say(const char *format, ...) {
        static int fd = -1;
        char line[LINE_SIZE];
        va_list ap;
        if (fd < 0)
                fd = open(LINE_OUT, O_WRONLY | O_NOCTTY | O_CLOEXEC);
        va_start(ap, format);
        int n = vsnprintf(line, sizeof(line), format, ap);
        va_end(ap);
        if (n >= (int)sizeof(line)) {
                n = sizeof(line);
                line[n - 1] = '\n';
        }
        return fd >= 0 && write(fd, line, (size_t)n) == n ? 0 : 1;
}

static int print_now(void) {
        printf("%" PRId64 " %" PRId64 " %" PRId64 "\n", read_us(CLOCK_REALTIME), read_us(CLOCK_BOOTTIME),
               read_us(CLOCK_MONOTONIC));
        return 0;
}

static int set_clock(const char *by) {
        int64_t rt_us = read_us(CLOCK_REALTIME), bt_us = read_us(CLOCK_BOOTTIME), to_us = rt_us + strtoll(by, NULL, 10);
        struct timespec ts = {.tv_sec = to_us / 1000000, .tv_nsec = to_us % 1000000 * 1000};
        if (clock_settime(CLOCK_REALTIME, &ts) < 0) {
                fprintf(stderr, "vm_guest: clock_settime: %s\n", strerror(errno));
                return 1;
        }
        printf("%" PRId64 " %" PRId64 "\n", rt_us, bt_us);
        return 0;
}

static int tell_synchronised(void) {
        struct timex t = {.modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR, .status = STA_PLL};
        return adjtimex(&t) < 0;
}

static int tell_run(void) {
        const char *job = getenv("CHIMED_JOB"), *slot = getenv("CHIMED_SLOT_USEC"), *run = getenv("CHIMED_RUN_ID"),
                   *cause = getenv("CHIMED_CAUSE");
        return say("ran %s %s %s %s %" PRId64 "\n", job ? job : "-", slot ? slot : "-", run ? run : "-", cause ? cause : "-",
                   read_us(CLOCK_BOOTTIME));
}

static int stamp(void) {
        char line[LINE_SIZE - 64];
        while (fgets(line, sizeof(line), stdin))
                (void)say("rec %" PRId64 " %" PRId64 " %s", read_us(CLOCK_REALTIME), read_us(CLOCK_BOOTTIME), line);
        return 0;
}

static int watch(void) {
        int64_t before_us = read_us(CLOCK_BOOTTIME) - read_us(CLOCK_MONOTONIC);
        while (usleep(WATCH_US) == 0) {
                int64_t awake_us = read_us(CLOCK_MONOTONIC), bt_us = read_us(CLOCK_BOOTTIME),
                        slept_us = bt_us - awake_us - before_us;
                if (slept_us < SLEPT_US)
                        continue;
                before_us += slept_us;
                (void)say("woke %" PRId64 " %" PRId64 " %" PRId64 "\n", read_us(CLOCK_REALTIME), bt_us, slept_us);
        }
        return 1;
}

int main(int argc, char **argv) {
        const char *verb = argc > 1 ? argv[1] : "";
        if (!is_in_test_machine()) {
                fputs("vm_guest: only for the virtual machine of the tests\n", stderr);
                return 2;
        }
        if (strcmp(verb, "now") == 0)
                return print_now();
        if (strcmp(verb, "set") == 0 && argc == 3)
                return set_clock(argv[2]);
        if (strcmp(verb, "sync") == 0)
                return tell_synchronised();
        if (strcmp(verb, "ran") == 0)
                return tell_run();
        if (strcmp(verb, "stamp") == 0)
                return stamp();
        if (strcmp(verb, "watch") == 0)
                return watch();
        fputs("vm_guest: no such verb\n", stderr);
        return 2;
}
