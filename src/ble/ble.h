/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The room's inside: what central.c, adapter.c, peer.c, link.c, link-acts.c, gatt.c and scan.c know
 * of each other. Nothing here is seen outside of src/ble.
 *
 * How stale answers are kept out: whatever is pending is a sd_bus_slot in the object that asked.
 * When that object leaves the state in which it asked, when bluetoothd gets a new owner or the bus
 * is lost, the slot is released, and with it the answer. It is a generation check
 * without a number to compare; link->gen only names an attempt in the
 * journal. The one call that outlives its state, Connect, is kept on purpose: its answer tells when
 * the slot in the controller is free again.
 *
 * How calls into the user are kept out of calls of the door (R12): everything the user is told goes
 * through central->events and is delivered by the timer central->soon. The same timer runs the
 * scheduler and the scan plan, so that a burst of changes leads to one decision.
 */

#include <systemd/sd-bus.h>

#include "advert.h"
#include "ble/central.h"
#include "classify.h"
#include "ladder.h"
#include "link-table.h"
#include "loop/bus.h"
#include "objects.h"
#include "path.h"
#include "scheduler.h"
#include "util/list.h"

/* Limits (R6). */
#define LINK_CHARACTERISTICS_MAX 128
#define LINK_SUBSCRIPTIONS_MAX 16
#define LINK_RAISED_MAX 4
#define WRITE_MAX 512
#define PATTERNS_MAX 16
#define MONITOR_PATH_MAX 48
#define EVENTS_HEARD_MAX 1024 /* adverts not yet delivered */
#define EVENTS_BYTES_MAX 4096 /* notifications not yet delivered */

/* Deadlines in ms (docs/bluez-notes.md), before config.time_percent. */
#define QUEUE_PERSON_MS 10000
#define HOLD_MS 5000 /* how long a want waits for an adapter that is not there */
#define FIND_PERSON_MS 15000
#define FIND_BACKGROUND_MS 60000
#define CONNECT_PERSON_MS 20000
#define CONNECT_BACKGROUND_MS 45000
#define CONNECTED_READ_MS 2000
#define RESOLVE_CACHED_MS 10000
#define RESOLVE_FIRST_MS 30000
#define RESOLVE_GRACE_MS 500
#define SUBSCRIBE_MS 5000
#define READ_MS 3000 /* of a value that the device may do without */
#define WRITE_MS 10000
#define DISCONNECT_MS 6000
#define DISCONNECT_AGAIN_MS 9000
#define STUCK_MS 60000
#define ATTEMPTS_PERSON 3
#define ATTEMPTS_BACKGROUND 4
#define HEARD_LATELY_MS 60000
#define KERNEL_ROUND_MS 10300 /* a round of discovery in the kernel, which outlives bluetoothd */

/* Backstops for sd-bus, longer than any deadline of ours. */
#define CALL_QUICK_MS 10000
#define CALL_ATT_MS 35000
#define CALL_CONNECT_MS 60000
#define CALL_DISCONNECT_MS 15000
#define CALL_OBJECTS_MS 30000
#define CALL_SCAN_MS 20000

struct central;
struct ble_adapter;

enum monitor_state {
	MONITOR_OFF,
	MONITOR_ASKING,  /* RegisterMonitor is out */
	MONITOR_KNOWN,   /* registered, not activated yet */
	MONITOR_ON,      /* BlueZ tells of changes */
	MONITOR_REFUSED, /* or released: until the timer, the power or bluetoothd says otherwise */
};

struct pattern_set {
	struct radio_pattern patterns[PATTERNS_MAX];
	size_t n;
};

/* An adapter's advertisement monitor. */
struct ble_monitor {
	bool is_offered; /* BlueZ has the interface on this adapter */
	bool is_second_try;
	enum monitor_state state;
	char root[MONITOR_PATH_MAX];
	struct pattern_set set;
	sd_bus_slot *manager, *object; /* of our side */
	sd_bus_slot *call, *call_back; /* RegisterMonitor, UnregisterMonitor */
	struct loop_timer *timer;
};

/* Something to tell a user. Those that must not fail to be told are part of their link. */
enum ble_event_kind {
	BLE_EVENT_UP,
	BLE_EVENT_DOWN,
	BLE_EVENT_WRITTEN,
	BLE_EVENT_BYTES,      /* on the heap */
	BLE_EVENT_HEARD,      /* on the heap */
	BLE_EVENT_SCAN_HEARD, /* on the heap */
	BLE_EVENT_SCAN_ENDED,
};

