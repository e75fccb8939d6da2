/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nuki.h"

/* The virtual Nuki itself: GATT table, advertisement, links, time, and what a person does to it. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"
#include "util/secret.h"
#include "util/text.h"

#define BASE "-5501-11e4-916c-0800200c9a66"
#define SIG "-0000-1000-8000-00805f9b34fb"
#define DAY_S 86400
#define DATA_FLAGS (SIM_FLAG_READ | SIM_FLAG_WRITE | SIM_FLAG_INDICATE)

static const struct sim_char information_chars[] = {
	{ "00002a25" SIG, SIM_FLAG_READ },
	{ "00002a26" SIG, SIM_FLAG_READ },
	{ "00002a27" SIG, SIM_FLAG_READ },
};
static const struct sim_char pairing_chars[] = { { "a92ee101" BASE, DATA_FLAGS } };
static const struct sim_char pairing5_chars[] = { { "a92ee301" BASE, DATA_FLAGS } };
static const struct sim_char keyturner_chars[] = {
	{ "a92ee201" BASE, DATA_FLAGS },
	{ "a92ee202" BASE, DATA_FLAGS },
	{ "a92ee203" BASE, SIM_FLAG_WRITE_COMMAND },
};
static const struct sim_service services[] = {
	{ "0000180a" SIG, information_chars, ARRAY_SIZE(information_chars) },
	{ "a92ee100" BASE, pairing_chars, ARRAY_SIZE(pairing_chars) },
	{ "a92ee200" BASE, keyturner_chars, ARRAY_SIZE(keyturner_chars) },
};
static const struct sim_service services5[] = {
	{ "0000180a" SIG, information_chars, ARRAY_SIZE(information_chars) },
	{ "a92ee300" BASE, pairing5_chars, ARRAY_SIZE(pairing5_chars) },
	{ "a92ee200" BASE, keyturner_chars, ARRAY_SIZE(keyturner_chars) },
};

static const struct sim_gatt *get_gatt(struct sim_lock *lock) {
	static const struct sim_gatt gatt = { services, ARRAY_SIZE(services) };
	static const struct sim_gatt gatt5 = { services5, ARRAY_SIZE(services5) };
	return nuki_of(lock)->generation >= 5 ? &gatt5 : &gatt;
}

mono_t nuki_real_ms(struct nuki *nuki, int64_t ms) {
	return mono_after(nuki->now, (int64_t) ((double) ms * nuki->base.env->speed));
}

wall_t nuki_wall(struct nuki *nuki) {
	wall_t wall = nuki->base.env->wall(nuki->base.env->user);
	double drift = nuki->drift_s_per_day * (double) (wall.s - nuki->drifts_since.s) / DAY_S;
	return (wall_t){ wall.s + nuki->clock_offset_s + (int64_t) drift };
}

void nuki_set_clock(struct nuki *nuki, wall_t wall) {
	nuki->drifts_since = nuki->base.env->wall(nuki->base.env->user);
	nuki->clock_offset_s = wall.s - nuki->drifts_since.s;
}

/* ---- state ---- */

uint8_t nuki_lock_state(const struct nuki *nuki) {
	const struct body *body = &nuki->body;
	switch (body->motor) {
	case MOTOR_LOCKING:
		return 0x04;
	case MOTOR_UNLOCKING:
		return 0x02;
	case MOTOR_UNLATCHING:
		return 0x07;
	case MOTOR_HOLDING:
		return 0x05;
	case MOTOR_RUN_IN:
		return 0xfc;
	case MOTOR_IDLE:
		break;
	}
	if (!body->is_calibrated) {
		return 0x00;
	}
	if (body->is_blocked) {
		return 0xfe;
	}
	switch (body->bolt) {
	case BOLT_LOCKED:
		return 0x01;
	case BOLT_UNLOCKED:
		return nuki->lock_n_go_until.ms == INT64_MAX ? 0x03 : 0x06;
	case BOLT_UNLATCHED:
		return 0x05;
	case BOLT_UNKNOWN:
		break;
	}
	return 0xff;
}

void nuki_changed(struct nuki *nuki, uint8_t trigger) {
	nuki->trigger = trigger;
	for (int i = 0; i < SIM_LINKS_MAX; i++) {
		struct nuki_auth *auth = nuki_auth_find(nuki, nuki->links[i].auth_id);
		if (nuki->base.links[i].is_up && auth != NULL) {
			nuki_send_states(nuki, i, auth);
		}
	}
	if (!nuki->is_changed) {
		nuki->is_changed = true;
		sim_lock_advert_changed(&nuki->base);
	}
}

