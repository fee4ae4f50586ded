"""Pictures of the demo's posts, drawn on the spot: shapes and gradients, no words, the same every time."""

from __future__ import annotations

import functools
import io
import math
import random
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 1200, 900
# Drawn larger and scaled down: Pillow's own edges are not smooth.
_SCALE = 2
_SIZE = (WIDTH * _SCALE, HEIGHT * _SCALE)

Color = tuple[int, int, int]
Painter = Callable[[], Image.Image]


@functools.cache
def jpeg(name: str) -> bytes:
    """The file of a picture of PAINTERS."""
    image = PAINTERS[name]().resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=86)
    return out.getvalue()


def _gradient(top: Color, bottom: Color) -> Image.Image:
    mask = Image.linear_gradient("L").resize(_SIZE)
    return Image.composite(Image.new("RGB", _SIZE, bottom), Image.new("RGB", _SIZE, top), mask)


def _glow(
    image: Image.Image, center: tuple[float, float], radius: float, color: Color, strength: float
) -> None:
    """A soft light; ``center`` and ``radius`` in parts of the width and height."""
    x, y, r = center[0] * _SIZE[0], center[1] * _SIZE[1], radius * _SIZE[0]
    side = int(2 * r)
    # Pillow's gradient reaches 181 at the middle of an edge: there the light must have ended.
    fading = [int(255 * strength * max(0.0, 1 - v / 181) ** 1.4) for v in range(256)]
    mask = Image.radial_gradient("L").resize((side, side), Image.Resampling.BICUBIC).point(fading)
    image.paste(Image.new("RGB", (side, side), color), (int(x - r), int(y - r)), mask)


def _disc(draw: ImageDraw.ImageDraw, center: tuple[float, float], radius: float, color: Color) -> None:
    x, y, r = center[0] * _SIZE[0], center[1] * _SIZE[1], radius * _SIZE[0]
    draw.ellipse((x - r, y - r, x + r, y + r), fill=color)


def _ridge(
    draw: ImageDraw.ImageDraw, level: float, height: float, color: Color, *, seed: int, sharp: bool = False
) -> None:
    """A range of hills (or of peaks) from ``level`` down to the bottom."""
    chance = random.Random(seed)
    waves = [
        (chance.uniform(0.8, 1.6) * 2**n, chance.uniform(0, 2 * math.pi), 0.5**n)
        for n in range(5 if sharp else 2)
    ]
    points = [(0.0, float(_SIZE[1]))]
    for x in range(0, _SIZE[0] + 8, 8):
        at = x / _SIZE[0] * 2 * math.pi
        wave = sum(
            weight * (abs(math.sin(at * f / 2 + phase)) * 2 - 1 if sharp else math.sin(at * f + phase))
            for f, phase, weight in waves
        )
        points.append((x, (level - height * wave) * _SIZE[1]))
    draw.polygon([*points, (_SIZE[0], _SIZE[1])], fill=color)


def _mixed(a: Color, b: Color, share: float) -> Color:
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def sunrise() -> Image.Image:
    image = _gradient((253, 224, 186), (246, 158, 122))
    _glow(image, (0.62, 0.5), 0.42, (255, 244, 214), 0.9)
    draw = ImageDraw.Draw(image)
    _disc(draw, (0.62, 0.5), 0.085, (255, 247, 226))
    for n in range(5):
        color = _mixed((226, 128, 110), (74, 48, 84), n / 4)
        _ridge(draw, 0.56 + n * 0.09, 0.045, color, seed=11 + n)
    return image


