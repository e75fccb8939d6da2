/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The real lockhubctl, as a process, against the real api over a real bus (tests/unit/api/rig.h).
 * Some are run as other users; those tests are skipped when this is not root.
 */

#include "../api/rig.h"

#include <jansson.h>
#include <unistd.h>

#include "core/people.h"
#include "util/auto.h"

#define ARGS_MAX 12
/* rig.c: even uids are in the group that may operate, odd ones are not. dbus-daemon wants them
 * real. */
#define UID_OF_GROUP 65534
#define UID_OF_NOBODY 1

static struct rig_output output;

static void run_as(struct rig *rig, uid_t uid, const char *input, const char *const *words) {
	char *argv[ARGS_MAX + 2] = { getenv("LOCKHUBCTL") };
	assert_non_null(argv[0]);
	for (size_t i = 0; i < ARGS_MAX && words[i] != NULL; i++) {
		argv[i + 1] = (char *) words[i];
	}
	rig_run(rig, input, uid, argv, &output);
}

#define RUN(rig, ...) run_as(rig, 0, "", (const char *const[]){ __VA_ARGS__, NULL })
#define RUN_AS(rig, uid, ...) run_as(rig, uid, "", (const char *const[]){ __VA_ARGS__, NULL })
#define RUN_WITH(rig, input, ...) run_as(rig, 0, input, (const char *const[]){ __VA_ARGS__, NULL })

static void expect_status(int status) {
	if (output.status != status) {
		fail_msg("exit status %d, not %d:\n%s%s", output.status, status, output.out,
			output.err);
	}
}

static void expect_out(const char *text) {
	if (strstr(output.out, text) == NULL) {
		fail_msg("no \"%s\" in the output:\n%s%s", text, output.out, output.err);
	}
}

static void expect_err(const char *text) {
	if (strstr(output.err, text) == NULL) {
		fail_msg("no \"%s\" in the complaint:\n%s%s", text, output.out, output.err);
	}
}

static json_t *parsed(void) {
	json_error_t error;
	json_t *value = json_loads(output.out, JSON_REJECT_DUPLICATES, &error);
	if (value == NULL) {
		fail_msg("%s at line %d of:\n%s%s", error.text, error.line, output.out, output.err);
	}
	return value;
}

static void list_shows_all_locks(void **state) {
	struct rig *rig = *state;
	RUN(rig, "list");
	expect_status(0);
	expect_out("LOCK");
	expect_out("front-door");
	expect_out("back-door");
	expect_out("locked");
	assert_null(strchr(output.out, '\033'));
	assert_string_equal(output.err, "");
	RUN(rig, "list", "--names");
	assert_string_equal(output.out, "back-door\nfront-door\n");
	RUN(rig, "list", "--color", "always");
	assert_non_null(strchr(output.out, '\033'));
}

static void show_says_how_it_is_known(void **state) {
	struct rig *rig = *state;
	RUN(rig, "show", "Front door");
	expect_status(0);
	expect_out("Front door (front-door)");
	expect_out("answered by the lock");
	expect_out(FRONT_ID);
	RUN(rig, "show", "frnt-door");
	expect_status(1);
	expect_err("did you mean front-door?");
	expect_err("lockhubctl list");
}

static void an_operation_is_waited_for(void **state) {
	struct rig *rig = *state;
	RUN(rig, "unlock", "front-door");
	expect_status(0);
	expect_out("unlock done");
	expect_out("front-door is unlocked");
	RUN(rig, "lock", "front-door", "--json");
	expect_status(0);
	json_t *json = parsed();
	assert_string_equal(json_string_value(json_object_get(json, "outcome")), "done");
	assert_string_equal(json_string_value(json_object_get(json, "lock")), "front-door");
	assert_string_equal(json_string_value(json_object_get(json, "state_after")), "locked");
	assert_true(json_is_null(json_object_get(json, "fault")));
	json_decref(json);
	RUN(rig, "unlock", "--no-wait", "front-door");
	expect_status(0);
	expect_out("operation ");
}

static void a_failure_has_a_reason_and_a_hint(void **state) {
	struct rig *rig = *state;
	rig->refusal = FAULT_KEY_DISABLED;
	RUN(rig, "unlock", "front-door");
	expect_status(1);
	expect_err("front-door: unlock failed: ");
	assert_non_null(strstr(output.err, "\n  ")); /* the hint */
	RUN(rig, "unlock", "front-door", "--json");
	expect_status(1);
	json_t *json = parsed();
	assert_string_equal(json_string_value(json_object_get(json, "fault")), "key-disabled");
	assert_string_equal(json_string_value(json_object_get(json, "outcome")), "failed");
	json_decref(json);
	RUN(rig, "lock-n-go", "front-door");
	expect_status(1);
	expect_err("This lock cannot do that");
	RUN(rig, "cancel", "0123456789abcdef");
	expect_status(1);
	expect_err("no such operation");
}

static void no_outcome_in_time_is_said(void **state) {
	struct rig *rig = *state;
	rig->is_deaf = true;
	RUN(rig, "refresh", "front-door", "--timeout", "1");
	expect_status(1);
	expect_err("no outcome within 1 s");
}

