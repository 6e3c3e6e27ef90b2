/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys of a unit about processes: kinds of sockets, system calls, capabilities, switches. They become whole
 * sections behind the others.
 */
#include "import/systemd_process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/capabilities.h"
#include "policy/syscalls.h"

static void line_of(struct import *import, const char *text, const struct node *key)
{
	draft_line(&import->draft, &import->draft.tail, "  %s # line %u", text, import_line(key));
}

static void families(struct import *import, const struct node *key, const struct node *value)
{
	static const struct {
		const char *family;
		const char *kind;
	} table[] = {
		{ "AF_UNIX", "unix" },
		{ "AF_LOCAL", "unix" },
		{ "AF_INET", "inet" },
		{ "AF_INET6", "inet6" },
		{ "AF_NETLINK", "netlink-all" },
		{ "AF_PACKET", "packet" },
		{ "AF_VSOCK", "vsock" },
		{ "AF_ALG", "alg" },
		{ "AF_BLUETOOTH", "bluetooth" },
		{ "AF_CAN", "can" },
		{ "AF_XDP", "xdp" },
	};
	bool except = *value->text == '~';
	bool listed[sizeof(table) / sizeof(table[0])] = { false };
	CLEAN_FREE char *copy = strdup(value->text + except);
	char *rest = NULL;
	bool first = true;

	for (char *at = copy ? strtok_r(copy, " ", &rest) : NULL; at;
	     at = strtok_r(NULL, " ", &rest)) {
		bool known = strcmp(at, "none") == 0;

		at += except && *at == '~'; /* a second line of the key */

		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
			if (strcmp(table[i].family, at) == 0)
				listed[i] = known = true;
		}
		if (!known && !except)
			import_lost(import, value, "the family '%s' has no meaning here", at);
	}
	listed[0] = listed[0] || listed[1]; /* two names of one family */
	listed[1] = false;
	draft_line(&import->draft, &import->draft.tail, "sockets: # line %u", import_line(key));
	draft_line(&import->draft, &import->draft.tail, "  allow:%s", "");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (listed[i] == except || (except && i == 1))
			continue;
		draft_line(&import->draft, &import->draft.tail, "    - %s", table[i].kind);
		first = false;
	}
	if (first) {
		free(import->draft.tail.items[--import->draft.tail.count]);
		draft_line(&import->draft, &import->draft.tail, "  allow: []");
	}
}

static void refuse_call(struct import *import, const char *name, int length)
{
	CLEAN_FREE char *line = NULL;

	if (asprintf(&line, "    - '%.*s'", length, name) < 0) {
		line = NULL;
		import->draft.failed = true;
		return;
	}
	for (size_t i = 0; i < import->draft.tail.count; i++) {
		if (strcmp(import->draft.tail.items[i], line) == 0)
			return; /* which would be an error here */
	}
	draft_line(&import->draft, &import->draft.tail, "%s", line);
}

static bool is_group(const char *name, size_t length)
{
	size_t count;
	const struct syscall_group *groups = syscalls_groups(&count);

	for (size_t i = 0; i < count; i++) {
		if (strncmp(groups[i].name, name, length) == 0 && groups[i].name[length] == '\0')
			return true;
	}
	return false;
}

static void refused_call(struct import *import, const struct node *key, const struct node *text)
{
	/* What @privileged has there and not here: changes of owner and user. */
	static const char *const more[] = { "capset",	 "chown",    "fanotify_mark", "fchown",
					    "fchownat",	 "lchown",   "setfsuid",      "setgroups",
					    "setresuid", "setreuid", "setuid" };
	const char *name = text->text + (*text->text == '~');
	size_t length = strcspn(name, ":");

	(void)key;
	if (name[length] && strcmp(name + length, ":EPERM") != 0) {
		import_lost(import, text, "'%s': a refused call fails with EPERM here", name);
		return;
	}
	if (*name == '@' && !is_group(name, length)) {
		import_lost(import, text, "the group '%.*s' of system calls is not known here",
			    (int)length, name);
		return;
	}
	if (length)
		refuse_call(import, name, (int)length);
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		if (length == 11 && strncmp(name, "@privileged", length) == 0)
			refuse_call(import, more[i], (int)strlen(more[i]));
	}
}

