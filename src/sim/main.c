/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* lockhub-sim: virtual locks, and a virtual org.bluez or a virtual radio to put them on. */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "crypto/crypto.h"
#include "peripheral.h"
#include "util/log.h"
#include "util/text.h"

#define LOCKS_MAX 2000
#define PAIRS_MAX 80
enum { EXIT_USAGE = 2 };

enum face { FACE_VIRTUAL, FACE_VHCI, FACE_AIR };

struct options {
	const char *bus_address;
	const char *state;
	const char **locks;
	size_t n_locks;
	double speed;
	bool has_seed;
	uint64_t seed;
	unsigned n_adapters;
	enum connected_signal connected_signal;
	bool is_objects_first;
	unsigned patience_ms;
	enum face face;
	const char *adapter; /* of FACE_AIR */
	unsigned acl_octets;
	int ready_fd; /* -1: a line on stdout */
	bool is_verbose;
};

struct sim {
	struct options options;
	struct loop *loop;
	struct world *world;
	struct bluez *bluez;           /* one of the faces */
	struct vhci_port *port;        /* one of the faces; NULL: another */
	struct peripheral *peripheral; /* the third */
	struct control *control;
	struct loop_timer *save_timer;
	unsigned n_ready; /* the face and the control channel: both are needed */
};

static void help(void) {
	printf("Usage: lockhub-sim --lock 'name=front,model=nuki:gen4' ... [OPTION]...\n"
	       "       lockhub-sim ctl COMMAND ...          (lockhub-sim ctl --help)\n"
	       "\n"
	       "Plays smart locks with their real protocol, and the org.bluez or the radio to\n"
	       "reach them by.\n"
	       "\n"
	       "  --lock 'KEY=VALUE,...'  a lock; repeatable. Keys: name, model, address, pin,\n"
	       "                          battery, id, firmware, keypad=0|1|2, sensor=0|1,\n"
	       "                          bolt=locked|unlocked, mtu, idle, auto-lock, "
	       "log=ENTRIES,\n"
	       "                          pairing=1; and what is wrong with it: cells, worn,\n"
	       "                          jam, friction, rssi, loss ... (man lockhub-sim)\n"
	       "  --bus-address=ADDRESS   bus to own org.bluez on ($DBUS_SYSTEM_BUS_ADDRESS)\n"
	       "  --adapters=N            Bluetooth adapters, 1 to %d (1)\n"
	       "  --speed=FACTOR          how much faster motors and waits go (1)\n"
	       "  --seed=NUMBER           the same chances each time\n"
	       "  --state=FILE            keep what the locks remember in FILE\n"
	       "  --connected-signal=WHEN of Device1.Connected: before, missing or after the "
	       "reply\n"
	       "  --objects-first         show GATT objects before ServicesResolved is said\n"
	       "  --patience=SECONDS      real ones, until a Connect without an answer fails\n"
	       "  --face=FACE             how the locks are reached: bluez-virtual (default), or\n"
	       "                          vhci: controllers of our own below the real "
	       "bluetoothd, or\n"
	       "                          bluez: one lock, through the real bluetoothd\n"
	       "  --adapter=hciN          that bluetoothd's, for --face=bluez\n"
	       "  --acl-octets=N          of a data packet of those controllers, %d to %d (%d)\n"
	       "  --ready-fd=N            write READY=1 to this descriptor, not to stdout\n"
	       "  --verbose, --help, --version\n"
	       "\n"
	       "Models:",
		BLUEZ_ADAPTERS_MAX, VHCI_ACL_LEAST, VHCI_ACL_MOST, VHCI_ACL_MOST);
	for (size_t i = 0; sim_models[i] != NULL; i++) {
		printf(" %s", sim_models[i]);
	}
	printf("\n\nExit status: 0 stopped by a signal, 1 failed, 2 wrong usage.\n");
}

static int usage(const char *text) {
	fprintf(stderr, "lockhub-sim: %s\nTry: lockhub-sim --help\n", text);
	return -EXIT_USAGE;
}

/* ---- options ---- */

static int usage_value(const char *option, const char *value, const char *wanted) {
	char text[256];
	snprintf(text, sizeof(text), "--%s=%s: %s", option, value, wanted);
	return usage(text);
}

static int set_speed(struct options *options, const char *value) {
	char *end = NULL;
	options->speed = strtod(value, &end);
	if (end == value || *end != '\0' || !(options->speed >= 0.01 && options->speed <= 1000)) {
		return usage_value("speed", value, "a number from 0.01 to 1000 is needed");
	}
	return 0;
}

