/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api.h"
#include "backup.h"
#include "ble/central.h"
#include "core/hub.h"
#include "diag/diag.h"
#include "facts-host.h"
#include "journal.h"
#include "keyfile.h"
#include "load.h"
#include "loop/loop.h"
#include "loop/notify.h"
#include "loop/timesync.h"
#include "loop/zones.h"
#include "mqtt/mqtt.h"
#include "rooms.h"
#include "sources.h"
#include "store/store.h"
#include "util/log.h"

/* The store may take this long for one step: cards that stall for seconds are common. */
#define STORE_PATIENCE_MS 20000
/* Rounds of the hub's own work per turn of the loop, so that nobody else starves. */
#define DUE_ROUNDS_MAX 64
#define READY_PATIENCE_MS 3000
/* Old events: looked for when the start is over, then once a day; soon again without the time. */
#define RETENTION_FIRST_MS 60000
#define RETENTION_RETRY_MS 600000
#define RETENTION_MS 86400000
#define DAY_S 86400
/* Told to the service manager, which starts what ends with a failure again. */
#define EXIT_RESTART 75

struct daemon {
	const struct daemon_options *options;
	struct loop *loop;
	struct loop_signal *on_term;
	struct loop_signal *on_int;
	struct loop_signal *on_hup;
	struct loop_timer *due;
	struct loop_timer *radio_timer;
	struct loop_timer *ready_timer;
	struct loop_timer *retention_timer;
	struct loop_wakeup *wakeup;
	struct notify_watchdog *watchdog;
	struct timesync *timesync;
	struct zones *zones;
	struct store *store;
	struct central *central;
	struct hub *hub;
	struct mqtt *mqtt;
	struct listener mqtt_changed;
	struct listener lock_changed;
	struct listener lock_added;
	struct listener lock_removed;
	struct api *api;
	struct diag *diag;
	struct host *host;
	struct sources sources;
	struct backups backups;
	struct journal journal;
	bool has_journal;
	bool is_ready; /* the service manager has been told */
	mono_t started;
	bool is_stopping;
	bool is_restarting; /* so that the service manager starts it anew */
	char boot_id[STORE_BOOT_ID_MAX];
	char client_id[32];
	struct loaded loaded;
};

/* ---- what the loop calls ---- */

/* What the radio's condition is worth saying only when it has stood for a while: see journal.h. */
static void check_radio(void *user) {
	struct daemon *daemon = user;
	int64_t again_ms = 0;

	if (journal_check_radio(&daemon->journal, &again_ms)) {
		api_status_changed(daemon->api);
	}
	if (again_ms > 0) {
		loop_timer_arm(daemon->radio_timer, (uint64_t) again_ms);
	}
}

/*
 * Ready is when others can reach us. A bus that is not there must not keep us from serving locks
 * and broker, so there is an end to waiting for it.
 */
static void check_ready(struct daemon *daemon) {
	mono_t now = clock_mono(loop_clock(daemon->loop));

	if (daemon->is_ready || (api_fault(daemon->api)->code != FAULT_NONE &&
					mono_since(daemon->started, now) < READY_PATIENCE_MS)) {
		return;
	}
	daemon->is_ready = true;
	loop_timer_disarm(daemon->ready_timer);
	notify_ready();
}

static mono_t next_due(const struct daemon *daemon) {
	return mono_min(hub_next_due(daemon->hub), diag_next_due(daemon->diag));
}

static void before_sleep(void *user) {
	struct daemon *daemon = user;
	const struct clock *clock = loop_clock(daemon->loop);
	mono_t due = next_due(daemon);

	for (unsigned i = 0; i < DUE_ROUNDS_MAX && mono_is_due(due, clock_mono(clock)); i++) {
		hub_run_due(daemon->hub);
		diag_run_due(daemon->diag);
		due = next_due(daemon);
	}
	if (due.ms == INT64_MAX) {
		loop_timer_disarm(daemon->due);
	} else {
		loop_timer_arm_at(daemon->due, due);
	}
	hub_check_radio(daemon->hub);
	check_radio(daemon);
	check_ready(daemon);
}

/* The timer only has to wake the loop: before_sleep() does the work. */
static void on_due(void *user) {
	(void) user;
}

