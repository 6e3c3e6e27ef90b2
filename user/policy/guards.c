/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Switches of several layers to those of one image.
 */
#include "policy/guards.h"

/* The layer that speaks for a switch: the highest of the strictest, or else that says anything. */
static size_t speaker_of(const struct policy *const *layers, size_t count, size_t guard)
{
	for (enum pk_verdict verdict = PK_VERDICT_DENY; verdict > PK_VERDICT_ALLOW; verdict--)
		for (size_t i = 0; i < count; i++)
			if (layers[i]->process.guards[guard].verdict == verdict)
				return i;
	for (size_t i = 0; i < count; i++)
		if (layers[i]->process.guards[guard].source)
			return i;
	return 0;
}

void guards_fill(const struct policy *const *layers, size_t count, const struct numbered *numbered,
		 struct pk_image *head)
{
	for (size_t g = 0; g < PK_GUARD__MAX; g++) {
		size_t layer = speaker_of(layers, count, g);
		const struct policy_guard *guard = &layers[layer]->process.guards[g];

		if (guard->verdict == PK_VERDICT_DENY)
			head->guards.deny |= 1U << g;
		if (guard->verdict == PK_VERDICT_ASK)
			head->guards.ask |= 1U << g;
		head->guards.rule[g] =
			guard->source ? numbered_guard(numbered, (__u8)layer, guard) :
					PK_RULE_DEFAULT | (__u32)layer << 8 | PK_SECTION_PROCESS;
	}
	for (size_t i = 0; i < count; i++) {
		const struct policy_process *process = &layers[i]->process;

		if (process->guards[PK_GUARD_CAPABILITIES].verdict == PK_VERDICT_DENY)
			head->guards.capabilities |= process->capabilities;
		if (process->present)
			head->defaults[PK_SECTION_PROCESS].present |= 0xfU << (i << 2);
	}
}
