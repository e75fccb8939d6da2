/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vhci.h"

/* Commands and events of an LE-only controller (Core specification 4.E.7), those that Linux uses.
 */

#include <string.h>

#include "util/bytes.h"

/* Status codes (1.F.2). */
#define HCI_UNKNOWN_COMMAND 0x01
#define HCI_UNKNOWN_LINK 0x02
#define HCI_LINK_LIMIT 0x09
#define HCI_LINK_EXISTS 0x0b
#define HCI_DISALLOWED 0x0c
#define HCI_MEMORY_FULL 0x07
#define HCI_INVALID 0x12

#define EVENT_DISCONNECTED 0x05
#define EVENT_ENCRYPTION 0x08
#define EVENT_REMOTE_VERSION 0x0c
#define EVENT_COMPLETE 0x0e
#define EVENT_STATUS 0x0f
#define EVENT_META 0x3e
#define META_CONNECTED 0x01
#define META_UPDATED 0x03
#define META_FEATURES 0x04

#define VERSION_4_2 0x08 /* without the commands of version 5, Linux keeps to the old ones */
#define ACL_PACKETS 8

/* ---- events ---- */

void hci_event(struct vhci_controller *controller, uint8_t code, const void *params, size_t n) {
	struct vhci *vhci = controller->vhci;
	uint8_t packet[3 + 255];
	struct wr wr = wr_on(packet, sizeof(packet));
	wr_u8(&wr, VHCI_EVENT);
	wr_u8(&wr, code);
	wr_u8(&wr, (uint8_t) n);
	wr_bytes(&wr, params, n);
	if (wr_end(&wr) > 0) {
		vhci->impl->packet(vhci->user, controller->index, packet, wr.used);
	}
}

void hci_meta(struct vhci_controller *controller, uint8_t code, const void *params, size_t n) {
	uint8_t inner[255];
	struct wr wr = wr_on(inner, sizeof(inner));
	wr_u8(&wr, code);
	wr_bytes(&wr, params, n);
	if (wr_end(&wr) > 0) {
		hci_event(controller, EVENT_META, inner, wr.used);
	}
}

static void complete(
	struct vhci_controller *controller, uint16_t op, const void *params, size_t n) {
	uint8_t inner[255];
	struct wr wr = wr_on(inner, sizeof(inner));
	wr_u8(&wr, 1); /* one more command may come */
	wr_u16le(&wr, op);
	wr_bytes(&wr, params, n);
	hci_event(controller, EVENT_COMPLETE, inner, wr.used);
}

static void complete_status(struct vhci_controller *controller, uint16_t op, uint8_t status) {
	complete(controller, op, &status, 1);
}

static void command_status(struct vhci_controller *controller, uint16_t op, uint8_t status) {
	const uint8_t params[] = { status, 1, (uint8_t) op, (uint8_t) (op >> 8) };
	hci_event(controller, EVENT_STATUS, params, sizeof(params));
}

void hci_connected(struct vhci_controller *controller, const struct station *station,
	uint8_t status, uint16_t handle) {
	uint8_t params[18];
	struct vhci_address address =
		station == NULL ? (struct vhci_address){ 0 } : air_address(station);
	struct wr wr = wr_on(params, sizeof(params));
	wr_u8(&wr, status);
	wr_u16le(&wr, handle);
	wr_u8(&wr, 0); /* we are the central */
	wr_u8(&wr, address.type);
	wr_bytes(&wr, address.octets, 6);
	wr_u16le(&wr, controller->interval);
	wr_u16le(&wr, controller->latency);
	wr_u16le(&wr, controller->supervision);
	wr_u8(&wr, 0); /* clock accuracy: 500 ppm */
	hci_meta(controller, META_CONNECTED, params, wr.used);
}

void hci_disconnected(struct vhci_controller *controller, uint16_t handle, uint8_t reason) {
	const uint8_t params[] = { 0, (uint8_t) handle, (uint8_t) (handle >> 8), reason };
	hci_event(controller, EVENT_DISCONNECTED, params, sizeof(params));
}