void nuki_config_changed(struct nuki *nuki) {
	nuki->update_count++;
	if (!nuki->is_changed) {
		nuki->is_changed = true;
		sim_lock_advert_changed(&nuki->base);
	}
}

void nuki_set_pairing(struct nuki *nuki, bool on) {
	if (on == (nuki->pairing_until.ms != INT64_MAX)) {
		return;
	}
	nuki->pairing_until = on ? nuki_real_ms(nuki, NUKI_PAIRING_MS) : MONO_NEVER;
	nuki->mode = on ? NUKI_MODE_PAIRING : NUKI_MODE_DOOR;
	sim_lock_advert_changed(&nuki->base);
}

void nuki_wipe_users(struct nuki *nuki) {
	while (nuki->n_auths > 0) {
		nuki_auth_remove(nuki, nuki->auths[0]->id);
	}
	while (nuki->n_codes > 0) {
		free(nuki->codes[--nuki->n_codes]);
	}
	nuki->n_times = 0;
}

/* What the motor and the battery say. The final state is told by the run's end, with its result. */
static void on_moved(void *user, mono_t now) {
	struct nuki *nuki = user;
	nuki->now = now;
	body_count(&nuki->body, &nuki->base.counters);
	if (nuki->run.is_active && nuki->body.motor == MOTOR_IDLE) {
		return;
	}
	nuki_changed(nuki, nuki->run.is_active ? nuki->run.trigger : NUKI_TRIGGER_MANUAL);
}

static void on_done(void *user, enum motor_result result, mono_t now) {
	struct nuki *nuki = user;
	nuki->now = now;
	nuki_body_done(nuki, result);
}

static void on_drained(void *user, mono_t now) {
	struct nuki *nuki = user;
	nuki->now = now;
	nuki_changed(nuki, nuki->trigger);
}

static unsigned get_chance(void *user, unsigned n) {
	return sim_env_chance(((struct nuki *) user)->base.env, n);
}

const struct body_user nuki_body_user = {
	.moved = on_moved,
	.done = on_done,
	.drained = on_drained,
	.chance = get_chance,
};

/* ---- advertisement (3.2, 3.3) ---- */

static void advertise_service(const struct nuki *nuki, struct sim_advert *ret) {
	const char *head = nuki->mode == NUKI_MODE_UNINITIALISED ? "a92ee000"
			   : nuki->generation >= 5               ? "a92ee300"
								 : "a92ee100";
	snprintf(ret->service, sizeof(ret->service), "%s" BASE, head);
	struct wr wr = wr_on(ret->data, sizeof(ret->data));
	wr_u32be(&wr, nuki->id);
	ret->n_data = 4;
}

static void get_advert(struct sim_lock *lock, struct sim_advert *ret) {
	static const uint8_t beacon[] = { 0x02, 0x15, 0xa9, 0x2e, 0xe2, 0x00, 0x55, 0x01, 0x11,
		0xe4, 0x91, 0x6c, 0x08, 0x00, 0x20, 0x0c, 0x9a, 0x66 };
	const struct nuki *nuki = nuki_of(lock);
	ret->is_silent = nuki->rebooting_until.ms != INT64_MAX;
	ret->is_discoverable = true;
	ret->interval_ms = 400;
	snprintf(ret->name, sizeof(ret->name), "Nuki_%08X", nuki->id);
	if (nuki->mode != NUKI_MODE_DOOR) {
		advertise_service(nuki, ret);
		return;
	}
	struct wr wr = wr_on(ret->manufacturer, sizeof(ret->manufacturer));
	wr_bytes(&wr, beacon, sizeof(beacon));
	wr_u32be(&wr, nuki->id);
	wr_u8(&wr, (uint8_t) ((nuki->generation >= 3 ? 0xc8 : 0xc4) | (nuki->is_changed ? 1 : 0)));
	ret->company = 0x004c;
	ret->n_manufacturer = (size_t) wr_end(&wr);
}

/* ---- links ---- */

static void on_connected(struct sim_lock *lock, int link, mono_t now) {
	struct nuki *nuki = nuki_of(lock);
	nuki->now = now;
	nuki->links[link] = (struct nuki_link){ 0 };
}

static void on_disconnected(struct sim_lock *lock, int link, mono_t now) {
	struct nuki *nuki = nuki_of(lock);
	nuki->now = now;
	body_link_ended(&nuki->body, sim_lock_link_ms(lock, link, now));
	wipe(&nuki->links[link], sizeof(nuki->links[link]));
	if (nuki->run.is_active && nuki->run.link == link) {
		nuki->run.link = -1; /* the motor goes on, but nobody is left to be told */
	}
}

