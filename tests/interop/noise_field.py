"""The noise that the toolkit draws, from NumPy's own generator."""

import blake3
import numpy as np


def philox_key(purpose, seed, content, trial):
    message = seed.to_bytes(8, "little") + content + trial.to_bytes(8, "little") + purpose.encode()
    return int.from_bytes(blake3.blake3(message).digest()[:16], "little")


def philox_words(key, channel, count):
    return np.random.Philox(key=key, counter=[0, channel, 0, 0]).random_raw(count)


def noise_field(seed, content, trial, width, height):
    """Box and Muller's transform of NumPy's own words, [3, height, width]."""
    pixels = width * height
    key = philox_key("noise", seed, content, trial)
    words = np.stack([philox_words(key, channel, -(-pixels // 4) * 4) for channel in range(3)]) >> np.uint64(11)
    u = (words[:, 0::2].astype(np.float64) + 1) / 2**53
    v = words[:, 1::2].astype(np.float64) / 2**53
    radius = np.sqrt(-2 * np.log(u))
    normals = np.stack([radius * np.cos(2 * np.pi * v), radius * np.sin(2 * np.pi * v)], axis=-1)
    return normals.reshape(3, -1)[:, :pixels].reshape(3, height, width).astype(np.float32)
