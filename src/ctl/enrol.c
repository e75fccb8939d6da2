/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Setting up one-time passwords (RFC 6238). The key is made here, shown to the person in front of
 * the terminal and to nobody else, and kept by the hub only when the phone has shown that it
 * agrees.
 */

#include "room.h"

#include <errno.h>
#include <langinfo.h>
#include <qrencode.h>
#include <string.h>

#include "crypto/crypto.h"
#include "crypto/totp.h"
#include "util/text.h"
#include "util/when.h"

#define QUIET_ZONE 4 /* modules of light around it, as the standard wants */
#define TRIES_MAX 3

static bool is_dark(const QRcode *code, int x, int y) {
	return x >= 0 && y >= 0 && x < code->width && y < code->width &&
	       (code->data[y * code->width + x] & 1) != 0;
}

/*
 * Two rows of modules a line, by half blocks. Light is painted and dark is left out, on a terminal
 * with colours explicitly so, since one cannot know whether its paper is white or black.
 */
static void print_qr(struct ctl *ctl, const QRcode *code) {
	static const char *const blocks[] = { " ", "\u2584", "\u2580", "\u2588" };
	bool has_colors = tone_start(ctl, TONE_BOLD)[0] != '\0';
	for (int y = -QUIET_ZONE; y < code->width + QUIET_ZONE; y += 2) {
		fputs(has_colors ? "\033[40;97m" : "", ctl->out);
		for (int x = -QUIET_ZONE; x < code->width + QUIET_ZONE; x++) {
			bool is_upper = !is_dark(code, x, y), is_lower = !is_dark(code, x, y + 1);
			fputs(blocks[is_upper * 2 + is_lower], ctl->out);
		}
		fputs(has_colors ? "\033[0m\n" : "\n", ctl->out);
	}
}

static bool is_utf8(void) {
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static void print_uri(struct ctl *ctl, const char *uri) {
	QRcode *code = QRcode_encodeString(uri, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
	if (code != NULL && is_utf8()) {
		say(ctl, "Scan this with the app on the phone:\n\n");
		print_qr(ctl, code);
		say(ctl, "\nOr give the app this:\n  %s\n", uri);
	} else {
		say(ctl, "Give the app on the phone this:\n  %s\n", uri);
	}
	fflush(ctl->out);
	if (code != NULL) {
		wipe(code->data, (size_t) code->width * (size_t) code->width);
		QRcode_free(code);
	}
}

/* 0, -EACCES: that was not it, or an enum ctl_exit. */
static int ask_once(struct ctl *ctl, const struct secret *key) {
	AUTO_VALUE(secret_wipe) struct secret digits = { 0 };
	int64_t step;
	int r = prompt_secret(ctl, "one-time password that the app shows", false, &digits);
	if (r != CTL_DONE) {
		return r;
	}
	return totp_check(
		key, (const char *) digits.bytes, digits.len, (wall_t){ moment_now() }, 0, &step);
}

int enrol_totp(struct ctl *ctl, const char *account, struct secret *ret_key) {
	char uri[TOTP_URI_MAX];
	if (!ctl->is_asking && !ctl->opt.is_pin_stdin) {
		return usage_error(
			ctl, "--totp needs a terminal to show the QR code and to ask at");
	}
	if (crypto_setup() < 0) {
		complain(ctl, "no random numbers can be had");
		return CTL_FAILED;
	}
	totp_key_new(ret_key);
	if (totp_uri(ret_key, account, "lockhub", uri) < 0) {
		complain(ctl, "the name is too long for an otpauth URI");
		return CTL_FAILED;
	}
	print_uri(ctl, uri);
	wipe(uri, sizeof(uri));
	for (unsigned i = 0; i < TRIES_MAX; i++) {
		int r = ask_once(ctl, ret_key);
		if (r != -EACCES) {
			return r;
		}
		complain(ctl, "that is not what it should show now");
		advise(ctl, "See that the clocks of the phone and of this machine are right");
	}
	complain(ctl, "nothing was changed");
	return CTL_FAILED;
}
