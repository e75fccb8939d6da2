/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A lock's face on the broker: its discovery message, its states, its availability. */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/lock.h"
#include "util/log.h"
#include "util/text.h"

#include "payload.h"
#include "room.h"

/*
 * A lock is heard once a second or so. What changes each time is told so often at most, when it is
 * heard and not by a timer (L7); the signal strength also only when it differs noticeably, but in
 * time for Home Assistant not to forget it.
 */
#define RSSI_APART_MS (60 * 1000)
#define RSSI_RENEW_MS (30 * 60 * 1000)
#define RSSI_STEP_DB 4
/* What was counted of the radio. */
#define COUNTS_APART_MS (60 * 1000)
#define LAST_SEEN_APART_MS (5 * 60 * 1000)

/* Discovery that others cleared comes back after a pause, so often in an hour at most. */
#define RESTORE_MS (10 * 1000)
#define RESTORES_MAX 3
#define RESTORES_PER_MS (60 * 60 * 1000)

/* The configuration that takes a part away waits SHELF_SETTLE_MS itself. */
#define PART_GONE_MS (2 * SHELF_SETTLE_MS)

/* What is kept of one dial. Never goes while the face is there: what was once seen stays. */
struct face_dial {
	struct list link;
	char leaf[DIAL_KEY_MAX];
	struct leaf *state;
	struct leaf *config; /* single form only */
	int32_t last_on;     /* of a number that may be off; 0: not known */
};

struct face {
	struct list link;
	struct mqtt *mqtt;
	struct lock *lock;
	char id[LOCK_ID_MAX];
	unsigned parts;   /* what Home Assistant has been told of */
	unsigned to_come; /* of these: known from the broker only, until the lock tells */
	json_t *gone;     /* what has to be taken away from it by the next message: key, platform */
	unsigned acts;
	bool may_set;           /* settings were offered once */
	struct list dials;      /* struct face_dial */
	struct event operation; /* the last one */
	struct event last;      /* newest event of a former life, until there is one of this */
	enum factor_rule factor;
	struct leaf *config[PART_COUNT_]; /* device form: the first only */
	struct leaf *states[PART_COUNT_];
	struct leaf *attributes;
	struct leaf *counts; /* attributes of the link */
	struct leaf *codes;  /* attributes of the codes */
	struct leaf *problem;
	struct leaf *forecast;
	struct leaf *operator; /* attributes of the last operation */
	struct leaf *availability;
	/* The word shown last that was not "None"; NULL: none in this life. */
	const char *word;
	int rssi_shown;
	mono_t rssi_at;
	mono_t last_seen_at;
	int median_shown;
	mono_t counts_at;
	struct bucket bucket;
	struct loop_timer *restore;
	unsigned n_restores;
	mono_t restores_since;
};

static struct leaf *face_add(struct face *face, enum stage stage, const char *leaf) {
	char topic[TOPIC_MAX];
	return shelf_add(face->mqtt->shelf, stage,
		topic_of(&face->mqtt->discovery.topics, face->id, leaf, topic), false);
}

/* What cannot be shown for want of memory is shown at the next change. */
static void set(struct leaf *leaf, const char *payload) {
	if (leaf != NULL && payload != NULL) {
		(void) leaf_set(leaf, payload);
	}
}

static void on_restore(void *user) {
	struct face *face = user;

	for (size_t i = 0; i < PART_COUNT_; i++) {
		if (face->config[i] != NULL) {
			leaf_repeat(face->config[i]);
		}
	}
	struct face_dial *dial;
	list_for_each(dial, &face->dials, link) {
		if (dial->config != NULL) {
			leaf_repeat(dial->config);
		}
	}
}

struct face *face_new(struct mqtt *mqtt, struct lock *lock) {
	struct face *face = calloc(1, sizeof(*face));

	if (face == NULL) {
		return NULL;
	}
	list_init(&face->link);
	list_init(&face->dials);
	face->gone = json_object();
	face->mqtt = mqtt;
	face->lock = lock;
	memcpy(face->id, lock_id(lock), sizeof(face->id));
	face->restore = loop_timer_new(mqtt->loop, on_restore, face);
	face->availability = face_add(face, STAGE_STATE, "availability");
	face->attributes = face_add(face, STAGE_STATE, "lock/attributes");
	if (face->gone == NULL || face->restore == NULL || face->availability == NULL ||
		face->attributes == NULL) {
		leaf_remove(face->availability);
		leaf_remove(face->attributes);
		return face_free(face);
	}
	list_append(&mqtt->faces, &face->link);
	return face;
}