struct ble_event {
	struct list in_events; /* empty: not queued */
	enum ble_event_kind kind;
	struct radio_link *link; /* NULL for the scan's */
};

/* The same device as one adapter sees it: one BlueZ object. */
struct ble_peer {
	struct radio_link *link;
	struct ble_adapter *adapter;
	char path[DEVICE_PATH_MAX];
	bool is_present;
	bool is_connected;
	bool is_resolved;
	bool is_bonded;
	bool was_resolved; /* in the life of this bluetoothd: the next time is quick */
	bool is_seen;      /* by the snapshot being read */
	int16_t rssi;      /* 0: not heard in a discovery that still runs */
	unsigned failures; /* attempts since the last success */
	struct sched_lesson lesson;
	bool is_heard_now; /* in this watch window */
	unsigned n_windows_heard;
	sd_bus_slot *rule_changes, *rule_objects, *rule_reason;
};

struct ble_characteristic {
	char path[GATT_PATH_MAX];
	char service_path[GATT_PATH_MAX];
	char service[RADIO_UUID_MAX];
	char uuid[RADIO_UUID_MAX];
	uint16_t mtu;
	bool is_command_only; /* takes no write with response */
};

struct ble_service {
	char path[GATT_PATH_MAX];
	char uuid[RADIO_UUID_MAX];
};

struct ble_subscription {
	struct radio_link *link;
	const struct ble_characteristic *characteristic;
	sd_bus_slot *rule_values, *call_start;
	bool is_started, is_optional;
	bool is_read; /* is not subscribed but read; the value waits for up() */
	uint8_t *value;
	size_t n_value;
	unsigned n_tries;
};

struct radio_link {
	struct list in_links;
	struct central *central;
	struct radio_target target;
	const struct radio_user *user_impl;
	void *user;
	char lock_id[RADIO_LABEL_MAX], op_id[RADIO_LABEL_MAX]; /* for the journal */
	bool is_freed; /* by the user; lives on until its link is closed */
	bool is_dead;  /* in central->dead */

	enum link_state state;
	enum link_state from; /* before the step whose action runs */
	bool is_acting;
	mono_t state_since;
	unsigned n_steps; /* changes whenever a deadline is armed or a state left */
	enum link_event raised[LINK_RAISED_MAX];
	size_t n_raised;
	struct loop_timer *deadline;
	bool is_grace;    /* the deadline is for one more look at the attributes */
	bool is_next_try; /* the deadline is for starting subscriptions again */

	/* the want */
	enum radio_need need; /* NONE: released, or none */
	bool owes_down;       /* from want() until down() is queued */
	mono_t want_since;
	struct loop_timer *patience;
	unsigned n_attempts;
	enum bluez_error error; /* of the last attempt */
	char error_text[64];
	struct fault fault; /* if set: what to tell when the want is given up */
	bool was_heard;     /* during this want */

	/* the link */
	struct ble_peer *peer; /* in use; NULL without a link */
	unsigned gen;
	unsigned n_mismatches;        /* in a row, over wants */
	unsigned n_hang_ups;          /* Disconnect calls of this closing */
	bool is_answered;             /* Connect has */
	bool saw_false;               /* Connected went false while DISCONNECTING */
	bool is_last_wait;            /* for Disconnect's answer alone */
	char reason[48];              /* Disconnected signal, BlueZ 5.83 */
	mono_t attempt_since;         /* when Connect was called last */
	mono_t linked_since;          /* MONO_NEVER: not linked */
	enum tally_end end;           /* why the link ends; set when it leaves the linked states */
	mono_t ended_at;              /* and was counted */
	struct ble_adapter *ended_on; /* NULL: none yet */
	sd_bus_slot *call_connect, *call_read, *call_objects, *call_write, *call_disconnect;
	struct ble_characteristic *characteristics;
	size_t n_characteristics;
	struct ble_service *services; /* only while the attributes are being read */
	size_t n_services;
	bool is_looked_again;
	struct ble_peer *mismatched; /* the last attempt ended because of missing characteristics */
	sd_bus_slot *call_remove;
	struct ble_subscription subscriptions[LINK_SUBSCRIPTIONS_MAX];
	size_t n_subscriptions;
	bool is_write_pending;
	bool is_any_write_done;

	/* what is told to the user */
	struct ble_event event_up, event_down, event_written;
	unsigned up_mtu;
	struct fault down_fault;
	int written_error;
	enum radio_sent written_sent;

	struct advert advert; /* merged over time; address and all */
	struct radio_stats stats;
	struct ble_peer peers[ADAPTERS_MAX]; /* by hciN */
};

