/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checked layers to image: runs the path, command, host and address parts, then lays the image out. All
 * that depends on more than one module of the compiler is decided here, nothing else.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "policy/asks.h"
#include "policy/comb.h"
#include "policy/commands.h"
#include "policy/compile.h"
#include "policy/guards.h"
#include "policy/hosts.h"
#include "policy/interval.h"
#include "policy/network_fill.h"
#include "policy/paths.h"
#include "policy/strings.h"

#define PART_ALIGN 32U

/* Everything a compilation makes on its way. */
struct compilation {
	const struct policy *const *layers;
	size_t layer_count;
	struct numbered numbered;
	struct sets sets;
	struct comb comb;
	struct spans spans;
	struct strings strings;
	struct pk_rule *rules;
	__u8 path_class[256];
	__u8 argv_class[256];
	__u8 host_class[256];
	__u32 name;
	__u32 ask_hook;
};

static void reset_compilation(struct compilation *c)
{
	numbered_reset(&c->numbered);
	sets_reset(&c->sets);
	comb_reset(&c->comb);
	spans_reset(&c->spans);
	strings_reset(&c->strings);
	free(c->rules);
}

static int refuse_size(struct diag_list *diags)
{
	diag_hint(diag_add(diags, DIAG_ERROR, NULL, "the compiled policy exceeds %u MiB",
			   (PK_PAGES_MAX << (PK_PAGE_SHIFT - 10)) >> 10),
		  "use fewer or wider patterns");
	return -EINVAL;
}

/* The automata of one compilation. */
struct automata {
	struct paths paths;
	struct automaton commands; /* without states: no rule looks at arguments */
	struct automaton hosts; /* without states: no rule has a host pattern */
};

static void reset_automata(struct automata *automata)
{
	paths_reset(&automata->paths);
	automaton_reset(&automata->commands);
	automaton_reset(&automata->hosts);
}

static int pack_automata(struct compilation *c, const struct automata *automata)
{
	int r = 0;

	c->comb.base = sizeof(struct pk_image) / sizeof(struct pk_slot);
	c->comb.classes = automata->paths.automata[0].classes;
	if (automata->commands.classes > c->comb.classes)
		c->comb.classes = automata->commands.classes;
	if (automata->hosts.classes > c->comb.classes)
		c->comb.classes = automata->hosts.classes;
	for (size_t i = 0; i < PK_AUTOMATA && !r; i++)
		r = comb_pack(&c->comb, &automata->paths.automata[i], i);
	if (!r && automata->commands.state_count)
		r = comb_pack(&c->comb, &automata->commands, COMB_COMMANDS);
	if (!r && automata->hosts.state_count)
		r = comb_pack(&c->comb, &automata->hosts, COMB_HOSTS);
	return r;
}

/* The classes of an automaton as the image has them; of one without states they stay zero. */
static void copy_classes(const struct automaton *automaton, __u8 to[256])
{
	for (int i = 0; i < 256 && automaton->state_count; i++)
		to[i] = (__u8)(automaton->class_of[i] + PK_CLASS_FIRST);
}

static int compile_automata(struct compilation *c, struct diag_list *diags)
{
	CLEAN(reset_automata) struct automata automata = { 0 };
	int r;

	r = paths_build(&automata.paths, &c->numbered, &c->sets, diags);
	if (!r && commands_needed(&c->numbered))
		r = commands_build(&automata.commands, &c->numbered, &c->sets, diags);
	if (!r && hosts_needed(&c->numbered))
		r = hosts_build(&automata.hosts, &c->numbered, &c->sets, diags);
	if (r)
		return r;
	copy_classes(&automata.paths.automata[0], c->path_class);
	copy_classes(&automata.commands, c->argv_class);
	copy_classes(&automata.hosts, c->host_class);
	r = pack_automata(c, &automata);
	return r == -E2BIG ? refuse_size(diags) : r;
}

static int compile_addresses(struct compilation *c, struct diag_list *diags)
{
	int r;

	r = interval_build(&c->spans, &c->numbered, &c->sets);
	if (r == -EOVERFLOW) {
		sets_report_overflow(&c->sets, "address", diags);
		return -EINVAL;
	}
	if (r == -E2BIG) {
		diag_add(diags, DIAG_ERROR, NULL,
			 "the egress rules cut the address space into "
			 "more than %u spans",
			 PK_SPANS_MAX);
		return -EINVAL;
	}
	return r;
}

