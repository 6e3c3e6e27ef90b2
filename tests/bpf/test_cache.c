/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The caches of directories and names against the whole walk: the programs are loaded so that they decide each
 * cached request by the walk too and count differences, while several processes of an agent and
 * several outside it open, create, rename, exchange, link, remove, mount and publish at random.
 *
 *   no check left out    many hits, no difference
 *   one check left out   a difference is found: the test can see what it is there to see
 *
 * Moves that change rights are done from outside: the agent itself may not make them.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <cmocka.h>
#include <picket.skel.h>

#include "base/mem.h"
#include "engine/agent.h"
#include "engine/cgroup.h"
#include "engine/features.h"
#include "engine/place.h"
#include "engine/publish.h"
#include "engine/spawn.h"
#include "hub_world.h"
#include "policy/compile.h"
#include "policy/load.h"

#define SLOT 1
#define TOP "/cache-test"
#define PLACES 4 /* folders with rules of their own */
#define NAMES 3 /* of folders and files at each depth */
#define WORKERS 3
#define HITS_MIN 5000
#define HITS_MIN_EMULATED 2000
/* At most: a round ends when it has seen enough; an emulated host with other work is slow. */
#define SECONDS_MAX 300

/* What each flaw is called in the kernel side's enum pk_cache_flaw. */
enum flaw {
	FLAW_NONE = 0,
	FLAW_RENAMES = 1,
	FLAW_MOUNTS = 2,
	FLAW_PLACE = 4,
	FLAW_IMAGE = 8,
	FLAW_NAME = 16,
	FLAW_RIGHTS = 32
};

/* Two policies over the same folders: neither the rights nor the automata are alike. */
static const char *const policies[] = {
	"picket: 1\nname: one\nprocess: {profile: off}\nfiles:\n  default: deny\n  rules:\n"
	"    - {allow: \"" TOP "/p0/**\", access: read}\n"
	"    - {allow: [\"" TOP "/p1/**\", \"" TOP "/m0/**\"], access: [read, write]}\n"
	"    - {allow: \"" TOP "/p2/**\", access: write}\n"
	"    - {deny: \"**/d1/*/f1\"}\n",
	"picket: 1\nname: two\nprocess: {profile: off}\nfiles:\n  default: allow\n  rules:\n"
	"    - {deny: \"" TOP "/p1/d0/**\"}\n"
	"    - {deny: [\"" TOP "/p3/**\", \"" TOP "/m1/d2/**\"], access: write}\n"
	"    - {deny: \"**/e2/f*\", access: read}\n",
};

struct fixture {
	struct features features;
	struct place_roots roots;
	struct diag_list diags;
	struct policy_image images[2];
};

/* One round: an agent, its processes and those that disturb it. */
struct round {
	struct place place;
	struct loader loader;
	struct agent agent;
	pid_t children[WORKERS + 3];
	size_t child_count;
};

typedef void (*child_fn)(struct fixture *f, struct round *round, unsigned int *seed);

static unsigned int pick(unsigned int *seed, unsigned int count)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed % count;
}

/* A path at @depth below a place: 1 folder, 2 folder in it, 3 file. */
static void path_in(char *out, size_t size, unsigned int *seed, unsigned int depth)
{
	unsigned int place = pick(seed, PLACES + 2);
	int n = snprintf(out, size, TOP "/%c%u", place < PLACES ? 'p' : 'm', place % PLACES);
	static const char kinds[] = "def";

	for (unsigned int i = 0; i < depth && n > 0 && (size_t)n < size; i++)
		n += snprintf(out + n, size - (size_t)n, "/%c%u", kinds[i], pick(seed, NAMES));
}

static void touch(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd >= 0)
		(void)close(fd);
}

/* What an agent's process does; most of it is opening. */
static void act_inside(struct fixture *f, struct round *round, unsigned int *seed)
{
	char path[128], other[128];
	unsigned int depth = 1 + pick(seed, 3);

	(void)f;
	(void)round;
	path_in(path, sizeof(path), seed, depth);
	path_in(other, sizeof(other), seed, depth);
	switch (pick(seed, 96)) {
	case 0:
		(void)rename(path, other);
		return;
	case 1:
		(void)syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, other, 2U);
		return;
	case 2:
		if (link(path, other))
			return;
		break;
	case 3:
		(void)unlink(path);
		return;
	case 4:
		(void)rmdir(path);
		return;
	case 5:
		(void)mkdir(path, 0755);
		return;
	case 6:
		if (truncate(path, 1))
			return;
		break;
	default:
		path_in(path, sizeof(path), seed, 3);
		touch(path, pick(seed, 3) ? O_RDONLY : O_WRONLY | O_CREAT);
	}
}

