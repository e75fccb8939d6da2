/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the steps of the link machine do. An action finds the state already changed and the former
 * deadline disarmed; what it raises is handled when it is done.
 *
 * What is known of BlueZ and shapes this file (docs/bluez-notes.md):
 *  - Connect answers when the ATT channel is up; Connected=true may never be signalled, so after
 * the answer the properties are read.
 *  - An answer may come without a link: BlueZ goes on trying by itself. 2 s, then it is cancelled.
 *  - Only Disconnect cancels a Connect, and only Connected=false, or the error of the Connect
 * itself, proves that the slot in the controller is free.
 *  - Disconnect takes 2 s and answers just before Connected=false.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ble.h"
#include "util/log.h"
#include "util/text.h"

#define FALL_MS 500           /* from Connect's error to Connected=false */
#define LAST_WAIT_MS 1000     /* from Connected=false to Disconnect's answer */
#define SILENT_AFTER_MS 10000 /* a Connect that fails this late has heard nothing */

typedef void act_fn(struct radio_link *link, enum link_event event);

/* ------------------------------------------------------------------ small parts */

static void rest(struct radio_link *link) {
	if (link->state == LINK_IDLE && !link_has_object(link)) {
		link_raise(link, LINK_EV_VANISHED);
	}
}

/* Forgets the link and all that is pending for it. */
static void link_reset(struct radio_link *link) {
	stats_ended(link);
	gatt_forget(link, false);
	ble_slot_drop(&link->call_connect);
	ble_slot_drop(&link->call_read);
	ble_slot_drop(&link->call_objects);
	ble_slot_drop(&link->call_disconnect);
	link->is_answered = false;
	if (link->peer != NULL) {
		peer_unuse(link->peer);
	}
	central_poke(link->central);
}

/* Links of anybody to devices of ours, this one not counted. */
static unsigned count_others(const struct radio_link *link) {
	const struct radio_link *other;
	unsigned n = 0;

	list_for_each(other, &link->central->links, in_links) {
		n += other != link && other->peers[link->peer->adapter->index].is_connected;
	}
	return n;
}

static void note_failure(struct radio_link *link) {
	stats_failed(link);
	if (link->peer != NULL) {
		if (link->from == LINK_CONNECTING) {
			sched_refused(&link->peer->lesson, count_others(link),
				ble_now(link->central), link->central->config.time_percent);
		}
		link->peer->failures++;
		adapter_note_failure(link->peer->adapter, link);
	}
}

static bool is_heard_lately(const struct radio_link *link) {
	int64_t limit = ble_ms(link->central, HEARD_LATELY_MS);

	return link->was_heard || (link->stats.heard_ms != INT64_MIN &&
					  ble_now(link->central).ms - link->stats.heard_ms < limit);
}

/*
 * When bluetoothd dies in a discovery window the kernel goes on with that round, and the next
 * bluetoothd's Connect waits for its end. Nothing is known of the device then.
 */
static bool was_kernel_scanning(const struct radio_link *link) {
	const struct central *central = link->central;
	int64_t round_ms = ble_ms(central, KERNEL_ROUND_MS);

	if (central->is_second_owner &&
		mono_since(central->back_at, link->attempt_since) < round_ms) {
		return true;
	}
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		const struct ble_adapter *adapter = &central->adapters[i];
		if (adapter->was_busy &&
			mono_since(adapter->busy_at, link->attempt_since) < round_ms) {
			return true;
		}
	}
	return false;
}

