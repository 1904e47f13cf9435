"""`upbench bench`: quality, diagnosis, speed, torch versions and the report, one after the other."""

import argparse
import sys
from typing import TYPE_CHECKING

from upbench.bench.cli import diagnose, duet, options, quality, report, speed
from upbench.bench.errors import UsageError

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers

# Fewer cells than `upbench duet` compares by itself, so that a short budget holds enough pairs of processes.
VERSION_METHODS = ("nearest", "bilinear", "bicubic")
VERSION_WORKLOADS = ("cifar", "image")


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "bench",
        help="the main job: quality, diagnosis, speed, torch versions, and the report",
        example="upbench bench --methods bilinear bicubic --scales 2 --device cpu --torch 2.14.0 2.15.0",
    )
    options.add_methods(parser)
    options.add_scales(parser)
    options.add_device(parser)
    options.add_dtypes(parser)
    options.add_quality_options(parser)
    options.add_speed_options(parser)
    gate = parser.add_argument_group("torch versions")
    gate.add_argument(
        "--torch", nargs="+", metavar="VERSION", help="releases, pythons or environments; each against the first"
    )
    gate.add_argument("--threshold", default="3%", metavar="SHARE", help="smallest slowdown to report (default: 3%%)")
    gate.add_argument("--budget", default="45s", metavar="TIME", help="time for each comparison (default: 45s)")
    gate.add_argument("--report-only", action="store_true", help="a slower torch is reported, not an exit code of 1")
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run every stage and write the report; a regression outweighs a failure."""
    speed.planned(arguments)  # a wrong name is told before anything is measured
    versions = _duet_arguments(arguments) if arguments.torch else None
    codes: list[int] = [stage.run(arguments) for stage in (quality, diagnose, speed)]
    if versions:
        codes.append(_compare(versions, report_only=arguments.report_only))
    codes.append(report.run(argparse.Namespace(folder=arguments.out)))
    return options.EXIT_REGRESSION if options.EXIT_REGRESSION in codes else max(codes)


def _compare(arguments: argparse.Namespace, *, report_only: bool) -> int:
    """The version gate; that it cannot run is no reason to lose the report."""
    try:
        code = duet.run(arguments)
    except UsageError as error:
        print(f"upbench: the torch versions were not compared: {error}", file=sys.stderr)
        return options.EXIT_FAILED
    if code == options.EXIT_REGRESSION and report_only:
        print("The slower cells are reported only; name versions with --torch to have them fail the run.")
        return options.EXIT_OK
    return code


def _duet_arguments(arguments: argparse.Namespace) -> argparse.Namespace:
    """What `upbench duet` would be asked; raises `UsageError` for fewer than two versions."""
    if len(arguments.torch) < 2:
        raise UsageError("--torch takes at least two versions: the baseline first.")
    words = ["duet", "--baseline", arguments.torch[0], "--candidate", *arguments.torch[1:]]
    words += ["--device", arguments.device, "--threshold", arguments.threshold, "--budget", arguments.budget]
    words += ["--out", str(arguments.out), "--scales", *map(str, arguments.scales[:1])]
    words += ["--workloads", *VERSION_WORKLOADS]
    if names := arguments.methods or ([] if arguments.method else VERSION_METHODS):
        words += ["--methods", *names]
    for spec in arguments.method:
        words += ["--method", spec]
    parser = argparse.ArgumentParser(prog="upbench")
    duet.add(parser.add_subparsers(parser_class=options.Parser))
    asked: argparse.Namespace = parser.parse_args(words)
    return asked
