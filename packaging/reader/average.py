"""Average readers that were trained from the same beginning: what each has learned is kept in part.

    python packaging/reader/average.py ONE.npz OTHER.npz --out rag/models/reader.npz

Wortsman et al.: Model soups, ICML 2022. Nothing is read longer than by one of them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from layers import Arrays
from train import saved


def loaded(path: Path) -> Arrays:
    """Return weights as float32; those of int8 are multiplied by their scales."""
    with np.load(path) as file:
        kept = {name: file[name] for name in file.files}
    weights: Arrays = {}
    for name, value in kept.items():
        scale = kept.get(name.removesuffix("weight") + "scale")
        if not name.endswith("scale"):
            own = value.astype(np.float32)
            weights[name] = own if scale is None else own * scale[:, None]
    return weights


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("readers", type=Path, nargs="+")
    arguments.add_argument("--out", type=Path, required=True)
    given = arguments.parse_args()
    every = [loaded(path) for path in given.readers]
    saved({name: np.mean([one[name] for one in every], axis=0) for name in every[0]}, given.out)


if __name__ == "__main__":
    main()
