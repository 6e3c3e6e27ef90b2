/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The verdict on a command line, read out of the new program's own memory: by then nobody else can
 * change it, and the program has not run yet.
 *
 * A command has several names, and each is a key of the command automaton:
 *   the program's path and argv[1..]     all rules and the default
 *   argv[0] and argv[1..]                rules that deny: an applet by its name
 *   argv[1] and argv[2..], ...           the same, as far as the kernel put interpreters of a script
 *                                        before it: the script by its name
 *   the script's path and the words behind its name
 *                                        the same: its name may be a link or a descriptor
 * A name without '/' in front gets one. The strictest verdict counts.
 *
 * Words are read in parts of PK_PATH_MAX bytes, until no further word can change the answer.
 *   memory that cannot be read, no words, more than PK_COMMAND_MAX   deny, PK_REASON_COMMAND
 *   no image, broken image                                           deny, PK_REASON_IMAGE
 */
#include "picket.bpf.h"

#include "image.bpf.h"
#include "report.bpf.h"

#include "ask.bpf.h"
#include "command.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct pk_words {
	struct pk_scratch *s;
	struct pk_view view;
	const struct pk_image *head;
	__u32 run; /* 0: words are passed by, not matched */
	struct pk_result result; /* the strictest so far */
};

struct pk_cut {
	struct pk_scratch *s;
	__u32 length;
};

/* How many bytes of the part at hand belong to the words that are left. */
static long pk_cut_chunk(__u32 chunk, void *arg)
{
	struct pk_cut *c = arg;
	struct pk_scratch *s = c->s;

	for (__u32 i = 0; i < PK_WALK_CHUNK; i++) {
		__u32 at = chunk * PK_WALK_CHUNK + i;

		if (at >= c->length)
			return 1;
		s->command.used = at + 1;
		if (s->data[PK_PATH_MAX + (at & (PK_PATH_MAX - 1))])
			continue;
		s->command.left--;
		if (!s->command.left)
			return 1;
	}
	return 0;
}

/* Read the next part, up to the last word that is left. Returns 0, or 1 when there is none. */
static __always_inline int pk_part_read(struct pk_scratch *s)
{
	struct pk_cut cut = { .s = s };
	__u64 at = s->command.at;
	__u64 end = s->command.end;
	__u64 rest = end - at;

	s->command.used = 0;
	if (at >= end)
		return 1;
	cut.length = rest < PK_PATH_MAX ? (__u32)rest : PK_PATH_MAX;
	if (cut.length > PK_PATH_MAX ||
	    bpf_probe_read_user(s->data + PK_PATH_MAX, cut.length, (const void *)at))
		return 1;
	bpf_loop(PK_PATH_MAX / PK_WALK_CHUNK, pk_cut_chunk, &cut, 0);
	return 0;
}

/* @length bytes of the first or second text through the automaton. */
static __noinline void pk_words_run(struct pk_words *w, __u32 second, __u32 length)
{
	struct pk_scratch *s = w->s;
	__u32 state = s->command.state;
	const __u8 *text = s->data;

	if (second)
		text = s->data + PK_PATH_MAX;
	if (pk_argv_run(&w->view, w->head, text, length, &state))
		s->command.failed = PK_REASON_IMAGE;
	s->command.state = state;
}

static long pk_part_step(__u32 index, void *arg)
{
	struct pk_words *w = arg;
	struct pk_scratch *s = w->s;

	if (!s->command.left)
		return 1;
	if (pk_part_read(s)) {
		s->command.failed = PK_REASON_COMMAND;
		return 1;
	}
	s->command.at += s->command.used;
	if (!w->run)
		return 0;
	pk_words_run(w, 1, s->command.used);
	if (s->command.failed)
		return 1;
	if (s->command.state != w->head->argv_dead)
		return 0;
	/* Nothing that follows changes the answer. */
	s->command.left = 0;
	return 1;
}

