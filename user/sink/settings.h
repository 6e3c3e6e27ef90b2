/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * telemetry.yaml: where records go, what is hidden in them, and what else the daemon listens to for the
 * sake of telemetry. Reads and checks the text; opens nothing that it names but looks at secrets' files.
 *
 *   picket: 1
 *   sinks:
 *     - {name: siem, type: otlp, url: "https://logs.example.org/v1/logs", events: [decisions, records]}
 *   metrics: 127.0.0.1:9464
 *   histograms: true
 *   receive: {otlp: 127.0.0.1:4318}
 *   redact: {defaults: true, argv: ["--token=*"], paths: ["/srv/keys/**"], query: ["sig"]}
 *   audit: {checkpoint: 1000, key: /etc/picket/audit.key}
 */
#ifndef PICKET_SINK_SETTINGS_H
#define PICKET_SINK_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "base/diag.h"
#include "format/format.h"
#include "sink/sink.h"

/** The name of the file in the folder of the configuration. */
#define TELEMETRY_FILE "telemetry.yaml"

/** Most sinks, and most bytes of a sink's name. */
#define SINKS_MAX 16
#define SINK_NAME_MAX 32

/** What a sink is. */
enum sink_type {
	SINK_FILE,
	SINK_STDOUT,
	SINK_SYSLOG,
	SINK_JOURNALD,
	SINK_OTLP,
	SINK_WEBHOOK,
	SINK_STORE,
	SINK__TYPES
};

/** What is asked of the disk before a record counts as delivered (type file). */
enum sink_sync {
	SINK_SYNC_NEVER, /* the kernel writes when it likes */
	SINK_SYNC_DECISIONS, /* batches with decisions or records are on the disk */
	SINK_SYNC_EACH, /* each batch is */
};

/** How messages of syslog travel. */
enum sink_transport { SINK_UNIX, SINK_TCP, SINK_TLS };

/** A file with a secret. Its path is all that is kept of it; the stamp tells when it was changed. */
struct sink_secret {
	char *path; /* owned; NULL: none */
	struct timespec changed;
	ino_t inode;
};

/** One sink. */
struct sink_settings {
	char *name; /* owned; letters, digits and '-' */
	enum sink_type type;
	enum format format;
	unsigned int events; /* bits: 1 << enum sink_class */
	size_t queue; /* most bytes of lines in memory */
	size_t spool; /* most bytes on disk; 0 = none */
	unsigned int timeout; /* seconds that one delivery may take */
	char *path; /* owned; file, store: absolute path; journald: the socket; or NULL */
	size_t rotate_size; /* file: bytes; 0 = never */
	unsigned int rotate_count; /* file: old ones that are kept */
	enum sink_sync sync;
	enum sink_transport transport; /* syslog */
	char *host; /* owned; syslog: path of the socket, or host */
	char *port; /* owned; syslog over tcp and tls */
	size_t store_size; /* store: bytes; 0 = without bound */
	unsigned int store_days; /* store: age; 0 = without bound */
	unsigned int facility; /* syslog: its number */
	char *server_name; /* owned; syslog over tls: name in the certificate; NULL: the host */
	char *ca; /* owned; file of the certificates that are trusted; NULL: the system's */
	char *url; /* owned; otlp, webhook */
	bool gzip; /* otlp, webhook: bodies are compressed */
	struct sink_secret headers; /* otlp, webhook: lines "Name: value" */
	struct sink_secret hmac_key; /* webhook: bodies are signed */
};

/** A list of patterns; owned. */
struct telemetry_texts {
	char **items;
	size_t count;
};

/** What is hidden in records. */
struct telemetry_redact {
	bool defaults; /* well-known secrets too; on when nothing is said */
	struct telemetry_texts argv; /* patterns of words of a command line */
	struct telemetry_texts paths; /* globs */
	struct telemetry_texts query; /* names of parts of a query string */
};

/** The whole file; telemetry_settings_reset() frees. */
struct telemetry_settings {
	bool present; /* there is a file */
	struct sink_settings *sinks; /* owned */
	size_t sink_count;
	char *metrics; /* owned; loopback address and port, or NULL: no page of metrics */
	bool histograms; /* hooks measure how long they take */
	char *receive_otlp; /* owned; loopback address and port, or NULL: nothing is received */
	struct telemetry_redact redact;
	struct {
		unsigned int checkpoint; /* records between two signatures */
		char *key; /* owned; path of the key that signs, or NULL */
	} audit;
};

/** What a file that is not there says. */
#define TELEMETRY_SETTINGS_NONE                                                                    \
	{                                                                                          \
		.redact.defaults = true, .audit.checkpoint = 1000                                  \
	}

/** "file", "stdout", ... */
const char *sink_type_name(enum sink_type type);

/**
 * Read @path. With @guarded it and the secrets it names must belong to @owner (or root), be writable by
 * nobody else, and secrets be readable by nobody else. A file that is not there is none: defaults.
 * Returns 0, or -errno with findings.
 */
int telemetry_settings_read(const char *path, bool guarded, uid_t owner,
			    struct telemetry_settings *ret, struct diag_list *diags);

/** Would @b do the same as @a, secrets included? */
bool sink_settings_equal(const struct sink_settings *a, const struct sink_settings *b);

/** Free what is owned and make it as TELEMETRY_SETTINGS_NONE. */
void telemetry_settings_reset(struct telemetry_settings *settings);

/** Free what one sink owns and make it empty. */
void sink_settings_reset(struct sink_settings *sink);

#endif
