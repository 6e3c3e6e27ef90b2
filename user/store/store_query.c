/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking. What a filter means is decided by filter_matches() alone; columns and indices only spare it
 * events that it would refuse. Rows are taken in pages, so that no reader holds the store while
 * somebody looks at what it printed.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/store_parts.h"

#define PAGE_ROWS 1000
#define PAGE_BYTES (1U << 20)

/* A condition in the making, with the values of its question marks in order. */
struct condition {
	FILE *sql;
	const char **values;
	size_t count, room;
	bool lost; /* no memory */
};

/* A row of a page. */
struct row {
	__s64 id;
	__s64 time_ns;
	char *line;
};

struct page {
	struct row rows[PAGE_ROWS];
	size_t count;
	bool last; /* there are no more behind it */
};

/* A query under way. */
struct search {
	struct store *store;
	const struct store_query *query;
	struct event_filter filter; /* as asked, agents also by id */
	char **names; /* owned: ids of agents that were named */
	size_t name_count;
	bool descends;
	sqlite3_stmt *statement;
	struct condition condition;
	store_visit visit;
	void *context;
};

/* --- The condition -------------------------------------------------------------------------------- */

static void add_value(struct condition *condition, const char *value)
{
	const char **grown;

	if (condition->count == condition->room) {
		grown = reallocarray(condition->values, condition->room * 2 + 8, sizeof(*grown));
		if (!grown) {
			condition->lost = true;
			return;
		}
		condition->values = grown;
		condition->room = condition->room * 2 + 8;
	}
	condition->values[condition->count++] = value;
}

/* One word by `=`, so that the rows of an index come in order; several by IN, without an index. */
static void add_list(struct condition *condition, const char *column,
		     const struct filter_words *words)
{
	if (words->count == 0)
		return;
	if (words->count == 1)
		(void)fprintf(condition->sql, " AND %s = ?", column);
	else
		(void)fprintf(condition->sql, " AND +%s IN (?", column);
	for (size_t i = 1; i < words->count; i++)
		(void)fputs(", ?", condition->sql);
	if (words->count > 1)
		(void)fputc(')', condition->sql);
	for (size_t i = 0; i < words->count; i++)
		add_value(condition, words->items[i]);
}

/* Any of @words by @sql, in which each of its @marks question marks is the word. */
static void add_each(struct condition *condition, const struct filter_words *words, const char *sql,
		     size_t marks)
{
	for (size_t i = 0; i < words->count; i++) {
		(void)fprintf(condition->sql, i ? " OR %s" : " AND (%s", sql);
		for (size_t m = 0; m < marks; m++)
			add_value(condition, words->items[i]);
	}
	if (words->count > 0)
		(void)fputc(')', condition->sql);
}

static bool is_process_id(const char *word)
{
	return strchr(word, '-') && strspn(word, "0123456789-") == strlen(word);
}

static void add_processes(struct condition *condition, const struct filter_words *words)
{
	bool ids = false;

	for (size_t i = 0; i < words->count; i++)
		ids = ids || is_process_id(words->items[i]);
	/* What a process started has its id in the chain, which is in the line only. */
	if (ids)
		add_each(condition, words,
			 "(instr(json, '\"' || ? || '\"') OR comm = ? OR pid = ?)", 3);
	else
		add_each(condition, words, "(comm = ? OR exe = ? OR pid = ? OR exe LIKE '%/' || ?)",
			 4);
}

static void add_paths(struct condition *condition, const struct filter_words *words)
{
	bool plain = words->count > 0;

	for (size_t i = 0; i < words->count; i++)
		plain = plain && !strpbrk(words->items[i], "*?[]{}\\");
	/* A path that has escapes or exact bytes beside it is not what was typed. */
	if (plain)
		add_each(condition, words,
			 "(path = ? OR path2 = ? OR instr(path, '\\')"
			 " OR instr(path2, '\\'))",
			 2);
	else if (words->count > 0)
		(void)fputs(" AND path IS NOT NULL", condition->sql);
}

