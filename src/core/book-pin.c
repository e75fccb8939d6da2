/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which PINs are refused, and why. What can be guessed is what people choose: few digits, patterns,
 * dates, what came with the lock. None of the faults tells a digit.
 */

#include "core/book.h"

#include <errno.h>
#include <string.h>

#include "util/text.h"

/* What people choose most, besides dates and regular rows of digits; and what vendors set. */
static const char *const favourites[] = { "0007", "0070", "0852", "1004", "1122", "1133", "1221",
	"1337", "1342", "1379", "1397", "1470", "2580", "3690", "4711", "6969", "7410", "8520",
	"9630", "02580", "12321", "13579", "14789", "24680", "25800", "36987", "74123", "97531",
	"010203", "102030", "112233", "123321", "123654", "124578", "132435", "135790", "142536",
	"147258", "147369", "147852", "147896", "159357", "159753", "223344", "246801", "246810",
	"246813", "258000", "258258", "314159", "321654", "334455", "357159", "445566", "456123",
	"556677", "654123", "667788", "753951", "778899", "789456", "789654", "852147", "852456",
	"951753", "963852", "987321", "11223344", "12344321", "12345687", "14725836", "24681012",
	"31415926" };

static bool is_digits(const struct secret *pin) {
	for (size_t i = 0; i < pin->len; i++) {
		if (pin->bytes[i] < '0' || pin->bytes[i] > '9') {
			return false;
		}
	}
	return true;
}

static bool is_favourite(const struct secret *pin) {
	for (size_t i = 0; i < ARRAY_SIZE(favourites); i++) {
		if (strlen(favourites[i]) == pin->len &&
			memcmp(favourites[i], pin->bytes, pin->len) == 0) {
			return true;
		}
	}
	return false;
}

/* Each digit is so much more than the one before, 0 following 9: 0 all the same, 1 up, 9 down. */
static bool is_row(const struct secret *pin, unsigned step) {
	for (size_t i = 1; i < pin->len; i++) {
		if ((pin->bytes[i] + 10U - pin->bytes[i - 1]) % 10 != step) {
			return false;
		}
	}
	return true;
}

/* "121212", "123123", "12312": the first half or less again and again. */
static bool is_repeated(const struct secret *pin) {
	for (size_t period = 2; period <= pin->len / 2; period++) {
		size_t i = period;

		while (i < pin->len && pin->bytes[i] == pin->bytes[i - period]) {
			i++;
		}
		if (i == pin->len) {
			return true;
		}
	}
	return false;
}

/*
 * All but one digit the same, or two digits only with each a single run ("111222"): quickly tried.
 */
static bool is_nearly_same(const struct secret *pin) {
	unsigned count[10] = { 0 };
	unsigned runs = 1;
	unsigned kinds = 0;
	unsigned most = 0;

	for (size_t i = 0; i < pin->len; i++) {
		unsigned digit = pin->bytes[i] - '0';

		count[digit]++;
		runs += i > 0 && pin->bytes[i] != pin->bytes[i - 1];
	}
	for (unsigned i = 0; i < 10; i++) {
		kinds += count[i] > 0;
		most = count[i] > most ? count[i] : most;
	}
	return most >= pin->len - 1 || (kinds == 2 && runs == 2);
}

static int number_at(const struct secret *pin, size_t at, size_t n) {
	int value = 0;

	for (size_t i = at; i < at + n; i++) {
		value = value * 10 + (pin->bytes[i] - '0');
	}
	return value;
}

static bool is_day(int month, int day) {
	struct civil civil = { 2000, month, day, 0, 0, 0 }; /* a leap year */
	wall_t wall;

	return wall_from_civil(&civil, &wall) >= 0;
}

static bool is_birth_year(int year) {
	return year >= 1900 && year <= 2039;
}

/* DDMMYY, MMDDYY, YYMMDD and so on, for the lengths that people write dates in. */
static bool is_date(const struct secret *pin) {
	int a = pin->len >= 2 ? number_at(pin, 0, 2) : 0;
	int b = pin->len >= 4 ? number_at(pin, 2, 2) : 0;
	int c = pin->len >= 6 ? number_at(pin, 4, 2) : 0;

	switch (pin->len) {
	case 4:
		return is_day(b, a) || is_day(a, b) || is_birth_year(number_at(pin, 0, 4));
	case 6:
		return is_day(b, a) || is_day(a, b) || is_day(b, c) ||
		       (is_birth_year(number_at(pin, 0, 4)) && c >= 1 && c <= 12) ||
		       (is_birth_year(number_at(pin, 2, 4)) && a >= 1 && a <= 12);
	case 8:
		return ((is_day(b, a) || is_day(a, b)) && is_birth_year(number_at(pin, 4, 4))) ||
		       (is_day(c, number_at(pin, 6, 2)) && is_birth_year(number_at(pin, 0, 4)));
	default:
		return false;
	}
}

