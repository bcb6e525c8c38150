#!/bin/sh
# What a live run of a VLP-16 costs and how late its frames are, hour after hour:
#
#   cargo build --release --no-default-features
#   cargo build --release -p beluga-ingest --example send
#   sh benches/live.sh BELUGA SEND CAPTURE.pcap TIMES
#
# Sends a capture of a VLP-16 TIMES times at its own pace over loopback, fuses, seals and tapes it, and
# prints every half minute the memory of the program, at the end its summary, its processor time and
# whether the tape replays to the same frames.
set -eu
beluga=$1 send=$2 capture=$3 times=$4
work=$(mktemp -d)
trap 'kill "$run" 2>/dev/null || true; rm -rf "$work"' EXIT
export BELUGA_HOME="$work/home"
cat > "$work/rig.toml" <<RIG
[[sensor]]
name = "front"
kind = "lidar"
model = "VLP-16"
source = "udp://127.0.0.1:23680"
RIG
"$beluga" --json live --rig "$work/rig.toml" --record "$work/live.mcap" --out "$work/live.maml" --view none \
    > "$work/live.json" 2> "$work/live.log" &
run=$!
while ! grep -qs listening "$work/live.log"; do sleep 0.1; done
"$send" "$capture" 127.0.0.1:23680 1 "$times" &
sender=$!
# Ends with the sender: a lidar's last scan stays open until the next packet comes, or the run ends.
seconds=0
while kill -0 "$sender" 2>/dev/null; do
    sleep 1
    seconds=$((seconds + 1))
    [ $((seconds % 30)) -eq 0 ] || continue
    printf '%s s  %s kB\n' "$(ps -o etimes= -p "$run")" "$(awk '/VmRSS/ { print $2 }' "/proc/$run/status")"
done
printf 'processor time %s of %s\n' "$(ps -o cputime= -p "$run")" "$(ps -o etime= -p "$run")"
kill -INT "$run"
wait "$run" || echo "ended with $?"
"$beluga" --json replay "$work/live.mcap" --out "$work/again.maml" --view none > "$work/again.json" 2>/dev/null || true
python3 - "$work/live.json" "$work/again.json" <<PY
import json, sys
live, again = (json.load(open(path)) for path in sys.argv[1:])
print("frames", live["frames"], "lost", live["lost"], "latency", live["latency"])
print("in the record", live["latency_recorded"])
for stage, told in live["stages"].items():
    print(stage, told)
print("heard", live["heard"][0]["tally"])
print("the tape gives the same frames:", live["frame_sha256"] == again["frame_sha256"])
PY
