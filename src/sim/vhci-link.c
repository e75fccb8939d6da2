/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vhci.h"

/* What goes over a link: ACL fragments, L2CAP, SMP's refusal, ATT with its faults, pacing. */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"

/* L2CAP channels of an LE link (3.A.2.1). */
enum { CID_ATT = 4, CID_SIGNALLING = 5, CID_SMP = 6 };
/* Packet boundary flags (4.E.5.4.2). */
enum { PB_FIRST_HOST = 0, PB_CONTINUING = 1, PB_FIRST = 2 };

/* The lock answers so much later than it is asked: a part of a connection interval. */
#define ANSWER_MS 8
/* More at a time runs over the kernel's socket buffer when bluetoothd is busy. */
#define PACE_MS 30
#define PACE_VALUES 4
/* After a write response, so that bluetoothd reads it before the link is gone. */
#define DROP_LATE_MS 60
#define SLOW_MS 3000 /* simulator time, as behind the virtual org.bluez */

bool link_counts_out(struct vhci_link *link) {
	bool is_counted_out = link->packets_left > 0 && --link->packets_left == 0;
	if (!is_counted_out && !station_loses(link->station, 1)) {
		return false;
	}
	link_lost(link, HCI_TIMEOUT, true);
	return true;
}

/* ---- to the host ---- */

static void send_l2cap(struct vhci_link *link, uint16_t cid, const uint8_t *pdu, size_t n) {
	struct vhci_controller *controller = link->controller;
	struct vhci *vhci = controller->vhci;
	uint8_t frame[4 + ATT_MTU_MAX], packet[5 + VHCI_ACL_MOST];
	struct wr wr = wr_on(frame, sizeof(frame));
	wr_u16le(&wr, (uint16_t) n);
	wr_u16le(&wr, cid);
	wr_bytes(&wr, pdu, n);
	assert(wr_end(&wr) >= 0);
	for (size_t at = 0; at < wr.used && link->is_up && !link->is_silent;) {
		if (link_counts_out(link)) {
			return;
		}
		size_t piece = wr.used - at < vhci->options.acl_octets ? wr.used - at
								       : vhci->options.acl_octets;
		struct wr out = wr_on(packet, sizeof(packet));
		wr_u8(&out, VHCI_ACL);
		wr_u16le(&out,
			(uint16_t) (link->handle | (at == 0 ? PB_FIRST : PB_CONTINUING) << 12));
		wr_u16le(&out, (uint16_t) piece);
		wr_bytes(&out, frame + at, piece);
		vhci->impl->packet(vhci->user, controller->index, packet, out.used);
		at += piece;
	}
}

/* ---- the lock's values on their way out ---- */

static void put_value(
	struct vhci_link *link, unsigned chr, const uint8_t *value, size_t n, mono_t due) {
	struct vhci_value *entry =
		link->n_waiting < VHCI_WAITING_MAX ? malloc(sizeof(*entry) + n) : NULL;
	if (entry == NULL) {
		return;
	}
	*entry = (struct vhci_value){ .chr = chr, .due = due, .n = n };
	memcpy(entry->octets, value, n);
	list_append(&link->waiting, &entry->link);
	link->n_waiting++;
}

static void remove_value(struct vhci_link *link, struct vhci_value *value) {
	list_remove(&value->link);
	link->n_waiting--;
	free(value);
}

/* The first two change places, when there are two of them. */
static void reorder(struct vhci_link *link) {
	struct list *first = link->waiting.next;
	if (first == &link->waiting || first->next == &link->waiting ||
		!station_trouble(link->station, TROUBLE_REORDER)) {
		return;
	}
	struct list *second = first->next;
	struct vhci_value *a = list_entry(first, struct vhci_value, link);
	struct vhci_value *b = list_entry(second, struct vhci_value, link);
	mono_t due = a->due;
	a->due = b->due;
	b->due = due;
	list_remove(first);
	list_insert(second, first);
}

/* @return when the next value may go, by the pace. */
static mono_t pace(struct vhci_link *link) {
	struct vhci *vhci = link->controller->vhci;
	mono_t now = vhci_now(vhci);
	if (mono_is_due(link->window, now)) {
		link->window = vhci_after(vhci, PACE_MS);
		link->n_window = 0;
	}
	return link->n_window < PACE_VALUES ? now : link->window;
}

static void pump(struct vhci_link *link) {
	struct vhci *vhci = link->controller->vhci;
	while (link->is_up && !link->is_silent) {
		reorder(link);
		struct vhci_value *first = list_first(&link->waiting, struct vhci_value, link);
		if (first == NULL) {
			return;
		}
		mono_t paced = pace(link);
		mono_t when = first->due.ms > paced.ms ? first->due : paced;
		if (!mono_is_due(when, vhci_now(vhci))) {
			sched_arm_at(vhci->world->sched, &link->pump_job, when);
			return;
		}
		int r = att_send_value(&link->att, (int) first->chr, first->octets, first->n);
		if (r == -EBUSY || !link->is_up) {
			return; /* its confirmation goes on; or the link broke with it */
		}
		remove_value(link, first);
		link->n_window += r == 0;
		if (r == 0 && link->drop_after > 0 && --link->drop_after == 0) {
			link_drop_in(link, 1, HCI_TIMEOUT);
		}
	}
}

