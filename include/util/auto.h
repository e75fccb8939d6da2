/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Cleanup on every way out of a scope (R4). For a destructor that takes a pointer and copes with
 * NULL, say once beside its prototype
 *
 *	AUTO_DEFINE(struct frame *, frame_free);
 *
 * and then at each use
 *
 *	AUTO(frame_free) struct frame *reply = NULL;
 *
 * AUTO_VALUE(fn) is for objects that live in the scope itself: fn gets their address.
 */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define AUTO_DEFINE(type, fn)                                                                      \
	__attribute__((unused)) static inline void fn##_auto(type *object) {                       \
		if (*object != NULL) {                                                             \
			(void) fn(*object);                                                        \
		}                                                                                  \
	}                                                                                          \
	struct fn##_auto_swallows_a_semicolon

#define AUTO(fn) __attribute__((cleanup(fn##_auto)))
#define AUTO_VALUE(fn) __attribute__((cleanup(fn)))

/* Hands the pointer over and forgets it, so that its AUTO does nothing. */
#define STEAL(pointer)                                                                             \
	({                                                                                         \
		__typeof__(pointer) stolen_ = (pointer);                                           \
		(pointer) = NULL;                                                                  \
		stolen_;                                                                           \
	})

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* clang-format off */
#define container_of(ptr, type, member) \
	((type *) (void *) ((char *) (ptr) - offsetof(type, member)))
/* clang-format on */

/* AUTO(free) works on every pointer: this takes the address of any, and looks at it as octets. */
__attribute__((unused)) static inline void free_auto(void *object) {
	void *pointer;
	memcpy(&pointer, object, sizeof(pointer));
	free(pointer);
}
