/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses by the merged tables of both images, names by the pair of their automata. Each class is asked
 * at every port where an item of its sets begins or ends.
 */
#include "author/diff_network.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void reset_classes(struct diff_classes *classes)
{
	for (size_t i = 0; i < classes->count; i++)
		free(classes->items[i].name);
	free(classes->items);
}

static void reset_net(struct diff_net *net)
{
	diff_labels_reset(&net->labels);
	reset_classes(&net->addresses);
	reset_classes(&net->names);
}

static int compare_numbers(const void *a, const void *b)
{
	const __u32 *left = a;
	const __u32 *right = b;

	return (*left > *right) - (*left < *right);
}

void diff_ports_make(const struct diff_net *net, const struct diff_class *class, __u32 section,
		     struct diff_ports *ret_ports)
{
	const struct diff_label *label = &net->labels.labels[class->label];
	struct diff_ports all = { .starts = { 0, PK_DNS_PORT, PK_DNS_PORT + 1, 65536 },
				  .count = 4 };
	size_t kept = 0;

	for (size_t side = 0; side < DIFF_SIDES; side++) {
		const struct policy_image *image = net->work->images[side];
		const struct pk_item *items =
			(const void *)(image->bytes +
				       image_head(image)->part[PK_PART_ITEMS].offset);

		for (__u32 i = 0; i < (label->set[side] & 0xff) && i < PK_SET_MAX; i++) {
			const struct pk_item *item = &items[(label->set[side] >> 8) + i];

			if (item->section != section)
				continue;
			all.starts[all.count++] = item->port_lo;
			all.starts[all.count++] = item->port_hi + 1U;
		}
	}
	qsort(all.starts, all.count, sizeof(*all.starts), compare_numbers);
	for (size_t i = 0; i < all.count; i++)
		if (!i || all.starts[i] != all.starts[i - 1])
			ret_ports->starts[kept++] = all.starts[i];
	ret_ports->count = kept;
}

__u16 diff_ports_pick(__u32 low, __u32 high)
{
	static const __u16 known[] = { 443, 80, 22, 53, 8080, 1024 };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i] >= low && known[i] <= high)
			return known[i];
	return (__u16)(low ? low : high ? 1 : 0);
}

/* The verdicts of both sides on the address or name of a change. */
static int ask(const struct diff_work *work, const struct diff_asker *asker, __u32 section,
	       const struct diff_change *change, struct pk_result results[DIFF_SIDES])
{
	const struct decide_target to = {
		.address = change->has_address ? change->address : NULL,
		.host = change->key,
	};
	int r = 0;

	for (size_t i = 0; i < DIFF_SIDES && !r; i++) {
		const struct pk_query query = { section, change->access, change->port,
						asker->subjects[i], 0 };
		struct decided decided;
		struct pk_result question = { PK_VERDICT_ALLOW, PK_REASON_UNJUDGED, PK_RULE_NONE };

		if (section != PK_SECTION_EGRESS) {
			r = decide_address_query(work->images[i], change->address, &query,
						 &results[i]);
			continue;
		}
		r = decide_destination(work->images[i], &to, &query, &decided);
		if (!r && !to.address)
			r = decide_name(work->images[i], to.host, &question);
		results[i] = question.verdict > decided.result.verdict ? question : decided.result;
	}
	return r;
}

/* Can nothing about a class have changed? */
static bool is_settled(const struct diff_net *net, const struct diff_class *class, __u32 section)
{
	const struct pk_dns *before = &image_head(net->work->images[0])->dns;
	const struct pk_dns *after = &image_head(net->work->images[1])->dns;

	return net->labels.labels[class->label].same &&
	       diff_defaults_same(net->work, 1U << section) &&
	       (class->resolvers == 0 || class->resolvers == 3) &&
	       (!class->name ||
		(before->flags == after->flags && before->name_max == after->name_max &&
		 !before->resolver_count == !after->resolver_count));
}

