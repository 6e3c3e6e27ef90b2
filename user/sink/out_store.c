/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local store that `picket log` and `picket report` ask. A batch is delivered when it is committed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sink/out.h"
#include "store/store.h"

struct out {
	const struct sink_settings *settings;
	struct store *store; /* NULL = to be opened */
};

static int open_out(const struct sink_settings *settings, const struct format_machine *machine,
		    struct out **ret_out, char error[236])
{
	struct out *out = calloc(1, sizeof(*out));

	(void)machine;
	error[0] = '\0';
	if (!out)
		return -ENOMEM;
	out->settings = settings;
	*ret_out = out;
	return 0;
}

static void close_out(struct out **out)
{
	if (*out)
		store_close(&(*out)->store);
	free(*out);
	*out = NULL;
}

static int open_store(struct out *out, char error[236])
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	const struct store_limits limits = {
		.bytes = out->settings->store_size,
		.age_ns = (__s64)out->settings->store_days * 86400 * 1000000000LL,
	};
	int r;

	if (out->store)
		return 0;
	r = store_open(out->settings->path, STORE_WRITE, &out->store, &diags);
	if (r)
		out_say(error, "cannot open the store '%s': %s", out->settings->path,
			diags.count ? diags.items[0].message : strerror(-r));
	else
		store_limit(out->store, &limits);
	return r;
}

/* 0: it is added, or -EINVAL: it is no event. */
static int add_line(struct out *out, const struct sink_line *line)
{
	json_t *event = json_loadb(line->text, line->length, 0, NULL);
	int r = event ? store_add(out->store, event) : -EINVAL;

	json_decref(event);
	return r;
}

static void send_out(struct out *out, const struct out_batch *batch, struct out_result *ret)
{
	size_t count = 0;
	int r = open_store(out, ret->error);

	if (r)
		return;
	while (r == 0 && count < batch->count) {
		r = add_line(out, batch->lines[count]);
		count += r == 0;
	}
	if (r == -EINVAL && count == 0) {
		ret->done = ret->refused = 1;
		out_say(ret->error, "a record is none that the store takes");
		return;
	}
	if (r == 0 || r == -EINVAL)
		r = store_flush(out->store);
	if (r == 0) {
		ret->done = count;
		return;
	}
	out_say(ret->error, "cannot write to the store '%s': %s", out->settings->path,
		store_error(out->store));
	store_close(&out->store);
}

const struct out_type out_store = { open_out, send_out, close_out, true };
