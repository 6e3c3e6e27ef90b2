/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values of telemetry.yaml: what is refused is told with what would be right.
 */
#include "sink/settings_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "policy/guarded.h"
#include "policy/numbers.h"

int settings_path(struct front *front, const struct node *text, char **ret)
{
	if (!front_line(front, text, "the path of a file"))
		return 0;
	if (*text->text != '/' || text->text[text->length - 1] == '/') {
		diag_hint(node_error(text, front->diags, "'%s' is not the path of a file",
				     text->text),
			  "write the whole path, from '/' on");
		return 0;
	}
	free(*ret);
	*ret = strdup(text->text);
	return *ret ? 0 : -ENOMEM;
}

void settings_truth(struct front *front, const struct node *text, bool *ret)
{
	static const struct front_word words[] = { { "true", 1 }, { "false", 0 } };
	static const struct front_words set = FRONT_WORDS("truth value", words);
	unsigned int value = 0;

	if (front_word(front, text, &set, &value))
		*ret = value != 0;
}

void settings_number(struct front *front, const struct node *text, unsigned int max,
		     unsigned int *ret)
{
	unsigned int number = numbers_before(text, "", max);

	if (number)
		*ret = number;
	else
		(void)node_error(text, front->diags, "'%s' is not a number from 1 to %u",
				 text->text, max);
}

/* "64MiB" for people; the limits are powers of two. */
static const char *size_text(size_t size, char text[32])
{
	static const char *const units[] = { "KiB", "MiB", "GiB" };
	size_t unit = 0;

	for (size >>= 10; size >= 1024 && unit < 2; unit++)
		size >>= 10;
	(void)snprintf(text, 32, "%zu%s", size, units[unit]);
	return text;
}

void settings_size(struct front *front, const struct node *text, const size_t limits[2],
		   size_t *ret)
{
	size_t size = (size_t)numbers_before(text, "KiB", 1U << 22) << 10;
	char least[32];
	char most[32];

	if (!size)
		size = (size_t)numbers_before(text, "MiB", 1U << 22) << 20;
	if (!size)
		size = (size_t)numbers_before(text, "GiB", 1U << 12) << 30;
	if (size >= limits[0] && size <= limits[1])
		*ret = size;
	else
		diag_hint(node_error(text, front->diags, "'%s' is not a size from %s to %s",
				     text->text, size_text(limits[0], least),
				     size_text(limits[1], most)),
			  "write a number with KiB, MiB or GiB behind it");
}

/* Nobody else may read it, or it is no secret. */
static void check_secret(struct front *front, const struct settings_reading *reading,
			 const struct node *text, const struct stat *st)
{
	CLEAN(guarded_fault_reset) struct guarded_fault fault = { 0 };
	int r = guarded_check(text->text, GUARDED_FILE, reading->owner, &fault);

	if (r)
		diag_hint(node_error(text, front->diags, "cannot use the secret '%s': %s",
				     text->text, fault.why ? fault.why : strerror(-r)),
			  "%s", fault.remedy ? fault.remedy : "it must be root's own file");
	else if (st->st_mode & 077)
		diag_hint(node_error(text, front->diags,
				     "others may read the secret '%s' (mode %04o)", text->text,
				     st->st_mode & 07777),
			  "chmod 0600 '%s'", text->text);
}

int settings_secret(struct front *front, const struct settings_reading *reading,
		    const struct node *text, struct sink_secret *ret)
{
	struct stat st;
	int r = settings_path(front, text, &ret->path);

	if (r || !ret->path || !reading->guarded)
		return r;
	if (stat(ret->path, &st)) {
		(void)node_error(text, front->diags, "cannot read the secret '%s': %s", ret->path,
				 strerror(errno));
		return 0;
	}
	ret->changed = st.st_mtim;
	ret->inode = st.st_ino;
	check_secret(front, reading, text, &st);
	return 0;
}