/* Why the want is given up. */
static void find_fault(const struct radio_link *link, struct fault *ret) {
	struct central *central = link->central;
	int64_t waited = mono_since(link->want_since, ble_now(central));
	bool is_silent = link->error == BLUEZ_ERROR_NONE || link->error == BLUEZ_ERROR_TIMED_OUT ||
			 link->error == BLUEZ_ERROR_CANCELED || link->error == BLUEZ_ERROR_VANISHED;

	if (link->fault.code != FAULT_NONE) {
		*ret = link->fault;
	} else if (!central_is_ready(central)) {
		*ret = central->fault;
	} else if (link->from == LINK_FINDING) {
		(void) fault_set(ret, FAULT_LOCK_NOT_HEARD,
			"no advertisement in %lld ms of listening", (long long) waited);
	} else if (link->n_attempts == 0) {
		(void) fault_set(ret, FAULT_RADIO_BUSY, "no slot in %lld ms", (long long) waited);
	} else if (is_silent && link->error != BLUEZ_ERROR_VANISHED && was_kernel_scanning(link)) {
		(void) fault_set(ret, FAULT_RADIO_BUSY,
			"no answer to Connect in %lld ms; Bluetooth was restarted just before, and "
			"the kernel may still have been scanning",
			(long long) waited);
	} else if (is_silent && !is_heard_lately(link)) {
		(void) fault_set(ret, FAULT_LOCK_NOT_HEARD, "%u attempts in %lld ms, no sign of it",
			link->n_attempts, (long long) waited);
	} else {
		enum fault_code code = bluez_error_fault(link->error);
		if (is_silent) {
			code = FAULT_LOCK_UNREACHABLE;
		}
		(void) fault_set(ret, code, "%u attempts in %lld ms, the last: %s",
			link->n_attempts, (long long) waited,
			link->error_text[0] != '\0' ? link->error_text : "none");
	}
}

/* ------------------------------------------------------------------ closing */

static void on_read(struct radio_link *link, sd_bus_message *message) {
	struct device_props props;
	char text[sizeof(link->error_text)];

	if (central_answer(link->central, message, text, sizeof(text), NULL) != BLUEZ_ERROR_NONE ||
		objects_read_device(message, &props) < 0) {
		return; /* the deadline decides */
	}
	if (link->peer != NULL) {
		peer_apply(link->peer, &props, true);
	}
}

static void link_check_closed(struct radio_link *link);

static int on_read_reply(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct radio_link *link = user;

	(void) ret_error;
	ble_slot_drop(&link->call_read);
	on_read(link, message);
	link_check_closed(link);
	return 0;
}

/* Asks for the truth. */
static void read_device(struct radio_link *link) {
	(void) central_call(link->central, &link->call_read, link->peer->path, PROPERTIES_INTERFACE,
		"GetAll", CALL_QUICK_MS, on_read_reply, link, "s", DEVICE_INTERFACE);
}

static void link_check_closed(struct radio_link *link) {
	bool is_stuck = link->state == LINK_STUCK;

	if ((link->state != LINK_DISCONNECTING && !is_stuck) || link->call_connect != NULL ||
		(link->peer != NULL && link->peer->is_connected)) {
		return;
	}
	if (link->call_disconnect == NULL || is_stuck) {
		link_raise(link, LINK_EV_CLOSED);
	} else if (link->saw_false && !link->is_last_wait) {
		/*
		 * Closed, but our Disconnect is still in BlueZ: it could hit the next link. Its
		 * answer comes with the link's end, unless it never comes at all (BlueZ issue 947).
		 */
		link->is_last_wait = true;
		link_arm(link, LAST_WAIT_MS);
	}
}

static int on_hung_up(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct radio_link *link = user;

	(void) ret_error;
	ble_slot_drop(&link->call_disconnect);
	enum bluez_error error = central_answer(link->central, message, NULL, 0, NULL);
	if (error == BLUEZ_ERROR_NOT_CONNECTED || error == BLUEZ_ERROR_VANISHED) {
		link->peer->is_connected = false;
	} else if (error == BLUEZ_ERROR_NONE && link->peer->is_connected) {
		/* 5.66 answers just before Connected=false; if it was missed, this finds out. */
		read_device(link);
	}
	link_check_closed(link);
	return 0;
}

static void hang_up(struct radio_link *link) {
	link->n_hang_ups++;
	(void) central_call(link->central, &link->call_disconnect, link->peer->path,
		DEVICE_INTERFACE, "Disconnect", CALL_DISCONNECT_MS, on_hung_up, link, "");
}

