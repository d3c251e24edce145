"""Runs Coho's syncs from Prefect. The flow returns how each sync ended.

    python deploy/prefect/coho_flow.py

The worker needs `coho` and the project's folder; secrets come from the environment, as coho.yaml names them.
"""

import json
import subprocess

from prefect import flow, get_run_logger, task

COHO = "@coho@"
PROJECT = "@folder@"

# A guard held something, or some rows did not get through. The rest was sent.
DONE_IN_PART = (4, 5)


@task(retries=1, retry_delay_seconds=300)
def run(*syncs: str) -> dict:
    """Runs the named syncs; by default, all of them."""
    command = [COHO, "run", *syncs, "--project", PROJECT, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, *DONE_IN_PART):
        raise RuntimeError(f"coho ended with {done.returncode}: {done.stdout}")
    return json.loads(done.stdout)


@flow(name="coho")
def coho() -> dict:
    """Sends what changed to Vitally."""
    results = run()
    for sync in results["syncs"]:
        get_run_logger().info("%s: %s, %s", sync["sync"], sync["status"], sync["counts"]["statuses"])
    return results


if __name__ == "__main__":
    coho()
