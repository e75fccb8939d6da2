/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "radio-bench.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../test.h"
#include "loop/loop.h"
#include "util/bytes.h"

/* ---- the lock ---- */

static const struct sim_char echo_chars[] = {
	{ "a92ee202-5501-11e4-916c-0800200c9a66",
		SIM_FLAG_READ | SIM_FLAG_WRITE | SIM_FLAG_INDICATE },
	{ "0000fff1-0000-1000-8000-00805f9b34fb", SIM_FLAG_WRITE_COMMAND | SIM_FLAG_NOTIFY },
	{ "0000fff2-0000-1000-8000-00805f9b34fb", SIM_FLAG_READ },
};
static const struct sim_service echo_services[] = {
	{ "0000fff0-0000-1000-8000-00805f9b34fb", echo_chars, ARRAY_SIZE(echo_chars) },
};
const struct sim_gatt echo_gatt = { echo_services, ARRAY_SIZE(echo_services) };

static struct sim_lock *echo_free(struct sim_lock *lock) {
	free(container_of(lock, struct echo_lock, base));
	return NULL;
}

static const struct sim_gatt *echo_get_gatt(struct sim_lock *lock) {
	return &echo_gatt;
}

static void echo_advert(struct sim_lock *lock, struct sim_advert *ret) {
	const struct echo_lock *echo = container_of(lock, struct echo_lock, base);
	ret->is_silent = echo->is_silent;
	if (echo->service != NULL) {
		snprintf(ret->service, sizeof(ret->service), "%s", echo->service);
		ret->n_data = 4;
	}
	ret->is_discoverable = true;
	ret->interval_ms = 100;
	ret->company = 0x1234;
	ret->manufacturer[0] = 0x77;
	ret->n_manufacturer = 1;
	snprintf(ret->name, sizeof(ret->name), "Echo");
}

static void echo_link(struct sim_lock *lock, int link, mono_t now) {
}

static int echo_write(
	struct sim_lock *lock, int link, unsigned chr, const uint8_t *value, size_t n, mono_t now) {
	struct echo_lock *echo = container_of(lock, struct echo_lock, base);
	memcpy(echo->written, value, n);
	echo->n_written = n;
	echo->n_writes++;
	if (n == 1 && value[0] == 'D') {
		sim_lock_drop(lock, link);
	} else if (n == 2 && value[0] == 'N') {
		for (uint8_t i = 0; i < value[1]; i++) {
			sim_lock_indicate(lock, link, 1, &i, 1);
		}
	} else if (n == 1 && value[0] == 'E') {
		return SIM_ATT(0x85);
	} else {
		sim_lock_indicate(lock, link, chr, value, n);
	}
	return 0;
}

static ssize_t echo_read(struct sim_lock *lock, int link, unsigned chr, uint8_t *out, size_t size) {
	struct echo_lock *echo = container_of(lock, struct echo_lock, base);
	if (chr == 0) {
		memcpy(out, echo->written, echo->n_written);
		return (ssize_t) echo->n_written;
	}
	for (size_t i = 0; i < 200; i++) {
		out[i] = (uint8_t) i;
	}
	return 200;
}

static void echo_subscribed(struct sim_lock *lock, int link, unsigned chr, bool on) {
}

static mono_t echo_next_due(struct sim_lock *lock) {
	return MONO_NEVER;
}

static void echo_tick(struct sim_lock *lock, mono_t now) {
}

static const struct sim_lock_impl echo_impl = {
	.brand = "echo",
	.free = echo_free,
	.gatt = echo_get_gatt,
	.advert = echo_advert,
	.connected = echo_link,
	.disconnected = echo_link,
	.write = echo_write,
	.read = echo_read,
	.subscribed = echo_subscribed,
	.next_due = echo_next_due,
	.tick = echo_tick,
};

struct echo_lock *radio_lock(struct station *station) {
	return container_of(station->lock, struct echo_lock, base);
}

