/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "redact.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "util/bytes.h"
#include "util/text.h"

#define WORDS_MAX 8192
#define SEEN_MAX 4096
#define FORM_MAX 512
#define PART_LEAST 3     /* letters of a part of a name */
#define ANYWHERE_LEAST 5 /* shorter words count between other characters than letters alone */

/* One form in which a word may stand. */
struct word {
	uint32_t *folded; /* characters, lower case */
	size_t n;
	enum redact_kind kind;
	bool is_anywhere;
	char put[48];
};

struct redactor {
	locale_t locale;
	struct word *words; /* by_first() once sorted */
	size_t n_words;
	bool is_sorted;
	unsigned n_users, n_locks;
	char *seen[SEEN_MAX]; /* long codes; their number is their place */
	size_t n_seen;
	char *hosts[REDACT_HOSTS_MAX];
	size_t n_hosts;
	size_t counts[REDACT_COUNT_];
};

const char *redact_kind_name(enum redact_kind kind) {
	static const char *const names[] = { "names of people", "names of locks", "host names",
		"serial numbers", "Bluetooth addresses", "networks", "secrets and long codes",
		"places and mail addresses" };
	static_assert(ARRAY_SIZE(names) == REDACT_COUNT_, "a name for each");
	return kind < REDACT_COUNT_ ? names[kind] : "";
}

struct redactor *redactor_new(void) {
	struct redactor *redactor = calloc(1, sizeof(*redactor));
	if (redactor != NULL) {
		/* Whatever the person's locale is: names are in UTF-8. */
		redactor->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0);
	}
	return redactor;
}

struct redactor *redactor_free(struct redactor *redactor) {
	if (redactor == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < redactor->n_words; i++) {
		free(redactor->words[i].folded);
	}
	for (size_t i = 0; i < redactor->n_seen; i++) {
		free(redactor->seen[i]);
	}
	for (size_t i = 0; i < redactor->n_hosts; i++) {
		free(redactor->hosts[i]);
	}
	if (redactor->locale != (locale_t) 0) {
		freelocale(redactor->locale);
	}
	free(redactor->words);
	free(redactor);
	return NULL;
}

/* ---- characters ---- */

/* The character at @p, 1 to 4 octets; 0 with *ret_n 1 for what is no UTF-8. */
static uint32_t decode(const char *p, size_t *ret_n) {
	const unsigned char *u = (const unsigned char *) p;
	size_t n = u[0] < 0x80 ? 1 : u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
	*ret_n = 1;
	if (n == 1) {
		return u[0];
	}
	n = strnlen(p, n) == n && text_is_utf8(p, n) ? n : 0;
	if (n == 0) {
		return 0;
	}
	uint32_t value = u[0] & (0xffU >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		value = value << 6 | (u[i] & 0x3fU);
	}
	*ret_n = n;
	return value;
}

static uint32_t fold(const struct redactor *redactor, uint32_t c) {
	if (c < 0x80 || redactor->locale == (locale_t) 0) {
		return c < 0x80 ? (uint32_t) tolower((int) c) : c;
	}
	return (uint32_t) towlower_l((wint_t) c, redactor->locale);
}

static bool is_letter(const struct redactor *redactor, uint32_t c) {
	if (c < 0x80 || redactor->locale == (locale_t) 0) {
		return c < 0x80 && isalpha((int) c);
	}
	return iswalpha_l((wint_t) c, redactor->locale) != 0;
}

/* ---- words ---- */

static bool has_word(const struct redactor *redactor, const uint32_t *folded, size_t n) {
	for (size_t i = 0; i < redactor->n_words; i++) {
		if (redactor->words[i].n == n &&
			memcmp(redactor->words[i].folded, folded, n * sizeof(*folded)) == 0) {
			return true;
		}
	}
	return false;
}

/* One form of a word. */
static int add_form(
	struct redactor *redactor, enum redact_kind kind, const char *form, const char *put) {
	AUTO(free) uint32_t *folded = calloc(strlen(form) + 1, sizeof(*folded));
	size_t n = 0;
	if (folded == NULL) {
		return -ENOMEM;
	}
	for (const char *p = form; *p != '\0';) {
		size_t n_octets;
		folded[n++] = fold(redactor, decode(p, &n_octets));
		p += n_octets;
	}
	if (n < 2 || redactor->n_words >= WORDS_MAX || has_word(redactor, folded, n)) {
		return 0;
	}
	struct word *words = reallocarray(redactor->words, redactor->n_words + 1, sizeof(*words));
	if (words == NULL) {
		return -ENOMEM;
	}
	redactor->words = words;
	struct word *word = &words[redactor->n_words++];
	*word = (struct word){ .n = n, .kind = kind, .is_anywhere = n >= ANYWHERE_LEAST };
	word->folded = STEAL(folded);
	text_copy(word->put, sizeof(word->put), put);
	redactor->is_sorted = false;
	return 0;
}

