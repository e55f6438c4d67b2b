"""``python -m rag.cli``: the same as ``sluice``."""

from rag.cli import main

if __name__ == "__main__":
    main()
