// SPDX-License-Identifier: MIT
// refuse: a kernel that refuses a system call, for the rest of a test's process.
#pragma once

#include <check.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/core/util.h"

/* From now on every thread's call of this number fails, where its argument has this value (argument < 0: always). */
static inline void refuse(long number, int argument, uint32_t value, int error) {
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                         (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (size_t)(argument < 0 ? 0 : argument))),
                BPF_JUMP(BPF_JMP | BPF_K | (argument < 0 ? BPF_JGE : BPF_JEQ), argument < 0 ? 0 : value, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {.len = ARRAY_SIZE(filter), .filter = filter};

        ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        ck_assert_int_eq(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program), 0);
}
