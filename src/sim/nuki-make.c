/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nuki.h"

/* A new virtual Nuki from the words of --lock. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"
#include "util/text.h"
#include "words.h"

static const struct model {
	const char *model;
	int generation;
	uint8_t firmware[3], hardware[2];
} models[] = {
	{ "nuki:gen1", 1, { 1, 10, 1 }, { 1, 4 } },
	{ "nuki:gen2", 2, { 2, 8, 15 }, { 2, 5 } },
	{ "nuki:gen3", 3, { 3, 5, 20 }, { 5, 1 } },
	{ "nuki:gen4", 4, { 4, 3, 11 }, { 9, 2 } },
	{ "nuki:5g", 5, { 5, 4, 6 }, { 12, 1 } },
};

/* ---- one function per key ---- */

static int number(const char *key, const char *value, uint64_t most, uint64_t *ret, char *why) {
	if (text_to_u64(value, 0, most, ret) < 0) {
		char wanted[64];
		snprintf(wanted, sizeof(wanted), "a number from 0 to %llu is needed",
			(unsigned long long) most);
		return words_bad(why, key, value, wanted);
	}
	return 0;
}

static int set_pin(struct nuki *nuki, const char *value, char *why) {
	uint64_t pin = 0;
	int r = number("pin", value, nuki->generation >= 5 ? 999999 : 9999, &pin, why);
	if (r == 0) {
		nuki->pin = (uint32_t) pin;
		nuki->is_pin_set = true;
	}
	return r;
}

static int set_id(struct nuki *nuki, const char *value, char *why) {
	uint8_t id[4];
	if (hex_decode(value, id, sizeof(id)) < 0) {
		return words_bad(why, "id", value, "eight hexadecimal digits are needed");
	}
	struct rd rd = rd_on(id, sizeof(id));
	nuki->id = rd_u32be(&rd);
	return 0;
}

static int set_firmware(struct nuki *nuki, const char *value, char *why) {
	return nuki_impl.firmware(&nuki->base, value, why);
}

static int set_keypad(struct nuki *nuki, const char *value, char *why) {
	uint64_t n = 0;
	int r = number("keypad", value, 2, &n, why);
	if (r == 0) {
		nuki->config.has_keypad = n == 1;
		nuki->config.has_keypad2 = n == 2;
		nuki->accessories = (uint8_t) ((nuki->accessories & ~1U) | (n > 0 ? 1 : 0));
	}
	return r;
}

static int set_codes_max(struct nuki *nuki, const char *value, char *why) {
	uint64_t n = 0;
	int r = number("codes-max", value, NUKI_CODES_MAX, &n, why);
	if (r == 0) {
		nuki->codes_max = n;
	}
	return r;
}

static int set_zone(struct nuki *nuki, const char *value, char *why) {
	bool is_west = value[0] == '-';
	uint64_t minutes = 0;
	if (text_to_u64(value + (is_west ? 1 : 0), 0, 14 * 60, &minutes) < 0) {
		return words_bad(why, "zone", value, "minutes east of UTC are needed, -840 to 840");
	}
	nuki->config.tz_offset = (int16_t) (is_west ? -(int) minutes : (int) minutes);
	nuki_config_changed(nuki);
	return 0;
}

static int set_sensor(struct nuki *nuki, const char *value, char *why) {
	uint64_t n = 0;
	int r = number("sensor", value, 1, &n, why);
	if (r == 0) {
		nuki->has_door_sensor = n;
		nuki->is_door_logging = n;
	}
	return r;
}

static int set_bolt(struct nuki *nuki, const char *value, char *why) {
	return body_set_bolt(&nuki->body, value, why);
}

static int set_mtu(struct nuki *nuki, const char *value, char *why) {
	uint64_t n = 0;
	if (text_to_u64(value, 23, 517, &n) < 0) {
		return words_bad(why, "mtu", value, "a number from 23 to 517 is needed");
	}
	nuki->base.mtu = (unsigned) n;
	return 0;
}