/* Take the next @count words, matching them or passing them by. */
static __noinline void pk_words_take(struct pk_words *w, __u32 count, __u32 run)
{
	struct pk_scratch *s = w->s;

	s->command.left = count;
	w->run = run;
	bpf_loop(PK_COMMAND_MAX / PK_PATH_MAX, pk_part_step, w, 0);
	if (s->command.left)
		s->command.failed = PK_REASON_COMMAND;
}

/* One byte that is in no memory. */
static __always_inline void pk_words_byte(struct pk_words *w, __u8 byte)
{
	w->s->data[PK_PATH_MAX] = byte;
	pk_words_run(w, 1, 1);
}

/* What the rules say to the key whose last byte was read. */
static __noinline void pk_words_judge(struct pk_words *w, __u32 flags)
{
	struct pk_scratch *s = w->s;
	struct pk_query query = {
		.section = PK_SECTION_EXEC,
		.access = PK_ACCESS_COMMAND,
		.subjects = s->rq.subjects,
		.flags = flags,
	};
	struct pk_result result = { PK_VERDICT_DENY, PK_REASON_IMAGE, PK_RULE_NONE };
	struct pk_sets sets = {};

	if (s->command.failed)
		result.reason = s->command.failed;
	else if (!pk_argv_sets(&w->view, s->command.state, &sets))
		result = pk_judge_sets(&w->view, w->head, &sets, &query);
	if (flags && result.verdict <= w->result.verdict)
		return;
	w->result = result;
}

/* The words from argv[index] on, that word being the program. */
static long pk_name_step(__u32 index, void *arg)
{
	struct pk_words *w = arg;
	struct pk_scratch *s = w->s;

	if (index > s->command.scripts || index >= s->command.words)
		return 1;
	s->command.at = s->command.start;
	s->command.state = w->head->argv_start;
	pk_words_take(w, index, 0);
	if (bpf_probe_read_user(s->data + PK_PATH_MAX, 1, (const void *)s->command.at))
		s->command.failed = PK_REASON_COMMAND;
	else if (s->data[PK_PATH_MAX] != '/')
		pk_words_byte(w, '/');
	if (!s->command.failed)
		pk_words_take(w, s->command.words - index, 1);
	pk_words_judge(w, PK_JUDGE_RULES_ONLY);
	return s->command.failed != 0;
}

/* The script's path in place of its name. */
static __always_inline void pk_script_step(struct pk_words *w)
{
	struct pk_scratch *s = w->s;
	__u32 skipped = s->command.scripts + 1;

	if (s->command.script_image != pk_image_name(w->head) || skipped > s->command.words)
		s->command.failed = PK_REASON_COMMAND;
	if (!s->command.failed && !s->command.script)
		return;
	s->command.at = s->command.start;
	if (!s->command.failed)
		pk_words_take(w, skipped, 0);
	s->command.state = s->command.script;
	if (!s->command.failed)
		pk_words_take(w, s->command.words - skipped, 1);
	pk_words_judge(w, PK_JUDGE_RULES_ONLY);
}

/* The program's path in place of argv[0]. */
static __always_inline void pk_path_step(struct pk_words *w)
{
	struct pk_scratch *s = w->s;

	s->command.at = s->command.start;
	s->command.state = w->head->argv_start;
	pk_words_run(w, 0, s->rq.length[0]);
	pk_words_byte(w, 0);
	pk_words_take(w, 1, 0);
	if (!s->command.failed)
		pk_words_take(w, s->command.words - 1, 1);
	pk_words_judge(w, 0);
}

static __always_inline void pk_command_judge(struct pk_words *w)
{
	struct pk_scratch *s = w->s;

	w->result = (struct pk_result){ PK_VERDICT_ALLOW, PK_REASON_UNJUDGED, PK_RULE_NONE };
	if (!w->head->argv_start || !w->head->defaults[PK_SECTION_EXEC].present)
		return;
	if (!s->command.failed && !s->command.words)
		s->command.failed = PK_REASON_COMMAND;
	if (s->rq.reason || s->command.failed) {
		w->result.verdict = PK_VERDICT_DENY;
		w->result.reason = s->rq.reason ? s->rq.reason : s->command.failed;
		return;
	}
	if (!(s->rq.flags & PK_REQUEST_NAMELESS))
		pk_path_step(w);
	if (w->result.verdict != PK_VERDICT_DENY)
		bpf_loop(PK_SCRIPTS_MAX + 1, pk_name_step, w, 0);
	if (w->result.verdict != PK_VERDICT_DENY && s->command.scripts)
		pk_script_step(w);
}

