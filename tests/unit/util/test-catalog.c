/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/catalog.h"

#include "test.h"
#include "util/auto.h"
#include "util/fault.h"

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

static void every_fault_is_in_it_once(void **state) {
	(void) state;
	AUTO(free) char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	assert_non_null(out);
	catalog_print_faults(out);
	fclose(out);

	size_t n_entries = 0;
	for (const char *at = text; (at = strstr(at, "-- ")) != NULL; at += 3) {
		n_entries += at == text || at[-1] == '\n';
	}
	assert_int_equal(n_entries, FAULT_COUNT_ - 1);
	for (int i = FAULT_NONE + 1; i < FAULT_COUNT_; i++) {
		const struct fault_row *row = fault_row((enum fault_code) i);
		char expected[256];
		snprintf(expected, sizeof(expected), "-- %s\nSubject: %s\n", row->message_id,
			row->summary);
		assert_non_null(strstr(text, expected));
	}
	for (const char *line = text; *line != '\0';) {
		size_t n_line = strcspn(line, "\n");
		if (n_line > 79 && strncmp(line, "Subject:", 8) != 0) {
			fail_msg("line too long: %.*s", (int) n_line, line);
		}
		line += n_line + 1;
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_has_the_form_systemd_reads),
		cmocka_unit_test(every_fault_is_in_it_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
