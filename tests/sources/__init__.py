"""Runs of other tools: small files that the tools themselves wrote, and what is read of them.

`make_*.py` write the files in `written/` with the real packages, in an environment of their own,
and beside them what the packages read of them.
"""
