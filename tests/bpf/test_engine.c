/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine's own promises on this kernel: places belong to the living and are cleared for the
 * dead, a child starts inside its cgroup, no invalid image is published, and the canary sees what is
 * not enforced.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <bpf/libbpf.h>
#include <cmocka.h>
#include <picket.skel.h>

#include "base/mem.h"
#include "engine/canary.h"
#include "engine/cgroup.h"
#include "engine/features.h"
#include "engine/loader.h"
#include "engine/place.h"
#include "engine/publish.h"
#include "engine/spawn.h"
#include "engine/stale.h"

#define SLOT 3

/** What all tests use. */
struct fixture {
	struct features features;
	struct place_roots roots;
	struct diag_list diags;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || features_probe(PK_TIER_LSM, &f->features) || f->features.tier < 0)
		return -1;
	f->roots.cgroup = f->features.cgroup_root;
	f->roots.bpffs = f->features.bpffs;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	features_reset(&f->features);
	diag_list_reset(&f->diags);
	free(f);
	return 0;
}

/* Before each test. */
static int forget_findings(void **state)
{
	struct fixture *f = *state;

	diag_list_reset(&f->diags);
	return 0;
}

static void make_place(struct fixture *f, struct place *ret_place)
{
	struct place_lock lock = PLACE_LOCK_NONE;

	assert_int_equal(place_lock(&f->roots, &lock, &f->diags), 0);
	assert_int_equal(place_create(&f->roots, &lock, ret_place, &f->diags), 0);
	place_unlock(&f->roots, &lock);
}

static void clean_stale(struct fixture *f)
{
	struct place_lock lock = PLACE_LOCK_NONE;

	assert_int_equal(place_lock(&f->roots, &lock, &f->diags), 0);
	assert_int_equal(stale_clean(&f->roots, &lock, &f->diags), 0);
	place_unlock(&f->roots, &lock);
}

static bool place_exists(const struct fixture *f, const char *name)
{
	char cgroup[256];
	char pins[256];

	(void)snprintf(cgroup, sizeof(cgroup), "%s/picket/%s", f->roots.cgroup, name);
	(void)snprintf(pins, sizeof(pins), "%s/picket/%s", f->roots.bpffs, name);
	assert_int_equal(access(cgroup, F_OK), access(pins, F_OK));
	return access(cgroup, F_OK) == 0;
}

static void places_differ_and_go(void **state)
{
	struct fixture *f = *state;
	struct place first = PLACE_NONE;
	struct place second = PLACE_NONE;
	char name[sizeof(first.name)];

	make_place(f, &first);
	make_place(f, &second);
	memcpy(name, first.name, sizeof(name));
	assert_string_not_equal(first.name, second.name);
	assert_true(place_exists(f, first.name));
	assert_int_equal(place_remove(&f->roots, &second, &f->diags), 0);
	assert_true(place_exists(f, name));
	assert_int_equal(place_remove(&f->roots, &first, &f->diags), 0);
	assert_false(place_exists(f, name));
	assert_int_equal(first.cgroup, -1);
}

/* A process in the place's cgroup that only a kill ends; it holds none of our locks. */
static pid_t start_sleeper(const struct place *place)
{
	CLEAN_FD int pidfd = -1;
	pid_t pid = spawn_fork(place->cgroup, &pidfd);

	if (pid == 0) {
		(void)close(place->cgroup);
		(void)close(place->pins);
		for (;;)
			(void)pause();
	}
	assert_true(pid > 0);
	return pid;
}

static void living_place_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct place place = PLACE_NONE;
	pid_t pid;
	int status;

	make_place(f, &place);
	pid = start_sleeper(&place);
	clean_stale(f);
	assert_true(place_exists(f, place.name));
	assert_int_equal(kill(pid, 0), 0);
	assert_int_equal(cgroup_kill(place.cgroup), 0);
	assert_int_equal(cgroup_wait_empty(place.cgroup, 5000), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(place_remove(&f->roots, &place, &f->diags), 0);
}