/* What one class changes for one program, one bit of access, at all ports. */
static int compare_ports(struct diff_work *work, const struct diff_asker *asker,
			 struct diff_change *change, __u32 section, const struct diff_ports *ports)
{
	struct pk_result results[DIFF_SIDES];
	int r = 0;

	for (size_t i = 0; i + 1 < ports->count && !r; i++) {
		/* Echo requests have none. */
		if (change->access == PK_ACCESS_ICMP && section == PK_SECTION_EGRESS && i)
			break;
		change->has_port = change->access != PK_ACCESS_ICMP;
		change->port = change->has_port ?
				       diff_ports_pick(ports->starts[i], ports->starts[i + 1] - 1) :
				       0;
		r = ask(work, asker, section, change, results);
		if (r || results[0].verdict == results[1].verdict)
			continue;
		change->before = results[0];
		change->after = results[1];
		r = diff_add(work, change, asker);
	}
	return r;
}

static int compare_class(struct diff_net *net, const struct diff_class *class, enum diff_act act,
			 __u32 section)
{
	__u32 bits = section != PK_SECTION_EGRESS || class->name ?
			     PK_ACCESS_TCP | PK_ACCESS_UDP :
			     PK_ACCESS_TCP | PK_ACCESS_UDP | PK_ACCESS_ICMP;
	struct diff_change change = { .act = act, .key = class->name };
	struct diff_ports ports;
	int r = 0;

	if (is_settled(net, class, section))
		return 0;
	if (class->name)
		change.length = strlen(class->name);
	change.has_address = !class->name;
	memcpy(change.address, class->address, sizeof(change.address));
	diff_ports_make(net, class, section, &ports);
	net->work->burst = net->work->diff->count;
	for (size_t i = 0; i < net->work->asker_count && !r; i++)
		for (__u32 bit = 1; bit <= PK_ACCESS_ICMP && !r; bit <<= 1) {
			change.access = (__u8)bit;
			if (bits & bit)
				r = compare_ports(net->work, &net->work->askers[i], &change,
						  section, &ports);
		}
	return r;
}

static struct pk_address successor(struct pk_address a)
{
	a.lo++;
	a.hi += !a.lo;
	return a;
}

static int compare_addresses(const void *a, const void *b)
{
	const struct pk_address *left = a;
	const struct pk_address *right = b;

	if (left->hi != right->hi)
		return left->hi < right->hi ? -1 : 1;
	return (left->lo > right->lo) - (left->lo < right->lo);
}

/* Where a span of either table, or a resolver, begins or ends; sorted. */
static int list_starts(const struct diff_work *work, struct pk_address **ret_starts,
		       size_t *ret_count)
{
	const struct pk_image *heads[] = { image_head(work->images[0]),
					   image_head(work->images[1]) };
	struct pk_address *starts = calloc((size_t)heads[0]->span_count + heads[1]->span_count +
						   4 * PK_RESOLVERS_MAX + 4,
					   sizeof(*starts));
	size_t count = 0;

	if (!starts)
		return -ENOMEM;
	for (size_t side = 0; side < DIFF_SIDES; side++) {
		const struct pk_image *head = heads[side];
		const struct pk_span *spans = (const void *)(work->images[side]->bytes +
							     head->part[PK_PART_SPANS].offset);

		for (__u32 i = 0; i < head->span_count; i++)
			starts[count++] = (struct pk_address){ spans[i].from_hi, spans[i].from_lo };
		for (__u32 i = 0; i < head->dns.resolver_count && i < PK_RESOLVERS_MAX; i++) {
			starts[count] = (struct pk_address){ head->dns.resolvers[i][0],
							     head->dns.resolvers[i][1] };
			starts[count + 1] = successor(starts[count]);
			count += 2;
		}
	}
	/* No packet goes to 0.0.0.0 or ::, which mean this host: examples begin behind them. */
	starts[count++] = (struct pk_address){ 0, 1 };
	starts[count++] = (struct pk_address){ 0, 0x0000ffff00000000ULL };
	starts[count++] = (struct pk_address){ 0, 0x0000ffff00000001ULL };
	starts[count++] = (struct pk_address){ 0, 0x0001000000000000ULL };
	qsort(starts, count, sizeof(*starts), compare_addresses);
	*ret_starts = starts;
	*ret_count = count;
	return 0;
}

