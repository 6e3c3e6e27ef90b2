/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Codex's config.toml (permission profiles, the older sandbox_mode) and requirements.toml (constraints and
 * rules). There the most precise path decides; here a deny does, so that an opening inside of a deny is
 * an error.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "import/import.h"
#include "import/toml.h"

#define READ "[read, exec]"
#define WRITE "[read, write, exec, connect]"

static void no_meaning(struct import *import, const struct node *key, const struct node *value)
{
	(void)value;
	import_lost(import, key, "'%s' has no meaning here", key->text);
}

static void not_on(struct import *import, const struct node *key, const struct node *value)
{
	if (import_is_true(import, value))
		import_lost(import, key, "'%s' has no meaning here", key->text);
}

/* One path with its access. */
static void add_path(struct import *import, const struct node *key, const char *path,
		     const struct node *access)
{
	const char *word = access->kind == NODE_TEXT ? access->text : "";

	if (strcmp(word, "read") == 0)
		import_file(import, key, path, "allow", READ);
	else if (strcmp(word, "write") == 0)
		import_file(import, key, path, "allow", WRITE);
	else if (strcmp(word, "deny") == 0 || strcmp(word, "none") == 0)
		import_file(import, key, path, "deny", NULL);
	else
		(void)node_error(access, import->diags, "an access is read, write or deny");
}

/* Names that begin with a colon: NULL for those that are none. */
static const char *special(const char *name)
{
	static const struct {
		const char *name;
		const char *path;
	} table[] = {
		{ ":root", "/" },      { ":workspace_roots", "." }, { ":project_roots", "." },
		{ ":tmpdir", "/tmp" }, { ":slash_tmp", "/tmp" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(table[i].name, name) == 0)
			return table[i].path;
	}
	return NULL;
}

/* Paths below one of the filesystem table: {"." = "write", "secrets/**" = "deny"}. */
static void read_scope(struct import *import, const struct node *base, const struct node *map)
{
	const char *under = *base->text == ':' ? special(base->text) : base->text;

	for (size_t i = 0; i + 1 < map->count; i += 2) {
		const char *name = map->items[i]->text;
		CLEAN_FREE char *path = NULL;

		if (strcmp(name, ".") == 0)
			path = strdup(under);
		else if (asprintf(&path, "%s/%s", strcmp(under, "/") == 0 ? "" : under, name) < 0)
			path = NULL;
		if (path)
			add_path(import, map->items[i], path, map->items[i + 1]);
		else
			import->draft.failed = true;
	}
}

static void read_entry(struct import *import, const struct node *key, const struct node *value)
{
	const char *path = key->text;

	if (strcmp(path, ":minimal") == 0) {
		draft_line(&import->draft, &import->draft.head, "include: [presets/linux-base]");
		draft_line(&import->draft, &import->draft.notes,
			   "Line %u: what ':minimal' is on a system is presets/linux-base here.",
			   import_line(key));
		return;
	}
	if (*path == ':')
		path = special(path);
	if (!path)
		import_lost(import, key, "'%s' is not known here", key->text);
	else if (value->kind == NODE_MAP)
		read_scope(import, key, value);
	else
		add_path(import, key, path, value);
}

/* True when the pattern @inner is @outer or below it, as far as their texts tell. */
static bool is_below(const char *inner, const char *outer)
{
	size_t length = strlen(outer) - 3; /* all end in "/**" */

	return strncmp(inner, outer, length) == 0 && inner[length] == '/';
}

/* What is more precise wins there: "read" in "write" is a deny of writing here, and an opening in a deny
 * cannot be said. */
static void check_nesting(struct import *import, const struct node *filesystem)
{
	struct draft *draft = &import->draft;
	size_t count = draft->rule_count;

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < count; j++) {
			const struct draft_rule inner = draft->rules[i], outer = draft->rules[j];
			bool below = i != j && inner.section == DRAFT_FILES &&
				     outer.section == DRAFT_FILES &&
				     strcmp(inner.pattern, outer.pattern) != 0 &&
				     is_below(inner.pattern, outer.pattern);

			if (!below || strcmp(inner.verdict, "deny") == 0)
				continue;
			if (strcmp(outer.verdict, "deny") == 0)
				import_lost(import, filesystem,
					    "line %u opens a path inside of what line %u denies: a "
					    "deny has no exceptions here",
					    inner.line, outer.line);
			else if (strstr(outer.extra, "write") && !strstr(inner.extra, "write"))
				draft_rule(draft,
					   &(struct draft_rule){ .section = DRAFT_FILES,
								 .verdict = (char *)"deny",
								 .pattern = inner.pattern,
								 .extra = (char *)", access: write",
								 .line = inner.line });
		}
	}
}

