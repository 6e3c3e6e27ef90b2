/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a policy: freeing the model and everything in it.
 */
#include "policy/model.h"

#include <stdlib.h>

#include "base/mem.h"
#include "policy/access.h"
#include "policy/nested.h"
#include "policy/process.h"
#include "policy/rules.h"
#include "sign/manifest.h"
#include "sign/required.h"

void policy_free(struct policy **policy)
{
	struct policy *p = TAKE_PTR(*policy);

	if (!p)
		return;
	for (size_t i = 0; i < p->rule_count; i++)
		rule_reset(&p->rules[i]);
	for (size_t i = 0; i < p->test_count; i++) {
		free(p->tests[i].target);
		free(p->tests[i].host);
		free(p->tests[i].by);
	}
	for (size_t i = 0; i < p->file_count; i++)
		free(p->files[i]);
	policy_access_reset(&p->access);
	policy_nested_reset(&p->nested);
	policy_signers_reset(&p->signers);
	manifest_forget(p);
	process_reset(&p->process);
	free(p->approvals.hook);
	free(p->rules);
	free(p->tests);
	free(p->files);
	free(p->name);
	free(p->description);
	free(p);
}