static int on_write(
	struct sim_lock *lock, int link, unsigned chr, const uint8_t *value, size_t n, mono_t now) {
	struct nuki *nuki = nuki_of(lock);
	nuki->now = now;
	switch (chr) {
	case NUKI_CHAR_PAIRING:
		nuki_pair_write(nuki, link, value, n);
		return 0;
	case NUKI_CHAR_USER:
		nuki_user_write(nuki, link, value, n);
		return 0;
	case NUKI_CHAR_PLAIN:
	case NUKI_CHAR_EXTRA:
		return 0; /* accepted and, as far as anybody knows, without effect */
	default:
		return SIM_ATT(SIM_ATT_WRITE_NOT_PERMITTED);
	}
}

static ssize_t on_read(struct sim_lock *lock, int link, unsigned chr, uint8_t *out, size_t size) {
	struct nuki *nuki = nuki_of(lock);
	char text[16] = "";
	(void) link;
	if (chr == NUKI_CHAR_SERIAL) {
		snprintf(text, sizeof(text), "%08X", nuki->id);
	} else if (chr == NUKI_CHAR_FIRMWARE) {
		snprintf(text, sizeof(text), "%u.%u.%u", nuki->firmware[0], nuki->firmware[1],
			nuki->firmware[2]);
	} else if (chr == NUKI_CHAR_HARDWARE) {
		snprintf(text, sizeof(text), "%u.%u", nuki->hardware[0], nuki->hardware[1]);
	}
	struct wr wr = wr_on(out, size);
	wr_bytes(&wr, text, strlen(text));
	return wr_end(&wr);
}

static void on_subscribed(struct sim_lock *lock, int link, unsigned chr, bool on) {
	nuki_of(lock)->links[link].subscribed[chr] = on;
}

/* ---- time ---- */

static bool waits_for_links(const struct nuki *nuki) {
	return nuki->idle_ms != 0 && !nuki->run.is_active;
}

static mono_t get_next_due(struct sim_lock *lock) {
	const struct nuki *nuki = nuki_of(lock);
	mono_t due = body_next_due(&nuki->body);
	due = mono_min(due, nuki->is_pairing_stuck ? MONO_NEVER : nuki->pairing_until);
	due = mono_min(due, nuki->lock_n_go_until);
	due = mono_min(due, nuki->auto_lock_at);
	due = mono_min(due, nuki->rebooting_until);
	due = mono_min(due, nuki->next_minute);
	return waits_for_links(nuki) ? mono_min(due, sim_lock_idle_due(lock, nuki->idle_ms)) : due;
}

static void on_tick(struct sim_lock *lock, mono_t now) {
	struct nuki *nuki = nuki_of(lock);
	nuki->now = now;
	body_tick(&nuki->body, now);
	nuki->now = now; /* the body told older times */
	if (mono_is_due(nuki->pairing_until, now) && !nuki->is_pairing_stuck) {
		nuki_set_pairing(nuki, false);
	}
	if (mono_is_due(nuki->lock_n_go_until, now)) {
		nuki_lock_n_go_due(nuki);
	}
	if (mono_is_due(nuki->auto_lock_at, now)) {
		nuki_auto_lock_due(nuki);
	}
	if (mono_is_due(nuki->rebooting_until, now)) {
		nuki->rebooting_until = MONO_NEVER;
		sim_lock_advert_changed(lock);
	}
	if (mono_is_due(nuki->next_minute, now)) {
		nuki_times_due(nuki);
	}
	if (waits_for_links(nuki)) {
		sim_lock_drop_idle(lock, nuki->idle_ms, now);
	}
}

/* ---- a person at the door ---- */

static int busy(char *why) {
	snprintf(why, SIM_TEXT_MAX, "the motor is turning");
	return -EBUSY;
}

static int person_turn(struct sim_lock *lock, bool to_locked, mono_t now, char *why) {
	struct nuki *nuki = nuki_of(lock);
	nuki->now = now;
	nuki->lock_n_go_until = MONO_NEVER;
	const int r = nuki->run.is_active ? busy(why) : body_turn(&nuki->body, to_locked, now, why);
	if (r < 0) {
		return r;
	}
	struct nuki_run run = {
		.action = to_locked ? NUKI_ACTION_LOCK : NUKI_ACTION_UNLOCK,
		.trigger = NUKI_TRIGGER_MANUAL,
		.log_type = NUKI_LOG_ACTION,
	};
	nuki_log_action(nuki, &run, 0);
	nuki_arm_auto_lock(nuki);
	return 0;
}

