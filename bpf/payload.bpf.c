/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The first bytes of a connection: which server they name, where only a name allowed the connection,
 * or where a rule denies names.
 *
 * The bytes are read in the order of the stream, however they are cut into packets; what comes again was
 * read, what comes too early is dropped and comes again. Bytes that lie in pages which the program can
 * still change (sendfile, splice, MSG_ZEROCOPY) may leave otherwise than they were read, and urgent ones
 * are not read in their place by the other side: either is no first payload.
 *
 *   the name is not allowed       the packet is dropped, the connection is over: nothing with payload
 *                                 leaves any more, and user space destroys the socket
 *   no memory for the reader      dropped
 *   image in audit mode           reported, passes, no longer looked at
 */
#include "picket.bpf.h"

#include "packet.bpf.h"

#include <picket/payload.h>

#include "ask.bpf.h"
#include "decide.bpf.h"
#include "flow.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define PK_HTTPS_PORT 443
#define PK_HTTP_PORT 80

/* A piece of the packet lies in the second half of the text area. */
#define PK_PIECE(s) ((s)->data + PK_PATH_MAX)

/* What reads the pieces of a packet. */
struct pk_feeding {
	struct __sk_buff *ctx;
	struct pk_scratch *s;
	struct pk_payload *payload;
	__u32 at; /* in the packet */
	__u32 left;
	__u32 bad;
	__u32 _pad;
};

/** One piece into the reader. Out of line: the reader is large. */
__noinline int pk_payload_piece(struct pk_scratch *s, struct pk_payload *payload, __u32 length)
{
	if (!s || !payload)
		return PK_PAYLOAD_BAD;
	return pk_payload_feed(payload, PK_PIECE(s), length);
}

static long pk_feed_piece(__u32 index, void *arg)
{
	struct pk_feeding *f = arg;
	__u64 length = f->left;

	if (!length)
		return 1;
	if (length > PK_CHUNK)
		length = PK_CHUNK;
	/* The length is in [1, 1024], said so that every verifier knows it. */
	asm volatile("%0 += -1\n%0 &= %1\n%0 += 1" : "+r"(length) : "i"(PK_CHUNK - 1));
	if (bpf_skb_load_bytes(f->ctx, f->at, PK_PIECE(f->s), length)) {
		f->bad = 1;
		return 1;
	}
	f->at += (__u32)length;
	f->left -= (__u32)length;
	return pk_payload_piece(f->s, f->payload, (__u32)length) != PK_PAYLOAD_MORE;
}

/* The reader of the connection under way, NULL when none of its bytes were read. */
static __always_inline struct pk_payload *pk_payload_find(struct __sk_buff *ctx,
							  const struct pk_flow *flow)
{
	struct bpf_sock *sk = pk_packet_socket(ctx);

	if (!sk || flow->started != PK_START_READ)
		return 0;
	return bpf_sk_storage_get(&pk_payloads, sk, 0, 0);
}

/* A connection begins whose first byte has the number @first. */
static __always_inline void pk_payload_start(struct __sk_buff *ctx, struct pk_flow *flow,
					     __u32 first)
{
	const struct pk_payload *payload = pk_payload_find(ctx, flow);

	/* A connection that begins again with the same numbers is the same one. */
	if (!payload || flow->next - payload->seen != first)
		pk_flow_begin(flow, first);
}

/* The reader of a connection whose start was seen; made with its first byte. NULL: no memory. */
static __always_inline struct pk_payload *pk_payload_make(struct __sk_buff *ctx,
							  struct pk_flow *flow)
{
	struct bpf_sock *sk = pk_packet_socket(ctx);
	struct pk_payload *payload;

	if (flow->started != PK_START_SYN)
		return pk_payload_find(ctx, flow);
	if (!sk)
		return 0;
	payload = bpf_sk_storage_get(&pk_payloads, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!payload)
		return 0;
	__builtin_memset(payload, 0, sizeof(*payload));
	flow->started = PK_START_READ;
	return payload;
}

/*
 * Does the packet hold pages that somebody can change behind the reader, SKBFL_ZEROCOPY_ENABLE or
 * SKBFL_SHARED_FRAG? True when that cannot be found out.
 */
static __always_inline bool pk_packet_shared(struct __sk_buff *ctx)
{
	const struct sk_buff *skb = (const void *)ctx;
	unsigned char *head;
	unsigned int end;
	__u8 flags;

	if (bpf_core_read(&head, sizeof(head), &skb->head) ||
	    bpf_core_read(&end, sizeof(end), &skb->end))
		return true;
	const struct skb_shared_info *info = (const void *)(head + end);

	return bpf_core_read(&flags, sizeof(flags), &info->flags) || (flags & 3);
}

