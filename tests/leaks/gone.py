"""``python -m tests.leaks.gone CORPUS FILE``: a run in which a document vanishes while it is read.

The steps are those that Airflow does one by one; between plan and shards the file is deleted.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rag.ingest.pipeline import Options, Pipeline


def main(corpus: str, file: str) -> None:
    pipeline = Pipeline.open(corpus, owner="gone")
    plan = pipeline.plan("gone", Options())
    Path(file).unlink()
    for shard in plan.shards:
        pipeline.shard("gone", shard)
    pipeline.sync("gone")
    pipeline.verify("gone")
    sys.stdout.write(json.dumps(pipeline.publish("gone").as_counts()))


if __name__ == "__main__":
    main(*sys.argv[1:])
