/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sandboxing keys of a systemd unit's [Service]. A path that is made read-only there is a deny of writing
 * here; under ProtectSystem=strict, what may be written is a list there and here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "import/import.h"
#include "import/systemd_process.h"
#include "import/unit_file.h"

void systemd_each_word(struct import *import, const struct node *key, const struct node *value,
		       import_key read)
{
	const char *at = value->text;

	for (at += strspn(at, " "); *at; at += strspn(at, " ")) {
		struct node word = *value;

		word.length = strcspn(at, " ");
		word.text = strndup(at, word.length);
		if (word.text)
			read(import, key, &word);
		else
			import->draft.failed = true;
		free(word.text);
		at += word.length;
	}
}

/* The value of the last setting of @key, or NULL. */
static const struct node *setting(const struct import *import, const char *key)
{
	const struct node *found = NULL;

	for (size_t i = 0; i + 1 < import->root->count; i += 2) {
		if (strcmp(import->root->items[i]->text, key) == 0)
			found = import->root->items[i + 1];
	}
	return found;
}

static bool is_strict(const struct import *import)
{
	const struct node *value = setting(import, "ProtectSystem");

	return value && strcmp(value->text, "strict") == 0;
}

/* "-/path", "+/path" and specifiers to a path; malloc'ed, or NULL (reported). */
static char *plain_path(struct import *import, const struct node *text)
{
	const char *path = text->text + strspn(text->text, "-+");
	char *plain = NULL;

	if (strncmp(path, "%h", 2) == 0) {
		if (asprintf(&plain, "~%s", path + 2) < 0)
			plain = NULL;
		return plain;
	}
	if (*path == '/' && !strpbrk(path, "%:"))
		return strdup(path);
	import_lost(import, text, "'%s': only absolute paths and %%h have a meaning here",
		    text->text);
	return NULL;
}

static void add_path(struct import *import, const struct node *text, const char *verdict,
		     const char *access)
{
	CLEAN_FREE char *path = plain_path(import, text);
	CLEAN_FREE char *pattern = path ? import_path(import, text, path, IMPORT_LITERAL) : NULL;
	CLEAN_FREE char *extra = NULL;

	if (!pattern)
		return;
	if (!import->draft.defaults[DRAFT_FILES])
		draft_default(&import->draft, DRAFT_FILES, "allow");
	if (asprintf(&extra, "%s%s", access ? ", access: " : "", access ? access : "") < 0)
		extra = NULL;
	draft_rule(&import->draft, &(struct draft_rule){ .section = DRAFT_FILES,
							 .verdict = (char *)verdict,
							 .pattern = pattern,
							 .extra = extra,
							 .line = import_line(text) });
}

static void read_only_path(struct import *import, const struct node *key, const struct node *text)
{
	(void)key;
	add_path(import, text, "deny", "write");
}

static void inaccessible_path(struct import *import, const struct node *key,
			      const struct node *text)
{
	(void)key;
	add_path(import, text, "deny", NULL);
}

static void no_exec_path(struct import *import, const struct node *key, const struct node *text)
{
	(void)key;
	add_path(import, text, "deny", "exec");
}

static void writable_path(struct import *import, const struct node *key, const struct node *text)
{
	(void)key;
	if (is_strict(import))
		add_path(import, text, "allow", "write");
	else
		import_lost(import, text,
			    "'%s': without ProtectSystem=strict, an exception to what is read-only "
			    "has no meaning here",
			    text->text);
}

static void read_only_paths(struct import *import, const struct node *key, const struct node *value)
{
	systemd_each_word(import, key, value, read_only_path);
}

static void inaccessible_paths(struct import *import, const struct node *key,
			       const struct node *value)
{
	systemd_each_word(import, key, value, inaccessible_path);
}

static void no_exec_paths(struct import *import, const struct node *key, const struct node *value)
{
	systemd_each_word(import, key, value, no_exec_path);
}

static void writable_paths(struct import *import, const struct node *key, const struct node *value)
{
	systemd_each_word(import, key, value, writable_path);
}

/* StateDirectory= and its like: names below a folder, which may be written. */
static void own_folder(struct import *import, const struct node *key, const struct node *text)
{
	static const struct {
		const char *key;
		const char *folder;
	} table[] = { { "StateDirectory", "/var/lib" },
		      { "CacheDirectory", "/var/cache" },
		      { "LogsDirectory", "/var/log" },
		      { "RuntimeDirectory", "/run" } };
	CLEAN_FREE char *path = NULL;
	struct node copy = *text;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(table[i].key, key->text) == 0 &&
		    asprintf(&path, "%s/%s", table[i].folder, text->text) < 0)
			path = NULL;
	}
	copy.text = path;
	if (path && is_strict(import))
		add_path(import, &copy, "allow", "write");
}

