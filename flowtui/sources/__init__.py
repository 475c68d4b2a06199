"""Runs that other tools have written, read in place: nothing of those tools is needed for it.

A source (`source.py`) recognises a path by its content, lists its runs for the price of a few
`stat`s, and yields what is new in one since a mark as batches of records of a LUML store
(`records.py`). `filling.py` writes them into a private store in the cache folder (`places.py`),
which the tabs read as any other (`private_store.py`); `importing.py` writes them for good. Nothing
above this package knows which tool a run comes from, and nothing in a source is ever written,
locked or kept open.
"""