static void begin_close(struct radio_link *link) {
	struct ble_peer *peer = link->peer;
	bool is_connecting = link->from == LINK_CONNECTING;
	/* A Connect that nobody waits for any more still runs in BlueZ, e.g. of our former life. */
	bool is_older = is_connecting && link->error == BLUEZ_ERROR_BUSY;
	bool is_linked = peer != NULL && peer->is_present && adapter_is_usable(peer->adapter) &&
			 (peer->is_connected || link->call_connect != NULL ||
				 (is_connecting && link->is_answered) || is_older);

	link_end_write(link, -ECONNRESET, RADIO_MAYBE_SENT);
	ble_slot_drop(&link->call_read);
	ble_slot_drop(&link->call_objects);
	gatt_forget(link, peer != NULL && peer->is_present);
	link->n_hang_ups = 0;
	link->saw_false = false;
	link->is_last_wait = false;
	if (!is_linked) {
		link_raise(link, LINK_EV_CLOSED);
		return;
	}
	if (is_connecting && link->call_connect == NULL && !link->is_answered && !is_older) {
		/* Connect has failed while Connected is true: false follows by itself. */
		link_arm(link, FALL_MS);
		return;
	}
	hang_up(link);
	link_arm(link, DISCONNECT_MS);
}

static void act_hang_up_again(struct radio_link *link, enum link_event event) {
	(void) event;
	if (link->is_last_wait && !link->peer->is_connected && link->call_connect == NULL) {
		link_raise(link, LINK_EV_CLOSED);
		return;
	}
	if (link->n_hang_ups > 1) {
		link_raise(link, LINK_EV_STUCK);
		return;
	}
	if (link->n_hang_ups > 0) {
		central_suspect_hang(link->central);
	}
	link_arm(link, link->n_hang_ups == 0 ? DISCONNECT_MS : DISCONNECT_AGAIN_MS);
	hang_up(link);
}

static void act_stuck(struct radio_link *link, enum link_event event) {
	struct fault fault;

	(void) event;
	(void) fault_set(&fault, FAULT_LINK_STUCK, "%s on %s: Disconnect did not end the link",
		link->target.address, link->peer->adapter->address);
	log_fault(&fault, NULL, NULL);
	link_end_want(link, &fault);
	recovery_step(link->peer->adapter, TROUBLE_STUCK, "a link is stuck");
	link_arm(link, STUCK_MS);
}

static void act_stuck_again(struct radio_link *link, enum link_event event) {
	(void) event;
	log_blame(BLAME_BLUEZ, NULL, "the link to %s is still stuck", link->target.address);
	central_suspect_hang(link->central);
	recovery_step(link->peer->adapter, TROUBLE_STUCK, "a link is stuck");
	hang_up(link);
	link_arm(link, STUCK_MS);
}

static void act_refuse(struct radio_link *link, enum link_event event) {
	struct fault fault;

	(void) event;
	(void) fault_set(&fault, FAULT_LINK_STUCK, "the former link is not closed yet");
	link_end_want(link, &fault);
}

static void act_settle(struct radio_link *link, enum link_event event) {
	(void) event;
	link_end_write(link, -ECONNRESET, RADIO_MAYBE_SENT);
	link_reset(link);
	if (link->need != RADIO_NEED_NONE) {
		link_raise(link, LINK_EV_RETRY);
		return;
	}
	link_end_want(link, NULL);
	rest(link);
}

static void act_orphan(struct radio_link *link, enum link_event event) {
	(void) event;
	log_info("closing a link to %s that was left over", link->target.address);
	begin_close(link);
}

/* ------------------------------------------------------------------ waiting */

static void act_queue(struct radio_link *link, enum link_event event) {
	(void) event;
	if (!central_is_ready(link->central)) {
		link_arm(link, HOLD_MS);
	} else if (link_is_person(link)) {
		link_arm(link, QUEUE_PERSON_MS);
	} else {
		link_disarm(link); /* patience alone */
	}
	central_poke(link->central);
}