static void own_folders(struct import *import, const struct node *key, const struct node *value)
{
	systemd_each_word(import, key, value, own_folder);
}

/* Add a rule about a path of ours. */
static void fixed_path(struct import *import, const struct node *key, const char *path,
		       const char *verdict, const char *access)
{
	struct node copy = *key;

	copy.text = (char *)path;
	add_path(import, &copy, verdict, access);
}

static void protect_system(struct import *import, const struct node *key, const struct node *value)
{
	static const char *const open[] = { "/dev", "/proc", "/sys" };
	bool full = strcmp(value->text, "full") == 0;

	if (is_strict(import)) {
		draft_default(&import->draft, DRAFT_FILES, "deny");
		fixed_path(import, key, "/", "allow", "[read, exec, connect]");
		for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
			fixed_path(import, key, open[i], "allow", "write");
		return;
	}
	if (!full && !import_is_true(import, value))
		return; /* a word that is none of these has been told */
	fixed_path(import, key, "/usr", "deny", "write");
	fixed_path(import, key, "/boot", "deny", "write");
	fixed_path(import, key, "/efi", "deny", "write");
	if (full)
		fixed_path(import, key, "/etc", "deny", "write");
}

static void protect_home(struct import *import, const struct node *key, const struct node *value)
{
	static const char *const homes[] = { "/home", "/root", "/run/user" };
	bool read_only = strcmp(value->text, "read-only") == 0;
	bool closed = strcmp(value->text, "tmpfs") == 0 ||
		      (!read_only && import_is_true(import, value));

	if (!closed && !read_only)
		return;
	for (size_t i = 0; i < sizeof(homes) / sizeof(homes[0]); i++)
		fixed_path(import, key, homes[i], "deny", closed ? NULL : "write");
}

static bool denies_any(const struct import *import)
{
	const struct node *value = setting(import, "IPAddressDeny");
	const char *any = value ? strstr(value->text, "any") : NULL;

	return any && (any == value->text || any[-1] == ' ') && strchr(" ", any[3]);
}

static void add_address(struct import *import, const struct node *text, const char *verdict)
{
	static const struct {
		const char *name;
		const char *networks[2];
	} named[] = { { "localhost", { "127.0.0.0/8", "::1/128" } },
		      { "link-local", { "169.254.0.0/16", "fe80::/64" } },
		      { "multicast", { "224.0.0.0/4", "ff00::/8" } } };
	const char *patterns[2] = { text->text, NULL };

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		if (strcmp(named[i].name, text->text) == 0)
			memcpy(patterns, named[i].networks, sizeof(patterns));
	}
	for (size_t i = 0; i < 2 && patterns[i]; i++)
		draft_rule(&import->draft, &(struct draft_rule){ .section = DRAFT_EGRESS,
								 .verdict = (char *)verdict,
								 .pattern = (char *)patterns[i],
								 .line = import_line(text) });
}

static void allow_address(struct import *import, const struct node *key, const struct node *text)
{
	(void)key;
	if (!denies_any(import))
		import_lost(
			import, text,
			"'%s': without IPAddressDeny=any, an exception to what is denied has no "
			"meaning here",
			text->text);
	else if (strcmp(text->text, "any") == 0)
		draft_default(&import->draft, DRAFT_EGRESS, "allow");
	else
		add_address(import, text, "allow");
}

static void deny_address(struct import *import, const struct node *key, const struct node *text)
{
	(void)key;
	if (!import->draft.defaults[DRAFT_EGRESS])
		draft_default(&import->draft, DRAFT_EGRESS, denies_any(import) ? "deny" : "allow");
	/* What is allowed there is allowed whatever is denied: here it is what the default does not deny. */
	if (!denies_any(import))
		add_address(import, text, "deny");
}

static void allow_addresses(struct import *import, const struct node *key, const struct node *value)
{
	systemd_each_word(import, key, value, allow_address);
}

static void deny_addresses(struct import *import, const struct node *key, const struct node *value)
{
	draft_line(
		&import->draft, &import->draft.notes,
		"Line %u: IPAddressDeny= is about packets in both directions there; who connects "
		"from",
		import_line(key));
	draft_line(
		&import->draft, &import->draft.notes,
		"outside is a matter of the section listen here, and is not judged by this policy.");
	systemd_each_word(import, key, value, deny_address);
}

static void no_meaning(struct import *import, const struct node *key, const struct node *value)
{
	if (import_truth(value->text) != 0)
		import_lost(import, key, "'%s' has no meaning here", key->text);
}