struct face *face_free(struct face *face) {
	if (face != NULL) {
		list_remove(&face->link);
		face->restore = loop_timer_free(face->restore);
		struct face_dial *dial;
		struct face_dial *next;
		list_for_each_safe(dial, next, &face->dials, link) {
			list_remove(&dial->link);
			free(dial);
		}
		json_decref(face->gone);
		free(face);
	}
	return NULL;
}

struct face *face_next(const struct mqtt *mqtt, const struct face *face) {
	const struct list *next = face != NULL ? face->link.next : mqtt->faces.next;

	return next != &mqtt->faces ? list_entry(next, struct face, link) : NULL;
}

struct face *face_find(const struct mqtt *mqtt, const char *id) {
	struct face *face;

	list_for_each(face, &mqtt->faces, link) {
		if (strcmp(face->id, id) == 0) {
			return face;
		}
	}
	return NULL;
}

struct lock *face_lock(const struct face *face) {
	return face->lock;
}

struct bucket *face_bucket(struct face *face) {
	return &face->bucket;
}

static void take_view(struct view *view, const struct face *face) {
	view_take(view, face->mqtt->hub, face->lock, face->mqtt->config.diag);
	view->may_maintain = face->mqtt->config.maintenance && face->mqtt->config.allow_commands;
	/* A PIN that the lock refuses one day takes no entity away: the command says why it fails.
	 */
	view->may_set = face->may_set ||
			(face->mqtt->config.settings && face->mqtt->config.allow_commands &&
				(view->acts & 1U << ACT_PUT_SETTING) != 0);
	view->operation = face->operation;
	if (view->last.kind == EVENT_NONE) {
		view->last = face->last;
	}
}

static struct leaf *config_leaf(struct face *face, enum part part) {
	struct mqtt *mqtt = face->mqtt;
	char topic[TOPIC_MAX];
	char node[UNIQUE_ID_MAX];

	if (face->config[part] == NULL) {
		if (mqtt->config.discovery == MQTT_DISCOVERY_DEVICE) {
			topic_device_config(&mqtt->discovery.topics,
				discovery_lock_node(face->id, node), topic);
		} else {
			discovery_entity_topic(&mqtt->discovery, face->id, part, topic);
		}
		face->config[part] = shelf_add(mqtt->shelf, STAGE_CONFIG, topic, true);
	}
	return face->config[part];
}

static struct face_dial *find_dial(const struct face *face, const char *leaf) {
	struct face_dial *dial;

	list_for_each(dial, &face->dials, link) {
		if (strcmp(dial->leaf, leaf) == 0) {
			return dial;
		}
	}
	return NULL;
}

static void show_dial_configs(struct face *face, const struct view *view) {
	const struct discovery *discovery = &face->mqtt->discovery;
	struct dial dials[DIALS_MAX];
	size_t n = dials_of(view, dials);
	char topic[TOPIC_MAX];
	char leaf[DIAL_KEY_MAX];

	for (size_t i = 0; i < n; i++) {
		struct face_dial *kept = find_dial(face, dial_leaf(&dials[i], leaf));
		if (kept == NULL) {
			continue;
		}
		if (kept->config == NULL) {
			kept->config = shelf_add(face->mqtt->shelf, STAGE_CONFIG,
				discovery_dial_topic(discovery, face->id, &dials[i], topic), true);
		}
		AUTO(free) char *text = discovery_dial(discovery, view, &dials[i]);
		set(kept->config, text);
	}
}

static void show_config(struct face *face, const struct view *view) {
	const struct discovery *discovery = &face->mqtt->discovery;

	switch (face->mqtt->config.discovery) {
	case MQTT_DISCOVERY_DEVICE: {
		AUTO(free) char *text = discovery_lock(discovery, view, face->parts, face->gone);
		set(config_leaf(face, PART_LOCK), text);
		break;
	}
	case MQTT_DISCOVERY_SINGLE:
		for (enum part part = 0; part < PART_COUNT_; part++) {
			if ((face->parts & 1U << part) != 0) {
				AUTO(free) char *text = discovery_entity(discovery, view, part);
				set(config_leaf(face, part), text);
			} else if (face->config[part] != NULL) {
				leaf_remove(STEAL(face->config[part]));
			}
		}
		show_dial_configs(face, view);
		(void) json_object_clear(face->gone);
		break;
	case MQTT_DISCOVERY_OFF:
	case MQTT_DISCOVERY_UNKNOWN:
		(void) json_object_clear(face->gone);
		break;
	}
}

