/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdio.h>

/*
 * The journal's message catalog (systemd: journal catalog files): what `journalctl -x` adds to an
 * entry. Generated at build time from the tables that the entries themselves come from (R8).
 */

/*
 * One entry. @id: 32 hex digits; @subject: one line; @body: paragraphs separated by an empty line,
 * wrapped here. The word LOCK in the body becomes the entry's own LOCKHUB_LOCK field.
 */
void catalog_print_row(FILE *out, const char *id, const char *subject, const char *body);
