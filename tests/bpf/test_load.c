/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every program of every tier on this kernel: loaded by the verifier, attached, pinned. A kernel
 * that refuses lsm or fmod_ret programs as such, which the probe must have said before, is skipped
 * with that reason; a kernel that takes the probe must take every program. Prints TAP itself,
 * because a skip needs its reason.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <picket.skel.h>

#include "base/mem.h"
#include "engine/features.h"
#include "engine/loader.h"
#include "engine/place.h"
#include "telemetry/names.h"

/** What each test uses: the probe's answer and a place of our own. */
struct fixture {
	struct features features;
	struct place_roots roots;
	struct place place;
	struct diag_list diags;
};

static int setup(struct fixture *f)
{
	struct place_lock lock = PLACE_LOCK_NONE;
	int r = features_probe(PK_TIER__MAX, &f->features);

	if (r)
		return r;
	if (!f->features.cgroup_root || !f->features.bpffs)
		return -ENODEV;
	f->roots.cgroup = f->features.cgroup_root;
	f->roots.bpffs = f->features.bpffs;
	r = place_lock(&f->roots, &lock, &f->diags);
	if (r == 0)
		r = place_create(&f->roots, &lock, &f->place, &f->diags);
	place_unlock(&f->roots, &lock);
	return r;
}

static int teardown(struct fixture *f)
{
	int r = f->place.cgroup < 0 ? 0 : place_remove(&f->roots, &f->place, &f->diags);

	if (f->diags.count)
		diag_print(&f->diags, stderr);
	features_reset(&f->features);
	diag_list_reset(&f->diags);
	return r;
}

/* The probe said that this kernel takes no program of the kind at all. */
static bool is_refused_kind(const struct fixture *f, enum pk_tier tier)
{
	enum feature_id id = tier == PK_TIER_LSM ? FEATURE_LSM_HOOK : FEATURE_MODIFY_RETURN;
	const struct feature *step = &f->features.items[id];

	return tier != PK_TIER_NETWORK && step->state == FEATURE_FAILED &&
	       strstr(step->text, "refuses");
}

static bool is_attached(const struct loader *loader, const char *name)
{
	for (size_t i = 0; i < loader->link_count; i++) {
		if (strcmp(loader->link_names[i], name) == 0)
			return true;
	}
	return false;
}

static bool is_pinned(const struct fixture *f, const char *kind, const char *name)
{
	char entry[128];

	(void)snprintf(entry, sizeof(entry), "%s_%s", kind, name);
	return faccessat(f->place.pins, entry, F_OK, 0) == 0;
}

/* By the sections' names: the list of what a tier consists of. */
static bool is_expected(enum pk_tier tier, const char *section)
{
	if (strncmp(section, "cgroup/", 7) == 0)
		return true;
	if (strncmp(section, "fmod_ret/", 9) == 0)
		return tier == PK_TIER_MODIFY_RETURN;
	/* The hook and its function have different arguments: a program each. */
	if (strcmp(section, "lsm/mmap_file") == 0)
		return tier == PK_TIER_LSM;
	return tier != PK_TIER_NETWORK;
}

/* What the tier needs is attached and pinned, nothing else is. Returns how many are wrong. */
static size_t check_programs(const struct fixture *f, const struct loader *loader)
{
	struct bpf_program *prog;
	size_t wrong = 0;

	bpf_object__for_each_program(prog, loader->skel->obj) {
		const char *name = bpf_program__name(prog);
		const char *section = bpf_program__section_name(prog);
		bool attached = is_attached(loader, name);
		bool pinned = is_pinned(f, "link", name);
		bool expected = is_expected(loader->tier, section);

		/* Without this hook (before Linux 6.2) path_truncate is called in its place. */
		if (strcmp(section, "lsm/file_truncate") == 0 && expected)
			expected = attached;
		if (attached != expected || pinned != expected)
			wrong++;
		printf("# %-16s %-29s %s%s%s\n", name, section, attached ? "attached" : "left out",
		       pinned ? ", pinned" : "",
		       attached != expected || pinned != expected ? "  <- WRONG" : "");
	}
	return wrong + !is_pinned(f, "map", "pk_images") + !is_pinned(f, "map", "pk_agents") +
	       !is_pinned(f, "map", "pk_cgroups");
}

/** How one test ends. */
enum outcome { PASSED, FAILED, SKIPPED };

/* The refusal of a whole kind must be one finding that names a program. */
static enum outcome check_refusal(struct fixture *f)
{
	bool named = f->diags.count == 1 && strstr(f->diags.items[0].message, "'pk_");

	if (named)
		diag_list_reset(&f->diags);
	return named ? SKIPPED : FAILED;
}

static enum outcome load_tier(struct fixture *f, enum pk_tier tier)
{
	CLEAN(loader_close) struct loader loader = { 0 };
	int r = loader_load(tier, &loader, &f->diags);

	if (r == -ENOTSUP && is_refused_kind(f, tier))
		return check_refusal(f);
	if (r == 0)
		r = loader_attach(&loader, f->place.cgroup, &f->diags);
	if (r == 0)
		r = loader_pin(&loader, f->place.pin_path, &f->diags);
	return r == 0 && check_programs(f, &loader) == 0 ? PASSED : FAILED;
}

static enum outcome run(enum pk_tier tier)
{
	struct fixture f = { .features.tier = -1, .place = PLACE_NONE };
	enum outcome outcome = setup(&f) == 0 ? load_tier(&f, tier) : FAILED;

	return teardown(&f) == 0 ? outcome : FAILED;
}

int main(void)
{
	int failed = 0;

	printf("1..%d\n", PK_TIER__MAX);
	for (unsigned int tier = 0; tier < PK_TIER__MAX; tier++) {
		enum outcome outcome = run((enum pk_tier)tier);

		printf("%sok %u - load every program of tier %s%s\n",
		       outcome == FAILED ? "not " : "", tier + 1, names_tier(tier),
		       outcome == SKIPPED ? " # SKIP this kernel refuses every such program" : "");
		(void)fflush(stdout);
		failed += outcome == FAILED;
	}
	return failed ? 1 : 0;
}
