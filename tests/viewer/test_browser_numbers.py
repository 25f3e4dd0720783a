"""The page's decimal numbers, by which it zooms beyond floats, against Python's fractions."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.windows import served

from intervalvm import save
from intervalvm.shapes import circle

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

DIGITS = st.text("0123456789", max_size=40)
TEXTS = st.builds(
    lambda sign, whole, part, exponent: f"{sign}{whole or '0'}.{part}{exponent}",
    st.sampled_from(["", "-", "+"]),
    DIGITS,
    DIGITS,
    st.just("") | st.integers(-60, 60).map(lambda n: f"e{n}"),
)
FLOATS = st.floats(-1e300, 1e300)


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page with the module's names in ``of``."""
    path: Path = tmp_path_factory.mktemp("plane") / "circle.vm"
    save(circle(0.5), path)
    with served(path) as server:
        found = browser.new_page()
        found.goto(server.link)
        found.evaluate("async () => { window.of = await import('/viewer.js'); }")
        yield found
        found.close()


def asked(page: Page, script: str, *values: Any) -> Any:
    return page.evaluate(f"(values) => {{ const {{ Decimal }} = of; return {script}; }}", values)


@given(a=TEXTS, b=TEXTS)
def test_sums_are_exact(page: Page, a: str, b: str) -> None:
    script = (
        "['plus', 'minus'].map((sum) => Decimal.of(values[0])[sum](Decimal.of(values[1])) + '')"
    )
    plus, minus = asked(page, script, a, b)
    assert Fraction(plus) == Fraction(a) + Fraction(b)
    assert Fraction(minus) == Fraction(a) - Fraction(b)
    assert "e" not in plus


@given(value=FLOATS)
def test_numbers_come_back(page: Page, value: float) -> None:
    assert float(asked(page, "Decimal.of(values[0]).toNumber()", value)) == value


@given(text=TEXTS, places=st.integers(0, 50))
def test_rounding_is_to_the_nearest(page: Page, text: str, places: int) -> None:
    rounded = Fraction(asked(page, f"Decimal.of(values[0]).to({places}) + ''", text))
    assert (rounded * 10**places).denominator == 1
    assert abs(rounded - Fraction(text)) <= Fraction(1, 2 * 10**places)


@pytest.mark.parametrize("text", ["", ".", "1e", "0x10", "1,5", "Infinity", "NaN", "1 2", "--1"])
def test_other_texts_are_refused(page: Page, text: str) -> None:
    assert asked(
        page, "(() => { try { Decimal.of(values[0]) } catch (e) { return e.name } })()", text
    ) == ("RangeError")


SIZE = [640, 400]
MOVES = st.lists(
    st.tuples(st.sampled_from(["pan", "zoom"]), st.floats(-300, 300), st.floats(-200, 200)),
    max_size=12,
)


@given(moves=MOVES, scale=st.integers(-200, 20).map(lambda n: 10.0**n))
def test_point_under_the_pointer_stays(page: Page, moves: Any, scale: float) -> None:
    """To a hundredth of a pixel, however far the view is zoomed."""
    script = """(() => {
        const [moves, size, scale] = values;
        let view = new of.PlaneView(Decimal.of("0.3"), Decimal.of("-0.7"), scale);
        const point = (at) => view.center.map((part, i) => part.plus(
            Decimal.of((at[i] - size[i] / 2) * view.pixel(size) * (i ? -1 : 1))));
        return moves.map(([kind, dx, dy]) => {
            const at = [320 + dx, 200 + dy];
            const before = kind === "pan" ? point([320, 200]) : point(at);
            if (kind === "pan") view = view.panned(dx, dy, size);
            else view = view.zoomed(Math.exp(dx / 300), at, size);
            const after = point(at);
            return after.map((part, i) => part.minus(before[i]).toNumber() / view.pixel(size));
        });
    })()"""
    for off in asked(page, script, moves, SIZE, scale):
        assert off == pytest.approx([0, 0], abs=1e-2)
