/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The page of a fixture, to be looked at or taken to a browser (tests/hub/test-report.py):
 *
 *	report-page tests/vectors/diag/trouble.json >page.html
 *
 * A fixture is {"now": seconds, "diagnosis": ..., "locks": {SLUG: {"facts": ..., "history": ...}}}.
 */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "report.h"

int main(int argc, char **argv) {
	json_error_t error;
	setenv("TZ", "UTC", 1);
	tzset();
	json_t *fixture =
		argc == 2 ? json_load_file(argv[1], JSON_REJECT_DUPLICATES, &error) : NULL;
	if (fixture == NULL) {
		fprintf(stderr, "report-page FIXTURE: %s\n", argc == 2 ? error.text : "which?");
		return 2;
	}
	report_write(stdout, &(struct report){
				     json_object_get(fixture, "diagnosis"),
				     json_object_get(fixture, "locks"),
				     json_integer_value(json_object_get(fixture, "now")),
				     "0.1.0",
			     });
	json_decref(fixture);
	return 0;
}
