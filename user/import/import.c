/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of formats, and the tools of their readers.
 */
#include "import/import.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/** A format. */
struct format {
	const char *name;
	int (*read)(struct import *import);
	const char *what; /* for the first line of what comes out */
};

static const struct format formats[] = {
	{ "codex", import_codex, "Codex configuration (config.toml, requirements.toml)" },
	{ "codex-rules", import_codex_rules, "Codex rules (prefix_rule)" },
	{ "claude", import_claude, "Claude Code or srt settings (settings.json)" },
	{ "harden-runner", import_harden_runner,
	  "harden-runner's allowed-endpoints of a workflow" },
	{ "systemd", import_systemd, "the sandboxing keys of a systemd unit" },
	{ "openshell", import_openshell, "an OpenShell policy" },
};

const char *import_formats(void)
{
	return "codex codex-rules claude harden-runner systemd openshell";
}

bool import_has_format(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, name) == 0)
			return true;
	return false;
}

unsigned int import_line(const struct node *node)
{
	return node_pos(node).line;
}

void import_lost(struct import *import, const struct node *node, const char *format, ...)
{
	CLEAN_FREE char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0) {
		text = NULL;
		import->draft.failed = true;
	}
	va_end(arguments);
	if (!text)
		return;
	(void)node_report(node, import->diags, import->lossy ? DIAG_WARNING : DIAG_ERROR, "%s",
			  text);
	if (import->lossy)
		draft_line(&import->draft, &import->draft.notes, "NOT TAKEN OVER, line %u: %s",
			   import_line(node), text);
}

const struct node *import_get(const struct node *map, const char *key, const struct node **ret_key)
{
	for (size_t i = 0; map && map->kind == NODE_MAP && i + 1 < map->count; i += 2) {
		if (map->items[i]->kind != NODE_TEXT || strcmp(map->items[i]->text, key) != 0)
			continue;
		if (ret_key)
			*ret_key = map->items[i];
		return map->items[i + 1];
	}
	return NULL;
}

int import_truth(const char *text)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on",
					     "0",  "1",	  "n",	   "y",	   "f",	  "t" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0)
			return (int)(i & 1);
	}
	return -1;
}

bool import_is_true(struct import *import, const struct node *node)
{
	int truth = node && node->kind == NODE_TEXT ? import_truth(node->text) : -1;

	if (node && truth < 0)
		(void)node_error(node, import->diags, "this is neither true nor false");
	return truth > 0;
}

void import_map(struct import *import, const struct node *map, const char *what,
		const struct import_row *rows, import_key other)
{
	if (map->kind != NODE_MAP) {
		(void)node_error(map, import->diags, "%s must be a map", what);
		return;
	}
	for (size_t i = 0; i + 1 < map->count; i += 2) {
		const struct node *key = map->items[i];
		const struct import_row *row = rows;

		if (key->kind != NODE_TEXT)
			continue;
		while (row->key && strcmp(row->key, key->text) != 0)
			row++;
		if (!row->key)
			other(import, key, map->items[i + 1]);
		else if (row->read)
			row->read(import, key, map->items[i + 1]);
	}
}

void import_texts(struct import *import, const struct node *key, const struct node *value,
		  import_key read)
{
	if (value->kind == NODE_TEXT)
		read(import, key, value);
	else if (value->kind != NODE_LIST)
		(void)node_error(value, import->diags, "'%s' must be a list of texts", key->text);
	for (size_t i = 0; value->kind == NODE_LIST && i < value->count; i++) {
		if (value->items[i]->kind == NODE_TEXT)
			read(import, key, value->items[i]);
		else
			(void)node_error(value->items[i], import->diags,
					 "an element of '%s' must be a text", key->text);
	}
}

/* Bytes that cannot stand in a pattern of any format. */
static bool is_plain(struct import *import, const struct node *text, const char *value)
{
	for (const char *at = value; *at; at++) {
		if ((unsigned char)*at >= 0x20 && *at != 0x7f)
			continue;
		(void)node_error(text, import->diags, "a control character in a name");
		return false;
	}
	if (*value)
		return true;
	(void)node_error(text, import->diags, "an empty name");
	return false;
}

