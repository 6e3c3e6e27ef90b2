/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sender stands still until its datagram is read (note/send.h). So a datagram is looked at first,
 * then what the kernel told before is handed out, then the sender is looked up, while it is still there,
 * and only then is the datagram read: what the process does next belongs to the call, what it did does not.
 *
 * Whoever is confined may send anything. Descriptors that come along are given to threads that may wait
 * for their end, and the agent that sent them has no socket from then on: notes have none.
 */
#include "daemon/notes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include <bpf/libbpf.h>
#include <picket.skel.h>

#include "base/mem.h"
#include "control/closer.h"
#include "daemon/acl.h"
#include "daemon/daemon.h"
#include "daemon/notes_take.h"
#include "engine/own.h"
#include "note/note.h"
#include "telemetry/record.h"

#define NAME_SIZE (AGENT_ID_SIZE + sizeof(NOTES_SUFFIX))
/* Datagrams in a row, before others get their turn. */
#define BATCH 16
/* The kernel's SCM_MAX_FD. */
#define DESCRIPTORS_MAX 253

/* --- The folder ----------------------------------------------------------------------------------- */

int notes_open(struct daemon *daemon, struct diag_list *diags)
{
	struct notes *notes = &daemon->notes;

	(void)diags;
	notes->error = closer_new(&notes->closer);
	if (notes->error == 0 && mkdirat(daemon->run_fd, NOTES_FOLDER, 0711) && errno != EEXIST)
		notes->error = -errno;
	if (notes->error)
		return 0;
	notes->folder = openat(daemon->run_fd, NOTES_FOLDER,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (notes->folder < 0 || fchmod(notes->folder, 0711))
		notes->error = -errno;
	return 0;
}

/* Remove what is in @folder and no agent's of @daemon (NULL: all). */
static void sweep(int folder, const struct daemon *daemon)
{
	int copy = folder < 0 ? -1 : fcntl(folder, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *file;

	if (!dir) {
		mem_close_fd(&copy);
		return;
	}
	while ((file = readdir(dir))) {
		char id[AGENT_ID_SIZE];

		if (strcmp(file->d_name, ".") == 0 || strcmp(file->d_name, "..") == 0)
			continue;
		(void)snprintf(id, sizeof(id), "%.*s", (int)strcspn(file->d_name, "."),
			       file->d_name);
		if (!daemon || !registry_find(&daemon->registry, id))
			(void)unlinkat(folder, file->d_name, 0);
	}
	(void)closedir(dir);
}

void notes_sweep(struct daemon *daemon)
{
	sweep(daemon->notes.folder, daemon);
}

void notes_remove(int run_fd)
{
	CLEAN_FD int folder =
		openat(run_fd, NOTES_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	sweep(folder, NULL);
	(void)unlinkat(run_fd, NOTES_FOLDER, AT_REMOVEDIR);
}

static void drop_socket(struct daemon *daemon, struct agent_entry *entry);

void notes_close(struct daemon *daemon)
{
	struct agent_entry *entry;
	__u32 slot = 0;

	while ((entry = registry_next(&daemon->registry, slot))) {
		slot = entry->record.slot;
		drop_socket(daemon, entry);
	}
	mem_close_fd(&daemon->notes.folder);
	closer_free(&daemon->notes.closer);
	daemon->notes = (struct notes)NOTES_NONE;
}

/* --- One socket ----------------------------------------------------------------------------------- */

static int own_map(const struct daemon *daemon)
{
	return bpf_map__fd(daemon->hub.loader.skel->maps.pk_own);
}

static void socket_name(const struct agent_entry *entry, char name[NAME_SIZE])
{
	(void)snprintf(name, NAME_SIZE, "%s" NOTES_SUFFIX, entry->record.id);
}

/* Take the file away, one of an earlier picketd too. */
static void remove_file(struct daemon *daemon, const struct agent_entry *entry)
{
	CLEAN_FD int file = -1;
	char name[NAME_SIZE];

	socket_name(entry, name);
	file = openat(daemon->notes.folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0)
		return;
	(void)own_leave(own_map(daemon), file);
	(void)unlinkat(daemon->notes.folder, name, 0);
}

/* Not closed here: in its queue may lie what takes its time to be closed. */
static void drop_socket(struct daemon *daemon, struct agent_entry *entry)
{
	struct loop_source *source = &entry->notes.source;

	if (source->fd < 0)
		return;
	(void)epoll_ctl(daemon->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	closer_take(daemon->notes.closer, TAKE_FD(source->fd));
}

/* A socket in the folder that nobody may use yet. */
static int bind_socket(struct daemon *daemon, struct agent_entry *entry)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int yes = 1;
	char name[NAME_SIZE];
	mode_t before;
	int r = 0;

	if (fd < 0)
		return -errno;
	entry->notes.source.fd = fd;
	socket_name(entry, name);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s",
		       daemon->notes.folder, name);
	before = umask(0177);
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)))
		r = -errno;
	(void)umask(before);
	return r;
}

/* Protected first, then given to the agent and its owner. */
static int share_file(struct daemon *daemon, const struct agent_entry *entry)
{
	CLEAN_FD int file = -1;
	char name[NAME_SIZE];
	int r;

	socket_name(entry, name);
	file = openat(daemon->notes.folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0)
		return -errno;
	r = own_enter_feed(own_map(daemon), file, entry->record.slot);
	return r ? r : acl_share(file, entry->record.uid, ACL_WRITE);
}

static void take_all(void *context, __u32 events);

