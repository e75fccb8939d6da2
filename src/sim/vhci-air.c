/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vhci.h"

/* The air: who sends when, who hears it, and how a link is made. */

#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"

#define AD_MAX 31      /* octets of legacy advertising data (6.B.2.3.1.1) */
#define AD_DELAY_MS 10 /* up to so much by chance after each interval (6.B.4.4.2.2.1) */
/* The host tries again within so much time as long as one Connect lasts. */
#define SAME_ATTEMPT_MS 2500
/* Longer than BlueZ's patience of 40 s. */
#define REFUSE_MS 42000
/* Packets until a link stands, each of which may be lost; plausible only. */
#define CONNECT_PACKETS 6
#define SLOW_CONNECT_MS 8000 /* simulator time, as behind the virtual org.bluez */

enum { ADV_IND = 0, SCAN_RSP = 4 }; /* report's event type (4.E.7.7.65.2) */

struct vhci_address air_address(const struct station *station) {
	struct vhci_address address = { .type = station->is_random_address };
	for (size_t i = 0; i < 6; i++) {
		address.octets[i] = station->address[5 - i];
	}
	return address;
}

/* ---- advertising data (3.C.11, CSS part A) ---- */

static void put_manufacturer(struct wr *wr, const struct sim_advert *advert) {
	if (advert->n_manufacturer > 0 && wr->used + 4 + advert->n_manufacturer <= AD_MAX) {
		wr_u8(wr, (uint8_t) (3 + advert->n_manufacturer));
		wr_u8(wr, 0xff);
		wr_u16le(wr, advert->company);
		wr_bytes(wr, advert->manufacturer, advert->n_manufacturer);
	}
}

static void put_service(struct wr *wr, const struct sim_advert *advert) {
	uint8_t uuid[16];
	size_t n_uuid = advert->service[0] == '\0' ? 0 : att_uuid(advert->service, uuid);
	if (n_uuid > 0 && wr->used + 2 + n_uuid + advert->n_data <= AD_MAX) {
		wr_u8(wr, (uint8_t) (1 + n_uuid + advert->n_data));
		wr_u8(wr, n_uuid == 2 ? 0x16 : 0x21);
		wr_bytes(wr, uuid, n_uuid);
		wr_bytes(wr, advert->data, advert->n_data);
	}
}

static size_t put_advert(const struct sim_advert *advert, uint8_t out[static AD_MAX]) {
	struct wr wr = wr_on(out, AD_MAX);
	wr_u8(&wr, 2);
	wr_u8(&wr, 0x01);
	wr_u8(&wr, advert->is_discoverable ? 0x06 : 0x04); /* no BR/EDR */
	put_manufacturer(&wr, advert);
	put_service(&wr, advert);
	return wr.used;
}

static size_t put_response(const struct sim_advert *advert, uint8_t out[static AD_MAX]) {
	struct wr wr = wr_on(out, AD_MAX);
	size_t n = strlen(advert->name);
	if (n > 0 && n + 2 <= AD_MAX) {
		wr_u8(&wr, (uint8_t) (n + 1));
		wr_u8(&wr, 0x09);
		wr_bytes(&wr, advert->name, n);
	}
	return wr.used;
}

/* ---- scanning ---- */

static void report(struct vhci_controller *controller, struct station *station, uint8_t type,
	const uint8_t *data, size_t n) {
	uint8_t params[10 + AD_MAX];
	struct vhci_address address = air_address(station);
	int rssi = station_rssi(station);
	struct wr wr = wr_on(params, sizeof(params));
	wr_u8(&wr, 1);
	wr_u8(&wr, type);
	wr_u8(&wr, address.type);
	wr_bytes(&wr, address.octets, 6);
	wr_u8(&wr, (uint8_t) n);
	wr_bytes(&wr, data, n);
	wr_u8(&wr, (uint8_t) rssi);
	hci_meta(controller, 0x02, params, wr.used);
}

static void hear(struct vhci_controller *controller, struct vhci_sender *sender,
	const struct sim_advert *advert) {
	uint8_t data[AD_MAX];
	struct vhci_address address = air_address(sender->station);
	if (controller->is_filtering &&
		sender->seen[controller->index] == controller->scan_number) {
		return; /* by the address alone, as real controllers do */
	}
	if (controller->is_accepting_only && !hci_accepts(controller, &address)) {
		return;
	}
	sender->seen[controller->index] = controller->scan_number;
	report(controller, sender->station, ADV_IND, data, put_advert(advert, data));
	if (controller->is_active) {
		report(controller, sender->station, SCAN_RSP, data, put_response(advert, data));
	}
}

/* ---- connecting ---- */

static bool is_wanted(const struct vhci_controller *controller, const struct station *station) {
	struct vhci_address address = air_address(station);
	if (!controller->is_creating || station->lock == NULL) {
		return false;
	}
	return controller->creates_accepted
		       ? hci_accepts(controller, &address)
		       : controller->wanted.type == address.type &&
				 memcmp(controller->wanted.octets, address.octets, 6) == 0;
}

/*
 * BlueZ's one Connect is a row of Create Connections of the kernel, 4 s each: a fault of connecting
 * lasts over all of them.
 */
