/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * sweep.c: what the broker still holds of a former life of the daemon, looked through once before
 * anything is published (docs/mqtt.md, "What is cleaned up"):
 *
 *  - discovery messages of locks that are no more, and of features that were switched off: cleared;
 *  - messages of the other discovery form: moved, so that Home Assistant keeps names and history;
 *  - entities that the lock has not told of again yet: kept, so that they do not come and go.
 *
 * Only what names this hub is touched: by via_device, or by the hub's own identifier.
 */

#include <stdbool.h>

struct client_message;
struct mqtt;
struct sweep;

struct sweep *sweep_new(struct mqtt *mqtt); /* NULL: no memory */
struct sweep *sweep_free(struct sweep *sweep);

/*
 * The connection is up and subscribed. @return false: there is nothing to be done, publish now;
 * true: mqtt_publish_all() is called when it is done, soon in any case.
 */
bool sweep_begin(struct sweep *sweep);
/* The connection is down: what was begun is begun anew with the next one. */
void sweep_end(struct sweep *sweep);
/* @return whether the message was for the sweep alone. */
bool sweep_message(struct sweep *sweep, const struct client_message *message);
/* PUBACK, SUBACK. @return whether it was for the sweep. @is_refused: the broker does not allow it.
 */
bool sweep_published(struct sweep *sweep, int mid, bool is_refused);
bool sweep_subscribed(struct sweep *sweep, int mid, bool is_refused);
/* All that there is to say has been acknowledged: what was moved may go from its old place. */
void sweep_settled(struct sweep *sweep);
