/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host half of a compilation: one tree for all host patterns. Backwards what stands below a name
 * is whatever follows it, so that all patterns together need no more states than they have bytes.
 */
#include "policy/hosts.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "policy/build.h"

/* A name, the dot behind it, one byte that must come and any that may. */
#define TOKENS_MAX (PK_HOST_MAX + 3)

static const char *host_of(const struct numbered *numbered, __u32 number)
{
	return numbered->rules[number].pattern->host;
}

bool hosts_needed(const struct numbered *numbered)
{
	for (__u32 i = 0; i < numbered->count; i++)
		if (host_of(numbered, i))
			return true;
	return false;
}

bool hosts_denied(const struct numbered *numbered)
{
	for (__u32 i = 0; i < numbered->count; i++)
		if (host_of(numbered, i) && numbered->rules[i].rule->verdict != PK_VERDICT_ALLOW)
			return true;
	return false;
}

/* Visit the sequences of a canonical pattern. */
static int expand(const char *host, glob_visit visit, void *context)
{
	struct glob_token tokens[TOKENS_MAX];
	bool below = *host == '*';
	bool itself = !below || host[1] == '*';
	const char *name = host + strspn(host, "*");
	size_t length, count = 0;
	int r = 0;

	name += below && *name == '.';
	length = strlen(name);
	if (length > PK_HOST_MAX)
		return -E2BIG;
	for (; count < length; count++)
		tokens[count] = (struct glob_token){ .kind = GLOB_BYTE,
						     .byte = (__u8)name[length - 1 - count] };
	if (itself)
		r = visit(context, tokens, count);
	if (r || !below)
		return r;
	if (length)
		tokens[count++] = (struct glob_token){ .kind = GLOB_BYTE, .byte = '.' };
	tokens[count++] = (struct glob_token){ .kind = GLOB_ANY_ONE };
	tokens[count++] = (struct glob_token){ .kind = GLOB_ANY };
	return visit(context, tokens, count);
}

static int add_hosts(struct nfa *nfa, const struct numbered *numbered)
{
	int r = 0;

	for (__u32 i = 0; i < numbered->count && !r; i++) {
		struct nfa_addition addition = { nfa, i };

		if (host_of(numbered, i))
			r = expand(host_of(numbered, i), nfa_add_sequence, &addition);
	}
	return r;
}

static void expand_rule(const struct build_source *source, __u32 number, glob_visit visit,
			void *context)
{
	if (host_of(source->numbered, number))
		(void)expand(host_of(source->numbered, number), visit, context);
}

int hosts_build(struct automaton *automaton, const struct numbered *numbered, struct sets *sets,
		struct diag_list *diags)
{
	CLEAN(nfa_reset) struct nfa nfa = { 0 };
	const struct build_source source = {
		.nfa = &nfa,
		.numbered = numbered,
		.expand = expand_rule,
		.patterns = "host names",
		.advice = "write one pattern '*.example.com' for many names below one",
		.key = "host name",
	};
	int r;

	r = nfa_init(&nfa);
	if (!r)
		r = add_hosts(&nfa, numbered);
	if (!r)
		r = nfa_finish(&nfa);
	if (r == -E2BIG) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "the host names of this policy have more than %u bytes",
				   NFA_NODES_MAX),
			  "%s", source.advice);
		return -EINVAL;
	}
	return r ? r : build_automaton(automaton, &source, sets, diags);
}
