/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reassembly: the first octet chooses the kind, then come indications, each with its length in
 * front (0: 256 octets). Whatever comes, it ends, and a frame is never longer than the limit.
 */

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "nuki/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static struct nuki_inbox inbox;
	const enum nuki_inbox_kind kind =
		size == 0 ? NUKI_INBOX_PLAIN : (enum nuki_inbox_kind)(data[0] % 3);
	size_t at = 1;

	nuki_inbox_clear(&inbox);
	while (at < size) {
		size_t n = data[at] == 0 ? 256 : data[at];
		at++;
		n = n < size - at ? n : size - at;
		size_t n_left = n;
		do {
			const size_t n_taken =
				nuki_inbox_push(&inbox, data + at + n - n_left, n_left);
			const uint8_t *frame;
			size_t n_frame;
			bool is_plain;
			int r;

			n_left -= n_taken;
			while ((r = nuki_inbox_next(&inbox, kind, &frame, &n_frame, &is_plain)) >
				0) {
				assert(n_frame >= 5 && n_frame <= NUKI_FRAME_MAX);
				assert(kind != NUKI_INBOX_SEALED || !is_plain);
				assert(frame[0] == inbox.bytes[0]);
			}
			assert(r == 0 || r == -EBADMSG);
			/* Room for one more octet at least, or it would never end. */
			assert(inbox.n < sizeof(inbox.bytes));
		} while (n_left > 0);
		at += n;
	}
	return 0;
}