/* What people must approve: of rules that ask, whichever says more, they or the layers. */
static __u8 access_of(const struct numbered_rule *from, __u32 approvers)
{
	if (from->rule->verdict != PK_VERDICT_ASK)
		return from->access;
	if (from->rule->approvers > approvers)
		approvers = from->rule->approvers;
	return pk_rule_pack(from->access, approvers);
}

static int describe_rule(struct strings *strings, const struct numbered_rule *from, __u32 approvers,
			 struct pk_rule *to)
{
	const struct policy_pattern *pattern = from->pattern;
	int r;

	*to = (struct pk_rule){
		.line = pattern->pos.line,
		.column = pattern->pos.column,
		.verdict = (__u8)from->rule->verdict,
		.section = (__u8)from->rule->section,
		.layer = from->layer,
		.access = access_of(from, approvers),
		.subjects = from->subjects,
	};
	r = strings_add(strings, pattern->pos.file, &to->file);
	if (!r)
		r = strings_add(strings, pattern->source, &to->text);
	if (!r)
		r = strings_add(strings, from->rule->id, &to->id);
	if (!r)
		r = strings_add(strings, from->rule->reason, &to->reason);
	return r;
}

static int describe_rules(struct compilation *c, struct diag_list *diags)
{
	const struct numbered *numbered = &c->numbered;
	__u32 approvers = asks_approvers(c->layers, c->layer_count);
	int r;

	c->rules = calloc(numbered->count + 1, sizeof(*c->rules));
	if (!c->rules)
		return -ENOMEM;
	r = strings_add(&c->strings, c->layers[c->layer_count - 1]->name, &c->name);
	for (size_t i = 0; i < numbered->count && !r; i++)
		r = describe_rule(&c->strings, &numbered->rules[i], approvers, &c->rules[i]);
	if (!r)
		r = strings_add(&c->strings, asks_hook(c->layers, c->layer_count), &c->ask_hook);
	return r == -E2BIG ? refuse_size(diags) : r;
}

static void fill_defaults(const struct compilation *c, struct pk_image *head)
{
	for (size_t i = 0; i < c->layer_count; i++) {
		__u32 nibble = 0xfU << (i << 2);

		for (int s = 0; s < PK_SECTION__MAX; s++) {
			const struct policy_section *section = &c->layers[i]->sections[s];

			/* No default: guards_fill() has the one, the other is made here. */
			if (!section->present || s == PK_SECTION_PROCESS || s == PK_SECTION_SUBJECT)
				continue;
			head->defaults[s].present |= nibble;
			if (s == PK_SECTION_SYSCALLS)
				continue;
			if (section->default_verdict == PK_VERDICT_DENY)
				head->defaults[s].deny |= nibble;
			if (section->default_verdict == PK_VERDICT_ASK)
				head->defaults[s].ask |= nibble;
		}
	}
}

/*
 * No layer may weaken another: all must say audit, and of the layers that want activity reported
 * the highest rate holds (0 = unlimited is the highest).
 */
static void fill_modes(const struct compilation *c, const struct compile_options *options,
		       struct pk_image *head)
{
	bool audit = true;
	bool unlimited = false;

	for (size_t i = 0; i < c->layer_count; i++) {
		const struct policy *policy = c->layers[i];

		audit = audit && policy->audit;
		head->activity |= policy->activity;
		if (!policy->activity)
			continue;
		unlimited = unlimited || !policy->rate;
		if (policy->rate > head->rate)
			head->rate = policy->rate;
	}
	if (unlimited)
		head->rate = 0;
	if (audit || (options && options->audit))
		head->flags |= PK_IMAGE_AUDIT;
}

/* Give each part its place; returns the image's size in bytes, whole pages. */
static __u64 place_parts(const __u64 sizes[PK_PART__MAX], struct pk_image *head)
{
	__u64 end = sizeof(*head);

	for (int i = 0; i < PK_PART__MAX; i++) {
		end = (end + PART_ALIGN - 1) / PART_ALIGN * PART_ALIGN;
		head->part[i] = (struct pk_extent){ (__u32)end, (__u32)sizes[i] };
		end += sizes[i];
	}
	return (end + PK_PAGE_SIZE - 1) / PK_PAGE_SIZE * PK_PAGE_SIZE;
}