static void calls(struct import *import, const struct node *key, const struct node *value)
{
	struct draft_lines *tail = &import->draft.tail;

	if (*value->text != '~') {
		import_lost(import, key,
			    "a list of allowed system calls has no meaning here: only "
			    "'~' lists, of refused ones");
		return;
	}
	draft_line(
		&import->draft, &import->draft.notes,
		"Line %u: @groups of system calls are picket's, which may differ by a few calls.",
		import_line(key));
	draft_line(&import->draft, &import->draft.tail, "syscalls: # line %u", import_line(key));
	draft_line(&import->draft, &import->draft.tail, "  deny:");
	systemd_each_word(import, key, value, refused_call);
	/* All of it was lost, or taken back. */
	if (tail->count > 1 && strcmp(tail->items[tail->count - 1], "  deny:") == 0) {
		free(tail->items[--tail->count]);
		free(tail->items[--tail->count]);
	}
}

static void error_number(struct import *import, const struct node *key, const struct node *value)
{
	if (strcmp(value->text, "EPERM") != 0)
		import_lost(import, key, "'%s': a refused call fails with EPERM here", value->text);
}

/* The capabilities that are left, as `process` has them. */
static void bounding_set(struct import *import, const struct node *key, const struct node *value)
{
	bool except = *value->text == '~';
	CLEAN_FREE char *copy = strdup(value->text + except);
	CLEAN_FREE char *line = NULL;
	char *rest = NULL;
	__u64 bits = 0;

	for (char *at = copy ? strtok_r(copy, " ", &rest) : NULL; at;
	     at = strtok_r(NULL, " ", &rest)) {
		unsigned int number = 0;
		CLEAN_FREE char *lower = strdup(at);

		for (char *c = lower; c && *c; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
		if (lower && capabilities_find(lower, &number))
			bits |= 1ULL << number;
		else
			import_lost(import, value, "the capability '%s' is not known here", at);
	}
	if (except)
		bits = ~bits;
	for (unsigned int i = 0; capabilities_name(i); i++) {
		char *longer = NULL;

		if (!(bits & 1ULL << i))
			continue;
		if (asprintf(&longer, "%s%s%s", line ? line : "", line ? ", " : "",
			     capabilities_name(i)) < 0)
			longer = NULL;
		free(line);
		line = longer;
	}
	draft_line(&import->draft, &import->draft.tail, "  capabilities: [%s] # line %u",
		   line ? line : "", import_line(key));
}

/** Switches of the section process. */
static const struct {
	const char *key;
	const char *line;
} switches[] = {
	{ "NoNewPrivileges", "setuid: deny" },	     { "RestrictNamespaces", "namespaces: deny" },
	{ "ProtectKernelModules", "modules: deny" }, { "ProtectKernelTunables", "kernel: deny" },
	{ "ProtectKernelLogs", "kernel: deny" },
};

static void read_switch(struct import *import, const struct node *key, const struct node *value)
{
	const char *line = "";

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		if (strcmp(switches[i].key, key->text) == 0)
			line = switches[i].line;
	}
	for (size_t i = 0; i < import->draft.tail.count; i++) {
		if (strstr(import->draft.tail.items[i], line))
			return; /* two keys of one switch */
	}
	if (strcmp(key->text, "RestrictNamespaces") == 0 && import_truth(value->text) < 0)
		import_lost(import, key, "'RestrictNamespaces' of some kinds has no meaning here");
	else if (import_is_true(import, value))
		line_of(import, line, key);
}

static const struct import_row process_rows[] = {
	{ "NoNewPrivileges", read_switch },
	{ "RestrictNamespaces", read_switch },
	{ "ProtectKernelModules", read_switch },
	{ "ProtectKernelTunables", read_switch },
	{ "ProtectKernelLogs", read_switch },
	{ "CapabilityBoundingSet", bounding_set },
	{ NULL, NULL },
};

static const struct import_row section_rows[] = {
	{ "RestrictAddressFamilies", families },
	{ "SystemCallFilter", calls },
	{ "SystemCallErrorNumber", error_number },
	{ NULL, NULL },
};

static void ignore(struct import *import, const struct node *key, const struct node *value)
{
	(void)import;
	(void)key;
	(void)value;
}

static bool is_row(const struct import_row *table, const char *key)
{
	while (table->key && strcmp(table->key, key) != 0)
		table++;
	return table->key != NULL;
}

bool systemd_is_process_key(const char *key)
{
	return is_row(section_rows, key) || is_row(process_rows, key);
}

void systemd_process(struct import *import)
{
	import_map(import, import->root, "[Service]", section_rows, ignore);
	draft_line(&import->draft, &import->draft.tail, "process:");
	draft_line(&import->draft, &import->draft.tail, "  profile: off");
	import_map(import, import->root, "[Service]", process_rows, ignore);
}
