/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The radio face: LE controllers of ours below the real bluetoothd, and the air around them with
 * the world's stations. A controller is a machine: H4 packets of the host in, H4 packets out
 * through struct vhci_user; all its times come from the world's scheduler. Only vhci-fd.c knows
 * /dev/vhci.
 *
 *	kernel -> vhci_input(): commands, ACL	-> links -> L2CAP -> ATT -> sim_lock_write() ...
 *	kernel <- vhci_user.packet: events, ACL	<- links <- sim_face: indicate, drop
 *
 * The radio lives in real time, however fast motors go: BlueZ below it does, too.
 */

#include "att.h"
#include "util/list.h"
#include "world.h"

#define VHCI_ADAPTERS_MAX 8
#define VHCI_LINKS_MAX 16 /* per controller */
#define VHCI_ACCEPT_MAX 16
#define VHCI_PACKET_MAX 1028  /* H4 octet, ACL header, data; more is not taken from the host */
#define VHCI_L2CAP_MAX 1024   /* one PDU with its header, reassembled */
#define VHCI_WAITING_MAX 2048 /* values that a link holds back */
#define VHCI_ACL_LEAST 27     /* octets of an LE data packet: without and */
#define VHCI_ACL_MOST 251     /* with data length extension (6.B.2.4) */

/* H4 packet types (4.A.2). */
enum vhci_h4 { VHCI_COMMAND = 1, VHCI_ACL = 2, VHCI_EVENT = 4, VHCI_VENDOR = 0xff };

/* Why a link ended (1.F.2). */
#define HCI_PIN_MISSING 0x06
#define HCI_TIMEOUT 0x08
#define HCI_REMOTE_ENDED 0x13
#define HCI_LOCAL_ENDED 0x16
#define HCI_NOT_ESTABLISHED 0x3e

struct vhci_address {
	uint8_t type;      /* 0 public, 1 random */
	uint8_t octets[6]; /* as on the wire, last octet first */
};

/* A value of the lock that waits for its time on the air. */
struct vhci_value {
	struct list link;
	unsigned chr;
	mono_t due;
	size_t n;
	uint8_t octets[];
};

struct vhci_link {
	struct vhci_controller *controller;
	struct station *station;
	int lock_link;
	uint16_t handle;
	bool is_up;
	bool is_silent; /* out of range: it lasts until the supervision timeout */
	bool is_mute;   /* the lock's answers are lost until the next write */
	bool is_early;  /* the lock's answers overtake the write response */
	bool drops_after_write;
	unsigned drop_after;   /* values left; 0: no such trouble */
	unsigned packets_left; /* of either side; likewise */
	uint8_t drop_reason;
	unsigned supervision_ms;
	struct att att;
	uint8_t rx[VHCI_L2CAP_MAX];
	size_t n_rx;         /* 0: no PDU begun */
	struct list waiting; /* struct vhci_value */
	size_t n_waiting;
	struct sched_job pump_job, drop_job;
	mono_t window; /* of pacing, and how many went in it */
	unsigned n_window;
};

struct vhci_controller {
	struct vhci *vhci;
	unsigned index;
	struct vhci_address address;
	bool is_scanning, is_active, is_filtering, is_accepting_only;
	unsigned scan_number; /* counts scans: the duplicate filter starts anew with each */
	struct vhci_address accepted[VHCI_ACCEPT_MAX];
	size_t n_accepted;
	bool is_creating;
	bool creates_accepted; /* whoever is on the accept list, not @wanted */
	struct vhci_address wanted;
	uint16_t interval, latency, supervision; /* of the link to be */
	unsigned links_max;
	uint16_t next_handle;
	struct vhci_link links[VHCI_LINKS_MAX];
};

/* What the air keeps about a station. */
struct vhci_sender {
	struct vhci *vhci;
	struct station *station;
	struct sched_job job;             /* its next advertisement */
	unsigned seen[VHCI_ADAPTERS_MAX]; /* scan_number in which it was reported */
	mono_t asked, refuses_until;      /* of connecting */
};

