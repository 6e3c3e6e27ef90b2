/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A profile decides every switch that is not written. Who decided is kept with each switch, so that
 * an event can name it.
 */
#include "policy/process.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <linux/capability.h>

#include "base/mem.h"
#include "base/text.h"
#include "policy/capabilities.h"
#include "policy/schema.h"

/** The section while its keys are read. */
struct draft {
	const struct node *profile;
	const struct node *guards[PK_GUARD__MAX];
};

/** A named set of switches. */
struct profile {
	const char *name;
	__u32 deny; /* bits of enum pk_guard */
};

#define BIT(guard) (1U << (guard))
#define ALL_GUARDS (BIT(PK_GUARD__MAX) - 1)
/* Who builds runs what it has just written. */
#define STRICT (ALL_GUARDS & ~BIT(PK_GUARD_WRITABLE_EXEC))
/* Each of these is the ordinary way of working of some common tool: policies/README.md has them. */
#define STANDARD                                                                                   \
	(STRICT & ~(BIT(PK_GUARD_PERF) | BIT(PK_GUARD_KEYRINGS) | BIT(PK_GUARD_MEMFD_EXEC) |       \
		    BIT(PK_GUARD_MPROTECT_EXEC) | BIT(PK_GUARD_NAMESPACES)))

static const struct profile profiles[] = {
	{ "strict", STRICT },
	{ "standard", STANDARD },
	{ "off", 0 },
};

static const struct front_word profile_words[] = {
	{ "strict", 0 },
	{ "standard", 1 },
	{ "off", 2 },
};

static const struct front_word switch_words[] = {
	{ "allow", PK_VERDICT_ALLOW },
	{ "ask", PK_VERDICT_ASK },
	{ "deny", PK_VERDICT_DENY },
};

/* Of capabilities: the kernel asks for them in the middle of calls that cannot be made again. */
static const struct front_word capabilities_words[] = {
	{ "allow", PK_VERDICT_ALLOW },
	{ "deny", PK_VERDICT_DENY },
};

static const struct front_words profile_set = FRONT_WORDS("profile", profile_words);
static const struct front_words switch_set = FRONT_WORDS("setting", switch_words);
static const struct front_words capabilities_set = FRONT_WORDS("setting", capabilities_words);

/* clang-format off */
#define SWITCH(key, guard)                                                                         \
	{ .name = (key), .expected = "allow, ask or deny", .shapes = SHAPE_TEXT,                   \
	  .words = &switch_set, SCHEMA_KEEP(struct draft, guards[(guard)]) }
/* clang-format on */

static const struct schema_key process_keys[] = {
	{ .name = "profile",
	  .expected = "strict, standard or off",
	  .words = &profile_set,
	  .shapes = SHAPE_TEXT,
	  SCHEMA_KEEP(struct draft, profile) },
	SWITCH("ptrace", PK_GUARD_PTRACE),
	SWITCH("signals", PK_GUARD_SIGNALS),
	SWITCH("mounts", PK_GUARD_MOUNTS),
	SWITCH("namespaces", PK_GUARD_NAMESPACES),
	SWITCH("setuid", PK_GUARD_SETUID),
	{ .name = "capabilities",
	  .expected = "allow, deny or a list of the capabilities that may be used",
	  .words = &capabilities_set,
	  .elements = "^(cap_)?[a-z_]+$",
	  .shapes = SHAPE_TEXT | SHAPE_LIST,
	  SCHEMA_KEEP(struct draft, guards[PK_GUARD_CAPABILITIES]) },
	SWITCH("perf", PK_GUARD_PERF),
	SWITCH("modules", PK_GUARD_MODULES),
	SWITCH("io_uring", PK_GUARD_URING),
	SWITCH("terminal", PK_GUARD_TERMINAL),
	SWITCH("keyrings", PK_GUARD_KEYRINGS),
	SWITCH("kernel", PK_GUARD_KERNEL),
	SWITCH("memfd_exec", PK_GUARD_MEMFD_EXEC),
	SWITCH("writable_exec", PK_GUARD_WRITABLE_EXEC),
	SWITCH("mprotect_exec", PK_GUARD_MPROTECT_EXEC),
};

_Static_assert(sizeof(process_keys) / sizeof(*process_keys) == PK_GUARD__MAX + 1,
	       "a row for every switch, and the profile");

const struct schema process_schema = SCHEMA("the section process", process_keys);

/* The key of a switch: the row that keeps its value there. */
static const char *switch_name(unsigned int guard)
{
	for (size_t i = 1; i < process_schema.count; i++) {
		if (process_keys[i].keep ==
		    offsetof(struct draft, guards) + guard * sizeof(const struct node *))
			return process_keys[i].name;
	}
	return NULL;
}

static void apply(struct policy_process *process, __u32 deny)
{
	for (unsigned int i = 0; i < PK_GUARD__MAX; i++)
		process->guards[i].verdict = deny & BIT(i) ? PK_VERDICT_DENY : PK_VERDICT_ALLOW;
	process->capabilities = deny & BIT(PK_GUARD_CAPABILITIES) ? capabilities_refused : 0;
}

void process_set_default(struct policy_process *process)
{
	apply(process, STRICT);
}

