"""A clock whose hands are variables: ``ivm.render(build(), variables={"minutes": 754})``."""

import intervalvm as ivm
from intervalvm import var
from intervalvm.shapes import Shape, circle, polygon, rectangle, ring, segment, union

minutes = var("minutes", 10 * 60 + 9)  # since midnight


LOOK = {"ink": "#1f2a44", "paper": "#f3efe4"}


def hands() -> Shape:
    """They turn clockwise, from the top."""
    hour = polygon([(-0.045, -0.12), (0.045, -0.12), (0.03, 0.42), (0, 0.5), (-0.03, 0.42)])
    minute = polygon([(-0.03, -0.15), (0.03, -0.15), (0.018, 0.68), (0, 0.76), (-0.018, 0.68)])
    return hour.rotate(minutes * -0.5) | minute.rotate(minutes * -6) | circle(0.07)


def build() -> Shape:
    rim = ring(0.97, 0.92)
    marks = union(
        rectangle(0.03, 0.012).move(0.865).repeat_around(60),
        rectangle(0.09, 0.03).move(0.835).repeat_around(12),
        rectangle(0.13, 0.06).move(0.815).repeat_around(4),
    )
    pendulum = segment((0, -0.3), (0, -0.52), 0.008) | ring(0.1, 0.085).move(0, -0.6)
    # a gap around the hands keeps them apart from what they pass over
    return ((rim | marks | pendulum) - hands().offset(0.02)) | (hands() - circle(0.025))


if __name__ == "__main__":
    ivm.render(build(), antialias=4, **LOOK).save("clock.png")
    print("clock.png")
