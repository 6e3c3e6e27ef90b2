/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of the steps, what each tier needs of them, and the steps that need no BPF program. The
 * ones that load programs are in features_bpf.c.
 */
#include "engine/features.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include "base/mem.h"
#include "engine/features_steps.h"
#include "engine/mounts.h"

#define BPFFS_DEFAULT "/sys/fs/bpf"

static int step_set(struct feature *step, enum feature_state state, const char *format,
		    va_list args)
{
	step->state = state;
	if (vasprintf(&step->text, format, args) < 0) {
		step->text = NULL;
		return -ENOMEM;
	}
	return 0;
}

int step_ok(struct feature *step, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = step_set(step, FEATURE_OK, format, args);
	va_end(args);
	return r;
}

int step_failed(struct feature *step, const char *remedy, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = step_set(step, FEATURE_FAILED, format, args);
	va_end(args);
	if (r)
		return r;
	step->remedy = strdup(remedy);
	return step->remedy ? 0 : -ENOMEM;
}

/* Digits at *@text, at most four; moves *@text behind them. Returns 0 or -EINVAL. */
static int take_number(const char **text, unsigned int *ret_number)
{
	size_t digits = strspn(*text, "0123456789");

	if (digits == 0 || digits > 4)
		return -EINVAL;
	*ret_number = (unsigned int)strtoul(*text, NULL, 10);
	*text += digits;
	return 0;
}

int features_parse_release(const char *release, unsigned int *ret_major, unsigned int *ret_minor)
{
	unsigned int major;
	unsigned int minor;

	if (take_number(&release, &major) || *release++ != '.' || take_number(&release, &minor))
		return -EINVAL;
	*ret_major = major;
	*ret_minor = minor;
	return 0;
}

bool features_list_has(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (;;) {
		size_t item = strcspn(list, ",\n");

		if (item == length && strncmp(list, name, length) == 0)
			return true;
		if (list[item] != ',')
			return false;
		list += item + 1;
	}
}

static int step_kernel(struct features *f, struct feature *step)
{
	struct utsname name;
	unsigned int major = 0;
	unsigned int minor = 0;

	(void)f;
	if (uname(&name))
		return step_failed(step, "check what restricts this process", "uname: %m");
	if (features_parse_release(name.release, &major, &minor))
		return step_failed(step, "use a kernel with an ordinary release string",
				   "cannot tell the version of kernel '%s'", name.release);
	if (major < FEATURES_KERNEL_MAJOR ||
	    (major == FEATURES_KERNEL_MAJOR && minor < FEATURES_KERNEL_MINOR))
		return step_failed(step, "boot Linux 6.1 or newer",
				   "kernel '%s' is too old: picket needs Linux %d.%d", name.release,
				   FEATURES_KERNEL_MAJOR, FEATURES_KERNEL_MINOR);
	return step_ok(step, "Linux %s", name.release);
}

/* Number of the inode of the initial user namespace, fixed since it can be seen at all. */
#define INITIAL_USER_NAMESPACE 0xEFFFFFFDU

static int missing_capabilities(char *names, size_t size)
{
	static const struct {
		unsigned int number;
		const char *name;
	} needed[] = {
		{ CAP_BPF, "CAP_BPF" },
		{ CAP_PERFMON, "CAP_PERFMON" },
		{ CAP_NET_ADMIN, "CAP_NET_ADMIN" },
		{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN" },
	};
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	size_t used = 0;

	names[0] = '\0';
	if (syscall(SYS_capget, &header, data))
		return -errno;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		unsigned int number = needed[i].number;

		if (data[number / 32].effective & (1U << (number % 32)))
			continue;
		used += (size_t)snprintf(names + used, size - used, "%s%s", used ? ", " : "",
					 needed[i].name);
	}
	return 0;
}