static void wake_from_store(void *user) {
	struct daemon *daemon = user;

	loop_wakeup_send(daemon->wakeup);
}

static void on_wakeup(void *user) {
	struct daemon *daemon = user;

	if (daemon->store != NULL) {
		store_dispatch(daemon->store);
	}
}

static void on_store_trouble(void *user, const struct fault *fault) {
	const struct daemon *daemon = user;

	log_fault(fault, NULL, NULL);
	if (fault->code == FAULT_DATABASE_CORRUPT) {
		backups_suspect(&daemon->backups);
	}
}

static void on_pruned(void *user, int64_t n_rows, const struct fault *fault) {
	const struct daemon *daemon = user;

	if (n_rows > 0) {
		log_info("%lld events older than %u days were taken away from the log",
			(long long) n_rows, daemon->options->conf->log.keep_days);
	}
	if (fault != NULL && fault->code != FAULT_CANCELLED) {
		log_fault(fault, NULL, NULL);
	}
}

static void on_health_pruned(void *user, int64_t n_rows, const struct fault *fault) {
	(void) user;
	(void) n_rows;
	if (fault != NULL && fault->code != FAULT_CANCELLED) {
		log_fault(fault, NULL, NULL);
	}
}

static void prune_log(void *user) {
	struct daemon *daemon = user;
	const struct clock *clock = loop_clock(daemon->loop);
	int64_t keep_days = daemon->options->conf->log.keep_days;
	const wall_t now = clock_wall(clock);
	wall_t before = now;

	/* A clock that is years ahead would take all of it. */
	if (!clock_is_trusted(clock)) {
		loop_timer_arm(daemon->retention_timer, RETENTION_RETRY_MS);
		return;
	}
	before.s -= keep_days * DAY_S;
	store_prune(daemon->store, before, 0, on_pruned, daemon);
	/* A season must be comparable with the last one, however short the log is kept. */
	if (keep_days < HISTORY_DAYS_MAX) {
		keep_days = HISTORY_DAYS_MAX;
	}
	before.s = now.s - keep_days * DAY_S;
	store_prune_health(daemon->store, before, on_health_pruned, daemon);
	loop_timer_arm(daemon->retention_timer, RETENTION_MS);
}

static bool is_alive(void *user) {
	struct daemon *daemon = user;
	mono_t now = clock_mono(loop_clock(daemon->loop));

	return store_is_alive(daemon->store, now, STORE_PATIENCE_MS) &&
	       central_answered_lately(daemon->central) && api_answered_lately(daemon->api);
}

static void say_status(struct daemon *daemon) {
	size_t n_reachable = 0;

	for (size_t i = 0; i < hub_lock_count(daemon->hub); i++) {
		n_reachable += lock_is_reachable(hub_lock_at(daemon->hub, i));
	}
	notify_status("%zu of %zu locks reachable, MQTT %s", n_reachable,
		hub_lock_count(daemon->hub),
		daemon->mqtt == NULL                      ? "off"
		: mqtt_status(daemon->mqtt)->is_connected ? "connected"
							  : "not connected");
}

static void on_lock_changed(struct listener *listener, void *data) {
	const struct lock_change *change = data;

	if ((change->what & FACT_LINK) != 0) {
		say_status(container_of(listener, struct daemon, lock_changed));
	}
}

static void on_lock_added(struct listener *listener, void *data) {
	(void) data;
	say_status(container_of(listener, struct daemon, lock_added));
}

static void on_lock_removed(struct listener *listener, void *data) {
	(void) data;
	say_status(container_of(listener, struct daemon, lock_removed));
}

static void on_mqtt_changed(struct listener *listener, void *data) {
	struct daemon *daemon = container_of(listener, struct daemon, mqtt_changed);
	const struct mqtt_status *status = data;

	if (status->fault.code != FAULT_NONE) {
		log_fault(&status->fault, NULL, NULL);
	} else if (status->is_online) {
		log_info("MQTT broker %s: connected, everything published", status->broker);
	}
	say_status(daemon);
	if (daemon->api != NULL) {
		api_status_changed(daemon->api);
	}
}

