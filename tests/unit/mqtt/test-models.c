/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a lock of each model in conf/models looks like to Home Assistant, in both forms, against
 * golden/models/MODEL.FORM.json. The abilities and the settings come from the real driver. When a
 * message changes on purpose: tests/unit/mqtt/golden/regenerate BUILD-DIR, and read the difference.
 */

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <jansson.h>

#include "core/hub.h"
#include "discovery.h"
#include "nuki/keys.h"
#ifdef HAVE_SWITCHBOT
#include "switchbot/keys.h"
#include "switchbot/models.h"
#endif
#include "util/auto.h"
#include "util/text.h"

#define LOCK_ID "9f3a71c2"

struct facts {
	char name[64];
	char brand[16];
	char generation[16];
	char firmware[8];
	bool has_percent;
};

static const char *root(void) {
	const char *path = getenv("LOCKHUB_SOURCE_ROOT");
	return path != NULL ? path : ".";
}

/* Enough of INI for the [model] section, and one quirk that shows. */
static void read_model(const char *file, struct facts *facts) {
	char path[512];
	char line[512];
	char key[64];
	char value[400];

	(void) snprintf(path, sizeof(path), "%s/conf/models/%s", root(), file);
	FILE *stream = fopen(path, "re");
	assert_non_null(stream);
	*facts = (struct facts){ .has_percent = true };
	while (fgets(line, sizeof(line), stream) != NULL) {
		if (sscanf(line, "%63[a-z_] = %399[^\n]", key, value) != 2) {
			continue;
		}
		if (strcmp(key, "name") == 0) {
			(void) text_copy(facts->name, sizeof(facts->name), value);
		} else if (strcmp(key, "brand") == 0) {
			(void) text_copy(facts->brand, sizeof(facts->brand), value);
		} else if (strcmp(key, "generation") == 0) {
			(void) text_copy(facts->generation, sizeof(facts->generation), value);
		} else if (strcmp(key, "firmware") == 0) {
			(void) text_copy(facts->firmware, sizeof(facts->firmware), value);
		} else if (strcmp(key, "no_percent") == 0) {
			facts->has_percent = false;
		}
	}
	(void) fclose(stream);
}

static void keys_of(const struct facts *facts, struct secret *ret) {
	struct nuki_keys keys = {
		.generation = strcmp(facts->generation, "5g") == 0 ? NUKI_GENERATION_5
								   : NUKI_GENERATION_1_TO_4,
		.auth_id = 1,
		.app_id = 2,
		.nuki_id = 3,
		.pin = 1,
		.is_pin_known = true,
		.is_pin_verified = true,
		.shared = { 1 },
	};

	nuki_keys_encode(&keys, ret);
}

static mono_t mono_now(const struct clock *clock) {
	(void) clock;
	return (mono_t){ 1000 };
}
static wall_t wall_now(const struct clock *clock) {
	(void) clock;
	return (wall_t){ 1795327200 };
}
static bool is_trusted(const struct clock *clock) {
	(void) clock;
	return true;
}
static const struct clock still = { .mono = mono_now, .wall = wall_now, .is_trusted = is_trusted };

/* A ledger that keeps nothing: nothing runs here. */
static void no_commit(struct ledger *ledger, struct txn *take_txn) {
	(void) ledger;
	(void) txn_free(take_txn);
}
static const struct ledger_impl ledger_impl = { .commit = no_commit };

static struct radio_link *no_link(struct radio *radio, const struct radio_target *target,
	const struct radio_user *impl, void *user) {
	static char one;
	(void) radio;
	(void) target;
	(void) impl;
	(void) user;
	return (struct radio_link *) (void *) &one;
}
static struct radio_link *no_link_free(struct radio_link *link) {
	(void) link;
	return NULL;
}
static void no_stats(const struct radio_link *link, struct radio_stats *ret) {
	(void) link;
	memset(ret, 0, sizeof(*ret));
	ret->state = "down";
}
static const struct radio_impl radio_impl = {
	.link_new = no_link, .link_free = no_link_free, .link_stats = no_stats
};

