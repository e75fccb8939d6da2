/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rig.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/text.h"

#define PATIENCE_MS 20000

static struct rig *rig_of_ledger;

static void query(struct ledger *ledger, const struct log_query *log_query,
	void (*done)(void *user, const struct event *events, size_t n, const struct fault *fault),
	void *user) {
	rig_of_ledger->query = *log_query;
	rig_of_ledger->query_done = done;
	rig_of_ledger->ledger_user = user;
}

static void verify(struct ledger *ledger,
	void (*done)(void *user, const struct log_verify *result, const struct fault *fault),
	void *user) {
	rig_of_ledger->verify_done = done;
	rig_of_ledger->ledger_user = user;
}

static void answer_ledger(struct rig *rig) {
	struct fault *fault = rig->query_fault.code != FAULT_NONE ? &rig->query_fault : NULL;
	if (rig->is_query_held) {
		return;
	}
	if (rig->query_done != NULL) {
		void (*done)(void *, const struct event *, size_t, const struct fault *) =
			rig->query_done;
		rig->query_done = NULL;
		done(rig->ledger_user, rig->fake->stored, fault != NULL ? 0 : rig->fake->n_stored,
			fault);
	}
	if (rig->verify_done != NULL) {
		struct log_verify result = { .n_rows = (int64_t) rig->fake->n_stored,
			.first_seq = 1,
			.last_seq = rig->fake->seq };
		void (*done)(void *, const struct log_verify *, const struct fault *) =
			rig->verify_done;
		rig->verify_done = NULL;
		done(rig->ledger_user, &result, fault);
	}
}

/* What a lock does that is asked: the motor runs, the state is told. */
static void serve(struct rig *rig, struct fake_link *link) {
	const struct fake_write *write = fake_written(link);
	if (fake_is_wanted(link)) {
		fake_up(rig->fake, link);
		return;
	}
	if (write == NULL) {
		return;
	}
	char answer[2] = { 'D', '-' };
	if (rig->refusal != 0 && strchr("LUOv", write->bytes[0]) != NULL) {
		answer[0] = 'F';
		answer[1] = rig->refusal;
	} else if (strchr("LUO", write->bytes[0]) != NULL) {
		rig->bolt = (char) write->bytes[0];
		answer[1] = rig->bolt;
	} else if (write->bytes[0] == 's') {
		answer[1] = rig->bolt;
	}
	fake_confirm(rig->fake, link, 0, RADIO_NOT_SENT);
	fake_answer(rig->fake, link, answer, sizeof(answer));
}

void rig_turn(struct rig *rig) {
	/* Not loop_turn(2): on a loaded machine its timer may be over before the loop waits. */
	loop_turn(rig->loop, 0);
	usleep(1000);
	fake_turn(rig->fake);
	answer_ledger(rig);
	for (size_t i = 0; i < rig->fake->n_links && !rig->is_deaf; i++) {
		serve(rig, rig->fake->links[i]);
	}
}

