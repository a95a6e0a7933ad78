// SPDX-License-Identifier: MIT
// machine: what tells this machine from others: the key of draws that stay the same on it (FixedRandomDelay=).
#pragma once

#include <stdint.h>

/* A key made of /etc/machine-id, which it does not disclose; zeroes on a machine that has none. */
void machine_key(uint8_t ret[static 16]);