/* Any value that the setting takes, for all the driver knows of. */
static void load_settings(struct hub *hub, const struct lock *lock) {
	size_t n = 0;
	const struct lock_setting *rows = lock_setting_rows(lock, &n);
	char text[SETTINGS_MAX * 2 * SETTING_VALUE_MAX] = "";
	char line[2 * SETTING_VALUE_MAX];

	for (size_t i = 0; i < n; i++) {
		char number[16];
		const char *value = number;
		(void) snprintf(number, sizeof(number), "%d", (int) rows[i].max);
		switch (rows[i].kind) {
		case SETTING_SWITCH:
			value = "on";
			break;
		case SETTING_SELECT:
			value = rows[i].options[0];
			break;
		case SETTING_TIME:
			value = "22:30";
			break;
		case SETTING_TEXT:
			value = "Front door";
			break;
		case SETTING_NUMBER:
			break;
		}
		(void) snprintf(line, sizeof(line), "%s=%s\n", rows[i].key, value);
		(void) strcat(text, line);
	}
	hub_load_setting(hub, "settings." LOCK_ID, text);
}

static void add(json_t *all, const char *topic, char *take_payload) {
	AUTO(free) char *payload = take_payload;

	assert_non_null(payload);
	(void) json_object_set_new(all, topic,
		json_pack("{s:o,s:b,s:i}", "payload", json_loads(payload, 0, NULL), "retain", 1,
			"qos", 1));
}

static void compare(json_t *take_all, const char *model, const char *form) {
	char path[512];
	json_error_t error;

	(void) snprintf(path, sizeof(path), "%s/tests/unit/mqtt/golden/models/%s.%s.json", root(),
		model, form);
	if (getenv("LOCKHUB_GOLDEN_WRITE") != NULL) {
		assert_int_equal(json_dump_file(take_all, path, JSON_INDENT(1)), 0);
	}
	json_t *golden = json_load_file(path, 0, &error);
	if (golden == NULL) {
		fail_msg(
			"%s: %s; a new model? tests/unit/mqtt/golden/regenerate", path, error.text);
	}
	if (!json_equal(take_all, golden)) {
		AUTO(free) char *text = json_dumps(take_all, JSON_INDENT(1));
		fail_msg("not as in %s:\n%s", path, text);
	}
	json_decref(golden);
	json_decref(take_all);
}

static void compare_both(struct view *view, const char *model) {
	struct discovery discovery = {
		.topics = { .base = "lockhub", .prefix = "homeassistant" },
		.hub_id = "51d0",
		.hub_name = "lockhub",
		.version = "0.1.0",
	};
	unsigned parts = view_parts(view);
	struct dial dials[DIALS_MAX];
	size_t n_dials = dials_of(view, dials);
	json_t *device = json_object();
	json_t *single = json_object();
	char topic[TOPIC_MAX];

	add(device, topic_device_config(&discovery.topics, "lockhub_" LOCK_ID, topic),
		discovery_lock(&discovery, view, parts, NULL));
	compare(device, model, "device");
	discovery.is_old_ha = true;
	for (enum part part = 0; part < PART_COUNT_; part++) {
		if ((parts & 1U << part) != 0) {
			add(single, discovery_entity_topic(&discovery, view->id, part, topic),
				discovery_entity(&discovery, view, part));
		}
	}
	for (size_t i = 0; i < n_dials; i++) {
		add(single, discovery_dial_topic(&discovery, view->id, &dials[i], topic),
			discovery_dial(&discovery, view, &dials[i]));
	}
	compare(single, model, "single");
}

/*
 * What is known of newer firmware: 2.9.9 is older than the 2.12.4 that a 2.0 should have (a text
 * would compare the other way round), 3.9.9 is not older than 3.3.5, and of others nothing is
 * known.
 */
static void judge_firmware(struct hub *hub, const struct lock *lock, struct view *view) {
	char folder[512];
	const struct diag_config config = { .hub = hub, .models = folder, .version = "0.1.0" };

	(void) snprintf(folder, sizeof(folder), "%s/conf/models", root());
	struct diag *diag = diag_new(&config);
	assert_non_null(diag);
	view_take(view, hub, lock, diag);
	bool is_old = view->status.versions.firmware[0] == '2';
	assert_string_equal(view->newest_firmware, is_old ? "2.12.4" : "");
	assert_int_equal(view->firmware_reason[0] != '\0', is_old);
	(void) diag_free(diag);
}

