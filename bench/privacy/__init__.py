"""Measures detection of personal data on one thread: see `docs/privacy.md`."""

from rag.threads import one_thread

one_thread()  # before numpy is loaded: "a core" is one
