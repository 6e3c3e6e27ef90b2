/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From one build to another without a gap. Hooks have no update: the new programs are attached beside
 * the old ones, both decide, the stricter wins. Links of cgroups have: each changes its program in one
 * step. The new set counts from the moment it is marked, and the old one goes last; whoever starts
 * after a crash in between finds at least one whole set.
 *
 * With both attached nobody could tell whether the new ones work: they are proven alone before, on maps
 * and a cgroup of their own.
 */
#include "engine/hub_parts.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <picket.skel.h>

#include "base/mem.h"
#include "engine/canary.h"

/* Programs on a cgroup at most. */
#define SWAPS_MAX 32
#define TRIAL_SLOT 1

/** A cgroup link that gets another program. */
struct swap {
	int link; /* -1 = none */
	int before; /* the old program: held until all is well */
	int after;
};

struct upgrade {
	struct hub *hub;
	const struct hub_build *build;
	struct loader next;
	struct swap swaps[SWAPS_MAX];
	size_t count;
	char old_set[32];
	char new_set[32];
};

static int fail(struct diag_list *diags, int error, const char *what)
{
	(void)diag_add(diags, DIAG_ERROR, NULL, "cannot %s: %s", what, strerror(-error));
	return error;
}

static int try_in(struct hub *hub, const struct hub_build *build, const struct place *place,
		  struct diag_list *diags)
{
	CLEAN(loader_close) struct loader loader = { 0 };
	struct loader_request request = hub_request(hub->tier);
	int r;

	request.prepare = build->prepare;
	request.argument = build->argument;
	r = loader_load_request(&request, &loader, diags);
	if (r == 0)
		r = loader_attach(&loader, place->cgroup, diags);
	return r ? r : canary_prove(&loader, TRIAL_SLOT, place, diags);
}

/* Prove the new programs where the old ones have no say. */
static int try_alone(struct hub *hub, const struct hub_build *build, struct diag_list *diags)
{
	struct place_lock lock = PLACE_LOCK_NONE;
	struct place place = PLACE_NONE;
	int removed;
	int r = place_lock(&hub->roots, &lock, diags);

	if (r)
		return r;
	r = place_create(&hub->roots, &lock, &place, diags);
	place_unlock(&hub->roots, &lock);
	if (r)
		return r;
	r = try_in(hub, build, &place, diags);
	removed = place_remove(&hub->roots, &place, diags);
	return r ? r : removed;
}

static bool is_on_cgroup(const struct bpf_program *prog)
{
	switch (bpf_program__type(prog)) {
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
	case BPF_PROG_TYPE_CGROUP_SKB:
		return true;
	default:
		return false;
	}
}

/* A program that the old build did not have. */
static int pin_new_link(const struct upgrade *up, const struct bpf_program *prog, const char *path)
{
	CLEAN_FD int fd = bpf_link_create(bpf_program__fd(prog), up->hub->cgroups,
					  bpf_program__expected_attach_type(prog), NULL);

	return fd < 0 || bpf_obj_pin(fd, path) ? -errno : 0;
}

/* The old link in the new set as well; which program it runs is changed later. */
static int share_link(struct upgrade *up, const struct bpf_program *prog)
{
	struct swap *swap = &up->swaps[up->count];
	struct bpf_link_info info;
	CLEAN_FREE char *path = NULL;
	char name[64];

	if (up->count == SWAPS_MAX)
		return -E2BIG;
	(void)snprintf(name, sizeof(name), HUB_LINK_PREFIX "%s", bpf_program__name(prog));
	path = hub_path(up->hub, up->new_set, "", name);
	if (!path)
		return -ENOMEM;
	*swap = (struct swap){ .link = -1, .before = -1, .after = bpf_program__fd(prog) };
	swap->link = hub_link_open(up->hub, up->old_set, name, &info);
	if (swap->link == -ENOENT)
		return pin_new_link(up, prog, path);
	if (swap->link < 0)
		return swap->link;
	up->count++;
	swap->before = bpf_prog_get_fd_by_id(info.prog_id);
	return swap->before < 0 || bpf_obj_pin(swap->link, path) ? -errno : 0;
}

static int share_links(struct upgrade *up)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, up->next.skel->obj) {
		int r = bpf_program__autoload(prog) && is_on_cgroup(prog) ? share_link(up, prog) :
									    0;

		if (r)
			return r;
	}
	return 0;
}

/* Attach the new programs beside the old ones and pin them. */
static int attach_beside(struct upgrade *up, struct diag_list *diags)
{
	struct loader_request request = hub_request(up->hub->tier);
	struct hub_build build = *up->build;
	CLEAN_FREE char *path = hub_path(up->hub, "", "", up->new_set);
	CLEAN_FREE char *calls = hub_path(up->hub, up->old_set, "", HUB_CALLS_LINK);
	int r;

	if (!path || !calls)
		return -ENOMEM;
	build.calls = access(calls, F_OK) == 0;
	if (mkdirat(up->hub->pins, up->new_set, 0700))
		return fail(diags, -errno, "make a folder for the new links");
	r = hub_load(up->hub, &build, &request, &up->next, diags);
	if (r == 0)
		r = loader_attach(&up->next, -1, diags);
	if (r == 0)
		r = loader_pin_links(&up->next, path, diags);
	if (r)
		return r;
	r = share_links(up);
	if (r == 0)
		r = hub_set_mark(up->hub, up->new_set);
	return r ? fail(diags, r, "pin the new links") : 0;
}

static int swap_programs(struct upgrade *up)
{
	for (size_t i = 0; i < up->count; i++) {
		if (bpf_link_update(up->swaps[i].link, up->swaps[i].after, NULL))
			return -errno;
	}
	return 0;
}

/* The old ones again. What fails here leaves a link with a new program, which decides as well. */
static void swap_back(struct upgrade *up)
{
	for (size_t i = 0; i < up->count; i++) {
		if (up->swaps[i].before >= 0)
			(void)bpf_link_update(up->swaps[i].link, up->swaps[i].before, NULL);
	}
	memcpy(up->hub->build, up->old_set + strlen(HUB_SET_PREFIX), HUB_BUILD_SIZE);
	(void)hub_attached_update(up->hub);
	(void)hub_set_remove(up->hub, up->new_set);
}

static int go_over(struct upgrade *up, struct diag_list *diags)
{
	int r = attach_beside(up, diags);

	if (r)
		return r;
	r = swap_programs(up);
	if (r)
		return fail(diags, r, "change programs of cgroups");
	memcpy(up->hub->build, up->build->name, HUB_BUILD_SIZE);
	r = hub_attached_update(up->hub);
	if (r)
		return fail(diags, r, "change programs of attached cgroups");
	r = hub_prove(up->hub, diags);
	if (r)
		return r;
	r = hub_set_remove(up->hub, up->old_set);
	return r ? fail(diags, r, "remove the old links") : 0;
}

int hub_upgrade(struct hub *hub, const struct hub_build *build, struct diag_list *diags)
{
	struct upgrade up = { .hub = hub, .build = build };
	int r = try_alone(hub, build, diags);

	if (r)
		return r;
	hub_set_name(hub->build, up.old_set);
	hub_set_name(build->name, up.new_set);
	r = go_over(&up, diags);
	if (r)
		swap_back(&up);
	for (size_t i = 0; i < up.count; i++) {
		mem_close_fd(&up.swaps[i].link);
		mem_close_fd(&up.swaps[i].before);
	}
	if (r) {
		loader_close(&up.next);
		return r;
	}
	loader_close(&hub->loader);
	hub->loader = up.next;
	hub->origin = HUB_UPGRADED;
	return 0;
}
