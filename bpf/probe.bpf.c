/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The calibration object: the smallest program of each kind that picket needs, each loaded alone by
 * user/engine/features.c, so that a refusal says exactly what this kernel refuses. The programs let
 * everything pass; the two that are attached count how often they ran, because a kernel may accept
 * and attach an lsm program that it never calls.
 *
 *   lsm/file_open, fmod_ret/security_file_open   count calls
 *   cgroup/connect4, cgroup/sock_create          loaded only
 *   cgroup_skb/egress                            loaded only
 *   tp_btf/cgroup_attach_task                    loaded only
 */
#include "picket.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/** Calls of the attached program. */
__u64 pk_probe_calls = 0;

SEC("?lsm/file_open")
int pk_probe_lsm(void *ctx)
{
	__sync_fetch_and_add(&pk_probe_calls, 1);
	return 0;
}

SEC("?fmod_ret/security_file_open")
int pk_probe_modret(void *ctx)
{
	__sync_fetch_and_add(&pk_probe_calls, 1);
	return 0;
}

SEC("?cgroup/connect4")
int pk_probe_addr(struct bpf_sock_addr *ctx)
{
	return 1;
}

SEC("?cgroup/sock_create")
int pk_probe_sock(struct bpf_sock *ctx)
{
	return 1;
}

SEC("?cgroup_skb/egress")
int pk_probe_skb(struct __sk_buff *ctx)
{
	return 1;
}

SEC("?tp_btf/cgroup_attach_task")
int pk_probe_tp(void *ctx)
{
	return 0;
}
