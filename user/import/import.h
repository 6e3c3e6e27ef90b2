/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policies of other programs to policies of picket. Each format has a module of its own; what they share is
 * here. Whatever a file says that has no meaning in picket is a finding with its line, never passed over.
 */
#ifndef PICKET_IMPORT_IMPORT_H
#define PICKET_IMPORT_IMPORT_H

#include "import/draft.h"
#include "policy/yaml.h"

/** One import. */
struct import {
	struct source source; /* the file, tabs and carriage returns made blanks */
	struct node *root; /* owned: its tree, of formats that have one */
	struct draft draft;
	struct diag_list *diags;
	bool lossy; /* what has no meaning is a warning and a comment, not an error */
	const char *pick; /* the profile or job that is meant, or NULL */
};

/**
 * Bring @length bytes at @text, called @name in findings, of the format @format over to a policy, written
 * to @to. @lossy and @pick as in struct import. Returns 0; -ENOENT: there is no such format; -EINVAL with
 * findings; or -ENOMEM.
 */
struct import_request {
	const char *format;
	const char *name;
	const char *text;
	size_t length;
	bool lossy;
	const char *pick;
};
int import_policy(const struct import_request *request, FILE *to, struct diag_list *diags);

/** The names of all formats, with blanks between them. */
const char *import_formats(void);

/** Is @name one of them? */
bool import_has_format(const char *name);

/** @node says something that has no meaning in picket: an error, or with `lossy` a warning and a comment. */
void import_lost(struct import *import, const struct node *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** The value of @key in the map @map, or NULL; with *@ret_key (may be NULL) the node of the key. */
const struct node *import_get(const struct node *map, const char *key, const struct node **ret_key);

/** 1: the text says yes ("true", "yes", "on", "1", "y", "t", in any case); 0: it says no; -1: neither. */
int import_truth(const char *text);

/** True when @node (NULL: it is not there) is a text that says yes; one that says neither is an error. */
bool import_is_true(struct import *import, const struct node *node);

/** The line of @node in its file. */
unsigned int import_line(const struct node *node);

/** Called for each key of a map. */
typedef void (*import_key)(struct import *import, const struct node *key, const struct node *value);

/** A key of a map, and who reads its value; NULL: it is known and of no matter here. */
struct import_row {
	const char *key;
	import_key read;
};

/** Hand every key of @map to its row; one without a row to @other. @what is the map, for people. */
void import_map(struct import *import, const struct node *map, const char *what,
		const struct import_row *rows, import_key other);

/** Call @read for each text of a list, or for @value itself when it is one; else an error. */
void import_texts(struct import *import, const struct node *key, const struct node *value,
		  import_key read);

/**
 * A name or address that may be a destination, over TCP: adds it to egress with @verdict and @extra; else an
 * error. "localhost" is the two addresses that the name stands for.
 */
void import_host(struct import *import, const struct node *text, const char *host,
		 const char *verdict, const char *extra);

/** Rows of lists of names that are allowed, and denied, as destinations. */
void import_allowed_domains(struct import *import, const struct node *key,
			    const struct node *value);
void import_denied_domains(struct import *import, const struct node *key, const struct node *value);

/**
 * The other format's sandbox has a network of its own: nobody connects to what listens in it, and abstract
 * sockets outside are not there. Here that is closed.
 */
void import_own_network(struct import *import);

/** Allow writing to the devices that every program writes to, which other sandboxes do unasked. */
void import_devices(struct import *import);

/** How paths are written in a format. */
enum import_paths {
	IMPORT_LITERAL, /* every byte is itself */
	IMPORT_GLOB, /* wildcards as in picket */
};

/**
 * The pattern of @path and all below it: `~` is ${HOME}, a relative one is below ${CWD}. malloc'ed; or NULL
 * after an error about @text.
 */
char *import_path(struct import *import, const struct node *text, const char *path,
		  enum import_paths kind);

/** Add a rule of files about @path and all below it. */
void import_file(struct import *import, const struct node *text, const char *path,
		 const char *verdict, const char *access);

/** The readers of the formats: from @import->source to @import->draft. Return 0, -EINVAL or -ENOMEM. */
int import_claude(struct import *import);
/** OpenShell's policy YAML. */
int import_openshell(struct import *import);
/** The step harden-runner of a workflow. */
int import_harden_runner(struct import *import);
/** Codex's config.toml and requirements.toml. */
int import_codex(struct import *import);
/** Codex's files of prefix rules. */
int import_codex_rules(struct import *import);
/** Sandboxing keys of a systemd unit. */
int import_systemd(struct import *import);

/** An exec rule of Codex as both its files have them: a map with pattern, decision and so on. */
void import_prefix_rule(struct import *import, const struct node *map);
/** Add the tests that prefix rules have brought with them; after all rules. */
void import_prefix_tests(struct import *import, const struct node *const *maps, size_t count);

#endif
