/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of the daemon that one user more may use: by a POSIX ACL, because the daemon cannot give files away.
 */
#ifndef PICKET_DAEMON_ACL_H
#define PICKET_DAEMON_ACL_H

#include <sys/types.h>

/** What may be granted. */
#define ACL_READ 4U
#define ACL_WRITE 2U

/**
 * Root may do all with the file open as @fd (O_PATH will do), @uid what @permissions say, nobody else
 * anything. Returns 0 or -errno.
 */
int acl_share(int fd, uid_t uid, unsigned int permissions);

#endif