def cup() -> Image.Image:
    image = _gradient((236, 224, 207), (205, 184, 158))
    shadow = Image.new("L", _SIZE, 0)
    x, y, r = 0.5 * _SIZE[0], 0.51 * _SIZE[1], 0.27 * _SIZE[0]
    ImageDraw.Draw(shadow).ellipse((x - r + 60, y - r + 90, x + r + 60, y + r + 90), fill=120)
    image.paste((92, 70, 52), (0, 0), shadow.filter(ImageFilter.GaussianBlur(70)))
    draw = ImageDraw.Draw(image)
    for radius, color in (
        (0.27, (250, 247, 240)),
        (0.262, (238, 232, 221)),
        (0.19, (252, 250, 246)),
        (0.172, (92, 58, 38)),
        (0.166, (122, 79, 50)),
    ):
        _disc(draw, (0.5, 0.51), radius, color)
    handle = (0.655 * _SIZE[0], 0.47 * _SIZE[1], 0.76 * _SIZE[0], 0.55 * _SIZE[1])
    draw.rounded_rectangle(handle, radius=60, fill=(252, 250, 246))
    # A leaf of milk: pairs of petals along a stem.
    cream = (236, 214, 182)
    for n in range(6):
        width, top = 0.026 + 0.012 * n, 0.38 + 0.042 * n
        for side in (-1, 1):
            cx, cy = (0.5 + side * width * 0.62) * _SIZE[0], top * _SIZE[1]
            draw.ellipse(
                (cx - width * _SIZE[0] * 0.7, cy - 34, cx + width * _SIZE[0] * 0.7, cy + 40), fill=cream
            )
            draw.ellipse(
                (cx - width * _SIZE[0] * 0.6, cy - 54, cx + width * _SIZE[0] * 0.6, cy + 8),
                fill=(122, 79, 50),
            )
    draw.line((0.5 * _SIZE[0], 0.36 * _SIZE[1], 0.5 * _SIZE[0], 0.655 * _SIZE[1]), fill=cream, width=22)
    return image


def beans() -> Image.Image:
    image = _gradient((74, 46, 32), (46, 28, 20))
    chance = random.Random(5)
    kinds = [_bean(chance) for _ in range(14)]
    places = [(chance.uniform(-0.03, 1.03), chance.uniform(-0.04, 1.04)) for _ in range(210)]
    for x, y in sorted(places, key=lambda place: place[1]):
        bean = chance.choice(kinds)
        image.paste(bean, (int(x * _SIZE[0]) - bean.width // 2, int(y * _SIZE[1]) - bean.height // 2), bean)
    return image


def _bean(chance: random.Random) -> Image.Image:
    long, short = 140, chance.randint(88, 100)
    bean = Image.new("RGBA", (long * 2, long * 2), (0, 0, 0, 0))
    draw = ImageDraw.Draw(bean)
    draw.ellipse((long * 0.22, long - short * 0.78, long * 1.78, long + short * 0.88), fill=(24, 13, 9, 255))
    body = _mixed((104, 62, 38), (150, 98, 62), chance.random())
    draw.ellipse((long * 0.25, long - short * 0.75, long * 1.75, long + short * 0.75), fill=(*body, 255))
    light = _mixed(body, (226, 178, 134), 0.16)
    draw.ellipse((long * 0.42, long - short * 0.62, long * 1.4, long - short * 0.1), fill=(*light, 255))
    for box, start, end in (
        ((long * 0.3, long - 58, long * 1.03, long + 30), 8, 172),
        ((long * 0.97, long - 30, long * 1.7, long + 58), 188, 352),
    ):
        draw.arc(box, start, end, fill=(56, 31, 19, 255), width=12)
    return bean.rotate(chance.uniform(0, 360), resample=Image.Resampling.BICUBIC)


def steam() -> Image.Image:
    image = _gradient((44, 62, 80), (168, 138, 120))
    _glow(image, (0.5, 0.95), 0.5, (255, 214, 170), 0.75)
    vapour = Image.new("L", _SIZE, 0)
    draw = ImageDraw.Draw(vapour)
    for n in range(7):
        points = []
        for step in range(60):
            rise = step / 59
            sway = math.sin(rise * 5.2 + n * 1.3) * (0.02 + 0.07 * rise)
            points.append(((0.34 + n * 0.053 + sway) * _SIZE[0], (0.86 - rise * 0.78) * _SIZE[1]))
        draw.line(points, fill=170 - abs(n - 3) * 28, width=34, joint="curve")
    image.paste((255, 246, 236), (0, 0), vapour.filter(ImageFilter.GaussianBlur(34)))
    draw = ImageDraw.Draw(image)
    left, top, right, low = 0.3 * _SIZE[0], 0.84 * _SIZE[1], 0.7 * _SIZE[0], 1.2 * _SIZE[1]
    draw.rounded_rectangle((left, top, right, low), radius=120, fill=(248, 240, 228))
    draw.ellipse((left, top - 60, right, top + 90), fill=(236, 224, 208))
    draw.ellipse((left + 60, top - 34, right - 60, top + 64), fill=(86, 54, 38))
    return image


def parcels() -> Image.Image:
    image = _gradient((222, 232, 232), (178, 200, 202))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0.74 * _SIZE[1], *_SIZE), fill=(150, 172, 172))
    boxes = (
        (0.13, 0.42, 0.34, 0.34, (201, 158, 112)),
        (0.5, 0.3, 0.36, 0.46, (214, 174, 128)),
        (0.3, 0.56, 0.3, 0.24, (188, 142, 98)),
    )
    for x, y, width, height, color in boxes:
        left, top = x * _SIZE[0], y * _SIZE[1]
        right, low = (x + width) * _SIZE[0], (y + height) * _SIZE[1]
        draw.rectangle((left, top, right, low), fill=color)
        draw.rectangle((left, top, right, top + 46), fill=_mixed(color, (255, 255, 255), 0.22))
        middle = (left + right) / 2
        draw.rectangle((middle - 46, top, middle + 46, low), fill=_mixed(color, (120, 84, 52), 0.28))
        draw.rounded_rectangle((left + 60, low - 190, left + 260, low - 60), radius=18, fill=(250, 246, 238))
    return image