static void part_is_gone(struct face *face, enum part part) {
	(void) json_object_set_new(
		face->gone, discovery_key(part), json_string(discovery_platform(part)));
	leaf_remove_later(STEAL(face->states[part]), PART_GONE_MS);
	switch (part) {
	case PART_CODES:
		leaf_remove_later(STEAL(face->codes), PART_GONE_MS);
		break;
	case PART_BATTERY_DAYS:
		leaf_remove_later(STEAL(face->forecast), PART_GONE_MS);
		break;
	default:
		break;
	}
}

/*
 * What was once seen stays: a value that is missing for a while is "None", not a missing entity.
 * Only the door sensor goes, when the lock itself says that it has none any more; and what was
 * known from the broker only, when the lock says so.
 */
static bool update_parts(struct face *face, const struct view *view) {
	const struct lock_status *status = &view->status;
	unsigned seen = view_parts(view);
	unsigned parts = face->parts | seen;

	if (status->config_known.how != EVIDENCE_NONE &&
		status->config_known.how != EVIDENCE_STORED && !status->config.has_door_sensor &&
		status->door == DOOR_STATE_UNKNOWN) {
		parts &= ~(1U << PART_DOOR | 1U << PART_DOOR_SENSOR);
	}
	face->to_come &= ~seen;
	unsigned denied = face->to_come & view_parts_denied(view);
	face->to_come &= ~denied;
	parts &= ~denied;
	unsigned lost = face->parts & ~parts;
	bool is_new = parts != face->parts || view->acts != face->acts;
	face->parts = parts;
	face->acts = view->acts;
	for (enum part part = 0; part < PART_COUNT_; part++) {
		if ((lost & 1U << part) != 0) {
			part_is_gone(face, part);
		} else if ((parts & 1U << part) != 0) {
			(void) json_object_del(face->gone, discovery_key(part));
		}
	}
	return is_new;
}

/* @return whether there is one that Home Assistant has not been told of. */
static bool update_dials(struct face *face, const struct view *view) {
	struct dial dials[DIALS_MAX];
	size_t n = dials_of(view, dials);
	char leaf[DIAL_KEY_MAX];
	bool is_new = false;

	face->may_set = view->may_set;
	for (size_t i = 0; i < n; i++) {
		if (find_dial(face, dial_leaf(&dials[i], leaf)) != NULL) {
			continue;
		}
		struct face_dial *dial = calloc(1, sizeof(*dial));
		if (dial == NULL) {
			continue; /* at the next change */
		}
		list_init(&dial->link);
		(void) text_copy(dial->leaf, sizeof(dial->leaf), leaf);
		list_append(&face->dials, &dial->link);
		is_new = true;
	}
	return is_new;
}

/* A state is published once there is something to be said: a text has no word for "unknown". */
static void show_dials(struct face *face, const struct view *view) {
	struct dial dials[DIALS_MAX];
	size_t n = dials_of(view, dials);
	char leaf[DIAL_KEY_MAX];
	char text[SETTING_VALUE_MAX];

	for (size_t i = 0; i < n; i++) {
		struct face_dial *kept = find_dial(face, dial_leaf(&dials[i], leaf));
		const char *payload = dial_payload(&dials[i], text);
		if (kept == NULL || payload == NULL) {
			continue;
		}
		if (kept->state == NULL) {
			kept->state = face_add(face, STAGE_STATE, leaf);
		}
		set(kept->state, payload);
		if (dials[i].is_enabler && strcmp(payload, "ON") == 0) {
			kept->last_on = (int32_t) strtol(dials[i].setting->value, NULL, 10);
		}
	}
}

int32_t face_last_on(const struct face *face, const char *name) {
	char leaf[DIAL_KEY_MAX];

	(void) snprintf(leaf, sizeof(leaf), "setting/%.39s", name);
	const struct face_dial *dial = find_dial(face, leaf);
	return dial != NULL ? dial->last_on : 0;
}

