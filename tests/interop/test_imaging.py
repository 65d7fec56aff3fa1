"""Pixels, orientation, resizing and encoding against Pillow, which bundles libjpeg-turbo with its SIMD code.

JPEG pixels must be equal whatever either build does with SIMD: the transform, the upsampling and the colour conversion
that libjpeg uses by default are defined to the bit. Where another format is not equal, the test states the bound.
"""

import io
import struct
import subprocess
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

FILTERS = {"nearest": Image.NEAREST, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}


@pytest.fixture(scope="session")
def imaging(example):
    """imaging(file, *command): the example program's run."""
    program = example("imaging_pixels")
    return lambda file, *command: subprocess.run([program, file, *map(str, command)], capture_output=True)


@pytest.fixture(scope="session")
def written(imaging):
    """written(file, *command): the bytes that a command writes; it must succeed."""

    def run(file, *command):
        done = imaging(file, *command)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run


@pytest.fixture(scope="session")
def ours(written):
    """ours(file, *command): the pixels that a command writes, [height, width, channels] or, of one channel, [height, width]."""

    def run(file, *command, channels=3):
        line, pixels = written(file, *command).split(b"\n", 1)
        width, height, _ = map(int, line.split())
        shape = (height, width, channels) if channels > 1 else (height, width)
        return np.frombuffer(pixels, np.uint8).reshape(shape)

    return run


