/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the hub share. Nobody else includes this but tests, which open a hub as another
 * build.
 */
#ifndef PICKET_ENGINE_HUB_PARTS_H
#define PICKET_ENGINE_HUB_PARTS_H

#include "engine/hub.h"

/** Who opens: programs of another name are another build's. */
struct hub_build {
	char name[HUB_BUILD_SIZE];
	loader_prepare_fn prepare; /* or NULL */
	void *argument; /* of prepare */
	bool calls; /* also the program at the entry of system calls */
	__u32 release; /* for the program that changes labels: slot to be freed; 0: labels are given */
	__u32 heir; /* and then: slot that gets those of tasks in its cgroup; 0: nobody does */
};

/** The build of the programs in this binary. Returns 0 or -EIO. */
int hub_build_own(struct hub_build *ret_build);

/** hub_open() as @build. */
int hub_open_as(const struct features *features, enum pk_tier limit, const struct hub_build *build,
		struct hub *ret_hub, struct diag_list *diags);

/* --- hub_pins.c: the folder of pins ---------------------------------------------------------- */

/** Names in the folder. */
#define HUB_FOLDER "daemon"
#define HUB_SET_PREFIX "links-"
#define HUB_AGENT_PREFIX "agent-"
/** In a folder of links, a folder that says how many there are; made last. */
#define HUB_ALL_PREFIX "all-"
#define HUB_LINK_PREFIX "link_"
#define HUB_MAP_PREFIX "map_"
/** The link that is made when it is first needed; not one of "all". */
#define HUB_CALLS_LINK "link_pk_sys_enter"

/** Sets of links that are found at most: the old ones, and the new ones of an upgrade cut short. */
#define HUB_SETS_MAX 8

/** A folder of links of one build. */
struct hub_set {
	char build[HUB_BUILD_SIZE];
	bool whole; /* it has all its links */
};

/** What is in the folder of pins. */
struct hub_survey {
	int abi; /* version of the marker; -1: none, a set-up cut short */
	bool empty;
	size_t count;
	struct hub_set sets[HUB_SETS_MAX];
};

/** Read the folder open as @pins. Returns 0; -EBADF with what is odd in *@ret_odd (may be cut); -errno. */
int hub_survey(int pins, struct hub_survey *ret_survey, char ret_odd[static 64]);

/** A path below the folder of pins: "PINS/FOLDER/PREFIXNAME", folder and prefix may be "". */
char *hub_path(const struct hub *hub, const char *folder, const char *prefix, const char *name);

/** The name of the folder of a build's links. */
void hub_set_name(const char *build, char ret_name[static 32]);

/** Is the folder open as @fd whole: its marker is there and says how many links there are? */
bool hub_set_is_whole(int fd);

/** Mark folder @name as whole, with the links that are in it. Returns 0 or -errno. */
int hub_set_mark(const struct hub *hub, const char *name);

/** Remove what is in folder @name of pins, in the order of hub_set_remove(). Returns 0 or -errno. */
int hub_set_empty(const struct hub *hub, const char *name);

/** Remove folder @name of pins: the marker first, so that it is never taken for whole. 0 or -errno. */
int hub_set_remove(const struct hub *hub, const char *name);

/** Remove everything in the folder of pins: what is attached ends. Returns 0 or -errno. */
int hub_pins_clear(const struct hub *hub);

/** Called with the name of each entry of a folder; nonzero stops and is returned. */
typedef int (*hub_entry_fn)(void *context, const char *name);

/** Call @fn for each entry of the folder @name below @parent (only names without a dot in front). */
int hub_each_entry(int parent, const char *name, hub_entry_fn fn, void *context);

/* --- hub_maps.c: maps that are shared -------------------------------------------------------- */

/** Load programs of @build (of all, @request->only) on the pinned maps; missing ones are made. */
int hub_load(struct hub *hub, const struct hub_build *build, const struct loader_request *request,
	     struct loader *ret_loader, struct diag_list *diags);

/** Are the pinned maps what our programs take them for? Returns 0 or -EBADF with an error. */
int hub_check_maps(const struct hub *hub, struct diag_list *diags);

