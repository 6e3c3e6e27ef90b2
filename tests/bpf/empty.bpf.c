/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What any program on these hooks costs at least: programs that do nothing, one on each hook that an act of
 * tests/bench/acts.c goes through and picket has a program on.
 */
#include "picket.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define EMPTY(hook)                                                                                \
	SEC("lsm/" #hook)                                                                          \
	int empty_##hook(void *ctx)                                                                \
	{                                                                                          \
		return 0;                                                                          \
	}

EMPTY(file_open)
EMPTY(path_mknod)
EMPTY(path_unlink)
EMPTY(path_rename)
EMPTY(mmap_file)
EMPTY(task_alloc)
EMPTY(bprm_check_security)
EMPTY(socket_sendmsg)
