/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rig.h"

#include <sys/socket.h>
#include <unistd.h>

#define LOCK "org.lockhub1.Lock"
#define MANAGER "org.lockhub1.Manager"
#define MANAGER_PATH "/org/lockhub1/manager"
#define OPERATION "org.lockhub1.Operation"
#define DENIED "org.lockhub1.Error.Denied"

/* The object path in the reply; copied to out. */
static char *reply_path(struct rig *rig, char out[static 128]) {
	const char *path = NULL;
	if (rig_error(rig) != NULL) {
		fail_msg("%s", rig_error(rig));
	}
	assert_true(sd_bus_message_read(rig->reply, "o", &path) > 0);
	snprintf(out, 128, "%s", path);
	return out;
}

static void introspection_lists_the_objects(void **state) {
	struct rig *rig = *state;
	const char *xml;
	rig_call(
		rig, "/org/lockhub1/lock", "org.freedesktop.DBus.Introspectable", "Introspect", "");
	assert_null(rig_error(rig));
	assert_true(sd_bus_message_read(rig->reply, "s", &xml) > 0);
	assert_non_null(strstr(xml, "<node name=\"front_door\"/>"));
	assert_non_null(strstr(xml, "<node name=\"back_door\"/>"));
	rig_call(rig, FRONT_PATH, "org.freedesktop.DBus.Introspectable", "Introspect", "");
	assert_true(sd_bus_message_read(rig->reply, "s", &xml) > 0);
	assert_non_null(strstr(xml, "<interface name=\"" LOCK "\">"));
	assert_non_null(strstr(xml, "<arg type=\"s\" name=\"pin\" direction=\"in\"/>"));
}

static void printed_introspection_has_every_interface(void **state) {
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	assert_non_null(out);
	assert_int_equal(api_print_introspection(out), 0);
	fclose(out);
	assert_non_null(strstr(text, "<interface name=\"" MANAGER "\">"));
	assert_non_null(strstr(text, "<interface name=\"" LOCK "\">"));
	assert_non_null(strstr(text, "<interface name=\"" OPERATION "\">"));
	assert_non_null(strstr(text, "<interface name=\"org.lockhub1.User\">"));
	assert_non_null(strstr(text, "<signal name=\"Finished\">"));
	assert_non_null(strstr(text, "</node>\n"));
	free(text);
}

static void all_objects_come_in_one_answer(void **state) {
	struct rig *rig = *state;
	unsigned n = 0;
	const char *path;
	rig_call(rig, "/org/lockhub1", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
		"");
	assert_null(rig_error(rig));
	assert_true(sd_bus_message_enter_container(rig->reply, 'a', "{oa{sa{sv}}}") > 0);
	while (sd_bus_message_enter_container(rig->reply, 'e', "oa{sa{sv}}") > 0) {
		assert_true(sd_bus_message_read(rig->reply, "o", &path) > 0);
		n += strcmp(path, FRONT_PATH) == 0 || strcmp(path, BACK_PATH) == 0 ||
		     strcmp(path, MANAGER_PATH) == 0;
		assert_true(sd_bus_message_skip(rig->reply, "a{sa{sv}}") > 0);
		assert_true(sd_bus_message_exit_container(rig->reply) > 0);
	}
	assert_int_equal(n, 3);
}

