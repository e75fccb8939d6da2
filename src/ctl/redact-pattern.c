/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What looks like a secret, whoever made it. Text is looked at from left to right, once. */

#include "redact.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "util/text.h"

#define HEX_LEAST 16  /* digits; a lock's id has 8, a Bluetooth address 12 */
#define CODE_LEAST 20 /* characters of base64 */
#define BASE32_LEAST 16
#define VALUE_MAX 512
#define ODD_LEAST 12
#define POSITION_DIGITS 5 /* behind the point: a metre */

#define HEX "0123456789abcdefABCDEF"
#define DIGITS "0123456789"
#define ALNUM "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool is_word_char(char c) {
	return isalnum((unsigned char) c) || c == '_';
}

/* Nothing that belongs to it stands before. */
static bool is_begin(const char *text, const char *at) {
	return at == text || !is_word_char(at[-1]);
}

static void set(struct redact_match *match, enum redact_kind kind, size_t n, const char *put) {
	match->n = n;
	match->kind = kind;
	text_copy(match->put, sizeof(match->put), put);
}

static void set_numbered(
	struct redact_match *match, enum redact_kind kind, size_t n, const char *tag) {
	match->n = n;
	match->kind = kind;
	match->tag = tag;
}

/* ---- addresses ---- */

/* "54:D2:72:00:00:01", also with - and _, as BlueZ's paths have it. */
static bool match_bluetooth(const char *text, const char *at, struct redact_match *match) {
	char separator = strlen(at) >= 17 ? at[2] : '\0';
	char put[32];
	if ((separator != ':' && separator != '-' && separator != '_') ||
		(at > text && isxdigit((unsigned char) at[-1]))) {
		return false;
	}
	for (size_t i = 0; i < 17; i++) {
		bool is_right = i % 3 == 2 ? at[i] == separator : isxdigit((unsigned char) at[i]);
		if (!is_right) {
			return false;
		}
	}
	if (isxdigit((unsigned char) at[17])) {
		return false;
	}
	snprintf(put, sizeof(put), "XX%cXX%cXX%cXX%c%.5s", separator, separator, separator,
		separator, at + 12);
	set(match, REDACT_ADDRESS, 17, put);
	return true;
}

static bool match_ipv4(const char *text, const char *at, struct redact_match *match) {
	size_t n = 0;
	if (!is_begin(text, at) || (at > text && at[-1] == '.')) {
		return false;
	}
	for (int part = 0; part < 4; part++) {
		size_t digits = strspn(at + n, DIGITS);
		unsigned value = 0;
		for (size_t i = 0; i < digits && i < 4; i++) {
			value = value * 10 + (unsigned) (at[n + i] - '0');
		}
		if (digits == 0 || digits > 3 || value > 255 ||
			(part < 3 && at[n + digits] != '.')) {
			return false;
		}
		n += digits + (part < 3);
	}
	if (is_word_char(at[n]) || (at[n] == '.' && isdigit((unsigned char) at[n + 1])) ||
		strncmp(at, "127.", 4) == 0 || strncmp(at, "0.0.0.0", 7) == 0) {
		return false;
	}
	set(match, REDACT_NETWORK, n, "[address]");
	return true;
}

/* Two colons in a row, or seven in all; a time of day has neither. */
static bool match_ipv6(const char *text, const char *at, struct redact_match *match) {
	size_t n = strspn(at, HEX ":"), colons = 0, digits = 0;
	bool is_short = false;
	if (!is_begin(text, at) || (at > text && at[-1] == ':') || n < 3) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		colons += at[i] == ':';
		digits += at[i] != ':';
		is_short = is_short || (i > 0 && at[i] == ':' && at[i - 1] == ':');
	}
	if (digits < 2 || !(is_short || colons >= 7) || colons < 2) {
		return false;
	}
	set(match, REDACT_NETWORK, n, "[address]");
	return true;
}

/* ---- codes ---- */

static bool match_hex(
	const char *text, const char *at, unsigned flags, struct redact_match *match) {
	size_t n = strspn(at, HEX);
	if ((flags & REDACT_KEEP_HEX) != 0 || n < HEX_LEAST || !is_begin(text, at) ||
		is_word_char(at[n])) {
		return false;
	}
	set_numbered(match, REDACT_SECRET, n, "hex");
	return true;
}

