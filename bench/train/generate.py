"""A log to train on, of any size: Parquet, 20 fields of ids and 8 numbers, a million rows in memory at a time.

Usage: bench/train/generate.py ROWS FILE   (needs numpy, pyarrow). `ranker.toml` beside this file declares it. Ids crowd at the low ones;
labels follow the numbers and the item.
"""

import sys

import numpy
import pyarrow
from pyarrow import parquet

STEP, IDS, POSITIONS, SLATE_MS = 1_000_000, 100_000, 10, 500
DEVICES = numpy.array(["phone", "desktop", "tv"])


def rows(draw, first, count):
    """Columns of the rows from `first` on; ten follow each other in a slate."""

    def ids():
        return (IDS * draw.random(count) ** 3).astype("i8")

    def texts(prefix, ids):
        return pyarrow.array(numpy.char.add(prefix, ids.astype("U6")))

    at = numpy.arange(first, first + count)
    slate = at // POSITIONS
    user = (IDS * ((slate * 2654435761 % 2**32) / 2**32) ** 3).astype("i8")
    item = ids()
    numbers = {f"n{k}": draw.normal(size=count).astype("f4") for k in range(8)}
    appeal = numbers["n0"] - 0.5 * numbers["n1"] + 0.3 * (item % 7 - 3.0) - 0.15 * (at % POSITIONS)

    def label(offset):
        return (draw.random(count) < 1 / (1 + numpy.exp(-(appeal - offset)))).astype("i1")

    columns = {
        "time": 1_700_000_000_000 + slate * SLATE_MS,
        "user": texts("u", user),
        "item": item,
        "position": (at % POSITIONS + 1).astype("i2"),
        "device": DEVICES.take(user % 3),
    }
    columns |= {f"f{k}": ids() if k % 2 else ids().astype("i4") for k in range(2, 16)}
    columns |= {f"f{k}": texts(f"f{k}-", ids()) for k in range(16, 20)}
    columns |= numbers
    columns |= {"click": label(1), "like": label(2), "share": label(3)}
    columns["watch"] = numpy.clip(0.3 + 0.1 * appeal + 0.1 * draw.normal(size=count), 0, 1).astype("f4")
    return pyarrow.table(columns)


def main():
    total, path = int(float(sys.argv[1])), sys.argv[2]
    draw, writer = numpy.random.default_rng(0), None
    for first in range(0, total, STEP):
        table = rows(draw, first, min(STEP, total - first))
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


if __name__ == "__main__":
    main()
