/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/ctl.h"

#include <locale.h>
#include <sys/resource.h>

int main(int argc, char **argv) {
	const struct ctl_streams streams = { stdin, stdout, stderr };
	const struct rlimit none = { 0, 0 };
	(void) setrlimit(RLIMIT_CORE, &none); /* it may hold codes and keys (L9) */
	setlocale(LC_ALL, "");                /* widths of characters in tables */
	setlocale(LC_NUMERIC, "C");
	return ctl_main(argc, argv, &streams);
}