static void dead_place_is_cleared(void **state)
{
	struct fixture *f = *state;
	struct place place = PLACE_NONE;
	char name[sizeof(place.name)];
	pid_t pid;
	int status;

	make_place(f, &place);
	memcpy(name, place.name, sizeof(name));
	assert_int_equal(mkdirat(place.cgroup, "a", 0755), 0);
	assert_int_equal(mkdirat(place.cgroup, "a/b", 0755), 0);
	pid = start_sleeper(&place);
	/* What the kernel does for an owner that is killed. */
	mem_close_fd(&place.cgroup);
	mem_close_fd(&place.pins);
	mem_free_ptr(&place.pin_path);
	/* The sleeper may not have let go of its copies of the locks yet. */
	for (int i = 0; i < 500 && place_exists(f, name); i++) {
		clean_stale(f);
		(void)usleep(1000);
	}
	assert_false(place_exists(f, name));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void child_starts_in_its_cgroup(void **state)
{
	struct fixture *f = *state;
	struct place place = PLACE_NONE;
	CLEAN_FILE FILE *members = NULL;
	CLEAN_FD int fd = -1;
	long member = 0;
	pid_t pid;

	make_place(f, &place);
	pid = start_sleeper(&place);
	fd = openat(place.cgroup, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	members = fdopen(TAKE_FD(fd), "r");
	assert_non_null(members);
	assert_int_equal(fscanf(members, "%ld", &member), 1);
	assert_int_equal(member, pid);
	assert_int_equal(cgroup_wait_empty(place.cgroup, 20), -ETIMEDOUT);
	assert_int_equal(cgroup_kill(place.cgroup), 0);
	assert_int_equal(cgroup_wait_empty(place.cgroup, 5000), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(place_remove(&f->roots, &place, &f->diags), 0);
}

static void removed_cgroup_is_said(void **state)
{
	struct fixture *f = *state;
	struct place place = PLACE_NONE;
	struct spawn spawn = SPAWN_NONE;
	char *argv[] = { (char[]){ "true" }, NULL };
	struct spawn_request request = { .argv = argv };
	char path[256];
	int r;

	make_place(f, &place);
	(void)snprintf(path, sizeof(path), "%s/picket/%s", f->roots.cgroup, place.name);
	assert_int_equal(rmdir(path), 0);
	request.cgroup_fd = place.cgroup;
	r = spawn_start(&request, &spawn, &f->diags);
	assert_true(r == -ENODEV || r == -ENOENT);
	assert_non_null(strstr(f->diags.items[f->diags.count - 1].hint, "removed the cgroup"));
	diag_list_reset(&f->diags);
	assert_int_equal(place_remove(&f->roots, &place, &f->diags), 0);
}

static void invalid_image_is_not_published(void **state)
{
	struct fixture *f = *state;
	CLEAN(loader_close) struct loader loader = { 0 };
	CLEAN_FREE __u8 *bytes = aligned_alloc(8, PK_PAGE_SIZE);
	struct policy_image image = { .bytes = bytes, .size = PK_PAGE_SIZE };
	__u32 slot = SLOT;
	__u32 id;
	int images;

	memset(bytes, 0, PK_PAGE_SIZE);
	assert_int_equal(loader_load(PK_TIER_NETWORK, &loader, &f->diags), 0);
	images = bpf_map__fd(loader.skel->maps.pk_images);
	assert_int_equal(publish_image(images, slot, &image, &f->diags), -EINVAL);
	assert_int_equal(f->diags.count, 1);
	diag_list_reset(&f->diags);
	assert_int_not_equal(bpf_map__lookup_elem(loader.skel->maps.pk_images, &slot, sizeof(slot),
						  &id, sizeof(id), 0),
			     0);
	assert_int_equal(publish_clear(images, slot), 0);
}

static void prove(struct fixture *f, bool attach, int expected)
{
	CLEAN(loader_close) struct loader loader = { 0 };
	struct place place = PLACE_NONE;
	int r;

	make_place(f, &place);
	assert_int_equal(loader_load((enum pk_tier)f->features.tier, &loader, &f->diags), 0);
	if (attach)
		assert_int_equal(loader_attach(&loader, place.cgroup, &f->diags), 0);
	r = canary_prove(&loader, SLOT, &place, &f->diags);
	if (r != expected)
		diag_print(&f->diags, stderr);
	assert_int_equal(r, expected);
	assert_int_equal(place_remove(&f->roots, &place, &f->diags), 0);
}

static void canary_proves(void **state)
{
	struct fixture *f = *state;

	prove(f, true, 0);
	assert_int_equal(f->diags.count, 0);
}

/* One program that is not there is found, however much the others refuse. */
static void canary_sees_packets_that_pass(void **state)
{
	struct fixture *f = *state;
	CLEAN(loader_close) struct loader loader = { 0 };
	struct place place = PLACE_NONE;

	make_place(f, &place);
	assert_int_equal(loader_load((enum pk_tier)f->features.tier, &loader, &f->diags), 0);
	assert_int_equal(loader_attach(&loader, place.cgroup, &f->diags), 0);
	for (size_t i = 0; i < loader.link_count; i++) {
		if (strcmp(loader.link_names[i], "pk_egress") != 0)
			continue;
		assert_int_equal(bpf_link__destroy(loader.links[i]), 0);
		loader.links[i] = NULL;
	}
	assert_int_equal(canary_prove(&loader, SLOT, &place, &f->diags), -EKEYREJECTED);
	assert_int_equal(f->diags.count, 1);
	assert_non_null(strstr(f->diags.items[0].message, "'ask a resolver for a name'"));
	diag_list_reset(&f->diags);
	assert_int_equal(place_remove(&f->roots, &place, &f->diags), 0);
}

static void canary_sees_what_is_not_enforced(void **state)
{
	struct fixture *f = *state;

	prove(f, false, -EKEYREJECTED);
	assert_int_equal(f->diags.count, 1);
	assert_non_null(strstr(f->diags.items[0].message, "gave success, expected E"));
	diag_list_reset(&f->diags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(places_differ_and_go, forget_findings),
		cmocka_unit_test_setup(living_place_is_left_alone, forget_findings),
		cmocka_unit_test_setup(dead_place_is_cleared, forget_findings),
		cmocka_unit_test_setup(child_starts_in_its_cgroup, forget_findings),
		cmocka_unit_test_setup(removed_cgroup_is_said, forget_findings),
		cmocka_unit_test_setup(invalid_image_is_not_published, forget_findings),
		cmocka_unit_test_setup(canary_proves, forget_findings),
		cmocka_unit_test_setup(canary_sees_packets_that_pass, forget_findings),
		cmocka_unit_test_setup(canary_sees_what_is_not_enforced, forget_findings),
	};

	return cmocka_run_group_tests_name("engine", tests, setup, teardown);
}
