"""The demo's two runs to compare: an agent in two versions, asked the same 200 questions.

The newer one looks policies up, by which it mends answers, and fetches fewer orders, by which it
breaks others; which, and why, can be found in the traces.

tickets.py      the questions, and what each version answers: data/versions/tickets.toml
tracing.py      the trace of an answer
judging.py      scores, and what people said
run.py          metrics and attachments, and how the parts are put together
"""

from flowtui.demo.versions.run import add_runs

__all__ = ["add_runs"]
