/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keyfile.h"

#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static char folder[32];

static int setup(void **state) {
	(void) state;
	(void) strcpy(folder, "/tmp/lockhub-key-XXXXXX");
	(void) unsetenv("CREDENTIALS_DIRECTORY");
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int teardown(void **state) {
	char command[64];

	(void) state;
	(void) snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void put(const char *name, const char *text, mode_t mode) {
	char path[64];
	FILE *file;

	(void) snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	(void) fputs(text, file);
	(void) fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void first_start_makes_a_key_and_finds_it_again(void **state) {
	struct secret first = { 0 };
	struct secret second = { 0 };
	struct fault fault;
	struct stat st;
	char path[64];
	bool is_made;

	(void) state;
	assert_int_equal(keyfile_database(folder, false, &first, &is_made, &fault), 0);
	assert_true(is_made);
	assert_int_equal(first.len, 32);
	(void) snprintf(path, sizeof(path), "%s/db.key", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(keyfile_database(folder, true, &second, &is_made, &fault), 0);
	assert_false(is_made);
	assert_int_not_equal(secret_equal(&first, &second), 0);
}

/* A database without its key must never get a new one: its locks would be lost without a word. */
static void lost_key_is_said(void **state) {
	struct secret key = { 0 };
	struct fault fault;
	bool is_made;

	(void) state;
	assert_true(keyfile_database(folder, true, &key, &is_made, &fault) < 0);
	assert_int_equal(fault.code, FAULT_KEY_MISSING);
	put("db.key", "short\n", 0600);
	assert_true(keyfile_database(folder, true, &key, &is_made, &fault) < 0);
	assert_int_equal(fault.code, FAULT_KEY_MISSING);
	assert_int_equal(key.len, 0);
}

static void key_that_others_can_read_is_refused(void **state) {
	struct secret key = { 0 };
	struct fault fault;
	bool is_made;

	(void) state;
	put("db.key", HEX "\n", 0640);
	assert_true(keyfile_database(folder, true, &key, &is_made, &fault) < 0);
	assert_int_equal(fault.code, FAULT_SECRET_EXPOSED);
	assert_non_null(strstr(fault.detail, "640"));
}

static void credential_wins(void **state) {
	struct secret key = { 0 };
	struct fault fault;
	bool is_made;

	(void) state;
	put("db-key", HEX, 0400);
	put("db.key", "ff", 0600);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
	assert_int_equal(keyfile_database(folder, true, &key, &is_made, &fault), 0);
	assert_int_equal(key.bytes[31], 0x1f);
}

static void password_from_file_or_credential(void **state) {
	struct secret password = { 0 };
	struct fault fault;
	char path[64];

	(void) state;
	assert_int_equal(keyfile_password("", "mqtt-password", &password, &fault), 0);
	assert_int_equal(password.len, 0);
	put("pw", "geheim\r\n", 0600);
	(void) snprintf(path, sizeof(path), "%s/pw", folder);
	assert_int_equal(keyfile_password(path, "mqtt-password", &password, &fault), 0);
	assert_int_equal(password.len, 6);
	put("pw", "geheim\n", 0644);
	assert_true(keyfile_password(path, "mqtt-password", &password, &fault) < 0);
	assert_int_equal(fault.code, FAULT_SECRET_EXPOSED);
	(void) unlink(path);
	assert_true(keyfile_password(path, "mqtt-password", &password, &fault) < 0);
	assert_int_equal(fault.code, FAULT_CONFIG_INVALID);
	put("mqtt-password", "anders", 0400);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
	assert_int_equal(keyfile_password("", "mqtt-password", &password, &fault), 0);
	assert_int_equal(password.len, 6);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(first_start_makes_a_key_and_finds_it_again),
		TEST(lost_key_is_said),
		TEST(key_that_others_can_read_is_refused),
		TEST(credential_wins),
		TEST(password_from_file_or_credential),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
