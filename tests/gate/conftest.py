import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FAKE = Path(__file__).with_name("fake_worker.py")
Fake = Callable[..., Path]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Makes a "python" that is a fake worker of the given behaviour, and returns its path."""

    def make(name: str = "fake", **behaviour: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        script = folder / "python"
        shutil.copyfile(FAKE, script)
        text = script.read_text().replace("#!/usr/bin/env python3", f"#!{sys.executable}", 1)
        script.write_text(text)
        script.chmod(0o755)
        (folder / "behaviour.json").write_text(json.dumps(behaviour))
        return script

    return make
