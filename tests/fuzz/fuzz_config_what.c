// SPDX-License-Identifier: MIT
// Fuzzes the binary form of the what half, which root decodes: what is read is what its own form says, and can be shown and hashed.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct pack p = {}, again = {};
        struct job_what what, back;
        struct hash128 hash;
        char *words = NULL;

        if (job_what_decode(data, size, &what) < 0)
                return 0;
        job_what_encode(&what, &p);
        if (pack_result(&p) < 0 || job_what_decode(p.data, p.size, &back) < 0)
                abort();
        job_what_encode(&back, &again);
        if (p.size != again.size || memcmp(p.data, again.data, p.size) != 0)
                abort();
        if (job_host_difference(&what, &back) || job_host_hash(&what, (struct hash128){}, &hash) < 0 ||
            job_work_print(&what, 100, &words) < 0 || strlen(words) > 100)
                abort();
        free(words);
        job_what_done(&back);
        job_what_done(&what);
        pack_done(&p);
        pack_done(&again);
        return 0;
}