static int step_privileges(struct features *f, struct feature *step)
{
	char missing[128];
	struct stat ns;
	int r = missing_capabilities(missing, sizeof(missing));

	(void)f;
	if (r)
		return step_failed(step, "run picket as root", "cannot read capabilities: %s",
				   strerror(-r));
	if (missing[0])
		return step_failed(step, "run picket as root, for example with sudo",
				   "missing privileges: %s", missing);
	if (stat("/proc/self/ns/user", &ns) == 0 && ns.st_ino != INITIAL_USER_NAMESPACE)
		return step_failed(step, "run picket outside of the user namespace",
				   "this process is root in a user namespace only");
	return step_ok(step, "CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_SYS_ADMIN are there");
}

static int step_cgroup(struct features *f, struct feature *step)
{
	static const char remedy[] =
		"mount it: mount -t cgroup2 none /sys/fs/cgroup (or another empty directory)";
	CLEAN(mount_place_reset) struct mount_place place = { 0 };
	struct statfs fs;
	int r = mounts_find_own("cgroup2", &place);

	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT)
		return step_failed(step, remedy, "no cgroup2 file system is mounted");
	if (r)
		return step_failed(step, "mount /proc", "cannot read '/proc/self/mountinfo': %s",
				   strerror(-r));
	if (statfs(place.point, &fs) || fs.f_type != CGROUP2_SUPER_MAGIC)
		return step_failed(step, "unmount what hides it",
				   "cgroup2 at '%s' is hidden by another mount", place.point);
	if (!place.writable)
		return step_failed(step, "make it writable: mount -o remount,rw",
				   "cgroup2 at '%s' is mounted read-only", place.point);
	f->cgroup_root = TAKE_PTR(place.point);
	return step_ok(step, "cgroup2 is mounted at '%s'", f->cgroup_root);
}

/* The file exists in every cgroup but the root: the answer needs a cgroup of ours for a moment. */
static int step_cgroup_kill(struct features *f, struct feature *step)
{
	CLEAN_FREE char *dir = NULL;
	CLEAN_FREE char *file = NULL;
	bool there;

	if (asprintf(&dir, "%s/picket-probe-%d", f->cgroup_root, getpid()) < 0 ||
	    asprintf(&file, "%s/cgroup.kill", dir) < 0)
		return -ENOMEM;
	if (mkdir(dir, 0755))
		return step_failed(step, "allow picket to create cgroups there",
				   "cannot create cgroup '%s': %m", dir);
	there = access(file, W_OK) == 0;
	(void)rmdir(dir);
	if (!there)
		return step_failed(step, "boot Linux 6.1 or newer",
				   "cgroups have no 'cgroup.kill' file");
	return step_ok(step, "cgroups can be created and killed");
}

static int step_bpffs(struct features *f, struct feature *step)
{
	CLEAN(mount_place_reset) struct mount_place place = { 0 };
	struct statfs fs;
	bool mounted = false;
	int r = mounts_find_own("bpf", &place);

	if (r == -ENOMEM)
		return r;
	if (r == 0 && statfs(place.point, &fs) == 0 && fs.f_type == BPF_FS_MAGIC && place.writable)
		f->bpffs = TAKE_PTR(place.point);
	if (f->bpffs)
		return step_ok(step, "the bpf file system is mounted at '%s'", f->bpffs);
	mounted = mount("bpf", BPFFS_DEFAULT, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC,
			"mode=0700") == 0;
	if (!mounted)
		return step_failed(step, "mount it: mount -t bpf bpf " BPFFS_DEFAULT,
				   "cannot mount the bpf file system at '%s': %m", BPFFS_DEFAULT);
	f->bpffs = strdup(BPFFS_DEFAULT);
	if (!f->bpffs)
		return -ENOMEM;
	return step_ok(step, "the bpf file system was mounted at '%s'", f->bpffs);
}

static int step_btf(struct features *f, struct feature *step)
{
	(void)f;
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return step_failed(step, "use a kernel built with CONFIG_DEBUG_INFO_BTF=y",
				   "cannot read '/sys/kernel/btf/vmlinux': %m");
	return step_ok(step, "the kernel describes its types in '/sys/kernel/btf/vmlinux'");
}

