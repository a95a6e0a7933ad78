// SPDX-License-Identifier: MIT
// refusing: an allocator that says no when it is told to. A program that is linked with it has it instead of the C library's.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/* What it is told, and what it tells: one for each kind of program, in a file "refusing" beside the programs, which the test writes while
 * they run. allocations.py knows the layout, too. */
struct refusing {
        _Atomic int64_t at;         /* the allocation that is refused, counted from 1; 0: none */
        _Atomic int64_t is_lasting; /* and all behind it */
        _Atomic int64_t n_asked;    /* since at was set */
        _Atomic int64_t n_refused;
        _Atomic int64_t n_live; /* allocations of the last process of the kind that are not freed */
        int64_t reserved[3];
};

enum refusing_kind {
        REFUSING_RUNNER,
        REFUSING_READER, /* chimed-runner --read */
        REFUSING_SCHEDULER,
        REFUSING_CHIMED, /* before it becomes the runner */
        REFUSING_CHIMECTL,
        REFUSING_SIMULATOR,
        REFUSING_OTHER,
        REFUSING_MAX
};

/* This process's, never NULL; without a file its own. */
struct refusing *refusing_own(void);
