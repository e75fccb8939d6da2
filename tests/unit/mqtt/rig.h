/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A hub made of the real core, a fake lock and a ledger in memory; a real mosquitto of our own in a
 * temporary folder; and a watcher, another client that sees what is on that broker.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <mosquitto.h>
#include <sys/types.h>

#include "core/hub.h"
#include "loop/loop.h"
#include "mqtt/mqtt.h"

/* ---- the fake lock: what it is and does is set by the test ---- */

#define FAKE_SLOTS 16

struct fake {
	enum lock_state state;
	bool is_jammed;
	enum door_state door;
	bool has_door_sensor;
	int percent;
	enum battery_level level;
	unsigned motor_ms; /* how long a movement takes */
	bool is_deaf;      /* takes a command and never answers */
	unsigned n_motor;  /* commands that reached the motor */
	enum act last_act;
	unsigned n_links;
	unsigned n_reads_of_stats;
	bool has_keypad;
	bool has_settings;
	char auto_lock[8];             /* "0", "120" */
	char led[4];                   /* "on" */
	char night_start[6];           /* "22:30" */
	char pairing[4];               /* "off" */
	bool refuses_settings;         /* says no to each change */
	unsigned n_put_settings;       /* changes that reached it */
	struct slot slots[FAKE_SLOTS]; /* what the lock holds */
	size_t n_slots;
	int64_t last_ref;
};

/* ---- the broker ---- */

struct broker {
	char folder[64];
	char socket[96];
	unsigned port; /* of loopback; plain, or TLS with @is_tls */
	int port_fd;   /* keeps it ours */
	bool is_tls;
	char users[256]; /* extra lines of mosquitto.conf */
	pid_t pid;
};

void broker_init(struct broker *broker);
/* Writes the configuration and starts it; returns when it listens. */
void broker_start(struct broker *broker);
void broker_stop(struct broker *broker, int signum);
void broker_finish(struct broker *broker);
/* A file in its folder. */
void broker_write(const struct broker *broker, const char *name, const char *text);
/* Runs a shell command inside the folder; it must succeed. */
void broker_shell(const struct broker *broker, const char *command);

/* ---- the watcher ---- */

#define SEEN_MAX 4096
struct seen {
	char *topic;
	char *payload;
	bool is_retained; /* as delivered */
	int qos;
};

struct watcher {
	struct mosquitto *mosq;
	struct seen seen[SEEN_MAX]; /* in order of arrival */
	size_t n;
	char mark[48];
	bool is_marked;
};

/* Returns when it sees all: what is retained has come, whatever is published now will come. */
void watcher_start(struct watcher *watcher, const struct broker *broker);
void watcher_finish(struct watcher *watcher);
void watcher_turn(struct watcher *watcher);
void watcher_publish(struct watcher *watcher, const char *topic, const char *payload, size_t n,
	bool is_retained);
/* The last payload on a topic; NULL: none. */
const char *watcher_last(const struct watcher *watcher, const char *topic);
/* How many messages came there; NULL payload: any. */
size_t watcher_count(const struct watcher *watcher, const char *topic, const char *payload);
/* Index of the first message there with this payload (NULL: any), or SIZE_MAX. */
size_t watcher_find(const struct watcher *watcher, const char *topic, const char *payload);
void watcher_forget(struct watcher *watcher);

/* ---- all together ---- */

#define RIG_LOCK "9f3a71c2"

struct rig {
	struct broker broker;
	struct watcher watcher;
	struct fake fake;
	struct loop *loop;
	struct ledger ledger;
	struct loop_timer *ledger_timer;
	struct list txns;
	struct {
		void (*done)(void *user, const struct history *history, const struct fault *fault);
		void *user;
	} histories[16]; /* questions that wait for the next turn */
	size_t n_histories;
	struct {
		char lock_id[LOCK_ID_MAX];
		void (*done)(void *user, const struct event *events, size_t n,
			const struct fault *fault);
		void *user;
	} queries[16];
	size_t n_queries;
	struct event past[2]; /* what the log holds of the lock, newest first */
	size_t n_past;
	int64_t seq;
	bool is_ledger_broken;
	struct radio radio;
	struct hub *hub;
	struct mqtt_config config;
	struct mqtt *mqtt;
	bool is_stopped;
};

/* A hub with one lock "Front door"; the broker is not started and mqtt not made. */
void rig_init(struct rig *rig);
void rig_finish(struct rig *rig);
/* Makes rig->hub with its one lock anew, as a start of the daemon does; no mqtt may be there. */
void rig_hub(struct rig *rig);
void rig_mqtt(struct rig *rig);      /* makes and starts it on rig->config */
void rig_start(struct rig *rig);     /* broker, watcher, mqtt, hub; waits until all is online */
void rig_stop_mqtt(struct rig *rig); /* orderly, and frees it */
/* One turn of everything. */
void rig_turn(struct rig *rig);
void rig_wait_ms(struct rig *rig, unsigned ms);
/* Turns until the expression holds; fails the test after 60 s. */
#define rig_until(rig, expression) rig_until_ms(rig, 60000, expression)
#define rig_until_ms(rig, ms, expression)                                                          \
	do {                                                                                       \
		int64_t limit_ = rig_ms() + (ms);                                                  \
		while (!(expression)) {                                                            \
			if (rig_ms() > limit_) {                                                   \
				fail_msg("not within %d ms: %s", (int) (ms), #expression);         \
			}                                                                          \
			rig_turn(rig);                                                             \
		}                                                                                  \
	} while (0)
int64_t rig_ms(void);
/* The lock is read anew, as after an advertisement that says that something changed. */
void rig_read_state(struct rig *rig);
#define RIG_IS(rig, topic, payload)                                                                \
	(watcher_last(&(rig)->watcher, topic) != NULL &&                                           \
		strcmp(watcher_last(&(rig)->watcher, topic), payload) == 0)
