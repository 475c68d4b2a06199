"""Images and drawings: their shape is kept, and hostile ones end in a sentence."""

from __future__ import annotations

import base64
import struct
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image

from flowtui.previews.errors import MissingExtra, PreviewCancelled, PreviewFailed
from flowtui.previews.parsers import images
from flowtui.previews.preview import preview
from flowtui.previews.values import Mode, Picture, PreviewKind, Request, TextPage, never
from tests.unit.previewed import as_text, cpu_at_most, cpu_s, outcome_within_budget, shown

RED, BLUE = (255, 0, 0), (0, 0, 255)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {}</svg>'


def picture(path: Path, request: Request | None = None) -> Picture:
    found = shown(path, request).shown
    assert isinstance(found, Picture)
    assert len(found.rgb) == found.width_px * found.height_px * 3
    return found


def pixel(found: Picture, x: int, y: int) -> tuple[int, ...]:
    start = (y * found.width_px + x) * 3
    return tuple(found.rgb[start : start + 3])


def is_near(colour: tuple[int, ...], expected: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 30 for a, b in zip(colour, expected, strict=True))


def halves(width: int, height: int) -> Image.Image:
    """An image whose left half is red and whose right half is blue."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def plain_png(width: int, height: int, colour_type: int = 2) -> bytes:
    """A PNG of zeros, written without ever holding its pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    row = bytes(1 + width * (3 if colour_type == 2 else 1))
    packer = zlib.compressobj(1)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_every_kind_of_image_is_scaled_with_its_aspect_kept(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "plot.img"
    halves(400, 100).save(path, kind)
    found = picture(path)
    assert (found.width_px, found.height_px) == (40, 10)
    assert (found.source_width, found.source_height) == (400, 100)
    assert is_near(pixel(found, 5, 5), RED)
    assert is_near(pixel(found, 35, 5), BLUE)
    assert shown(path).kind is PreviewKind(kind.lower())


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "I;16", "CMYK", "L"])
def test_every_mode_of_pixels_is_shown(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.img"
    Image.new(mode, (500, 500)).save(path, "JPEG" if mode == "CMYK" else "PNG")
    assert (picture(path).width_px, picture(path).height_px) == (40, 40)


def test_transparent_pixels_show_the_background(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(path)
    found = picture(path, Request(background=(1, 2, 3)))
    assert pixel(found, 4, 4) == (1, 2, 3)
    assert (found.width_px, found.height_px) == (8, 8), "small images are not enlarged"


def test_only_the_first_frame_is_shown_and_all_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, BLUE, (0, 255, 0))]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    found = picture(path)
    assert pixel(found, 9, 9) == RED
    assert (found.part.unit, found.part.count, found.part.total) == ("frame", 1, 3)


def test_a_photo_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    halves(200, 100).save(path, exif=exif)
    found = picture(path)
    assert (found.source_width, found.source_height) == (100, 200)
    assert found.height_px == 2 * found.width_px
    assert is_near(pixel(found, 5, 2), RED)


def test_a_picture_is_never_empty() -> None:
    assert images.fitted(100_000, 1, 40, 40) == (40, 1)


