/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The page of `lockhubctl report`, made of what lockhubd answered (docs/diagnosis.md). One file, no
 * script, nothing fetched. Pure; any thread; no secret reaches it.
 *
 *	report-page.c   the page, its style, one section for each target
 *	report-find.c   findings, remedies and what was tried
 *	report-chart.c  what is drawn of the history;  svg.c how;  html.c the markup
 */

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

struct report {
	const json_t *diagnosis; /* of Manager.Diagnose */
	/*
	 * By slug: {"facts": as in lockhubctl(1), "history": of Lock.History}; either may be
	 * missing, then the page says so.
	 */
	const json_t *locks;
	int64_t now;         /* seconds since 1970 */
	const char *version; /* of lockhubctl */
};

void report_write(FILE *out, const struct report *report);

/* ---- for the files above alone ---- */

struct chart {
	FILE *out;
	const char *id;        /* prefix of the ids, unique for each lock */
	const json_t *history; /* never NULL */
	int64_t now;
};
void chart_battery(const struct chart *chart);
void chart_signal(const struct chart *chart);
void chart_operations(const struct chart *chart);
void chart_links(const struct chart *chart);
void chart_jams(const struct chart *chart);
void chart_motor(const struct chart *chart);

void report_findings(FILE *out, const json_t *target);
void report_checks(FILE *out, const json_t *target);
/* @history may be NULL */
void report_attempts(FILE *out, const json_t *history);
/* "change-batteries": "Change batteries"; for names without a title at hand. Returns out. */
#define REPORT_WORD_MAX 64
char *report_word(const char *name, char out[static REPORT_WORD_MAX]);
/* A proof as a sentence: "level told by the lock: 6 % (2026-11-22 14:49:58, answered)". */
#define REPORT_PROOF_MAX 320
char *report_proof(const json_t *proof, char out[static REPORT_PROOF_MAX]);