static void form_url(const char *word, char *out, size_t size) {
	size_t n = 0;
	for (const char *p = word; *p != '\0' && n + 4 < size; p++) {
		bool is_plain = isalnum((unsigned char) *p) || strchr("-._~", *p) != NULL;
		n += (size_t) snprintf(
			out + n, size - n, is_plain ? "%c" : "%%%02X", (unsigned char) *p);
	}
}

/* As JSON in ASCII has it: \u00fc, surrogates for what lies beyond. */
static void form_json(const char *word, char *out, size_t size) {
	size_t n = 0, n_octets;
	for (const char *p = word; *p != '\0' && n + 13 < size; p += n_octets) {
		uint32_t c = decode(p, &n_octets);
		if (c >= 0x10000) {
			n += (size_t) snprintf(out + n, size - n, "\\u%04x\\u%04x",
				0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff));
		} else if (c >= 0x80) {
			n += (size_t) snprintf(out + n, size - n, "\\u%04x", c);
		} else {
			bool is_escaped = c == '"' || c == '\\';
			n += (size_t) snprintf(
				out + n, size - n, "%s%c", is_escaped ? "\\" : "", (int) c);
		}
	}
}

static void form_html(const char *word, char *out, size_t size) {
	static const struct {
		char c;
		const char *name;
	} rows[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" },
		{ '\'', "&#39;" } };
	size_t n = 0;
	for (const char *p = word; *p != '\0' && n + 7 < size; p++) {
		const char *name = NULL;
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			name = rows[i].c == *p ? rows[i].name : name;
		}
		n += (size_t) (name != NULL ? snprintf(out + n, size - n, "%s", name)
					    : snprintf(out + n, size - n, "%c", *p));
	}
}

/*
 * What of base64 does not depend on what stands before and behind, with @skip octets (0..2) of
 * something else before the word in its group of three.
 */
static void form_base64(const char *word, size_t skip, char *out, size_t size) {
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t bits = strlen(word) * 8, n = 0;
	/* The first whole digit behind what is mixed with the octets before. */
	for (size_t at = skip == 0   ? 0
			 : skip == 1 ? 4
				     : 2;
		at + 6 <= bits && n + 1 < size; at += 6) {
		unsigned value = 0;
		for (size_t i = at; i < at + 6; i++) {
			value = value << 1 | ((unsigned char) word[i / 8] >> (7 - i % 8) & 1U);
		}
		out[n++] = digits[value];
	}
	out[n] = '\0';
}

/* All the forms in which the word may stand. */
static int add_forms(
	struct redactor *redactor, enum redact_kind kind, const char *word, const char *put) {
	char form[FORM_MAX] = "";
	int r = add_form(redactor, kind, word, put);
	text_slug(word, form, sizeof(form));
	/* "lock" is what a name without Latin letters becomes. */
	if (r >= 0 && strlen(form) >= PART_LEAST && strcmp(form, "lock") != 0) {
		r = add_form(redactor, kind, form, put);
	}
	void (*const forms[])(const char *, char *, size_t) = { form_url, form_json, form_html };
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(forms); i++) {
		form[0] = '\0';
		forms[i](word, form, sizeof(form));
		r = add_form(redactor, kind, form, put);
	}
	if (strlen(word) < ANYWHERE_LEAST || strlen(word) * 2 >= sizeof(form)) {
		return r;
	}
	if (r >= 0) {
		r = add_form(redactor, kind, hex_encode(word, strlen(word), form), put);
	}
	for (size_t skip = 0; r >= 0 && skip < 3; skip++) {
		form_base64(word, skip, form, sizeof(form));
		r = add_form(redactor, kind, form, put);
	}
	return r;
}

/* "Anna", "Müller": each is as telling as both. */
static int add_parts(struct redactor *redactor, const char *name, const char *put) {
	char part[FORM_MAX];
	int r = 0;
	for (const char *p = name; r >= 0 && *p != '\0';) {
		size_t n = 0, n_octets, letters = 0;
		while (p[n] != '\0' && is_letter(redactor, decode(p + n, &n_octets))) {
			n += n_octets;
			letters++;
		}
		if (letters >= PART_LEAST && n < sizeof(part)) {
			memcpy(part, p, n);
			part[n] = '\0';
			r = add_forms(redactor, REDACT_USER, part, put);
		}
		p += n;
		if (*p != '\0') {
			(void) decode(p, &n_octets);
			p += n_octets;
		}
	}
	return r;
}

