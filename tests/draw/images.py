"""Reading PNG files in tests, without an imaging library."""

import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}


def read_png(data):
    """The pixels of an 8-bit PNG as (height, width, 3), on white."""
    assert data.startswith(SIGNATURE)
    position, packed = len(SIGNATURE), b""
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        body = data[position + 8 : position + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, *_ = struct.unpack(">IIBBBBB", body)
            assert depth == 8
        elif kind == b"IDAT":
            packed += body
        position += 12 + length
    channels = CHANNELS[colour]
    raw = np.frombuffer(zlib.decompress(packed), np.uint8).astype(np.int16)
    lines = raw.reshape(height, 1 + width * channels)
    given = lines[:, 1:].reshape(height, width, channels)
    pixels = _unfiltered(lines[:, 0], given)
    if channels in (1, 2):
        grey = pixels[..., :1]
        pixels = np.concatenate([grey, grey, grey, pixels[..., 1:]], axis=-1)
    if pixels.shape[-1] == 4:
        alpha = pixels[..., 3:] / 255
        return np.rint(pixels[..., :3] * alpha + 255 * (1 - alpha)).astype(int)
    return pixels.astype(int)


def _unfiltered(kinds, given):
    """The pixels of filtered lines: each is told by those left of it and above it.

    Those of a diagonal do not depend on each other, so a diagonal is one operation.
    """
    height, width, channels = given.shape
    out = np.zeros((height + 1, width + 1, channels), np.int16)
    for d in range(height + width - 1):
        y = np.arange(max(0, d - width + 1), min(height, d + 1))
        x = d - y
        left, up, corner = out[y + 1, x], out[y, x + 1], out[y, x]
        p = left + up - corner
        a, b, c = abs(p - left), abs(p - up), abs(p - corner)
        paeth = np.where((a <= b) & (a <= c), left, np.where(b <= c, up, corner))
        guesses = (np.zeros_like(left), left, up, (left + up) // 2, paeth)
        guess = np.choose(kinds[y][:, None], guesses)
        out[y + 1, x + 1] = (given[y, x] + guess) % 256
    return out[1:, 1:]


def size_of(data):
    """Width and height of a PNG, from its header."""
    return struct.unpack(">II", data[16:24])