/* The name that the first payload says, by the rules. */
static __always_inline void pk_payload_name(struct pk_scratch *s, const struct pk_payload *payload,
					    const struct pk_view *v, const struct pk_image *head,
					    __u32 check)
{
	struct pk_address key = { s->rq.address_hi, s->rq.address_lo };
	struct pk_query query = {
		.section = PK_SECTION_EGRESS,
		.access = PK_ACCESS_TCP,
		.port = s->rq.port,
		.subjects = s->rq.subjects,
	};
	struct pk_sets sets = {};
	struct pk_result result;
	__u32 set = 0;

	if (pk_address_sets(v, head, key, &sets) ||
	    pk_host_set(v, head, payload->name, payload->length, &set))
		return;
	sets.id[1] = set;
	/* The address allows, whatever the name; but a rule may deny it. */
	if (check == PK_CHECK_DENIED) {
		sets.id[0] = 0;
		query.flags = PK_JUDGE_RULES_ONLY;
	}
	result = pk_judge_sets(v, head, &sets, &query);
	s->finding.verdict = result.verdict;
	s->finding.reason = result.reason;
	s->finding.rule = result.rule;
}

/* What it means that the first payload names no server. */
static __always_inline __u32 pk_payload_unnamed(const struct pk_payload *payload, __u32 port)
{
	if (payload->state == PK_PAYLOAD_NAMELESS)
		return PK_REASON_NO_NAME;
	if (payload->state == PK_PAYLOAD_OTHER && port != PK_HTTPS_PORT && port != PK_HTTP_PORT)
		return 0;
	return PK_REASON_PAYLOAD;
}

/* May the name be judged, or is the reason this one? Port 443 is for TLS. */
static __always_inline __u32 pk_payload_reason(const struct pk_payload *payload, __u32 check,
					       __u32 port)
{
	if (payload->state == PK_PAYLOAD_NAMED) {
		if (check == PK_CHECK_NAME && port == PK_HTTPS_PORT &&
		    payload->protocol != PK_PROTOCOL_TLS)
			return PK_REASON_PAYLOAD;
		return 0;
	}
	return check == PK_CHECK_NAME ? pk_payload_unnamed(payload, port) : 0;
}

/** Judge what the first payload says into s->finding; @check is what for. Returns 0 for "allow". */
__noinline int pk_payload_judge(struct pk_scratch *s, const struct pk_payload *payload, __u32 check)
{
	const struct pk_image *head;
	struct pk_view view;
	__u32 reason;

	if (!s || !payload)
		return 1;
	__builtin_memset(&s->finding, 0, sizeof(s->finding));
	s->finding.verdict = PK_VERDICT_DENY;
	s->finding.reason = PK_REASON_IMAGE;
	s->finding.rule = PK_RULE_NONE;
	head = pk_head(s->rq.agent, &view);
	if (!head)
		return 1;
	s->finding.audit = head->flags & PK_IMAGE_AUDIT ? 1 : 0;
	reason = pk_payload_reason(payload, check, s->rq.port);
	if (reason) {
		s->finding.reason = reason;
		return 1;
	}
	if (payload->state != PK_PAYLOAD_NAMED)
		return 0;
	s->finding.image = pk_image_name(head);
	pk_payload_name(s, payload, &view, head, check);
	return s->finding.verdict != PK_VERDICT_ALLOW;
}

/* Both names into the event: the one said, and the one that allowed the connection. */
static __always_inline void pk_payload_event(struct pk_scratch *s, const struct pk_payload *payload,
					     const struct pk_flow *flow)
{
	__u64 hash = flow->host;
	const struct pk_host *host = bpf_map_lookup_elem(&pk_hosts, &hash);

	s->rq.op = PK_OP_NAME;
	s->rq.flags |= PK_REQUEST_BOTH;
	s->rq.length[0] = 0;
	s->rq.length[1] = 0;
	if (payload && payload->state == PK_PAYLOAD_NAMED && payload->length <= PK_HOST_MAX) {
		__builtin_memcpy(s->data, payload->name, PK_HOST_BUFFER);
		s->rq.length[0] = payload->length;
	}
	if (host && host->length <= PK_HOST_MAX) {
		__builtin_memcpy(s->data + PK_PATH_MAX, host->name, PK_HOST_BUFFER);
		s->rq.length[1] = host->length;
	}
	s->rq.detail = payload ? payload->protocol : PK_PROTOCOL_UNKNOWN;
}