/* What decides who gets in is set by MQTT with [mqtt] maintenance only: a button that opens, too.
 */
static size_t check_guards(const struct lock *lock) {
	size_t n = 0;
	size_t n_opening = 0;
	const struct lock_setting *rows = lock_setting_rows(lock, &n);

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; rows[i].kind == SETTING_SELECT && rows[i].options[j] != NULL;
			j++) {
			const char *option = rows[i].options[j];
			bool opens = strstr(option, "unl") != NULL;
			n_opening += opens;
			if (opens && !dial_is_guarded(&rows[i])) {
				fail_msg("%s=%s without maintenance", rows[i].key, option);
			}
		}
	}
	return n_opening;
}

static struct hub *new_hub(struct ledger *ledger, struct radio *radio) {
	struct hub_config config;

	hub_config_defaults(&config);
	config.clock = &still;
	config.radio = radio;
	config.ledger = ledger;
	config.drivers = lock_drivers;
	struct hub *hub = hub_new(&config);
	assert_non_null(hub);
	return hub;
}

/* As a lock of this model is once it has told all that it can tell. @report: NULL, nothing else. */
static void one_page(const struct lock_record *record, const char *model, bool is_nuki,
	const struct battery_report *report) {
	struct ledger ledger = { .impl = &ledger_impl };
	struct radio radio = { .impl = &radio_impl };
	struct hub *hub = new_hub(&ledger, &radio);
	struct view *view = calloc(1, sizeof(*view));

	assert_non_null(view);
	assert_int_equal(hub_load_lock(hub, record), 0);
	struct lock *lock = hub_lock_at(hub, 0);
	load_settings(hub, lock);
	size_t n_rows = 0;
	(void) lock_setting_rows(lock, &n_rows);
	assert_int_equal(check_guards(lock) > 0, is_nuki); /* each Nuki has a button that opens */
	if (is_nuki) {
		judge_firmware(hub, lock, view);
	}
	view_take(view, hub, lock, NULL);
	view->has_health = true;
	view->may_maintain = true;
	view->may_set = (view->acts & 1U << ACT_PUT_SETTING) != 0;
	if (is_nuki) {
		/* No other brand tells these. */
		view->status.report_known.how = EVIDENCE_ANSWERED;
		view->status.report.millivolts = 5900;
		view->status.accessories_known.how = EVIDENCE_ANSWERED;
		view->status.accessories.keypad = BATTERY_OK;
		view->status.accessories.door_sensor = BATTERY_OK;
	}
	if (report != NULL) {
		view->status.report_known.how = EVIDENCE_ANSWERED;
		view->status.report = *report;
	}
	/* A lock without settings has no dials, and nothing that could be mistaken for one. */
	assert_int_equal(view->may_set, n_rows > 0);
	compare_both(view, model);
	(void) hub_free(hub);
	free(view);
}

static const struct lock_record any_record = { .id = LOCK_ID,
	.name = "Front door",
	.slug = "front-door",
	.address = "AA:BB:CC:DD:EE:FF",
	.paired_at = { 1700000000 },
	.battery_at = { 1700000000 },
	.config_at = { 1700000000 },
	.versions = { .serial = "1A2B3C4D", .firmware = "1.2.3" },
	.battery = { .level = BATTERY_OK, .percent = 80 },
	.config = { .has_door_sensor = true, .has_keypad = true, .auto_lock_s = -1 } };

static void one_model(const char *file) {
	struct lock_record record = any_record;
	struct facts facts;
	char model[64];

	read_model(file, &facts);
	if (strcmp(facts.brand, "nuki") != 0) {
		return; /* has cases of its own */
	}
	(void) text_copy(model, sizeof(model), file);
	*strrchr(model, '.') = '\0';
	(void) text_copy(record.driver, sizeof(record.driver), facts.brand);
	keys_of(&facts, &record.keys);
	(void) text_copy(record.versions.model, sizeof(record.versions.model), facts.name);
	(void) snprintf(record.versions.firmware, sizeof(record.versions.firmware), "%.4s.9.9",
		facts.firmware);
	record.battery.percent = facts.has_percent ? 80 : -1;
	one_page(&record, model, true, NULL);
	secret_wipe(&record.keys);
}

