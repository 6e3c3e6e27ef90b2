/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A policy to begin with, for the project in a folder: what kinds of project it is, by the files that
 * lie there, and a text with comments made of what those kinds need. Nothing is asked and nothing but
 * the folder is looked at; hosts that packages come from are left to what this machine is configured
 * for (@registries).
 */
#ifndef PICKET_AUTHOR_INIT_H
#define PICKET_AUTHOR_INIT_H

#include <stdbool.h>
#include <stdio.h>

/** What a project can be, several at a time. */
enum init_kind {
	INIT_GIT,
	INIT_NPM,
	INIT_PYTHON,
	INIT_CARGO,
	INIT_MAKE,
	INIT_KIND__MAX,
};

/** Room for names of policies and hosts. */
#define INIT_NAME_MAX 64
#define INIT_HOST_MAX 254

/** A project as it was found. */
struct init_project {
	bool is[INIT_KIND__MAX];
	char name[INIT_NAME_MAX + 1]; /* of the policy: the folder's, as far as it can be one */
	char forge[INIT_HOST_MAX]; /* the host of a remote of the git repository, or "" */
};

/** Look at @folder. Returns 0 or -errno when it is no folder that can be looked at. */
int init_look(const char *folder, struct init_project *ret_project);

/** "git and npm", or "a project"; into @buffer of @size bytes. */
const char *init_describe(const struct init_project *project, char *buffer, size_t size);

/** Write the policy, in the form of fmt.h. */
void init_write(const struct init_project *project, FILE *to);

#endif
