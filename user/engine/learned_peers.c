/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line of these files is "N: LOCAL:PORT REMOTE:PORT STATE ..."; an address is written as words of 32
 * bits in the machine's order.
 */
#include "engine/learned_peers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

/* Network namespaces of one agent that are looked at, and levels of cgroups. */
#define SPACES_MAX 64
#define DEPTH_MAX 16

/* States of TCP in which nothing goes to the other end; a socket of UDP has none but "connected". */
enum { TIME_WAIT_STATE = 6, LISTEN_STATE = 10 };

/* Namespaces that were read. */
struct walk {
	struct learned_peers *peers;
	ino_t spaces[SPACES_MAX];
	size_t count;
};

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static int add(struct learned_peers *peers, const __u8 address[16])
{
	/* Powers of two. */
	if ((peers->count & (peers->count - 1)) == 0) {
		size_t room = peers->count ? peers->count * 2 : 1;
		__u8(*grown)[16] = reallocarray(peers->items, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		peers->items = grown;
	}
	memcpy(peers->items[peers->count++], address, 16);
	return 0;
}

/* The address in 8 or 32 hexadecimal digits. */
static bool read_address(const char *digits, __u8 ret_address[static 16])
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };
	size_t words = strspn(digits, "0123456789ABCDEFabcdef") / 8;
	size_t first = words == 1 ? 12 : 0;
	char word[9] = "";

	if (words != 1 && words != 4)
		return false;
	memcpy(ret_address, mapped, sizeof(mapped));
	for (size_t i = 0; i < words; i++) {
		__u32 value;

		memcpy(word, digits + i * 8, 8);
		value = (__u32)strtoul(word, NULL, 16);
		memcpy(ret_address + first + i * 4, &value, sizeof(value));
	}
	return true;
}

/* Behind the next word, and the blanks in front of it. */
static const char *skip_word(const char *at)
{
	at += strspn(at, " ");
	return at + strcspn(at, " \n");
}

static int parse_line(const char *line, struct learned_peers *peers)
{
	const char *remote = skip_word(skip_word(line));
	const char *port = NULL;
	char *state = NULL;
	__u8 address[16];
	unsigned long number;

	remote += strspn(remote, " ");
	if (!read_address(remote, address))
		return 0;
	port = strpbrk(remote, ": \n");
	if (!port || *port != ':' || strtoul(port + 1, &state, 16) == 0)
		return 0;
	number = strtoul(state, NULL, 16);
	if (number == TIME_WAIT_STATE || number == LISTEN_STATE)
		return 0;
	return add(peers, address);
}

int learned_peers_parse(const char *text, struct learned_peers *peers)
{
	int r = 0;

	while (r == 0 && text && *text) {
		r = parse_line(text, peers);
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return r;
}

static int parse_file(int net, const char *name, struct learned_peers *peers)
{
	int fd = openat(net, name, O_RDONLY | O_CLOEXEC);
	CLEAN_FILE FILE *file = fd < 0 ? NULL : fdopen(fd, "re");
	CLEAN_FREE char *line = NULL;
	size_t size = 0;
	int r = 0;

	if (!file) {
		mem_close_fd(&fd);
		return 0;
	}
	while (r == 0 && getline(&line, &size, file) > 0)
		r = parse_line(line, peers);
	return r;
}

/* True when the namespace was not seen before, and there is room to note it. */
static bool is_new(struct walk *walk, ino_t space)
{
	for (size_t i = 0; i < walk->count; i++) {
		if (walk->spaces[i] == space)
			return false;
	}
	if (walk->count == SPACES_MAX)
		return false;
	walk->spaces[walk->count++] = space;
	return true;
}

static int read_process(struct walk *walk, const char *pid)
{
	static const char *const names[] = { "tcp", "tcp6", "udp", "udp6" };
	CLEAN_FD int net = -1;
	char path[64];
	struct stat st;
	int r = 0;

	(void)snprintf(path, sizeof(path), "/proc/%.20s/net", pid);
	net = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Each namespace has its own file; /proc/PID/ns would need the right to trace the process. */
	if (net < 0 || fstatat(net, "tcp", &st, 0) || !is_new(walk, st.st_ino))
		return 0;
	for (size_t i = 0; r == 0 && i < sizeof(names) / sizeof(names[0]); i++)
		r = parse_file(net, names[i], walk->peers);
	return r;
}

static int read_processes(struct walk *walk, int cgroup)
{
	int fd = openat(cgroup, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	CLEAN_FILE FILE *file = fd < 0 ? NULL : fdopen(fd, "re");
	char pid[32];
	int r = 0;

	if (!file) {
		mem_close_fd(&fd);
		return 0;
	}
	while (r == 0 && fgets(pid, sizeof(pid), file)) {
		pid[strcspn(pid, "\n")] = '\0';
		r = read_process(walk, pid);
	}
	return r;
}

static int read_tree(struct walk *walk, int cgroup, int depth)
{
	int copy = depth ? openat(cgroup, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *child;
	int r = read_processes(walk, cgroup);

	if (!dir) {
		mem_close_fd(&copy);
		return r;
	}
	while (r == 0 && (child = readdir(dir))) {
		CLEAN_FD int below = -1;

		if (child->d_type != DT_DIR || child->d_name[0] == '.')
			continue;
		below = openat(cgroup, child->d_name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below >= 0)
			r = read_tree(walk, below, depth - 1);
	}
	(void)closedir(dir);
	return r;
}

int learned_peers_read(int cgroup, struct learned_peers *ret_peers)
{
	struct walk walk = { .peers = ret_peers };
	int r = cgroup < 0 ? 0 : read_tree(&walk, cgroup, DEPTH_MAX);

	if (ret_peers->count)
		qsort(ret_peers->items, ret_peers->count, sizeof(*ret_peers->items), by_bytes);
	return r;
}

bool learned_peers_has(const struct learned_peers *peers, const __u8 address[static 16])
{
	return peers->count &&
	       bsearch(address, peers->items, peers->count, sizeof(*peers->items), by_bytes);
}

void learned_peers_reset(struct learned_peers *peers)
{
	mem_free_ptr(&peers->items);
	*peers = (struct learned_peers){ 0 };
}
