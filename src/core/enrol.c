/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How locks come and go: scan, pair, unpair, rename. A lock that is being paired is provisional: it
 * has a runner and one operation, but nobody hears of it before the database has it.
 */

#include "private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "util/bytes.h"
#include "util/text.h"

#define DISCOVERED_KEPT_MS 600000

bool enrol_is_own_kind(enum act act) {
	return act == ACT_PAIR || act == ACT_UNPAIR;
}

/* ---- scanning ---- */

static struct discovered *find_discovered(struct hub *hub, const char *address) {
	for (size_t i = 0; i < hub->n_discovered; i++) {
		if (strcasecmp(hub->discovered[i].sighting.address, address) == 0) {
			return &hub->discovered[i];
		}
	}
	return NULL;
}

static struct discovered *make_discovered(struct hub *hub) {
	size_t oldest = 0;

	if (hub->n_discovered < DISCOVERED_MAX) {
		return &hub->discovered[hub->n_discovered++];
	}
	for (size_t i = 1; i < hub->n_discovered; i++) {
		if (hub->discovered[i].at.ms < hub->discovered[oldest].at.ms) {
			oldest = i;
		}
	}
	return &hub->discovered[oldest];
}

static bool sighting_differs(const struct sighting *a, const struct sighting *b) {
	return a->is_pairing != b->is_pairing || strcmp(a->name, b->name) != 0 ||
	       strcmp(a->model, b->model) != 0 || strcmp(a->serial, b->serial) != 0;
}

/* Advertisement and scan response come apart: what one lacks the other may have told before. */
static void merge_sighting(struct sighting *now, const struct sighting *before) {
	if (now->name[0] == '\0') {
		memcpy(now->name, before->name, sizeof(now->name));
	}
	if (now->serial[0] == '\0') {
		memcpy(now->serial, before->serial, sizeof(now->serial));
	}
}

static void scan_heard(void *user, const struct advert *advert) {
	struct hub *hub = user;
	struct sighting sighting = { 0 };
	struct discovered *found;
	bool is_news;

	for (size_t i = 0; hub->config.drivers[i] != NULL; i++) {
		if (!hub->config.drivers[i]->sight(advert, &sighting)) {
			continue;
		}
		found = find_discovered(hub, sighting.address);
		is_news = found == NULL;
		if (found == NULL) {
			found = make_discovered(hub);
		} else {
			merge_sighting(&sighting, &found->sighting);
			is_news = sighting_differs(&sighting, &found->sighting);
		}
		found->sighting = sighting;
		found->at = hub_now(hub);
		if (is_news) {
			signal_emit(&hub->signals.discovered, &found->sighting);
		}
		return;
	}
}

static void scan_ended(void *user, const struct fault *fault) {
	struct hub *hub = user;

	hub->is_scanning = false;
	signal_emit(&hub->signals.scan_ended, (void *) fault);
}

int hub_scan(struct hub *hub, unsigned ms, struct fault *ret_fault) {
	struct radio *radio = hub->config.radio;
	struct radio_status status;
	int r;

	radio->impl->status(radio, &status);
	if (!status.is_ready && !status.is_starting && status.fault.code != FAULT_NONE) {
		*ret_fault = status.fault;
		return fault_errno(status.fault.code);
	}
	r = radio->impl->scan(radio, ms, scan_heard, scan_ended, hub);
	if (r < 0 && r != -EALREADY) {
		return fault_set_errno(ret_fault, FAULT_INTERNAL, r, "starting a scan");
	}
	hub->is_scanning = true;
	return 0;
}

void hub_scan_stop(struct hub *hub) {
	hub->config.radio->impl->scan_stop(hub->config.radio);
}

int hub_listen(struct hub *hub, struct fault *ret_fault) {
	struct radio *radio = hub->config.radio;
	struct radio_status status;

	radio->impl->status(radio, &status);
	if (!status.is_ready && !status.is_starting && status.fault.code != FAULT_NONE) {
		*ret_fault = status.fault;
		return fault_errno(status.fault.code);
	}
	if (hub->n_listening++ == 0 && radio->impl->hasten != NULL) {
		radio->impl->hasten(radio, true);
	}
	return 0;
}