static int add_address(struct redactor *redactor, const char *address) {
	char put[48], bare[32], under[32];
	size_t n = 0;
	if (strlen(address) != 17) {
		return 0;
	}
	/* With colons it is found by its pattern. */
	snprintf(put, sizeof(put), "XX:XX:XX:XX:%s", address + 12);
	for (size_t i = 0; i <= 17; i++) {
		under[i] = address[i] == ':' ? '_' : address[i];
		if (address[i] != ':') {
			bare[n++] = address[i];
		}
	}
	int r = add_form(redactor, REDACT_ADDRESS, bare, put);
	return r < 0 ? r : add_form(redactor, REDACT_ADDRESS, under, put);
}

int redactor_add(struct redactor *redactor, enum redact_kind kind, const char *word) {
	char put[48];
	size_t n = strlen(word), before = redactor->n_words;
	int r;
	switch (kind) {
	case REDACT_USER:
		snprintf(put, sizeof(put), "user %u", redactor->n_users + 1);
		r = add_forms(redactor, kind, word, put);
		if (r >= 0 && n >= PART_LEAST) {
			r = add_parts(redactor, word, put);
		}
		redactor->n_users += redactor->n_words > before;
		return r;
	case REDACT_LOCK:
		snprintf(put, sizeof(put), "lock %u", redactor->n_locks + 1);
		r = add_forms(redactor, kind, word, put);
		redactor->n_locks += redactor->n_words > before;
		return r;
	case REDACT_HOST:
		return strcmp(word, "localhost") == 0 ? 0
						      : add_forms(redactor, kind, word, "[host]");
	case REDACT_SERIAL:
		snprintf(put, sizeof(put), "…%s", n > 4 ? word + n - 4 : "");
		return n >= 4 ? add_forms(redactor, kind, word, put) : 0;
	case REDACT_ADDRESS:
		return add_address(redactor, word);
	case REDACT_NETWORK:
	case REDACT_SECRET:
	case REDACT_PLACE:
	case REDACT_COUNT_:
		break;
	}
	return add_forms(redactor, kind, word, "[removed]");
}

int redactor_allow_host(struct redactor *redactor, const char *host) {
	/* A name without a point is one of a house. */
	if (redactor->n_hosts == REDACT_HOSTS_MAX || strchr(host, '.') == NULL ||
		redactor_allows_host(redactor, host, strlen(host))) {
		return 0;
	}
	char *copy = strdup(host);
	if (copy == NULL) {
		return -ENOMEM;
	}
	redactor->hosts[redactor->n_hosts++] = copy;
	return 0;
}

bool redactor_allows_host(const struct redactor *redactor, const char *host, size_t n) {
	for (size_t i = 0; i < redactor->n_hosts; i++) {
		if (strlen(redactor->hosts[i]) == n &&
			strncasecmp(redactor->hosts[i], host, n) == 0) {
			return true;
		}
	}
	return false;
}

/* ---- a text ---- */

/* Its characters, and the same lower case; with a zero behind. */
struct letters {
	uint32_t *folded;
	size_t *offset; /* in octets; one more than characters */
	size_t n;
};

static void letters_free(struct letters *letters) {
	free(letters->folded);
	free(letters->offset);
}

static int letters_read(const struct redactor *redactor, const char *text, struct letters *ret) {
	size_t size = strlen(text) + 1;
	ret->folded = calloc(size, sizeof(*ret->folded));
	ret->offset = calloc(size, sizeof(*ret->offset));
	if (ret->folded == NULL || ret->offset == NULL) {
		return -ENOMEM;
	}
	for (size_t at = 0, n_octets; text[at] != '\0'; at += n_octets) {
		ret->folded[ret->n] = fold(redactor, decode(text + at, &n_octets));
		ret->offset[ret->n++] = at;
	}
	ret->offset[ret->n] = size - 1;
	return 0;
}

static bool fits(const struct redactor *redactor, const struct word *word,
	const struct letters *letters, size_t i) {
	if (i + word->n > letters->n || letters->folded[i] != word->folded[0] ||
		memcmp(letters->folded + i, word->folded, word->n * sizeof(*word->folded)) != 0) {
		return false;
	}
	return word->is_anywhere ||
	       ((i == 0 || !is_letter(redactor, letters->folded[i - 1])) &&
		       (i + word->n == letters->n ||
			       !is_letter(redactor, letters->folded[i + word->n])));
}

/* By the first character, and the longest first of those that share it. */
static int by_first(const void *a, const void *b) {
	const struct word *x = a, *y = b;
	if (x->folded[0] != y->folded[0]) {
		return x->folded[0] < y->folded[0] ? -1 : 1;
	}
	return x->n < y->n ? 1 : x->n > y->n ? -1 : 0;
}

static const struct word *find_word(
	const struct redactor *redactor, const struct letters *letters, size_t i) {
	size_t low = 0, high = redactor->n_words;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (redactor->words[middle].folded[0] < letters->folded[i]) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	for (; low < redactor->n_words && redactor->words[low].folded[0] == letters->folded[i];
		low++) {
		if (fits(redactor, &redactor->words[low], letters, i)) {
			return &redactor->words[low];
		}
	}
	return NULL;
}

