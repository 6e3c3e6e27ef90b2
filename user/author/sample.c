/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One key for a pattern: what stands there literally, and the shortest plain text for the rest.
 */
#include <errno.h>
#include <stdlib.h>

#include "author/warn_parts.h"
#include "base/mem.h"
#include "policy/command_glob.h"
#include "policy/glob.h"

/** What a wildcard of any length is in a sample. */
#define FILLER 'x'

/* A letter of the set where it has one: samples are shown to people. */
static char member(const struct glob_set *set)
{
	if (glob_set_has(set, FILLER))
		return FILLER;
	for (unsigned int byte = 'a'; byte <= 'z'; byte++)
		if (glob_set_has(set, (__u8)byte))
			return (char)byte;
	for (unsigned int byte = 1; byte < 256; byte++)
		if (glob_set_has(set, (__u8)byte))
			return (char)byte;
	return FILLER;
}

/* A glob_visit that keeps the first sequence. */
static int keep_first(void *context, const struct glob_token *tokens, size_t count)
{
	struct sample *sample = context;

	sample->key = calloc(count + 1, 1);
	if (!sample->key)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		sample->key[sample->length++] = tokens[i].kind == GLOB_BYTE ? (char)tokens[i].byte :
						tokens[i].kind == GLOB_SET ? member(tokens[i].set) :
									     FILLER;
	}
	return 1;
}

int sample_path(const char *text, struct sample *ret_sample)
{
	CLEAN(glob_free) struct glob *glob = NULL;
	int r = glob_parse(text, &glob, NULL);

	*ret_sample = (struct sample){ 0 };
	if (r == 0)
		r = glob_expand(glob, keep_first, ret_sample);
	return r == -ENOMEM ? r : 0;
}

int sample_command(char *const *words, size_t count, struct sample *ret_sample)
{
	CLEAN(command_glob_free) struct command_glob *command = NULL;
	size_t word;
	int r = command_glob_parse(words, count, &command, NULL, &word);

	*ret_sample = (struct sample){ 0 };
	if (r == 0)
		r = command_glob_expand(command, keep_first, ret_sample);
	return r == -ENOMEM ? r : 0;
}

void sample_reset(struct sample *sample)
{
	free(sample->key);
	*sample = (struct sample){ 0 };
}
