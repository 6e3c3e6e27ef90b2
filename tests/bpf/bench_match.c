/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cost of one decision in the kernel's JIT. Every policy named is published in a slot of its
 * own; every question of standard input is asked of each slot REPEAT times in one call, slot after
 * slot, ROUNDS times over. It judges no number; tests/bench does.
 *
 *   bench_match ROUNDS REPEAT POLICY...
 *
 * A question is a line `path LABEL TEXT` (may it be read?) or `address LABEL V4 PORT` (tcp). Every
 * policy must allow it. An answer is a line `LABEL SLOT ROUND NANOSECONDS` for one decision; slot 0
 * has no image: the loop, the call and the lookup alone. It is CPU time: nothing waits here.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <test_match.skel.h>

#include "engine/publish.h"
#include "policy/compile.h"
#include "policy/load.h"

#include "match.h"

#define QUESTIONS_MAX 32
/* More than this in one call is refused by the kernel's bpf_loop(). */
#define REPEAT_MAX (1L << 23)

struct question {
	char label[32];
	struct match_io io;
};

struct bench {
	struct test_match_bpf *skel;
	struct question questions[QUESTIONS_MAX];
	size_t question_count;
	__u32 slots; /* 1..slots hold an image */
	__u32 repeat;
	long rounds;
};

static int publish_policy(const struct bench *bench, __u32 slot, const char *path)
{
	const struct policy_context context = { 0 };
	const struct compile_options options = { 0 };
	struct policy_image image = { 0 };
	struct diag_list diags = { 0 };
	struct policy *policy = NULL;
	int r;

	r = policy_load_file(path, &context, &policy, &diags);
	if (!r)
		r = policy_compile((const struct policy *const *)&policy, 1, &options, &image,
				   &diags);
	if (!r)
		r = publish_image(bpf_map__fd(bench->skel->maps.pk_images), slot, &image, &diags);
	if (r)
		diag_print(&diags, stderr);
	image_reset(&image);
	policy_free(&policy);
	diag_list_reset(&diags);
	return r;
}

static int parse_question(char *line, struct question *ret)
{
	struct question q = { .io.section = PK_SECTION_FILES, .io.access = PK_ACCESS_READ };
	char kind[8], text[PK_PATH_MAX];
	struct in_addr v4;
	unsigned int port = 0;

	if (sscanf(line, "%7s %31s %4095s %u", kind, q.label, text, &port) < 3)
		return -EINVAL;
	if (!strcmp(kind, "path")) {
		q.io.length = (__u32)strlen(text);
		memcpy(q.io.key, text, q.io.length);
	} else if (!strcmp(kind, "address") && inet_pton(AF_INET, text, &v4) == 1) {
		q.io.section = PK_SECTION_EGRESS;
		q.io.access = PK_ACCESS_TCP;
		q.io.port = port;
		q.io.address_lo = 0x0000ffff00000000ULL | ntohl(v4.s_addr);
	} else {
		return -EINVAL;
	}
	*ret = q;
	return 0;
}

static int read_questions(struct bench *bench)
{
	static char line[PK_PATH_MAX + 64];

	while (fgets(line, sizeof(line), stdin)) {
		if (bench->question_count == QUESTIONS_MAX)
			return -E2BIG;
		if (parse_question(line, &bench->questions[bench->question_count])) {
			fprintf(stderr, "bench_match: not a question: %s", line);
			return -EINVAL;
		}
		bench->question_count++;
	}
	return bench->question_count ? 0 : -ENODATA;
}

static long long now(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int call(const struct bpf_program *program)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);
	int r = bpf_prog_test_run_opts(bpf_program__fd(program), &options);

	return r ? r : (int)options.retval;
}

/* One measure. A question that is not answered as expected is no decision: it fails. */
static int measure(const struct bench *bench, const struct question *q, __u32 slot,
		   double *ret_nanoseconds)
{
	int fd = bpf_map__fd(bench->skel->maps.match_io);
	struct match_io io = q->io;
	long long start, took;
	__u32 zero = 0;

	io.slot = slot;
	io.repeat = bench->repeat;
	if (bpf_map_update_elem(fd, &zero, &io, 0) || call(bench->skel->progs.match_one) ||
	    bpf_map_lookup_elem(fd, &zero, &io))
		return -EIO;
	if (slot ? io.broken || io.verdict != PK_VERDICT_ALLOW : !io.broken) {
		fprintf(stderr, "bench_match: slot %u does not allow '%s'\n", slot, q->label);
		return -EPROTO;
	}
	start = now();
	if (call(bench->skel->progs.match_many))
		return -EIO;
	took = now() - start;
	*ret_nanoseconds = (double)took / (double)bench->repeat;
	return 0;
}

/* Slots innermost: what is compared is measured side by side. */
static int measure_all(const struct bench *bench)
{
	for (long round = 0; round < bench->rounds; round++) {
		for (size_t i = 0; i < bench->question_count * (bench->slots + 1); i++) {
			const struct question *q = &bench->questions[i / (bench->slots + 1)];
			const __u32 slot = (__u32)(i % (bench->slots + 1));
			double nanoseconds = 0;
			int r = measure(bench, q, slot, &nanoseconds);

			if (r)
				return r;
			printf("%s %u %ld %.2f\n", q->label, slot, round, nanoseconds);
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct bench bench;
	long repeat = argc > 3 ? atol(argv[2]) : 0;
	int r = 0;

	bench.rounds = argc > 3 ? atol(argv[1]) : 0;
	if (bench.rounds < 1 || repeat < 1 || repeat > REPEAT_MAX) {
		fprintf(stderr, "usage: bench_match ROUNDS REPEAT POLICY... <QUESTIONS\n");
		return 2;
	}
	bench.repeat = (__u32)repeat;
	bench.skel = test_match_bpf__open_and_load();
	if (!bench.skel)
		return 1;
	for (int i = 3; !r && i < argc; i++)
		r = publish_policy(&bench, ++bench.slots, argv[i]);
	if (!r)
		r = read_questions(&bench);
	if (!r)
		r = measure_all(&bench);
	if (r)
		fprintf(stderr, "bench_match: %s\n", strerror(-r));
	test_match_bpf__destroy(bench.skel);
	return r ? 1 : 0;
}