static int start_by_hand(
	struct nuki *nuki, uint8_t action, uint8_t none, unsigned presses, char *why) {
	struct nuki_run run = {
		.action = action == NUKI_ACTION_NONE ? none : action,
		.trigger = NUKI_TRIGGER_BUTTON,
		.flags = (uint8_t) presses,
		.link = -1,
		.log_type = NUKI_LOG_ACTION,
	};
	if (action == NUKI_ACTION_NONE) {
		nuki_log_action(nuki, &run, 0);
		return 0;
	}
	int error = nuki_start(nuki, &run);
	if (error != 0) {
		snprintf(why, SIM_TEXT_MAX, "the lock refuses with error 0x%02x", (unsigned) error);
		return -EIO;
	}
	return 0;
}

static int person_button(struct sim_lock *lock, unsigned presses, mono_t now, char *why) {
	static const uint8_t actions[] = { NUKI_ACTION_NONE, NUKI_ACTION_NONE, NUKI_ACTION_UNLOCK,
		NUKI_ACTION_LOCK, NUKI_ACTION_UNLATCH, NUKI_ACTION_LOCK_N_GO, NUKI_ACTION_NONE };
	struct nuki *nuki = nuki_of(lock);
	nuki->now = now;
	if (!nuki->config.button_enabled) {
		snprintf(why, SIM_TEXT_MAX,
			"the button is switched off in the lock's configuration");
		return -EPERM;
	}
	uint8_t what = presses >= 2 ? nuki->advanced.double_press : nuki->advanced.single_press;
	uint8_t action = what < ARRAY_SIZE(actions) ? actions[what] : NUKI_ACTION_NONE;
	if (what == 1) { /* intelligent */
		action = nuki->body.bolt == BOLT_LOCKED ? NUKI_ACTION_UNLOCK : NUKI_ACTION_LOCK;
	}
	return start_by_hand(nuki, action, NUKI_ACTION_BUTTON_NONE, presses, why);
}

static int person_fob(struct sim_lock *lock, unsigned presses, mono_t now, char *why) {
	static const uint8_t actions[] = { NUKI_ACTION_NONE, NUKI_ACTION_UNLOCK, NUKI_ACTION_LOCK,
		NUKI_ACTION_LOCK_N_GO };
	struct nuki *nuki = nuki_of(lock);
	nuki->now = now;
	if (presses < 1 || presses > 3) {
		snprintf(why, SIM_TEXT_MAX, "a fob is pressed one to three times");
		return -EINVAL;
	}
	uint8_t what = nuki->config.fob[presses - 1];
	uint8_t action = what < ARRAY_SIZE(actions) ? actions[what] : NUKI_ACTION_NONE;
	if (what == 4) {
		action = nuki->body.bolt == BOLT_LOCKED ? NUKI_ACTION_UNLOCK : NUKI_ACTION_LOCK;
	}
	nuki->config.has_fob = 1;
	return start_by_hand(nuki, action, NUKI_ACTION_FOB_NONE, presses, why);
}

static int person_keypad(struct sim_lock *lock, enum sim_keypad what, uint32_t number,
	const char *action, mono_t now, char *why) {
	struct nuki *nuki = nuki_of(lock);
	nuki->now = now;
	return nuki_at_keypad(nuki, what, number, action, why);
}

static int person_door(struct sim_lock *lock, bool is_open, mono_t now, char *why) {
	struct nuki *nuki = nuki_of(lock);
	nuki->now = now;
	const int r = body_move_door(&nuki->body, is_open, why);
	if (r <= 0) {
		return r;
	}
	if (!nuki->has_door_sensor) {
		return 0; /* the door moves, but this lock cannot tell */
	}
	if (nuki->is_door_logging) {
		uint8_t what = is_open ? 0 : 1;
		nuki_log_add(nuki, NUKI_LOG_DOOR, 0, "", &what, 1);
	}
	nuki_changed(nuki, nuki->trigger);
	if (!is_open && nuki->advanced.auto_lock_enabled && nuki->advanced.auto_lock_immediate) {
		nuki->auto_lock_at = mono_after(now, 2000);
	}
	return 0;
}

static int person_battery(struct sim_lock *lock, unsigned percent, char *why) {
	struct nuki *nuki = nuki_of(lock);
	const int r = body_set_battery(&nuki->body, percent, why);
	if (r == 0) {
		nuki_changed(nuki, nuki->trigger);
	}
	return r;
}

static int person_clock(struct sim_lock *lock, int64_t offset_s, char *why) {
	(void) why;
	nuki_of(lock)->clock_offset_s = offset_s;
	nuki_of(lock)->drifts_since = lock->env->wall(lock->env->user);
	return 0;
}

