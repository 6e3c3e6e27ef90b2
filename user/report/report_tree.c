/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree of processes as rows of a picture: ancestors that are not the agent's around it, what was
 * refused to a process beside it. In a big tree, what nothing was refused to is folded by program.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "report/report_parts.h"

/* Up to so many processes each has its row. */
#define WHOLE_MAX 80
/* Rows of a picture, rows of refused ones below one process, groups below one, depth. */
#define ROWS_MAX 300
#define MARKED_MAX 12
#define GROUPS_MAX 12
#define DEPTH_MAX 24
/* Processes that are read; more are counted. */
#define NODES_MAX 200000
#define ROW 30
#define INDENT 20
#define SIDE 250 /* pixels for what stands at the right */
#define LETTER 7.3 /* pixels of a letter */
#define NAME_COLUMNS 28
#define NONE ((size_t)-1)

struct node {
	char *id, *parent, *comm, *exe, *argv, *status; /* owned; may be NULL but id */
	__s64 pid, start_ns, end_ns;
	bool outside; /* not the agent's: around it */
	bool incomplete;
	__u64 denied, asked; /* of itself */
	__u64 marks; /* denied and asked of it and all below */
	size_t below; /* processes below it */
	size_t child, sibling, last_child, up;
};

/* A row of the picture: a process, or several that are folded. */
struct row {
	size_t node; /* of a fold: the first of them */
	size_t parent_row; /* or NONE */
	unsigned int depth;
	size_t folded; /* processes of a fold, with all below; 0: it is one process */
	size_t heads; /* of a fold: processes without those below */
	__u64 denied, asked;
};

struct tree {
	const struct report *report;
	struct node *nodes;
	size_t count, room;
	size_t left_out;
	size_t first_root, last_root;
	struct row rows[ROWS_MAX];
	size_t row_count;
	size_t drawn; /* processes that rows stand for */
};

/* --- Reading -------------------------------------------------------------------------------------- */

static void free_node(struct node *node)
{
	free(node->id);
	free(node->parent);
	free(node->comm);
	free(node->exe);
	free(node->argv);
	free(node->status);
}