/* The same in pairs: "4f:3a:...", "4f 3a ...", "0x4f, 0x3a". */
static bool match_hex_pairs(
	const char *text, const char *at, unsigned flags, struct redact_match *match) {
	size_t n = 0, pairs = 0;
	if ((flags & REDACT_KEEP_HEX) != 0 || !is_begin(text, at)) {
		return false;
	}
	for (const char *p = at;;) {
		p += strncasecmp(p, "0x", 2) == 0 ? 2 : 0;
		if (strspn(p, HEX) != 2) {
			break;
		}
		pairs++;
		p += 2;
		n = (size_t) (p - at);
		p += strspn(p, ":, -");
	}
	if (pairs < HEX_LEAST / 2 || is_word_char(at[n])) {
		return false;
	}
	set_numbered(match, REDACT_SECRET, n, "hex");
	return true;
}

struct mixture {
	size_t upper, lower, digits;
};

static struct mixture mixture_of(const char *at, size_t n) {
	struct mixture mixture = { 0 };
	for (size_t i = 0; i < n; i++) {
		mixture.upper += isupper((unsigned char) at[i]) != 0;
		mixture.lower += islower((unsigned char) at[i]) != 0;
		mixture.digits += isdigit((unsigned char) at[i]) != 0;
	}
	return mixture;
}

/* A piece of a path is looked at by itself: "/org/bluez/hci0/..." as a whole looks like base64. */
static size_t code_length(const char *text, const char *at) {
	bool is_path = at[0] == '/' || (at > text && (at[-1] == '/' || at[-1] == '.'));
	size_t n = strspn(at, is_path ? ALNUM "+-_" : ALNUM "+/_-");
	return is_path && memchr(at, '_', n) != NULL ? 0 : n;
}

/* base64 in both alphabets, and base32 as one-time passwords have it. */
static bool match_code(const char *text, const char *at, struct redact_match *match) {
	size_t n = code_length(text, at);
	struct mixture mixture = mixture_of(at, n);
	if (!is_begin(text, at)) {
		return false;
	}
	bool is_base32 = n >= BASE32_LEAST && mixture.lower == 0 && mixture.upper > 0 &&
			 strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == n && mixture.digits > 0;
	bool is_base64 =
		n >= CODE_LEAST && mixture.upper > 0 && mixture.lower > 0 && mixture.digits > 0;
	if (!is_base32 && !is_base64) {
		return false;
	}
	n += strspn(at + n, "=");
	set_numbered(match, REDACT_SECRET, n, "code");
	return true;
}

/* ---- behind a name ---- */

enum value_form {
	VALUE_WORD, /* up to a blank or a comma */
	VALUE_CODE, /* the same, and only with four digits: "code=exited" is none */
	VALUE_ODD,  /* the same, and not the next word of a sentence: "no secret: model, ..." */
	VALUE_LINE, /* a name with blanks: up to a quote, a comma or the end of the line */
};

static const struct {
	const char *name;
	enum value_form form;
	enum redact_kind kind;
} secrets[] = {
	{ "passphrase", VALUE_WORD, REDACT_SECRET },
	{ "password", VALUE_WORD, REDACT_SECRET },
	{ "passwd", VALUE_WORD, REDACT_SECRET },
	{ "secret", VALUE_ODD, REDACT_SECRET },
	{ "token", VALUE_WORD, REDACT_SECRET },
	{ "authorization", VALUE_LINE, REDACT_SECRET },
	{ "bearer", VALUE_WORD, REDACT_SECRET },
	{ "psk", VALUE_WORD, REDACT_SECRET },
	{ "totp", VALUE_WORD, REDACT_SECRET },
	{ "otp", VALUE_WORD, REDACT_SECRET },
	{ "api_key", VALUE_WORD, REDACT_SECRET },
	{ "apikey", VALUE_WORD, REDACT_SECRET },
	{ "private_key", VALUE_WORD, REDACT_SECRET },
	{ "shared_key", VALUE_WORD, REDACT_SECRET },
	{ "key", VALUE_CODE, REDACT_SECRET },
	{ "pin", VALUE_CODE, REDACT_SECRET },
	{ "code", VALUE_CODE, REDACT_SECRET },
	{ "pass", VALUE_WORD, REDACT_SECRET },
	{ "pwd", VALUE_WORD, REDACT_SECRET },
	{ "username", VALUE_WORD, REDACT_USER },
	{ "user_name", VALUE_WORD, REDACT_USER },
	{ "login", VALUE_WORD, REDACT_USER },
	{ "essid", VALUE_LINE, REDACT_NETWORK },
	{ "ssid", VALUE_LINE, REDACT_NETWORK },
};