/* ---- informational ---- */

struct command {
	struct vhci_controller *controller;
	uint16_t op;
	struct rd rd;
};

static void on_nothing(struct command *command) {
	complete_status(command->controller, command->op, 0);
}

static void on_reset(struct command *command) {
	hci_reset(command->controller);
	complete_status(command->controller, command->op, 0);
}

static void on_version(struct command *command) {
	/* Status, HCI version and revision, LMP version, company (none), LMP subversion. */
	static const uint8_t params[] = { 0, VERSION_4_2, 0, 0, VERSION_4_2, 0xff, 0xff, 0, 0 };
	complete(command->controller, command->op, params, sizeof(params));
}

/* Which commands there are: octet and bits of 4.E.6.27. */
static void on_commands(struct command *command) {
	static const uint8_t octets[][2] = {
		{ 0, 0x20 },  /* Disconnect */
		{ 2, 0x80 },  /* Read Remote Version Information */
		{ 5, 0xc0 },  /* Set Event Mask, Reset */
		{ 14, 0x28 }, /* Read Local Version, Features */
		{ 15, 0x22 }, /* Read BD_ADDR, Read RSSI */
		{ 25, 0xf7 }, /* LE: masks, buffer size, features, random address, advertising */
		{ 26, 0xff }, /* advertising, scanning, connecting, accept list */
		{ 27, 0xf7 }, /* accept list, connection update, remote features, Encrypt, Rand */
		{ 28, 0x09 }, /* Start Encryption, Supported States */
	};
	uint8_t params[65] = { 0 };
	for (size_t i = 0; i < ARRAY_SIZE(octets); i++) {
		params[1 + octets[i][0]] = octets[i][1];
	}
	complete(command->controller, command->op, params, sizeof(params));
}

static void on_features(struct command *command) {
	/* LE supported, BR/EDR not (2.C.3.3). */
	static const uint8_t params[] = { 0, 0, 0, 0, 0, 0x60, 0, 0, 0 };
	complete(command->controller, command->op, params, sizeof(params));
}

static void on_address(struct command *command) {
	uint8_t params[7] = { 0 };
	memcpy(params + 1, command->controller->address.octets, 6);
	complete(command->controller, command->op, params, sizeof(params));
}

static void on_buffer_size(struct command *command) {
	uint8_t params[4] = { 0, (uint8_t) command->controller->vhci->options.acl_octets, 0,
		ACL_PACKETS };
	complete(command->controller, command->op, params, sizeof(params));
}

static void on_le_features(struct command *command) {
	static const uint8_t params[] = { 0, 0x01, 0, 0, 0, 0, 0, 0, 0 }; /* encryption only */
	complete(command->controller, command->op, params, sizeof(params));
}

static void on_le_states(struct command *command) {
	static const uint8_t params[] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0x03, 0, 0 };
	complete(command->controller, command->op, params, sizeof(params));
}

static void on_tx_power(struct command *command) {
	static const uint8_t params[] = { 0, 0 };
	complete(command->controller, command->op, params, sizeof(params));
}

static void on_rand(struct command *command) {
	uint8_t params[9] = { 0 };
	struct world *world = command->controller->vhci->world;
	world->env.random(world->env.user, SIM_RANDOM_OTHER, params + 1, 8);
	complete(command->controller, command->op, params, sizeof(params));
}

/* ---- accept list ---- */

static struct vhci_address read_address(struct rd *rd) {
	struct vhci_address address = { .type = rd_u8(rd) };
	rd_copy(rd, address.octets, 6);
	return address;
}

static size_t find_accepted(
	const struct vhci_controller *controller, const struct vhci_address *address) {
	size_t i = 0;
	while (i < controller->n_accepted &&
		(controller->accepted[i].type != address->type ||
			memcmp(controller->accepted[i].octets, address->octets, 6) != 0)) {
		i++;
	}
	return i;
}

bool hci_accepts(const struct vhci_controller *controller, const struct vhci_address *address) {
	return find_accepted(controller, address) < controller->n_accepted;
}