/* What steers git and the program itself is not written there below anything that may be. */
static void protect(struct import *import)
{
	static const char *const names[] = { ".git", ".agents", ".codex" };
	struct draft *draft = &import->draft;

	for (size_t i = 0, count = draft->rule_count; i < count * 3; i++) {
		const struct draft_rule rule = draft->rules[i / 3];
		CLEAN_FREE char *pattern = NULL;
		size_t length = strlen(rule.pattern);
		bool said = false;

		if (rule.section != DRAFT_FILES || strcmp(rule.verdict, "allow") != 0 ||
		    !strstr(rule.extra, "write") || length < 3 ||
		    strcmp(rule.pattern + length - 3, "/**") != 0 ||
		    strstr(rule.pattern, "/.git/") || strstr(rule.pattern, "/.agents/") ||
		    strstr(rule.pattern, "/.codex/"))
			continue;
		if (asprintf(&pattern, "%.*s/%s/**", (int)length - 3, rule.pattern, names[i % 3]) <
		    0) {
			pattern = NULL;
			draft->failed = true;
			return;
		}
		for (size_t j = 0; j < count; j++)
			said = said || strcmp(draft->rules[j].pattern, pattern) == 0;
		if (!said)
			draft_rule(draft, &(struct draft_rule){ .section = DRAFT_FILES,
								.verdict = (char *)"deny",
								.pattern = pattern,
								.extra = (char *)", access: write",
								.line = rule.line });
	}
}

static void read_filesystem(struct import *import, const struct node *key, const struct node *value)
{
	static const struct import_row rows[] = {
		{ "glob_scan_max_depth", NULL }, /* how its own search for files goes */
		{ "allow_limited_git_writes", not_on },
		{ NULL, NULL },
	};

	(void)key;
	import_map(import, value, "'filesystem'", rows, read_entry);
}

static void read_domain(struct import *import, const struct node *key, const struct node *value)
{
	const char *word = value->kind == NODE_TEXT ? value->text : "";

	if (strcmp(word, "allow") == 0 || strcmp(word, "deny") == 0)
		import_host(import, key, key->text, word, "");
	else
		(void)node_error(value, import->diags, "a domain is allow or deny");
}

static void read_domains(struct import *import, const struct node *key, const struct node *value)
{
	static const struct import_row rows[] = { { NULL, NULL } };

	(void)key;
	import_map(import, value, "'domains'", rows, read_domain);
}

static void read_socket(struct import *import, const struct node *key, const struct node *value)
{
	if (value->kind == NODE_TEXT && strcmp(value->text, "allow") == 0)
		import_file(import, key, key->text, "allow", "connect");
	else if (value->kind != NODE_TEXT || strcmp(value->text, "none") != 0)
		(void)node_error(value, import->diags, "a unix socket is allow or none");
}

static void read_sockets(struct import *import, const struct node *key, const struct node *value)
{
	static const struct import_row rows[] = { { NULL, NULL } };

	(void)key;
	import_map(import, value, "'unix_sockets'", rows, read_socket);
}

static void read_binding(struct import *import, const struct node *key, const struct node *value)
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

static void read_mode(struct import *import, const struct node *key, const struct node *value)
{
	if (value->kind != NODE_TEXT || strcmp(value->text, "full") != 0)
		import_lost(import, key, "'mode' limits HTTP methods, which picket does not see");
}

static const struct import_row network_rows[] = {
	{ "enabled", NULL },
	{ "mode", read_mode },
	{ "domains", read_domains },
	{ "allowed_domains", import_allowed_domains },
	{ "denied_domains", import_denied_domains },
	{ "unix_sockets", read_sockets },
	{ "allow_local_binding", read_binding },
	{ "managed_allowed_domains_only", NULL }, /* there is no other list to be joined */
	{ "dangerously_allow_all_unix_sockets", not_on },
	{ "dangerously_allow_non_loopback_proxy", not_on },
	{ NULL, NULL },
};

