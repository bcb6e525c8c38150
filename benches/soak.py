#!/usr/bin/env python3
"""The reference rig live for as long as one likes, from a simulated minute that is sent round and round.

    cargo build --release --no-default-features
    cargo build --release -p beluga-ingest --example survey
    python3 benches/soak.py BELUGA SURVEY [--minutes 60] [--seed 1] [--rotate 1GB] [--keep 5GB] [--storm SEED]
                            [--recording soak.mcap] [--folder DIR] [--view none] [--replay] [--plot soak.svg]

Makes the recording of `benches/soak.toml` if there is none (some minutes of processor time), writes the rig that
hears it, starts `live` with a tape in parts and a sealed record, sends at full rate, and prints each half minute the
program's memory and its share of one core; at the end how memory went (a straight line through what was seen after
the first two minutes), what was lost and where, how late frames were by stage, and how large the tape is; --plot
draws memory and, minute by minute, how late frames were in the record. Then plays the tape that is left, if --replay
says so.
"""

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
LOOK_S = 5.0
# Buffers fill and maps grow to their size first.
WARM_S = 120.0


def seen(pid):
    """Resident memory in kB, and processor time in seconds."""
    status = Path(f"/proc/{pid}/status").read_text()
    memory = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return memory, (int(fields[11]) + int(fields[12])) / TICKS


def slope(points):
    """Of a straight line through (s, kB), in MB per hour; nothing of less than two."""
    if len(points) < 2:
        return None
    middle_s = sum(s for s, _ in points) / len(points)
    middle_kb = sum(kb for _, kb in points) / len(points)
    spread = sum((s - middle_s) ** 2 for s, _ in points)
    return sum((s - middle_s) * (kb - middle_kb) for s, kb in points) / spread * 3600 / 1000


def table(name, told):
    if told is None:
        return f"{name:22} none"
    return f"{name:22} p50 {told['p50_ms']:8.1f}  p99 {told['p99_ms']:8.1f}  max {told['max_ms']:8.1f} ms"


def drawn(points, minutes):
    """Memory in MB over minutes, and below it p50, p99 and the latest of each minute in ms by tens, as one SVG."""
    width, height, left, top, apart = 900, 240, 70, 30, 60
    span = max([passed / 60 for passed, _ in points] + [one["minute"] + 1 for one in minutes] + [1])
    panels = [
        ("memory, MB", float, [("resident", "#1b6ca8", [(s / 60, kb / 1000) for s, kb in points])]),
        (
            "from a frame's last data to the record, ms",
            lambda ms: math.log10(max(ms, 1.0)),
            [
                (name, colour, [(one["minute"] + 0.5, one[key]) for one in minutes])
                for name, colour, key in [
                    ("half", "#2a9d4a", "p50_ms"),
                    ("99 %", "#d98c00", "p99_ms"),
                    ("the latest", "#b3261e", "max_ms"),
                ]
            ],
        ),
    ]
    parts = []
    for panel, (title, scaled, lines) in enumerate(panels):
        base = top + panel * (height + apart) + height
        lines = [(name, colour, [(x, scaled(value)) for x, value in line]) for name, colour, line in lines]
        most = max([value for _, _, line in lines for _, value in line] + [1.0]) * 1.05
        if scaled is not float:
            most = 4.0 * math.ceil(most / 4.0)
        parts.append(f'<text x="{left}" y="{base - height - 8}">{title}</text>')
        for step in range(5):
            y, value = base - height * step / 4, most * step / 4
            value = value if scaled is float else 10.0**value
            parts.append(f'<path d="M{left} {y:.1f}H{left + width}" stroke="#ddd"/>')
            parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.4g}</text>')
        for step in range(7):
            x, minute = left + width * step / 6, span * step / 6
            parts.append(f'<text x="{x:.1f}" y="{base + 18}" text-anchor="middle">{minute:.3g} min</text>')
        for number, (name, colour, line) in enumerate(lines):
            path = " ".join(f"{left + width * x / span:.1f},{base - height * value / most:.1f}" for x, value in line)
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
            x = left + width - 100 * (len(lines) - number)
            parts.append(f'<text x="{x}" y="{base - height - 8}" fill="{colour}">{name}</text>')
    size = f'width="{left + width + 30}" height="{top + 2 * (height + apart)}"'
    style = 'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="12"'
    return f'<svg {size} {style}><rect width="100%" height="100%" fill="white"/>' + "".join(parts) + "</svg>\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("beluga")
    parser.add_argument("survey")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--recording", type=Path, default=Path("soak.mcap"))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--rotate", default="1GB")
    parser.add_argument("--keep", default="5GB")
    parser.add_argument("--storm")
    parser.add_argument("--view", default="none")
    parser.add_argument("--replay", action="store_true")
    parser.add_argument("--plot", type=Path)
    asked = parser.parse_args()
    if not asked.recording.exists():
        scene = Path(__file__).with_name("soak.toml")
        command = [asked.beluga, "sim", "--scene", scene, "--seed", asked.seed, "--returns", "none"]
        subprocess.run([*command, "--out", asked.recording], check=True)
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        soak(asked, Path(folder))


