"""The filter language of the lists: text to an expression, an expression to parameterised SQL.

`parse` knows the grammar but no fields; a `FieldSet` describes what one list can be asked about;
`compile_filter` puts the two together. `lexer` and `parser` document the grammar, `predicates` what
a comparison means, `runs`, `traces` ... the fields of these lists.
"""

from flowtui.store.filters.compiler import (
    AskedKey,
    Condition,
    asked_key,
    compile_filter,
    sort_value,
)
from flowtui.store.filters.fields import (
    BYTES,
    NANOSECONDS,
    SECONDS,
    FieldKind,
    FieldSet,
    FilterField,
    Unit,
    UnknownField,
)
from flowtui.store.filters.functions import regexp, register_functions
from flowtui.store.filters.parser import field_name, parse
from flowtui.store.filters.runs import RUN_FIELDS, run_condition
from flowtui.store.filters.samples import SAMPLE_FIELDS, sample_condition
from flowtui.store.filters.spans import SPAN_FIELDS, span_condition
from flowtui.store.filters.syntax import Expression
from flowtui.store.filters.traces import TRACE_FIELDS, trace_condition

__all__ = [
    "BYTES",
    "NANOSECONDS",
    "RUN_FIELDS",
    "SAMPLE_FIELDS",
    "SECONDS",
    "SPAN_FIELDS",
    "TRACE_FIELDS",
    "AskedKey",
    "Condition",
    "Expression",
    "FieldKind",
    "FieldSet",
    "FilterField",
    "Unit",
    "UnknownField",
    "asked_key",
    "compile_filter",
    "field_name",
    "parse",
    "regexp",
    "register_functions",
    "run_condition",
    "sample_condition",
    "sort_value",
    "span_condition",
    "trace_condition",
]
