/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of system calls are libseccomp's, which enforces them; groups are picket's own. A group
 * that this libseccomp does not know in full rejects the policy: nothing is passed over.
 */
#include "policy/syscalls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <seccomp.h>

#include "base/mem.h"
#include "base/text.h"
#include "policy/pattern.h"
#include "policy/rules.h"
#include "policy/schema.h"

/** Highest number that is asked for its name when a name is looked for that is nearest. */
#define NUMBER_MAX 1024

#define MEMBERS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const struct syscall_group groups[] = {
	{ "@clock", MEMBERS("adjtimex", "clock_adjtime", "clock_adjtime64", "clock_settime",
			    "clock_settime64", "settimeofday", "stime") },
	{ "@cpu-emulation",
	  MEMBERS("modify_ldt", "subpage_prot", "switch_endian", "vm86", "vm86old") },
	{ "@debug", MEMBERS("kcmp", "lookup_dcookie", "perf_event_open", "pidfd_getfd",
			    "process_vm_readv", "process_vm_writev", "ptrace") },
	{ "@kexec", MEMBERS("kexec_file_load", "kexec_load") },
	{ "@keyring", MEMBERS("add_key", "keyctl", "request_key") },
	{ "@module", MEMBERS("create_module", "delete_module", "finit_module", "init_module") },
	{ "@mount",
	  MEMBERS("chroot", "fsconfig", "fsmount", "fsopen", "fspick", "mount", "mount_setattr",
		  "move_mount", "open_tree", "pivot_root", "umount", "umount2") },
	{ "@namespace", MEMBERS("setns", "unshare") },
	{ "@obsolete",
	  MEMBERS("_sysctl", "afs_syscall", "bdflush", "break", "create_module", "ftime",
		  "get_kernel_syms", "getpmsg", "gtty", "idle", "lock", "mpx", "nfsservctl", "prof",
		  "profil", "putpmsg", "query_module", "security", "sgetmask", "ssetmask", "stime",
		  "stty", "sysfs", "tuxcall", "ulimit", "uselib", "ustat", "vserver") },
	{ "@privileged",
	  MEMBERS("@clock", "@kexec", "@module", "@raw-io", "@reboot", "@swap", "acct", "bpf",
		  "chroot", "fanotify_init", "open_by_handle_at", "pivot_root", "quotactl",
		  "quotactl_fd", "setdomainname", "sethostname", "vhangup") },
	{ "@raw-io",
	  MEMBERS("ioperm", "iopl", "pciconfig_iobase", "pciconfig_read", "pciconfig_write") },
	{ "@reboot", MEMBERS("@kexec", "reboot") },
	{ "@swap", MEMBERS("swapoff", "swapon") },
};

#define GROUP_COUNT (sizeof(groups) / sizeof(*groups))

/* Without these nothing can be started, or end. */
static const char *const vital[] = { "execve",		"exit",		"exit_group",
				     "restart_syscall", "rt_sigreturn", "sigreturn" };

const struct syscall_group *syscalls_groups(size_t *ret_count)
{
	*ret_count = GROUP_COUNT;
	return groups;
}

static const struct syscall_group *find_group(const char *name)
{
	for (size_t i = 0; i < GROUP_COUNT; i++) {
		if (strcmp(groups[i].name, name) == 0)
			return &groups[i];
	}
	return NULL;
}

static void report_group(struct front *front, const struct node *text)
{
	const char *names[GROUP_COUNT];

	for (size_t i = 0; i < GROUP_COUNT; i++)
		names[i] = groups[i].name;
	front_hint_names(node_error(text, front->diags, "unknown group of system calls '%s'",
				    text->text),
			 text->text, "groups are", names, GROUP_COUNT);
}

/* The nearest of the names that this machine's own system calls have. */
static void report_name(struct front *front, const struct node *text)
{
	struct diag *diag = node_error(text, front->diags, "unknown system call '%s'", text->text);
	char *names[NUMBER_MAX];
	size_t count = 0;

	for (int number = 0; number < NUMBER_MAX; number++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);

		if (name)
			names[count++] = name;
	}
	if (text_nearest(text->text, (const char *const *)names, count))
		front_hint_names(diag, text->text, "", (const char *const *)names, count);
	else
		diag_hint(diag, "names are those of the manual pages, section 2, and groups such "
				"as @obsolete");
	for (size_t i = 0; i < count; i++)
		free(names[i]);
}