/* The connection's first payload is not good (s->finding). Returns 1 in audit mode: it passes. */
static __always_inline int pk_payload_block(struct pk_scratch *s, const struct pk_payload *payload,
					    struct pk_flow *flow)
{
	pk_payload_event(s, payload, flow);
	flow->check = pk_report_as(s, flow) ? PK_CHECK_BLOCKED : PK_CHECK_NONE;
	return flow->check == PK_CHECK_NONE;
}

/* The same for what was not read. */
static __always_inline int pk_payload_refuse(struct pk_scratch *s, struct pk_payload *payload,
					     struct pk_flow *flow, __u32 reason)
{
	struct pk_view view;
	const struct pk_image *head = pk_head(s->rq.agent, &view);

	__builtin_memset(&s->finding, 0, sizeof(s->finding));
	s->finding.verdict = PK_VERDICT_DENY;
	s->finding.reason = reason;
	s->finding.rule = PK_RULE_NONE;
	s->finding.audit = head && (head->flags & PK_IMAGE_AUDIT) ? 1 : 0;
	return pk_payload_block(s, payload, flow);
}

/* Is the name that a rule asks about what was granted for the socket? */
static __always_inline bool pk_payload_granted(struct pk_scratch *s,
					       const struct pk_payload *payload)
{
	if (!pk_is_open(&s->finding))
		return false;
	s->finding.host = pk_host_hash(payload->name, payload->length, pk_host_seed);
	s->asked.cookie = s->event.cookie;
	return !pk_ask_socket(s) || s->finding.verdict == PK_VERDICT_ALLOW;
}

/* Judge when enough was read. Returns 1: the packet passes. */
static __always_inline int pk_payload_end(struct pk_scratch *s, struct pk_payload *payload,
					  struct pk_flow *flow)
{
	if (payload->state == PK_PAYLOAD_MORE)
		return 1;
	if (pk_payload_judge(s, payload, flow->check) && !pk_payload_granted(s, payload))
		return pk_payload_block(s, payload, flow);
	flow->check = PK_CHECK_NONE;
	return 1;
}

/** Read the packet's part of the first payload that is new, and judge. Returns 1: it passes. */
__noinline int pk_payload_read(struct __sk_buff *ctx, struct pk_scratch *s, struct pk_flow *flow,
			       struct pk_payload *payload, __u32 first)
{
	struct pk_feeding f = { .ctx = ctx, .s = s, .payload = payload };
	__u32 known;

	if (!s || !flow || !payload)
		return 0;
	known = flow->next - first;
	/* Ahead of what was read: it comes again. */
	if (known >> 31)
		return 0;
	/* What may be read otherwise by the receiver than here. */
	if ((s->packet.flags & PK_TCP_URG) || pk_packet_shared(ctx))
		return pk_payload_refuse(s, payload, flow, PK_REASON_PAYLOAD);
	if (known >= s->packet.length)
		return 1;
	f.at = s->packet.payload + known;
	f.left = s->packet.length - known;
	flow->next += f.left;
	bpf_loop(PK_PAYLOAD_MAX / PK_CHUNK + 1, pk_feed_piece, &f, 0);
	if (f.bad)
		return pk_payload_refuse(s, payload, flow, PK_REASON_PAYLOAD);
	return pk_payload_end(s, payload, flow);
}

/* First bytes that went unseen. */
static __always_inline int pk_payload_unseen(struct pk_scratch *s, struct pk_flow *flow)
{
	bool named = flow->check == PK_CHECK_NAME;

	return pk_payload_refuse(s, 0, flow, named ? PK_REASON_NO_NAME : PK_REASON_PAYLOAD);
}

__noinline int pk_payload_out(struct __sk_buff *ctx, struct pk_scratch *s, struct pk_flow *flow)
{
	struct pk_payload *payload;
	__u32 first;

	if (!s || !flow)
		return 0;
	first = s->packet.sequence;
	if (s->packet.flags & PK_TCP_SYN) {
		first++;
		pk_payload_start(ctx, flow, first);
	}
	if (!s->packet.length)
		return 1;
	if (flow->started == PK_START_NONE)
		return pk_payload_unseen(s, flow);
	payload = pk_payload_make(ctx, flow);
	return payload ? pk_payload_read(ctx, s, flow, payload, first) : 0;
}

__noinline int pk_payload_again(struct __sk_buff *ctx, struct pk_scratch *s, struct pk_flow *flow)
{
	struct pk_payload *payload;

	if (!s || !flow)
		return 0;
	payload = pk_payload_find(ctx, flow);
	if (payload && payload->state != PK_PAYLOAD_MORE)
		return pk_payload_end(s, payload, flow);
	if (flow->check == PK_CHECK_NAME)
		return pk_payload_unseen(s, flow);
	/* The connection is older than the wish to look at its first bytes. */
	flow->check = PK_CHECK_NONE;
	return 1;
}
