/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The tables of faults and advice as text for people: docs/troubleshooting (one page per fault, and
 * an index by exact error text) and the journal's catalog. Private to the room and to its program
 * lockhub-pages; nothing of it runs in the daemon.
 */

#include <stdio.h>

#include "diag/advice.h"

/* Markdown. @fault: any but FAULT_NONE. */
void page_print_fault(FILE *out, enum fault_code fault);
void page_print_index(FILE *out);
/* One entry for each fault, in the form of journal catalog files. */
void page_print_catalog(FILE *out);
