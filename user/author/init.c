/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text, part by part. What a kind of project adds is a row.
 */
#include "author/init.h"

#include <string.h>

/** What a kind of project adds. NULL: nothing. */
struct kind {
	const char *name; /* for people */
	const char *preset;
	const char *publish; /* a command that people run */
	const char *runs; /* a test of that, and one of an ordinary command */
	const char *works;
	bool packages; /* it installs them from elsewhere */
};

static const struct kind kinds[INIT_KIND__MAX] = {
	[INIT_GIT] = { "git", NULL, "\"git {push,send-pack,send-email}\"", "git push origin main",
		       "git commit -m work", false },
	[INIT_NPM] = { "npm", "presets/node", "\"{npm,pnpm,yarn} {publish,login,adduser}\"",
		       "npm publish", "npm install", true },
	[INIT_PYTHON] = { "Python", "presets/python", "\"{twine,poetry,uv} {upload,publish}\"",
			  "twine upload dist/x", "python3 -m pytest", true },
	[INIT_CARGO] = { "Cargo", "presets/rust", "\"cargo {publish,yank,login}\"", "cargo publish",
			 "cargo build", true },
	[INIT_MAKE] = { "make", "presets/c", NULL, NULL, "make check", false },
};

static bool any_packages(const struct init_project *project)
{
	for (int i = 0; i < INIT_KIND__MAX; i++) {
		if (project->is[i] && kinds[i].packages)
			return true;
	}
	return false;
}

const char *init_describe(const struct init_project *project, char *buffer, size_t size)
{
	size_t left = 0, length = 0;

	for (int i = 0; i < INIT_KIND__MAX; i++)
		left += project->is[i];
	if (left == 0)
		return "a project";
	*buffer = '\0';
	for (int i = 0; i < INIT_KIND__MAX; i++) {
		int written;

		if (!project->is[i])
			continue;
		left--;
		written = snprintf(buffer + length, size - length, "%s%s", kinds[i].name,
				   left > 1  ? ", " :
				   left == 1 ? " and " :
					       "");
		if (written < 0 || (size_t)written >= size - length)
			break;
		length += (size_t)written;
	}
	return buffer;
}

static void write_head(const struct init_project *project, FILE *to)
{
	char what[128];

	(void)init_describe(project, what, sizeof(what));
	(void)fprintf(
		to,
		"# What an agent that works in this folder may reach and do. Begun by `picket init` for %s.\n"
		"#\n"
		"#   picket check --strict picket.yaml      # after every change\n"
		"#   picket run -p picket.yaml -- COMMAND   # in this folder; --audit denies nothing and tells\n"
		"#\n"
		"# Whatever no rule allows is denied, and a deny beats every allow. Nothing here is final: take\n"
		"# away what is not needed.\n"
		"picket: 1\n"
		"name: %s\n"
		"description: an agent at work on %s\n"
		"include:\n"
		"  # What is installed, tool chains and their caches; then no to keys, tokens, hooks.\n"
		"  - presets/linux-base\n"
		"  - presets/dev-tools\n",
		init_describe(project, what, sizeof(what)), project->name,
		init_describe(project, what, sizeof(what)));
	for (int i = 0; i < INIT_KIND__MAX; i++) {
		if (project->is[i] && kinds[i].preset)
			(void)fprintf(to, "  - %s\n", kinds[i].preset);
	}
	(void)fputs(
		"  - presets/secrets\n"
		"  - presets/metadata\n"
		"  # The APIs of language models, for an agent that uses one: better only the one it uses.\n"
		"  # - presets/model-apis\n"
		"vars:\n"
		"  # The folder that picket is started in.\n"
		"  workspace: \"${CWD}\"\n\n",
		to);
}

static void write_network(const struct init_project *project, FILE *to)
{
	(void)fputs("egress:\n"
		    "  default: deny\n"
		    "  rules:\n"
		    "    - {allow: \"@loopback\", id: loopback, reason: servers under test}\n",
		    to);
	if (*project->forge)
		(void)fprintf(
			to,
			"    # Where the repository's remote is. Who may fetch from it may send to it.\n"
			"    - {allow: \"%s:22,443\", id: forge, reason: the project's remote}\n",
			project->forge);
	(void)fprintf(
		to,
		"    # Where this machine is configured to get packages: `picket check` shows the hosts.\n"
		"    %s- {allow: \"@registries\", id: packages, reason: packages}\n"
		"    # More hosts by name, as in\n"
		"    # - {allow: \"docs.example.com:443\", id: documentation}\n"
		"\n"
		"listen:\n"
		"  default: deny\n"
		"  rules:\n"
		"    - {allow: \"@loopback\", id: servers, reason: servers under test}\n\n",
		any_packages(project) ? "" : "# ");
}

