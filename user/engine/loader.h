/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BPF programs of one engine: chosen for a tier, loaded, attached, pinned, each result checked.
 * It knows programs by their section names, and of policies only which of them they need.
 */
#ifndef PICKET_ENGINE_LOADER_H
#define PICKET_ENGINE_LOADER_H

#include <stdbool.h>
#include <stddef.h>

#include <picket/abi.h>

#include "base/diag.h"
#include "policy/image.h"

struct bpf_link;
struct picket_bpf;

/** Called with opened programs before they are loaded. */
typedef void (*loader_prepare_fn)(struct picket_bpf *skel, void *argument);

/** What is to be loaded. */
struct loader_request {
	enum pk_tier tier;
	bool packets_out; /* look at every packet that leaves */
	bool packets_in; /* at those that come in: who connects, and answers of resolvers */
	bool names; /* room for what is learned from answers */
	bool unanswered; /* nobody will approve what rules ask about: what is for that is left out */
	bool recording; /* room for a record of every act, not only of those denied */
	const char *only; /* NULL: all programs; else the one of this name, or "": none */
	loader_prepare_fn prepare; /* or NULL; sets read-only data, where maps are pinned */
	void *argument; /* of prepare */
};

/** Programs and maps in the kernel; loader_close() lets go of them. */
struct loader {
	struct picket_bpf *skel; /* NULL = nothing is loaded */
	struct loader_request request; /* what it was loaded for */
	enum pk_tier tier;
	struct bpf_link **links; /* one for each attached program */
	const char **link_names; /* the programs' names, borrowed from skel */
	size_t link_count;
};

/**
 * Load all programs of @tier. Returns 0 (caller closes with loader_close()); -ENOTSUP when the
 * kernel refuses a program, with an error that names it; -ENOMEM or another -errno with an error.
 */
int loader_load(enum pk_tier tier, struct loader *ret_loader, struct diag_list *diags);

/**
 * The request for what @image needs in @tier, in a run without picketd: what is not asked for costs its
 * programs nothing.
 */
struct loader_request loader_request_for(enum pk_tier tier, const struct policy_image *image);

/** Have the maps of caches made only where @tier has the hooks of files, which they are for. */
void loader_want_caches(struct picket_bpf *skel, enum pk_tier tier);

/** Load what @request asks for. Errors as loader_load(). */
int loader_load_request(const struct loader_request *request, struct loader *ret_loader,
			struct diag_list *diags);

/** loader_load() that lets @prepare set read-only data. Tests use it for what is off otherwise. */
int loader_load_prepared(enum pk_tier tier, loader_prepare_fn prepare, void *argument,
			 struct loader *ret_loader, struct diag_list *diags);

/**
 * Attach every loaded program: those of cgroups to the cgroup open as @cgroup_fd (-1: not at all), the
 * others to the kernel. The first that does not attach is an error that names it; returns its -errno.
 */
int loader_attach(struct loader *loader, int cgroup_fd, struct diag_list *diags);

/**
 * Pin all links and the maps that hold the policy below directory @path, so that they outlive this
 * process. Returns 0 or -errno with an error; what is pinned then is the place's owner's to remove.
 */
int loader_pin(struct loader *loader, const char *path, struct diag_list *diags);

/** Pin all links as link_NAME below directory @path. Returns 0 or -errno with an error. */
int loader_pin_links(struct loader *loader, const char *path, struct diag_list *diags);

/** Detach (what is pinned stays attached) and unload. Accepts an empty loader; resets it. */
void loader_close(struct loader *loader);

/**
 * The kernel function behind hook @hook ("file_open" -> "security_file_open"), written to @name.
 * Returns 0 or -ENAMETOOLONG.
 */
int loader_security_function(const char *hook, char *name, size_t size);

#endif
