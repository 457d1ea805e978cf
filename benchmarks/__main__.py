"""`python -m benchmarks NAME [options]`. Without a name: what there is."""

from __future__ import annotations

import argparse
import sys

try:
    from benchmarks import fraud
    from benchmarks.trace import command as trace
    from benchmarks.verdict import command as verdict
except ModuleNotFoundError as missing:
    raise SystemExit(
        f"This Python has no {missing.name}. The benchmarks run in the environment of the tests: make it with\n"
        "    python3 start.py test --version\nand activate it as CONTRIBUTING.md says."
    ) from None

BENCHMARKS = {"fraud": fraud, "trace": trace, "verdict": verdict}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Versions of one job, side by side."
    )
    names = parser.add_subparsers(dest="name", metavar="NAME")
    for name, benchmark in BENCHMARKS.items():
        benchmark.add_options(names.add_parser(name, help=benchmark.SUMMARY, description=benchmark.SUMMARY))
    options = parser.parse_args(arguments)
    if options.name is None:
        print("Benchmarks (python -m benchmarks NAME --help says more):")
        for name, benchmark in BENCHMARKS.items():
            print(f"  {name:12s}{benchmark.SUMMARY}")
        return 0
    try:
        return BENCHMARKS[options.name].run(options)
    except KeyboardInterrupt:
        print("\nStopped. Workers are ended and temporary files removed.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
