/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking over or setting up. A set-up is a hub only when the marker with the version is there, which
 * is made last: what is found without it was cut short, and nobody ever relied on it.
 */
#include "engine/hub.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include <picket.skel.h>

#include "base/mem.h"
#include "engine/canary.h"
#include "engine/cgroup.h"
#include "engine/hub_parts.h"
#include "engine/scratch.h"
#include "engine/stale.h"
#include "telemetry/names.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define DEATH_MS 5000
/* Children of a killed process end a moment after it; they hold the lock until then. */
#define LOCK_STEP_MS 20
#define LOCK_TRIES 100

static int fail(struct diag_list *diags, int error, const char *what, const char *path)
{
	diag_hint(diag_add(diags, DIAG_ERROR, NULL, "cannot %s '%s': %s", what, path,
			   strerror(-error)),
		  "check that the file system is mounted writable");
	return error;
}

struct loader_request hub_request(enum pk_tier tier)
{
	return (struct loader_request){
		.tier = tier,
		.packets_out = true,
		.packets_in = true,
		.names = true,
	};
}

/* Open folder `daemon` below @parent, making it if needed. The descriptor or -errno. */
static int open_folder(int parent, mode_t mode)
{
	int fd;

	if (mkdirat(parent, HUB_FOLDER, mode) && errno != EEXIST)
		return -errno;
	fd = openat(parent, HUB_FOLDER, OPEN_DIR);
	return fd < 0 ? -errno : fd;
}

static int take_lock(struct hub *hub, struct diag_list *diags)
{
	static const struct timespec pause = { .tv_nsec = LOCK_STEP_MS * 1000000L };

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(hub->pins, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK)
			return fail(diags, -errno, "lock", hub->pin_path);
		(void)nanosleep(&pause, NULL);
	}
	diag_hint(diag_add(diags, DIAG_ERROR, NULL, "another picket daemon is running"),
		  "one is enough for a host; stop it first: systemctl stop picket");
	return -EBUSY;
}

static int open_folders(struct hub *hub, struct diag_list *diags)
{
	struct place_lock lock = PLACE_LOCK_NONE;
	int r;

	if (asprintf(&hub->pin_path, "%s/picket/" HUB_FOLDER, hub->roots.bpffs) < 0)
		hub->pin_path = NULL;
	if (asprintf(&hub->cgroup_path, "%s/picket/" HUB_FOLDER, hub->roots.cgroup) < 0)
		hub->cgroup_path = NULL;
	if (!hub->pin_path || !hub->cgroup_path)
		return -ENOMEM;
	/* Who clears away empty directories waits meanwhile. */
	r = place_lock(&hub->roots, &lock, diags);
	if (r)
		return r;
	hub->pins = open_folder(lock.pins, 0700);
	if (hub->pins < 0)
		r = fail(diags, hub->pins, "open the folder of pins", hub->pin_path);
	hub->cgroups = r ? -1 : open_folder(lock.cgroups, 0755);
	if (r == 0 && hub->cgroups < 0)
		r = fail(diags, hub->cgroups, "open the cgroup", hub->cgroup_path);
	place_unlock(&hub->roots, &lock);
	return r ? r : take_lock(hub, diags);
}

/* Remove the two folders, which are empty or not ours to remove. */
static void remove_folders(const struct hub *hub)
{
	struct diag_list ignored = { 0 };
	struct place_lock lock = PLACE_LOCK_NONE;

	if (place_lock(&hub->roots, &lock, &ignored) == 0) {
		(void)unlinkat(lock.pins, HUB_FOLDER, AT_REMOVEDIR);
		(void)unlinkat(lock.cgroups, HUB_FOLDER, AT_REMOVEDIR);
	}
	place_unlock(&hub->roots, &lock);
	diag_list_reset(&ignored);
}

static int supervise(struct hub *hub, struct diag_list *diags)
{
	__u32 self = 0;
	int r = hub_self(&self);

	if (r == 0)
		__atomic_store_n(&hub->loader.skel->bss->pk_supervisor, self, __ATOMIC_SEQ_CST);
	else
		(void)diag_add(diags, DIAG_ERROR, NULL,
			       "cannot tell the kernel programs who supervises: %s", strerror(-r));
	return r ? r : hub_protect(hub, NULL, 0, diags);
}

