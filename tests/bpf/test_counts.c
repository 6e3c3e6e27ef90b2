/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much work each program is for the verifier of this kernel, against what is recorded in
 * tests/bpf/verified.txt. A program that grew by more than a tenth fails until its record is changed
 * in the same commit; so does one without a record. A kernel without any record is skipped, which a
 * guest's judge refuses.
 *
 *   test_counts            compare, TAP
 *   test_counts --record   print the lines of this kernel and tier
 *
 * A line of the record: KERNEL TIER PROGRAM INSTRUCTIONS, the kernel as "6.1".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <picket.skel.h>

#include "base/mem.h"
#include "engine/features.h"
#include "engine/loader.h"
#include "telemetry/names.h"

#define RECORD "tests/bpf/verified.txt"
/* Growth that fails, in percent. */
#define GROWTH 10

/** One program as it is, or as it was recorded. */
struct count {
	char program[32];
	__u32 instructions;
};

struct counts {
	struct count items[128];
	size_t count;
};

/** Which record is looked for. */
struct place {
	char kernel[16];
	const char *tier;
};

static int name_kernel(char *text, size_t size)
{
	struct utsname names;
	unsigned int major, minor;

	if (uname(&names) || sscanf(names.release, "%u.%u", &major, &minor) != 2)
		return -EINVAL;
	return snprintf(text, size, "%u.%u", major, minor) < (int)size ? 0 : -EINVAL;
}

static int add(struct counts *counts, const char *program, __u32 instructions)
{
	struct count *item = &counts->items[counts->count];

	if (counts->count == sizeof(counts->items) / sizeof(counts->items[0]))
		return -E2BIG;
	(void)snprintf(item->program, sizeof(item->program), "%s", program);
	item->instructions = instructions;
	counts->count++;
	return 0;
}

static int measure(const struct loader *loader, struct counts *ret_counts)
{
	struct bpf_program *prog;
	int r = 0;

	bpf_object__for_each_program(prog, loader->skel->obj) {
		struct bpf_prog_info info = { 0 };
		__u32 size = sizeof(info);

		if (r || !bpf_program__autoload(prog))
			continue;
		r = bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &size) ? -errno : 0;
		if (r == 0)
			r = add(ret_counts, bpf_program__name(prog), info.verified_insns);
	}
	return r;
}

static int read_record(const struct place *place, struct counts *ret_counts)
{
	char line[256], kernel[32], tier[32], program[32];
	FILE *file = fopen(RECORD, "re");
	__u32 instructions;
	int r = file ? 0 : -errno;

	while (file && r == 0 && fgets(line, sizeof(line), file)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (sscanf(line, "%31s %31s %31s %u", kernel, tier, program, &instructions) != 4)
			r = -EINVAL;
		else if (strcmp(kernel, place->kernel) == 0 && strcmp(tier, place->tier) == 0)
			r = add(ret_counts, program, instructions);
	}
	if (file)
		(void)fclose(file);
	return r;
}

static const struct count *find(const struct counts *counts, const char *program)
{
	for (size_t i = 0; i < counts->count; i++)
		if (strcmp(counts->items[i].program, program) == 0)
			return &counts->items[i];
	return NULL;
}

static int compare(const struct counts *now, const struct counts *record)
{
	int failed = 0;

	printf("1..%zu\n", now->count);
	for (size_t i = 0; i < now->count; i++) {
		const struct count *item = &now->items[i];
		const struct count *old = find(record, item->program);
		bool good = old && (__u64)item->instructions * 100 <=
					   (__u64)old->instructions * (100 + GROWTH);

		printf("%sok %zu - %s verified in %u instructions or less\n", good ? "" : "not ",
		       i + 1, item->program, old ? old->instructions / 100 * (100 + GROWTH) : 0);
		if (!good)
			printf("# it takes %u, %s\n", item->instructions,
			       old ? "record that with its reason (tools/vm/counts)" :
				     "and there is no record of it (tools/vm/counts)");
		failed += !good;
	}
	return failed;
}

static void print(const struct place *place, const struct counts *counts)
{
	for (size_t i = 0; i < counts->count; i++)
		printf("%s %s %s %u\n", place->kernel, place->tier, counts->items[i].program,
		       counts->items[i].instructions);
}

static int run(struct loader *loader, struct diag_list *diags, struct place *place,
	       struct counts *now)
{
	struct features features = { .tier = -1 };
	int r = features_probe(PK_TIER__MAX - 1, &features);
	int tier = features.tier;

	features_reset(&features);
	if (r == 0 && tier < 0)
		r = -ENOTSUP;
	if (r == 0)
		r = name_kernel(place->kernel, sizeof(place->kernel));
	if (r)
		return r;
	place->tier = names_tier((__u32)tier);
	r = loader_load((enum pk_tier)tier, loader, diags);
	return r ? r : measure(loader, now);
}

int main(int argc, char **argv)
{
	CLEAN(loader_close) struct loader loader = { 0 };
	struct diag_list diags = { 0 };
	struct counts now = { 0 }, record = { 0 };
	struct place place = { 0 };
	int r = run(&loader, &diags, &place, &now);

	if (diags.count)
		diag_print(&diags, stderr);
	diag_list_reset(&diags);
	if (r == 0 && argc > 1 && strcmp(argv[1], "--record") == 0) {
		print(&place, &now);
		return 0;
	}
	if (r == 0)
		r = read_record(&place, &record);
	if (r) {
		printf("Bail out! %s\n", strerror(-r));
		return 1;
	}
	if (!record.count) {
		printf("1..1\nok 1 - record # SKIP there is none for Linux %s in tier %s\n",
		       place.kernel, place.tier);
		return 0;
	}
	return compare(&now, &record) ? 1 : 0;
}