static void write_address(struct pk_address from, __u8 to[16])
{
	for (int i = 0; i < 8; i++) {
		to[i] = (__u8)(from.hi >> (56 - 8 * i));
		to[i + 8] = (__u8)(from.lo >> (56 - 8 * i));
	}
}

static bool is_v4(const __u8 address[16])
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

static __u8 resolvers_of(const struct diff_work *work, const __u8 address[16])
{
	const struct pk_query query = { PK_SECTION_EGRESS, PK_ACCESS_UDP, PK_DNS_PORT, 0, 0 };
	__u8 resolvers = 0;

	for (size_t i = 0; i < DIFF_SIDES; i++)
		if (decide_is_resolver(work->images[i], address, &query))
			resolvers |= (__u8)(1U << i);
	return resolvers;
}

/* The class of the interval that begins at @start; of several an IPv4 address is shown. */
static int add_address(struct diff_net *net, struct words *known, struct pk_address start)
{
	struct diff_class class = { .label = 0 };
	struct diff_classes *all = &net->addresses;
	struct pk_sets sets[DIFF_SIDES];
	__u32 number = 0;
	int r = 0;

	write_address(start, class.address);
	for (size_t i = 0; i < DIFF_SIDES && !r; i++)
		r = decide_address_sets(net->work->images[i], class.address, &sets[i]);
	if (!r)
		r = diff_label_of(&net->labels, sets[0].id[0], sets[1].id[0], &class.label);
	class.resolvers = resolvers_of(net->work, class.address);
	if (!r)
		r = words_push(known, class.label);
	if (!r)
		r = words_push(known, class.resolvers);
	if (!r)
		r = words_close(known, &number);
	if (r)
		return r;
	if (number < all->count) {
		if (is_v4(class.address) && !is_v4(all->items[number].address))
			memcpy(all->items[number].address, class.address, sizeof(class.address));
		return 0;
	}
	r = grow(&all->items, &all->room, all->count + 1, sizeof(class));
	if (!r)
		all->items[all->count++] = class;
	return r;
}

static int find_addresses(struct diff_net *net)
{
	CLEAN_FREE struct pk_address *starts = NULL;
	CLEAN(words_reset) struct words known = { 0 };
	size_t count = 0;
	int r = list_starts(net->work, &starts, &count);

	for (size_t i = 0; i < count && !r; i++) {
		const struct pk_address at = starts[i];
		bool nowhere = !at.hi && (!at.lo || at.lo == 0x0000ffff00000000ULL);

		if (!nowhere && (!i || compare_addresses(&at, &starts[i - 1]) != 0))
			r = add_address(net, &known, at);
	}
	return r;
}

enum { KIND_DIGIT, KIND_LETTER, KIND_LABEL_DOT };

