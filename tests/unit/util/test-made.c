/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/made.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
#include "util/auto.h"

static char folder[] = "/tmp/lockhub-made-XXXXXX";
static char path[sizeof(folder) + 8];

static void print_word(FILE *out, const void *what) {
	fprintf(out, "# %s\n", (const char *) what);
}

static void page_is_written_and_read_back(void **state) {
	(void) state;
	AUTO(free) char *page = made_text(print_word, "word");
	assert_string_equal(page, "# word\n");
	assert_null(made_before(path));
	assert_int_equal(made_write(path, page), 0);
	AUTO(free) char *before = made_before(path);
	assert_string_equal(before, page);
}

/* What ninja makes of it is made anew only when something has changed. */
static void page_that_says_it_already_is_left_alone(void **state) {
	(void) state;
	const struct timespec long_ago[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct stat now;

	assert_int_equal(made_write(path, "first\n"), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
	assert_int_equal(made_write(path, "first\n"), 0);
	assert_int_equal(stat(path, &now), 0);
	assert_int_equal(now.st_mtim.tv_sec, 1000);
	assert_int_equal(made_write(path, "second\n"), 0);
	AUTO(free) char *before = made_before(path);
	assert_string_equal(before, "second\n");
}

static void page_where_no_folder_is_fails(void **state) {
	(void) state;
	assert_int_equal(made_write("/tmp/lockhub-no-such-folder/page.md", "text\n"), -ENOENT);
}

static int set_up(void **state) {
	(void) state;
	if (mkdtemp(folder) == NULL) {
		return -1;
	}
	(void) snprintf(path, sizeof(path), "%s/page.md", folder);
	return 0;
}

static int tear_down(void **state) {
	(void) state;
	(void) unlink(path);
	return rmdir(folder);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_is_written_and_read_back),
		cmocka_unit_test(page_that_says_it_already_is_left_alone),
		cmocka_unit_test(page_where_no_folder_is_fails),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
