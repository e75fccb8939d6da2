/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Pages of the tree that a program of the build makes out of tables, and compares with what is
 * there (lockhub-pages, lockhub-brands). Nothing of it runs in the daemon. Blocks.
 */

#include <stdio.h>

/* What @print writes, as a text that is the caller's to free. NULL: no memory. */
char *made_text(void (*print)(FILE *out, const void *what), const void *what);
/* What the file holds, the caller's to free. NULL: it is missing, empty or cannot be read. */
char *made_before(const char *path);
/* Leaves a file alone that holds @text already. 0, or -errno. */
int made_write(const char *path, const char *text);
