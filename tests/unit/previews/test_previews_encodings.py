"""Which encoding a text has: what it says itself, what is likely, and what its reader chooses."""

from __future__ import annotations

import json
import random
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from flowtui.previews import guessing, isolated
from flowtui.previews.errors import PreviewCancelled
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.parsers import encoding
from flowtui.previews.preview import preview
from flowtui.previews.values import (
    Cancelled,
    HexPage,
    JsonRecords,
    JsonTree,
    Listing,
    Mode,
    Preview,
    Request,
    TablePage,
    TextPage,
    never,
)
from flowtui.screens.attachments.reading import FileSource
from flowtui.screens.attachments.whole import whole_text
from flowtui.store.values import JsonValue
from tests.unit.previewed import cpu_at_most, outcome_within_budget

CHINESE = "训练开始。模型在验证集上的表现良好,请检查数据目录是否存在。用户反馈:产品质量不错。"
TAIWANESE = "訓練開始。模型在驗證集上的表現良好,請檢查資料目錄是否存在。使用者回饋:產品品質不錯。"
JAPANESE = "学習を開始します。検証データでの精度が向上しました。フォルダを確認してください。"
KOREAN = "학습을 시작합니다. 검증 데이터에서 정확도가 향상되었습니다. 폴더를 확인하세요."
RUSSIAN = "Обучение началось. Точность растёт. Проверьте, есть ли каталог с данными."
POLISH = "Trening się rozpoczął, dokładność rośnie. Sprawdź, czy katalog już istnieje: źle."
FRENCH = "L'entraînement a commencé. L'exactitude s'améliore déjà à merveille, très bien."
GREEK = "Η εκπαίδευση ξεκίνησε. Η ακρίβεια βελτιώνεται. Ελέγξτε τον φάκελο δεδομένων."

LEGACY = [
    (CHINESE, "gbk", "GB18030"), (CHINESE, "gb18030", "GB18030"), (TAIWANESE, "big5", "Big5"),
    (JAPANESE, "shift_jis", "Shift-JIS"), (JAPANESE, "euc_jp", "EUC-JP"),
    (JAPANESE, "iso2022_jp", "ISO-2022-JP"), (KOREAN, "euc_kr", "EUC-KR"),
    (RUSSIAN, "cp1251", "Windows-1251"), (RUSSIAN, "koi8_r", "KOI8-R"),
    (RUSSIAN, "cp866", "CP866"), (POLISH, "cp1250", "Windows-1250"),
    (POLISH, "iso8859_2", "ISO-8859-2"), (FRENCH, "latin-1", "Windows-1252"),
    (GREEK, "cp1253", "Windows-1253"),
]  # fmt: skip
UNICODE = [
    (text, codec, name)
    for text in (CHINESE, RUSSIAN, FRENCH)
    for codec, name in (
        ("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16LE"), ("utf-16-le", "UTF-16LE"),
        ("utf-16-be", "UTF-16BE"), ("utf-32", "UTF-32LE"), ("utf-32-be", "UTF-32BE"),
    )
]  # fmt: skip


def read(path: Path, request: Request | None = None) -> Preview:
    return preview(path, path.name, request or Request(), never)


def text_of(path: Path, request: Request | None = None) -> list[str]:
    shown = read(path, request).shown
    assert isinstance(shown, TextPage)
    return [line.text for line in shown.lines]