/* Open "lsm" of securityfs; a private, never attached mount when it is not mounted. */
static int open_lsm_list(void)
{
	CLEAN_FD int fs = -1;
	CLEAN_FD int mount_fd = -1;
	int fd = open("/sys/kernel/security/lsm", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	fs = fsopen("securityfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	mount_fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mount_fd < 0)
		return -errno;
	fd = openat(mount_fd, "lsm", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int step_lsm_list(struct features *f, struct feature *step)
{
	CLEAN_FD int fd = open_lsm_list();
	char list[512];
	ssize_t length;

	(void)f;
	if (fd < 0)
		return step_failed(step, "mount it: mount -t securityfs none /sys/kernel/security",
				   "cannot read the list of LSMs: %s", strerror(-fd));
	length = read(fd, list, sizeof(list) - 1);
	if (length < 0)
		return step_failed(step, "check what restricts this process",
				   "cannot read the list of LSMs: %m");
	list[length] = '\0';
	list[strcspn(list, "\n")] = '\0';
	if (!features_list_has(list, "bpf"))
		return step_failed(step, "add 'bpf' to lsm= of the kernel's command line",
				   "'bpf' is not among the active LSMs (%s)", list);
	return step_ok(step, "'bpf' is among the active LSMs (%s)", list);
}

/* One row a step: what it needs is a set of earlier steps. */
#define NEEDS(id) (1U << FEATURE_##id)
#define NEEDS_BPF (NEEDS(KERNEL) | NEEDS(PRIVILEGES))
#define NEEDS_TRAMPOLINE (NEEDS_BPF | NEEDS(BTF))

static const struct {
	const char *name;
	unsigned int needs;
	int (*try)(struct features *f, struct feature *step);
} steps[] = {
	[FEATURE_KERNEL] = { "kernel", 0, step_kernel },
	[FEATURE_PRIVILEGES] = { "privileges", 0, step_privileges },
	[FEATURE_CGROUP] = { "cgroup2", 0, step_cgroup },
	[FEATURE_CGROUP_KILL] = { "cgroup-kill", NEEDS(CGROUP) | NEEDS(PRIVILEGES),
				  step_cgroup_kill },
	[FEATURE_BPFFS] = { "bpffs", NEEDS(PRIVILEGES), step_bpffs },
	[FEATURE_RINGBUF] = { "ring-buffer", NEEDS_BPF, step_ringbuf },
	[FEATURE_CGROUP_CONNECT] = { "cgroup-connect", NEEDS_BPF, step_cgroup_connect },
	[FEATURE_CGROUP_SOCK] = { "cgroup-socket", NEEDS_BPF, step_cgroup_sock },
	[FEATURE_BTF] = { "btf", 0, step_btf },
	[FEATURE_TASK_STORAGE] = { "task-storage", NEEDS_TRAMPOLINE, step_task_storage },
	[FEATURE_MIGRATION] = { "migration", NEEDS_TRAMPOLINE, step_migration },
	[FEATURE_LSM_LIST] = { "lsm-list", 0, step_lsm_list },
	[FEATURE_LSM_HOOK] = { "lsm-hook", NEEDS_TRAMPOLINE, step_lsm_hook },
	[FEATURE_MODIFY_RETURN] = { "modify-return", NEEDS_TRAMPOLINE, step_modify_return },
};

_Static_assert(sizeof(steps) / sizeof(steps[0]) == FEATURE__MAX, "a row for every step");

#define TIER_NETWORK                                                                               \
	(NEEDS_BPF | NEEDS(CGROUP) | NEEDS(CGROUP_KILL) | NEEDS(BPFFS) | NEEDS(RINGBUF) |          \
	 NEEDS(CGROUP_CONNECT) | NEEDS(CGROUP_SOCK))
#define TIER_HOOKS (TIER_NETWORK | NEEDS(BTF) | NEEDS(TASK_STORAGE) | NEEDS(MIGRATION))

static const unsigned int tier_needs[] = {
	[PK_TIER_NETWORK] = TIER_NETWORK,
	[PK_TIER_MODIFY_RETURN] = TIER_HOOKS | NEEDS(MODIFY_RETURN),
	[PK_TIER_LSM] = TIER_HOOKS | NEEDS(LSM_HOOK),
};

_Static_assert(sizeof(tier_needs) / sizeof(tier_needs[0]) == PK_TIER__MAX, "a row for every tier");

static unsigned int ok_mask(const struct features *f)
{
	unsigned int mask = 0;

	for (unsigned int i = 0; i < FEATURE__MAX; i++) {
		if (f->items[i].state == FEATURE_OK)
			mask |= 1U << i;
	}
	return mask;
}

bool features_needs(enum pk_tier tier, enum feature_id id)
{
	return tier_needs[tier] & (1U << id);
}

int features_find_tier(const struct features *f, enum pk_tier limit)
{
	unsigned int ok = ok_mask(f);

	for (int tier = (int)limit; tier >= 0; tier--) {
		if ((tier_needs[tier] & ok) == tier_needs[tier])
			return tier;
	}
	return -1;
}

/* Is there anything to learn from step @id about tiers up to @limit? */
static bool is_worth_trying(const struct features *f, enum feature_id id, enum pk_tier limit)
{
	if ((steps[id].needs & ok_mask(f)) != steps[id].needs)
		return false;
	if (limit == PK_TIER__MAX)
		return true;
	if (features_find_tier(f, limit) == (int)limit)
		return false;
	for (int tier = (int)limit; tier >= 0; tier--) {
		if (features_needs((enum pk_tier)tier, id))
			return true;
	}
	return false;
}

int features_probe(enum pk_tier limit, struct features *ret_features)
{
	CLEAN(features_reset) struct features f = { .tier = -1 };

	for (unsigned int i = 0; i < FEATURE__MAX; i++)
		f.items[i].name = steps[i].name;
	for (unsigned int i = 0; i < FEATURE__MAX; i++) {
		int r = 0;

		if (is_worth_trying(&f, (enum feature_id)i, limit))
			r = steps[i].try(&f, &f.items[i]);
		if (r)
			return r;
	}
	f.tier = features_find_tier(&f, PK_TIER_LSM);
	*ret_features = f;
	f = (struct features){ .tier = -1 };
	return 0;
}

/* The step whose failure is the cause: what a step that was not tried needed, failed. */
static const struct feature *first_cause(const struct features *f, enum pk_tier tier)
{
	for (unsigned int i = 0; i < FEATURE__MAX; i++) {
		if (features_needs(tier, i) && f->items[i].state == FEATURE_FAILED)
			return &f->items[i];
	}
	return NULL;
}

int features_explain(const struct features *f, enum pk_tier tier, const char *what,
		     struct diag_list *diags)
{
	const struct feature *cause = first_cause(f, tier);
	const char *before = what ? what : "";
	const char *between = what ? ": " : "";

	if (f->tier >= 0 && (enum pk_tier)f->tier >= tier)
		return 0;
	if (!cause) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "%s%sit could not be found out what this kernel can do", before,
				   between),
			  "run 'picket doctor'");
		return -ENOTSUP;
	}
	diag_hint(diag_add(diags, DIAG_ERROR, NULL, "%s%s%s", before, between, cause->text), "%s",
		  cause->remedy);
	return cause == &f->items[FEATURE_PRIVILEGES] ? -EPERM : -ENOTSUP;
}

void features_reset(struct features *f)
{
	for (unsigned int i = 0; i < FEATURE__MAX; i++) {
		mem_free_ptr(&f->items[i].text);
		mem_free_ptr(&f->items[i].remedy);
	}
	mem_free_ptr(&f->cgroup_root);
	mem_free_ptr(&f->bpffs);
	*f = (struct features){ .tier = -1 };
}