/* Kill what runs in a cgroup of which no engine knows, and remove it. */
static int clear_cgroup(void *context, const char *name)
{
	const struct hub *hub = context;
	CLEAN_FD int fd = openat(hub->cgroups, name, OPEN_DIR);
	int r;

	if (fd < 0)
		return errno == ENOTDIR ? 0 : -errno;
	r = cgroup_kill(fd);
	if (r == 0)
		r = cgroup_wait_empty(fd, DEATH_MS);
	return r ? r : cgroup_remove_tree(hub->cgroups, name);
}

static int clear_all(struct hub *hub, struct diag_list *diags)
{
	int r = hub_each_entry(hub->cgroups, ".", clear_cgroup, hub);

	if (r)
		return fail(diags, r, "clear away the cgroups in", hub->cgroup_path);
	r = hub_pins_clear(hub);
	return r ? fail(diags, r, "clear away", hub->pin_path) : 0;
}

static int attach_all(struct hub *hub, const struct hub_build *build, struct diag_list *diags)
{
	struct loader_request request = hub_request(hub->tier);
	CLEAN_FREE char *path = NULL;
	char set[32];
	int r;

	hub_set_name(build->name, set);
	path = hub_path(hub, set, "", "");
	if (!path)
		return -ENOMEM;
	path[strlen(path) - 1] = '\0';
	if (mkdirat(hub->pins, set, 0700))
		return fail(diags, -errno, "make", path);
	r = hub_load(hub, build, &request, &hub->loader, diags);
	if (r == 0)
		r = supervise(hub, diags);
	if (r == 0)
		r = loader_attach(&hub->loader, hub->cgroups, diags);
	if (r == 0)
		r = loader_pin_links(&hub->loader, path, diags);
	if (r)
		return r;
	r = hub_set_mark(hub, set);
	return r ? fail(diags, r, "mark", path) : 0;
}

static int set_up(struct hub *hub, const struct hub_build *build, struct diag_list *diags)
{
	char marker[32];
	int r = clear_all(hub, diags);

	if (r)
		return r;
	r = attach_all(hub, build, diags);
	if (r == 0)
		r = hub_prove(hub, diags);
	(void)snprintf(marker, sizeof(marker), "abi-%d", PK_ABI_VERSION);
	if (r == 0 && mkdirat(hub->pins, marker, 0700))
		r = fail(diags, -errno, "mark", hub->pin_path);
	if (r) {
		(void)hub_pins_clear(hub);
		remove_folders(hub);
		return r;
	}
	memcpy(hub->build, build->name, sizeof(hub->build));
	hub->origin = HUB_NEW;
	return 0;
}

/*
 * Whose links decide: of a whole set. There are two after an upgrade that was cut short; when ours is
 * one of them we cannot tell how far it came, and do it again.
 */
static const struct hub_set *choose_set(const struct hub_survey *survey,
					const struct hub_build *build)
{
	const struct hub_set *own = NULL;

	for (size_t i = 0; i < survey->count; i++) {
		if (!survey->sets[i].whole)
			continue;
		if (strcmp(survey->sets[i].build, build->name) != 0)
			return &survey->sets[i];
		own = &survey->sets[i];
	}
	return own;
}

static int choose_tier(struct hub *hub, int found, struct diag_list *diags)
{
	__u64 tier = 0;
	int r = hub_rodata(hub, hub->build, "pk_tier", &tier);

	if (r || tier >= PK_TIER__MAX)
		return hub_damaged(hub, diags, "its read-only data cannot be read");
	hub->tier = (enum pk_tier)tier;
	if (hub->tier <= (enum pk_tier)found)
		return 0;
	diag_hint(diag_add(diags, DIAG_ERROR, NULL,
			   "there are programs of tier '%s', and only tier '%s' is possible now",
			   names_tier(hub->tier), names_tier((enum pk_tier)found)),
		  "allow the stronger tier, or stop all agents and remove what is there with "
		  "'picket daemon --remove'");
	return -ENOTSUP;
}

/* All sets of links but that of hub->build: nothing relies on them. */
static int remove_other_sets(struct hub *hub, const struct hub_survey *survey)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < survey->count; i++) {
		char set[32];

		if (strcmp(survey->sets[i].build, hub->build) == 0)
			continue;
		hub_set_name(survey->sets[i].build, set);
		r = hub_set_remove(hub, set);
	}
	return r;
}