enum scan_state { SCAN_OFF, SCAN_FILTERING, SCAN_STARTING, SCAN_ON, SCAN_STOPPING, SCAN_WAITING };

struct ble_adapter {
	struct central *central;
	unsigned index; /* N of hciN; not its identity */
	char path[ADAPTER_PATH_MAX];
	char address[RADIO_ADDRESS_MAX]; /* its identity */
	bool is_present;
	bool is_powered;
	bool is_blocked; /* by rfkill, as far as we know */
	unsigned slots;
	unsigned slots_learnt; /* 0: no fewer have been found */
	mono_t learnt_at;
	sd_bus_slot *rule_changes, *rule_object;
	sd_bus_slot *rule_any_objects,
		*rule_any_changes; /* of all its devices; see peers_widen() */

	enum scan_state scan;
	bool was_busy; /* StartDiscovery was answered InProgress */
	mono_t busy_at;
	bool wants_quiet; /* a link waits for the scan to stop */
	unsigned n_scan_tries;
	enum bluez_error scan_error;
	sd_bus_slot *call_scan, *rule_scan_added, *rule_scan_changes;
	struct loop_timer *scan_timer;
	struct ble_monitor monitor;

	/* health: the last devices that failed here with no success between */
	const struct radio_link *failed[3];
	size_t n_failed;
	bool is_suspect;
	struct ladder ladder;
	bool has_worked;         /* something was heard or linked in this watch window */
	unsigned n_deaf_windows; /* in a row */
	sd_bus_slot *call_power;

	struct radio_stats stats; /* of the adapter whose address it holds */
};

/* What an enrolment scan knows of a device: changes do not repeat its address and name. */
struct scan_found {
	struct list in_found;
	char path[DEVICE_PATH_MAX];
	struct advert advert;
};

struct ble_scan {
	bool is_running;
	void (*heard)(void *user, const struct advert *advert);
	void (*ended)(void *user, const struct fault *fault);
	void *user;
	struct loop_timer *timer;
	struct list found;
	size_t n_found;
	struct ble_event event_ended;
	bool has_fault;
	struct fault fault;

	struct loop_timer *watch_timer; /* begin or end of the watch window */
	bool is_watching;
	bool is_slow;    /* the pause that runs is the long one: monitors listen meanwhile */
	bool is_hasty;   /* short windows without a pause: somebody looks for a good place */
	bool is_counted; /* this window tells whether the adapter is deaf */
};

enum central_phase {
	CENTRAL_NO_BUS,
	CENTRAL_ASKING, /* who owns org.bluez */
	CENTRAL_NO_BLUEZ,
	CENTRAL_READING, /* the first snapshot */
	CENTRAL_SETTLED,
};

/* What is told of all devices there are, and not of ours alone. */
enum rule_width { WIDTH_NARROW, WIDTH_OBJECTS, WIDTH_CHANGES };

struct central {
	struct radio radio; /* the door */
	struct loop *loop;
	const struct clock *clock;
	struct bus *bus;
	struct central_config config;
	char only_adapter[RADIO_ADDRESS_MAX];

	struct ble_adapter adapters[ADAPTERS_MAX];
	struct list links;
	enum rule_width width; /* only ever grows */
	struct list dead;      /* links to be freed when nobody can be using them */
	struct list events;
	size_t n_heard_events, n_bytes_events;
	struct loop_timer *soon;
	struct loop_timer *again; /* decide anew: a hang-up has lasted long enough */
	bool is_tearing_down;

	/* BlueZ */
	enum central_phase phase;
	unsigned n_empty_snapshots;
	char owner[32];          /* unique name of org.bluez; "" when there is none */
	bool is_snapshot_wanted; /* one more after the pending one */
	bool is_reading;         /* a snapshot, right now */
	bool is_settled;         /* a snapshot has been read since bluetoothd came: signals count */
	bool is_denied, is_hung;
	unsigned n_unanswered;  /* pings of bluetoothd in a row */
	int bluez_minor;        /* 66 for 5.66; negative: not known */
	struct fault fault;     /* why the radio is not ready */
	enum fault_code logged; /* of the journal's last word on that */
	unsigned n_activations;
	uint32_t jitter;
	struct loop_timer *retry; /* next try to find or start BlueZ */
	mono_t asked_bus_at;      /* pending question to the bus itself; MONO_NEVER: none */
	sd_bus_slot *rule_owner, *call_owner, *call_start, *call_snapshot, *call_ping;
	bool is_second_owner; /* bluetoothd was there before, in our life */
	mono_t back_at;
	bool was_restarted; /* bluetooth.service, by us */
	mono_t restarted_at;
	sd_bus_slot *call_restart;
	struct fault restart_fault; /* what came of the last restart: NONE or RESTART_DENIED */
	bool is_restart_needed;     /* and still in vain: what it was for is not over */