static void json_is_valid_everywhere(void **state) {
	static const char *const words[][4] = { { "list", "--json" }, { "status", "--json" },
		{ "show", "front-door", "--json" }, { "log", "--json" }, { "battery", "--json" },
		{ "signal", "--json" }, { "log", "verify", "--json" },
		{ "battery", "--read", "--json" },
		{ "rename", "back-door", "Back \"door\"", "--json" } };
	struct rig *rig = *state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		run_as(rig, 0, "",
			(const char *const[]){
				words[i][0], words[i][1], words[i][2], words[i][3], NULL });
		expect_status(0);
		json_t *json = parsed();
		assert_true(json_is_object(json));
		json_decref(json);
	}
}

/* Numbers whose statistics are plain to see. */
static void count_some(struct fake *fake) {
	struct radio_stats *stats = &fake->stats;
	stats->attempts = 10;
	stats->connects = 8;
	stats->failures = 2;
	stats->losses = 1;
	stats->link_ms = 61000;
	stats->rssi = -64;
	tally_begin(&stats->tally, fake->mono);
	tally_up(&stats->tally, fake->mono, 700);
	tally_up(&stats->tally, fake->mono, 2500);
	tally_up(&stats->tally, fake->mono, 900);
	tally_linked(&stats->tally, (mono_t){ fake->mono.ms - 61000 }, fake->mono);
	tally_linked(&stats->tally, fake->mono, (mono_t){ fake->mono.ms + 5000 });
	tally_heard(&stats->tally, (mono_t){ fake->mono.ms - 2000 }, -72);
	tally_heard(&stats->tally, fake->mono, -64);
	tally_ended(&stats->tally, TALLY_END_US);
	tally_ended(&stats->tally, TALLY_END_LOCK);
	tally_ended(&stats->tally, TALLY_END_LOCK);
}

static void signal_tells_what_was_counted(void **state) {
	struct rig *rig = *state;
	RUN(rig, "signal", "front-door");
	expect_status(0);
	expect_out("unknown, it has not been heard yet");
	expect_out("links ended: none");
	count_some(rig->fake);
	RUN(rig, "signal");
	expect_status(0);
	expect_out("HEARD WITH");
	expect_out("-64 dBm, good");
	expect_out("front-door");
	expect_out("ADAPTER");
	expect_out("00:AA:01:00:00:00");
	RUN(rig, "signal", "front-door");
	expect_status(0);
	expect_out("quality: fair, 20 % of the attempts to connect fail");
	expect_out("strength: -64 dBm");
	expect_out("the last 2: weakest -72, middle -72, strongest -64 dBm");
	expect_out("10, of which 8 succeeded and 2 failed (80 % success)");
	expect_out("900 ms in the middle, 2500 ms at worst");
	expect_out("links: 3 today, 0 yesterday");
	expect_out("linked for: 5 s today, 61 s yesterday, 61 s in all");
	expect_out("1 by lockhub, 2 by the lock\n");
	assert_null(strstr(output.out, "back-door"));
	RUN(rig, "signal", "front-door", "--json");
	json_t *json = parsed();
	const json_t *row = json_array_get(json_object_get(json, "locks"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "quality")), "fair");
	assert_int_equal(json_integer_value(json_object_get(row, "to_link_ms_median")), 900);
	assert_int_equal(json_array_size(json_object_get(row, "rssi_history")), 2);
	const json_t *newest = json_array_get(json_object_get(row, "rssi_history"), 0);
	assert_int_equal(json_integer_value(json_array_get(newest, 1)), -64);
	const json_t *ends = json_object_get(row, "ends");
	assert_int_equal(json_integer_value(json_object_get(ends, "lock")), 2);
	json_decref(json);
	RUN(rig, "signal", "--json");
	json = parsed();
	row = json_array_get(json_object_get(json, "adapters"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "state")), "on");
	json_decref(json);
	/* Too weak. */
	rig->fake->stats.failures = 0;
	tally_begin(&rig->fake->stats.tally, rig->fake->mono);
	tally_heard(&rig->fake->stats.tally, rig->fake->mono, -90);
	RUN(rig, "signal", "front-door");
	expect_out("poor, it is heard so weakly");
	expect_out("Move the hub");
}

static void the_log_is_printed(void **state) {
	struct rig *rig = *state;
	RUN(rig, "unlock", "front-door");
	RUN(rig, "log", "-n20", "--type", "unlocked", "--user", "anna", "--since", "@5", "--until",
		"@7");
	expect_status(0);
	expect_out("front-door");
	assert_string_equal(rig->query.word, "unlocked");
	assert_string_equal(rig->query.user, "anna");
	assert_int_equal(rig->query.limit, 20);
	assert_int_equal(rig->query.since.s, 5);
	assert_int_equal(rig->query.until.s, 7);
	RUN(rig, "log", "back-door");
	assert_string_equal(rig->query.lock_id, BACK_ID);
	assert_int_equal(rig->query.limit, 50);
	RUN(rig, "log", "--type", "unlokced");
	expect_status(1);
	expect_err("did you mean 'unlocked'?");
	RUN(rig, "log", "--since", "soonish");
	expect_status(2);
	expect_err("'soonish' is not a time");
	RUN(rig, "log", "verify");
	expect_status(0);
	expect_out("The chain holds");
}

