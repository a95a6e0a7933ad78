// SPDX-License-Identifier: MIT
// stamp [FILE ID]: the job of the benches. Its first act is to read the clock; then it appends {u64 realtime ns, u32 id, u32 pid} to
// FILE. Without libc on x86-64, so that a launch costs the scheduler's work and not the job's own start.

#include <stdint.h>

struct stamp {
        uint64_t realtime_ns;
        uint32_t id, pid;
};

#if defined(__x86_64__)

#include <asm/unistd.h>

enum { OPEN_APPEND_CREATE = 02001 | 0100, CLOCK_WALL = 0 };

static long call(long number, long a, long b, long c) {
        long r;
        __asm__ volatile("syscall" : "=a"(r) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
        return r;
}

static uint32_t number_of(const char *s) {
        uint32_t n = 0;
        while (*s >= '0' && *s <= '9')
                n = n * 10 + (uint32_t)(*s++ - '0');
        return n;
}

/* stack: argc, argv..., as the kernel left it. */
__attribute__((used, noreturn)) static void begin(const long *stack) {
        struct {
                long s, ns;
        } now = {0, 0};
        call(__NR_clock_gettime, CLOCK_WALL, (long)&now, 0);
        if (stack[0] >= 3) {
                struct stamp stamp = {
                        .realtime_ns = (uint64_t)now.s * 1000000000 + (uint64_t)now.ns,
                        .id = number_of((const char *)stack[3]),
                        .pid = (uint32_t)call(__NR_getpid, 0, 0, 0),
                };
                long fd = call(__NR_open, stack[2], OPEN_APPEND_CREATE, 0644);
                if (fd >= 0)
                        call(__NR_write, fd, (long)&stamp, sizeof(stamp));
        }
        for (;;)
                call(__NR_exit_group, 0, 0, 0);
}

__asm__(".globl _start\n"
        "_start:\n"
        "        mov %rsp, %rdi\n"
        "        and $-16, %rsp\n"
        "        call begin\n");

#else

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        if (argc < 3)
                return 0;
        struct stamp stamp = {
                .realtime_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec,
                .id = (uint32_t)strtoul(argv[2], NULL, 10),
                .pid = (uint32_t)getpid(),
        };
        int fd = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
        return fd < 0 || write(fd, &stamp, sizeof(stamp)) != sizeof(stamp);
}

#endif
