"""A picture of curves: what is drawn, what is said, and that nothing in it comes from outside."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from flowtui.store.metrics import series as metric_series
from flowtui.store.metrics.values import Series
from flowtui.widgets.charts.curve import Look
from flowtui.widgets.charts.svg import PLOT_HEIGHT, TOP, WIDTH, chart_svg
from tests.unit.stores import NOW, one_run, opened

SVG = "{http://www.w3.org/2000/svg}"
Points = Mapping[float, float]


def series_of(
    folder: Path, points: Mapping[str, Points], window: tuple[int, int] | None = None
) -> list[Series]:
    """Return the series of metrics in the order given, read from a store."""
    one_run(folder, points=points)
    with opened(folder) as store:
        found = [
            store.run("run-1").metrics.ask(key, metric_series.series, key, window, 200)
            for key in points
        ]
    return [series for series in found if series is not None]


class Picture:
    """What is in an SVG."""

    def __init__(self, svg: str) -> None:
        self.root = ElementTree.fromstring(svg)

    def all(self, tag: str) -> list[ElementTree.Element]:
        return list(self.root.iter(f"{SVG}{tag}"))

    @property
    def lines(self) -> list[list[tuple[float, float]]]:
        """The points of each polyline, in pixels."""
        pairs = [line.attrib["points"].split() for line in self.all("polyline")]
        return [[(float(p.split(",")[0]), float(p.split(",")[1])) for p in line] for line in pairs]

    @property
    def colours(self) -> list[str]:
        return [group.attrib["stroke"] for group in self.all("g")]

    @property
    def marks(self) -> list[str]:
        """The shapes of the marks, those of the legend too."""
        return [path.attrib["d"] for path in self.all("path") if path.get("class") == "mark"]

    @property
    def text(self) -> str:
        return "\n".join("".join(one.itertext()) for one in self.all("text"))


def picture(
    folder: Path, points: Mapping[str, Points], title: str = "a run", *, is_log: bool = False
) -> Picture:
    return Picture(chart_svg(series_of(folder, points), title, Look(is_log=is_log)))


def test_a_curve_is_one_line_between_its_axes(tmp_path: Path) -> None:
    shown = picture(tmp_path, {"loss": {step: step / 10 for step in range(101)}})
    (line,) = shown.lines
    assert len(line) == 101
    assert line == sorted(line, key=lambda point: (point[0], -point[1]))
    assert {"0", "2", "4", "6", "8", "10", "20", "40", "60", "80", "100"} <= set(
        shown.text.split("\n")
    )
    assert "steps 0 to 100" in shown.text
    assert "101 points · min 0 · max 10" in shown.text


def test_a_nan_and_an_infinity_break_the_line_and_are_marked(tmp_path: Path) -> None:
    odd = {3: math.nan, 6: math.inf, 8: -math.inf}
    shown = picture(tmp_path, {"loss": {step: odd.get(step, 1.0) for step in range(12)}})
    assert [len(line) for line in shown.lines] == [3, 2, 3]
    assert len(shown.all("circle")) == 1, "a point between two gaps is seen"
    titles = [title.text for title in shown.all("title")][1:]
    assert titles == [
        "loss: 1 NaN at step 3", "loss: 1 Inf at step 6", "loss: 1 -Inf at step 8",
    ]  # fmt: skip
    assert "▲ 1 NaN · 1 Inf · 1 -Inf" in shown.text
    assert "▲ on the axis: the value there is NaN or infinite" in shown.text


def test_curves_differ_in_colour_and_in_mark(tmp_path: Path) -> None:
    points = {f"m{index}": {0: 1.0, 9: float(index)} for index in range(5)}
    shown = picture(tmp_path, points)
    assert len(set(shown.colours)) == 5
    assert len(set(shown.marks)) == 5
    assert all(key in shown.text for key in points)


def test_the_same_colour_and_mark_come_together_only_after_many_curves(tmp_path: Path) -> None:
    shown = picture(tmp_path, {f"m{index:02}": {0: float(index)} for index in range(20)})
    in_legend = shown.marks[-20:]
    assert len(set(zip(shown.colours, in_legend, strict=True))) == 20


def test_one_curve_needs_no_marks(tmp_path: Path) -> None:
    assert picture(tmp_path, {"loss": {0: 1.0, 1: 2.0}}).marks == []


def test_the_legend_lies_outside_of_the_data(tmp_path: Path) -> None:
    shown = picture(tmp_path, {f"m{index}": {0: 1.0, 9: 5.0} for index in range(30)})
    height = float(shown.root.attrib["height"])
    rows = [
        float(one.attrib["y"]) for one in shown.all("text") if "points" in "".join(one.itertext())
    ]
    assert len(rows) == 30
    assert TOP + PLOT_HEIGHT < min(rows) < max(rows) < height
    assert all(TOP <= y <= TOP + PLOT_HEIGHT for line in shown.lines for _, y in line)


def test_a_logarithmic_axis_counts_what_it_hides(tmp_path: Path) -> None:
    values = {0: -1.0, 1: 0.0, 2: 0.01, 3: 1.0, 4: 100.0}
    shown = picture(tmp_path, {"loss": values}, is_log=True)
    ((low, middle, high),) = shown.lines
    assert low[1] - middle[1] == pytest.approx(middle[1] - high[1], abs=0.2)
    assert "2 values not above 0 cannot be shown on a logarithmic axis" in shown.text
    assert {"0.01", "1", "100"} <= set(shown.text.split("\n"))


def test_what_is_hidden_is_not_said_exactly_where_points_are_left_out(tmp_path: Path) -> None:
    values = {step: -1.0 if step % 2 else 1.0 for step in range(5_000)}
    assert "at least " in picture(tmp_path, {"loss": values}, is_log=True).text


def test_a_logarithmic_axis_between_two_powers_has_ticks(tmp_path: Path) -> None:
    shown = picture(tmp_path, {"loss": {0: 2.1, 1: 2.4}}, is_log=True)
    assert {"2.10", "2.20", "2.30", "2.40"} <= set(shown.text.split("\n"))


@pytest.mark.parametrize("is_log", [False, True])
@pytest.mark.parametrize(
    "values",
    [
        {7: 3.0},
        dict.fromkeys(range(9), 5.0),
        dict.fromkeys(range(9), math.nan),
        {0: math.inf, 1: -math.inf},
        {0: 1e308, 1: 1.1e308},
        {0: -1.7e308, 1: 1.7e308},
        {0: 1.7976931348623157e308},
        {0: 0.0, 1: 5e-324},
        {0: 5e-324, 1: 2e-323},
        {-(2**63): 1.0, 2**63 - 1: 2.0},
        {2**63 - 1: 1.0},
    ],
    ids=str,
)
def test_every_number_has_a_place_inside(
    tmp_path: Path, values: dict[int, float], is_log: bool
) -> None:
    shown = picture(tmp_path, {"loss": values}, is_log=is_log)
    drawn = [point for line in shown.lines for point in line]
    drawn += [(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in shown.all("circle")]
    finite = [v for v in values.values() if math.isfinite(v) and (v > 0 or not is_log)]
    assert len(drawn) == len(finite)
    assert all(0 <= x <= WIDTH and TOP <= y <= TOP + PLOT_HEIGHT for x, y in drawn)


def test_a_curve_of_nan_alone_says_that_nothing_is_finite(tmp_path: Path) -> None:
    shown = picture(tmp_path, {"loss": {0: math.nan, 1: math.nan}})
    assert "2 points · none finite▲ 2 NaN" in shown.text


def test_no_series_is_an_empty_picture() -> None:
    shown = Picture(chart_svg([], "nothing"))
    assert shown.lines == []
    assert "no metric" in shown.text


def test_a_part_says_so(tmp_path: Path) -> None:
    points = {"loss": {step: float(step) for step in range(100)}}
    shown = Picture(chart_svg(series_of(tmp_path, points, (10, 19)), "a run"))
    assert "steps 10 to 19 · part of the run" in shown.text
    assert "10 points · min 10 · max 19" in shown.text


def test_names_are_text_and_nothing_else(tmp_path: Path) -> None:
    evil = "</text><script>alert(1)</script>&\"'\x1b[2J\x00\ufffe\u202e"
    svg = chart_svg(series_of(tmp_path, {evil: {0: 1.0}}), evil)
    shown = Picture(svg)
    assert shown.all("script") == []
    assert svg.replace("\n", "").isprintable()
    assert "<script>alert(1)</script>&\"'␛[2J" in shown.text


def test_long_names_are_cut_to_the_width(tmp_path: Path) -> None:
    shown = picture(tmp_path, {"k" * 500: {0: 1.0}}, "t" * 500)
    assert max(map(len, shown.text.split("\n"))) < 120
    assert shown.text.count("…") == 2


def test_nothing_comes_from_outside(tmp_path: Path) -> None:
    svg = chart_svg(series_of(tmp_path, {"loss": {0: 1.0, 1: 2.0}}), "a run")
    for word in ("href", "url(", "@import", "<style", "<script", "<image"):
        assert word not in svg
    assert svg.count("http") == 1, "the name of the format alone"
    assert Picture(svg).root.attrib["font-family"] == "sans-serif"


def labels_of(shown: Picture, anchor: str) -> list[str]:
    """Return the labels at the ticks of an axis; `end` is the vertical one."""
    found = [one for one in shown.all("text") if one.get("text-anchor") == anchor]
    return ["".join(one.itertext()) for one in found if "step" not in "".join(one.itertext())]


@pytest.mark.parametrize(
    ("values", "offset"),
    [
        ({0: 0.0, 9: 2e8}, None),
        ({0: 0.9999, 9: 0.99996}, None),
        ({0: 1e9, 9: 1e9 + 1e-3}, "value = 1.0e+09 + …"),
        ({2**62: 1.0, 2**62 + 9000: 2.0}, "step = 4.61"),
        ({0: 1.7e308, 9: -1.7e308}, None),
        ({0: 1e-300, 9: 3e-300}, None),
    ],
)
def test_labels_of_an_axis_differ_and_say_what_is_to_be_added(
    tmp_path: Path, values: Points, offset: str | None
) -> None:
    shown = picture(tmp_path, {"loss": values})
    for anchor in ("end", "middle"):
        labels = labels_of(shown, anchor)
        assert len(set(labels)) == len(labels) > 1
    assert offset is None or offset in shown.text


def test_lowest_and_highest_differ_in_the_legend(tmp_path: Path) -> None:
    shown = picture(tmp_path, {"accuracy": {0: 0.9999982, 1: 0.9999983}})
    assert "2 points · min 0.9999982 · max 0.9999983" in shown.text


def test_steps_that_are_times_are_shown_as_times_with_their_zone(tmp_path: Path) -> None:
    first = int(NOW.timestamp()) * 1000
    shown = picture(tmp_path, {"loss": {first + 60_000 * minute: 1.0 for minute in range(11)}})
    local = NOW.astimezone()
    assert f"{local:%H:%M}" in labels_of(shown, "middle")
    assert f"{local.day} {local:%b %Y %H:%M %Z} to " in shown.text
    assert "step as time" in shown.text


def test_an_axis_of_real_steps_has_ticks(tmp_path: Path) -> None:
    found = picture(tmp_path, {"loss": {index * 1e-9: 1.0 for index in range(9)}})
    assert len([text for text in found.text.splitlines() if "e-09" in text]) > 3
