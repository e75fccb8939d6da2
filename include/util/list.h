/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Intrusive doubly linked list. The head and every member are a struct list; a member that is in no
 * list points at itself after list_init(). Who owns the members is the holder's business.
 */

#include <stdbool.h>

#include "util/auto.h"

struct list {
	struct list *next;
	struct list *prev;
};

static inline void list_init(struct list *list) {
	list->next = list;
	list->prev = list;
}

static inline bool list_is_empty(const struct list *list) {
	return list->next == list;
}

/* Puts @member behind @at (at the front when @at is the head). */
static inline void list_insert(struct list *at, struct list *member) {
	member->prev = at;
	member->next = at->next;
	at->next->prev = member;
	at->next = member;
}

static inline void list_append(struct list *head, struct list *member) {
	list_insert(head->prev, member);
}

/* Takes @member out of its list; harmless when it is in none. */
static inline void list_remove(struct list *member) {
	member->prev->next = member->next;
	member->next->prev = member->prev;
	list_init(member);
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)

#define list_first(head, type, member)                                                             \
	(list_is_empty(head) ? NULL : list_entry((head)->next, type, member))

#define list_for_each(pos, head, member)                                                           \
	for (pos = list_entry((head)->next, __typeof__(*pos), member); &pos->member != (head);     \
		pos = list_entry(pos->member.next, __typeof__(*pos), member))

/* @next holds the follower, so that pos itself may be removed (and freed) in the body. */
#define list_for_each_safe(pos, following, head, member)                                           \
	for (pos = list_entry((head)->next, __typeof__(*pos), member),                             \
	    following = list_entry(pos->member.next, __typeof__(*pos), member);                    \
		&pos->member != (head); pos = following,                                           \
	    following = list_entry(pos->member.next, __typeof__(*pos), member))