void face_repeat_dials(struct face *face) {
	struct face_dial *dial;

	list_for_each(dial, &face->dials, link) {
		if (dial->state != NULL) {
			leaf_repeat(dial->state);
		}
	}
}

void face_recall(struct face *face, const struct event *event) {
	if (face->last.seq < event->seq) {
		face->last = *event;
	}
	if (event->kind == EVENT_LOCK_OPERATION && face->operation.seq < event->seq) {
		face->operation = *event;
	}
}

bool face_has_problem(const struct face *face) {
	const struct leaf *leaf = face->states[PART_PROBLEM];

	return leaf != NULL && strcmp(leaf_payload(leaf), "ON") == 0;
}

static bool is_time(enum part part) {
	return part == PART_LAST_SEEN || part == PART_BATTERY_CHANGED || part == PART_LAST_OPERATED;
}

static void show_part(struct face *face, const struct view *view, enum part part) {
	char text[PAYLOAD_MAX];
	const char *payload = payload_part(view, part, face->mqtt->config.show_users, text);

	if (payload == NULL) {
		return;
	}
	/* Home Assistant before 2024.6 complains of a time that is "None": nothing says the same.
	 */
	if (face->states[part] == NULL && face->mqtt->discovery.is_old_ha && is_time(part) &&
		strcmp(payload, "None") == 0) {
		return;
	}
	if (face->states[part] == NULL) {
		face->states[part] = face_add(face, STAGE_STATE, discovery_leaf(part));
	}
	set(face->states[part], payload);
}

/* Never counts as long ago. */
static bool is_past(mono_t at, int64_t apart_ms, mono_t now) {
	return at.ms == 0 || mono_since(at, now) >= apart_ms;
}

static void show_rssi(struct face *face, const struct view *view) {
	mono_t now = mqtt_now(face->mqtt);
	int rssi = view->status.rssi;
	bool is_step = abs(rssi - face->rssi_shown) >= RSSI_STEP_DB;
	bool is_same = rssi == face->rssi_shown;
	struct leaf *leaf = face->states[PART_RSSI];

	if (leaf != NULL && !(is_step && is_past(face->rssi_at, RSSI_APART_MS, now)) &&
		!(rssi != 0 && is_past(face->rssi_at, RSSI_RENEW_MS, now))) {
		return;
	}
	face->rssi_shown = rssi;
	face->rssi_at = rssi != 0 ? now : face->rssi_at;
	show_part(face, view, PART_RSSI);
	if (leaf != NULL && is_same) {
		leaf_repeat(leaf);
	}
}

static void show_last_seen(struct face *face, const struct view *view, bool is_due) {
	mono_t now = mqtt_now(face->mqtt);

	if (is_due || face->states[PART_LAST_SEEN] == NULL ||
		is_past(face->last_seen_at, LAST_SEEN_APART_MS, now)) {
		face->last_seen_at = view->status.heard.wall.s != 0 ? now : face->last_seen_at;
		show_part(face, view, PART_LAST_SEEN);
	}
}

/*
 * The middle strength moves a little all the time: alone it is no reason to publish. What changes
 * within the minute is told with the next that is heard of the lock after it; the shelf keeps back
 * what is the same as before.
 */
static void show_counts(struct face *face, const struct view *view) {
	mono_t now = mqtt_now(face->mqtt);
	int median = (int) tally_strengths(&view->radio.tally).median;

	if (face->counts != NULL && !is_past(face->counts_at, COUNTS_APART_MS, now)) {
		return;
	}
	if (face->counts == NULL) {
		face->counts = face_add(face, STAGE_STATE, "link/attributes");
	}
	if (face->median_shown == 0 || abs(median - face->median_shown) >= RSSI_STEP_DB) {
		face->median_shown = median;
	}
	face->counts_at = now;
	AUTO(free) char *text = payload_link_attributes(&view->radio, face->median_shown);
	set(face->counts, text);
}

static void show_codes(struct face *face, const struct view *view) {
	if ((face->parts & 1U << PART_CODES) == 0) {
		return;
	}
	if (face->codes == NULL) {
		face->codes = face_add(face, STAGE_STATE, "codes/attributes");
	}
	AUTO(free) char *text = payload_codes_attributes(&view->sync);
	set(face->codes, text);
}

