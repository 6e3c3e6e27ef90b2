/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket show`: a compiled image taken apart, or written to a file. An image file is validated
 * like one that goes to the kernel before a byte of it is believed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/json_out.h"
#include "cli/policy_options.h"
#include "cli/show_effective.h"
#include "policy/access.h"
#include "policy/dump.h"
#include "policy/dump_network.h"
#include "policy/nested.h"
#include "policy/sockets.h"
#include "telemetry/names.h"

static const char help[] =
	"usage: picket show [options] POLICY|IMAGE\n"
	"\n"
	"Take apart the image that POLICY compiles to, or one written by --output.\n"
	"\n"
	"      --states           also every state of the path automaton\n"
	"      --effective KEY    instead: what each layer says of KEY, and what holds; a path,\n"
	"                         ADDRESS:PORT, NAME:PORT, @SOCKET, a switch of process, a command\n"
	"  -o, --output FILE      write the image to FILE instead\n"
	"      --audit            compile as for `picket run --audit`\n" POLICY_HELP_SET
		POLICY_HELP_USER POLICY_HELP_LAYERS
	"      --json             figures, defaults and rules as one JSON document\n"
	"\n"
	"Exit status: 0: done; 1: not a valid policy or image; 2: usage.\n";

enum option_id { OPTION_STATES = 256, OPTION_EFFECTIVE, OPTION_AUDIT };

struct show {
	struct policy_args args;
	struct cli_policy policy; /* of an image file only `image` is set */
	const char *output;
	const char *effective; /* --effective: the key, or NULL */
	bool states;
	bool json;
};

static void show_reset(struct show *show)
{
	policy_args_reset(&show->args);
	cli_policy_reset(&show->policy);
}

/* True when @fd holds something that begins like an image; the position stays 0. */
static bool is_image(int fd)
{
	__u64 magic = 0;

	return pread(fd, &magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
	       magic == PK_IMAGE_MAGIC;
}

/* Read @size bytes. Returns 0 or -errno (-EIO: the file is shorter). */
static int read_bytes(int fd, __u8 *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = read(fd, bytes + done, size - done);

		if (n == 0)
			return -EIO;
		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* Read and validate the image file @fd. Returns CLI_OK or CLI_FAILED. */
static int load_image(struct show *show, int fd)
{
	const char *path = show->args.path;
	struct policy_image *image = &show->policy.image;
	const char *why = NULL;
	struct stat status;
	int r = fstat(fd, &status) < 0 ? -errno : 0;

	if (r == 0 && ((__u64)status.st_size > (__u64)PK_PAGES_MAX * PK_PAGE_SIZE ||
		       status.st_size % PK_PAGE_SIZE))
		return cli_error("show", "'%s' is not a valid image: wrong size", path);
	if (r == 0) {
		image->size = (size_t)status.st_size;
		image->bytes = malloc(image->size);
		r = image->bytes ? read_bytes(fd, image->bytes, image->size) : -ENOMEM;
	}
	if (r < 0) {
		errno = -r;
		return cli_error("show", "cannot read '%s': %m", path);
	}
	if (image_validate(image->bytes, image->size, &why) < 0)
		return cli_error("show", "'%s' is not a valid image: %s", path,
				 why ? why : "unknown reason");
	return CLI_OK;
}

/* What is no regular file (a pipe) can only be a policy. */
static int load(struct show *show)
{
	CLEAN_FD int fd = open(show->args.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && is_image(fd)) {
		if (show->args.override_count || show->args.cwd || show->args.audit ||
		    show->args.managed || show->args.no_managed)
			return cli_usage("show",
					 "'%s' is an image: --set, --user, --audit, --managed and "
					 "--no-managed are for policies",
					 show->args.path);
		return load_image(show, fd);
	}
	mem_close_fd(&fd);
	return policy_options_compile("show", &show->args, &show->policy);
}

/* What is half written is refused by validation; a device is left alone. */
static int write_image(const struct show *show)
{
	const struct policy_image *image = &show->policy.image;
	FILE *to = fopen(show->output, "we");
	bool written;

	if (!to)
		return cli_error("show", "cannot write '%s': %m", show->output);
	written = fwrite(image->bytes, 1, image->size, to) == image->size;
	if (fclose(to) == 0 && written)
		return CLI_OK;
	return cli_error("show", "cannot write '%s': %m", show->output);
}

static json_t *defaults_json(const struct pk_image *head)
{
	json_t *list = json_array();

	for (__u32 layer = 0; layer < head->layers; layer++) {
		for (__u32 section = 0; section < PK_SECTION__MAX; section++) {
			const struct pk_default *def = &head->defaults[section];
			__u32 bit = 1U << (layer * 4);
			__u32 verdict = def->deny & bit ? PK_VERDICT_DENY :
					def->ask & bit	? PK_VERDICT_ASK :
							  PK_VERDICT_ALLOW;

			if (!(def->present & bit))
				continue;
			(void)json_array_append_new(
				list, json_pack("{s:I, s:s, s:s}", "layer", (json_int_t)layer,
						"section", names_section(section), "verdict",
						names_verdict(verdict)));
		}
	}
	return list;
}

static json_t *dns_json(const struct pk_dns *dns)
{
	json_t *resolvers;
	char text[INET6_ADDRSTRLEN];

	if (!dns->resolver_count)
		return json_null();
	resolvers = json_array();
	for (__u32 i = 0; i < dns->resolver_count; i++) {
		dump_address(dns->resolvers[i][0], dns->resolvers[i][1], text);
		(void)json_array_append_new(resolvers, json_string(text));
	}
	return json_pack("{s:o, s:s, s:s, s:I, s:I, s:I}", "resolvers", resolvers, "names",
			 dns->flags & PK_DNS_ANY_NAME ? "any" : "allowed", "private_answers",
			 dns->flags & PK_DNS_PRIVATE ? "allow" : "deny", "min_ttl",
			 (json_int_t)dns->min_ttl, "rate", (json_int_t)dns->rate, "max_name",
			 (json_int_t)dns->name_max);
}

static json_t *network_json(const struct pk_image *head)
{
	json_t *sockets = json_array();

	for (unsigned int kind = 0; kind < PK_SOCKET__MAX; kind++) {
		if (head->sockets >> kind & 1)
			(void)json_array_append_new(sockets, json_string(sockets_word(kind)));
	}
	return json_pack("{s:o, s:s, s:o}", "sockets", sockets, "sni",
			 head->flags & PK_IMAGE_SNI ? "match" : "off", "dns", dns_json(&head->dns));
}

static int print_json(const struct show *show)
{
	const struct policy_image *image = &show->policy.image;
	const struct pk_image *head = image_head(image);
	struct dump_figures figures;
	json_t *rules = json_array();
	json_t *root;
	char digest[65];

	if (dump_count(image, &figures) < 0) {
		json_decref(rules);
		return cli_error("show", "out of memory");
	}
	cli_policy_digest(image, digest);
	for (__u32 i = 0; i < figures.rules; i++) {
		json_t *rule = json_out_rule(image, i);

		(void)json_object_set_new(rule, "layer", json_integer(image_rule(image, i)->layer));
		(void)json_array_append_new(rules, rule);
	}
	root = json_pack("{s:s, s:s, s:o, s:I, s:I, s:b, s:I, s:I}", "schema", "picket.show/1",
			 "image", digest, "name", json_out_text(image_string(image, head->name)),
			 "format", (json_int_t)head->version, "bytes", (json_int_t)image->size,
			 "audit", (int)(head->flags & PK_IMAGE_AUDIT), "layers",
			 (json_int_t)head->layers, "rate", (json_int_t)head->rate);
	(void)json_object_set_new(
		root, "figures",
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "states",
			  (json_int_t)figures.states, "transitions",
			  (json_int_t)figures.transitions, "slots", (json_int_t)figures.slots,
			  "classes", (json_int_t)figures.classes, "spans",
			  (json_int_t)figures.spans, "items", (json_int_t)figures.items, "rules",
			  (json_int_t)figures.rules, "sets", (json_int_t)figures.sets));
	(void)json_object_set_new(root, "defaults", defaults_json(head));
	(void)json_object_set_new(root, "network", network_json(head));
	(void)json_object_set_new(root, "approvals", json_out_approvals(image));
	(void)json_object_set_new(root, "rules", rules);
	if (show->policy.policy) {
		(void)json_object_set_new(root, "usable_by",
					  json_out_usable_by(show->policy.policy));
		(void)json_object_set_new(root, "nested", json_out_nested(show->policy.policy));
		(void)json_object_set_new(root, "managed", json_out_managed(&show->policy.managed));
	}
	return json_out_print("show", root);
}

static int show_image(const struct show *show)
{
	int r;

	if (show->effective && !show->policy.policy)
		return cli_usage("show", "'%s' is an image: --effective is for policies",
				 show->args.path);
	if (show->effective)
		return show_effective(&show->policy, show->effective, show->json);
	if (show->output)
		return write_image(show);
	if (show->json)
		return print_json(show);
	if (show->policy.policy && show->policy.policy->access.present) {
		(void)printf("usable by ");
		policy_access_write(show->policy.policy, stdout);
		(void)putchar('\n');
	}
	if (show->policy.policy && show->policy.policy->nested.present) {
		(void)printf("may start agents by ");
		policy_nested_write(show->policy.policy, stdout);
		(void)putchar('\n');
	}
	r = dump_image(&show->policy.image, show->states, stdout);
	errno = -r;
	return r < 0 ? cli_error("show", "cannot show the image: %m") : CLI_OK;
}

/* One of the command's own options. */
static int take_option(void *context, int option)
{
	struct show *show = context;

	switch (option) {
	case OPTION_STATES:
		show->states = true;
		return CLI_OK;
	case OPTION_EFFECTIVE:
		show->effective = optarg;
		return CLI_OK;
	case 'o':
		show->output = optarg;
		return CLI_OK;
	default:
		show->args.audit = true;
		return CLI_OK;
	}
}

int cmd_show(int argc, char **argv)
{
	static const struct option options[] = {
		{ "states", no_argument, NULL, OPTION_STATES },
		{ "effective", required_argument, NULL, OPTION_EFFECTIVE },
		{ "output", required_argument, NULL, 'o' },
		{ "audit", no_argument, NULL, OPTION_AUDIT },
		{ NULL, 0, NULL, 0 },
	};
	CLEAN(show_reset) struct show show = { 0 };
	const struct policy_options command = {
		.command = "show",
		.help = help,
		.letters = "o:",
		.own = options,
		.take = take_option,
		.context = &show,
		.shared = POLICY_OPTION_SET | POLICY_OPTION_USER | POLICY_OPTION_LAYERS |
			  POLICY_OPTION_JSON,
		.args = &show.args,
		.count = 1,
		.json = &show.json,
	};
	int code;

	if (!policy_options_parse(&command, argc, argv, &code))
		return code;
	if (optind >= argc)
		return cli_usage("show", "no policy or image given: write 'picket show POLICY'");
	if (optind + 1 < argc)
		return cli_usage("show",
				 "one policy or image at a time, not %d: show one after the other",
				 argc - optind);
	if (show.states && (show.json || show.output))
		return cli_usage("show", "--states goes neither with --json nor with --output");
	if (show.effective && (show.states || show.output))
		return cli_usage("show",
				 "--effective goes neither with --states nor with --output");
	if (show.json && show.output)
		return cli_usage("show", "--json does not go with --output");
	show.args.path = argv[optind];
	code = load(&show);
	return code == CLI_OK ? show_image(&show) : code;
}
