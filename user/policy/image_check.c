/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_validate(): every structural promise of picket/image.h, checked on bytes from anywhere.
 * Each part is passed over once; no promise is taken from the image before it was checked.
 *
 * States are recognised by their heads: the slots are read in order, the first slot tagged
 * PK_SLOT_HEAD is a head, the slot behind it its set, and so on. Only heads so found are states.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "policy/asks.h"
#include "policy/image.h"
#include "policy/image_digest.h"
#include "policy/network_fill.h"

#define KNOWN_FLAGS                                                                                \
	(PK_IMAGE_AUDIT | PK_IMAGE_SNI | PK_IMAGE_DENIED_NAMES | PK_IMAGE_HOLD |                   \
	 PK_IMAGE_ASKS_EGRESS)

struct check {
	const __u8 *bytes;
	size_t size;
	const struct pk_image *head;
	__u8 *heads; /* bit i: slot i of the part is a state's head */
	__u32 *sorted_until; /* items i to sorted_until[i] - 1 are in a set's order */
	const char *why;
};

/* Bytes an element of each part has. */
static const __u32 element_size[PK_PART__MAX] = {
	[PK_PART_SLOTS] = sizeof(struct pk_slot),
	[PK_PART_SPANS] = sizeof(struct pk_span),
	[PK_PART_ITEMS] = sizeof(struct pk_item),
	[PK_PART_RULES] = sizeof(struct pk_rule),
	[PK_PART_STRINGS] = 1,
};

static bool fail(struct check *c, const char *why)
{
	c->why = why;
	return false;
}

