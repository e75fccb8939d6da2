/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A Bluetooth LE central on BlueZ: the radio of util/radio.h, made of D-Bus calls that never block.
 * Why each thing is done as it is stands in the comments of src/ble. Loop thread only.
 *
 * The central owns a private connection to the bus, so that its match rules, its discovery session
 * and its notify sessions are nobody else's.
 *
 * What radio.h leaves open, and how it is here:
 *  - Every want ends in up(), or in down(). After up() comes exactly one down(), whatever happens;
 *    no bytes() come before up() or after down().
 *  - After release() a link lingers. want() while it lingers keeps it and up() comes again, on the
 *    same link: a session of the device's own protocol that was open is still open.
 *  - release() of a want that is not up yet ends it with down(NULL), at once. What is left of the
 *    attempt is cleared up behind the scenes, and a new want waits for that.
 *  - drop() gives down(NULL) at once too, and before it written(-ECANCELED, RADIO_MAYBE_SENT) if a
 *    write was under way.
 *  - A want() made while a down() is on its way to the user is answered by that down().
 *  - A want that waits for an adapter, for BlueZ or for the bus gives up after 5 s, or when its
 *    patience is over: what is off now seldom comes back, and a person waits.
 *  - The errno of written(): -ECONNRESET link lost, -ETIMEDOUT no answer, -ENOTCONN, -EBUSY another
 *    program writes there, -ENOENT BlueZ's attribute table was stale, -EPERM, -EPROTO the device's
 *    ATT layer refused, -EIO anything else.
 */

#include <stdbool.h>
#include <stdint.h>

#include "loop/loop.h"
#include "util/radio.h"

struct central;

struct central_config {
	const char *adapter;     /* address of the only adapter to use; NULL or "": all of them */
	unsigned slots;          /* links per adapter; 0: 3 for a chip on a UART, else 5 */
	unsigned linger_ms;      /* how long a released link is kept; 0: 5000 */
	unsigned watch_ms;       /* length of a watch window; 0: 10000 */
	unsigned watch_every_ms; /* from one window's begin to the next; 0: 60000 */
	/*
	 * lockhub is the only user of the adapters and may switch one off and on when BlueZ does
	 * not let go of a link. That breaks everybody else's links.
	 */
	bool is_sole_user;
	/*
	 * lockhub may have systemd restart bluetooth.service when bluetoothd does not answer, or
	 * when nothing else helps an adapter. That breaks everybody's links; polkit has to allow
	 * it.
	 */
	bool may_restart;
	/* Tests: all times of ours shrink to this many percent; 0: 100. */
	unsigned time_percent;
};

/*
 * @address: a D-Bus address, NULL for the system bus. Starts to connect at once and goes on for
 * ever (back-off 1..30 s); absence of the bus, of BlueZ or of an adapter is a status, not an error.
 * @config is copied. NULL: no memory.
 */
struct central *central_new(
	struct loop *loop, const char *address, const struct central_config *config);
/*
 * Hangs up all links (without waiting for it), closes the connection. All radio_links must have
 * been freed before. Takes NULL, returns NULL.
 */
struct central *central_free(struct central *central);
AUTO_DEFINE(struct central *, central_free);

/* Lives as long as the central. */
struct radio *central_radio(struct central *central);

/*
 * For the watchdog: false when the bus itself has not answered us for 60 s although we are
 * connected. That is the one illness which a restart of this program may cure; that BlueZ is
 * missing or hangs is not.
 */
bool central_answered_lately(const struct central *central);

/*
 * What a person asks for by hand, in other words than the ladder's own steps. Both only begin it:
 * what came of it shows in the radio's status. NOT_SUPPORTED: the configuration does not allow it
 * (may_restart, is_sole_user); BLUEZ_MISSING, BUS_LOST, ADAPTER_MISSING: there is nothing to do it
 * to.
 */
int central_restart_service(struct central *central, struct fault *ret_fault);
/*
 * What systemd said to the last restart, the hub's own included: 0 it has been queued, or nothing
 * has been said yet; -EACCES with RESTART_DENIED it did not do it, and in whose words. The radio's
 * status has the same as hindrance, for as long as it matters.
 */
int central_restart_outcome(const struct central *central, struct fault *ret_fault);
/* Switches every adapter of ours off and on, and on those that are off. */
int central_power_cycle(struct central *central, struct fault *ret_fault);

/* D-Bus messages handled since the beginning: what the benchmark of idle wake-ups counts. */
uint64_t central_messages(const struct central *central);
