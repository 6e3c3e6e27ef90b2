/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the packet programs should do with a packet: the host's readers, and the matcher on the policy's
 * image. It knows nothing of packets' headers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "policy/decide.h"
#include "policy/matcher.h"

/* Once more, now that the loops are there. */
#include <picket/dns.h>
#include <picket/payload.h>

/* The bytes where the readers may look behind the end. */
static const __u8 *in_buffer(const struct seed *s)
{
	static __u8 buffer[2 * PK_DNS_MAX];

	memset(buffer, (int)random(), sizeof(buffer));
	memcpy(buffer, s->bytes, s->length);
	return buffer;
}

/* What the policy says of a name in a message. */
static struct pk_result judge_name(const struct policy_image *image, const struct pk_dns_name *name)
{
	const struct pk_image *head = image_head(image);
	struct pk_view view = image_view(image);
	__u32 set = 0;

	assert_int_equal(pk_host_set(&view, head, name->text, name->length, &set), 0);
	return pk_name_verdict(&view, head, set);
}

int expect_question(const struct policy_image *image, const struct seed *s)
{
	static struct pk_dns_question q;

	if (pk_dns_read_question(in_buffer(s), s->length, EXPECT_SEED, &q) ||
	    q.name.length > image_head(image)->dns.name_max)
		return 0;
	return judge_name(image, &q.name).verdict == PK_VERDICT_ALLOW;
}

bool found_has(const struct found *found, __u64 hi, __u64 lo)
{
	for (__u32 i = 0; i < found->count; i++)
		if (found->at[i].hi == hi && found->at[i].lo == lo)
			return true;
	return false;
}

static void note_address(const struct pk_dns_walk *w, struct found *found)
{
	struct pk_address address = { w->address_hi, w->address_lo };

	if (!pk_address_private(address) && !found_has(found, address.hi, address.lo)) {
		found->at[found->count].hi = address.hi;
		found->at[found->count++].lo = address.lo;
	}
}

static bool is_denied(const struct policy_image *image, const struct pk_dns_name *name)
{
	struct pk_result result = judge_name(image, name);

	return result.verdict == PK_VERDICT_DENY && result.reason != PK_REASON_DEFAULT;
}

int expect_answer(const struct policy_image *image, const struct seed *s,
		  const struct wire_io *asked, struct found *ret_found)
{
	static struct pk_dns_question q;
	static struct pk_dns_walk w;
	const __u8 *message = in_buffer(s);

	ret_found->count = 0;
	if (pk_dns_read_answer(message, s->length, EXPECT_SEED, &q, &w) ||
	    q.id != asked->asked_id || q.type != asked->asked_type ||
	    q.name.hash != asked->asked_host)
		return 0;
	for (__u32 i = 0; i < PK_DNS_CALLS_MAX; i++) {
		if (pk_dns_next(message, s->length, EXPECT_SEED, &w))
			return 0;
		if (w.what == PK_DNS_END)
			break;
		if (w.what == PK_DNS_ALIAS && is_denied(image, &w.name))
			return 0;
		if (w.what == PK_DNS_ADDRESS)
			note_address(&w, ret_found);
	}
	return 1;
}

void expect_asked(const struct seed *answer, struct wire_io *ret)
{
	static struct pk_dns_question q;
	static struct pk_dns_walk w;

	(void)pk_dns_read_answer(in_buffer(answer), answer->length, EXPECT_SEED, &q, &w);
	ret->asked_host = q.name.hash;
	ret->asked_id = q.id;
	ret->asked_type = q.type;
}

static int expect_name(const struct policy_image *image, const struct pk_payload *p, __u32 check,
		       __u16 port)
{
	struct pk_query query = { .section = PK_SECTION_EGRESS,
				  .access = PK_ACCESS_TCP,
				  .port = port };
	const struct pk_image *head = image_head(image);
	struct pk_view view = image_view(image);
	struct pk_sets sets = { 0 };

	if (check == CHECK_DENIED)
		query.flags = PK_JUDGE_RULES_ONLY;
	else if (port == 443 && p->protocol != PK_PROTOCOL_TLS)
		return 0;
	assert_int_equal(pk_host_set(&view, head, p->name, p->length, &sets.id[1]), 0);
	return pk_judge_sets(&view, head, &sets, &query).verdict == PK_VERDICT_ALLOW;
}

int expect_payload(const struct policy_image *image, const struct seed *s, __u32 check, __u16 port)
{
	static struct pk_payload p;
	const __u8 *bytes = in_buffer(s);

	memset(&p, 0, sizeof(p));
	for (__u32 at = 0; at < s->length && p.state == PK_PAYLOAD_MORE; at += PK_CHUNK) {
		__u32 size = s->length - at < PK_CHUNK ? s->length - at : PK_CHUNK;

		pk_payload_feed(&p, bytes + at, size);
	}
	if (p.state == PK_PAYLOAD_MORE)
		return 1;
	if (p.state == PK_PAYLOAD_NAMED)
		return expect_name(image, &p, check, port);
	if (check == CHECK_DENIED)
		return 1;
	return p.state == PK_PAYLOAD_OTHER && port != 443 && port != 80;
}