def test_a_picture_takes_little_longer_than_its_decoding(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.effect_noise((1000, 750), 50).convert("RGB").resize((4000, 3000)).save(
        path, compress_level=1
    )
    before = cpu_s()
    with Image.open(path) as image:
        image.load()
    with cpu_at_most(0.1 + 1.5 * (cpu_s() - before)):
        picture(path)


@pytest.mark.parametrize(
    ("width", "height", "colour_type"), [(10_001, 10_000, 2), (12_000, 9_000, 0), (7_000, 6_000, 2)]
)
def test_images_that_decode_to_too_much_are_refused(
    tmp_path: Path, width: int, height: int, colour_type: int
) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(plain_png(width, height, colour_type))
    outcome = outcome_within_budget(path)
    assert outcome.startswith(f"The image has {width:,} × {height:,} pixels, too many to show")


def test_a_large_photo_is_decoded_at_a_fraction_of_its_size(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("L", (11_000, 10_000), 90).save(path)
    assert outcome_within_budget(path) == "Picture"


@pytest.mark.parametrize("head", [b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff\xe0"])
def test_a_broken_image_is_said_to_be_broken(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(head + b"\x07" * 2_000)
    with pytest.raises(PreviewFailed, match="The image"):
        picture(path)


def test_an_image_that_is_cut_off_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(plain_png(500, 500)[:-40])
    with pytest.raises(PreviewFailed, match="The image cannot be decoded"):
        picture(path)


def drawn(folder: Path, rest: str, head: str = "") -> Path:
    path = folder / "a.svg"
    path.write_text(head + SVG.format(rest))
    return path


def test_a_drawing_fills_the_pane_and_can_be_read_as_text(tmp_path: Path) -> None:
    path = drawn(tmp_path, 'viewBox="0 0 20 10"><rect width="10" height="10" fill="red"/>')
    found = picture(path)
    assert (found.width_px, found.height_px, found.note) == (40, 20, "")
    assert pixel(found, 5, 10) == RED
    assert pixel(found, 35, 10) == (0, 0, 0)
    page = as_text(path).shown
    assert isinstance(page, TextPage)
    assert page.language == "xml"


def test_a_drawing_shows_nothing_from_outside_of_it(tmp_path: Path) -> None:
    Image.new("RGB", (10, 10), RED).save(tmp_path / "secret.png")
    inside = base64.b64encode((tmp_path / "secret.png").read_bytes()).decode()
    path = drawn(
        tmp_path,
        'width="20" height="10">'
        f'<image width="10" height="10" href="{tmp_path}/secret.png"/>'
        f'<image width="10" height="10" xlink:href="file://{tmp_path}/secret.png"/>'
        '<image width="10" height="10" href="&outside;"/>'
        f'<image x="10" width="10" height="10" href="data:image/png;base64,{inside}"/>',
        f'<!DOCTYPE svg [<!ENTITY outside "{tmp_path}/secret.png">]>',
    )
    found = picture(path)
    assert pixel(found, 5, 10) == (0, 0, 0)
    assert pixel(found, 30, 10) == RED
    assert found.note == "3 references to elsewhere were not followed"


NESTED = ">" + "<g>" * 20_000 + "</g>" * 20_000
LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    ("rest", "head", "why"),
    [
        (NESTED, "", "nested deeper than 200 levels"),
        ('width="9" height="9"><image width="9" height="9" href="data:image/svg+xml;base64,'
         + base64.b64encode(SVG.format(NESTED).encode()).decode() + '"/>', "", "gave up"),
        (">&a9;", f'<!DOCTYPE svg [<!ENTITY a0 "haha">{LAUGHS}]>', "The drawing"),
        ("><g>", "", "The drawing is broken"),
    ],
    ids=["nested", "nested inside", "laughs", "broken"],
)  # fmt: skip
def test_hostile_drawings_end_in_a_sentence(tmp_path: Path, rest: str, head: str, why: str) -> None:
    assert why in outcome_within_budget(drawn(tmp_path, rest, head))


def test_a_drawing_that_takes_too_long_is_given_up_when_its_reader_leaves(tmp_path: Path) -> None:
    blurred = '<rect filter="url(#f)" width="999" height="999"/>' * 50_000
    path = drawn(
        tmp_path,
        'width="999" height="999"><filter id="f"><feGaussianBlur stdDeviation="99"/></filter>'
        + blurred,
    )
    started = time.perf_counter()
    with pytest.raises(PreviewCancelled):
        preview(path, path.name, Request(), lambda: time.perf_counter() - started > 0.3)
    # Drawn to its end, it would take minutes.
    assert time.perf_counter() - started < 5


def test_a_missing_extra_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken"
    for library in ("PIL", "resvg_py"):
        (broken / library).mkdir(parents=True)
        (broken / library / "__init__.py").write_text("raise ImportError('not here')")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    path = drawn(tmp_path, ">")
    with pytest.raises(MissingExtra, match=r"install .*\[images\]'$") as raised:
        preview(path, path.name, Request(), never)
    assert raised.value.meanwhile is Mode.TEXT