static void on_pump(void *user) {
	pump(user);
}

void link_indicate(struct vhci_link *link, unsigned chr, const uint8_t *value, size_t n) {
	struct station *station = link->station;
	struct vhci *vhci = link->controller->vhci;
	uint8_t copy[ATT_VALUE_MAX];
	if (!link->is_up || link->is_mute || station_trouble(station, TROUBLE_LOSE)) {
		return;
	}
	n = n < sizeof(copy) ? n : sizeof(copy);
	memcpy(copy, value, n);
	if (n > 0 && station_trouble(station, TROUBLE_GARBLE)) {
		copy[world_chance(station->world, (uint32_t) n)] ^= 0x40;
	}
	mono_t due = link->is_early ? vhci_now(vhci) : vhci_after(vhci, ANSWER_MS);
	if (station_trouble(station, TROUBLE_SLOW)) {
		due = mono_after(due, SLOW_MS);
	}
	put_value(link, chr, copy, n, due);
	if (station_trouble(station, TROUBLE_DUPLICATE)) {
		put_value(link, chr, copy, n, due);
	}
	if (!sched_is_armed(&link->pump_job) && !link->att.is_waiting) {
		sched_arm_at(vhci->world->sched, &link->pump_job, due);
	}
}

/* ---- ATT's hooks ---- */

static void att_send(void *user, const uint8_t *pdu, size_t n) {
	send_l2cap(user, CID_ATT, pdu, n);
}

static int att_write(void *user, int chr, const uint8_t *value, size_t n) {
	struct vhci_link *link = user;
	struct station *station = link->station;
	if (chr < 0) {
		return SIM_ATT(SIM_ATT_WRITE_NOT_PERMITTED);
	}
	/* Which of the signal and the error comes first is bluetoothd's business here. */
	if (station_trouble(station, TROUBLE_DROP_IN_WRITE) ||
		station_trouble(station, TROUBLE_DROP_IN_WRITE_FIRST)) {
		link_lost(link, HCI_TIMEOUT, true);
		return 0;
	}
	if (station_trouble(station, TROUBLE_ATT_STALL)) {
		link->att.is_stalled = true;
		return 0;
	}
	if (station_trouble(station, TROUBLE_WRITE_ERROR)) {
		return SIM_ATT(0x80);
	}
	if (station_trouble(station, TROUBLE_DEAF)) {
		return 0;
	}
	bool is_dropped = station_trouble(station, TROUBLE_DROP_AFTER_WRITE);
	link->is_mute = station_trouble(station, TROUBLE_MUTE) || is_dropped;
	link->is_early = station_trouble(station, TROUBLE_EARLY);
	int r = sim_lock_write(station->lock, link->lock_link, (unsigned) chr, value, n,
		vhci_now(link->controller->vhci));
	if (link->is_early) {
		pump(link);
		link->is_early = false;
	}
	if (is_dropped && link->is_up) {
		link_drop_in(link, DROP_LATE_MS, HCI_TIMEOUT);
	}
	return r;
}

static ssize_t att_read(void *user, int chr, uint8_t *out, size_t size) {
	struct vhci_link *link = user;
	struct sim_advert advert;
	switch (chr) {
	case ATT_CHR_NAME:
		station_advert(link->station, &advert);
		memcpy(out, advert.name, strlen(advert.name));
		return (ssize_t) strlen(advert.name);
	case ATT_CHR_APPEARANCE:
		memset(out, 0, 2); /* unknown */
		return 2;
	default:
		return chr < 0 ? SIM_ATT(SIM_ATT_READ_NOT_PERMITTED)
			       : sim_lock_read(link->station->lock, link->lock_link, (unsigned) chr,
					 out, size);
	}
}

static int att_subscribe(void *user, int chr, bool on) {
	struct vhci_link *link = user;
	return sim_lock_subscribe(link->station->lock, link->lock_link, (unsigned) chr, on);
}

static void att_mtu_agreed(void *user, unsigned mtu) {
	struct vhci_link *link = user;
	sim_lock_set_mtu(link->station->lock, link->lock_link, mtu);
}

static void att_confirmed(void *user) {
	struct vhci_link *link = user;
	if (!sched_is_armed(&link->pump_job)) {
		pump(link);
	}
}

static const struct att_user att_user = {
	.send = att_send,
	.write = att_write,
	.read = att_read,
	.subscribe = att_subscribe,
	.mtu_agreed = att_mtu_agreed,
	.confirmed = att_confirmed,
};

/* ---- the other channels ---- */

/* LE signalling: this lock knows no channels and no parameters to talk about (3.A.4.1). */
static void on_signalling(struct vhci_link *link, const uint8_t *pdu, size_t n) {
	static const uint8_t requests[] = { 0x06, 0x12, 0x14, 0x17, 0x19 };
	if (n < 4 || memchr(requests, pdu[0], sizeof(requests)) == NULL) {
		return;
	}
	const uint8_t reject[] = { 0x01, pdu[1], 2, 0, 0, 0 }; /* command not understood */
	send_l2cap(link, CID_SIGNALLING, reject, sizeof(reject));
}