static void a_pin_comes_from_standard_input_only(void **state) {
	struct rig *rig = *state;
	RUN_WITH(rig, "1234\n", "set-pin", "front-door", "--pin-stdin");
	expect_status(0);
	expect_out("accepted the PIN");
	assert_null(strstr(output.out, "1234"));
	RUN(rig, "set-pin", "front-door", "--pin-stdin");
	expect_status(1);
	expect_err("no PIN was given");
	RUN(rig, "set-pin", "front-door");
	expect_status(2);
	expect_err("--pin-stdin");
}

static void people_are_managed(void **state) {
	struct rig *rig = *state;
	char id[16];
	RUN(rig, "user", "list");
	expect_status(0);
	expect_out("There are no users yet");
	RUN(rig, "user", "add", "Anna Huber", "--lock", "front-door", "--valid",
		"Mon-Fri 08:00-12:00");
	expect_status(0);
	expect_out("anna-huber");
	RUN(rig, "user", "add", "anna huber");
	expect_status(1);
	expect_err("lockhubctl: ");
	RUN(rig, "user", "list", "--names");
	assert_string_equal(output.out, "anna-huber\n");
	RUN(rig, "user", "show", "Anna Huber");
	expect_status(0);
	expect_out("Anna Huber (anna-huber), number 1");
	expect_out("Access: front-door");
	expect_out("Mon-Fri 08:00-12:00, at front-door");
	RUN(rig, "access", "show");
	expect_out("Mon-Fri 08:00-12:00");
	expect_out("0 of 0");
	RUN(rig, "schedule", "add", "anna-huber", "Sat 10:00-11:00");
	expect_status(0);
	expect_out("Sat 10:00-11:00");
	RUN(rig, "schedule", "add", "anna-huber", "now and then");
	expect_status(1);
	expect_err("now and then");
	RUN(rig, "schedule", "list", "--json");
	json_t *json = parsed();
	const json_t *row = json_array_get(json_object_get(json, "schedules"), 1);
	snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(row, "id")));
	json_decref(json);
	RUN(rig, "schedule", "remove", id);
	expect_status(0);
	RUN(rig, "schedule", "list");
	expect_out("anna-huber");
	assert_null(strstr(output.out, id));
	RUN(rig, "user", "edit", "anna-huber", "--disable", "--name", "Anna");
	expect_status(0);
	expect_out("commands know the user as anna");
	RUN(rig, "user", "list");
	expect_out("disabled");
	RUN(rig, "log", "--user", "1");
	assert_string_equal(rig->query.user, "Anna");
	RUN(rig, "show", "front-door", "--json");
	json = parsed();
	row = json_array_get(json_object_get(json, "locks"), 0);
	assert_true(json_is_null(json_object_get(json_object_get(row, "sync"), "read_at")));
	json_decref(json);
	RUN(rig, "user", "remove", "anna");
	expect_status(2);
	expect_err("--yes");
	RUN(rig, "user", "remove", "anna", "--yes");
	expect_status(0);
	expect_out("Gone");
	RUN(rig, "user", "show", "anna");
	expect_status(1);
	expect_err("lockhubctl user list");
}

static void timers_are_listed_set_and_removed(void **state) {
	struct rig *rig = *state;
	RUN(rig, "timer", "list", "front-door");
	expect_status(0);
	expect_out("does nothing by itself");
	RUN(rig, "timer", "add", "front-door", "Mon-Fri", "22:30", "lock", "--json");
	expect_status(0);
	json_t *json = parsed();
	assert_int_equal(json_integer_value(json_object_get(json, "timer")), 1);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(json, "timers"), 0), "days")),
		"Mon-Fri");
	json_decref(json);
	RUN(rig, "timer", "change", "front-door", "1", "--disable");
	expect_status(0);
	expect_out("timer 1: Mon-Fri 22:30 lock (off)");
	RUN(rig, "timer", "change", "front-door", "1", "daily", "7:00", "unlatch");
	expect_out("timer 1: daily 07:00 unlatch (off)");
	RUN(rig, "timer", "change", "front-door", "1", "--enable");
	expect_out("timer 1: daily 07:00 unlatch\n");
	RUN(rig, "timer", "list", "front-door", "--json");
	json = parsed();
	assert_int_equal(json_array_size(json_object_get(json, "timers")), 1);
	json_decref(json);
	RUN(rig, "timer", "remove", "front-door", "2");
	expect_status(1);
	expect_err("front-door has no timer 2");
	RUN(rig, "timer", "change", "front-door", "1");
	expect_status(2);
	RUN(rig, "timer", "change", "front-door", "1", "daily");
	expect_status(2);
	RUN(rig, "timer", "remove", "front-door", "0");
	expect_status(2);
	RUN_AS(rig, UID_OF_GROUP, "timer", "list", "front-door");
	expect_status(0);
	expect_out("unlatch");
	RUN_AS(rig, UID_OF_GROUP, "timer", "remove", "front-door", "1");
	expect_status(1);
	expect_err("may not manage");
	RUN(rig, "timer", "list", "back-door");
	expect_status(1);
	expect_err("set-pin");
	RUN(rig, "timer", "remove", "front-door", "1");
	expect_status(0);
	expect_out("gone");
	assert_int_equal(rig->fake->n_timers, 0);
}

