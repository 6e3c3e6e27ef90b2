/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Layers only narrow: refusing wins over holding, the shortest time and the most approvers hold. A
 * layer without the key has no say in it.
 */
#include "policy/asks.h"

#include <string.h>

#include "base/escape.h"
#include "policy/approvals.h"

__u32 asks_approvers(const struct policy *const *layers, size_t count)
{
	__u32 approvers = 1;

	for (size_t i = 0; i < count; i++) {
		if (layers[i]->approvals.approvers > approvers)
			approvers = layers[i]->approvals.approvers;
	}
	return approvers;
}

const char *asks_hook(const struct policy *const *layers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (layers[i]->approvals.hook)
			return layers[i]->approvals.hook;
	}
	return NULL;
}

static __u32 shortest_timeout(const struct policy *const *layers, size_t count)
{
	__u32 timeout = 0;

	for (size_t i = 0; i < count; i++) {
		__u32 said = layers[i]->approvals.timeout;

		if (said && (!timeout || said < timeout))
			timeout = said;
	}
	return timeout ? timeout : APPROVALS_TIMEOUT;
}

bool asks_anything(const struct pk_image *head, const struct pk_rule *rules, size_t count,
		   bool egress)
{
	for (int s = 0; s < PK_SECTION__MAX; s++) {
		if ((!egress || s == PK_SECTION_EGRESS) && head->defaults[s].ask)
			return true;
	}
	for (size_t i = 0; i < count; i++) {
		if (rules[i].verdict == PK_VERDICT_ASK &&
		    (!egress || rules[i].section == PK_SECTION_EGRESS))
			return true;
	}
	return false;
}

void asks_fill(const struct policy *const *layers, size_t count, const struct pk_rule *rules,
	       size_t rule_count, struct pk_image *head)
{
	bool refuse = false;

	if (!asks_anything(head, rules, rule_count, false))
		return;
	for (size_t i = 0; i < count; i++)
		refuse = refuse || layers[i]->approvals.refuse;
	if (!refuse)
		head->flags |= PK_IMAGE_HOLD;
	if (asks_anything(head, rules, rule_count, true))
		head->flags |= PK_IMAGE_ASKS_EGRESS;
	head->ask_timeout = shortest_timeout(layers, count);
	head->ask_approvers = asks_approvers(layers, count);
}

void asks_warn_useless(const struct policy *const *layers, size_t count,
		       const struct pk_image *head, struct diag_list *diags)
{
	const struct policy_approvals *approvals = &layers[count - 1]->approvals;

	if (!approvals->present || head->ask_timeout)
		return;
	diag_hint(diag_add(diags, DIAG_WARNING, &approvals->pos,
			   "nothing in this policy asks, so that 'approvals' has no effect"),
		  "write 'ask' instead of 'allow' or 'deny' in a rule, or remove the key; above "
		  "other policies it bounds theirs");
}

static bool valid_rules(const struct pk_image *head, const struct pk_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		__u32 approvers = pk_rule_approvers(&rules[i]);

		if (rules[i].verdict != PK_VERDICT_ASK ?
			    approvers != 1 :
			    (approvers < head->ask_approvers || approvers > PK_APPROVERS_MAX))
			return false;
	}
	return true;
}

bool asks_valid(const struct pk_image *head, const struct pk_rule *rules, size_t count)
{
	bool egress = head->flags & PK_IMAGE_ASKS_EGRESS;

	if (egress != asks_anything(head, rules, count, true) || !valid_rules(head, rules, count))
		return false;
	if (!asks_anything(head, rules, count, false))
		return !(head->flags & PK_IMAGE_HOLD) && !head->ask_timeout && !head->ask_hook &&
		       !head->ask_approvers;
	return head->ask_timeout && head->ask_timeout <= PK_ASK_TIMEOUT_MAX &&
	       head->ask_approvers && head->ask_approvers <= PK_APPROVERS_MAX;
}

bool asks_image(const struct policy_image *image)
{
	return image_head(image)->ask_timeout != 0;
}

const char *asks_time(__u32 seconds, char text[static ASKS_TIME_SIZE])
{
	bool hours = seconds && seconds % 3600 == 0;
	bool minutes = seconds && seconds % 60 == 0;

	(void)snprintf(text, ASKS_TIME_SIZE, "%u%s",
		       hours   ? seconds / 3600 :
		       minutes ? seconds / 60 :
				 seconds,
		       hours   ? "h" :
		       minutes ? "m" :
				 "s");
	return text;
}

void asks_dump(const struct policy_image *image, FILE *to)
{
	const struct pk_image *head = image_head(image);
	char time[ASKS_TIME_SIZE];

	if (!asks_image(image))
		return;
	fprintf(to, "  approvals.on_ask    %s\n", head->flags & PK_IMAGE_HOLD ? "hold" : "deny");
	fprintf(to, "  approvals.timeout   %s, then deny\n", asks_time(head->ask_timeout, time));
	fprintf(to, "  approvals.approvers %u\n", head->ask_approvers);
	if (head->ask_hook) {
		const char *hook = image_string(image, head->ask_hook);

		fputs("  approvals.hook      ", to);
		escape_write(to, hook, strlen(hook), 0);
		fputc('\n', to);
	}
}