bool redact_is_secret_key(const char *key) {
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		bool is_one = secrets[i].kind == REDACT_SECRET || secrets[i].kind == REDACT_NETWORK;
		if (is_one && strcasecmp(secrets[i].name, key) == 0) {
			return true;
		}
	}
	return false;
}

/* Where the value begins behind the name, over =, :, quotes, blanks or "is"; NULL: none follows. */
static const char *value_after(const char *p, enum value_form form, char *ret_quote) {
	bool is_said = false;
	const char *begin = p;
	*ret_quote = '\0';
	p += strspn(p, "\"'\\");
	p += strspn(p, " \t");
	if (*p == '=' || *p == ':') {
		p++;
		is_said = true;
	} else if (strncasecmp(p, "is ", 3) == 0) {
		p += 3;
		is_said = true;
	}
	p += strspn(p, " \t\\");
	/* "pin 4711", "bearer eyJ..." */
	is_said = is_said || (p > begin && form == VALUE_CODE && isdigit((unsigned char) *p)) ||
		  (p > begin && form != VALUE_CODE && (*p == '"' || *p == '\''));
	if (!is_said) {
		return NULL;
	}
	if (*p == '"' || *p == '\'') {
		*ret_quote = *p++;
	}
	return p;
}

static size_t value_length(const char *p, enum value_form form, char quote) {
	size_t n = 0;
	if (quote != '\0' && p[-2] == '\\') {
		/* A quoted text within one. */
		while (p[n] != '\0' && p[n] != '\n' && !(p[n] == '\\' && p[n + 1] == quote)) {
			n++;
		}
		return n;
	}
	if (quote != '\0') {
		while (p[n] != '\0' && p[n] != quote && p[n] != '\n') {
			n += p[n] == '\\' && p[n + 1] != '\0' ? 2 : 1;
		}
		return n;
	}
	n = strcspn(p, form == VALUE_LINE ? "\"'\n,;\\" : " \t\"'\n,;&)]}\\<");
	while (form == VALUE_LINE && n > 0 && p[n - 1] == ' ') {
		n--;
	}
	return n;
}

static size_t count_digits(const char *p, size_t n) {
	size_t digits = 0;
	for (size_t i = 0; i < n; i++) {
		digits += isdigit((unsigned char) p[i]) != 0;
	}
	return digits;
}

static bool looks_secret(const char *value, size_t n, enum value_form form) {
	size_t digits = count_digits(value, n);
	switch (form) {
	case VALUE_CODE:
		return digits >= 4;
	case VALUE_ODD:
		return digits > 0 || n >= ODD_LEAST || value[-1] != ' ';
	case VALUE_WORD:
	case VALUE_LINE:
		break;
	}
	return true;
}

static bool match_named(const char *text, const char *at, struct redact_match *match) {
	if (at > text && isalpha((unsigned char) at[-1])) {
		return false; /* "keypad": the end of another word is none */
	}
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		size_t n_name = strlen(secrets[i].name);
		char quote;
		if (strncasecmp(at, secrets[i].name, n_name) != 0 || is_word_char(at[n_name])) {
			continue;
		}
		const char *value = value_after(at + n_name, secrets[i].form, &quote);
		size_t n = value != NULL ? value_length(value, secrets[i].form, quote) : 0;
		bool is_secret = n > 0 && n <= VALUE_MAX && value[0] != '[' &&
				 looks_secret(value, n, secrets[i].form);
		if (is_secret) {
			match->n_kept = (size_t) (value - at);
			set(match, secrets[i].kind, match->n_kept + n, "[removed]");
			return true;
		}
	}
	return false;
}

/* ---- hosts and places ---- */

/* "mqtts://anna:pw@broker.example:8883/x": who and where. */
static bool match_url(const struct redactor *redactor, const char *text, const char *at,
	struct redact_match *match) {
	if (at - text < 3 || strncmp(at - 3, "://", 3) != 0) {
		return false;
	}
	size_t n = strcspn(at, " \t\n\"'<>/?#)],;");
	const char *sign = memchr(at, '@', n);
	const char *host = sign != NULL ? sign + 1 : at;
	size_t n_host = strcspn(host, ":/ \t\n\"'<>?#)],;");
	if (host[0] == '[') {
		n_host = strcspn(host, "]/ \n") + (host[strcspn(host, "]/ \n")] == ']');
	}
	bool is_allowed = redactor_allows_host(redactor, host, n_host) ||
			  (n_host == 9 && strncmp(host, "localhost", 9) == 0) ||
			  strncmp(host, "127.", 4) == 0;
	if (n == 0 || (is_allowed && sign == NULL)) {
		return false;
	}
	/* The port tells a helper whether TLS is meant: it stays. */
	set(match, REDACT_HOST, (size_t) (host - at) + (is_allowed ? 0 : n_host),
		sign != NULL && is_allowed ? "[removed]@"
		: sign != NULL             ? "[removed]@[host]"
					   : "[host]");
	return match->n > 0;
}

