/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file as a whole, by the tables and words that policies are read by.
 */
#include "sink/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/loopback.h"
#include "base/mem.h"
#include "policy/guarded.h"
#include "sink/settings_parts.h"

#define CHECKPOINT_MAX 1000000U

static int read_version(struct front *front, const struct node *value, void *into)
{
	(void)into;
	if (strcmp(value->text, "1") != 0)
		diag_hint(node_error(value, front->diags,
				     "this picket does not know version '%s' of telemetry.yaml",
				     value->text),
			  "write 'picket: 1'");
	return 0;
}

static int read_loopback(struct front *front, const struct node *value, char **ret)
{
	const char *fault = NULL;
	struct loopback address;

	if (loopback_parse(value->text, &address, &fault)) {
		diag_hint(
			node_error(value, front->diags, "'%s': %s", value->text, fault),
			"write an address of this machine itself and a port, as in '127.0.0.1:9464'");
		return 0;
	}
	free(*ret);
	*ret = strdup(value->text);
	return *ret ? 0 : -ENOMEM;
}

static struct telemetry_settings *settings_of(void *into)
{
	return ((struct settings_reading *)into)->settings;
}

static int read_metrics(struct front *front, const struct node *value, void *into)
{
	return read_loopback(front, value, &settings_of(into)->metrics);
}

static int read_histograms(struct front *front, const struct node *value, void *into)
{
	settings_truth(front, value, &settings_of(into)->histograms);
	return 0;
}

static int read_receive_otlp(struct front *front, const struct node *value, void *into)
{
	return read_loopback(front, value, &settings_of(into)->receive_otlp);
}

static int add_text(struct front *front, const struct node *text, void *into)
{
	struct telemetry_texts *texts = into;
	char *copy;
	int r;

	if (!front_line(front, text, "a pattern"))
		return 0;
	copy = strdup(text->text);
	r = copy ? FRONT_APPEND(&texts->items, &texts->count, &copy) : -ENOMEM;
	if (r)
		free(copy);
	return r;
}

static int read_defaults(struct front *front, const struct node *value, void *into)
{
	settings_truth(front, value, &settings_of(into)->redact.defaults);
	return 0;
}

static int read_argv(struct front *front, const struct node *value, void *into)
{
	return front_each_text(front, value, "a pattern", add_text,
			       &settings_of(into)->redact.argv);
}

static int read_paths(struct front *front, const struct node *value, void *into)
{
	return front_each_text(front, value, "a pattern", add_text,
			       &settings_of(into)->redact.paths);
}

static int read_query(struct front *front, const struct node *value, void *into)
{
	return front_each_text(front, value, "a name", add_text, &settings_of(into)->redact.query);
}

static int read_checkpoint(struct front *front, const struct node *value, void *into)
{
	settings_number(front, value, CHECKPOINT_MAX, &settings_of(into)->audit.checkpoint);
	return 0;
}

static int read_key(struct front *front, const struct node *value, void *into)
{
	return settings_path(front, value, &settings_of(into)->audit.key);
}

/* clang-format off */
#define ROW(key, what, kinds, reader) \
	{ .name = (key), .expected = (what), .shapes = (kinds), .read = (reader) }

static const struct schema_key receive_keys[] = {
	ROW("otlp", "an address with a port", SHAPE_TEXT, read_receive_otlp),
};
static const struct schema_key redact_keys[] = {
	ROW("defaults", "true or false", SHAPE_TEXT, read_defaults),
	ROW("argv", "a list of patterns", SHAPE_TEXT | SHAPE_LIST, read_argv),
	ROW("paths", "a list of patterns", SHAPE_TEXT | SHAPE_LIST, read_paths),
	ROW("query", "a list of names", SHAPE_TEXT | SHAPE_LIST, read_query),
};
static const struct schema_key audit_keys[] = {
	ROW("checkpoint", "a number of records", SHAPE_TEXT, read_checkpoint),
	ROW("key", "the path of a key", SHAPE_TEXT, read_key),
};
/* clang-format on */

static const struct schema receive_schema = SCHEMA("the key receive", receive_keys);
static const struct schema redact_schema = SCHEMA("the key redact", redact_keys);
static const struct schema audit_schema = SCHEMA("the key audit", audit_keys);

static int read_receive(struct front *front, const struct node *map, void *into)
{
	return schema_read_map(front, &receive_schema, map, into);
}

static int read_redact(struct front *front, const struct node *map, void *into)
{
	return schema_read_map(front, &redact_schema, map, into);
}

static int read_audit(struct front *front, const struct node *map, void *into)
{
	return schema_read_map(front, &audit_schema, map, into);
}

/* clang-format off */
static const struct schema_key top_keys[] = {
	{ .name = "picket", .expected = "the version of the language, 1", .shapes = SHAPE_TEXT,
	  .read = read_version, .flags = SCHEMA_REQUIRED | SCHEMA_EARLY },
	ROW("sinks", "a list of sinks", SHAPE_LIST, settings_read_sinks),
	ROW("metrics", "an address with a port", SHAPE_TEXT, read_metrics),
	ROW("histograms", "true or false", SHAPE_TEXT, read_histograms),
	ROW("receive", "a map", SHAPE_MAP, read_receive),
	ROW("redact", "a map", SHAPE_MAP, read_redact),
	ROW("audit", "a map", SHAPE_MAP, read_audit),
};
/* clang-format on */