static void codes_are_shown_once_and_never_given_as_arguments(void **state) {
	struct rig *rig = *state;
	char id[16], pin[16];
	RUN(rig, "user", "add", "Anna");
	RUN_WITH(rig, "582047\n", "code", "add", "anna", "--stdin", "--label", "cleaner");
	expect_status(0);
	assert_null(strstr(output.out, "582047"));
	RUN(rig, "code", "add", "anna");
	expect_status(2);
	expect_err("--stdin");
	RUN_WITH(rig, "111111\n", "code", "add", "anna", "--stdin");
	expect_status(1);
	assert_null(strstr(output.err, "111111"));
	RUN(rig, "code", "add", "anna", "--generate", "--until", "2037-03-01", "--once", "--json");
	expect_status(0);
	json_t *json = parsed();
	snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(json, "id")));
	snprintf(pin, sizeof(pin), "%s", json_string_value(json_object_get(json, "pin")));
	assert_true(strlen(pin) >= 6);
	json_decref(json);
	RUN(rig, "code", "list");
	expect_status(0);
	expect_out(id);
	expect_out("until 2037-03-0");
	expect_out("once");
	expect_out("pin, cleaner");
	assert_null(strstr(output.out, pin));
	RUN(rig, "code", "reveal", id);
	expect_status(0);
	assert_memory_equal(output.out, pin, strlen(pin));
	RUN_WITH(rig, "719364\n", "code", "change", id, "--stdin");
	expect_status(0);
	RUN(rig, "code", "reveal", id, "--json");
	expect_out("719364");
	RUN(rig, "code", "revoke", id);
	expect_status(0);
	expect_out("Gone");
	RUN(rig, "code", "revoke", id);
	expect_status(1);
	expect_err("lockhubctl code list");
	RUN(rig, "code", "add", "anna", "--type", "mechanical_key", "--label", "key no. 3");
	expect_status(0);
	RUN(rig, "user", "show", "anna");
	expect_out("mechanical_key, key no. 3");
	RUN(rig, "code", "sync", "front-door");
	expect_status(1);
	expect_err("keeps no codes");
	RUN(rig, "code", "sync");
	expect_status(0);
}

static void rules_and_holidays_are_kept(void **state) {
	struct rig *rig = *state;
	RUN(rig, "rules", "front-door");
	expect_status(0);
	expect_out("factor = none");
	RUN(rig, "rules", "front-door", "factor=either", "wrong-code-limit=3");
	expect_status(0);
	expect_out("factor = either");
	expect_out("wrong-code-limit = 3");
	RUN(rig, "rules", "front-door", "fctor=either");
	expect_status(2);
	expect_err("there is no rule 'fctor'");
	RUN(rig, "rules", "front-door", "factor=luck");
	expect_status(1);
	expect_err("luck");
	RUN(rig, "holiday", "add", "front-door", "2037-08-01 - 2037-08-14");
	expect_status(0);
	RUN(rig, "holiday", "list");
	expect_out("vacation");
	expect_out("2037-08-01");
	RUN(rig, "holiday", "list", "back-door");
	expect_out("There are no holidays");
}

/* A file in a folder of our own. */
static char *scratch_file(char path[static 64]) {
	snprintf(path, 64, "/tmp/lockhub-ctl-XXXXXX");
	assert_non_null(mkdtemp(path));
	strcat(path, "/file");
	return path;
}

static void remove_scratch_file(char *path) {
	unlink(path);
	*strrchr(path, '/') = '\0';
	assert_int_equal(rmdir(path), 0);
}

static void read_file(const char *path, char *out, size_t size) {
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	size_t n = fread(out, 1, size - 1, file);
	out[n] = '\0';
	fclose(file);
}

static void people_are_exported_and_imported(void **state) {
	struct rig *rig = *state;
	char path[64], sealed[64], text[8192];
	scratch_file(path);
	scratch_file(sealed);
	RUN(rig, "user", "add", "Anna \"Nana\" Huber");
	RUN_WITH(rig, "582047\n", "code", "add", "1", "--stdin", "--until", "2037-03-01");
	expect_status(0);
	/* The fake lock has no keypad: access comes after the code. */
	RUN(rig, "access", "grant", "1", "front-door", "--valid", "Mon-Fri 08:00-12:00");
	expect_status(0);
	expect_out("may enter front-door: Mon-Fri 08:00-12:00");
	expect_out("unsupported");
	RUN(rig, "user", "export", path);
	expect_status(0);
	expect_out("1 users");
	read_file(path, text, sizeof(text));
	assert_non_null(strstr(text, "Mon-Fri 08:00-12:00"));
	assert_null(strstr(text, "582047"));
	RUN(rig, "user", "export", path);
	expect_status(1);
	expect_err("Nothing is overwritten");
	RUN_WITH(rig, "correct horse\n", "user", "export", sealed, "--with-codes", "--stdin");
	expect_status(0);
	read_file(sealed, text, sizeof(text));
	assert_memory_equal(text, "lockhub-sealed 1 argon2id ", 26);
	RUN(rig, "user", "remove", "1", "--yes");
	expect_status(0);
	RUN_WITH(rig, "wrong horse\n", "user", "import", sealed, "--stdin");
	expect_status(1);
	expect_err("passphrase is wrong");
	RUN_WITH(rig, "correct horse\n", "user", "import", sealed, "--stdin", "--dry-run");
	expect_status(0);
	expect_out("would be added");
	assert_int_equal(book_user_count(hub_book(rig->fake->hub)), 0);
	RUN_WITH(rig, "correct horse\n", "user", "import", sealed, "--stdin");
	expect_status(0);
	expect_out("1 added");
	RUN(rig, "user", "show", "1");
	expect_out("Anna \"Nana\" Huber");
	expect_out("Access: front-door");
	expect_out("Mon-Fri 08:00-12:00, at front-door");
	expect_out("until 2037-03-0");
	RUN(rig, "user", "import", path);
	expect_status(0);
	expect_out("exists already");
	remove_scratch_file(path);
	remove_scratch_file(sealed);
}

