#!/bin/sh
# Records under load, in both suites: 20 frames of 5 MB a second for MINUTES (10), then 10 GB in one file.
# sh benches/record-load.sh [MINUTES] [FOLDER]    the folder needs 11 GB; whole records are removed as it goes
set -eu
minutes=${1:-10}
folder=${2:-${TMPDIR:-/tmp}}
cd "$(dirname "$0")/.."
cargo build --quiet --release -p beluga-sinks --example record_load
load="${CARGO_TARGET_DIR:-target}/release/examples/record_load"
for suite in edge-256 core-512; do
    "$load" paced $suite $((minutes * 60)) "$folder"
done
for suite in edge-256 core-512; do
    "$load" large $suite 10 "$folder"
done
