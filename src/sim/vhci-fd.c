/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vhci.h"

/* /dev/vhci: a descriptor for each adapter, and nothing that is worth a test without a kernel. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/bytes.h"
#include "util/log.h"

#define READS_MAX 64 /* in one turn of the loop */

struct plug {
	struct vhci_port *port;
	unsigned index;
	int fd; /* -1: not plugged in */
	struct loop_fd *watch;
};

struct vhci_port {
	struct world *world;
	struct vhci *vhci;
	struct plug plugs[VHCI_ADAPTERS_MAX];
};

static void log_packet(const struct plug *plug, char arrow, const uint8_t *packet, size_t n) {
	char hex[2 * 64 + 1];
	log_debug("vhci %u %c %s%s", plug->index, arrow, hex_encode(packet, n < 64 ? n : 64, hex),
		n > 64 ? "..." : "");
}

static void on_packet(void *user, unsigned index, const uint8_t *packet, size_t n) {
	struct vhci_port *port = user;
	struct plug *plug = &port->plugs[index];
	if (plug->fd < 0) {
		return;
	}
	log_packet(plug, '>', packet, n);
	/* The driver takes each packet whole and at once. */
	if (write(plug->fd, packet, n) < 0) {
		log_warning("/dev/vhci: cannot write a packet: %s", strerror(errno));
	}
}

static const struct vhci_user vhci_user = { .packet = on_packet };

static void on_ready(void *user, int events) {
	struct plug *plug = user;
	struct vhci_port *port = plug->port;
	uint8_t packet[VHCI_PACKET_MAX];
	world_now(port->world);
	for (int i = 0; i < READS_MAX && plug->fd >= 0; i++) {
		ssize_t n = read(plug->fd, packet, sizeof(packet));
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			if (n == 0 || errno != EAGAIN) {
				log_error("/dev/vhci: %s", n == 0 ? "closed" : strerror(errno));
				vhci_port_unplug(port, plug->index);
			}
			break;
		}
		log_packet(plug, '<', packet, (size_t) n);
		if (packet[0] == VHCI_VENDOR && n == 4) {
			log_info("adapter %u is hci%d", plug->index, packet[2] | packet[3] << 8);
		}
		vhci_input(port->vhci, plug->index, packet, (size_t) n);
	}
	world_rearm(port->world);
}

int vhci_port_plug(struct vhci_port *port, unsigned index) {
	/* Vendor packet, opcode 0: make a primary controller. The driver answers with its number.
	 */
	static const uint8_t make[] = { VHCI_VENDOR, 0 };
	struct plug *plug = &port->plugs[index];
	if (plug->fd >= 0) {
		return -EALREADY;
	}
	plug->fd = open("/dev/vhci", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (plug->fd < 0) {
		return -errno;
	}
	plug->watch = loop_fd_new(port->world->loop, plug->fd, on_ready, plug);
	int r = plug->watch == NULL ? -ENOMEM : loop_fd_watch(plug->watch, LOOP_READ);
	if (r >= 0 && write(plug->fd, make, sizeof(make)) < 0) {
		r = -errno;
	}
	if (r < 0) {
		vhci_port_unplug(port, index);
	}
	return r < 0 ? r : 0;
}

int vhci_port_unplug(struct vhci_port *port, unsigned index) {
	struct plug *plug = &port->plugs[index];
	if (plug->fd < 0) {
		return -ENODEV;
	}
	plug->watch = loop_fd_free(plug->watch);
	close(plug->fd);
	plug->fd = -1;
	vhci_unplug(port->vhci, index);
	return 0;
}

struct vhci *vhci_port_radio(struct vhci_port *port) {
	return port->vhci;
}

struct vhci_port *vhci_port_new(struct world *world, const struct vhci_options *options) {
	AUTO(vhci_port_free) struct vhci_port *port = calloc(1, sizeof(*port));
	if (port == NULL) {
		return NULL;
	}
	port->world = world;
	for (unsigned i = 0; i < VHCI_ADAPTERS_MAX; i++) {
		port->plugs[i] = (struct plug){ .port = port, .index = i, .fd = -1 };
	}
	port->vhci = vhci_new(world, options, &vhci_user, port);
	return port->vhci == NULL ? NULL : STEAL(port);
}

struct vhci_port *vhci_port_free(struct vhci_port *port) {
	if (port == NULL) {
		return NULL;
	}
	for (unsigned i = 0; i < VHCI_ADAPTERS_MAX; i++) {
		vhci_port_unplug(port, i);
	}
	vhci_free(port->vhci);
	free(port);
	return NULL;
}
