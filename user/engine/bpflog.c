/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kept text is static because libbpf's print callback has no argument of its own to reach
 * anything else. Only the end is kept: verifier logs are long and their last lines matter.
 */
#include "engine/bpflog.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define BPFLOG_BYTES 16384

struct kept_text {
	char text[BPFLOG_BYTES];
	size_t length;
};

/* NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables) */
static struct kept_text kept;

static void keep(const char *text, size_t length)
{
	if (length >= BPFLOG_BYTES) {
		text += length - (BPFLOG_BYTES - 1);
		length = BPFLOG_BYTES - 1;
	}
	if (kept.length + length >= BPFLOG_BYTES) {
		size_t drop = kept.length + length - (BPFLOG_BYTES - 1);

		memmove(kept.text, kept.text + drop, kept.length - drop);
		kept.length -= drop;
	}
	memcpy(kept.text + kept.length, text, length);
	kept.length += length;
	kept.text[kept.length] = '\0';
}

static int print_kept(enum libbpf_print_level level, const char *format, va_list args)
{
	CLEAN_FREE char *text = NULL;
	int length;

	if (level != LIBBPF_WARN)
		return 0;
	length = vasprintf(&text, format, args);
	if (length < 0) {
		text = NULL;
		return 0;
	}
	keep(text, (size_t)length);
	return length;
}

void bpflog_start(void)
{
	kept.length = 0;
	kept.text[0] = '\0';
	(void)libbpf_set_print(print_kept);
}

int bpflog_program(char *name, size_t size)
{
	const char *end = strstr(kept.text, "': BPF program load failed");
	const char *begin = end;

	if (!end || size == 0)
		return -ENOENT;
	while (begin > kept.text && begin[-1] != '\'')
		begin--;
	(void)snprintf(name, size, "%.*s", (int)(end - begin), begin);
	return 0;
}

/* Lines that frame or count and do not say why. */
static bool is_noise(const char *line, size_t length)
{
	static const char *const noise[] = {
		"-- BEGIN",
		"-- END",
		"processed ",
		"libbpf: failed to load object",
		"libbpf: prog '",
		"arg#",
		"verification time",
		"stack depth",
		"0: R1=",
		"permission error while running as root",
		"failed to load BPF skeleton",
	};

	if (length == 0)
		return true;
	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++) {
		if (memmem(line, length, noise[i], strlen(noise[i])))
			return true;
	}
	return false;
}

char *bpflog_tail(unsigned int lines)
{
	CLEAN_FREE char *tail = strdup("");
	size_t end = kept.length;

	while (tail && lines > 0 && end > 0) {
		size_t begin = end;
		char *more = NULL;

		while (begin > 0 && kept.text[begin - 1] != '\n')
			begin--;
		if (!is_noise(kept.text + begin, end - begin)) {
			if (asprintf(&more, "%.*s%s%s", (int)(end - begin), kept.text + begin,
				     *tail ? "; " : "", tail) < 0)
				return NULL;
			mem_free_ptr(&tail);
			tail = more;
			lines--;
		}
		end = begin > 0 ? begin - 1 : 0;
	}
	return TAKE_PTR(tail);
}