void hub_listen_stop(struct hub *hub) {
	struct radio *radio = hub->config.radio;

	assert(hub->n_listening > 0);
	if (--hub->n_listening == 0 && radio->impl->hasten != NULL) {
		radio->impl->hasten(radio, false);
	}
}

bool hub_is_scanning(const struct hub *hub) {
	return hub->is_scanning;
}

size_t hub_discovered_count(const struct hub *hub) {
	return hub->n_discovered;
}

const struct sighting *hub_discovered_at(const struct hub *hub, size_t index) {
	return index < hub->n_discovered ? &hub->discovered[index].sighting : NULL;
}

void enrol_run_due(struct hub *hub, mono_t now) {
	size_t kept = 0;

	for (size_t i = 0; i < hub->n_discovered; i++) {
		if (mono_since(hub->discovered[i].at, now) < DISCOVERED_KEPT_MS) {
			hub->discovered[kept++] = hub->discovered[i];
		}
	}
	hub->n_discovered = kept;
}

mono_t enrol_next_due(const struct hub *hub) {
	mono_t due = MONO_NEVER;

	for (size_t i = 0; i < hub->n_discovered; i++) {
		due = mono_min(due, mono_after(hub->discovered[i].at, DISCOVERED_KEPT_MS));
	}
	return due;
}

/* ---- pairing ---- */

/* Whether all locks of the brand are: what differs between its locks is not known before pairing.
 */
static bool is_weak(const struct driver *driver) {
	return driver->protocol != NULL &&
	       protocol_class(driver->protocol(NULL, NULL)) == PROTOCOL_CLASS_C;
}

static int check_pair(struct hub *hub, const struct pair_request *request,
	const struct discovered *found, const struct lock *replaced, struct fault *ret_fault) {
	if (request->role < policy_role_for(ACT_PAIR)) {
		return fault_set(ret_fault, FAULT_DENIED,
			"pairing needs the role manage, %s has %s", request->actor,
			role_name(request->role));
	}
	if (!hub->is_started || hub->is_stopping) {
		return fault_set(ret_fault, FAULT_CANCELLED, "the hub is stopping");
	}
	if (hub->n_locks >= LOCKS_MAX) {
		return fault_set(ret_fault, FAULT_HUB_FULL, "%zu locks are paired", hub->n_locks);
	}
	if (request->name[0] != '\0' && !text_is_clean(request->name, strlen(request->name))) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"the name has characters that cannot be shown");
	}
	if (request->replaces[0] != '\0' && request->name[0] != '\0') {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"a lock that is paired again keeps its name");
	}
	if (request->name[0] != '\0' && hub_find_lock(hub, request->name) != NULL) {
		return fault_set(ret_fault, FAULT_NAME_TAKEN, "%s", request->name);
	}
	for (size_t i = 0; i < hub->n_locks; i++) {
		if (strcasecmp(hub->locks[i]->address, request->address) == 0 &&
			hub->locks[i] != replaced) {
			return fault_set(ret_fault, FAULT_ALREADY_PAIRED, "%s at %s",
				hub->locks[i]->slug, request->address);
		}
	}
	if (hub->provisional != NULL) {
		return fault_set(ret_fault, FAULT_LOCK_BUSY, "%s is being paired; one at a time",
			hub->provisional->address);
	}
	if (found == NULL) {
		return fault_set(ret_fault, FAULT_NOT_DISCOVERED, "%s", request->address);
	}
	if (found->sighting.needs_pin && request->pin.len == 0) {
		return fault_set(ret_fault, FAULT_PIN_REQUIRED,
			"this model wants its PIN for pairing (%s)",
			found->sighting.driver->pin_form);
	}
	if (found->sighting.needs_key && request->key.len == 0) {
		return fault_set(ret_fault, FAULT_KEY_REQUIRED, "%s wants %s: %s",
			found->sighting.name[0] != '\0' ? found->sighting.name
							: found->sighting.address,
			found->sighting.driver->key_form, found->sighting.driver->key_source);
	}
	if (!found->sighting.needs_key && request->key.len > 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"a lock of %s makes its key while it is paired",
			found->sighting.driver->brand);
	}
	if (is_weak(found->sighting.driver) && !request->accepts_weak) {
		const struct protocol *protocol = found->sighting.driver->protocol(NULL, NULL);

		return fault_set(ret_fault, FAULT_PROTOCOL_WEAK,
			"%s: %s. To pair it all the same, say so: --accept-weak", protocol->name,
			protocol->weakness);
	}
	return 0;
}