static long pk_blank_chunk(__u32 chunk, void *arg)
{
	struct pk_cut *c = arg;
	struct pk_scratch *s = c->s;

	for (__u32 i = 0; i < PK_WALK_CHUNK; i++) {
		__u32 at = chunk * PK_WALK_CHUNK + i;

		if (at >= c->length)
			return 1;
		if (!s->data[PK_PATH_MAX + (at & (PK_PATH_MAX - 1))])
			s->data[PK_PATH_MAX + (at & (PK_PATH_MAX - 1))] = ' ';
	}
	return 0;
}

/* For the record: the beginning of the command line, a blank between words. */
static __noinline void pk_command_text(struct pk_words *w)
{
	struct pk_scratch *s = w->s;
	struct pk_cut cut = { .s = s };

	s->rq.flags |= PK_REQUEST_BOTH;
	s->rq.length[1] = 0;
	s->command.at = s->command.start;
	s->command.left = s->command.words;
	if (!s->command.words || pk_part_read(s))
		return;
	cut.length = s->command.used;
	s->rq.length[1] = cut.length;
	/* Blanks and ends of words are not the same. Words that nobody can be shown nobody can approve. */
	if (w->result.verdict == PK_VERDICT_ASK && !s->command.left)
		(void)pk_ask_key(s);
	/* The NUL behind the last word is no text. */
	if (!s->command.left && cut.length)
		cut.length--;
	bpf_loop(PK_PATH_MAX / PK_WALK_CHUNK, pk_blank_chunk, &cut, 0);
	s->rq.length[1] = cut.length;
}

__noinline int pk_script_note(struct pk_scratch *s)
{
	const struct pk_image *head;
	struct pk_view view;
	__u32 agent, state, zero = 0;

	if (!s)
		return 0;
	s->command.script = 0;
	s->command.script_image = 0;
	agent = s->rq.agent;
	view.map = bpf_map_lookup_elem(&pk_images, &agent);
	if (!view.map)
		return 0;
	head = bpf_map_lookup_elem(view.map, &zero);
	if (!head)
		return 0;
	state = head->argv_start;
	if (state && (pk_argv_run(&view, head, s->data, s->rq.length[0], &state) ||
		      pk_step(&view, head->argv_class[0], &state)))
		return 0;
	s->command.script = state;
	s->command.script_image = pk_image_name(head);
	return 0;
}

__noinline int pk_decide_command(struct pk_scratch *s)
{
	struct pk_words words = {
		.s = s,
		.result = { PK_VERDICT_DENY, PK_REASON_IMAGE, PK_RULE_NONE },
	};
	__u32 agent, audit = 0, zero = 0;

	if (!s)
		return -EACCES;
	agent = s->rq.agent;
	words.view.map = bpf_map_lookup_elem(&pk_images, &agent);
	if (words.view.map) {
		words.head = bpf_map_lookup_elem(words.view.map, &zero);
		if (words.head) {
			audit = words.head->flags & PK_IMAGE_AUDIT;
			pk_command_judge(&words);
		}
	}
	if (words.result.verdict == PK_VERDICT_ALLOW)
		return 0;
	pk_command_text(&words);
	if (pk_answers && words.result.verdict == PK_VERDICT_ASK && pk_approvers && !audit) {
		if (s->rq.flags & PK_REQUEST_KEYED) {
			s->finding.verdict = words.result.verdict;
			s->finding.reason = words.result.reason;
			s->finding.rule = words.result.rule;
			s->finding.image = words.head ? pk_image_name(words.head) : 0;
			s->finding.audit = 0;
			return pk_ask(s);
		}
		words.result.verdict = PK_VERDICT_DENY;
		words.result.reason = PK_REASON_COMMAND;
	}
	return pk_conclude(s, &words.result, audit);
}
