/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Signals with embedded listeners (R11). Emitting calls the listeners in the order in which they
 * were added; a listener may remove itself or any other while the signal is being emitted; one
 * that is added during an emission is first called at the next one.
 */

#include "util/list.h"

struct listener;
typedef void listener_fn(struct listener *listener, void *data);

struct listener {
	struct list link;
	listener_fn *notify;
};

struct signal {
	struct list listeners;
};

void signal_init(struct signal *signal);
/* Asserts that nobody listens any more: a listener that outlives its signal is our bug. */
void signal_finish(struct signal *signal);
void signal_add(struct signal *signal, struct listener *listener, listener_fn *notify);
void signal_emit(struct signal *signal, void *data);
/* Harmless on a listener that was zeroed and never added. */
void listener_remove(struct listener *listener);
