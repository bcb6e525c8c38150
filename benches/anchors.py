#!/usr/bin/env python3
"""BELUGA's lidar odometry and nearest-neighbour search beside small_gicp's and kiss-icp's, on the
same points, in one run, in CPU time.

    python3 benches/anchors.py [DATA] [--scans N]

DATA is the folder that holds `kitti00-pair-94-95` and `kitti-raw-city-124` (default: the shared data beside the checkout). Other programs are installed from PyPI into `target/anchors`. Nothing that
reads files or turns arrays into a library's own kind is counted, on either side.

The sequence: two full scans of 121 thousand points of one street, laid in one world by their true
motion and seen in turn by a lidar that drives, sways and turns 10 times a second through it; every
point has its own moment, so deskew has something to do, and the truth is known. It is no recording:
what lies behind a wall does not hide there.
"""

import argparse
import json
import math
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / "target" / "anchors"
PACKAGES = ["numpy", "small_gicp==1.0.1", "kiss-icp==1.3.0"]
WARM = 5
PERIOD_S = 0.1
# Scans of the drive that make a map of 144 thousand points.
LAST_OF_MAP = 114


def enter_venv():
    """Runs this file again with a Python that has the other programs."""
    python = VENV / "bin" / "python3"
    if Path(sys.prefix).resolve() == VENV.resolve():
        return
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    probe = [python, "-c", "import numpy, small_gicp, kiss_icp"]
    if subprocess.run(probe, stderr=subprocess.DEVNULL).returncode:
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run(pip + PACKAGES, check=True)
    os.execv(python, [str(python), *sys.argv])


def shared_data():
    for folder in list(ROOT.parents)[:3]:
        if (folder / "shared/data/lidar").is_dir():
            return folder / "shared/data/lidar"
    sys.exit("no shared data beside the checkout: give the folder of the scans")


def pose_at(scan):
    """Place (m) and yaw and pitch (rad) at a scan number, which may lie between two."""
    wave = lambda amplitude, period: amplitude * np.sin(2 * np.pi * scan / period)
    return wave(8, 110), wave(1.5, 75), wave(0.05, 17), wave(0.15, 90), wave(0.01, 13)


def into_body(points, scan):
    """Points of the world in the axes the body has at each point's own scan number."""
    x, y, z, yaw, pitch = pose_at(scan)
    dx, dy, dz = points[:, 0] - x, points[:, 1] - y, points[:, 2] - z
    ax, ay = np.cos(yaw) * dx + np.sin(yaw) * dy, -np.sin(yaw) * dx + np.cos(yaw) * dy
    return np.stack(
        [np.cos(pitch) * ax - np.sin(pitch) * dz, ay, np.sin(pitch) * ax + np.cos(pitch) * dz], 1
    )


def matrix_at(scan):
    x, y, z, yaw, pitch = (float(value) for value in pose_at(scan))
    c, s, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    return np.array(
        [[c * cp, -s, c * sp, x], [s * cp, c, s * sp, y], [-sp, 0, cp, z], [0, 0, 0, 1.0]]
    )


def pair(data):
    """The two full scans in the first one's axes."""
    folder = data / "kitti00-pair-94-95"
    scans = [
        np.fromfile(folder / f"0000{number}.bin", "<f4").reshape(-1, 4)[:, :3].astype(float)
        for number in (94, 95)
    ]
    t = np.array((folder / "T_094_095.txt").read_text().split(), float)[:12].reshape(3, 4)
    return [scans[0], scans[1] @ t[:, :3].T + t[:, 3]]


def sequence(data, scans):
    """Per scan the points (float32 rows of x, y, z, seconds), and the true poses at its begin,
    middle and end."""
    worlds = pair(data)
    rows, truth = [], []
    for number in range(scans):
        world = worlds[number % 2]
        middle = into_body(world, np.full(len(world), number + 0.5))
        part = (np.arctan2(-middle[:, 1], middle[:, 0]) / (2 * np.pi)) % 1.0
        seen = into_body(world, number + part)
        rows.append(np.concatenate([seen, part[:, None] * PERIOD_S], 1).astype("<f4"))
        truth.append([matrix_at(number + at) for at in (0.0, 0.5, part.max())])
    return rows, truth


