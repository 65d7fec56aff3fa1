"""Guards that the mask lies on the object whatever the picture's file is like: all eight EXIF orientations, grey, CMYK,
16 bits, alpha, palettes and 100 megapixels. Pillow writes the pictures and says what is shown."""

import io
import json

import numpy as np
import pytest
from PIL import Image, ImageOps
from pycocotools import mask as coco_mask

TAXONOMY = 'name = "made"\n[[classes]]\nname = "disc"\n'


def scene(width, height):
    """A picture with one bright ellipse left of and above the middle, and where that is."""
    y, x = np.mgrid[:height, :width]
    inside = ((x - width * 0.3) / (width * 0.2)) ** 2 + ((y - height * 0.35) / (height * 0.15)) ** 2 <= 1
    picture = np.where(inside[..., None], [230, 60, 40], [20, 60, 120]).astype(np.uint8)
    return Image.fromarray(picture), inside


def stored_for(picture, orientation):
    """The pixels as a camera held the other way stores them: showing them with `orientation` gives `picture` back."""
    inverse = {2: [Image.FLIP_LEFT_RIGHT], 3: [Image.ROTATE_180], 4: [Image.FLIP_TOP_BOTTOM], 5: [Image.TRANSPOSE],
               6: [Image.ROTATE_90], 7: [Image.TRANSVERSE], 8: [Image.ROTATE_270]}
    for step in inverse.get(orientation, []):
        picture = picture.transpose(step)
    return picture


def save(path, picture, orientation=1, **options):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(path, exif=exif, **options)


@pytest.fixture
def project(tmp_path, rival10):
    (tmp_path / "taxonomy.toml").write_text(TAXONOMY)
    rival10("init", ".", "--taxonomy", "taxonomy.toml", cwd=tmp_path)
    (tmp_path / "pictures" / "disc").mkdir(parents=True)
    return tmp_path


def masks(project, rival10):
    """Name -> upright object mask of every image of the project."""
    found = {}
    for line in map(json.loads, rival10("dump", cwd=project).splitlines()):
        if "image" in line:
            image = line["image"]
        elif "instance" in line:
            [annotation] = line["instance"]["annotations"]
            counts = dict(annotation["masks"])["object"].encode()
            size = [image["height"], image["width"]]
            found[image["name"]] = coco_mask.decode({"size": size, "counts": counts}).astype(bool)
    return found


@pytest.mark.parametrize("frame", ["upright", "stored"])
def test_masks_lie_on_the_object_in_every_exif_orientation(project, rival10, frame):
    folder = project / "pictures" / "disc"
    shown, inside = scene(60, 40)
    for orientation in range(1, 9):
        for extension in ["jpg", "png", "webp", "tiff"]:
            name = f"{extension}-{orientation}"
            stored = stored_for(shown, orientation)
            path = folder / f"{name}.{extension}"
            save(path, stored, orientation)
            upright = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
            assert upright.size == shown.size and np.abs(np.asarray(upright, int) - np.asarray(shown)).mean() < 12
            mask = Image.fromarray(inside.astype(np.uint8) * 255)
            (mask if frame == "upright" else stored_for(mask, orientation)).save(folder / f"{name}_mask.png")
    rival10("import", "--format", "images", "pictures", "--mask-frame", frame, cwd=project)
    found = masks(project, rival10)
    assert len(found) == 32
    for name, mask in found.items():
        assert np.array_equal(mask, inside), name


def test_grey_cmyk_16_bit_alpha_and_palette_pictures_come_in_with_their_masks(project, rival10):
    folder = project / "pictures" / "disc"
    shown, inside = scene(50, 70)
    grey = shown.convert("L")
    grey16 = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    alpha = shown.copy()
    alpha.putalpha(Image.fromarray(np.where(inside, 255, 128).astype(np.uint8)))
    pictures = {
        "grey.jpg": grey, "cmyk.jpg": shown.convert("CMYK"), "progressive.jpg": shown, "grey16.png": grey16,
        "alpha.png": alpha, "palette.png": shown.convert("P", palette=Image.ADAPTIVE), "bits.png": grey.convert("1"),
        "grey-alpha.png": alpha.convert("LA"), "palette.gif": shown.convert("P"), "rgb.bmp": shown, "lossless.webp": shown,
        "cmyk.tiff": shown.convert("CMYK"), "grey16.tiff": grey16,
    }
    for name, picture in pictures.items():
        options = {"progressive": True} if name == "progressive.jpg" else {}
        picture.save(folder / name, **options)
    names = {}
    for name in pictures:
        stem = name.replace(".", "-")
        (folder / name).rename(folder / f"{stem}.{name.split('.')[1]}")
        Image.fromarray(inside.astype(np.uint8) * 255).save(folder / f"{stem}_mask.png")
        names[stem] = name
    done = rival10("import", "--format", "images", "pictures", "--on-error", "skip", "--json", cwd=project)
    report = json.loads(done)
    found = masks(project, rival10)
    skipped = {item: reason for item, reason in report["skipped"]}
    for stem in names:
        if stem in found:
            assert np.array_equal(found[stem], inside), stem
        else:
            reasons = [reason for item, reason in skipped.items() if stem in item]
            assert reasons and "CMYK" in reasons[0], f"{stem} is missing without a reason that says why: {skipped}"
    assert set(found) >= {stem for stem in names if not stem.startswith("cmyk-tiff")}


def test_a_100_megapixel_picture_comes_in_and_a_larger_one_is_refused_with_the_way_to_raise_the_limit(project, rival10):
    folder = project / "pictures" / "disc"
    _, inside = scene(12500, 8000)
    picture = Image.fromarray(np.where(inside, 220, 30).astype(np.uint8)).convert("RGB")
    save(folder / "large.jpg", picture.transpose(Image.ROTATE_90), 6, quality=60)
    Image.fromarray(inside.astype(np.uint8) * 255).save(folder / "large_mask.png")
    rival10("import", "--format", "images", "pictures", cwd=project)
    assert np.array_equal(masks(project, rival10)["large"], inside)

    before = rival10("dump", cwd=project)
    Image.new("L", (20000, 15000)).save(folder / "huge.png")
    done = rival10("import", "--format", "images", "pictures", cwd=project, check=False)
    assert done.returncode == 1 and "panicked" not in done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("rival10: ")]
    assert "huge.png" in line and "--max-pixels 300000000" in line
    assert rival10("dump", cwd=project) == before


def test_a_png_of_60000_by_60000_is_refused_from_its_header(project, rival10):
    header = io.BytesIO()
    Image.new("L", (1, 1)).save(header, "PNG")
    bomb = bytearray(header.getvalue())
    bomb[16:24] = (60000).to_bytes(4, "big") * 2
    import zlib

    bomb[29:33] = zlib.crc32(bytes(bomb[12:29])).to_bytes(4, "big")
    (project / "pictures" / "disc" / "bomb.png").write_bytes(bomb)
    done = rival10("import", "--format", "images", "pictures", cwd=project, check=False)
    assert done.returncode == 1 and "bomb.png" in done.stderr and "3600000000" in done.stderr
