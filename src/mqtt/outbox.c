/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outbox.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "util/auto.h"
#include "util/list.h"

#include "client.h"

struct letter {
	struct list link;
	char *topic;
	char *payload;
	int64_t seq;       /* in the log; 0: not there */
	uint64_t boot_seq; /* 0: a marker */
	int mid;
};

struct outbox {
	struct client *client;
	char *gap_topic;
	char boot_id[9];
	uint64_t boot_seq; /* of the last one */
	bool is_open;
	struct list letters; /* oldest first; those in flight come first */
	unsigned n_letters;
	unsigned n_flying;
	uint64_t n_lost; /* ever */
	/* Not yet told by a marker. */
	uint64_t gap;
	int64_t gap_first, gap_last; /* numbers of the first and the last one lost */
	uint64_t gap_boot_first, gap_boot_last;
};

static struct letter *letter_free(struct letter *letter) {
	if (letter != NULL) {
		list_remove(&letter->link);
		free(letter->topic);
		free(letter->payload);
		free(letter);
	}
	return NULL;
}
AUTO_DEFINE(struct letter *, letter_free);

struct outbox *outbox_new(struct client *client, const char *gap_topic) {
	struct outbox *outbox = calloc(1, sizeof(*outbox));

	if (outbox == NULL) {
		return NULL;
	}
	list_init(&outbox->letters);
	outbox->client = client;
	uint32_t dice = 0;
	(void) !getrandom(&dice, sizeof(dice), GRND_NONBLOCK);
	(void) snprintf(outbox->boot_id, sizeof(outbox->boot_id), "%08" PRIx32, dice);
	outbox->gap_topic = strdup(gap_topic);
	return outbox->gap_topic != NULL ? outbox : outbox_free(outbox);
}

struct outbox *outbox_free(struct outbox *outbox) {
	if (outbox != NULL) {
		struct letter *letter;
		struct letter *next;
		list_for_each_safe(letter, next, &outbox->letters, link) {
			(void) letter_free(letter);
		}
		free(outbox->gap_topic);
		free(outbox);
	}
	return NULL;
}

/* The object's last brace gives way to what the outbox has to say. */
static char *with_number(const struct outbox *outbox, const char *payload, uint64_t boot_seq) {
	size_t n = strlen(payload);
	char *text = NULL;

	if (n < 3 || payload[n - 1] != '}') {
		return strdup(payload);
	}
	int r = boot_seq != 0 ? asprintf(&text, "%.*s,\"boot_id\":\"%s\",\"boot_seq\":%" PRIu64 "}",
					(int) (n - 1), payload, outbox->boot_id, boot_seq)
			      : asprintf(&text, "%.*s,\"boot_id\":\"%s\"}", (int) (n - 1), payload,
					outbox->boot_id);
	return r >= 0 ? text : NULL;
}

static struct letter *letter_new(const struct outbox *outbox, const char *topic,
	const char *payload, int64_t seq, uint64_t boot_seq) {
	AUTO(letter_free) struct letter *letter = calloc(1, sizeof(*letter));

	if (letter == NULL) {
		return NULL;
	}
	list_init(&letter->link);
	letter->seq = seq;
	letter->boot_seq = boot_seq;
	letter->topic = strdup(topic);
	letter->payload = with_number(outbox, payload, boot_seq);
	return letter->topic != NULL && letter->payload != NULL ? STEAL(letter) : NULL;
}

static void note_loss(struct outbox *outbox, int64_t seq, uint64_t boot_seq) {
	outbox->n_lost++;
	outbox->gap++;
	if (boot_seq != 0) {
		outbox->gap_boot_first =
			outbox->gap_boot_first == 0 ? boot_seq : outbox->gap_boot_first;
		outbox->gap_boot_last = boot_seq;
	}
	if (seq != 0) {
		outbox->gap_first = outbox->gap_first == 0 ? seq : outbox->gap_first;
		outbox->gap_last = seq;
	}
}

/* The oldest that is not in flight makes room: what was dropped is then one run. */
static void drop_oldest(struct outbox *outbox) {
	struct letter *letter;

	list_for_each(letter, &outbox->letters, link) {
		if (letter->mid == 0) {
			note_loss(outbox, letter->seq, letter->boot_seq);
			(void) letter_free(letter);
			outbox->n_letters--;
			return;
		}
	}
}

