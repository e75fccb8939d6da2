/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "test.h"
#include "util/auto.h"
#include "util/fault.h"

static int real_stderr = -1;
static FILE *caught;

/* From here on standard error goes to a file. */
static void catch_stderr(void) {
	fflush(stderr);
	caught = tmpfile();
	assert_non_null(caught);
	real_stderr = dup(STDERR_FILENO);
	assert_true(real_stderr >= 0);
	assert_true(dup2(fileno(caught), STDERR_FILENO) >= 0);
}

/* Back again; what was written, to be freed. */
static char *release_stderr(void) {
	assert_true(dup2(real_stderr, STDERR_FILENO) >= 0);
	close(real_stderr);
	long size = lseek(fileno(caught), 0, SEEK_END);
	assert_true(size >= 0);
	char *text = calloc(1, (size_t) size + 1);
	assert_non_null(text);
	assert_int_equal(pread(fileno(caught), text, (size_t) size, 0), size);
	fclose(caught);
	return text;
}

static int setup(void **state) {
	(void) state;
	unsetenv("JOURNAL_STREAM");
	log_setup("test", LOG_INFO);
	return 0;
}

static void lines_name_program_priority_and_lock(void **state) {
	(void) state;
	catch_stderr();
	log_info("started %d", 1);
	log_line(LOG_WARNING, "front-door", "%s", "slow");
	log_error("bad");
	log_debug("not wanted");
	AUTO(free) char *text = release_stderr();
	assert_string_equal(text, "test[info]: started 1\n"
				  "test[warning]: front-door: slow\n"
				  "test[error]: bad\n");
}

static void priority_decides(void **state) {
	(void) state;
	assert_true(log_wants(LOG_INFO));
	assert_false(log_wants(LOG_DEBUG));
	log_setup("test", LOG_ERR);
	assert_false(log_wants(LOG_WARNING));
	catch_stderr();
	log_warning("not wanted");
	log_blame(BLAME_FIRMWARE, NULL, "not wanted");
	AUTO(free) char *text = release_stderr();
	assert_string_equal(text, "");
}

static void a_message_is_one_clean_line_whatever_is_in_it(void **state) {
	(void) state;
	char large[5000];
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	catch_stderr();
	log_info("name %s", "a\ntest[info]: front-door: unlocked\x1b[1m\xff");
	log_line(LOG_INFO, large, "%s", large);
	AUTO(free) char *text = release_stderr();
	const char *second = strchr(text, '\n');
	assert_non_null(second);
	second++;
	assert_memory_equal(
		text, "test[info]: name a?test[info]: front-door: unlocked?[1m?\n", second - text);
	assert_int_equal(strcspn(second, "\n"), strlen(second) - 1);
	assert_true(strlen(second) > 1000 && strlen(second) < 1200);
}

static void fault_says_summary_evidence_and_hint(void **state) {
	(void) state;
	struct fault fault;
	fault_set(&fault, FAULT_NOT_SUPPORTED, "no %s", "latch");
	catch_stderr();
	log_fault(&fault, "front-door", "17");
	log_fault(&fault, NULL, NULL);
	AUTO(free) char *text = release_stderr();
	assert_string_equal(text, "test[notice]: front-door: This lock cannot do that (no latch). "
				  "lockhubctl show front-door lists what it can do\n"
				  "test[notice]: This lock cannot do that (no latch). "
				  "lockhubctl show LOCK lists what it can do\n");
}

static void blame_is_said_once_a_minute_per_kind_and_lock(void **state) {
	(void) state;
	catch_stderr();
	for (int i = 0; i < 5; i++) {
		log_blame(BLAME_FIRMWARE, "a", "battery %d %%", i);
	}
	log_blame(BLAME_FIRMWARE, "b", "battery %d %%", 9);
	log_blame(BLAME_BLUEZ, "a", "battery %d %%", 9);
	log_blame(BLAME_SETUP, NULL, "no adapter");
	AUTO(free) char *text = release_stderr();
	assert_string_equal(text, "test[warning]: a: firmware bug: battery 0 %\n"
				  "test[warning]: b: firmware bug: battery 9 %\n"
				  "test[warning]: a: bluez bug: battery 9 %\n"
				  "test[warning]: setup problem: no adapter\n");
}

static void errno_survives(void **state) {
	(void) state;
	catch_stderr();
	errno = EXDEV;
	log_info("x");
	assert_int_equal(errno, EXDEV);
	AUTO(free) char *text = release_stderr();
	assert_string_equal(text, "test[info]: x\n");
}

/* JOURNAL_STREAM of a stream that standard error is not any more must not count. */
static void a_redirected_stream_is_not_the_journal(void **state) {
	(void) state;
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_setup("test", LOG_INFO);
	catch_stderr();
	log_info("here");
	AUTO(free) char *text = release_stderr();
	assert_string_equal(text, "test[info]: here\n");
	setenv("JOURNAL_STREAM", "nonsense", 1);
	log_setup("test", LOG_INFO);
}

#define THREADS 4
#define LINES 500

static void *talk(void *user) {
	const char *name = user;
	for (int i = 0; i < LINES; i++) {
		log_line(LOG_INFO, name, "line %d of a thread that talks a lot", i);
		log_blame(BLAME_RADIO, name, "thread %d", i);
	}
	return NULL;
}

static void threads_do_not_mix_their_lines(void **state) {
	(void) state;
	static char names[THREADS][2] = { "a", "b", "c", "d" };
	pthread_t threads[THREADS];
	catch_stderr();
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, talk, names[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	AUTO(free) char *text = release_stderr();
	size_t n_lines = 0;
	int next[THREADS] = { 0 };
	for (char *line = text; *line != '\0';) {
		size_t n = strcspn(line, "\n");
		assert_int_equal(line[n], '\n');
		line[n] = '\0';
		char name;
		int number;
		int n_read = 0;
		if (sscanf(line, "test[info]: %c: line %d of a thread that talks a lot%n", &name,
			    &number, &n_read) == 2) {
			assert_int_equal(n_read, n);
			assert_true(name >= 'a' && name < 'a' + THREADS);
			assert_int_equal(number, next[name - 'a']++);
			n_lines++;
		} else {
			assert_memory_equal(line, "test[warning]: ", 15);
		}
		line += n + 1;
	}
	assert_int_equal(n_lines, THREADS * LINES);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lines_name_program_priority_and_lock, setup),
		cmocka_unit_test_setup(priority_decides, setup),
		cmocka_unit_test_setup(a_message_is_one_clean_line_whatever_is_in_it, setup),
		cmocka_unit_test_setup(fault_says_summary_evidence_and_hint, setup),
		cmocka_unit_test_setup(blame_is_said_once_a_minute_per_kind_and_lock, setup),
		cmocka_unit_test_setup(errno_survives, setup),
		cmocka_unit_test_setup(a_redirected_stream_is_not_the_journal, setup),
		cmocka_unit_test_setup(threads_do_not_mix_their_lines, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
