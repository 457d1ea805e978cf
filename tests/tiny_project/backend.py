"""Builds the tiny project; while there is a file `hold`, it stays at it and says so by a file `holding`."""

from __future__ import annotations

import os
import time
import zipfile
from pathlib import Path

INFO = "corewise-1.0.dist-info/"
FILES = {
    INFO + "METADATA": "Metadata-Version: 2.1\nName: corewise\nVersion: 1.0\n",
    INFO + "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    INFO + "entry_points.txt": "[console_scripts]\ncorewise = corewise_cli:main\n",
    INFO + "RECORD": "",
}


def build_editable(folder: str, settings: object = None, metadata: object = None) -> str:
    while Path("hold").exists():
        Path("holding").touch()
        time.sleep(0.05)
    with zipfile.ZipFile(os.path.join(folder, "corewise-1.0-py3-none-any.whl"), "w") as wheel:
        for name, text in FILES.items():
            wheel.writestr(name, text)
        wheel.writestr("corewise_here.pth", os.getcwd())
    return "corewise-1.0-py3-none-any.whl"