static void act_poke(struct radio_link *link, enum link_event event) {
	if (event == LINK_EV_APPEARED) {
		act_queue(link, event); /* perhaps it waited for the adapter until now */
	}
	central_poke(link->central);
}

static void act_urgency(struct radio_link *link, enum link_event event) {
	(void) event;
	central_poke(link->central);
}

static void act_hold(struct radio_link *link, enum link_event event) {
	(void) event;
	link_reset(link);
	if (link->need == RADIO_NEED_NONE) {
		link_raise(link, LINK_EV_RELEASE);
		return;
	}
	link_arm(link, HOLD_MS);
}

static void act_find(struct radio_link *link, enum link_event event) {
	(void) event;
	link_arm(link, link_is_person(link) ? FIND_PERSON_MS : FIND_BACKGROUND_MS);
	central_poke(link->central);
}

static int on_removed(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct radio_link *link = user;

	(void) ret_error;
	ble_slot_drop(&link->call_remove);
	(void) central_answer(link->central, message, NULL, 0, NULL);
	return 0;
}

/*
 * The ladder for a stale attribute cache: connect once more; then make BlueZ forget the device,
 * which drops the cache, and find it anew. That would drop a bond as well, so a bonded device is
 * left alone.
 * @return false at its end.
 */
static bool climb_mismatch_ladder(struct radio_link *link) {
	struct ble_peer *peer = link->mismatched;

	if (link->n_mismatches <= 1) {
		return true;
	}
	if (link->n_mismatches > 2 || peer->is_bonded) {
		(void) fault_set(&link->fault, FAULT_GATT_MISMATCH, "%s%s", link->error_text,
			peer->is_bonded ? "; the device is bonded, so it was not removed" : "");
		return false;
	}
	log_blame(BLAME_BLUEZ, NULL, "%s: %s; removing it from BlueZ to find it anew",
		link->target.address, link->error_text);
	(void) central_call(link->central, &link->call_remove, peer->adapter->path,
		ADAPTER_INTERFACE, "RemoveDevice", CALL_DISCONNECT_MS, on_removed, link, "o",
		peer->path);
	return true;
}

static unsigned jittered(struct central *central, unsigned ms) {
	/* xorshift: several locks that failed together need not try again together. */
	central->jitter ^= central->jitter << 13;
	central->jitter ^= central->jitter >> 17;
	central->jitter ^= central->jitter << 5;
	return ms - ms / 5 + central->jitter % (2 * (ms / 5) + 1);
}

static void act_backoff(struct radio_link *link, enum link_event event) {
	bool is_person = link_is_person(link);
	unsigned most = is_person ? ATTEMPTS_PERSON : ATTEMPTS_BACKGROUND;

	(void) event;
	if (link->n_attempts == 0) {
		/* Nothing has failed yet: the want came while something older was being closed. */
		link_raise(link, LINK_EV_TIMEOUT);
		return;
	}
	bool is_hopeless = link->n_attempts >= most || bluez_error_is_lasting(link->error);
	if (link->mismatched != NULL) {
		is_hopeless = !climb_mismatch_ladder(link) || is_hopeless;
		link->mismatched = NULL;
	}
	if (is_hopeless) {
		link_raise(link, LINK_EV_GIVE_UP);
		return;
	}
	unsigned ms = bluez_error_backoff_ms(link->error, link->n_attempts, is_person);
	link_arm(link, is_person ? ms : jittered(link->central, ms));
}

/* ------------------------------------------------------------------ the end of a want */

static void act_cancel(struct radio_link *link, enum link_event event) {
	(void) event;
	link_end_want(link, NULL);
	rest(link);
	central_poke(link->central);
}

static void act_cancel_close(struct radio_link *link, enum link_event event) {
	(void) event;
	link_end_write(link, -ECANCELED, RADIO_MAYBE_SENT);
	link_end_want(link, NULL);
	begin_close(link);
}

