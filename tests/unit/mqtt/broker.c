/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A mosquitto of our own, and another client of it. */

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"

#define PATIENCE_MS 60000

/*
 * A port of loopback that nobody has, and nobody else gets while the socket is open: mosquitto does
 * all the same, as both say that the address may be used again.
 */
static int hold_port(unsigned *ret_port) {
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t n = sizeof(address);
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *) &address, &n), 0);
	/* Only now, lest it be given a port that another such socket holds. */
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

void broker_init(struct broker *broker) {
	memset(broker, 0, sizeof(*broker));
	(void) strcpy(broker->folder, "/tmp/lockhub-mqtt-XXXXXX");
	assert_non_null(mkdtemp(broker->folder));
	(void) snprintf(broker->socket, sizeof(broker->socket), "%s/socket", broker->folder);
	broker->port_fd = hold_port(&broker->port);
}

void broker_write(const struct broker *broker, const char *name, const char *text) {
	char path[128];

	(void) snprintf(path, sizeof(path), "%s/%s", broker->folder, name);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

void broker_shell(const struct broker *broker, const char *command) {
	char line[1024];

	(void) snprintf(
		line, sizeof(line), "cd %s && { %s; } >shell.log 2>&1", broker->folder, command);
	if (system(line) != 0) { /* NOLINT: a test's own folder */
		fail_msg("%s (see shell.log)", command);
	}
}

static bool is_listening(const struct broker *broker) {
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void) strncpy(address.sun_path, broker->socket, sizeof(address.sun_path) - 1);
	bool is_good = connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0;
	close(fd);
	return is_good;
}

/* As root it would change to a user who cannot enter our folder: it stays who we are. */
void broker_start(struct broker *broker) {
	char text[1024];

	(void) snprintf(text, sizeof(text),
		"user root\npersistence false\nmax_queued_messages 100000\nlog_dest file %s/log\n"
		"log_type all\n"
		"per_listener_settings true\n"
		"listener 0 %s\nallow_anonymous true\n"
		"listener %u 127.0.0.1\n%s\n%s%s%s",
		broker->folder, broker->socket, broker->port,
		broker->users[0] != '\0' ? broker->users : "allow_anonymous true",
		broker->is_tls ? "certfile server.crt\n" : "",
		broker->is_tls ? "keyfile server.key\n" : "",
		broker->is_tls ? "tls_version tlsv1.2\n" : "");
	broker_write(broker, "mosquitto.conf", text);
	broker->pid = fork();
	assert_true(broker->pid >= 0);
	if (broker->pid == 0) {
		/* Not left behind when the test is killed. */
		(void) prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (chdir(broker->folder) == 0) {
			execlp("mosquitto", "mosquitto", "-c", "mosquitto.conf", NULL);
			execl("/usr/sbin/mosquitto", "mosquitto", "-c", "mosquitto.conf", NULL);
		}
		_exit(127);
	}
	for (unsigned ms = 0; ms < PATIENCE_MS; ms += 10) {
		if (is_listening(broker)) {
			return;
		}
		if (waitpid(broker->pid, NULL, WNOHANG) == broker->pid) {
			broker->pid = 0;
			fail_msg("mosquitto did not start; see %s/log", broker->folder);
		}
		usleep(10000);
	}
	fail_msg("mosquitto does not listen");
}

void broker_stop(struct broker *broker, int signum) {
	if (broker->pid > 0) {
		(void) kill(broker->pid, signum);
		(void) waitpid(broker->pid, NULL, 0);
		broker->pid = 0;
	}
}

void broker_finish(struct broker *broker) {
	char line[128];

	broker_stop(broker, SIGKILL);
	close(broker->port_fd);
	(void) snprintf(line, sizeof(line), "rm -rf %s", broker->folder);
	if (system(line) != 0) { /* NOLINT: a test's own folder */
		print_message("%s is left behind\n", broker->folder);
	}
}

/* ---- the watcher ---- */

/* Topics of the watchers' own, which nobody is told of. */
#define MARKS "watcher/"

