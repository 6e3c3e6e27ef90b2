/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A drop-in with the sandboxing keys of systemd.exec(5) and systemd.resource-control(5) that come to what a
 * policy says. They know no names, ports, programs or people to ask.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "import/export.h"
#include "policy/capabilities.h"

/** The drop-in while it grows. */
struct dropin {
	const struct policy *policy;
	FILE *to;
	struct export_losses *losses;
};

/* A path as a unit has it: '%' doubled. False when it cannot stand in one. */
static bool put_path(const char *key, const char *path, FILE *to)
{
	if (strpbrk(path, " \"'\\\n\t:"))
		return false;
	(void)fprintf(to, "%s=-", key);
	for (; *path; path++)
		(void)fprintf(to, "%s%c", *path == '%' ? "%" : "", *path);
	(void)fputc('\n', to);
	return true;
}

/* The key that a rule of files is, or NULL: there is none. */
static const char *path_key(const struct policy_rule *rule, bool closed)
{
	const __u8 all = PK_ACCESS_READ | PK_ACCESS_WRITE | PK_ACCESS_EXEC;

	if (rule->verdict == PK_VERDICT_ALLOW)
		return closed && rule->access & PK_ACCESS_WRITE ? "ReadWritePaths" : NULL;
	if (rule->verdict != PK_VERDICT_DENY)
		return NULL;
	if ((rule->access & all) == all)
		return "InaccessiblePaths";
	if ((rule->access & all) == PK_ACCESS_WRITE)
		return "ReadOnlyPaths";
	return (rule->access & all) == PK_ACCESS_EXEC ? "NoExecPaths" : NULL;
}

static void add_file(struct dropin *dropin, const struct policy_rule *rule,
		     const struct policy_pattern *pattern)
{
	bool closed = dropin->policy->sections[PK_SECTION_FILES].default_verdict !=
		      PK_VERDICT_ALLOW;
	const char *key = path_key(rule, closed);
	CLEAN_FREE char *path = export_path(pattern);
	bool allows = rule->verdict == PK_VERDICT_ALLOW;

	if (allows && !key)
		return; /* reading and running are not limited anyway */
	if (!key || !path || rule->by_count || !put_path(key, path, dropin->to))
		export_lose(
			dropin->losses, &pattern->pos, !allows,
			"'%s': only literal paths that are denied, or written, by every program",
			pattern->source);
}

/* One whole network or address: what stands before the ports. */
static void add_network(struct dropin *dropin, const struct policy_rule *rule,
			const struct policy_pattern *pattern)
{
	bool closed = dropin->policy->sections[PK_SECTION_EGRESS].default_verdict !=
		      PK_VERDICT_ALLOW;
	bool allows = rule->verdict == PK_VERDICT_ALLOW;
	bool whole = pattern->port_count == 1 && pattern->ports[0].low == 0 &&
		     pattern->ports[0].high == 65535 && !rule->access_said && !rule->by_count;
	const char *word = strcmp(pattern->source, "@loopback") == 0 ? "localhost" :
								       pattern->source;

	if (allows && !closed)
		return;
	if (pattern->host || !whole || *word == '@' || strchr(word, '$') ||
	    rule->verdict == PK_VERDICT_ASK || (!allows && closed)) {
		export_lose(
			dropin->losses, &pattern->pos, !allows,
			"'%s': only whole networks can be expressed, denied or allowed, not both",
			pattern->source);
		return;
	}
	(void)fprintf(dropin->to, "IPAddress%s=%s\n", allows ? "Allow" : "Deny", word);
	if (strcmp(word, "localhost") == 0 && !allows)
		export_lose(dropin->losses, &pattern->pos, true,
			    "'%s': this machine's other addresses are not among them",
			    pattern->source);
}

static void add_rule(struct dropin *dropin, const struct policy_rule *rule)
{
	if (rule->section == PK_SECTION_SOCKETS || rule->section == PK_SECTION_ACCEPT)
		return;
	for (size_t i = 0; i < rule->pattern_count; i++) {
		const struct policy_pattern *pattern = &rule->patterns[i];

		if (rule->section == PK_SECTION_FILES)
			add_file(dropin, rule, pattern);
		else if (rule->section == PK_SECTION_EGRESS)
			add_network(dropin, rule, pattern);
		else if (rule->section == PK_SECTION_SYSCALLS)
			(void)fprintf(dropin->to, "SystemCallFilter=~%s\n", pattern->source);
		else
			export_lose(dropin->losses, &pattern->pos,
				    rule->verdict != PK_VERDICT_ALLOW, "'%s' has no such key",
				    pattern->source);
	}
}