static void add_status(void *user, struct api_status *out) {
	struct daemon *daemon = user;
	const struct mqtt_status *mqtt;

	api_status_text(out, "hub_id", daemon->loaded.hub_id);
	api_status_number(out, "life", store_condition(daemon->store)->life);
	backups_add_status(&daemon->backups, out);
	if (daemon->mqtt == NULL) {
		api_status_text(out, "mqtt", "off");
		return;
	}
	mqtt = mqtt_status(daemon->mqtt);
	if (mqtt->fault.code != FAULT_NONE) {
		api_status_fault(out, "mqtt", &mqtt->fault);
	} else {
		api_status_text(out, "mqtt", mqtt->is_connected ? "ok" : "connecting");
	}
	api_status_text(out, "mqtt_broker", mqtt->broker);
	api_status_flag(out, "mqtt_connected", mqtt->is_connected);
	api_status_text(out, "mqtt_protocol",
		mqtt->protocol != MQTT_PROTOCOL_UNKNOWN ? mqtt_protocol_name(mqtt->protocol) : "");
	api_status_number(out, "mqtt_commands", (int64_t) mqtt->commands);
	api_status_number(out, "mqtt_refused", (int64_t) mqtt->refused);
	api_status_number(out, "mqtt_floods", (int64_t) mqtt->floods);
	api_status_number(out, "mqtt_lost_events", (int64_t) mqtt->lost_events);
}

/* ---- stopping: the hub's operations first, then the farewell on the broker ---- */

static int exit_status(const struct daemon *daemon) {
	return daemon->is_restarting ? EXIT_RESTART : EXIT_SUCCESS;
}

static void on_mqtt_stopped(void *user) {
	struct daemon *daemon = user;

	loop_stop(daemon->loop, exit_status(daemon));
}

static void on_hub_stopped(void *user) {
	struct daemon *daemon = user;

	if (daemon->mqtt != NULL) {
		mqtt_stop(daemon->mqtt, on_mqtt_stopped, daemon);
	} else {
		loop_stop(daemon->loop, exit_status(daemon));
	}
}

static void on_backups_changed(void *user) {
	struct daemon *daemon = user;

	if (daemon->api != NULL) {
		api_status_changed(daemon->api);
	}
}

/* Whether somebody starts us again. */
static bool has_manager(void) {
	return getenv("INVOCATION_ID") != NULL;
}

static void begin_restart(struct daemon *daemon) {
	daemon->is_stopping = true;
	daemon->is_restarting = true;
	hub_stop(daemon->hub, on_hub_stopped, daemon);
}

/* The database is swapped when nobody has it open: at the start. */
static void restart(void *user) {
	struct daemon *daemon = user;

	if (daemon->is_stopping) {
		return;
	}
	if (has_manager()) {
		log_notice("a backup was restored: starting anew");
	} else {
		log_notice("a backup was restored: stopping; start lockhubd again");
	}
	begin_restart(daemon);
}

/* By MQTT: only where it is certain that it does not end there. */
static int restart_asked(void *user, struct fault *ret_fault) {
	struct daemon *daemon = user;

	if (!has_manager()) {
		return fault_set(ret_fault, FAULT_DENIED,
			"nobody would start lockhubd again: it is not run by systemd");
	}
	if (daemon->is_stopping) {
		return fault_set(ret_fault, FAULT_DENIED, "it has begun already");
	}
	log_notice("starting anew, as asked by MQTT");
	begin_restart(daemon);
	return 0;
}

static void on_terminate(void *user, int signum) {
	struct daemon *daemon = user;

	if (daemon->is_stopping) {
		log_notice("stopping at once (%s again)", strsignal(signum));
		loop_stop(daemon->loop, EXIT_SUCCESS);
		return;
	}
	daemon->is_stopping = true;
	notify_stopping();
	log_info("stopping (%s)", strsignal(signum));
	hub_stop(daemon->hub, on_hub_stopped, daemon);
}

static void on_hangup(void *user, int signum) {
	(void) user;
	(void) signum;
	log_notice("the configuration is read at start only: systemctl restart lockhubd");
}

/* ---- starting ---- */

static void read_boot_id(struct daemon *daemon) {
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, daemon->boot_id, sizeof(daemon->boot_id) - 1) : 0;

	if (fd >= 0) {
		(void) close(fd);
	}
	daemon->boot_id[n > 0 ? n : 0] = '\0';
	daemon->boot_id[strcspn(daemon->boot_id, "\n")] = '\0';
}

