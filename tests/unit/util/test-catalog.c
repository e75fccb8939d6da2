/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/catalog.h"

#include "test.h"
#include "util/auto.h"

static void row_has_the_form_systemd_reads(void **state) {
	(void) state;
	AUTO(free) char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	assert_non_null(out);
	catalog_print_row(out, "59125ab3408fa1a64820584313a4b3c1", "The lock is not heard",
		"First paragraph, which is long enough to be broken into two lines at the right "
		"place.\n\nRun: lockhubctl show LOCK");
	fclose(out);
	assert_string_equal(text,
		"-- 59125ab3408fa1a64820584313a4b3c1\n"
		"Subject: The lock is not heard\n"
		"Defined-By: lockhub\n"
		"Support: man:lockhubctl(1)\n"
		"\n"
		"First paragraph, which is long enough to be broken into two lines at the right\n"
		"place.\n"
		"\n"
		"Run: lockhubctl show @LOCKHUB_LOCK@\n"
		"\n");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_has_the_form_systemd_reads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
