"""Memory and time of `watchnext train` on a generated log. Usage: bench/large_log.py ROWS [WATCHNEXT]   (needs numpy, pyarrow)"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DECLARATION = """
[fields]
user = { side = "user", kind = "id", dim = 4, buckets = 100_000 }
item = { side = "item", kind = "id", dim = 4, buckets = 100_000 }
age = { side = "item", kind = "number", scale = "quantile" }

[objectives]
click = { group = "engagement", loss = "binary" }

[model]
architecture = "shared-bottom"
shared = [8]

[score]
click = 1.0

[train]
epochs = 1
"""
STEP = 1_000_000


def write_log(path: Path, rows: int) -> None:
    """Clicks depend on the age and the item; times rise."""
    import numpy
    import pyarrow
    from pyarrow import parquet

    draw = numpy.random.default_rng(0)
    writer = None
    for first in range(0, rows, STEP):
        count = min(STEP, rows - first)
        item = draw.integers(0, 100_000, count)
        age = draw.normal(size=count).astype("f4")
        rate = 1 / (1 + numpy.exp(-(age - 2 + (item % 7 - 3) * 0.3)))
        table = pyarrow.table(
            {
                "time": numpy.arange(first, first + count) * 10,
                "user": draw.integers(0, 1_000_000, count),
                "item": item,
                "age": age,
                "click": (draw.random(count) < rate).astype("i1"),
            }
        )
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def main() -> None:
    rows = int(float(sys.argv[1]))
    program = sys.argv[2] if len(sys.argv) > 2 else "target/release/watchnext"
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        log = folder / "log.parquet"
        (folder / "ranker.toml").write_text(DECLARATION)
        # In a process of its own: a child's memory counts from what its parent held.
        subprocess.run([sys.executable, __file__, "--write", log, str(rows)], check=True)
        began = time.monotonic()
        command = [program, "train", folder / "ranker.toml", "--data", log, "--out", folder / "run"]
        child = subprocess.Popen(command)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - began
    print(f"{rows} rows: {seconds:.0f} s, {usage.ru_maxrss / 1024:.0f} MB at most")
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    if sys.argv[1] == "--write":
        write_log(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
