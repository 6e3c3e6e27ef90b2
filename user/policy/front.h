/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the front end share while one policy is read: the files that are open, the
 * policy that grows, and where findings go. Functions return 0 or -ENOMEM; anything wrong with the
 * policy is a finding, and the reading goes on behind it.
 */
#ifndef PICKET_POLICY_FRONT_H
#define PICKET_POLICY_FRONT_H

#include "policy/load.h"
#include "policy/yaml.h"

/** A variable of a `vars` section with its final value. */
struct variable {
	char *name; /* owned */
	char *value; /* owned; NULL: its definition is faulty and has been reported */
	struct diag_pos pos;
};

/** One file that is being read; included files are below the file that includes them. */
struct frame {
	struct frame *parent; /* NULL: the policy's own file */
	struct source source;
	struct source_identity identity; /* of files; zero for texts from memory */
	struct node *root; /* owned */
	const struct node *include; /* in the parent's tree: what named this file */
	struct variable *variables; /* owned; seen by this file and the files it includes */
	size_t variable_count;
	bool tests; /* a file of tests and nothing else */
	const struct node *definitions; /* the `vars` map while it is read */
	size_t definition; /* the one that is read, counted in keys */
};

/** One load. */
struct front {
	const struct policy_context *context;
	struct policy *policy; /* owned until the load succeeds */
	struct diag_list *diags;
	struct frame *frame; /* the file that is being read */
	bool from_memory; /* no files may be opened */
	struct source_identity *seen; /* owned: files that are or were included */
	size_t seen_count;
	size_t bytes; /* of all sources so far */
	const struct node *writable_exec; /* in the policy's own tree: the switch, or NULL */
	void *ids; /* tsearch() tree of struct rule_id */
	bool *override_used; /* owned: one for each override */
};

/** Most bytes of a policy and all files it includes. */
#define POLICY_TOTAL_MAX (4 * (size_t)POLICY_FILE_MAX)

/** Append @item (@size bytes) to *@items, an array of *@count; 0 or -ENOMEM. */
int front_append(void *items, size_t *count, const void *item, size_t size);

/** front_append() to a typed array. */
#define FRONT_APPEND(items, count, item)                                                           \
	({                                                                                         \
		_Static_assert(sizeof(**(items)) == sizeof(*(item)), "element type");              \
		front_append(items, count, item, sizeof(*(item)));                                 \
	})

/** Called for each text of a "text or list of texts"; non-zero stops. */
typedef int (*front_visit)(struct front *front, const struct node *text, void *into);

/**
 * Visit @value itself, or every element when it is a list; elements that are not texts are
 * reported as not being @expected ("a pattern").
 */
int front_each_text(struct front *front, const struct node *value, const char *expected,
		    front_visit visit, void *into);

/** A word of a closed set and what it means. */
struct front_word {
	const char *word;
	unsigned int value;
};

/** A closed set of words. */
struct front_words {
	const char *what; /* what one of them is: "access" */
	const struct front_word *words;
	size_t count;
};

#define FRONT_WORDS(what, words)                                                                   \
	{                                                                                          \
		what, words, sizeof(words) / sizeof(*(words))                                      \
	}

/** Look @text up in @set; an unknown one is reported as "unknown WHAT 'x'". True when found. */
bool front_word(struct front *front, const struct node *text, const struct front_words *set,
		unsigned int *ret_value);

/** True when @text is a single line, not empty, without control characters; else reported. */
bool front_line(struct front *front, const struct node *text, const char *what);

/**
 * Report @node as being of the wrong type: "WHAT must be EXPECTED, not ...". When EXPECTED is a
 * kind of text, brackets are explained.
 */
void front_wrong_type(struct front *front, const struct node *node, const char *what,
		      const char *expected, bool text_expected);

/** Hint: the nearest of @names, or all of them under @label. */
void front_hint_names(struct diag *diag, const char *word, const char *label,
		      const char *const *names, size_t count);

#endif