static const struct import_row rows[] = {
	{ "ProtectSystem", protect_system },
	{ "ProtectHome", protect_home },
	{ "ReadOnlyPaths", read_only_paths },
	{ "ReadWritePaths", writable_paths },
	{ "InaccessiblePaths", inaccessible_paths },
	{ "NoExecPaths", no_exec_paths },
	{ "ReadOnlyDirectories", read_only_paths }, /* older names of these */
	{ "ReadWriteDirectories", writable_paths },
	{ "InaccessibleDirectories", inaccessible_paths },
	{ "StateDirectory", own_folders },
	{ "CacheDirectory", own_folders },
	{ "LogsDirectory", own_folders },
	{ "RuntimeDirectory", own_folders },
	{ "IPAddressAllow", allow_addresses },
	{ "IPAddressDeny", deny_addresses },
	{ "ProtectControlGroups", NULL }, /* so it is under every policy */
	{ "ExecPaths", no_meaning },
	{ "TemporaryFileSystem", no_meaning },
	{ "BindPaths", no_meaning },
	{ "BindReadOnlyPaths", no_meaning },
	{ "RootDirectory", no_meaning },
	{ "RootImage", no_meaning },
	{ "PrivateTmp", no_meaning },
	{ "PrivateDevices", no_meaning },
	{ "PrivateNetwork", no_meaning },
	{ "PrivateUsers", no_meaning },
	{ "PrivateMounts", no_meaning },
	{ "PrivateIPC", no_meaning },
	{ "PrivatePIDs", no_meaning },
	{ "PrivateBPF", no_meaning },
	{ "NetworkNamespacePath", no_meaning },
	{ "IPCNamespacePath", no_meaning },
	{ "MountImages", no_meaning },
	{ "ExtensionImages", no_meaning },
	{ "ExtensionDirectories", no_meaning },
	{ "IPIngressFilterPath", no_meaning },
	{ "IPEgressFilterPath", no_meaning },
	{ "BPFProgram", no_meaning },
	{ "AppArmorProfile", no_meaning },
	{ "SELinuxContext", no_meaning },
	{ "SmackProcessLabel", no_meaning },
	{ "SecureBits", no_meaning },
	{ "KeyringMode", no_meaning },
	{ "ProtectProc", no_meaning },
	{ "ProcSubset", no_meaning },
	{ "ProtectClock", no_meaning },
	{ "ProtectHostname", no_meaning },
	{ "LockPersonality", no_meaning },
	{ "MemoryDenyWriteExecute", no_meaning },
	{ "RestrictRealtime", no_meaning },
	{ "RestrictSUIDSGID", no_meaning },
	{ "RestrictFileSystems", no_meaning },
	{ "RestrictNetworkInterfaces", no_meaning },
	{ "SocketBindAllow", no_meaning },
	{ "SocketBindDeny", no_meaning },
	{ "SystemCallArchitectures", no_meaning },
	{ "AmbientCapabilities", no_meaning },
	{ "DeviceAllow", no_meaning },
	{ "DevicePolicy", no_meaning },
	{ "UMask", no_meaning },
	{ "DynamicUser", no_meaning },
	{ NULL, NULL },
};

/* What starts a service and the like is no sandboxing: it is named, and that is all. */
static void other_key(struct import *import, const struct node *key, const struct node *value)
{
	(void)value;
	if (systemd_is_process_key(key->text))
		return;
	draft_line(&import->draft, &import->draft.notes,
		   "Line %u: '%s' is no sandboxing key, and was not looked at.", import_line(key),
		   key->text);
}

/* Of keys that have one value the last line counts, of lists all of them do. */
static void take_last(struct node *root)
{
	static const char *const single[] = { "ProtectSystem",	       "ProtectHome",
					      "NoNewPrivileges",       "ProtectKernelModules",
					      "ProtectKernelTunables", "ProtectKernelLogs",
					      "SystemCallErrorNumber" };

	for (size_t i = 0; i + 1 < root->count; i += 2) {
		char *text = root->items[i + 1]->text;
		const char *blank = strrchr(text, ' ');

		for (size_t j = 0; blank && j < sizeof(single) / sizeof(single[0]); j++) {
			if (strcmp(root->items[i]->text, single[j]) == 0) {
				root->items[i + 1]->length = strlen(blank + 1);
				memmove(text, blank + 1, root->items[i + 1]->length + 1);
				break;
			}
		}
	}
}

int import_systemd(struct import *import)
{
	int r = unit_file_parse(&import->source, "Service", &import->root, import->diags);

	if (r < 0)
		return r;
	take_last(import->root);
	draft_line(
		&import->draft, &import->draft.notes,
		"A unit forbids what it names and nothing else: so does the section process below.");
	import_map(import, import->root, "[Service]", rows, other_key);
	systemd_process(import);
	return 0;
}
