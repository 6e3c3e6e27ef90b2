/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sandbox keys of Claude Code's settings.json, and srt's settings, which have them at the top. Reading
 * is open and closed by denyRead there, writing is closed and opened by allowWrite.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "import/import.h"

static void no_meaning(struct import *import, const struct node *key, const struct node *value)
{
	(void)value;
	import_lost(import, key, "'%s' has no meaning here", key->text);
}

/* A switch that loosens when it is on. */
static void not_on(struct import *import, const struct node *key, const struct node *value)
{
	if (import_is_true(import, value))
		import_lost(import, key, "'%s': nothing runs less confined here", key->text);
}

/* A switch that loosens when it is off. */
static void not_off(struct import *import, const struct node *key, const struct node *value)
{
	if (!import_is_true(import, value))
		import_lost(import, key, "'%s': nothing runs less confined here", key->text);
}

static void managed_only(struct import *import, const struct node *key, const struct node *value)
{
	(void)key;
	if (import_is_true(import, value))
		draft_default(&import->draft, DRAFT_EGRESS, "deny");
}

static void allow_socket(struct import *import, const struct node *key, const struct node *text)
{
	(void)key;
	import_file(import, text, text->text, "allow", "connect");
}

static void allowed_sockets(struct import *import, const struct node *key, const struct node *value)
{
	import_texts(import, key, value, allow_socket);
}

static void all_sockets(struct import *import, const struct node *key, const struct node *value)
{
	if (!import_is_true(import, value))
		return;
	import_file(import, key, "/", "allow", "connect");
	draft_line(&import->draft, &import->draft.tail, "unix: {default: allow}");
}

static void local_binding(struct import *import, const struct node *key, const struct node *value)
{
	draft_default(&import->draft, DRAFT_LISTEN, "deny");
	if (!import_is_true(import, value))
		return;
	draft_rule(&import->draft, &(struct draft_rule){ .section = DRAFT_LISTEN,
							 .verdict = (char *)"allow",
							 .pattern = (char *)"@loopback",
							 .line = import_line(key) });
	import_host(import, key, "localhost", "allow", "");
}

static void read_network(struct import *import, const struct node *key, const struct node *value)
{
	static const struct import_row rows[] = {
		{ "allowedDomains", import_allowed_domains },
		{ "deniedDomains", import_denied_domains },
		{ "allowManagedDomainsOnly", managed_only },
		{ "allowUnixSockets", allowed_sockets },
		{ "allowAllUnixSockets", all_sockets },
		{ "allowLocalBinding", local_binding },
		{ NULL, NULL },
	};

	(void)key;
	import_map(import, value, "'network'", rows, no_meaning);
}

/* Deny wins here whatever is more precise: an exception to a deny would do nothing. */
static void check_exception(struct import *import, const struct node *text, const char *key)
{
	const struct node *section = import_get(import->root, "sandbox", NULL);
	const struct node *files = import_get(section ? section : import->root, "filesystem", NULL);
	const struct node *denied = import_get(files, key, NULL);

	for (size_t i = 0; denied && denied->kind == NODE_LIST && i < denied->count; i++) {
		const struct node *outer = denied->items[i];

		if (outer->kind != NODE_TEXT || outer->length > text->length ||
		    strncmp(outer->text, text->text, outer->length) != 0 ||
		    !strchr("/", text->text[outer->length]))
			continue;
		import_lost(import, text,
			    "'%s' is below '%s' of '%s', and a deny has no exceptions here",
			    text->text, outer->text, key);
	}
}

static void deny_read(struct import *import, const struct node *key, const struct node *text)
{
	(void)key;
	/* What may not be read there is not there at all: it is not written either. */
	import_file(import, text, text->text, "deny", NULL);
}

static void allow_write(struct import *import, const struct node *key, const struct node *text)
{
	(void)key;
	check_exception(import, text, "denyWrite");
	check_exception(import, text, "denyRead");
	import_file(import, text, text->text, "allow", "write");
}

static void deny_write(struct import *import, const struct node *key, const struct node *text)
{
	(void)key;
	import_file(import, text, text->text, "deny", "write");
}

/* All may be read anyway: the key is there for exceptions to denyRead. */
static void allow_read(struct import *import, const struct node *key, const struct node *text)
{
	(void)key;
	check_exception(import, text, "denyRead");
}

static void deny_reads(struct import *import, const struct node *key, const struct node *value)
{
	import_texts(import, key, value, deny_read);
}

static void allow_reads(struct import *import, const struct node *key, const struct node *value)
{
	import_texts(import, key, value, allow_read);
}

static void allow_writes(struct import *import, const struct node *key, const struct node *value)
{
	import_texts(import, key, value, allow_write);
}

static void deny_writes(struct import *import, const struct node *key, const struct node *value)
{
	import_texts(import, key, value, deny_write);
}