static __u8 host_kind(__u8 byte)
{
	return byte >= '0' && byte <= '9'				  ? KIND_DIGIT :
	       (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '_' ? KIND_LETTER :
	       byte == '.'						  ? KIND_LABEL_DOT :
									    DIFF_NOWHERE;
}

/* Read backwards: the last label, which is no number, then others. */
static const struct diff_syntax host_syntax = {
	.kind = host_kind,
	.next = { { 1, 2, DIFF_NOWHERE },
		  { 1, 2, DIFF_NOWHERE },
		  { 2, 2, 3 },
		  { 4, 4, DIFF_NOWHERE },
		  { 4, 4, 3 } },
	.accepts = { [2] = true, [4] = true },
	.longest = PK_HOST_MAX,
};

static int visit_host(void *context, const __u32 *labels, const __u8 *key, size_t length)
{
	struct diff_net *net = context;
	struct diff_class class = { .label = labels[0], .name = calloc(1, length + 1) };
	int r = class.name ? 0 : -ENOMEM;

	for (size_t i = 0; i < length && !r; i++)
		class.name[i] = (char)key[length - 1 - i];
	if (!r)
		r = grow(&net->names.items, &net->names.room, net->names.count + 1, sizeof(class));
	if (r)
		free(class.name);
	else
		net->names.items[net->names.count++] = class;
	return r;
}

static int find_names(struct diff_net *net)
{
	CLEAN(automaton_reset) struct automaton pair = { 0 };
	CLEAN(automaton_reset) struct automaton small = { 0 };
	struct diff_machine machines[DIFF_SIDES];
	struct diff_bytes bytes;
	struct diff_walk walk = {
		.pairs = { &small },
		.count = 1,
		.bytes = &bytes,
		.syntax = &host_syntax,
		.visit = visit_host,
		.context = net,
		.most = diff_most_states(net->work),
	};
	int r;

	for (size_t i = 0; i < DIFF_SIDES; i++) {
		const struct pk_image *head = image_head(net->work->images[i]);

		machines[i] = (struct diff_machine){ net->work->images[i], head->host_start,
						     head->host_class };
	}
	diff_bytes_make(&bytes, machines, DIFF_SIDES, &host_syntax);
	r = diff_pair_build(machines, &bytes, &net->labels, &pair);
	if (!r)
		r = diff_pair_minimise(&pair, &net->labels, false, &small);
	return r ? r : diff_walk(&walk);
}

/* May it be asked for? Told where no connection to it changed. */
static int compare_question(struct diff_net *net, const struct diff_class *class)
{
	struct diff_change change = {
		.act = DIFF_LOOKUP,
		.key = class->name,
		.length = strlen(class->name),
	};
	const struct diff_work *work = net->work;
	int r = decide_name(work->images[0], class->name, &change.before);

	if (!r)
		r = decide_name(work->images[1], class->name, &change.after);
	if (r || change.before.verdict == change.after.verdict)
		return r;
	return diff_add(net->work, &change, &work->askers[0]);
}

static int compare_names(struct diff_net *net)
{
	int r = 0;

	for (size_t i = 0; i < net->names.count && !r; i++) {
		size_t changes = net->work->diff->count;

		r = compare_class(net, &net->names.items[i], DIFF_CONNECT, PK_SECTION_EGRESS);
		if (!r && net->work->diff->count == changes &&
		    !is_settled(net, &net->names.items[i], PK_SECTION_EGRESS))
			r = compare_question(net, &net->names.items[i]);
	}
	return r;
}

int diff_network(struct diff_work *work)
{
	static const struct {
		enum diff_act act;
		__u32 section;
	} ways[] = { { DIFF_CONNECT, PK_SECTION_EGRESS },
		     { DIFF_LISTEN, PK_SECTION_LISTEN },
		     { DIFF_ACCEPT, PK_SECTION_ACCEPT } };
	CLEAN(reset_net) struct diff_net net = { .work = work };
	int r;

	net.labels = diff_labels_make(work, 1U << PK_SECTION_EGRESS | 1U << PK_SECTION_LISTEN |
						    1U << PK_SECTION_ACCEPT);
	r = find_addresses(&net);
	for (size_t i = 0; i < net.addresses.count && !r; i++)
		for (size_t w = 0; w < sizeof(ways) / sizeof(*ways) && !r; w++)
			r = compare_class(&net, &net.addresses.items[i], ways[w].act,
					  ways[w].section);
	if (!r)
		r = find_names(&net);
	if (!r)
		r = compare_names(&net);
	return r ? r : diff_learned(&net);
}