static void show_operation(struct face *face, const struct view *view) {
	if (face->operator== NULL) {
		face->operator= face_add(face, STAGE_STATE, "last_operation/attributes");
	}
	AUTO(free) char *text = payload_operation_attributes(view, face->mqtt->config.show_users);
	set(face->operator, text);
}

static void show_health(struct face *face, const struct view *view) {
	if (face->problem == NULL) {
		face->problem = face_add(face, STAGE_STATE, "problem/attributes");
	}
	AUTO(free) char *problem = payload_problem_attributes(view);
	set(face->problem, problem);
	if ((face->parts & 1U << PART_BATTERY_DAYS) == 0) {
		return;
	}
	if (face->forecast == NULL) {
		face->forecast = face_add(face, STAGE_STATE, "battery_days/attributes");
	}
	AUTO(free) char *forecast = payload_forecast_attributes(&view->health.forecast);
	set(face->forecast, forecast);
}

/*
 * Home Assistant takes "None" for "unknown" only after LOCKED and UNLOCKED; after the other words
 * it goes on showing them. To send a sure word in between would be a
 * lie for a moment, and perhaps a false LOCKED (L1): the lock is unavailable then instead.
 */
static bool is_available(const struct face *face, const struct view *view, const char *word) {
	if (!view->is_reachable) {
		return false;
	}
	return strcmp(word, "None") != 0 ||
	       (face->word != NULL && payload_state_is_clearable(face->word));
}

static void show_states(struct face *face, const struct view *view) {
	const char *word = payload_state(view, face->mqtt->discovery.is_old_ha);
	bool is_online = is_available(face, view, word);

	/* Out of sight before the word turns, into sight after it has. */
	if (!is_online) {
		set(face->availability, "offline");
	}
	if (face->states[PART_LOCK] == NULL) {
		face->states[PART_LOCK] = face_add(face, STAGE_STATE, discovery_leaf(PART_LOCK));
	}
	set(face->states[PART_LOCK], word);
	face->word = strcmp(word, "None") != 0 ? word : face->word;
	for (enum part part = 0; part < PART_COUNT_; part++) {
		if ((face->parts & 1U << part) != 0 && part != PART_RSSI &&
			part != PART_LAST_SEEN) {
			show_part(face, view, part);
		}
	}
	show_codes(face, view);
	show_health(face, view);
	show_operation(face, view);
	show_dials(face, view);
	AUTO(free) char *attributes = payload_attributes(view, face->mqtt->config.show_users);
	set(face->attributes, attributes);
	if (is_online) {
		set(face->availability, "online");
	}
}

void face_show(struct face *face, unsigned what) {
	bool is_heard_only = (what & ~(unsigned) FACT_HEARD) == 0;
	mono_t now = mqtt_now(face->mqtt);
	struct view view;

	if (is_heard_only && !is_past(face->rssi_at, RSSI_APART_MS, now) &&
		!is_past(face->counts_at, COUNTS_APART_MS, now) &&
		!is_past(face->last_seen_at, LAST_SEEN_APART_MS, now)) {
		return;
	}
	take_view(&view, face);
	show_rssi(face, &view);
	show_last_seen(face, &view, (what & FACT_LINK) != 0);
	show_counts(face, &view);
	if (is_heard_only) {
		return;
	}
	bool is_factor_new = face->factor != view.factor;
	face->factor = view.factor;
	bool is_dial_new = update_dials(face, &view);
	if (update_parts(face, &view) || is_dial_new || is_factor_new ||
		(what & (FACT_NAME | FACT_VERSIONS | FACT_CONFIG)) != 0) {
		show_config(face, &view);
	}
	show_states(face, &view);
}

/* A setting that the lock has, and that may be offered, though it has not told a value yet. */
static bool is_dial_to_come(const struct face *face, const char *name) {
	size_t n = 0;
	const struct lock_setting *rows = lock_setting_rows(face->lock, &n);
	bool is_enabler = false;
	const struct lock_setting *row =
		rows != NULL ? dial_find(rows, n, name, &is_enabler) : NULL;
	struct view view;

	take_view(&view, face);
	return row != NULL && view.may_set && (view.may_maintain || !dial_is_guarded(row));
}