static int set_number(
	const char *option, const char *value, uint64_t least, uint64_t most, uint64_t *ret) {
	char wanted[96];
	if (text_to_u64(value, least, most, ret) == 0) {
		return 0;
	}
	snprintf(wanted, sizeof(wanted), "a number from %llu to %llu is needed",
		(unsigned long long) least, (unsigned long long) most);
	return usage_value(option, value, wanted);
}

static int set_signal(struct options *options, const char *value) {
	static const char *const modes[] = { "before", "missing", "after" };
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (text_equal(modes[i], value)) {
			options->connected_signal = (enum connected_signal) i;
			return 0;
		}
	}
	return usage_value("connected-signal", value, "before, missing or after is needed");
}

static int set_face(struct options *options, const char *value) {
	static const char *const faces[] = { "bluez-virtual", "vhci", "bluez" };
	for (size_t i = 0; i < ARRAY_SIZE(faces); i++) {
		if (text_equal(faces[i], value)) {
			options->face = (enum face) i;
			return 0;
		}
	}
	return usage_value("face", value, "bluez-virtual, vhci or bluez is needed");
}

static int set_adapter(const char *value) {
	uint64_t number = 0;
	if (strncmp(value, "hci", 3) != 0 || text_to_u64(value + 3, 0, 99, &number) < 0) {
		return usage_value("adapter", value, "hci0 or another one of bluetoothd is needed");
	}
	return 0;
}

/* What the options are together. */
static int check_options(const struct options *options) {
	bool is_air = options->face == FACE_AIR;
	if (is_air && options->adapter == NULL) {
		return usage("--face=bluez needs --adapter=hciN");
	}
	if (is_air && options->n_locks != 1) {
		return usage("--face=bluez takes one lock: it has the address of its adapter");
	}
	return is_air || options->adapter == NULL ? 0 : usage("--adapter is for --face=bluez");
}

