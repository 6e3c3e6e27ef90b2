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
	if (import_is_true(value))
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
		const struct node *path = import_get(list->items[i], "path", NULL);
		CLEAN_FREE char *quoted = NULL;

		if (!path || path->kind != NODE_TEXT || *path->text != '/') {
			(void)node_error(list->items[i], import->diags,
					 "a binary must be a map with an absolute 'path'");
			continue;
		}
		quoted = draft_quote(&import->draft, path->text);
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

/* A host with each port of the endpoint. */
static void add_ports(struct import *import, const struct node *endpoint, const char *by)
{
	const struct node *host = import_get(endpoint, "host", NULL);
	const struct node *port = import_get(endpoint, "port", NULL);
	const struct node *ports = import_get(endpoint, "ports", NULL);
	CLEAN_FREE char *target = NULL;
	size_t count = ports && ports->kind == NODE_LIST ? ports->count : 0;

	if (!host || host->kind != NODE_TEXT || (!port && !count)) {
		(void)node_error(endpoint, import->diags, "an endpoint needs 'host' and 'port'");
		return;
	}
	for (size_t i = 0; i < (count ? count : 1); i++) {
		const struct node *one = count ? ports->items[i] : port;

		if (one->kind != NODE_TEXT || asprintf(&target, "%s:%s", host->text, one->text) < 0)
			continue;
		import_host(import, host, target, "allow", by);
		free(TAKE_PTR(target));
	}
}

static void read_endpoint(struct import *import, const struct node *endpoint, const char *by)
{
	static const struct import_row rows[] = {
		{ "host", NULL },
		{ "port", NULL },
		{ "ports", NULL },
		{ "protocol", NULL }, /* what is done with it is in access and rules */
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
	draft_line(&import->draft, &import->draft.notes,
		   "A '*.' in front of a name is one label there and any depth here.");
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
	return 0;
}