	struct ble_scan scan;
};

/* central.c */
unsigned ble_ms(const struct central *central, unsigned ms); /* scaled for tests */
mono_t ble_now(const struct central *central);
void central_poke(struct central *central);    /* decide anew, soon */
void central_refresh(struct central *central); /* read all objects again, soon */
bool central_is_ready(const struct central *central);
/* Whether the signal came from bluetoothd, and not straight from somebody else. */
bool central_is_from_bluez(const struct central *central, sd_bus_message *message);
/* An answer is overdue: see whether bluetoothd is alive at all. */
void central_suspect_hang(struct central *central);
/* Recomputes central->fault; tells the journal when it changes. */
void central_update_status(struct central *central);

/* call.c: calls to org.bluez and rules. All of them may be used without a connection (-ENOTCONN).
 */
int central_call(struct central *central, sd_bus_slot **slot, const char *path,
	const char *interface, const char *member, unsigned timeout_ms, sd_bus_message_handler_t fn,
	void *user, const char *types, ...);
/* The same without interest in the answer. */
void central_tell(
	struct central *central, const char *path, const char *interface, const char *member);
int central_match(struct central *central, sd_bus_slot **slot, sd_bus_message_handler_t fn,
	void *user, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The error of an answer; BLUEZ_ERROR_NONE when it is a success. @text may be NULL. */
enum bluez_error central_answer(struct central *central, sd_bus_message *message, char *text,
	size_t n_text, uint8_t *ret_att);
void ble_slot_drop(sd_bus_slot **slot);

/* event.c */
void ble_event_init(struct ble_event *event, enum ble_event_kind kind, struct radio_link *link);
void event_post(struct central *central, struct ble_event *event); /* again: no change */
void event_cancel(struct ble_event *event);
bool event_is_posted(const struct ble_event *event);
void event_post_bytes(
	struct radio_link *link, const char *characteristic, const uint8_t *buf, size_t n);
void event_post_heard(
	struct central *central, struct radio_link *link, const struct advert *advert);
void events_deliver(struct central *central);
void events_forget_link(struct central *central, struct radio_link *link);
void events_finish(struct central *central);

/* adapter.c */
void adapter_init(struct ble_adapter *adapter, struct central *central, unsigned index);
void adapter_finish(struct ble_adapter *adapter);
bool adapter_is_usable(const struct ble_adapter *adapter);
void adapter_apply(struct ble_adapter *adapter, const struct adapter_props *props, bool is_whole);
void adapter_remove(struct ble_adapter *adapter);
/* Rule for plug and unplug. */
int adapter_watch(struct ble_adapter *adapter);
unsigned adapter_slots(const struct ble_adapter *adapter); /* as of now */
/* It has turned out to have so many only; for an hour. */
void adapter_learn_slots(struct ble_adapter *adapter, unsigned slots);
void adapter_note_failure(struct ble_adapter *adapter, const struct radio_link *link);
void adapter_note_success(struct ble_adapter *adapter);

/* peer.c */
void peer_init(struct ble_peer *peer, struct radio_link *link, unsigned index);
void peer_watch(struct ble_peer *peer); /* its rules; a snapshot has to follow */
void peer_unwatch(struct ble_peer *peer);
/* The link is made by way of it from now on, or of none any more: sets link->peer. */
void peer_use(struct ble_peer *peer);
void peer_unuse(struct ble_peer *peer);
/* A link or an adapter has come: are there too many for rules of their own? Before peer_watch(). */
void peers_widen(struct central *central);
void peer_apply(struct ble_peer *peer, const struct device_props *props, bool is_whole);
void peer_gone(struct ble_peer *peer);
void peer_found(struct ble_peer *peer); /* a monitor hears it (again) */
void peer_lost(struct ble_peer *peer);  /* and no more */
/* What these properties say goes into the advert; adapter and heard time do not. */
void advert_merge(struct advert *advert, const struct device_props *props);
bool link_has_object(const struct radio_link *link); /* on a usable adapter */

/* link.c */
struct radio_link *link_find(struct central *central, const char *address);
void link_event(struct radio_link *link, enum link_event event);
/* From inside an action: when it is done. From elsewhere: at once. */
void link_raise(struct radio_link *link, enum link_event event);
void link_arm(struct radio_link *link, unsigned ms); /* the state's deadline, scaled here */
void link_disarm(struct radio_link *link);
void link_end_want(struct radio_link *link, const struct fault *fault); /* NULL: no fault */
void link_end_write(struct radio_link *link, int error, enum radio_sent sent);
void link_note_error(struct radio_link *link, enum bluez_error error, const char *text);
void link_destroy(struct radio_link *link); /* at once; nobody may be using it */
bool link_is_person(const struct radio_link *link);
extern const struct radio_impl central_radio_impl;

/* link-acts.c */
void link_act(struct radio_link *link, enum link_act act, enum link_event event);
void link_props_changed(
	struct radio_link *link, struct ble_peer *peer, bool was_connected, bool was_resolved);

/* gatt.c */
void gatt_look(struct radio_link *link);      /* RESOLVED, MISMATCH, GRACE or FAILED follows */
void gatt_subscribe(struct radio_link *link); /* SUBSCRIBED, MISMATCH or FAILED follows */
void gatt_tell_read(struct radio_link *link); /* what was read meanwhile, to the user */
void gatt_forget(struct radio_link *link, bool is_telling); /* subscriptions and attributes */
int gatt_write(struct radio_link *link, const char *characteristic, const uint8_t *buf, size_t n);
unsigned gatt_mtu(const struct radio_link *link);

/* stats.c: what is counted for people, of the link and of the adapter it uses */
void stats_begin(struct radio_stats *stats, mono_t now);
void stats_adapter_came(struct ble_adapter *adapter); /* its address is known */
void stats_adapter_went(struct ble_adapter *adapter);
void stats_attempt(struct radio_link *link);
void stats_up(struct radio_link *link);
void stats_failed(struct radio_link *link);
void stats_lost(struct radio_link *link); /* broke while in use */
void stats_written(struct radio_link *link);
void stats_heard(struct ble_peer *peer);
/* @event makes it leave the linked states: notes why, for when the link is closed. */
void stats_end_begins(struct radio_link *link, enum link_event event);
/* The link is closed, if there was one. */
void stats_ended(struct radio_link *link);
void stats_read_link(const struct radio_link *link, struct radio_stats *ret);
bool stats_read_adapter(const struct central *central, unsigned i, struct radio_stats *ret);

/* monitor.c */
void monitor_offered(struct ble_adapter *adapter, bool is_offered);
/* Registers, gives back or changes the adapter's monitor; an empty set: none is wanted. */
void monitor_plan(struct ble_adapter *adapter, const struct pattern_set *wanted);
void monitor_lost(struct ble_adapter *adapter); /* power, plug, bluetoothd */
void monitor_finish(struct ble_adapter *adapter);
bool monitor_is_on(const struct ble_adapter *adapter);
/* @patterns: ends with n_bytes 0; may be NULL. false: not all of them have room. */
bool pattern_set_add(struct pattern_set *set, const struct radio_pattern *patterns);

/* recovery.c */
/* The adapter is in trouble: the next step against it, if one is due. @why: for the journal. */
void recovery_step(struct ble_adapter *adapter, enum ladder_trouble trouble, const char *why);
void recovery_is_well(struct ble_adapter *adapter); /* it has done its work */
void recovery_heard(struct ble_peer *peer);
/* Around each watch window. */
void recovery_window_begins(struct ble_adapter *adapter);
void recovery_window_ends(struct ble_adapter *adapter);
/* bluetoothd does not answer: has it restarted where that is allowed. */
void recovery_bluez_hangs(struct central *central);
/* It answers, or is another one: that a restart was refused is over. */
void recovery_bluez_answers(struct central *central);

/* scan.c */
int scan_init(struct central *central);
void scan_finish(struct central *central);
void scan_plan(struct central *central);      /* starts and stops discovery as is needed now */
void scan_again(struct ble_adapter *adapter); /* ends the session, and begins a new one if needed */
bool scan_is_quiet(const struct ble_adapter *adapter);
void scan_adapter_lost(struct ble_adapter *adapter); /* power, plug, bluetoothd: session is gone */
int scan_start(struct central *central, unsigned ms,
	void (*heard)(void *user, const struct advert *advert),
	void (*ended)(void *user, const struct fault *fault), void *user);
void scan_stop(struct central *central);
void scan_hasten(struct central *central, bool is_on);
/* A device of the snapshot or of a signal, for the enrolment scan. */
void scan_device(struct ble_adapter *adapter, const char *path, const struct device_props *props);
