/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * MQTT: what the hub shows on a broker and takes from it, in the form that Home Assistant
 * understands (docs/mqtt.md). Listens to the hub's signals, asks by hub_request(), decides nothing.
 * All of it on the loop thread; what would block (names, mqtt_ask_as_stranger()) runs on a pool
 * thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/auto.h"
#include "util/fault.h"
#include "util/secret.h"
#include "util/signal.h"
#include "util/when.h"

struct diag;
struct hub;
struct loop;
struct mqtt;
struct vault;

/* How the hub introduces its locks to Home Assistant. Values carry no meaning outside. */
enum mqtt_discovery {
	MQTT_DISCOVERY_UNKNOWN,
	MQTT_DISCOVERY_DEVICE, /* one message per lock; Home Assistant 2024.11 and later */
	MQTT_DISCOVERY_SINGLE, /* one per entity; 2023.8 and later, and other programs */
	MQTT_DISCOVERY_OFF,
};
const char *mqtt_discovery_name(enum mqtt_discovery discovery);           /* "device"; never NULL */
int mqtt_discovery_from_name(const char *name, enum mqtt_discovery *ret); /* -EINVAL */

/*
 * What is spoken with the broker. With 5 it does not hand over retained commands or giant messages,
 * and says at once what its access list denies.
 */
enum mqtt_protocol {
	MQTT_PROTOCOL_UNKNOWN,
	MQTT_PROTOCOL_AUTO, /* 5, or 3.1.1 with a broker that does not know it */
	MQTT_PROTOCOL_311,
	MQTT_PROTOCOL_5,
};
const char *mqtt_protocol_name(enum mqtt_protocol protocol);            /* "3.1.1"; never NULL */
int mqtt_protocol_from_name(const char *name, enum mqtt_protocol *ret); /* -EINVAL */

/*
 * What the hub lets itself be asked for on BASE/hub/request/NAME (docs/mqtt-requests.md). Each
 * class holds the ones before it; none of them opens a door or hands out a secret.
 */
enum mqtt_requests {
	MQTT_REQUESTS_NONE,     /* the topic is not even subscribed; what is safe stands for 0 */
	MQTT_REQUESTS_READ,     /* tells what is known */
	MQTT_REQUESTS_MAINTAIN, /* asks locks, makes backups, restarts */
	MQTT_REQUESTS_ADMIN,    /* renames, removes and pairs locks, changes their settings */
};
const char *mqtt_requests_name(enum mqtt_requests requests);            /* "read"; never NULL */
int mqtt_requests_from_name(const char *name, enum mqtt_requests *ret); /* -EINVAL */

#define MQTT_TOPIC_PART_MAX 64 /* base and prefix, end mark included */
#define MQTT_HOST_MAX 256
#define MQTT_KEEPALIVE_MIN 5
#define MQTT_KEEPALIVE_MAX 600

struct mqtt_config {
	const char *host; /* name, address, or absolute path of a UNIX socket */
	unsigned port;    /* 0: 8883 with TLS, 1883 without; no meaning with a path */
	bool is_tls;
	bool is_insecure;       /* plain TCP to another machine is wanted; logged at each start */
	const char *username;   /* NULL or "": none */
	struct secret password; /* empty: none. libmosquitto keeps a copy of its own */
	const char *ca_file;    /* NULL or "": the system's certificates */
	const char *cert_file;  /* NULL or "": no client certificate */
	const char *key_file;   /* with cert_file only */
	const char *client_id;  /* one per installation, random; two clients with one id fight */
	const char *hub_id;     /* letters, digits, _ and -; names the hub in Home Assistant */
	const char *hub_name;   /* the hub's device name; default "lockhub" */
	const char *version;    /* of lockhub, for people */
	const char *base;       /* default "lockhub"; a second hub needs another */
	const char *prefix;     /* Home Assistant's discovery prefix */
	const char *ha_status;  /* topic of its birth message; NULL or "": none */
	enum mqtt_discovery discovery;
	enum mqtt_protocol protocol; /* default AUTO */
	unsigned keepalive_s;        /* MQTT_KEEPALIVE_MIN..MAX; default 20 */
	bool clear_retained;         /* empty a command topic on which one lies; default true */
	bool show_users;             /* names of people in events and attributes; default true */
	bool allow_commands;         /* default true; policy may forbid unlocking beyond that */
	bool keep_discovery;         /* publish discovery anew when others clear it; default true */
	bool user_switches;          /* a switch for each user; default false */
	bool maintenance;            /* buttons that restart and calibrate a lock; default false */
	bool settings;               /* a lock's settings can be changed; default true */
	/* Why the hub was started: a word of docs/mqtt.md, "restart_reason". Static; NULL unknown.
	 */
	const char *restart_reason;
	/* Judges the locks' health; NULL: nobody does. Must outlive the mqtt. */
	struct diag *diag;
	enum mqtt_requests requests; /* default none */
	/* For the requests "backup" and "remove"; NULL: refused. Must outlive the mqtt. */
	struct vault *vault;
	/* For the request "restart": begins an orderly stop that ends in a start; NULL: refused. */
	int (*restart)(void *user, struct fault *ret_fault);
	void *user;
	/* Base topic of the pin_code dialect, usually "zigbee2mqtt"; NULL or "": not spoken. */
	const char *pin_code_base;
};