/* Of records there are few, and an index of their own. */
static void add_kinds(struct condition *condition, const struct filter_words *words)
{
	bool bulk = words->count == 0;

	for (size_t i = 0; i < words->count; i++)
		bulk = bulk || strcmp(words->items[i], "activity") == 0 ||
		       strcmp(words->items[i], "life") == 0;
	add_list(condition, "kind", words);
	if (!bulk)
		(void)fputs(" AND kind NOT IN ('activity', 'life')", condition->sql);
}

static int make_condition(struct search *search, char **ret_sql)
{
	struct condition *condition = &search->condition;
	const struct filter_words *words = search->filter.words;
	const struct event_filter *filter = &search->filter;
	size_t size = 0;

	*ret_sql = NULL;
	condition->sql = open_memstream(ret_sql, &size);
	if (!condition->sql)
		return -ENOMEM;
	(void)fprintf(condition->sql,
		      "SELECT id, time, json FROM events WHERE (time, id) %s (?1, ?2)",
		      search->descends ? "<" : ">");
	if (filter->since_ns)
		(void)fprintf(condition->sql, " AND time >= %lld", (long long)filter->since_ns);
	if (filter->until_ns)
		(void)fprintf(condition->sql, " AND time < %lld", (long long)filter->until_ns);
	add_list(condition, "agent", &words[FILTER_AGENT]);
	add_list(condition, "verdict", &words[FILTER_VERDICT]);
	add_kinds(condition, &words[FILTER_KIND]);
	if (words[FILTER_VERDICT].count == 1 &&
	    strcmp(words[FILTER_VERDICT].items[0], "allow") != 0)
		(void)fputs(" AND verdict <> 'allow'", condition->sql);
	add_processes(condition, &words[FILTER_PROCESS]);
	if (words[FILTER_HOST].count > 0)
		(void)fputs(" AND (host IS NOT NULL OR address IS NOT NULL)", condition->sql);
	add_paths(condition, &words[FILTER_PATH]);
	add_each(condition, &words[FILTER_RULE], "instr(rule, ?)", 1);
	(void)fprintf(condition->sql, " ORDER BY time %s, id %s LIMIT %d",
		      search->descends ? "DESC" : "ASC", search->descends ? "DESC" : "ASC",
		      PAGE_ROWS);
	return text_close(condition->sql, ret_sql);
}

/* --- Pages ---------------------------------------------------------------------------------------- */

static void page_reset(struct page *page)
{
	for (size_t i = 0; i < page->count; i++)
		free(page->rows[i].line);
	page->count = 0;
}

static int take_row(struct search *search, struct page *page, size_t *bytes)
{
	const char *line = (const char *)sqlite3_column_text(search->statement, 2);
	struct row *row = &page->rows[page->count];

	row->id = sqlite3_column_int64(search->statement, 0);
	row->time_ns = sqlite3_column_int64(search->statement, 1);
	row->line = strdup(line ? line : "");
	if (!row->line)
		return -ENOMEM;
	*bytes += strlen(row->line);
	page->count++;
	return 0;
}

/* The page behind (@time_ns, @id). */
static int read_page(struct search *search, __s64 time_ns, __s64 id, struct page *page)
{
	sqlite3_stmt *statement = search->statement;
	size_t bytes = 0;
	int r = 0;
	int code = SQLITE_DONE;

	(void)sqlite3_bind_int64(statement, 1, time_ns);
	(void)sqlite3_bind_int64(statement, 2, id);
	while (!r && page->count < PAGE_ROWS && bytes < PAGE_BYTES &&
	       (code = sqlite3_step(statement)) == SQLITE_ROW)
		r = take_row(search, page, &bytes);
	if (!r && code != SQLITE_ROW && code != SQLITE_DONE)
		r = store_fail(search->store, code);
	page->last = code == SQLITE_DONE;
	(void)sqlite3_reset(statement);
	return r;
}

/* Visit what of a page is meant; *@count are those. */
static int visit_page(struct search *search, const struct page *page, size_t *count)
{
	size_t limit = search->query->limit;
	int r = 0;

	for (size_t i = 0; !r && i < page->count && (!limit || *count < limit); i++) {
		json_t *event = json_loads(page->rows[i].line, 0, NULL);

		if (event && filter_matches(&search->filter, event)) {
			(*count)++;
			r = search->visit(search->context, event, page->rows[i].line);
		}
		json_decref(event);
	}
	return r;
}

