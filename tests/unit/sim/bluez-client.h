/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * lockhub-sim in a process of its own on a private bus, and a client of org.bluez that writes down
 * what happens in the order in which it comes: replies, errors, and signals of the service, as
 *lines:
 *
 *	reply Connect
 *	error Connect org.bluez.Error.Failed: le-connection-abort-by-local
 *	changed hci0/dev_X Connected=1
 *	changed hci0/dev_X -RSSI
 *	added hci0/dev_X/service0006
 *	removed hci0/dev_X
 *	owner org.bluez gone			(or: here)
 *
 * Changes of nothing but signal strength and advertised data are left out.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#define FRONT "hci0/dev_54_D2_72_AA_BB_01"
/* Of the virtual Nuki's table. */
#define SERIAL FRONT "/service000a/char000b"
#define PAIRING FRONT "/service0011/char0012"
#define PLAIN FRONT "/service0015/char0016"
#define USER FRONT "/service0015/char0019"
#define EXTRA FRONT "/service0015/char001c"

struct client;

/* @args: further arguments for lockhub-sim, NULL-terminated, may be NULL. */
struct client *client_new(const char *const *args);
struct client *client_free(struct client *client);
/* A second client on the same bus. */
sd_bus *client_other(struct client *client);

/* lockhub-sim ctl ...; the words end with NULL. @return its exit status. */
int client_ctl(struct client *client, ...) __attribute__((sentinel));
/* Its output, cut to @size; asserts that it succeeded. */
void client_ctl_output(struct client *client, char *out, size_t size, ...)
	__attribute__((sentinel));

/* Calls without waiting; the answer becomes a line. @types as in sd_bus_message_append(). */
void client_call(struct client *client, const char *path, const char *interface, const char *member,
	const char *types, ...);
void client_write(
	struct client *client, const char *path, const void *value, size_t n, const char *type);
/* The next line must be this one (asserts; waits at most 60 s). "*" at the end stands for any rest.
 */
void client_expect(struct client *client, const char *line);
/* Throws lines away until this one has come. */
void client_skip_to(struct client *client, const char *line);
/* Nothing may come for @ms. */
void client_expect_quiet(struct client *client, unsigned ms);
/*
 * Nothing may come before so long after the last call. For what comes later: the simulator cannot
 * have begun before the call, however long we were held up since.
 */
void client_expect_quiet_since_call(struct client *client, unsigned ms);
/* Real time, as the simulator's speed multiplies it. */
int64_t client_now_ms(void);
/* The newest value that came from a characteristic in a signal or a read. */
size_t client_value(struct client *client, const uint8_t **ret);
/* Whether GetManagedObjects shows the path (with the interface's property, unless NULL). */
bool client_sees(struct client *client, const char *path, const char *property);
size_t client_count_objects(struct client *client);
/* Until so many signals were left out (asserts). */
void client_until_left_out(struct client *client, size_t n);
/* Signals that were left out. */
size_t client_n_left_out(const struct client *client);

/* Discovers, stops, and has the device FRONT; then connects and skips until it is resolved. */
void client_discover(struct client *client);
void client_connect(struct client *client);
