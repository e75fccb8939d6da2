/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vhci.h"

/* The radio face: its life, and what the world tells it. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"

mono_t vhci_after(struct vhci *vhci, int64_t real_ms) {
	double speed = sched_speed(vhci->world->sched);
	int64_t ms = (int64_t) ((double) real_ms * speed);
	return mono_after(vhci_now(vhci), ms < 1 ? 1 : ms);
}

void vhci_arm(struct vhci *vhci, struct sched_job *job, int64_t real_ms) {
	sched_arm_at(vhci->world->sched, job, vhci_after(vhci, real_ms));
}

/* ---- from the host ---- */

static void acl(struct vhci_controller *controller, const uint8_t *packet, size_t n) {
	struct rd rd = rd_on(packet, n);
	uint16_t handle = rd_u16le(&rd);
	uint16_t length = rd_u16le(&rd);
	const uint8_t *data = rd_bytes(&rd, length);
	if (rd_end(&rd) < 0) {
		return;
	}
	struct vhci_link *link = hci_find_link(controller, handle & 0xfff);
	if (link == NULL || link->is_silent) {
		return; /* not acknowledged: nobody hears it */
	}
	/* Number Of Completed Packets (4.E.7.7.19): the host's credit comes back at once. */
	const uint8_t completed[] = { 1, (uint8_t) link->handle, (uint8_t) (link->handle >> 8), 1,
		0 };
	hci_event(controller, 0x13, completed, sizeof(completed));
	if (!link_counts_out(link)) {
		link_acl(link, handle >> 12 & 3, data, length);
	}
}

void vhci_input(struct vhci *vhci, unsigned index, const uint8_t *packet, size_t n) {
	if (index >= vhci->options.n_adapters || n == 0) {
		return;
	}
	struct vhci_controller *controller = &vhci->controllers[index];
	if (packet[0] == VHCI_COMMAND) {
		hci_command(controller, packet + 1, n - 1);
	} else if (packet[0] == VHCI_ACL) {
		acl(controller, packet + 1, n - 1);
	}
}

/* ---- what the world tells ---- */

static void on_heard(void *user, struct station *station) {
	air_changed(user, station);
}

static void on_indicate(void *user, struct station *station, int link, unsigned chr,
	const uint8_t *value, size_t n) {
	(void) user;
	if (station->links[link] != NULL) {
		link_indicate(station->links[link], chr, value, n);
	}
}

static void on_drop(void *user, struct station *station, int link) {
	(void) user;
	if (station->links[link] != NULL) {
		link_lost(station->links[link], HCI_REMOTE_ENDED, true);
	}
}

static void on_lose(void *user, struct station *station, int link) {
	(void) user;
	link_lost(station->links[link], HCI_TIMEOUT, true);
}

static void on_drop_after(
	void *user, struct station *station, int link, enum trouble trouble, unsigned count) {
	struct vhci_link *up = station->links[link];
	(void) user;
	if (trouble == TROUBLE_DROP_PACKETS) {
		up->packets_left = count;
	} else {
		up->drop_after = count;
	}
}

/* Whether this fault is one of the radio, not of bluetoothd's. */
static bool vhci_can_play(enum trouble trouble) {
	switch (trouble) {
	case TROUBLE_CONNECT_NO_LINK:
	case TROUBLE_PHANTOM:
	case TROUBLE_LATE_OBJECTS:
	case TROUBLE_DISCONNECT_HANG:
		return false;
	default:
		return true;
	}
}

static bool on_can_play(void *user, enum trouble trouble) {
	(void) user;
	return vhci_can_play(trouble);
}

static const struct world_face world_face = {
	.heard = on_heard,
	.indicate = on_indicate,
	.drop = on_drop,
	.lose = on_lose,
	.drop_after = on_drop_after,
	.can_play = on_can_play,
};

/* ---- strangers ---- */

int vhci_storm(struct vhci *vhci, unsigned n, unsigned rate) {
	struct world *world = vhci->world;
	for (size_t i = 0; i < world->n_stations; i++) {
		if (world->stations[i]->lock == NULL) {
			air_forget(world->stations[i]);
		}
	}
	world_remove_strangers(world);
	vhci->stranger_ms = rate == 0 ? 1000 : 1000 * n / rate;
	for (unsigned i = 0; i < n; i++) {
		struct station *station = world_add_stranger(world, i);
		if (station == NULL) {
			return -ENOSPC;
		}
		air_changed(vhci, station);
	}
	return 0;
}

/* ---- life ---- */

struct vhci *vhci_new(struct world *world, const struct vhci_options *options,
	const struct vhci_user *impl, void *user) {
	struct vhci *vhci = calloc(1, sizeof(*vhci));
	if (vhci == NULL) {
		return NULL;
	}
	vhci->world = world;
	vhci->options = *options;
	vhci->impl = impl;
	vhci->user = user;
	for (unsigned i = 0; i < options->n_adapters; i++) {
		hci_init(vhci, i);
	}
	world->face = &world_face;
	world->face_user = vhci;
	return vhci;
}

void vhci_unplug(struct vhci *vhci, unsigned index) {
	hci_reset(&vhci->controllers[index]);
}

struct vhci *vhci_free(struct vhci *vhci) {
	if (vhci == NULL) {
		return NULL;
	}
	for (unsigned i = 0; i < vhci->options.n_adapters; i++) {
		vhci_unplug(vhci, i);
		for (size_t k = 0; k < VHCI_LINKS_MAX; k++) {
			link_finish(&vhci->controllers[i].links[k]);
		}
	}
	for (size_t i = 0; i < vhci->world->n_stations; i++) {
		air_forget(vhci->world->stations[i]);
	}
	vhci->world->face = NULL;
	free(vhci);
	return NULL;
}
