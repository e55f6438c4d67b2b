"""A question's journey: mask → search → pack → answer → guard → audit.

`rag.asking.journey` reads from top to bottom as the question goes; each blocking step is a stage
of a `rag.asking.stages.Stages`, which gives up on it when the budget's time is over or the asker
has left. `rag.asking.streams` hands the events to whoever asked, in a thread or in a coroutine.
"""