static void on_accept_size(struct command *command) {
	static const uint8_t params[] = { 0, VHCI_ACCEPT_MAX };
	complete(command->controller, command->op, params, sizeof(params));
}

static void on_accept_clear(struct command *command) {
	command->controller->n_accepted = 0;
	complete_status(command->controller, command->op, 0);
}

static void on_accept_add(struct command *command) {
	struct vhci_controller *controller = command->controller;
	struct vhci_address address = read_address(&command->rd);
	uint8_t status = 0;
	if (!hci_accepts(controller, &address)) {
		if (controller->n_accepted == VHCI_ACCEPT_MAX) {
			status = HCI_MEMORY_FULL;
		} else {
			controller->accepted[controller->n_accepted++] = address;
		}
	}
	complete_status(controller, command->op, status);
}

static void on_accept_remove(struct command *command) {
	struct vhci_controller *controller = command->controller;
	struct vhci_address address = read_address(&command->rd);
	size_t at = find_accepted(controller, &address);
	if (at < controller->n_accepted) {
		controller->accepted[at] = controller->accepted[--controller->n_accepted];
	}
	complete_status(controller, command->op, 0);
}

/* ---- scanning ---- */

static void on_scan_parameters(struct command *command) {
	struct vhci_controller *controller = command->controller;
	if (controller->is_scanning) {
		complete_status(controller, command->op, HCI_DISALLOWED);
		return;
	}
	controller->is_active = rd_u8(&command->rd) == 1;
	rd_skip(&command->rd, 5); /* interval, window, own address: this radio always listens */
	controller->is_accepting_only = (rd_u8(&command->rd) & 1) != 0;
	complete_status(controller, command->op, 0);
}

static void on_scan_enable(struct command *command) {
	struct vhci_controller *controller = command->controller;
	controller->is_scanning = rd_u8(&command->rd) != 0;
	controller->is_filtering = rd_u8(&command->rd) != 0;
	complete_status(controller, command->op, 0);
	if (controller->is_scanning) {
		controller->scan_number++;
		air_listen(controller->vhci);
	}
}

/* ---- links ---- */

struct vhci_link *hci_find_link(struct vhci_controller *controller, uint16_t handle) {
	for (size_t i = 0; i < VHCI_LINKS_MAX; i++) {
		if (controller->links[i].is_up && controller->links[i].handle == handle) {
			return &controller->links[i];
		}
	}
	return NULL;
}

static uint8_t create_status(
	const struct vhci_controller *controller, const struct vhci_address *address) {
	size_t n = 0;
	if (controller->is_creating) {
		return HCI_DISALLOWED;
	}
	for (size_t i = 0; i < VHCI_LINKS_MAX; i++) {
		const struct vhci_link *link = &controller->links[i];
		if (link->is_up) {
			struct vhci_address other = air_address(link->station);
			n++;
			if (other.type == address->type &&
				memcmp(other.octets, address->octets, 6) == 0) {
				return HCI_LINK_EXISTS;
			}
		}
	}
	return n >= controller->links_max ? HCI_LINK_LIMIT : 0;
}

static void on_create(struct command *command) {
	struct vhci_controller *controller = command->controller;
	struct rd *rd = &command->rd;
	rd_skip(rd, 4); /* scan interval and window */
	bool is_accepted = rd_u8(rd) == 1;
	struct vhci_address address = read_address(rd);
	uint8_t status = create_status(
		controller, is_accepted ? &(struct vhci_address){ .type = 0xff } : &address);
	command_status(controller, command->op, status);
	if (status != 0) {
		return;
	}
	rd_skip(rd, 3); /* own address, least interval */
	controller->interval = rd_u16le(rd);
	controller->latency = rd_u16le(rd);
	controller->supervision = rd_u16le(rd);
	controller->creates_accepted = is_accepted;
	controller->wanted = address;
	controller->is_creating = true;
	air_listen(controller->vhci);
}

