/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of calls to numbers, for each table of calls, by libseccomp: the kernel program compares
 * numbers only.
 */
#include "engine/refused_calls.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <seccomp.h>
#include <string.h>

#include <picket.skel.h>

#include "base/mem.h"
#include "engine/loader.h"

void refused_calls_prepare(struct picket_bpf *skel, void *unused)
{
	(void)unused;
	(void)bpf_map__set_autocreate(skel->maps.pk_refused_map, true);
	(void)bpf_program__set_autoload(skel->progs.pk_sys_enter, true);
}

/* What libseccomp calls the tables of calls; 0 = the kernel has no such one. */
static const uint32_t *architectures(void)
{
	static const uint32_t x86[PK_CALLS__TABLES] = { SCMP_ARCH_X86_64, SCMP_ARCH_X32,
							SCMP_ARCH_X86 };
	static const uint32_t arm[PK_CALLS__TABLES] = { SCMP_ARCH_AARCH64, 0, SCMP_ARCH_ARM };

	return seccomp_arch_native() == SCMP_ARCH_AARCH64 ? arm : x86;
}

/* Note @rule for call @name. Returns -EINVAL when no table has the call. */
static int refuse_call(struct pk_refused *refused, const char *name, __u32 rule)
{
	const uint32_t *archs = architectures();
	int r = -EINVAL;

	for (int table = 0; table < PK_CALLS__TABLES; table++) {
		int number;

		if (!archs[table])
			continue;
		number = seccomp_syscall_resolve_name_arch(archs[table], name);
		if (number == __NR_SCMP_ERROR)
			continue;
		r = 0;
		/* Below zero: known, but not in this table. */
		number &= table == PK_CALLS_X32 && number > 0 ? ~0x40000000 : ~0;
		if (number < 0)
			continue;
		if (number >= PK_CALLS_MAX)
			return -ERANGE;
		refused->rule[table][number] = rule + 1;
	}
	return r;
}

static int refuse_all(struct pk_refused *refused, const struct policy_image *image,
		      struct diag_list *diags)
{
	const struct pk_image *head = image_head(image);
	__u32 rules = head->part[PK_PART_RULES].size / (__u32)sizeof(struct pk_rule);

	for (__u32 i = 0; i < rules; i++) {
		const struct pk_rule *rule = image_rule(image, i);
		int r;

		if (!rule || rule->section != PK_SECTION_SYSCALLS ||
		    rule->verdict != PK_VERDICT_DENY)
			continue;
		r = refuse_call(refused, image_string(image, rule->text), i);
		if (r) {
			(void)diag_add(diags, DIAG_ERROR, NULL,
				       "cannot refuse system call '%s': %s",
				       image_string(image, rule->text),
				       r == -EINVAL ? "no such call" : strerror(-r));
			return r;
		}
	}
	return 0;
}

int refused_calls_publish(struct loader *loader, __u32 slot, const struct policy_image *image,
			  struct diag_list *diags)
{
	CLEAN_FREE struct pk_refused *refused = calloc(1, sizeof(*refused));
	int fd = bpf_map__fd(loader->skel->maps.pk_refused_map);
	int r = refused ? refuse_all(refused, image, diags) : -ENOMEM;

	if (r)
		return r;
	if (bpf_map_update_elem(fd, &slot, refused, BPF_ANY)) {
		r = -errno;
		(void)diag_add(diags, DIAG_ERROR, NULL,
			       "cannot tell the kernel programs the refused system calls: %s",
			       strerror(-r));
	}
	return r;
}
