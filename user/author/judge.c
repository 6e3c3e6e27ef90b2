/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An act is judged as if it happened now: what was recorded about it is its object, never the
 * verdict that it got.
 */
#include "author/judge.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netlink.h>

#include "author/judge_move.h"
#include "base/mem.h"
#include "policy/exec_words.h"

/*
 * Of renames and links that a rule lets pass: would they widen? What is moved is taken for a regular file, unless a
 * recorded refusal tells that it may be another: then the answer must hold for each.
 */
static bool judge_widening(const struct policy_image *image, const struct observation *act,
			   __u32 subjects, struct pk_result *result)
{
	enum judge_move move = judge_move(image, act, subjects);

	if (move == JUDGE_MOVE_WIDENS)
		*result = (struct pk_result){ PK_VERDICT_DENY, PK_REASON_WIDENS, PK_RULE_NONE };
	return move != JUDGE_MOVE_COPIES || act->reason != PK_REASON_WIDENS;
}

/* Of programs that are mapped only rules decide, no default. */
static void judge_mapped(const struct policy_image *image, const struct observation *act,
			 __u32 subjects, struct pk_result *result)
{
	struct pk_query query = { PK_SECTION_EXEC, PK_ACCESS_RUN, 0, subjects,
				  PK_JUDGE_RULES_ONLY };
	struct pk_result second;

	(void)decide_path_query(image, act->path, &query, &second);
	*result = decide_stricter(result, &second);
}

static bool judge_files(const struct policy_image *image, const struct observation *act,
			struct pk_query query, struct pk_result *ret_result)
{
	struct pk_result second;

	if (!act->path)
		return false;
	(void)decide_path_query(image, act->path, &query, ret_result);
	/* Both names of a rename or link must be allowed. */
	if (act->path2) {
		(void)decide_path_query(image, act->path2, &query, &second);
		*ret_result = decide_stricter(ret_result, &second);
	}
	if (ret_result->verdict == PK_VERDICT_DENY)
		return true;
	if (act->op == PK_OP_MMAP)
		judge_mapped(image, act, query.subjects, ret_result);
	if (act->path2 && (act->op == PK_OP_RENAME || act->op == PK_OP_LINK))
		return judge_widening(image, act, query.subjects, ret_result);
	return true;
}

/* The words as the recording has them: where one ended and the next began is a blank. */
static bool judge_command(const struct policy_image *image, const struct observation *act,
			  __u32 subjects, struct pk_result *ret_result)
{
	CLEAN_FREE char *words = strdup(act->command ? act->command : "");
	CLEAN_FREE char **argv = NULL;
	size_t count = 1;
	char *save = NULL;

	if (!act->path || !words)
		return false;
	argv = calloc(strlen(words) / 2 + 3, sizeof(*argv));
	if (!argv)
		return false;
	argv[0] = act->path;
	for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[count++] = word;
	(void)decide_command(image, act->path, argv, subjects, ret_result);
	return true;
}

static bool judge_destination(const struct policy_image *image, const struct observation *act,
			      struct pk_query query, struct pk_result *ret_result)
{
	const struct decide_target to = {
		.address = act->has_address ? act->address : NULL,
		.host = act->host,
	};
	struct decided decided;

	if (act->op == PK_OP_DNS || act->op == PK_OP_ANSWER) {
		if (!act->host)
			return false;
		(void)decide_name(image, act->host, ret_result);
		if (act->alias && ret_result->verdict == PK_VERDICT_ALLOW)
			(void)decide_name(image, act->alias, ret_result);
		return true;
	}
	if (!to.address && !to.host)
		return false;
	(void)decide_destination(image, &to, &query, &decided);
	*ret_result = decided.result;
	/* Connecting a datagram socket sends nothing: resolvers do it to choose an address for TCP. */
	if (act->op == PK_OP_CONNECT && query.access == PK_ACCESS_UDP &&
	    ret_result->verdict != PK_VERDICT_ALLOW && ret_result->reason == PK_REASON_DEFAULT) {
		query.access = PK_ACCESS_TCP;
		(void)decide_destination(image, &to, &query, &decided);
		if (decided.result.verdict == PK_VERDICT_ALLOW)
			*ret_result = decided.result;
	}
	return true;
}

static unsigned int inet_kind(unsigned int plain, const struct observation *act)
{
	__u32 icmp = plain == PK_SOCKET_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	if (act->type == SOCK_RAW)
		return PK_SOCKET_RAW;
	if (act->type == SOCK_STREAM && (!act->protocol || act->protocol == IPPROTO_TCP))
		return plain;
	if (act->type == SOCK_DGRAM && (!act->protocol || act->protocol == IPPROTO_UDP))
		return plain;
	return act->type == SOCK_DGRAM && act->protocol == icmp ? PK_SOCKET_ICMP : PK_SOCKET__MAX;
}