static void on_create_cancel(struct command *command) {
	struct vhci_controller *controller = command->controller;
	bool was_creating = controller->is_creating;
	controller->is_creating = false;
	complete_status(controller, command->op, was_creating ? 0 : HCI_DISALLOWED);
	if (was_creating) {
		hci_connected(controller, NULL, HCI_UNKNOWN_LINK, 0);
	}
}

static void on_disconnect(struct command *command) {
	struct vhci_link *link = hci_find_link(command->controller, rd_u16le(&command->rd));
	command_status(command->controller, command->op, link == NULL ? HCI_UNKNOWN_LINK : 0);
	if (link != NULL) {
		link_lost(link, HCI_LOCAL_ENDED, true);
	}
}

static void on_update(struct command *command) {
	struct vhci_controller *controller = command->controller;
	uint8_t params[9];
	uint16_t handle = rd_u16le(&command->rd);
	struct vhci_link *link = hci_find_link(controller, handle);
	rd_skip(&command->rd, 2);
	uint16_t interval = rd_u16le(&command->rd), latency = rd_u16le(&command->rd),
		 supervision = rd_u16le(&command->rd);
	command_status(controller, command->op, link == NULL ? HCI_UNKNOWN_LINK : 0);
	if (link != NULL) {
		link->supervision_ms = supervision * 10U;
		struct wr wr = wr_on(params, sizeof(params));
		wr_u8(&wr, 0);
		wr_u16le(&wr, handle);
		wr_u16le(&wr, interval);
		wr_u16le(&wr, latency);
		wr_u16le(&wr, supervision);
		hci_meta(controller, META_UPDATED, params, wr.used);
	}
}

/* Status, then an event that begins with status 0 and the handle. */
static void answer_later(
	struct command *command, bool is_meta, uint8_t code, const uint8_t *more, size_t n_more) {
	uint8_t params[16] = { 0 };
	uint16_t handle = rd_u16le(&command->rd);
	struct vhci_link *link = hci_find_link(command->controller, handle);
	command_status(command->controller, command->op, link == NULL ? HCI_UNKNOWN_LINK : 0);
	if (link == NULL) {
		return;
	}
	params[1] = (uint8_t) handle;
	params[2] = (uint8_t) (handle >> 8);
	memcpy(params + 3, more, n_more);
	if (is_meta) {
		hci_meta(command->controller, code, params, 3 + n_more);
	} else {
		hci_event(command->controller, code, params, 3 + n_more);
	}
}

static void on_remote_features(struct command *command) {
	static const uint8_t features[8] = { 0x01 };
	answer_later(command, true, META_FEATURES, features, sizeof(features));
}

static void on_remote_version(struct command *command) {
	static const uint8_t version[] = { VERSION_4_2, 0xff, 0xff, 0, 0 };
	answer_later(command, false, EVENT_REMOTE_VERSION, version, sizeof(version));
}

/* The lock has no keys (its SMP says that pairing is not supported). */
static void on_encrypt(struct command *command) {
	struct vhci_controller *controller = command->controller;
	uint16_t handle = rd_u16le(&command->rd);
	struct vhci_link *link = hci_find_link(controller, handle);
	const uint8_t params[] = { HCI_PIN_MISSING, (uint8_t) handle, (uint8_t) (handle >> 8), 0 };
	command_status(controller, command->op, link == NULL ? HCI_UNKNOWN_LINK : 0);
	if (link != NULL) {
		hci_event(controller, EVENT_ENCRYPTION, params, sizeof(params));
	}
}

static void read_level(struct command *command, bool is_rssi) {
	uint16_t handle = rd_u16le(&command->rd);
	const struct vhci_link *link = hci_find_link(command->controller, handle);
	const uint8_t params[] = { link == NULL ? HCI_UNKNOWN_LINK : 0, (uint8_t) handle,
		(uint8_t) (handle >> 8),
		link == NULL || !is_rssi ? 0 : (uint8_t) link->station->rssi };
	complete(command->controller, command->op, params, sizeof(params));
}

static void on_rssi(struct command *command) {
	read_level(command, true);
}

static void on_link_tx_power(struct command *command) {
	/* Handle and which of two levels; ours is 0 dBm. */
	read_level(command, false);
}

