/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What Nuki's numbers become in our terms, and the vtable: sightings, subscriptions, acts, keys and
 * PINs.
 */

#include "../../test.h"

#include <errno.h>

#include "nuki/advert.h"
#include "nuki/driver.h"
#include "nuki/facts.h"
#include "nuki/keys.h"
#include "util/auto.h"

/* ---- states ---- */

static struct evidence facts_of(const struct nuki_states *states) {
	const struct nuki_setting setting = { .own_auth_id = 7 };
	struct evidence evidence;

	nuki_facts_states(states, &setting, &evidence);
	return evidence;
}

static void bolt_positions(void **state) {
	static const struct {
		uint8_t wire;
		enum lock_state state;
		enum lock_motion motion;
		bool is_jammed, is_enabled, is_calibrated;
	} rows[] = {
		{ 0x00, LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_NONE, false, false, false },
		{ 0x01, LOCK_STATE_LOCKED, LOCK_MOTION_NONE, false, true, true },
		{ 0x02, LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_UNLOCKING, false, true, true },
		{ 0x03, LOCK_STATE_UNLOCKED, LOCK_MOTION_NONE, false, true, true },
		{ 0x04, LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_LOCKING, false, true, true },
		{ 0x05, LOCK_STATE_UNLATCHED, LOCK_MOTION_NONE, false, true, true },
		{ 0x06, LOCK_STATE_UNLOCKED, LOCK_MOTION_NONE, false, true, true },
		{ 0x07, LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_UNLATCHING, false, true, true },
		{ 0xfc, LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_CALIBRATING, false, false, false },
		{ 0xfd, LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_CALIBRATING, false, false, true },
		{ 0xfe, LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_NONE, true, true, true },
		{ 0xff, LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_NONE, false, true, true },
		{ 0x08, LOCK_STATE_UNKNOWN, LOCK_MOTION_NONE, false, true, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct nuki_states states = {
			.mode = NUKI_MODE_DOOR,
			.lock_state = rows[i].wire,
		};
		const struct evidence evidence = facts_of(&states);
		assert_int_equal(evidence.how, EVIDENCE_ANSWERED);
		assert_int_equal(evidence.bolt.state, rows[i].state);
		assert_int_equal(evidence.bolt.motion, rows[i].motion);
		assert_int_equal(evidence.bolt.is_jammed, rows[i].is_jammed);
		assert_int_equal(evidence.actuator.is_enabled, rows[i].is_enabled);
		assert_int_equal(evidence.actuator.is_calibrated, rows[i].is_calibrated);
	}
	/* A false "locked" is the worst bug: one number means it, no other. */
	for (unsigned wire = 0; wire <= 0xff; wire++) {
		assert_int_equal(
			nuki_facts_lock_state((uint8_t) wire) == LOCK_STATE_LOCKED, wire == 1);
	}
	const struct nuki_states maintenance = { .mode = NUKI_MODE_MAINTENANCE, .lock_state = 1 };
	assert_false(facts_of(&maintenance).actuator.is_enabled);
}

static void charge(void **state) {
	static const struct {
		uint8_t wire;
		enum battery_level level;
		int percent;
		bool is_charging;
	} rows[] = {
		{ 0x00, BATTERY_OK, -1, false },       /* old firmware: no percentage */
		{ 0x01, BATTERY_CRITICAL, -1, false }, /* nor any made up from the flag */
		{ 0xc8, BATTERY_OK, 100, false }, { 0x19, BATTERY_CRITICAL, 12, false },
		{ 0xb0, BATTERY_OK, 88, false }, { 0x64, BATTERY_OK, 50, false },
		{ 0x66, BATTERY_OK, 50, true }, { 0xfc, BATTERY_OK, -1, false }, /* 126 % */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct battery_facts facts;
		nuki_facts_charge(rows[i].wire, &facts);
		assert_int_equal(facts.level, rows[i].level);
		assert_int_equal(facts.percent, rows[i].percent);
		assert_int_equal(facts.is_charging, rows[i].is_charging);
	}
}

static void doors_and_accessories(void **state) {
	static const struct {
		uint8_t wire;
		enum door_state state;
	} doors[] = {
		{ 0x00, DOOR_STATE_UNKNOWN },
		{ 0x01, DOOR_STATE_UNKNOWN },
		{ 0x02, DOOR_STATE_CLOSED },
		{ 0x03, DOOR_STATE_OPEN },
		{ 0x04, DOOR_STATE_ERROR },
		{ 0x05, DOOR_STATE_UNKNOWN },
		{ 0x10, DOOR_STATE_ERROR },
		{ 0xf0, DOOR_STATE_ERROR },
		{ 0x77, DOOR_STATE_UNKNOWN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(doors); i++) {
		assert_int_equal(nuki_facts_door(doors[i].wire), doors[i].state);
	}
	struct nuki_states states = { .accessories = 0x0a }; /* critical without "reports" */
	assert_int_equal(facts_of(&states).accessories.keypad, BATTERY_UNKNOWN);
	assert_int_equal(facts_of(&states).accessories.door_sensor, BATTERY_UNKNOWN);
	states.accessories = 0x07;
	assert_int_equal(facts_of(&states).accessories.keypad, BATTERY_CRITICAL);
	assert_int_equal(facts_of(&states).accessories.door_sensor, BATTERY_OK);
	states.ble_rssi = 1;
	assert_int_equal(facts_of(&states).has & FACT_SIGNAL, 0);
	states.ble_rssi = -67;
	assert_int_equal(facts_of(&states).lock_rssi, -67);
}

static void clock_of_the_lock(void **state) {
	const struct nuki_setting setting = { .now = { 1000 } };
	struct nuki_states states = { .time = { 2025, 3, 7, 8, 15, 30 }, .tz_offset = -90 };
	struct evidence evidence;

	nuki_facts_states(&states, &setting, &evidence);
	assert_int_equal(evidence.clock.lock_time.s, 1741335330);
	assert_int_equal(evidence.clock.offset_minutes, -90);
	states.time.month = 0;
	nuki_facts_states(&states, &setting, &evidence);
	assert_int_equal(evidence.clock.lock_time.s, 0);
}

static void models(void **state) {
	static const struct {
		uint8_t device_type, major, capabilities;
		const char *model;
	} rows[] = {
		{ 0, 0, 0, "Nuki Smart Lock" },
		{ 0, 1, 0, "Nuki Smart Lock 1.0" },
		{ 0, 2, 0, "Nuki Smart Lock 2.0" },
		{ 4, 3, 0, "Nuki Smart Lock 3.0" },
		{ 4, 3, 1, "Nuki Smart Lock 3.0 Pro" },
		{ 4, 4, 2, "Nuki Smart Lock 4.0" },
		{ 4, 4, 3, "Nuki Smart Lock 4.0 Pro" },
		{ 3, 3, 0, "Nuki Smart Door" },
		{ 5, 5, 3, "Nuki Smart Lock, 5th generation" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct nuki_config config = {
			.nuki_id = 0xa,
			.device_type = rows[i].device_type,
			.firmware = { rows[i].major, 8, 15 },
			.capabilities = rows[i].capabilities,
		};
		struct config_facts facts = { 0 };
		struct evidence evidence;
		nuki_facts_config(&config, &facts, &evidence);
		assert_string_equal(evidence.versions.model, rows[i].model);
		assert_string_equal(evidence.versions.serial, "0000000A");
		assert_int_equal(evidence.versions.firmware[0] == '\0', rows[i].major == 0);
	}
}

static void auto_lock(void **state) {
	struct nuki_advanced advanced = { .auto_lock_timeout = 300, .auto_lock_enabled = 0xff };
	struct config_facts facts = { 0 };
	struct evidence evidence;

	nuki_facts_advanced(&advanced, &facts, &evidence);
	assert_int_equal(evidence.config.auto_lock_s, 300); /* no switch: the time says it */
	advanced.auto_lock_enabled = 0;
	nuki_facts_advanced(&advanced, &facts, &evidence);
	assert_int_equal(evidence.config.auto_lock_s, 0);
}

/* ---- the log ---- */

static struct log_entry logged(uint8_t type, const uint8_t *data, size_t n, uint32_t auth_id) {
	struct nuki_log_entry entry = {
		.index = 1042,
		.time = { 2025, 6, 1, 12, 0, 5 },
		.auth_id = auth_id,
		.name = "Anna iPhone",
		.type = type,
		.n_data = (uint8_t) n,
	};
	struct log_entry ret;

	memcpy(entry.data, data, n);
	nuki_facts_log(&entry, 7, &ret);
	assert_int_equal(ret.seq, 1042);
	assert_int_equal(ret.time.s, 1748779205);
	assert_string_equal(ret.user, "Anna iPhone");
	assert_int_equal(ret.is_own, auth_id == 7);
	return ret;
}

#define LOGGED(type, auth_id, ...)                                                                 \
	logged((type), (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), \
		(auth_id))

static void log_of_operations(void **state) {
	struct log_entry entry = LOGGED(0x02, 2, 0x01, 0x00, 0x00, 0x00);

	assert_int_equal(entry.kind, EVENT_LOCK_OPERATION);
	assert_int_equal(entry.operation, OPERATION_UNLOCK);
	assert_int_equal(entry.source, SOURCE_REMOTE);
	assert_int_equal(entry.error, OPERATION_ERROR_NONE);
	assert_int_equal(entry.user_ref, 2);
	assert_int_equal(entry.credential, CREDENTIAL_APP_KEY);
	entry = LOGGED(0x02, 7, 0x02, 0x00, 0x00, 0x00);
	assert_int_equal(entry.operation, OPERATION_LOCK);
	assert_int_equal(entry.source, SOURCE_PROPRIETARY_REMOTE);
	entry = LOGGED(0x02, 0, 0x03, 0x01, 0x00, 0x00, 0x00); /* padded */
	assert_int_equal(entry.operation, OPERATION_UNLATCH);
	assert_int_equal(entry.source, SOURCE_MANUAL);
	assert_int_equal(entry.credential, CREDENTIAL_NONE);

	/* Hands, timers and the lock itself use no credential, even if an id stands there. */
	static const struct {
		uint8_t trigger;
		enum operation_source source;
		enum credential_type credential;
	} triggers[] = {
		{ 0x01, SOURCE_MANUAL, CREDENTIAL_NONE },
		{ 0x02, SOURCE_BUTTON, CREDENTIAL_APP_KEY }, /* a fob */
		{ 0x03, SOURCE_SCHEDULE, CREDENTIAL_NONE },
		{ 0x06, SOURCE_AUTO, CREDENTIAL_NONE },
		{ 0xab, SOURCE_REMOTE, CREDENTIAL_APP_KEY },
		{ 0xac, SOURCE_REMOTE, CREDENTIAL_APP_KEY },
		{ 0x55, SOURCE_UNSPECIFIED, CREDENTIAL_APP_KEY },
	};
	for (size_t i = 0; i < ARRAY_SIZE(triggers); i++) {
		entry = LOGGED(0x02, 7, 0x06, triggers[i].trigger, 0x00, 0x00);
		assert_int_equal(entry.operation, OPERATION_LOCK);
		assert_int_equal(entry.source, triggers[i].source);
		assert_int_equal(entry.credential, triggers[i].credential);
	}
	entry = LOGGED(0x02, 0, 0x5a, 0x02, 0x01, 0x00);
	assert_int_equal(entry.operation, OPERATION_NON_ACCESS_USER_EVENT);
}

static void log_of_failures(void **state) {
	struct log_entry entry = LOGGED(0x02, 2, 0x02, 0x06, 0x00, 0x01);

	assert_int_equal(entry.kind, EVENT_LOCK_OPERATION_ERROR);
	assert_int_equal(entry.operation, OPERATION_LOCK);
	assert_int_equal(entry.source, SOURCE_AUTO);
	assert_int_equal(entry.fault, FAULT_JAMMED);
	assert_int_equal(entry.alarm, ALARM_LOCK_JAMMED);
	assert_int_equal(entry.error, OPERATION_ERROR_UNSPECIFIED);
	entry = LOGGED(0x02, 2, 0x02, 0x00, 0x00, 0x05);
	assert_int_equal(entry.error, OPERATION_ERROR_INSUFFICIENT_BATTERY);
	assert_int_equal(entry.alarm, ALARM_NONE);
	entry = LOGGED(0x05, 0, 0x00, 0x01, 0xe0, 0xff, 0xff);
	assert_int_equal(entry.kind, EVENT_LOCK_OPERATION_ERROR);
	assert_int_equal(entry.error, OPERATION_ERROR_INVALID_CREDENTIAL);
	assert_int_equal(entry.source, SOURCE_KEYPAD);
	assert_int_equal(entry.user_ref, 0);
	entry = LOGGED(0x05, 0, 0x00, 0x02, 0xe1, 0x00, 0x00);
	assert_int_equal(entry.error, OPERATION_ERROR_INVALID_CREDENTIAL);
	assert_int_equal(entry.source, SOURCE_BIOMETRIC);
	entry = LOGGED(0x05, 0, 0x01, 0x01, 0x09, 0x03, 0x00);
	assert_int_equal(entry.error, OPERATION_ERROR_RESTRICTED);
}

/* Whose id it is: that of a code or finger; never that of the keypad, which did the asking. */
static void log_of_the_keypad(void **state) {
	static const struct {
		uint8_t source, completion, code_id[2];
		enum credential_type credential;
		int ref;
	} rows[] = {
		{ 0x00, 0x00, { 0x00, 0x00 }, CREDENTIAL_NONE, 0 },
		{ 0x00, 0x00, { 0x03, 0x00 }, CREDENTIAL_NONE, 0 },
		{ 0x01, 0x00, { 0x03, 0x01 }, CREDENTIAL_PIN, 259 },
		{ 0x01, 0x09, { 0x03, 0x00 }, CREDENTIAL_PIN, 3 },
		{ 0x01, 0xe0, { 0xff, 0xff }, CREDENTIAL_NONE, 0 },
		{ 0x01, 0xe0, { 0x00, 0x00 }, CREDENTIAL_NONE, 0 },
		{ 0x01, 0x00, { 0x00, 0x00 }, CREDENTIAL_PIN, 65536 }, /* see slots.h */
		{ 0x02, 0x00, { 0x04, 0x00 }, CREDENTIAL_FINGERPRINT, 4 },
		{ 0x02, 0xe1, { 0xff, 0xff }, CREDENTIAL_NONE, 0 },
		{ 0x03, 0x00, { 0x04, 0x00 }, CREDENTIAL_NONE, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct log_entry entry = LOGGED(0x05, 2, 0x01, rows[i].source,
			rows[i].completion, rows[i].code_id[0], rows[i].code_id[1]);
		assert_int_equal(entry.credential, rows[i].credential);
		assert_int_equal(entry.user_ref, rows[i].ref);
		assert_int_equal(
			entry.source, rows[i].source == 2 ? SOURCE_BIOMETRIC : SOURCE_KEYPAD);
		assert_int_equal(entry.operation, OPERATION_UNLOCK);
		assert_int_equal(entry.kind, rows[i].completion == 0 ? EVENT_LOCK_OPERATION
								     : EVENT_LOCK_OPERATION_ERROR);
	}
}

static void log_of_the_rest(void **state) {
	struct log_entry entry = LOGGED(0x05, 0, 0x01, 0x01, 0x00, 0x03, 0x00);

	assert_int_equal(entry.kind, EVENT_LOCK_OPERATION);
	assert_int_equal(entry.operation, OPERATION_UNLOCK);
	assert_int_equal(entry.user_ref, 3);
	static const enum door_state doors[] = { DOOR_STATE_OPEN, DOOR_STATE_CLOSED,
		DOOR_STATE_JAMMED, DOOR_STATE_UNKNOWN };
	for (size_t i = 0; i < ARRAY_SIZE(doors); i++) {
		entry = LOGGED(0x06, 0, (uint8_t) i);
		assert_int_equal(entry.kind, EVENT_DOOR_STATE_CHANGE);
		assert_int_equal(entry.door, doors[i]);
	}
	entry = LOGGED(0x01, 2, 0x00);
	assert_int_equal(entry.kind, EVENT_LOCK_SETTING);
	assert_string_equal(entry.text, "logging switched off");
	entry = LOGGED(0x07, 2, 0x01);
	assert_string_equal(entry.text, "door sensor logging switched on");
	entry = LOGGED(0x03, 2, 0x00, 0x00, 0x00, 0x00);
	assert_string_equal(entry.text, "calibration: success");
	entry = LOGGED(0x04, 0, 0x00, 0x00, 0x00, 0x01);
	assert_string_equal(entry.text, "initialisation run: motor blocked");
	assert_int_equal(entry.fault, FAULT_JAMMED);
	entry = LOGGED(0x0a, 0, 3, 10, 7);
	assert_string_equal(entry.text, "firmware 3.10.7");
	/* Unknown or too short: still an entry, so that there is no hole. */
	entry = LOGGED(0x42, 0, 1);
	assert_int_equal(entry.kind, EVENT_LOCK_SETTING);
	entry = LOGGED(0x02, 0, 1);
	assert_int_equal(entry.kind, EVENT_LOCK_SETTING);
	assert_int_equal(entry.operation, OPERATION_NONE);
}

static void names_are_cleaned(void **state) {
	struct nuki_log_entry entry = { .index = 1, .name = "a\nb\x01", .type = 1, .n_data = 1 };
	struct log_entry ret;

	nuki_facts_log(&entry, 0, &ret);
	assert_true(text_is_clean(ret.user, strlen(ret.user)));
	assert_false(ret.is_own); /* id 0 is nobody, not even us */
	assert_int_equal(ret.time.s, 0);
}

/* ---- the vtable ---- */

static struct secret blob_of(enum nuki_generation generation, uint8_t id_type) {
	const struct nuki_keys keys = {
		.generation = generation,
		.id_type = id_type,
		.auth_id = 7,
	};
	struct secret blob = { 0 };

	nuki_keys_encode(&keys, &blob);
	return blob;
}

static void sightings(void **state) {
	static const uint8_t beacon[] = { 0x02, 0x15, 0xa9, 0x2e, 0xe2, 0x00, 0x55, 0x01, 0x11,
		0xe4, 0x91, 0x6c, 0x08, 0x00, 0x20, 0x0c, 0x9a, 0x66, 0x1a, 0x2b, 0x3c, 0x4d,
		0xc5 };
	struct advert advert = { .address = "54:D2:72:2B:3C:4D", .rssi = -70, .n_parts = 1 };
	struct sighting sighting;

	advert.parts[0].company = 0x004c;
	memcpy(advert.parts[0].bytes, beacon, sizeof(beacon));
	advert.parts[0].n_bytes = sizeof(beacon);
	assert_true(nuki_driver.sight(&advert, &sighting));
	assert_ptr_equal(sighting.driver, &nuki_driver);
	assert_string_equal(sighting.serial, "1A2B3C4D");
	assert_string_equal(sighting.name, "Nuki_1A2B3C4D");
	assert_string_equal(sighting.address, "54:D2:72:2B:3C:4D");
	assert_int_equal(sighting.rssi, -70);
	assert_true(sighting.is_changed);
	assert_false(sighting.is_pairing);
	/* Not known which generation: whichever pairing service there is. */
	const struct radio_subscription *wanted = nuki_driver.subscriptions(&sighting, NULL);
	assert_true(wanted[0].is_optional && wanted[1].is_optional);
	assert_null(wanted[2].characteristic);

	/* 5G, which sends both at once. */
	advert.n_parts = 2;
	advert.parts[1].is_service = true;
	strcpy(advert.parts[1].uuid, NUKI_SERVICE_PAIRING_5);
	memcpy(advert.parts[1].bytes, beacon + 18, 4);
	advert.parts[1].n_bytes = 4;
	assert_true(nuki_driver.sight(&advert, &sighting));
	assert_true(sighting.is_pairing && sighting.needs_pin);
	wanted = nuki_driver.subscriptions(&sighting, NULL);
	assert_string_equal(wanted[0].characteristic, NUKI_PAIRING_GDIO_5);

	strcpy(advert.parts[1].uuid, NUKI_SERVICE_PAIRING);
	assert_true(nuki_driver.sight(&advert, &sighting));
	assert_true(sighting.is_pairing && !sighting.needs_pin);
	wanted = nuki_driver.subscriptions(&sighting, NULL);
	assert_string_equal(wanted[0].characteristic, NUKI_PAIRING_GDIO);
	assert_null(wanted[1].characteristic);

	strcpy(advert.parts[1].uuid, NUKI_SERVICE_INIT);
	advert.parts[0].company = 0x0059;
	assert_true(nuki_driver.sight(&advert, &sighting));
	assert_false(sighting.is_pairing);
	strcpy(advert.parts[1].uuid, "a92ae200-5501-11e4-916c-0800200c9a66"); /* Opener */
	assert_false(nuki_driver.sight(&advert, &sighting));

	struct secret blob = blob_of(NUKI_GENERATION_5, NUKI_ID_APP);
	wanted = nuki_driver.subscriptions(&sighting, &blob);
	assert_string_equal(wanted[0].characteristic, NUKI_USDIO);
	assert_string_equal(wanted[1].characteristic, NUKI_GDIO);
}

static void announcing(void **state) {
	struct secret blob = blob_of(NUKI_GENERATION_1_TO_4, NUKI_ID_BRIDGE);
	assert_true(nuki_driver.is_announcing(&blob, NULL));
	blob = blob_of(NUKI_GENERATION_1_TO_4, NUKI_ID_APP);
	assert_false(nuki_driver.is_announcing(&blob, NULL));
	blob = blob_of(NUKI_GENERATION_5, NUKI_ID_BRIDGE);
	assert_false(nuki_driver.is_announcing(&blob, NULL));
	assert_false(nuki_driver.is_announcing(NULL, NULL));
}

static void pins(void **state) {
	static const struct {
		enum nuki_generation generation;
		const char *digits;
		int r;
		uint32_t pin;
	} rows[] = {
		{ NUKI_GENERATION_1_TO_4, "4321", 0, 4321 },
		{ NUKI_GENERATION_1_TO_4, "0012", 0, 12 },
		{ NUKI_GENERATION_1_TO_4, "0", 0, 0 },
		{ NUKI_GENERATION_1_TO_4, "", -EINVAL, 0 },
		{ NUKI_GENERATION_1_TO_4, "12345", -EINVAL, 0 },
		{ NUKI_GENERATION_1_TO_4, "12a4", -EINVAL, 0 },
		{ NUKI_GENERATION_1_TO_4, "-123", -EINVAL, 0 },
		{ NUKI_GENERATION_5, "000548", 0, 548 },
		{ NUKI_GENERATION_5, "999999", 0, 999999 },
		{ NUKI_GENERATION_5, "548", -EINVAL, 0 },
		{ NUKI_GENERATION_5, "1234567", -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct secret blob = blob_of(rows[i].generation, NUKI_ID_APP);
		struct secret pin = { 0 };
		struct fault fault;
		struct nuki_keys keys;

		assert_int_equal(secret_set_text(&pin, rows[i].digits), 0);
		assert_false(nuki_driver.has_pin(&blob));
		assert_int_equal(nuki_driver.set_pin(&blob, &pin, &fault), rows[i].r);
		assert_int_equal(nuki_driver.has_pin(&blob), rows[i].r == 0);
		assert_int_equal(nuki_keys_decode(&blob, &keys), 0);
		assert_int_equal(keys.pin, rows[i].pin);
		const unsigned with_pin = 1u << ACT_READ_LOG | 1u << ACT_SET_TIME |
					  1u << ACT_UNPAIR | 1u << ACT_REBOOT | 1u << ACT_CALIBRATE;
		assert_int_equal(
			nuki_driver.acts(&blob, NULL) & with_pin, rows[i].r == 0 ? with_pin : 0);
	}
	struct secret none = { 0 };
	struct fault fault;
	assert_true(nuki_driver.set_pin(&none, &none, &fault) < 0);
	assert_int_equal(nuki_driver.acts(NULL, NULL), 1u << ACT_PAIR);
}

static void expect_pin(
	enum nuki_generation generation, uint32_t number, bool is_refused, const char *digits) {
	struct nuki_keys keys = { .generation = generation,
		.pin = number,
		.is_pin_known = true,
		.is_pin_refused = is_refused };
	struct secret blob = { .len = 0 };
	struct secret pin = { .len = 3, .bytes = "old" };

	nuki_keys_encode(&keys, &blob);
	assert_int_equal(nuki_driver.pin(&blob, &pin), digits[0] != '\0');
	assert_int_equal(pin.len, strlen(digits));
	assert_memory_equal(pin.bytes, digits, strlen(digits));
}

/* A number on the wire, but people know it with its zeros, and so it is judged. */
static void pin_as_its_owner_knows_it(void **state) {
	struct secret pin = { .len = 3, .bytes = "old" };

	(void) state;
	expect_pin(NUKI_GENERATION_1_TO_4, 42, false, "0042");
	expect_pin(NUKI_GENERATION_5, 548, false, "000548");
	expect_pin(NUKI_GENERATION_5, 271828, false, "271828");
	expect_pin(NUKI_GENERATION_1_TO_4, 42, true, "");
	assert_false(nuki_driver.pin(NULL, &pin));
	assert_int_equal(pin.len, 0);
	/* None set is 0: in both forms that the hook gives it is one of the maker's. */
	expect_pin(NUKI_GENERATION_1_TO_4, 0, false, nuki_driver.pins_default[0]);
	expect_pin(NUKI_GENERATION_5, 0, false, nuki_driver.pins_default[1]);
	assert_null(nuki_driver.pins_default[2]);
}

static void what_protects_the_link(void **state) {
	struct nuki_keys keys = { .generation = NUKI_GENERATION_1_TO_4 };
	struct secret blob = { .len = 0 };
	const struct protocol *old, *new;

	(void) state;
	assert_null(nuki_driver.protocol(&blob, NULL));
	nuki_keys_encode(&keys, &blob);
	old = nuki_driver.protocol(&blob, NULL);
	keys.generation = NUKI_GENERATION_5;
	nuki_keys_encode(&keys, &blob);
	new = nuki_driver.protocol(&blob, NULL);
	assert_non_null(old);
	assert_non_null(new);
	assert_ptr_not_equal(old, new);
	assert_int_equal(protocol_class(old), PROTOCOL_CLASS_B);
	assert_int_equal(protocol_class(new), PROTOCOL_CLASS_B);
	assert_true(old->source[0] != '\0' && new->source[0] != '\0');
}

static void keys_come_back(void **state) {
	struct nuki_keys keys = {
		.generation = NUKI_GENERATION_5,
		.id_type = NUKI_ID_BRIDGE,
		.auth_id = 0x01020304,
		.app_id = 0x05060708,
		.nuki_id = 0x090a0b0c,
		.pin = 123456,
		.is_pin_known = true,
		.is_pin_verified = true,
		.is_remote_on = true,
	};
	struct nuki_keys back;
	struct secret blob = { 0 };

	memset(keys.shared, 0x11, sizeof(keys.shared));
	memset(keys.uuid, 0x22, sizeof(keys.uuid));
	nuki_keys_encode(&keys, &blob);
	assert_int_equal(blob.len, 68);
	assert_int_equal(nuki_keys_decode(&blob, &back), 0);
	assert_memory_equal(back.shared, keys.shared, sizeof(keys.shared));
	assert_memory_equal(back.uuid, keys.uuid, sizeof(keys.uuid));
	assert_int_equal(back.auth_id, keys.auth_id);
	assert_int_equal(back.app_id, keys.app_id);
	assert_int_equal(back.nuki_id, keys.nuki_id);
	assert_int_equal(back.pin, keys.pin);
	assert_true(back.is_pin_known && back.is_pin_verified && back.is_remote_on);
	assert_false(back.is_pin_refused);

	/* Cut, prolonged, or with a number that has no meaning: refused. */
	for (size_t n = 1; n < blob.len; n++) {
		struct secret cut = blob;
		cut.len = n;
		assert_int_equal(nuki_keys_decode(&cut, &back), -EBADMSG);
		assert_null(nuki_driver.session_new(&cut, NULL, NULL));
	}
	struct secret bad = blob;
	bad.len++;
	assert_int_equal(nuki_keys_decode(&bad, &back), -EBADMSG);
	for (size_t at = 0; at < 4; at++) {
		bad = blob;
		bad.bytes[at] = 0xf0;
		assert_int_equal(nuki_keys_decode(&bad, &back), -EBADMSG);
	}
	bad.len = SIZE_MAX;
	assert_int_equal(nuki_keys_decode(&bad, &back), -EBADMSG);
	assert_int_equal(nuki_keys_decode(NULL, &back), -ENODATA);
}

static void registered(void **state) {
	bool is_found = false;

	for (size_t i = 0; lock_drivers[i] != NULL; i++) {
		is_found = is_found || lock_drivers[i] == &nuki_driver;
	}
	assert_true(is_found);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bolt_positions),
		cmocka_unit_test(charge),
		cmocka_unit_test(doors_and_accessories),
		cmocka_unit_test(clock_of_the_lock),
		cmocka_unit_test(models),
		cmocka_unit_test(auto_lock),
		cmocka_unit_test(log_of_operations),
		cmocka_unit_test(log_of_failures),
		cmocka_unit_test(log_of_the_keypad),
		cmocka_unit_test(log_of_the_rest),
		cmocka_unit_test(names_are_cleaned),
		cmocka_unit_test(sightings),
		cmocka_unit_test(announcing),
		cmocka_unit_test(pins),
		cmocka_unit_test(pin_as_its_owner_knows_it),
		cmocka_unit_test(what_protects_the_link),
		cmocka_unit_test(keys_come_back),
		cmocka_unit_test(registered),
	};

	return cmocka_run_group_tests_name("nuki-facts", tests, NULL, NULL);
}
