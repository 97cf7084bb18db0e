"""Files of a user's, for the readers of them."""

import pytest


@pytest.fixture
def file(tmp_path):
    """Writes a file of text in an encoding, or of bytes as they are."""

    def write(content, encoding="utf-8"):
        path = tmp_path / "data"
        raw = content if isinstance(content, bytes) else content.encode(encoding)
        path.write_bytes(raw)
        return path

    return write