static int check_all(struct hub *hub, struct diag_list *diags)
{
	__u64 cgroup = 0;
	char set[32];
	int r = hub_check_maps(hub, diags);

	if (r)
		return r;
	hub_set_name(hub->build, set);
	r = cgroup_id(hub->cgroups, &cgroup);
	return r ? r : hub_check_links(hub, set, cgroup, diags);
}

static int take_over(struct hub *hub, const struct hub_build *build,
		     const struct hub_survey *survey, int tier, struct diag_list *diags)
{
	const struct hub_set *set = choose_set(survey, build);
	struct loader_request request;
	int r;

	if (!set)
		return hub_damaged(hub, diags, "no whole set of links");
	memcpy(hub->build, set->build, sizeof(hub->build));
	r = choose_tier(hub, tier, diags);
	if (r == 0)
		r = check_all(hub, diags);
	if (r)
		return r;
	request = hub_request(hub->tier);
	request.only = "";
	r = hub_load(hub, build, &request, &hub->loader, diags);
	if (r == 0)
		r = supervise(hub, diags);
	if (r == 0)
		r = hub_agents_check(hub, diags);
	if (r == 0)
		r = hub_agents_sweep(hub, diags);
	if (r)
		return r;
	r = remove_other_sets(hub, survey);
	if (r)
		return fail(diags, r, "clear away old links in", hub->pin_path);
	hub->origin = HUB_ADOPTED;
	if (strcmp(hub->build, build->name) != 0)
		r = hub_upgrade(hub, build, diags);
	return r ? r : hub_prove(hub, diags);
}

static int refuse_abi(const struct hub *hub, int abi, struct diag_list *diags)
{
	diag_hint(
		diag_add(diags, DIAG_ERROR, NULL,
			 "'%s' is of version %d, this picket is of version %d", hub->pin_path, abi,
			 PK_ABI_VERSION),
		"its agents stay confined; stop them, then remove it with 'picket daemon --remove'");
	return -EPROTONOSUPPORT;
}

/* What an upgrade that was killed left of its trial; runs that were killed as well. */
static int clear_trials(const struct hub *hub, struct diag_list *diags)
{
	struct place_lock lock = PLACE_LOCK_NONE;
	int r = place_lock(&hub->roots, &lock, diags);

	if (r == 0)
		r = stale_clean(&hub->roots, &lock, diags);
	place_unlock(&hub->roots, &lock);
	return r;
}

static int open_hub(struct hub *hub, const struct hub_build *build, int tier,
		    struct diag_list *diags)
{
	struct hub_survey survey;
	char odd[64] = "";
	int r = open_folders(hub, diags);

	if (r)
		return r;
	r = hub_survey(hub->pins, &survey, odd);
	if (survey.abi >= 0 && survey.abi != PK_ABI_VERSION)
		return refuse_abi(hub, survey.abi, diags);
	if (r == -EBADF)
		return hub_damaged(hub, diags, "'%s'", odd);
	if (r)
		return fail(diags, r, "read", hub->pin_path);
	/* They are nobody's: that they cannot be cleared away is told, and no more. */
	(void)clear_trials(hub, diags);
	hub->tier = (enum pk_tier)tier;
	if (survey.abi < 0)
		return set_up(hub, build, diags);
	return take_over(hub, build, &survey, tier, diags);
}

int hub_open_as(const struct features *features, enum pk_tier limit, const struct hub_build *build,
		struct hub *ret_hub, struct diag_list *diags)
{
	struct hub hub = HUB_NONE;
	int tier = features_find_tier(features, limit);
	int r;

	if (tier < 0)
		return features_explain(features, PK_TIER_NETWORK, NULL, diags);
	hub.roots = (struct place_roots){
		.cgroup = features->cgroup_root,
		.bpffs = features->bpffs,
	};
	r = open_hub(&hub, build, tier, diags);
	if (r) {
		hub_close(&hub);
		return r;
	}
	*ret_hub = hub;
	return 0;
}

int hub_open(const struct features *features, enum pk_tier limit, struct hub *ret_hub,
	     struct diag_list *diags)
{
	struct hub_build build;
	int r = hub_build_own(&build);

	if (r) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot tell this build from others");
		return r;
	}
	return hub_open_as(features, limit, &build, ret_hub, diags);
}

