/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Program by program: wanted in this tier? known to this kernel? then retargeted, loaded, attached.
 * Only a program marked optional ("?lsm/...") may be left out, and only where the kernel does not
 * have its hook at all.
 */
#include "engine/loader.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <picket.skel.h>

#include "base/mem.h"
#include "engine/bpflog.h"

static void free_btf(struct btf **btf)
{
	btf__free(*btf);
	*btf = NULL;
}

/* What follows @prefix in the program's section name, or NULL. */
static const char *section_after(const struct bpf_program *prog, const char *prefix)
{
	const char *section = bpf_program__section_name(prog);
	size_t length = strlen(prefix);

	return strncmp(section, prefix, length) == 0 ? section + length : NULL;
}

/* The LSM hook that the program is for, or NULL. */
static const char *hook_of(const struct bpf_program *prog)
{
	const char *hook = section_after(prog, "lsm/");

	return hook ? hook : section_after(prog, "lsm.s/");
}

/*
 * The kernel function that the program is for in tier modify-return only, or NULL. Hooks have such an
 * entry of their own where the lsm program cannot be retargeted: the security_ function takes other
 * arguments (mmap_file), returns nothing (fentry then), or may not be left to sleep.
 */
static const char *own_entry_of(const struct bpf_program *prog)
{
	const char *function = section_after(prog, "fmod_ret/");

	return function ? function : section_after(prog, "fentry/");
}

static bool is_cgroup(const struct bpf_program *prog)
{
	return section_after(prog, "cgroup/") || section_after(prog, "cgroup_skb/");
}

int loader_security_function(const char *hook, char *name, size_t size)
{
	/* The hooks whose functions are called otherwise. */
	static const char *const others[][2] = {
		{ "bprm_check_security", "bprm_check" },
		{ "userns_create", "create_user_ns" },
		{ "inode_free_security", "inode_free" },
	};
	const char *base = hook;
	int length;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strcmp(hook, others[i][0]) == 0)
			base = others[i][1];
	}
	length = snprintf(name, size, "security_%s", base);
	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

static bool kernel_has(const struct btf *btf, const char *function)
{
	return btf__find_by_name_kind(btf, function, BTF_KIND_FUNC) >= 0;
}

/* Does this kernel have the hook that @prog is for, attached as @tier attaches it? */
static bool hook_exists(const struct btf *btf, const struct bpf_program *prog, enum pk_tier tier)
{
	const char *hook = hook_of(prog);
	char function[128];
	int length;

	/* Since 6.5 what is spliced into a socket passes socket_sendmsg, and no write needs this one. */
	if (strcmp(hook, "file_permission") == 0 && !kernel_has(btf, "kernel_sendpage"))
		return false;
	if (tier == PK_TIER_MODIFY_RETURN)
		return loader_security_function(hook, function, sizeof(function)) == 0 &&
		       kernel_has(btf, function);
	length = snprintf(function, sizeof(function), "bpf_lsm_%s", hook);
	return length > 0 && (size_t)length < sizeof(function) && kernel_has(btf, function);
}

static int retarget(struct bpf_program *prog)
{
	char function[128];
	int r = loader_security_function(hook_of(prog), function, sizeof(function));

	if (r == 0)
		r = bpf_program__set_type(prog, BPF_PROG_TYPE_TRACING);
	if (r == 0)
		r = bpf_program__set_expected_attach_type(prog, BPF_MODIFY_RETURN);
	if (r == 0)
		r = bpf_program__set_attach_target(prog, 0, function);
	return r;
}

/* The lsm program for the hook behind the kernel function, or NULL. */
static struct bpf_program *hook_behind(struct bpf_object *object, const char *function)
{
	struct bpf_program *prog;
	char name[128];

	bpf_object__for_each_program(prog, object) {
		if (hook_of(prog) &&
		    loader_security_function(hook_of(prog), name, sizeof(name)) == 0 &&
		    strcmp(name, function) == 0)
			return prog;
	}
	return NULL;
}