static void read_network(struct import *import, const struct node *key, const struct node *value)
{
	bool listed = import_get(value, "domains", NULL) ||
		      import_get(value, "allowed_domains", NULL);
	bool enabled = import_is_true(import, import_get(value, "enabled", NULL));

	(void)key;
	draft_default(&import->draft, DRAFT_EGRESS, enabled && !listed ? "allow" : "deny");
	if (!enabled && listed)
		import_lost(import, key, "the network is not enabled: its domains would be closed");
	draft_line(
		&import->draft, &import->draft.notes,
		"Names: '*.x' is any depth below x and '**.x' also x, there and here; every port.");
	import_map(import, value, "'network'", network_rows, no_meaning);
}

static void read_extends(struct import *import, const struct node *key, const struct node *value)
{
	const char *name = value->kind == NODE_TEXT ? value->text : "";

	if (strcmp(name, ":read-only") == 0 || strcmp(name, ":workspace") == 0)
		import_file(import, key, "/", "allow", READ);
	else
		import_lost(
			import, key,
			"'extends' of anything but :read-only and :workspace has no meaning here");
	if (strcmp(name, ":workspace") == 0) {
		import_file(import, key, ".", "allow", WRITE);
		import_file(import, key, "/tmp", "allow", WRITE);
	}
}

static void read_roots(struct import *import, const struct node *key, const struct node *value)
{
	(void)value;
	import_lost(import, key, "the one workspace is ${CWD} here: name other roots as paths");
}

/* A profile: its name is @key. */
static void read_profile(struct import *import, const struct node *key, const struct node *value)
{
	static const struct import_row rows[] = {
		{ "description", NULL },	   { "extends", read_extends },
		{ "workspace_roots", read_roots }, { "filesystem", read_filesystem },
		{ "network", read_network },	   { NULL, NULL },
	};

	const struct node *files = key;

	draft_default(&import->draft, DRAFT_FILES, "deny");
	draft_default(&import->draft, DRAFT_EGRESS, "deny");
	import_devices(import);
	draft_line(&import->draft, &import->draft.notes, "The profile '%s' of line %u.", key->text,
		   import_line(key));
	import_map(import, value, "a profile", rows, no_meaning);
	protect(import);
	(void)import_get(value, "filesystem", &files);
	check_nesting(import, files);
}

static void deny_path(struct import *import, const struct node *key, const struct node *text)
{
	(void)key;
	import_file(import, text, text->text, "deny", NULL);
}

/* Of requirements.toml: what every profile must deny. */
static void read_constraints(struct import *import, const struct node *key,
			     const struct node *value)
{
	const struct node *list_key = NULL;
	const struct node *list = import_get(value, "deny_read", &list_key);

	if (!list) {
		no_meaning(import, key, value);
		return;
	}
	if (!import->draft.defaults[DRAFT_FILES])
		draft_default(&import->draft, DRAFT_FILES, "allow");
	import_texts(import, list_key, list, deny_path);
}

/* The profile that is meant: the one asked for, the default, or the only one. */
static const char *pick_profile(const struct import *import, const struct node *permissions)
{
	const struct node *chosen = import_get(import->root, "default_permissions", NULL);
	const char *only = NULL;

	if (import->pick)
		return import->pick;
	if (chosen && chosen->kind == NODE_TEXT)
		return chosen->text;
	for (size_t i = 0; i + 1 < permissions->count; i += 2) {
		if (strcmp(permissions->items[i]->text, "filesystem") == 0 &&
		    import_get(permissions->items[i + 1], "deny_read", NULL))
			continue;
		if (only)
			return NULL;
		only = permissions->items[i]->text;
	}
	return only;
}

static void read_permissions(struct import *import, const struct node *key,
			     const struct node *permissions)
{
	const struct node *filesystem = import_get(permissions, "filesystem", NULL);
	const struct node *profile_key = NULL;
	const struct node *profile;
	const char *name;

	if (permissions->kind != NODE_MAP) {
		(void)node_error(permissions, import->diags, "'permissions' must be a table");
		return;
	}
	name = pick_profile(import, permissions);
	profile = name ? import_get(permissions, name, &profile_key) : NULL;
	if (profile && profile != filesystem)
		read_profile(import, profile_key, profile);
	else if (name || !filesystem || permissions->count > 2)
		diag_hint(node_error(key, import->diags, "which profile is meant is not said"),
			  "say it: --pick NAME");
	if (filesystem)
		read_constraints(import, key, filesystem);
}

