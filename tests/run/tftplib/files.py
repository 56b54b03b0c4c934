"""Files with content that depends on nothing but a seed."""
import hashlib
import json
import pathlib
import random
import shutil
import tempfile


def pattern(size, seed=0):
    """`size` bytes that depend on nothing but `seed`."""
    source = random.Random(seed)
    chunks = [source.randbytes(min(1 << 20, size - done)) for done in range(0, size, 1 << 20)]
    return b"".join(chunks)


def sha256(path_or_bytes):
    digest = hashlib.sha256()
    if isinstance(path_or_bytes, (bytes, bytearray)):
        digest.update(path_or_bytes)
        return digest.hexdigest()
    with open(path_or_bytes, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


class Tree:
    """A temporary directory with a `root` to serve; `path("x")` is a name beside it, for what clients fetch."""

    def __enter__(self):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="tftpkit-run-"))
        self.base.chmod(0o755)
        self.root = self.base / "root"
        self.root.mkdir()
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.base, ignore_errors=True)

    def file(self, name, content):
        """Writes content (bytes, or a number of pattern bytes) and returns the bytes."""
        content = pattern(content, seed=name) if isinstance(content, int) else content
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o644)
        return content

    def config(self, **members):
        """Writes a configuration beside the root and returns its path."""
        path = self.base / "config.json"
        path.write_text(json.dumps(members, indent=2), encoding="utf-8")
        path.chmod(0o644)
        return path

    def path(self, name):
        return self.base / name
