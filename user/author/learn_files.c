/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which uses of files need a rule: those that no included preset covers.
 */
#include <errno.h>
#include <string.h>

#include "author/learn_parts.h"
#include "author/learn_tree.h"
#include "policy/decide.h"

/* The bits of @access to @path that @judge does not allow. */
static __u8 missing(const struct learn *learn, enum learn_judge judge, const char *path,
		    __u8 access)
{
	__u8 left = 0;

	for (__u32 bit = 1; bit <= PK_ACCESS_CONNECT; bit <<= 1) {
		struct pk_result result;

		if (!(access & bit))
			continue;
		(void)decide_path(&learn->judges[judge], PK_SECTION_FILES, (__u8)bit, path,
				  &result);
		left |= result.verdict == PK_VERDICT_ALLOW ? 0 : (__u8)bit;
	}
	return left;
}

/* What @act needs of files for its first name. */
static __u8 access_of(const struct observation *act)
{
	if (act->section == PK_SECTION_FILES)
		return act->access;
	return act->op == PK_OP_EXEC || act->op == PK_OP_MMAP ? PK_ACCESS_EXEC : 0;
}

void learn_presets(struct learn *learn)
{
	size_t base = 0;
	size_t tools = 0;

	for (size_t i = 0; i < learn->recording->count; i++) {
		const struct observation *act = &learn->recording->items[i];
		__u8 access = access_of(act);

		if (learn->left[i] || !access || !act->path || *act->path != '/')
			continue;
		if (!missing(learn, LEARN_BASE, act->path, access))
			base++;
		else if (!missing(learn, LEARN_TOOLS, act->path, access))
			tools++;
	}
	learn->base = base > 0;
	learn->tools = tools >= LEARN_FOLD;
}

int learn_files_made(struct learn *learn, const struct observation *act)
{
	switch (act->op) {
	case PK_OP_MKDIR:
		return act->path ? learn_paths_made(learn->paths, act->path, true) : 0;
	case PK_OP_CREATE:
	case PK_OP_MKNOD:
	case PK_OP_SYMLINK:
		return act->path ? learn_paths_made(learn->paths, act->path, false) : 0;
	case PK_OP_LINK:
	case PK_OP_RENAME:
		return act->path2 ? learn_paths_made(learn->paths, act->path2, false) : 0;
	default:
		return 0;
	}
}

static int add_path(struct learn *learn, const struct observation *act, const char *path,
		    __u8 access)
{
	enum learn_judge judge = learn->tools ? LEARN_TOOLS : LEARN_BASE;

	if (!path || *path != '/')
		return 0;
	if (learn->base || learn->tools)
		access = missing(learn, judge, path, access);
	return access ? learn_paths_add(learn->paths, path, access, &act->seen) : 0;
}

int learn_files(struct learn *learn, const struct observation *act)
{
	__u8 access = access_of(act);
	int r;

	/* A name must not give what the old one did not: whoever renames could read what it renames. */
	if (act->op == PK_OP_RENAME || act->op == PK_OP_LINK)
		access |= PK_ACCESS_READ;
	r = add_path(learn, act, act->path, access);
	return r ? r : add_path(learn, act, act->path2, access);
}
