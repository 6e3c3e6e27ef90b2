/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which cgroup a TCP socket of this network namespace was made in, by sock_diag(7): it stays the socket's
 * whoever has it by now.
 */
#ifndef PICKET_ENGINE_SOCKET_CGROUP_H
#define PICKET_ENGINE_SOCKET_CGROUP_H

#include <linux/types.h>

/**
 * The cgroup of the other end of the connection @fd, when that end is on this host. Returns 0; -ENOENT:
 * no such socket here; -EAFNOSUPPORT: no internet connection; -ENODATA: the kernel does not tell; or
 * another -errno.
 */
int socket_cgroup_of_peer(int fd, __u64 *ret_cgroup);

#endif