static bool takes_request(struct vhci_sender *sender) {
	struct vhci *vhci = sender->vhci;
	mono_t now = vhci_now(vhci);
	double speed = sched_speed(vhci->world->sched);
	if (mono_since(sender->asked, now) > (int64_t) (SAME_ATTEMPT_MS * speed)) {
		sender->refuses_until = now;
		if (station_trouble(sender->station, TROUBLE_CONNECT_TIMEOUT)) {
			sender->refuses_until = vhci_after(vhci, REFUSE_MS);
		} else if (station_trouble(sender->station, TROUBLE_CONNECT_SLOW)) {
			sender->refuses_until = mono_after(now, SLOW_CONNECT_MS);
		}
	}
	sender->asked = now;
	return mono_is_due(sender->refuses_until, now);
}

static struct vhci_link *free_link(struct vhci_controller *controller, uint16_t *ret_handle) {
	struct vhci_link *found = NULL;
	for (size_t i = 0; i < controller->links_max; i++) {
		if (!controller->links[i].is_up && found == NULL) {
			found = &controller->links[i];
		}
	}
	/* 0x0000 to 0x0eff (4.E.5.4.2); a number comes back late, so that a stale one shows. */
	*ret_handle = controller->next_handle;
	controller->next_handle =
		controller->next_handle >= 0xe00 ? 0x40 : (uint16_t) (controller->next_handle + 1);
	return found;
}

static void connect(struct vhci_controller *controller, struct vhci_sender *sender) {
	uint16_t handle = 0;
	if (!takes_request(sender)) {
		return;
	}
	struct vhci_link *link = free_link(controller, &handle);
	if (link == NULL) {
		return;
	}
	if (sender->station->is_taken) {
		return;
	}
	if (station_trouble(sender->station, TROUBLE_CONNECT_FLIP) ||
		station_loses(sender->station, CONNECT_PACKETS)) {
		/*
		 * The peripheral does not answer on the new link. A controller says first that it
		 * is there, since it was the one to begin it, and then that it is not (6.B.4.5.2).
		 */
		controller->is_creating = false;
		hci_connected(controller, sender->station, 0, handle);
		hci_disconnected(controller, handle, HCI_NOT_ESTABLISHED);
		return;
	}
	if (link_open(link, sender->station, handle) < 0) {
		return; /* it has no link left, and does not take the request */
	}
	controller->is_creating = false;
	hci_connected(controller, sender->station, 0, handle);
}

/* ---- sending ---- */

static bool is_listening(const struct vhci *vhci) {
	for (unsigned i = 0; i < vhci->options.n_adapters; i++) {
		if (vhci->controllers[i].is_scanning || vhci->controllers[i].is_creating) {
			return true;
		}
	}
	return false;
}

static unsigned interval_of(
	const struct vhci *vhci, const struct station *station, const struct sim_advert *advert) {
	unsigned ms = station->lock == NULL ? vhci->stranger_ms : advert->interval_ms;
	return ms < 20 ? 20 : ms; /* the least there is (6.B.4.4.2.2) */
}

static void on_send(void *user) {
	struct vhci_sender *sender = user;
	struct vhci *vhci = sender->vhci;
	struct station *station = sender->station;
	struct sim_advert advert;
	if (!is_listening(vhci) || !station->is_in_range) {
		return; /* armed anew when that changes */
	}
	station_advert(station, &advert);
	vhci_arm(vhci, &sender->job,
		interval_of(vhci, station, &advert) + world_chance(vhci->world, AD_DELAY_MS));
	if (advert.is_silent) {
		return;
	}
	for (unsigned i = 0; i < vhci->options.n_adapters; i++) {
		struct vhci_controller *controller = &vhci->controllers[i];
		if (is_wanted(controller, station)) {
			connect(controller, sender);
		}
		if (controller->is_scanning) {
			hear(controller, sender, &advert);
		}
	}
}

static struct vhci_sender *sender_of(struct vhci *vhci, struct station *station) {
	if (station->face == NULL) {
		struct vhci_sender *sender = calloc(1, sizeof(*sender));
		if (sender == NULL) {
			return NULL;
		}
		sender->vhci = vhci;
		sender->station = station;
		sender->asked = (mono_t){ INT32_MIN };
		sched_job_init(&sender->job, on_send, sender);
		station->face = sender;
	}
	return station->face;
}

static void begin(struct vhci *vhci, struct station *station) {
	struct vhci_sender *sender = sender_of(vhci, station);
	struct sim_advert advert;
	if (sender == NULL || sched_is_armed(&sender->job) || !station->is_in_range) {
		return;
	}
	station_advert(station, &advert);
	vhci_arm(
		vhci, &sender->job, world_chance(vhci->world, interval_of(vhci, station, &advert)));
}

void air_listen(struct vhci *vhci) {
	for (size_t i = 0; i < vhci->world->n_stations; i++) {
		begin(vhci, vhci->world->stations[i]);
	}
}

void air_changed(struct vhci *vhci, struct station *station) {
	for (size_t i = 0; i < SIM_LINKS_MAX; i++) {
		struct vhci_link *link = station->links[i];
		if (link != NULL && !station->is_in_range && !link->is_silent) {
			link->is_silent = true;
			link_drop_in(link, link->supervision_ms, HCI_TIMEOUT);
		}
	}
	if (is_listening(vhci)) {
		begin(vhci, station);
	}
}

void air_forget(struct station *station) {
	struct vhci_sender *sender = station->face;
	if (sender != NULL) {
		sched_disarm(sender->vhci->world->sched, &sender->job);
		free(sender);
		station->face = NULL;
	}
}