/* Folders are moved, swapped, removed and made again at once: names and inodes change owners. */
static void act_move(struct fixture *f, struct round *round, unsigned int *seed)
{
	char path[128], other[128];
	unsigned int depth = 1 + pick(seed, 2);

	(void)f;
	(void)round;
	path_in(path, sizeof(path), seed, depth);
	path_in(other, sizeof(other), seed, depth);
	if (syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, other, 2U))
		(void)rename(path, other);
	if (depth == 2 && rmdir(path) == 0)
		(void)mkdir(other, 0755);
	for (unsigned int i = 0; i < NAMES; i++) {
		path_in(path, sizeof(path), seed, 1);
		(void)mkdir(path, 0755);
		path_in(path, sizeof(path), seed, 2);
		(void)mkdir(path, 0755);
		path_in(path, sizeof(path), seed, 3);
		touch(path, O_WRONLY | O_CREAT);
	}
	(void)usleep(pick(seed, 60000));
}

static void act_mount(struct fixture *f, struct round *round, unsigned int *seed)
{
	char from[64], to[64];

	(void)f;
	(void)round;
	(void)snprintf(from, sizeof(from), TOP "/p%u", pick(seed, PLACES));
	(void)snprintf(to, sizeof(to), TOP "/m%u", pick(seed, 2));
	switch (pick(seed, 4)) {
	case 0:
		(void)umount2(to, MNT_DETACH);
		break;
	case 1:
		(void)mount(from, to, NULL, MS_BIND, NULL);
		break;
	default:
		/* The same mount at another name. */
		(void)snprintf(from, sizeof(from), TOP "/m%u", pick(seed, 2));
		(void)mount(from, to, NULL, MS_MOVE, NULL);
	}
	(void)usleep(pick(seed, 20000));
}

static void act_publish(struct fixture *f, struct round *round, unsigned int *seed)
{
	(void)publish_image(bpf_map__fd(round->loader.skel->maps.pk_images), SLOT,
			    &f->images[pick(seed, 2)], &f->diags);
	(void)usleep(pick(seed, 80000));
}

static void start(struct fixture *f, struct round *round, child_fn act, bool inside)
{
	unsigned int seed = 2463534242U + (unsigned int)round->child_count * 7919U;
	CLEAN_FD int pidfd = -1;
	pid_t pid = inside ? spawn_fork(round->place.cgroup, &pidfd) : fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		for (;;)
			act(f, round, &seed);
	}
	round->children[round->child_count++] = pid;
}

static void stop_all(struct round *round)
{
	for (size_t i = 0; i < round->child_count; i++)
		(void)kill(round->children[i], SIGKILL);
	for (size_t i = 0; i < round->child_count; i++)
		(void)waitpid(round->children[i], NULL, 0);
	round->child_count = 0;
}

static int compile_text(const char *text, struct policy_image *ret_image, struct diag_list *diags)
{
	const struct policy_context context = { 0 };
	const struct compile_options options = { 0 };
	char name[] = "/tmp/cache-policy-XXXXXX";
	struct policy *policy = NULL;
	CLEAN_FD int fd = mkstemp(name);
	int r = fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ? -EIO : 0;

	if (r == 0)
		r = policy_load_file(name, &context, &policy, diags);
	if (r == 0)
		r = policy_compile((const struct policy *const *)&policy, 1, &options, ret_image,
				   diags);
	policy_free(&policy);
	(void)unlink(name);
	return r;
}

static int make_tree(void)
{
	/* A mount table of our own, nothing of it seen outside. */
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	if (mkdir(TOP, 0755) && errno != EEXIST)
		return -errno;
	if (mount("cache", TOP, "tmpfs", 0, NULL))
		return -errno;
	for (unsigned int i = 0; i < PLACES + 2; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), TOP "/%c%u", i < PLACES ? 'p' : 'm', i % PLACES);
		if (mkdir(path, 0755))
			return -errno;
	}
	return 0;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || features_probe(PK_TIER_LSM, &f->features) || f->features.tier < 0)
		return -1;
	f->roots.cgroup = f->features.cgroup_root;
	f->roots.bpffs = f->features.bpffs;
	*state = f;
	for (int i = 0; i < 2; i++) {
		if (compile_text(policies[i], &f->images[i], &f->diags)) {
			diag_print(&f->diags, stderr);
			return -1;
		}
	}
	return make_tree();
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	(void)umount2(TOP, MNT_DETACH);
	(void)rmdir(TOP);
	image_reset(&f->images[0]);
	image_reset(&f->images[1]);
	features_reset(&f->features);
	diag_list_reset(&f->diags);
	free(f);
	return 0;
}

static void set_knobs(struct picket_bpf *skel, void *argument)
{
	skel->rodata->pk_cache_check = 1;
	skel->rodata->pk_cache_flaw = *(const __u32 *)argument;
}

