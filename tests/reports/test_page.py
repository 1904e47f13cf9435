"""The page as a whole: what making it takes."""

import subprocess
import sys


def test_a_report_is_made_without_torch_and_scipy() -> None:
    code = "import sys, upbench.reports.page; print(sorted({'torch', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