struct station *radio_add(struct radio *radio, unsigned number) {
	struct echo_lock *echo = calloc(1, sizeof(*echo));
	assert_non_null(echo);
	char name[sizeof(echo->base.name)];
	const char *const pairs[] = { "name", name, "model", "echo", NULL };
	snprintf(name, sizeof(name), "echo-%u", number);
	sim_lock_init(&echo->base, &echo_impl, pairs, &radio->world->env);
	memcpy(echo->base.address, (const uint8_t[]){ 0x54, 0xd2, 0x72, 0, 0, (uint8_t) number },
		6);
	assert_int_equal(world_add_lock(radio->world, &echo->base), 0);
	return world_find(radio->world, echo->base.name);
}

/* ---- the bench ---- */

static void on_packet(void *user, unsigned index, const uint8_t *packet, size_t n) {
	struct radio *radio = user;
	assert(radio->n_said < RADIO_SAID_MAX && n <= sizeof(radio->said[0].octets));
	struct radio_said *said = &radio->said[radio->n_said++];
	said->index = index;
	said->n = n;
	memcpy(said->octets, packet, n);
}

static const struct vhci_user radio_user = { .packet = on_packet };

void radio_init(struct radio *radio, unsigned n_adapters, unsigned acl_octets, double speed) {
	static const uint64_t seed = 7;
	const struct vhci_options options = { .n_adapters = n_adapters, .acl_octets = acl_octets };
	*radio = (struct radio){ .loop = loop_new() };
	radio->said = calloc(RADIO_SAID_MAX, sizeof(*radio->said));
	radio->world = world_new(radio->loop, speed, &seed);
	assert(radio->said != NULL && radio->world != NULL);
	/* The world has looked at the clock already; from here on time is what the test says. */
	radio->now_ms = clock_mono(loop_clock(radio->loop)).ms;
	sched_set_real(radio->world->sched, (mono_t){ radio->now_ms });
	radio->vhci = vhci_new(radio->world, &options, &radio_user, radio);
	assert(radio->vhci != NULL);
}

void radio_finish(struct radio *radio) {
	vhci_free(radio->vhci);
	world_free(radio->world);
	loop_free(radio->loop);
	free(radio->said);
}

static void turn(struct radio *radio, int64_t ms) {
	radio->now_ms += ms;
	sched_set_real(radio->world->sched, (mono_t){ radio->now_ms });
	sched_run(radio->world->sched);
}

/* From one thing that is due to the next, so that nothing comes late. */
static int64_t step(struct radio *radio, int64_t most) {
	int64_t ms = sched_wait_ms(radio->world->sched);
	ms = ms > most ? most : ms;
	turn(radio, ms);
	return ms;
}

void radio_pass(struct radio *radio, int64_t ms) {
	while (ms > 0) {
		ms -= step(radio, ms);
	}
}

size_t radio_octets(const char *hex, uint8_t *out, size_t size) {
	char digits[2048];
	size_t n = 0, n_out = 0;
	for (; *hex != '\0'; hex++) {
		if (*hex != ' ') {
			assert(n + 1 < sizeof(digits));
			digits[n++] = *hex;
		}
	}
	digits[n] = '\0';
	assert_int_equal(hex_decode_any(digits, out, size, &n_out), 0);
	return n_out;
}

void radio_send(struct radio *radio, unsigned index, const char *hex) {
	uint8_t packet[1024];
	vhci_input(radio->vhci, index, packet, radio_octets(hex, packet, sizeof(packet)));
}

static bool is_match(const struct radio_said *said, const char *hex) {
	char digits[2 * sizeof(said->octets) + 1];
	hex_encode(said->octets, said->n, digits);
	const char *at = digits;
	for (; *hex != '\0'; hex++) {
		if (*hex == ' ') {
			continue;
		}
		if (*at == '\0' || (*hex != '.' && *hex != *at)) {
			return false;
		}
		at++;
	}
	return *at == '\0';
}

