"""The demo's agent run: traces in four attribute dialects, two eval sets, annotations, attachments.

run.py          metrics, and how the parts are put together
topics.py       what customers ask and what the agent knows
trace.py        TraceBuilder: spans on a clock
dialects.py     the dialects: how each instrumentation names messages, tokens and tools
everyday.py     traces of the usual shapes
oddities.py     retries, deep, big, orphaned, unfinished and skewed traces
samples.py      the eval sets
files.py        what the agent and its reviewers left behind
reviews.py      what two people said about spans and samples
"""

from flowtui.demo.agent.run import add_run

__all__ = ["add_run"]
