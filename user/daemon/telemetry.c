/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whoever goes by the settings is told after a reload; what the file means is in sink/settings.h.
 */
#include "daemon/telemetry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/daemon.h"
#include "daemon/protect.h"

static int read_settings(const struct daemon *daemon, struct telemetry_settings *ret,
			 struct diag_list *diags)
{
	CLEAN_FREE char *path = NULL;

	if (asprintf(&path, "%s/%s", daemon->options.config, TELEMETRY_FILE) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return telemetry_settings_read(path, true, 0, ret, diags);
}

int telemetry_open(struct daemon *daemon, struct diag_list *diags)
{
	return read_settings(daemon, &daemon->telemetry.settings, diags);
}

void telemetry_reload(struct daemon *daemon)
{
	CLEAN(telemetry_settings_reset)
	struct telemetry_settings settings = TELEMETRY_SETTINGS_NONE;
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct telemetry *telemetry = &daemon->telemetry;
	struct telemetry_settings old;
	int r = read_settings(daemon, &settings, &diags);

	free(TAKE_PTR(telemetry->fault));
	if (r) {
		telemetry->fault = daemon_diags_text(&diags);
		daemon_say(daemon, "telemetry goes on as it was: %s",
			   telemetry->fault ? telemetry->fault : strerror(-r));
		return;
	}
	old = telemetry->settings;
	telemetry->settings = settings;
	settings = old;
	sinks_reload(daemon->sinks);
	metrics_reload(daemon);
	receiver_reload(daemon);
	ledger_reload(daemon);
	protect_secrets(daemon);
}

void telemetry_close(struct telemetry *telemetry)
{
	telemetry_settings_reset(&telemetry->settings);
	free(telemetry->fault);
	*telemetry = (struct telemetry)TELEMETRY_NONE;
}