def lake() -> Image.Image:
    image = _gradient((38, 58, 104), (244, 178, 146))
    _glow(image, (0.3, 0.46), 0.32, (255, 226, 190), 0.8)
    draw = ImageDraw.Draw(image)
    _ridge(draw, 0.44, 0.1, (108, 106, 148), seed=21, sharp=True)
    _ridge(draw, 0.52, 0.09, (70, 76, 122), seed=8, sharp=True)
    _ridge(draw, 0.6, 0.05, (42, 50, 92), seed=3)
    water = int(0.62 * _SIZE[1])
    mirrored = image.crop((0, 2 * water - _SIZE[1], _SIZE[0], water)).transpose(
        Image.Transpose.FLIP_TOP_BOTTOM
    )
    mirrored = mirrored.filter(ImageFilter.GaussianBlur(14))
    image.paste(Image.blend(mirrored, Image.new("RGB", mirrored.size, (54, 62, 108)), 0.3), (0, water))
    draw = ImageDraw.Draw(image)
    chance = random.Random(2)
    for _ in range(90):
        y = water + chance.random() ** 1.4 * (_SIZE[1] - water)
        x, length = chance.uniform(0, _SIZE[0]), chance.uniform(60, 340)
        draw.line((x, y, x + length, y), fill=(150, 140, 168), width=3)
    return image


def tent() -> Image.Image:
    image = _gradient((14, 20, 48), (62, 74, 116))
    draw = ImageDraw.Draw(image)
    chance = random.Random(9)
    for _ in range(260):
        x, y = chance.uniform(0, _SIZE[0]), chance.random() ** 1.3 * 0.62 * _SIZE[1]
        r = chance.choice((2, 2, 3, 5))
        draw.ellipse(
            (x - r, y - r, x + r, y + r), fill=_mixed((120, 130, 170), (255, 250, 235), chance.random())
        )
    _ridge(draw, 0.62, 0.07, (34, 44, 82), seed=14, sharp=True)
    _ridge(draw, 0.76, 0.025, (22, 30, 58), seed=4)
    _glow(image, (0.5, 0.8), 0.24, (255, 190, 110), 0.85)
    draw = ImageDraw.Draw(image)
    top, low = 0.6 * _SIZE[1], 0.88 * _SIZE[1]
    middle, half = 0.5 * _SIZE[0], 0.17 * _SIZE[0]
    draw.polygon([(middle, top), (middle - half, low), (middle + half, low)], fill=(238, 148, 74))
    draw.polygon([(middle, top), (middle + half * 0.2, low), (middle + half, low)], fill=(206, 112, 62))
    draw.polygon(
        [(middle, top + 70), (middle - half * 0.26, low), (middle + half * 0.16, low)], fill=(255, 222, 158)
    )
    return image