static int set_idle(struct nuki *nuki, const char *value, char *why) {
	uint64_t n = 0;
	int r = number("idle", value, 3600, &n, why);
	if (r == 0) {
		nuki->idle_ms = (unsigned) n * 1000;
	}
	return r;
}

static int set_auto_lock(struct nuki *nuki, const char *value, char *why) {
	uint64_t n = 0;
	int r = number("auto-lock", value, 1800, &n, why);
	if (r == 0) {
		nuki->advanced.auto_lock_s = (uint16_t) n;
		nuki->advanced.auto_lock_enabled = n > 0;
	}
	return r;
}

/* Fills the log as if the lock had been in use for a while: for paging and for the wrap at 1000. */
static int set_log(struct nuki *nuki, const char *value, char *why) {
	uint64_t n = 0;
	int r = number("log", value, 100000, &n, why);
	for (uint64_t i = 0; r == 0 && i < n; i++) {
		const uint8_t data[] = { i % 2 == 0 ? NUKI_ACTION_UNLOCK : NUKI_ACTION_LOCK,
			NUKI_TRIGGER_MANUAL, 0, 0 };
		nuki_log_add(nuki, NUKI_LOG_ACTION, 0, "", data, sizeof(data));
	}
	return r;
}

static int set_pairing(struct nuki *nuki, const char *value, char *why) {
	uint64_t n = 0;
	int r = number("pairing", value, 1, &n, why);
	if (r == 0) {
		nuki_set_pairing(nuki, n);
	}
	return r;
}

/* ---- what can be wrong with it ---- */

static int set_cells(struct nuki *nuki, const char *value, char *why) {
	return cell_chemistry_from_name(value, &nuki->body.cells.chemistry) == 0
		       ? 0
		       : words_bad(why, "cells", value, "alkaline, lithium or nimh is needed");
}

static int set_believed(struct nuki *nuki, const char *value, char *why) {
	static const uint8_t wire[] = {
		[CELL_ALKALINE] = 0,
		[CELL_LITHIUM] = 2,
		[CELL_NIMH] = 1,
	};
	nuki->body.is_chemistry_set = !text_equal(value, "auto");
	nuki->advanced.battery_auto = !nuki->body.is_chemistry_set;
	if (!nuki->body.is_chemistry_set) {
		return 0;
	}
	if (cell_chemistry_from_name(value, &nuki->body.believed) < 0) {
		nuki->body.is_chemistry_set = false;
		return words_bad(
			why, "cells-set", value, "auto, alkaline, lithium or nimh is needed");
	}
	nuki->advanced.battery_type = wire[nuki->body.believed];
	return 0;
}

static int set_worn(struct nuki *nuki, const char *value, char *why) {
	uint64_t n = 0;
	int r = number("worn", value, 2000, &n, why);
	if (r == 0) {
		nuki->body.cells.worn = (double) n / 100;
	}
	return r;
}

/* Of either sign. */
static int whole(const char *key, const char *value, int most, int *ret, char *why) {
	bool is_less = value[0] == '-';
	uint64_t n = 0;
	if (text_to_u64(value + (is_less ? 1 : 0), 0, (uint64_t) most, &n) < 0) {
		char wanted[64];
		snprintf(wanted, sizeof(wanted), "a number from -%d to %d is needed", most, most);
		return words_bad(why, key, value, wanted);
	}
	*ret = is_less ? -(int) n : (int) n;
	return 0;
}

static int set_celsius(struct nuki *nuki, const char *value, char *why) {
	int celsius = 0;
	int r = whole("celsius", value, 60, &celsius, why);
	if (r == 0) {
		nuki->body.cells.celsius = celsius;
	}
	return r;
}

static int set_cell_days(struct nuki *nuki, const char *value, char *why) {
	uint64_t n = 0;
	int r = number("cell-days", value, 3650, &n, why);
	if (r == 0) {
		nuki->body.cells.age_days = (double) n;
	}
	return r;
}

static int set_friction(struct nuki *nuki, const char *value, char *why) {
	uint64_t n = 0;
	int r = number("friction", value, 1000, &n, why);
	if (r == 0) {
		nuki->body.friction = (unsigned) n;
	}
	return r;
}