static void write_files(FILE *to)
{
	(void)fputs("files:\n"
		    "  default: deny\n"
		    "  rules:\n"
		    "    - allow: [\"${workspace}/**\", \"/tmp/**\", \"/var/tmp/**\"]\n"
		    "      access: [read, write, exec, connect]\n"
		    "      id: work\n"
		    "      reason: what is built here is run here, W-write-exec\n"
		    "    # This policy is not the agent's to change.\n"
		    "    - {deny: \"${workspace}/picket.yaml\", access: write, id: policy}\n\n",
		    to);
}

static void write_exec(const struct init_project *project, FILE *to)
{
	bool first = true;

	(void)fputs(
		"# By their names and arguments: this tells an honest agent early. What holds are the sections\n"
		"# above, and tokens that it cannot read.\n"
		"exec:\n"
		"  default: allow\n"
		"  rules:\n"
		"    - deny: [sudo, su, doas, pkexec, systemd-run, crontab, at]\n"
		"      id: privilege\n"
		"      reason: no change of user, nothing that runs elsewhere; told early, W-argv\n",
		to);
	for (int i = 0; i < INIT_KIND__MAX; i++) {
		if (!project->is[i] || !kinds[i].publish)
			continue;
		if (first)
			(void)fputs("    - deny:\n", to);
		first = false;
		(void)fprintf(to, "        - %s\n", kinds[i].publish);
	}
	if (!first)
		(void)fputs("      id: publish\n"
			    "      reason: people publish; told early, W-argv\n",
			    to);
	(void)fputs("\n"
		    "# Other people's processes, namespaces, kernel modules and the like: no.\n"
		    "process:\n"
		    "  profile: strict\n\n",
		    to);
}

static void write_tests(const struct init_project *project, FILE *to)
{
	(void)fputs(
		"# Asked by `picket check` and before every run: a change that breaks one is refused.\n"
		"tests:\n"
		"  - {open: \"${workspace}/src/main\", access: [read, write, exec], expect: allow}\n"
		"  - {open: \"${workspace}/.env\", expect: deny}\n"
		"  - {open: \"${workspace}/.git/hooks/pre-commit\", access: write, expect: deny}\n"
		"  - {open: \"${workspace}/picket.yaml\", access: read, expect: allow}\n"
		"  - {open: \"${workspace}/picket.yaml\", access: write, expect: deny}\n"
		"  - {open: \"${HOME}/.ssh/id_ed25519\", expect: deny}\n"
		"  - {open: /etc/shadow, expect: deny}\n"
		"  - {exec: /usr/bin/env, expect: allow}\n"
		"  - {exec: /usr/bin/sudo, expect: deny}\n"
		"  - {connect: \"127.0.0.1:8080\", expect: allow}\n"
		"  - {connect: \"203.0.113.7:443\", expect: deny}\n"
		"  - {connect: \"169.254.169.254:80\", expect: deny}\n"
		"  - {listen: \"127.0.0.1:8080\", expect: allow}\n"
		"  - {listen: \"192.0.2.1:8080\", expect: deny}\n",
		to);
	if (*project->forge)
		(void)fprintf(to, "  - {connect: \"%s:443\", expect: allow}\n", project->forge);
	for (int i = 0; i < INIT_KIND__MAX; i++) {
		if (project->is[i] && kinds[i].works)
			(void)fprintf(to, "  - {run: \"%s\", expect: allow}\n", kinds[i].works);
		if (project->is[i] && kinds[i].runs)
			(void)fprintf(to, "  - {run: \"%s\", expect: deny}\n", kinds[i].runs);
	}
}

void init_write(const struct init_project *project, FILE *to)
{
	write_head(project, to);
	write_network(project, to);
	write_files(to);
	write_exec(project, to);
	write_tests(project, to);
}
