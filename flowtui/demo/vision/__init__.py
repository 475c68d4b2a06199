"""The demo's training run: long curves with a spike, two models, attachments of every kind.

run.py        curves, models
story.py      what happened in the run, for the curves and the logs alike
files.py      the list of attachments
tables.py     csv, jsonl
weights.py    the same weights in the formats of several libraries
logs.py       the training log, coloured and gzipped
"""

from flowtui.demo.vision.run import add_run

__all__ = ["add_run"]