static int visit_pages(struct search *search)
{
	CLEAN_FREE struct page *page = calloc(1, sizeof(*page));
	__s64 time_ns = search->descends ? INT64_MAX : INT64_MIN;
	__s64 id = search->descends ? INT64_MAX : INT64_MIN;
	size_t limit = search->query->limit;
	size_t count = 0;
	int r = page ? 0 : -ENOMEM;

	while (!r && (!limit || count < limit)) {
		r = read_page(search, time_ns, id, page);
		if (!r)
			r = visit_page(search, page, &count);
		if (page->count == 0 || page->last) {
			page_reset(page);
			break;
		}
		time_ns = page->rows[page->count - 1].time_ns;
		id = page->rows[page->count - 1].id;
		page_reset(page);
	}
	if (page)
		page_reset(page);
	return r;
}

/* --- The newest so many, oldest first ------------------------------------------------------------- */

struct kept {
	char **lines; /* newest first */
	size_t count, room;
};

static int keep_line(void *context, const json_t *event, const char *line)
{
	struct kept *kept = context;
	char **grown;

	(void)event;
	if (kept->count == kept->room) {
		grown = reallocarray(kept->lines, kept->room * 2 + 64, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		kept->lines = grown;
		kept->room = kept->room * 2 + 64;
	}
	kept->lines[kept->count] = strdup(line);
	return kept->lines[kept->count++] ? 0 : -ENOMEM;
}

static int visit_newest(const struct search *search)
{
	struct search inner = *search;
	struct kept kept = { 0 };
	int r;

	inner.visit = keep_line;
	inner.context = &kept;
	r = visit_pages(&inner);
	for (size_t i = kept.count; !r && i > 0; i--) {
		json_t *event = json_loads(kept.lines[i - 1], 0, NULL);

		r = search->visit(search->context, event, kept.lines[i - 1]);
		json_decref(event);
	}
	for (size_t i = 0; i < kept.count; i++)
		free(kept.lines[i]);
	free(kept.lines);
	return r;
}

/* --- A query -------------------------------------------------------------------------------------- */

static int add_agent(void *context, const struct store_agent *agent)
{
	struct search *search = context;
	char **grown = reallocarray(search->names, search->name_count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	search->names = grown;
	grown[search->name_count] = strdup(agent->id);
	if (!grown[search->name_count])
		return -ENOMEM;
	return filter_add_word(&search->filter, FILTER_AGENT, grown[search->name_count++]);
}

/* A filter of its own for the agents; the rest is borrowed. */
static int resolve_agents(struct search *search)
{
	const struct filter_words *asked = &search->query->filter->words[FILTER_AGENT];
	int r = 0;

	search->filter = *search->query->filter;
	search->filter.words[FILTER_AGENT] = (struct filter_words){ 0 };
	for (size_t i = 0; !r && i < asked->count; i++) {
		r = filter_add_word(&search->filter, FILTER_AGENT, asked->items[i]);
		if (!r)
			r = store_agents(search->store, asked->items[i], add_agent, search);
	}
	return r;
}

static int prepare(struct search *search)
{
	CLEAN_FREE char *sql = NULL;
	int r = make_condition(search, &sql);

	if (!r && search->condition.lost)
		r = -ENOMEM;
	if (!r)
		r = store_prepare(search->store, sql, &search->statement);
	for (size_t i = 0; !r && i < search->condition.count; i++)
		(void)sqlite3_bind_text(search->statement, (int)i + 3, search->condition.values[i],
					-1, SQLITE_TRANSIENT);
	return r;
}

static void search_reset(struct search *search)
{
	store_finalize(&search->statement);
	free(search->condition.values);
	free(search->filter.words[FILTER_AGENT].items);
	for (size_t i = 0; i < search->name_count; i++)
		free(search->names[i]);
	free(search->names);
}

int store_query(struct store *store, const struct store_query *query, store_visit visit,
		void *context)
{
	CLEAN(search_reset)
	struct search search = {
		.store = store,
		.query = query,
		.descends = query->newest_first || query->limit,
		.visit = visit,
		.context = context,
	};
	int r = resolve_agents(&search);

	if (!r)
		r = prepare(&search);
	if (r)
		return r;
	return query->limit && !query->newest_first ? visit_newest(&search) : visit_pages(&search);
}
