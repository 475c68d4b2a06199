"""Makes stores and writes runs into them, in the format that luml-sdk 0.4.0 leaves on disk.

    ddl.py         the tables, as they stand after every migration
    create.py      empty databases
    rows.py        what can be written, as values
    experiment.py  ExperimentWriter: what is inside one exp.db
    writer.py      StoreWriter: meta.db and the folders

Importing this package is cheap: sqlite-utils loads when the first database is opened.
"""

from flowtui.store.schema.create import create_experiment_db, create_store
from flowtui.store.schema.ddl import EXPERIMENT_VERSION, META_VERSION
from flowtui.store.schema.experiment import ExperimentWriter
from flowtui.store.schema.rows import (
    EvalAnnotationRow,
    EvalRow,
    LinkRow,
    MetricRow,
    ParamValue,
    SpanAnnotationRow,
    SpanRow,
)
from flowtui.store.schema.writer import StoreWriter

__all__ = [
    "EXPERIMENT_VERSION",
    "META_VERSION",
    "EvalAnnotationRow",
    "EvalRow",
    "ExperimentWriter",
    "LinkRow",
    "MetricRow",
    "ParamValue",
    "SpanAnnotationRow",
    "SpanRow",
    "StoreWriter",
    "create_experiment_db",
    "create_store",
]