static int set_friction_shut(struct nuki *nuki, const char *value, char *why) {
	uint64_t n = 0;
	int r = number("friction-shut", value, 1000, &n, why);
	if (r == 0) {
		nuki->body.friction_shut = (unsigned) n;
	}
	return r;
}

static int set_jam(struct nuki *nuki, const char *value, char *why) {
	return nuki_impl.jam(&nuki->base, value, why);
}

/* For burglars: not kept over a restart, as what they leave is mended. */
static int set_frame(struct nuki *nuki, const char *value, char *why) {
	if (!text_equal(value, "broken") && !text_equal(value, "whole")) {
		return words_bad(why, "frame", value, "broken or whole is needed");
	}
	nuki->body.is_frame_broken = text_equal(value, "broken");
	return 0;
}

static int set_door(struct nuki *nuki, const char *value, char *why) {
	if (!text_equal(value, "open") && !text_equal(value, "closed")) {
		return words_bad(why, "door", value, "open or closed is needed");
	}
	nuki->body.is_door_open = text_equal(value, "open");
	return 0;
}

static int flag(const char *key, const char *value, uint64_t *ret, char *why) {
	return number(key, value, 1, ret, why);
}

static int set_calibrated(struct nuki *nuki, const char *value, char *why) {
	uint64_t n = 0;
	int r = flag("calibrated", value, &n, why);
	if (r == 0) {
		nuki->body.is_calibrated = n;
		nuki_changed(nuki, nuki->trigger);
	}
	return r;
}

static int set_drift(struct nuki *nuki, const char *value, char *why) {
	int drift = 0;
	int r = whole("drift", value, 86400, &drift, why);
	if (r == 0) {
		nuki_set_clock(nuki, nuki_wall(nuki)); /* what it has drifted stays */
		nuki->drift_s_per_day = drift;
	}
	return r;
}

static int set_clock_stuck(struct nuki *nuki, const char *value, char *why) {
	uint64_t n = 0;
	int r = flag("clock-stuck", value, &n, why);
	nuki->is_clock_stuck = r == 0 ? n : nuki->is_clock_stuck;
	return r;
}

static int set_codes_stuck(struct nuki *nuki, const char *value, char *why) {
	uint64_t n = 0;
	int r = flag("codes-stuck", value, &n, why);
	nuki->are_codes_stuck = r == 0 ? n : nuki->are_codes_stuck;
	return r;
}

static int set_logging(struct nuki *nuki, const char *value, char *why) {
	uint64_t n = 0;
	int r = flag("logging", value, &n, why);
	nuki->is_logging = r == 0 ? n : nuki->is_logging;
	return r;
}

static int set_pairing_enabled(struct nuki *nuki, const char *value, char *why) {
	uint64_t n = 0;
	int r = flag("pairing-enabled", value, &n, why);
	if (r == 0) {
		nuki->config.pairing_enabled = (uint8_t) n;
		nuki_config_changed(nuki);
	}
	return r;
}

static int set_pairing_stuck(struct nuki *nuki, const char *value, char *why) {
	uint64_t n = 0;
	int r = flag("pairing-stuck", value, &n, why);
	nuki->is_pairing_stuck = r == 0 ? n : nuki->is_pairing_stuck;
	return r;
}

/* 7.2, accessories: two bits each, "reports" and "critical". */
static int set_accessory(
	struct nuki *nuki, const char *key, const char *value, unsigned shift, char *why) {
	unsigned bits = 0;
	if (text_equal(value, "ok")) {
		bits = 1;
	} else if (text_equal(value, "critical")) {
		bits = 3;
	} else if (!text_equal(value, "none")) {
		return words_bad(why, key, value, "none, ok or critical is needed");
	}
	nuki->accessories = (uint8_t) ((nuki->accessories & ~(3U << shift)) | bits << shift);
	nuki_changed(nuki, nuki->trigger);
	return 0;
}

static int set_keypad_battery(struct nuki *nuki, const char *value, char *why) {
	return set_accessory(nuki, "keypad-battery", value, 0, why);
}