void radio_expect(struct radio *radio, unsigned index, const char *hex) {
	if (radio->n_read == radio->n_said) {
		fail_msg("nothing was said; wanted is %u: %s", index, hex);
	}
	const struct radio_said *said = &radio->said[radio->n_read++];
	if (said->index != index || !is_match(said, hex)) {
		char digits[2 * sizeof(said->octets) + 1];
		fail_msg("%u: %s was said; wanted is %u: %s", said->index,
			hex_encode(said->octets, said->n, digits), index, hex);
	}
}

void radio_await(struct radio *radio, unsigned index, int64_t ms, const char *hex) {
	while (radio->n_read == radio->n_said && ms > 0) {
		ms -= step(radio, ms);
	}
	radio_expect(radio, index, hex);
}

void radio_expect_silence(struct radio *radio) {
	if (radio->n_read < radio->n_said) {
		char digits[2 * sizeof(radio->said[0].octets) + 1];
		const struct radio_said *said = &radio->said[radio->n_read];
		fail_msg("%u: %s was said", said->index, hex_encode(said->octets, said->n, digits));
	}
}

size_t radio_forget(struct radio *radio) {
	size_t n = radio->n_said - radio->n_read;
	radio->n_read = radio->n_said = 0;
	return n;
}

/* ---- links ---- */

void radio_create(struct radio *radio, unsigned index, unsigned number) {
	char hex[128];
	snprintf(hex, sizeof(hex),
		"01 0d20 19 6000 3000 00 00 %02x 0000 72d254 00 1800 2800 0000 2a00 0000 0000",
		number);
	radio_send(radio, index, hex);
	radio_expect(radio, index, "04 0f 04 00 01 0d20");
}

uint16_t radio_connect(struct radio *radio, unsigned index, unsigned number) {
	char hex[128];
	radio_create(radio, index, number);
	snprintf(hex, sizeof(hex), "04 3e 13 01 00 .... 00 00 %02x 0000 72d254 2800 0000 2a00 00",
		number);
	radio_await(radio, index, 500, hex);
	const uint8_t *octets = radio->said[radio->n_read - 1].octets;
	return (uint16_t) (octets[5] | octets[6] << 8);
}

void radio_att(struct radio *radio, unsigned index, uint16_t handle, const char *hex) {
	uint8_t packet[1024], pdu[600];
	char completed[32];
	size_t n = radio_octets(hex, pdu, sizeof(pdu));
	struct wr wr = wr_on(packet, sizeof(packet));
	wr_u8(&wr, VHCI_ACL);
	wr_u16le(&wr, handle);
	wr_u16le(&wr, (uint16_t) (n + 4));
	wr_u16le(&wr, (uint16_t) n);
	wr_u16le(&wr, 4);
	wr_bytes(&wr, pdu, n);
	vhci_input(radio->vhci, index, packet, wr.used);
	snprintf(completed, sizeof(completed), "04 13 05 01 %02x %02x 0100", handle & 0xffu,
		handle >> 8u);
	radio_expect(radio, index, completed);
}

static void att_hex(uint16_t handle, const char *hex, char *out, size_t size) {
	size_t n = 0;
	for (const char *at = hex; *at != '\0'; at++) {
		n += *at != ' ';
	}
	n /= 2;
	snprintf(out, size, "02 %02x %02x %02zx %02zx %02zx %02zx 0400 %s", handle & 0xffu,
		(handle >> 8u) | 0x20u, (n + 4) & 0xff, (n + 4) >> 8, n & 0xff, n >> 8, hex);
}

void radio_expect_att(struct radio *radio, unsigned index, uint16_t handle, const char *hex) {
	char whole[1200];
	att_hex(handle, hex, whole, sizeof(whole));
	radio_expect(radio, index, whole);
}

void radio_await_att(
	struct radio *radio, unsigned index, uint16_t handle, int64_t ms, const char *hex) {
	char whole[1200];
	att_hex(handle, hex, whole, sizeof(whole));
	radio_await(radio, index, ms, whole);
}
