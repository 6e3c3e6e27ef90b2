/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps that load programs of the calibration object, one program a load. The programs are gone
 * when a step returns.
 */
#include "engine/features_steps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <probe.skel.h>

#include "base/mem.h"
#include "engine/bpflog.h"

static void close_probe(struct probe_bpf **probe)
{
	probe_bpf__destroy(*probe);
	*probe = NULL;
}

static void destroy_link(struct bpf_link **link)
{
	(void)bpf_link__destroy(*link);
	*link = NULL;
}

/* Load the calibration object with program @name alone. Returns 0 or -errno. */
static int load_one(const char *name, struct probe_bpf **ret_probe, struct bpf_program **ret_prog)
{
	CLEAN(close_probe) struct probe_bpf *probe = NULL;
	struct bpf_program *prog;
	int r;

	bpflog_start();
	probe = probe_bpf__open();
	if (!probe)
		return -errno;
	prog = bpf_object__find_program_by_name(probe->obj, name);
	if (!prog)
		return -ENOENT;
	(void)bpf_program__set_autoload(prog, true);
	r = probe_bpf__load(probe);
	if (r)
		return r;
	*ret_prog = prog;
	*ret_probe = TAKE_PTR(probe);
	return 0;
}

/* The end of libbpf's log in brackets, or "" when it adds nothing. */
static char *log_detail(void)
{
	CLEAN_FREE char *tail = bpflog_tail(2);
	char *detail = NULL;

	if (!tail || !*tail)
		return TAKE_PTR(tail);
	return asprintf(&detail, " (%s)", tail) < 0 ? NULL : detail;
}

static int refused(struct feature *step, const char *what, int error, const char *remedy)
{
	CLEAN_FREE char *detail = log_detail();

	if (!detail)
		return -ENOMEM;
	return step_failed(step, remedy, "%s: %s%s", what, strerror(-error), detail);
}

static int load_only(struct feature *step, const char *name, const char *ok, const char *bad)
{
	CLEAN(close_probe) struct probe_bpf *probe = NULL;
	struct bpf_program *prog = NULL;
	int r = load_one(name, &probe, &prog);

	if (r)
		return refused(
			step, bad, r,
			"use a kernel built with CONFIG_BPF_SYSCALL=y and CONFIG_CGROUP_BPF=y, "
			"and check what restricts bpf()");
	return step_ok(step, "%s", ok);
}

int step_cgroup_connect(struct features *f, struct feature *step)
{
	(void)f;
	return load_only(step, "pk_probe_addr", "programs on connections of a cgroup load",
			 "the kernel refuses a program on connections of a cgroup");
}

int step_cgroup_sock(struct features *f, struct feature *step)
{
	(void)f;
	return load_only(step, "pk_probe_sock", "programs on sockets of a cgroup load",
			 "the kernel refuses a program on sockets of a cgroup");
}

int step_cgroup_skb(struct features *f, struct feature *step)
{
	(void)f;
	return load_only(step, "pk_probe_skb", "programs on packets of a cgroup load",
			 "the kernel refuses a program on packets of a cgroup");
}

int step_migration(struct features *f, struct feature *step)
{
	(void)f;
	return load_only(step, "pk_probe_tp", "a program on cgroup migration loads",
			 "the kernel refuses a program on cgroup migration");
}

static int map_type(struct feature *step, enum bpf_map_type type, const char *name)
{
	int r;

	bpflog_start();
	r = libbpf_probe_bpf_map_type(type, NULL);
	if (r < 0)
		return refused(step, name, r, "check what restricts bpf()");
	if (r == 0)
		return step_failed(step, "use a kernel built with CONFIG_BPF_SYSCALL=y",
				   "the kernel has no %s", name);
	return step_ok(step, "a %s can be created", name);
}

int step_ringbuf(struct features *f, struct feature *step)
{
	(void)f;
	return map_type(step, BPF_MAP_TYPE_RINGBUF, "ring buffer");
}

int step_socket_storage(struct features *f, struct feature *step)
{
	(void)f;
	return map_type(step, BPF_MAP_TYPE_SK_STORAGE, "socket storage");
}

int step_task_storage(struct features *f, struct feature *step)
{
	(void)f;
	return map_type(step, BPF_MAP_TYPE_TASK_STORAGE, "task storage");
}

#define BLOCKED                                                                                    \
	"use a kernel built with CONFIG_DEBUG_INFO_BTF=y, CONFIG_BPF_LSM=y and "                   \
	"CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS=y, on a host that does not block BPF trampolines"

/* Load, attach, open a file, see that the program was called; else @idle is what helps. */
static int hook_runs(struct feature *step, const char *program, const char *kind, const char *idle)
{
	CLEAN(close_probe) struct probe_bpf *probe = NULL;
	CLEAN(destroy_link) struct bpf_link *link = NULL;
	CLEAN_FREE char *what = NULL;
	CLEAN_FD int fd = -1;
	struct bpf_program *prog = NULL;
	int r = load_one(program, &probe, &prog);

	if (asprintf(&what, "the kernel refuses to %s a program of type %s", r ? "load" : "attach",
		     kind) < 0)
		return -ENOMEM;
	if (r)
		return refused(step, what, r, BLOCKED);
	link = bpf_program__attach(prog);
	if (!link)
		return refused(step, what, -errno, BLOCKED);
	fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (__atomic_load_n(&probe->bss->pk_probe_calls, __ATOMIC_ACQUIRE) == 0)
		return step_failed(step, idle,
				   "a program of type %s attaches but the kernel never calls it",
				   kind);
	return step_ok(step, "a program of type %s loads, attaches and is called", kind);
}

int step_lsm_hook(struct features *f, struct feature *step)
{
	(void)f;
	return hook_runs(step, "pk_probe_lsm", "lsm",
			 "add 'bpf' to lsm= of the kernel's command line");
}

int step_modify_return(struct features *f, struct feature *step)
{
	(void)f;
	return hook_runs(step, "pk_probe_modret", "fmod_ret", BLOCKED);
}
