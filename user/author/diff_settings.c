/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is set once for the whole policy and is no act: what it was, what it is, and whether that opens
 * or closes.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "author/diff_work.h"
#include "base/escape.h"
#include "base/mem.h"
#include "base/text.h"
#include "policy/asks.h"
#include "policy/capabilities.h"
#include "policy/decide.h"
#include "policy/dump_network.h"
#include "policy/sockets.h"
#include "telemetry/names.h"

/* Takes both texts over. */
static int add(struct diff *diff, const char *name, char *before, char *after, enum diff_way way)
{
	CLEAN_FREE char *old = before;
	CLEAN_FREE char *new = after;
	CLEAN_FREE char *copy = strdup(name);
	int r;

	if (!old || !new || !copy)
		return -ENOMEM;
	r = grow(&diff->settings, &diff->setting_room, diff->setting_count + 1,
		 sizeof(*diff->settings));
	if (!r)
		diff->settings[diff->setting_count++] =
			(struct diff_setting){ TAKE_PTR(copy), TAKE_PTR(old), TAKE_PTR(new), way };
	return r;
}

/* Two words, which differ or are no setting. */
static int add_words(struct diff *diff, const char *name, const char *before, const char *after,
		     enum diff_way way)
{
	return strcmp(before, after) == 0 ? 0 : add(diff, name, strdup(before), strdup(after), way);
}

static enum diff_way way_of(bool more)
{
	return more ? DIFF_OPENS : DIFF_CLOSES;
}

/* Names of bits. */
static const char *socket_name(unsigned int bit)
{
	return bit < PK_SOCKET__MAX ? sockets_word(bit) : NULL;
}

static char *bits_text(__u64 bits, const char *(*name)(unsigned int bit))
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	const char *between = "";

	if (!to)
		return NULL;
	for (unsigned int i = 0; i < 64; i++) {
		if (!(bits >> i & 1))
			continue;
		if (name(i))
			(void)fprintf(to, "%s%s", between, name(i));
		else
			(void)fprintf(to, "%s%u", between, i);
		between = ", ";
	}
	(void)fputs(*between ? "" : "none", to);
	return text_close(to, &text) ? NULL : text;
}

/* Bits that differ, which is a change that way. */
static int compare_bits(struct diff *diff, const char *name, const __u64 bits[DIFF_SIDES],
			const char *(*word)(unsigned int bit), enum diff_way way)
{
	return bits[0] == bits[1] ?
		       0 :
		       add(diff, name, bits_text(bits[0], word), bits_text(bits[1], word), way);
}

static int compare_guards(const struct diff_work *work)
{
	char name[64];
	int r = 0;

	for (enum pk_guard guard = 0; guard < PK_GUARD__MAX && !r; guard++) {
		struct pk_result before = decide_guard(work->images[0], guard);
		struct pk_result after = decide_guard(work->images[1], guard);

		(void)snprintf(name, sizeof(name), "process.%s", names_guard(guard));
		r = add_words(work->diff, name, names_verdict(before.verdict),
			      names_verdict(after.verdict), way_of(after.verdict < before.verdict));
	}
	return r;
}

/* How a number is written, and which way a larger one is. */
struct amount {
	const char *unit;
	const char *zero;
	enum diff_way more;
};

static char *number_text(__u32 number, const struct amount *amount)
{
	char *text = NULL;

	if (!number)
		return strdup(amount->zero);
	return asprintf(&text, "%u%s", number, amount->unit) < 0 ? NULL : text;
}

static int compare_numbers(struct diff *diff, const char *name, const __u32 numbers[DIFF_SIDES],
			   const struct amount *amount)
{
	/* Zero is no limit. */
	bool grew = numbers[1] - 1 > numbers[0] - 1;
	enum diff_way less = amount->more == DIFF_OPENS	 ? DIFF_CLOSES :
			     amount->more == DIFF_CLOSES ? DIFF_OPENS :
							   DIFF_OTHER;

	if (numbers[0] == numbers[1])
		return 0;
	return add(diff, name, number_text(numbers[0], amount), number_text(numbers[1], amount),
		   grew ? amount->more : less);
}

static char *resolvers_text(const struct pk_dns *dns)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	char address[INET6_ADDRSTRLEN];

	if (!to)
		return NULL;
	for (__u32 i = 0; i < dns->resolver_count; i++) {
		dump_address(dns->resolvers[i][0], dns->resolvers[i][1], address);
		(void)fprintf(to, "%s%s", i ? ", " : "", address);
	}
	(void)fputs(dns->resolver_count ? "" : "none: DNS is not looked at", to);
	return text_close(to, &text) ? NULL : text;
}