static void people_come_as_comma_separated_values(void **state) {
	struct rig *rig = *state;
	RUN_WITH(rig,
		"name,locks,valid\r\n"
		"\"Huber, Anna\",front-door,Mon-Fri 08:00-12:00\r\n"
		"Bert,\"front-door, back-door\",\r\n"
		"Carl,cellar,\r\n"
		"Dora,front-door,now and then\r\n"
		"bert,,\r\n",
		"user", "import", "-");
	expect_status(1);
	expect_out("Huber, Anna: added");
	expect_out("Bert: added");
	expect_err("Carl: not added: there is no lock cellar");
	expect_err("Dora: not added; nothing of it was kept");
	expect_out("bert: exists already");
	expect_out("2 added, 1 there already, 2 failed");
	RUN(rig, "user", "list", "--names");
	assert_null(strstr(output.out, "dora"));
	RUN(rig, "user", "export", "-", "--csv");
	expect_status(0);
	expect_out("\"Huber, Anna\",");
	expect_out("\"front-door, back-door\"");
	RUN_WITH(rig, "\xef\xbb\xbfname\n\nEmil\n\n", "user", "import", "-", "--dry-run");
	expect_status(0);
	expect_out("Emil: would be added");
	RUN_WITH(rig, "name,locks\n", "user", "import", "-");
	expect_status(0);
	expect_out("0 added");
	RUN_WITH(rig, "name\n\"An\"na\n", "user", "import", "-");
	expect_status(1);
	expect_err(":2: not a line");
	RUN_WITH(rig, "name,pin\nAnna,1234\n", "user", "import", "-");
	expect_status(1);
	expect_err("there is no column 'pin'");
	RUN_WITH(rig, "name,locks\n\"Anna,x\n", "user", "import", "-");
	expect_status(1);
	expect_err(":2: not a line");
	RUN_WITH(rig, "{\"format\": \"other\"}", "user", "import", "-");
	expect_status(1);
	expect_err("lockhub-users");
}

/* The door must not open wider than the file says. */
static void an_import_leaves_no_limit_out(void **state) {
	static const struct {
		const char *user, *stray;
	} rows[] = {
		{ "\"schedule\": []", "'schedule'" },
		{ "\"schedules\": {\"lock\": \"\", \"text\": \"Mon\"}", "'schedules'" },
		{ "\"schedules\": [{\"lock\": \"\", \"days\": \"Mon\"}]", "'days'" },
		{ "\"expiring_minutes\": \"5\"", "'expiring_minutes'" },
		{ "\"credentials\": [{\"type\": \"pin\", \"pin\": \"582047\","
		  " \"valid_until\": \"2037-03-01\"}]",
			"'valid_until'" },
		{ "\"credentials\": [{\"type\": \"pin\", \"pin\": \"582047\","
		  " \"until\": \"2037-03-01T00:00:00Z\"}]",
			"'until'" },
		{ "\"credentials\": [{\"type\": \"pin\", \"pin\": \"582047\", \"once\": 1}]",
			"'once'" },
		{ "\"\\u001b[2J\": 1", "'?[2J'" },
	};
	struct rig *rig = *state;
	char text[512];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(text, sizeof(text),
			"{\"format\": \"lockhub-users\", \"version\": 1, \"users\": ["
			"{\"name\": \"An\\u001bna\", %s}]}",
			rows[i].user);
		RUN_WITH(rig, text, "user", "import", "-");
		expect_status(1);
		expect_err("An?na: not added: ");
		/* The name itself is the first that is wrong, but not the only thing. */
		snprintf(text, sizeof(text),
			"{\"format\": \"lockhub-users\", \"version\": 1, \"users\": ["
			"{\"name\": \"Anna\", %s}]}",
			rows[i].user);
		RUN_WITH(rig, text, "user", "import", "-");
		expect_status(1);
		expect_err(rows[i].stray);
		expect_err("is not understood");
		assert_null(strchr(output.err, '\033'));
	}
	assert_int_equal(book_user_count(hub_book(rig->fake->hub)), 0);
}

/* What the app on the phone would show. */
static void one_time_passwords_are_set_up(void **state) {
	struct rig *rig = *state;
	RUN(rig, "user", "add", "Anna");
	RUN(rig, "user", "edit", "anna", "--totp");
	expect_status(2);
	expect_err("needs a terminal");
	RUN_WITH(rig, "000000\n111111\n222222\n", "user", "edit", "anna", "--totp", "--stdin");
	expect_status(1);
	expect_out("otpauth://totp/lockhub:Anna?secret=");
	expect_out("\u2588"); /* the QR code */
	expect_err("nothing was changed");
	RUN(rig, "user", "list", "--json");
	json_t *json = parsed();
	const json_t *user = json_array_get(json_object_get(json, "users"), 0);
	assert_true(json_is_false(json_object_get(user, "has_totp")));
	json_decref(json);
	RUN_WITH(rig, "482915\n", "user", "edit", "anna", "--code", "--stdin");
	expect_status(0);
	RUN(rig, "user", "show", "anna");
	expect_out("personal code");
	assert_null(strstr(output.out, "482915"));
}

