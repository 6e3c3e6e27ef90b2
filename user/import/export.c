/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the two exports share.
 */
#include "import/export.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void export_lose(struct export_losses *losses, const struct diag_pos *pos, bool wider,
		 const char *format, ...)
{
	struct export_loss *grown =
		reallocarray(losses->items, losses->count + 1, sizeof(*losses->items));
	struct export_loss loss = { .wider = wider };
	va_list arguments;

	if (pos)
		loss.pos = *pos;
	va_start(arguments, format);
	if (vasprintf(&loss.what, format, arguments) < 0)
		loss.what = NULL;
	va_end(arguments);
	if (grown)
		losses->items = grown;
	if (grown && loss.what) {
		grown[losses->count++] = loss;
		return;
	}
	free(loss.what);
	losses->failed = true;
}

char *export_path(const struct policy_pattern *pattern)
{
	const char *glob = pattern->glob;
	size_t length = glob ? strlen(glob) : 0;
	char *path;
	char *to;

	if (length >= 3 && strcmp(glob + length - 3, "/**") == 0)
		length -= 3;
	path = malloc(length + 2);
	to = path;
	for (size_t i = 0; path && i < length; i++) {
		if (strchr("*?[{", glob[i]) || (glob[i] == '\\' && i + 1 == length)) {
			free(path);
			return NULL;
		}
		i += glob[i] == '\\';
		*to++ = glob[i];
	}
	if (path && to == path)
		*to++ = '/';
	if (path)
		*to = '\0';
	return path;
}

void export_losses_reset(struct export_losses *losses)
{
	for (size_t i = 0; i < losses->count; i++)
		free(losses->items[i].what);
	free(losses->items);
	*losses = (struct export_losses){ 0 };
}