void note_socket_open(struct daemon *daemon, struct agent_entry *entry)
{
	struct notes *notes = &daemon->notes;
	int r;

	if (notes->folder < 0)
		return;
	remove_file(daemon, entry);
	r = bind_socket(daemon, entry);
	if (r == 0)
		r = share_file(daemon, entry);
	entry->notes.source.ready = take_all;
	entry->notes.source.context = entry;
	if (r == 0)
		r = loop_add(daemon->epoll, &entry->notes.source, EPOLLIN);
	notes->error = r;
	if (r == 0)
		return;
	remove_file(daemon, entry);
	mem_close_fd(&entry->notes.source.fd);
}

void note_socket_remove(struct daemon *daemon, struct agent_entry *entry)
{
	if (entry->notes.source.fd < 0)
		return;
	remove_file(daemon, entry);
	drop_socket(daemon, entry);
}

/* --- Datagrams ------------------------------------------------------------------------------------ */

/* One of them. */
struct datagram {
	char bytes[NOTE_MAX + 1]; /* one more than a note has */
	size_t length;
	pid_t pid; /* of the sender; 0 = not of our pid namespace */
};

/* Look at the next one. Returns 0, or -errno: there is none. */
static int peek(int fd, struct datagram *datagram)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec iov = { .iov_base = datagram->bytes, .iov_len = sizeof(datagram->bytes) };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &message, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *part = n < 0 ? NULL : CMSG_FIRSTHDR(&message);
	struct ucred sender = { 0 };

	if (n < 0)
		return -errno;
	if (part && part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_CREDENTIALS)
		memcpy(&sender, CMSG_DATA(part), sizeof(sender));
	datagram->length = (size_t)n;
	datagram->pid = sender.pid;
	return 0;
}

/* Give away the descriptors in a part of a message; how many there were. */
static size_t take_descriptors(struct closer *closer, const struct cmsghdr *part)
{
	size_t count = 0;

	if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
		return 0;
	for (; CMSG_LEN((count + 1) * sizeof(int)) <= part->cmsg_len; count++) {
		int fd;

		memcpy(&fd, CMSG_DATA(part) + count * sizeof(int), sizeof(fd));
		closer_take(closer, fd);
	}
	return count;
}

/* Read the one that was looked at, which lets its sender go on. Returns how many descriptors came. */
static size_t finish(struct notes *notes, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred)) +
					      CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	size_t count = 0;

	if (recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return 0;
	for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part;
	     part = CMSG_NXTHDR(&message, part))
		count += take_descriptors(notes->closer, part);
	return count;
}

/* Tell how many were dropped since that was told last. */
static void tell_dropped(struct daemon *daemon, struct agent_entry *entry)
{
	struct note_socket *socket = &entry->notes;
	json_t *record;

	if (socket->told == socket->dropped)
		return;
	record = record_new("loss", "lost", entry->record.id);
	(void)record_set_text(record, "class", "note");
	(void)record_set_text(record, "where", "queue");
	(void)record_set_number(record, "count", (json_int_t)(socket->dropped - socket->told));
	(void)record_set_number(record, "total", (json_int_t)socket->dropped);
	events_tell(&daemon->events, entry, record);
	socket->told = socket->dropped;
}

/* Is there a turn left in this second? */
bool notes_may_take(struct daemon *daemon, struct agent_entry *entry)
{
	struct note_socket *socket = &entry->notes;
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	if (socket->second != (__u64)now.tv_sec) {
		socket->second = (__u64)now.tv_sec;
		socket->count = 0;
		tell_dropped(daemon, entry);
	}
	if (socket->count++ < NOTES_RATE)
		return true;
	socket->dropped++;
	daemon->notes.dropped++;
	return false;
}

/* The datagram's sender waits meanwhile. */
static void take(struct daemon *daemon, struct agent_entry *entry, const struct datagram *datagram)
{
	struct notes *notes = &daemon->notes;
	struct note note;
	int r = note_decode(datagram->bytes, datagram->length, &note);

	if (r) {
		notes->malformed++;
		return;
	}
	r = notes_take(daemon, entry, &note, datagram->pid);
	if (r == 0)
		notes->taken++;
	else
		notes->refused++;
}

static void take_all(void *context, __u32 events)
{
	struct agent_entry *entry = context;
	struct daemon *daemon = entry->daemon;
	int fd = entry->notes.source.fd;
	struct datagram datagram = { 0 };

	(void)events;
	for (int i = 0; i < BATCH && peek(fd, &datagram) == 0; i++) {
		if (notes_may_take(daemon, entry))
			take(daemon, entry, &datagram);
		if (finish(&daemon->notes, fd) == 0)
			continue;
		daemon_say(daemon,
			   "agent '%s' (%s) sent descriptors with a note: it can send no more",
			   entry->record.id, entry->record.name);
		note_socket_remove(daemon, entry);
		return;
	}
}

json_t *notes_status(const struct daemon *daemon)
{
	const struct notes *notes = &daemon->notes;
	const struct agent_entry *entry;
	json_int_t counts[2] = { 0 };
	__u32 slot = 0;

	while ((entry = registry_next(&daemon->registry, slot))) {
		slot = entry->record.slot;
		counts[entry->notes.source.fd < 0]++;
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o*}", "agents", counts[0], "without",
			 counts[1], "taken", (json_int_t)notes->taken, "refused",
			 (json_int_t)notes->refused, "malformed", (json_int_t)notes->malformed,
			 "dropped", (json_int_t)notes->dropped, "error",
			 notes->error ? json_string(strerror(-notes->error)) : NULL);
}