struct vhci_user {
	/* One H4 packet for the host. */
	void (*packet)(void *user, unsigned index, const uint8_t *packet, size_t n);
};

struct vhci_options {
	unsigned n_adapters;
	unsigned acl_octets; /* VHCI_ACL_LEAST..VHCI_ACL_MOST */
};

struct vhci {
	struct world *world;
	struct vhci_options options;
	const struct vhci_user *impl;
	void *user;
	struct vhci_controller controllers[VHCI_ADAPTERS_MAX];
	unsigned stranger_ms; /* between advertisements of one stranger; 0: none */
};

/* vhci.c: the face */
struct vhci *vhci_new(struct world *world, const struct vhci_options *options,
	const struct vhci_user *impl, void *user);
struct vhci *vhci_free(struct vhci *vhci);
AUTO_DEFINE(struct vhci *, vhci_free);
/* One H4 packet of the host, which may be anything. */
void vhci_input(struct vhci *vhci, unsigned index, const uint8_t *packet, size_t n);
/* As when it is pulled out: links are gone, nobody is told. */
void vhci_unplug(struct vhci *vhci, unsigned index);
/* Strangers, with together @rate advertisements a second. 0: none. */
int vhci_storm(struct vhci *vhci, unsigned n, unsigned rate);
void vhci_arm(struct vhci *vhci, struct sched_job *job, int64_t real_ms);
mono_t vhci_after(struct vhci *vhci, int64_t real_ms);
static inline mono_t vhci_now(const struct vhci *vhci) {
	return sched_now(vhci->world->sched);
}

/* vhci-hci.c: commands and events */
void hci_init(struct vhci *vhci, unsigned index);
void hci_command(struct vhci_controller *controller, const uint8_t *packet, size_t n);
void hci_reset(struct vhci_controller *controller);
void hci_event(struct vhci_controller *controller, uint8_t code, const void *params, size_t n);
void hci_meta(struct vhci_controller *controller, uint8_t code, const void *params, size_t n);
void hci_connected(struct vhci_controller *controller, const struct station *station,
	uint8_t status, uint16_t handle);
void hci_disconnected(struct vhci_controller *controller, uint16_t handle, uint8_t reason);
struct vhci_link *hci_find_link(struct vhci_controller *controller, uint16_t handle);
bool hci_accepts(const struct vhci_controller *controller, const struct vhci_address *address);

/* vhci-air.c: advertising, scanning, connecting */
struct vhci_address air_address(const struct station *station);
/* A controller begins to scan or to connect. */
void air_listen(struct vhci *vhci);
/* The station's advertisement, range or links changed. */
void air_changed(struct vhci *vhci, struct station *station);
void air_forget(struct station *station);

/* vhci-link.c: what goes over a link */
void link_init(struct vhci_link *link, struct vhci_controller *controller);
/* @return 0, -ENOMEM, -EBUSY: the lock takes no more links. */
int link_open(struct vhci_link *link, struct station *station, uint16_t handle);
void link_lost(struct vhci_link *link, uint8_t reason, bool is_told);
void link_drop_in(struct vhci_link *link, int64_t real_ms, uint8_t reason);
/* A packet is on its way. @return whether the link has broken with it. */
bool link_counts_out(struct vhci_link *link);
void link_acl(struct vhci_link *link, unsigned boundary, const uint8_t *data, size_t n);
void link_indicate(struct vhci_link *link, unsigned chr, const uint8_t *value, size_t n);
void link_finish(struct vhci_link *link);

/* vhci-fd.c: /dev/vhci */
struct vhci_port;
struct vhci_port *vhci_port_new(struct world *world, const struct vhci_options *options);
struct vhci_port *vhci_port_free(struct vhci_port *port);
AUTO_DEFINE(struct vhci_port *, vhci_port_free);
struct vhci *vhci_port_radio(struct vhci_port *port);
/* @return 0 or -errno; -EALREADY. */
int vhci_port_plug(struct vhci_port *port, unsigned index);
/* -ENODEV: it is not there. */
int vhci_port_unplug(struct vhci_port *port, unsigned index);
