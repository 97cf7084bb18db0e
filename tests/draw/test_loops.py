"""Round loops of the circuit, and the room for their letters."""

from minigrad.draw.textbook.drawing import Drawing
from minigrad.draw.textbook.loops import ROOM
from minigrad.draw.textbook.reading import read
from tests.draw.corpus import recorded


def test_a_slanted_arrow_leaves_room_for_the_letters_of_a_loop():
    column = Drawing(read(recorded("random 15"))).column("folded", "h")
    loop = next(a for a in column.later if a.source == a.target == "h")
    x, shift, _, side = column.loops[loop]
    low, high = column.height("u"), column.height("g")
    share = (column.height("h") + shift - low) / (high - low)
    met = column.x("u") + (column.x("g") - column.x("u")) * share
    assert side > 0
    assert met - x >= column.letters[loop] + ROOM - 1.0
