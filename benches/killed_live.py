#!/usr/bin/env python3
"""What is left of a live run that is killed: tape and record, again and again.

    cargo build --release --no-default-features
    cargo build --release -p beluga-ingest --example send
    python3 benches/killed_live.py BELUGA SEND CAPTURE.pcap [TIMES]

Sends a capture of a VLP-16 over loopback without an end, fuses, seals and tapes it, and kills the program (SIGKILL)
at a moment between 5 and 12 s drawn with a fixed seed. Then `recover` must open the tape and `maml recover` the
record. Printed is, over all kills, how long before the kill the last payload ended that the tape and the record still
have, of kills while the first data were still held and of the others.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# For its first four seconds a run holds what it hears, and a tape goes to the disk a second at a time.
HELD_S = 7.0
RIG = """[[sensor]]
name = "front"
kind = "lidar"
model = "VLP-16"
source = "udp://127.0.0.1:23681"
"""


def said(command, codes, environment):
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode not in codes:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def killed(beluga, folder, after_s, environment):
    """Seconds before the kill at which tape and record end."""
    rig, tape, record = folder / "rig.toml", folder / "live.mcap", folder / "live.maml"
    rig.write_text(RIG)
    command = [beluga, "live", "--rig", rig, "--record", tape, "--out", record, "--view", "none"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    run = subprocess.Popen(command, env=environment, **quiet)
    time.sleep(after_s)
    if run.poll() is not None:
        sys.exit(f"{beluga} ended by itself with {run.returncode}")
    run.send_signal(signal.SIGKILL)
    at = time.time()
    run.wait()
    of_tape = said([beluga, "--json", "recover", tape, "--out", folder / "whole.mcap"], (0, 1, 3), environment)
    whole = folder / "whole.maml"
    said([beluga, "--json", "maml", "recover", record, "--out", whole], (0, 3), environment)
    of_record = said([beluga, "--json", "maml", "inspect", whole], (0,), environment)
    return at - of_tape["until_ns"] * 1e-9, at - of_record["last_nanos"] * 1e-9


def main():
    beluga, send, capture = sys.argv[1:4]
    times = int(sys.argv[4]) if len(sys.argv) > 4 else 50
    draw = random.Random(7)
    sender = subprocess.Popen([send, capture, "127.0.0.1:23681", "1", "1000000"], stdout=subprocess.DEVNULL)
    ends = []
    try:
        for _ in range(times):
            with tempfile.TemporaryDirectory() as folder:
                environment = {**os.environ, "BELUGA_HOME": str(Path(folder) / "home")}
                after_s = draw.uniform(5, 12)
                ends.append((after_s, *killed(beluga, Path(folder), after_s, environment)))
    finally:
        sender.kill()
    print(f"{times} kills; seconds from the end of what is left to the kill:")
    for when, told in [
        ("before 7 s", [one for one in ends if one[0] < HELD_S]),
        ("after 7 s", [one for one in ends if one[0] >= HELD_S]),
    ]:
        for what, of in zip(["tape", "record"], (1, 2)):
            sorted_s = sorted(one[of] for one in told)
            if sorted_s:
                print(f"{len(told)} {when}, {what}: median {sorted_s[len(told) // 2]:.2f}, most {sorted_s[-1]:.2f}")


if __name__ == "__main__":
    main()
