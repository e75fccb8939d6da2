/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bluez-client.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../private-bus.h"
#include "../../test.h"

#define LINES_MAX 4096
#define PATIENCE_MS 60000
#define WORDS_MAX 24

struct client {
	struct private_bus *daemon;
	char program[4096];
	pid_t pid;
	sd_bus *bus;
	char *lines[LINES_MAX];
	size_t n_lines, n_read, n_left_out;
	uint8_t value[512];
	size_t n_value;
	int64_t called_at;
};

struct pending {
	struct client *client;
	char member[32];
};

int64_t client_now_ms(void) {
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void add(struct client *client, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct client *client, const char *format, ...) {
	va_list args;
	assert_true(client->n_lines < LINES_MAX);
	va_start(args, format);
	assert_true(vasprintf(&client->lines[client->n_lines], format, args) >= 0);
	va_end(args);
	client->n_lines++;
}

static const char *shorten(const char *path) {
	const char *base = "/org/bluez/";
	return strncmp(path, base, strlen(base)) == 0 ? path + strlen(base) : path;
}

/* ---- what comes ---- */

static void take_value(struct client *client, sd_bus_message *m) {
	const void *bytes = NULL;
	assert_true(sd_bus_message_enter_container(m, 'v', "ay") > 0);
	assert_true(sd_bus_message_read_array(m, 'y', &bytes, &client->n_value) >= 0);
	assert_true(client->n_value <= sizeof(client->value));
	memcpy(client->value, bytes, client->n_value);
	assert_true(sd_bus_message_exit_container(m) >= 0);
}

static int on_changed(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct client *client = user;
	const char *interface = NULL, *name = NULL;
	char line[512];
	size_t n = (size_t) snprintf(
		line, sizeof(line), "changed %s", shorten(sd_bus_message_get_path(m)));
	bool is_noise = true;
	assert_true(sd_bus_message_read(m, "s", &interface) > 0);
	assert_true(sd_bus_message_enter_container(m, 'a', "{sv}") > 0);
	while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
		char type = 0;
		const char *contents = NULL;
		assert_true(sd_bus_message_read(m, "s", &name) > 0);
		assert_true(sd_bus_message_peek_type(m, &type, &contents) > 0);
		bool is_air = strcmp(name, "RSSI") == 0 || strcmp(name, "ManufacturerData") == 0 ||
			      strcmp(name, "ServiceData") == 0;
		is_noise = is_noise && is_air;
		if (strcmp(contents, "b") == 0) {
			int on = 0;
			assert_true(sd_bus_message_read(m, "v", "b", &on) > 0);
			n += (size_t) snprintf(line + n, sizeof(line) - n, " %s=%d", name, on);
		} else {
			if (strcmp(name, "Value") == 0) {
				take_value(client, m);
			} else {
				assert_true(sd_bus_message_skip(m, "v") >= 0);
			}
			if (!is_air) {
				n += (size_t) snprintf(line + n, sizeof(line) - n, " %s", name);
			}
		}
		assert_true(sd_bus_message_exit_container(m) >= 0);
	}
	assert_true(sd_bus_message_exit_container(m) >= 0);
	assert_true(sd_bus_message_enter_container(m, 'a', "s") > 0);
	while (sd_bus_message_read(m, "s", &name) > 0) {
		is_noise = false;
		n += (size_t) snprintf(line + n, sizeof(line) - n, " -%s", name);
	}
	if (is_noise) {
		client->n_left_out++;
	} else {
		add(client, "%s", line);
	}
	return 0;
}

static int on_object(sd_bus_message *m, void *user, sd_bus_error *error) {
	const char *path = NULL;
	assert_true(sd_bus_message_read(m, "o", &path) > 0);
	bool is_added = strcmp(sd_bus_message_get_member(m), "InterfacesAdded") == 0;
	add(user, "%s %s", is_added ? "added" : "removed", shorten(path));
	return 0;
}

static int on_owner(sd_bus_message *m, void *user, sd_bus_error *error) {
	const char *name = NULL, *from = NULL, *to = NULL;
	assert_true(sd_bus_message_read(m, "sss", &name, &from, &to) > 0);
	add(user, "owner %s %s", name, to[0] == '\0' ? "gone" : "here");
	return 0;
}