/* Every switch says what the profile says. */
static int read_profile(struct front *front, const struct node *text)
{
	struct policy_process *process = &front->policy->process;
	unsigned int number = 0;

	if (!front_word(front, text, &profile_set, &number))
		return 0;
	apply(process, profiles[number].deny);
	for (unsigned int i = 0; i < PK_GUARD__MAX; i++) {
		struct policy_guard *guard = &process->guards[i];

		guard->pos = node_pos(text);
		if (asprintf(&guard->source, "profile: %s", text->text) < 0) {
			guard->source = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}

static void report_capability(struct front *front, const struct node *text)
{
	const char *names[CAPABILITIES_COUNT];
	struct diag *diag = node_error(text, front->diags, "unknown capability '%s'", text->text);

	for (unsigned int i = 0; i < CAPABILITIES_COUNT; i++) {
		names[i] = capabilities_name(i);
		if (strcasecmp(text->text, names[i]) == 0 ||
		    (strncasecmp(text->text, "cap_", 4) == 0 &&
		     strcasecmp(text->text + 4, names[i]) == 0)) {
			diag_hint(diag, "did you mean '%s'?", names[i]);
			return;
		}
	}
	front_hint_names(diag, text->text, "known ones", names, CAPABILITIES_COUNT);
}

static int add_capability(struct front *front, const struct node *text, void *into)
{
	__u64 *allowed = into;
	unsigned int number;

	if (!capabilities_find(text->text, &number))
		report_capability(front, text);
	else if (*allowed >> number & 1)
		(void)node_error(text, front->diags, "the capability '%s' is named twice",
				 text->text);
	else
		*allowed |= 1ULL << number;
	return 0;
}

/* "KEY: [a, b]", malloc'ed or NULL. */
static char *write_list(const char *key, const struct node *list)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	(void)fprintf(to, "%s: [", key);
	for (size_t i = 0; i < list->count; i++)
		(void)fprintf(to, "%s%s", i ? ", " : "",
			      list->items[i]->text ? list->items[i]->text : "");
	(void)fputc(']', to);
	return text_close(to, &text) < 0 ? NULL : text;
}

static char *write_switch(const char *key, const struct node *value)
{
	char *text = NULL;

	if (value->kind == NODE_LIST)
		return write_list(key, value);
	return asprintf(&text, "%s: %s", key, value->text) < 0 ? NULL : text;
}

/* allow, deny, or a list of the capabilities that may be used: all others are refused. */
static int read_capabilities(struct front *front, const struct node *value,
			     struct policy_process *process)
{
	struct policy_guard *guard = &process->guards[PK_GUARD_CAPABILITIES];
	unsigned int verdict = PK_VERDICT_ALLOW;
	__u64 allowed = 0;
	int r;

	if (value->kind == NODE_LIST) {
		r = front_each_text(front, value, "a capability", add_capability, &allowed);
		guard->verdict = PK_VERDICT_DENY;
		process->capabilities = ~allowed;
		return r;
	}
	if (!front_word(front, value, &capabilities_set, &verdict))
		return 0;
	guard->verdict = (enum pk_verdict)verdict;
	process->capabilities = verdict == PK_VERDICT_DENY ? capabilities_refused : 0;
	return 0;
}

static int read_switch(struct front *front, unsigned int number, const struct node *value)
{
	struct policy_process *process = &front->policy->process;
	struct policy_guard *guard = &process->guards[number];
	unsigned int verdict = PK_VERDICT_ALLOW;

	free(guard->source);
	guard->source = write_switch(switch_name(number), value);
	if (!guard->source)
		return -ENOMEM;
	guard->pos = node_pos(value);
	if (number == PK_GUARD_WRITABLE_EXEC)
		front->writable_exec = value;
	if (number == PK_GUARD_CAPABILITIES)
		return read_capabilities(front, value, process);
	if (front_word(front, value, &switch_set, &verdict))
		guard->verdict = (enum pk_verdict)verdict;
	return 0;
}

int process_read(struct front *front, const struct node *map, void *unused)
{
	struct policy_process *process = &front->policy->process;
	struct draft draft = { 0 };
	int r = schema_read_map(front, &process_schema, map, &draft);

	(void)unused;
	process->present = true;
	process->pos = node_pos(map);
	if (r == 0 && draft.profile)
		r = read_profile(front, draft.profile);
	for (unsigned int i = 0; i < PK_GUARD__MAX && r == 0; i++) {
		if (draft.guards[i])
			r = read_switch(front, i, draft.guards[i]);
	}
	return r;
}

void process_check(struct front *front)
{
	struct policy *policy = front->policy;
	const struct policy_guard *guards = policy->process.guards;

	/* The switch would be empty words for root, where the kernel asks for the capability too. */
	if (guards[PK_GUARD_PERF].verdict != PK_VERDICT_DENY &&
	    policy->process.capabilities == capabilities_refused)
		policy->process.capabilities &= ~(1ULL << CAP_PERFMON);
	/* What the agent may write is what the section files says. */
	if (guards[PK_GUARD_WRITABLE_EXEC].verdict != PK_VERDICT_ALLOW && front->writable_exec &&
	    !policy->sections[PK_SECTION_FILES].present)
		diag_hint(node_error(front->writable_exec, front->diags,
				     "'%s' needs a section files",
				     guards[PK_GUARD_WRITABLE_EXEC].source),
			  "without one the agent may write every file, and could run none");
}

void process_reset(struct policy_process *process)
{
	for (unsigned int i = 0; i < PK_GUARD__MAX; i++)
		free(process->guards[i].source);
	*process = (struct policy_process){ 0 };
}
