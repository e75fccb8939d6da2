/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "api/api.h"
#include "backup.h"
#include "crypto/crypto.h"
#include "crypto/password.h"
#include "daemon.h"
#include "rooms.h"
#include "util/log.h"
#include "util/text.h"

#define EXIT_USAGE 2
#define STATE_DIR_DEFAULT "/var/lib/lockhub"

enum {
	OPT_CONFIG = 256,
	OPT_STATE_DIR,
	OPT_BUS,
	OPT_CHECK,
	OPT_PRINT,
	OPT_INTROSPECT,
	OPT_RESTORE
};

struct arguments {
	const char *config; /* NULL: the default, which may be missing */
	const char *state_dir;
	const char *bus_address;
	bool wants_check;
	const char *restore; /* a backup to be laid into a new state folder; NULL */
};

static void print_help(FILE *out) {
	(void) fprintf(out,
		"lockhubd - local smart-lock hub\n\n"
		"Usage: lockhubd [OPTION...]\n\n"
		"  --config FILE         instead of " CONF_FILE_DEFAULT " (and FILE.d/*.conf)\n"
		"  --state-dir DIR       database and key; default $STATE_DIRECTORY "
		"or " STATE_DIR_DEFAULT "\n"
		"  --bus-address ADDR    D-Bus to find BlueZ on and to offer org.lockhub1 on\n"
		"  --check-config        read the configuration, say what is wrong with it, and "
		"end\n"
		"  --print-config        print a sample configuration with all keys and defaults\n"
		"  --restore FILE        put a backup into the state folder, which has no database "
		"yet; "
		"the\n                        passphrase is read from standard input\n"
		"  --bus-introspect      print the D-Bus interfaces as XML\n"
		"  --version\n"
		"  --help\n\n"
		"LOCKHUB_LOG=debug in the environment tells more. See lockhubd(8).\n");
}

/* Keys are in our memory: no core dump, nobody attaches, new files are ours alone. */
static void protect_process(void) {
	const struct rlimit none = { 0, 0 };

	(void) umask(077);
	(void) setrlimit(RLIMIT_CORE, &none);
	(void) prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Slow and large by design: whatever else runs here goes before it. */
static void give_way(void) {
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void) !write(fd, "1000", 4);
		(void) close(fd);
	}
	/* The sandbox of the unit forbids it; there the kernel shares out fairly all the same. */
	(void) setpriority(PRIO_PROCESS, 0, 10);
}

/* A child of lockhubd that makes a key of a passphrase for it, see crypto/password.h. */
static int make_key(void) {
	/* Before it is protected: afterwards it may not write to its own files in /proc. */
	give_way();
	protect_process();
	return crypto_setup() < 0 ? EXIT_FAILURE : password_child_main();
}

static void setup_log(void) {
	static const struct name_row levels[] = { { LOG_DEBUG, "debug" }, { LOG_INFO, "info" },
		{ LOG_NOTICE, "notice" }, { LOG_WARNING, "warning" }, { LOG_ERR, "error" } };
	const char *word = getenv("LOCKHUB_LOG");
	int level = LOG_INFO;
	int r = word != NULL ? name_to(levels, ARRAY_SIZE(levels), word, &level) : 0;

	log_setup("lockhubd", level);
	if (r < 0) {
		log_warning("LOCKHUB_LOG=%s is none of debug, info, notice, warning, error", word);
	}
}

/* -1: go on; else the exit status. */
static int parse(int argc, char *argv[], struct arguments *arguments) {
	static const struct option options[] = {
		{ "config", required_argument, NULL, OPT_CONFIG },
		{ "state-dir", required_argument, NULL, OPT_STATE_DIR },
		{ "bus-address", required_argument, NULL, OPT_BUS },
		{ "check-config", no_argument, NULL, OPT_CHECK },
		{ "print-config", no_argument, NULL, OPT_PRINT },
		{ "restore", required_argument, NULL, OPT_RESTORE },
		{ "bus-introspect", no_argument, NULL, OPT_INTROSPECT },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
		switch (c) {
		case OPT_CONFIG:
			arguments->config = optarg;
			break;
		case OPT_STATE_DIR:
			arguments->state_dir = optarg;
			break;
		case OPT_BUS:
			arguments->bus_address = optarg;
			break;
		case OPT_CHECK:
			arguments->wants_check = true;
			break;
		case OPT_RESTORE:
			arguments->restore = optarg;
			break;
		case OPT_PRINT:
			conf_print(stdout);
			return EXIT_SUCCESS;
		case OPT_INTROSPECT:
			return api_print_introspection(stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
		case 'V':
			(void) printf("lockhubd %s\n", LOCKHUB_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			print_help(stdout);
			return EXIT_SUCCESS;
		default:
			(void) fprintf(stderr, "Try lockhubd --help.\n");
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		(void) fprintf(
			stderr, "lockhubd: it takes no argument, but got \"%s\"\n", argv[optind]);
		return EXIT_USAGE;
	}
	return -1;
}

/* Each key was read without a word against it. */
static int check(const struct conf *conf) {
	struct fault fault = { .code = FAULT_NONE };

	if (rooms_check(conf, &fault) < 0) {
		(void) fprintf(stderr, "%s\n", fault.detail);
		return EXIT_FAILURE;
	}
	(void) printf("The configuration is valid.\n");
	return EXIT_SUCCESS;
}

static const char *from_environment(const char *name, const char *fallback) {
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : fallback;
}

int main(int argc, char *argv[]) {
	struct arguments arguments = { .state_dir = from_environment(
					       "STATE_DIRECTORY", STATE_DIR_DEFAULT) };
	struct daemon_options options;
	struct conf conf;
	struct fault fault = { .code = FAULT_NONE };

	if (argc == 2 && text_equal(argv[1], PASSWORD_CHILD_OPTION)) {
		return make_key();
	}
	int status = parse(argc, argv, &arguments);
	if (status >= 0) {
		return status;
	}
	protect_process();
	setup_log();
	conf_defaults(&conf);
	if (conf_read(&conf, arguments.config != NULL ? arguments.config : CONF_FILE_DEFAULT,
		    arguments.config == NULL, arguments.wants_check ? stderr : NULL, &fault) < 0) {
		if (!arguments.wants_check) {
			log_fault(&fault, NULL, NULL);
		}
		return EXIT_FAILURE;
	}
	if (arguments.wants_check) {
		return check(&conf);
	}
	if (crypto_setup() < 0) {
		log_error("no randomness to be had: libsodium does not start");
		return EXIT_FAILURE;
	}
	if (arguments.restore != NULL) {
		return backups_install(arguments.state_dir, arguments.restore);
	}
	/* The same program, also after an update has put another one in its place. */
	password_use_child("/proc/self/exe");
	options = (struct daemon_options){ .state_dir = arguments.state_dir,
		.bus_address = arguments.bus_address,
		.config = arguments.config != NULL ? arguments.config : CONF_FILE_DEFAULT,
		.models = from_environment("LOCKHUB_MODELS", LOCKHUB_MODELS_DEFAULT),
		.root = from_environment("LOCKHUB_ROOT", ""),
		.conf = &conf };
	return daemon_run(&options);
}
