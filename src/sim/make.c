/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/lock.h"

/* From the words of --lock to a lock: what all brands have here, the rest in the brand's own file.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "august.h"
#include "nuki.h"
#include "switchbot.h"
#include "ttlock.h"
#include "util/bytes.h"
#include "util/text.h"
#include "words.h"

const char *const sim_models[] = { "nuki:gen1", "nuki:gen2", "nuki:gen3", "nuki:gen4", "nuki:5g",
	"switchbot:lock", "switchbot:lite", "switchbot:pro", "switchbot:pro-wifi",
	"switchbot:ultra", "switchbot:vision", "switchbot:vision-pro", "ttlock:s534", "ttlock:d01",
	"august:asl-01", "august:asl-03", "yale:assure", "yale:linus", NULL };

/* nuki.md 3.2, inferred from captures: id and address end alike. */
static void name_nuki(struct sim_lock *lock, uint8_t chance) {
	nuki_of(lock)->id = (uint32_t) (chance | 0x10) << 24 | (uint32_t) lock->address[3] << 16 |
			    (uint32_t) lock->address[4] << 8 | lock->address[5];
}

static const struct brand {
	const char *prefix;
	uint8_t block[3]; /* the vendor's, of addresses */
	int (*make)(const char *const *pairs, const struct sim_env *env, struct sim_lock **ret,
		char *why);
	/* Its address is known; @chance: one more octet. NULL: nothing follows from it. */
	void (*addressed)(struct sim_lock *lock, uint8_t chance);
} brands[] = {
	{ "august:", { 0x78, 0x9c, 0x85 }, august_make, NULL },
	{ "yale:", { 0x78, 0x9c, 0x85 }, august_make, NULL },
	{ "nuki:", { 0x54, 0xd2, 0x72 }, nuki_make, name_nuki },
	{ "switchbot:", { 0xb0, 0xe9, 0xfe }, switchbot_make, NULL },
	{ "ttlock:", { 0x6c, 0xb2, 0xfd }, ttlock_make, NULL },
};

/* Of a model that there is. */
static const struct brand *brand_of(const char *model) {
	size_t i = 0;
	while (strncmp(brands[i].prefix, model, strlen(brands[i].prefix)) != 0) {
		i++;
	}
	return &brands[i];
}

static bool is_name(const char *name) {
	size_t n = strlen(name);
	return n > 0 && n < 32 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == n;
}

static int parse_address(const char *text, uint8_t out[static 6]) {
	char digits[13];
	if (strlen(text) != 17) {
		return -EINVAL;
	}
	for (int i = 0; i < 6; i++) {
		if (i < 5 && text[3 * i + 2] != ':') {
			return -EINVAL;
		}
		memcpy(digits + 2 * i, text + 3 * i, 2);
	}
	digits[12] = '\0';
	return hex_decode(digits, out, 6);
}

static int set_battery(struct sim_lock *lock, const char *value, char *why) {
	uint64_t percent = 0;
	if (text_to_u64(value, 0, 100, &percent) < 0) {
		snprintf(why, SIM_TEXT_MAX, "battery=%s: a number from 0 to 100 is needed", value);
		return -EINVAL;
	}
	return lock->impl->battery(lock, (unsigned) percent, why);
}

static bool is_common(const char *key) {
	return text_equal(key, "name") || text_equal(key, "model") || text_equal(key, "address");
}

/* How it is heard. 1: no such key. */
static int set_air(struct sim_air *air, const char *key, const char *value, char *why) {
	const struct {
		const char *key;
		const char *value; /* without its sign */
		uint64_t most;
		const char *wanted;
	} rows[] = {
		{ "rssi", value + (value[0] == '-'), 127, "dBm are needed, such as -85" },
		{ "jitter", value, 40, "up to 40 dB are needed" },
		{ "loss", value, 100, "a percentage is needed" },
		{ "taken", value, 1, "0 or 1 is needed" },
	};
	uint64_t n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!text_equal(rows[i].key, key)) {
			continue;
		}
		if (text_to_u64(rows[i].value, 0, rows[i].most, &n) < 0) {
			snprintf(why, SIM_TEXT_MAX, "%s=%s: %s", key, value, rows[i].wanted);
			return -EINVAL;
		}
		air->rssi = i == 0 ? -(int) n : air->rssi;
		air->jitter = i == 1 ? (unsigned) n : air->jitter;
		air->loss = i == 2 ? (unsigned) n : air->loss;
		air->is_taken = i == 3 ? n != 0 : air->is_taken;
		return 0;
	}
	return 1;
}

static int set_key(struct sim_lock *lock, const char *key, const char *value, char *why) {
	if (text_equal(key, "battery")) {
		return set_battery(lock, value, why);
	}
	int r = is_common(key) ? 0 : set_air(&lock->air, key, value, why);
	return r == 1 ? lock->impl->set(lock, key, value, why) : r;
}

static int check(const char *const *pairs, char *why) {
	const char *name = words_value(pairs, "name");
	const char *model = words_value(pairs, "model");
	if (name == NULL || !is_name(name)) {
		snprintf(why, SIM_TEXT_MAX,
			"name=%s: a lock needs a name of a-z, 0-9, - and _, at most 31 characters",
			name == NULL ? "" : name);
		return -EINVAL;
	}
	size_t n = 0;
	for (; sim_models[n] != NULL; n++) {
		if (text_equal(sim_models[n], model)) {
			return 0;
		}
	}
	const char *near = model == NULL ? NULL : text_nearest(model, sim_models, n);
	snprintf(why, SIM_TEXT_MAX, "model=%s: no such model%s%s", model == NULL ? "" : model,
		near == NULL ? " (lockhub-sim --help lists them)" : "; did you mean ",
		near == NULL ? "" : near);
	return -EINVAL;
}

int sim_lock_make(
	const char *const *pairs, const struct sim_env *env, struct sim_lock **ret, char *why) {
	int r = check(pairs, why);
	if (r < 0) {
		return r;
	}
	AUTO(sim_lock_free) struct sim_lock *lock = NULL;
	why[0] = '\0';
	const struct brand *brand = brand_of(words_value(pairs, "model"));
	r = brand->make(pairs, env, &lock, why);
	if (r < 0) {
		return r;
	}
	/* The vendor's block, the rest by chance, so that locks differ without being told. */
	uint8_t chance[4];
	env->random(env->user, SIM_RANDOM_OTHER, chance, sizeof(chance));
	memcpy(lock->address, brand->block, 3);
	memcpy(lock->address + 3, chance, 3);
	const char *address = words_value(pairs, "address");
	if (address != NULL && parse_address(address, lock->address) < 0) {
		snprintf(why, SIM_TEXT_MAX,
			"address=%s: something like 54:D2:72:AA:BB:01 is needed", address);
		return -EINVAL;
	}
	if (brand->addressed != NULL) {
		brand->addressed(lock, chance[3]);
	}
	for (size_t i = 0; pairs[i] != NULL; i += 2) {
		r = set_key(lock, pairs[i], pairs[i + 1], why);
		if (r < 0) {
			return r;
		}
	}
	*ret = STEAL(lock);
	return 0;
}
