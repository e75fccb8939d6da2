/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/crypto.h"

#include <errno.h>

#include "crypto/aes.h"
#include "test.h"
#include "util/bytes.h"

#define ALICE_SECRET "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"
#define ALICE_PUBLIC "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
#define BOB_SECRET "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"
#define BOB_PUBLIC "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
#define AB_SHARED "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
#define AB_BOX_KEY "1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389"

#define BOX_NONCE "69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37"
#define BOX_PLAIN                                                                                  \
	"be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728"   \
	"d45e6c61296cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1"   \
	"318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e"   \
	"0705"
#define BOX_SEALED                                                                                 \
	"f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8"   \
	"c531a1186ac0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7"   \
	"cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b379"   \
	"73f622a43d14a6599b1f654cb45a74e355a5"

#define N(text) ((sizeof(text) - 1) / 2)
/* The octets of hex digits; lives until the end of the enclosing block. */
#define HEX(text) hex_into((uint8_t[N(text)]){ 0 }, text, N(text))

static uint8_t *hex_into(uint8_t *out, const char *text, size_t n) {
	assert_int_equal(hex_decode(text, out, n), 0);
	return out;
}

static void assert_hex(const uint8_t *bytes, size_t n, const char *expected) {
	char text[513];
	assert_true(n <= 256);
	assert_string_equal(hex_encode(bytes, n, text), expected);
}

static int setup(void **state) {
	(void) state;
	return crypto_setup() == 0 && crypto_setup() == 0 ? 0 : -1; /* twice does no harm */
}