static bool is_vital(const char *name)
{
	for (size_t i = 0; i < sizeof(vital) / sizeof(*vital); i++) {
		if (strcmp(vital[i], name) == 0)
			return true;
	}
	return false;
}

static bool has_name(const struct policy_rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->pattern_count; i++) {
		if (strcmp(rule->patterns[i].source, name) == 0)
			return true;
	}
	return false;
}

static int add_name(struct policy_rule *rule, const struct node *text, const char *name)
{
	struct policy_pattern pattern = { .pos = node_pos(text), .source = strdup(name) };

	if (pattern.source && FRONT_APPEND(&rule->patterns, &rule->pattern_count, &pattern) == 0)
		return 0;
	pattern_reset(&pattern);
	return -ENOMEM;
}

/* Add the members of @group that @rule does not have. */
/* NOLINTNEXTLINE(misc-no-recursion): the table above has no cycle */
static int add_group(struct front *front, const struct node *text,
		     const struct syscall_group *group, struct policy_rule *rule)
{
	int r = 0;

	for (const char *const *name = group->members; *name && r == 0; name++) {
		if (**name == '@')
			r = add_group(front, text, find_group(*name), rule);
		else if (seccomp_syscall_resolve_name(*name) == __NR_SCMP_ERROR)
			diag_hint(node_error(text, front->diags,
					     "the system call '%s' of the group '%s' is not known "
					     "here",
					     *name, group->name),
				  "this libseccomp is too old: name the calls that it knows");
		else if (!has_name(rule, *name))
			r = add_name(rule, text, *name);
	}
	return r;
}

static int add_call(struct front *front, const struct node *text, void *into)
{
	const struct syscall_group *group = find_group(text->text);
	struct policy_rule *rule = into;

	if (!front_line(front, text, "the name of a system call"))
		return 0;
	if (group)
		return add_group(front, text, group, rule);
	if (*text->text == '@')
		report_group(front, text);
	else if (seccomp_syscall_resolve_name(text->text) == __NR_SCMP_ERROR)
		report_name(front, text);
	else if (is_vital(text->text))
		diag_hint(node_error(text, front->diags, "no program can do without '%s'",
				     text->text),
			  "what programs may be started is said in the section exec");
	else if (has_name(rule, text->text))
		(void)node_error(text, front->diags, "'%s' is already refused here", text->text);
	else
		return add_name(rule, text, text->text);
	return 0;
}

static int read_deny(struct front *front, const struct node *value, void *unused)
{
	struct policy_rule rule = { .pos = node_pos(value),
				    .section = PK_SECTION_SYSCALLS,
				    .verdict = PK_VERDICT_DENY };
	int r;

	(void)unused;
	if (value->kind == NODE_LIST && value->count == 0)
		(void)node_error(value, front->diags, "'deny' is an empty list");
	r = front_each_text(front, value, "a system call", add_call, &rule);
	if (r == 0 && rule.pattern_count > 0) {
		r = FRONT_APPEND(&front->policy->rules, &front->policy->rule_count, &rule);
		if (r == 0)
			rule = (struct policy_rule){ 0 };
	}
	rule_reset(&rule);
	return r;
}

static const struct schema_key syscalls_keys[] = {
	{ .name = "deny",
	  .expected = "the name of a system call, a @group, or a list of them",
	  .read = read_deny,
	  .shapes = SHAPE_TEXT | SHAPE_LIST,
	  .flags = SCHEMA_REQUIRED },
};

const struct schema syscalls_schema = SCHEMA("the section syscalls", syscalls_keys);

int syscalls_read(struct front *front, const struct node *map, void *unused)
{
	struct policy_section *section = &front->policy->sections[PK_SECTION_SYSCALLS];

	if (!section->present)
		section->pos = node_pos(map);
	section->present = true;
	section->default_verdict = PK_VERDICT_ALLOW;
	return schema_read_map(front, &syscalls_schema, map, unused);
}
