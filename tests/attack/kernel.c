/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts on the kernel itself: its code, its memory, its knobs, its keys, privileges that it gives.
 */
#include "attack.h"

#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <pty.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/swap.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>

static int bpf_call(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int make_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1
	};

	return bpf_call(BPF_MAP_CREATE, &attr);
}

static int act_bpf_map(char **a)
{
	(void)a;
	return opened(make_map());
}

/* bpf-next COMMAND: the first program (11), map (12), link (31) id of the system. */
static int act_bpf_next(char **a)
{
	union bpf_attr attr = { 0 };
	int r = bpf_call((int)number(a[0]), &attr);

	/* An answer too: there is none. */
	return r < 0 && errno == ENOENT ? 0 : r;
}

static int act_bpf_load(char **a)
{
	static const struct bpf_insn code[] = { { .code = 0xb7 }, { .code = 0x95 } };
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
				.insn_cnt = 2,
				.insns = (unsigned long)code,
				.license = (unsigned long)"GPL" };

	int fd = bpf_call(BPF_PROG_LOAD, &attr);

	(void)a;
	/* What this kernel thinks of the program does not matter: the call was let in. */
	return fd < 0 && (errno == EINVAL || errno == EACCES) ? 0 : opened(fd);
}

static int act_bpf_get(char **a)
{
	union bpf_attr attr = { .pathname = (unsigned long)a[0] };

	return opened(bpf_call(BPF_OBJ_GET, &attr));
}

static int act_bpf_pin(char **a)
{
	union bpf_attr attr = { .pathname = (unsigned long)a[0] };

	attr.bpf_fd = (unsigned)make_map();
	return (int)attr.bpf_fd < 0 ? -1 : bpf_call(BPF_OBJ_PIN, &attr);
}

/* A command number that no kernel knows. */
static int act_bpf_odd(char **a)
{
	union bpf_attr attr = { 0 };

	(void)a;
	return bpf_call(9999, &attr);
}

static int act_perf(char **a)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_CPU_CLOCK,
					.disabled = 1 };

	return opened((int)syscall(SYS_perf_event_open, &attr, (pid_t)number(a[0]),
				   (int)number(a[1]), -1, 0UL));
}

static int act_init_module(char **a)
{
	static const char image[64] = "not a module";

	(void)a;
	return (int)syscall(SYS_init_module, image, sizeof(image), "");
}