static int compare_dns(const struct diff_work *work)
{
	const struct pk_dns *a = &image_head(work->images[0])->dns;
	const struct pk_dns *b = &image_head(work->images[1])->dns;
	struct diff *diff = work->diff;
	int r = 0;

	if (a->resolver_count != b->resolver_count ||
	    memcmp(a->resolvers, b->resolvers, sizeof(a->resolvers)) != 0)
		r = add(diff, "egress.dns.resolvers", resolvers_text(a), resolvers_text(b),
			!a->resolver_count ? DIFF_CLOSES : DIFF_OPENS);
	/* Where DNS is not looked at the rest means nothing. */
	if (r || !a->resolver_count || !b->resolver_count)
		return r;
	r = add_words(diff, "egress.dns.names", a->flags & PK_DNS_ANY_NAME ? "any" : "allowed",
		      b->flags & PK_DNS_ANY_NAME ? "any" : "allowed",
		      way_of(b->flags & PK_DNS_ANY_NAME));
	if (!r)
		r = add_words(diff, "egress.dns.private_answers",
			      a->flags & PK_DNS_PRIVATE ? "allow" : "deny",
			      b->flags & PK_DNS_PRIVATE ? "allow" : "deny",
			      way_of(b->flags & PK_DNS_PRIVATE));
	if (!r)
		r = compare_numbers(diff, "egress.dns.min_ttl",
				    (const __u32[]){ a->min_ttl, b->min_ttl },
				    &(struct amount){ "s", "0s", DIFF_OTHER });
	if (!r)
		r = compare_numbers(diff, "egress.dns.rate", (const __u32[]){ a->rate, b->rate },
				    &(struct amount){ "/s", "off", DIFF_OPENS });
	return r ? r :
		   compare_numbers(diff, "egress.dns.max_name",
				   (const __u32[]){ a->name_max, b->name_max },
				   &(struct amount){ "", "0", DIFF_OPENS });
}

/* An image without anything that asks has nothing to say of approvals. */
static int compare_approvals(const struct diff_work *work)
{
	const struct pk_image *a = image_head(work->images[0]);
	const struct pk_image *b = image_head(work->images[1]);
	struct diff *diff = work->diff;
	int r;

	if (!a->ask_timeout || !b->ask_timeout)
		return 0;
	r = add_words(diff, "approvals.on_ask", a->flags & PK_IMAGE_HOLD ? "hold" : "deny",
		      b->flags & PK_IMAGE_HOLD ? "hold" : "deny", DIFF_OTHER);
	if (!r)
		r = compare_numbers(diff, "approvals.timeout",
				    (const __u32[]){ a->ask_timeout, b->ask_timeout },
				    &(struct amount){ "s", "0s", DIFF_OTHER });
	if (!r)
		r = compare_numbers(diff, "approvals.approvers",
				    (const __u32[]){ a->ask_approvers, b->ask_approvers },
				    &(struct amount){ "", "0", DIFF_CLOSES });
	return r ? r :
		   add_words(diff, "approvals.hook", image_string(work->images[0], a->ask_hook),
			     image_string(work->images[1], b->ask_hook), DIFF_OTHER);
}

static int compare_modes(const struct diff_work *work)
{
	const struct pk_image *a = image_head(work->images[0]);
	const struct pk_image *b = image_head(work->images[1]);
	bool audit = b->flags & PK_IMAGE_AUDIT;
	int r = add_words(work->diff, "mode", a->flags & PK_IMAGE_AUDIT ? "audit" : "enforce",
			  audit ? "audit" : "enforce", way_of(audit));

	if (!r)
		r = compare_bits(work->diff, "sockets.allow",
				 (const __u64[]){ a->sockets, b->sockets }, socket_name,
				 way_of(b->sockets & ~a->sockets));
	if (!r)
		r = add_words(work->diff, "egress.tls.sni",
			      a->flags & PK_IMAGE_SNI ? "match" : "off",
			      b->flags & PK_IMAGE_SNI ? "match" : "off",
			      way_of(!(b->flags & PK_IMAGE_SNI)));
	if (!r)
		r = compare_numbers(work->diff, "report.rate", (const __u32[]){ a->rate, b->rate },
				    &(struct amount){ "/s", "off", DIFF_OTHER });
	return r;
}

static const char *activity_name(unsigned int bit)
{
	static const char *const words[] = { "exec", "connect", "write", "read" };

	return bit < sizeof(words) / sizeof(*words) ? words[bit] : NULL;
}

/* The calls that only the image of @side refuses. */
static int compare_calls(const struct diff_work *work, size_t side)
{
	const struct policy_image *image = work->images[side];
	__u32 count = image_head(image)->part[PK_PART_RULES].size / (__u32)sizeof(struct pk_rule);
	int r = 0;

	for (__u32 i = 0; i < count && !r; i++) {
		const struct pk_rule *rule = image_rule(image, i);
		const char *text = image_string(image, rule->text);
		CLEAN_FREE char *name = NULL;

		if (rule->section != PK_SECTION_SYSCALLS ||
		    decide_syscall(work->images[1 - side], text).verdict != PK_VERDICT_ALLOW)
			continue;
		if (asprintf(&name, "syscalls %s", text) < 0) {
			name = NULL;
			return -ENOMEM;
		}
		r = add_words(work->diff, name, side ? "allow" : "deny", side ? "deny" : "allow",
			      way_of(!side));
	}
	return r;
}

int diff_compare_settings(struct diff_work *work)
{
	const struct pk_image *a = image_head(work->images[0]);
	const struct pk_image *b = image_head(work->images[1]);
	/* Of what opens in part and closes in part it is the opening that somebody must see. */
	int r = compare_modes(work);

	if (!r)
		r = compare_guards(work);
	if (!r)
		r = compare_bits(work->diff, "process.capabilities refused",
				 (const __u64[]){ a->guards.capabilities, b->guards.capabilities },
				 capabilities_name,
				 way_of(a->guards.capabilities & ~b->guards.capabilities));
	if (!r)
		r = compare_calls(work, 0);
	if (!r)
		r = compare_calls(work, 1);
	if (!r)
		r = compare_dns(work);
	if (!r)
		r = compare_approvals(work);
	return r ? r :
		   compare_bits(work->diff, "report.activity",
				(const __u64[]){ a->activity, b->activity }, activity_name,
				DIFF_OTHER);
}
