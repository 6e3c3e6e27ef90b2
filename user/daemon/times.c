/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client that wants to know is marked by its own pointer.
 */
#include "daemon/times.h"

#include "control/server.h"
#include "daemon/daemon.h"
#include "engine/hub_facts.h"

void times_begin(struct daemon *daemon, struct client *client)
{
	if (client_data(client))
		return;
	client_set_data(client, &daemon->timed);
	if (daemon->timed++ == 0)
		hub_time_decisions(&daemon->hub, true);
}

void times_forget_client(struct daemon *daemon, struct client *client)
{
	if (client_data(client) && --daemon->timed == 0)
		hub_time_decisions(&daemon->hub, false);
}

void times_reset(struct daemon *daemon)
{
	daemon->timed = 0;
	hub_time_decisions(&daemon->hub, false);
}