def forest() -> Image.Image:
    image = _gradient((226, 238, 228), (164, 196, 178))
    _glow(image, (0.5, 0.2), 0.45, (255, 255, 246), 0.8)
    chance = random.Random(17)
    for layer in range(5):
        draw = ImageDraw.Draw(image)
        color = _mixed((150, 186, 170), (20, 58, 52), layer / 4)
        base = (0.5 + layer * 0.11) * _SIZE[1]
        x = -100.0
        while x < _SIZE[0] + 100:
            tall = chance.uniform(0.16, 0.26) * _SIZE[1] * (0.8 + layer * 0.16)
            wide = tall * 0.34
            for part in range(4):
                peak, foot = base - tall + part * tall * 0.2, base - tall + (part + 1.6) * tall * 0.26
                half = wide * (0.34 + part * 0.2)
                draw.polygon([(x, peak), (x - half, foot), (x + half, foot)], fill=color)
            x += wide * chance.uniform(0.9, 1.7)
        draw.rectangle((0, base - 8, *_SIZE), fill=color)
    return image


def patch() -> Image.Image:
    image = _gradient((70, 104, 122), (48, 78, 98))
    draw = ImageDraw.Draw(image)
    for n in range(0, _SIZE[0] + _SIZE[1], 28):
        draw.line((n, 0, n - _SIZE[1], _SIZE[1]), fill=(60, 92, 110), width=6)
    shape = Image.new("RGBA", (1300, 900), (0, 0, 0, 0))
    on_shape = ImageDraw.Draw(shape)
    on_shape.rounded_rectangle((40, 40, 1260, 860), radius=120, fill=(232, 152, 84, 255))
    for n in range(220, 1180, 26):
        on_shape.line((n, 52, n - 40, 848), fill=(224, 142, 76, 255), width=5)
    dash, gap = 52, 30
    for x in range(150, 1140, dash + gap):
        for y in (92, 808):
            on_shape.line((x, y, x + dash, y), fill=(255, 240, 214, 255), width=14)
    for y in range(160, 720, dash + gap):
        for x in (92, 1208):
            on_shape.line((x, y, x, y + dash), fill=(255, 240, 214, 255), width=14)
    turned = shape.rotate(-9, expand=True, resample=Image.Resampling.BICUBIC)
    image.paste(turned, ((_SIZE[0] - turned.width) // 2, (_SIZE[1] - turned.height) // 2), turned)
    draw = ImageDraw.Draw(image)
    draw.line(
        (0.74 * _SIZE[0], 0.2 * _SIZE[1], 0.9 * _SIZE[0], 0.06 * _SIZE[1]), fill=(214, 222, 228), width=18
    )
    return image


def trail() -> Image.Image:
    image = _gradient((174, 214, 236), (246, 238, 214))
    draw = ImageDraw.Draw(image)
    _ridge(draw, 0.42, 0.09, (150, 178, 190), seed=31, sharp=True)
    _ridge(draw, 0.56, 0.05, (132, 168, 132), seed=33)
    _ridge(draw, 0.68, 0.04, (104, 146, 106), seed=35)
    left, right = [], []
    for step in range(60):
        down = step / 59
        x = 0.56 + 0.16 * math.sin(3.4 * (1 - down)) * (0.25 + down * 0.75) - 0.1 * down
        half = 0.004 + 0.085 * down**1.8
        y = (0.62 + 0.4 * down) * _SIZE[1]
        left.append(((x - half) * _SIZE[0], y))
        right.append(((x + half) * _SIZE[0], y))
    draw.polygon([*left, *reversed(right)], fill=(226, 208, 168))
    return image


PAINTERS: dict[str, Painter] = {
    "sunrise": sunrise,
    "cup": cup,
    "beans": beans,
    "steam": steam,
    "parcels": parcels,
    "lake": lake,
    "tent": tent,
    "forest": forest,
    "patch": patch,
    "trail": trail,
}