static bool all_zero(const __u8 *bytes, size_t count)
{
	return !count || (bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
}

static const void *part(const struct check *c, enum pk_part which)
{
	return c->bytes + c->head->part[which].offset;
}

static __u32 part_count(const struct check *c, enum pk_part which)
{
	return c->head->part[which].size / element_size[which];
}

static bool check_frame(struct check *c)
{
	const struct pk_image *head = c->head;

	if (c->size < PK_PAGE_SIZE || c->size % PK_PAGE_SIZE)
		return fail(c, "its size is not whole pages");
	if (head->magic != PK_IMAGE_MAGIC)
		return fail(c, "it is not a policy image");
	if (head->version != PK_IMAGE_VERSION)
		return fail(c, "it has the format of another version");
	if (head->pages > PK_PAGES_MAX || (size_t)head->pages << PK_PAGE_SHIFT != c->size)
		return fail(c, "its size is not what its header says");
	return true;
}

static bool check_extents(struct check *c)
{
	__u64 end = sizeof(struct pk_image);

	for (int i = 0; i < PK_PART__MAX; i++) {
		const struct pk_extent *extent = &c->head->part[i];
		__u64 start = (end + 31) / 32 * 32;

		if (extent->offset != start || start + extent->size > c->size)
			return fail(c, "a part is out of place");
		if (extent->size % element_size[i])
			return fail(c, "a part ends inside an element");
		if (!all_zero(c->bytes + end, start - end))
			return fail(c, "the bytes between parts are not zero");
		end = start + extent->size;
	}
	if ((end + PK_PAGE_SIZE - 1) / PK_PAGE_SIZE != c->head->pages)
		return fail(c, "it has pages that nothing needs");
	if (!all_zero(c->bytes + end, c->size - end))
		return fail(c, "the bytes behind the parts are not zero");
	return true;
}

/* A mask of whole nibbles of existing layers. */
static bool check_nibbles(const struct check *c, __u32 mask)
{
	__u32 low = mask & 0x11111111U;

	return mask == low * 0xfU &&
	       (c->head->layers == PK_LAYERS_MAX || !(mask >> (c->head->layers * 4)));
}

/* An automaton that is there has a class for each byte, one that is not has nothing. */
static bool check_classes(struct check *c, __u32 start, __u32 dead, const __u8 classes[256])
{
	if (!start && (dead || !all_zero(classes, 256)))
		return fail(c, "it has classes of an automaton without states");
	for (int i = 0; i < 256 && start; i++)
		if (classes[i] < PK_CLASS_FIRST)
			return fail(c, "a byte has no class");
	return true;
}

static bool check_head(struct check *c)
{
	const struct pk_image *head = c->head;

	if (head->layers < 1 || head->layers > PK_LAYERS_MAX)
		return fail(c, "it has no layers or too many");
	if (head->flags & ~KNOWN_FLAGS || head->activity & ~(__u32)PK_ACTIVITY__ALL)
		return fail(c, "it has flags that this version does not know");
	for (int i = 0; i < PK_SECTION__MAX; i++) {
		const struct pk_default *def = &head->defaults[i];

		if (!check_nibbles(c, def->present) || !check_nibbles(c, def->deny) ||
		    !check_nibbles(c, def->ask) || (def->deny & def->ask) ||
		    ((def->deny | def->ask) & ~def->present))
			return fail(c, "a section's default is no verdict");
	}
	if (!network_valid(head))
		return fail(c, "what it says of DNS or of sockets is malformed");
	if (head->subjects & (head->subjects + 1) || head->subjects == PK_SUBJECTS_ALL)
		return fail(c, "its programs are not numbered in order");
	/* Those of paths are always there; whether they start anywhere is asked further on. */
	return check_classes(c, 1, 0, head->path_class) &&
	       check_classes(c, head->argv_start, head->argv_dead, head->argv_class) &&
	       check_classes(c, head->host_start, head->host_dead, head->host_class);
}

static bool check_string(const struct check *c, __u32 offset)
{
	const char *strings = part(c, PK_PART_STRINGS);

	return offset < c->head->part[PK_PART_STRINGS].size &&
	       (offset == 0 || strings[offset - 1] == '\0');
}

static bool check_strings(struct check *c)
{
	const char *strings = part(c, PK_PART_STRINGS);
	__u32 size = c->head->part[PK_PART_STRINGS].size;

	if (!size || strings[0] || strings[size - 1])
		return fail(c, "its texts have no end");
	if (!check_string(c, c->head->name))
		return fail(c, "its name is not a text");
	return true;
}

static bool known_access(__u8 section, __u8 access)
{
	static const __u8 all[PK_SECTION__MAX] = {
		[PK_SECTION_EGRESS] = PK_ACCESS_EGRESS | PK_ACCESS_ICMP,
		[PK_SECTION_FILES] = PK_ACCESS_FILES,
		[PK_SECTION_EXEC] = PK_ACCESS_RUN | PK_ACCESS_COMMAND,
		[PK_SECTION_UNIX] = PK_ACCESS_ABSTRACT,
		[PK_SECTION_SUBJECT] = PK_ACCESS_SUBJECT,
		[PK_SECTION_LISTEN] = PK_ACCESS_EGRESS,
		[PK_SECTION_ACCEPT] = PK_ACCESS_EGRESS,
	};

	if (section >= PK_SECTION__MAX || access & ~all[section])
		return false;
	/* Rules without items have no access. */
	return access || !all[section];
}

/* Entries that belong to no rule of the text come behind all that do. */
static bool is_extra(const struct pk_rule *rule)
{
	return rule->section == PK_SECTION_PROCESS || rule->section == PK_SECTION_SUBJECT;
}

static bool known_subjects(const struct check *c, const struct pk_rule *rule)
{
	if (rule->subjects == PK_SUBJECTS_ALL)
		return rule->section != PK_SECTION_SUBJECT;
	return rule->section != PK_SECTION_PROCESS && rule->section != PK_SECTION_SYSCALLS &&
	       __builtin_popcount(rule->subjects) == 1 && !(rule->subjects & ~c->head->subjects);
}

static bool check_rules(struct check *c)
{
	const struct pk_rule *rules = part(c, PK_PART_RULES);
	__u32 count = part_count(c, PK_PART_RULES);

	if (count > PK_RULES_MAX)
		return fail(c, "it has too many rules");
	for (__u32 i = 0; i < count; i++) {
		const struct pk_rule *rule = &rules[i];

		if (!check_string(c, rule->file) || !check_string(c, rule->text) ||
		    !check_string(c, rule->id) || !check_string(c, rule->reason))
			return fail(c, "a rule's text is not a text");
		if (rule->verdict >= PK_VERDICT__MAX || rule->layer >= c->head->layers ||
		    !known_access(rule->section, pk_rule_access(rule)) || !known_subjects(c, rule))
			return fail(c, "a rule is malformed");
		if (i && is_extra(&rules[i - 1]) > is_extra(rule))
			return fail(c, "its rules are not in the order of layers");
		if (i && !is_extra(rule) && rule->layer < rules[i - 1].layer)
			return fail(c, "its rules are not in the order of layers");
	}
	return true;
}

/* A reference to the words or the default that decide the switch @guard. */
static bool check_guard(const struct check *c, int guard)
{
	const struct pk_rule *rules = part(c, PK_PART_RULES);
	const struct pk_guards *guards = &c->head->guards;
	__u32 verdict = guards->deny >> guard & 1 ? PK_VERDICT_DENY :
			guards->ask >> guard & 1  ? PK_VERDICT_ASK :
						    PK_VERDICT_ALLOW;
	__u32 rule = guards->rule[guard];

	if (rule & PK_RULE_DEFAULT)
		return (rule & 0xff) == PK_SECTION_PROCESS &&
		       (rule & ~PK_RULE_DEFAULT) >> 8 < c->head->layers;
	return rule < part_count(c, PK_PART_RULES) && rules[rule].section == PK_SECTION_PROCESS &&
	       rules[rule].verdict == verdict;
}

static bool check_guards(struct check *c)
{
	const struct pk_guards *guards = &c->head->guards;

	if ((guards->deny | guards->ask) >> PK_GUARD__MAX || guards->_pad)
		return fail(c, "it has switches that this version does not know");
	if (guards->deny & guards->ask)
		return fail(c, "a switch is refused and asked about");
	if (guards->ask >> PK_GUARD_CAPABILITIES & 1)
		return fail(c, "it asks about capabilities");
	if (guards->capabilities && !(guards->deny >> PK_GUARD_CAPABILITIES & 1))
		return fail(c, "it refuses capabilities with the switch off");
	for (int i = 0; i < PK_GUARD__MAX; i++)
		if (!check_guard(c, i))
			return fail(c, "a switch is decided by nobody");
	return true;
}

static bool check_asks(struct check *c)
{
	const struct pk_rule *rules = part(c, PK_PART_RULES);

	if (!check_string(c, c->head->ask_hook) ||
	    !asks_valid(c->head, rules, part_count(c, PK_PART_RULES)))
		return fail(c, "what it says of approvals is malformed");
	return true;
}

static bool check_item(const struct check *c, const struct pk_item *item)
{
	const struct pk_rule *rules = part(c, PK_PART_RULES);
	const struct pk_rule *rule;

	if (item->rule >= part_count(c, PK_PART_RULES) || item->port_lo > item->port_hi)
		return false;
	if (item->section != PK_SECTION_EGRESS && item->section != PK_SECTION_LISTEN &&
	    item->section != PK_SECTION_ACCEPT && (item->port_lo != 0 || item->port_hi != 0xffff))
		return false;
	/* An event names the rule: it must be what the item does. */
	rule = &rules[item->rule];
	return item->layer == rule->layer && item->verdict == rule->verdict &&
	       item->section == rule->section && item->access == pk_rule_access(rule) &&
	       item->access && item->subjects == rule->subjects;
}

/* Sorted by rule and port. */
static bool in_order(const struct pk_item *a, const struct pk_item *b)
{
	return a->rule < b->rule || (a->rule == b->rule && a->port_hi < b->port_lo);
}

static bool check_items(struct check *c)
{
	const struct pk_item *items = part(c, PK_PART_ITEMS);
	__u32 count = part_count(c, PK_PART_ITEMS);

	c->sorted_until = malloc(((size_t)count + 1) * sizeof(*c->sorted_until));
	if (!c->sorted_until)
		return fail(c, "there is no memory to check it");
	for (__u32 i = count; i > 0; i--) {
		if (!check_item(c, &items[i - 1]))
			return fail(c, "an item of a rule set is malformed");
		c->sorted_until[i - 1] = i;
		if (i < count && in_order(&items[i - 1], &items[i]))
			c->sorted_until[i - 1] = c->sorted_until[i];
	}
	return true;
}

static bool check_set(const struct check *c, __u32 set)
{
	__u32 first = set >> 8;
	__u32 count = set & 0xff;

	if (!set)
		return true;
	return count && count <= PK_SET_MAX && first < part_count(c, PK_PART_ITEMS) &&
	       count <= c->sorted_until[first] - first;
}

static bool check_spans(struct check *c)
{
	const struct pk_span *spans = part(c, PK_PART_SPANS);
	__u32 count = part_count(c, PK_PART_SPANS);

	if (!count || count > PK_SPANS_MAX || count != c->head->span_count)
		return fail(c, "its address table has the wrong size");
	if (spans[0].from_hi || spans[0].from_lo)
		return fail(c, "its address table does not start at the first address");
	for (__u32 i = 0; i < count; i++) {
		const struct pk_span *span = &spans[i];

		if (!check_set(c, span->set) || span->_pad[0] || span->_pad[1] || span->_pad[2])
			return fail(c, "a span of addresses is malformed");
		if (i && (span->from_hi < span[-1].from_hi ||
			  (span->from_hi == span[-1].from_hi && span->from_lo <= span[-1].from_lo)))
			return fail(c, "its address table is not sorted");
	}
	return true;
}

static __u32 first_slot(const struct check *c)
{
	return c->head->part[PK_PART_SLOTS].offset / (__u32)sizeof(struct pk_slot);
}

/* True when the absolute index @state is a head that was found. */
static bool is_state(const struct check *c, __u32 state)
{
	__u32 index = state - first_slot(c);

	return index < part_count(c, PK_PART_SLOTS) && c->heads[index >> 3] >> (index & 7) & 1;
}

/* Find all heads; @alphabet slots behind each must exist. */
static bool find_heads(struct check *c, __u32 alphabet)
{
	const struct pk_slot *slots = part(c, PK_PART_SLOTS);
	__u32 count = part_count(c, PK_PART_SLOTS);

	c->heads = calloc((size_t)count / 8 + 1, 1);
	if (!c->heads)
		return fail(c, "there is no memory to check it");
	for (__u32 i = 0; i < count; i++) {
		if (slots[i].check != PK_SLOT_HEAD)
			continue;
		if (count - i <= alphabet || slots[i + 1].check != PK_SLOT_HEAD)
			return fail(c, "a state is cut off");
		c->heads[i >> 3] |= (__u8)(1U << (i & 7));
		i++;
	}
	return true;
}

static bool check_slot(const struct check *c, const struct pk_slot *slot, __u32 index,
		       __u32 alphabet)
{
	__u32 distance;

	if (!slot->check)
		return !slot->next;
	distance = first_slot(c) + index - slot->check;
	return is_state(c, slot->next) && is_state(c, slot->check) && distance >= PK_CLASS_FIRST &&
	       distance <= alphabet;
}

/* The state @dead, in which commands or host names end when no rule can match any more. */
static bool check_dead(struct check *c, __u32 dead)
{
	const struct pk_slot *slots = part(c, PK_PART_SLOTS);
	const struct pk_slot *head;

	if (!dead)
		return true;
	if (!is_state(c, dead))
		return fail(c, "its dead state is no state");
	head = &slots[dead - first_slot(c)];
	if (head[0].next != dead || head[1].next)
		return fail(c, "its dead state is alive");
	for (__u32 i = PK_CLASS_FIRST;
	     i < 256 && dead - first_slot(c) + i < part_count(c, PK_PART_SLOTS); i++)
		if (head[i].check == dead)
			return fail(c, "its dead state is alive");
	return true;
}

static bool check_slots(struct check *c)
{
	const struct pk_slot *slots = part(c, PK_PART_SLOTS);
	__u32 count = part_count(c, PK_PART_SLOTS);
	__u32 alphabet = 0;

	for (int i = 0; i < 256; i++) {
		if (c->head->path_class[i] > alphabet)
			alphabet = c->head->path_class[i];
		if (c->head->argv_class[i] > alphabet)
			alphabet = c->head->argv_class[i];
		if (c->head->host_class[i] > alphabet)
			alphabet = c->head->host_class[i];
	}
	if (!find_heads(c, alphabet))
		return false;
	for (int i = 0; i < PK_AUTOMATA; i++)
		if (!is_state(c, c->head->path_start[i]))
			return fail(c, "its start state is no state");
	if (c->head->argv_start && !is_state(c, c->head->argv_start))
		return fail(c, "its start state is no state");
	if (c->head->host_start && !is_state(c, c->head->host_start))
		return fail(c, "its start state is no state");
	for (__u32 i = 0; i < count; i++) {
		if (slots[i].check != PK_SLOT_HEAD) {
			if (!check_slot(c, &slots[i], i, alphabet))
				return fail(c, "a transition leads nowhere");
			continue;
		}
		if (!is_state(c, slots[i].next) || !check_set(c, slots[i + 1].next))
			return fail(c, "a state is malformed");
		i++;
	}
	return true;
}

static bool check_digest(struct check *c)
{
	__u8 digest[32];

	if (image_digest(c->bytes, c->size, digest))
		return fail(c, "its digest cannot be computed");
	if (memcmp(digest, c->head->digest, sizeof(digest)) != 0)
		return fail(c, "its digest is wrong: bytes were changed");
	return true;
}

int image_validate(const void *bytes, size_t size, const char **ret_why)
{
	struct check c = { .bytes = bytes, .size = size, .head = bytes };
	bool good;

	good = check_frame(&c) && check_digest(&c) && check_extents(&c) && check_head(&c) &&
	       check_strings(&c) && check_rules(&c) && check_guards(&c) && check_asks(&c) &&
	       check_items(&c) && check_spans(&c) && check_slots(&c) &&
	       check_dead(&c, c.head->argv_dead) && check_dead(&c, c.head->host_dead);
	free(c.heads);
	free(c.sorted_until);
	if (!good && ret_why)
		*ret_why = c.why;
	return good ? 0 : -EINVAL;
}