static void read_files(struct import *import, const struct node *key, const struct node *value)
{
	static const struct import_row rows[] = {
		{ "denyRead", deny_reads },
		{ "allowRead", allow_reads },
		{ "allowWrite", allow_writes },
		{ "denyWrite", deny_writes },
		{ "allowGitConfig", NULL }, /* in protect() */
		{ NULL, NULL },
	};

	(void)key;
	import_map(import, value, "'filesystem'", rows, no_meaning);
}

/* What is never written there, wherever it lies and whatever is allowed: it would be run or obeyed later. */
static void protect(struct import *import)
{
	static const char *const patterns[] = {
		"**/.git/config/**", "**/.git/hooks/**",     "**/.gitconfig/**",
		"**/.gitmodules/**", "**/.bashrc/**",	     "**/.bash_profile/**",
		"**/.zshrc/**",	     "**/.zprofile/**",	     "**/.profile/**",
		"**/.ripgreprc/**",  "**/.mcp.json/**",	     "**/.vscode/**",
		"**/.idea/**",	     "**/.claude/agents/**", "**/.claude/commands/**",
	};
	const struct node *section = import_get(import->root, "sandbox", NULL);
	const struct node *files = import_get(section ? section : import->root, "filesystem", NULL);
	bool config = import_is_true(import, import_get(files, "allowGitConfig", NULL));

	for (size_t i = config ? 1 : 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		draft_rule(&import->draft,
			   &(struct draft_rule){ .section = DRAFT_FILES,
						 .verdict = (char *)"deny",
						 .pattern = (char *)patterns[i],
						 .extra = (char *)", access: write" });
}

static void read_enabled(struct import *import, const struct node *key, const struct node *value)
{
	if (!import_is_true(import, value))
		(void)node_error(key, import->diags,
				 "the sandbox is switched off: nothing is confined");
}

static void excluded(struct import *import, const struct node *key, const struct node *value)
{
	if (value->kind != NODE_LIST || value->count)
		import_lost(import, key, "'%s': no command runs outside here", key->text);
}

static const struct import_row sandbox_rows[] = {
	{ "enabled", read_enabled },
	{ "network", read_network },
	{ "filesystem", read_files },
	{ "excludedCommands", excluded },
	{ "failIfUnavailable", not_off },
	{ "allowUnsandboxedCommands", not_on },
	{ "enableWeakerNestedSandbox", not_on },
	{ "enableWeakerNetworkIsolation", not_on },
	{ "autoAllowBashIfSandboxed", NULL }, /* which prompts the program shows */
	{ NULL, NULL },
};

/* What is beside the sandbox keys: of what confines it is said that it is left out. */
static void other_setting(struct import *import, const struct node *key, const struct node *value)
{
	static const char *const confining[] = { "permissions", "disableBypassPermissionsMode",
						 "allowManagedPermissionRulesOnly" };

	(void)value;
	for (size_t i = 0; i < sizeof(confining) / sizeof(confining[0]); i++) {
		if (strcmp(key->text, confining[i]) == 0) {
			import_lost(import, key,
				    "'%s' is about the program's tools, not about processes",
				    key->text);
			return;
		}
	}
	draft_line(&import->draft, &import->draft.notes,
		   "Line %u: '%s' is no sandbox key, and was not looked at.", import_line(key),
		   key->text);
}

static void read_sandbox(struct import *import, const struct node *key, const struct node *value)
{
	(void)key;
	/* What no list has is asked about, unless only managed lists count. */
	draft_default(&import->draft, DRAFT_EGRESS, "ask");
	import_file(import, value, ".", "allow", "write");
	import_map(import, value, "'sandbox'", sandbox_rows, no_meaning);
}

static void set_up(struct import *import, const struct node *root)
{
	draft_default(&import->draft, DRAFT_EGRESS, "deny");
	draft_default(&import->draft, DRAFT_FILES, "deny");
	import_devices(import);
	import_file(import, root, "/", "allow", "[read, exec]");
	draft_line(
		&import->draft, &import->draft.notes,
		"Names: '*.x' is any depth below x and not x, there and here; every port unless one");
	draft_line(
		&import->draft, &import->draft.notes,
		"is written. Paths: a folder is meant with all below it; wildcards are picket's.");
}

int import_claude(struct import *import)
{
	static const struct import_row rows[] = { { "sandbox", read_sandbox }, { NULL, NULL } };
	int r = yaml_parse(&import->source, &import->root, import->diags);

	if (r < 0)
		return r;
	if (!import->root || import->root->kind != NODE_MAP) {
		(void)diag_add(import->diags, DIAG_ERROR,
			       &(struct diag_pos){ .file = import->source.name },
			       "settings must be a JSON object");
		return -EINVAL;
	}
	set_up(import, import->root);
	if (import_get(import->root, "sandbox", NULL))
		import_map(import, import->root, "settings", rows, other_setting);
	else if (import_get(import->root, "network", NULL) ||
		 import_get(import->root, "filesystem", NULL))
		import_map(import, import->root, "settings", sandbox_rows, no_meaning);
	else
		(void)node_error(import->root, import->diags, "there are no sandbox keys in it");
	protect(import);
	if (!import->draft.tail.count)
		import_own_network(import);
	return 0;
}
