"""Whether an active run goes on: stamps, locks, and what is concluded from both."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flowtui import format as fmt
from flowtui.store import params as logged_params
from flowtui.store import runs as run_rows
from flowtui.store.files import asking, file_systems
from flowtui.store.liveness import holders, signs
from flowtui.store.liveness.standing import Activity, Signs, Standing, standing
from flowtui.store.new_run import new_run
from flowtui.store.store import Store
from flowtui.store.values import Run
from tests.unit.stores import NOW, execute, held, killed, mounted, one_run, opened

LATER = timedelta(minutes=25)
RUN = Run(1, "run-1", "run-1", "active", NOW, None, None, (), None, None, None, None)


def at(store: Store, now: datetime, may_ask: bool = True) -> Standing:
    run = store.resolve("run-1").row
    return standing(run, store.signs([run], now, may_ask).get(run.id), now)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """exp.db of an active run that logged its last point ten minutes after it began."""
    path = one_run(tmp_path / "store", {"lr": 0.1}, {"loss": {1: 0.5}})
    ten_later = "datetime(logged_at, '+10 minutes')"
    execute(path, f"update dynamic_metrics set logged_at = {ten_later}")
    last_write(path, NOW + timedelta(minutes=10))
    return path


def last_write(path: Path, moment: datetime) -> None:
    ns = int(moment.timestamp() * 1e9)
    for file in path.parent.glob("exp.db*"):
        os.utime(file, ns=(ns, ns))


def now() -> datetime:
    return NOW + timedelta(minutes=10) + LATER


# What is concluded


def seen(**values: object) -> Signs:
    moment = NOW + timedelta(hours=1)
    return Signs(moment, moment, moment)._replace(**values)  # type: ignore[arg-type]


def test_a_run_that_ended_is_what_its_status_says() -> None:
    ended = RUN._replace(status="completed", duration_s=12.5)
    assert standing(ended, None, NOW) == Standing(None, 12.5)
    assert standing(RUN._replace(status="pending"), None, NOW) == Standing(None, None)


def test_a_run_that_writes_goes_on() -> None:
    found = standing(RUN, seen(), NOW + timedelta(hours=1))
    assert (found.activity, found.elapsed_s, found.is_rough) == (Activity.ACTIVE, 3600, False)


@pytest.mark.parametrize(
    ("silent", "activity"),
    [(599, Activity.ACTIVE), (600, Activity.QUIET), (86_400, Activity.QUIET)],
)
def test_silence_is_not_death(silent: int, activity: Activity) -> None:
    last = NOW + timedelta(hours=1) - timedelta(seconds=silent)
    found = standing(RUN, seen(logged_at=last, written_at=last), NOW + timedelta(hours=2))
    # The duration goes on, and the silence is counted until the last look.
    assert (found.activity, found.elapsed_s, found.silent_s) == (activity, 7200, silent)


def test_what_was_written_without_a_record_is_no_silence() -> None:
    old = NOW + timedelta(minutes=1)
    assert standing(RUN, seen(logged_at=old), NOW).activity is Activity.ACTIVE


def test_a_clock_that_is_ahead_makes_nothing_of_silence() -> None:
    ahead = NOW + timedelta(hours=9)
    found = standing(RUN, seen(logged_at=ahead, written_at=NOW), NOW + timedelta(hours=1))
    assert (found.activity, found.silent_s) == (Activity.QUIET, 3600)


def test_the_duration_of_a_run_that_stopped_stands_at_its_last_record() -> None:
    last = NOW + timedelta(minutes=42)
    found = standing(RUN, seen(logged_at=last, is_gone=True), NOW + timedelta(days=3))
    assert (found.activity, found.elapsed_s, found.is_rough) == (Activity.STOPPED, 42 * 60, True)
    none_left = seen(logged_at=None, written_at=None, is_gone=True)
    assert standing(RUN, none_left, NOW + timedelta(days=3)).elapsed_s is None


def test_how_long_a_run_goes_on_is_not_the_difference_of_two_clocks() -> None:
    # Its writer's clock is twenty minutes ahead; it logged at its tenth minute, a minute ago.
    ahead = timedelta(minutes=20)
    run = RUN._replace(created_at=NOW + ahead)
    found = seen(
        seen_at=NOW + timedelta(minutes=11),
        logged_at=NOW + ahead + timedelta(minutes=10),
        written_at=NOW + timedelta(minutes=10),
        has_own_clock=True,
    )
    going = standing(run, found, NOW + timedelta(minutes=11, seconds=30))
    assert (going.elapsed_s, going.is_rough) == (11.5 * 60, True)
    assert fmt.elapsed(going) == "~11 m"
    # A record that is dated in another year tells nothing.
    odd = found._replace(logged_at=NOW + timedelta(days=40_000))
    assert standing(RUN, odd, NOW + timedelta(hours=1)).elapsed_s == 3600
    # Until a change is seen, nobody knows how long ago it logged.
    unseen = found._replace(stamped_at=NOW + ahead)
    assert standing(RUN, unseen, NOW + timedelta(hours=1)).elapsed_s == 3600
    assert standing(RUN, unseen, NOW + timedelta(hours=1)).is_rough


def test_a_run_that_began_in_the_future_has_no_exact_duration() -> None:
    found = standing(RUN._replace(created_at=NOW + timedelta(hours=1)), seen(), NOW)
    assert (found.elapsed_s, found.is_rough) == (0, True)


def test_of_a_copy_nothing_is_concluded() -> None:
    assert standing(RUN, None, NOW).activity is Activity.ACTIVE
    assert standing(RUN, None, NOW).silent_s is None


@pytest.mark.parametrize(
    ("found", "words", "short", "elapsed"),
    [
        (Standing(Activity.ACTIVE, 60.0), "● active", "● active", "1 m"),
        (Standing(Activity.QUIET, 7200.0, False, 1259.0), "● active, quiet 20 m", "○ quiet", "2 h"),
        (Standing(Activity.STOPPED, 8040.0, True), "▲ stopped without an end", "▲ stopped",
         "~2 h 14 m"),
        (Standing(Activity.STOPPED, None, True), "▲ stopped without an end", "▲ stopped", ""),
        (Standing(None, 3.2), "✓ completed", "✓ completed", "3.2 s"),
    ],
)  # fmt: skip
def test_how_it_is_said(found: Standing, words: str, short: str, elapsed: str) -> None:
    status = "completed" if found.activity is None else "active"
    assert fmt.run_state(status, found) == words
    assert fmt.run_state_short(status, found) == short
    assert fmt.elapsed(found) == elapsed


# Whose process is there


def test_a_process_that_holds_the_run_is_quiet(database: Path) -> None:
    with held(database), opened(database.parents[1]) as store:
        last_write(database, NOW + timedelta(minutes=10))
        found = at(store, now())
    assert (found.activity, found.silent_s, found.elapsed_s) == (Activity.QUIET, 25 * 60, 35 * 60)


def test_a_process_that_was_killed_has_stopped(database: Path) -> None:
    killed(database)
    with opened(database.parents[1]) as store, held(database.parents[1] / "meta.db"):
        last_write(database, now())
        # What it left is looked for even where the stamp of a file is fresh.
        found = at(store, now())
    assert (found.activity, found.elapsed_s, found.is_rough) == (Activity.STOPPED, 600, True)
    assert database.with_name("exp.db-shm").exists()


def test_a_process_that_went_without_ending_its_run_has_stopped(database: Path) -> None:
    with opened(database.parents[1]) as store:
        assert at(store, now()).activity is Activity.STOPPED


def test_a_process_with_a_tracker_may_come_back_to_a_run_that_it_does_not_hold(
    database: Path,
) -> None:
    with held(database.parents[1] / "meta.db"), opened(database.parents[1]) as store:
        assert at(store, now()).activity is Activity.QUIET


def test_a_log_without_its_index_was_copied_and_tells_nothing(
    database: Path, tmp_path: Path
) -> None:
    killed(database)
    copy = tmp_path / "copy"
    ignored = shutil.ignore_patterns("*-shm")
    shutil.copytree(database.parents[1], copy, ignore=ignored)
    last_write(copy / "run-1" / "exp.db", NOW + timedelta(minutes=10))
    with opened(copy) as store:
        assert at(store, now()).activity is Activity.QUIET


def test_nobody_is_asked_about_while_a_run_writes(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(holders, "held", lambda paths: asked.append(paths) or [False] * len(paths))
    with opened(database.parents[1]) as store:
        assert at(store, NOW + timedelta(minutes=10, seconds=59)).activity is Activity.ACTIVE
        assert asked == []
        assert at(store, now(), may_ask=False).activity is Activity.QUIET
        assert asked == []
        assert at(store, now()).activity is Activity.STOPPED
        assert at(store, now()).activity is Activity.STOPPED
        assert len(asked) == 1


def test_one_that_is_there_is_asked_about_rarely(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(holders, "held", lambda paths: asked.append(paths) or [True] * len(paths))
    clock_s = [100.0]
    monkeypatch.setattr(signs.time, "monotonic", lambda: clock_s[0])
    with opened(database.parents[1]) as store:
        for _ in range(5):
            at(store, now())
        assert len(asked) == 1
        clock_s[0] += signs.ASK_EVERY_S
        at(store, now())
    assert len(asked) == 2


def test_an_annotation_brings_nobody_back(database: Path) -> None:
    killed(database)
    with opened(database.parents[1]) as store:
        assert at(store, now()).activity is Activity.STOPPED
        # The last to close takes the files away that told it, and the stamp is fresh.
        execute(database, "insert into static_params values ('note', 'x', 'str')")
        assert not database.with_name("exp.db-shm").exists()
        with held(database.parents[1] / "meta.db"):
            found = at(store, now())
    assert (found.activity, found.elapsed_s) == (Activity.STOPPED, 600)


def test_a_process_that_logs_again_is_back(database: Path) -> None:
    with opened(database.parents[1]) as store:
        assert at(store, now()).activity is Activity.STOPPED
        stamp = now().strftime("%Y-%m-%d %H:%M:%S")
        execute(database, f"insert into dynamic_metrics values ('loss', 0.4, 2, '{stamp}')")
        assert at(store, now() + timedelta(seconds=5)).activity is Activity.ACTIVE


def test_a_process_that_takes_a_stopped_run_up_again_is_there(database: Path) -> None:
    with opened(database.parents[1]) as store:
        assert at(store, now()).activity is Activity.STOPPED
        execute(database, "insert into static_params values ('again', '1', 'int')")
        last_write(database, now() + timedelta(seconds=1))
        with held(database):
            assert at(store, now() + timedelta(minutes=11)).activity is Activity.QUIET


def test_a_new_run_is_held_while_it_is_made(tmp_path: Path) -> None:
    with new_run(tmp_path / "store", "collected") as run_id, opened(tmp_path / "store") as store:
        run = store.ask(run_rows.run, run_id)
        assert run is not None
        later = datetime.now(UTC) + LATER
        assert standing(run, store.signs([run], later)[run_id], later).activity is Activity.QUIET
    assert not (tmp_path / "store" / run_id / "exp.db-shm").exists()


def test_a_run_without_a_database_has_stopped_when_nobody_is_there(database: Path) -> None:
    database.unlink()
    with opened(database.parents[1]) as store:
        found = at(store, now())
        assert (found.activity, found.elapsed_s) == (Activity.STOPPED, None)


def test_another_machines_stamps_are_not_compared(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted(database.parents[2], "nfs4", monkeypatch)
    with opened(database.parents[1]) as store:
        assert at(store, now()).activity is Activity.ACTIVE
        found = at(store, now() + timedelta(minutes=11))
        assert (found.activity, found.silent_s) == (Activity.QUIET, 660)


def test_of_another_machines_stamps_no_time_since_is_made_until_a_change_is_seen(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted(database.parents[2], "nfs4", monkeypatch)
    stamped_at = NOW + timedelta(minutes=10)
    with opened(database.parents[1]) as store:
        assert at(store, now()).stamped_at == stamped_at
        assert at(store, now() + timedelta(minutes=2)).stamped_at == stamped_at
        # The writer's clock is a quarter of an hour behind.
        execute(database, "insert into dynamic_metrics values ('loss', 0.4, 2, '2026-06-01 12:22')")
        last_write(database, NOW + timedelta(minutes=22))
        seen_at = now() + timedelta(minutes=3)
        found = at(store, seen_at)
        assert (found.stamped_at, found.silent_s) == (None, 0)
        found = at(store, seen_at + timedelta(seconds=40))
        assert (found.stamped_at, found.silent_s) == (None, 40)
        assert (found.elapsed_s, found.is_rough) == (22 * 60 + 40, True)


@pytest.mark.parametrize("off_by", [timedelta(minutes=-15), timedelta(minutes=15)])
def test_a_change_that_is_seen_tells_that_clocks_differ(database: Path, off_by: timedelta) -> None:
    begun = now()
    last_write(database, begun)
    with opened(database.parents[1]) as store:
        assert at(store, begun).silent_s == 0
        for minute in (1, 2):
            seen_at = begun + timedelta(minutes=minute)
            execute(database, "update static_params set value = value + 1")
            last_write(database, seen_at + off_by)
            assert at(store, seen_at).silent_s == 0
        found = at(store, seen_at + timedelta(seconds=30))
    assert (found.silent_s, found.stamped_at) == (30, None)


def test_a_record_that_is_dated_by_another_clock_breaks_no_silence() -> None:
    record = NOW + timedelta(minutes=59)
    found = standing(RUN, seen(logged_at=record, written_at=NOW), NOW)
    assert (found.activity, found.silent_s) == (Activity.QUIET, 3600)


def test_a_process_that_is_gone_is_missed_within_a_minute(database: Path) -> None:
    last_write(database, NOW + timedelta(minutes=10))
    with opened(database.parents[1]) as store:
        assert at(store, NOW + timedelta(minutes=11)).activity is Activity.STOPPED
    with held(database), opened(database.parents[1]) as store:
        assert at(store, NOW + timedelta(minutes=11)).activity is Activity.ACTIVE


def test_a_stamp_from_the_future_is_not_compared(database: Path) -> None:
    last_write(database, now() + timedelta(days=1))
    execute(database, "update dynamic_metrics set logged_at = '2199-01-01 00:00:00'")
    last_write(database, now() + timedelta(days=1))
    with held(database), opened(database.parents[1]) as store:
        assert at(store, now()).activity is Activity.ACTIVE
        assert at(store, now() + LATER).activity is Activity.QUIET


def test_a_model_counts_as_a_record(database: Path) -> None:
    stamp = (now() - timedelta(seconds=30)).strftime("%Y-%m-%d %H:%M:%S")
    execute(
        database.parents[1] / "meta.db",
        "insert into models (id, name, created_at, experiment_id) values ('m', 'm', ?, 'run-1')",
        [(stamp,)],
    )
    with opened(database.parents[1]) as store:
        assert at(store, now()).activity is Activity.ACTIVE


def test_a_model_that_another_clock_dates_counts_when_it_is_seen(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted(database.parents[2], "nfs4", monkeypatch)
    with opened(database.parents[1]) as store:
        at(store, now())
        execute(
            database.parents[1] / "meta.db",
            "insert into models (id, name, created_at, experiment_id)"
            " values ('m', 'm', '2026-06-01 05:00:00', 'run-1')",
        )
        assert at(store, now() + timedelta(minutes=11)).silent_s == 0


@pytest.mark.parametrize("stamp_ns", [-(2**62), 2**62])
def test_a_stamp_of_any_year_is_no_error(database: Path, stamp_ns: int) -> None:
    os.utime(database, ns=(stamp_ns, stamp_ns))
    with opened(database.parents[1]) as store:
        assert at(store, now()).activity is not None


# Asking


def test_asking_drops_no_lock_and_readers_count_only_while_they_read(database: Path) -> None:
    with closing(sqlite3.connect(database)) as own:
        own.execute("pragma journal_mode = wal")
        own.execute("insert into static_params values ('own', 'us', 'str')")
        own.commit()
        assert holders.held([database, database.parents[1] / "meta.db"]) == [True, False]
        # Still: a question asked by hand in this process would have dropped it.
        assert holders.held([database]) == [True]
    assert holders.held([database]) == [False]
    killed(database)
    with opened(database.parents[1]) as store:
        store.run("run-1").ask(logged_params.params)
        answer = store.run("run-1").database.read(lambda _: holders.held([database]))
    assert answer == [False]


def test_what_is_no_file_is_not_waited_for(database: Path) -> None:
    os.mkfifo(database.with_name("exp.db-shm"))
    assert holders.held([database]) == [None]


def test_a_child_that_fails_tells_nothing(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asking.end()
    monkeypatch.setattr(asking, "CHILD", database.with_name("no-child.py"))
    assert holders.held([database]) == [None]
    monkeypatch.setattr(holders.sys, "platform", "darwin")
    assert holders.held([database, database]) == [None, None]


MOUNTS = b"""\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /data rw - nfs4 server:/data rw
31 30 0:41 / /data/fast rw - xfs /dev/sdb rw
32 22 0:42 / /mnt/with\\040blank rw - fuse.sshfs host: rw
33 22 0:43 / /late rw - xfs /dev/sdc rw
34 22 0:44 / /late rw - 9p share rw
"""


@pytest.mark.parametrize(
    ("path", "is_local"),
    [
        ("/home/ana/exp.db", True),
        ("/data/exp.db", False),
        ("/data/fast/exp.db", True),
        ("/data/faster/exp.db", False),
        ("/database/exp.db", True),
        ("/mnt/with blank/exp.db", False),
        ("/late/exp.db", False),
    ],
)
def test_which_disks_are_local(
    path: str, is_local: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_bytes(MOUNTS)
    monkeypatch.setattr(file_systems, "MOUNTS", mounts)
    assert file_systems.is_local(path) is is_local
    monkeypatch.setattr(file_systems, "MOUNTS", tmp_path / "none")
    assert not file_systems.is_local(path)
