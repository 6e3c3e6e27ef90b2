/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenShell's policy YAML: paths, and destinations of named programs. What it says of HTTP requests is no
 * matter of picket.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "import/import.h"

#define READ "[read, exec, connect]"
#define WRITE "[read, write, exec, connect]"

static void no_meaning(struct import *import, const struct node *key, const struct node *value)
{
	(void)value;
	import_lost(import, key, "'%s' has no meaning here", key->text);
}

/* True when @path is one that the format takes; else reported. */
static bool check_path(struct import *import, const struct node *text)
{
	if (*text->text == '/')
		return true;
	(void)node_error(text, import->diags, "'%s' is not an absolute path", text->text);
	return false;
}

static void read_only(struct import *import, const struct node *key, const struct node *text)
{
	(void)key;
	if (check_path(import, text))
		import_file(import, text, text->text, "allow", READ);
}

static void read_write(struct import *import, const struct node *key, const struct node *text)
{
	(void)key;
	if (check_path(import, text))
		import_file(import, text, text->text, "allow", WRITE);
}

static void read_only_list(struct import *import, const struct node *key, const struct node *value)
{
	import_texts(import, key, value, read_only);
}

static void read_write_list(struct import *import, const struct node *key, const struct node *value)
{
	import_texts(import, key, value, read_write);
}

static void read_workdir(struct import *import, const struct node *key, const struct node *value)
{
	if (import_is_true(import, value))
		import_file(import, key, ".", "allow", WRITE);
}

static void read_filesystem(struct import *import, const struct node *key, const struct node *value)
{
	static const struct import_row rows[] = {
		{ "include_workdir", read_workdir },
		{ "read_only", read_only_list },
		{ "read_write", read_write_list },
		{ NULL, NULL },
	};

	(void)key;
	import_map(import, value, "'filesystem_policy'", rows, no_meaning);
}

static void read_landlock(struct import *import, const struct node *key, const struct node *value)
{
	const struct node *how = import_get(value, "compatibility", NULL);

	(void)key;
	if (how && how->kind == NODE_TEXT && strcmp(how->text, "hard_requirement") != 0)
		import_lost(import, how,
			    "'%s': picket never goes on with less than the policy says", how->text);
}

static void read_process(struct import *import, const struct node *key, const struct node *value)
{
	(void)value;
	import_lost(import, key,
		    "'process': who a command runs as is an option: picket run --user USER");
}

/* The path of a program, or NULL after a report. */
static const char *read_binary(struct import *import, const struct node *binary)
{
	static const struct import_row rows[] = { { "path", NULL }, { NULL, NULL } };
	const struct node *path = import_get(binary, "path", NULL);

	if (!path || path->kind != NODE_TEXT || *path->text != '/') {
		(void)node_error(binary, import->diags,
				 "a binary must be a map with an absolute 'path'");
		return NULL;
	}
	import_map(import, binary, "a binary", rows, no_meaning);
	return path->text;
}

/* ", by: ['/usr/bin/x', ...]" of an entry; malloc'ed, or NULL after a report. */
static char *read_binaries(struct import *import, const struct node *entry)
{
	const struct node *list = import_get(entry, "binaries", NULL);
	char *text = NULL;
	size_t size = 0;
	FILE *to;

	if (!list || list->kind != NODE_LIST || list->count == 0) {
		(void)node_error(entry, import->diags,
				 "an entry needs 'binaries': who may reach its endpoints");
		return NULL;
	}
	to = open_memstream(&text, &size);
	for (size_t i = 0; to && i < list->count; i++) {
		const char *path = read_binary(import, list->items[i]);
		CLEAN_FREE char *quoted = path ? draft_quote(&import->draft, path) : NULL;

		if (!path)
			continue;
		(void)fprintf(to, "%s'%s'", size || i ? ", " : ", by: [", quoted ? quoted : "");
	}
	if (to)
		(void)fputc(']', to);
	if (!to || text_close(to, &text) < 0)
		import->draft.failed = true;
	return text;
}

static void check_access(struct import *import, const struct node *key, const struct node *value)
{
	if (value->kind != NODE_TEXT || strcmp(value->text, "full") != 0)
		import_lost(import, key,
			    "'access' other than full is about HTTP requests, which "
			    "picket does not see");
}

static void check_tls(struct import *import, const struct node *key, const struct node *value)
{
	if (value->kind != NODE_TEXT ||
	    (strcmp(value->text, "passthrough") != 0 && strcmp(value->text, "skip") != 0))
		import_lost(import, key, "'tls': picket ends no TLS connections");
}

static void check_enforcement(struct import *import, const struct node *key,
			      const struct node *value)
{
	if (value->kind != NODE_TEXT || strcmp(value->text, "enforce") != 0)
		import_lost(import, key, "'enforcement': a mode is one of the whole policy here");
}

static void check_protocol(struct import *import, const struct node *key, const struct node *value)
{
	if (value->kind != NODE_TEXT || strcmp(value->text, "tcp") != 0)
		import_lost(import, key,
			    "'protocol': requests are not looked at here, anything goes over TCP");
}