static void tree_reset(struct tree **tree)
{
	if (!*tree)
		return;
	for (size_t i = 0; i < (*tree)->count; i++)
		free_node(&(*tree)->nodes[i]);
	free((*tree)->nodes);
	free(*tree);
	*tree = NULL;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static int add_node(struct tree *tree, const struct store_process *process, bool outside)
{
	const struct tally_row *refused = tally_find(&tree->report->processes, process->id);
	struct node *grown;
	struct node node = {
		.pid = process->pid,
		.start_ns = process->start_ns,
		.end_ns = process->end_ns,
		.outside = outside,
		.incomplete = process->incomplete,
		.denied = refused ? refused->count[TALLY_DENIED] : 0,
		.asked = refused ? refused->count[TALLY_ASKED] : 0,
		.child = NONE,
		.sibling = NONE,
		.last_child = NONE,
		.up = NONE,
	};

	/* Who was refused something is never left out for want of room. */
	if (tree->count >= NODES_MAX && !refused) {
		tree->left_out++;
		return 0;
	}
	if (tree->count == tree->room) {
		grown = reallocarray(tree->nodes, tree->room * 2 + 64, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		tree->nodes = grown;
		tree->room = tree->room * 2 + 64;
	}
	node.id = strdup(process->id);
	if (!node.id)
		return -ENOMEM;
	node.parent = copy(process->parent);
	node.comm = copy(process->comm);
	node.exe = copy(process->exe);
	node.argv = copy(process->argv);
	node.status = copy(process->status);
	tree->nodes[tree->count++] = node;
	return 0;
}

static int add_own(void *context, const struct store_process *process)
{
	return add_node(context, process, false);
}

static int add_around(void *context, const struct store_process *process)
{
	const struct tree *tree = context;
	const struct filter_words *agents = &tree->report->filter.words[FILTER_AGENT];
	bool own = false;

	for (size_t i = 0; process->agent && i < agents->count; i++)
		own = own || strcmp(agents->items[i], process->agent) == 0;
	return add_node(context, process, !own);
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(((const struct node *)a)->id, ((const struct node *)b)->id);
}

static size_t find_node(const struct tree *tree, size_t sorted, const char *id)
{
	const struct node key = { .id = (char *)id };
	const struct node *found =
		id ? bsearch(&key, tree->nodes, sorted, sizeof(key), compare_ids) : NULL;

	return found ? (size_t)(found - tree->nodes) : NONE;
}

/* Add the parents that are not there, once; *@ret_added: there were some. */
static int add_parents(struct tree *tree, size_t *ret_added)
{
	size_t count = tree->count;
	int r = 0;

	if (count > 1)
		qsort(tree->nodes, count, sizeof(*tree->nodes), compare_ids);
	for (size_t i = 0; !r && i < count; i++) {
		const char *parent = tree->nodes[i].parent;
		bool known = !parent || find_node(tree, count, parent) != NONE;

		for (size_t j = count; !known && j < tree->count; j++)
			known = strcmp(tree->nodes[j].id, parent) == 0;
		if (!known)
			r = store_process(tree->report->store, parent, add_around, tree);
	}
	*ret_added = tree->count - count;
	return r;
}

static int read_nodes(struct tree *tree)
{
	const struct report *report = tree->report;
	const struct filter_words *agents = &report->filter.words[FILTER_AGENT];
	size_t added = 1;
	int r = 0;

	for (size_t i = 0; !r && i < agents->count; i++)
		r = store_processes(report->store, agents->items[i], &report->filter, add_own,
				    tree);
	for (int round = 0; !r && added && round < 32; round++)
		r = add_parents(tree, &added);
	return r;
}

/* --- Linking -------------------------------------------------------------------------------------- */

static int compare_starts(const void *a, const void *b)
{
	const struct node *left = a;
	const struct node *right = b;

	if (left->start_ns != right->start_ns)
		return left->start_ns < right->start_ns ? -1 : 1;
	return (left->pid > right->pid) - (left->pid < right->pid);
}

static void append(struct tree *tree, size_t parent, size_t child)
{
	size_t *first = parent == NONE ? &tree->first_root : &tree->nodes[parent].child;
	size_t *last = parent == NONE ? &tree->last_root : &tree->nodes[parent].last_child;

	if (*last == NONE)
		*first = child;
	else
		tree->nodes[*last].sibling = child;
	*last = child;
}

/* Where a node is now, by its id: numbers of nodes sorted by id. */
struct place {
	const char *id;
	size_t node;
};

static int compare_places(const void *a, const void *b)
{
	return strcmp(((const struct place *)a)->id, ((const struct place *)b)->id);
}

static int link_nodes(struct tree *tree)
{
	CLEAN_FREE struct place *places = calloc(tree->count + 1, sizeof(*places));

	if (!places)
		return -ENOMEM;
	if (tree->count > 1)
		qsort(tree->nodes, tree->count, sizeof(*tree->nodes), compare_starts);
	for (size_t i = 0; i < tree->count; i++)
		places[i] = (struct place){ tree->nodes[i].id, i };
	qsort(places, tree->count, sizeof(*places), compare_places);
	for (size_t i = 0; i < tree->count; i++) {
		const struct place key = { .id = tree->nodes[i].parent };
		const struct place *found =
			key.id ? bsearch(&key, places, tree->count, sizeof(key), compare_places) :
				 NULL;

		/* A process begins behind its parent: what says otherwise would be a circle. */
		if (found && found->node != i &&
		    tree->nodes[found->node].start_ns <= tree->nodes[i].start_ns)
			tree->nodes[i].up = found->node < i ? found->node : NONE;
		append(tree, tree->nodes[i].up, i);
	}
	return 0;
}

/* Parents come before their children, so that from the end each is whole when it is added. */
static void sum_up(struct tree *tree)
{
	for (size_t i = tree->count; i > 0; i--) {
		struct node *node = &tree->nodes[i - 1];

		node->marks += node->denied + node->asked;
		if (node->up == NONE)
			continue;
		tree->nodes[node->up].marks += node->marks;
		tree->nodes[node->up].below += node->below + 1;
	}
}

/* --- Rows ----------------------------------------------------------------------------------------- */

static const char *name_of(const struct node *node)
{
	const char *last = node->exe ? strrchr(node->exe, '/') : NULL;

	if (last && last[1])
		return last + 1;
	return node->comm ? node->comm : "?";
}

static size_t add_row(struct tree *tree, const struct row *row)
{
	if (tree->row_count == ROWS_MAX)
		return NONE;
	tree->rows[tree->row_count] = *row;
	return tree->row_count++;
}

/* What is folded below one process, by program. */
struct folds {
	struct row groups[GROUPS_MAX];
	size_t count;
};

static void fold(struct tree *tree, struct folds *folds, size_t at)
{
	const struct node *node = &tree->nodes[at];
	size_t group = 0;

	while (group < folds->count &&
	       strcmp(name_of(&tree->nodes[folds->groups[group].node]), name_of(node)) != 0)
		group++;
	if (group == GROUPS_MAX)
		return;
	if (group == folds->count)
		folds->groups[folds->count++] = (struct row){ .node = at };
	folds->groups[group].folded += node->below + 1;
	folds->groups[group].heads++;
	folds->groups[group].denied += node->marks;
}

static void put_folds(struct tree *tree, struct folds *folds, size_t parent_row, unsigned int depth)
{
	for (size_t i = 0; i < folds->count; i++) {
		struct row *row = &folds->groups[i];

		row->parent_row = parent_row;
		row->depth = depth;
		/* One that has nothing below it is no fold. */
		if (row->folded == 1) {
			row->folded = 0;
			row->denied = tree->nodes[row->node].denied;
			row->asked = tree->nodes[row->node].asked;
		}
		if (add_row(tree, row) != NONE)
			tree->drawn += row->folded ? row->folded : 1;
	}
}

/* Depth is bounded by DEPTH_MAX. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void put_nodes(struct tree *tree, size_t first, size_t parent_row, unsigned int depth)
{
	bool whole = tree->count <= WHOLE_MAX;
	struct folds folds = { .count = 0 };
	size_t marked = 0;

	for (size_t at = first; at != NONE; at = tree->nodes[at].sibling) {
		const struct node *node = &tree->nodes[at];
		struct row row = { .node = at,
				   .parent_row = parent_row,
				   .depth = depth,
				   .denied = node->denied,
				   .asked = node->asked };
		size_t number;

		if (depth >= DEPTH_MAX || (!whole && (!node->marks || marked >= MARKED_MAX))) {
			fold(tree, &folds, at);
			continue;
		}
		marked++;
		number = add_row(tree, &row);
		if (number == NONE)
			return;
		tree->drawn++;
		put_nodes(tree, node->child, number, depth + 1);
	}
	put_folds(tree, &folds, parent_row, depth);
}

/* --- Drawing -------------------------------------------------------------------------------------- */

static void put_words(const struct node *node, unsigned int columns, FILE *to)
{
	json_t *words = node->argv ? json_loads(node->argv, 0, NULL) : NULL;
	CLEAN_FREE char *text = NULL;
	size_t size = 0;
	FILE *all = open_memstream(&text, &size);
	const json_t *word;
	size_t i;

	if (all) {
		json_array_foreach(words, i, word) {
			if (i > 0 && i < 40 && json_is_string(word))
				(void)fprintf(all, i > 1 ? " %.200s" : "%.200s",
					      json_string_value(word));
		}
		if (fclose(all) == 0 && text)
			html_text_cut(to, text, columns);
	}
	json_decref(words);
}

static void put_end(const struct node *node, FILE *to)
{
	json_t *status = node->status ? json_loads(node->status, 0, NULL) : NULL;
	const json_t *signal = json_object_get(status, "signal");
	const json_t *code = json_object_get(status, "code");

	if (json_is_string(signal))
		html_text_cut(to, json_string_value(signal), 12);
	else if (signal)
		(void)fprintf(to, "signal %lld", (long long)json_integer_value(signal));
	else if (code)
		(void)fprintf(to, "exit %lld", (long long)json_integer_value(code));
	json_decref(status);
}

static void put_edge(const struct row *row, size_t number, FILE *to)
{
	int x = 10 + ((int)row->depth - 1) * INDENT + 8;
	int y = (int)number * ROW + ROW / 2;

	if (row->parent_row == NONE)
		return;
	(void)fprintf(to, "<path class=\"edge\" d=\"M%d %dV%dH%d\"/>\n", x,
		      (int)row->parent_row * ROW + ROW - 3, y, x + INDENT - 8);
}

static void put_side(const struct node *node, const struct row *row, int y, FILE *to)
{
	(void)fprintf(to, "<text class=\"lbl\" x=\"%d\" y=\"%d\">", REPORT_WIDTH - SIDE + 10, y);
	if (!row->folded)
		(void)fprintf(to, "%lld%s", (long long)node->pid, node->incomplete ? "?" : "");
	(void)fprintf(to, "</text><text class=\"lbl\" x=\"%d\" y=\"%d\">", REPORT_WIDTH - SIDE + 80,
		      y);
	if (!row->folded)
		put_end(node, to);
	(void)fputs("</text>", to);
	if (!row->denied && !row->asked)
		return;
	(void)fprintf(to, "<text class=\"%s\" x=\"%d\" y=\"%d\" text-anchor=\"end\">",
		      row->denied ? "x" : "q", REPORT_WIDTH - 4, y);
	if (row->denied) {
		html_number(to, row->denied);
		(void)fputs(row->folded ? " refused" : " denied", to);
	}
	if (row->asked) {
		(void)fputs(row->denied ? ", " : "", to);
		html_number(to, row->asked);
		(void)fputs(" asked", to);
	}
	(void)fputs("</text>", to);
}

static void put_title(const struct node *node, FILE *to)
{
	(void)fputs("<title>", to);
	html_text_cut(to, node->exe ? node->exe : name_of(node), 200);
	if (node->start_ns) {
		(void)fputs(", from ", to);
		html_time(to, node->start_ns);
	}
	if (node->end_ns) {
		(void)fputs(" to ", to);
		html_time(to, node->end_ns);
	}
	(void)fputs("</title>", to);
}

static void put_fold(const struct row *row, FILE *to)
{
	if (row->heads > 1) {
		(void)fputs("\xc3\x97 ", to);
		html_number(to, row->heads);
	}
	if (row->folded == row->heads)
		return;
	(void)fputs(row->heads > 1 ? " + " : "+ ", to);
	html_number(to, row->folded - row->heads);
	(void)fputs(" below", to);
}

static void put_row(const struct tree *tree, size_t number, FILE *to)
{
	const struct row *row = &tree->rows[number];
	const struct node *node = &tree->nodes[row->node];
	int x = 10 + (int)row->depth * INDENT;
	int y = (int)number * ROW + 3;
	int width = REPORT_WIDTH - SIDE - x;
	unsigned int columns = (unsigned int)((width - 16) / LETTER);
	unsigned int name = (unsigned int)strnlen(name_of(node), NAME_COLUMNS);

	put_edge(row, number, to);
	(void)fprintf(to,
		      "<g><rect class=\"%s%s\" rx=\"4\" x=\"%d\" y=\"%d\" width=\"%d\" "
		      "height=\"%d\"/><text x=\"%d\" y=\"%d\"><tspan class=\"b\">",
		      row->denied ? "boxd" :
		      row->asked  ? "boxa" :
				    "box",
		      node->outside ? " out" : "", x, y, width, ROW - 6, x + 8, y + 16);
	html_text_cut(to, name_of(node), columns > NAME_COLUMNS ? NAME_COLUMNS : columns);
	(void)fputs("</tspan><tspan class=\"lbl\" dx=\"8\">", to);
	if (row->folded) {
		put_fold(row, to);
	} else if (columns > name + 6) {
		put_words(node, columns - name - 2, to);
	}
	(void)fputs("</tspan></text>", to);
	put_side(node, row, y + 16, to);
	put_title(node, to);
	(void)fputs("</g>\n", to);
}

static void put_picture(const struct tree *tree, FILE *to)
{
	size_t total = tree->count + tree->left_out;

	(void)fprintf(
		to,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 %d %zu\">"
		"<title>Tree of processes</title>\n",
		REPORT_WIDTH, tree->row_count * ROW + 4);
	for (size_t i = 0; i < tree->row_count; i++)
		put_row(tree, i, to);
	(void)fputs("</svg>\n<p class=\"dim\">Program, arguments, process number, how it ended. "
		    "Dashed: around the agent, not confined by it.",
		    to);
	if (tree->count > WHOLE_MAX)
		(void)fputs(" Processes that nothing was refused to are folded by program.", to);
	if (tree->drawn < total) {
		(void)fputs(" ", to);
		html_number(to, total - tree->drawn);
		(void)fputs(" more processes are not drawn.", to);
	}
	(void)fputs("</p>", to);
}

int report_write_tree(const struct report *report, FILE *to)
{
	CLEAN(tree_reset) struct tree *tree = calloc(1, sizeof(*tree));
	int r;

	if (!tree)
		return -ENOMEM;
	tree->report = report;
	tree->first_root = tree->last_root = NONE;
	r = read_nodes(tree);
	if (!r)
		r = link_nodes(tree);
	if (r)
		return r;
	sum_up(tree);
	put_nodes(tree, tree->first_root, NONE, 0);
	(void)fputs("<section><h2>Processes</h2>\n", to);
	if (tree->row_count)
		put_picture(tree, to);
	else
		(void)fputs(
			"<p class=\"dim\">No process of this agent is known in this period.</p>",
			to);
	(void)fputs("</section>\n", to);
	return 0;
}
