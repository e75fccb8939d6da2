/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The lock side's own codec of the Nuki frames, written apart from src/drivers/nuki on purpose: two
 * readings of the same document that have to agree. Source: docs/protocols/nuki.md 4, 5.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/when.h"

enum nuki_command {
	NUKI_REQUEST_DATA = 0x0001,
	NUKI_PUBLIC_KEY = 0x0003,
	NUKI_CHALLENGE = 0x0004,
	NUKI_AUTHENTICATOR = 0x0005,
	NUKI_AUTHORIZATION_DATA = 0x0006,
	NUKI_AUTHORIZATION_ID = 0x0007,
	NUKI_REMOVE_AUTHORIZATION = 0x0008,
	NUKI_REQUEST_AUTHORIZATIONS = 0x0009,
	NUKI_AUTHORIZATION_ENTRY = 0x000a,
	NUKI_AUTHORIZATION_INVITE = 0x000b,
	NUKI_STATES = 0x000c,
	NUKI_LOCK_ACTION = 0x000d,
	NUKI_STATUS = 0x000e,
	NUKI_RECENT_COMMAND = 0x000f,
	NUKI_OPENINGS = 0x0010,
	NUKI_BATTERY_REPORT = 0x0011,
	NUKI_ERROR_REPORT = 0x0012,
	NUKI_SET_CONFIG = 0x0013,
	NUKI_REQUEST_CONFIG = 0x0014,
	NUKI_CONFIG = 0x0015,
	NUKI_SET_PIN = 0x0019,
	NUKI_CALIBRATION = 0x001a,
	NUKI_REBOOT = 0x001d,
	NUKI_AUTHORIZATION_ID_CONFIRMATION = 0x001e,
	NUKI_AUTHORIZATION_ID_INVITE = 0x001f,
	NUKI_VERIFY_PIN = 0x0020,
	NUKI_UPDATE_TIME = 0x0021,
	NUKI_UPDATE_AUTHORIZATION = 0x0025,
	NUKI_AUTHORIZATION_COUNT = 0x0027,
	NUKI_FIRMWARE_STATUS = 0x0029,
	NUKI_REQUEST_LOG = 0x0031,
	NUKI_LOG_ENTRY = 0x0032,
	NUKI_LOG_COUNT = 0x0033,
	NUKI_ENABLE_LOGGING = 0x0034,
	NUKI_SET_ADVANCED_CONFIG = 0x0035,
	NUKI_REQUEST_ADVANCED_CONFIG = 0x0036,
	NUKI_ADVANCED_CONFIG = 0x0037,
	NUKI_ADD_TIME_CONTROL = 0x0039,
	NUKI_TIME_CONTROL_ID = 0x003a,
	NUKI_REMOVE_TIME_CONTROL = 0x003b,
	NUKI_REQUEST_TIME_CONTROL = 0x003c,
	NUKI_TIME_CONTROL_COUNT = 0x003d,
	NUKI_TIME_CONTROL_ENTRY = 0x003e,
	NUKI_UPDATE_TIME_CONTROL = 0x003f,
	NUKI_ADD_CODE = 0x0041,
	NUKI_CODE_ID = 0x0042,
	NUKI_REQUEST_CODES = 0x0043,
	NUKI_CODE_COUNT = 0x0044,
	NUKI_CODE = 0x0045,
	NUKI_UPDATE_CODE = 0x0046,
	NUKI_REMOVE_CODE = 0x0047,
	NUKI_KEYPAD_ACTION = 0x0048,
	NUKI_AUTHORIZATION_INFO = 0x004c,
	NUKI_SIMPLE_LOCK_ACTION = 0x0100,
};

enum nuki_error {
	NUKI_E_NOT_PAIRING = 0x10,
	NUKI_E_BAD_AUTHENTICATOR = 0x11,
	NUKI_E_PAIRING_PARAMETER = 0x12,
	NUKI_E_MAX_USER = 0x13,
	NUKI_E_NOT_AUTHORIZED = 0x20,
	NUKI_E_BAD_PIN = 0x21,
	NUKI_E_BAD_NONCE = 0x22,
	NUKI_E_BAD_PARAMETER = 0x23,
	NUKI_E_INVALID_AUTH_ID = 0x24,
	NUKI_E_DISABLED = 0x25,
	NUKI_E_TIME_NOT_ALLOWED = 0x27,
	NUKI_E_TOO_MANY_PIN_ATTEMPTS = 0x28,
	NUKI_E_TOO_MANY_ENTRIES = 0x29,
	NUKI_E_CODE_ALREADY_EXISTS = 0x2a,
	NUKI_E_CODE_INVALID = 0x2b,
	NUKI_E_CODE_INVALID_TIMEOUT = 0x2c,
	NUKI_E_MOTOR_BLOCKED = 0x42,
	NUKI_E_BUSY = 0x45,
	NUKI_E_CANCELLED = 0x46,
	NUKI_E_NOT_CALIBRATED = 0x47,
	NUKI_E_MOTOR_LOW_VOLTAGE = 0x49,
	NUKI_E_BAD_CRC = 0xfd,
	NUKI_E_BAD_LENGTH = 0xfe,
	NUKI_E_UNKNOWN = 0xff,
};

#define NUKI_STATUS_COMPLETE 0x00
#define NUKI_STATUS_ACCEPTED 0x01

#define NUKI_PAYLOAD_MAX 400
#define NUKI_SEALED_EXTRA 54
#define NUKI_WIRE_MAX (NUKI_PAYLOAD_MAX + NUKI_SEALED_EXTRA)
#define NUKI_WINDOW_LEN 19

/* A message with its wrapping taken off. */
struct nuki_message {
	uint16_t command;
	uint8_t payload[NUKI_PAYLOAD_MAX];
	size_t n;
};

/* Octets written to @out (NUKI_WIRE_MAX), always enough room for payloads of NUKI_PAYLOAD_MAX. */
size_t nuki_plain(uint16_t command, const uint8_t *payload, size_t n, uint8_t *out);
/* 0; -EMSGSIZE too short or too long; -EBADMSG wrong CRC (then ret->command is set all the same).
 */
int nuki_open_plain(const uint8_t *wire, size_t n_wire, struct nuki_message *ret);

size_t nuki_seal(const uint8_t key[static 32], const uint8_t nonce[static 24], uint32_t auth_id,
	uint16_t command, const uint8_t *payload, size_t n, uint8_t *out);
/* Authorisation id in the clear part, without opening it. -EMSGSIZE: not such a frame. */
int nuki_peek(const uint8_t *wire, size_t n_wire, uint32_t *ret_auth_id);
/* 0; -EMSGSIZE; -EACCES not authentic or the inner id differs; -EBADMSG wrong CRC, command set. */
int nuki_open_sealed(
	const uint8_t key[static 32], const uint8_t *wire, size_t n_wire, struct nuki_message *ret);

struct wr;
struct rd;
/* Seven octets, UTC; zeros for 0. */
void nuki_write_time(struct wr *wr, wall_t wall);
/* -EINVAL: no such date; zeros give 0. */
int nuki_read_time(struct rd *rd, wall_t *ret);
