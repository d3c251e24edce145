"""Coho's syncs as Dagster assets, each materialized with its counts through Dagster Pipes.

The name of an asset is a sync's id. Add `deps=[…]` with the assets that the sync's model reads.
"""

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    Definitions,
    MaterializeResult,
    PipesSubprocessClient,
    ScheduleDefinition,
    asset,
    define_asset_job,
)

COHO = "@coho@"
PROJECT = "@folder@"
SYNCS = [@syncs@]


def sync(name: str) -> AssetsDefinition:
    """The asset of a sync."""

    @asset(name=name, key_prefix="vitally", group_name="coho", pool="coho")
    def run(context: AssetExecutionContext, pipes: PipesSubprocessClient) -> MaterializeResult:
        command = [COHO, "run", name, "--project", PROJECT]
        return pipes.run(command=command, context=context).get_materialize_result()

    return run


assets = [sync(name) for name in SYNCS]
job = define_asset_job("coho", selection=assets, config={"execution": {"config": {"multiprocess": {"max_concurrent": 1}}}})

defs = Definitions(
    assets=assets,
    jobs=[job],
    schedules=[ScheduleDefinition(job=job, cron_schedule="*/15 * * * *")],
    resources={"pipes": PipesSubprocessClient()},
)
