/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding of event records. Refuses what the contract (picket/abi.h) does not allow; judges
 * nothing and shows nothing.
 */
#include "telemetry/event.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* Largest errno of Linux (MAX_ERRNO). */
#define ERRNO_MAX 4095

#define NS_PER_SECOND 1000000000ULL

static bool codes_in_range(const struct pk_event *e)
{
	return (e->kind == PK_EVENT_DECISION || e->kind == PK_EVENT_ACTIVITY) &&
	       e->op > PK_OP_NONE && e->op < PK_OP__MAX && e->verdict < PK_VERDICT__MAX &&
	       e->reason < PK_REASON__MAX && e->section < PK_SECTION__MAX && e->audit <= 1 &&
	       e->agent < PK_AGENTS_MAX && e->error >= 0 && e->error <= ERRNO_MAX &&
	       (e->section == PK_SECTION_PROCESS ? e->access < PK_GUARD__MAX :
						   e->access <= PK_ACCESS_FILES);
}

/* A rule reference has one of three forms; reasons that rest on one must have that form. */
static bool rule_well_formed(const struct pk_event *e)
{
	bool none = e->rule == PK_RULE_NONE;
	bool is_default = !none && (e->rule & PK_RULE_DEFAULT);
	__u32 rest = e->rule & ~PK_RULE_DEFAULT;

	if (is_default && ((rest & 0xff) >= PK_SECTION__MAX || rest >> 8 >= PK_LAYERS_MAX))
		return false;
	if (!none && !is_default && e->rule >= PK_RULES_MAX)
		return false;
	if (e->reason == PK_REASON_RULE)
		return !none && !is_default;
	if (e->reason == PK_REASON_DEFAULT)
		return is_default;
	if (e->reason == PK_REASON_GUARD)
		return e->section == PK_SECTION_PROCESS && !none;
	return true;
}

/* Take @length bytes at @offset of the @size bytes at @tail. */
static bool take_path(const char *tail, size_t size, size_t offset, size_t length,
		      struct event_path *ret_path)
{
	if (length == 0) {
		*ret_path = (struct event_path){ 0 };
		return true;
	}
	if (length > PK_PATH_MAX || offset > size || length > size - offset)
		return false;
	*ret_path = (struct event_path){ tail + offset, length };
	return true;
}

static bool has_nul(const struct event_path *path)
{
	return path->length > 0 && memchr(path->bytes, '\0', path->length);
}

/* Both paths; in the second one of a command a NUL ends each word. */
static bool take_paths(const char *tail, size_t size, struct event *event)
{
	const struct pk_event *head = &event->head;

	if (!take_path(tail, size, 0, head->path_length, &event->path) || has_nul(&event->path))
		return false;
	if (head->path2_length > 0 && head->path2_offset < head->path_length)
		return false;
	return take_path(tail, size, head->path2_offset, head->path2_length, &event->path2) &&
	       (head->op == PK_OP_COMMAND || !has_nul(&event->path2));
}

int event_decode(const void *bytes, size_t size, struct event *ret_event)
{
	const char *tail = (const char *)bytes + sizeof(struct pk_event);
	struct event event = { 0 };
	struct pk_event *head = &event.head;

	if (size < sizeof(*head) || size > PK_EVENT_MAX)
		return -EBADMSG;
	memcpy(head, bytes, sizeof(*head));
	if (head->abi != PK_ABI_VERSION)
		return -EPROTONOSUPPORT;
	if (head->size != size || !codes_in_range(head) || !rule_well_formed(head))
		return -EBADMSG;
	if (!take_paths(tail, size - sizeof(*head), &event))
		return -EBADMSG;
	memcpy(event.comm, head->comm, sizeof(head->comm));
	memcpy(event.parent_comm, head->parent_comm, sizeof(head->parent_comm));
	memcpy(event.target_comm, head->target_comm, sizeof(head->target_comm));
	*ret_event = event;
	return 0;
}

bool event_has_address(const struct event *event)
{
	return event->head.family == AF_INET || event->head.family == AF_INET6;
}

bool event_is_network(const struct event *event)
{
	switch (event->head.op) {
	case PK_OP_CONNECT:
	case PK_OP_SEND:
	case PK_OP_SOCKET:
	case PK_OP_BIND:
	case PK_OP_LISTEN:
	case PK_OP_ACCEPT:
	case PK_OP_DNS:
	case PK_OP_ANSWER:
	case PK_OP_NAME:
	case PK_OP_PACKET:
	case PK_OP_NETLINK:
		return true;
	default:
		return false;
	}
}

bool event_has_local(const struct event *event)
{
	return event->head.cookie != 0 && event_has_address(event);
}

const char *event_address(const __u8 address[static 16], char text[static EVENT_ADDRESS_SIZE])
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (memcmp(address, mapped, sizeof(mapped)) == 0)
		(void)inet_ntop(AF_INET, address + 12, text, EVENT_ADDRESS_SIZE);
	else
		(void)inet_ntop(AF_INET6, address, text, EVENT_ADDRESS_SIZE);
	return text;
}

__s64 event_clock_offset(void)
{
	struct timespec real = { 0 };
	struct timespec boot = { 0 };

	/* Neither clock can fail on a kernel that runs our programs. */
	(void)clock_gettime(CLOCK_REALTIME, &real);
	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	return (__s64)(real.tv_sec - boot.tv_sec) * (__s64)NS_PER_SECOND +
	       (real.tv_nsec - boot.tv_nsec);
}

struct timespec event_time(__u64 boottime_ns, __s64 clock_offset_ns)
{
	/* Unsigned: a stamp from a hostile or corrupt record wraps instead of overflowing. */
	__u64 ns = boottime_ns + (__u64)clock_offset_ns;

	return (struct timespec){
		.tv_sec = (time_t)(ns / NS_PER_SECOND),
		.tv_nsec = (long)(ns % NS_PER_SECOND),
	};
}