static int open_store(struct daemon *daemon, struct fault *ret_fault) {
	AUTO_VALUE(secret_wipe) struct secret key = { 0 };
	const char *state_dir = daemon->options->state_dir;
	char path[PATH_MAX];
	struct store_config config = { .path = path,
		.key = &key,
		.boot_id = daemon->boot_id,
		.wake = wake_from_store,
		.trouble = on_store_trouble,
		.user = daemon };
	bool is_made;
	int r;

	if (mkdir(state_dir, 0700) < 0 && errno != EEXIST) {
		return fault_set_errno(ret_fault, FAULT_DATABASE_OPEN, -errno, "%s", state_dir);
	}
	(void) snprintf(path, sizeof(path), "%s/lockhub.db", state_dir);
	r = keyfile_database(state_dir, access(path, F_OK) == 0, &key, &is_made, ret_fault);
	if (r < 0) {
		return r;
	}
	if (is_made) {
		log_warning(
			"made a key for the database beside it: %s/db.key. Whoever copies both can "
			"read the locks' keys; lockhubd(8), CREDENTIALS, tells what is better",
			state_dir);
	}
	daemon->backups.changed = on_backups_changed;
	daemon->backups.restart = restart;
	daemon->backups.user = daemon;
	r = backups_before_open(
		&daemon->backups, state_dir, daemon->options->conf, &key, ret_fault);
	if (r < 0) {
		return r;
	}
	r = store_open(&config, &daemon->store, ret_fault);
	if (r < 0 && (r = backups_after_failure(&daemon->backups, ret_fault)) >= 0) {
		r = store_open(&config, &daemon->store, ret_fault);
	}
	return r;
}

static struct hub *make_hub(struct daemon *daemon) {
	struct hub_config config;

	rooms_hub(daemon->options->conf, &config);
	config.clock = loop_clock(daemon->loop);
	config.radio = central_radio(daemon->central);
	config.ledger = store_ledger(daemon->store);
	config.drivers = lock_drivers;
	config.zones = zones_source(daemon->zones);
	return hub_new(&config);
}

static int make_central(struct daemon *daemon) {
	const struct central_config config = rooms_central(daemon->options->conf);

	daemon->central = central_new(daemon->loop, daemon->options->bus_address, &config);
	return daemon->central != NULL ? 0 : -ENOMEM;
}

/* By what the former life left behind: whether it came to its end, and whether the machine did. */
static const char *restart_reason(const struct store_condition *condition) {
	if (condition->is_new) {
		return "first_start";
	}
	if (condition->was_clean) {
		return condition->is_same_boot ? "restarted" : "machine_restarted";
	}
	return condition->is_same_boot ? "crashed" : "power_lost";
}

static int make_mqtt(struct daemon *daemon, struct fault *ret_fault) {
	const struct conf *conf = daemon->options->conf;
	struct mqtt_config config;
	int r;

	if (conf->mqtt.host[0] == '\0') {
		log_info("MQTT is off: [mqtt] host is not set");
		return 0;
	}
	(void) snprintf(
		daemon->client_id, sizeof(daemon->client_id), "lockhub-%s", daemon->loaded.hub_id);
	rooms_mqtt(conf, &config);
	config.client_id = daemon->client_id;
	config.hub_id = daemon->loaded.hub_id;
	config.version = LOCKHUB_VERSION;
	config.restart_reason = restart_reason(store_condition(daemon->store));
	config.vault = backups_vault(&daemon->backups);
	config.restart = restart_asked;
	config.user = daemon;
	config.diag = daemon->diag;
	r = keyfile_password(
		conf->mqtt.password_file, "mqtt-password", &config.password, ret_fault);
	if (r >= 0) {
		r = mqtt_config_check(&config, ret_fault);
	}
	if (r >= 0) {
		daemon->mqtt = mqtt_new(daemon->loop, daemon->hub, &config);
		r = daemon->mqtt != NULL ? 0 : fault_set(ret_fault, FAULT_NO_MEMORY, "MQTT");
	}
	daemon->sources.has_password = config.password.len > 0;
	secret_wipe(&config.password);
	if (r >= 0) {
		signal_add(mqtt_changed(daemon->mqtt), &daemon->mqtt_changed, on_mqtt_changed);
	}
	return r;
}

