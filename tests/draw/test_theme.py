"""Colours that stay apart in every eye, and text that can be read (check 22)."""

from itertools import combinations

import numpy as np
import pytest

from minigrad.draw.render.theme import STYLES, style
from minigrad.draw.textbook.overlay import luminance

KINDS = ["input", "hidden", "output", "loss", "target"]
# Machado, Oliveira, Fernandes 2009, severity 1, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def lab(colour, vision):
    srgb = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.asarray(VISION[vision]) @ linear, 0, 1)
    to_xyz = [
        [0.4124, 0.3576, 0.1805],
        [0.2126, 0.7152, 0.0722],
        [0.0193, 0.1192, 0.9505],
    ]
    x, y, z = np.array(to_xyz) @ linear / np.array([0.95047, 1.0, 1.08883])
    f = [v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z)]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("vision", VISION)
def test_kinds_are_told_apart(vision):
    paints = [style("color").paint(kind) for kind in KINDS]
    for a, b in combinations(paints, 2):
        assert np.linalg.norm(lab(a.fill, vision) - lab(b.fill, vision)) >= 20


@pytest.mark.parametrize("name", STYLES)
def test_text_can_be_read(name):
    look = style(name)
    for kind, paint in look.paints.items():
        if kind not in ("dot",):
            assert contrast(paint.fill, paint.ink) >= 4.5, kind
    for kind in ("ink", "faint", "gradienttext"):
        assert contrast(look.background, look.line(kind)) >= 4.5, kind
    for kind in KINDS:
        assert contrast(look.background, look.paint(kind).border) >= 3, kind


def test_the_book_style_has_no_colour():
    look = style("book")
    colours = [look.background, look.ink, *look.lines.values(), *look.buses]
    colours += [c for p in look.paints.values() for c in (p.fill, p.border, p.ink)]
    assert all(c[1:3] == c[3:5] == c[5:7] for c in colours)


def test_an_unknown_style_is_named():
    with pytest.raises(ValueError, match=r"'neon'.*color, book, dark"):
        style("neon")