static void act_give_up(struct radio_link *link, enum link_event event) {
	struct fault fault;

	(void) event;
	find_fault(link, &fault);
	link_end_want(link, &fault);
	rest(link);
	central_poke(link->central);
}

static void act_lost(struct radio_link *link, enum link_event event) {
	struct central *central = link->central;
	mono_t now = ble_now(central);
	struct fault fault;

	(void) fault_set(&fault, FAULT_LINK_LOST, "after %lld ms%s%s%s",
		(long long) mono_since(link->linked_since, now),
		event == LINK_EV_VANISHED ? ", BlueZ removed the device" : "",
		link->reason[0] != '\0' ? ", reason: " : "", link->reason);
	if (event == LINK_EV_RADIO_DOWN) {
		if (central_is_ready(central)) {
			(void) fault_set(&fault, FAULT_ADAPTER_OFF, "adapter %s went away",
				link->stats.adapter);
		} else {
			fault = central->fault;
		}
	}
	stats_lost(link);
	link_end_write(link, -ECONNRESET, RADIO_MAYBE_SENT);
	gatt_forget(link, event == LINK_EV_CLOSED);
	link_reset(link);
	link_end_want(link, &fault);
	rest(link);
}

static void act_ended(struct radio_link *link, enum link_event event) {
	link_end_write(link, -ECONNRESET, RADIO_MAYBE_SENT);
	gatt_forget(link, event == LINK_EV_CLOSED);
	link_reset(link);
	link_end_want(link, NULL);
	rest(link);
}

static void act_stalled(struct radio_link *link, enum link_event event) {
	struct fault fault;

	(void) event;
	/* BlueZ would wait 30 s and then drop the link itself. */
	(void) fault_set(&fault, FAULT_LOCK_SILENT, "no answer to a write in %d ms", WRITE_MS);
	stats_lost(link);
	link_end_write(link, -ETIMEDOUT, RADIO_MAYBE_SENT);
	link_end_want(link, &fault);
	begin_close(link);
}

static void act_broken(struct radio_link *link, enum link_event event) {
	struct fault fault = link->fault;

	(void) event;
	stats_lost(link);
	if (fault.code == FAULT_NONE) {
		(void) fault_set(&fault, FAULT_LINK_LOST, "%s", link->error_text);
	}
	link_end_want(link, &fault);
	begin_close(link);
}

/* ------------------------------------------------------------------ the attempt */

static int on_connect(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct radio_link *link = user;
	char text[sizeof(link->error_text)];

	(void) ret_error;
	ble_slot_drop(&link->call_connect);
	enum bluez_error error = central_answer(link->central, message, text, sizeof(text), NULL);
	if (link->state != LINK_CONNECTING) {
		/* Cancelled meanwhile. A late success must be hung up once more. */
		if (error == BLUEZ_ERROR_NONE) {
			link->peer->is_connected = true;
			hang_up(link);
		}
		link_check_closed(link);
		return 0;
	}
	link->is_answered = true;
	if (error != BLUEZ_ERROR_NONE) {
		int64_t took = mono_since(link->state_since, ble_now(link->central));
		link_note_error(link, error, text);
		if (error == BLUEZ_ERROR_ABORTED && took < ble_ms(link->central, SILENT_AFTER_MS)) {
			link->was_heard = true; /* an attempt that ends so soon had met it */
		}
		if (error == BLUEZ_ERROR_VANISHED) {
			central_refresh(link->central);
		}
		link->is_answered = false;
		link_event(link, LINK_EV_FAILED);
	} else if (link->peer->is_connected) {
		link_event(link, LINK_EV_CONNECTED);
	} else {
		link->peer->is_connected = true; /* until the properties say otherwise */
		read_device(link);
	}
	return 0;
}