static int set_sensor_battery(struct nuki *nuki, const char *value, char *why) {
	return set_accessory(nuki, "sensor-battery", value, 2, why);
}

static const struct key {
	const char *name;
	int (*fn)(struct nuki *nuki, const char *value, char *why);
} keys[] = {
	{ "pin", set_pin },
	{ "id", set_id },
	{ "firmware", set_firmware },
	{ "keypad", set_keypad },
	{ "codes-max", set_codes_max },
	{ "zone", set_zone },
	{ "sensor", set_sensor },
	{ "bolt", set_bolt },
	{ "mtu", set_mtu },
	{ "idle", set_idle },
	{ "auto-lock", set_auto_lock },
	{ "log", set_log },
	{ "pairing", set_pairing },
	{ "cells", set_cells },
	{ "cells-set", set_believed },
	{ "cell-days", set_cell_days },
	{ "worn", set_worn },
	{ "celsius", set_celsius },
	{ "friction", set_friction },
	{ "friction-shut", set_friction_shut },
	{ "jam", set_jam },
	{ "door", set_door },
	{ "frame", set_frame },
	{ "calibrated", set_calibrated },
	{ "drift", set_drift },
	{ "clock-stuck", set_clock_stuck },
	{ "codes-stuck", set_codes_stuck },
	{ "logging", set_logging },
	{ "pairing-enabled", set_pairing_enabled },
	{ "pairing-stuck", set_pairing_stuck },
	{ "keypad-battery", set_keypad_battery },
	{ "sensor-battery", set_sensor_battery },
};

int nuki_person_set(struct sim_lock *lock, const char *key, const char *value, char *why) {
	const char *names[ARRAY_SIZE(keys)];
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (text_equal(keys[i].name, key)) {
			return keys[i].fn(nuki_of(lock), value, why);
		}
		names[i] = keys[i].name;
	}
	return words_unknown(why, "a Nuki", key, names, ARRAY_SIZE(names));
}

int nuki_make(
	const char *const *pairs, const struct sim_env *env, struct sim_lock **ret, char *why) {
	const struct model *model =
		words_kind(pairs, models, ARRAY_SIZE(models), sizeof(models[0]));
	if (model == NULL) {
		return -EINVAL;
	}
	struct nuki *nuki = calloc(1, sizeof(*nuki));
	struct nuki_entry *log = calloc(NUKI_LOG_MAX, sizeof(*log));
	if (nuki == NULL || log == NULL) {
		free(nuki);
		free(log);
		return -ENOMEM;
	}
	sim_lock_init(&nuki->base, &nuki_impl, pairs, env);
	AUTO(sim_lock_free) struct sim_lock *lock = &nuki->base;
	lock->body = &nuki->body;
	body_init(&nuki->body, &nuki_body_user, nuki);
	nuki->log = log;
	nuki->generation = model->generation;
	memcpy(nuki->firmware, model->firmware, sizeof(nuki->firmware));
	memcpy(nuki->hardware, model->hardware, sizeof(nuki->hardware));
	env->random(env->user, SIM_RANDOM_OTHER, nuki->uuid, sizeof(nuki->uuid));
	nuki->next_auth_id = 1;
	nuki->next_code_id = 1;
	nuki->codes_max = NUKI_CODES_DEFAULT;
	nuki->next_index = 1;
	nuki->mode = NUKI_MODE_DOOR;
	nuki->is_logging = true;
	nuki->is_pin_set = true;
	nuki->idle_ms = NUKI_IDLE_MS;
	nuki->rssi_seen = -61;
	nuki->pairing_until = MONO_NEVER;
	nuki->lock_n_go_until = MONO_NEVER;
	nuki->auto_lock_at = MONO_NEVER;
	nuki->rebooting_until = MONO_NEVER;
	nuki->next_minute = MONO_NEVER;
	nuki->pin_locked_until = (mono_t){ 0 };
	nuki_config_defaults(nuki);
	*ret = STEAL(lock);
	return 0;
}
