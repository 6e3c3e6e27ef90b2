/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program is made by libseccomp before there is a child; what the child does is one system call.
 */
#include "engine/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

static void free_filter(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
	*filter = NULL;
}

/* A 64-bit kernel runs the programs of its 32-bit sisters too. */
static int add_architectures(scmp_filter_ctx filter)
{
	static const uint32_t sisters[][3] = {
		{ SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32 },
		{ SCMP_ARCH_AARCH64, SCMP_ARCH_ARM, 0 },
	};
	int r = 0;

	for (size_t i = 0; i < sizeof(sisters) / sizeof(sisters[0]); i++) {
		if (sisters[i][0] != seccomp_arch_native())
			continue;
		for (size_t j = 1; r == 0 && j < 3 && sisters[i][j]; j++)
			r = seccomp_arch_add(filter, sisters[i][j]);
	}
	return r == -EEXIST ? 0 : r;
}

static int add_call(scmp_filter_ctx filter, const char *name)
{
	int number = seccomp_syscall_resolve_name(name);
	int r;

	if (number == __NR_SCMP_ERROR)
		return -EINVAL;
	/* Where an architecture does not have the call there is nothing to refuse. */
	r = seccomp_rule_add(filter, SCMP_ACT_NOTIFY, number, 0);
	return r == -EEXIST ? 0 : r;
}

static bool is_refused(const struct pk_rule *rule)
{
	return rule && rule->section == PK_SECTION_SYSCALLS && rule->verdict == PK_VERDICT_DENY;
}

/* Returns the number of calls, or -errno. */
static int add_calls(scmp_filter_ctx filter, const struct policy_image *image,
		     struct diag_list *diags)
{
	const struct pk_image *head = image_head(image);
	__u32 rules = head->part[PK_PART_RULES].size / (__u32)sizeof(struct pk_rule);
	int calls = 0;

	for (__u32 i = 0; i < rules; i++) {
		const struct pk_rule *rule = image_rule(image, i);
		const char *name;
		int r;

		if (!is_refused(rule))
			continue;
		name = image_string(image, rule->text);
		r = add_call(filter, name);
		if (r) {
			(void)diag_add(diags, DIAG_ERROR, NULL,
				       "cannot refuse system call '%s': %s", name,
				       r == -EINVAL ? "no such call" : strerror(-r));
			return r;
		}
		calls++;
	}
	return calls;
}

static int export(scmp_filter_ctx filter, struct seccomp_filter *ret_filter)
{
	CLEAN_FD int fd = memfd_create("filter", MFD_CLOEXEC);
	CLEAN_FREE struct sock_filter *code = NULL;
	struct stat st;
	int r = fd < 0 ? -errno : seccomp_export_bpf(filter, fd);

	if (r)
		return r;
	if (fstat(fd, &st))
		return -errno;
	if ((size_t)st.st_size / sizeof(*code) > BPF_MAXINSNS)
		return -E2BIG;
	code = malloc((size_t)st.st_size);
	if (!code)
		return -ENOMEM;
	if (pread(fd, code, (size_t)st.st_size, 0) != st.st_size)
		return -EIO;
	ret_filter->count = (unsigned short)((size_t)st.st_size / sizeof(*code));
	ret_filter->code = TAKE_PTR(code);
	return 0;
}

int seccomp_filter_build(const struct policy_image *image, struct seccomp_filter *ret_filter,
			 struct diag_list *diags)
{
	CLEAN(free_filter) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int r = filter ? add_architectures(filter) : -ENOMEM;

	*ret_filter = (struct seccomp_filter){ 0 };
	/* A tree instead of a list: every call of the agent runs through it. */
	if (r == 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = add_calls(filter, image, diags);
	if (r > 0)
		r = export(filter, ret_filter);
	if (r && !diag_has_errors(diags))
		(void)diag_add(diags, DIAG_ERROR, NULL,
			       "cannot make a filter of the section 'syscalls': %s", strerror(-r));
	return r;
}

static int load(const struct sock_fprog *program)
{
	const unsigned int flags = SECCOMP_FILTER_FLAG_NEW_LISTENER |
				   SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);

	return fd < 0 ? -errno : (int)fd;
}

int seccomp_filter_load(const struct seccomp_filter *filter)
{
	const struct sock_fprog program = { .len = filter->count, .filter = filter->code };
	int r = load(&program);

	if (r != -EACCES)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return load(&program);
}

void seccomp_filter_reset(struct seccomp_filter *filter)
{
	mem_free_ptr(&filter->code);
	filter->count = 0;
}
