#!/usr/bin/env python3
"""How often the truth lies in the stated 95 % of the pose, over levels and seeds, with navigation and
without.

    python3 benches/coverage.py [BELUGA] [--rows NAME,NAME…] [--soundings]

BELUGA is the program (default: `target/release/beluga`). Each row simulates, fuses and scores its worlds with
`beluga eval --seeds`; the levels' files are taken with one ping in ten seconds, as the sonar does not enter
the pose. The lidar alone begins at the true first pose. Printed are the coverages of all six axes, of the
position and of the rotation (goal: 90 to 98 %), the 95 % interval of that mean over runs (Student's), the least of any run, and how large errors are beside what is stated of
them: the root of the mean normalised square over its freedom, 1 where sigmas are true. Seeds of the rows
are none that anything was chosen on.

A slow error of navigation hardly changes in a run, so that a run with it is hardly more than one draw. An estimator that is
exactly as good as it says holds 85 % or less over three runs of 40 s in one case of eight, and the least of
twelve runs of 6 s holds 62 % in the middle: few seeds show large faults only.

With --soundings: how often it lies in the stated 95 % of the sonar's points by their own part alone, of the
points as a whole, and of averages over cells, all with navigation. Levels whose sonar sits, or whose
water is, otherwise than the recording states, and those with echoes by mirrors, are run once more without.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Level, seconds, first seed, seeds.
ROWS = [
    ("sample", 6, 41, 12),
    ("s0-tank", 15, 41, 2),
    ("s1-quay", 30, 41, 6),
    ("s2-swell", 20, 41, 3),
    ("s3-pier", 20, 41, 2),
    ("s4-tunnel", 40, 41, 3),
    ("s5-storm", 40, 41, 20),
]
KINDS = ["pose", "pose position", "pose rotation"]
# The same for soundings, with what is left out of the level.
SOUNDING_ROWS = [
    ("sample", 6, 41, 3, None),
    ("s0-tank", 8, 41, 2, None),
    ("s1-quay", 10, 41, 3, None),
    ("s2-swell", 6, 41, 2, None),
    ("s2-swell", 6, 41, 2, "faults"),
    ("s3-pier", 6, 41, 2, None),
    ("s3-pier", 6, 41, 2, "mirrors"),
]
SOUNDING_KINDS = ["sonar point, own error only", "sonar point", "sonar cell average"]


def scene(name, folder):
    """The level with hardly any sonar, as a file; what is no file is called by its name."""
    path = ROOT / "sim" / "scenes" / f"{name}.toml"
    if not path.exists():
        return name
    text = path.read_text()
    if "[sonar]" in text:
        lines = text.splitlines()
        start = lines.index("[sonar]")
        end = next((i for i in range(start + 1, len(lines)) if lines[i].startswith("[")), len(lines))
        kept = [line for line in lines[start + 1 : end] if not line.startswith("rate_hz")]
        lines[start + 1 : end] = ["rate_hz = 0.1", *kept]
        text = "\n".join(lines) + "\n"
    else:
        text += "\n[sonar]\nrate_hz = 0.1\n"
    copy = Path(folder) / f"{name}.toml"
    copy.write_text(text)
    return str(copy)


def without(name, what, folder):
    """The level without its faults or its mirrors, as a file."""
    path = ROOT / "sim" / "scenes" / f"{name}.toml"
    if what is None:
        return str(path) if path.exists() else name
    kept, faulty = [], False
    for line in path.read_text().splitlines():
        if line.startswith("["):
            faulty = what == "faults" and line.startswith("[faults")
        if not faulty and not (what == "mirrors" and line.startswith("multipath")):
            kept.append(line)
    copy = Path(folder) / f"{name}-without-{what}.toml"
    copy.write_text("\n".join(kept) + "\n")
    return str(copy)


def scored(program, place, row, *more):
    _, seconds, first, seeds = row
    command = [program, "eval", "--json", "--scene", place, "--seeds", str(seeds)]
    command += ["--first-seed", str(first), "--seconds", str(seconds), *more]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip().splitlines()[-1:]}")
    return json.loads(done.stdout)


def run(program, row, folder, alone):
    more = ["--without-navigation"] if alone else []
    shown = scored(program, scene(row[0], folder), row, *more)
    kinds = {kind["what"]: kind for kind in shown["over_runs"]}
    off = [one["score"]["trajectory"]["unaligned_m"] for one in shown["runs"]]
    rmse_cm = 100 * math.sqrt(sum(value * value for value in off) / len(off))
    return rmse_cm, [kinds[kind] for kind in KINDS]


def held_95(kind):
    """A coverage with the 95 % interval of its mean."""
    interval = kind["coverage_95"]
    return f"{100 * kind['coverage']:.0f}" + ("" if interval is None else f" ± {100 * interval:.0f}")


def soundings(program, wanted, folder):
    print("| level, seconds, seeds | median, 95 % | 95 % held: own part, point, cell average | least | error / stated |")
    print("|---|---|---|---|---|")
    for *row, what in [row for row in SOUNDING_ROWS if wanted is None or row[0] in wanted]:
        shown = scored(program, without(row[0], what, folder), row)
        kinds = {kind["what"]: kind for kind in shown["over_runs"]}
        kinds = [kinds[kind] for kind in SOUNDING_KINDS]
        held = ", ".join(f"{100 * kind['coverage']:.0f}" for kind in kinds)
        least = ", ".join(f"{100 * kind['least']:.0f}" for kind in kinds)
        ratio = ", ".join(f"{math.sqrt(kind['mean_squared'] / kind['freedom']):.2f}" for kind in kinds)
        sonar = [one["score"]["sonar"] for one in shown["runs"]]
        median, most = [100 * sum(one[key] for one in sonar) / len(sonar) for key in ["median_m", "p95_m"]]
        name, seconds, first, seeds = row
        seen = f"{name}{f' without {what}' if what else ''}, {seconds} s, {first} to {first + seeds - 1}"
        print(f"| {seen} | {median:.1f}, {most:.1f} cm | {held} % | {least} % | {ratio} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("beluga", nargs="?", default=str(ROOT / "target" / "release" / "beluga"))
    parser.add_argument("--rows", help="only these, with commas between")
    parser.add_argument("--soundings", action="store_true", help="the sonar's points instead of the pose")
    options = parser.parse_args()
    wanted = options.rows.split(",") if options.rows else [row[0] for row in ROWS]
    if options.soundings:
        with tempfile.TemporaryDirectory() as folder:
            soundings(options.beluga, wanted if options.rows else None, folder)
        return
    print("| level, seconds, seeds | with | RMSE | 95 % held: pose, position, rotation | least | error / stated |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for row in [row for row in ROWS if row[0] in wanted]:
            for alone in [False, True]:
                rmse_cm, kinds = run(options.beluga, row, folder, alone)
                held = ", ".join(held_95(kind) for kind in kinds)
                least = ", ".join(f"{100 * kind['least']:.0f}" for kind in kinds)
                ratio = ", ".join(f"{math.sqrt(kind['mean_squared'] / kind['freedom']):.2f}" for kind in kinds)
                name, seconds, first, seeds = row
                what = "the lidar alone" if alone else "navigation"
                seen = f"{name}, {seconds} s, {first} to {first + seeds - 1}"
                print(f"| {seen} | {what} | {rmse_cm:.1f} cm | {held} % | {least} % | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