static void properties_tell_the_facts(void **state) {
	struct rig *rig = *state;
	assert_string_equal(rig_text(rig, FRONT_PATH, LOCK, "Name"), "Front door");
	assert_string_equal(rig_text(rig, FRONT_PATH, LOCK, "Slug"), "front-door");
	assert_string_equal(rig_text(rig, FRONT_PATH, LOCK, "Id"), FRONT_ID);
	assert_string_equal(rig_text(rig, FRONT_PATH, LOCK, "State"), "locked");
	assert_string_equal(rig_text(rig, FRONT_PATH, LOCK, "Door"), "unknown");
	assert_string_equal(rig_text(rig, FRONT_PATH, LOCK, "Fault"), "none");
	assert_string_equal(rig_text(rig, FRONT_PATH, LOCK, "FaultText"), "");
	assert_string_equal(rig_text(rig, FRONT_PATH, LOCK, "Brand"), "Fake");
	assert_int_equal(rig_flag(rig, FRONT_PATH, LOCK, "HasPin"), 1);
	assert_int_equal(rig_flag(rig, BACK_PATH, LOCK, "HasPin"), 0);
	assert_int_equal(rig_flag(rig, FRONT_PATH, LOCK, "Reachable"), 1);
	assert_string_equal(rig_text(rig, MANAGER_PATH, MANAGER, "Version"), "1.2.3");
	rig_call(rig, FRONT_PATH, "org.freedesktop.DBus.Properties", "GetAll", "s", LOCK);
	assert_null(rig_error(rig));
	rig_call(rig, MANAGER_PATH, "org.freedesktop.DBus.Properties", "GetAll", "s", MANAGER);
	assert_null(rig_error(rig));
	rig_call(rig, FRONT_PATH, "org.freedesktop.DBus.Properties", "Get", "ss", LOCK, "Nonsense");
	assert_non_null(rig_error(rig));
	rig_call(rig, "/org/lockhub1/lock/nonsense", LOCK, "Lock", "");
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.NoSuchLock");
	rig_call(rig, "/org/lockhub1/operation/nonsense", OPERATION, "Cancel", "");
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.NoSuchOperation");
}

static void statistics_are_told(void **state) {
	struct rig *rig = *state;
	const char *address;
	rig_call(rig, FRONT_PATH, LOCK, "GetRadioStatistics", "");
	assert_null(rig_error(rig));
	assert_true(sd_bus_message_has_signature(rig->reply, "a{sv}"));
	rig_call(rig, MANAGER_PATH, MANAGER, "GetRadioStatistics", "");
	assert_null(rig_error(rig));
	assert_true(sd_bus_message_enter_container(rig->reply, 'a', "{sa{sv}}") > 0);
	assert_true(sd_bus_message_enter_container(rig->reply, 'e', "sa{sv}") > 0);
	assert_true(sd_bus_message_read(rig->reply, "s", &address) > 0);
	assert_string_equal(address, "00:AA:01:00:00:00");
}

static void move(struct rig *rig, const char *method) {
	const char *path;
	char own[128];
	rig_forget(rig);
	rig_call(rig, FRONT_PATH, LOCK, method, "");
	assert_null(rig_error(rig));
	assert_true(sd_bus_message_read(rig->reply, "o", &path) > 0);
	snprintf(own, sizeof(own), "%s", path);
	rig_until_signal(rig, own, "Finished", "done", NULL);
}

/* Reads all lines there are; whether @text is in one of them. */
static bool is_in_lines(int fd, const char *text) {
	char line[2048];
	bool is_found = false;
	ssize_t n;
	while ((n = recv(fd, line, sizeof(line) - 1, MSG_DONTWAIT)) > 0) {
		line[n] = '\0';
		is_found |= strstr(line, text) != NULL;
	}
	return is_found;
}

/* Lets the others have their turns. */
static void turn_a_while(struct rig *rig) {
	for (unsigned i = 0; i < 20; i++) {
		rig_turn(rig);
	}
}

static int listening(struct rig *rig, const char *path) {
	int ends[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	rig_call(rig, path, LOCK, "Listen", "h", ends[1]);
	close(ends[1]);
	return ends[0];
}

static void a_lock_is_listened_to(void **state) {
	struct rig *rig = *state;
	int others[2], many[9];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, others), 0);
	rig_call(rig, FRONT_PATH, LOCK, "Listen", "h", others[1]);
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.BadArgument");
	close(others[0]);
	close(others[1]);
	int front = listening(rig, FRONT_PATH);
	assert_null(rig_error(rig));
	fake_heard(rig->fake, FRONT_ADDRESS, false, false);
	turn_a_while(rig);
	assert_true(is_in_lines(front, "{\"rssi\": -"));
	/* Another lock is no business of this one. */
	char back[RADIO_ADDRESS_MAX];
	text_copy(back, sizeof(back), lock_address(hub_find_lock(rig->fake->hub, BACK_ID)));
	assert_string_not_equal(back, FRONT_ADDRESS);
	fake_heard(rig->fake, back, false, false);
	turn_a_while(rig);
	assert_false(is_in_lines(front, "rssi"));
	/* Not too many, and who hangs up makes room. */
	for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
		many[i] = listening(rig, FRONT_PATH);
		const char *error = rig_error(rig);
		assert_true(i < 7 ? error == NULL : error != NULL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
		close(many[i]);
	}
	turn_a_while(rig);
	int again = listening(rig, FRONT_PATH);
	assert_null(rig_error(rig));
	close(again);
	/* The lock goes, and the listening with it. */
	rig_call(rig, FRONT_PATH, LOCK, "Unpair", "b", 1);
	assert_null(rig_error(rig));
	rig_until_signal(rig, "/org/lockhub1", "InterfacesRemoved", FRONT_PATH, NULL);
	sd_bus_message_unref(rig->reply);
	rig->reply = NULL;
	turn_a_while(rig);
	char line[64];
	assert_int_equal(recv(front, line, sizeof(line), MSG_DONTWAIT), 0);
	close(front);
}