def soak(asked, folder):
    environment = {**os.environ, "BELUGA_HOME": str(folder / "home")}
    send = [asked.survey, asked.recording]
    subprocess.run([*send, "--rig", folder], check=True)
    command = [asked.beluga, "--json", "live", "--rig", folder / "rig.toml", "--record", folder / "soak.mcap"]
    command += ["--rotate", asked.rotate, "--keep", asked.keep, "--out", folder / "soak.maml", "--view", asked.view]
    log = folder / "live.log"
    with open(folder / "live.json", "w") as out, open(log, "w") as said:
        run = subprocess.Popen(command, stdout=out, stderr=said, env=environment)
    while log.read_text().count("listening for") < 3:
        if run.poll() is not None:
            sys.exit(f"live ended with {run.returncode}: {log.read_text()}")
        time.sleep(0.1)
    # Whole rounds are sent; the run is ended when its minutes are over.
    rounds = max(1, round(asked.minutes))
    storm = ["--storm", asked.storm] if asked.storm else []
    sender = subprocess.Popen([*send, "--times", str(rounds), *storm], stdout=subprocess.PIPE, text=True)
    began, points, next_line = time.time(), [], 30.0
    first_s = seen(run.pid)[1]
    while sender.poll() is None:
        time.sleep(LOOK_S)
        if run.poll() is not None:
            sender.kill()
            sys.exit(f"live ended with {run.returncode}: {log.read_text()[-2000:]}")
        memory, processor_s = seen(run.pid)
        passed = time.time() - began
        points.append((passed, memory))
        if passed >= next_line:
            share = 100 * (processor_s - first_s) / passed
            print(f"{passed:6.0f} s  {memory / 1000:7.1f} MB  {share:5.1f} % of a core", flush=True)
            next_line += 30.0
    memory, processor_s = seen(run.pid)
    passed = time.time() - began
    run.send_signal(signal.SIGINT)
    code = run.wait()
    told = json.loads((folder / "live.json").read_text())
    print(f"live ended with {code} after {passed:.0f} s")
    print(f"processor              {100 * (processor_s - first_s) / passed:.1f} % of one core")
    warm = [point for point in points if point[0] >= WARM_S]
    rate = slope(warm)
    print(f"memory                 {memory / 1000:.1f} MB, " + (f"{rate:+.2f} MB/h after {WARM_S:.0f} s" if rate is not None else "too short for a slope"))
    print(f"frames                 {told['frames']}, measurements {told['measurements']}")
    print(f"lost                   {told['lost']}")
    print(table("frame made", told["latency"]))
    print(table("frame in the record", told["latency_recorded"]))
    for stage, path in (told["stages"] or {}).items():
        print(table(stage, path))
    for edge in told["heard"]:
        print(f"{edge['name']:22} {edge['tally']}")
    parts = sorted(folder.glob("soak.*.mcap"))
    size = sum(part.stat().st_size for part in parts)
    print(f"tape                   {len(parts)} parts, {size / 1e9:.3f} GB; record {(folder / 'soak.maml').stat().st_size / 1e9:.3f} GB")
    print("sender                 " + "; ".join(sender.stdout.read().split("\n")).strip("; "))
    if asked.plot:
        asked.plot.write_text(drawn(points, told.get("latency_minutes", [])))
    if asked.replay:
        again = [asked.beluga, "--json", "replay", folder / "soak.mcap", "--out", folder / "again.maml", "--view", "none"]
        done = subprocess.run(again, capture_output=True, text=True, env=environment)
        played = json.loads(done.stdout)
        same = f"the same bytes as live: {played['frame_sha256'] == told['frame_sha256']}"
        whole = parts[0].name == "soak.0001.mcap"
        print(f"replay of what is kept {played['frames']} frames, {same if whole else 'the oldest parts are deleted'}")
        (folder / "again.maml").unlink()


if __name__ == "__main__":
    main()