def ate_m(poses, truth):
    """Root mean square of the places' errors from the first scan on, unaligned: against the poses
    at the begin, middle or end of the scans, whichever a program means."""

    def against(part):
        start, wanted = np.linalg.inv(poses[0]), np.linalg.inv(truth[0][part])
        errors = [(start @ p)[:3, 3] - (wanted @ t[part])[:3, 3] for p, t in zip(poses, truth)]
        return float(np.sqrt(np.mean(np.sum(np.square(errors), 1))))

    return min(against(part) for part in range(3))


def median(values):
    return sorted(values)[len(values) // 2]


def beluga(folder, files, truth, threads):
    out = folder / f"beluga-{threads}.txt"
    command = [str(ROOT / "target/release/examples/odometry"), "--time", "--range", "5", "100"]
    command += ["--threads", str(threads), "--poses", str(out), *map(str, files)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    poses = [np.vstack([row.reshape(3, 4), [0, 0, 0, 1]]) for row in np.loadtxt(out)]
    return told["cpu_ms_median"], told["clock_ms_median"], ate_m(poses, truth)


def kiss_icp(rows, truth, threads):
    import kiss_icp.config
    from kiss_icp.kiss_icp import KissICP
    from kiss_icp.pybind import kiss_icp_pybind

    config = kiss_icp.config.KISSConfig()
    config.data.min_range, config.data.max_range, config.data.deskew = 5.0, 100.0, True
    config.mapping.voxel_size = 1.0
    config.registration.max_num_threads = threads
    odometry = KissICP(config)
    nothing = kiss_icp_pybind._Vector3dVector(np.empty((0, 3)))
    spent, conversion, poses = [], [], []
    for row in rows:
        points = np.ascontiguousarray(row[:, :3].astype(float))
        stamps = row[:, 3].astype(float) / PERIOD_S
        # What the wrapper spends on turning arrays into its own vectors and back: the scan twice,
        # and the times, which go in beside a scan without points.
        before = time.process_time()
        np.asarray(kiss_icp_pybind._Vector3dVector(points))
        kiss_icp_pybind._Vector3dVector(points)
        odometry.preprocessor._preprocessor._preprocess(nothing, stamps.ravel(), np.eye(4))
        conversion.append(time.process_time() - before)
        before = time.process_time()
        odometry.register_frame(points, stamps)
        spent.append(time.process_time() - before)
        poses.append(odometry.last_pose.copy())
    counted = [(a - b) * 1e3 for a, b in list(zip(spent, conversion))[WARM:]]
    return median(counted), ate_m(poses, truth), median(conversion) * 1e3


def small_gicp_vgicp(rows, truth, threads):
    """Scan to a voxel map, as its own odometry example does; it has no deskew."""
    import small_gicp as sg

    model = sg.GaussianVoxelMap(1.0)
    model.set_lru(horizon=100, clear_cycle=10)
    pose, step = np.eye(4), np.eye(4)
    spent, poses = [], []
    for row in rows:
        cloud = sg.PointCloud(row[:, :3].astype(float))
        before = time.process_time()
        thin, _ = sg.preprocess_points(cloud, 0.25, 10, threads)
        if poses:
            found = sg.align(model, thin, pose @ step, 1.0, threads).T_target_source
            step, pose = np.linalg.inv(pose) @ found, found
        model.insert(thin, pose)
        spent.append((time.process_time() - before) * 1e3)
        poses.append(pose.copy())
    return median(spent[WARM:]), ate_m(poses, truth)


def trajectories(folder, data, scans):
    rows, truth = sequence(data, scans)
    files = []
    for number, row in enumerate(rows):
        files.append(folder / f"{number:03d}.bin")
        row.tofile(files[-1])
    size = sum(map(len, rows)) / len(rows)
    print(f"odometry, {scans} scans of {size:.0f} points, CPU ms per scan (median after {WARM})")
    clock_ms = []
    for threads in (1, 2):
        ours, by_the_clock, our_error = beluga(folder, files, truth, threads)
        clock_ms.append(by_the_clock)
        kiss, kiss_error, converted = kiss_icp(rows, truth, threads)
        gicp, gicp_error = small_gicp_vgicp(rows, truth, threads)
        print(f"  {threads} thread(s)")
        print(f"    BELUGA, deskew and covariance {ours:8.2f}           ATE {our_error:.3f} m")
        print(
            f"    kiss-icp 1.3.0, deskew        {kiss:8.2f}  {kiss / ours:5.1f} x  ATE {kiss_error:.3f} m"
            f"  (and {converted:.2f} ms of conversion, not counted)"
        )
        print(f"    small_gicp 1.0.1 VGICP        {gicp:8.2f}  {gicp / ours:5.1f} x  ATE {gicp_error:.3f} m")
    one, two = clock_ms
    print(f"  BELUGA by the clock: {one:.2f} ms on one thread, {two:.2f} on two: {one / two:.2f} x (says something on a quiet machine only)")


def neighbours(folder, data):
    """A million nearest neighbours on a map of some 144 thousand points.

    The map: every other scan of a drive, each placed by both reference trajectories (they differ by up
    to 0.1 m), thinned by the rule of kiss-icp: voxels of 1 m with 20 points at most, none nearer than
    0.22 m to another. The queries: points of the scans between, placed likewise. Both programs have the same points
    and the same queries in the same order, all at once, and both tell which point is the nearest and how far
    it is. BELUGA's search is exact within a voxel, so both are asked how many lie within 1 m.
    """
    import small_gicp as sg

    source = data / "kitti-raw-city-124"
    names = ["reference_kiss_icp.txt", "reference_small_gicp_vgicp.txt"]
    references = [np.loadtxt(source / name).reshape(-1, 3, 4) for name in names]

    def placed(numbers):
        rows = []
        for poses in references:
            for number in numbers:
                points = np.fromfile(source / f"{number:03d}.xyz32", "<f4").reshape(-1, 3)
                rows.append(points @ poses[number, :, :3].T.astype("f4") + poses[number, :, 3].astype("f4"))
        return np.concatenate(rows).astype("<f4")

    points = placed(range(0, LAST_OF_MAP, 2))
    queries = placed(range(1, 124, 2))[:1_000_000]
    points.tofile(folder / "points.bin")
    queries.tofile(folder / "queries.bin")
    command = [str(ROOT / "target/release/examples/nearest")]
    command += [str(folder / name) for name in ("points.bin", "queries.bin", "kept.bin")]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    kept = np.fromfile(folder / "kept.bin", "<f4").reshape(-1, 3).astype(float)
    tree = sg.KdTree(sg.PointCloud(kept))
    asked = queries.astype(float)
    spent = []
    for _ in range(5):
        before = time.process_time()
        _, squares = tree.batch_nearest_neighbor_search(asked, num_threads=1)
        spent.append((time.process_time() - before) * 1e3)
    squares = np.asarray(squares)
    within = squares[squares < 1.0]
    ours, theirs = told["cpu_ms_median"], median(spent)
    print(f"nearest neighbours, {len(asked)} queries, {len(kept)} points, one thread, CPU ms (median)")
    print(f"    BELUGA                        {ours:8.2f}           {told['found']} within 1 m, sum of squares {told['sum_of_squares_m2']:.2f} m²")
    print(f"    small_gicp 1.0.1 KdTree       {theirs:8.2f}  {theirs / ours:5.1f} x  {len(within)} within 1 m, sum of squares {within.sum():.2f} m²")


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    words.add_argument("data", nargs="?", type=Path)
    words.add_argument("--scans", type=int, default=60)
    words = words.parse_args()
    data = words.data or shared_data()
    build = ["cargo", "build", "--release", "-p", "beluga-fusion", "--example", "odometry", "--example", "nearest"]
    subprocess.run(build, cwd=ROOT, check=True)
    folder = VENV / "scans"
    folder.mkdir(exist_ok=True)
    trajectories(folder, data, words.scans)
    neighbours(folder, data)


if __name__ == "__main__":
    enter_venv()
    import time

    import numpy as np

    main()