static void on_subscribed(
	struct mosquitto *mosq, void *user, int mid, int n_granted, const int *granted) {
	struct watcher *watcher = user;

	(void) mid;
	(void) n_granted;
	(void) granted;
	/* Behind what is retained. */
	assert_int_equal(
		mosquitto_publish(mosq, NULL, watcher->mark, 1, "x", 1, false), MOSQ_ERR_SUCCESS);
}

static void on_message(
	struct mosquitto *mosq, void *user, const struct mosquitto_message *message) {
	struct watcher *watcher = user;

	(void) mosq;
	if (strncmp(message->topic, MARKS, strlen(MARKS)) == 0) {
		watcher->is_marked |= strcmp(message->topic, watcher->mark) == 0;
		return;
	}
	assert_true(watcher->n < SEEN_MAX);
	struct seen *seen = &watcher->seen[watcher->n++];
	seen->topic = strdup(message->topic);
	seen->payload = strndup(
		message->payload != NULL ? message->payload : "", (size_t) message->payloadlen);
	seen->is_retained = message->retain;
	seen->qos = message->qos;
}

void watcher_start(struct watcher *watcher, const struct broker *broker) {
	watcher->mosq = mosquitto_new(NULL, true, watcher);
	assert_non_null(watcher->mosq);
	(void) snprintf(watcher->mark, sizeof(watcher->mark), MARKS "%p", (void *) watcher);
	watcher->is_marked = false;
	mosquitto_message_callback_set(watcher->mosq, on_message);
	mosquitto_subscribe_callback_set(watcher->mosq, on_subscribed);
	assert_int_equal(mosquitto_connect(watcher->mosq, broker->socket, 0, 60), MOSQ_ERR_SUCCESS);
	assert_int_equal(mosquitto_subscribe(watcher->mosq, NULL, "#", 1), MOSQ_ERR_SUCCESS);
	int64_t limit = rig_ms() + PATIENCE_MS;
	while (!watcher->is_marked) {
		assert_true(rig_ms() < limit);
		(void) mosquitto_loop(watcher->mosq, 100, 1);
	}
}

void watcher_forget(struct watcher *watcher) {
	for (size_t i = 0; i < watcher->n; i++) {
		free(watcher->seen[i].topic);
		free(watcher->seen[i].payload);
	}
	watcher->n = 0;
}

void watcher_finish(struct watcher *watcher) {
	watcher_forget(watcher);
	if (watcher->mosq != NULL) {
		mosquitto_destroy(watcher->mosq);
		watcher->mosq = NULL;
	}
}

void watcher_turn(struct watcher *watcher) {
	size_t n;

	/* All that is there: mosquitto drops what a slow client does not fetch. */
	do {
		n = watcher->n;
		if (watcher->mosq != NULL) {
			(void) mosquitto_loop(watcher->mosq, 0, 1);
		}
	} while (watcher->n > n);
}

void watcher_publish(struct watcher *watcher, const char *topic, const char *payload, size_t n,
	bool is_retained) {
	assert_int_equal(
		mosquitto_publish(watcher->mosq, NULL, topic, (int) n, payload, 1, is_retained),
		MOSQ_ERR_SUCCESS);
}

const char *watcher_last(const struct watcher *watcher, const char *topic) {
	for (size_t i = watcher->n; i > 0; i--) {
		if (strcmp(watcher->seen[i - 1].topic, topic) == 0) {
			return watcher->seen[i - 1].payload;
		}
	}
	return NULL;
}

size_t watcher_find(const struct watcher *watcher, const char *topic, const char *payload) {
	for (size_t i = 0; i < watcher->n; i++) {
		if (strcmp(watcher->seen[i].topic, topic) == 0 &&
			(payload == NULL || strcmp(watcher->seen[i].payload, payload) == 0)) {
			return i;
		}
	}
	return SIZE_MAX;
}

size_t watcher_count(const struct watcher *watcher, const char *topic, const char *payload) {
	size_t n = 0;

	for (size_t i = 0; i < watcher->n; i++) {
		n += strcmp(watcher->seen[i].topic, topic) == 0 &&
		     (payload == NULL || strcmp(watcher->seen[i].payload, payload) == 0);
	}
	return n;
}