static int person_pairing(struct sim_lock *lock, bool on, mono_t now, char *why) {
	struct nuki *nuki = nuki_of(lock);
	nuki->now = now;
	if (on && !nuki->config.pairing_enabled) {
		snprintf(why, SIM_TEXT_MAX,
			"Bluetooth pairing is switched off in the lock's configuration");
		return -EPERM;
	}
	nuki_set_pairing(nuki, on);
	return 0;
}

static int person_reboot(struct sim_lock *lock, mono_t now, char *why) {
	struct nuki *nuki = nuki_of(lock);
	(void) why;
	nuki->now = now;
	body_stop(&nuki->body);
	nuki->run.is_active = false;
	nuki->lock_n_go_until = MONO_NEVER;
	nuki->auto_lock_at = MONO_NEVER;
	nuki->pairing_until = MONO_NEVER;
	nuki->mode = nuki->mode == NUKI_MODE_UNINITIALISED ? nuki->mode : NUKI_MODE_DOOR;
	for (size_t i = 0; i < nuki->n_auths; i++) {
		nuki->auths[i]->has_challenge = false;
	}
	nuki->rebooting_until = mono_after(now, NUKI_REBOOT_MS);
	sim_lock_drop_all(lock);
	sim_lock_advert_changed(lock);
	return 0;
}

static int person_reset(struct sim_lock *lock, mono_t now, char *why) {
	struct nuki *nuki = nuki_of(lock);
	person_reboot(lock, now, why);
	nuki_wipe_users(nuki);
	nuki_config_defaults(nuki);
	nuki->body.is_calibrated = false;
	nuki->mode = NUKI_MODE_UNINITIALISED;
	nuki->log_first = 0;
	nuki->n_log = 0;
	nuki->pin = 0;
	nuki->is_pin_set = nuki->generation < 5;
	nuki->last_action = nuki->last_trigger = nuki->last_status = 0;
	/* Numbers begin anew: a code may have an id that was somebody else's. */
	nuki->next_code_id = 1;
	nuki->next_time_id = 0;
	nuki->next_index = 1;
	nuki->code_failures = 0;
	nuki->code_locked_until = (mono_t){ 0 };
	nuki_changed(nuki, NUKI_TRIGGER_SYSTEM);
	return 0;
}

static int person_firmware(struct sim_lock *lock, const char *version, char *why) {
	struct nuki *nuki = nuki_of(lock);
	unsigned major = 0, minor = 0, patch = 0;
	int end = 0;
	if (sscanf(version, "%3u.%3u.%3u%n", &major, &minor, &patch, &end) != 3 ||
		version[end] != '\0' || major > 255 || minor > 255 || patch > 255) {
		snprintf(why, SIM_TEXT_MAX, "a firmware version looks like 4.3.11");
		return -EINVAL;
	}
	nuki->firmware[0] = (uint8_t) major;
	nuki->firmware[1] = (uint8_t) minor;
	nuki->firmware[2] = (uint8_t) patch;
	nuki_log_add(nuki, NUKI_LOG_FIRMWARE, 0, "", nuki->firmware, sizeof(nuki->firmware));
	nuki_config_changed(nuki);
	return 0;
}

static struct sim_lock *nuki_free(struct sim_lock *lock) {
	struct nuki *nuki = nuki_of(lock);
	nuki_wipe_users(nuki);
	free(nuki->log);
	wipe(nuki->links, sizeof(nuki->links));
	free(nuki);
	return NULL;
}

const struct sim_lock_impl nuki_impl = {
	.brand = "nuki",
	.free = nuki_free,
	.gatt = get_gatt,
	.advert = get_advert,
	.connected = on_connected,
	.disconnected = on_disconnected,
	.write = on_write,
	.read = on_read,
	.subscribed = on_subscribed,
	.next_due = get_next_due,
	.tick = on_tick,
	.turn = person_turn,
	.button = person_button,
	.fob = person_fob,
	.keypad = person_keypad,
	.app = nuki_person_app,
	.door = person_door,
	.jam = body_person_jam,
	.battery = person_battery,
	.drain = body_person_drain,
	.clock = person_clock,
	.change = nuki_person_change,
	.age = nuki_person_age,
	.pairing = person_pairing,
	.reboot = person_reboot,
	.reset = person_reset,
	.firmware = person_firmware,
	.set = nuki_person_set,
	.show = nuki_show,
	.log = nuki_log_json,
	.save = nuki_save,
	.load = nuki_load,
};
