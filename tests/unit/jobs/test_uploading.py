"""What is said of an upload before, while and after it is under way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flowtui.jobs.upload import Parcel, UploadOutcome, UploadState, mark, plan
from flowtui.registry import values
from flowtui.registry.progress import Phase, Progress
from flowtui.registry.values import Labels, RemoteCopy
from flowtui.screens.upload.preflight import Preflight, UploadFacts, preflight_lines
from flowtui.screens.upload.progress import bar_line, steps_line
from flowtui.store.archive.packing import Contents
from flowtui.store.liveness.standing import Activity, Standing
from flowtui.store.store import Store
from flowtui.store.uploaded import LocalType, RemoteArtifact
from flowtui.store.values import Counts, Model, Run
from flowtui.widgets.cells import Line, width_of
from flowtui.widgets.frame.frame import Frame, UploadMark, run_line
from flowtui.widgets.frame.run_card import UploadedTo, upload_fields
from tests.conftest import NOW
from tests.unit.fake_registry import DESTINATION
from tests.unit.stores import one_run, opened

RUN = Run(1, "run-1", "resnet", "completed", NOW, 3.0, None, (), None, None, None, "not_uploaded")
MODEL = Model("m1", "small", NOW, ("t",), "run-1/models/small.luml", 5, None, "about it")
SENDING = UploadState(
    UploadOutcome.RUNNING, Progress(Phase.SENDING, 34_000, 100_000, 1_000.0), 1, 1, "resnet"
)


def said(line: Line) -> str:
    return "".join(piece.text for piece in line)


def facts(free_bytes: int = 10**9) -> UploadFacts:
    contents = Contents(RUN, 4_000, (), ("gone.txt",))
    return UploadFacts(
        contents, Standing(), Counts(), (MODEL,), {"m1": 5_000_000}, (), "/tmp", free_bytes
    )


def test_the_frame_tells_share_rate_and_time_left() -> None:
    assert mark(SENDING, "run-1").words == ("↑ 34 %", "1 kB/s", "1 m 6 s left")
    done = replace(SENDING, progress=Progress(Phase.SENDING, 100_000, 100_000, 1_000.0))
    assert mark(done, "run-1").words == ("↑ 100 %",)
    second = replace(SENDING, progress=Progress(Phase.PACKING, 1, 4), number=2, item_count=3)
    assert mark(second, "run-1").words == ("↑ 2/3 packing 25 %",)
    failed = mark(replace(SENDING, outcome=UploadOutcome.FAILED), "run-1")
    assert failed.is_failed


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_the_top_line_keeps_the_upload_and_the_name_at_any_width(width: int) -> None:
    upload = UploadMark("run-1", ("↑ 34 %", "12.3 MB/s", "40 s left"))
    frame = Frame(RUN, Counts(), "~/store", Standing(elapsed_s=3.0), upload=upload)
    line = run_line(frame, width)
    assert width_of(line) <= width
    assert "resnet" in said(line)
    assert "↑ 34 %" in said(line)
    assert ("40 s left" in said(line)) == (width >= 80)


def test_the_steps_before_the_present_one_are_ticked() -> None:
    assert "✓ create  ● send  · verify" in said(steps_line(SENDING, is_cancelling=False))
    assert "cancelling" in said(steps_line(SENDING, is_cancelling=True))
    assert "34 %  34 kB of 100 kB" in said(bar_line(SENDING, 76))
    assert width_of(bar_line(SENDING, 76)) <= 76
    assert "left" in said(bar_line(SENDING, 76))
    assert "left" not in said(bar_line(SENDING, 76, is_cancelling=True))


def test_without_room_nothing_is_started() -> None:
    known = Preflight(RUN, facts=facts(free_bytes=1_000), to=DESTINATION)
    assert "not enough room in /tmp" in known.why_not
    assert "needed" in said(preflight_lines(known)[1])
    assert Preflight(RUN, facts=facts(), to=DESTINATION).why_not == ""


def test_the_room_that_is_there_is_said_whole_or_not_at_all() -> None:
    known = Preflight(RUN, facts=facts(), to=DESTINATION)
    whole = said(preflight_lines(known)[1])
    assert whole.endswith("1 GB free in /tmp")
    assert said(preflight_lines(known, len(whole))[1]) == whole
    assert said(preflight_lines(known, len(whole) - 1)[1]) == "Size        4 kB database"
    lacking = replace(known, facts=facts(free_bytes=1_000))
    assert "Size        ▲ 74.3 kB needed, 1 kB free" in said(preflight_lines(lacking, 40)[1])


def test_a_model_takes_room_only_where_the_run_goes_into_it() -> None:
    alone = Preflight(RUN, Parcel((MODEL,)), facts(), to=DESTINATION)
    embedded = Preflight(RUN, Parcel((MODEL,), embeds=True), facts(), to=DESTINATION)
    assert embedded.packed_bytes - alone.packed_bytes == 5_000_000


def test_what_speaks_against_it_is_said() -> None:
    active = RUN._replace(status="active", upload_status="uploaded")
    goes_on = replace(facts(), standing=Standing(Activity.QUIET))
    known = Preflight(active, facts=goes_on, to=DESTINATION, copies=())
    text = "\n".join(map(said, preflight_lines(known)))
    assert "▲ uploaded before, to this or another collection" in text
    assert "▲ still active" in text
    stopped = replace(facts(), standing=Standing(Activity.STOPPED))
    text = "\n".join(map(said, preflight_lines(replace(known, facts=stopped))))
    assert "still active" not in text
    assert "▲ 1 attachment missing" in text
    noted = replace(facts(), earlier=(RemoteArtifact("experiment", "run-1", "orb-9", "a", NOW),))
    text = "\n".join(map(said, preflight_lines(replace(known, facts=noted))))
    assert "to another orbit" in text
    copies = (RemoteCopy("a", "resnet", "uploaded", "2026-06-01"),)
    text = "\n".join(map(said, preflight_lines(replace(known, copies=copies))))
    assert "this collection has 1 copy of it (2026-06-01)" in text
    copies = (RemoteCopy("a", "resnet", "uploaded", "2026-06-11T08:15:00Z"),)
    text = "\n".join(map(said, preflight_lines(replace(known, copies=copies))))
    assert "this collection has 1 copy of it (2026-06-11 08:15)" in text


def test_what_a_member_cannot_send_is_told_before_it_is_packed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(values, "LARGE_FILE_BYTES", 4_000_000)
    member = replace(DESTINATION, organization=replace(DESTINATION.organization, role="member"))
    known = Preflight(RUN, Parcel((MODEL,)), facts(), to=member, copies=())
    assert "organization admin" in known.why_not
    assert "▲ 4 kB database + 5 MB models: files over 500 MB" in said(preflight_lines(known)[1])
    assert replace(known, parcel=Parcel()).why_not == ""
    assert replace(known, to=DESTINATION).why_not == ""


def test_a_check_for_copies_that_failed_is_no_answer() -> None:
    known = Preflight(RUN, facts=facts(), to=DESTINATION)
    assert known.is_checking
    assert not replace(known, copies=()).is_checking
    assert replace(known, copies=()).doubt == ""
    failed = replace(known, why_no_copies="405")
    text = "\n".join(map(said, preflight_lines(failed)))
    assert "Before      ▲ earlier copies could not be checked: 405" in text
    assert "could not be checked" in failed.doubt
    assert not failed.is_checking


def test_a_plan_sends_the_run_first_or_inside_of_the_model(tmp_path: Path) -> None:
    one_run(tmp_path)
    with opened(tmp_path) as store:
        assert kinds(store, Parcel()) == ["experiment"]
        assert kinds(store, Parcel((MODEL,))) == ["experiment", "model"]
        inside = plan(store, RUN, DESTINATION, Labels("x"), Parcel((MODEL,), embeds=True))
        assert [(item.kind, item.labels.name) for item in inside.items] == [(LocalType.MODEL, "x")]
        assert inside.noted_as == ((LocalType.EXPERIMENT, "run-1"),)
    assert Parcel((MODEL,)).kinds == ("experiment", "model")
    assert Parcel((MODEL,), embeds=True).kinds == ("model",)


def kinds(store: Store, parcel: Parcel) -> list[str]:
    return [str(item.kind) for item in plan(store, RUN, DESTINATION, Labels("x"), parcel).items]


def test_the_card_says_where_a_run_went() -> None:
    went = UploadedTo("Lab / Vision / Baselines", "art-1", NOW)
    text = "\n".join(
        said(line) for field in upload_fields(RUN, None, (went,), 40) for line in field.lines
    )
    assert text.split("\n")[1:] == [
        "✓ uploaded", "Lab / Vision / Baselines", "art-1", "15 Jun 2026 09:30 UTC",
        "U  Upload to LUML", "e  Edit   D  Delete",
    ]  # fmt: skip


def test_the_card_of_a_run_that_is_only_read_says_why() -> None:
    def lines(run: Run) -> list[str]:
        why = "this is a copy: annotate the run itself"
        fields = upload_fields(run, None, (), 24, why)
        return [said(line) for field in fields for line in field.lines]

    assert lines(RUN)[1:] == ["this is a copy: annotate", "the run itself"]
    uploaded = RUN._replace(upload_status="uploaded")
    assert lines(uploaded)[1:] == ["✓ uploaded", "this is a copy: annotate", "the run itself"]


def test_the_card_says_that_an_upload_is_under_way_or_failed() -> None:
    under_way = upload_fields(RUN, UploadMark("run-1", ("↑",)), (), 40)
    assert said(under_way[1].lines[0]) == "● uploading"
    failed = upload_fields(RUN, UploadMark("run-1", ("✗",), is_failed=True), (), 40)
    assert said(failed[1].lines[0]) == "✗ failed"
    assert said(failed[-2].lines[0]) == "U  Show the upload"
