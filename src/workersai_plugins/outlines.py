"""Polygons in the plane: whether one is simple, its area, and how much two overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import itemgetter

__all__ = ["Outline", "area", "bounds", "crossing", "overlap"]

Point = tuple[float, float]
Outline = tuple[Point, ...]
"""The corners in their order; the last is joined to the first."""
Edge = tuple[Point, Point]
Interval = tuple[float, float]


def area(outline: Outline) -> float:
    """Return the area with a sign (the shoelace formula): positive when x to y is the turn."""
    x0, y0 = outline[0]  # relative to a corner, so that far from the origin no digits are lost
    doubled = 0.0
    for (ax, ay), (bx, by) in zip(outline, [*outline[1:], outline[0]], strict=True):
        doubled += (ax - x0) * (by - y0) - (bx - x0) * (ay - y0)
    return doubled / 2


# --- simple polygons ---------------------------------------------------------------------------------


def crossing(outline: Outline) -> int | None:
    """Return the position of an edge that crosses or touches another one, or None for a simple polygon.

    Edge n goes from corner n to the next. Neighbours may share their corner
    and nothing else.
    """
    edges = _edges(outline)
    # Edges in the order of their left ends; those that ended before the present one begins are out.
    order = sorted(range(len(edges)), key=lambda n: min(edges[n][0][0], edges[n][1][0]))
    active: list[int] = []
    worst: int | None = None
    for n in order:
        left = min(edges[n][0][0], edges[n][1][0])
        active = [m for m in active if max(edges[m][0][0], edges[m][1][0]) >= left]
        for m in active:
            if _conflict(edges, m, n):
                worst = max(m, n) if worst is None else min(worst, max(m, n))
        active.append(n)
    return worst


def _edges(outline: Outline) -> list[Edge]:
    return list(zip(outline, [*outline[1:], outline[0]], strict=True))


def _conflict(edges: Sequence[Edge], m: int, n: int) -> bool:
    first, second = min(m, n), max(m, n)
    (a, b), (c, d) = edges[first], edges[second]
    if second == first + 1:
        return _doubles_back(a, b, d)
    if first == 0 and second == len(edges) - 1:
        return _doubles_back(c, d, b)
    return _touch(a, b, c, d)


def _doubles_back(a: Point, b: Point, c: Point) -> bool:
    """Return whether the way from `a` to `b` to `c` comes back on itself."""
    along = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1])
    return _turn(a, b, c) == 0 and along < 0


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _touch(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Return whether two segments have a point in common."""
    if max(a[1], b[1]) < min(c[1], d[1]) or max(c[1], d[1]) < min(a[1], b[1]):
        return False
    if max(a[0], b[0]) < min(c[0], d[0]) or max(c[0], d[0]) < min(a[0], b[0]):
        return False
    return _turn(a, b, c) * _turn(a, b, d) <= 0 and _turn(c, d, a) * _turn(c, d, b) <= 0


# --- overlap -----------------------------------------------------------------------------------------


def bounds(outline: Outline) -> tuple[float, float, float, float]:
    """Return the left, top, right and bottom of a polygon."""
    xs, ys = zip(*outline, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def overlap(a: Outline, b: Outline) -> float:
    """Return the intersection over union of two simple polygons.

    The plane is cut into upright strips at every corner and every crossing of
    the two outlines. Within a strip no edges cross, so each polygon is a set
    of trapezoids there, and the area of what they have in common is exactly
    its length in the middle of the strip times the strip's width.
    """
    if a == b:
        return 1.0
    if a > b:
        a, b = b, a  # so that it is the same to the last digit, whichever is named first
    if _apart(bounds(a), bounds(b)):
        return 0.0
    edges_a, edges_b = _from_left_to_right(a), _from_left_to_right(b)
    cuts = sorted({x for x, _ in (*a, *b)} | _crossings(edges_a, edges_b))
    common = everything = 0.0
    for width, inside_a, inside_b in zip(
        (right - left for left, right in pairwise(cuts)),
        _sections(edges_a, cuts),
        _sections(edges_b, cuts),
        strict=True,
    ):
        both = _common_length(inside_a, inside_b)
        common += both * width
        everything += (_length(inside_a) + _length(inside_b) - both) * width
    return min(1.0, common / everything) if everything > 0 else 0.0


def _apart(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def _from_left_to_right(outline: Outline) -> list[Edge]:
    """Return the edges that are not upright, each from left to right, those further left first."""
    return sorted((min(p, q), max(p, q)) for p, q in _edges(outline) if p[0] != q[0])


def _crossings(first: Sequence[Edge], second: Sequence[Edge]) -> set[float]:
    """Return where, from left to right, an edge of one outline crosses one of the other."""
    found = set()
    active: tuple[list[Edge], list[Edge]] = ([], [])
    for side, edge in sorted([*((0, edge) for edge in first), *((1, edge) for edge in second)], key=itemgetter(1)):
        others = active[1 - side]
        others[:] = [other for other in others if other[1][0] > edge[0][0]]
        for other in others:
            crossed = _crossed(edge, other) if side == 0 else _crossed(other, edge)
            if crossed is not None:
                found.add(crossed)
        active[side].append(edge)
    return found


def _crossed(one: Edge, other: Edge) -> float | None:
    """Return the x at which two edges cross, or None."""
    left, right = max(one[0][0], other[0][0]), min(one[1][0], other[1][0])
    before = _height(one, left) - _height(other, left)
    after = _height(one, right) - _height(other, right)
    return left + (right - left) * before / (before - after) if before * after < 0 else None


def _height(edge: Edge, x: float) -> float:
    (ax, ay), (bx, by) = edge
    return ay + (by - ay) * (x - ax) / (bx - ax)


def _sections(edges: Sequence[Edge], cuts: Sequence[float]) -> Iterator[list[Interval]]:
    """Yield for each strip where an upright line in its middle is inside, from top to bottom."""
    active: list[Edge] = []
    ahead = 0
    for left, right in pairwise(cuts):
        active = [edge for edge in active if edge[1][0] > left]
        while ahead < len(edges) and edges[ahead][0][0] <= left:
            active.append(edges[ahead])
            ahead += 1
        heights = sorted(_height(edge, (left + right) / 2) for edge in active)
        yield list(zip(heights[::2], heights[1::2], strict=False))


def _length(intervals: Sequence[Interval]) -> float:
    return sum(high - low for low, high in intervals)


def _common_length(first: Sequence[Interval], second: Sequence[Interval]) -> float:
    shared = (min(high, upper) - max(low, lower) for low, high in first for lower, upper in second)
    return sum(length for length in shared if length > 0)
