"""A Plot: a small picture as inline SVG, made by hand so that a report needs nothing from elsewhere.

Series differ in shape and in dashes as well as in colour, and carry their names where they are drawn.
Colours are CSS variables of the page (`--series-0` and on), so that they follow its light or dark scheme.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ragkit.eval.markup import escaped

WIDTH, HEIGHT = 550, 330
COLOURS = 8
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 142, 16, 54
_DASHES = ("", "7 4", "2 4", "10 4 2 4")
_CLOSEST = 17.0
"""Names nearer than this, one above the other, could not be read."""
_LETTERS = 13


@dataclass(frozen=True)
class Point:
    """Something measured twice, the second time with an interval."""

    name: str
    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class _Axis:
    """Where the values from `first` to `last` lie between two edges."""

    first: float
    last: float
    start: float
    end: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        first, last = self.first, self.last
        if self.logarithmic:
            value, first, last = (math.log(max(one, 1e-12)) for one in (value, first, last))
        return self.start + (value - first) / ((last - first) or 1.0) * (self.end - self.start)


def scatter(points: Sequence[Point], across: str, up: str, title: str) -> str:
    """Every strategy as a point, with the interval of its height."""
    x = _Axis(0.0, _above(max((point.x for point in points), default=0.0) or 1.0), _LEFT, WIDTH - _RIGHT)
    lowest, highest = min((one.low for one in points), default=0.0), max((one.high for one in points), default=1.0)
    lowest -= 0.1 * (lowest == highest)
    step = _step(highest - lowest)
    floor, ceiling = math.floor(lowest / step + 1e-9), math.ceil(highest / step - 1e-9)
    y = _Axis(floor * step, max(ceiling, floor + 1) * step, HEIGHT - _BOTTOM, _TOP)
    drawn = [_frame(x, y, _ticks(0.0, x.last), _ticks(y.first, y.last), across, up)]
    places = [(x.at(point.x), y.at(point.y)) for point in points]
    left = [_in_the_way(place, places, len(points[number].name)) for number, place in enumerate(places)]
    heights = _apart([height for _, height in places], left)
    for number, (point, height) in enumerate(zip(points, heights, strict=True)):
        at, colour = x.at(point.x), f"var(--series-{number % COLOURS})"
        label = _name(point.name, at, y.at(point.y), height, left[number])
        said = f"{point.name}: {up} {point.y:.3f} ({point.low:.3f} to {point.high:.3f}), {across} {point.x:.1f}"
        drawn.append(
            f"<g><title>{escaped(said)}</title>"
            f'<path d="M{at:.1f} {y.at(point.low):.1f}V{y.at(point.high):.1f}" stroke="{colour}" stroke-width="2"/>'
            f"{_shape(number, at, y.at(point.y), 6.5, colour)}{label}</g>"
        )
    return _svg(title, drawn)


def lines(series: Mapping[str, Mapping[int, float]], across: str, up: str, title: str) -> str:
    """Every strategy as a line over a count, drawn so that 1 to 10 is as wide as 10 to 100."""
    counts = sorted({count for line in series.values() for count in line}) or [1]
    x = _Axis(counts[0], counts[-1], _LEFT, WIDTH - _RIGHT, logarithmic=True)
    y = _Axis(0.0, 1.0, HEIGHT - _BOTTOM, _TOP)
    drawn = [_frame(x, y, [float(count) for count in counts], _ticks(0.0, 1.0), across, up)]
    ends = [(x.at(max(line)), y.at(line[max(line)])) for line in series.values()]
    heights = _apart([end for _, end in ends])
    for number, (name, line) in enumerate(series.items()):
        colour = f"var(--series-{number % COLOURS})"
        path = "L".join(f"{x.at(count):.1f} {y.at(value):.1f}" for count, value in sorted(line.items()))
        dashes = _DASHES[number % len(_DASHES)]
        drawn.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/>')
        for count, value in line.items():
            said = escaped(f"{name}: {up} {value:.3f} at {count}")
            shape = _shape(number, x.at(count), y.at(value), 4.0, colour)
            drawn.append(f"<g><title>{said}</title>{shape}</g>")
        end, height = ends[number]
        drawn.append(
            _shape(number, end + 18, heights[number], 5.0, colour) + _name(name, end + 12, height, heights[number])
        )
    return _svg(title, drawn)


def bars(values: Sequence[tuple[str, float]], above: str, below: str, up: str, title: str) -> str:
    """One bar a question, from the greatest gain to the greatest loss."""
    ordered = sorted(values, key=lambda one: -one[1])
    most = _above(max((abs(value) for _, value in ordered), default=0.0) or 0.1)
    right = WIDTH - 14
    y = _Axis(-most, most, HEIGHT - 30, _TOP)
    drawn = [_rules(y, _ticks(-most, most), right), _upright(up)]
    wide = (right - _LEFT) / max(len(ordered), 1)
    for number, (name, value) in enumerate(ordered):
        top, bottom = sorted((y.at(value), y.at(0.0)))
        kind = "gain" if value > 0 else "loss" if value < 0 else "same"
        drawn.append(
            f'<rect class="{kind}" x="{_LEFT + number * wide + wide * 0.08:.2f}" y="{top - (value == 0):.1f}"'
            f' width="{max(wide * 0.84, 0.5):.2f}" height="{max(bottom - top, 2.0):.1f}">'
            f"<title>{escaped(name)}: {value:+.3f}</title></rect>"
        )
    drawn.append(f'<text x="{right}" y="{_TOP + 16}" text-anchor="end">▲ {escaped(above)}</text>')
    drawn.append(f'<text x="{_LEFT + 6}" y="{HEIGHT - 38}">▼ {escaped(below)}</text>')
    drawn.append(f'<text x="{(_LEFT + right) / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">')
    drawn.append(f"{len(ordered):,} questions, one bar each</text>")
    return _svg(title, drawn)


def mark(number: int) -> str:
    """The shape of a series by itself, to stand beside its name in a text."""
    shape = _shape(number, 7, 7, 5, f"var(--series-{number % COLOURS})")
    return f'<svg class="mark" viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">{shape}</svg>'


def _svg(title: str, drawn: Sequence[str]) -> str:
    label = escaped(title)
    return f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(drawn)}</svg>'


def _frame(x: _Axis, y: _Axis, xs: Sequence[float], ys: Sequence[float], across: str, up: str) -> str:
    bottom = HEIGHT - _BOTTOM
    drawn = [_rules(y, ys, WIDTH - _RIGHT), _upright(up)]
    before = -math.inf
    for tick in xs:
        at = x.at(tick)
        drawn.append(f'<path class="rule" d="M{at:.1f} {bottom}v5"/>')
        if at - before > 30:
            drawn.append(f'<text x="{at:.1f}" y="{bottom + 20}" text-anchor="middle">{tick:g}</text>')
            before = at
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    drawn.append(f'<text class="axis" x="{middle:.0f}" y="{HEIGHT - 10}" text-anchor="middle">{escaped(across)}</text>')
    return "".join(drawn)


def _rules(y: _Axis, ticks: Sequence[float], right: float) -> str:
    return "".join(
        f'<path class="rule" d="M{_LEFT} {y.at(tick):.1f}H{right}"/>'
        f'<text x="{_LEFT - 8}" y="{y.at(tick) + 4.5:.1f}" text-anchor="end">{round(tick, 6) + 0.0:g}</text>'
        for tick in ticks
    )


def _upright(words: str) -> str:
    middle = (HEIGHT - _BOTTOM + _TOP) / 2
    return (
        f'<text class="axis" transform="translate(14 {middle:.0f}) rotate(-90)" text-anchor="middle">'
        f"{escaped(words)}</text>"
    )


def _name(name: str, x: float, y: float, height: float, left: bool = False) -> str:
    short = name if len(name) <= _LETTERS else f"{name[:6]}…{name[-6:]}"  # names of a grid differ at the end
    side, anchor = (-1, "end") if left else (1, "start")
    path = f"M{x + side * 8:.1f} {y:.1f}L{x + side * 12:.1f} {height:.1f}"
    leader = f'<path class="leader" d="{path}"/>' if abs(height - y) > 3 else ""
    place = f'x="{x + side * 14:.1f}" y="{height + 4.5:.1f}" text-anchor="{anchor}"'
    return f'{leader}<text class="name" {place}>{escaped(short)}</text>'


def _in_the_way(place: tuple[float, float], others: Sequence[tuple[float, float]], letters: int) -> bool:
    """Whether a name to the right of this place would be written over another point, and there is room to the left."""
    x, y = place
    wide = 20 + 8 * min(letters, _LETTERS)
    return x - wide > _LEFT and any(0 <= at - x < wide and abs(height - y) < 14 for at, height in others if at != x)


def _shape(number: int, x: float, y: float, size: float, colour: str) -> str:
    """A circle, a square, a triangle or a diamond."""
    kind = (number + number // COLOURS) % 4  # so that the ninth is not the first again
    if kind == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}" fill="{colour}"/>'
    corners = {
        1: ((-1, -1), (1, -1), (1, 1), (-1, 1)),
        2: ((0, -1.2), (1.1, 0.9), (-1.1, 0.9)),
        3: ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    }[kind]
    path = " ".join(f"{x + size * right:.1f},{y + size * down:.1f}" for right, down in corners)
    return f'<polygon points="{path}" fill="{colour}"/>'


def _apart(heights: Sequence[float], left: Sequence[bool] = ()) -> list[float]:
    """The same heights, pushed apart until every name on a side can be read."""
    moved = list(heights)
    for side in (False, True):
        own = [number for number in range(len(heights)) if (number < len(left) and left[number]) == side]
        order = sorted(own, key=lambda number: heights[number])
        for before, number in pairwise(order):
            moved[number] = max(moved[number], moved[before] + _CLOSEST)
        limit = float(HEIGHT - _BOTTOM)
        for number in reversed(order):
            moved[number] = min(moved[number], limit)
            limit = moved[number] - _CLOSEST
    return moved


def _step(span: float) -> float:
    """A round step that makes about five of a span."""
    rough = span / 5
    power = 10.0 ** math.floor(math.log10(rough))
    return min((factor * power for factor in (1, 2, 2.5, 5, 10)), key=lambda step: abs(step - rough))


def _ticks(first: float, last: float) -> list[float]:
    step = _step(last - first)
    start = math.ceil(first / step - 1e-9)
    return [round(number * step, 9) for number in range(start, math.floor(last / step + 1e-9) + 1)]


def _above(value: float) -> float:
    step = _step(value)
    return math.ceil(value * 1.05 / step) * step