static bool has_ending(const char *host, size_t n, const char *ending) {
	size_t n_ending = strlen(ending);
	return n > n_ending && strncasecmp(host + n - n_ending, ending, n_ending) == 0;
}

/* "nas.local", "broker.example:8883", "anna@example.org" */
static bool match_host(const struct redactor *redactor, const char *text, const char *at,
	struct redact_match *match) {
	static const char *const endings[] = { ".local", ".lan", ".home", ".home.arpa", ".internal",
		".fritz.box", ".localdomain" };
	size_t n = strspn(at, ALNUM "-._"), i = 0;
	if (!is_begin(text, at) || (at > text && strchr("./-@", at[-1]) != NULL)) {
		return false;
	}
	if (at[n] == '@' && n > 0) {
		size_t n_domain = strspn(at + n + 1, ALNUM "-.");
		while (n_domain > 0 && at[n + n_domain] == '.') {
			n_domain--; /* the end of a sentence */
		}
		if (memchr(at + n + 1, '.', n_domain) != NULL && n_domain > 3 &&
			!redactor_allows_host(redactor, at + n + 1, n_domain)) {
			set(match, REDACT_PLACE, n + 1 + n_domain, "[mail]");
			return true;
		}
	}
	while (n > 0 && at[n - 1] == '.') {
		n--;
	}
	bool is_host = at[n] == ':' && strspn(at + n + 1, DIGITS) >= 2 &&
		       memchr(at, '.', n) != NULL && strspn(at, DIGITS ".") < n &&
		       !isspace((unsigned char) at[n + 1]);
	/* "advice.c:120" is a place in the source. */
	is_host = is_host && !has_ending(at, n, ".c") && !has_ending(at, n, ".h") &&
		  !has_ending(at, n, ".conf") && !has_ending(at, n, ".ini");
	for (; i < ARRAY_SIZE(endings); i++) {
		is_host = is_host || has_ending(at, n, endings[i]);
	}
	if (!is_host || redactor_allows_host(redactor, at, n)) {
		return false;
	}
	set(match, REDACT_HOST, n, "[host]");
	return true;
}

static bool match_home(const char *at, struct redact_match *match) {
	static const char *const roots[] = { "/home/", "/Users/" };
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		size_t n_root = strlen(roots[i]);
		if (strncmp(at, roots[i], n_root) == 0) {
			size_t n = strcspn(at + n_root, "/ \t\n\"':,;)\\");
			match->n_kept = n_root;
			set(match, REDACT_PLACE, n_root + n, "[home]");
			return n > 0 && at[n_root] != '[';
		}
	}
	return false;
}

/* Degrees with so many digits say which house it is. */
static bool match_position(const char *text, const char *at, struct redact_match *match) {
	size_t whole = strspn(at, DIGITS), part;
	if (!is_begin(text, at) || (at > text && at[-1] == '.') || whole == 0 || whole > 3 ||
		at[whole] != '.') {
		return false;
	}
	part = strspn(at + whole + 1, DIGITS);
	if (part < POSITION_DIGITS || is_word_char(at[whole + 1 + part])) {
		return false;
	}
	set(match, REDACT_PLACE, whole + 1 + part, "[number]");
	return true;
}

void redact_pattern(const struct redactor *redactor, const char *text, const char *at,
	unsigned flags, struct redact_match *ret) {
	*ret = (struct redact_match){ 0 };
	bool is_found = match_named(text, at, ret) || match_url(redactor, text, at, ret) ||
			match_hex_pairs(text, at, flags, ret) || match_bluetooth(text, at, ret) ||
			match_hex(text, at, flags, ret) || match_ipv4(text, at, ret) ||
			match_ipv6(text, at, ret) || match_home(at, ret) ||
			match_position(text, at, ret) || match_host(redactor, text, at, ret) ||
			match_code(text, at, ret);
	if (!is_found) {
		ret->n = 0;
	}
}
