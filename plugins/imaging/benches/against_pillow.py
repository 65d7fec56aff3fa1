"""The same steps in Pillow and here, on one photo, in turns on one machine: python against_pillow.py PHOTO [ROUNDS]"""

import io
import subprocess
import sys
import time

from PIL import Image, features

photo, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
with open(photo, "rb") as file:
    data = file.read()
image = Image.open(io.BytesIO(data)).convert("RGB")
small = image.resize((224, 224), Image.BILINEAR)
mask = small.getchannel(0).point(lambda level: 255 * (level > 127)).convert("RGB")

STEPS = {
    "decode": lambda: Image.open(io.BytesIO(data)).convert("RGB"),
    "resize bilinear": lambda: image.resize((224, 224), Image.BILINEAR),
    "resize bicubic": lambda: image.resize((224, 224), Image.BICUBIC),
    "decode and resize": lambda: Image.open(io.BytesIO(data)).convert("RGB").resize((224, 224), Image.BILINEAR),
    "encode a photo": lambda: small.save(io.BytesIO(), "JPEG", quality=95, subsampling=0),
    "encode a mask": lambda: mask.save(io.BytesIO(), "JPEG", quality=95, subsampling=0),
}


def best(step, budget=0.5):
    begun, fastest = time.perf_counter(), float("inf")
    while time.perf_counter() - begun < budget:
        before = time.perf_counter()
        step()
        fastest = min(fastest, time.perf_counter() - before)
    return 1e3 * fastest


ours, theirs = dict.fromkeys(STEPS, float("inf")), dict.fromkeys(STEPS, float("inf"))
for _ in range(rounds):
    for name, step in STEPS.items():
        theirs[name] = min(theirs[name], best(step))
    printed = subprocess.run(["cargo", "bench", "-q", "-p", "rival10-imaging", "--", photo], capture_output=True, text=True, check=True)
    for line in printed.stdout.splitlines():
        milliseconds, name = line.split(maxsplit=1)
        ours[name] = min(ours[name], float(milliseconds))

print(f"{image.width} x {image.height}, Pillow {features.version('pil')} with libjpeg-turbo {features.version('libjpeg_turbo')}")
print(f"{'':20}{'Pillow':>10}{'here':>10}{'times as fast':>16}")
for name in STEPS:
    print(f"{name:20}{theirs[name]:8.3f}ms{ours[name]:8.3f}ms{theirs[name] / ours[name]:16.2f}")
