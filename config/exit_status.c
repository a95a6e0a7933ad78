// SPDX-License-Identifier: MIT
// exit_status: sets of bits, since a run carries its classes with it.

#include "config/exit_status.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#define STATUS_MAX 255

/* "0".."999", else -1. */
static int small_number(const char *text) {
        size_t n = strspn(text, "0123456789");

        return n > 0 && n <= 3 && !text[n] ? (int)strtol(text, NULL, 10) : -1;
}

int exit_status_find_signal(const char *name) {
        if (strncasecmp(name, "SIG", 3) == 0)
                name += 3;
        if (strncasecmp(name, "RTMIN", 5) == 0) {
                int offset = name[5] == '+' ? small_number(name + 6) : name[5] ? -1 : 0;
                return offset >= 0 && offset <= SIGRTMAX - SIGRTMIN ? SIGRTMIN + offset : 0;
        }
        for (int i = 1; i < SIGRTMIN; i++) {
                const char *known = sigabbrev_np(i);
                if (known && strcasecmp(known, name) == 0)
                        return i;
        }
        return 0;
}

/* The names of systemd.exec(5), but for those of its own steps: those of the C library, of LSB and of BSD. */
static const struct {
        const char *name;
        int number;
} names[] = {
        {"SUCCESS", EXIT_SUCCESS}, {"FAILURE", EXIT_FAILURE},
        {"INVALIDARGUMENT", 2},    {"NOTIMPLEMENTED", 3},
        {"NOPERMISSION", 4},       {"NOTINSTALLED", 5},
        {"NOTCONFIGURED", 6},      {"NOTRUNNING", 7},
        {"USAGE", EX_USAGE},       {"DATAERR", EX_DATAERR},
        {"NOINPUT", EX_NOINPUT},   {"NOUSER", EX_NOUSER},
        {"NOHOST", EX_NOHOST},     {"UNAVAILABLE", EX_UNAVAILABLE},
        {"SOFTWARE", EX_SOFTWARE}, {"OSERR", EX_OSERR},
        {"OSFILE", EX_OSFILE},     {"CANTCREAT", EX_CANTCREAT},
        {"IOERR", EX_IOERR},       {"TEMPFAIL", EX_TEMPFAIL},
        {"PROTOCOL", EX_PROTOCOL}, {"NOPERM", EX_NOPERM},
        {"CONFIG", EX_CONFIG},
};

bool exit_status_read(const char *text, struct exit_status *ret) {
        struct exit_status status = {.number = small_number(text)};

        for (size_t i = 0; status.number < 0 && i < sizeof(names) / sizeof(names[0]); i++)
                if (strcmp(names[i].name, text) == 0)
                        status.number = names[i].number;
        if (status.number < 0)
                status = (struct exit_status){.is_signal = true, .number = exit_status_find_signal(text)};
        if (status.is_signal ? status.number == 0 : status.number > STATUS_MAX)
                return false;
        *ret = status;
        return true;
}

enum exit_class exit_classes_find(const struct exit_classes *classes, const struct exit_status *status) {
        unsigned n = (unsigned)status->number;

        for (int i = EXIT_CLASS_SUCCESS; i < EXIT_CLASS_MAX; i++)
                if (status->is_signal ? classes->of[i].signals >> (n - 1) & 1 : classes->of[i].statuses[n / 64] >> n % 64 & 1)
                        return (enum exit_class)i;
        return EXIT_CLASS_NONE;
}

void exit_classes_add(struct exit_classes *classes, enum exit_class which, const struct exit_status *status) {
        unsigned n = (unsigned)status->number;

        if (status->is_signal)
                classes->of[which].signals |= UINT64_C(1) << (n - 1);
        else
                classes->of[which].statuses[n / 64] |= UINT64_C(1) << n % 64;
}

void exit_classes_pack(const struct exit_classes *classes, struct pack *p) {
        for (int i = EXIT_CLASS_SUCCESS; i < EXIT_CLASS_MAX; i++) {
                for (int k = 0; k < 4; k++)
                        pack_u64(p, classes->of[i].statuses[k]);
                pack_u64(p, classes->of[i].signals);
        }
}

/* Reads a word of a class; the bits of the ones before it are in *seen. */
static uint64_t unpack_bits(struct unpack *u, uint64_t *seen) {
        uint64_t bits = unpack_u64(u);

        u->bad = u->bad || (bits & *seen);
        *seen |= bits;
        return bits;
}

void exit_classes_unpack(struct unpack *u, struct exit_classes *ret) {
        uint64_t seen[5] = {};

        *ret = (struct exit_classes){};
        for (int i = EXIT_CLASS_SUCCESS; i < EXIT_CLASS_MAX; i++) {
                for (int k = 0; k < 4; k++)
                        ret->of[i].statuses[k] = unpack_bits(u, &seen[k]);
                ret->of[i].signals = unpack_bits(u, &seen[4]);
        }
}
