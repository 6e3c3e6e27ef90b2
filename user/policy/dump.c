/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An image as text. Every text of the policy passes the escapes on its way out.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "policy/asks.h"
#include "policy/decide.h"
#include "policy/dump.h"
#include "policy/dump_network.h"
#include "telemetry/names.h"

static const void *part(const struct policy_image *image, enum pk_part which)
{
	return image->bytes + image_head(image)->part[which].offset;
}

static __u32 slot_count(const struct policy_image *image)
{
	return image_head(image)->part[PK_PART_SLOTS].size / (__u32)sizeof(struct pk_slot);
}

static __u32 item_count(const struct policy_image *image)
{
	return image_head(image)->part[PK_PART_ITEMS].size / (__u32)sizeof(struct pk_item);
}

static __u32 rule_count(const struct policy_image *image)
{
	return image_head(image)->part[PK_PART_RULES].size / (__u32)sizeof(struct pk_rule);
}

static void count_set(__u8 *seen, __u32 set, struct dump_figures *figures)
{
	/* Sets lie back to back: one set an index. */
	if (!set || seen[set >> 8])
		return;
	seen[set >> 8] = 1;
	figures->sets++;
}

static __u32 count_classes(const __u8 classes[256])
{
	__u32 count = 0;

	for (int i = 0; i < 256; i++)
		if (classes[i] - PK_CLASS_FIRST >= (int)count)
			count = (__u32)classes[i] - PK_CLASS_FIRST + 1;
	return count;
}

int dump_count(const struct policy_image *image, struct dump_figures *ret_figures)
{
	const struct pk_image *head = image_head(image);
	const struct pk_slot *slots = part(image, PK_PART_SLOTS);
	const struct pk_span *spans = part(image, PK_PART_SPANS);
	CLEAN_FREE __u8 *seen = calloc((size_t)item_count(image) + 1, 1);
	struct dump_figures figures = {
		.slots = slot_count(image),
		.spans = head->span_count,
		.items = item_count(image),
		.rules = rule_count(image),
	};

	if (!seen)
		return -ENOMEM;
	for (__u32 i = 0; i < figures.slots; i++) {
		if (slots[i].check == PK_SLOT_HEAD) {
			figures.states++;
			count_set(seen, slots[++i].next, &figures);
		} else {
			figures.transitions += slots[i].check != 0;
		}
	}
	for (__u32 i = 0; i < figures.spans; i++)
		count_set(seen, spans[i].set, &figures);
	figures.classes = count_classes(head->path_class);
	if (head->argv_start)
		figures.word_classes = count_classes(head->argv_class);
	if (head->host_start)
		figures.host_classes = count_classes(head->host_class);
	*ret_figures = figures;
	return 0;
}

static void write_text(const struct policy_image *image, __u32 offset, FILE *to)
{
	const char *text = image_string(image, offset);

	escape_write(to, text, strlen(text), '\'');
}

static void write_header(const struct policy_image *image, const struct dump_figures *figures,
			 FILE *to)
{
	const struct pk_image *head = image_head(image);

	fputs("image ", to);
	for (int i = 0; i < 32; i++)
		fprintf(to, "%02x", head->digest[i]);
	fputs("\n  name        '", to);
	write_text(image, head->name, to);
	fprintf(to, "'\n  format      %u, %zu bytes in %u pages\n", head->version, image->size,
		head->pages);
	fprintf(to, "  mode        %s\n", head->flags & PK_IMAGE_AUDIT ? "audit" : "enforce");
	fprintf(to, "  layers      %u\n", head->layers);
	fprintf(to, "  activity    %#x, %u a second%s\n", head->activity, head->rate,
		head->rate ? "" : " (no limit)");
	fprintf(to, "  automata    %u states, %u transitions, %u slots, %u byte classes\n",
		figures->states, figures->transitions, figures->slots, figures->classes);
	if (head->argv_start)
		fprintf(to, "  commands    looked at, %u byte classes\n", figures->word_classes);
	else
		fputs("  commands    no rule looks at them\n", to);
	if (head->host_start)
		fprintf(to, "  hosts       looked at, %u byte classes\n", figures->host_classes);
	else
		fputs("  hosts       no rule has a name\n", to);
	fprintf(to, "  addresses   %u spans\n", figures->spans);
	fprintf(to, "  rules       %u, in %u sets of %u items\n", figures->rules, figures->sets,
		figures->items);
}

static void write_defaults(const struct pk_image *head, FILE *to)
{
	/* The others have no default. */
	static const enum pk_section judged[] = {
		PK_SECTION_EGRESS, PK_SECTION_LISTEN, PK_SECTION_ACCEPT,
		PK_SECTION_FILES,  PK_SECTION_EXEC,   PK_SECTION_UNIX,
	};

	fputs("\ndefaults\n", to);
	for (size_t i = 0; i < sizeof(judged) / sizeof(*judged); i++) {
		enum pk_section s = judged[i];
		const struct pk_default *def = &head->defaults[s];

		for (__u32 layer = 0; layer < head->layers; layer++) {
			__u32 bit = 1U << (layer * 4);
			const char *word = def->deny & bit ? names_verdict(PK_VERDICT_DENY) :
					   def->ask & bit  ? names_verdict(PK_VERDICT_ASK) :
							     names_verdict(PK_VERDICT_ALLOW);

			fprintf(to, "  layer %u  %-7s %s\n", layer, names_section(s),
				def->present & bit ? word : "not judged");
		}
	}
}