static void read_rules(struct import *import, const struct node *key, const struct node *value)
{
	const struct node *list = import_get(value, "prefix_rules", NULL);

	if (!list || list->kind != NODE_LIST) {
		(void)node_error(key, import->diags, "'rules' needs the list 'prefix_rules'");
		return;
	}
	for (size_t i = 0; i < list->count; i++)
		import_prefix_rule(import, list->items[i]);
	import_prefix_tests(import, (const struct node *const *)list->items, list->count);
}

static void workspace_write(struct import *import, const struct node *key, const struct node *text)
{
	(void)key;
	import_file(import, text, text->text, "allow", WRITE);
}

/* [sandbox_workspace_write], where sandbox_mode is workspace-write. */
static void read_workspace(struct import *import, const struct node *table)
{
	const struct node *key = NULL;
	const struct node *roots = import_get(table, "writable_roots", &key);

	if (roots)
		import_texts(import, key, roots, workspace_write);
	if (import_is_true(import, import_get(table, "network_access", NULL)))
		draft_default(&import->draft, DRAFT_EGRESS, "allow");
	if (!import_is_true(import, import_get(table, "exclude_slash_tmp", NULL)))
		import_file(import, table, "/tmp", "allow", WRITE);
}

static void read_sandbox_mode(struct import *import, const struct node *key,
			      const struct node *value)
{
	const struct node *table = import_get(import->root, "sandbox_workspace_write", NULL);
	const char *mode = value->kind == NODE_TEXT ? value->text : "";

	if (strcmp(mode, "read-only") != 0 && strcmp(mode, "workspace-write") != 0) {
		(void)node_error(value, import->diags, "'%s' confines nothing", mode);
		return;
	}
	draft_default(&import->draft, DRAFT_FILES, "deny");
	draft_default(&import->draft, DRAFT_EGRESS, "deny");
	import_devices(import);
	import_file(import, key, "/", "allow", READ);
	if (strcmp(mode, "workspace-write") != 0)
		return;
	import_file(import, key, ".", "allow", WRITE);
	if (table)
		read_workspace(import, table);
	protect(import);
}

/* Keys beside those that confine: of what constrains the program's own choices it is said so. */
static void other_key(struct import *import, const struct node *key, const struct node *value)
{
	static const char *const choices[] = {
		"allowed_sandbox_modes",    "allowed_approval_policies",
		"approval_policy",	    "allowed_permission_profiles",
		"allowed_web_search_modes", "shell_environment_policy"
	};

	(void)value;
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		if (strcmp(key->text, choices[i]) == 0) {
			import_lost(import, key, "'%s' is about choices of the program itself",
				    key->text);
			return;
		}
	}
	draft_line(&import->draft, &import->draft.notes,
		   "Line %u: '%s' is no permission, and was not looked at.", import_line(key),
		   key->text);
}

int import_codex(struct import *import)
{
	static const struct import_row rows[] = {
		{ "default_permissions", NULL },
		{ "permissions", read_permissions },
		{ "experimental_network", read_network },
		{ "rules", read_rules },
		{ "sandbox_mode", read_sandbox_mode },
		{ "sandbox_workspace_write", NULL }, /* with sandbox_mode */
		{ NULL, NULL },
	};
	bool found = false;
	int r = toml_parse(&import->source, &import->root, import->diags);

	if (r < 0)
		return r;
	import_map(import, import->root, "the file", rows, other_key);
	for (int i = 0; i < DRAFT__MAX; i++)
		found = found || import->draft.defaults[i];
	if (import->draft.defaults[DRAFT_EGRESS] &&
	    strcmp(import->draft.defaults[DRAFT_EGRESS], "deny") == 0)
		import_own_network(import);
	if (!found && !diag_has_errors(import->diags))
		(void)node_error(import->root, import->diags,
				 "there are no permissions, network constraints or rules in it");
	return 0;
}