static struct lock *make_provisional(struct hub *hub, const struct pair_request *request,
	const struct sighting *sighting, struct lock *replaced) {
	struct lock *lock = lock_new(hub, sighting->driver);
	const char *name = request->name;
	uint8_t id[4];

	if (lock == NULL) {
		return NULL;
	}
	do {
		crypto_random(id, sizeof(id));
		hex_encode(id, sizeof(id), lock->id);
	} while (hub_lock_by_id(hub, lock->id) != NULL);
	if (name[0] == '\0') {
		name = sighting->name[0] != '\0' ? sighting->name : sighting->driver->brand;
	}
	(void) text_copy(lock->name, sizeof(lock->name), name);
	text_sanitize(lock->name);
	hub_make_slug(hub, lock->name, NULL, lock->slug);
	memcpy(lock->address, sighting->address, sizeof(lock->address));
	lock->is_random = sighting->is_random;
	lock->sighting = *sighting;
	lock->is_provisional = true;
	do {
		lock->client_id = crypto_random_u32();
	} while (lock->client_id == 0);
	if (replaced != NULL) {
		renew_begin(replaced, lock);
	}
	if (runner_make_link(lock) < 0) {
		renew_failed(lock);
		return lock_free(lock);
	}
	return lock;
}

int hub_pair(struct hub *hub, const struct pair_request *request, struct op **ret_op,
	struct fault *ret_fault) {
	struct discovered *found = find_discovered(hub, request->address);
	struct lock *replaced = NULL;
	struct lock *lock;
	struct op_entry *entry;
	int r = 0;

	if (request->replaces[0] != '\0') {
		r = renew_check(hub, request, found != NULL ? &found->sighting : NULL, &replaced,
			ret_fault);
	}
	if (r >= 0) {
		r = check_pair(hub, request, found, replaced, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	lock = make_provisional(hub, request, &found->sighting, replaced);
	entry = lock != NULL ? op_new(hub, lock, ACT_PAIR, request->actor) : NULL;
	if (entry == NULL) {
		if (lock != NULL) {
			renew_failed(lock);
		}
		lock_free(lock);
		return fault_set(ret_fault, FAULT_NO_MEMORY, "pairing %s", request->address);
	}
	hub->provisional = lock;
	entry->pin = request->pin;
	entry->job.pin = request->pin;
	entry->job.key = request->key;
	entry->job.variant = lock->sighting.variant;
	entry->job.client_id = lock->client_id;
	entry->job.as_bridge = !request->as_app;
	(void) text_copy(
		entry->job.client_name, sizeof(entry->job.client_name), hub->config.client_name);
	hub_scan_stop(hub); /* an adapter connects best when it does not scan */
	op_accept(entry);
	*ret_op = &entry->op;
	return 0;
}

static bool keep_new(const struct lock *lock, struct txn *txn) {
	struct txn_item *item = txn_add(txn, TXN_LOCK_PUT);

	if (item != NULL) {
		lock_to_record(lock, &item->lock);
	}
	return item != NULL;
}

/* The keys are there: now the database must have them before anybody hears of the lock. */
static void keep_paired(struct op_entry *entry) {
	struct lock *lock = entry->lock;
	struct hub *hub = lock->hub;
	struct txn *txn = hub_txn_new(hub);
	struct event *event = txn != NULL ? txn_add_event(txn, hub, lock, EVENT_PAIRED) : NULL;
	struct fault fault;

	lock->paired_at = clock_wall(hub->config.clock);
	if (entry->pin.len > 0 && !lock_has_pin(lock)) {
		(void) lock->driver->set_pin(&lock->keys, &entry->pin, NULL);
	}
	if (event == NULL ||
		!(lock->renewed != NULL ? renew_keep(lock, txn) : keep_new(lock, txn))) {
		txn_free(txn);
		(void) fault_set(&fault, FAULT_NO_MEMORY, "keeping the keys");
		op_finish(entry, OP_FAILED, &fault);
		return;
	}
	memcpy(event->user, entry->op.actor, sizeof(event->user));
	(void) snprintf(event->text, sizeof(event->text), "%.70s, %s%s", lock->name, lock->address,
		lock->renewed != NULL ? ", again" : "");
	entry->op.state = OP_RUNNING;
	entry->is_keeping = true;
	hub_commit(hub, txn);
}

static void pair_job_done(struct op_entry *entry, const struct job_result *result) {
	if (entry->job.act == ACT_VERIFY_PIN) {
		struct fault fault = result->fault;

		if (fault.code == FAULT_NONE) {
			op_finish(entry, OP_DONE, NULL);
			return;
		}
		(void) text_copy(fault.detail, sizeof(fault.detail),
			"the lock is paired and works; only its PIN could not be verified");
		op_finish(entry, OP_FAILED, &fault);
		return;
	}
	if (result->fault.code != FAULT_NONE) {
		op_finish(entry, OP_FAILED, &result->fault);
		return;
	}
	keep_paired(entry);
}

static struct op_entry *op_of_lock(const struct lock *lock, enum act act) {
	struct op_entry *entry;

	list_for_each(entry, &lock->queue, queued) {
		if (entry->op.act == act) {
			return entry;
		}
	}
	return NULL;
}

static void verify_or_finish(struct lock *lock, struct op_entry *entry) {
	entry->is_keeping = false;
	if (entry->pin.len > 0) {
		lock_pin_given(lock);
	}
	if (is_weak(lock->driver)) {
		lock_weak_accepted(lock, entry->op.actor);
	}
	if (entry->pin.len > 0 && (lock_acts(lock) & 1U << ACT_VERIFY_PIN) != 0) {
		entry->job = (struct job){ .act = ACT_VERIFY_PIN };
		entry->job.pin = entry->pin;
		entry->op.state = OP_QUEUED;
		entry->deadline = mono_after(hub_now(lock->hub), 30000);
		runner_kick_soon(lock);
	} else {
		op_finish(entry, OP_DONE, NULL);
	}
}

static void serve_renewed(struct lock *lock, struct op_entry *entry) {
	struct fault no_memory;

	if (runner_make_link(lock) < 0) {
		(void) fault_set(&no_memory, FAULT_NO_MEMORY,
			"the lock is paired; restart lockhubd to use it");
		op_finish(entry, OP_FAILED, &no_memory);
		return;
	}
	facts_contact(lock, true);
	care_start(lock);
	verify_or_finish(lock, entry);
}

/* A paired lock is in the database: it is one of the hub's locks from here on. */
void enrol_lock_kept(struct hub *hub, const char *id, const struct fault *fault) {
	struct lock *lock = hub->provisional;
	struct op_entry *entry;

	if (lock == NULL || strcmp(lock->id, id) != 0) {
		return;
	}
	entry = op_of_lock(lock, ACT_PAIR);
	if (entry == NULL) {
		return; /* given up meanwhile */
	}
	if (fault != NULL) {
		op_finish(entry, OP_FAILED, fault);
		return;
	}
	hub->provisional = NULL;
	if (lock->renewed != NULL) {
		serve_renewed(renew_take(lock, entry), entry);
		return;
	}
	runner_forget(lock);
	lock->is_provisional = false;
	lock->is_first_import = true;
	if (runner_make_link(lock) < 0 || hub_add_lock(hub, lock) < 0) {
		struct fault no_memory;

		(void) fault_set(&no_memory, FAULT_NO_MEMORY,
			"the lock is paired; restart lockhubd to use it");
		op_finish(entry, OP_FAILED, &no_memory);
		hub->provisional = lock; /* freed when the operation is closed */
		lock->is_provisional = true;
		return;
	}
	facts_contact(lock, true);
	signal_emit(&hub->signals.lock_added, lock);
	care_start(lock);
	verify_or_finish(lock, entry);
}

/* ---- unpairing and renaming ---- */

static void forget_lock(struct op_entry *entry) {
	struct lock *lock = entry->lock;
	struct hub *hub = lock->hub;
	struct txn *txn = hub_txn_new(hub);
	struct event *event = txn != NULL ? txn_add_event(txn, hub, lock, EVENT_UNPAIRED) : NULL;
	struct txn_item *item = txn != NULL ? txn_add(txn, TXN_LOCK_REMOVE) : NULL;
	struct fault fault;

	if (event == NULL || item == NULL) {
		txn_free(txn);
		(void) fault_set(&fault, FAULT_NO_MEMORY, "forgetting %s", lock->slug);
		op_finish(entry, OP_FAILED, &fault);
		return;
	}
	memcpy(event->user, entry->op.actor, sizeof(event->user));
	(void) text_copy(event->text, sizeof(event->text), lock->name);
	lock_to_record(lock, &item->lock);
	secret_wipe(&item->lock.keys);
	settings_forget(lock, txn);
	timers_forget(lock, txn);
	renew_forget(lock, txn);
	entry->is_keeping = true;
	hub_commit(hub, txn);
}

static void unpair_job_done(struct op_entry *entry, const struct job_result *result) {
	enum fault_code code = result->fault.code;

	/* Answered that it does not know us: then there is nothing left to remove. */
	if (code == FAULT_NONE || code == FAULT_NOT_AUTHORIZED || entry->is_forced) {
		forget_lock(entry);
		return;
	}
	op_finish(entry, OP_FAILED, &result->fault);
}

void enrol_job_done(struct op_entry *entry, const struct job_result *result) {
	if (entry->op.act == ACT_PAIR) {
		pair_job_done(entry, result);
	} else {
		unpair_job_done(entry, result);
	}
}

void enrol_lock_gone(struct hub *hub, const char *id, const struct fault *fault) {
	struct lock *lock = hub_lock_by_id(hub, id);
	struct op_entry *entry = lock != NULL ? op_of_lock(lock, ACT_UNPAIR) : NULL;
	struct op_entry *other;
	struct op_entry *next;
	struct fault cancelled;
	struct fault unknown;

	if (lock == NULL || entry == NULL) {
		return;
	}
	if (fault != NULL) {
		op_finish(entry, OP_FAILED, fault);
		return;
	}
	runner_forget(lock);
	(void) fault_set(&cancelled, FAULT_CANCELLED, "%s was unpaired", lock->slug);
	op_finish(entry, OP_DONE, NULL);
	list_for_each_safe(other, next, &lock->queue, queued) {
		/* What has been sent may have been done. */
		if (act_moves_motor(other->op.act) && other->op.first_write.ms != 0) {
			(void) fault_set(
				&unknown, FAULT_OUTCOME_UNKNOWN, "%s was unpaired", lock->slug);
			op_finish(other, OP_UNKNOWN, &unknown);
		} else {
			op_finish(other, OP_FAILED, &cancelled);
		}
	}
	hub_take_lock_out(hub, lock);
	signal_emit(&hub->signals.lock_removed, lock);
	lock_free(lock);
}

int hub_unpair(struct hub *hub, const char *word, bool is_forced, const char *actor, enum role role,
	struct op **ret_op, struct fault *ret_fault) {
	struct lock *lock;
	struct op_entry *entry;
	int r = hub_get_lock(hub, word, &lock, ret_fault);

	if (r < 0) {
		return r;
	}
	if (role < policy_role_for(ACT_UNPAIR)) {
		return fault_set(ret_fault, FAULT_DENIED,
			"unpairing needs the role manage, %s has %s", actor, role_name(role));
	}
	if (!hub->is_started || hub->is_stopping) {
		return fault_set(ret_fault, FAULT_CANCELLED, "the hub is stopping");
	}
	if (lock->is_leaving) {
		return fault_set(ret_fault, FAULT_DUPLICATE, "%s is being unpaired", lock->slug);
	}
	if (lock->renewal != NULL) {
		return fault_set(
			ret_fault, FAULT_LOCK_BUSY, "%s is being paired again", lock->slug);
	}
	/* Without us nobody takes the code away any more, nor tells of it (L4). */
	if (!is_forced && facts_has(lock, FAULT_REVOCATION_PENDING)) {
		return fault_set(ret_fault, FAULT_REVOCATION_PENDING,
			"%s would never hear of it: wait until it is gone, or unpair with --force",
			lock->slug);
	}
	entry = op_new(hub, lock, ACT_UNPAIR, actor);
	if (entry == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "unpairing %s", lock->slug);
	}
	lock->is_leaving = true;
	entry->is_forced = is_forced;
	op_accept(entry);
	if (is_forced || (lock_acts(lock) & 1U << ACT_UNPAIR) == 0) {
		/* Nothing to say to the lock. The intent goes first in the ledger's order. */
		entry->op.state = OP_RUNNING;
		entry->is_keeping = true;
		forget_lock(entry);
	}
	*ret_op = &entry->op;
	return 0;
}

/* A rename that waits for the disk. */
struct renaming {
	struct hub *hub;
	char id[LOCK_ID_MAX];
	char name[LOCK_NAME_MAX];
	char slug[LOCK_SLUG_MAX];
	void (*done)(void *user, const struct fault *fault);
	void *user;
};

/* Names are shown only once they are kept. */
static void rename_committed(void *user, struct txn *txn, const struct fault *fault) {
	struct renaming *renaming = user;
	struct lock *lock = hub_lock_by_id(renaming->hub, renaming->id);

	if (fault == NULL && lock != NULL) {
		memcpy(lock->name, renaming->name, sizeof(lock->name));
		memcpy(lock->slug, renaming->slug, sizeof(lock->slug));
		hub_lock_changed(lock, FACT_NAME);
	}
	hub_txn_done(renaming->hub, txn, fault);
	if (renaming->done != NULL) {
		renaming->done(renaming->user, fault);
	}
	free(renaming);
}

static int check_rename(struct hub *hub, struct lock *lock, const char *name, const char *actor,
	enum role role, struct fault *ret_fault) {
	const struct lock *other = hub_find_lock(hub, name);

	if (role < ROLE_MANAGE) {
		return fault_set(ret_fault, FAULT_DENIED,
			"renaming needs the role manage, %s has %s", actor, role_name(role));
	}
	if (!hub->is_started || hub->is_stopping) {
		return fault_set(ret_fault, FAULT_CANCELLED, "the hub is stopping");
	}
	if (lock->is_leaving) {
		return fault_set(ret_fault, FAULT_NO_SUCH_LOCK, "%s is being unpaired", lock->slug);
	}
	if (name[0] == '\0' || strlen(name) >= LOCK_NAME_MAX ||
		!text_is_clean(name, strlen(name))) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"a name has 1 to %d bytes of printable text", LOCK_NAME_MAX - 1);
	}
	if (other != NULL && other != lock) {
		return fault_set(ret_fault, FAULT_NAME_TAKEN, "%s", name);
	}
	return 0;
}

