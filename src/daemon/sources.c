/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources.h"

#include <errno.h>
#include <stdlib.h>

#include "backup.h"
#include "ble/central.h"
#include "core/hub.h"
#include "core/vault.h"
#include "mqtt/mqtt.h"
#include "store/store.h"
#include "util/auto.h"
#include "util/text.h"

#define DAY_S 86400
/* More starts in a day than this are no more alarming. */
#define STARTS_MAX 100
/* The whole log is not read again before: years of it take seconds on a small machine. */
#define VERIFIED_MS 600000
/* Who runs the doctor again and again does not fill the broker's log with strangers. */
#define STRANGER_MS 60000

static enum known_flag flag(bool is_so) {
	return is_so ? FLAG_YES : FLAG_NO;
}

/* ---- the broker ---- */

/* A broker that has been started anew may have been set up anew. */
static bool is_stranger_known(const struct sources *sources) {
	return sources->stranger.is_let_in != FLAG_UNKNOWN && sources->stranger.wall.s != 0 &&
	       sources->stranger.connects == mqtt_status(sources->mqtt)->connects;
}

static void tell_stranger(const struct sources *sources, struct hub_facts *facts) {
	const struct conf *conf = sources->conf;
	const struct mqtt_status *status = mqtt_status(sources->mqtt);

	/* It has taken us so. Who may use a UNIX socket is a matter of files. */
	if (conf->mqtt.host[0] != '/' && conf->mqtt.username[0] == '\0' &&
		conf->mqtt.cert_file[0] == '\0' && status->is_connected) {
		facts->broker.is_anonymous_ok = FLAG_YES;
	} else if (is_stranger_known(sources)) {
		facts->broker.is_anonymous_ok = sources->stranger.is_let_in;
		facts->broker.anonymous_at = sources->stranger.wall;
	}
}

struct asking_broker {
	struct sources *sources;
	struct hub_facts *facts;
	void (*done)(void *done_user);
	void *done_user;
	mono_t at;
	wall_t wall;
	uint64_t connects;
};

/* Perhaps after the mqtt has gone, and the hub with it: nothing is asked of them here. */
static void on_stranger(void *user, enum mqtt_stranger stranger) {
	struct asking_broker *asking = user;
	struct sources *sources = asking->sources;

	sources->stranger.is_asking = false;
	sources->stranger.is_let_in = stranger == MQTT_STRANGER_LET_IN    ? FLAG_YES
				      : stranger == MQTT_STRANGER_REFUSED ? FLAG_NO
									  : FLAG_UNKNOWN;
	sources->stranger.at = asking->at;
	sources->stranger.wall = asking->wall;
	sources->stranger.connects = asking->connects;
	asking->facts->broker.is_anonymous_ok = sources->stranger.is_let_in;
	asking->facts->broker.anonymous_at = asking->wall;
	asking->done(asking->done_user);
	free(asking);
}

/* Only when a person asks, and the answer is not a minute old. @return whether @done will come. */
static bool ask_as_stranger(struct sources *sources, struct hub_facts *facts,
	void (*done)(void *done_user), void *done_user) {
	const struct clock *clock = hub_clock(sources->hub);
	mono_t now = clock_mono(clock);
	struct asking_broker *asking;

	if (!facts->is_asked_by_person || facts->broker.is_anonymous_ok == FLAG_YES ||
		sources->stranger.is_asking ||
		(is_stranger_known(sources) &&
			mono_since(sources->stranger.at, now) < STRANGER_MS)) {
		return false;
	}
	asking = calloc(1, sizeof(*asking));
	if (asking == NULL) {
		return false;
	}
	*asking = (struct asking_broker){ sources, facts, done, done_user, now, clock_wall(clock),
		mqtt_status(sources->mqtt)->connects };
	if (mqtt_ask_as_stranger(sources->mqtt, on_stranger, asking) < 0) {
		free(asking);
		return false;
	}
	sources->stranger.is_asking = true;
	return true;
}

static void gather_broker(
	void *user, struct hub_facts *facts, void (*done)(void *done_user), void *done_user) {
	struct sources *sources = user;
	const struct conf *conf = sources->conf;

	facts->broker.is_wanted = flag(sources->mqtt != NULL);
	if (sources->mqtt == NULL) {
		done(done_user);
		return;
	}
	const struct mqtt_status *status = mqtt_status(sources->mqtt);
	facts->broker.is_connected = flag(status->is_connected);
	facts->broker.is_online = flag(status->is_online);
	facts->broker.fault = status->fault;
	(void) text_copy(facts->broker.broker, sizeof(facts->broker.broker), status->broker);
	facts->broker.is_tls = flag(conf->mqtt.tls);
	facts->broker.is_local = flag(mqtt_is_local(conf->mqtt.host));
	facts->broker.has_password = flag(sources->has_password || conf->mqtt.cert_file[0] != '\0');
	facts->broker.refused = status->refused;
	facts->broker.lost_events = status->lost_events;
	tell_stranger(sources, facts);
	if (!ask_as_stranger(sources, facts, done, done_user)) {
		done(done_user);
	}
}

/* ---- the database ---- */

struct asking {
	struct sources *sources;
	struct hub_facts *facts;
	void (*done)(void *done_user);
	void *done_user;
};