static int on_reply(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct pending *pending = user;
	const sd_bus_error *failure = sd_bus_message_get_error(m);
	if (failure != NULL) {
		add(pending->client, "error %s %s: %s", pending->member, failure->name,
			failure->message);
	} else {
		add(pending->client, "reply %s", pending->member);
	}
	return 0;
}

/* One wait and all that comes of it. */
static void turn(struct client *client, int64_t until) {
	int64_t left = until - client_now_ms();
	if (sd_bus_process(client->bus, NULL) > 0) {
		return;
	}
	sd_bus_wait(client->bus, left <= 0 ? 0 : (uint64_t) left * 1000);
}

/* ---- life ---- */

static pid_t spawn(char *const *argv, int keep_fd, int out_fd) {
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (out_fd >= 0) {
			dup2(out_fd, STDOUT_FILENO);
		}
		if (keep_fd >= 0) {
			fcntl(keep_fd, F_SETFD, 0);
		}
		execv(argv[0], argv);
		_exit(127);
	}
	return pid;
}

static void start_sim(struct client *client, const char *const *args) {
	char bus[256], fd[32], byte;
	char *argv[WORDS_MAX] = { client->program, bus, fd };
	int pipe_fds[2], n = 3;
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	snprintf(bus, sizeof(bus), "--bus-address=%s", private_bus_address(client->daemon));
	snprintf(fd, sizeof(fd), "--ready-fd=%d", pipe_fds[1]);
	for (; args != NULL && *args != NULL; args++) {
		assert_true(n + 2 < WORDS_MAX);
		argv[n++] = (char *) (uintptr_t) *args;
	}
	client->pid = spawn(argv, pipe_fds[1], -1);
	close(pipe_fds[1]);
	assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
	close(pipe_fds[0]);
}

sd_bus *client_other(struct client *client) {
	sd_bus *bus = NULL;
	assert_true(sd_bus_new(&bus) >= 0);
	assert_true(sd_bus_set_address(bus, private_bus_address(client->daemon)) >= 0);
	assert_true(sd_bus_set_bus_client(bus, true) >= 0);
	assert_true(sd_bus_start(bus) >= 0);
	return bus;
}

struct client *client_new(const char *const *args) {
	struct client *client = calloc(1, sizeof(*client));
	assert_non_null(client);
	const char *top = getenv("LOCKHUB_BUILD_ROOT");
	snprintf(client->program, sizeof(client->program), "%s/src/sim/lockhub-sim",
		top == NULL ? "." : top);
	client->daemon = private_bus_new();
	assert_non_null(client->daemon);
	assert_true(private_bus_start(client->daemon));
	client->bus = client_other(client);
	const struct {
		const char *match;
		sd_bus_message_handler_t fn;
	} matches[] = {
		{ "type='signal',member='PropertiesChanged'", on_changed },
		{ "type='signal',member='InterfacesAdded'", on_object },
		{ "type='signal',member='InterfacesRemoved'", on_object },
		{ "type='signal',member='NameOwnerChanged',arg0='org.bluez'", on_owner },
	};
	start_sim(client, args);
	for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
		assert_true(sd_bus_add_match(client->bus, NULL, matches[i].match, matches[i].fn,
				    client) >= 0);
	}
	return client;
}

struct client *client_free(struct client *client) {
	int status = 0;
	kill(client->pid, SIGTERM);
	assert_int_equal(waitpid(client->pid, &status, 0), client->pid);
	sd_bus_flush_close_unref(client->bus);
	private_bus_free(client->daemon);
	for (size_t i = 0; i < client->n_lines; i++) {
		free(client->lines[i]);
	}
	/* Also what a sanitizer has to say about it. */
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	free(client);
	return NULL;
}

/* ---- the control command ---- */

