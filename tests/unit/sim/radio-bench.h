/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The radio face on a bench: no kernel, no bus, and a clock that is cranked by hand. Octets are
 * written as hex with spaces; ".." in what is expected is any octet.
 */

#include "vhci.h"

#define RADIO_SAID_MAX 8192
#define RADIO_LOCKS_MAX 32

/*
 * A lock that echoes. Characteristics: 0 (handle 12, CCC 13) what is written is indicated; "D"
 * hangs up, "N" n sends n notifications. 1 (15, CCC 16) notifies, takes commands. 2 (18) holds 200
 * octets.
 */
struct echo_lock {
	struct sim_lock base;
	size_t n_written;
	uint8_t written[512];
	unsigned n_writes;
	bool is_silent;
	const char *service; /* advertised with 4 octets of data; NULL: none */
};

enum { ECHO = 12, ECHO_CCC = 13, NOTE = 15, NOTE_CCC = 16, LONG = 18 };
extern const struct sim_gatt echo_gatt;

struct radio_said {
	unsigned index;
	size_t n;
	uint8_t octets[300];
};

struct radio {
	struct loop *loop;
	struct world *world;
	struct vhci *vhci;
	int64_t now_ms;
	struct radio_said *said;
	size_t n_said, n_read;
};

void radio_init(struct radio *radio, unsigned n_adapters, unsigned acl_octets, double speed);
void radio_finish(struct radio *radio);
/* 54:D2:72:00:00:number */
struct station *radio_add(struct radio *radio, unsigned number);
struct echo_lock *radio_lock(struct station *station);
void radio_pass(struct radio *radio, int64_t ms);

void radio_send(struct radio *radio, unsigned index, const char *hex);
/* The next packet is this one. */
void radio_expect(struct radio *radio, unsigned index, const char *hex);
/* Lets up to @ms pass until there is a packet; then as radio_expect(). */
void radio_await(struct radio *radio, unsigned index, int64_t ms, const char *hex);
void radio_expect_silence(struct radio *radio);
/* Packets not looked at yet; forgets them. */
size_t radio_forget(struct radio *radio);

/* A whole Create Connection to radio_add(number). @return the handle. */
uint16_t radio_connect(struct radio *radio, unsigned index, unsigned number);
void radio_create(struct radio *radio, unsigned index, unsigned number);
/* An ATT PDU as one ACL packet; takes the event that it has been sent. */
void radio_att(struct radio *radio, unsigned index, uint16_t handle, const char *hex);
void radio_expect_att(struct radio *radio, unsigned index, uint16_t handle, const char *hex);
void radio_await_att(
	struct radio *radio, unsigned index, uint16_t handle, int64_t ms, const char *hex);
/* @out from @hex, spaces left out. @return octets. */
size_t radio_octets(const char *hex, uint8_t *out, size_t size);
