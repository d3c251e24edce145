"""Runs Coho's syncs from Airflow. Tasks after `run` can rely on its deliveries.

The worker needs `coho` and the project's folder; secrets come from the environment, as coho.yaml names them.
Exit codes: 4 a guard holds something, 5 some rows did not get through, 7 another run holds the ledger.
"""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

COHO = "@coho@"
PROJECT = "@folder@"

with DAG(
    dag_id="coho",
    schedule="*/15 * * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 1, "retry_delay": timedelta(minutes=5)},
    tags=["coho", "vitally"],
) as dag:
    check = BashOperator(
        task_id="check",
        bash_command='"$COHO" check --project "$PROJECT"',
        env={"COHO": COHO, "PROJECT": PROJECT},
        append_env=True,
    )
    run = BashOperator(
        task_id="run",
        bash_command='"$COHO" run --project "$PROJECT"',
        env={"COHO": COHO, "PROJECT": PROJECT},
        append_env=True,
        # Another run holds the ledger and sends everything.
        skip_on_exit_code=7,
        execution_timeout=timedelta(hours=2),
    )
    check >> run
