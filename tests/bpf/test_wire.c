/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet programs themselves, by BPF_PROG_TEST_RUN, in the cgroup of an agent with a policy: what
 * they pass, drop and learn is what the host reads in the same packet and its policy says of it. Recorded
 * packets and thousands of changed ones, by IPv4 and by IPv6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/bpflog.h"
#include "engine/cgroup.h"
#include "engine/features.h"
#include "engine/place.h"
#include "engine/publish.h"
#include "expect.h"
#include "frames.h"
#include "packets.h"
#include "policy/compile.h"
#include "policy/decide.h"
#include "policy/load.h"
#include "policy/matcher.h"
#include "seeds.h"
#include "test_wire.skel.h"
#include "wire.h"

/* Changed packets a kind. */
#define CHANGED 5000
#define SLOT 5

static const char text[] =
	"picket: 1\nname: wire\negress:\n  default: deny\n"
	"  dns: {resolvers: [9.9.9.9, \"2620:fe::9\"], rate: off, max_name: 200}\n  rules:\n"
	"    - allow: [\"**.test:80,443,9999\", \"**.example:443\"]\n"
	"    - deny: [\"nope.test\", \"c.test\", \"denied.example\", \"www.example.test:443\"]\n";

struct fixture {
	struct test_wire_bpf *skel;
	struct seeds *seeds;
	struct features features;
	struct place_roots roots;
	struct place place;
	struct policy_image image;
	struct diag_list diags;
	__u64 cgroup;
	int home; /* the cgroup that we come from */
};

/* --- The scene ------------------------------------------------------------------------------- */

static int compile_policy(struct fixture *f)
{
	const struct policy_context context = { 0 };
	const struct compile_options options = { 0 };
	struct policy *policy = NULL;
	int r = policy_load_text("wire", text, sizeof(text) - 1, &context, &policy, &f->diags);

	if (!r)
		r = policy_compile((const struct policy *const *)&policy, 1, &options, &f->image,
				   &f->diags);
	policy_free(&policy);
	return r;
}

/* The cgroup that this process is in. */
static int open_home(const struct fixture *f)
{
	FILE *from = fopen("/proc/self/cgroup", "re");
	char line[512], path[1024];
	int fd = -1;

	while (from && fgets(line, sizeof(line), from)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0::", 3) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s%s", f->features.cgroup_root, line + 3);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (from)
		(void)fclose(from);
	return fd;
}

static int make_place(struct fixture *f)
{
	struct place_lock lock = PLACE_LOCK_NONE;
	int r;

	if (features_probe(PK_TIER_NETWORK, &f->features))
		return -1;
	f->roots.cgroup = f->features.cgroup_root;
	f->roots.bpffs = f->features.bpffs;
	f->home = open_home(f);
	r = place_lock(&f->roots, &lock, &f->diags);
	if (!r)
		r = place_create(&f->roots, &lock, &f->place, &f->diags);
	place_unlock(&f->roots, &lock);
	return r || f->home < 0 ? -1 : cgroup_id(f->place.cgroup, &f->cgroup);
}

static int set_agent(const struct fixture *f)
{
	__u32 slot = SLOT;

	return bpf_map_update_elem(bpf_map__fd(f->skel->maps.pk_cgroups), &f->cgroup, &slot, 0);
}

/* What does not work is told, with what libbpf said last. */
static int begun(const char *what, int r)
{
	char *said = r ? bpflog_tail(12) : NULL;

	if (r)
		printf("# %s: %d %s\n", what, r, said ? said : "");
	free(said);
	return r;
}

static int load_agent(struct fixture *f)
{
	int r = begun("policy", compile_policy(f));

	if (!r)
		r = begun("place", make_place(f));
	bpflog_start();
	if (!r)
		r = begun("load", test_wire_bpf__load(f->skel));
	if (!r)
		r = begun("image", publish_image(bpf_map__fd(f->skel->maps.pk_images), SLOT,
						 &f->image, &f->diags));
	if (!r)
		r = begun("agent", set_agent(f));
	return r ? r : begun("cgroup", cgroup_join(f->place.cgroup, 0));
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	*state = f;
	f->home = -1;
	f->place = (struct place)PLACE_NONE;
	f->seeds = seeds_load();
	f->skel = test_wire_bpf__open();
	if (!f->seeds || !f->skel)
		return -1;
	f->skel->rodata->pk_host_seed = EXPECT_SEED;
	return load_agent(f);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r = f->home < 0 ? 0 : cgroup_join(f->home, 0);

	if (place_remove(&f->roots, &f->place, &f->diags))
		r = -1;
	if (f->home >= 0)
		(void)close(f->home);
	test_wire_bpf__destroy(f->skel);
	image_reset(&f->image);
	features_reset(&f->features);
	diag_list_reset(&f->diags);
	free(f->seeds);
	free(f);
	return r;
}