static int is_model(const struct dirent *entry) {
	size_t n = strlen(entry->d_name);
	return n > 4 && strcmp(entry->d_name + n - 4, ".ini") == 0;
}

static void every_model_has_its_page(void **state) {
	char folder[512];
	struct dirent **names = NULL;

	(void) state;
	(void) snprintf(folder, sizeof(folder), "%s/conf/models", root());
	int n = scandir(folder, &names, is_model, alphasort);
	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		one_model(names[i]->d_name);
		free(names[i]);
	}
	free(names);
}

#ifdef HAVE_SWITCHBOT
/* "SwitchBot Lock Pro Wi-Fi": switchbot-lock-pro-wi-fi */
static void name_to_file(const char *name, char *out, size_t n_out) {
	assert_true(strlen(name) < n_out);
	(void) text_copy(out, n_out, name);
	for (char *at = out; *at != '\0'; at++) {
		*at = (char) (*at == ' ' ? '-' : tolower((unsigned char) *at));
	}
}

/* Which models there are, the driver knows. Only those with a sensor have a door on the page. */
static void every_switchbot_has_its_page(void **state) {
	(void) state;
	for (unsigned i = SWITCHBOT_MODEL_UNKNOWN + 1; i < SWITCHBOT_MODEL_COUNT_; i++) {
		const struct switchbot_model_row *row =
			switchbot_model_row((enum switchbot_model) i);
		const struct switchbot_keys keys = {
			.model = (enum switchbot_model) i, .key_id = 1, .key = { 1 }
		};
		struct lock_record record = any_record;
		char model[64];

		name_to_file(row->name, model, sizeof(model));
		(void) text_copy(record.driver, sizeof(record.driver), "switchbot");
		switchbot_keys_encode(&keys, &record.keys);
		(void) text_copy(record.versions.model, sizeof(record.versions.model), row->name);
		record.config.has_door_sensor = row->has_door;
		record.config.has_keypad = false;
		one_page(&record, model, false, NULL);
		secret_wipe(&record.keys);
	}
}
#endif

/* "August ASL-01, -02": august-asl-01-02 */
static void words_to_file(const char *name, char *out, size_t n_out) {
	size_t n = 0;

	for (; *name != '\0'; name++) {
		const bool is_word = isalnum((unsigned char) *name) != 0;

		assert_true(n + 1 < n_out);
		if (is_word || (n > 0 && out[n - 1] != '-')) {
			out[n++] = (char) (is_word ? tolower((unsigned char) *name) : '-');
		}
	}
	out[n] = '\0';
}

/* With all that an example of it tells. false: there is no such example. */
static bool one_example(const struct driver *driver, const char *prefix, unsigned i) {
	struct lock_record record = any_record;
	struct lock_status status = { 0 };
	char model[80];
	char words[80];
	const char *name = driver->example(i, &record.keys, &status);

	if (name == NULL) {
		return false;
	}
	(void) snprintf(words, sizeof(words), "%s%s", prefix, name);
	words_to_file(words, model, sizeof(model));
	(void) text_copy(record.driver, sizeof(record.driver), driver->name);
	(void) text_copy(record.versions.model, sizeof(record.versions.model), name);
	record.battery = status.battery;
	record.battery_at.s *= status.battery_known.how != EVIDENCE_NONE;
	record.config = (struct config_facts){
		.has_door_sensor = status.door_known.how != EVIDENCE_NONE,
		.auto_lock_s = -1,
	};
	one_page(&record, model, false,
		status.report_known.how != EVIDENCE_NONE ? &status.report : NULL);
	secret_wipe(&record.keys);
	return true;
}

/* The models that these drivers name themselves. */
static void every_example_has_its_page(void **state) {
	static const struct {
		const char *driver, *prefix;
	} brands[] = { { "august", "" }, { "ttlock", "ttlock " } };

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(brands); i++) {
		for (size_t k = 0; lock_drivers[k] != NULL; k++) {
			unsigned n = 0;
			while (strcmp(lock_drivers[k]->name, brands[i].driver) == 0 &&
				one_example(lock_drivers[k], brands[i].prefix, n)) {
				n++;
			}
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_model_has_its_page),
#ifdef HAVE_SWITCHBOT
		cmocka_unit_test(every_switchbot_has_its_page),
#endif
		cmocka_unit_test(every_example_has_its_page),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