static unsigned number_of(struct redactor *redactor, const char *code, size_t n) {
	for (size_t i = 0; i < redactor->n_seen; i++) {
		if (strlen(redactor->seen[i]) == n &&
			strncasecmp(redactor->seen[i], code, n) == 0) {
			return (unsigned) i + 1;
		}
	}
	char *copy = redactor->n_seen < SEEN_MAX ? strndup(code, n) : NULL;
	if (copy == NULL) {
		return 0; /* told apart no more */
	}
	redactor->seen[redactor->n_seen++] = copy;
	return (unsigned) redactor->n_seen;
}

static size_t put_match(
	struct redactor *redactor, FILE *out, const char *at, const struct redact_match *match) {
	fwrite(at, 1, match->n_kept, out);
	if (match->put[0] != '\0') {
		fputs(match->put, out);
	} else {
		fprintf(out, "[%s %u]", match->tag,
			number_of(redactor, at + match->n_kept, match->n - match->n_kept));
	}
	redactor->counts[match->kind]++;
	return match->n;
}

static void write_redacted(struct redactor *redactor, const char *text,
	const struct letters *letters, unsigned flags, FILE *out) {
	for (size_t i = 0; i < letters->n;) {
		const char *at = text + letters->offset[i];
		struct redact_match match = { 0 };
		/* A name may be the begin of more: "anna:password@host". */
		redact_pattern(redactor, text, at, flags, &match);
		if (match.n > 0) {
			size_t end = letters->offset[i] + put_match(redactor, out, at, &match);
			while (i < letters->n && letters->offset[i] < end) {
				i++;
			}
			continue;
		}
		const struct word *word = find_word(redactor, letters, i);
		if (word != NULL) {
			fputs(word->put, out);
			redactor->counts[word->kind]++;
			i += word->n;
			continue;
		}
		if (letters->folded[i] == 0) {
			fputs("\xef\xbf\xbd", out);
		} else {
			fwrite(at, 1, letters->offset[i + 1] - letters->offset[i], out);
		}
		i++;
	}
}

char *redact_text(struct redactor *redactor, const char *text, unsigned flags) {
	AUTO_VALUE(letters_free) struct letters letters = { 0 };
	char *result = NULL;
	size_t n = 0;
	if (!redactor->is_sorted && redactor->n_words > 0) {
		qsort(redactor->words, redactor->n_words, sizeof(*redactor->words), by_first);
	}
	redactor->is_sorted = true;
	if (letters_read(redactor, text, &letters) < 0) {
		return NULL;
	}
	FILE *out = open_memstream(&result, &n);
	if (out == NULL) {
		return NULL;
	}
	write_redacted(redactor, text, &letters, flags, out);
	bool is_bad = ferror(out) != 0;
	if (fclose(out) != 0 || is_bad) {
		free(result);
		return NULL;
	}
	return result;
}

/* ---- JSON ---- */

static json_t *redact_string(struct redactor *redactor, const char *text) {
	AUTO(free) char *clean = redact_text(redactor, text, 0);
	return clean != NULL ? json_string(clean) : NULL;
}

static json_t *redact_object(struct redactor *redactor, const json_t *object) {
	json_t *result = json_object(), *value;
	const char *key;
	json_object_foreach((json_t *) object, key, value) {
		/* A key of ours is no name, even when somebody is called "state". */
		bool is_ours = strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(key);
		AUTO(free) char *clean = is_ours ? strdup(key) : redact_text(redactor, key, 0);
		bool is_secret = redact_is_secret_key(key) && !json_is_null(value) &&
				 !json_is_boolean(value);
		redactor->counts[REDACT_SECRET] += is_secret;
		json_t *kept = is_secret ? json_string("[removed]") : redact_json(redactor, value);
		if (clean == NULL || json_object_set_new(result, clean, kept) < 0) {
			json_decref(result);
			return NULL;
		}
	}
	return result;
}

json_t *redact_json(struct redactor *redactor, const json_t *value) {
	if (json_is_string(value)) {
		return redact_string(redactor, json_string_value(value));
	}
	if (json_is_object(value)) {
		return redact_object(redactor, value);
	}
	if (!json_is_array(value)) {
		return json_deep_copy(value);
	}
	json_t *result = json_array();
	const json_t *each;
	size_t i;
	json_array_foreach(value, i, each) {
		if (json_array_append_new(result, redact_json(redactor, each)) < 0) {
			json_decref(result);
			return NULL;
		}
	}
	return result;
}

size_t redact_count(const struct redactor *redactor, enum redact_kind kind) {
	return redactor->counts[kind];
}
