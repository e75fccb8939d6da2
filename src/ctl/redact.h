/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Takes what is secret or personal out of a text that goes to strangers. Two ways:
 *
 *	words     what is known to be a name here: people, locks, accounts, the hub. Found in
 *	          any case, as short name, and as JSON, HTML, a URL, hex or base64 have it.
 *	patterns  what looks like a secret whoever made it (redact-pattern.c): keys, PINs and
 *	          passwords behind their names, long hex and base64, addresses, hosts, homes.
 *
 * The same thing becomes the same words each time ("user 3"), so that a reader can follow it. When
 * in doubt it is taken out. Pure but for memory; any thread, one at a time.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/auto.h"

enum redact_kind {
	REDACT_USER,    /* a person: "user 3" */
	REDACT_LOCK,    /* a lock's name: "lock 1" */
	REDACT_HOST,    /* a computer: "[host]" */
	REDACT_SERIAL,  /* a serial number: "…2C3D" */
	REDACT_ADDRESS, /* Bluetooth: "XX:XX:XX:XX:00:01" */
	REDACT_NETWORK, /* IP address, name of a wireless network */
	REDACT_SECRET,  /* PIN, password, key, token, long code */
	REDACT_PLACE,   /* home folder, position, mail address */
	REDACT_COUNT_,
};
const char *redact_kind_name(enum redact_kind kind); /* "names of people" */

struct redactor;
struct redactor *redactor_new(void); /* NULL: no memory */
struct redactor *redactor_free(struct redactor *redactor);
AUTO_DEFINE(struct redactor *, redactor_free);

/*
 * A word that is to be taken out: USER, LOCK, HOST, SERIAL or ADDRESS. A person's name counts in
 * parts too ("Anna", "Müller"). Words known already and those of fewer than two characters are
 * dropped. -ENOMEM.
 */
int redactor_add(struct redactor *redactor, enum redact_kind kind, const char *word);
/* A host that may stay, and mail addresses there: of a maker's support. -ENOMEM. */
#define REDACT_HOSTS_MAX 16
int redactor_allow_host(struct redactor *redactor, const char *host);

/* Hex stays: of a transcript, whose secrets the recorder has blanked. */
enum { REDACT_KEEP_HEX = 1 << 0 };
/* The text without them; free() it. NULL: no memory. What is no UTF-8 becomes U+FFFD. */
char *redact_text(struct redactor *redactor, const char *text, unsigned flags);
/*
 * Every string in it, what stands under a key that names a secret, and keys, unless they consist of
 * a-z, 0-9 and "_" alone, as those of our own formats do. New reference; NULL: no memory.
 */
json_t *redact_json(struct redactor *redactor, const json_t *value);
/* How often something of a kind was taken out so far. */
size_t redact_count(const struct redactor *redactor, enum redact_kind kind);

/* ---- redact-pattern.c, for redact.c alone ---- */

struct redact_match {
	size_t n; /* octets that go; 0: none here */
	enum redact_kind kind;
	size_t n_kept;   /* of these, at the begin, stay */
	char put[80];    /* what comes instead; "" a number for it */
	const char *tag; /* with put "": "[tag 3]" */
};
/*
 * Whether something secret begins at @at in the text that begins at @text; octets before it have
 * been looked at.
 */
void redact_pattern(const struct redactor *redactor, const char *text, const char *at,
	unsigned flags, struct redact_match *ret);
bool redact_is_secret_key(const char *key); /* of a JSON object: "password" */
bool redactor_allows_host(const struct redactor *redactor, const char *host, size_t n);
