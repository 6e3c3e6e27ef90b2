/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parsing of mountinfo. A line (see proc(5)) is
 *   36 35 98:0 /root /point rw,noatime shared:1 - type source rw
 * with any number of optional fields before the dash. A line that does not have this form is not a
 * mount that could be used and is passed over.
 */
#include "engine/mounts.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

struct line {
	char *root;
	char *point;
	char *options;
	char *type;
};

/* Space, tab, newline and backslash are written as three octal digits. */
static void undo_escapes(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

static bool parse_line(char *text, struct line *ret_line)
{
	char *fields[6] = { NULL };
	char *save = NULL;
	char *field = strtok_r(text, " \n", &save);

	for (size_t i = 0; i < 6 && field; i++) {
		fields[i] = field;
		field = strtok_r(NULL, " \n", &save);
	}
	while (field && strcmp(field, "-") != 0)
		field = strtok_r(NULL, " \n", &save);
	if (!field || !fields[5])
		return false;
	field = strtok_r(NULL, " \n", &save);
	if (!field)
		return false;
	*ret_line = (struct line){ fields[3], fields[4], fields[5], field };
	return true;
}

static int rank(const struct mount_place *place)
{
	return (place->writable ? 2 : 0) + (place->whole ? 1 : 0);
}

int mounts_find(FILE *mountinfo, const char *type, struct mount_place *ret_place)
{
	CLEAN(mount_place_reset) struct mount_place best = { 0 };
	CLEAN_FREE char *text = NULL;
	size_t size = 0;

	while (getline(&text, &size, mountinfo) >= 0) {
		struct mount_place place = { 0 };
		struct line line;

		if (!parse_line(text, &line) || strcmp(line.type, type) != 0)
			continue;
		place.writable = strncmp(line.options, "rw", 2) == 0;
		place.whole = strcmp(line.root, "/") == 0;
		if (best.point && rank(&place) <= rank(&best))
			continue;
		place.point = strdup(line.point);
		if (!place.point)
			return -ENOMEM;
		undo_escapes(place.point);
		mount_place_reset(&best);
		best = place;
	}
	if (ferror(mountinfo))
		return -EIO;
	if (!best.point)
		return -ENOENT;
	*ret_place = best;
	best.point = NULL;
	return 0;
}

int mounts_find_own(const char *type, struct mount_place *ret_place)
{
	CLEAN_FILE FILE *mountinfo = fopen("/proc/self/mountinfo", "re");

	if (!mountinfo)
		return -errno;
	return mounts_find(mountinfo, type, ret_place);
}

void mount_place_reset(struct mount_place *place)
{
	mem_free_ptr(&place->point);
	*place = (struct mount_place){ 0 };
}
