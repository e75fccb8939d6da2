/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What people read about faults: pages, index and journal catalog, made of the tables. */

#include "page.h"

#include "test.h"
#include "util/auto.h"
#include "util/text.h"

static char *text_of(void (*print)(FILE *out)) {
	/* Static: gcc 12 believes that what open_memstream() put there is the local itself. */
	static char *text;
	static size_t n;
	FILE *out = open_memstream(&text, &n);
	assert_non_null(out);
	print(out);
	fclose(out);
	return text;
}

static char *page_of(enum fault_code fault) {
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	assert_non_null(out);
	page_print_fault(out, fault);
	fclose(out);
	return text;
}

static void every_fault_is_in_the_catalog_once(void **state) {
	(void) state;
	AUTO(free) char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	assert_non_null(out);
	page_print_catalog(out);
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
		if (n_line > 79 && memchr(line, ' ', n_line) != NULL &&
			strncmp(line, "Subject:", 8) != 0) {
			fail_msg("line too long: %.*s", (int) n_line, line);
		}
		line += n_line + 1;
	}
}

static void the_catalog_says_what_it_means_and_what_to_do(void **state) {
	(void) state;
	char *text = text_of(page_print_catalog);
	const char *entry = strstr(text, fault_row(FAULT_MISALIGNED)->message_id);
	assert_non_null(entry);
	const char *end = strstr(entry, "\n-- ");
	assert_non_null(end);
	char *one = strndup(entry, (size_t) (end - entry));
	assert_non_null(strstr(one, "Doors sag and wood swells"));
	assert_non_null(strstr(one, "What to do next:"));
	assert_non_null(strstr(one, "1. See that nothing holds the bolt;"));
	assert_non_null(strstr(one, "Fault name: misaligned"));
	/* The journal puts in the lock's own name. */
	assert_non_null(strstr(text, "lockhubctl doctor @LOCKHUB_LOCK@"));
	assert_null(strstr(text, " LOCK\n"));
	free(one);
	free(text);
}

static void a_page_answers_what_why_and_what_next(void **state) {
	(void) state;
	for (int i = FAULT_NONE + 1; i < FAULT_COUNT_; i++) {
		enum fault_code fault = (enum fault_code) i;
		AUTO(free) char *text = page_of(fault);
		const struct advice *advice = advice_for(fault);
		assert_non_null(strstr(text, fault_row(fault)->summary));
		assert_non_null(strstr(text, fault_row(fault)->hint));
		assert_non_null(strstr(text, fault_row(fault)->dbus));
		assert_non_null(strstr(text, fault_row(fault)->message_id));
		if (advice == NULL) {
			assert_null(strstr(text, "## What to do"));
			continue;
		}
		assert_non_null(strstr(text, advice->meaning));
		const char *at = text;
		for (size_t k = 0; advice->remedies[k] != NULL; k++) {
			at = strstr(at, remedy_find(advice->remedies[k])->title);
			assert_non_null(at);
		}
	}
}

/* Each (NAME.md) of index and pages is the page of a fault. */
static void assert_links_lead_somewhere(const char *text) {
	for (const char *at = text; (at = strstr(at, ".md)")) != NULL; at++) {
		const char *begin = at;
		while (begin > text && begin[-1] != '(') {
			begin--;
		}
		char name[80];
		assert_true((size_t) (at - begin) < sizeof(name));
		memcpy(name, begin, (size_t) (at - begin));
		name[at - begin] = '\0';
		enum fault_code fault = FAULT_NONE;
		if (!text_equal(name, "README") && !text_equal(name, "../diagnosis") &&
			(fault_from_name(name, &fault) < 0 || fault == FAULT_NONE)) {
			fail_msg("a link to %s.md leads nowhere", name);
		}
	}
}

static void links_lead_somewhere(void **state) {
	(void) state;
	AUTO(free) char *index = text_of(page_print_index);
	assert_links_lead_somewhere(index);
	for (int i = FAULT_NONE + 1; i < FAULT_COUNT_; i++) {
		AUTO(free) char *text = page_of((enum fault_code) i);
		assert_links_lead_somewhere(text);
	}
}

static void the_index_has_every_message_in_order(void **state) {
	(void) state;
	char *text = text_of(page_print_index);
	const char *table = strstr(text, "|---|");
	assert_non_null(table);
	for (int i = FAULT_NONE + 1; i < FAULT_COUNT_; i++) {
		char row[200];
		snprintf(row, sizeof(row), "| [%s](%s.md) |",
			fault_row((enum fault_code) i)->summary, fault_name((enum fault_code) i));
		assert_non_null(strstr(table, row));
	}
	/* By the text, as one looks it up: each line after the one before. */
	char was[120] = "";
	for (const char *at = table; (at = strstr(at, "\n| [")) != NULL;) {
		at += strlen("\n| [");
		char now[120];
		size_t n = strcspn(at, "]");
		assert_true(n < sizeof(now));
		memcpy(now, at, n);
		now[n] = '\0';
		assert_true(strcmp(was, now) < 0);
		memcpy(was, now, n + 1);
	}
	assert_true(was[0] != '\0');
	free(text);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fault_is_in_the_catalog_once),
		cmocka_unit_test(the_catalog_says_what_it_means_and_what_to_do),
		cmocka_unit_test(a_page_answers_what_why_and_what_next),
		cmocka_unit_test(links_lead_somewhere),
		cmocka_unit_test(the_index_has_every_message_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
