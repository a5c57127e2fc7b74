"""How large everything is on paper: ordinary print, and large print for those who ask for it.

Pure. Letters are in points, all the rest in millimetres. Large print keeps to the same page, codes and marks: only what
is read and written grows, so that the reader of scans reads it like any other layout.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of letters (`…_step`: from one line to the next) and of what a hand fills.

    `stacked`: the answer stands under its question, over the whole width, and texts run in one column.
    """

    body: float = 12.0
    body_step: float = 5.3
    title: float = 21.0
    heading: float = 14.0
    intro: float = 10.0
    intro_step: float = 4.4
    label: float = 9.0
    label_step: float = 3.6
    question: float = 9.5
    question_step: float = 4.0
    hint: float = 8.0
    hint_step: float = 3.2
    known: float = 10.0
    known_height: float = 4.3
    known_short: float = 24.0
    choice: float = 9.5
    unit: float = 9.0
    caption: float = 8.5
    person: float = 11.0
    person_band: float = 7.2
    side_title: float = 15.0
    side: float = 10.5
    side_step: float = 4.7
    code: float = 14.0
    piece: float = 10.0
    piece_step: float = 4.5
    note: float = 9.0
    note_step: float = 4.0
    sender: float = 9.0
    reference: float = 11.0
    reference_label: float = 8.5
    reference_step: float = 10.0
    deadline: float = 13.0
    foot: float = 8.5
    quote: float = 10.5
    quote_step: float = 4.8
    cell: float = 5.0
    cell_height: float = 7.0
    tick: float = 4.0
    tick_pitch: float = 5.1
    tick_gap: float = 1.7
    line: float = 8.0
    signature_width: float = 84.0
    signature_height: float = 26.0
    yes_no: float = 30.0
    pad: float = 0.8
    stacked: bool = False

    @property
    def large(self) -> bool:
        """Whether it is the large print."""
        return self.stacked


ORDINARY = Sizes()
LARGE = Sizes(
    body=16.0,
    body_step=7.2,
    title=24.0,
    heading=20.0,
    intro=16.0,
    intro_step=7.0,
    label=16.0,
    label_step=7.0,
    question=16.0,
    question_step=7.0,
    hint=16.0,
    hint_step=7.0,
    known=17.0,
    known_height=7.6,
    known_short=40.0,
    choice=16.0,
    unit=16.0,
    caption=16.0,
    person=18.0,
    person_band=11.0,
    side_title=20.0,
    side=16.0,
    side_step=7.0,
    code=20.0,
    piece=16.0,
    piece_step=7.0,
    note=16.0,
    note_step=7.0,
    sender=13.0,
    reference=15.0,
    reference_label=12.0,
    reference_step=12.0,
    deadline=16.0,
    foot=12.0,
    quote=16.0,
    quote_step=7.0,
    cell=7.5,
    cell_height=10.5,
    tick=6.0,
    tick_pitch=8.4,
    tick_gap=2.4,
    line=12.0,
    signature_width=130.0,
    signature_height=40.0,
    yes_no=46.0,
    pad=1.8,
    stacked=True,
)


def sizes_of(*, large: bool) -> Sizes:
    """The sizes of large print, or of ordinary print."""
    return LARGE if large else ORDINARY
