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

#include <bpf/btf.h>
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

/* What follows @prefix in @section, or NULL. */
static const char *after(const char *section, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(section, prefix, length) == 0 ? section + length : NULL;
}

/* The LSM hook of a section, or NULL. */
static const char *hook_in(const char *section)
{
	const char *hook = after(section, "lsm/");

	return hook ? hook : after(section, "lsm.s/");
}

/* The kernel function of an entry that only modify-return has, or NULL. */
static const char *function_in(const char *section)
{
	const char *function = after(section, "fmod_ret/");

	return function ? function : after(section, "fentry/");
}

/* Is there an entry for modify-return alone for the hook? */
static bool has_own_entry(const struct loader *loader, const char *hook)
{
	struct bpf_program *prog;
	char function[128];

	if (loader_security_function(hook, function, sizeof(function)))
		return false;
	bpf_object__for_each_program(prog, loader->skel->obj) {
		const char *own = function_in(bpf_program__section_name(prog));

		if (own && strcmp(own, function) == 0)
			return true;
	}
	return false;
}

/* By the sections' names: what a tier consists of. */
static bool is_expected(const struct loader *loader, const char *section)
{
	if (after(section, "cgroup"))
		return true;
	if (function_in(section))
		return loader->tier == PK_TIER_MODIFY_RETURN;
	if (hook_in(section) && loader->tier == PK_TIER_MODIFY_RETURN)
		return !has_own_entry(loader, hook_in(section));
	return loader->tier != PK_TIER_NETWORK;
}

/* Has this kernel no such hook? Then a program for it is rightly left out. */
static bool hook_is_missing(const struct btf *btf, const char *section)
{
	const char *hook = hook_in(section);
	const char *function = function_in(section);
	char name[128];

	/* Of use only where sockets have a way in of their own for pages. */
	if (hook && strcmp(hook, "file_permission") == 0 &&
	    btf__find_by_name_kind(btf, "kernel_sendpage", BTF_KIND_FUNC) < 0)
		return true;
	if (hook)
		(void)snprintf(name, sizeof(name), "bpf_lsm_%s", hook);
	else
		(void)snprintf(name, sizeof(name), "bpf_lsm_%s",
			       function ? after(function, "security_") : section);
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) < 0;
}

/* What the tier needs is attached and pinned, nothing else is. Returns how many are wrong. */
static size_t check_programs(const struct fixture *f, const struct loader *loader)
{
	struct btf *btf = btf__load_vmlinux_btf();
	struct bpf_program *prog;
	size_t wrong = 0;

	bpf_object__for_each_program(prog, loader->skel->obj) {
		const char *name = bpf_program__name(prog);
		const char *section = bpf_program__section_name(prog);
		bool attached = is_attached(loader, name);
		bool pinned = is_pinned(f, "link", name);
		bool expected = is_expected(loader, section);

		if (expected && !attached && btf)
			expected = !hook_is_missing(btf, section);
		if (attached != expected || pinned != expected)
			wrong++;
		printf("# %-16s %-29s %s%s%s\n", name, section, attached ? "attached" : "left out",
		       pinned ? ", pinned" : "",
		       attached != expected || pinned != expected ? "  <- WRONG" : "");
	}
	btf__free(btf);
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