/* Only "*", "*.x" and "**.x" are patterns here. */
static bool is_wildcard(const char *host)
{
	const char *rest = host + strspn(host, "*");
	const char *port = strchr(rest, ':');

	return rest - host <= 2 && strchr(".:", *rest) &&
	       !memchr(rest, '*', port ? (size_t)(port - rest) : strlen(rest));
}

/* True when @host can be a name or address with or without a port; else reported. */
static bool check_host(struct import *import, const struct node *text, const char *host)
{
	const char *colon = strchr(host, ':');

	if (!is_plain(import, text, host))
		return false;
	if (strstr(host, "://") || strpbrk(host, " $%@{}?")) {
		(void)node_error(text, import->diags, "'%s' is not a host name or address", host);
		return false;
	}
	if (colon && *host != '[' && strchr(colon + 1, ':')) {
		diag_hint(node_error(text, import->diags,
				     "'%s' could be an address or one with a port", host),
			  "an IPv6 address stands in brackets: [2001:db8::1]:443");
		return false;
	}
	if (!strchr(host, '*') || is_wildcard(host))
		return true;
	import_lost(import, text,
		    "the wildcard of '%s' has no meaning here: a '*' stands for whole labels "
		    "in front",
		    host);
	return false;
}

static void add_host(struct import *import, const struct draft_rule *rule, const char *host,
		     const char *ports)
{
	CLEAN_FREE char *pattern = NULL;
	CLEAN_FREE char *extra = NULL;
	bool address = *host == '[' || *host == '@' || host[strspn(host, "0123456789./")] == '\0';
	struct draft_rule copy = *rule;

	/* A name is meant over TCP unless it is denied, an address over UDP too. */
	if (asprintf(&pattern, "%s%s", host, ports) < 0)
		pattern = NULL;
	if (asprintf(&extra, "%s%s", rule->extra,
		     address && strcmp(rule->verdict, "deny") != 0 ? ", protocol: tcp" : "") < 0)
		extra = NULL;
	if (!pattern || !extra) {
		import->draft.failed = true;
		return;
	}
	copy.pattern = pattern;
	copy.extra = extra;
	draft_rule(&import->draft, &copy);
}

void import_host(struct import *import, const struct node *text, const char *host,
		 const char *verdict, const char *extra)
{
	const struct draft_rule rule = { .section = DRAFT_EGRESS,
					 .verdict = (char *)verdict,
					 .extra = (char *)extra,
					 .line = import_line(text) };
	const char *bracket = strchr(host, ']');
	const char *colon = strchr(bracket ? bracket : host, ':');
	const char *ports = colon ? colon : "";
	CLEAN_FREE char *name = strndup(host, strlen(host) - strlen(ports));

	if (!name)
		import->draft.failed = true;
	if (!name || !check_host(import, text, host))
		return;
	if (strcasecmp(name, "localhost") == 0) {
		add_host(import, &rule, "127.0.0.1", ports);
		add_host(import, &rule, "[::1]", ports);
		return;
	}
	add_host(import, &rule, name, ports);
	/* Every name there is every destination: addresses that nobody looked up too. */
	if (strcmp(name, "*") == 0 && strcmp(verdict, "deny") == 0)
		add_host(import, &rule, "@any", ports);
}

static void allow_domain(struct import *import, const struct node *key, const struct node *text)
{
	(void)key;
	import_host(import, text, text->text, "allow", "");
}

static void deny_domain(struct import *import, const struct node *key, const struct node *text)
{
	(void)key;
	import_host(import, text, text->text, "deny", "");
}

void import_allowed_domains(struct import *import, const struct node *key, const struct node *value)
{
	import_texts(import, key, value, allow_domain);
}

void import_denied_domains(struct import *import, const struct node *key, const struct node *value)
{
	import_texts(import, key, value, deny_domain);
}

void import_own_network(struct import *import)
{
	if (!import->draft.defaults[DRAFT_LISTEN])
		draft_default(&import->draft, DRAFT_LISTEN, "deny");
	draft_line(&import->draft, &import->draft.tail, "unix: {default: deny}");
	draft_line(
		&import->draft, &import->draft.notes,
		"A sandbox there has a network of its own: here nobody connects to what listens");
	draft_line(&import->draft, &import->draft.notes,
		   "in it, unless a rule says so, and abstract sockets are out of reach.");
}