def picture(width, height, channels=3, seed=0):
    """Waves, edges and noise, other ones in each channel: every coefficient of a JPEG block is used."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    planes = [
        128 + 80 * np.sin(x / (5 + 3 * c) + y / (7 + c)) + 50 * ((x // 9 + y // (6 + c)) % 2)
        + random.normal(0, 12, (height, width))
        for c in range(channels)
    ]
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def pillow(file):
    """What Pillow makes of a file: upright RGB."""
    with Image.open(file) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def same(a, b, tolerance=0):
    assert a.shape == b.shape
    difference = np.abs(a.astype(int) - b.astype(int)).max(initial=0)
    assert difference <= tolerance, f"up to {difference} levels, {np.mean(a != b):.2%} of the samples"


# ---- JPEG


def jpeg(planes, factors, quality_step=3, adobe_transform=None, restart=0, exif=b""):
    """A baseline JPEG with any sampling factors, which Pillow can't write: planes of samples of one component each, already
    in the file's colour space and at the full size, and (horizontal, vertical) a component.

    The Huffman tables give symbol s the 8-bit code s, and the last symbol the 9-bit code 510.
    """
    height, width = planes[0].shape
    h_max, v_max = max(h for h, _ in factors), max(v for _, v in factors)
    across, down = -(-width // (8 * h_max)), -(-height // (8 * v_max))
    k = np.arange(8)
    transform = np.sqrt(0.25) * np.cos((2 * k[None] + 1) * k[:, None] * np.pi / 16)
    transform[0] /= np.sqrt(2)
    zigzag = sorted(((r, c) for r in range(8) for c in range(8)), key=lambda p: (sum(p), p[0] if sum(p) % 2 else p[1]))
    rows, columns = np.array(zigzag).T

    blocks = []
    for plane, (h, v) in zip(planes, factors):
        padded = np.pad(plane.astype(float), ((0, 8 * v_max * down - height), (0, 8 * h_max * across - width)), "edge")
        sv, sh = v_max // v, h_max // h
        small = padded.reshape(8 * v * down, sv, 8 * h * across, sh).mean((1, 3)) - 128
        tiles = small.reshape(v * down, 8, h * across, 8).swapaxes(1, 2)
        blocks.append(np.rint(transform @ tiles @ transform.T / quality_step).astype(int)[:, :, rows, columns])

    bits = []

    def symbol(value):
        bits.append(f"{510:09b}" if value == 255 else f"{value:08b}")

    def number(value):
        size = int(abs(value)).bit_length()
        return size, (f"{value if value > 0 else value + (1 << size) - 1:0{size}b}" if size else "")

    def block(coefficients, before):
        size, tail = number(coefficients[0] - before)
        symbol(size)
        bits.append(tail)
        run = 0
        for value in coefficients[1:]:
            if value == 0:
                run += 1
                continue
            while run > 15:
                symbol(0xF0)
                run -= 16
            size, tail = number(value)
            symbol(run << 4 | size)
            bits.append(tail)
            run = 0
        if run:
            symbol(0)
        return coefficients[0]

    def flush():
        text = "".join(bits)
        text += "1" * (-len(text) % 8)
        bits.clear()
        return bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8)).replace(b"\xff", b"\xff\0")

    data, before, markers = b"", [0] * len(planes), 0
    for mcu in range(across * down):
        if restart and mcu and mcu % restart == 0:
            data += flush() + bytes([0xFF, 0xD0 + markers % 8])
            before, markers = [0] * len(planes), markers + 1
        y, x = divmod(mcu, across)
        for c, (h, v) in enumerate(factors):
            for r in range(v):
                for q in range(h):
                    before[c] = block(blocks[c][y * v + r, x * h + q], before[c])
    data += flush()

    def segment(marker, content):
        return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content

    count = len(planes)
    huffman = bytes([0] * 7 + [255, 1] + [0] * 7) + bytes(range(256))
    dc = bytes([0] * 7 + [12] + [0] * 8) + bytes(range(12))
    header = segment(0xE1, b"Exif\0\0" + exif) if exif else b""
    if adobe_transform is not None:
        header += segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, adobe_transform))
    header += segment(0xDB, b"\0" + bytes([quality_step] * 64))
    header += segment(0xC0, struct.pack(">BHHB", 8, height, width, count) + b"".join(
        bytes([c + 1, h << 4 | v, 0]) for c, (h, v) in enumerate(factors)))
    header += segment(0xC4, b"\x00" + dc) + segment(0xC4, b"\x10" + huffman)
    if restart:
        header += segment(0xDD, struct.pack(">H", restart))
    header += segment(0xDA, bytes([count]) + b"".join(bytes([c + 1, 0]) for c in range(count)) + b"\0\x3f\0")
    return b"\xff\xd8" + header + data + b"\xff\xd9"


def test_every_photo_has_pillows_pixels(ours, real_data):
    photos = sorted(real_data.glob("images/*/*.jpg")) + sorted(real_data.glob("rival10-photos/**/*.JPEG"))
    assert len(photos) > 100
    for file in photos:
        same(ours(file, "decode"), pillow(file))


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (16, 16), (17, 33), (131, 75)])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}, {"optimize": True}])
def test_pillows_own_jpegs_have_pillows_pixels(ours, tmp_path, size, options):
    for subsampling in (0, 1, 2):
        for quality in (10, 50, 75, 90, 95, 100):
            file = tmp_path / f"{subsampling}-{quality}.jpg"
            Image.fromarray(picture(*size)).save(file, quality=quality, subsampling=subsampling, **options)
            same(ours(file, "decode"), pillow(file))


@pytest.mark.parametrize(
    "factors",
    [
        [(1, 1)] * 3, [(2, 1), (1, 1), (1, 1)], [(2, 2), (1, 1), (1, 1)], [(1, 2), (1, 1), (1, 1)],
        [(4, 1), (1, 1), (1, 1)], [(4, 2), (1, 1), (1, 1)], [(1, 4), (1, 1), (1, 1)], [(2, 2), (2, 1), (1, 2)],
        [(2, 2), (1, 2), (1, 2)], [(1, 1), (2, 2), (1, 1)],
    ],
    ids=str,
)
@pytest.mark.parametrize("restart", [0, 3])
def test_every_subsampling_has_pillows_pixels(ours, tmp_path, factors, restart):
    for width, height in [(5, 3), (64, 48), (71, 53)]:
        file = tmp_path / "photo.jpg"
        file.write_bytes(jpeg(list(np.moveaxis(picture(width, height), -1, 0)), factors, restart=restart))
        same(ours(file, "decode"), pillow(file))


@pytest.mark.parametrize("transform", [None, 0, 1])
def test_adobes_colour_transform_is_heeded(ours, tmp_path, transform):
    file = tmp_path / "photo.jpg"
    file.write_bytes(jpeg(list(np.moveaxis(picture(40, 30), -1, 0)), [(1, 1)] * 3, adobe_transform=transform))
    same(ours(file, "decode"), pillow(file))


@pytest.mark.parametrize("transform", [None, 0, 2], ids=["unmarked", "CMYK", "YCCK"])
def test_four_inks_become_pillows_three_lights(ours, tmp_path, transform):
    for factors in ([(1, 1)] * 4, [(2, 2), (1, 1), (1, 1), (2, 2)]):
        file = tmp_path / "print.jpg"
        file.write_bytes(jpeg(list(np.moveaxis(picture(61, 43, 4), -1, 0)), factors, adobe_transform=transform))
        assert Image.open(file).mode == "CMYK"
        same(ours(file, "decode"), pillow(file))
    Image.fromarray(picture(61, 43)).convert("CMYK").save(file, quality=90)
    same(ours(file, "decode"), pillow(file))


def test_grey_jpegs_are_grey(ours, tmp_path):
    file = tmp_path / "grey.jpg"
    for progressive in (False, True):
        Image.fromarray(picture(45, 37)[..., 0]).save(file, progressive=progressive)
        same(ours(file, "decode"), pillow(file))
        same(ours(file, "grey", channels=1), np.asarray(Image.open(file)))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 3}, {"quality": 98}])
def test_a_jpeg_cut_anywhere_is_refused(imaging, tmp_path, options):
    whole, file = io.BytesIO(), tmp_path / "cut.jpg"
    Image.fromarray(picture(120, 90)).save(whole, "JPEG", **options)
    whole = whole.getvalue()
    for length in [*range(0, len(whole), 97), len(whole) - 2, len(whole) - 1]:
        file.write_bytes(whole[:length])
        assert imaging(file, "decode").returncode == 1, f"{length} of {len(whole)} bytes"
    file.write_bytes(whole + b"what other programs append")
    assert imaging(file, "decode").returncode == 0


def test_what_is_encoded_is_pillows_file(written, tmp_path):
    file = tmp_path / "photo.png"
    for size in [(1, 1), (50, 34), (224, 224)]:
        Image.fromarray(picture(*size)).save(file)
        for quality in (24, 50, 89, 90, 95, 100):
            theirs = io.BytesIO()
            Image.open(file).save(theirs, "JPEG", quality=quality, subsampling=0 if quality >= 90 else 2)
            assert written(file, "jpeg", quality) == theirs.getvalue()
        Image.fromarray(picture(*size)[..., 0]).save(file)
        theirs = io.BytesIO()
        Image.open(file).save(theirs, "JPEG", quality=95)
        assert written(file, "jpeg-grey", 95) == theirs.getvalue()


def test_a_png_holds_the_pixels(written, tmp_path):
    file = tmp_path / "photo.png"
    Image.fromarray(picture(33, 21)).save(file)
    same(np.asarray(Image.open(io.BytesIO(written(file, "png")))), picture(33, 21))


# ---- the other formats


def png(colour_type, bits, samples, *chunks):
    """A PNG of any kind: samples [height, width, channels] of `bits` bits each."""
    height, width = samples.shape[:2]
    rows = samples.reshape(height, -1)
    if bits == 16:
        packed = [row.astype(">u2").tobytes() for row in rows]
    else:
        unpacked = np.unpackbits(rows.astype(np.uint8)[..., None], axis=-1)[..., 8 - bits :]
        packed = [np.packbits(row).tobytes() for row in unpacked.reshape(height, -1)]

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    body = b"".join(b"\0" + row for row in packed)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(*c) for c in chunks)
            + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b""))


GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}


@pytest.mark.filterwarnings("ignore:Palette images with Transparency")
@pytest.mark.parametrize(
    "kind, bits",
    [(GREY, 1), (GREY, 2), (GREY, 4), (GREY, 8), (RGB, 8), (RGB, 16), (PALETTE, 1), (PALETTE, 2), (PALETTE, 4),
     (PALETTE, 8), (GREY_ALPHA, 8), (GREY_ALPHA, 16), (RGBA, 8), (RGBA, 16)],
)
def test_every_kind_of_png_has_pillows_pixels(ours, tmp_path, kind, bits):
    file, random = tmp_path / "picture.png", np.random.default_rng(bits)
    samples = random.integers(0, 1 << bits, (13, 11, CHANNELS[kind]))
    palette = (b"PLTE", random.integers(0, 256, 3 << bits, dtype=np.uint8).tobytes())
    transparency = (b"tRNS", bytes([0, 128]))
    for chunks in [[palette], [palette, transparency]] if kind == PALETTE else [[]]:
        file.write_bytes(png(kind, bits, samples, *chunks))
        same(ours(file, "decode"), pillow(file))
    if kind in (GREY, PALETTE):
        theirs = Image.open(file)
        levels = np.asarray(theirs.convert("L") if theirs.mode == "1" else theirs)
        same(ours(file, "grey", channels=1), levels)
        if kind == PALETTE:
            assert np.array_equal(levels, samples[..., 0]), "indices stay indices"


def test_16_bit_grey_keeps_its_high_byte_where_pillow_clips(ours, imaging, tmp_path):
    levels = np.random.default_rng(0).integers(0, 65536, (9, 14))
    for name in ("grey.png", "grey.tif"):
        file = tmp_path / name
        Image.fromarray(levels.astype(np.uint16)).save(file)
        same(ours(file, "decode"), np.repeat((levels >> 8).astype(np.uint8)[..., None], 3, -1))
        refusal = imaging(file, "grey")
        assert refusal.returncode == 1 and b"a mask's levels end at 255" in refusal.stderr
        Image.fromarray((levels >> 8).astype(np.uint16)).save(file)
        same(ours(file, "grey", channels=1), (levels >> 8).astype(np.uint8))


SAMPLES = Image.fromarray(picture(47, 31))
WITH_ALPHA = Image.merge("RGBA", [*SAMPLES.split(), SAMPLES.convert("L")])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("name", ["x.bmp", "x.tif", "x.gif", "x.webp", "x.png"])
def test_every_mode_of_every_format_has_pillows_pixels(ours, imaging, tmp_path, mode, name):
    if (mode, name) == ("LA", "x.bmp"):
        pytest.skip("BMP has no grey with alpha")
    file = tmp_path / name
    image = {"P": lambda: SAMPLES.quantize(17), "RGBA": lambda: WITH_ALPHA, "LA": lambda: WITH_ALPHA.convert("LA")}.get(
        mode, lambda: SAMPLES.convert(mode))()
    image.save(file, **({"lossless": True, "exact": True} if name == "x.webp" else {}))
    if name == "x.tif" and mode in ("P", "LA"):
        refusal = imaging(file, "decode")
        assert refusal.returncode == 1 and b"save it as PNG" in refusal.stderr
        return
    same(ours(file, "decode"), pillow(file))
    theirs = Image.open(file)
    if mode in ("1", "L", "P") and theirs.mode in ("1", "L", "P"):
        same(ours(file, "grey", channels=1), np.asarray(theirs.convert("L") if theirs.mode == "1" else theirs))


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "packbits", "tiff_adobe_deflate", "tiff_deflate", "group4"])
def test_every_tiff_compression_has_pillows_pixels(ours, tmp_path, compression):
    file = tmp_path / "x.tif"
    image = SAMPLES.convert("1") if compression == "group4" else SAMPLES
    image.save(file, compression=compression)
    same(ours(file, "decode"), pillow(file))


def test_a_jpeg_in_a_tiff_is_refused(imaging, tmp_path):
    SAMPLES.save(tmp_path / "x.tif", compression="jpeg")
    refusal = imaging(tmp_path / "x.tif", "decode")
    assert refusal.returncode == 1 and b"save it as JPEG or PNG" in refusal.stderr


def test_cmyk_in_a_tiff_is_pillows_within_a_level(ours, tmp_path):
    Image.fromarray(picture(47, 31, 4), "CMYK").save(tmp_path / "x.tif")
    same(ours(tmp_path / "x.tif", "decode"), pillow(tmp_path / "x.tif"), tolerance=1)


@pytest.mark.parametrize("quality", [5, 50, 80, 100])
def test_a_lossy_webp_is_libwebps(ours, tmp_path, quality):
    for width, height in [(1, 1), (17, 33), (131, 75)]:
        Image.fromarray(picture(width, height)).save(tmp_path / "x.webp", quality=quality)
        same(ours(tmp_path / "x.webp", "decode"), pillow(tmp_path / "x.webp"))


@pytest.mark.parametrize("name", ["x.gif", "x.webp", "x.png"])
def test_of_an_animation_the_first_frame_counts(ours, tmp_path, name):
    frames = [SAMPLES.quantize(32), ImageOps.mirror(SAMPLES).quantize(32)] if name == "x.gif" else [SAMPLES, WITH_ALPHA]
    options = {"lossless": True} if name == "x.webp" else {}
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
    same(ours(tmp_path / name, "decode"), pillow(tmp_path / name))


# ---- masks


def test_a_mask_in_three_equal_channels_is_grey(ours, imaging, tmp_path):
    levels = picture(40, 30)[..., 0]
    published = Image.fromarray(np.where(levels > 127, 255, 0).astype(np.uint8)).convert("RGB")
    published.save(tmp_path / "mask.jpg", quality=95)
    same(ours(tmp_path / "mask.jpg", "grey", channels=1), np.asarray(Image.open(tmp_path / "mask.jpg"))[..., 0])
    cut_out = Image.merge("RGBA", [*published.split(), published.split()[0]])
    cut_out.save(tmp_path / "mask.png")
    same(ours(tmp_path / "mask.png", "grey", channels=1), np.asarray(published)[..., 0])
    WITH_ALPHA.save(tmp_path / "photo.png")
    refusal = imaging(tmp_path / "photo.png", "grey")
    assert refusal.returncode == 1 and b"a mask is grey or has a palette" in refusal.stderr


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_a_palette_mask_in_a_bmp_keeps_its_indices(ours, tmp_path, bits):
    file, count = tmp_path / "mask.bmp", 1 << bits
    indices = np.random.default_rng(bits).integers(0, count, (7, 13))
    colours = np.random.default_rng(9).integers(0, 256, (count, 4), dtype=np.uint8)
    stride = -(-13 * bits // 32) * 4
    unpacked = np.unpackbits(indices.astype(np.uint8)[..., None], axis=-1)[..., 8 - bits :].reshape(7, -1)
    rows = [np.packbits(row).tobytes().ljust(stride, b"\0") for row in unpacked]
    start = 54 + 4 * count
    for height, stored in ((7, rows[::-1]), (-7, rows)):
        header = struct.pack("<IiiHHIIiiII", 40, 13, height, 1, bits, 0, 0, 0, 0, count, 0)
        file.write_bytes(b"BM" + struct.pack("<IHHI", start + 7 * stride, 0, 0, start) + header + colours.tobytes()
                         + b"".join(stored))
        same(ours(file, "grey", channels=1), indices.astype(np.uint8))
        same(ours(file, "decode"), pillow(file))


# ---- orientation


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.webp", "x.tif"])
def test_every_orientation_is_applied_once(ours, written, tmp_path, orientation, name):
    file = tmp_path / name
    SAMPLES.save(file, exif=exif(orientation), **({"lossless": True} if name == "x.webp" else {}))
    upright = pillow(file)
    same(ours(file, "decode"), upright)
    assert written(file, "inspect").split() == [str(n).encode() for n in (upright.shape[1], upright.shape[0], orientation)]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_mask_of_the_stored_picture_turns_as_the_picture_does(ours, tmp_path, orientation):
    for width, height in [(47, 31), (200, 70), (1, 9), (65, 129)]:
        stored = Image.fromarray(((picture(width, height)[..., 0] > 127) * 255).astype(np.uint8))
        stored.save(tmp_path / "mask.png", exif=exif(orientation))
        theirs = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "mask.png"))) // 255
        same(ours(tmp_path / "mask.png", "mask", orientation, channels=1), theirs)


def test_orientation_is_found_behind_a_png_s_pixels(ours, tmp_path):
    before = png(RGB, 8, np.asarray(SAMPLES))
    chunk = b"eXIf" + exif(6).tobytes()[6:]
    chunk = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "x.png").write_bytes(before[:-12] + chunk + before[-12:])
    same(ours(tmp_path / "x.png", "decode"), pillow(tmp_path / "x.png"))
    assert pillow(tmp_path / "x.png").shape == (47, 31, 3)


def test_a_corrupt_exif_block_counts_as_none(written, tmp_path):
    whole = exif(6).tobytes()[6:]
    damaged = [whole[:n] for n in range(len(whole))] + [whole.replace(b"\x12\x01", b"\x12\x02"), b"\xff" * 40]
    for block in damaged:
        (tmp_path / "x.jpg").write_bytes(jpeg([picture(16, 8)[..., 0]], [(1, 1)], exif=block))
        assert written(tmp_path / "x.jpg", "inspect").split()[:2] in ([b"16", b"8"], [b"8", b"16"])
        written(tmp_path / "x.jpg", "decode")


# ---- resizing


SIZES = [(1, 1), (2, 3), (1, 40), (40, 1), (7, 5), (31, 47), (64, 64), (100, 37), (224, 224), (333, 90)]


@pytest.mark.parametrize("filter", FILTERS)
def test_resizing_is_pillows_to_the_bit(ours, tmp_path, filter):
    file = tmp_path / "noise.png"
    for seed, (width, height) in enumerate([*SIZES, (500, 375)]):
        noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
        image = Image.fromarray(noise)
        image.save(file, compress_level=1)
        for to in SIZES:
            same(ours(file, "resize", filter, *to), np.asarray(image.resize(to, FILTERS[filter])))


def test_photos_at_a_networks_size_are_pillows(ours, real_data):
    for file in sorted(real_data.glob("images/*/*.jpg"))[::5]:
        same(ours(file, "resize", "bilinear", 224, 224), np.asarray(Image.fromarray(pillow(file)).resize((224, 224), Image.BILINEAR)))


def test_cropping_is_pillows_and_black_outside(ours, tmp_path):
    SAMPLES.save(tmp_path / "x.png")
    for left, top, width, height in [(0, 0, 47, 31), (5, 7, 20, 10), (-3, -4, 60, 50), (40, 25, 30, 30), (90, 0, 5, 5),
                                     (-20, 3, 10, 2), (0, 0, 1, 1)]:
        theirs = np.asarray(SAMPLES.crop((left, top, left + width, top + height)))
        same(ours(tmp_path / "x.png", "crop", left, top, width, height), theirs)