static int make_diag(struct daemon *daemon) {
	const struct daemon_options *options = daemon->options;
	const struct conf *conf = options->conf;
	const struct diag_config config = {
		.hub = daemon->hub, .models = options->models, .version = LOCKHUB_VERSION
	};
	const struct host_config host = { .root = options->root,
		.state_dir = options->state_dir,
		.config = options->config,
		.secrets = { conf->mqtt.password_file, conf->mqtt.key_file },
		.bus_address = options->bus_address,
		.has_adapters = true };

	daemon->diag = diag_new(&config);
	daemon->host = host_new(daemon->loop, &host);
	if (daemon->diag == NULL || daemon->host == NULL) {
		return -ENOMEM;
	}
	const struct diag_source source = {
		.name = "host", .gather = host_gather, .user = daemon->host
	};
	diag_add_source(daemon->diag, &source);
	daemon->sources = (struct sources){ .conf = conf,
		.hub = daemon->hub,
		.store = daemon->store,
		.central = daemon->central,
		.backups = &daemon->backups };
	sources_add(&daemon->sources, daemon->diag);
	return 0;
}

static int make_loop(struct daemon *daemon) {
	daemon->loop = loop_new();
	if (daemon->loop == NULL) {
		return -ENOMEM;
	}
	daemon->on_term = loop_signal_new(daemon->loop, SIGTERM, on_terminate, daemon);
	daemon->on_int = loop_signal_new(daemon->loop, SIGINT, on_terminate, daemon);
	daemon->on_hup = loop_signal_new(daemon->loop, SIGHUP, on_hangup, daemon);
	daemon->due = loop_timer_new(daemon->loop, on_due, daemon);
	daemon->radio_timer = loop_timer_new(daemon->loop, check_radio, daemon);
	daemon->ready_timer = loop_timer_new(daemon->loop, on_due, daemon);
	daemon->retention_timer = loop_timer_new(daemon->loop, prune_log, daemon);
	daemon->wakeup = loop_wakeup_new(daemon->loop, on_wakeup, daemon);
	if (daemon->on_term == NULL || daemon->on_int == NULL || daemon->on_hup == NULL ||
		daemon->due == NULL || daemon->radio_timer == NULL || daemon->ready_timer == NULL ||
		daemon->retention_timer == NULL || daemon->wakeup == NULL) {
		return -ENOMEM;
	}
	return 0;
}

static int make_edges(struct daemon *daemon, struct fault *ret_fault) {
	struct hub_signals *signals = hub_signals(daemon->hub);
	struct api_config config = { .address = daemon->options->bus_address,
		.version = LOCKHUB_VERSION,
		.group = daemon->options->conf->api.group,
		.add_status = add_status,
		.user = daemon,
		.vault = backups_vault(&daemon->backups) };
	int r = make_diag(daemon);

	if (r < 0) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "troubleshooter");
	}
	r = make_mqtt(daemon, ret_fault);
	if (r < 0) {
		return r;
	}
	config.diag = daemon->diag;
	daemon->sources.mqtt = daemon->mqtt;
	journal_init(&daemon->journal, daemon->hub);
	daemon->has_journal = true;
	daemon->api = api_new(daemon->loop, daemon->hub, &config);
	if (daemon->api == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "D-Bus service");
	}
	signal_add(&signals->lock_changed, &daemon->lock_changed, on_lock_changed);
	signal_add(&signals->lock_added, &daemon->lock_added, on_lock_added);
	signal_add(&signals->lock_removed, &daemon->lock_removed, on_lock_removed);
	return 0;
}

