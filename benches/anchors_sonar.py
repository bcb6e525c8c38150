#!/usr/bin/env python3
"""BELUGA's pulse compression beside scipy's, pyfftw's and echopype's, on the same pings, in one run, on
one thread, in CPU time.

    python3 benches/anchors_sonar.py [--pings N] [--rounds N]

A thousand pings of 65,536 samples with a replica of 4,096 (and the one in its middle), to the envelope. Two kinds of samples: real
ones, and I/Q around the middle of the pulse. Every program gets the samples in memory, in the type it
works in, in blocks of 50 pings; the transform of the replica and all plans are made before. What it gives
must be the same to 1e-4 of the peak, over every sample for which the whole replica lies in the ping.
BELUGA is run twice: as it runs, where the output has the rate that the pulse's band needs (of the band's
2.5 samples at least, which is one in four here; each is what it is among all), and with every sample.

Then a multibeam's budget: 256 beams of 4,096 samples, 15 times a second, from the samples to placed
soundings.

Other programs are installed from PyPI into `target/anchors-sonar`.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / "target" / "anchors-sonar"
PACKAGES = ["numpy", "scipy", "pyfftw", "echopype"]
# One thread everywhere, before anything that could start more is imported.
THREADS = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"]

SAMPLES, REPLICA, BLOCK = 65_536, 4_097, 50
SECONDS = (REPLICA - 1) / 1e6
RATE_HZ, BAND_HZ, CENTRE_HZ = 1e6, 100e3, 150e3


def enter_venv():
    """Runs this file again with a Python that has the other programs."""
    python = VENV / "bin" / "python3"
    if Path(sys.prefix).resolve() == VENV.resolve():
        return
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    probe = [python, "-c", "import numpy, scipy, pyfftw, echopype"]
    if subprocess.run(probe, stderr=subprocess.DEVNULL).returncode:
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run(pip + PACKAGES, check=True)
    os.execve(python, [str(python), *sys.argv], {**os.environ, **dict.fromkeys(THREADS, "1")})


def sweep(centre_hz):
    """The complex replica: a linear sweep around a frequency, with a sample in its middle."""
    t = (np.arange(REPLICA) - REPLICA // 2) / RATE_HZ
    return np.exp(2j * np.pi * (centre_hz * t + 0.5 * BAND_HZ / SECONDS * t * t))


def pings(count, replica, real):
    """Noise, and in each ping three echoes of which the first is the strongest."""
    chance = np.random.default_rng(7)
    kind = "f4" if real else "c8"
    made = chance.standard_normal((count, SAMPLES, 1 if real else 2), "f4")
    made = made[..., 0] if real else np.ascontiguousarray(made).view("c8")[..., 0]
    for number, row in enumerate(made):
        for place, amplitude in ((10_000 + number % 97, 2.0), (30_000, 0.5), (50_001, 0.2)):
            echo = amplitude * replica
            row[place : place + REPLICA] += (echo.real if real else echo).astype(kind)
    return made


def rows_of(real, replica):
    """The Python rows. All give the valid part's envelope, in the amplitude of the echo."""
    n = sfft.next_fast_len(SAMPLES + REPLICA - 1)
    valid = SAMPLES - REPLICA + 1
    energy = (np.abs(replica) ** 2).sum()
    twin = 2.0 if real else 1.0
    spectrum = np.conj(np.fft.fft(replica, n)) * (twin / energy)
    c64 = spectrum.astype("c8")
    backwards = np.conj(replica[::-1]) * (twin / energy)

    def one_shot_c64(x):
        return np.abs(sfft.ifft(sfft.fft(x.astype("c8", copy=False), n) * c64, overwrite_x=True)[:, :valid])

    def fftconvolve(x):
        return np.abs(signal.fftconvolve(x, backwards.astype("c8")[None], "valid", axes=1))

    def oaconvolve(x):
        return np.abs(signal.oaconvolve(x, backwards.astype("c8")[None], "valid", axes=1))

    # Overlap-save by hand, with many blocks in one transform: no Python program ships it.
    block = 16_384
    step = block - REPLICA + 1
    starts = range(0, valid, step)
    h_block = (np.conj(np.fft.fft(replica, block)) * (twin / energy)).astype("c8")
    padded = np.zeros((BLOCK, starts[-1] + block), "f4" if real else "c8")

    def overlap_save(x):
        padded[: len(x), :SAMPLES] = x
        windows = np.lib.stride_tricks.sliding_window_view(padded[: len(x)], block, axis=1)[:, ::step]
        y = sfft.ifft(sfft.fft(windows.astype("c8", copy=False)) * h_block, overwrite_x=True)
        return np.abs(y[:, :, :step]).reshape(len(x), -1)[:, :valid]

    made = [
        ("scipy fftconvolve c64", fftconvolve),
        ("scipy oaconvolve c64", oaconvolve),
        ("scipy.fft c64", one_shot_c64),
        ("scipy.fft c64, overlap-save", overlap_save),
        ("echopype's convolution f64", lambda x: echopype_rows(x, replica, real)),
    ]
    if real:
        weight = spectrum[: n // 2 + 1].astype("c8")

        # What lies below zero frequency of the replica is left out.
        def analytic(x):
            y = np.zeros((len(x), n), "c8")
            np.multiply(sfft.rfft(x, n), weight, out=y[:, : n // 2 + 1])
            return np.abs(sfft.ifft(y, overwrite_x=True)[:, :valid])

        made.insert(2, ("scipy.fft rfft, analytic f32", analytic))
    a, b = pyfftw.empty_aligned((BLOCK, n), "c8"), pyfftw.empty_aligned((BLOCK, n), "c8")
    forward = pyfftw.FFTW(a, b, axes=(1,), flags=("FFTW_MEASURE",), threads=1)
    inverse = pyfftw.FFTW(b, a, axes=(1,), direction="FFTW_BACKWARD", flags=("FFTW_MEASURE",), threads=1)

    def fftw(x):
        a[:, SAMPLES:] = 0
        a[: len(x), :SAMPLES] = x
        forward()
        np.multiply(b, c64, out=b)
        inverse(normalise_idft=True)
        return np.abs(a[: len(x), :valid])

    made.append(("pyfftw c64, MEASURE", fftw))
    if real:
        r, c = pyfftw.empty_aligned((BLOCK, n), "f4"), pyfftw.empty_aligned((BLOCK, n // 2 + 1), "c8")
        rfft = pyfftw.FFTW(r, c, axes=(1,), flags=("FFTW_MEASURE",), threads=1)
        keep = n // 2 + 1

        def fftw_real(x):
            r[:, SAMPLES:] = 0
            r[: len(x), :SAMPLES] = x
            rfft()
            np.multiply(c, weight, out=b[:, :keep])
            b[:, keep:] = 0
            inverse(normalise_idft=True)
            return np.abs(a[: len(x), :valid])

        made.append(("pyfftw rfft, analytic f32, MEASURE", fftw_real))
    return made


def echopype_rows(x, replica, real):
    """echopype's own step for EK80, which leaves the energy of the replica to the caller."""
    rows = xr.DataArray(
        x[None].astype("c8"),
        dims=("channel", "ping_time", "range_sample"),
        coords={"channel": ["one"]},
    )
    energy = np.linalg.norm(replica) ** 2 / (2.0 if real else 1.0)
    y = ek80_complex.compress_pulse(rows, {"one": replica.astype("c8")})
    y = y.transpose("channel", "ping_time", "range_sample").values[0]
    return np.abs(y[:, : SAMPLES - REPLICA + 1]) / energy


def timed(step, made, rounds):
    """Median and least CPU seconds of all pings, and the first and the last envelope."""
    step(made[:BLOCK])
    spent = []
    for _ in range(rounds):
        took = 0.0
        for first in range(0, len(made), BLOCK):
            before = time.process_time()
            envelope = step(made[first : first + BLOCK])
            took += time.process_time() - before
            if first == 0:
                kept = [envelope[0].copy()]
        kept.append(envelope[-1].copy())
        spent.append(took)
    return sorted(spent)[len(spent) // 2], min(spent), kept


def beluga(kind, outputs, centre_hz, made, folder, rounds):
    """The same of BELUGA, at every sample or at those that the band needs: what its program told, and at which of
    the valid samples the envelopes are."""
    source, out = folder / f"{kind}.f32", folder / f"{kind}.envelope"
    made.tofile(source)
    sweep_hz = [CENTRE_HZ - 0.5 * BAND_HZ, CENTRE_HZ + 0.5 * BAND_HZ]
    command = [ROOT / "target/release/examples/compress", kind, outputs, RATE_HZ, *sweep_hz, SECONDS, centre_hz]
    command = [str(word) for word in (*command, SAMPLES, source, out, rounds)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    # An output stands at the middle of the replica, Python's at its start.
    places = np.arange(0, SAMPLES, told["step"]) - REPLICA // 2
    valid = (places >= 0) & (places <= SAMPLES - REPLICA)
    envelopes = np.fromfile(out, "<f4").reshape(2, len(places))[:, valid]
    source.unlink()
    return told, envelopes, places[valid]


def exact(row, replica, real):
    """The envelope in double precision."""
    n = SAMPLES + REPLICA
    y = np.fft.ifft(np.fft.fft(row, n) * np.conj(np.fft.fft(replica, n)))
    return np.abs(y[: SAMPLES - REPLICA + 1]) * (2.0 if real else 1.0) / (np.abs(replica) ** 2).sum()


def compare(kind, count, rounds, folder):
    real = kind == "real"
    # I/Q samples are turned down by the middle of the pulse.
    replica = sweep(CENTRE_HZ if real else 0.0)
    made = pings(count, replica, real)
    truth = [exact(made[number].astype("f8" if real else "c16"), replica, real) for number in (0, -1)]
    peak = max(one.max() for one in truth)

    def told(name, seconds, least, envelopes, more="", places=slice(None)):
        off = max(np.abs(a - b[places]).max() for a, b in zip(envelopes, truth)) / peak
        rate = made.nbytes / seconds / 1e9
        print(f"    {name:<40} {seconds:7.3f} s ({least:7.3f})  {rate:6.3f} GB/s  off {off:.1e} of peak{more}")

    print(f"  {kind} samples, {count} pings, median (least) of {rounds} rounds")
    ours = []
    for outputs in ("needed", "every"):
        said, envelopes, places = beluga(kind, outputs, 0.0 if real else CENTRE_HZ, made, folder, rounds)
        seconds, least = said["cpu_ms_median"] / 1e3, said["cpu_ms_least"] / 1e3
        share = said["transforms_ms"] / said["cpu_ms_median"]
        step = said["step"]
        name = f"BELUGA, {f'one sample of {step}' if step > 1 else 'every sample'}"
        told(name, seconds, least, envelopes, f"; FFT alone {100 * share:.0f} %, blocks of {said['block']}", places)
        ours.append((name, seconds))
    best = float("inf")
    for name, step in rows_of(real, replica):
        took, took_least, kept = timed(step, made, 1 if "echopype" in name else rounds)
        told(name, took, took_least, kept, "".join(f"  {took / seconds:5.1f} x" for _, seconds in ours))
        best = min(best, took)
    for name, seconds in ours:
        print(f"    best Python row over {name}: {best / seconds:.1f} x")


def live():
    command = [str(ROOT / "target/release/examples/live_budget")]
    print(subprocess.run(command, check=True, capture_output=True, text=True).stdout, end="")


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    words.add_argument("--pings", type=int, default=1000)
    words.add_argument("--rounds", type=int, default=3)
    words = words.parse_args()
    names = [word for name in ("compress", "live_budget") for word in ("--example", name)]
    subprocess.run(["cargo", "build", "--release", "-p", "beluga-fusion", *names], cwd=ROOT, check=True)
    folder = VENV / "pings"
    folder.mkdir(exist_ok=True)
    print(f"pulse compression, {SAMPLES} samples, replica of {REPLICA}, to the envelope, one thread, CPU time")
    for kind in ("iq", "real"):
        compare(kind, words.pings, words.rounds, folder)
    live()


if __name__ == "__main__":
    enter_venv()
    import time

    import numpy as np
    import pyfftw
    import scipy.fft as sfft
    import xarray as xr
    from echopype.calibrate import ek80_complex
    from scipy import signal

    main()