/* Everything but host, client_id, hub_id and version. */
void mqtt_config_defaults(struct mqtt_config *config);
/* 0, or FAULT_CONFIG_INVALID with the reason. Pure; for --check-config. */
int mqtt_config_check(const struct mqtt_config *config, struct fault *ret_fault);

struct mqtt_status {
	bool is_connected;  /* the broker has accepted us */
	bool is_online;     /* and has acknowledged all that we have to say */
	struct fault fault; /* FAULT_NONE, or BROKER_*: also while connected (BROKER_DENIED) */
	char broker[MQTT_HOST_MAX + 8]; /* "host:port" or the socket's path */
	enum mqtt_protocol protocol;    /* spoken now; UNKNOWN: no connection */
	wall_t connected_at;            /* of the present connection; 0: none */
	uint64_t connects;              /* connections accepted so far */
	uint64_t published;             /* messages acknowledged by the broker */
	uint64_t commands;              /* command messages that came in */
	uint64_t refused;               /* of these: not carried out */
	unsigned queued_events;         /* waiting for the broker */
	uint64_t lost_events;           /* dropped because too many waited */
	uint64_t floods;                /* how often more came than was read */
};

/*
 * @config is copied. Takes up listening to the hub at once, so make it before hub_start() and free
 * it before the hub. NULL: no memory.
 */
struct mqtt *mqtt_new(struct loop *loop, struct hub *hub, const struct mqtt_config *config);
/* Legal in any state; a connection still open is closed without farewell (the will is sent). */
struct mqtt *mqtt_free(struct mqtt *mqtt);
AUTO_DEFINE(struct mqtt *, mqtt_free);

/*
 * Begins to connect and goes on for ever, 1..3 s apart while the broker cannot be reached and
 * up to 30 s when it refuses. 0, or the fault of mqtt_config_check().
 */
int mqtt_start(struct mqtt *mqtt, struct fault *ret_fault);
/*
 * Orderly end: says what is left to say and `offline`, waits up to MQTT_STOP_MS for the broker to
 * acknowledge it, disconnects. @done once, from the loop. Call mqtt_free() there or later.
 */
#define MQTT_STOP_MS 2000
void mqtt_stop(struct mqtt *mqtt, void (*done)(void *user), void *user);

/* Gives up the present connection, if any, and tries at once to make a new one. */
void mqtt_reconnect(struct mqtt *mqtt);
/* What the broker does with a client that gives no name. */
enum mqtt_stranger {
	MQTT_STRANGER_UNKNOWN, /* it did not say: busy, silent, or for another reason */
	MQTT_STRANGER_LET_IN,
	MQTT_STRANGER_REFUSED, /* CONNACK 4 or 5 (MQTT 5: 0x86, 0x87), or by TLS */
};
/*
 * Tries it out by a connection made for the purpose, on a pool thread, for 5 s at most. The
 * broker's log shows it: only when a person asks. @done once, from the loop,
 * also after mqtt_free(). -ENOTCONN: the hub itself is not connected, or by a UNIX socket, where
 * the file says who may; -ENOMEM.
 */
int mqtt_ask_as_stranger(
	struct mqtt *mqtt, void (*done)(void *user, enum mqtt_stranger stranger), void *user);
/*
 * Whether the broker is on this machine, by the name alone: names are not resolved for this, as
 * what a name means can change.
 */
bool mqtt_is_local(const char *host);

const struct mqtt_status *mqtt_status(const struct mqtt *mqtt);
/*
 * Emitted with a const struct mqtt_status when is_connected, is_online or the fault's code has
 * changed. Whoever listens logs it: this room logs what comes in, not how the connection fares.
 */
struct signal *mqtt_changed(struct mqtt *mqtt);
