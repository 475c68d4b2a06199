"""Writes written/wandb/ with wandb 0.31 (and numpy), without a network, and what was logged.

The summary that wandb itself printed at the end is what the tests compare last values with.
"""

import json
import math
import os
import shutil
import tempfile
from pathlib import Path

os.environ |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_DATA_DIR": "/tmp/wandb"}

import wandb

HERE = Path(__file__).parent / "written"
SETTINGS = {"console": "off", "x_disable_meta": True, "x_disable_machine_info": True}


def main() -> None:
    """Log one run, and keep its log and its files."""
    with tempfile.TemporaryDirectory() as folder:
        run = wandb.init(
            project="demo", dir=folder, id="abc123", name="first", group="sweep", tags=["a", "b"],
            notes="a note", config={"lr": 0.1, "model": {"depth": 3}},
            settings=wandb.Settings(**SETTINGS, x_stats_sampling_interval=0.2),
        )  # fmt: skip
        for step in range(250):
            run.log({"loss": 1 / (step + 1), "nested": {"acc": step / 250}})
        run.log({"odd": math.nan, "even": -math.inf, "done": True})
        run.log({"hist": wandb.Histogram([1, 2, 3], num_bins=2)})
        run.log({"table": wandb.Table(columns=["a"], data=[[1], [2]])})
        run.log({"word": "text"})
        run.config.update({"late": "x"})
        run.summary["best"] = 0.5
        said = {key: value for key, value in dict(run.summary).items() if key in ("loss", "best")}
        said["nested.acc"] = run.summary["nested"]["acc"]
        run.finish()
        (found,) = Path(folder, "wandb").glob("offline-run-*")
        target = HERE / "wandb" / "offline-run-20260601_120000-abc123"
        shutil.rmtree(target.parent, ignore_errors=True)
        shutil.copytree(
            found, target, ignore=shutil.ignore_patterns("logs", "tmp", "requirements*")
        )
    (HERE / "wandb.json").write_text(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