/* Has the hook an entry of its own for tier modify-return? */
static bool has_own_entry(struct bpf_object *object, const char *hook)
{
	struct bpf_program *prog;
	char function[128];

	if (loader_security_function(hook, function, sizeof(function)))
		return false;
	bpf_object__for_each_program(prog, object) {
		if (own_entry_of(prog) && strcmp(own_entry_of(prog), function) == 0)
			return true;
	}
	return false;
}

/*
 * The entries of tier modify-return. One may be missing only where its hook is optional. Asked
 * before any lsm program is chosen, which forgets which ones were marked optional.
 */
static void choose_own_entry(struct bpf_program *prog, struct bpf_object *object,
			     const struct btf *btf, enum pk_tier tier)
{
	const struct bpf_program *hook = hook_behind(object, own_entry_of(prog));
	bool optional = hook && !bpf_program__autoload(hook);
	bool wanted = tier == PK_TIER_MODIFY_RETURN;

	if (wanted && optional)
		wanted = kernel_has(btf, own_entry_of(prog));
	(void)bpf_program__set_autoload(prog, wanted);
}

static int choose_hook(struct bpf_program *prog, struct bpf_object *object, const struct btf *btf,
		       enum pk_tier tier)
{
	bool optional = !bpf_program__autoload(prog);
	bool wanted = tier != PK_TIER_NETWORK;

	if (tier == PK_TIER_MODIFY_RETURN && has_own_entry(object, hook_of(prog)))
		wanted = false;
	if (wanted && optional)
		wanted = hook_exists(btf, prog, tier);
	(void)bpf_program__set_autoload(prog, wanted);
	return wanted && tier == PK_TIER_MODIFY_RETURN ? retarget(prog) : 0;
}

static int fail_with_log(struct diag_list *diags, int error, const char *name)
{
	CLEAN_FREE char *tail = bpflog_tail(4);

	diag_hint(diag_add(diags, DIAG_ERROR, NULL, "the kernel refuses program '%s': %s", name,
			   strerror(-error)),
		  "run 'picket doctor'; the kernel says: %s",
		  tail && *tail ? tail : "nothing more");
	return error == -ENOMEM ? error : -ENOTSUP;
}

/* The programs that are neither hooks nor entries of their own. */
static void choose_other(struct bpf_program *prog, const struct loader_request *request)
{
	bool wanted = request->tier != PK_TIER_NETWORK || is_cgroup(prog);

	/* Chosen by whoever needs them: every system call of the host pays for one. */
	if (section_after(prog, "tp_btf/sys_enter") || section_after(prog, "iter/"))
		return;
	if (section_after(prog, "cgroup_skb/egress"))
		wanted = request->packets_out;
	else if (section_after(prog, "cgroup_skb/ingress"))
		wanted = request->packets_in;
	(void)bpf_program__set_autoload(prog, wanted);
}

static int choose_programs(struct picket_bpf *skel, const struct loader_request *request,
			   struct diag_list *diags)
{
	enum pk_tier tier = request->tier;
	CLEAN(free_btf) struct btf *btf = NULL;
	struct bpf_program *prog;

	if (tier != PK_TIER_NETWORK) {
		btf = btf__load_vmlinux_btf();
		if (!btf) {
			int r = -errno;

			(void)diag_add(diags, DIAG_ERROR, NULL,
				       "cannot read '/sys/kernel/btf/vmlinux': %s", strerror(-r));
			return r;
		}
	}
	bpf_object__for_each_program(prog, skel->obj) {
		if (own_entry_of(prog))
			choose_own_entry(prog, skel->obj, btf, tier);
		else if (!hook_of(prog))
			choose_other(prog, request);
	}
	bpf_object__for_each_program(prog, skel->obj) {
		int r = hook_of(prog) ? choose_hook(prog, skel->obj, btf, tier) : 0;

		if (r)
			return fail_with_log(diags, r, bpf_program__name(prog));
	}
	return 0;
}