/* The host as it stands in front of a port here; malloc'ed, or NULL after a report. */
static char *host_of(struct import *import, const struct node *host)
{
	const char *text = host->text;
	bool bare = *text != '[' && strchr(text, ':');
	char *here = NULL;

	if (*text == '*' && strncmp(text, "**.", 3) != 0) {
		import_lost(import, host,
			    strncmp(text, "*.", 2) == 0 ?
				    "'%s' is one label below the name there, and here any number: "
				    "list the names, or write '**.' there if that is meant" :
				    "the wildcard of '%s' has no meaning here",
			    text);
		return NULL;
	}
	/* Without the name itself: that is one '*' here. */
	if (asprintf(&here, "%s%s%s", bare ? "[" : "", text + (*text == '*'), bare ? "]" : "") <
	    0) {
		import->draft.failed = true;
		return NULL;
	}
	return here;
}

/* A host at a port. */
static void add_port(struct import *import, const struct node *host, const char *name,
		     const struct node *port, const char *by)
{
	size_t digits = port->kind == NODE_TEXT ? strspn(port->text, "0123456789") : 0;
	CLEAN_FREE char *target = NULL;

	if (digits == 0 || digits > 5 || port->text[digits] != '\0') {
		(void)node_error(port, import->diags, "a port is a number");
		return;
	}
	if (asprintf(&target, "%s:%s", name, port->text) < 0) {
		target = NULL;
		import->draft.failed = true;
		return;
	}
	import_host(import, host, target, "allow", by);
}

/* A host with each port of the endpoint. */
static void add_ports(struct import *import, const struct node *endpoint, const char *by)
{
	const struct node *host = import_get(endpoint, "host", NULL);
	const struct node *port = import_get(endpoint, "port", NULL);
	const struct node *ports = import_get(endpoint, "ports", NULL);
	CLEAN_FREE char *name = NULL;
	size_t count = ports && ports->kind == NODE_LIST ? ports->count : 0;

	if (!host || host->kind != NODE_TEXT || (!port && !count)) {
		(void)node_error(endpoint, import->diags, "an endpoint needs 'host' and 'port'");
		return;
	}
	name = host_of(import, host);
	for (size_t i = 0; name && i < (count ? count : 1); i++)
		add_port(import, host, name, count ? ports->items[i] : port, by);
}

static void read_endpoint(struct import *import, const struct node *endpoint, const char *by)
{
	static const struct import_row rows[] = {
		{ "host", NULL },
		{ "port", NULL },
		{ "ports", NULL },
		{ "protocol", check_protocol },
		{ "access", check_access },
		{ "tls", check_tls },
		{ "enforcement", check_enforcement },
		{ NULL, NULL },
	};

	import_map(import, endpoint, "an endpoint", rows, no_meaning);
	add_ports(import, endpoint, by);
}

static void read_entry(struct import *import, const struct node *key, const struct node *entry)
{
	static const struct import_row rows[] = {
		{ "name", NULL },
		{ "endpoints", NULL },
		{ "binaries", NULL },
		{ NULL, NULL },
	};
	const struct node *list = import_get(entry, "endpoints", NULL);
	CLEAN_FREE char *by = NULL;

	import_map(import, entry, "an entry of 'network_policies'", rows, no_meaning);
	if (!list || list->kind != NODE_LIST) {
		(void)node_error(key, import->diags, "an entry needs 'endpoints'");
		return;
	}
	by = read_binaries(import, entry);
	for (size_t i = 0; by && i < list->count; i++)
		read_endpoint(import, list->items[i], by);
}

static void read_network(struct import *import, const struct node *key, const struct node *value)
{
	static const struct import_row rows[] = { { NULL, NULL } };

	(void)key;
	draft_line(
		&import->draft, &import->draft.notes,
		"Any depth below a name, without the name itself, is '**.' there and '*.' here.");
	import_map(import, value, "'network_policies'", rows, read_entry);
}

static void read_version(struct import *import, const struct node *key, const struct node *value)
{
	(void)key;
	if (value->kind != NODE_TEXT || strcmp(value->text, "1") != 0)
		(void)node_error(value, import->diags, "only version 1 is known");
}

int import_openshell(struct import *import)
{
	static const struct import_row rows[] = {
		{ "version", read_version },	      { "filesystem_policy", read_filesystem },
		{ "landlock", read_landlock },	      { "process", read_process },
		{ "network_policies", read_network }, { NULL, NULL },
	};
	int r = yaml_parse(&import->source, &import->root, import->diags);

	if (r < 0)
		return r;
	if (!import->root) {
		(void)diag_add(import->diags, DIAG_ERROR,
			       &(struct diag_pos){ .file = import->source.name },
			       "there is no policy in it");
		return -EINVAL;
	}
	draft_default(&import->draft, DRAFT_FILES, "deny");
	draft_default(&import->draft, DRAFT_EGRESS, "deny");
	import_map(import, import->root, "a policy", rows, no_meaning);
	/* Without the section the working directory is open, as the format has it. */
	if (import->root->kind == NODE_MAP && !import_get(import->root, "filesystem_policy", NULL))
		import_file(import, import->root, ".", "allow", WRITE);
	import_own_network(import);
	return 0;
}
