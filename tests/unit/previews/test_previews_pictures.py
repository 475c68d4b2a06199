"""Images and drawings: their shape is kept, and hostile ones end in a sentence."""

from __future__ import annotations

import base64
import random
import struct
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from flowtui.previews.errors import MissingExtra, PreviewCancelled, PreviewFailed
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.preview import preview
from flowtui.previews.values import Mode, Picture, Request, TextPage, never
from flowtui.previews.zooming import View, window
from tests.unit.previewed import as_text, cpu_at_most, cpu_s, outcome_within_budget, shown

pytestmark = pytest.mark.slow

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


def noise() -> Image.Image:
    """An image that is hard to pack, always the same one."""
    return Image.frombytes("L", (400, 400), random.Random(1).randbytes(160_000))


def png_chunk(name: bytes, data: bytes) -> bytes:
    checked = name + data
    return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))


def plain_png(width: int, height: int, colour_type: int = 2) -> bytes:
    """A PNG of zeros, written without ever holding its pixels."""
    row = bytes(1 + width * (3 if colour_type == 2 else 1))
    packer = zlib.compressobj(1)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", data)
        + png_chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_every_kind_of_image_is_scaled_with_its_aspect_kept(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "plot.img"
    halves(400, 100).save(path, kind)
    found = picture(path)
    assert (found.width_px, found.height_px) == (40, 10)
    assert (found.source_width, found.source_height) == (400, 100)
    assert is_near(pixel(found, 5, 5), RED)
    assert is_near(pixel(found, 35, 5), BLUE)
    assert shown(path).kind is PreviewKind[kind]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "I;16", "CMYK", "L"])
def test_every_mode_of_pixels_is_shown(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.img"
    Image.new(mode, (500, 500)).save(path, "JPEG" if mode == "CMYK" else "PNG")
    assert (picture(path).width_px, picture(path).height_px) == (40, 40)


def numbers(path: Path, mode: str, code: str, values: list[float]) -> Path:
    """A picture of 40 x 10 pixels, of which columns have these values."""
    count = 40 // len(values)
    row = [value for value in values for _ in range(count)]
    Image.frombytes(mode, (40, 10), struct.pack(f"<{40 * 10}{code}", *(row * 10))).save(path)
    return path


@pytest.mark.parametrize(
    ("suffix", "mode", "code"),
    [("png", "I;16", "H"), ("tiff", "I;16", "H"), ("tiff", "I", "i"), ("tiff", "F", "f")],
)
def test_numbers_beyond_a_byte_are_scaled_to_their_range(
    tmp_path: Path, suffix: str, mode: str, code: str
) -> None:
    values = [812, 1_000, 2_000, 3_904]
    found = picture(numbers(tmp_path / f"a.{suffix}", mode, code, values))
    for column, value in enumerate(values):
        level = (value - 812) * 255 // (3_904 - 812)
        assert is_near(pixel(found, column * 10 + 5, 5), (level, level, level))
        assert pixel(found, column * 10 + 5, 5)[0] == pytest.approx(level, abs=1)
    assert found.note == "812 is black, 3,904 white"


def test_numbers_that_are_all_the_same_or_not_finite_are_shown_too(tmp_path: Path) -> None:
    found = picture(numbers(tmp_path / "a.png", "I;16", "H", [7]))
    assert found.note == "7 is black, 7 white"
    nan, infinite = float("nan"), float("inf")
    found = picture(numbers(tmp_path / "a.tiff", "F", "f", [nan, -0.5, infinite, 0.5]))
    assert found.note == "about -0.5 is black, about 0.5 white"
    assert pixel(found, 15, 5) == (0, 0, 0)
    assert pixel(found, 35, 5) == (255, 255, 255)


def sixteen_bit_png(path: Path, *row: tuple[int, ...]) -> Path:
    """A PNG of ten rows of RGB, or RGBA, of 16 bits."""
    colour_type = 2 if len(row[0]) == 3 else 6
    packed = b"\0" + b"".join(struct.pack(f">{len(pixel)}H", *pixel) for pixel in row)
    header = struct.pack(">IIBBBBB", len(row), 10, 16, colour_type, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(packed * 10)) + png_chunk(b"IEND", b"")
    )  # fmt: skip
    return path


def test_colours_of_sixteen_bits_stay_colours(tmp_path: Path) -> None:
    found = picture(sixteen_bit_png(tmp_path / "a.png", *[(65_535, 0x8000, 0)] * 40))
    assert is_near(pixel(found, 20, 5), (255, 128, 0))
    assert found.note == "16 bits a channel"


