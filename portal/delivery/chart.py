"""The chart of a channel's throughput: where each bar stands, in the units of an SVG. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.delivery.throughput import Portion

WIDTH, HEIGHT = 960, 120
_GAP = 0.2  # of the room that a bar has
_LEAST = 2.0  # so that little is seen beside much


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One portion; `x`, `y`, `width` and `height` are as a <rect> takes them."""

    portion: Portion
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Bars of bytes below `top`, the round number at the upper edge."""

    bars: Sequence[Bar]
    top: int
    files: int
    bytes: int

    @property
    def box(self) -> str:
        """The viewBox of the SVG."""
        return f"0 0 {WIDTH} {HEIGHT}"


def draw(portions: Sequence[Portion]) -> Chart:
    """Stand the portions side by side."""
    top = round_above(max((one.bytes for one in portions), default=0))
    room = WIDTH / max(1, len(portions))
    bars = []
    for number, portion in enumerate(portions):
        height = _height(portion, top)
        bars.append(
            Bar(
                portion=portion,
                x=round(number * room + room * _GAP / 2, 2),
                y=round(HEIGHT - height, 2),
                width=round(room * (1 - _GAP), 2),
                height=round(height, 2),
            )
        )
    files, size = sum(one.files for one in portions), sum(one.bytes for one in portions)
    return Chart(bars=bars, top=top, files=files, bytes=size)


def round_above(number: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50 and so on."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if factor * step >= number:
                return factor * step
        step *= 10


def _height(portion: Portion, top: int) -> float:
    if not portion.files:
        return 0.0
    return max(_LEAST, HEIGHT * portion.bytes / top)
