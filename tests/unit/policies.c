/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiles policy text for tests, by the code that picket itself uses. No links are resolved.
 */
#include "policies.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/compile.h"
#include "policy/load.h"

static void fail(const struct diag_list *diags, const char *text, const char *why)
{
	diag_print(diags, stderr);
	(void)fprintf(stderr, "%s\n%s\n", text, why ? why : "");
	abort();
}

struct policy *policy_text_load(const char *name, const char *text)
{
	static const struct policy_variable builtins[] = {
		{ "HOME", "/home/u" },
		{ "USER", "u" },
		{ "CWD", "/work" },
	};
	const struct policy_context context = {
		.builtins = builtins,
		.builtin_count = sizeof(builtins) / sizeof(builtins[0]),
	};
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct policy *policy = NULL;

	if (policy_load_text(name, text, strlen(text), &context, &policy, &diags) < 0)
		fail(&diags, text, NULL);
	return policy;
}

struct policy_image policy_text_compile(const char *name, const char *text)
{
	const struct compile_options options = { 0 };
	CLEAN(policy_free) struct policy *policy = policy_text_load(name, text);
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	const struct policy *const layers[1] = { policy };
	struct policy_image image = { 0 };
	const char *why = NULL;
	int r = policy_compile(layers, 1, &options, &image, &diags);

	if (r == 0)
		r = image_validate(image.bytes, image.size, &why);
	if (r < 0)
		fail(&diags, text, why);
	return image;
}
