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

static enum known_flag flag(bool is_so) {
	return is_so ? FLAG_YES : FLAG_NO;
}

/* ---- the broker ---- */

static void gather_broker(
	void *user, struct hub_facts *facts, void (*done)(void *done_user), void *done_user) {
	const struct sources *sources = user;
	const struct conf *conf = sources->conf;

	facts->broker.is_wanted = flag(sources->mqtt != NULL);
	if (sources->mqtt != NULL) {
		const struct mqtt_status *status = mqtt_status(sources->mqtt);

		facts->broker.is_connected = flag(status->is_connected);
		facts->broker.is_online = flag(status->is_online);
		facts->broker.fault = status->fault;
		(void) text_copy(
			facts->broker.broker, sizeof(facts->broker.broker), status->broker);
		facts->broker.is_tls = flag(conf->mqtt.tls);
		facts->broker.is_local = flag(mqtt_is_local(conf->mqtt.host));
		facts->broker.has_password =
			flag(sources->has_password || conf->mqtt.cert_file[0] != '\0');
		/*
		 * Whether it would take others without a name shows only when it took us so. Who
		 * may use a UNIX socket is a matter of files.
		 */
		if (conf->mqtt.host[0] != '/' && conf->mqtt.username[0] == '\0' &&
			conf->mqtt.cert_file[0] == '\0' && status->is_connected) {
			facts->broker.is_anonymous_ok = FLAG_YES;
		}
		facts->broker.refused = status->refused;
		facts->broker.lost_events = status->lost_events;
	}
	done(done_user);
}

/* ---- the database ---- */

struct starts {
	struct hub_facts *facts;
	void (*done)(void *done_user);
	void *done_user;
};

static void on_starts(void *user, const struct event *events, size_t n, const struct fault *fault) {
	struct starts *starts = user;

	(void) events;
	if (fault == NULL) {
		/* The first one is a start, the others are restarts. */
		starts->facts->host.n_restarts = n > 0 ? (int) n - 1 : 0;
	}
	starts->done(starts->done_user);
	free(starts);
}

static void gather_store(
	void *user, struct hub_facts *facts, void (*done)(void *done_user), void *done_user) {
	const struct sources *sources = user;
	const struct store_condition *condition = store_condition(sources->store);
	struct log_query query = { .word = "hub_started", .limit = STARTS_MAX };
	struct starts *starts = calloc(1, sizeof(*starts));

	backups_state(sources->backups, &facts->host.backup_at, &facts->host.backup);
	facts->host.was_clean_stop = flag(condition->was_clean);
	facts->host.is_log_whole = flag(condition->log_fault.code == FAULT_NONE);
	if (starts == NULL) {
		done(done_user);
		return;
	}
	*starts = (struct starts){ facts, done, done_user };
	query.since.s = clock_wall(hub_clock(sources->hub)).s - DAY_S;
	hub_query_log(sources->hub, &query, on_starts, starts);
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

void sources_add(struct sources *sources, struct diag *diag) {
	const struct diag_source rows[] = {
		{ .name = "broker",
			.gather = gather_broker,
			.act = act,
			.can = can,
			.user = sources },
		{ .name = "store", .gather = gather_store, .user = sources },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		diag_add_source(diag, &rows[i]);
	}
}