bool face_adopt(struct face *face, const char *key) {
	static const char stem[] = "setting_";
	enum part part = discovery_part_of(key);
	struct view view;

	if (strncmp(key, stem, sizeof(stem) - 1) == 0) {
		return is_dial_to_come(face, key + sizeof(stem) - 1);
	}
	if (part == PART_COUNT_) {
		return false;
	}
	if ((face->parts & 1U << part) != 0) {
		return true;
	}
	take_view(&view, face);
	if ((view_parts_to_come(&view) & ~view_parts_denied(&view) & 1U << part) == 0) {
		return false;
	}
	face->parts |= 1U << part;
	face->to_come |= 1U << part;
	return true;
}

void face_part_with(struct face *face, const char *key, const char *platform) {
	(void) json_object_set_new(face->gone, key, json_string(platform));
}

void face_refresh(struct face *face) {
	struct view view;

	take_view(&view, face);
	show_config(face, &view);
	show_states(face, &view);
}

void face_erase(struct face *face) {
	/* The configuration first: its entities vanish before their states do. */
	for (size_t i = 0; i < PART_COUNT_; i++) {
		leaf_remove(STEAL(face->config[i]));
	}
	for (size_t i = 0; i < PART_COUNT_; i++) {
		leaf_remove_later(STEAL(face->states[i]), SHELF_SETTLE_MS);
	}
	leaf_remove_later(STEAL(face->attributes), SHELF_SETTLE_MS);
	leaf_remove_later(STEAL(face->counts), SHELF_SETTLE_MS);
	leaf_remove_later(STEAL(face->codes), SHELF_SETTLE_MS);
	leaf_remove_later(STEAL(face->problem), SHELF_SETTLE_MS);
	leaf_remove_later(STEAL(face->forecast), SHELF_SETTLE_MS);
	leaf_remove_later(STEAL(face->operator), SHELF_SETTLE_MS);
	leaf_remove_later(STEAL(face->availability), SHELF_SETTLE_MS);
	struct face_dial *dial;
	list_for_each(dial, &face->dials, link) {
		leaf_remove(STEAL(dial->config));
		leaf_remove_later(STEAL(dial->state), SHELF_SETTLE_MS);
	}
}

void face_each_config(
	const struct face *face, void (*fn)(void *user, const char *topic), void *user) {
	const struct face_dial *dial;

	for (size_t i = 0; i < PART_COUNT_; i++) {
		if (face->config[i] != NULL) {
			fn(user, leaf_topic(face->config[i]));
		}
	}
	list_for_each(dial, &face->dials, link) {
		if (dial->config != NULL) {
			fn(user, leaf_topic(dial->config));
		}
	}
}

static bool has_config(const struct face *face, const char *topic) {
	const struct face_dial *dial;

	for (size_t i = 0; i < PART_COUNT_; i++) {
		if (face->config[i] != NULL && strcmp(leaf_topic(face->config[i]), topic) == 0) {
			return true;
		}
	}
	list_for_each(dial, &face->dials, link) {
		if (dial->config != NULL && strcmp(leaf_topic(dial->config), topic) == 0) {
			return true;
		}
	}
	return false;
}

bool face_cleared(struct face *face, const char *topic) {
	struct mqtt *mqtt = face->mqtt;
	mono_t now = mqtt_now(mqtt);
	struct fault fault;

	if (!has_config(face, topic)) {
		return false;
	}
	if (loop_timer_is_armed(face->restore)) {
		return true;
	}
	if (mono_since(face->restores_since, now) >= RESTORES_PER_MS || face->n_restores == 0) {
		face->restores_since = now;
		face->n_restores = 0;
	}
	bool comes_back = mqtt->config.keep_discovery && face->n_restores < RESTORES_MAX;
	(void) fault_set(&fault, FAULT_DISCOVERY_CLEARED, "%s: %s", topic,
		comes_back                    ? "published again in 10 s"
		: mqtt->config.keep_discovery ? "left alone now, it was cleared too often"
					      : "left alone, as configured");
	log_fault(&fault, lock_slug(face->lock), NULL);
	if (comes_back) {
		face->n_restores++;
		loop_timer_arm(face->restore, RESTORE_MS);
	}
	return true;
}

void face_leaf_settled(struct face *face, const struct leaf *leaf) {
	struct view view;

	/* What was to be taken away is: the next message says nothing of it. */
	if (json_object_size(face->gone) > 0 && leaf == face->config[PART_LOCK]) {
		(void) json_object_clear(face->gone);
		take_view(&view, face);
		show_config(face, &view);
	}
}