static int run_ctl(struct client *client, va_list words, char *out, size_t size) {
	char bus[256], ctl[] = "ctl";
	char *argv[WORDS_MAX] = { client->program, ctl, bus };
	int pipe_fds[2], n = 3, status = 0;
	snprintf(bus, sizeof(bus), "--bus-address=%s", private_bus_address(client->daemon));
	for (char *word; (word = va_arg(words, char *)) != NULL;) {
		argv[n++] = word;
	}
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	pid_t pid = spawn(argv, -1, pipe_fds[1]);
	close(pipe_fds[1]);
	size_t used = 0;
	for (;;) {
		char rest[256];
		bool fits = out != NULL && used + 1 < size;
		ssize_t got = read(pipe_fds[0], fits ? out + used : rest,
			fits ? size - 1 - used : sizeof(rest));
		if (got <= 0) {
			break;
		}
		used += fits ? (size_t) got : 0;
	}
	if (out != NULL) {
		out[used] = '\0';
	}
	close(pipe_fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int client_ctl(struct client *client, ...) {
	va_list words;
	va_start(words, client);
	int status = run_ctl(client, words, NULL, 0);
	va_end(words);
	return status;
}

void client_ctl_output(struct client *client, char *out, size_t size, ...) {
	va_list words;
	va_start(words, size);
	assert_int_equal(run_ctl(client, words, out, size), 0);
	va_end(words);
}

/* ---- calls ---- */

static void send(struct client *client, sd_bus_message *m) {
	struct pending *pending = calloc(1, sizeof(*pending));
	sd_bus_slot *slot = NULL;
	assert_non_null(pending);
	client->called_at = client_now_ms();
	pending->client = client;
	snprintf(pending->member, sizeof(pending->member), "%s", sd_bus_message_get_member(m));
	assert_true(sd_bus_call_async(client->bus, &slot, m, on_reply, pending, UINT64_MAX) >= 0);
	sd_bus_slot_set_destroy_callback(slot, free);
	sd_bus_slot_set_floating(slot, true);
	sd_bus_slot_unref(slot);
	sd_bus_message_unref(m);
}

static sd_bus_message *new_call(
	struct client *client, const char *path, const char *interface, const char *member) {
	sd_bus_message *m = NULL;
	char whole[256];
	snprintf(whole, sizeof(whole), "%s%s", path[0] == '/' ? "" : "/org/bluez/", path);
	assert_true(sd_bus_message_new_method_call(
			    client->bus, &m, "org.bluez", whole, interface, member) >= 0);
	return m;
}

void client_call(struct client *client, const char *path, const char *interface, const char *member,
	const char *types, ...) {
	sd_bus_message *m = new_call(client, path, interface, member);
	va_list args;
	va_start(args, types);
	assert_true(types == NULL || sd_bus_message_appendv(m, types, args) >= 0);
	va_end(args);
	send(client, m);
}

void client_write(
	struct client *client, const char *path, const void *value, size_t n, const char *type) {
	sd_bus_message *m = new_call(client, path, "org.bluez.GattCharacteristic1", "WriteValue");
	assert_true(sd_bus_message_append_array(m, 'y', value, n) >= 0);
	int r = type == NULL ? sd_bus_message_append(m, "a{sv}", 0)
			     : sd_bus_message_append(m, "a{sv}", 1, "type", "s", type);
	assert_true(r >= 0);
	send(client, m);
}

/* ---- lines ---- */

static const char *line_until(struct client *client, int64_t until) {
	while (client->n_read == client->n_lines && client_now_ms() < until) {
		turn(client, until);
	}
	return client->n_read == client->n_lines ? NULL : client->lines[client->n_read++];
}

static bool matches(const char *wanted, const char *line) {
	size_t n = strlen(wanted);
	return n > 0 && wanted[n - 1] == '*' ? strncmp(wanted, line, n - 1) == 0
					     : strcmp(wanted, line) == 0;
}

void client_expect(struct client *client, const char *wanted) {
	const char *line = line_until(client, client_now_ms() + PATIENCE_MS);
	if (line == NULL || !matches(wanted, line)) {
		fail_msg("wanted \"%s\", came \"%s\"", wanted, line == NULL ? "(nothing)" : line);
	}
}

void client_skip_to(struct client *client, const char *wanted) {
	for (const char *line;
		(line = line_until(client, client_now_ms() + PATIENCE_MS)) != NULL;) {
		if (matches(wanted, line)) {
			return;
		}
	}
	fail_msg("\"%s\" never came", wanted);
}

static void expect_quiet_until(struct client *client, int64_t until) {
	const char *line = line_until(client, until);
	if (line != NULL) {
		fail_msg("nothing was to come, but \"%s\" did", line);
	}
}

void client_expect_quiet(struct client *client, unsigned ms) {
	expect_quiet_until(client, client_now_ms() + ms);
}

void client_expect_quiet_since_call(struct client *client, unsigned ms) {
	expect_quiet_until(client, client->called_at + ms);
}

size_t client_value(struct client *client, const uint8_t **ret) {
	*ret = client->value;
	return client->n_value;
}

void client_until_left_out(struct client *client, size_t n) {
	int64_t until = client_now_ms() + PATIENCE_MS;
	while (client->n_left_out < n && client_now_ms() < until) {
		turn(client, until);
	}
	assert_true(client->n_left_out >= n);
}

size_t client_n_left_out(const struct client *client) {
	return client->n_left_out;
}

/* ---- objects ---- */

static bool has_property(sd_bus_message *m, const char *wanted) {
	bool found = false;
	const char *interface = NULL, *name = NULL;
	assert_true(sd_bus_message_enter_container(m, 'a', "{sa{sv}}") > 0);
	while (sd_bus_message_enter_container(m, 'e', "sa{sv}") > 0) {
		assert_true(sd_bus_message_read(m, "s", &interface) > 0);
		assert_true(sd_bus_message_enter_container(m, 'a', "{sv}") > 0);
		while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
			assert_true(sd_bus_message_read(m, "s", &name) > 0);
			found = found || wanted == NULL || strcmp(name, wanted) == 0;
			assert_true(sd_bus_message_skip(m, "v") >= 0);
			assert_true(sd_bus_message_exit_container(m) >= 0);
		}
		assert_true(sd_bus_message_exit_container(m) >= 0);
		assert_true(sd_bus_message_exit_container(m) >= 0);
	}
	assert_true(sd_bus_message_exit_container(m) >= 0);
	return found;
}

static size_t walk(struct client *client, const char *path, const char *property, bool *ret) {
	sd_bus_message *reply = NULL;
	size_t n = 0;
	*ret = false;
	assert_true(sd_bus_call_method(client->bus, "org.bluez", "/",
			    "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL, &reply,
			    NULL) >= 0);
	assert_true(sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}") > 0);
	while (sd_bus_message_enter_container(reply, 'e', "oa{sa{sv}}") > 0) {
		const char *at = NULL;
		assert_true(sd_bus_message_read(reply, "o", &at) > 0);
		bool is_it = path != NULL && strcmp(shorten(at), path) == 0;
		bool has = has_property(reply, property);
		*ret = *ret || (is_it && has);
		assert_true(sd_bus_message_exit_container(reply) >= 0);
		n++;
	}
	sd_bus_message_unref(reply);
	return n;
}

bool client_sees(struct client *client, const char *path, const char *property) {
	bool found = false;
	walk(client, path, property, &found);
	return found;
}

size_t client_count_objects(struct client *client) {
	bool found = false;
	return walk(client, NULL, NULL, &found);
}

void client_discover(struct client *client) {
	client_call(client, "hci0", "org.bluez.Adapter1", "SetDiscoveryFilter", "a{sv}", 2,
		"Transport", "s", "le", "DuplicateData", "b", 1);
	client_expect(client, "reply SetDiscoveryFilter");
	client_call(client, "hci0", "org.bluez.Adapter1", "StartDiscovery", NULL);
	client_skip_to(client, "added " FRONT);
	client_call(client, "hci0", "org.bluez.Adapter1", "StopDiscovery", NULL);
	client_skip_to(client, "changed hci0 Discovering=0");
}

void client_connect(struct client *client) {
	client_call(client, FRONT, "org.bluez.Device1", "Connect", NULL);
	client_expect(client, "changed " FRONT " Connected=1");
	client_expect(client, "reply Connect");
	client_expect(client, "changed " FRONT "*");
	/* What belongs to it has been sent before any answer to a later question. */
	(void) client_count_objects(client);
	while (sd_bus_process(client->bus, NULL) > 0) {
	}
	while (client->n_read < client->n_lines) {
		client->n_read++;
	}
}
