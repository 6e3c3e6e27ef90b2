/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The package registries that a machine is configured to use: apt, npm, pip, cargo and go say in their
 * configuration files where they fetch from. Decides what those files are, what may be believed, and
 * which hosts they name; refuses to know rules. No host is known that is not found there: a tool's
 * built-in default is not, unless its configuration says it.
 */
#ifndef PICKET_POLICY_REGISTRIES_H
#define PICKET_POLICY_REGISTRIES_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/types.h>

#include <linux/types.h>

/** Where to look. */
struct registries_scope {
	const char *root; /* put in front of system paths; "" but for tests */
	uid_t owner; /* system files must be of root or this user; 0 but for tests */
	const char *home; /* home folder whose files count too, or NULL: system files only */
	bool environment; /* the environment of this process counts too */
};

/** One host and port. */
struct registry_host {
	char *host; /* owned, canonical */
	char *origin; /* owned: "FILE:LINE", or "$NAME" of the environment */
	__u16 port;
};

/** What was found. Zero-initialise; registries_reset() frees. */
struct registries {
	struct registry_host *items; /* each host and port once, as first found */
	size_t count;
	char **notes; /* owned: what was found and is not used, and why; one sentence each */
	size_t note_count;
};

/** Most hosts that are taken, notes that are kept, bytes of a file, files of a folder. */
#define REGISTRIES_MAX 256
#define REGISTRIES_NOTES_MAX 16
#define REGISTRIES_FILE_MAX (256U << 10)
#define REGISTRIES_FILES_MAX 256

/**
 * Gather what @scope has into the zeroed *@ret. System files that somebody besides root may write, and
 * files of a home folder that are not its owner's, are not read (a note tells). Addresses are not
 * taken: they need rules of their own. Returns 0 or -ENOMEM; the caller resets in any case.
 */
int registries_read(const struct registries_scope *scope, struct registries *ret);

/** Free everything and make it empty. */
void registries_reset(struct registries *registries);

/* --- for registries.c and registries_parse.c --- */

/** The grammar of a file. */
enum registries_format {
	REGISTRIES_APT_LIST, /* deb [options] URI ... */
	REGISTRIES_APT_SOURCES, /* deb822: URIs: URI ... */
	REGISTRIES_NPM, /* registry=URI, @scope:registry=URI */
	REGISTRIES_PIP, /* index-url = URI; more of them on indented lines */
	REGISTRIES_CARGO, /* index = "sparse+URI", registry = "URI" */
	REGISTRIES_GO, /* GOPROXY=URI,URI|direct */
};

/** Add what the @length bytes at @text, which are changed, say; @name is the file. 0 or -ENOMEM. */
int registries_parse(struct registries *registries, enum registries_format format, const char *name,
		     char *text, size_t length);

/** Add the hosts of all http and https URIs in @value. 0 or -ENOMEM. */
int registries_add_uris(struct registries *registries, const char *value, const char *origin);

/** Keep a note; over the limit it is dropped. 0 or -ENOMEM. */
int registries_note(struct registries *registries, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
