// SPDX-License-Identifier: MIT
// api: the functions that plugins call; daemon/plugin.h has them.
#pragma once

/* Makes the linker take them into a program. */
void api_link(void);