static void add_defaults(struct dropin *dropin)
{
	const struct policy_section *sections = dropin->policy->sections;

	if (sections[PK_SECTION_FILES].present &&
	    sections[PK_SECTION_FILES].default_verdict != PK_VERDICT_ALLOW) {
		(void)fprintf(dropin->to, "ProtectSystem=strict\n");
		export_lose(dropin->losses, &sections[PK_SECTION_FILES].pos, true,
			    "what no rule allows may be read, run and connected to");
	}
	if (sections[PK_SECTION_EGRESS].present &&
	    sections[PK_SECTION_EGRESS].default_verdict != PK_VERDICT_ALLOW)
		(void)fprintf(dropin->to, "IPAddressDeny=any\n");
	for (int i = 0; i < PK_SECTION__MAX; i++) {
		if ((i == PK_SECTION_EXEC || i == PK_SECTION_UNIX || i == PK_SECTION_LISTEN) &&
		    sections[i].present && sections[i].default_verdict != PK_VERDICT_ALLOW)
			export_lose(dropin->losses, &sections[i].pos, true,
				    "a default that does not allow has no such key here");
	}
}

static void add_sockets(struct dropin *dropin)
{
	static const struct {
		enum pk_socket kind;
		const char *family;
	} table[] = { { PK_SOCKET_INET, "AF_INET" },	 { PK_SOCKET_INET6, "AF_INET6" },
		      { PK_SOCKET_UNIX, "AF_UNIX" },	 { PK_SOCKET_NETLINK_ALL, "AF_NETLINK" },
		      { PK_SOCKET_PACKET, "AF_PACKET" }, { PK_SOCKET_VSOCK, "AF_VSOCK" },
		      { PK_SOCKET_ALG, "AF_ALG" },	 { PK_SOCKET_BLUETOOTH, "AF_BLUETOOTH" },
		      { PK_SOCKET_CAN, "AF_CAN" },	 { PK_SOCKET_XDP, "AF_XDP" } };
	const struct policy_sockets *sockets = &dropin->policy->sockets;

	if (!sockets->present)
		return;
	(void)fprintf(dropin->to, "RestrictAddressFamilies=%s", sockets->allow ? "" : "none");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (sockets->allow & 1U << table[i].kind)
			(void)fprintf(dropin->to, "%s ", table[i].family);
	}
	(void)fputc('\n', dropin->to);
	export_lose(dropin->losses, &sockets->pos, true,
		    "kinds of sockets are whole families: raw and ICMP sockets come with them");
}

static void add_capabilities(struct dropin *dropin, __u64 refused)
{
	(void)fprintf(dropin->to, "CapabilityBoundingSet=~");
	for (unsigned int i = 0; capabilities_name(i); i++) {
		if (!(refused & 1ULL << i))
			continue;
		(void)fputs(" CAP_", dropin->to);
		for (const char *c = capabilities_name(i); *c; c++)
			(void)fputc(*c >= 'a' && *c <= 'z' ? *c - 32 : *c, dropin->to);
	}
	(void)fputc('\n', dropin->to);
}

static void add_process(struct dropin *dropin)
{
	static const char *const keys[PK_GUARD__MAX] = {
		[PK_GUARD_SETUID] = "NoNewPrivileges=yes\n",
		[PK_GUARD_NAMESPACES] = "RestrictNamespaces=yes\n",
		[PK_GUARD_MODULES] = "ProtectKernelModules=yes\n",
		[PK_GUARD_KERNEL] = "ProtectKernelTunables=yes\nProtectKernelLogs=yes\n",
		[PK_GUARD_MOUNTS] = "SystemCallFilter=~@mount\n",
	};
	const struct policy_process *process = &dropin->policy->process;
	bool lost = false;

	for (int i = 0; i < PK_GUARD__MAX; i++) {
		if (process->guards[i].verdict == PK_VERDICT_ALLOW)
			continue;
		if (i == PK_GUARD_CAPABILITIES)
			add_capabilities(dropin, process->capabilities);
		else if (keys[i])
			(void)fputs(keys[i], dropin->to);
		else
			lost = true;
	}
	if (lost)
		export_lose(dropin->losses, process->present ? &process->pos : NULL, true,
			    "switches of process that have no key: ptrace, signals and others");
}

int export_systemd(const struct policy *policy, FILE *to, struct export_losses *losses)
{
	struct dropin dropin = { policy, to, losses };

	(void)fprintf(to, "# The policy %s, as far as systemd can say it.\n[Service]\n",
		      policy->name);
	add_defaults(&dropin);
	for (size_t i = 0; i < policy->rule_count; i++)
		add_rule(&dropin, &policy->rules[i]);
	if (policy->audit)
		export_lose(losses, NULL, false, "mode audit: a unit's settings are enforced");
	add_sockets(&dropin);
	add_process(&dropin);
	for (size_t i = 0; i < losses->count; i++)
		(void)fprintf(to, "# not expressed (%s), line %u: %s\n",
			      losses->items[i].wider ? "allows more" : "allows less",
			      losses->items[i].pos.line, losses->items[i].what);
	return losses->failed ? -ENOMEM : 0;
}
