/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each type of sink can do. All of it runs in the sink's own process and may wait.
 */
#ifndef PICKET_SINK_OUT_H
#define PICKET_SINK_OUT_H

#include "sink/line.h"
#include "sink/settings.h"

/** Some records, in their order. */
struct out_batch {
	struct sink_line *lines[512];
	size_t count;
	size_t bytes;
};

/** What became of a batch. */
struct out_result {
	size_t done; /* records from the first on that are dealt with: delivered or refused */
	size_t refused; /* the last so many of these will never be taken */
	unsigned int after; /* seconds to wait before the next try; 0 = as usual */
	char error[236]; /* why not all are delivered */
};

/** The state of one type; each type has its own. */
struct out;

/** A type of sink. */
struct out_type {
	/** Read what root alone may read. Returns 0, or -errno with a sentence in @error. */
	int (*open)(const struct sink_settings *settings, const struct format_machine *machine,
		    struct out **ret_out, char error[236]);
	/** Try to deliver; fills *ret, which is zeroed. */
	void (*send)(struct out *out, const struct out_batch *batch, struct out_result *ret);
	void (*close)(struct out **out);
	bool needs_root; /* what it writes to is root's */
};

/** The types by enum sink_type. */
extern const struct out_type out_file, out_stdout, out_syslog, out_journald, out_http, out_store;

/** Write a sentence to @error. */
void out_say(char error[236], const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * The first @count records, in the format of a sink, with format_batch(), or one with
 * format_record(). Returns 0 or -errno: what cannot be parsed is -EBADMSG.
 */
int out_render_batch(enum format format, const struct out_batch *batch, size_t count,
		     const struct format_machine *machine, struct format_text *ret);
int out_render(enum format format, const struct sink_line *line,
	       const struct format_machine *machine, struct format_text *ret);

/**
 * Read a secret's file into *@ret_text, NUL-terminated, at most 64 KiB. Returns 0 or -errno with a
 * sentence in @error.
 */
int out_read_secret(const struct sink_secret *secret, char **ret_text, char error[236]);

#endif