const char *pin_weakness(const struct secret *pin) {
	if (pin->len == 0 || !is_digits(pin)) {
		return NULL;
	}
	if (is_row(pin, 0)) {
		return "all digits are the same";
	}
	if (is_row(pin, 1) || is_row(pin, 9)) {
		return "the digits are a sequence";
	}
	if (is_repeated(pin)) {
		return "the same digits come again and again";
	}
	if (is_nearly_same(pin)) {
		return "nearly all digits are the same";
	}
	if (is_favourite(pin)) {
		return "it is one of those that are tried first";
	}
	return is_date(pin) ? "it looks like a date, perhaps of birth" : NULL;
}

/* Does a credential of this user, bound to @own (or to none), count at @lock_id? */
static bool counts_at(
	const struct book *book, const char *user_id, const char *own, const char *lock_id) {
	return own[0] != '\0' ? strcmp(own, lock_id) == 0 : book_has_access(book, user_id, lock_id);
}

static bool is_foreign(const struct book *book, const char *lock_id, const struct secret *pin) {
	size_t n;
	const struct slot *slots = book_slots(book, lock_id, &n, NULL);
	bool is_there = false;

	for (size_t i = 0; i < n; i++) {
		is_there = is_there || (slots[i].type == CREDENTIAL_PIN && slots[i].pin.len > 0 &&
					       secret_equal(&slots[i].pin, pin) != 0 &&
					       book_credential_of_slot(book, lock_id, slots[i].type,
						       slots[i].ref) == NULL);
	}
	return is_there;
}

static bool is_foreign_anywhere(const struct book *book, const struct secret *pin,
	const char *user_id, const char *lock_id) {
	const struct access *access;

	if (lock_id[0] != '\0') {
		return is_foreign(book, lock_id, pin);
	}
	for (size_t i = 0; (access = book_access_at(book, i)) != NULL; i++) {
		if (strcmp(access->user_id, user_id) == 0 &&
			counts_at(book, user_id, lock_id, access->lock_id) &&
			is_foreign(book, access->lock_id, pin)) {
			return true;
		}
	}
	return false;
}

/* The same person may have the same code at another lock: the log tells them apart by the lock. */
static bool is_own_elsewhere(
	const struct credential *credential, const char *user_id, const char *lock_id) {
	return strcmp(credential->user_id, user_id) == 0 && credential->lock_id[0] != '\0' &&
	       lock_id[0] != '\0' && strcmp(credential->lock_id, lock_id) != 0;
}

static bool is_taken(const struct book *book, const struct secret *pin, const char *user_id,
	const char *lock_id, const char *self) {
	const struct credential *credential;
	bool is_it = false;

	/* A revoked one may still be in a lock: it counts until it is gone. */
	for (size_t i = 0; (credential = book_credential_at(book, i)) != NULL; i++) {
		if (credential->type == CREDENTIAL_PIN && secret_equal(&credential->pin, pin) &&
			!is_own_elsewhere(credential, user_id, lock_id) &&
			(self == NULL || strcmp(credential->id, self) != 0)) {
			is_it = true;
		}
	}
	return is_it;
}

static bool is_personal(const struct book *book, const struct secret *pin, const char *self) {
	bool is_it = false;

	for (size_t i = 0; i < book_user_count(book); i++) {
		const struct user *user = book_user_at(book, i);

		if (secret_equal(&user->code, pin) &&
			(self == NULL || strcmp(user->id, self) != 0)) {
			is_it = true;
		}
	}
	return is_it;
}

int book_check_pin(const struct book *book, const struct secret *pin, const char *user_id,
	const char *lock_id, const char *self, unsigned least, struct fault *ret_fault) {
	const char *why;

	if (pin->len > PIN_LEN_MAX || !is_digits(pin)) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "a code is digits only, at most %d",
			PIN_LEN_MAX);
	}
	if (pin->len < least || pin->len < PIN_LEN_MIN) {
		return fault_set(ret_fault, FAULT_WEAK_CODE, "it has %zu digits, %u are the least",
			pin->len, least > PIN_LEN_MIN ? least : PIN_LEN_MIN);
	}
	why = pin_weakness(pin);
	if (why != NULL) {
		return fault_set(ret_fault, FAULT_WEAK_CODE, "%s", why);
	}
	if (is_taken(book, pin, user_id, lock_id, self)) {
		return fault_set(
			ret_fault, FAULT_CODE_TAKEN, "another code of this hub is the same");
	}
	if (is_personal(book, pin, self)) {
		return fault_set(ret_fault, FAULT_CODE_TAKEN,
			"it is somebody's personal code for remote commands");
	}
	if (is_foreign_anywhere(book, pin, user_id, lock_id)) {
		return fault_set(ret_fault, FAULT_CODE_TAKEN,
			"a code that was made at the lock itself is the same");
	}
	return 0;
}