static void choose_only(struct picket_bpf *skel, const char *name)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, skel->obj)
		(void)bpf_program__set_autoload(prog, strcmp(bpf_program__name(prog), name) == 0);
}

struct loader_request loader_request_for(enum pk_tier tier, const struct policy_image *image)
{
	const struct pk_image *head = image_head(image);
	bool listen = head->defaults[PK_SECTION_LISTEN].present;
	bool names = head->dns.resolver_count > 0;

	return (struct loader_request){
		.tier = tier,
		.packets_out = listen || names || head->defaults[PK_SECTION_EGRESS].present ||
			       head->defaults[PK_SECTION_SOCKETS].present,
		.packets_in = listen || names,
		.names = names,
		.unanswered = true,
	};
}

/* The ring of a recording: a build makes thousands of records while one program of ours is not running. */
#define LOADER_RECORDING_BYTES (16U << 20)

void loader_want_caches(struct picket_bpf *skel, enum pk_tier tier)
{
	(void)bpf_map__set_autocreate(skel->maps.pk_dirs, tier != PK_TIER_NETWORK);
	(void)bpf_map__set_autocreate(skel->maps.pk_leaves, tier != PK_TIER_NETWORK);
	(void)bpf_map__set_autocreate(skel->maps.pk_freed, tier != PK_TIER_NETWORK);
}

/* What is set before the verifier looks: it removes the branches that are not taken. */
static int prepare(struct picket_bpf *skel, const struct loader_request *request)
{
	__u64 seed;

	/* Who chooses names must not be able to choose their hashes. */
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return -errno;
	skel->rodata->pk_host_seed = seed;
	skel->rodata->pk_tier = request->tier;
	skel->rodata->pk_answers = !request->unanswered;
	(void)bpf_map__set_autocreate(skel->maps.pk_refused_map, false);
	loader_want_caches(skel, request->tier);
	if (!request->names) {
		(void)bpf_map__set_max_entries(skel->maps.pk_learned_map, 1);
		(void)bpf_map__set_max_entries(skel->maps.pk_hosts, 1);
	}
	if (request->recording)
		(void)bpf_map__set_max_entries(skel->maps.pk_decisions, LOADER_RECORDING_BYTES);
	if (request->prepare)
		request->prepare(skel, request->argument);
	return 0;
}

int loader_load_request(const struct loader_request *request, struct loader *ret_loader,
			struct diag_list *diags)
{
	CLEAN(loader_close)
	struct loader loader = { .tier = request->tier, .request = *request };
	char name[64];
	int r;

	bpflog_start();
	loader.skel = picket_bpf__open();
	r = loader.skel ? prepare(loader.skel, request) : -errno;
	if (r) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot prepare the kernel programs: %s",
			       strerror(-r));
		return r;
	}
	r = choose_programs(loader.skel, request, diags);
	if (r)
		return r;
	if (request->only)
		choose_only(loader.skel, request->only);
	r = picket_bpf__load(loader.skel);
	if (r) {
		if (bpflog_program(name, sizeof(name)))
			(void)snprintf(name, sizeof(name), "picket");
		return fail_with_log(diags, r, name);
	}
	*ret_loader = loader;
	loader = (struct loader){ 0 };
	return 0;
}

int loader_load_prepared(enum pk_tier tier, loader_prepare_fn prepare_fn, void *argument,
			 struct loader *ret_loader, struct diag_list *diags)
{
	const struct loader_request request = {
		.tier = tier,
		.packets_out = true,
		.packets_in = true,
		.names = true,
		.prepare = prepare_fn,
		.argument = argument,
	};

	return loader_load_request(&request, ret_loader, diags);
}

int loader_load(enum pk_tier tier, struct loader *ret_loader, struct diag_list *diags)
{
	return loader_load_prepared(tier, NULL, NULL, ret_loader, diags);
}