void hub_close(struct hub *hub)
{
	loader_close(&hub->loader);
	mem_close_fd(&hub->pins);
	mem_close_fd(&hub->cgroups);
	mem_free_ptr(&hub->pin_path);
	mem_free_ptr(&hub->cgroup_path);
	*hub = (struct hub)HUB_NONE;
}

static int refuse_any(void *context, const struct hub_agent *agent)
{
	(void)context;
	(void)agent;
	return -EBUSY;
}

int hub_destroy(struct hub *hub, struct diag_list *diags)
{
	int r = hub_agents(hub, refuse_any, NULL);

	if (r == -EBUSY) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL, "there are agents"), "stop them first");
		return r;
	}
	if (r == 0)
		r = hub_pins_clear(hub);
	if (r)
		return fail(diags, r, "remove", hub->pin_path);
	r = hub_each_entry(hub->cgroups, ".", clear_cgroup, hub);
	if (r)
		return fail(diags, r, "remove", hub->cgroup_path);
	remove_folders(hub);
	hub_close(hub);
	return 0;
}

/* Are there processes in the cgroup of ours? */
static int refuse_populated(void *context, const char *name)
{
	const struct hub *hub = context;
	CLEAN_FD int fd = openat(hub->cgroups, name, OPEN_DIR);

	return fd >= 0 && cgroup_wait_empty(fd, 0) == -ETIMEDOUT ? -EBUSY : 0;
}

/* Is it the folder of an agent whose cgroup is there? */
static int refuse_attached(void *context, const char *name)
{
	const struct hub *hub = context;

	if (strncmp(name, HUB_AGENT_PREFIX, strlen(HUB_AGENT_PREFIX)) != 0)
		return 0;
	return hub_each_link(hub, name, hub_link_is_used, NULL);
}

static int wipe(struct hub *hub, struct diag_list *diags)
{
	int r = open_folders(hub, diags);

	if (r)
		return r;
	r = hub_each_entry(hub->cgroups, ".", refuse_populated, hub);
	if (r == -EBUSY)
		diag_hint(diag_add(diags, DIAG_ERROR, NULL, "agents are running in '%s'",
				   hub->cgroup_path),
			  "end them: for k in %s/*/cgroup.kill; do echo 1 > $k; done",
			  hub->cgroup_path);
	if (r == 0) {
		r = hub_each_entry(hub->pins, ".", refuse_attached, hub);
		if (r == -EBUSY)
			diag_hint(diag_add(diags, DIAG_ERROR, NULL, "cgroups are attached in '%s'",
					   hub->pin_path),
				  "stop the services that run in them, or let them go free: rm -r "
				  "%s/agent-*",
				  hub->pin_path);
	}
	if (r)
		return r;
	r = clear_all(hub, diags);
	if (r == 0)
		remove_folders(hub);
	return r;
}

int hub_wipe(const struct features *features, struct diag_list *diags)
{
	struct hub hub = HUB_NONE;
	int r;

	if (!features->cgroup_root || !features->bpffs)
		return features_explain(features, PK_TIER_NETWORK, NULL, diags);
	hub.roots = (struct place_roots){
		.cgroup = features->cgroup_root,
		.bpffs = features->bpffs,
	};
	r = wipe(&hub, diags);
	hub_close(&hub);
	return r;
}

/* What a proof that was cut short left: nothing of it is anybody's. */
static int clear_proof(struct hub *hub)
{
	struct hub_agent agent = { .slot = HUB_CANARY_SLOT };
	CLEAN_FD int fd = openat(hub->cgroups, "canary", OPEN_DIR);
	int r = 0;

	scratch_clean_owner(HUB_FOLDER);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = cgroup_id(fd, &agent.cgroup);
	if (r == 0)
		r = clear_cgroup(hub, "canary");
	return r ? r : hub_agent_withdraw(hub, &agent);
}

int hub_prove(struct hub *hub, struct diag_list *diags)
{
	struct place place = { .name = HUB_FOLDER, .cgroup = hub->cgroups, .pins = -1 };
	int r = clear_proof(hub);

	if (r)
		return fail(diags, r, "clear away an earlier proof in", hub->cgroup_path);
	r = canary_prove(&hub->loader, HUB_CANARY_SLOT, &place, diags);
	if (r == 0)
		r = hub_slot_clear(hub, HUB_CANARY_SLOT);
	return r;
}
