"""How far authors who annotated the same samples agree (exp.db: eval_annotations)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from flowtui.store.database import table_columns
from flowtui.store.decoding import as_sql, text
from flowtui.store.natural import sort_key


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far authors agree under one name on samples that at least two of them annotated."""

    name: str
    sample_count: int
    """Samples with two authors or more; at least one."""
    unanimous_count: int
    """Those of them where all authors said the same."""
    pair_count: int
    """Pairs of authors over all of these samples."""
    agreeing_pair_count: int

    @property
    def unanimous_share(self) -> float:
        """The share of samples where all authors said the same, 0 to 1."""
        return self.unanimous_count / self.sample_count

    @property
    def pair_share(self) -> float:
        """The share of pairs of authors who said the same, 0 to 1."""
        return self.agreeing_pair_count / self.pair_count


# In a group of n who said the same there are n (n - 1) / 2 pairs.
_AGREEMENT = """
with latest as (
  select dataset_id, eval_id, name, value_type, value,
    row_number() over (partition by dataset_id, eval_id, name, user
      order by created_at desc, rowid desc) as place
  from eval_annotations where {chosen}),
said as (
  select dataset_id, eval_id, name, count(*) as authors
  from latest where place = 1 group by dataset_id, eval_id, name, value_type, value),
sample as (
  select name, sum(authors) as authors, count(*) as answers,
    sum(authors * (authors - 1) / 2) as agreeing
  from said group by dataset_id, eval_id, name having sum(authors) > 1)
select name, count(*), sum(answers = 1), sum(authors * (authors - 1) / 2), sum(agreeing)
from sample group by name
"""


def agreement(connection: sqlite3.Connection, dataset: str | None = None) -> tuple[Agreement, ...]:
    """Return, by name, how far authors agree on samples that several of them annotated.

    Only the last annotation of an author on one sample under one name counts. Names that no sample
    has from two authors are left out. This takes one pass over the annotations.

    Args:
        connection: A connection to exp.db.
        dataset: The id of an eval set; None for all.
    """
    if not table_columns(connection, "eval_annotations"):
        return ()
    chosen = "true" if dataset is None else "dataset_id = cast(:dataset as text)"
    rows = connection.execute(
        _AGREEMENT.format(chosen=chosen),
        {} if dataset is None else {"dataset": as_sql(dataset)},
    )
    found = [Agreement(text(name), *counts) for name, *counts in rows]
    return tuple(sorted(found, key=lambda one: sort_key(one.name)))