/* Pairing Request: Pairing Failed, pairing not supported (3.H.3.5.5). */
static void on_smp(struct vhci_link *link, const uint8_t *pdu, size_t n) {
	static const uint8_t failed[] = { 0x05, 0x05 };
	if (n > 0 && pdu[0] == 0x01) {
		send_l2cap(link, CID_SMP, failed, sizeof(failed));
	}
}

static void on_l2cap(struct vhci_link *link, uint16_t cid, const uint8_t *pdu, size_t n) {
	switch (cid) {
	case CID_ATT:
		att_input(&link->att, pdu, n);
		break;
	case CID_SIGNALLING:
		on_signalling(link, pdu, n);
		break;
	case CID_SMP:
		on_smp(link, pdu, n);
		break;
	default:
		break; /* no such channel: passed over (3.A.2.1) */
	}
}

/* Fragments are put together; what does not fit its announced length is thrown away (3.A.7.2). */
void link_acl(struct vhci_link *link, unsigned boundary, const uint8_t *data, size_t n) {
	bool is_first = boundary == PB_FIRST_HOST || boundary == PB_FIRST;
	if (is_first) {
		link->n_rx = 0;
	} else if (link->n_rx == 0) {
		return;
	}
	if (n > sizeof(link->rx) - link->n_rx) {
		link->n_rx = 0;
		return;
	}
	memcpy(link->rx + link->n_rx, data, n);
	link->n_rx += n;
	if (link->n_rx < 4) {
		return;
	}
	size_t length = 4 + (size_t) (link->rx[0] | link->rx[1] << 8);
	if (link->n_rx < length) {
		return;
	}
	bool is_whole = link->n_rx == length;
	link->n_rx = 0;
	if (is_whole) {
		on_l2cap(link, (uint16_t) (link->rx[2] | link->rx[3] << 8), link->rx + 4,
			length - 4);
	}
}

/* ---- life ---- */

static void on_drop(void *user) {
	struct vhci_link *link = user;
	link_lost(link, link->drop_reason, true);
}

void link_init(struct vhci_link *link, struct vhci_controller *controller) {
	link->controller = controller;
	list_init(&link->waiting);
	sched_job_init(&link->pump_job, on_pump, link);
	sched_job_init(&link->drop_job, on_drop, link);
}

int link_open(struct vhci_link *link, struct station *station, uint16_t handle) {
	struct sim_lock *lock = station->lock;
	mono_t now = vhci_now(link->controller->vhci);
	if (station->troubles[TROUBLE_STALE_HANDLES] > 0) {
		station->troubles[TROUBLE_STALE_HANDLES]--;
		station->handle_shift += 0x10; /* as after a firmware update */
	}
	int r = att_open(&link->att, lock->impl->gatt(lock), station->handle_shift, lock->mtu,
		&att_user, link);
	int lock_link = r < 0 ? r : sim_lock_connect(lock, ATT_MTU_MIN, now);
	if (lock_link < 0) {
		att_finish(&link->att);
		return lock_link;
	}
	link->station = station;
	link->lock_link = lock_link;
	link->handle = handle;
	link->is_up = true;
	link->is_silent = link->is_mute = link->is_early = false;
	link->n_rx = 0;
	link->window = now;
	link->n_window = 0;
	link->supervision_ms = link->controller->supervision * 10U;
	link->drop_after = station->troubles[TROUBLE_DROP_AFTER];
	link->packets_left = station->troubles[TROUBLE_DROP_PACKETS];
	station->troubles[TROUBLE_DROP_AFTER] = station->troubles[TROUBLE_DROP_PACKETS] = 0;
	link->att.is_stalled = station_trouble(station, TROUBLE_NEVER_RESOLVE);
	link->att.is_empty = station_trouble(station, TROUBLE_NO_OBJECTS);
	station->links[lock_link] = link;
	return 0;
}

void link_drop_in(struct vhci_link *link, int64_t real_ms, uint8_t reason) {
	link->drop_reason = reason;
	vhci_arm(link->controller->vhci, &link->drop_job, real_ms);
}

void link_lost(struct vhci_link *link, uint8_t reason, bool is_told) {
	struct sched *sched = link->controller->vhci->world->sched;
	struct vhci_value *value, *next;
	if (!link->is_up) {
		return;
	}
	link->is_up = false;
	att_close(&link->att);
	sched_disarm(sched, &link->pump_job);
	sched_disarm(sched, &link->drop_job);
	list_for_each_safe(value, next, &link->waiting, link) {
		remove_value(link, value);
	}
	link->station->links[link->lock_link] = NULL;
	sim_lock_disconnect(link->station->lock, link->lock_link, sched_now(sched));
	if (is_told) {
		hci_disconnected(link->controller, link->handle, reason);
	}
}

void link_finish(struct vhci_link *link) {
	link_lost(link, 0, false);
	att_finish(&link->att);
}
