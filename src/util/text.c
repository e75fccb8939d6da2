/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/text.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define NEAREST_WORD_MAX 64 /* octets; nobody mistypes longer words usefully */

bool text_equal(const char *a, const char *b) {
	if (a == NULL || b == NULL) {
		return a == b;
	}
	return strcmp(a, b) == 0;
}

/*
 * Length in octets of the well-formed character at @at, of which @n octets are there; 0 when there
 * is none. Source: RFC 3629 section 4.
 */
static size_t utf8_char(const uint8_t *at, size_t n, uint32_t *ret_char) {
	if (n == 0) {
		return 0;
	}
	if (at[0] < 0x80) {
		*ret_char = at[0];
		return 1;
	}

	size_t length;
	uint32_t c;
	uint8_t low = 0x80;
	uint8_t high = 0xbf;
	if (at[0] >= 0xc2 && at[0] <= 0xdf) {
		length = 2;
		c = at[0] & 0x1f;
	} else if (at[0] >= 0xe0 && at[0] <= 0xef) {
		length = 3;
		c = at[0] & 0x0f;
		low = at[0] == 0xe0 ? 0xa0 : 0x80;  /* no overlong forms */
		high = at[0] == 0xed ? 0x9f : 0xbf; /* no surrogates */
	} else if (at[0] >= 0xf0 && at[0] <= 0xf4) {
		length = 4;
		c = at[0] & 0x07;
		low = at[0] == 0xf0 ? 0x90 : 0x80;
		high = at[0] == 0xf4 ? 0x8f : 0xbf; /* nothing above U+10FFFF */
	} else {
		return 0;
	}
	if (n < length || at[1] < low || at[1] > high) {
		return 0;
	}
	for (size_t i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80) {
			return 0;
		}
		c = c << 6 | (at[i] & 0x3f);
	}
	*ret_char = c;
	return length;
}

static bool char_is_control(uint32_t c) {
	/*
	 * C0, DEL, C1; the line and paragraph separators, which some readers break lines at; and
	 * what turns the direction of writing: a name with it would change how the rest of a line
	 * reads.
	 */
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

size_t text_cut(const char *text, size_t max) {
	size_t n = strnlen(text, max);
	if (n < max || text[n] == '\0') {
		return n;
	}
	/* The cut is inside a character when what follows it is a continuation. */
	size_t cut = n;
	while (cut > 0 && n - cut < 3 && ((uint8_t) text[cut] & 0xc0) == 0x80) {
		cut--;
	}
	return ((uint8_t) text[cut] & 0xc0) == 0x80 ? n : cut;
}

bool text_copy(char *out, size_t size, const char *text) {
	assert(size > 0);
	size_t n = text_cut(text, size - 1);
	memmove(out, text, n);
	bool is_whole = text[n] == '\0';
	out[n] = '\0';
	return is_whole;
}

static bool text_check(const char *text, size_t n, bool is_control_fine) {
	const uint8_t *at = (const uint8_t *) text;
	while (n > 0) {
		uint32_t c;
		size_t length = utf8_char(at, n, &c);
		if (length == 0 || (!is_control_fine && char_is_control(c))) {
			return false;
		}
		at += length;
		n -= length;
	}
	return true;
}

bool text_is_utf8(const char *text, size_t n) {
	return text_check(text, n, true);
}

bool text_is_clean(const char *text, size_t n) {
	return text_check(text, n, false);
}

void text_sanitize(char *text) {
	uint8_t *from = (uint8_t *) text;
	uint8_t *to = from;
	size_t n = strlen(text);
	while (n > 0) {
		uint32_t c;
		size_t length = utf8_char(from, n, &c);
		if (length == 0) {
			length = 1;
			c = 0;
		}
		if (char_is_control(c)) {
			*to++ = '?';
		} else {
			memmove(to, from, length);
			to += length;
		}
		from += length;
		n -= length;
	}
	*to = '\0';
}

/* Latin-1 letters as people write them without accents, from U+00C0 on; "" is left out. */
static const char *const latin1_plain[64] = {
	"a", "a", "a", "a", "ae", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i",   /* C0 */
	"d", "n", "o", "o", "o", "o", "oe", "", "oe", "u", "u", "u", "ue", "y", "th", "ss", /* D0 */
	"a", "a", "a", "a", "ae", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i",   /* E0 */
	"d", "n", "o", "o", "o", "o", "oe", "", "oe", "u", "u", "u", "ue", "y", "th", "y",  /* F0 */
};

void text_slug(const char *text, char *out, size_t size) {
	assert(size >= sizeof("lock"));
	const uint8_t *at = (const uint8_t *) text;
	size_t n = strlen(text);
	size_t used = 0;
	bool wants_dash = false;

	while (n > 0) {
		uint32_t c;
		size_t length = utf8_char(at, n, &c);
		if (length == 0) {
			length = 1;
			c = '-';
		}
		at += length;
		n -= length;

		char one[2] = "";
		const char *plain = one;
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
			one[0] = (char) c;
		} else if (c >= 'A' && c <= 'Z') {
			one[0] = (char) (c - 'A' + 'a');
		} else if (c >= 0xc0 && c <= 0xff) {
			plain = latin1_plain[c - 0xc0];
		} else if (c == '\'' || c == 0x2019) {
			continue; /* "Anna's door" -> "annas-door" */
		}
		if (plain[0] == '\0') {
			wants_dash = used > 0;
			continue;
		}
		size_t n_plain = strlen(plain);
		if (used + (wants_dash ? 1 : 0) + n_plain >= size) {
			break;
		}
		if (wants_dash) {
			out[used++] = '-';
			wants_dash = false;
		}
		memcpy(out + used, plain, n_plain);
		used += n_plain;
	}
	if (used == 0) {
		memcpy(out, "lock", 4);
		used = 4;
	}
	out[used] = '\0';
}