static void begin(struct fixture *f, struct round *round, __u32 flaw)
{
	struct place_lock lock = PLACE_LOCK_NONE;
	enum pk_tier tier = (enum pk_tier)f->features.tier;

	assert_int_equal(place_lock(&f->roots, &lock, &f->diags), 0);
	assert_int_equal(place_create(&f->roots, &lock, &round->place, &f->diags), 0);
	place_unlock(&f->roots, &lock);
	if (loader_load_prepared(tier, set_knobs, &flaw, &round->loader, &f->diags))
		diag_print(&f->diags, stderr);
	assert_non_null(round->loader.skel);
	assert_int_equal(loader_attach(&round->loader, round->place.cgroup, &f->diags), 0);
	round->agent.slot = SLOT;
	assert_int_equal(agent_create(&round->loader, &round->agent, round->place.cgroup,
				      &f->images[0], &f->diags),
			 0);
	for (int i = 0; i < WORKERS; i++)
		start(f, round, act_inside, true);
	start(f, round, act_move, false);
	start(f, round, act_mount, false);
	start(f, round, act_publish, false);
}

static void end(struct fixture *f, struct round *round)
{
	stop_all(round);
	assert_int_equal(cgroup_wait_empty(round->place.cgroup, 5000), 0);
	assert_int_equal(agent_remove(&round->loader, &round->agent), 0);
	loader_close(&round->loader);
	assert_int_equal(place_remove(&f->roots, &round->place, &f->diags), 0);
	/* What is left of the mounts is in nobody's way, but must not pile up. */
	for (int i = 0; i < 64; i++) {
		if (umount2(TOP "/m0", MNT_DETACH) && umount2(TOP "/m1", MNT_DETACH))
			break;
	}
}

/* Run a round with @flaw until a difference is found, there were enough hits, or time is over. */
static void run(struct fixture *f, __u32 flaw, __u64 counts[PK_COUNT__MAX])
{
	struct round round = { .place = PLACE_NONE };
	__u64 enough = (__u64)hub_world_times(HITS_MIN, HITS_MIN_EMULATED);
	time_t limit = time(NULL) + SECONDS_MAX;

	begin(f, &round, flaw);
	do {
		(void)usleep(200000);
		assert_int_equal(agent_counts(&round.loader, SLOT, counts), 0);
	} while (!counts[PK_COUNT_CACHE_WRONG] && time(NULL) < limit &&
		 (flaw || counts[PK_COUNT_CACHE_HIT] < enough));
	end(f, &round);
	print_message("# flaw %u: %llu hits, %llu wrong, %llu denied\n", flaw,
		      (unsigned long long)counts[PK_COUNT_CACHE_HIT],
		      (unsigned long long)counts[PK_COUNT_CACHE_WRONG],
		      (unsigned long long)counts[PK_COUNT_DENIED]);
}

static void cache_agrees_with_the_walk(void **state)
{
	__u64 counts[PK_COUNT__MAX] = { 0 };

	run(*state, FLAW_NONE, counts);
	assert_int_equal(counts[PK_COUNT_CACHE_WRONG], 0);
	assert_true(counts[PK_COUNT_CACHE_HIT] >=
		    (__u64)hub_world_times(HITS_MIN, HITS_MIN_EMULATED));
}

static void find_flaw(void **state, enum flaw flaw)
{
	__u64 counts[PK_COUNT__MAX] = { 0 };

	run(*state, flaw, counts);
	assert_true(counts[PK_COUNT_CACHE_WRONG] > 0);
}

static void unnoticed_rename_is_found(void **state)
{
	find_flaw(state, FLAW_RENAMES);
}

static void unnoticed_mount_is_found(void **state)
{
	find_flaw(state, FLAW_MOUNTS);
}

static void mistaken_place_is_found(void **state)
{
	find_flaw(state, FLAW_PLACE);
}

static void stale_image_is_found(void **state)
{
	find_flaw(state, FLAW_IMAGE);
}

static void mistaken_name_is_found(void **state)
{
	find_flaw(state, FLAW_NAME);
}

static void other_rights_are_found(void **state)
{
	find_flaw(state, FLAW_RIGHTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cache_agrees_with_the_walk),
		cmocka_unit_test(unnoticed_rename_is_found),
		cmocka_unit_test(unnoticed_mount_is_found),
		cmocka_unit_test(mistaken_place_is_found),
		cmocka_unit_test(stale_image_is_found),
		cmocka_unit_test(mistaken_name_is_found),
		cmocka_unit_test(other_rights_are_found),
	};

	if (!hub_world_has_hooks()) {
		printf("1..1\nok 1 - cache # SKIP the network tier has no file hooks\n");
		return 0;
	}
	return cmocka_run_group_tests_name("cache", tests, setup, teardown);
}
