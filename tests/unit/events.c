/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds event records for tests. The defaults describe one plausible denial; a test changes the
 * fields it is about.
 */
#include "events.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void raw_event_paths(struct raw_event *raw, const char *path, const char *path2)
{
	size_t length = strlen(path);
	size_t length2 = path2 ? strlen(path2) : 0;

	assert(length <= PK_PATH_MAX && length2 <= PK_PATH_MAX);
	memcpy(raw->tail, path, length);
	if (path2)
		memcpy(raw->tail + length, path2, length2);
	raw->head.path_length = length;
	raw->head.path2_offset = length2 ? length : 0;
	raw->head.path2_length = length2;
	raw->head.size = sizeof(raw->head) + length + length2;
}

void raw_event_open(struct raw_event *raw, const char *path)
{
	memset(raw, 0, sizeof(*raw));
	raw->head = (struct pk_event){
		.abi = PK_ABI_VERSION,
		.kind = PK_EVENT_DECISION,
		.op = PK_OP_OPEN,
		.time_ns = 1000000000ULL * 3600,
		.agent = 1,
		.rule = PK_RULE_DEFAULT | PK_SECTION_FILES,
		.verdict = PK_VERDICT_DENY,
		.reason = PK_REASON_DEFAULT,
		.section = PK_SECTION_FILES,
		.access = PK_ACCESS_READ,
		.error = EACCES,
		.tgid = 4121,
		.tid = 4122,
		.uid = 1000,
		.gid = 100,
		.start_ns = 81232000000ULL,
		.parent_start_ns = 71232000000ULL,
		.parent_tgid = 4100,
		.cgroup = 77,
		.comm = "cat",
		.parent_comm = "bash",
	};
	raw_event_paths(raw, path, NULL);
}

void raw_event_connect(struct raw_event *raw, const char *address, unsigned int port)
{
	struct in_addr v4;
	int r;

	raw_event_open(raw, "");
	raw->head.op = PK_OP_CONNECT;
	raw->head.section = PK_SECTION_EGRESS;
	raw->head.rule = PK_RULE_DEFAULT | PK_SECTION_EGRESS;
	raw->head.access = PK_ACCESS_TCP;
	raw->head.protocol = IPPROTO_TCP;
	raw->head.error = EPERM;
	raw->head.port = port;
	memcpy(raw->head.comm, "curl", 5);
	if (inet_pton(AF_INET, address, &v4) == 1) {
		raw->head.family = AF_INET;
		raw->head.address[10] = 0xff;
		raw->head.address[11] = 0xff;
		memcpy(raw->head.address + 12, &v4, 4);
		return;
	}
	raw->head.family = AF_INET6;
	r = inet_pton(AF_INET6, address, raw->head.address);
	assert(r == 1);
	(void)r;
}

void raw_event_host(struct raw_event *raw, enum pk_op op, const char *host, const char *address,
		    unsigned int port)
{
	raw_event_connect(raw, address, port);
	raw_event_paths(raw, host, NULL);
	raw->head.op = op;
}

void raw_event_guard(struct raw_event *raw, enum pk_op op, enum pk_guard guard)
{
	raw_event_open(raw, "");
	raw->head.op = op;
	raw->head.section = PK_SECTION_PROCESS;
	raw->head.access = guard;
	raw->head.reason = PK_REASON_GUARD;
	raw->head.rule = PK_RULE_DEFAULT | PK_SECTION_PROCESS;
	raw->head.error = EPERM;
}

void raw_event_command(struct raw_event *raw, const char *program, const char *words, size_t size)
{
	raw_event_open(raw, program);
	raw->head.op = PK_OP_COMMAND;
	raw->head.section = PK_SECTION_EXEC;
	raw->head.access = PK_ACCESS_COMMAND;
	raw->head.rule = PK_RULE_DEFAULT | PK_SECTION_EXEC;
	memcpy(raw->tail + raw->head.path_length, words, size);
	raw->head.path2_offset = raw->head.path_length;
	raw->head.path2_length = size;
	raw->head.size += size;
}

struct event raw_event_decode(const struct raw_event *raw)
{
	struct event event;
	int r = event_decode(raw, raw->head.size, &event);

	/* A malformed record here is an error of the test itself. */
	if (r < 0)
		abort();
	return event;
}