static bool char_is_word(char c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* The next LOCK from @at on that is a word of its own in @text, or NULL. */
static const char *find_lock(const char *text, const char *at) {
	static const char word[] = "LOCK";
	while ((at = strstr(at, word)) != NULL) {
		const char *behind = at + sizeof(word) - 1;
		if (!char_is_word(*behind) && (at == text || !char_is_word(at[-1]))) {
			return at;
		}
		at = behind;
	}
	return NULL;
}

bool text_fill_lock(const char *text, const char *lock, char *out, size_t size) {
	assert(size > 0);
	const char *at = text;
	size_t used = 0;
	bool is_whole = true;

	while (is_whole && *at != '\0') {
		const char *slot = lock != NULL ? find_lock(text, at) : NULL;
		/* What is before the slot, then what goes into it. */
		size_t n_plain = slot != NULL ? (size_t) (slot - at) : strlen(at);
		size_t n = text_cut(at, size - 1 - used);
		n = n < n_plain ? n : n_plain;
		memcpy(out + used, at, n);
		used += n;
		is_whole = n == n_plain;
		at += n_plain;
		if (is_whole && slot != NULL) {
			n = text_cut(lock, size - 1 - used);
			memcpy(out + used, lock, n);
			used += n;
			is_whole = lock[n] == '\0';
			at += strlen("LOCK");
		}
	}
	out[used] = '\0';
	return is_whole;
}

static size_t min3(size_t a, size_t b, size_t c) {
	size_t ab = a < b ? a : b;
	return ab < c ? ab : c;
}

static int char_fold(char c) {
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* Insertions, deletions, changes and swaps of neighbours; both words within NEAREST_WORD_MAX. */
static size_t edit_distance(const char *a, size_t n_a, const char *b, size_t n_b) {
	size_t rows[3][NEAREST_WORD_MAX + 1];
	size_t *before = rows[0];
	size_t *last = rows[1];
	size_t *row = rows[2];

	for (size_t j = 0; j <= n_b; j++) {
		last[j] = j;
		before[j] = 0;
	}
	for (size_t i = 1; i <= n_a; i++) {
		row[0] = i;
		for (size_t j = 1; j <= n_b; j++) {
			bool is_same = char_fold(a[i - 1]) == char_fold(b[j - 1]);
			row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + (is_same ? 0 : 1));
			if (i > 1 && j > 1 && char_fold(a[i - 1]) == char_fold(b[j - 2]) &&
				char_fold(a[i - 2]) == char_fold(b[j - 1]) &&
				before[j - 2] + 1 < row[j]) {
				row[j] = before[j - 2] + 1;
			}
		}
		size_t *spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[n_b];
}

const char *text_nearest(const char *word, const char *const *names, size_t n) {
	size_t n_word = strlen(word);
	if (n_word == 0 || n_word > NEAREST_WORD_MAX) {
		return NULL;
	}
	/* A third of the word may be wrong. */
	size_t limit = n_word / 3 > 0 ? n_word / 3 : 1;
	const char *best = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t n_name = names[i] != NULL ? strlen(names[i]) : SIZE_MAX;
		if (n_name > NEAREST_WORD_MAX) {
			continue;
		}
		size_t distance = edit_distance(word, n_word, names[i], n_name);
		/* A name with nothing in common with the word is no suggestion. */
		if (distance <= limit && distance < n_name) {
			best = names[i];
			if (distance == 0) {
				break;
			}
			limit = distance - 1;
		}
	}
	return best;
}

int text_to_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret) {
	uint64_t value = 0;
	bool is_large = false;

	if (text[0] == '\0') {
		return -EINVAL;
	}
	for (const char *at = text; *at != '\0'; at++) {
		if (*at < '0' || *at > '9') {
			return -EINVAL;
		}
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t) (*at - '0'), &value)) {
			is_large = true;
		}
	}
	if (is_large || value < min || value > max) {
		return -ERANGE;
	}
	*ret = value;
	return 0;
}

const char *name_of(const struct name_row *rows, size_t n, int value) {
	for (size_t i = 0; i < n; i++) {
		if (rows[i].value == value) {
			return rows[i].name;
		}
	}
	return "?";
}

int name_to(const struct name_row *rows, size_t n, const char *name, int *ret) {
	for (size_t i = 0; i < n; i++) {
		if (text_equal(rows[i].name, name)) {
			*ret = rows[i].value;
			return 0;
		}
	}
	return -EINVAL;
}