enum option_key {
	OPTION_LOCK = 256,
	OPTION_BUS,
	OPTION_ADAPTERS,
	OPTION_SPEED,
	OPTION_SEED,
	OPTION_STATE,
	OPTION_SIGNAL,
	OPTION_OBJECTS,
	OPTION_PATIENCE,
	OPTION_FACE,
	OPTION_ADAPTER,
	OPTION_ACL,
	OPTION_READY,
	OPTION_VERBOSE,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{ "lock", required_argument, NULL, OPTION_LOCK },
	{ "bus-address", required_argument, NULL, OPTION_BUS },
	{ "adapters", required_argument, NULL, OPTION_ADAPTERS },
	{ "speed", required_argument, NULL, OPTION_SPEED },
	{ "seed", required_argument, NULL, OPTION_SEED },
	{ "state", required_argument, NULL, OPTION_STATE },
	{ "connected-signal", required_argument, NULL, OPTION_SIGNAL },
	{ "objects-first", no_argument, NULL, OPTION_OBJECTS },
	{ "patience", required_argument, NULL, OPTION_PATIENCE },
	{ "face", required_argument, NULL, OPTION_FACE },
	{ "adapter", required_argument, NULL, OPTION_ADAPTER },
	{ "acl-octets", required_argument, NULL, OPTION_ACL },
	{ "ready-fd", required_argument, NULL, OPTION_READY },
	{ "verbose", no_argument, NULL, OPTION_VERBOSE },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

/* @return 0, 1 (all is said, stop well) or -EXIT_USAGE. */
static int set_option(struct options *options, int key, const char *value) {
	uint64_t number = 0;
	int r = 0;
	switch (key) {
	case OPTION_LOCK:
		if (options->n_locks == LOCKS_MAX) {
			return usage("too many locks");
		}
		options->locks[options->n_locks++] = value;
		return 0;
	case OPTION_BUS:
		options->bus_address = value;
		return 0;
	case OPTION_ADAPTERS:
		r = set_number("adapters", value, 1, BLUEZ_ADAPTERS_MAX, &number);
		options->n_adapters = (unsigned) number;
		return r;
	case OPTION_SPEED:
		return set_speed(options, value);
	case OPTION_SEED:
		options->has_seed = true;
		return set_number("seed", value, 0, UINT64_MAX, &options->seed);
	case OPTION_STATE:
		options->state = value;
		return 0;
	case OPTION_SIGNAL:
		return set_signal(options, value);
	case OPTION_OBJECTS:
		options->is_objects_first = true;
		return 0;
	case OPTION_PATIENCE:
		r = set_number("patience", value, 1, 600, &number);
		options->patience_ms = (unsigned) number * 1000;
		return r;
	case OPTION_FACE:
		return set_face(options, value);
	case OPTION_ADAPTER:
		options->adapter = value;
		return set_adapter(value);
	case OPTION_ACL:
		r = set_number("acl-octets", value, VHCI_ACL_LEAST, VHCI_ACL_MOST, &number);
		options->acl_octets = (unsigned) number;
		return r;
	case OPTION_READY:
		r = set_number("ready-fd", value, 0, 65535, &number);
		options->ready_fd = (int) number;
		return r;
	case OPTION_VERBOSE:
		options->is_verbose = true;
		return 0;
	case OPTION_HELP:
		help();
		return 1;
	case OPTION_VERSION:
		printf("lockhub-sim %s\n", LOCKHUB_VERSION);
		return 1;
	default:
		return -EXIT_USAGE; /* getopt has said what is wrong */
	}
}

static int parse_options(int argc, char **argv, struct options *options) {
	int key, r = 0;
	while (r == 0 && (key = getopt_long(argc, argv, "hv", long_options, NULL)) != -1) {
		key = key == 'h' ? OPTION_HELP : key == 'v' ? OPTION_VERBOSE : key;
		r = set_option(options, key, optarg);
	}
	if (r == 0 && optind < argc) {
		char text[256];
		snprintf(text, sizeof(text), "%s: what is that to mean?", argv[optind]);
		return usage(text);
	}
	return r == 0 ? check_options(options) : r;
}

/* ---- locks ---- */

/* "name=front,model=nuki:gen4" -> name, front, model, nuki:gen4, NULL. Writes into @text. */
static int split_pairs(char *text, const char **pairs, char *why) {
	size_t n = 0;
	char *rest = text;
	for (char *pair; (pair = strsep(&rest, ",")) != NULL;) {
		char *value = strchr(pair, '=');
		if (value == NULL || value == pair) {
			snprintf(why, SIM_TEXT_MAX, "\"%s\": KEY=VALUE is needed", pair);
			return -EINVAL;
		}
		if (n + 2 >= PAIRS_MAX) {
			snprintf(why, SIM_TEXT_MAX, "too many keys");
			return -E2BIG;
		}
		*value = '\0';
		pairs[n++] = pair;
		pairs[n++] = value + 1;
	}
	pairs[n] = NULL;
	return 0;
}

static int add_lock(struct world *world, const char *spec) {
	const char *pairs[PAIRS_MAX + 1];
	char why[SIM_TEXT_MAX] = "";
	struct sim_lock *lock = NULL;
	char *text = strdup(spec);
	if (text == NULL) {
		return -ENOMEM;
	}
	int r = split_pairs(text, pairs, why);
	r = r < 0 ? r : sim_lock_make(pairs, &world->env, &lock, why);
	if (r == 0) {
		r = world_add_lock(world, lock);
		if (r == -EEXIST) {
			snprintf(why, sizeof(why), "another lock has this name or this address");
		}
	}
	if (r < 0) {
		char line[SIM_TEXT_MAX + 128];
		snprintf(line, sizeof(line), "--lock '%.100s': %s", spec,
			why[0] == '\0' ? strerror(-r) : why);
		usage(line);
	}
	free(text);
	return r;
}

/* ---- running ---- */

static void on_ready(void *user) {
	struct sim *sim = user;
	static const char text[] = "READY=1\n";
	if (++sim->n_ready < 2) {
		return;
	}
	int fd = sim->options.ready_fd < 0 ? STDOUT_FILENO : sim->options.ready_fd;
	if (write(fd, text, sizeof(text) - 1) < 0) {
		log_warning("cannot say that it is ready: %s", strerror(errno));
	}
	if (sim->options.ready_fd >= 0) {
		close(sim->options.ready_fd);
	}
}

static void on_signal(void *user, int signum) {
	struct sim *sim = user;
	(void) signum;
	loop_stop(sim->loop, 0);
}

static int save(struct sim *sim) {
	if (sim->options.state == NULL) {
		return 0;
	}
	int r = world_save(sim->world, sim->options.state);
	if (r < 0) {
		log_error("%s: %s", sim->options.state, strerror(-r));
	}
	return r;
}

/* What the locks learn is written while they run too: a simulator may be killed. */
#define SAVE_MS 2000

static void on_save(void *user) {
	struct sim *sim = user;
	save(sim);
	loop_timer_arm(sim->save_timer, SAVE_MS);
}

static int build_face(struct sim *sim) {
	const struct options *options = &sim->options;
	if (options->face == FACE_VHCI) {
		const struct vhci_options vhci_options = {
			.n_adapters = options->n_adapters,
			.acl_octets = options->acl_octets,
		};
		sim->port = vhci_port_new(sim->world, &vhci_options);
		return sim->port == NULL ? -ENOMEM : 0;
	}
	if (options->face == FACE_AIR) {
		const struct peripheral_options peripheral_options = {
			.bus_address = options->bus_address,
			.adapter = options->adapter,
		};
		sim->peripheral = peripheral_new(sim->world, &peripheral_options, on_ready, sim);
		return sim->peripheral == NULL ? -ENOMEM : 0;
	}
	const struct bluez_options bluez_options = {
		.bus_address = options->bus_address,
		.n_adapters = options->n_adapters,
		.connected_signal = options->connected_signal,
		.is_objects_first = options->is_objects_first,
		.patience_ms = options->patience_ms,
	};
	sim->bluez = bluez_new(sim->world, &bluez_options, on_ready, sim);
	return sim->bluez == NULL ? -ENOMEM : 0;
}

static int start_face(struct sim *sim) {
	if (sim->bluez != NULL || sim->peripheral != NULL) {
		int r = sim->bluez != NULL ? bluez_start(sim->bluez)
					   : peripheral_start(sim->peripheral);
		if (r < 0) {
			log_error("cannot reach the bus: %s", strerror(-r));
		}
		return r;
	}
	for (unsigned i = 0; i < sim->options.n_adapters; i++) {
		int r = vhci_port_plug(sim->port, i);
		if (r < 0) {
			log_error("/dev/vhci: %s%s", strerror(-r),
				r == -ENOENT || r == -ENODEV
					? " (the kernel module hci_vhci makes it)"
					: "");
			return r;
		}
	}
	on_ready(sim);
	return 0;
}

static int build(struct sim *sim) {
	const struct options *options = &sim->options;
	char why[SIM_TEXT_MAX] = "";
	sim->loop = loop_new();
	sim->world = sim->loop == NULL ? NULL
				       : world_new(sim->loop, options->speed,
						 options->has_seed ? &options->seed : NULL);
	if (sim->world == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < options->n_locks; i++) {
		if (add_lock(sim->world, options->locks[i]) < 0) {
			return -EXIT_USAGE;
		}
	}
	if (options->state != NULL && world_load(sim->world, options->state, why) < 0) {
		log_error("%s", why);
		return -EIO;
	}
	if (build_face(sim) < 0) {
		return -ENOMEM;
	}
	sim->control =
		control_new(sim->world, sim->bluez, sim->port, options->bus_address, on_ready, sim);
	sim->save_timer = loop_timer_new(sim->loop, on_save, sim);
	if (sim->control == NULL || sim->save_timer == NULL) {
		return -ENOMEM;
	}
	sim->control->state_path = options->state;
	return 0;
}

static int run(struct sim *sim) {
	struct loop_signal *term = loop_signal_new(sim->loop, SIGTERM, on_signal, sim);
	struct loop_signal *interrupt = loop_signal_new(sim->loop, SIGINT, on_signal, sim);
	int status = EXIT_FAILURE;
	int r = start_face(sim);
	if (r == 0 && (r = control_start(sim->control)) < 0) {
		log_error("cannot reach the bus: %s", strerror(-r));
	}
	if (r >= 0) {
		if (sim->options.state != NULL) {
			loop_timer_arm(sim->save_timer, SAVE_MS);
		}
		status = loop_run(sim->loop);
		if (save(sim) < 0) {
			status = EXIT_FAILURE;
		}
	}
	loop_signal_free(term);
	loop_signal_free(interrupt);
	return status;
}

static void tear_down(struct sim *sim) {
	loop_timer_free(sim->save_timer);
	control_free(sim->control);
	bluez_free(sim->bluez);
	peripheral_free(sim->peripheral);
	vhci_port_free(sim->port);
	world_free(sim->world);
	loop_free(sim->loop);
}

int main(int argc, char **argv) {
	if (argc > 1 && text_equal(argv[1], "ctl")) {
		return control_client(argc - 2, argv + 2);
	}
	struct sim sim = { .options = { .speed = 1,
				   .n_adapters = 1,
				   .acl_octets = VHCI_ACL_MOST,
				   .ready_fd = -1 } };
	sim.options.locks = calloc(LOCKS_MAX, sizeof(*sim.options.locks));
	if (sim.options.locks == NULL || crypto_setup() < 0) {
		fprintf(stderr, "lockhub-sim: cannot start: no memory or no random numbers\n");
		free(sim.options.locks);
		return EXIT_FAILURE;
	}
	int status = EXIT_FAILURE;
	int r = parse_options(argc, argv, &sim.options);
	if (r != 0) {
		status = r > 0 ? EXIT_SUCCESS : EXIT_USAGE;
	} else {
		log_setup("lockhub-sim", sim.options.is_verbose ? LOG_DEBUG : LOG_INFO);
		r = build(&sim);
		status = r == -EXIT_USAGE ? EXIT_USAGE : r < 0 ? EXIT_FAILURE : run(&sim);
		tear_down(&sim);
	}
	free(sim.options.locks);
	return status;
}
