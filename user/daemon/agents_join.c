/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process goes into an agent: checked before, because it must be the caller's and nobody's agent yet;
 * and once more afterwards, because its number could have become another's in between.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/mem.h"
#include "daemon/agents.h"
#include "daemon/nested.h"
#include "daemon/proc.h"
#include "engine/seccomp.h"

static int refuse(struct diag_list *diags, int error, const char *why)
{
	(void)diag_add(diags, DIAG_ERROR, NULL, "cannot confine the process: %s", why);
	return error;
}

static int check_listener(int listener, struct diag_list *diags)
{
	char link[64];
	char target[64];
	ssize_t length;

	if (listener < 0)
		return refuse(diags, -EINVAL,
			      "the policy refuses system calls, and no listener "
			      "of a filter came");
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", listener);
	length = readlink(link, target, sizeof(target) - 1);
	target[length < 0 ? 0 : length] = '\0';
	if (strcmp(target, "anon_inode:seccomp notify") != 0)
		return refuse(diags, -EINVAL, "the second descriptor is no listener of a filter");
	return 0;
}

/* Does the image refuse system calls, and nobody has seen to it yet? */
static int needs_filter(const struct daemon *daemon, const struct agent_entry *entry,
			struct diag_list *diags)
{
	CLEAN(seccomp_filter_reset) struct seccomp_filter filter = { 0 };
	int r = entry->image.bytes ? nested_filter(daemon, &entry->record, &entry->image, diags) :
				     -EBADF;

	/* The one that it has from the agent around. */
	if (r)
		return r < 0 ? r : 0;
	r = seccomp_filter_build(&entry->image, &filter, diags);
	return r < 0 ? r : filter.count > 0;
}

/* Nobody's yet; or, for an agent inside of another, that one's own. */
static bool is_free(const struct daemon *daemon, const struct agent_entry *entry, pid_t pid)
{
	const struct agent_entry *now = nested_agent_of(daemon, pid);

	if (!entry->record.around)
		return !daemon_confines(daemon, pid);
	return now && &now->record == entry->record.around;
}

static int check_process(const struct daemon *daemon, const struct agent_entry *entry, pid_t pid,
			 const struct agent_guest *guest, struct diag_list *diags)
{
	struct proc_facts facts;
	int r = proc_read(pid, &facts);

	if (r)
		return refuse(diags, r, "it has ended");
	if (guest->uid != 0 && !proc_is_of(&facts, guest->uid))
		return refuse(diags, -EPERM, "it is another user's");
	if (!is_free(daemon, entry, pid))
		return refuse(diags, -EPERM,
			      entry->record.around ? "it is not one of the agent around" :
						     "it is confined already");
	if (guest->filter && !facts.filtered)
		return refuse(diags, -EINVAL, "it has not got the filter of system calls");
	if (!proc_is_alive(guest->pidfd))
		return refuse(diags, -ESRCH, "it has ended");
	return 0;
}

static int watch_listener(struct daemon *daemon, struct agent_entry *entry, int *listener)
{
	int r;

	entry->listener.fd = TAKE_FD(*listener);
	r = loop_add(daemon->epoll, &entry->listener, EPOLLIN);
	if (r)
		*listener = TAKE_FD(entry->listener.fd);
	return r;
}

static int check(const struct daemon *daemon, const struct agent_entry *entry, pid_t pid,
		 struct agent_guest *guest, struct diag_list *diags)
{
	int filter;
	int r = 0;

	if (entry->record.joined || entry->end.begun || entry->record.kind != AGENT_RUN)
		return refuse(diags, -EALREADY, "the agent has its process already, or is ending");
	if (pid < 0)
		return refuse(diags, pid, "the first descriptor is no pidfd of a living process");
	filter = needs_filter(daemon, entry, diags);
	if (filter < 0)
		return filter;
	if (filter)
		r = check_listener(guest->listener, diags);
	guest->filter = filter;
	return r ? r : check_process(daemon, entry, pid, guest, diags);
}

int agents_join(struct daemon *daemon, struct agent_entry *entry, struct agent_guest *guest,
		struct diag_list *diags)
{
	pid_t pid = proc_of_pidfd(guest->pidfd);
	int r = check(daemon, entry, pid, guest, diags);

	if (r)
		return r;
	/* What its first program is given is its launcher's word. */
	process_table_root(daemon->lives.table, entry->record.slot, (__u32)pid);
	r = hub_agent_join(&daemon->hub, &entry->hub, pid);
	if (r)
		return refuse(diags, r, strerror(-r));
	entry->record.joined = true;
	/* It still carries the label of the agent around, which judges it until this is done. */
	if (entry->record.around)
		r = hub_agent_take(&daemon->hub, &entry->hub, entry->record.around->slot, diags);
	if (r)
		return r;
	if (!proc_is_alive(guest->pidfd))
		return refuse(diags, -ESRCH, "it has ended");
	if (guest->listener >= 0)
		r = watch_listener(daemon, entry, &guest->listener);
	if (r)
		return refuse(diags, r, strerror(-r));
	daemon_save(daemon);
	return 0;
}