/** The number that the variable @name of read-only data of @build's programs has. 0 or -errno. */
int hub_rodata(const struct hub *hub, const char *build, const char *name, __u64 *ret_value);

/** Our tgid as the kernel's programs see it, whatever our pid namespace. 0 or -errno. */
int hub_self(__u32 *ret_tgid);

/* --- hub_links.c: links that are pinned ------------------------------------------------------ */

struct bpf_link_info;

/** Open the link pinned as @folder/@name (caller closes). The descriptor, -EBADF: no link, -errno. */
int hub_link_open(const struct hub *hub, const char *folder, const char *name,
		  struct bpf_link_info *ret_info);

/** Called with each link of a folder; nonzero stops and is returned. */
typedef int (*hub_link_fn)(void *context, const char *name, int fd,
			   const struct bpf_link_info *info);

/** Call @fn for each link pinned in @folder; its descriptor is closed afterwards. */
int hub_each_link(const struct hub *hub, const char *folder, hub_link_fn fn, void *context);

/** A hub_link_fn: -EBUSY for a link on a cgroup that is there. */
int hub_link_is_used(void *context, const char *name, int fd, const struct bpf_link_info *info);

/** Check the links in folder @name: of our programs, and on @cgroup if they are on one. */
int hub_check_links(const struct hub *hub, const char *name, __u64 cgroup, struct diag_list *diags);

/* --- hub_upgrade.c --------------------------------------------------------------------------- */

/**
 * Put the programs of @build in the place of those that decide now (hub->build). Returns 0, or -errno
 * with an error: the old ones go on deciding then.
 */
int hub_upgrade(struct hub *hub, const struct hub_build *build, struct diag_list *diags);

/** The request for all that a hub's programs can do. */
struct loader_request hub_request(enum pk_tier tier);

/* --- hub_attach.c ---------------------------------------------------------------------------- */

/** Make the programs on the cgroups of attached agents the ones of hub->build. Returns 0 or -errno. */
int hub_attached_update(struct hub *hub);

/**
 * Give labels to the tasks of agents that have none, or take back those of slot @release, and wait for
 * it. Returns 0 or -errno with an error.
 */
int hub_relabel(struct hub *hub, __u32 release, struct diag_list *diags);

/** End an attached agent, whatever of it there is: its tasks are free. 0 or -errno with an error. */
int hub_attached_remove(struct hub *hub, const struct hub_agent *agent, struct diag_list *diags);

/** The calls that @image refuses are those of the attached agent. Returns 0 or -errno with an error. */
int hub_refuse_calls(struct hub *hub, __u32 slot, const struct policy_image *image,
		     struct diag_list *diags);

/* --- hub_agents.c ---------------------------------------------------------------------------- */

/** End what was half made or half removed when a process died; nothing of it was in use. */
int hub_agents_sweep(struct hub *hub, struct diag_list *diags);

/** Are all images in slots in use whole and what they say they are? 0 or -EBADF with an error. */
int hub_agents_check(struct hub *hub, struct diag_list *diags);

/** Is what @image asks for possible in the hub's tier? Returns 0 or -ENOTSUP with an error. */
int hub_check_tier(const struct hub *hub, const struct policy_image *image,
		   struct diag_list *diags);

/** A new agent in the maps, of the cgroup open as @cgroup_fd. Returns 0 or -errno with an error. */
int hub_agent_publish(struct hub *hub, __u32 slot, int cgroup_fd, const struct policy_image *image,
		      struct diag_list *diags);

/** Take the agent out of the maps and clear its slot. Returns 0 or -errno. */
int hub_agent_withdraw(struct hub *hub, const struct hub_agent *agent);

/** Find a free slot. Returns 0, -ENOSPC with an error, or another -errno with an error. */
int hub_slot_find(struct hub *hub, __u32 *ret_slot, struct diag_list *diags);

/** The name of an agent's cgroup and folder of pins. */
void hub_agent_name(__u32 slot, char ret_name[static 32]);

/** Clear what programs and users left in @slot. Returns 0 or -errno. */
int hub_slot_clear(struct hub *hub, __u32 slot);

/** Add an error: what is there is not what we make; how to remove it. Returns -EBADF. */
int hub_damaged(const struct hub *hub, struct diag_list *diags, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
