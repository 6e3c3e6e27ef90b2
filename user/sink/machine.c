/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a file does not tell is left out, and no reason to send nothing.
 */
#include "sink/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* The first word of a file; "" when there is none. */
static void read_word(const char *path, char word[64])
{
	CLEAN_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, word, 63);

	word[length > 0 ? length : 0] = '\0';
	word[strcspn(word, " \t\r\n")] = '\0';
}

int machine_read(struct machine *ret)
{
	if (uname(&ret->names))
		return -errno;
	read_word("/etc/machine-id", ret->machine_id);
	read_word("/proc/sys/kernel/random/boot_id", ret->boot_id);
	ret->machine = (struct format_machine){
		.hostname = ret->names.nodename,
		.machine_id = *ret->machine_id ? ret->machine_id : NULL,
		.boot_id = *ret->boot_id ? ret->boot_id : NULL,
		.version = PICKET_VERSION,
		.kernel = ret->names.release,
	};
	return 0;
}