static void a_lock_is_recorded(void **state) {
	struct rig *rig = *state;
	int ends[2], others[2], small = 1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, others), 0);
	rig_call(rig, FRONT_PATH, LOCK, "Record", "h", others[1]);
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.BadArgument");
	close(others[0]);
	close(others[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	rig_call(rig, FRONT_PATH, LOCK, "Record", "h", ends[1]);
	assert_null(rig_error(rig));
	rig_call(rig, FRONT_PATH, LOCK, "Record", "h", ends[1]);
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.BadArgument");
	close(ends[1]);
	move(rig, "Lock");
	assert_true(is_in_lines(ends[0], "= start lock"));
	/* Nobody reads: nobody waits, and the loss is told. */
	for (unsigned i = 0; i < 20; i++) {
		move(rig, "Lock");
	}
	/* A short line may still have found room behind a long one that did not. */
	bool is_told = is_in_lines(ends[0], "lines are missing");
	move(rig, "Lock");
	is_told = is_in_lines(ends[0], "lines are missing") || is_told;
	assert_true(is_told);
	/* The reader goes: the next one may. */
	close(ends[0]);
	for (unsigned i = 0; i < 20; i++) {
		rig_turn(rig);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	rig_call(rig, FRONT_PATH, LOCK, "Record", "h", ends[1]);
	assert_null(rig_error(rig));
	close(ends[1]);
	/* The lock goes, and the recording with it. */
	rig_call(rig, FRONT_PATH, LOCK, "Unpair", "b", 1);
	assert_null(rig_error(rig));
	rig_until_signal(rig, "/org/lockhub1", "InterfacesRemoved", FRONT_PATH, NULL);
	sd_bus_message_unref(rig->reply);
	rig->reply = NULL;
	for (unsigned i = 0; i < 20; i++) {
		rig_turn(rig);
	}
	char line[2048];
	ssize_t n;
	while ((n = recv(ends[0], line, sizeof(line), MSG_DONTWAIT)) > 0) {
	}
	assert_int_equal(n, 0);
	close(ends[0]);
}

static void the_state_says_how_it_is_known(void **state) {
	struct rig *rig = *state;
	const char *key, *how;
	int64_t wall, boot;
	bool is_found = false;
	rig_call(rig, FRONT_PATH, "org.freedesktop.DBus.Properties", "Get", "ss", LOCK, "Known");
	assert_null(rig_error(rig));
	assert_true(sd_bus_message_enter_container(rig->reply, 'v', "a{s(sxx)}") > 0);
	assert_true(sd_bus_message_enter_container(rig->reply, 'a', "{s(sxx)}") > 0);
	while (sd_bus_message_read(rig->reply, "{s(sxx)}", &key, &how, &wall, &boot) > 0) {
		if (strcmp(key, "state") == 0) {
			is_found = true;
			assert_string_equal(how, "answered");
			assert_true(wall > 0 && boot > 0);
		}
	}
	assert_true(is_found);
}

static void an_unlock_finishes_once_with_its_outcome(void **state) {
	struct rig *rig = *state;
	char path[128];
	rig_call(rig, FRONT_PATH, LOCK, "Unlock", "");
	reply_path(rig, path);
	assert_memory_equal(path, "/org/lockhub1/operation/", 24);
	assert_true(rig_signals(rig, "/org/lockhub1", "InterfacesAdded", path, NULL) == 1);
	rig_until_signal(rig, path, "Finished", "done", "none");
	assert_string_equal(rig_text(rig, path, OPERATION, "Outcome"), "done");
	assert_string_equal(rig_text(rig, path, OPERATION, "State"), "finished");
	assert_string_equal(rig_text(rig, path, OPERATION, "Act"), "unlock");
	assert_string_equal(rig_text(rig, path, OPERATION, "LockSlug"), "front-door");
	assert_string_equal(rig_text(rig, path, OPERATION, "Lock"), FRONT_PATH);
	assert_non_null(strstr(rig_text(rig, path, OPERATION, "Actor"), "(uid "));
	assert_string_equal(rig_text(rig, FRONT_PATH, LOCK, "State"), "unlocked");
	for (unsigned i = 0; i < 20; i++) {
		rig_turn(rig);
	}
	assert_int_equal(rig_signals(rig, path, "Finished", NULL, NULL), 1);
	assert_true(rig_signals(rig, FRONT_PATH, "PropertiesChanged", LOCK, NULL) > 0);
	assert_true(rig_signals(rig, MANAGER_PATH, "Event", NULL, NULL) > 0);
	/* The other lock has nothing to say about it. */
	assert_int_equal(rig_signals(rig, BACK_PATH, "PropertiesChanged", NULL, NULL), 0);
}

static void a_refusal_by_the_lock_is_told_with_its_fault(void **state) {
	struct rig *rig = *state;
	char path[128];
	rig->refusal = FAULT_KEY_DISABLED;
	rig_call(rig, FRONT_PATH, LOCK, "Unlock", "");
	reply_path(rig, path);
	rig_until_signal(rig, path, "Finished", "failed", "key-disabled");
	assert_string_equal(rig_text(rig, path, OPERATION, "Fault"), "key-disabled");
	assert_true(strlen(rig_text(rig, path, OPERATION, "Message")) > 0);
	assert_true(strlen(rig_text(rig, path, OPERATION, "Hint")) > 0);
}

static void errors_have_the_names_of_faults(void **state) {
	struct rig *rig = *state;
	rig_call(rig, MANAGER_PATH, MANAGER, "FindLock", "s", "frnt-door");
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.NoSuchLock");
	assert_non_null(strstr(sd_bus_message_get_error(rig->reply)->message, "front-door"));
	rig_call(rig, MANAGER_PATH, MANAGER, "FindLock", "s", "Front door");
	assert_null(rig_error(rig));
	/* An act the fake lock has not. */
	rig_call(rig, FRONT_PATH, LOCK, "LockNGo", "");
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.NotSupported");
	rig_call(rig, MANAGER_PATH, MANAGER, "Scan", "u", 0);
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.BadArgument");
	rig_call(rig, FRONT_PATH, LOCK, "Rename", "s", "Back door");
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.NameTaken");
	rig_call(rig, FRONT_PATH, LOCK, "Rename", "s", "with\ncontrol");
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.BadArgument");
	rig_call(rig, FRONT_PATH, LOCK, "SetPin", "s", "");
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.BadArgument");
	rig_call(rig, MANAGER_PATH, MANAGER, "Pair", "ssa{sv}", "11:22:33:44:55:66", "", 0);
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.NotDiscovered");
	rig_call(rig, MANAGER_PATH, MANAGER, "Pair", "ssa{sv}", "11:22:33:44:55:66", "", 1, "pim",
		"s", "1234");
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.BadArgument");
	assert_non_null(strstr(sd_bus_message_get_error(rig->reply)->message, "'pin'"));
}

static int64_t get_x(struct rig *rig, const char *path, const char *interface, const char *name) {
	int64_t value = -1;
	rig_call(rig, path, "org.freedesktop.DBus.Properties", "Get", "ss", interface, name);
	assert_null(rig_error(rig));
	assert_true(sd_bus_message_read(rig->reply, "v", "x", &value) > 0);
	return value;
}

/* The one timer there is, as the property tells it. */
static void expect_timer(struct rig *rig, int64_t id, int is_enabled, const char *days,
	const char *time, const char *act) {
	const char *keys[5], *texts[3];
	int64_t told_id;
	int told_enabled;
	rig_call(rig, FRONT_PATH, "org.freedesktop.DBus.Properties", "Get", "ss", LOCK, "Timers");
	assert_null(rig_error(rig));
	assert_true(sd_bus_message_enter_container(rig->reply, 'v', "aa{sv}") > 0);
	assert_true(sd_bus_message_enter_container(rig->reply, 'a', "a{sv}") > 0);
	assert_true(sd_bus_message_read(rig->reply, "a{sv}", 5, &keys[0], "x", &told_id, &keys[1],
			    "b", &told_enabled, &keys[2], "s", &texts[0], &keys[3], "s", &texts[1],
			    &keys[4], "s", &texts[2]) > 0);
	assert_true(sd_bus_message_at_end(rig->reply, false) > 0);
	assert_string_equal(keys[0], "id");
	assert_int_equal(told_id, id);
	assert_int_equal(told_enabled, is_enabled);
	assert_string_equal(texts[0], days);
	assert_string_equal(texts[1], time);
	assert_string_equal(texts[2], act);
}

static void until_done(struct rig *rig) {
	char path[128];
	reply_path(rig, path);
	rig_until_signal(rig, path, "Finished", "done", "none");
}

static void timers_are_set_and_told(void **state) {
	struct rig *rig = *state;
	char path[128];
	/* Behind the configuration, without being asked. */
	assert_int_equal(get_x(rig, FRONT_PATH, LOCK, "TimersRead"), rig->fake->wall.s);
	rig_call(rig, FRONT_PATH, LOCK, "SetTimer", "a{sv}", 3, "days", "s", "mon-fri", "time", "s",
		"7:05", "act", "s", "unlock");
	reply_path(rig, path);
	rig_until_signal(rig, path, "Finished", "done", "none");
	assert_int_equal(get_x(rig, path, OPERATION, "Timer"), 1);
	assert_int_equal(get_x(rig, FRONT_PATH, LOCK, "TimersRead"), rig->fake->wall.s);
	expect_timer(rig, 1, true, "Mon-Fri", "07:05", "unlock");
	/* What is not given stays. */
	rig_call(rig, FRONT_PATH, LOCK, "SetTimer", "a{sv}", 2, "id", "x", (int64_t) 1, "enabled",
		"b", 0);
	until_done(rig);
	expect_timer(rig, 1, false, "Mon-Fri", "07:05", "unlock");
	/* What somebody did with the vendor's app shows when it is read. */
	rig->fake->timers[0].act = ACT_NONE;
	rig->fake->timers[0].days = 0;
	rig_forget(rig);
	rig_call(rig, FRONT_PATH, LOCK, "ReadTimers", "");
	until_done(rig);
	expect_timer(rig, 1, false, "daily", "07:05", "other");
	assert_true(rig_signals(rig, FRONT_PATH, "PropertiesChanged", LOCK, NULL) > 0);
	rig_call(rig, FRONT_PATH, LOCK, "RemoveTimer", "x", (int64_t) 1);
	until_done(rig);
	assert_int_equal(rig->fake->n_timers, 0);
}

static void a_timer_must_make_sense(void **state) {
	struct rig *rig = *state;
	static const struct {
		const char *days, *time, *act, *evidence;
	} rows[] = {
		{ "Mon 08:00-09:00", "7:05", "lock", "days of the week" },
		{ "2027-03-01 - 2027-03-08", "7:05", "lock", "days of the week" },
		{ "Mon; Tue", "7:05", "lock", "days of the week" },
		{ "someday", "7:05", "lock", "someday" },
		{ "daily", "24:00", "lock", "24:00" },
		{ "daily", "7:60", "lock", "7:60" },
		{ "daily", "7:5", "lock", "7:5" },
		{ "daily", "+7:05", "lock", "+7:05" },
		{ "daily", "7:05h", "lock", "7:05h" },
		{ "daily", "", "lock", "time of day" },
		{ "daily", "7:05", "pair", "pair" },
		{ "daily", "7:05", "dance", "dance" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		rig_call(rig, FRONT_PATH, LOCK, "SetTimer", "a{sv}", 3, "days", "s", rows[i].days,
			"time", "s", rows[i].time, "act", "s", rows[i].act);
		assert_string_equal(rig_error(rig), "org.lockhub1.Error.BadArgument");
		assert_non_null(
			strstr(sd_bus_message_get_error(rig->reply)->message, rows[i].evidence));
	}
	rig_call(rig, FRONT_PATH, LOCK, "SetTimer", "a{sv}", 1, "time", "s", "7:05");
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.BadArgument");
	/* Nothing is known of it, so nothing can be kept. */
	rig_call(rig, FRONT_PATH, LOCK, "SetTimer", "a{sv}", 2, "id", "x", (int64_t) 9, "enabled",
		"b", 0);
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.BadArgument");
	rig_call(rig, FRONT_PATH, LOCK, "RemoveTimer", "x", (int64_t) -1);
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.BadArgument");
	rig_call(rig, BACK_PATH, LOCK, "ReadTimers", "");
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.PinRequired");
	assert_int_equal(rig->fake->n_timers, 0);
}

static void an_operation_can_be_cancelled_before_it_is_sent(void **state) {
	struct rig *rig = *state;
	char path[128];
	rig->is_deaf = true;
	fake_down(rig->fake, fake_link(rig->fake, FRONT_ADDRESS), FAULT_NONE);
	rig_call(rig, FRONT_PATH, LOCK, "Unlock", "");
	reply_path(rig, path);
	rig_call(rig, path, OPERATION, "Cancel", "");
	assert_null(rig_error(rig));
	rig_until_signal(rig, path, "Finished", "failed", "cancelled");
	rig_call(rig, path, OPERATION, "Cancel", "");
	assert_non_null(rig_error(rig));
}

static void the_log_answers_later(void **state) {
	struct rig *rig = *state;
	unsigned n = 0;
	const char *contents;
	char type;
	rig_call(rig, MANAGER_PATH, MANAGER, "QueryLog", "a{sv}", 5, "lock", "s", "front-door",
		"limit", "x", (int64_t) 7, "type", "s", "unlocked", "oldest_first", "b", 1, "since",
		"x", (int64_t) 5);
	assert_null(rig_error(rig));
	assert_string_equal(rig->query.lock_id, FRONT_ID);
	assert_string_equal(rig->query.word, "unlocked");
	assert_int_equal(rig->query.limit, 7);
	assert_int_equal(rig->query.since.s, 5);
	assert_true(rig->query.is_oldest_first);
	assert_true(sd_bus_message_enter_container(rig->reply, 'a', "a{sv}") > 0);
	while (sd_bus_message_peek_type(rig->reply, &type, &contents) > 0) {
		assert_true(sd_bus_message_skip(rig->reply, "a{sv}") > 0);
		n++;
	}
	assert_int_equal(n, rig->fake->n_stored);
	assert_true(n > 0);

	rig_call(rig, MANAGER_PATH, MANAGER, "QueryLog", "a{sv}", 1, "typo", "s", "x");
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.BadArgument");
	assert_non_null(strstr(sd_bus_message_get_error(rig->reply)->message, "'type'"));
	rig_call(rig, MANAGER_PATH, MANAGER, "QueryLog", "a{sv}", 1, "type", "s", "unlokced");
	assert_non_null(strstr(sd_bus_message_get_error(rig->reply)->message, "'unlocked'"));
	rig_call(rig, MANAGER_PATH, MANAGER, "QueryLog", "a{sv}", 1, "limit", "s", "x");
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.BadArgument");
	rig_call(rig, MANAGER_PATH, MANAGER, "QueryLog", "a{sv}", 1, "limit", "x", (int64_t) 10001);
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.BadArgument");

	rig_call(rig, MANAGER_PATH, MANAGER, "VerifyLog", "");
	assert_null(rig_error(rig));
	fault_set(&rig->query_fault, FAULT_DATABASE_IO, "the disk is gone");
	rig_call(rig, MANAGER_PATH, MANAGER, "QueryLog", "a{sv}", 0);
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.DatabaseIo");
	rig_call(rig, MANAGER_PATH, MANAGER, "VerifyLog", "");
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.DatabaseIo");
}

static void a_rename_moves_the_object(void **state) {
	struct rig *rig = *state;
	char path[128];
	rig_call(rig, FRONT_PATH, LOCK, "Rename", "s", "Garden gate");
	assert_string_equal(reply_path(rig, path), "/org/lockhub1/lock/garden_gate");
	rig_until_signal(rig, "/org/lockhub1", "InterfacesAdded", path, NULL);
	assert_int_equal(
		rig_signals(rig, "/org/lockhub1", "InterfacesRemoved", FRONT_PATH, NULL), 1);
	assert_string_equal(rig_text(rig, path, LOCK, "Name"), "Garden gate");
	assert_string_equal(rig_text(rig, path, LOCK, "Id"), FRONT_ID);
	rig_call(rig, FRONT_PATH, LOCK, "Lock", "");
	assert_non_null(rig_error(rig));
}

static void an_unpaired_lock_disappears(void **state) {
	struct rig *rig = *state;
	char path[128];
	rig_call(rig, FRONT_PATH, LOCK, "Unpair", "b", 1);
	reply_path(rig, path);
	rig_until_signal(rig, path, "Finished", "done", NULL);
	rig_until_signal(rig, "/org/lockhub1", "InterfacesRemoved", FRONT_PATH, NULL);
	rig_call(rig, FRONT_PATH, LOCK, "Lock", "");
	assert_non_null(rig_error(rig));
	assert_string_equal(rig_text(rig, path, OPERATION, "Outcome"), "done");
}

static void a_lock_is_discovered_and_paired(void **state) {
	struct rig *rig = *state;
	char path[128];
	rig_call(rig, MANAGER_PATH, MANAGER, "Scan", "u", 10);
	assert_null(rig_error(rig));
	assert_int_equal(rig_flag(rig, MANAGER_PATH, MANAGER, "Scanning"), 1);
	fake_heard(rig->fake, "AA:BB:CC:00:00:09", true, false);
	rig_until_signal(rig, MANAGER_PATH, "Discovered", NULL, NULL);
	rig_call(rig, MANAGER_PATH, MANAGER, "Pair", "ssa{sv}", "AA:BB:CC:00:00:09", "Shed", 1,
		"pin", "s", "1234");
	reply_path(rig, path);
	rig_until_signal(rig, path, "Finished", "done", NULL);
	rig_until_signal(rig, "/org/lockhub1", "InterfacesAdded", "/org/lockhub1/lock/shed", NULL);
	assert_string_equal(rig_text(rig, path, OPERATION, "Lock"), "/org/lockhub1/lock/shed");
	rig_call(rig, MANAGER_PATH, MANAGER, "StopScan", "");
	assert_null(rig_error(rig));
	rig->fake->scan_ended(rig->fake->scan_user, NULL);
	rig_until_signal(rig, MANAGER_PATH, "ScanEnded", "none", NULL);
}

static void nothing_can_be_freed(void **state) {
	assert_null(api_free(NULL));
}

static void the_status_is_complete(void **state) {
	struct rig *rig = *state;
	const char *key, *contents;
	char type;
	bool has_radio = false, has_database = false, has_locks = false;
	rig_call(rig, MANAGER_PATH, "org.freedesktop.DBus.Properties", "Get", "ss", MANAGER,
		"Status");
	assert_null(rig_error(rig));
	assert_true(sd_bus_message_enter_container(rig->reply, 'v', "a{sv}") > 0);
	assert_true(sd_bus_message_enter_container(rig->reply, 'a', "{sv}") > 0);
	while (sd_bus_message_peek_type(rig->reply, &type, &contents) > 0) {
		assert_true(sd_bus_message_enter_container(rig->reply, 'e', "sv") > 0);
		assert_true(sd_bus_message_read(rig->reply, "s", &key) > 0);
		has_radio |= strcmp(key, "radio") == 0;
		has_database |= strcmp(key, "database") == 0;
		has_locks |= strcmp(key, "locks") == 0;
		assert_true(sd_bus_message_skip(rig->reply, "v") > 0);
		assert_true(sd_bus_message_exit_container(rig->reply) > 0);
	}
	assert_true(has_radio && has_database && has_locks);
}

static void a_lost_bus_is_survived(void **state) {
	struct rig *rig = *state;
	const char *text;
	private_bus_kill(rig->daemon);
	for (unsigned i = 0; i < 50; i++) {
		rig_turn(rig);
	}
	assert_int_equal(api_fault(rig->api)->code, FAULT_BUS_LOST);
	assert_true(api_answered_lately(rig->api)); /* nothing to restart the daemon for */
	/* What happens meanwhile is seen afterwards. */
	rig->bolt = 'U';
	fake_heard(rig->fake, FRONT_ADDRESS, false, true);
	assert_true(private_bus_start(rig->daemon));
	rig_until(rig, &rig->is_client_up);
	rig_until_named(rig);
	text = rig_text(rig, FRONT_PATH, LOCK, "Name");
	assert_string_equal(text, "Front door");
	char path[128];
	rig_call(rig, FRONT_PATH, LOCK, "Lock", "");
	reply_path(rig, path);
	rig_until_signal(rig, path, "Finished", "done", NULL);
}

static void calls_that_wait_are_dropped_with_the_bus(void **state) {
	struct rig *rig = *state;
	sd_bus_message *call = NULL;
	rig->is_query_held = true;
	assert_true(sd_bus_message_new_method_call(bus_sd(rig->client), &call, "org.lockhub1",
			    MANAGER_PATH, MANAGER, "VerifyLog") >= 0);
	assert_true(sd_bus_send(bus_sd(rig->client), call, NULL) >= 0);
	sd_bus_message_unref(call);
	bus_kick(rig->client);
	for (unsigned i = 0; i < 20; i++) {
		rig_turn(rig);
	}
	assert_true(rig->verify_done != NULL);
	private_bus_kill(rig->daemon);
	for (unsigned i = 0; i < 20; i++) {
		rig_turn(rig);
	}
	rig->is_query_held = false;
	rig_turn(rig); /* answers into the void; the sanitizer would tell */
	assert_true(rig->verify_done == NULL);
}

static void a_silent_bus_shows_in_the_watchdog(void **state) {
	struct rig *rig = *state;
	assert_true(api_answered_lately(rig->api));
	rig_turn(rig);
	assert_true(api_answered_lately(rig->api)); /* pings, if nothing was heard */
	for (unsigned i = 0; i < 20; i++) {
		rig_turn(rig);
	}
	assert_true(api_answered_lately(rig->api));
	private_bus_freeze(rig->daemon, true);
	assert_true(api_answered_lately(rig->api));
	assert_true(api_answered_lately(rig->api));
	bool is_silent = false;
	/* Again and again: something on a busy machine may let it go on. */
	for (unsigned i = 0; i < API_PATIENCE_MS / 100 * 4 && !is_silent; i++) {
		private_bus_freeze(rig->daemon, true);
		usleep(100000);
		loop_turn(rig->loop, 0);
		is_silent = !api_answered_lately(rig->api);
	}
	private_bus_freeze(rig->daemon, false);
	assert_true(is_silent);
}

int main(void) {
#define ON_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(printed_introspection_has_every_interface),
		cmocka_unit_test(nothing_can_be_freed),
		ON_RIG(introspection_lists_the_objects),
		ON_RIG(all_objects_come_in_one_answer),
		ON_RIG(properties_tell_the_facts),
		ON_RIG(statistics_are_told),
		ON_RIG(a_lock_is_recorded),
		ON_RIG(a_lock_is_listened_to),
		ON_RIG(the_state_says_how_it_is_known),
		ON_RIG(an_unlock_finishes_once_with_its_outcome),
		ON_RIG(a_refusal_by_the_lock_is_told_with_its_fault),
		ON_RIG(errors_have_the_names_of_faults),
		ON_RIG(timers_are_set_and_told),
		ON_RIG(a_timer_must_make_sense),
		ON_RIG(an_operation_can_be_cancelled_before_it_is_sent),
		ON_RIG(the_log_answers_later),
		ON_RIG(a_rename_moves_the_object),
		ON_RIG(an_unpaired_lock_disappears),
		ON_RIG(a_lock_is_discovered_and_paired),
		ON_RIG(the_status_is_complete),
		ON_RIG(a_lost_bus_is_survived),
		ON_RIG(calls_that_wait_are_dropped_with_the_bus),
		ON_RIG(a_silent_bus_shows_in_the_watchdog),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
