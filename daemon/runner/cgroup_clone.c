// SPDX-License-Identifier: MIT
// cgroup_clone: a child that begins its life in another cgroup (5.7): to move a process there later makes the kernel wait for all its
// processors. There is no function of the libc for it: the child may not return on the stack that it was cloned on, so the call that
// begins it is made here.

#include "daemon/runner/cgroup.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

/* As the kernel reads it, whatever our headers know of it. */
struct arguments {
        uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

#if defined(__x86_64__) && defined(__LP64__)
/* The kernel keeps all registers but rax, rcx and r11. */
static long call(struct arguments *arguments, int (*fn)(void *), void *argument) {
        register int (*r8)(void *) __asm__("r8") = fn;
        register void *r9 __asm__("r9") = argument;
        long r;

        __asm__ volatile("syscall\n\t"
                         "test %%rax, %%rax\n\t"
                         "jnz 1f\n\t"
                         "xor %%ebp, %%ebp\n\t"
                         "mov %%r9, %%rdi\n\t"
                         "call *%%r8\n\t"
                         "hlt\n"
                         "1:"
                         : "=a"(r)
                         : "0"((long)SYS_clone3), "D"(arguments), "S"(sizeof(*arguments)), "r"(r8), "r"(r9)
                         : "rcx", "r11", "memory", "cc");
        return r;
}
#elif defined(__aarch64__)
static long call(struct arguments *arguments, int (*fn)(void *), void *argument) {
        register long x8 __asm__("x8") = SYS_clone3;
        register long x0 __asm__("x0") = (long)arguments;
        register long x1 __asm__("x1") = sizeof(*arguments);
        register int (*x2)(void *) __asm__("x2") = fn;
        register void *x3 __asm__("x3") = argument;

        __asm__ volatile("svc #0\n\t"
                         "cbnz x0, 1f\n\t"
                         "mov x29, #0\n\t"
                         "mov x0, x3\n\t"
                         "blr x2\n\t"
                         "brk #0\n"
                         "1:"
                         : "+r"(x0)
                         : "r"(x8), "r"(x1), "r"(x2), "r"(x3)
                         : "memory", "cc");
        return x0;
}
#else
static long call(struct arguments *arguments, int (*fn)(void *), void *argument) {
        (void)arguments, (void)fn, (void)argument;
        return -ENOSYS;
}
#endif

pid_t cgroup_clone(int dir_fd, int (*fn)(void *), void *argument, void *stack, size_t stack_size, int *pidfd,
                   pid_t *child_pid) {
        struct arguments arguments = {
                .flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_CHILD_SETTID | CLONE_INTO_CGROUP,
                .pidfd = (uint64_t)(uintptr_t)pidfd,
                .child_tid = (uint64_t)(uintptr_t)child_pid,
                .exit_signal = SIGCHLD,
                .stack = (uint64_t)(uintptr_t)stack,
                .stack_size = stack_size,
                .cgroup = (uint64_t)dir_fd,
        };
        long r = call(&arguments, fn, argument);

        /* a kernel that knows no cgroup there; a filter of a container that does not know the call */
        return r == -E2BIG || r == -EPERM ? -ENOSYS : (pid_t)r;
}
