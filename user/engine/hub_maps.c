/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every process opens the same programs' object and has libbpf take the maps that are pinned instead
 * of making new ones. Read-only data belongs to the programs of one build, whose links it lies by.
 */
#include "engine/hub_parts.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

#include <picket.skel.h>

#include "base/mem.h"

int hub_build_own(struct hub_build *ret_build)
{
	const size_t shown = (HUB_BUILD_SIZE - 1) / 2;
	__u8 digest[EVP_MAX_MD_SIZE];
	unsigned int length = 0;
	size_t size = 0;
	const void *object = picket_bpf__elf_bytes(&size);

	*ret_build = (struct hub_build){ 0 };
	if (!EVP_Digest(object, size, digest, &length, EVP_sha256(), NULL) || length < shown)
		return -EIO;
	for (size_t i = 0; i < shown; i++)
		(void)snprintf(ret_build->name + 2 * i, 3, "%02x", digest[i]);
	return 0;
}

/*
 * The path of the map's pin (the caller frees), NULL when it has none. @set: the folder of the links
 * of programs to be loaded, by which their read-only data lies; or NULL.
 */
static int map_path(const struct hub *hub, const char *set, const struct picket_bpf *skel,
		    const struct bpf_map *map, char **ret_path)
{
	*ret_path = NULL;
	/* The kernel's version: everybody knows it. */
	if (map == skel->maps.kconfig || !bpf_map__autocreate(map))
		return 0;
	if (map == skel->maps.rodata && !set)
		return 0;
	if (map == skel->maps.rodata)
		*ret_path = hub_path(hub, set, HUB_MAP_PREFIX, "rodata");
	else if (map == skel->maps.bss)
		*ret_path = hub_path(hub, "", HUB_MAP_PREFIX, "bss");
	else
		*ret_path = hub_path(hub, "", HUB_MAP_PREFIX, bpf_map__name(map));
	return *ret_path ? 0 : -ENOMEM;
}

/** What is set before loading; the argument of set_up(). */
struct setting {
	const struct hub *hub;
	const struct hub_build *build;
	const char *set; /* folder of links, or NULL */
	__u64 seed; /* 0: a new one */
	__u32 release; /* slot whose labels are taken back, for the program that does it */
	__u32 heir; /* slot that gets them */
	bool calls; /* with the program at the entry of system calls */
	int error;
};

static void set_up(struct picket_bpf *skel, void *argument)
{
	struct setting *setting = argument;
	struct bpf_map *map;

	(void)bpf_map__set_autocreate(skel->maps.pk_refused_map, true);
	if (setting->seed)
		skel->rodata->pk_host_seed = setting->seed;
	skel->rodata->pk_release = setting->release;
	skel->rodata->pk_heir = setting->heir;
	if (setting->build->prepare)
		setting->build->prepare(skel, setting->build->argument);
	if (setting->calls)
		(void)bpf_program__set_autoload(skel->progs.pk_sys_enter, true);
	bpf_object__for_each_map(map, skel->obj) {
		CLEAN_FREE char *path = NULL;
		int r = map_path(setting->hub, setting->set, skel, map, &path);

		if (r == 0 && path)
			r = bpf_map__set_pin_path(map, path);
		if (r)
			setting->error = r;
	}
}

int hub_load(struct hub *hub, const struct hub_build *build, const struct loader_request *request,
	     struct loader *ret_loader, struct diag_list *diags)
{
	CLEAN(loader_close) struct loader loader = { 0 };
	struct setting setting = { .hub = hub,
				   .build = build,
				   .release = build->release,
				   .heir = build->heir,
				   .calls = build->calls };
	struct loader_request asked = *request;
	char set[32];
	int r = 0;

	hub_set_name(build->name, set);
	if (!request->only)
		setting.set = set;
	if (*hub->build)
		r = hub_rodata(hub, hub->build, "pk_host_seed", &setting.seed);
	if (r)
		return hub_damaged(hub, diags, "its read-only data cannot be read");
	asked.prepare = set_up;
	asked.argument = &setting;
	r = loader_load_request(&asked, &loader, diags);
	if (r == 0 && setting.error) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot pin maps: %s",
			       strerror(-setting.error));
		r = setting.error;
	}
	if (r)
		return r;
	loader.request.prepare = NULL;
	loader.request.argument = NULL;
	*ret_loader = loader;
	loader = (struct loader){ 0 };
	return 0;
}

static bool is_alike(const struct bpf_map *map, const struct bpf_map_info *info)
{
	return info->type == bpf_map__type(map) && info->key_size == bpf_map__key_size(map) &&
	       info->value_size == bpf_map__value_size(map) &&
	       info->max_entries == bpf_map__max_entries(map) &&
	       info->map_flags == bpf_map__map_flags(map);
}

static int check_map(const struct hub *hub, const struct bpf_map *map, const char *path,
		     struct diag_list *diags)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);
	CLEAN_FD int fd = bpf_obj_get(path);

	if (fd < 0)
		return hub_damaged(hub, diags, "'%s': %s", path + strlen(hub->pin_path) + 1,
				   strerror(errno));
	if (bpf_obj_get_info_by_fd(fd, &info, &size) || !is_alike(map, &info))
		return hub_damaged(hub, diags, "'%s' is another kind of map",
				   path + strlen(hub->pin_path) + 1);
	return 0;
}

static void free_btf(struct btf **btf)
{
	btf__free(*btf);
	*btf = NULL;
}

