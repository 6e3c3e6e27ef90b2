/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The form that the kernel has in an extended attribute (posix_acl_xattr.h), little endian. By the link in
 * /proc: a socket in the file system can only be opened as a path.
 */
#include "daemon/acl.h"

#include <endian.h>
#include <errno.h>
#include <linux/types.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>

struct acl_entry {
	__u16 tag;
	__u16 permissions;
	__u32 id;
};

struct acl {
	__u32 version;
	struct acl_entry entries[5];
};

int acl_share(int fd, uid_t uid, unsigned int permissions)
{
	const __u16 granted = htole16((__u16)permissions);
	const struct acl acl = {
		.version = htole32(2),
		.entries = {
			{ htole16(0x01), htole16(6), htole32(~0U) }, /* the file's owner */
			{ htole16(0x02), granted, htole32(uid) },
			{ htole16(0x04), 0, htole32(~0U) }, /* its group */
			{ htole16(0x10), granted, htole32(~0U) }, /* at most */
			{ htole16(0x20), 0, htole32(~0U) }, /* others */
		},
	};
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (chmod(path, 0600))
		return -errno;
	if (uid == 0)
		return 0;
	return setxattr(path, "system.posix_acl_access", &acl, sizeof(acl), 0) ? -errno : 0;
}
