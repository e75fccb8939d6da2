/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The link machine as a table (R14): one machine per device. What is done in each step is in
 * link-acts.c; this file is pure, and tests/unit/ble/test-link-table.c demands that every pair of
 * state and event has a row or stands in the list of the impossible ones.
 */

#include <stdbool.h>

enum link_state {
	LINK_ABSENT,     /* no link wanted, and BlueZ has no object for the device */
	LINK_IDLE,       /* no link wanted */
	LINK_QUEUED,     /* waits for a slot, or for an adapter at all */
	LINK_FINDING,    /* BlueZ must hear it first: a discovery window runs */
	LINK_CONNECTING, /* Connect is out; holds a slot from here to the end of DISCONNECTING */
	LINK_RESOLVING,  /* connected; BlueZ reads the attribute table */
	LINK_SUBSCRIBING,
	LINK_READY,  /* the user has it */
	LINK_LINGER, /* released; kept for a while in case of more */
	LINK_DISCONNECTING,
	LINK_BACKOFF, /* before the next attempt of the same want */
	LINK_STUCK,   /* BlueZ does not let go of it */
	LINK_STATE_COUNT_,
};

enum link_event {
	LINK_EV_WANT,
	LINK_EV_RELEASE,
	LINK_EV_DROP,
	LINK_EV_PATIENCE,  /* the want's time is over */
	LINK_EV_SLOT,      /* the scheduler gives a slot; link->peer is set */
	LINK_EV_FIND,      /* the scheduler: no adapter knows it */
	LINK_EV_EVICT,     /* the scheduler needs the slot */
	LINK_EV_APPEARED,  /* an adapter knows it now, or an adapter became usable */
	LINK_EV_VANISHED,  /* the object in use, or the last one, is gone */
	LINK_EV_CONNECTED, /* Connect answered and Connected is true */
	LINK_EV_RESOLVED,  /* all needed characteristics are there */
	LINK_EV_MISMATCH,  /* some are missing */
	LINK_EV_SUBSCRIBED,
	LINK_EV_FAILED,     /* a call of the attempt failed, or the link turned out to be useless */
	LINK_EV_CLOSED,     /* Connected is false, nothing is pending */
	LINK_EV_TIMEOUT,    /* the state's own deadline */
	LINK_EV_GRACE,      /* look at the attributes once more */
	LINK_EV_RADIO_DOWN, /* the adapter, BlueZ or the bus is gone */
	LINK_EV_ORPHAN,     /* the first snapshot shows a link of our former life */
	LINK_EV_RETRY,      /* the link is closed, the want is not */
	LINK_EV_GIVE_UP,    /* no further attempt */
	LINK_EV_STUCK,      /* two Disconnects did not help */
	LINK_EVENT_COUNT_,
};

enum link_act {
	LINK_ACT_NONE,
	LINK_ACT_QUEUE,   /* (again) in the queue */
	LINK_ACT_URGENCY, /* the need has changed */
	LINK_ACT_REFUSE,  /* a want that cannot be served now */
	LINK_ACT_FIND,
	LINK_ACT_CONNECT,
	LINK_ACT_FLIP, /* Connected went true and false before Connect has answered */
	LINK_ACT_RESOLVE,
	LINK_ACT_LOOK_AGAIN,
	LINK_ACT_SUBSCRIBE,
	LINK_ACT_UP,
	LINK_ACT_UP_AGAIN,
	LINK_ACT_LINGER,
	LINK_ACT_CLOSE,        /* attempt failed: clear up, then see */
	LINK_ACT_TIMED_OUT,    /* the same because of the deadline */
	LINK_ACT_MISMATCH,     /* the same because of missing characteristics */
	LINK_ACT_CANCEL,       /* the want is over with down(NULL) */
	LINK_ACT_CANCEL_CLOSE, /* and the link is closed */
	LINK_ACT_GIVE_UP,      /* the want is over with a fault */
	LINK_ACT_GIVE_UP_CLOSE,
	LINK_ACT_STALLED, /* a write was not answered in time */
	LINK_ACT_BROKEN,  /* READY, and the link turned out to be useless */
	LINK_ACT_LOST,    /* READY, and the link is gone */
	LINK_ACT_ENDED,   /* LINGER, and the link is gone */
	LINK_ACT_HOLD,    /* back to the queue until the radio is there again */
	LINK_ACT_ORPHAN,
	LINK_ACT_HANG_UP_AGAIN,
	LINK_ACT_SETTLE, /* the link is gone: go on with the want, or rest */
	LINK_ACT_BACKOFF,
	LINK_ACT_STUCK,
	LINK_ACT_STUCK_AGAIN,
	LINK_ACT_REST, /* ABSENT or IDLE, as the objects are */
	LINK_ACT_POKE, /* the scheduler may decide otherwise now */
	LINK_ACT_COUNT_,
};

struct link_step {
	enum link_state state;
	enum link_event event;
	enum link_state next;
	enum link_act act;
};

/* NULL: there is no row. */
const struct link_step *link_step_find(enum link_state state, enum link_event event);
/* Whether the pair is listed as one that cannot come. */
bool link_step_is_impossible(enum link_state state, enum link_event event);
const char *link_state_name(enum link_state state); /* never NULL */
const char *link_event_name(enum link_event event);
/* Holds one of the adapter's slots. */
/* There is a link, and nobody has begun to close it. */
bool link_state_is_linked(enum link_state state);
bool link_state_holds_slot(enum link_state state);
