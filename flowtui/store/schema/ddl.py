"""The tables of meta.db and exp.db, as they stand after the SDK's last migration.

Columns keep the order in which the SDK's migrations added them, so that `select *` returns the same
for a store made here and one made there. The types (TIMESTAMP, BIGINT), CHECK constraints and
CURRENT_TIMESTAMP defaults are why this is SQL and not `sqlite_utils.Table.create`.
"""

from __future__ import annotations

META_VERSION = 6
"""The highest row of meta.db's schema_migrations; meta.db's user_version stays 0."""

EXPERIMENT_VERSION = 2
"""The highest row of exp.db's exp_schema_migrations, and exp.db's user_version."""

META_MIGRATIONS_TABLE = "schema_migrations"
EXPERIMENT_MIGRATIONS_TABLE = "exp_schema_migrations"

META_TABLES = (
    """CREATE TABLE schema_migrations (
    version INTEGER PRIMARY KEY,
    applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
)""",
    """CREATE TABLE experiments (
    id TEXT PRIMARY KEY,
    name TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    status TEXT DEFAULT 'active',
    tags TEXT,
    group_id TEXT REFERENCES experiment_groups(id),
    static_params TEXT,
    dynamic_params TEXT,
    duration REAL,
    description TEXT,
    source TEXT,
    metadata TEXT,
    upload_status TEXT
)""",
    """CREATE TABLE experiment_groups (
    id TEXT PRIMARY KEY,
    name TEXT,
    description TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    tags TEXT,
    last_modified TIMESTAMP DEFAULT CURRENT_TIMESTAMP
)""",
    """CREATE TABLE models (
    id TEXT PRIMARY KEY,
    name TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    tags TEXT,
    path TEXT,
    experiment_id TEXT REFERENCES experiments(id) ON DELETE CASCADE,
    size INTEGER,
    source TEXT,
    description TEXT
)""",
    "CREATE UNIQUE INDEX idx_experiment_groups_name ON experiment_groups(name)",
    """CREATE TABLE remote_artifacts (
    local_type TEXT NOT NULL,
    local_id TEXT NOT NULL,
    orbit_id TEXT NOT NULL,
    artifact_id TEXT NOT NULL,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (local_type, local_id, orbit_id)
)""",
)

# Both annotation tables end alike; only their references differ.
_ANNOTATION_COLUMNS = """name TEXT NOT NULL,
    annotation_kind TEXT NOT NULL CHECK(annotation_kind IN ('feedback', 'expectation')),
    value_type TEXT NOT NULL CHECK(value_type IN ('int', 'bool', 'string')),
    value TEXT NOT NULL,
    user TEXT NOT NULL,
    rationale TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP"""

EXPERIMENT_TABLES = (
    """CREATE TABLE exp_schema_migrations (
    version INTEGER PRIMARY KEY,
    applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
)""",
    """CREATE TABLE static_params (
    key TEXT PRIMARY KEY,
    value TEXT,
    value_type TEXT
)""",
    """CREATE TABLE dynamic_metrics (
    key TEXT,
    value REAL,
    step INTEGER,
    logged_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (key, step)
)""",
    """CREATE TABLE attachments (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    file_path TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    size INTEGER
)""",
    """CREATE TABLE spans (
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    parent_span_id TEXT,
    name TEXT NOT NULL,
    kind INTEGER,
    dfs_span_type INTEGER NOT NULL DEFAULT 0,
    start_time_unix_nano BIGINT NOT NULL,
    end_time_unix_nano BIGINT NOT NULL,
    status_code INTEGER,
    status_message TEXT,
    attributes TEXT,
    events TEXT,
    links TEXT,
    trace_flags INTEGER,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (trace_id, span_id)
)""",
    """CREATE TABLE evals (
    id TEXT NOT NULL,
    dataset_id TEXT NOT NULL,
    inputs TEXT NOT NULL,
    outputs TEXT,
    refs TEXT,
    scores TEXT,
    metadata TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (dataset_id, id)
)""",
    """CREATE TABLE eval_traces_bridge (
    id TEXT PRIMARY KEY,
    eval_dataset_id TEXT NOT NULL,
    eval_id TEXT NOT NULL,
    trace_id TEXT NOT NULL,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
)""",
    f"""CREATE TABLE eval_annotations (
    id TEXT PRIMARY KEY,
    dataset_id TEXT NOT NULL,
    eval_id TEXT NOT NULL,
    {_ANNOTATION_COLUMNS},
    FOREIGN KEY (dataset_id, eval_id) REFERENCES evals(dataset_id, id)
)""",
    f"""CREATE TABLE span_annotations (
    id TEXT PRIMARY KEY,
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    {_ANNOTATION_COLUMNS},
    FOREIGN KEY (trace_id, span_id) REFERENCES spans(trace_id, span_id)
)""",
)