@pytest.mark.parametrize("most", [200, 1_023, 4_095, 16_383])
@pytest.mark.parametrize("opacity", [(), (65_535,)])
def test_dark_colours_of_sixteen_bits_are_scaled(
    tmp_path: Path, most: int, opacity: tuple[int, ...]
) -> None:
    row = [(most * at // 39, most - most * at // 39, 0) for at in range(40)]
    path = sixteen_bit_png(tmp_path / "a.png", *((*colour, *opacity) for colour in row))
    found = picture(path)
    white = most // 256 * 256 + 255
    assert found.note == f"16 bits a channel, 0 is black, {white:,} white"
    for at, colour in enumerate(row):
        expected = [value * 255 / white for value in colour]
        assert list(pixel(found, at, 5)) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("order", "<>")
def test_a_tiff_of_dark_colours_of_sixteen_bits_is_scaled(tmp_path: Path, order: str) -> None:
    row = [(4_095 * at // 39, 0, 4_095) for at in range(40)]
    data = b"".join(struct.pack(f"{order}3H", *colour) for colour in row) * 10
    tags = [(256, 3, 1, 40), (257, 3, 1, 10), (258, 3, 3, 122), (259, 3, 1, 1), (262, 3, 1, 2),
            (273, 4, 1, 128), (277, 3, 1, 3), (278, 3, 1, 10), (279, 4, 1, len(data))]  # fmt: skip
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}IH", 8, len(tags))
    for tag, kind, count, value in tags:
        is_short = kind == 3 and count == 1
        head += struct.pack(f"{order}HHI" + ("H2x" if is_short else "I"), tag, kind, count, value)
    head = (head + bytes(4)).ljust(122, b"\0") + struct.pack(f"{order}3H", 16, 16, 16)
    path = tmp_path / "a.tiff"
    path.write_bytes(head + data)
    found = picture(path)
    assert found.note == "16 bits a channel, 0 is black, 4,095 white"
    assert list(pixel(found, 20, 5)) == pytest.approx([20 * 255 // 39, 0, 255], abs=1)


def test_a_photo_for_print_keeps_its_colours(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    # As Adobe writes them, and Pillow too: inverted.
    halves(200, 100).convert("CMYK").save(path)
    assert b"Adobe" in path.read_bytes()
    found = picture(path)
    assert is_near(pixel(found, 5, 5), RED)
    assert is_near(pixel(found, 35, 5), BLUE)


DARK, LIGHT = (18, 20, 26), (250, 250, 250)


@pytest.mark.parametrize(
    ("ink", "pane", "ground", "note"),
    [
        ((0, 0, 0), DARK, (255, 255, 255), "on white"),
        ((255, 255, 255), LIGHT, (0, 0, 0), "on black"),
        ((0, 0, 0), LIGHT, LIGHT, ""),
        ((240, 240, 240), DARK, DARK, ""),
        ((40, 160, 220), DARK, DARK, ""),
    ],
)
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
def test_the_ground_of_a_transparent_picture_is_one_on_which_its_ink_is_seen(
    tmp_path: Path, mode: str,
    ink: tuple[int, int, int], pane: tuple[int, int, int], ground: tuple[int, int, int], note: str,
) -> None:  # fmt: skip
    image = Image.new("RGBA", (40, 40), (*ink, 0))
    image.paste((*ink, 255), (10, 10, 30, 30))
    path = tmp_path / "a.png"
    if mode == "RGB":
        # One colour of it stands for transparent pixels.
        image = Image.new("RGB", (40, 40), (1, 2, 3))
        image.paste(ink, (10, 10, 30, 30))
        image.save(path, transparency=(1, 2, 3))
    else:
        image.convert(mode).save(path)
    found = picture(path, Request(width=40, height=20, background=pane))
    assert pixel(found, 2, 2) == ground
    assert found.note == note


def clear_image(mode: str, width: int) -> tuple[Image.Image, dict[str, object]]:
    """An image of which nothing is seen, and how it is to be saved."""
    if mode.startswith("P"):
        image = Image.new("P", (width, 10), 1)
        image.putpalette(bytes(range(255, -1, -1)) * 3)
        return image, {"transparency": b"\xff\0" if mode == "P bytes" else 1}
    if mode in ("L", "RGB"):
        key = (7, 8, 9) if mode == "RGB" else 7
        return Image.new(mode, (width, 10), key), {"transparency": key}
    return Image.new(mode, (width, 10)), {}


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "P bytes", "L", "RGB"])
@pytest.mark.parametrize("width", [10, 3_000])
def test_a_picture_of_which_nothing_is_seen_says_so(tmp_path: Path, mode: str, width: int) -> None:
    image, options = clear_image(mode, width)
    path = tmp_path / "a.png"
    image.save(path, **options)
    assert picture(path).note == "wholly transparent"
    # One pixel that is seen, even if it is scaled away.
    image.putpixel((3, 3), {"RGBA": (1, 2, 3, 1), "LA": (1, 1), "RGB": (1, 2, 3)}.get(mode, 0))
    image.save(path, **options)
    assert "wholly" not in picture(path).note


def test_a_drawing_of_which_nothing_is_seen_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    path.write_text(SVG.format('width="40" height="40"><g/>'))
    assert picture(path).note == "nothing to be seen at this size"
    path.write_text(SVG.format('width="40" height="40"><rect width="9" height="9" fill="red"/>'))
    assert picture(path).note == ""


def test_transparent_pixels_show_the_background(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(path)
    found = picture(path, Request(background=(1, 2, 3)))
    assert pixel(found, 4, 4) == (1, 2, 3)
    assert (found.width_px, found.height_px) == (8, 8), "small images are not enlarged"


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff"])
def test_a_photo_is_turned_as_its_camera_says(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = 6
    halves(200, 100).save(path, exif=exif)
    found = picture(path)
    assert (found.source_width, found.source_height) == (100, 200)
    assert found.height_px == 2 * found.width_px
    assert is_near(pixel(found, 5, 2), RED)
    assert is_near(pixel(found, 5, found.height_px - 3), BLUE)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize(
    "exif",
    [b"Exif\0\0II*\0", b"Exif\0\0" + b"\xff" * 40, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\1" * 30,
     b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\2\0\4\0\0\0abc\0"],
)  # fmt: skip
def test_broken_exif_turns_nothing(tmp_path: Path, suffix: str, exif: bytes) -> None:
    path = tmp_path / f"a.{suffix}"
    halves(200, 100).save(path, exif=exif)
    found = picture(path)
    assert (found.source_width, found.source_height) == (200, 100)
    assert is_near(pixel(found, 5, 5), RED)


def test_a_picture_is_never_empty() -> None:
    seen = window((100_000, 1), (40, 40), View(), is_drawn=False)
    assert (seen.width_px, seen.height_px) == (40, 1)


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


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP"])
def test_of_an_image_that_is_cut_off_the_part_that_is_there_is_shown(
    tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "a.img"
    noise().convert("RGB").save(path, kind, interlace=0)
    whole = picture(path, Request(width=40, height=40))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    found = picture(path, Request(width=40, height=40))
    assert found.note == "cut off: the rest of it is missing"
    assert (found.source_width, found.source_height) == (400, 400)
    start = 20 * found.width_px * 3 if kind == "BMP" else 0
    # A BMP begins with its last row.
    rows = slice(start + 8 * found.width_px * 3, start + 12 * found.width_px * 3)
    assert found.rgb[rows] == whole.rgb[rows]
    assert found.rgb != whole.rgb


def test_a_tiff_of_which_a_part_is_missing_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.tiff"
    noise().save(path)
    path.write_bytes(path.read_bytes()[:80_000])
    assert picture(path).note == "cut off or damaged: a part of it is missing"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_of_several_frames_is_shown(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.img"
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, BLUE)]
    frames[0].save(path, kind, save_all=True, append_images=frames[1:])
    found = picture(path)
    assert is_near(pixel(found, 9, 9), RED)
    assert (found.part.unit, found.part.count, found.part.total) == ("frame", 1, 2)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_image_of_which_nothing_can_be_decoded_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.img"
    halves(400, 400).save(path, kind)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(PreviewFailed, match=r"The image .* The file is cut off\."):
        picture(path)


def test_a_damaged_image_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    noise().save(path)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = b"\xff" * 400
    path.write_bytes(data)
    assert picture(path).note == "damaged: a part of it is missing"


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
    assert found.note == "references to elsewhere, not followed: 3"


@pytest.mark.parametrize(
    ("size", "pixels"),
    [
        # As matplotlib and graphviz write it.
        ('width="460.8pt" height="345.6pt" viewBox="0 0 460.8 345.6"', (614, 461)),
        ('width="62pt" height="131pt" viewBox="0.00 0.00 62.00 131.00"', (83, 175)),
        ('width="100mm" height="50mm" viewBox="0 0 100 50"', (378, 189)),
        ('width="4in" height="2in" viewBox="0 0 40 20"', (384, 192)),
        ('width="2.54cm" height="6pc"', (96, 96)),
        ('width="100%" height="100%" viewBox="0 0 40 20"', (40, 20)),
    ],
)
def test_drawings_of_any_unit_are_drawn(tmp_path: Path, size: str, pixels: tuple[int, int]) -> None:
    path = drawn(tmp_path, f'{size}><rect width="9999" height="9999" fill="red"/>')
    found = picture(path)
    assert (found.source_width, found.source_height) == pixels
    assert found.width_px / found.height_px == pytest.approx(pixels[0] / pixels[1], rel=0.05)
    assert pixel(found, found.width_px // 2, found.height_px // 2) == RED


def test_dark_lines_of_a_drawing_are_seen_on_a_dark_pane(tmp_path: Path) -> None:
    path = drawn(tmp_path, 'viewBox="0 0 20 10"><path d="M0 0L20 10" stroke="black"/>')
    found = picture(path, Request(width=40, height=20, background=DARK))
    assert pixel(found, 35, 2) == (255, 255, 255)
    assert found.note == "on white"


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


CORNERS = {(0, 0): (255, 0, 0), (1, 0): (0, 255, 0), (0, 1): (0, 0, 255), (1, 1): (255, 255, 0)}


def corners(width: int, height: int) -> Image.Image:
    """An image of which each quarter has a colour of its own."""
    image = Image.new("RGB", (width, height))
    for (x, y), colour in CORNERS.items():
        image.paste(colour, (x * width // 2, y * height // 2, width, height))
    return image


def look_into(path: Path, x: int, y: int, zoom: int = 4) -> Picture:
    """Show what is around the middle of a quarter."""
    view = View(zoom, 0.25 + x / 2, 0.25 + y / 2)
    return picture(path, Request(width=40, height=20, view=view))


def assert_is_one_colour(found: Picture, colour: tuple[int, int, int]) -> None:
    for at in (0, found.width_px - 1):
        for line in (0, found.height_px - 1):
            assert is_near(pixel(found, at, line), colour)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_what_is_looked_at_is_of_the_upright_image(tmp_path: Path, suffix: str, turn: int) -> None:
    path = tmp_path / f"a.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = turn
    corners(800, 400).save(path, exif=exif)
    whole = picture(path, Request(width=40, height=20))
    for x, y in CORNERS:
        at_x, at_y = (whole.width_px - 1) * x, (whole.height_px - 1) * y
        colour = pixel(whole, at_x, at_y)
        assert_is_one_colour(look_into(path, x, y), (colour[0], colour[1], colour[2]))


def test_a_drawing_and_a_page_are_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    boxes = "".join(
        f'<rect x="{50 * x}" y="{50 * y}" width="50" height="50" fill="rgb{colour}"/>'
        for (x, y), colour in CORNERS.items()
    )
    path.write_text(SVG.format(f'width="100" height="100">{boxes}'))
    for (x, y), colour in CORNERS.items():
        found = look_into(path, x, y)
        assert (found.width_px, found.height_px) == (40, 40)
        assert_is_one_colour(found, colour)


def test_levels_of_grey_are_those_of_the_whole_image_wherever_one_looks(tmp_path: Path) -> None:
    row = struct.pack("<400H", *[1_000] * 200, *[3_000] * 200)
    ends = struct.pack("<400H", 0, *[1_000] * 199, *[3_000] * 199, 4_000)
    image = Image.frombytes("I;16", (400, 400), ends + row * 399)
    path = tmp_path / "a.png"
    image.save(path)
    left, right = look_into(path, 0, 1), look_into(path, 1, 1)
    assert left.note == right.note == picture(path).note
    assert_is_one_colour(left, (64, 64, 64))
    assert_is_one_colour(right, (191, 191, 191))


def test_pixels_are_shown_as_they_are_when_there_is_room_for_more(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    image = Image.new("RGB", (8, 8))
    image.putpixel((3, 3), (255, 255, 255))
    image.save(path)
    found = picture(path, Request(width=40, height=20, view=View(4)))
    assert (found.width_px, found.height_px) == (32, 32)
    assert {tuple(found.rgb[at : at + 3]) for at in range(0, len(found.rgb), 3)} == {
        (0, 0, 0), (255, 255, 255)
    }  # fmt: skip
    assert found.rgb.count(255) == 16 * 3


@given(
    size=st.tuples(st.integers(1, 20_000), st.integers(1, 20_000)),
    box=st.tuples(st.integers(1, 400), st.integers(2, 400)),
    x=st.floats(-1, 2), y=st.floats(-1, 2), zoom=st.sampled_from([1, 2, 8, 64]),
    is_drawn=st.booleans(),
)  # fmt: skip
def test_a_window_lies_in_its_picture_and_fits_its_box(
    size: tuple[int, int], box: tuple[int, int], x: float, y: float, zoom: int, is_drawn: bool
) -> None:
    seen = window(size, box, View(zoom, x, y), is_drawn=is_drawn)
    assert 0 <= seen.left < seen.right <= 1 + 1e-9
    assert 0 <= seen.top < seen.bottom <= 1 + 1e-9
    assert 1 <= seen.width_px <= box[0]
    assert 1 <= seen.height_px <= box[1]