static mono_t now_of(const struct sources *sources) {
	return clock_mono(hub_clock(sources->hub));
}

/* What was found at the start, which is the end of the log alone, or later in all of it. */
static void tell_log(const struct sources *sources, struct hub_facts *facts) {
	const struct fault *fault = &store_condition(sources->store)->log_fault;

	facts->host.is_log_whole = flag(fault->code == FAULT_NONE);
	(void) text_copy(facts->host.log_reason, sizeof(facts->host.log_reason), fault->detail);
	if (fault->code == FAULT_NONE && sources->verified.at.ms > 0) {
		facts->host.is_log_whole = flag(sources->verified.is_whole);
		(void) text_copy(facts->host.log_reason, sizeof(facts->host.log_reason),
			sources->verified.reason);
	}
}

static void asking_end(struct asking *asking) {
	tell_log(asking->sources, asking->facts);
	asking->done(asking->done_user);
	free(asking);
}

static void on_verified(void *user, const struct log_verify *result, const struct fault *fault) {
	struct asking *asking = user;
	struct sources *sources = asking->sources;

	if (fault == NULL) {
		sources->verified.at = now_of(sources);
		sources->verified.is_whole = result->bad_seq == 0;
		sources->verified.reason[0] = '\0';
		if (result->bad_seq != 0) {
			(void) text_copy(sources->verified.reason, sizeof(sources->verified.reason),
				result->reason);
		}
	}
	asking_end(asking);
}

static void on_starts(void *user, const struct event *events, size_t n, const struct fault *fault) {
	struct asking *asking = user;
	struct sources *sources = asking->sources;

	(void) events;
	if (fault == NULL) {
		/* The first one is a start, the others are restarts. */
		asking->facts->host.n_restarts = n > 0 ? (int) n - 1 : 0;
	}
	if (sources->verified.at.ms > 0 &&
		mono_since(sources->verified.at, now_of(sources)) < VERIFIED_MS) {
		asking_end(asking);
		return;
	}
	hub_verify_log(sources->hub, on_verified, asking);
}

static void gather_store(
	void *user, struct hub_facts *facts, void (*done)(void *done_user), void *done_user) {
	struct sources *sources = user;
	struct log_query query = { .word = "hub_started", .limit = STARTS_MAX };
	struct asking *asking = calloc(1, sizeof(*asking));

	backups_state(sources->backups, &facts->host.backup_at, &facts->host.backup);
	facts->host.was_clean_stop = flag(store_condition(sources->store)->was_clean);
	if (asking == NULL) {
		tell_log(sources, facts);
		done(done_user);
		return;
	}
	*asking = (struct asking){ sources, facts, done, done_user };
	query.since.s = clock_wall(hub_clock(sources->hub)).s - DAY_S;
	hub_query_log(sources->hub, &query, on_starts, asking);
}

/* ---- what is done by hand ---- */

static bool can(void *user, enum remedy_act act) {
	const struct sources *sources = user;

	switch (act) {
	case REMEDY_RECONNECT_BROKER:
		return sources->mqtt != NULL;
	case REMEDY_RESTART_BLUEZ:
		return sources->conf->ble.restart_service;
	case REMEDY_POWER_ADAPTER:
		return sources->conf->ble.sole_user;
	case REMEDY_BACKUP:
		return backups_vault(sources->backups) != NULL;
	default: /* RULE R3: the others are no business of this room */
		return false;
	}
}

/* What came of it is in the facts of the next diagnosis. */
static void on_backup(void *user, const struct vault_report *report, const struct fault *fault) {
	(void) user;
	(void) report;
	(void) fault;
}

static int make_backup(const struct sources *sources, struct fault *ret_fault) {
	struct vault *vault = backups_vault(sources->backups);

	if (vault == NULL) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED, "nobody keeps backups");
	}
	vault->impl->generation(vault, "asked", on_backup, NULL);
	return 0;
}

static int act(void *user, enum remedy_act act_, struct fault *ret_fault) {
	const struct sources *sources = user;

	switch (act_) {
	case REMEDY_RECONNECT_BROKER:
		if (sources->mqtt == NULL) {
			return fault_set(ret_fault, FAULT_NOT_SUPPORTED,
				"MQTT is off: [mqtt] host is not set");
		}
		mqtt_reconnect(sources->mqtt);
		return 0;
	case REMEDY_RESTART_BLUEZ:
		return central_restart_service(sources->central, ret_fault);
	case REMEDY_POWER_ADAPTER:
		return central_power_cycle(sources->central, ret_fault);
	case REMEDY_BACKUP:
		return make_backup(sources, ret_fault);
	default: /* RULE R3: as above */
		return -ENOTSUP;
	}
}

static int outcome(void *user, enum remedy_act act_, struct fault *ret_fault) {
	const struct sources *sources = user;

	return act_ == REMEDY_RESTART_BLUEZ ? central_restart_outcome(sources->central, ret_fault)
					    : 0;
}

void sources_add(struct sources *sources, struct diag *diag) {
	const struct diag_source rows[] = {
		{ .name = "broker",
			.gather = gather_broker,
			.act = act,
			.outcome = outcome,
			.can = can,
			.user = sources },
		{ .name = "store", .gather = gather_store, .user = sources },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		diag_add_source(diag, &rows[i]);
	}
}