/* ---- the table ---- */

static const struct {
	uint16_t op;
	size_t least; /* octets of parameters */
	void (*fn)(struct command *command);
} rows[] = {
	{ 0x0406, 3, on_disconnect },
	{ 0x041d, 2, on_remote_version },
	{ 0x0c01, 8, on_nothing }, /* Set Event Mask: nothing is sent that Linux does not take */
	{ 0x0c03, 0, on_reset },
	{ 0x0c2d, 3, on_link_tx_power },
	{ 0x0c31, 1, on_nothing }, /* host flow control */
	{ 0x0c33, 7, on_nothing },
	{ 0x0c63, 8, on_nothing }, /* event mask, page 2 */
	{ 0x0c6d, 2, on_nothing }, /* Write LE Host Support */
	{ 0x1001, 0, on_version },
	{ 0x1002, 0, on_commands },
	{ 0x1003, 0, on_features },
	{ 0x1009, 0, on_address },
	{ 0x1405, 2, on_rssi },
	{ 0x2001, 8, on_nothing }, /* LE Set Event Mask */
	{ 0x2002, 0, on_buffer_size },
	{ 0x2003, 0, on_le_features },
	{ 0x2005, 6, on_nothing },  /* an address that nobody would see */
	{ 0x2006, 15, on_nothing }, /* advertising of our own: nobody is there to hear it */
	{ 0x2007, 0, on_tx_power },
	{ 0x2008, 32, on_nothing },
	{ 0x2009, 32, on_nothing },
	{ 0x200a, 1, on_nothing },
	{ 0x200b, 7, on_scan_parameters },
	{ 0x200c, 2, on_scan_enable },
	{ 0x200d, 25, on_create },
	{ 0x200e, 0, on_create_cancel },
	{ 0x200f, 0, on_accept_size },
	{ 0x2010, 0, on_accept_clear },
	{ 0x2011, 7, on_accept_add },
	{ 0x2012, 7, on_accept_remove },
	{ 0x2013, 14, on_update },
	{ 0x2014, 5, on_nothing }, /* Set Host Channel Classification */
	{ 0x2016, 2, on_remote_features },
	{ 0x2018, 0, on_rand },
	{ 0x2019, 28, on_encrypt },
	{ 0x201c, 0, on_le_states },
};

void hci_command(struct vhci_controller *controller, const uint8_t *packet, size_t n) {
	struct command command = { .controller = controller, .rd = rd_on(packet, n) };
	command.op = rd_u16le(&command.rd);
	size_t length = rd_u8(&command.rd);
	if (rd_ok(&command.rd) < 0 || length != rd_left(&command.rd)) {
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].op == command.op) {
			if (length < rows[i].least) {
				complete_status(controller, command.op, HCI_INVALID);
			} else {
				rows[i].fn(&command);
			}
			return;
		}
	}
	complete_status(controller, command.op, HCI_UNKNOWN_COMMAND);
}

/* ---- life ---- */

void hci_reset(struct vhci_controller *controller) {
	controller->is_scanning = controller->is_active = controller->is_filtering = false;
	controller->is_accepting_only = controller->is_creating = false;
	controller->n_accepted = 0;
	for (size_t i = 0; i < VHCI_LINKS_MAX; i++) {
		link_lost(&controller->links[i], 0, false);
	}
}

void hci_init(struct vhci *vhci, unsigned index) {
	struct vhci_controller *controller = &vhci->controllers[index];
	controller->vhci = vhci;
	controller->index = index;
	/* 00:1A:7D:DA:71:13 and following, as the virtual org.bluez has them. */
	controller->address = (struct vhci_address){
		.octets = { (uint8_t) (0x13 + index), 0x71, 0xda, 0x7d, 0x1a, 0x00 },
	};
	controller->links_max = VHCI_LINKS_MAX;
	controller->next_handle = 0x40;
	for (size_t i = 0; i < VHCI_LINKS_MAX; i++) {
		link_init(&controller->links[i], controller);
	}
}