static void the_log_is_exported(void **state) {
	struct rig *rig = *state;
	RUN(rig, "unlock", "front-door");
	RUN(rig, "log", "--csv");
	expect_status(0);
	assert_memory_equal(output.out, "seq,time,", 9);
	expect_out("unlock requested");
	/* The fake ledger answers every question with all it has; its own page is asked for. */
	RUN(rig, "log", "export", "-", "--lock", "front-door", "--since", "@5");
	expect_status(0);
	assert_string_equal(rig->query.lock_id, FRONT_ID);
	assert_int_equal(rig->query.since.s, 5);
	assert_true(rig->query.after_seq > 0);
	assert_true(rig->query.is_oldest_first);
	for (char *line = strtok(output.out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(json_object_get(json, "seq"));
		json_decref(json);
	}
}

static void unpairing_wants_to_be_meant(void **state) {
	struct rig *rig = *state;
	RUN(rig, "unpair", "front-door");
	expect_status(2);
	/* This hub has nowhere to put a backup: then its keys are not thrown away unasked. */
	RUN(rig, "unpair", "front-door", "--force", "--yes");
	expect_status(1);
	expect_err("--no-backup");
	RUN(rig, "unpair", "front-door", "--force", "--yes", "--no-backup");
	expect_status(0);
	expect_out("unpaired");
	RUN(rig, "list", "--names");
	assert_string_equal(output.out, "back-door\n");
	RUN(rig, "unpair", "back-door", "--force", "--yes", "--no-backup", "--json");
	expect_status(0);
	json_decref(parsed());
	RUN(rig, "list");
	expect_status(0);
	expect_out("lockhubctl pair");
}

static void names_from_outside_do_not_drive_the_terminal(void **state) {
	struct rig *rig = *state;
	struct event *event = &rig->fake->stored[rig->fake->n_stored++];
	event_init(event, EVENT_LOCK_OPERATION, &rig->fake->clock);
	event->seq = 999;
	event->operation = OPERATION_UNLOCK;
	snprintf(event->user, sizeof(event->user), "evil\033[2J\a\r\xff");
	RUN(rig, "log");
	expect_status(0);
	expect_out("evil?[2J");
	for (const char *p = output.out; *p != '\0'; p++) {
		assert_true((unsigned char) *p >= 0x20 || *p == '\n');
	}
	RUN(rig, "log", "--json");
	json_decref(parsed());
}

static void without_lockhubd_it_says_how_to_start_it(void **state) {
	struct rig *rig = *state;
	rig->api = api_free(rig->api);
	RUN(rig, "list");
	expect_status(1);
	expect_err("lockhubd is not running");
	expect_err("systemctl start lockhubd");
	rig_start_api(rig);
}

/* Long enough after the start of the program for it to listen; then the door is unlocked. */
static void unlock_later(struct rig *rig, unsigned turn) {
	struct op *op = NULL;
	struct fault fault;
	if (turn % 300 == 299) {
		struct request request = fake_request(FRONT_ID, ACT_UNLOCK);
		rig->bolt = 'L';
		hub_request(rig->fake->hub, &request, &op, &fault);
	}
}

static void monitor_shows_what_happens(void **state) {
	struct rig *rig = *state;
	rig->during = unlock_later;
	rig->stop_at = "locked -> unlocked";
	RUN(rig, "monitor");
	expect_out("front-door");
	expect_out("state: locked -> unlocked  (answered by the lock");
	assert_int_equal(output.status, -1); /* ended by us */
	rig->bolt = 'L';
	RUN(rig, "lock", "front-door");
	rig->stop_at = "\"unlocked\"";
	RUN(rig, "monitor", "front-door", "--json");
	for (char *line = strtok(output.out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(json_object_get(json, "at"));
		assert_non_null(json_object_get(json, "kind"));
		json_decref(json);
	}
}

static void request_now(struct rig *rig, enum act act) {
	struct request request = fake_request(FRONT_ID, act);
	struct op *op = NULL;
	struct fault fault;

	assert_int_equal(hub_request(rig->fake->hub, &request, &op, &fault), 0);
}

/*
 * Unlocks when the program has asked and has no answer yet, so that both the answer and signals
 * tell it; locks behind the answer, so that only signals do. Each once, however slow all is.
 */
static void act_around_the_answer(struct rig *rig, unsigned turn) {
	static enum { ASKING, UNLOCKING, ANSWERING, DONE } step;
	static size_t n_finished;

	if (turn == 0) {
		step = ASKING;
		rig->is_query_held = true;
	}
	if (step == ASKING && rig->query_done != NULL) {
		n_finished = rig->fake->n_finished;
		request_now(rig, ACT_UNLOCK);
		step = UNLOCKING;
	} else if (step == UNLOCKING && rig->fake->n_finished > n_finished) {
		rig->is_query_held = false;
		step = ANSWERING;
	} else if (step == ANSWERING && rig->query_done == NULL) {
		request_now(rig, ACT_LOCK);
		step = DONE;
	}
}

static unsigned count_out(const char *text) {
	unsigned n = 0;

	for (const char *at = strstr(output.out, text); at != NULL; at = strstr(at + 1, text)) {
		n++;
	}
	return n;
}

static void the_log_is_followed(void **state) {
	struct rig *rig = *state;
	rig->during = act_around_the_answer;
	rig->stop_at = " lock finished";
	RUN(rig, "log", "-f", "front-door");
	expect_out("unlock requested by anna");
	expect_out("unlock finished");
	assert_int_equal(count_out("unlock requested"), 1); /* not from both sources */
	assert_int_equal(count_out("unlock finished"), 1);
	assert_int_equal(count_out(" lock requested"), 1);
	rig->stop_at = "\"operation_finished\"";
	RUN(rig, "log", "-f", "--json", "--lock", "front-door");
	for (char *line = strtok(output.out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(json_object_get(json, "seq"));
		json_decref(json);
	}
}

/* The lock is heard during the scan. */
static void hear_later(struct rig *rig, unsigned turn) {
	if (rig->fake->is_scanning && turn % 50 == 49) {
		fake_heard(rig->fake, "AA:BB:CC:00:00:09", true, false);
	}
}

static void a_lock_is_paired_by_its_address(void **state) {
	struct rig *rig = *state;
	rig->during = hear_later;
	RUN_WITH(rig, "1234\n", "pair", "AA:BB:CC:00:00:09", "--name", "Shed", "--yes",
		"--pin-stdin");
	expect_status(0);
	expect_out("Paired as shed");
	assert_null(strstr(output.out, "1234"));
	assert_false(rig->fake->is_scanning); /* no longer than needed */
	RUN(rig, "list", "--names");
	expect_out("shed\n");
}

/* May another user run the program at all? A build tree under /root is not for them. */
static bool can_run_as_others(struct rig *rig) {
	if (getuid() != 0) {
		return false;
	}
	RUN_AS(rig, UID_OF_GROUP, "--version");
	return output.status == 0;
}

static void the_group_may_view_and_operate(void **state) {
	struct rig *rig = *state;
	if (!can_run_as_others(rig)) {
		skip();
	}
	RUN_AS(rig, UID_OF_GROUP, "unlock", "front-door");
	expect_status(0);
	RUN_AS(rig, UID_OF_GROUP, "log");
	expect_status(0);
	RUN_AS(rig, UID_OF_GROUP, "rename", "front-door", "Mine");
	expect_status(1);
	expect_err("Not allowed");
	expect_err("manage");
	RUN_AS(rig, UID_OF_GROUP, "unpair", "front-door", "--yes");
	expect_status(1);
	/* Who there is may be seen; who may enter is not theirs to say. */
	RUN(rig, "user", "add", "Anna");
	RUN_AS(rig, UID_OF_GROUP, "user", "show", "anna");
	expect_status(0);
	RUN_AS(rig, UID_OF_GROUP, "user", "remove", "anna", "--yes");
	expect_status(1);
	expect_err("manage");
	RUN_AS(rig, UID_OF_GROUP, "rules", "front-door", "factor=none");
	expect_status(1);
	expect_err("manage");
	RUN_AS(rig, UID_OF_GROUP, "calibrate", "front-door");
	expect_status(1);
	expect_err("Not allowed");
}

/* Whoever does not manage proves who he is, where the rules want it. */
static void the_group_proves_who_it_is(void **state) {
	struct rig *rig = *state;
	if (!can_run_as_others(rig)) {
		skip();
	}
	RUN(rig, "user", "add", "Anna", "--lock", "front-door");
	RUN_WITH(rig, "482915\n", "user", "edit", "anna", "--code", "--stdin");
	expect_status(0);
	RUN(rig, "rules", "front-door", "factor=code");
	expect_status(0);
	RUN_AS(rig, UID_OF_GROUP, "unlock", "front-door");
	expect_status(1);
	expect_err("lockhubctl user edit USER --code");
	assert_int_equal(rig->bolt, 'L');
	run_as(rig, UID_OF_GROUP, "482916\n",
		(const char *const[]){ "unlock", "front-door", "--code", "--stdin", NULL });
	expect_status(1);
	assert_null(strstr(output.err, "482916"));
	assert_int_equal(rig->bolt, 'L');
	run_as(rig, UID_OF_GROUP, "482915\n",
		(const char *const[]){ "unlock", "front-door", "--code", "--stdin", NULL });
	expect_status(0);
	assert_int_equal(rig->bolt, 'U');
	/* Locking needs no proof. */
	RUN_AS(rig, UID_OF_GROUP, "lock", "front-door");
	expect_status(0);
}

static void others_may_nothing(void **state) {
	struct rig *rig = *state;
	static const char *const words[][4] = { { "unlock", "front-door" },
		{ "lock", "front-door" }, { "log" }, { "log", "verify" }, { "scan" },
		{ "refresh", "front-door" }, { "rename", "front-door", "Mine" },
		{ "user", "add", "Mallory" }, { "code", "reveal", "1f2e3d4c" }, { "code", "sync" },
		{ "log", "export", "-" }, { "unpair", "front-door", "--yes" } };
	if (!can_run_as_others(rig)) {
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		run_as(rig, UID_OF_NOBODY, "",
			(const char *const[]){
				words[i][0], words[i][1], words[i][2], words[i][3], NULL });
		expect_status(1);
		expect_err("Not allowed");
		expect_err("group");
	}
	assert_int_equal(fake_count(fake_link(rig->fake, FRONT_ADDRESS), 'U'), 0);
	assert_int_equal(fake_count(fake_link(rig->fake, FRONT_ADDRESS), 'L'), 0);
}

/* A polkit of our own, on the rig's client. */
static struct {
	char action[64], subject[64];
	unsigned flags;
	int is_authorized, is_challenge;
	const char *error; /* instead of an answer */
} polkit;

static int check_authorization(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	const char *kind, *key, *name, *action, *cancellation;
	assert_true(sd_bus_message_read(message, "(sa{sv})", &kind, 1, &key, "s", &name) > 0);
	assert_true(sd_bus_message_read(
			    message, "sa{ss}us", &action, 0, &polkit.flags, &cancellation) > 0);
	assert_string_equal(kind, "system-bus-name");
	snprintf(polkit.action, sizeof(polkit.action), "%s", action);
	snprintf(polkit.subject, sizeof(polkit.subject), "%s", name);
	if (polkit.error != NULL) {
		return sd_bus_reply_method_errorf(message, polkit.error, "not today");
	}
	return sd_bus_reply_method_return(
		message, "(bba{ss})", polkit.is_authorized, polkit.is_challenge, 0);
}

/* clang-format off */
static const sd_bus_vtable polkit_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", check_authorization,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END
};
/* clang-format on */

static void polkit_decides_where_there_is_one(void **state) {
	struct rig *rig = *state;
	sd_bus_slot *slot = NULL;
	if (!can_run_as_others(rig)) {
		skip();
	}
	memset(&polkit, 0, sizeof(polkit));
	sd_bus *bus = bus_sd(rig->client);
	assert_true(sd_bus_add_object_vtable(bus, &slot, "/org/freedesktop/PolicyKit1/Authority",
			    "org.freedesktop.PolicyKit1.Authority", polkit_vtable, NULL) >= 0);
	assert_true(sd_bus_request_name_async(
			    bus, NULL, "org.freedesktop.PolicyKit1", 0, NULL, NULL) >= 0);
	rig_call(rig, NULL, NULL, NULL, NULL);

	/* It allows what the group may not, and to somebody who is not in it. */
	polkit.is_authorized = 1;
	RUN_AS(rig, UID_OF_NOBODY, "rename", "front-door", "Front gate");
	expect_status(0);
	assert_string_equal(polkit.action, "org.lockhub1.manage");
	assert_int_equal(polkit.subject[0], ':');
	assert_int_equal(polkit.flags, 1); /* lockhubctl lets a person be asked */
	RUN_AS(rig, UID_OF_NOBODY, "unlock", "front-gate", "--no-ask-password");
	expect_status(0);
	assert_string_equal(polkit.action, "org.lockhub1.operate");
	assert_int_equal(polkit.flags, 0);

	/* It refuses what the group may. */
	polkit.is_authorized = 0;
	RUN_AS(rig, UID_OF_GROUP, "lock", "front-gate");
	expect_status(1);
	expect_err("polkit does not allow org.lockhub1.operate");
	polkit.is_challenge = 1;
	RUN_AS(rig, UID_OF_GROUP, "lock", "front-gate");
	expect_err("needs a password");

	/* One that is there and broken is no way round it. */
	polkit.error = "org.freedesktop.PolicyKit1.Error.Failed";
	RUN_AS(rig, UID_OF_GROUP, "lock", "front-gate");
	expect_status(1);
	expect_err("polkit cannot be asked: not today");
	/* Root is not asked about. */
	polkit.action[0] = '\0';
	RUN(rig, "lock", "front-gate");
	expect_status(0);
	assert_string_equal(polkit.action, "");
	sd_bus_slot_unref(slot);
}

int main(void) {
#define ON_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		ON_RIG(list_shows_all_locks),
		ON_RIG(show_says_how_it_is_known),
		ON_RIG(an_operation_is_waited_for),
		ON_RIG(a_failure_has_a_reason_and_a_hint),
		ON_RIG(no_outcome_in_time_is_said),
		ON_RIG(json_is_valid_everywhere),
		ON_RIG(signal_tells_what_was_counted),
		ON_RIG(the_log_is_printed),
		ON_RIG(a_pin_comes_from_standard_input_only),
		ON_RIG(people_are_managed),
		ON_RIG(timers_are_listed_set_and_removed),
		ON_RIG(codes_are_shown_once_and_never_given_as_arguments),
		ON_RIG(rules_and_holidays_are_kept),
		ON_RIG(people_are_exported_and_imported),
		ON_RIG(people_come_as_comma_separated_values),
		ON_RIG(an_import_leaves_no_limit_out),
		ON_RIG(one_time_passwords_are_set_up),
		ON_RIG(the_log_is_exported),
		ON_RIG(unpairing_wants_to_be_meant),
		ON_RIG(names_from_outside_do_not_drive_the_terminal),
		ON_RIG(without_lockhubd_it_says_how_to_start_it),
		ON_RIG(monitor_shows_what_happens),
		ON_RIG(the_log_is_followed),
		ON_RIG(a_lock_is_paired_by_its_address),
		ON_RIG(the_group_may_view_and_operate),
		ON_RIG(the_group_proves_who_it_is),
		ON_RIG(others_may_nothing),
		ON_RIG(polkit_decides_where_there_is_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
