/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A dentry by its address: what walks need of it, read at once. A helper call for each field costs more
 * than all else that a step of a walk does.
 */
#ifndef PICKET_DENTRY_BPF_H
#define PICKET_DENTRY_BPF_H

#include "maps.bpf.h"

/** Copy the beginning of the dentry at @address into the work area; what cannot be read is zeros. */
static __always_inline void pk_dentry_read(struct pk_scratch *s, __u64 address)
{
	(void)bpf_probe_read_kernel(s->raw, sizeof(s->raw), (const void *)address);
}

/*
 * The field of the dentry at @address, out of the copy; where a kernel's options put it further back it is
 * read by itself. Offsets are known when programs are loaded: one of the two remains.
 */
#define PK_DENTRY_FIELD(s, address, type, field)                                                   \
	(bpf_core_field_offset(struct dentry, field) + sizeof(type) <= PK_DENTRY_BYTES ?           \
		 *(const type *)((const __u8 *)(s)->raw +                                          \
				 bpf_core_field_offset(struct dentry, field)) :                    \
		 (type)BPF_CORE_READ((const struct dentry *)(address), field))

#endif
