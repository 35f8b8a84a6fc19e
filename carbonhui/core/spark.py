"""Apache Spark, where this machine or a cluster has it; the product does without.

A cluster is chosen as Spark's own programs choose one: by SPARK_REMOTE, or by
SPARK_MASTER. Without them Spark runs inside this machine.
"""

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

#: The oldest Java that Spark 4 runs on.
OLDEST_JAVA = 17
_LOGGING = """\
rootLogger.level = error
logger.gateway.name = org.apache.spark.api.python.PythonGatewayServer
logger.gateway.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = Spark: %m%n
"""


def why_no_spark() -> str | None:
    """Why Spark cannot run here, in a sentence; None where it can."""
    if find_spec("pyspark") is None:
        return "pyspark is not installed; the extra carbonhui[spark] brings it"
    if "SPARK_REMOTE" in os.environ:
        return None
    java = _java()
    if java is None:
        return f"Spark needs Java {OLDEST_JAVA} or later, and none is in JAVA_HOME or on the path"
    version = _java_version(java)
    return None if version >= OLDEST_JAVA else f"Spark needs Java {OLDEST_JAVA} or later; {java} is {version or 'not one'}"


def spark_session(folder: Path) -> Any:
    """The one `pyspark.sql.SparkSession` of this program, opened if need be.

    Whole numbers never overflow in silence (ANSI), days are those of UTC, and what Spark
    keeps beside its answers lies in ``folder``. Only to be called where `why_no_spark`
    has nothing to say.
    """
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("carbonhui")
    if "SPARK_REMOTE" not in os.environ:
        builder = builder.master(os.environ.get("SPARK_MASTER", "local[*]")).config(map=_classic(folder))
    session = builder.getOrCreate()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    session.conf.set("spark.sql.ansi.enabled", "true")
    return session


def _classic(folder: Path) -> dict[str, Any]:
    """How Spark is started inside this program: small, quiet, and in its own folder."""
    for name in ("warehouse", "temporary"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    logging = folder / "log4j2.properties"
    logging.write_text(_LOGGING, encoding="utf-8")
    options = (f"-Dlog4j2.configurationFile={logging}", f"-Djava.io.tmpdir={folder / 'temporary'}", "-XX:-UsePerfData")
    # A cluster's own two hundred parts of every exchange would cost this machine more than the work in them.
    parts = {} if "SPARK_MASTER" in os.environ else {"spark.sql.shuffle.partitions": str(os.cpu_count() or 2)}
    return parts | {
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": " ".join(f'"{option}"' for option in options),
        "spark.local.dir": str(folder / "temporary"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }


def _java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")


def _java_version(java: str) -> int:
    """The number of its release; 0 for what is no Java."""
    told = subprocess.run([java, "-version"], capture_output=True, check=False, text=True, timeout=60)
    found = re.search(r'version "(\d+)', told.stderr)
    return int(found[1]) if found and told.returncode == 0 else 0