/* --- Packets --------------------------------------------------------------------------------- */

/* What a program says of a packet: 1 pass, 0 drop. */
static int ask(const struct bpf_program *program, const struct frame *frame)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->bytes,
		    .data_size_in = frame->length);

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &options), 0);
	assert_true(options.retval == 0 || options.retval == 1);
	return (int)options.retval;
}

static void tell(const struct fixture *f, const struct wire_io *io)
{
	__u32 zero = 0;

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(f->skel->maps.wire_io), &zero, io, 0), 0);
}

static int any_family(void)
{
	return random() % 2 ? AF_INET : AF_INET6;
}

/* --- Questions ------------------------------------------------------------------------------- */

static int compare_question(const struct fixture *f, const struct seed *s)
{
	const struct way way = { any_family(), IPPROTO_UDP, 40000, 53, false };
	static struct frame frame;
	int pass;

	frame_wrap(&frame, &way, s->bytes, s->length);
	pass = ask(f->skel->progs.pk_egress, &frame);
	assert_int_equal(pass, expect_question(&f->image, s));
	return pass;
}

/* --- Answers --------------------------------------------------------------------------------- */

/* What the kernel learned must be what was found; forget it. */
static void compare_learned(const struct fixture *f, const struct found *found)
{
	int fd = bpf_map__fd(f->skel->maps.pk_learned_map);
	struct {
		__u64 hi, lo;
		__u32 agent, pad;
	} key;
	__u32 count = 0;

	while (bpf_map_get_next_key(fd, NULL, &key) == 0) {
		assert_int_equal(key.agent, SLOT);
		assert_true(found_has(found, key.hi, key.lo));
		assert_int_equal(bpf_map_delete_elem(fd, &key), 0);
		count++;
	}
	assert_int_equal(count, found->count);
}

/* @s is what became of @recorded, the answer to the question in it. */
static int compare_answer(const struct fixture *f, const struct seed *s,
			  const struct seed *recorded)
{
	const struct way way = { any_family(), IPPROTO_UDP, 53, 40000, true };
	static struct frame frame;
	static struct found found;
	struct wire_io io = { 0 };
	int pass;

	expect_asked(recorded, &io);
	tell(f, &io);
	frame_wrap(&frame, &way, s->bytes, s->length);
	pass = ask(f->skel->progs.wire_answer, &frame);
	assert_int_equal(pass, expect_answer(&f->image, s, &io, &found));
	if (!pass)
		found.count = 0;
	compare_learned(f, &found);
	return pass;
}

/* --- First payloads -------------------------------------------------------------------------- */

static int compare_payload(const struct fixture *f, const struct seed *s)
{
	static const __u16 ports[] = { 443, 443, 80, 9999 };
	const struct way way = { any_family(), IPPROTO_TCP, 40000, ports[random() % 4], false };
	struct wire_io io = { .agent = SLOT,
			      .cut = (__u32)random() % (s->length + 1),
			      .check = random() % 4 ? CHECK_NAME : CHECK_DENIED };
	static struct frame frame;
	int pass;

	tell(f, &io);
	frame_wrap(&frame, &way, s->bytes, s->length);
	pass = ask(f->skel->progs.wire_payload, &frame);
	assert_int_equal(pass, expect_payload(&f->image, s, io.check, way.to));
	return pass;
}

/* --- Tests ----------------------------------------------------------------------------------- */

static int compare(const struct fixture *f, const struct seed *s, const struct seed *recorded)
{
	switch (s->kind) {
	case PACKETS_QUESTION:
		return compare_question(f, s);
	case PACKETS_ANSWER:
		return compare_answer(f, s, recorded);
	default:
		return compare_payload(f, s);
	}
}

static void recorded_packets(void **state)
{
	const struct fixture *f = *state;
	int found[2] = { 0 };

	srandom(20240229);
	for (unsigned int i = 0; i < f->seeds->count; i++)
		for (int k = 0; k < 8; k++)
			found[compare(f, &f->seeds->at[i], &f->seeds->at[i])]++;
	printf("# recorded: %d dropped, %d passed\n", found[0], found[1]);
	assert_true(found[0] > 100 && found[1] > 100);
}

