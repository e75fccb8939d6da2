/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "crypto/password.h"
#include "util/auto.h"
#include "util/bytes.h"

static const uint8_t salt[PASSWORD_SALT_LEN] = "somesaltsomesalt";

/*
 * From the reference command line of Argon2 (Debian's package argon2 0~20171227-0.3+deb12u1):
 * printf passphrase | argon2 somesaltsomesalt -id -t 3 -k 1024 -p 1 -l 32 -r
 */
static void a_key_is_that_of_the_reference(void **state) {
	uint8_t key[32];
	char text[65];
	assert_int_equal(password_key("passphrase", 10, salt, 3, 1024, key), 0);
	assert_string_equal(hex_encode(key, sizeof(key), text),
		"07f247e41e00ec054725cde2cbe3489f4f1d4654efcedfc18500d5fcb2326bd1");
}

static void every_input_counts(void **state) {
	uint8_t first[32], other[32], other_salt[PASSWORD_SALT_LEN] = { 1 };
	assert_int_equal(password_key("passphrase", 10, salt, 1, 64, first), 0);
	assert_int_equal(password_key("passphrase", 9, salt, 1, 64, other), 0);
	assert_memory_not_equal(first, other, 32);
	assert_int_equal(password_key("passphrase", 10, other_salt, 1, 64, other), 0);
	assert_memory_not_equal(first, other, 32);
	assert_int_equal(password_key("passphrase", 10, salt, 2, 64, other), 0);
	assert_memory_not_equal(first, other, 32);
	assert_int_equal(password_key("passphrase", 10, salt, 1, 128, other), 0);
	assert_memory_not_equal(first, other, 32);
}

/* A file from outside says how much: it may not take the machine down. */
static void what_is_asked_for_has_limits(void **state) {
	uint8_t key[32] = { 42 };
	assert_int_equal(password_key("x", 1, salt, 0, 64, key), -EINVAL);
	assert_int_equal(password_key("x", 1, salt, PASSWORD_PASSES_MAX + 1, 64, key), -EINVAL);
	assert_int_equal(password_key("x", 1, salt, 1, 7, key), -EINVAL);
	assert_int_equal(password_key("x", 1, salt, 1, PASSWORD_KIB_MAX + 1, key), -EINVAL);
	assert_int_equal(key[0], 42);
}

/* ---- by a child: this program itself, see main() ---- */

static long most_memory_kib(int whose) {
	struct rusage usage = { 0 };
	assert_int_equal(getrusage(whose, &usage), 0);
	return usage.ru_maxrss;
}

static void a_child_makes_the_same_key_in_memory_of_its_own(void **state) {
	enum { KIB = 128 * 1024 };
	uint8_t here[32], there[32];
	password_use_child("/proc/self/exe");
	long before = most_memory_kib(RUSAGE_SELF);
	assert_int_equal(password_key("passphrase", 10, salt, 1, KIB, there), 0);
	assert_true(most_memory_kib(RUSAGE_SELF) - before < KIB / 2);
	assert_true(most_memory_kib(RUSAGE_CHILDREN) >= KIB);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* none is left */
	password_use_child(NULL);
	assert_int_equal(password_key("passphrase", 10, salt, 1, KIB, here), 0);
	assert_true(most_memory_kib(RUSAGE_SELF) - before >= KIB / 2);
	assert_memory_equal(here, there, sizeof(here));
}

static void a_child_is_asked_with_every_signal_blocked(void **state) {
	uint8_t key[32];
	sigset_t all, old;
	sigfillset(&all);
	assert_int_equal(sigprocmask(SIG_SETMASK, &all, &old), 0);
	password_use_child("/proc/self/exe");
	assert_int_equal(password_key("", 0, salt, 1, 64, key), 0);
	password_use_child(NULL);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
}

static void a_child_that_ends_too_soon_is_no_key(void **state) {
	uint8_t key[32] = { 42 };
	password_use_child("/bin/true");
	assert_int_equal(password_key("passphrase", 10, salt, 1, 64, key), -ENOMEM);
	assert_int_equal(key[0], 42);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	password_use_child(NULL);
}

static void without_a_child_it_is_done_here(void **state) {
	uint8_t key[32];
	char text[65];
	password_use_child("/nonexistent/lockhubd");
	assert_int_equal(password_key("passphrase", 10, salt, 3, 1024, key), 0);
	assert_string_equal(hex_encode(key, sizeof(key), text),
		"07f247e41e00ec054725cde2cbe3489f4f1d4654efcedfc18500d5fcb2326bd1");
	password_use_child(NULL);
}

static void a_child_that_nobody_asks_ends(void **state) {
	int status = 0;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int ends[2];
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ||
			dup2(ends[0], STDIN_FILENO) < 0) {
			_exit(99);
		}
		close(ends[1]);
		execl("/proc/self/exe", "test-password", PASSWORD_CHILD_OPTION, (char *) NULL);
		_exit(98);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

static const char *weakness(const char *text) {
	return passphrase_weakness(text, strlen(text));
}

static void what_is_guessed_first_is_weak(void **state) {
	static const char *const weak[] = { "", "Ab3$xK9!qLz", "aaaaaaaaaaaaaaaa",
		"abcabcabcabcabc", "lockhublockhub", "abababcabababcab", "abcdefghijklmnop",
		"zyxwvutsrqponmlk", "Password12345", "1234567890123456", "qwertyuiop123" };
	for (size_t i = 0; i < ARRAY_SIZE(weak); i++) {
		if (weakness(weak[i]) == NULL) {
			fail_msg("'%s' is taken for strong", weak[i]);
		}
	}
}

static void what_is_long_and_mixed_is_not(void **state) {
	static const char *const strong[] = { "Ab3$xK9!qLzW", "correct horse battery staple",
		"T\xc3\xbcr und Angel im Herbst", "my password is a long sentence" };
	for (size_t i = 0; i < ARRAY_SIZE(strong); i++) {
		if (weakness(strong[i]) != NULL) {
			fail_msg("'%s': %s", strong[i], weakness(strong[i]));
		}
	}
}

int main(int argc, char *argv[]) {
	if (argc == 2 && strcmp(argv[1], PASSWORD_CHILD_OPTION) == 0) {
		return crypto_setup() < 0 ? 1 : password_child_main();
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_that_of_the_reference),
		cmocka_unit_test(every_input_counts),
		cmocka_unit_test(what_is_asked_for_has_limits),
		cmocka_unit_test(a_child_makes_the_same_key_in_memory_of_its_own),
		cmocka_unit_test(a_child_is_asked_with_every_signal_blocked),
		cmocka_unit_test(a_child_that_ends_too_soon_is_no_key),
		cmocka_unit_test(without_a_child_it_is_done_here),
		cmocka_unit_test(a_child_that_nobody_asks_ends),
		cmocka_unit_test(what_is_guessed_first_is_weak),
		cmocka_unit_test(what_is_long_and_mixed_is_not),
	};
	return crypto_setup() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