static int64_t now_ms(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void rig_until(struct rig *rig, const bool *flag) {
	int64_t end = now_ms() + PATIENCE_MS;
	while (!*flag && now_ms() < end) {
		rig_turn(rig);
	}
	assert_true(*flag);
}

void rig_start_api(struct rig *rig) {
	const struct api_config config = {
		.address = private_bus_address(rig->daemon), .version = "1.2.3", .group = "nogroup"
	};
	rig->api = api_new(rig->loop, rig->fake->hub, &config);
	assert_non_null(rig->api);
}

void rig_until_named(struct rig *rig) {
	int64_t end = now_ms() + PATIENCE_MS;
	while (api_fault(rig->api)->code != FAULT_NONE && now_ms() < end) {
		rig_turn(rig);
	}
	assert_int_equal(api_fault(rig->api)->code, FAULT_NONE);
	/* The name comes after the objects: the answer to the request for it may be under way. */
	rig_call(rig, NULL, NULL, NULL, NULL);
}

static int on_signal(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct rig *rig = user;
	const char *text = NULL;
	if (rig->n_signals >= RIG_SIGNALS_MAX || sd_bus_message_get_interface(message) == NULL) {
		return 0;
	}
	size_t i = rig->n_signals++;
	memset(&rig->signals[i], 0, sizeof(rig->signals[i]));
	text_copy(rig->signals[i].path, sizeof(rig->signals[i].path),
		sd_bus_message_get_path(message));
	text_copy(rig->signals[i].interface, sizeof(rig->signals[i].interface),
		sd_bus_message_get_interface(message));
	text_copy(rig->signals[i].member, sizeof(rig->signals[i].member),
		sd_bus_message_get_member(message));
	char type = 0;
	if (sd_bus_message_peek_type(message, &type, NULL) > 0 && (type == 's' || type == 'o')) {
		sd_bus_message_read_basic(message, type, &text);
		text_copy(rig->signals[i].first, sizeof(rig->signals[i].first), text);
		if (sd_bus_message_peek_type(message, &type, NULL) > 0 && type == 's') {
			sd_bus_message_read_basic(message, type, &text);
			text_copy(rig->signals[i].second, sizeof(rig->signals[i].second), text);
		}
	}
	return 0;
}

static void on_client_up(void *user) {
	struct rig *rig = user;
	rig->is_client_up = true;
	sd_bus_add_match_async(bus_sd(rig->client), &rig->match,
		"type='signal',path_namespace='/org/lockhub1'", on_signal, NULL, rig);
}

static void on_client_down(void *user, int error) {
	struct rig *rig = user;
	rig->is_client_up = false;
	rig->match = sd_bus_slot_unref(rig->match);
	rig->reply = sd_bus_message_unref(rig->reply);
}

void rig_start_client(struct rig *rig) {
	static const struct bus_user impl = { .up = on_client_up, .down = on_client_down };
	rig->client = bus_new(rig->loop, "test", private_bus_address(rig->daemon), &impl, rig);
	assert_non_null(rig->client);
	bus_open(rig->client);
	rig_until(rig, &rig->is_client_up);
}

/* The private bus is for its own user; some tests come as others. */
static void let_others_in(const char *address) {
	char socket[128], path[160], folder[128];
	snprintf(socket, sizeof(socket), "%s", strstr(address, "path=") + 5);
	snprintf(folder, sizeof(folder), "%s", socket);
	*strrchr(folder, '/') = '\0';
	snprintf(path, sizeof(path), "%s/bus.conf", folder);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	fprintf(file,
		"<busconfig><type>custom</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>"
		"<policy context=\"default\"><allow user=\"*\"/>"
		"<allow send_destination=\"*\" eavesdrop=\"true\"/>"
		"<allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
		socket);
	fclose(file);
	assert_int_equal(chmod(folder, 0755), 0);
}

int rig_setup(void **state) {
	struct rig *rig = calloc(1, sizeof(*rig));
	*state = rig;
	rig_of_ledger = rig;
	rig->bolt = 'L';
	rig->daemon = private_bus_new();
	rig->loop = loop_new();
	rig->fake = fake_new();
	rig->fake->has_timers = true;
	if (rig->daemon == NULL || rig->loop == NULL) {
		return -1;
	}
	let_others_in(private_bus_address(rig->daemon));
	if (!private_bus_start(rig->daemon)) {
		return -1;
	}
	rig->ledger = *rig->fake->ledger.impl;
	rig->ledger.query = query;
	rig->ledger.verify = verify;
	rig->fake->ledger.impl = &rig->ledger;
	fake_add_lock(rig->fake, FRONT_ID, "Front door", true);
	fake_add_lock(rig->fake, BACK_ID, "Back door", false);
	rig_start_api(rig);
	rig_start_client(rig);
	rig_until_named(rig);
	fake_start(rig->fake);
	for (unsigned i = 0; i < 30; i++) {
		rig_turn(rig);
	}
	rig_forget(rig);
	return 0;
}

int rig_teardown(void **state) {
	struct rig *rig = *state;
	rig->match = sd_bus_slot_unref(rig->match);
	rig->reply = sd_bus_message_unref(rig->reply);
	bus_free(rig->client);
	api_free(rig->api);
	rig->is_query_held = false;
	answer_ledger(rig); /* whoever still waits for the log */
	fake_free(rig->fake);
	loop_free(rig->loop);
	private_bus_free(rig->daemon);
	free(rig);
	return 0;
}

static int on_reply(sd_bus_message *reply, void *user, sd_bus_error *ret_error) {
	struct rig *rig = user;
	rig->reply = sd_bus_message_ref(reply);
	return 1;
}

void rig_send(struct rig *rig, sd_bus_message *take_call) {
	sd_bus_slot *slot = NULL;
	int64_t end = now_ms() + PATIENCE_MS;
	rig->reply = sd_bus_message_unref(rig->reply);
	assert_true(
		sd_bus_call_async(bus_sd(rig->client), &slot, take_call, on_reply, rig, 0) >= 0);
	sd_bus_message_unref(take_call);
	bus_kick(rig->client);
	while (rig->reply == NULL && now_ms() < end) {
		rig_turn(rig);
	}
	sd_bus_slot_unref(slot);
	assert_non_null(rig->reply);
}

void rig_call(struct rig *rig, const char *path, const char *interface, const char *member,
	const char *types, ...) {
	sd_bus_message *call = NULL;
	if (path == NULL) { /* just a round trip */
		assert_true(sd_bus_message_new_method_call(bus_sd(rig->client), &call,
				    "org.freedesktop.DBus", "/org/freedesktop/DBus",
				    "org.freedesktop.DBus.Peer", "Ping") >= 0);
		rig_send(rig, call);
		return;
	}
	assert_true(sd_bus_message_new_method_call(bus_sd(rig->client), &call, "org.lockhub1", path,
			    interface, member) >= 0);
	if (types != NULL && types[0] != '\0') {
		va_list args;
		va_start(args, types);
		assert_true(sd_bus_message_appendv(call, types, args) >= 0);
		va_end(args);
	}
	rig_send(rig, call);
}

const char *rig_error(const struct rig *rig) {
	const sd_bus_error *error = sd_bus_message_get_error(rig->reply);
	return error != NULL ? error->name : NULL;
}

static void get(struct rig *rig, const char *path, const char *interface, const char *name) {
	rig_call(rig, path, "org.freedesktop.DBus.Properties", "Get", "ss", interface, name);
	assert_null(rig_error(rig));
}

const char *rig_text(struct rig *rig, const char *path, const char *interface, const char *name) {
	const char *text = NULL;
	get(rig, path, interface, name);
	char type;
	const char *contents;
	assert_true(sd_bus_message_peek_type(rig->reply, &type, &contents) > 0);
	assert_true(sd_bus_message_enter_container(rig->reply, 'v', contents) > 0);
	assert_true(sd_bus_message_read_basic(rig->reply, contents[0], &text) > 0);
	return text;
}

int rig_flag(struct rig *rig, const char *path, const char *interface, const char *name) {
	int flag = -1;
	get(rig, path, interface, name);
	assert_true(sd_bus_message_read(rig->reply, "v", "b", &flag) > 0);
	return flag;
}

static bool fits(const char *wanted, const char *text) {
	return wanted == NULL || strcmp(wanted, text) == 0;
}

unsigned rig_signals(struct rig *rig, const char *path, const char *member, const char *first,
	const char *second) {
	unsigned n = 0;
	for (size_t i = 0; i < rig->n_signals; i++) {
		n += fits(path, rig->signals[i].path) && fits(member, rig->signals[i].member) &&
		     fits(first, rig->signals[i].first) && fits(second, rig->signals[i].second);
	}
	return n;
}

void rig_forget(struct rig *rig) {
	rig->n_signals = 0;
}

void rig_until_signal(struct rig *rig, const char *path, const char *member, const char *first,
	const char *second) {
	int64_t end = now_ms() + PATIENCE_MS;
	while (rig_signals(rig, path, member, first, second) == 0 && now_ms() < end) {
		rig_turn(rig);
	}
	assert_true(rig_signals(rig, path, member, first, second) > 0);
}

static int scratch(void) {
	char path[] = "/tmp/lockhub-rig-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	unlink(path);
	return fd;
}

static bool has_printed(int fd, const char *text) {
	static char buf[65536];
	ssize_t n = pread(fd, buf, sizeof(buf) - 1, 0);
	buf[n > 0 ? n : 0] = '\0';
	return strstr(buf, text) != NULL;
}

static void slurp(int fd, char *out, size_t size) {
	ssize_t n = pread(fd, out, size - 1, 0);
	out[n > 0 ? n : 0] = '\0';
	close(fd);
}

static void become(uid_t uid) {
	const struct group *group = getgrnam("nogroup");
	gid_t gid = group != NULL ? group->gr_gid : 65534;
	/* uid 0: as we are. Odd uids are not in the group. */
	if (uid != 0 && (setgroups(0, NULL) < 0 || setgid(uid % 2 == 0 ? gid : 4242) < 0 ||
				setuid(uid) < 0)) {
		_exit(99);
	}
}

void rig_run(
	struct rig *rig, const char *input, uid_t uid, char *const argv[], struct rig_output *ret) {
	int in = scratch(), out = scratch(), err = scratch(), status = 0;
	int64_t end = now_ms() + PATIENCE_MS;
	assert_int_equal(write(in, input, strlen(input)), (ssize_t) strlen(input));
	lseek(in, 0, SEEK_SET);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(in, 0);
		dup2(out, 1);
		dup2(err, 2);
		setenv("LOCKHUB_BUS_ADDRESS", private_bus_address(rig->daemon), 1);
		setenv("LC_ALL", "C.UTF-8", 1);
		setenv("TZ", "UTC", 1);
		become(uid);
		execv(argv[0], argv);
		_exit(98);
	}
	pid_t done = 0;
	for (unsigned turn = 0; (done = waitpid(pid, &status, WNOHANG)) == 0 && now_ms() < end;
		turn++) {
		rig_turn(rig);
		if (rig->during != NULL) {
			rig->during(rig, turn);
		}
		if (rig->stop_at != NULL && has_printed(out, rig->stop_at)) {
			kill(pid, SIGTERM);
		}
	}
	if (done == 0) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	ret->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	slurp(out, ret->out, sizeof(ret->out));
	slurp(err, ret->err, sizeof(ret->err));
	close(in);
}