unsigned int judge_socket_kind(const struct observation *act)
{
	if (act->op == PK_OP_NETLINK)
		return PK_SOCKET_NETLINK_ALL;
	switch (act->family) {
	case AF_UNIX:
		return PK_SOCKET_UNIX;
	case AF_INET:
		return inet_kind(PK_SOCKET_INET, act);
	case AF_INET6:
		return inet_kind(PK_SOCKET_INET6, act);
	case AF_NETLINK:
		return act->protocol == NETLINK_ROUTE ? PK_SOCKET_NETLINK : PK_SOCKET_NETLINK_ALL;
	case AF_PACKET:
		return PK_SOCKET_PACKET;
	case AF_CAN:
		return PK_SOCKET_CAN;
	case AF_BLUETOOTH:
		return PK_SOCKET_BLUETOOTH;
	case AF_ALG:
		return PK_SOCKET_ALG;
	case AF_VSOCK:
		return PK_SOCKET_VSOCK;
	case AF_XDP:
		return PK_SOCKET_XDP;
	default:
		return PK_SOCKET__MAX;
	}
}

static bool judge_kind(const struct policy_image *image, const struct observation *act,
		       struct pk_result *ret_result)
{
	unsigned int kind = judge_socket_kind(act);
	__u32 allowed = image_head(image)->sockets;

	if (kind == PK_SOCKET__MAX)
		return false;
	if (kind == PK_SOCKET_NETLINK && (allowed & 1U << PK_SOCKET_NETLINK_ALL))
		kind = PK_SOCKET_NETLINK_ALL;
	*ret_result = (struct pk_result){
		.verdict = allowed & 1U << kind ? PK_VERDICT_ALLOW : PK_VERDICT_DENY,
		.reason = PK_REASON_SOCKET,
		.rule = PK_RULE_NONE,
	};
	return true;
}

static bool judge_guard(const struct policy_image *image, const struct observation *act,
			struct pk_result *ret_result)
{
	if (act->access >= PK_GUARD__MAX)
		return false;
	*ret_result = decide_guard(image, (enum pk_guard)act->access);
	/* The switch is about those that it lists. */
	if (act->access == PK_GUARD_CAPABILITIES && act->capability &&
	    !(image_head(image)->guards.capabilities & act->capability))
		*ret_result = (struct pk_result){ PK_VERDICT_ALLOW, PK_REASON_GUARD, PK_RULE_NONE };
	return true;
}

/* Of what comes in, section listen is about where it arrives, and `from` about whom it is from. */
static bool judge_listener(const struct policy_image *image, const struct observation *act,
			   struct pk_query query, struct pk_result *ret_result)
{
	bool comes = act->op == PK_OP_ACCEPT;
	struct pk_result peer;

	if (!act->has_address || (comes && !act->has_local))
		return false;
	/* What programs there are is no matter to a peer. */
	if (comes)
		query.subjects = 0;
	(void)decide_address_query(image, comes ? act->local : act->address, &query, ret_result);
	if (!comes || ret_result->verdict != PK_VERDICT_ALLOW)
		return true;
	query.section = PK_SECTION_ACCEPT;
	(void)decide_address_query(image, act->address, &query, &peer);
	if (peer.verdict != PK_VERDICT_ALLOW)
		*ret_result = peer;
	return true;
}

/* Reasons that are about the act and not about a policy. */
static bool is_fixed(const struct observation *act)
{
	switch (act->reason) {
	case PK_REASON_UNJUDGED:
	case PK_REASON_RULE:
	case PK_REASON_DEFAULT:
	case PK_REASON_GUARD:
	case PK_REASON_SOCKET:
	case PK_REASON_NETLINK:
	case PK_REASON_APPROVAL:
	case PK_REASON_HELD:
	case PK_REASON_PENDING:
	case PK_REASON_UNHELD:
	case PK_REASON_GRANTED:
	case PK_REASON_REFUSED:
	case PK_REASON_WIDENS:
		return false;
	default:
		return true;
	}
}

bool judge_act(const struct policy_image *image, const struct observation *act,
	       struct pk_result *ret_result)
{
	struct pk_query query = {
		.section = act->section,
		.access = act->access,
		.port = act->port,
	};

	if (is_fixed(act))
		return false;
	if (act->by)
		(void)decide_subjects(image, act->by, &query.subjects);
	if (act->op == PK_OP_SOCKET || act->op == PK_OP_NETLINK)
		return judge_kind(image, act, ret_result);
	switch (act->section) {
	case PK_SECTION_FILES:
		return judge_files(image, act, query, ret_result);
	case PK_SECTION_EXEC:
		if (act->op == PK_OP_COMMAND)
			return judge_command(image, act, query.subjects, ret_result);
		if (act->op == PK_OP_EXEC && act->path)
			return decide_exec_as(image, act->path, query.subjects, ret_result) != -EIO;
		query.section = PK_SECTION_FILES;
		query.access = PK_ACCESS_EXEC;
		return judge_files(image, act, query, ret_result);
	case PK_SECTION_EGRESS:
		return judge_destination(image, act, query, ret_result);
	case PK_SECTION_LISTEN:
		return judge_listener(image, act, query, ret_result);
	case PK_SECTION_UNIX:
		if (!act->path)
			return false;
		return decide_abstract(image, act->path + (*act->path == '/'), query.subjects,
				       ret_result) != -EIO;
	case PK_SECTION_PROCESS:
		return judge_guard(image, act, ret_result);
	case PK_SECTION_SYSCALLS:
		if (!act->path || !*act->path)
			return false;
		*ret_result = decide_syscall(image, act->path);
		return true;
	default:
		return false;
	}
}