static int act_finit_module(char **a)
{
	int fd = open(a[0], O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : (int)syscall(SYS_finit_module, fd, "", 0);
}

static int act_delete_module(char **a)
{
	return (int)syscall(SYS_delete_module, a[0], O_NONBLOCK);
}

static int act_kexec(char **a)
{
	(void)a;
	return (int)syscall(SYS_kexec_load, 0UL, 0UL, NULL, 0UL);
}

static int act_kexec_file(char **a)
{
	int fd = open(a[0], O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : (int)syscall(SYS_kexec_file_load, fd, -1, 0UL, "", 4UL);
}

static int act_open(char **a)
{
	return opened(open(a[1], (int)number(a[0]) | O_CLOEXEC | O_NONBLOCK));
}

static int act_put(char **a)
{
	int fd = open(a[0], O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -1 : write(fd, a[1], strlen(a[1])) < 0 ? -1 : 0;
}

/* Write to a file of the kernel's what it holds: nothing changes. */
static int act_same(char **a)
{
	char text[4096];
	int fd = open(a[0], O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (n < 0 || close(fd))
		return -1;
	fd = open(a[0], O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -1 : write(fd, text, (size_t)n) < 0 ? -1 : 0;
}

static int act_iopl(char **a)
{
	(void)a;
	return iopl(3);
}

static int act_ioperm(char **a)
{
	(void)a;
	return ioperm(0x80, 1, 1);
}

static int act_syslog(char **a)
{
	char text[64];

	(void)a;
	return klogctl(3, text, sizeof(text)) < 0 ? -1 : 0;
}

static int act_settime(char **a)
{
	struct timespec now;

	(void)a;
	return clock_gettime(CLOCK_REALTIME, &now) || clock_settime(CLOCK_REALTIME, &now) ? -1 : 0;
}

static int act_adjtime(char **a)
{
	struct timex change = { .modes = ADJ_STATUS, .status = STA_UNSYNC };

	(void)a;
	return adjtimex(&change) < 0 ? -1 : 0;
}

static int act_hostname(char **a)
{
	char name[256];

	(void)a;
	return gethostname(name, sizeof(name)) || sethostname(name, strlen(name)) ? -1 : 0;
}

/* Ctrl-Alt-Del to init: harmless, and asks for the same right as turning the machine off. */
static int act_reboot(char **a)
{
	(void)a;
	return (int)syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			    LINUX_REBOOT_CMD_CAD_OFF, NULL);
}

static int act_swapon(char **a)
{
	return swapon(a[0], 0);
}

static int act_acct(char **a)
{
	(void)a;
	return acct(NULL);
}

static int act_quota(char **a)
{
	return (int)syscall(SYS_quotactl, 0x80000200, a[0], 0, a[0]);
}

/* A terminal of our own: type into it. */
static int act_terminal(char **a)
{
	int master, slave;

	if (openpty(&master, &slave, NULL, NULL, NULL))
		return -1;
	return ioctl(slave, (unsigned long)number(a[0]), "\2");
}

static int act_add_key(char **a)
{
	return syscall(SYS_add_key, "user", "attack", "x", 1UL, (int)number(a[0])) < 0 ? -1 : 0;
}

/* keyctl COMMAND KEY */
static int act_keyctl(char **a)
{
	char text[256];

	return syscall(SYS_keyctl, (int)number(a[0]), (int)number(a[1]), text, sizeof(text)) < 0 ?
		       -1 :
		       0;
}

static int act_request_key(char **a)
{
	return syscall(SYS_request_key, "user", a[0], NULL, 0) < 0 ? -1 : 0;
}

/* What this process is: run by the gain acts. */
static int act_whoami(char **a)
{
	unsigned long long caps = 0;
	char line[256];
	FILE *file = fopen("/proc/self/status", "re");

	(void)a;
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	snprintf(line, sizeof(line), "uid-%u-%s", geteuid(), caps ? "capable" : "plain");
	return say(line);
}

static int act_gain(char **a)
{
	char *argv[] = { a[0], "whoami", NULL };

	return execv(a[0], argv);
}

static int act_uffd(char **a)
{
	(void)a;
	return opened((int)syscall(SYS_userfaultfd, O_CLOEXEC));
}

static int act_chroot(char **a)
{
	return chroot(a[0]);
}

/* Give up every capability but ask for one in the bounding set again: prctl and capset. */
static int act_setuid(char **a)
{
	unsigned int id = (unsigned int)number(a[0]);

	return setresuid(id, id, id);
}

/* A system call by the 32-bit interface. */
static int act_int80(char **a)
{
	long r = number(a[0]);

#ifdef __x86_64__
	__asm__ volatile("int $0x80" : "+a"(r) : "b"(0L) : "memory", "r8", "r9", "r10", "r11");
#else
	r = -ENOSYS;
#endif
	return r < 0 ? fail((int)-r) : 0;
}

static const struct act acts[] = {
	{ "int80", 1, act_int80 },
	{ "bpf-map", 0, act_bpf_map },
	{ "bpf-next", 1, act_bpf_next },
	{ "bpf-load", 0, act_bpf_load },
	{ "bpf-get", 1, act_bpf_get },
	{ "bpf-pin", 1, act_bpf_pin },
	{ "bpf-odd", 0, act_bpf_odd },
	{ "perf", 2, act_perf },
	{ "init-module", 0, act_init_module },
	{ "finit-module", 1, act_finit_module },
	{ "delete-module", 1, act_delete_module },
	{ "kexec", 0, act_kexec },
	{ "kexec-file", 1, act_kexec_file },
	{ "open", 2, act_open },
	{ "put", 2, act_put },
	{ "same", 1, act_same },
	{ "iopl", 0, act_iopl },
	{ "ioperm", 0, act_ioperm },
	{ "syslog", 0, act_syslog },
	{ "settime", 0, act_settime },
	{ "adjtime", 0, act_adjtime },
	{ "hostname", 0, act_hostname },
	{ "reboot", 0, act_reboot },
	{ "swapon", 1, act_swapon },
	{ "acct", 0, act_acct },
	{ "quota", 1, act_quota },
	{ "terminal", 1, act_terminal },
	{ "add-key", 1, act_add_key },
	{ "keyctl", 2, act_keyctl },
	{ "request-key", 1, act_request_key },
	{ "whoami", 0, act_whoami },
	{ "gain", 1, act_gain },
	{ "userfaultfd", 0, act_uffd },
	{ "chroot", 1, act_chroot },
	{ "setuid", 1, act_setuid },
};

int main(int argc, char **argv)
{
	return attack_main(argc, argv, acts, COUNT(acts));
}