static struct bpf_link *attach_program(const struct bpf_program *prog, int cgroup_fd)
{
	switch (bpf_program__type(prog)) {
	case BPF_PROG_TYPE_LSM:
		return bpf_program__attach_lsm(prog);
	case BPF_PROG_TYPE_TRACING:
		return bpf_program__attach_trace(prog);
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
	case BPF_PROG_TYPE_CGROUP_SKB:
		return bpf_program__attach_cgroup(prog, cgroup_fd);
	default:
		errno = EPROTOTYPE;
		return NULL;
	}
}

static size_t count_programs(const struct picket_bpf *skel)
{
	struct bpf_program *prog;
	size_t count = 0;

	bpf_object__for_each_program(prog, skel->obj)
		count++;
	return count;
}

int loader_attach(struct loader *loader, int cgroup_fd, struct diag_list *diags)
{
	size_t count = count_programs(loader->skel);
	struct bpf_program *prog;

	loader->links = calloc(count, sizeof(*loader->links));
	loader->link_names = calloc(count, sizeof(*loader->link_names));
	if (!loader->links || !loader->link_names)
		return -ENOMEM;
	bpflog_start();
	bpf_object__for_each_program(prog, loader->skel->obj) {
		const char *name = bpf_program__name(prog);
		struct bpf_link *link;

		if (!bpf_program__autoload(prog) || (is_cgroup(prog) && cgroup_fd < 0))
			continue;
		link = attach_program(prog, cgroup_fd);
		if (!link) {
			int r = -errno;

			diag_hint(diag_add(diags, DIAG_ERROR, NULL,
					   "cannot attach kernel program '%s': %s", name,
					   strerror(-r)),
				  "run 'picket doctor'");
			return r;
		}
		loader->links[loader->link_count] = link;
		loader->link_names[loader->link_count++] = name;
	}
	return 0;
}

static int pin_fail(struct diag_list *diags, const char *what, int error, const char *path)
{
	diag_hint(diag_add(diags, DIAG_ERROR, NULL, "cannot pin '%s' in '%s': %s", what, path,
			   strerror(-error)),
		  "check that the bpf file system is mounted writable");
	return error;
}

static int pin_maps(const struct loader *loader, const char *path, struct diag_list *diags)
{
	struct bpf_map *const maps[] = {
		loader->skel->maps.pk_images,
		loader->skel->maps.pk_agents,
		loader->skel->maps.pk_cgroups,
	};

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		CLEAN_FREE char *pin = NULL;
		int r;

		if (asprintf(&pin, "%s/map_%s", path, bpf_map__name(maps[i])) < 0) {
			pin = NULL;
			return -ENOMEM;
		}
		r = bpf_obj_pin(bpf_map__fd(maps[i]), pin) ? -errno : 0;
		if (r)
			return pin_fail(diags, bpf_map__name(maps[i]), r, path);
	}
	return 0;
}

int loader_pin_links(struct loader *loader, const char *path, struct diag_list *diags)
{
	for (size_t i = 0; i < loader->link_count; i++) {
		CLEAN_FREE char *pin = NULL;
		int r;

		if (asprintf(&pin, "%s/link_%s", path, loader->link_names[i]) < 0) {
			pin = NULL;
			return -ENOMEM;
		}
		r = bpf_obj_pin(bpf_link__fd(loader->links[i]), pin) ? -errno : 0;
		if (r)
			return pin_fail(diags, loader->link_names[i], r, path);
	}
	return 0;
}

int loader_pin(struct loader *loader, const char *path, struct diag_list *diags)
{
	int r = loader_pin_links(loader, path, diags);

	return r ? r : pin_maps(loader, path, diags);
}

void loader_close(struct loader *loader)
{
	for (size_t i = 0; i < loader->link_count; i++)
		(void)bpf_link__destroy(loader->links[i]);
	mem_free_ptr(&loader->links);
	mem_free_ptr(&loader->link_names);
	picket_bpf__destroy(loader->skel);
	*loader = (struct loader){ 0 };
}
