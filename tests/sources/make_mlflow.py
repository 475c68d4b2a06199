"""Writes written/mlruns/, written/mlflow.db.gz and written/mlflow.json with MLflow 3.17.

The last is what MLflow's own client reads, which the tests compare with. Both stores get the same.
"""

import gzip
import json
import math
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

os.environ |= {
    "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false",
    "MLFLOW_ALLOW_FILE_STORE": "true", "LOGNAME": "ann", "GIT_PYTHON_REFRESH": "quiet",
    "GIT_PYTHON_GIT_EXECUTABLE": "/nonexistent",
}  # fmt: skip

import mlflow
import pandas
from mlflow import MlflowClient
from mlflow.entities import AssessmentSource, Expectation, SpanEvent

HERE = Path(__file__).parent / "written"
ANN = AssessmentSource("HUMAN", "ann@example.org")


def main() -> None:
    """Write the same into both stores."""
    said = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, uri in (
            ("files", f"file://{folder}/mlruns"),
            ("database", f"sqlite:///{folder}/mlflow.db"),
        ):
            os.chdir(folder)
            mlflow.set_tracking_uri(uri)
            write(MlflowClient(uri))
            said[kind] = read(MlflowClient(uri))
        shutil.rmtree(HERE / "mlruns", ignore_errors=True)
        shutil.copytree(folder / "mlruns", HERE / "mlruns")
        with sqlite3.connect(folder / "mlflow.db") as database:
            database.execute("VACUUM")
        data = (folder / "mlflow.db").read_bytes()
        (HERE / "mlflow.db.gz").write_bytes(gzip.compress(data, 9, mtime=0))
    (HERE / "mlflow.json").write_text(json.dumps(said, indent=1) + "\n")


def write(client: MlflowClient) -> None:
    """Log runs, traces, and what was said of them."""
    experiment = mlflow.create_experiment("vision/demo")
    mlflow.set_experiment("vision/demo")
    with mlflow.start_run(run_name="first", description="a note: of\ntwo lines") as run:
        mlflow.set_tag("mlflow.source.name", "train.py")
        mlflow.log_params({"lr": 0.1, "model/depth": 3, "opt": "adam", "version": "3.10"})
        for step in range(20):
            mlflow.log_metric("train/loss", 1 / (step + 1), step=step)
        for step, value in enumerate((math.nan, math.inf, -math.inf, 1.5)):
            mlflow.log_metric("odd", value, step=step)
        mlflow.log_metric("twice", 1.0, step=0)
        mlflow.log_metric("twice", 2.0, step=0)
        mlflow.set_tags({"team": "red", "a/b": "x"})
        mlflow.log_text("hello\n", "notes/hello.txt")
        table = pandas.DataFrame({"a": [1.0, 2.0]})
        mlflow.log_input(mlflow.data.from_pandas(table, name="tiny"), context="training")
        answer(client)
    client.create_logged_model(experiment, name="model", source_run_id=run.info.run_id)
    with mlflow.start_span("outside"):
        pass
    for name, status in (("failed", "FAILED"), ("killed", "KILLED"), ("going on", None)):
        other = client.create_run(experiment, run_name=name)
        client.log_metric(other.info.run_id, "loss", 0.5, step=3)
        if status:
            client.set_terminated(other.info.run_id, status)
    client.delete_run(client.create_run(experiment, run_name="gone").info.run_id)


def answer(client: MlflowClient) -> None:
    """Log a trace of two spans, and assessments of each kind."""
    with mlflow.start_span("agent", span_type="AGENT") as root:
        root.set_inputs({"question": "what?"})
        mlflow.update_current_trace(metadata={"mlflow.trace.session": "s1"}, tags={"env": "test"})
        with mlflow.start_span("llm", span_type="CHAT_MODEL") as span:
            span.set_inputs({"messages": [{"role": "user", "content": "what?"}]})
            span.add_event(SpanEvent("asked", attributes={"a": 1}))
            span.set_status("ERROR")
        root.set_outputs("that")
    trace = root.trace_id
    first = mlflow.log_feedback(trace_id=trace, name="good", value=True, source=ANN)
    mlflow.override_feedback(
        trace_id=trace, assessment_id=first.assessment_id, value=False, source=ANN,
        rationale="no: it\nis wrong",
    )  # fmt: skip
    judge = AssessmentSource("LLM_JUDGE", "judge-1")
    mlflow.log_feedback(trace_id=trace, name="safe", value="yes", source=judge)
    mlflow.log_feedback(trace_id=trace, name="score", value=0.7, rationale="so so", source=judge)
    mlflow.log_feedback(trace_id=trace, name="broken", error=ValueError("boom"), source=judge)
    mlflow.log_expectation(
        trace_id=trace, name="answer", value={"x": 1}, source=ANN, span_id=span.span_id
    )
    mlflow.log_expectation(trace_id=trace, name="count", value=3, source=ANN)
    gone = mlflow.log_assessment(trace, Expectation(name="gone", value="x", source=ANN))
    mlflow.delete_assessment(trace, gone.assessment_id)


def read(client: MlflowClient) -> dict:
    """Return what MLflow's client reads of a store."""
    experiment = client.get_experiment_by_name("vision/demo").experiment_id
    runs, traces = {}, {}
    for run in client.search_runs([experiment]):
        history = {
            key: [
                [metric.step, repr(float(metric.value))]
                for metric in client.get_metric_history(run.info.run_id, key)
            ]
            for key in run.data.metrics
        }
        runs[run.info.run_name] = {
            "id": run.info.run_id,
            "status": run.info.status,
            "start_ms": run.info.start_time,
            "end_ms": run.info.end_time,
            "params": run.data.params,
            "metrics": history,
        }
    for trace in mlflow.search_traces(locations=[experiment], return_type="list"):
        traces[trace.info.trace_id] = {
            "run": trace.info.request_metadata.get("mlflow.sourceRun"),
            "spans": [
                [span.name, span.span_id, span.parent_id, span.start_time_ns, span.end_time_ns,
                 span.inputs]
                for span in trace.data.spans
            ],
            "assessments": [
                [one.name, one.value, one.rationale, one.span_id, one.valid]
                for one in trace.info.assessments
            ],
        }  # fmt: skip
    return {"runs": runs, "traces": traces}


if __name__ == "__main__":
    main()
