/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One act as an event tells it, however often it happened: what `learn` and `replay` work on. Two
 * events are the same observation when no policy could decide differently about them.
 */
#ifndef PICKET_AUTHOR_OBSERVATION_H
#define PICKET_AUTHOR_OBSERVATION_H

#include <jansson.h>
#include <stdbool.h>

#include <picket/abi.h>
#include <picket/image.h>

#include "base/diag.h"

/** Programs that an observation names at most; what is over is counted. */
#define OBSERVATION_PROGRAMS 4
/** Bytes for a point in time as events have it. */
#define OBSERVATION_TIME 40

/** How often something was seen, when, and by whom. */
struct seen {
	__u64 count;
	char first[OBSERVATION_TIME];
	char last[OBSERVATION_TIME];
	char programs[OBSERVATION_PROGRAMS]
		     [17]; /* names of processes, as they call themselves; sorted */
	size_t program_count; /* OBSERVATION_PROGRAMS + 1: there were more */
};

/** Add what @from saw to @into, which may be zero. Times and names do not depend on the order. */
void seen_merge(struct seen *into, const struct seen *from);

/** An act. observation_reset() frees. */
struct observation {
	enum pk_section
		section; /* starting a program is PK_SECTION_EXEC, what comes in PK_SECTION_LISTEN, whichever section said no */
	enum pk_op op;
	enum pk_verdict
		verdict; /* what came of it, the strictest that was seen: in audit mode it went on */
	enum pk_reason reason; /* of that verdict */
	__u8 access; /* nibble; section process: enum pk_guard */
	char *path; /* bytes, NUL-terminated; of a system call its name; or NULL */
	char *path2; /* the second name of rename and link; or NULL */
	char *command; /* words of a command line behind the program, a blank between; or NULL */
	char *host; /* canonical name; or NULL */
	char *alias; /* op answer: the name that the answer goes on with; or NULL */
	char *by; /* path of the program that did it, where the recording tells; or NULL */
	__u64 capability; /* section process: bit of the capability, or 0 */
	bool has_address, has_local;
	__u8 address[16]; /* of the peer; IPv4 as ::ffff:a.b.c.d */
	__u8 local[16]; /* accept: of the socket */
	__u16 port;
	__u32 family, type, protocol; /* op socket */
	/* What is not part of the act: */
	struct seen seen;
	__u64 twins; /* starting a program: events of section files, each of which may have one of exec */
	size_t line; /* of the first event in its file */
};

/**
 * Read the event @event (json.h). Stores an observation with count 1 and returns 0; -EINVAL with
 * *@ret_why a static sentence that tells what is wrong with it; -ENOMEM.
 */
int observation_read(const json_t *event, struct observation *ret_observation,
		     const char **ret_why);

/** Order of acts, by section, operation and object: 0 for the same act. */
int observation_compare(const struct observation *a, const struct observation *b);

/** Put what @from saw of the same act into @into; @from keeps what it owns. */
void observation_merge(struct observation *into, const struct observation *from);

/** What the act is about, for people: a path, host:port, command. malloc'ed and escaped; NULL: no memory. */
char *observation_text(const struct observation *observation);

/** Free what it owns and make it empty. */
void observation_reset(struct observation *observation);

#endif
