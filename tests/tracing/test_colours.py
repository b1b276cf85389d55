"""The colours of the pages: enough contrast to be read, in both themes."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

_CSS = files("alto_lg.tracing").joinpath("page.css").read_text(encoding="utf-8")
_LIGHT, _DARK = (dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6});", block)) for block in _CSS.split("@media", 2)[:2])
THEMES = {"light": _LIGHT, "dark": _DARK}
TONES = tuple(f"t{number}" for number in range(8))


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    """As the accessibility guidelines of the web (WCAG 2.2) define it."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", ["ink", "soft", "focus", "bad"])
def test_text_can_be_read(theme: str, name: str) -> None:
    colours = THEMES[theme]
    assert _contrast(colours[name], colours["ground"]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", TONES)
def test_a_bar_stands_out_and_its_text_can_be_read(theme: str, name: str) -> None:
    colours = THEMES[theme]
    assert _contrast(colours[name], colours["ground"]) >= 3
    assert _contrast(colours["on"], colours[name]) >= 4.5


def test_the_themes_define_the_same_colours() -> None:
    assert set(_LIGHT) == set(_DARK) >= {"ground", "ink", "on", *TONES}