static int lay_out(const struct compilation *c, const struct pk_image *header,
		   struct policy_image *ret_image, struct diag_list *diags)
{
	const __u64 sizes[PK_PART__MAX] = {
		[PK_PART_SLOTS] = c->comb.count * sizeof(struct pk_slot),
		[PK_PART_SPANS] = c->spans.count * sizeof(struct pk_span),
		[PK_PART_ITEMS] = c->sets.item_count * sizeof(struct pk_item),
		[PK_PART_RULES] = c->numbered.count * sizeof(struct pk_rule),
		[PK_PART_STRINGS] = c->strings.size,
	};
	const void *const parts[PK_PART__MAX] = {
		c->comb.slots, c->spans.spans, c->sets.items, c->rules, c->strings.bytes,
	};
	CLEAN(image_reset) struct policy_image image = { 0 };
	struct pk_image head = *header;
	__u64 size = place_parts(sizes, &head);
	int r;

	if (size > (__u64)PK_PAGES_MAX * PK_PAGE_SIZE)
		return refuse_size(diags);
	head.pages = (__u32)(size >> PK_PAGE_SHIFT);
	image.bytes = calloc(1, size);
	if (!image.bytes)
		return -ENOMEM;
	image.size = size;
	memcpy(image.bytes, &head, sizeof(head));
	for (int i = 0; i < PK_PART__MAX; i++)
		if (sizes[i])
			memcpy(image.bytes + head.part[i].offset, parts[i], sizes[i]);
	r = image_seal(&image);
	if (r)
		return r;
	*ret_image = image;
	image = (struct policy_image){ 0 };
	return 0;
}

static int emit(const struct compilation *c, const struct compile_options *options,
		struct policy_image *ret_image, struct diag_list *diags)
{
	struct pk_image head = {
		.magic = PK_IMAGE_MAGIC,
		.version = PK_IMAGE_VERSION,
		.layers = (__u32)c->layer_count,
		.path_start = { c->comb.start[0], c->comb.start[1] },
		.span_count = (__u32)c->spans.count,
		.name = c->name,
		.argv_start = c->comb.start[COMB_COMMANDS],
		.argv_dead = c->comb.dead[COMB_COMMANDS],
		.subjects = (__u32)((1ULL << c->numbered.subjects.count) - 1),
		.host_start = c->comb.start[COMB_HOSTS],
		.host_dead = c->comb.dead[COMB_HOSTS],
	};
	int r;

	memcpy(head.path_class, c->path_class, sizeof(head.path_class));
	memcpy(head.argv_class, c->argv_class, sizeof(head.argv_class));
	memcpy(head.host_class, c->host_class, sizeof(head.host_class));
	fill_defaults(c, &head);
	fill_modes(c, options, &head);
	if (hosts_denied(&c->numbered))
		head.flags |= PK_IMAGE_DENIED_NAMES;
	guards_fill(c->layers, c->layer_count, &c->numbered, &head);
	asks_fill(c->layers, c->layer_count, c->rules, c->numbered.count, &head);
	if (head.ask_timeout)
		head.ask_hook = c->ask_hook;
	asks_warn_useless(c->layers, c->layer_count, &head, diags);
	r = network_fill(c->layers, c->layer_count, options, &head, diags);
	return r ? r : lay_out(c, &head, ret_image, diags);
}

int policy_compile(const struct policy *const *layers, size_t count,
		   const struct compile_options *options, struct policy_image *ret_image,
		   struct diag_list *diags)
{
	CLEAN(reset_compilation) struct compilation c = { .layers = layers, .layer_count = count };
	int repeats;
	int r;

	if (count < 1 || count > PK_LAYERS_MAX) {
		diag_add(diags, DIAG_ERROR, NULL, "%zu policy layers, 1 to %u can be combined",
			 count, PK_LAYERS_MAX);
		return -EINVAL;
	}
	r = numbered_make(layers, count, &c.numbered, diags);
	if (!r)
		r = sets_init(&c.sets, &c.numbered);
	if (r)
		return r;
	/* Findings of both kinds are worth seeing in one go. */
	repeats = numbered_check_repeats(&c.numbered, diags);
	r = compile_automata(&c, diags);
	if (!r)
		r = compile_addresses(&c, diags);
	if (!r)
		r = describe_rules(&c, diags);
	if (!r)
		r = repeats;
	return r ? r : emit(&c, options, ret_image, diags);
}
