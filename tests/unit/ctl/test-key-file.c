/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The key that a lock's maker keeps, out of the files in which people have it. */

#include "test.h"

#include <stdio.h>
#include <unistd.h>

#include "room.h"

#define ADDRESS "6C:B2:FD:00:00:03"
#define OTHER "6C:B2:FD:00:00:04"
#define KEY "a1b2c3d4e5f60718293a4b5c6d7e8f90"
#define WRONG "00112233445566778899aabbccddeeff"
#define MEMBERS "aesKey aesKeyStr adminPs adminPwd unlockKey lockKey uid startDate groupId"

struct bench {
	struct ctl ctl;
	struct secret key;
	char said[1024];
	json_t *sighting;
};

static int set_up(void **state) {
	static struct bench bench;

	bench = (struct bench){ .sighting = json_pack("{s:s,s:s,s:s}", "address", ADDRESS,
					"key_form", "a word", "key_members", MEMBERS) };
	*state = &bench;
	return bench.sighting == NULL ? -1 : 0;
}

static int tear_down(void **state) {
	struct bench *bench = *state;

	json_decref(bench->sighting);
	secret_wipe(&bench->key);
	return 0;
}

/* @path NULL: @text is standard input. */
static int take(struct bench *bench, const char *path, const char *text) {
	AUTO(free) char *said = NULL;
	size_t n = 0;
	FILE *in = fmemopen((char *) text, strlen(text), "r");
	FILE *err = open_memstream(&said, &n);
	int r = 0;

	assert_non_null(in);
	assert_non_null(err);
	bench->ctl.in = in;
	bench->ctl.out = bench->ctl.err = err;
	r = key_file_read(&bench->ctl, path == NULL ? "-" : path, bench->sighting, &bench->key);
	fclose(err);
	fclose(in);
	snprintf(bench->said, sizeof(bench->said), "%s", said);
	/* Whatever is complained of: no digit of any key. */
	assert_null(strstr(bench->said, "a1b2"));
	assert_null(strstr(bench->said, "0011"));
	assert_null(strstr(bench->said, "87654321"));
	return r;
}

static int take_file(struct bench *bench, const char *text) {
	char path[] = "/tmp/lockhub-test-key-XXXXXX";
	int fd = mkstemp(path);
	int r = 0;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	r = take(bench, path, " ");
	unlink(path);
	return r;
}

static void expect_key(const struct bench *bench, const char *text) {
	assert_int_equal(bench->key.len, strlen(text));
	assert_string_equal((const char *) bench->key.bytes, text);
}

static void expect_said(const struct bench *bench, const char *text) {
	if (strstr(bench->said, text) == NULL) {
		fail_msg("no \"%s\" in: %s", text, bench->said);
	}
}

static void words_of_all_lines_are_one(void **state) {
	struct bench *bench = *state;

	assert_int_equal(take_file(bench, "\n 34\r\n" KEY "  \n\n"), CTL_DONE);
	expect_key(bench, "34 " KEY);
	assert_int_equal(take_file(bench, KEY), CTL_DONE);
	expect_key(bench, KEY);
	assert_int_equal(take_file(bench, " \n"), CTL_FAILED);
	expect_said(bench, "empty");
	assert_int_equal(take(bench, "/nowhere/at/all", " "), CTL_FAILED);
	expect_said(bench, "/nowhere/at/all: No such file");
}

/* What follows is whoever's turn is next: a PIN, for instance. */
static void of_standard_input_it_is_a_line_or_a_text(void **state) {
	struct bench *bench = *state;
	static char two[] = "34 " KEY "\n2468\n";
	static char json[] = "{\"aesKey\":\n\"" KEY "\"}\n2468\n";
	FILE *in = fmemopen(two, strlen(two), "r");
	char rest[16] = "";

	bench->ctl.in = in;
	bench->ctl.err = stderr;
	assert_int_equal(key_file_read(&bench->ctl, "-", bench->sighting, &bench->key), CTL_DONE);
	expect_key(bench, "34 " KEY);
	assert_non_null(fgets(rest, sizeof(rest), in));
	assert_string_equal(rest, "2468\n");
	fclose(in);
	bench->ctl.in = in = fmemopen(json, strlen(json), "r");
	assert_int_equal(key_file_read(&bench->ctl, "-", bench->sighting, &bench->key), CTL_DONE);
	expect_key(bench, "{\"aesKey\":\"" KEY "\"}");
	assert_non_null(fgets(rest, sizeof(rest), in));
	assert_non_null(fgets(rest, sizeof(rest), in));
	assert_string_equal(rest, "2468\n");
	fclose(in);
	assert_int_equal(take(bench, NULL, "\n"), CTL_FAILED);
	expect_said(bench, "standard input is empty");
}

/* As ttlock-sdk-js keeps them: several locks, and codes that are nobody's business. */
#define RECORD(address, key, admin)                                                                \
	"{\"address\":\"" address "\",\"battery\":70,\"privateData\":{\"aesKey\":\"" key           \
	"\",\"admin\":{\"adminPs\":" admin ",\"unlockKey\":87654321},\"pwdInfo\":"                 \
	"[{\"year\":2026,\"code\":1,\"secret\":\"5543703\"}]}}"

