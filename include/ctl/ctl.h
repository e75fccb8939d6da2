/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * lockhubctl(1): a command line that speaks D-Bus to lockhubd and nothing else. One thread,
 * blocking calls: it is not the daemon. RULE R5: as a program of its own it reads its own clocks.
 */

#include <stdio.h>

enum ctl_exit {
	CTL_DONE = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
	CTL_FINDINGS = 3,  /* doctor: something is wrong */
	CTL_UNCHECKED = 4, /* doctor: what matters most could not be measured */
};

/* Where it reads and writes; tests give memory. */
struct ctl_streams {
	FILE *in, *out, *err;
};

/* Runs one command. @argv as in main(), NULL-terminated. @return enum ctl_exit. */
int ctl_main(int argc, char **argv, const struct ctl_streams *streams);