void import_devices(struct import *import)
{
	draft_rule(&import->draft,
		   &(struct draft_rule){ .section = DRAFT_FILES,
					 .verdict = (char *)"allow",
					 .pattern = (char *)"/dev/{null,zero,full,tty,ptmx,pts/*}",
					 .extra = (char *)", access: [read, write]" });
}

/* @path with what is special in a pattern escaped, and variables of other programs' kept out. */
static char *escape_path(const char *path, enum import_paths kind)
{
	char *escaped = malloc(2 * strlen(path) + 1);
	char *at = escaped;

	for (; escaped && *path; path++) {
		if (*path == '$')
			*at++ = '$';
		else if (strchr(kind == IMPORT_LITERAL ? "*?[]{}\\" : "{}\\", *path))
			*at++ = '\\';
		*at++ = *path;
	}
	if (escaped)
		*at = '\0';
	return escaped;
}

char *import_path(struct import *import, const struct node *text, const char *path,
		  enum import_paths kind)
{
	const char *base = "";
	CLEAN_FREE char *escaped = NULL;
	char *pattern = NULL;
	size_t length;

	if (!is_plain(import, text, path))
		return NULL;
	if (strcmp(path, "~") == 0 || strncmp(path, "~/", 2) == 0) {
		base = "${HOME}";
		path++;
	} else if (*path != '/' && strncmp(path, "**", 2) != 0) {
		base = "${CWD}/";
		path += strncmp(path, "./", 2) == 0 ? 2 : 0;
		path += strcmp(path, ".") == 0 ? 1 : 0;
	}
	escaped = escape_path(path, kind);
	length = escaped ? strlen(escaped) : 0;
	while (length > 0 && escaped[length - 1] == '/')
		escaped[--length] = '\0';
	if (escaped && length >= 3 && strcmp(escaped + length - 3, "/**") == 0)
		escaped[length - 3] = '\0';
	if (!escaped ||
	    asprintf(&pattern, "%s%s%s", base, escaped,
		     *base && !*escaped && base[strlen(base) - 1] == '/' ? "**" : "/**") < 0) {
		import->draft.failed = true;
		return NULL;
	}
	return pattern;
}

void import_file(struct import *import, const struct node *text, const char *path,
		 const char *verdict, const char *access)
{
	CLEAN_FREE char *pattern = import_path(import, text, path, IMPORT_GLOB);
	CLEAN_FREE char *extra = NULL;

	if (!pattern)
		return;
	if (access && asprintf(&extra, ", access: %s", access) < 0) {
		extra = NULL;
		import->draft.failed = true;
	}
	draft_rule(&import->draft, &(struct draft_rule){ .section = DRAFT_FILES,
							 .verdict = (char *)verdict,
							 .pattern = pattern,
							 .extra = extra ? extra : (char *)"",
							 .line = import_line(text) });
}

static void import_reset(struct import *import)
{
	node_free(&import->root);
	draft_reset(&import->draft);
	source_reset(&import->source);
}

/* A copy in which tabs and carriage returns are blanks: they mean no more than that in these formats. */
static int take_text(struct import *import, const struct import_request *request)
{
	char *copy = malloc(request->length + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, request->text, request->length);
	copy[request->length] = '\0';
	for (size_t i = 0; i < request->length; i++) {
		if (copy[i] == '\t' || copy[i] == '\r')
			copy[i] = ' ';
	}
	import->source = (struct source){
		.name = request->name, .text = copy, .owned = copy, .length = request->length
	};
	return source_check(&import->source, import->diags);
}

static int read_format(struct import *import, const struct format *format, FILE *to)
{
	CLEAN_FREE char *title = NULL;
	int r = format->read(import);

	if (r == 0 && diag_has_errors(import->diags))
		r = -EINVAL;
	if (r < 0)
		return r;
	if (asprintf(&title, "Imported from %s.", format->what) < 0) {
		title = NULL;
		return -ENOMEM;
	}
	return draft_write(&import->draft, title, to);
}

int import_policy(const struct import_request *request, FILE *to, struct diag_list *diags)
{
	CLEAN(import_reset)
	struct import import = { .diags = diags, .lossy = request->lossy, .pick = request->pick };
	int r;

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(formats[i].name, request->format) != 0)
			continue;
		r = take_text(&import, request);
		return r < 0 ? r : read_format(&import, &formats[i], to);
	}
	return -ENOENT;
}
