/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes in the folders of policies. An editor makes several of one: they are taken after a moment of
 * quiet, but not put off for ever.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/reload_parts.h"

#define CHANGES                                                                                    \
	(IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |        \
	 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

static void quiet_ready(void *context, __u32 events)
{
	struct daemon *daemon = context;

	(void)events;
	loop_take_timer(&daemon->reload.quiet);
	daemon->reload.first = (struct timespec){ 0 };
	reload_watch(daemon);
	reload_quietly(daemon, "files changed");
}

static void changes_ready(void *context, __u32 events)
{
	struct daemon *daemon = context;
	struct reload *reload = &daemon->reload;
	char bytes[4096];

	/* Which file it was does not matter: all policies are looked at. */
	(void)events;
	while (read(reload->changes.fd, bytes, sizeof(bytes)) > 0)
		;
	if (!reload->first.tv_sec)
		(void)clock_gettime(CLOCK_MONOTONIC, &reload->first);
	else if (reload_ms_since(&reload->first) > RELOAD_PATIENCE_MS)
		return;
	loop_set_timer(&reload->quiet, RELOAD_QUIET_MS, 0);
}

void reload_watch(struct daemon *daemon)
{
	const char *const folders[] = {
		daemon->options.config,
		daemon->policies.folder,
		daemon->policies.managed,
	};

	/* One that is missing is seen to appear in the first. */
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		(void)inotify_add_watch(daemon->reload.changes.fd, folders[i], CHANGES);
}

int reload_open_watch(struct daemon *daemon)
{
	struct reload *reload = &daemon->reload;
	int r;

	reload->changes.ready = changes_ready;
	reload->changes.context = daemon;
	reload->quiet.ready = quiet_ready;
	reload->quiet.context = daemon;
	reload->changes.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	r = reload->changes.fd < 0 ? -errno : loop_add(daemon->epoll, &reload->changes, EPOLLIN);
	if (r == 0)
		r = loop_add_timer(daemon->epoll, &reload->quiet);
	return r;
}