static void write_place(const struct policy_image *image, const struct pk_rule *rule, FILE *to)
{
	fputc('\'', to);
	write_text(image, rule->text, to);
	fputs("' at ", to);
	write_text(image, rule->file, to);
	fprintf(to, ":%u:%u", rule->line, rule->column);
}

static void write_guards(const struct policy_image *image, FILE *to)
{
	const struct pk_guards *guards = &image_head(image)->guards;

	fputs("\nprocess\n", to);
	for (__u32 g = 0; g < PK_GUARD__MAX; g++) {
		const struct pk_rule *rule = image_rule(image, guards->rule[g]);

		fprintf(to, "  %-14s %-5s ", names_guard(g),
			names_verdict(decide_guard(image, g).verdict));
		if (rule)
			write_place(image, rule, to);
		else
			fprintf(to, "default in layer %u",
				(guards->rule[g] & ~PK_RULE_DEFAULT) >> 8);
		fputc('\n', to);
	}
	fprintf(to, "  capabilities refused: %#llx\n", (unsigned long long)guards->capabilities);
}

/* The bits that programs have in rules with `by`, and what makes a program have them. */
static void write_subjects(const struct policy_image *image, __u32 rules, FILE *to)
{
	if (!image_head(image)->subjects)
		return;
	fputs("\nprograms of rules with 'by'\n", to);
	for (__u32 i = 0; i < rules; i++) {
		const struct pk_rule *rule = image_rule(image, i);

		if (rule->section != PK_SECTION_SUBJECT)
			continue;
		fprintf(to, "  bit %-2d ", __builtin_ctz(rule->subjects));
		write_place(image, rule, to);
		fputc('\n', to);
	}
}

static void write_rule(const struct policy_image *image, __u32 number, FILE *to)
{
	const struct pk_rule *rule = image_rule(image, number);
	char access[NAMES_ACCESS_SIZE];

	fprintf(to, "  %-5u layer %u  %-7s %-5s %-16s ", number, rule->layer,
		names_section(rule->section), names_verdict(rule->verdict),
		names_access(rule->section, pk_rule_access(rule), ",", access));
	write_place(image, rule, to);
	if (pk_rule_approvers(rule) > 1)
		fprintf(to, " approvers %u", pk_rule_approvers(rule));
	if (rule->subjects != PK_SUBJECTS_ALL)
		fprintf(to, " by bit %d", __builtin_ctz(rule->subjects));
	if (rule->id) {
		fputs(" id '", to);
		write_text(image, rule->id, to);
		fputc('\'', to);
	}
	if (rule->reason) {
		fputs(" reason '", to);
		write_text(image, rule->reason, to);
		fputc('\'', to);
	}
	fputc('\n', to);
}

/* "{3 7:80-443}": the rules of a set, egress items with their ports when they are not all. */
static void write_set(const struct policy_image *image, __u32 set, FILE *to)
{
	const struct pk_item *items = part(image, PK_PART_ITEMS);

	fputc('{', to);
	for (__u32 i = 0; i < (set & 0xff); i++) {
		const struct pk_item *item = &items[(set >> 8) + i];

		fprintf(to, "%s%u", i ? " " : "", item->rule);
		if (item->port_lo == item->port_hi)
			fprintf(to, ":%u", item->port_lo);
		else if (item->port_lo != 0 || item->port_hi != 0xffff)
			fprintf(to, ":%u-%u", item->port_lo, item->port_hi);
	}
	fputc('}', to);
}

static void write_address(const struct pk_span *span, FILE *to)
{
	char text[INET6_ADDRSTRLEN] = "";
	__u8 bytes[16];

	for (int i = 0; i < 8; i++) {
		bytes[i] = (__u8)(span->from_hi >> (56 - 8 * i));
		bytes[i + 8] = (__u8)(span->from_lo >> (56 - 8 * i));
	}
	(void)inet_ntop(AF_INET6, bytes, text, sizeof(text));
	fprintf(to, "%-39s", text);
}

static void write_spans(const struct policy_image *image, FILE *to)
{
	const struct pk_span *spans = part(image, PK_PART_SPANS);

	fputs("\naddresses (each span to the next one's first address)\n", to);
	for (__u32 i = 0; i < image_head(image)->span_count; i++) {
		fputs("  ", to);
		write_address(&spans[i], to);
		fputc(' ', to);
		write_set(image, spans[i].set, to);
		fputc('\n', to);
	}
}

