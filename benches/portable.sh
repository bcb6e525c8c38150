#!/bin/sh
# Whether a recording gives the same frame bytes on other CPUs, with --portable and without:
#
#   cargo build --no-default-features
#   sh benches/portable.sh BELUGA [RECORDING...]
#
# Needs qemu's user mode (Debian: qemu-user). With ARM=PROGRAM, a beluga for aarch64, that one takes part
# (Debian: gcc-aarch64-linux-gnu, whose libraries are in /usr/aarch64-linux-gnu):
#
#   rustup target add aarch64-unknown-linux-gnu
#   CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
#       cargo build --no-default-features --target aarch64-unknown-linux-gnu
#
# Without a recording: sample-data/quay, and one second of the simulator's scene `sample`, whose sonar gives
# waveforms. Prints the SHA-256 of all frame bytes from each machine, then what `run X.maml --input` says on
# the oldest machine of a portable record of this one. Ends with 1 if portable ones differ.
set -eu
beluga=$1
shift
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BELUGA_HOME="$work/home"
if [ $# -eq 0 ]; then
    "$beluga" sim --scene sample --seconds 1 --out "$work/sample" > "$work/sim.log" 2>&1
    set -- "$here/sample-data/quay" "$work/sample"
fi

# The program on a machine: `on MACHINE ARGUMENTS...`.
on() {
    machine=$1
    shift
    case $machine in
        this) "$beluga" "$@" ;;
        aarch64) qemu-aarch64 -L /usr/aarch64-linux-gnu "$ARM" "$@" ;;
        *) qemu-x86_64 -cpu "$machine" "$beluga" "$@" 2> "$work/qemu.log" ;;
    esac
}

# `frames MACHINE RECORDING RECORD [--portable]`: the SHA-256 of its frame bytes, on stdout.
frames() {
    machine=$1 recording=$2 record=$3
    shift 3
    # 1 and 3 tell of findings and losses in the data.
    on "$machine" --json replay "$recording" --out "$record" --view none "$@" > "$work/replay.json" 2> "$work/replay.log" ||
        [ $? -eq 3 ] || [ $? -eq 1 ] || { cat "$work/replay.log" >&2; exit 2; }
    sed -n 's/.*"frame_sha256": "\([0-9a-f]*\)".*/\1/p' "$work/replay.json"
}

machines="this Nehalem Haswell${ARM:+ aarch64}"
verdict=0
for recording in "$@"; do
    for how in "" --portable; do
        echo "$recording ${how:-(fastest)}"
        first=
        for machine in $machines; do
            record="$work/$machine$how.maml"
            rm -f "$record"
            # shellcheck disable=SC2086
            sha=$(frames "$machine" "$recording" "$record" $how)
            first=${first:-$sha}
            same=same
            [ "$sha" = "$first" ] || same=OTHER
            printf '  %-8s %s  %s\n' "$machine" "$sha" "$same"
            [ -z "$how" ] || [ "$same" = same ] || verdict=1
        done
    done
    echo "  run of this machine's record on Nehalem:"
    on Nehalem run "$work/this--portable.maml" --input "$recording" > "$work/run.txt" 2>/dev/null || verdict=1
    sed 's/^/    /' "$work/run.txt"
done
exit $verdict