/* FIPS 180-2, appendix B. */
static void sha256_vectors(void **state) {
	(void) state;
	uint8_t out[32];
	crypto_sha256("abc", 3, out);
	assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	crypto_sha256(NULL, 0, out);
	assert_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	const char *text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	crypto_sha256(text, strlen(text), out);
	assert_hex(out, 32, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");

	const struct crypto_part parts[] = { { text, 5 }, { NULL, 0 }, { text + 5, 51 } };
	uint8_t pieces[32];
	crypto_sha256_parts(parts, 3, pieces);
	assert_memory_equal(out, pieces, 32);
}

/* RFC 4231; shorter keys are padded with zeros, as HMAC itself does. */
static void hmac_vectors(void **state) {
	(void) state;
	uint8_t key[32] = { 0 };
	uint8_t out[32];
	memset(key, 0x0b, 20);
	const struct crypto_part whole[] = { { "Hi There", 8 } };
	crypto_hmac_sha256(key, whole, 1, out);
	assert_hex(out, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");

	memset(key, 0, sizeof(key));
	memcpy(key, "Jefe", 4);
	const struct crypto_part parts[] = { { "what do ya ", 11 }, { "", 0 },
		{ "want for nothing?", 17 } };
	crypto_hmac_sha256(key, parts, 3, out);
	assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* Nuki Smart Lock API 2.1, "authorize app": the authenticator over three values. */
static void nuki_authenticator(void **state) {
	(void) state;
	uint8_t out[32];
	const struct crypto_part parts[] = {
		{ HEX("f88127ccf48023b5cbe9101d24baa8a368da94e8c2e3cde2ded29ce96ab50c15"), 32 },
		{ HEX("2fe57da347cd62431528daac5fbb290730fff684afc4cfc2ed90995f58cb3b74"), 32 },
		{ HEX("6cd4163d159050c798553eaa57e278a579affcbc56f09fc57fe879e51c42df17"), 32 },
	};
	crypto_hmac_sha256(HEX("217fcb0f18caf284e9bdea0b94b83b8d10867ed706bfdedbd2381f4cb3b8f730"),
		parts, 3, out);
	assert_hex(out, 32, "b09a0d3979a029e5fd027b519eaa200bc14ad3e163d3be4563843e021073bcb1");
}

/* RFC 7748, sections 5.2 and 6.1. */
static void x25519_vectors(void **state) {
	(void) state;
	uint8_t out[32];
	int r = crypto_x25519(
		HEX("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
		HEX("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"), out);
	assert_int_equal(r, 0);
	assert_hex(out, 32, "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");

	crypto_box_public(HEX(ALICE_SECRET), out);
	assert_hex(out, 32, ALICE_PUBLIC);
	assert_int_equal(crypto_x25519(HEX(ALICE_SECRET), HEX(BOB_PUBLIC), out), 0);
	assert_hex(out, 32, AB_SHARED);
	assert_int_equal(crypto_x25519(HEX(BOB_SECRET), HEX(ALICE_PUBLIC), out), 0);
	assert_hex(out, 32, AB_SHARED);
}

/* NaCl, tests/box.c: the key that both sides of a box come to. */
static void box_key_vectors(void **state) {
	(void) state;
	uint8_t out[32];
	assert_int_equal(crypto_box_shared(HEX(BOB_PUBLIC), HEX(ALICE_SECRET), out), 0);
	assert_hex(out, 32, AB_BOX_KEY);
	assert_int_equal(crypto_box_shared(HEX(ALICE_PUBLIC), HEX(BOB_SECRET), out), 0);
	assert_hex(out, 32, AB_BOX_KEY);

	/* Nuki Smart Lock API 2.1: Diffie-Hellman and kdf1 in one. */
	const uint8_t *secret =
		HEX("8caa54672307bffdf5ea183fc607158d2011d008eca6a1088614ff0853a5aa07");
	crypto_box_public(secret, out);
	assert_hex(out, 32, "f88127ccf48023b5cbe9101d24baa8a368da94e8c2e3cde2ded29ce96ab50c15");
	const uint8_t *peer =
		HEX("2fe57da347cd62431528daac5fbb290730fff684afc4cfc2ed90995f58cb3b74");
	assert_int_equal(crypto_x25519(secret, peer, out), 0);
	assert_hex(out, 32, "0de40b998e0e330376f2d2fc4892a6931e25055fd09f054f99e93fecd9ba611e");
	assert_int_equal(crypto_box_shared(peer, secret, out), 0);
	assert_hex(out, 32, "217fcb0f18caf284e9bdea0b94b83b8d10867ed706bfdedbd2381f4cb3b8f730");
}

/* A peer that sends such a key wants to know the shared one beforehand. */
static void keys_of_low_order_are_refused(void **state) {
	(void) state;
	static const char *const low[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	for (size_t i = 0; i < sizeof(low) / sizeof(low[0]); i++) {
		uint8_t key[32];
		uint8_t out[32];
		assert_int_equal(hex_decode(low[i], key, 32), 0);
		assert_int_equal(crypto_x25519(HEX(ALICE_SECRET), key, out), -EBADMSG);
		assert_int_equal(crypto_box_shared(key, HEX(ALICE_SECRET), out), -EBADMSG);
	}
}

/* NaCl, tests/secretbox.c. */
static void secretbox_vectors(void **state) {
	(void) state;
	uint8_t sealed[N(BOX_SEALED)];
	uint8_t plain[N(BOX_PLAIN)];
	assert_int_equal(sizeof(sealed), sizeof(plain) + CRYPTO_TAG_LEN);
	crypto_secretbox_seal(
		HEX(AB_BOX_KEY), HEX(BOX_NONCE), HEX(BOX_PLAIN), sizeof(plain), sealed);
	assert_hex(sealed, sizeof(sealed), BOX_SEALED);
	int r = crypto_secretbox_unseal(
		HEX(AB_BOX_KEY), HEX(BOX_NONCE), sealed, sizeof(sealed), plain);
	assert_int_equal(r, 0);
	assert_hex(plain, sizeof(plain), BOX_PLAIN);
}

static void any_changed_bit_breaks_a_secretbox(void **state) {
	(void) state;
	const uint8_t *key = HEX(AB_BOX_KEY);
	uint8_t *nonce = HEX(BOX_NONCE);
	uint8_t sealed[5 + CRYPTO_TAG_LEN];
	uint8_t plain[5];
	crypto_secretbox_seal(key, nonce, "hello", 5, sealed);
	for (size_t bit = 0; bit < sizeof(sealed) * 8; bit++) {
		sealed[bit / 8] ^= (uint8_t) (1 << bit % 8);
		assert_int_equal(crypto_secretbox_unseal(key, nonce, sealed, sizeof(sealed), plain),
			-EBADMSG);
		sealed[bit / 8] ^= (uint8_t) (1 << bit % 8);
	}
	for (size_t n = 0; n < sizeof(sealed); n++) {
		assert_int_equal(crypto_secretbox_unseal(key, nonce, sealed, n, plain), -EBADMSG);
	}
	nonce[23] ^= 1;
	assert_int_equal(
		crypto_secretbox_unseal(key, nonce, sealed, sizeof(sealed), plain), -EBADMSG);
	nonce[23] ^= 1;
	assert_int_equal(crypto_secretbox_unseal(key, nonce, sealed, sizeof(sealed), plain), 0);
	assert_memory_equal(plain, "hello", 5);

	crypto_secretbox_seal(key, nonce, NULL, 0, sealed);
	assert_int_equal(crypto_secretbox_unseal(key, nonce, sealed, CRYPTO_TAG_LEN, plain), 0);
}

/* draft-irtf-cfrg-xchacha-03, A.3.1; its additional data is the context. */
static void sealed_column_opens_the_published_vector(void **state) {
	(void) state;
	static const char text[] = "Ladies and Gentlemen of the class of '99: If I could offer you "
				   "only one tip for the future, sunscreen would be it.";
	const size_t n_text = sizeof(text) - 1;
	const uint8_t *key =
		HEX("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
	static const char sealed_hex[] = "404142434445464748494a4b4c4d4e4f5051525354555657"
					 "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c"
					 "21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216"
					 "cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2b"
					 "c369488f76b2383565d3fff921f9664c97637da9768812f615c68b13"
					 "b52ec0875924c1c7987947deafd8780acf49";
	uint8_t sealed[N(sealed_hex)];
	uint8_t plain[sizeof(text)];
	assert_int_equal(sizeof(sealed), n_text + CRYPTO_SEAL_OVERHEAD);
	assert_int_equal(hex_decode(sealed_hex, sealed, sizeof(sealed)), 0);
	int r = crypto_unseal(
		key, "PQRS\xc0\xc1\xc2\xc3\xc4\xc5\xc6\xc7", sealed, sizeof(sealed), plain);
	assert_int_equal(r, 0);
	assert_memory_equal(plain, text, n_text);
}

static void sealed_column_is_bound_to_its_place(void **state) {
	(void) state;
	uint8_t key[32];
	uint8_t one[6 + CRYPTO_SEAL_OVERHEAD];
	uint8_t two[6 + CRYPTO_SEAL_OVERHEAD];
	uint8_t plain[6];
	crypto_random(key, sizeof(key));
	crypto_seal(key, "code/pin/17", "471100", 6, one);
	crypto_seal(key, "code/pin/17", "471100", 6, two);
	/* The same value twice must not look the same. */
	assert_memory_not_equal(one, two, 24);
	assert_memory_not_equal(one + 24, two + 24, 6);

	assert_int_equal(crypto_unseal(key, "code/pin/17", one, sizeof(one), plain), 0);
	assert_memory_equal(plain, "471100", 6);
	assert_int_equal(crypto_unseal(key, "code/pin/18", one, sizeof(one), plain), -EBADMSG);
	assert_int_equal(crypto_unseal(key, "", one, sizeof(one), plain), -EBADMSG);
	for (size_t i = 0; i < sizeof(one); i++) {
		one[i] ^= 0x80;
		assert_int_equal(
			crypto_unseal(key, "code/pin/17", one, sizeof(one), plain), -EBADMSG);
		one[i] ^= 0x80;
	}
	for (size_t n = 0; n < sizeof(one); n++) {
		assert_int_equal(crypto_unseal(key, "code/pin/17", one, n, plain), -EBADMSG);
	}
	key[31] ^= 1;
	assert_int_equal(crypto_unseal(key, "code/pin/17", one, sizeof(one), plain), -EBADMSG);

	crypto_seal(key, "", NULL, 0, one);
	assert_int_equal(crypto_unseal(key, "", one, CRYPTO_SEAL_OVERHEAD, plain), 0);
}

/* Computed with Python's hashlib: blake2b(key=master, salt=id, person=context, digest_size=32). */
static void derived_keys(void **state) {
	(void) state;
	uint8_t master[32];
	uint8_t out[32];
	for (size_t i = 0; i < sizeof(master); i++) {
		master[i] = (uint8_t) i;
	}
	crypto_derive(master, 1, "lockhub1", out);
	assert_hex(out, 32, "842a83a95190db5834e25eb3b59650a3b1d6e467a6ba0e212c4979f67e741658");
	crypto_derive(master, (UINT64_C(1) << 40) + 7, "lockhub1", out);
	assert_hex(out, 32, "0806ab51ec0414adb5323924387ba551e80b65e720a4ded60e0d61a462f33216");
	uint8_t other[32];
	crypto_derive(master, 1, "lockhub2", other);
	assert_memory_not_equal(out, other, 32);
}

static void crc_vectors(void **state) {
	(void) state;
	const uint16_t init = CRYPTO_CRC16_CCITT_INIT;
	assert_int_equal(crypto_crc16_ccitt(init, "123456789", 9), 0x29b1);
	assert_int_equal(crypto_crc16_ccitt(init, NULL, 0), 0xffff);
	assert_int_equal(crypto_crc16_ccitt(init, "A", 1), 0xb915);
	uint16_t crc = crypto_crc16_ccitt(init, "1234", 4);
	assert_int_equal(crypto_crc16_ccitt(crc, "56789", 5), 0x29b1);
	/* A message with its own checksum behind it, most significant octet first, gives 0. */
	assert_int_equal(crypto_crc16_ccitt(init, "123456789\x29\xb1", 11), 0);
}

static void random_octets_differ(void **state) {
	(void) state;
	uint8_t a[32] = { 0 };
	uint8_t b[32] = { 0 };
	const uint8_t zeros[32] = { 0 };
	crypto_random(a, sizeof(a));
	crypto_random(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, zeros, sizeof(a));
	uint32_t first = crypto_random_u32();
	bool is_different = false;
	for (int i = 0; i < 8; i++) {
		is_different |= crypto_random_u32() != first;
	}
	assert_true(is_different);
}

static void new_key_pairs_fit(void **state) {
	(void) state;
	uint8_t a_public[32];
	uint8_t a_secret[32];
	uint8_t b_public[32];
	uint8_t b_secret[32];
	uint8_t one[32];
	uint8_t two[32];
	crypto_random(a_secret, sizeof(a_secret));
	crypto_random(b_secret, sizeof(b_secret));
	crypto_box_public(a_secret, a_public);
	crypto_box_public(b_secret, b_public);
	assert_memory_not_equal(a_secret, b_secret, 32);
	assert_int_equal(crypto_box_shared(b_public, a_secret, one), 0);
	assert_int_equal(crypto_box_shared(a_public, b_secret, two), 0);
	assert_memory_equal(one, two, 32);
}

static void equal_compares_every_octet(void **state) {
	(void) state;
	assert_true(crypto_equal("abcd", "abcd", 4));
	assert_false(crypto_equal("abcd", "abce", 4));
	assert_false(crypto_equal("abcd", "bbcd", 4));
	assert_true(crypto_equal("abcd", "abce", 3));
	assert_true(crypto_equal("a", "b", 0));
}

/* NIST SP 800-38A, F.1.1 and F.2.1. */
static void aes_blocks_and_chains(void **state) {
	const uint8_t *key = HEX("2b7e151628aed2a6abf7158809cf4f3c");
	const uint8_t *plain =
		HEX("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
	uint8_t iv[CRYPTO_AES_LEN], buf[2 * CRYPTO_AES_LEN];

	(void) state;
	crypto_aes_block_seal(key, plain, buf);
	assert_hex(buf, CRYPTO_AES_LEN, "3ad77bb40d7a3660a89ecaf32466ef97");
	crypto_aes_block_open(key, buf, buf);
	assert_memory_equal(buf, plain, CRYPTO_AES_LEN);

	/* In two messages of one chain, as in one. */
	hex_into(iv, "000102030405060708090a0b0c0d0e0f", sizeof(iv));
	crypto_aes_cbc_seal(key, iv, plain, CRYPTO_AES_LEN, buf);
	crypto_aes_cbc_seal(key, iv, plain + CRYPTO_AES_LEN, CRYPTO_AES_LEN, buf + CRYPTO_AES_LEN);
	assert_hex(buf, sizeof(buf),
		"7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2");
	hex_into(iv, "000102030405060708090a0b0c0d0e0f", sizeof(iv));
	crypto_aes_cbc_open(key, iv, buf, CRYPTO_AES_LEN, buf);
	crypto_aes_cbc_open(key, iv, buf + CRYPTO_AES_LEN, CRYPTO_AES_LEN, buf + CRYPTO_AES_LEN);
	assert_memory_equal(buf, plain, sizeof(buf));
	assert_hex(iv, sizeof(iv), "5086cb9b507219ee95db113a917678b2");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_vectors),
		cmocka_unit_test(hmac_vectors),
		cmocka_unit_test(aes_blocks_and_chains),
		cmocka_unit_test(nuki_authenticator),
		cmocka_unit_test(x25519_vectors),
		cmocka_unit_test(box_key_vectors),
		cmocka_unit_test(keys_of_low_order_are_refused),
		cmocka_unit_test(secretbox_vectors),
		cmocka_unit_test(any_changed_bit_breaks_a_secretbox),
		cmocka_unit_test(sealed_column_opens_the_published_vector),
		cmocka_unit_test(sealed_column_is_bound_to_its_place),
		cmocka_unit_test(derived_keys),
		cmocka_unit_test(crc_vectors),
		cmocka_unit_test(random_octets_differ),
		cmocka_unit_test(new_key_pairs_fit),
		cmocka_unit_test(equal_compares_every_octet),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