static const struct schema top_schema = SCHEMA("telemetry.yaml", top_keys);

static int check_guard(const char *path, uid_t owner, struct diag_list *diags)
{
	CLEAN(guarded_fault_reset) struct guarded_fault fault = { 0 };
	int r = guarded_check(path, GUARDED_FILE, owner, &fault);
	struct diag *diag;

	if (r == 0 || r == -ENOENT)
		return r;
	diag = diag_add(diags, DIAG_ERROR, NULL, "cannot read the settings '%s': %s", path,
			fault.why ? fault.why : strerror(-r));
	if (fault.remedy)
		diag_hint(diag, "%s", fault.remedy);
	return r;
}

static int read_tree(const struct node *root, struct settings_reading *reading,
		     struct diag_list *diags)
{
	struct frame frame = { 0 };
	struct front front = { .diags = diags, .frame = &frame };
	int r = 0;

	/* A file of comments says nothing, and that is allowed. */
	if (!root)
		return 0;
	if (root->kind == NODE_MAP)
		r = schema_read_map(&front, &top_schema, root, reading);
	else
		front_wrong_type(&front, root, "telemetry.yaml", "a map", false);
	return r == 0 && diag_has_errors(diags) ? -EINVAL : r;
}

static int read_file(const char *path, struct settings_reading *reading, struct diag_list *diags)
{
	CLEAN(source_reset) struct source source = { 0 };
	CLEAN(node_free) struct node *root = NULL;
	CLEAN_FREE char *why = NULL;
	struct source_identity identity;
	int r = source_read(path, SOURCE_MAIN, &source, &identity, &why);

	if (r < 0) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot read the settings '%s': %s", path,
			       why ? why : strerror(-r));
		return r;
	}
	r = source_check(&source, diags);
	if (r == 0)
		r = yaml_parse(&source, &root, diags);
	if (r == 0)
		r = read_tree(root, reading, diags);
	return r;
}

int telemetry_settings_read(const char *path, bool guarded, uid_t owner,
			    struct telemetry_settings *ret, struct diag_list *diags)
{
	CLEAN(telemetry_settings_reset)
	struct telemetry_settings settings = TELEMETRY_SETTINGS_NONE;
	struct settings_reading reading = { &settings, guarded, owner };
	int r = guarded ? check_guard(path, owner, diags) : 0;

	if (r == 0)
		r = read_file(path, &reading, diags);
	if (r == -ENOENT && guarded)
		r = 0;
	else
		settings.present = true;
	if (r)
		return r;
	*ret = settings;
	settings = (struct telemetry_settings)TELEMETRY_SETTINGS_NONE;
	return 0;
}

/* --- Lifetime ------------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_secret(const struct sink_secret *a, const struct sink_secret *b)
{
	return same_text(a->path, b->path) && a->inode == b->inode &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

bool sink_settings_equal(const struct sink_settings *a, const struct sink_settings *b)
{
	return same_text(a->name, b->name) && a->type == b->type && a->format == b->format &&
	       a->events == b->events && a->queue == b->queue && a->spool == b->spool &&
	       a->timeout == b->timeout && same_text(a->path, b->path) &&
	       a->rotate_size == b->rotate_size && a->rotate_count == b->rotate_count &&
	       a->sync == b->sync && a->store_size == b->store_size &&
	       a->store_days == b->store_days && a->transport == b->transport &&
	       same_text(a->host, b->host) && same_text(a->port, b->port) &&
	       a->facility == b->facility && same_text(a->server_name, b->server_name) &&
	       same_text(a->ca, b->ca) && same_text(a->url, b->url) && a->gzip == b->gzip &&
	       same_secret(&a->headers, &b->headers) && same_secret(&a->hmac_key, &b->hmac_key);
}

void sink_settings_reset(struct sink_settings *sink)
{
	free(sink->name);
	free(sink->path);
	free(sink->host);
	free(sink->port);
	free(sink->server_name);
	free(sink->ca);
	free(sink->url);
	free(sink->headers.path);
	free(sink->hmac_key.path);
	*sink = (struct sink_settings){ 0 };
}

static void reset_texts(struct telemetry_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->items[i]);
	free(texts->items);
}

void telemetry_settings_reset(struct telemetry_settings *settings)
{
	for (size_t i = 0; i < settings->sink_count; i++)
		sink_settings_reset(&settings->sinks[i]);
	free(settings->sinks);
	free(settings->metrics);
	free(settings->receive_otlp);
	free(settings->audit.key);
	reset_texts(&settings->redact.argv);
	reset_texts(&settings->redact.paths);
	reset_texts(&settings->redact.query);
	*settings = (struct telemetry_settings)TELEMETRY_SETTINGS_NONE;
}