static void its_own_record_is_found(void **state) {
	struct bench *bench = *state;

	assert_int_equal(take_file(bench, "[\n" RECORD(OTHER, WRONG, "1") ",\n" RECORD(
						  "6c:b2:fd:00:00:03", KEY, "12345678") "\n]\n"),
		CTL_DONE);
	expect_key(bench, "{\"aesKey\":\"" KEY "\",\"adminPs\":12345678,\"unlockKey\":87654321}");
	assert_int_equal(take_file(bench, "[" RECORD(OTHER, WRONG, "1") "]"), CTL_FAILED);
	expect_said(bench, "none of " ADDRESS);
	/* Without addresses it can only be meant for this one, as long as it is one. */
	assert_int_equal(take_file(bench, "[" RECORD("", KEY, "12345678") "]"), CTL_DONE);
	expect_key(bench, "{\"aesKey\":\"" KEY "\",\"adminPs\":12345678,\"unlockKey\":87654321}");
	assert_int_equal(take_file(bench, "[" RECORD("", KEY, "1") "," RECORD("", WRONG, "1") "]"),
		CTL_FAILED);
	expect_said(bench, "several keys");
	assert_int_equal(
		take_file(bench, "[" RECORD(ADDRESS, KEY, "1") "," RECORD(ADDRESS, KEY, "2") "]"),
		CTL_FAILED);
	expect_said(bench, "several keys");
}

/* Of the maker's cloud: much more than fits, and null for what there is not. */
static void a_record_of_the_cloud_is_reduced(void **state) {
	struct bench *bench = *state;
	char text[4096];

	snprintf(text, sizeof(text),
		"{\"list\":[{\"lockMac\":\"" ADDRESS
		"\",\"lockAlias\":\"%0*d\",\"noKeyPwd\":\"5543703\","
		"\"lockKey\":\"NjgsNjUsMTA=\",\"aesKeyStr\":\"a1,b2\",\"adminPwd\":null,"
		"\"startDate\":1580875057000,\"lockVersion\":{\"groupId\":1,\"orgId\":1}}]}",
		2000, 0);
	assert_int_equal(take_file(bench, text), CTL_DONE);
	expect_key(bench, "{\"lockKey\":\"NjgsNjUsMTA=\",\"aesKeyStr\":\"a1,b2\","
			  "\"startDate\":1580875057000,\"groupId\":1}");
}

/* All that the key of a lock of TTLock can consist of, each as long as the maker makes it. */
static void the_longest_key_fits(void **state) {
	struct bench *bench = *state;
	static const char longest[] =
		"{\"aesKeyStr\":\"a1,b2,c3,d4,e5,f6,07,18,29,3a,4b,5c,6d,7e,8f,90\","
		"\"adminPwd\":\"MTIxLDEyMiwxMjMsMTI0LDEyNSwxMjYsMTI3LDEyOCwxMjksMTMwLDEzMQ==\","
		"\"lockKey\":\"MTIxLDEyMiwxMjMsMTI0LDEyNSwxMjYsMTI3LDEyOCwxMjksMTMwLDEzMQ==\","
		"\"uid\":4294967295,\"lockFlagPos\":16777215,\"startDate\":1580875057000,"
		"\"endDate\":1980875057000,\"scene\":255,\"groupId\":65535,\"orgId\":65535}";

	json_object_set_new(bench->sighting, "key_members",
		json_string("aesKeyStr adminPwd lockKey uid lockFlagPos startDate endDate scene "
			    "groupId orgId"));
	assert_int_equal(take_file(bench, longest), CTL_DONE);
	expect_key(bench, longest);
}

static void what_is_no_key_is_refused(void **state) {
	struct bench *bench = *state;
	AUTO(free) char *text = malloc(40000);

	assert_int_equal(
		take_file(bench, "{\"aesKey\":\"" KEY "\",\n\"adminPs\":a1b2}"), CTL_FAILED);
	expect_said(bench, "line 2");
	assert_int_equal(take_file(bench, "{\"aesKey\":\"" KEY), CTL_FAILED);
	expect_said(bench, "no good JSON");
	assert_int_equal(take_file(bench, "[1, \"aesKey\"]"), CTL_FAILED);
	expect_said(bench, "none of the members aesKey");
	assert_non_null(text);
	snprintf(text, 40000, "%0600d", 0);
	assert_int_equal(take_file(bench, text), CTL_FAILED);
	expect_said(bench, "too long");
	/* All of it counts, also what would not be sent. */
	snprintf(text, 40000, "{\"aesKey\":\"" KEY "\",\"x\":\"%020000d\"}", 0);
	assert_int_equal(take_file(bench, text), CTL_FAILED);
	expect_said(bench, "too long");
	snprintf(text, 40000, "{\"aesKey\":\"" KEY "\",\"x\":\"%015000d\"}", 0);
	assert_int_equal(take_file(bench, text), CTL_DONE);
	expect_key(bench, "{\"aesKey\":\"" KEY "\"}");
	snprintf(text, 40000, "{\"aesKey\":\"%0600d\"}", 0);
	assert_int_equal(take_file(bench, text), CTL_FAILED);
	expect_said(bench, "too long");
	/* A brand that keeps it as words. */
	json_object_del(bench->sighting, "key_members");
	assert_int_equal(take_file(bench, "{\"aesKey\":\"" KEY "\"}"), CTL_FAILED);
	expect_said(bench, "this lock wants a word");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(words_of_all_lines_are_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			of_standard_input_it_is_a_line_or_a_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(its_own_record_is_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_record_of_the_cloud_is_reduced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_longest_key_fits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_key_is_refused, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
