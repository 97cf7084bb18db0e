"""What lives in one process and one graph, and is therefore not pickled or copied.

A node is known by its identity, an op by the function it was declared with: a copy
would be equal to nothing. Each class says what to save in its place.

>>> class Place(NotPickled):
...     _instead = "save its name"
>>> Place().__reduce__()
Traceback (most recent call last):
TypeError: a Place is not pickled or copied: save its name
"""

from typing import ClassVar, NoReturn


class NotPickled:
    """The base of such classes; ``_instead`` says what to do."""

    __slots__ = ()
    _instead: ClassVar[str]

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} is not pickled or copied: {self._instead}"
        )