/* The bytes of a class: a printable one as it is, many as ranges. */
static void write_class(const __u8 classes[256], __u32 class, FILE *to)
{
	for (int from = 0; from < 256; from++) {
		int last = from;

		if (classes[from] != class)
			continue;
		while (last < 255 && classes[last + 1] == class)
			last++;
		fprintf(to, from > ' ' && from < 0x7f ? " %c" : " %02x", from);
		if (last > from)
			fprintf(to, last > ' ' && last < 0x7f ? "-%c" : "-%02x", last);
		from = last;
	}
}

/** Whose states they are. */
enum states_of { OF_PATHS, OF_COMMANDS, OF_HOSTS };

/* The states of one alphabet. */
struct part_states {
	const struct policy_image *image;
	__u8 *of; /* by slot: enum states_of */
	__u32 *queue;
	__u32 queued;
	enum states_of marked; /* as whose they are found */
};

static void enqueue(struct part_states *s, __u32 state)
{
	__u32 first = image_head(s->image)->part[PK_PART_SLOTS].offset / 8;

	if (s->of[state - first] != OF_PATHS)
		return;
	s->of[state - first] = (__u8)s->marked;
	s->queue[s->queued++] = state;
}

/* Find the states that can be reached from @start, of commands or host names. */
static void find_states(struct part_states *s, __u32 start, enum states_of marked)
{
	const struct pk_image *head = image_head(s->image);
	const struct pk_slot *slots = (const struct pk_slot *)(const void *)s->image->bytes;
	__u32 last = head->part[PK_PART_SLOTS].offset / 8 + slot_count(s->image);

	s->marked = marked;
	s->queued = 0;
	if (start)
		enqueue(s, start);
	for (__u32 i = 0; i < s->queued; i++) {
		__u32 state = s->queue[i];

		enqueue(s, slots[state].next);
		for (__u32 c = PK_CLASS_FIRST; c < 256 && state + c < last; c++)
			if (slots[state + c].check == state)
				enqueue(s, slots[state + c].next);
	}
}

static void write_state(const struct policy_image *image, __u32 index, const __u8 classes[256],
			FILE *to)
{
	const struct pk_image *head = image_head(image);
	const struct pk_slot *slot = (const struct pk_slot *)(const void *)image->bytes + index;
	__u32 last = head->part[PK_PART_SLOTS].offset / 8 + slot_count(image);

	fprintf(to, "  %u%s ", index,
		index == head->path_start[0] ? " (start, from the root)" :
		index == head->path_start[1] ? " (start, floating)" :
		index == head->argv_start    ? " (start, commands)" :
		index == head->host_start    ? " (start, host names from their end)" :
					       "");
	write_set(image, slot[1].next, to);
	fprintf(to, " else %u\n", slot->next);
	for (__u32 class = PK_CLASS_FIRST; class < 256 && index + class < last; class ++) {
		if (slot[class].check != index)
			continue;
		fprintf(to, "    -> %u by", slot[class].next);
		write_class(classes, class, to);
		fputc('\n', to);
	}
}

static int write_states(const struct policy_image *image, FILE *to)
{
	const struct pk_image *head = image_head(image);
	const struct pk_slot *slots = part(image, PK_PART_SLOTS);
	__u32 first = head->part[PK_PART_SLOTS].offset / (__u32)sizeof(*slots);
	const __u8 *const classes[] = {
		[OF_PATHS] = head->path_class,
		[OF_COMMANDS] = head->argv_class,
		[OF_HOSTS] = head->host_class,
	};
	CLEAN_FREE __u8 *of = calloc(slot_count(image), sizeof(*of));
	CLEAN_FREE __u32 *queue = calloc(slot_count(image), sizeof(*queue));
	struct part_states states = { .image = image, .of = of, .queue = queue };

	if (!of || !queue)
		return -ENOMEM;
	find_states(&states, head->argv_start, OF_COMMANDS);
	find_states(&states, head->host_start, OF_HOSTS);
	fputs("\nstates\n", to);
	for (__u32 i = 0; i < slot_count(image); i++) {
		if (slots[i].check != PK_SLOT_HEAD)
			continue;
		write_state(image, first + i, classes[of[i]], to);
		i++;
	}
	return 0;
}

int dump_image(const struct policy_image *image, bool states, FILE *to)
{
	struct dump_figures figures;
	int r;

	r = dump_count(image, &figures);
	if (r)
		return r;
	write_header(image, &figures, to);
	write_defaults(image_head(image), to);
	fputs("\nnetwork\n", to);
	dump_network(image_head(image), to);
	if (asks_image(image))
		fputs("\napprovals\n", to);
	asks_dump(image, to);
	write_guards(image, to);
	write_subjects(image, figures.rules, to);
	fputs("\nrules\n", to);
	for (__u32 i = 0; i < figures.rules; i++)
		write_rule(image, i, to);
	write_spans(image, to);
	if (states)
		r = write_states(image, to);
	return r ? r : ferror(to) ? -EIO : 0;
}
