"""Dagster's own resource for Hightouch, unmodified but for the address, which it keeps in a constant."""

import sys

import dagster_hightouch.resources as resources

address, token, sync = sys.argv[1:]
resources.HIGHTOUCH_API_BASE = address + "/api/v1/"
resource = resources.HightouchResource(api_key=token)
output = resource.sync_and_poll(sync, poll_interval=0.2, poll_timeout=120)
assert output.sync_run_details["status"] == "success", output
assert output.destination_details["type"] == "vitally", output
print("dagster saw the sync end")