static void act_connect(struct radio_link *link, enum link_event event) {
	(void) event;
	link->gen++;
	link->n_attempts++;
	stats_attempt(link);
	link->is_answered = false;
	link->is_looked_again = false;
	link->is_any_write_done = false;
	link->mismatched = NULL;
	link->reason[0] = '\0';
	link_note_error(link, BLUEZ_ERROR_NONE, "");
	link_arm(link, link_is_person(link) ? CONNECT_PERSON_MS : CONNECT_BACKGROUND_MS);
	int r = central_call(link->central, &link->call_connect, link->peer->path, DEVICE_INTERFACE,
		"Connect", CALL_CONNECT_MS, on_connect, link, "");
	if (r < 0) {
		link_note_error(link, BLUEZ_ERROR_DIED, strerror(-r));
		link_raise(link, LINK_EV_FAILED);
	}
}

static void act_flip(struct radio_link *link, enum link_event event) {
	(void) event;
	/*
	 * Before the answer: the error is on its way. After it: BlueZ had no link when it answered
	 * and may get one by itself.
	 */
	if (link->is_answered) {
		link_arm(link, CONNECTED_READ_MS);
	}
}

static void learn_slots(struct radio_link *link) {
	unsigned slots = sched_accepted(&link->peer->lesson, count_others(link),
		ble_now(link->central), link->central->config.time_percent);

	if (slots > 0) {
		adapter_learn_slots(link->peer->adapter, slots);
	}
}

static void act_resolve(struct radio_link *link, enum link_event event) {
	(void) event;
	learn_slots(link);
	link->was_heard = true;
	link->linked_since = ble_now(link->central);
	link->stats.heard_ms = link->linked_since.ms;
	link_arm(link, link->peer->was_resolved ? RESOLVE_CACHED_MS : RESOLVE_FIRST_MS);
	central_poke(link->central); /* the next one may connect now */
	if (link->peer->is_resolved) {
		gatt_look(link);
	}
}

static void act_look_again(struct radio_link *link, enum link_event event) {
	(void) event;
	link->is_looked_again = true;
	link_arm(link, RESOLVE_CACHED_MS);
	gatt_look(link);
}

static void act_subscribe(struct radio_link *link, enum link_event event) {
	(void) event;
	link->peer->was_resolved = true;
	gatt_subscribe(link);
}

static void act_up(struct radio_link *link, enum link_event event) {
	(void) event;
	stats_up(link);
	link->n_mismatches = 0;
	link->peer->failures = 0;
	adapter_note_success(link->peer->adapter);
	loop_timer_disarm(link->patience);
	link->up_mtu = gatt_mtu(link);
	event_post(link->central, &link->event_up);
	gatt_tell_read(link);
}

static void act_up_again(struct radio_link *link, enum link_event event) {
	(void) event;
	loop_timer_disarm(link->patience);
	event_post(link->central, &link->event_up);
}

static void act_linger(struct radio_link *link, enum link_event event) {
	(void) event;
	link_arm(link, link->central->config.linger_ms);
	central_poke(link->central); /* it may be pushed out now */
}

static void act_close(struct radio_link *link, enum link_event event) {
	if (event == LINK_EV_CLOSED || event == LINK_EV_VANISHED) {
		char text[sizeof(link->error_text)];
		snprintf(text, sizeof(text), "%s while %s",
			event == LINK_EV_CLOSED ? "the link fell" : "BlueZ removed the device",
			link_state_name(link->from));
		link_note_error(link,
			event == LINK_EV_CLOSED ? BLUEZ_ERROR_ABORTED : BLUEZ_ERROR_VANISHED, text);
	}
	note_failure(link);
	begin_close(link);
}

static void note_timeout(struct radio_link *link) {
	const char *what = "no link";

	switch (link->from) {
	case LINK_CONNECTING:
		what = link->is_answered ? "Connect succeeded without a link"
					 : "no answer to Connect";
		break;
	case LINK_RESOLVING:
		what = "services were not resolved in time";
		break;
	case LINK_SUBSCRIBING:
		what = "subscribing was not confirmed in time";
		break;
	default:
		break;
	}
	link_note_error(link, BLUEZ_ERROR_TIMED_OUT, what);
	note_failure(link);
}