static void changed_packets(const struct fixture *f, __u32 kind)
{
	static struct seed s;
	int found[2] = { 0 };

	srandom(20240229 + kind);
	for (int count = 0; count < CHANGED; count++) {
		const struct seed *recorded = seeds_pick(f->seeds, kind);

		s = *recorded;
		seed_change(&s);
		if (s.length <= BODY_MAX)
			found[compare(f, &s, recorded)]++;
	}
	printf("# changed: %d dropped, %d passed\n", found[0], found[1]);
	assert_true(found[0] > 100 && found[1] > 100);
}

static void changed_questions(void **state)
{
	changed_packets(*state, PACKETS_QUESTION);
}

static void changed_answers(void **state)
{
	changed_packets(*state, PACKETS_ANSWER);
}

static void changed_payloads(void **state)
{
	changed_packets(*state, PACKETS_PAYLOAD);
}

/* A question that passes. */
static void good_question(const struct fixture *f, int family, struct frame *frame)
{
	const struct way way = { family, IPPROTO_UDP, 40000, 53, false };

	for (unsigned int i = 0; i < f->seeds->count; i++) {
		const struct seed *s = &f->seeds->at[i];

		frame_wrap(frame, &way, s->bytes, s->length);
		if (s->kind == PACKETS_QUESTION && ask(f->skel->progs.pk_egress, frame))
			return;
	}
	fail_msg("no question passes");
}

/* The programs are attached to an agent's cgroup: what belongs to no agent has no business there. */
static void nobodys_packet_is_dropped(void **state)
{
	const struct fixture *f = *state;
	static struct frame frame;

	good_question(f, AF_INET, &frame);
	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(f->skel->maps.pk_cgroups), &f->cgroup), 0);
	assert_int_equal(ask(f->skel->progs.pk_egress, &frame), 0);
	assert_int_equal(set_agent(f), 0);
	assert_int_equal(ask(f->skel->progs.pk_egress, &frame), 1);
}

/* A byte of the packet behind Ethernet's header is another one: dropped. */
static void expect_dropped(const struct fixture *f, const struct frame *frame, __u32 at, __u8 byte)
{
	static struct frame other;

	other = *frame;
	assert_int_not_equal(other.bytes[ETH_HLEN + at], byte);
	other.bytes[ETH_HLEN + at] = byte;
	assert_int_equal(ask(f->skel->progs.pk_egress, &other), 0);
}

static void odd_headers_are_dropped(void **state)
{
	static const __u8 extensions[] = { 0, 43, 44, 51, 60, 135, 139, 140 };
	const struct fixture *f = *state;
	static struct frame frame;

	good_question(f, AF_INET, &frame);
	expect_dropped(f, &frame, 0, 0x46); /* options */
	expect_dropped(f, &frame, 6, 0x20); /* more fragments */
	expect_dropped(f, &frame, 7, 0x01); /* a later fragment */
	expect_dropped(f, &frame, 9, IPPROTO_UDPLITE);
	expect_dropped(f, &frame, 9, IPPROTO_SCTP);
	expect_dropped(f, &frame, 19, 10); /* another address, which no rule allows */
	good_question(f, AF_INET6, &frame);
	for (size_t i = 0; i < sizeof(extensions); i++)
		expect_dropped(f, &frame, 6, extensions[i]);
	expect_dropped(f, &frame, 6, IPPROTO_UDPLITE);
	expect_dropped(f, &frame, 39, 10);
}

static void cut_packets_are_dropped(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };
	const struct fixture *f = *state;
	static struct frame frame;

	for (int i = 0; i < 2; i++) {
		__u32 least = ETH_HLEN + (families[i] == AF_INET ? 20 : 40);

		good_question(f, families[i], &frame);
		/* Kernels run nothing on less than the address header. */
		while (--frame.length > least)
			assert_int_equal(ask(f->skel->progs.pk_egress, &frame), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_packets),
		cmocka_unit_test(changed_questions),
		cmocka_unit_test(changed_answers),
		cmocka_unit_test(changed_payloads),
		cmocka_unit_test(nobodys_packet_is_dropped),
		cmocka_unit_test(odd_headers_are_dropped),
		cmocka_unit_test(cut_packets_are_dropped),
	};

	return cmocka_run_group_tests_name("wire", tests, setup, teardown);
}
