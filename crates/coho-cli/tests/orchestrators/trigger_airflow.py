"""Airflow's own operator for Hightouch, unmodified, against a server whose connection stands in the environment."""

from airflow_provider_hightouch.operators.hightouch import HightouchTriggerSyncOperator

for slug in ["accounts", "accounts"]:
    operator = HightouchTriggerSyncOperator(
        task_id="sync", sync_slug=slug, synchronous=True, error_on_warning=True, wait_seconds=0.2, timeout=120
    )
    operator.execute({})
print("airflow saw the sync end")
