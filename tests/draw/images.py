"""Reading PNG files in tests, with the imaging library that matplotlib comes with."""

import struct
from io import BytesIO

import numpy as np
from PIL import Image


def read_png(data):
    """The pixels of an 8-bit PNG as (height, width, 3), on white."""
    with Image.open(BytesIO(data), formats=["PNG"]) as image:
        assert image.mode in ("L", "LA", "RGB", "RGBA")
        pixels = np.asarray(image.convert("RGBA")).astype(int)
    if (pixels[..., 3] == 255).all():
        return pixels[..., :3]
    alpha = pixels[..., 3:] / 255
    return np.rint(pixels[..., :3] * alpha + 255 * (1 - alpha)).astype(int)


def size_of(data):
    """Width and height of a PNG, from its header."""
    return struct.unpack(">II", data[16:24])
