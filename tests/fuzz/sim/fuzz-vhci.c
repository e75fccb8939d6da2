/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whatever the host sends, a controller and the lock behind it answer with whole packets and stay
 * alive. The input is a row of pieces: kind, length, octets. Kinds: 0 a raw H4 packet, 1 an ACL
 * packet for the open link, 2 an ATT PDU over it, 3 an ATT PDU in fragments, 4 time passes, 5 a
 * fault, 6 the link is made anew.
 */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "util/bytes.h"
#include "vhci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
	struct loop *loop;
	struct world *world;
	struct vhci *vhci;
	struct station *station;
	int64_t now_ms;
	uint16_t handle; /* of the newest link */
	size_t n_answers;
};

/* What the machine says must be a whole packet of a kind that a controller sends. */
static void on_packet(void *user, unsigned index, const uint8_t *packet, size_t n) {
	struct fuzz *fuzz = user;
	assert(index == 0 && n >= 3);
	fuzz->n_answers++;
	if (packet[0] == VHCI_EVENT) {
		assert(n == 3U + packet[2]);
		if (packet[1] == 0x3e && packet[3] == 0x01 && packet[4] == 0) {
			fuzz->handle = (uint16_t) (packet[5] | packet[6] << 8);
		}
		return;
	}
	assert(packet[0] == VHCI_ACL && n >= 5);
	assert(n == 5U + (size_t) (packet[3] | packet[4] << 8) && n <= 5 + VHCI_ACL_LEAST);
}

static const struct vhci_user fuzz_user = { .packet = on_packet };

static void pass(struct fuzz *fuzz, int64_t ms) {
	for (int i = 0; i < 1000 && ms > 0; i++) {
		int64_t step = sched_wait_ms(fuzz->world->sched);
		step = step > ms ? ms : step;
		fuzz->now_ms += step;
		ms -= step;
		sched_set_real(fuzz->world->sched, (mono_t){ fuzz->now_ms });
		sched_run(fuzz->world->sched);
	}
}

static void connect(struct fuzz *fuzz) {
	uint8_t create[29] = { VHCI_COMMAND, 0x0d, 0x20, 25 };
	const struct vhci_address address = air_address(fuzz->station);
	create[9] = address.type;
	memcpy(create + 10, address.octets, 6);
	create[19] = 0x28;
	create[23] = 0x2a;
	vhci_input(fuzz->vhci, 0, create, sizeof(create));
	pass(fuzz, 600);
}

static void send_acl(struct fuzz *fuzz, unsigned boundary, const uint8_t *octets, size_t n) {
	uint8_t packet[5 + 600];
	struct wr wr = wr_on(packet, sizeof(packet));
	wr_u8(&wr, VHCI_ACL);
	wr_u16le(&wr, (uint16_t) (fuzz->handle | boundary << 12));
	wr_u16le(&wr, (uint16_t) n);
	wr_bytes(&wr, octets, n);
	vhci_input(fuzz->vhci, 0, packet, wr.used);
}

static void send_att(struct fuzz *fuzz, const uint8_t *pdu, size_t n, size_t piece) {
	uint8_t frame[4 + 300];
	struct wr wr = wr_on(frame, sizeof(frame));
	wr_u16le(&wr, (uint16_t) n);
	wr_u16le(&wr, 4);
	wr_bytes(&wr, pdu, n);
	for (size_t at = 0; at < wr.used; at += piece) {
		send_acl(fuzz, at == 0 ? 0 : 1, frame + at,
			wr.used - at < piece ? wr.used - at : piece);
	}
}

static void begin(struct fuzz *fuzz) {
	static const uint64_t seed = 1;
	static const char *const pairs[] = { "name", "front", "model", "nuki:gen4", "pairing", "1",
		NULL };
	const struct vhci_options options = { .n_adapters = 1, .acl_octets = VHCI_ACL_LEAST };
	char why[SIM_TEXT_MAX];
	struct sim_lock *lock = NULL;
	*fuzz = (struct fuzz){ .loop = loop_new() };
	fuzz->world = world_new(fuzz->loop, 1, &seed);
	fuzz->now_ms = clock_mono(loop_clock(fuzz->loop)).ms;
	int r = sim_lock_make(pairs, &fuzz->world->env, &lock, why);
	assert(r == 0);
	r = world_add_lock(fuzz->world, lock);
	assert(r == 0);
	fuzz->station = world_find(fuzz->world, "front");
	fuzz->vhci = vhci_new(fuzz->world, &options, &fuzz_user, fuzz);
	connect(fuzz);
}

static void take(struct fuzz *fuzz, uint8_t kind, const uint8_t *octets, size_t n) {
	switch (kind % 7) {
	case 0:
		vhci_input(fuzz->vhci, 0, octets, n);
		break;
	case 1:
		send_acl(fuzz, n == 0 ? 0 : octets[0] & 3U, octets, n);
		break;
	case 2:
		send_att(fuzz, octets, n, sizeof(uint8_t[600]));
		break;
	case 3:
		send_att(fuzz, octets, n, 7);
		break;
	case 4:
		pass(fuzz, n == 0 ? 10 : octets[0] * 4);
		break;
	case 5:
		if (n > 0) {
			fuzz->station->troubles[octets[0] % N_TROUBLES] = 1;
		}
		break;
	default:
		connect(fuzz);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct fuzz fuzz;
	if (size > 8192 || crypto_setup() < 0) {
		return 0;
	}
	begin(&fuzz);
	struct rd rd = rd_on(data, size);
	while (rd_left(&rd) >= 2) {
		uint8_t kind = rd_u8(&rd);
		size_t n = rd_u8(&rd);
		n = n < rd_left(&rd) ? n : rd_left(&rd);
		take(&fuzz, kind, rd_bytes(&rd, n), n);
	}
	/* Whatever happened, it still knows a Reset. */
	static const uint8_t reset[] = { VHCI_COMMAND, 0x03, 0x0c, 0 };
	fuzz.n_answers = 0;
	vhci_input(fuzz.vhci, 0, reset, sizeof(reset));
	assert(fuzz.n_answers == 1);
	vhci_free(fuzz.vhci);
	world_free(fuzz.world);
	loop_free(fuzz.loop);
	return 0;
}