static void act_timed_out(struct radio_link *link, enum link_event event) {
	(void) event;
	note_timeout(link);
	central_suspect_hang(link->central);
	begin_close(link);
}

static void act_give_up_close(struct radio_link *link, enum link_event event) {
	struct fault fault;

	(void) event;
	note_timeout(link);
	find_fault(link, &fault);
	link_end_want(link, &fault);
	central_suspect_hang(link->central);
	begin_close(link);
}

static void act_mismatch(struct radio_link *link, enum link_event event) {
	(void) event;
	link->n_mismatches++;
	link->mismatched = link->peer;
	note_failure(link);
	begin_close(link);
}

static void act_none(struct radio_link *link, enum link_event event) {
	(void) link;
	(void) event;
}

static void act_rest(struct radio_link *link, enum link_event event) {
	(void) event;
	rest(link);
}

/* ------------------------------------------------------------------ what signals lead to */

void link_props_changed(
	struct radio_link *link, struct ble_peer *peer, bool was_connected, bool was_resolved) {
	bool has_fallen = was_connected && !peer->is_connected;

	if (link->peer != peer) {
		if (has_fallen) {
			central_poke(link->central); /* another program's link gave a slot back */
		}
		return;
	}
	if (link->state == LINK_DISCONNECTING || link->state == LINK_STUCK) {
		link->saw_false = link->saw_false || has_fallen;
		link_check_closed(link);
	} else if (has_fallen) {
		link_event(link, LINK_EV_CLOSED);
	} else if (link->state == LINK_CONNECTING) {
		if (peer->is_connected && link->is_answered) {
			link_event(link, LINK_EV_CONNECTED);
		}
	} else if (link->state == LINK_RESOLVING && peer->is_resolved && !was_resolved) {
		gatt_look(link);
	}
}

void link_act(struct radio_link *link, enum link_act act, enum link_event event) {
	/* clang-format off */
	static act_fn *const acts[LINK_ACT_COUNT_] = {
		[LINK_ACT_NONE] = act_none,
		[LINK_ACT_QUEUE] = act_queue,
		[LINK_ACT_URGENCY] = act_urgency,
		[LINK_ACT_REFUSE] = act_refuse,
		[LINK_ACT_FIND] = act_find,
		[LINK_ACT_CONNECT] = act_connect,
		[LINK_ACT_FLIP] = act_flip,
		[LINK_ACT_RESOLVE] = act_resolve,
		[LINK_ACT_LOOK_AGAIN] = act_look_again,
		[LINK_ACT_SUBSCRIBE] = act_subscribe,
		[LINK_ACT_UP] = act_up,
		[LINK_ACT_UP_AGAIN] = act_up_again,
		[LINK_ACT_LINGER] = act_linger,
		[LINK_ACT_CLOSE] = act_close,
		[LINK_ACT_TIMED_OUT] = act_timed_out,
		[LINK_ACT_MISMATCH] = act_mismatch,
		[LINK_ACT_CANCEL] = act_cancel,
		[LINK_ACT_CANCEL_CLOSE] = act_cancel_close,
		[LINK_ACT_GIVE_UP] = act_give_up,
		[LINK_ACT_GIVE_UP_CLOSE] = act_give_up_close,
		[LINK_ACT_STALLED] = act_stalled,
		[LINK_ACT_BROKEN] = act_broken,
		[LINK_ACT_LOST] = act_lost,
		[LINK_ACT_ENDED] = act_ended,
		[LINK_ACT_HOLD] = act_hold,
		[LINK_ACT_ORPHAN] = act_orphan,
		[LINK_ACT_HANG_UP_AGAIN] = act_hang_up_again,
		[LINK_ACT_SETTLE] = act_settle,
		[LINK_ACT_BACKOFF] = act_backoff,
		[LINK_ACT_STUCK] = act_stuck,
		[LINK_ACT_STUCK_AGAIN] = act_stuck_again,
		[LINK_ACT_REST] = act_rest,
		[LINK_ACT_POKE] = act_poke,
	};
	/* clang-format on */

	acts[act](link, event);
}