int hub_rename(struct hub *hub, const char *word, const char *name, const char *actor,
	enum role role, void (*done)(void *user, const struct fault *fault), void *user,
	struct fault *ret_fault) {
	struct lock *lock;
	struct renaming *renaming;
	struct txn *txn;
	struct txn_item *item;
	struct event *event;
	int r = hub_get_lock(hub, word, &lock, ret_fault);

	if (r >= 0) {
		r = check_rename(hub, lock, name, actor, role, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	renaming = calloc(1, sizeof(*renaming));
	txn = renaming != NULL ? txn_new(rename_committed, renaming) : NULL;
	event = txn != NULL ? txn_add_event(txn, hub, lock, EVENT_RENAMED) : NULL;
	item = txn != NULL ? txn_add(txn, TXN_LOCK_PUT) : NULL;
	if (event == NULL || item == NULL) {
		txn_free(txn);
		free(renaming);
		return fault_set(ret_fault, FAULT_NO_MEMORY, "renaming %s", lock->slug);
	}
	*renaming = (struct renaming){ .hub = hub, .done = done, .user = user };
	memcpy(renaming->id, lock->id, sizeof(renaming->id));
	(void) text_copy(renaming->name, sizeof(renaming->name), name);
	hub_make_slug(hub, name, lock, renaming->slug);
	(void) snprintf(event->text, sizeof(event->text), "%.70s is now %.70s", lock->name, name);
	(void) text_copy(event->user, sizeof(event->user), actor);
	lock_to_record(lock, &item->lock);
	memcpy(item->lock.name, renaming->name, sizeof(item->lock.name));
	memcpy(item->lock.slug, renaming->slug, sizeof(item->lock.slug));
	hub_commit(hub, txn);
	return 0;
}
