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
    raw = np.frombuffer(zlib.decompress(packed), np.uint8).astype(np.int64)
    lines = raw.reshape(height, 1 + width * channels)
    pixels = np.zeros((height + 1, width + 1, channels), np.int64)
    for y in range(height):
        kind, line = lines[y, 0], lines[y, 1:].reshape(width, channels)
        pixels[y + 1, 1:] = _unfiltered(kind, line, pixels[y], channels)
    pixels = pixels[1:, 1:]
    if channels in (1, 2):
        grey = pixels[..., :1]
        pixels = np.concatenate([grey, grey, grey, pixels[..., 1:]], axis=-1)
    if pixels.shape[-1] == 4:
        alpha = pixels[..., 3:] / 255
        return np.rint(pixels[..., :3] * alpha + 255 * (1 - alpha)).astype(int)
    return pixels


def _unfiltered(kind, line, above, channels):
    if kind == 0:
        return line
    if kind == 1:
        return np.cumsum(line, axis=0) % 256
    if kind == 2:
        return (line + above[1:]) % 256
    left = np.zeros(channels, np.int64)
    out = np.empty_like(line)
    for x in range(len(line)):
        up, corner = above[x + 1], above[x]
        if kind == 3:
            guess = (left + up) // 2
        else:
            p = left + up - corner
            a, b, c = abs(p - left), abs(p - up), abs(p - corner)
            guess = np.where((a <= b) & (a <= c), left, np.where(b <= c, up, corner))
        left = out[x] = (line[x] + guess) % 256
    return out


def size_of(data):
    """Width and height of a PNG, from its header."""
    return struct.unpack(">II", data[16:24])