/* The marker takes the place of what was dropped: in front of all that is not in flight. */
static void put_marker(struct outbox *outbox) {
	char payload[256];
	struct letter *letter;
	struct list *at = &outbox->letters;

	(void) snprintf(payload, sizeof(payload),
		"{\"event_type\":\"events_lost\",\"count\":%" PRIu64 ",\"first_seq\":%" PRId64
		",\"last_seq\":%" PRId64 ",\"first_boot_seq\":%" PRIu64
		",\"last_boot_seq\":%" PRIu64 "}",
		outbox->gap, outbox->gap_first, outbox->gap_last, outbox->gap_boot_first,
		outbox->gap_boot_last);
	struct letter *marker = letter_new(outbox, outbox->gap_topic, payload, 0, 0);
	if (marker == NULL) {
		return;
	}
	list_for_each(letter, &outbox->letters, link) {
		if (letter->mid == 0) {
			break;
		}
		at = &letter->link;
	}
	list_insert(at, &marker->link);
	outbox->n_letters++;
	outbox->gap = 0;
	outbox->gap_first = 0;
	outbox->gap_last = 0;
	outbox->gap_boot_first = 0;
	outbox->gap_boot_last = 0;
}

static void outbox_pump(struct outbox *outbox) {
	struct letter *letter;

	if (!outbox->is_open || outbox->n_flying >= OUTBOX_WINDOW) {
		return;
	}
	if (outbox->gap > 0) {
		put_marker(outbox);
	}
	list_for_each(letter, &outbox->letters, link) {
		if (outbox->n_flying >= OUTBOX_WINDOW) {
			return;
		}
		if (letter->mid == 0) {
			int r = client_publish_event(outbox->client, letter->topic, letter->payload,
				strlen(letter->payload), OUTBOX_EXPIRES_S, &letter->mid);
			if (r == -EMSGSIZE) {
				/* Too long for this broker for ever; the marker comes later. */
				drop_oldest(outbox);
				outbox_pump(outbox);
				return;
			}
			if (r < 0) {
				letter->mid = 0;
				return;
			}
			outbox->n_flying++;
		}
	}
}

static void put(struct outbox *outbox, const char *topic, const char *payload, int64_t seq,
	uint64_t boot_seq) {
	struct letter *letter =
		payload != NULL ? letter_new(outbox, topic, payload, seq, boot_seq) : NULL;

	if (letter == NULL) {
		note_loss(outbox, seq, boot_seq);
		return;
	}
	if (outbox->n_letters >= OUTBOX_MAX) {
		drop_oldest(outbox);
	}
	list_append(&outbox->letters, &letter->link);
	outbox->n_letters++;
	outbox_pump(outbox);
}

void outbox_put(struct outbox *outbox, const char *topic, const char *payload, int64_t seq) {
	put(outbox, topic, payload, seq, ++outbox->boot_seq);
}

void outbox_put_answer(struct outbox *outbox, const char *topic, const char *payload) {
	put(outbox, topic, payload, 0, 0);
}

void outbox_begin(struct outbox *outbox) {
	outbox->is_open = true;
	outbox_pump(outbox);
}

void outbox_end(struct outbox *outbox) {
	struct letter *letter;

	outbox->is_open = false;
	outbox->n_flying = 0;
	list_for_each(letter, &outbox->letters, link) {
		letter->mid = 0; /* goes out again: the broker may not have got it */
	}
}

bool outbox_published(struct outbox *outbox, int mid) {
	struct letter *letter;

	list_for_each(letter, &outbox->letters, link) {
		if (letter->mid == mid) {
			(void) letter_free(letter);
			outbox->n_letters--;
			outbox->n_flying--;
			outbox_pump(outbox);
			return true;
		}
		if (letter->mid == 0) {
			return false;
		}
	}
	return false;
}

const char *outbox_flying_topic(const struct outbox *outbox, int mid) {
	struct letter *letter;

	list_for_each(letter, &outbox->letters, link) {
		if (letter->mid == mid) {
			return letter->topic;
		}
	}
	return NULL;
}

unsigned outbox_count(const struct outbox *outbox) {
	return outbox->n_letters;
}

uint64_t outbox_lost(const struct outbox *outbox) {
	return outbox->n_lost;
}
