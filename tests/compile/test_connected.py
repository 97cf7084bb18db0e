"""What depends on itself."""

from minigrad.compile.connected import strongly_connected


def test_strongly_connected_parts_are_numbered_after_what_they_read():
    assert strongly_connected([[1], [0], [0], []]) == [0, 0, 1, 2]
    chain = [[i + 1] for i in range(5000)] + [[]]
    assert strongly_connected(chain)[0] == 5000