@pytest.fixture
def guessed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the library asked in this process, as the child does: a new one each time takes longer
    than all that it is asked. The tests without it show that the child answers.
    """

    def ask(
        reader: isolated.Reader,
        path: Path,
        arguments: Mapping[str, JsonValue],
        cancelled: Cancelled,
    ) -> isolated.Reply:
        assert reader == "encoding"
        return isolated.Reply(*encoding.in_child(path, arguments))

    monkeypatch.setattr(isolated, "ask", ask)


def log(text: str) -> str:
    words = [text[at : at + 6] for at in range(0, len(text), 6)]
    return "".join(
        f"2026-11-29 10:00:{number % 60:02} INFO step={number} loss=0.25 {word}\n"
        for number, word in enumerate(words * 20)
    )


@pytest.mark.usefixtures("guessed_here")
@pytest.mark.parametrize(("text", "codec", "name"), LEGACY + UNICODE)
def test_text_and_logs_are_read_in_their_own_encoding(
    tmp_path: Path, text: str, codec: str, name: str
) -> None:
    for content in (f"{text}\n" * 3, log(text)):
        path = tmp_path / "run.log"
        path.write_bytes(content.encode(codec))
        assert text_of(path) == content.splitlines()
        known = read(path).encoding
        assert known is not None
        assert known.name == name


@pytest.mark.usefixtures("guessed_here")
@pytest.mark.parametrize("ascii_lines", [0, 1, 10, 100])
@pytest.mark.parametrize(("text", "codec", "name"), LEGACY)
def test_much_ascii_does_not_change_the_guess(
    tmp_path: Path, ascii_lines: int, text: str, codec: str, name: str
) -> None:
    plain = "".join(
        f"2026-11-29 10:00:00 INFO trainer step={step} loss=0.25 lr=1e-4 grad_norm=1.3\n"
        for step in range(ascii_lines)
    )
    words = '"key": 0.25, ' * ascii_lines
    found = {}
    for kind, content in {
        "before a line": f"{plain}{text}\n",
        "around short lines": "".join(f"{plain}{text[at : at + 30]}\n" for at in (0, 30, 0, 30)),
        "within a line": f"{{{words}{text}{words}}}\n",
    }.items():
        path = tmp_path / "run.log"
        path.write_bytes(content.encode(codec))
        known = read(path).encoding
        assert known is not None
        found[kind] = known.name, text_of(path) == content.splitlines()
    assert set(found.values()) == {(name, True)}, found


@pytest.mark.usefixtures("guessed_here")
@pytest.mark.parametrize(("text", "codec", "name"), [*LEGACY, (CHINESE, "utf-16", "UTF-16LE")])
def test_tables_json_markdown_source_and_the_pager_are_too(
    tmp_path: Path, text: str, codec: str, name: str
) -> None:
    def written(file_name: str, content: str) -> Path:
        path = tmp_path / file_name
        path.write_bytes(content.encode(codec))
        return path

    cells = text.replace(",", " ")
    table = read(written("t.csv", f"id,{cells[:9]}\n" + f"1,{cells}\n" * 20)).shown
    assert isinstance(table, TablePage)
    assert (table.columns[1].name, table.rows[19]) == (cells[:9], ("1", cells))
    assert table.encoding == name
    value = {"text": text, "list": [text] * 20}
    tree = read(written("v.json", json.dumps(value, ensure_ascii=False))).shown
    assert isinstance(tree, JsonTree)
    assert tree.value == value
    line = json.dumps(value, ensure_ascii=False)
    records = read(written("v.jsonl", f"{line}\n{line}\n")).shown
    assert isinstance(records, JsonRecords)
    assert [record.value for record in records.records] == [value, value]
    for file_name in ("notes.md", "train.py"):
        assert text_of(written(file_name, f"# {text}\nx = 1\n" * 20))[38] == f"# {text}"
    paged = written("p.txt", f"{text}\n" * 20)
    source = FileSource("p", "p.txt", lambda: paged)
    assert whole_text(source, Request(mode=Mode.TEXT)) == f"{text}\n" * 20


@pytest.mark.usefixtures("guessed_here")
@pytest.mark.parametrize("codec", ["gb18030", "big5", "shift_jis", "euc_kr", "utf-16-le", "utf-8"])
@pytest.mark.parametrize("before", range(4))
def test_no_character_is_broken_where_a_sample_or_a_page_is_cut(
    tmp_path: Path, codec: str, before: int
) -> None:
    text = {"big5": TAIWANESE, "shift_jis": JAPANESE, "euc_kr": KOREAN}.get(codec, CHINESE)
    whole = "x" * before + text * 5_000
    path = tmp_path / "one-line.txt"
    path.write_bytes(whole.encode(codec))
    pieces: list[str] = []
    position: int | None = 0
    with cpu_at_most(3.0):
        while position is not None:
            page = read(path, Request(position=position)).shown
            assert isinstance(page, TextPage)
            pieces += [line.text for line in page.lines]
            position = page.part.next_position
    assert all(piece in whole for piece in pieces)
    assert len(pieces) > 2


def test_a_text_whose_first_megabytes_are_ascii_is_judged_by_what_follows(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"plain ascii line\n" * 60_000 + log(CHINESE).encode("gbk"))
    with cpu_at_most(0.5):
        known = read(path).encoding
    assert known is not None
    assert (known.name, known.origin) == ("GB18030", "guessed")
    last = text_of(path, Request(is_last=True, count=3))
    assert last == log(CHINESE).splitlines()[-3:]


def test_a_guess_says_that_it_is_one_and_another_can_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    # One word is too little to go by.
    path.write_bytes("имя: ёлка\n".encode("koi8_r"))
    guessed = read(path).encoding
    assert guessed is not None
    assert guessed.origin == "guessed"
    assert ("KOI8-R", "имя: ёлка") in guessed.choices
    chosen = read(path, Request(encoding="KOI8-R"))
    assert chosen.encoding is not None
    assert (chosen.encoding.name, chosen.encoding.origin) == ("KOI8-R", "chosen")
    assert text_of(path, Request(encoding="KOI8-R")) == ["имя: ёлка"]


@pytest.mark.parametrize(
    "text",
    [
        "line 1 é\n" * 900, "Zoé Zoë naïve\n", "25 °C ±0.5, 3 µs\n", "José, Müller, “so”\n",
        "tok/s — 12\n" * 9, "Größe über Ähnlichkeit\n" * 3,
    ],
)  # fmt: skip
def test_few_letters_with_accents_are_not_taken_for_another_script(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode("cp1252"))
    assert text_of(path) == text.splitlines()


@pytest.mark.parametrize("content", ["only ascii\n", "\ufeffmarked: é\n"])
def test_nothing_is_offered_where_there_is_nothing_to_choose(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content.encode("utf-8"))
    known = read(path).encoding
    assert known is not None
    assert (known.name, known.origin, known.choices) == ("UTF-8", "known", ())


@pytest.mark.parametrize(
    "data",
    [
        f"{CHINESE}\n".encode() * 20 + b"\xff\xfe\n",
        # A rotated log begins within a character.
        f"{CHINESE}\n".encode()[1:] * 20,
    ],
)
def test_some_broken_bytes_do_not_make_utf8_something_else(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(data)
    known = read(path).encoding
    assert known is not None
    assert known.name == "UTF-8"
    assert text_of(path)[5].endswith(CHINESE[1:])


@pytest.mark.parametrize(
    ("codec", "name"), [("gbk", "GB18030"), ("utf-8", "UTF-8"), ("big5", "Big5")]
)
def test_names_in_a_zip_file_are_read_in_the_encoding_that_they_have(
    tmp_path: Path, codec: str, name: str
) -> None:
    class Unmarked(zipfile.ZipInfo):
        """As Windows and macOS write it: in their own encoding, without saying so."""

        def _encodeFilenameFlags(self) -> tuple[bytes, int]:
            return self.filename.encode(codec), self.flag_bits

    text = TAIWANESE if codec == "big5" else CHINESE
    names = [f"{text[:5]}.txt", f"{text[6:12]}/{text[12:18]}.bin", "plain.csv"]
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for one in names:
            archive.writestr(Unmarked(one), b"x")
    found = read(path)
    assert isinstance(found.shown, Listing)
    assert [member.name for member in found.shown.members] == names
    assert found.encoding is not None
    assert found.encoding.name == name


def test_an_escape_of_terminals_is_not_taken_for_one_of_japanese(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    # What `tput sgr0` writes.
    path.write_bytes(b"\x1b[31mfailed\x1b(B\x1b[m, again\n" * 9)
    known = read(path).encoding
    assert known is not None
    assert (known.name, known.origin) == ("UTF-8", "known")
    assert text_of(path)[8] == "failed, again"


def _numbers(code: str, count: int, low: int, high: int) -> bytes:
    return struct.pack(f"<{count}{code}", *(random.Random(1).choices(range(low, high), k=count)))


@pytest.mark.parametrize(
    "data",
    [
        _numbers("H", 20_000, 0, 50_257), _numbers("H", 20_000, 0, 200),
        _numbers("I", 10_000, 0, 1_000), _numbers("B", 40_000, 0, 256),
        _numbers("B", 40_000, 100, 200), _numbers("H", 20_000, 0x4E00, 0x9FFF),
    ],
    ids=["tokens", "small tokens", "integers", "bytes", "bright pixels", "large numbers"],
)  # fmt: skip
def test_numbers_are_not_taken_for_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    def asked(*_: object) -> object:
        raise AssertionError("a process was started for bytes that are no text")

    if b"\0" in data:
        monkeypatch.setattr(guessing.isolated, "ask", asked)
    path = tmp_path / "train.bin"
    path.write_bytes(data)
    found = read(path)
    assert found.kind is PreviewKind.BINARY
    assert isinstance(found.shown, HexPage)


def test_a_guess_is_made_once_in_a_process_that_one_can_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(f"{RUSSIAN} once\n".encode("cp1251") * 9)
    with pytest.raises(PreviewCancelled):
        preview(path, path.name, Request(), lambda: True)
    assert text_of(path)[0] == f"{RUSSIAN} once"

    def asked_again(*_: object) -> object:
        raise AssertionError("the library was asked again")

    monkeypatch.setattr(guessing.isolated, "ask", asked_again)
    assert text_of(path)[8] == f"{RUSSIAN} once"


def test_a_guess_keeps_to_the_budget(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(log(JAPANESE).encode("shift_jis") * 9_000)
    assert path.stat().st_size > 60_000_000
    assert outcome_within_budget(path) == "TextPage"
    with cpu_at_most(0.5):
        text_of(path)


@pytest.mark.parametrize("codec", ["utf-16", "iso2022_jp"])
def test_a_table_that_is_written_anew_is_not_counted_where_it_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: str
) -> None:
    monkeypatch.setattr("flowtui.previews.unpacking.MAX_RECODED_BYTES", 100_000)
    path = tmp_path / "a.csv"
    path.write_bytes(("id,text\n" + f"1,{JAPANESE}\n" * 9_000).encode(codec))
    shown = read(path, Request(count=5_000)).shown
    assert isinstance(shown, TablePage)
    assert shown.part.total is None
    assert 100 < shown.part.count < 5_000


def test_a_bar_within_a_character_parts_no_cells(tmp_path: Path) -> None:
    # The second byte of ソ in Shift-JIS is a backslash, that of ポ a bar.
    path = tmp_path / "a.csv"
    row = 'ポソ|"a|b"|表ポ"\n'
    path.write_bytes(("名|二|三\n" + row * 2_000).encode("shift_jis"))
    shown = read(path).shown
    assert isinstance(shown, TablePage)
    assert shown.rows[0] == ("ポソ", "a|b", '表ポ"')
    from flowtui.previews.tables import CsvFile

    assert CsvFile(path, encoding="Shift-JIS").grow_index(never) == 2_000
