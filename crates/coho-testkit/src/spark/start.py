"""Starts Spark Connect from the package pyspark: a driver, and two executors in processes of their own.

Spark writes into its own folder, so it gets one of links to what the package has. The server takes this process's place, so its id is that of
the process that was started.
"""

import os
import pathlib
import sys

import pyspark

package = pathlib.Path(pyspark.__file__).parent
home = pathlib.Path("spark").absolute()
home.mkdir()
for entry in package.iterdir():
    (home / entry.name).symlink_to(entry)

settings = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.connect.grpc.binding.address": "127.0.0.1",
    "spark.connect.grpc.binding.port": sys.argv[1],
    "spark.sql.warehouse.dir": str(home.parent / "warehouse"),
    "spark.sql.shuffle.partitions": "2",
    # Nothing runs for long enough to be compiled twice.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    # A session in which moments have other texts than in UTC, and names are quoted as elsewhere.
    "spark.sql.session.timeZone": "Europe/Berlin",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
}
words = [str(home / "bin/spark-submit"), "--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
words += ["--master", "local-cluster[2,1,1024]", "--driver-memory", "1g"]
for name, value in settings.items():
    words += ["--conf", f"{name}={value}"]
environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_NO_DAEMONIZE": "1"}
os.execve(words[0], [*words, "spark-internal"], environment)