static int start(struct daemon *daemon, struct fault *ret_fault) {
	int r;

	read_boot_id(daemon);
	if (make_loop(daemon) < 0) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "event loop");
	}
	daemon->timesync = timesync_new(daemon->loop, daemon->options->bus_address);
	if (daemon->timesync == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "clock");
	}
	r = open_store(daemon, ret_fault);
	if (r < 0) {
		return r;
	}
	/* Schedules are by the machine's own zone, where a lock has no other. */
	r = zones_new(daemon->options->conf->hub.time_zone, &daemon->zones, ret_fault);
	if (r < 0) {
		return r;
	}
	if (make_central(daemon) < 0 || (daemon->hub = make_hub(daemon)) == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "hub");
	}
	daemon->loaded.hub = daemon->hub;
	daemon->loaded.backups = &daemon->backups;
	r = load_all(&daemon->loaded, daemon->store, ret_fault);
	if (r < 0) {
		return r;
	}
	if (backups_start(&daemon->backups, daemon->loop, daemon->hub, daemon->store,
		    daemon->loaded.hub_id, daemon->options->config) < 0) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "backups");
	}
	r = make_edges(daemon, ret_fault);
	if (r < 0) {
		return r;
	}
	hub_start(daemon->hub);
	loop_set_before_sleep(daemon->loop, before_sleep, daemon);
	return daemon->mqtt != NULL ? mqtt_start(daemon->mqtt, ret_fault) : 0;
}

static void say_started(const struct daemon *daemon) {
	const struct store_condition *condition = store_condition(daemon->store);

	log_info("lockhubd %s: %zu locks", LOCKHUB_VERSION, hub_lock_count(daemon->hub));
	if (!condition->was_clean) {
		log_notice("the former run did not end in order; the database was checked");
	}
	if (daemon->loaded.n_interrupted > 0) {
		log_notice(
			"%u operations had been interrupted; they are not repeated, the locks are "
			"being read",
			daemon->loaded.n_interrupted);
	}
	if (condition->log_fault.code != FAULT_NONE) {
		log_fault(&condition->log_fault, NULL, NULL);
	}
}

static void finish(struct daemon *daemon) {
	if (daemon->loop != NULL) {
		loop_set_before_sleep(daemon->loop, NULL, NULL);
	}
	daemon->watchdog = notify_watchdog_free(daemon->watchdog);
	listener_remove(&daemon->lock_changed);
	listener_remove(&daemon->lock_added);
	listener_remove(&daemon->lock_removed);
	listener_remove(&daemon->mqtt_changed);
	daemon->api = api_free(daemon->api);
	daemon->mqtt = mqtt_free(daemon->mqtt);
	diag_stop(daemon->diag);
	/* What is still on its way to the disk answers into the hub: so the store goes first. */
	daemon->store = store_close(daemon->store);
	backups_finish(&daemon->backups);
	if (daemon->has_journal) {
		journal_finish(&daemon->journal);
	}
	daemon->diag = diag_free(daemon->diag);
	daemon->host = host_free(daemon->host);
	daemon->hub = hub_free(daemon->hub);
	daemon->zones = zones_free(daemon->zones);
	daemon->central = central_free(daemon->central);
	daemon->timesync = timesync_free(daemon->timesync);
	daemon->wakeup = loop_wakeup_free(daemon->wakeup);
	daemon->due = loop_timer_free(daemon->due);
	daemon->radio_timer = loop_timer_free(daemon->radio_timer);
	daemon->ready_timer = loop_timer_free(daemon->ready_timer);
	daemon->retention_timer = loop_timer_free(daemon->retention_timer);
	daemon->on_term = loop_signal_free(daemon->on_term);
	daemon->on_int = loop_signal_free(daemon->on_int);
	daemon->on_hup = loop_signal_free(daemon->on_hup);
	daemon->loop = loop_free(daemon->loop);
}

int daemon_run(const struct daemon_options *options) {
	struct daemon daemon = { .options = options };
	struct fault fault = { .code = FAULT_NONE };
	int status;
	int r = start(&daemon, &fault);

	if (r < 0) {
		log_fault(&fault, NULL, NULL);
		notify_status("%s", fault_row(fault.code)->summary);
		finish(&daemon);
		return EXIT_FAILURE;
	}
	say_started(&daemon);
	daemon.watchdog = notify_watchdog_new(daemon.loop, is_alive, &daemon);
	say_status(&daemon);
	daemon.started = clock_mono(loop_clock(daemon.loop));
	loop_timer_arm(daemon.ready_timer, READY_PATIENCE_MS);
	if (options->conf->log.keep_days > 0) {
		loop_timer_arm(daemon.retention_timer, RETENTION_FIRST_MS);
	}
	status = loop_run(daemon.loop);
	finish(&daemon);
	log_info("stopped");
	return status;
}
