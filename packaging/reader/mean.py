"""Average what trainings of several seeds learned: as good as all of them, at the price of one.

    python packaging/reader/mean.py rag/models/reader.npz SEED_0.npz SEED_1.npz

They must have begun at the same weights (model soups: Wortsman et al., ICML 2022), as those of
``train.py`` and ``check.py`` do whatever their seed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from layers import Arrays
from train import plain, saved


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("out", type=Path)
    arguments.add_argument("file", type=Path, nargs="+")
    given = arguments.parse_args()
    learned: list[Arrays] = [plain(dict(np.load(file))) for file in given.file]
    saved({name: np.mean([one[name] for one in learned], axis=0) for name in learned[0]}, given.out)


if __name__ == "__main__":
    main()