/* Where the variable is in the section that the map holds: it differs between builds. */
static int find_variable(const struct btf *btf, __u32 section, const char *name,
			 struct btf_var_secinfo *ret_place)
{
	const struct btf_type *type = btf__type_by_id(btf, section);
	const struct btf_var_secinfo *place;

	if (!type || !btf_is_datasec(type))
		return -EBADF;
	place = btf_var_secinfos(type);
	for (__u32 i = 0; i < btf_vlen(type); i++) {
		const struct btf_type *variable = btf__type_by_id(btf, place[i].type);
		const char *text = variable ? btf__name_by_offset(btf, variable->name_off) : NULL;

		if (text && strcmp(text, name) == 0) {
			*ret_place = place[i];
			return 0;
		}
	}
	return -ENOENT;
}

/** A variable in a map that is pinned. */
struct variable {
	int map; /* -1 = none */
	__u32 size; /* of the map's value */
	struct btf_var_secinfo place;
};

static void close_variable(struct variable *variable)
{
	mem_close_fd(&variable->map);
}

/* Find variable @name in the map pinned as @folder/map_@section. Returns 0 or -errno. */
static int open_variable(const struct hub *hub, const char *folder, const char *section,
			 const char *name, struct variable *variable)
{
	CLEAN_FREE char *path = hub_path(hub, folder, HUB_MAP_PREFIX, section);
	CLEAN(free_btf) struct btf *btf = NULL;
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);
	int r;

	variable->map = path ? bpf_obj_get(path) : -1;
	if (!path)
		return -ENOMEM;
	if (variable->map < 0 || bpf_obj_get_info_by_fd(variable->map, &info, &size))
		return -errno;
	if (info.type != BPF_MAP_TYPE_ARRAY || info.max_entries != 1)
		return -EBADF;
	btf = btf__load_from_kernel_by_id(info.btf_id);
	r = btf ? find_variable(btf, info.btf_value_type_id, name, &variable->place) : -EBADF;
	variable->size = info.value_size;
	if (r == 0 &&
	    (variable->place.size > sizeof(__u64) || variable->place.offset > info.value_size ||
	     variable->place.size > info.value_size - variable->place.offset))
		r = -EBADF;
	return r;
}

int hub_rodata(const struct hub *hub, const char *build, const char *name, __u64 *ret_value)
{
	CLEAN(close_variable) struct variable variable = { .map = -1 };
	CLEAN_FREE __u8 *bytes = NULL;
	const __u32 key = 0;
	char set[32];
	int r;

	hub_set_name(build, set);
	r = open_variable(hub, set, "rodata", name, &variable);
	if (r)
		return r;
	bytes = calloc(1, variable.size);
	if (!bytes)
		return -ENOMEM;
	if (bpf_map_lookup_elem(variable.map, &key, bytes))
		return -errno;
	*ret_value = 0;
	memcpy(ret_value, bytes + variable.place.offset, variable.place.size);
	return 0;
}

/* The words that user space and the programs of every build share must be where we have them. */
static int check_words(const struct hub *hub, const struct picket_bpf *skel,
		       struct diag_list *diags)
{
	const char *start = (const char *)skel->bss;
	const struct {
		const char *name;
		const __u32 *at;
	} words[] = {
		{ "pk_supervisor", &skel->bss->pk_supervisor },
		{ "pk_generation", &skel->bss->pk_generation },
		{ "pk_approvers", &skel->bss->pk_approvers },
		{ "pk_timing", &skel->bss->pk_timing },
		{ "pk_sampling", &skel->bss->pk_sampling },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		CLEAN(close_variable) struct variable variable = { .map = -1 };

		if (open_variable(hub, "", "bss", words[i].name, &variable) ||
		    variable.place.size != sizeof(__u32) ||
		    variable.place.offset != (size_t)((const char *)words[i].at - start))
			return hub_damaged(hub, diags, "'map_bss' has no '%s' where it belongs",
					   words[i].name);
	}
	return 0;
}

static void close_skel(struct picket_bpf **skel)
{
	picket_bpf__destroy(*skel);
	*skel = NULL;
}

int hub_check_maps(const struct hub *hub, struct diag_list *diags)
{
	CLEAN(close_skel) struct picket_bpf *skel = picket_bpf__open();
	struct bpf_map *map;
	int r;

	if (!skel)
		return -ENOMEM;
	loader_want_caches(skel, hub->tier);
	r = check_words(hub, skel, diags);
	if (r)
		return r;
	bpf_object__for_each_map(map, skel->obj) {
		CLEAN_FREE char *path = NULL;

		r = map_path(hub, NULL, skel, map, &path);
		if (r == 0 && path)
			r = check_map(hub, map, path, diags);
		if (r)
			return r;
	}
	return 0;
}

int hub_self(__u32 *ret_tgid)
{
	/* r0 = bpf_get_current_pid_tgid(); r0 >>= 32; exit */
	const struct bpf_insn program[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_current_pid_tgid },
		{ .code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = BPF_REG_0, .imm = 32 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, load, .prog_flags = BPF_F_SLEEPABLE);
	LIBBPF_OPTS(bpf_test_run_opts, run);
	CLEAN_FD int fd = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "pk_self", "GPL", program,
					sizeof(program) / sizeof(program[0]), &load);

	if (fd < 0 || bpf_prog_test_run_opts(fd, &run))
		return -errno;
	*ret_tgid = run.retval;
	return run.retval ? 0 : -ENODATA;
}
