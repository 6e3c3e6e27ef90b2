/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths are looked up below the root of the tree, without links. A process stands for its cgroup, if
 * that is its own: it and its descendants only.
 */
#include "daemon/target.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

#include "base/mem.h"
#include "daemon/proc.h"
#include "daemon/target_container.h"
#include "engine/cgroup.h"

/* The manager answers at once or not at all; everybody waits meanwhile. */
#define BUS_PATIENCE_USEC 2000000

#define MANAGER "org.freedesktop.systemd1"
/* Where systemd itself listens for root: there is not a message bus everywhere, nor at all times. */
#define MANAGER_ADDRESS "unix:path=/run/systemd/private"

static void free_bus(sd_bus **bus)
{
	sd_bus_flush_close_unref(*bus);
}

static void free_message(sd_bus_message **message)
{
	sd_bus_message_unref(*message);
}

/* The interface of a kind of unit that has a cgroup, by the end of its name. */
static const char *unit_interface(const char *unit)
{
	static const char *const kinds[][2] = {
		{ ".service", MANAGER ".Service" }, { ".scope", MANAGER ".Scope" },
		{ ".slice", MANAGER ".Slice" },	    { ".socket", MANAGER ".Socket" },
		{ ".mount", MANAGER ".Mount" },	    { ".swap", MANAGER ".Swap" },
	};
	const char *end = strrchr(unit, '.');

	for (size_t i = 0; end && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(end, kinds[i][0]) == 0)
			return kinds[i][1];
	}
	return NULL;
}

static int open_manager(sd_bus **ret_bus)
{
	CLEAN(free_bus) sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_address(bus, MANAGER_ADDRESS);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0)
		return r;
	*ret_bus = TAKE_PTR(bus);
	return 0;
}

static int ask_manager(const char *unit, const char *interface, char **ret_path)
{
	CLEAN(free_bus) sd_bus *bus = NULL;
	CLEAN(free_message) sd_bus_message *reply = NULL;
	const char *object = NULL;
	int r = open_manager(&bus);

	if (r >= 0)
		r = sd_bus_set_method_call_timeout(bus, BUS_PATIENCE_USEC);
	if (r >= 0)
		r = sd_bus_call_method(bus, MANAGER, "/org/freedesktop/systemd1",
				       MANAGER ".Manager", "GetUnit", NULL, &reply, "s", unit);
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &object);
	if (r >= 0)
		r = sd_bus_get_property_string(bus, MANAGER, object, interface, "ControlGroup",
					       NULL, ret_path);
	return r < 0 ? r : 0;
}

static int find_unit(const char *unit, char **ret_path, struct diag_list *diags)
{
	const char *interface = unit_interface(unit);
	bool booted = sd_booted() > 0;
	int r = !interface ? -EINVAL : booted ? ask_manager(unit, interface, ret_path) : -ENODEV;

	if (!interface)
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "'%s' is not the full name of a unit that has processes", unit),
			  "write it as 'nginx.service'");
	else if (!booted)
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "cannot find the unit '%s': systemd does not run here", unit),
			  "name the cgroup: --cgroup PATH");
	else if (r == -ENOENT)
		diag_hint(diag_add(diags, DIAG_ERROR, NULL, "there is no unit '%s', or not loaded",
				   unit),
			  "see: systemctl list-units");
	else if (r)
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot find the unit '%s': %s", unit,
			       strerror(-r));
	else if (!**ret_path)
		(void)diag_add(diags, DIAG_ERROR, NULL, "the unit '%s' does not run", unit);
	else
		return 0;
	return r ? r : -ENOENT;
}

/* Below the root of the tree, with or without the mount point in front. */
static const char *strip_mount(const struct daemon *daemon, const char *path)
{
	size_t length = strlen(daemon->features.cgroup_root);

	if (strncmp(path, daemon->features.cgroup_root, length) == 0 &&
	    (path[length] == '/' || !path[length]))
		path += length;
	return path;
}

static int open_path(const struct daemon *daemon, const char *path, struct target *target,
		     struct diag_list *diags)
{
	const struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	CLEAN_FD int root = open(daemon->features.cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *below = strip_mount(daemon, path);
	int r = root < 0 ? -errno : 0;

	below += strspn(below, "/");
	target->path = strdup(below);
	if (!target->path)
		return -ENOMEM;
	if (r == 0 && !*below) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "the whole machine cannot become an agent");
		return -EPERM;
	}
	if (r == 0) {
		target->fd = (int)syscall(SYS_openat2, root, below, &how, sizeof(how));
		r = target->fd < 0 ? -errno : 0;
	}
	if (r)
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot open the cgroup '%s': %s", path,
			       strerror(-r));
	return r;
}

static int find_container(const struct daemon *daemon, const char *container, char **ret_path,
			  struct diag_list *diags)
{
	CLEAN_FD int root = open(daemon->features.cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return root < 0 ? -errno : container_find(root, container, ret_path, diags);
}

static int find_path(const struct daemon *daemon, const struct target_wish *wish, char **ret_path,
		     struct diag_list *diags)
{
	int r;

	if (wish->unit)
		return find_unit(wish->unit, ret_path, diags);
	if (wish->container)
		return find_container(daemon, wish->container, ret_path, diags);
	if (wish->cgroup) {
		*ret_path = strdup(wish->cgroup);
		return *ret_path ? 0 : -ENOMEM;
	}
	r = proc_cgroup(wish->pid, ret_path);
	if (r)
		(void)diag_add(diags, DIAG_ERROR, NULL, "there is no process %d", (int)wish->pid);
	return r;
}

static bool is_cgroup(void *context, __u64 cgroup)
{
	return *(const __u64 *)context == cgroup;
}

/* Are the daemon and the caller outside of it, and a process the only owner? */
static int check(const struct daemon *daemon, const struct target_wish *wish,
		 const struct target *target, struct diag_list *diags)
{
	const pid_t outside[] = { getpid(), wish->caller };
	__u64 id;
	int r = cgroup_id(target->fd, &id);

	for (size_t i = 0; r == 0 && i < sizeof(outside) / sizeof(outside[0]); i++) {
		if (proc_in_cgroup(daemon->features.cgroup_root, outside[i], is_cgroup, &id)) {
			diag_hint(diag_add(diags, DIAG_ERROR, NULL, "%s would confine itself",
					   i ? "who attaches" : "picketd"),
				  "choose a cgroup that process %d is not in", (int)outside[i]);
			return -EPERM;
		}
	}
	if (r == 0 && wish->pid && !proc_owns_cgroup(target->fd, wish->pid)) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "the cgroup of process %d has others in it", (int)wish->pid),
			  "attach the cgroup '%s' if all of them are meant", target->path);
		return -EPERM;
	}
	return r;
}

int target_open(const struct daemon *daemon, const struct target_wish *wish,
		struct target *ret_target, struct diag_list *diags)
{
	CLEAN(target_reset) struct target target = TARGET_NONE;
	CLEAN_FREE char *path = NULL;
	int r = find_path(daemon, wish, &path, diags);

	if (r == 0)
		r = open_path(daemon, path, &target, diags);
	if (r == 0)
		r = check(daemon, wish, &target, diags);
	if (r)
		return r;
	*ret_target = target;
	target = (struct target)TARGET_NONE;
	return 0;
}

void target_reset(struct target *target)
{
	mem_close_fd(&target->fd);
	mem_free_ptr(&target->path);
}
