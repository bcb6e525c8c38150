"""Reads a folder of Arrow files with pyarrow and DuckDB and prints what it holds.

Usage: reads_arrow.py FOLDER. Prints one line of JSON, or `missing: NAME` if a package is not there.
"""

import json
import pathlib
import sys

try:
    import duckdb
    import pyarrow.ipc
except ImportError as error:
    print(f"missing: {error.name}")
    sys.exit(0)

folder = pathlib.Path(sys.argv[1])


def table(name):
    with pyarrow.ipc.open_file(folder / name) as file:
        return file.read_all()


frames, points, arcs = table("frames.arrow"), table("points.arrow"), table("arcs.arrow")
stream = pyarrow.ipc.open_stream(folder / "frames" / "000001.points.arrows").read_all()
x = points.schema.field("x")
report = {
    "frames": frames.num_rows,
    "points": points.num_rows,
    "arcs": arcs.num_rows,
    "stream_points": stream.num_rows,
    "schema": points.schema.metadata[b"beluga.schema"].decode(),
    "x_unit": x.metadata[b"unit"].decode(),
    "x_space": x.metadata[b"space"].decode(),
    "shared_states": frames.column("shared_states").to_pylist()[0],
    "waterline": frames.column("waterline_z_m").to_pylist(),
    # DuckDB finds the variables `points` and `frames` by their names.
    "sum_x": duckdb.sql("SELECT sum(x::DOUBLE) FROM points").fetchall()[0][0],
    "underwater_with_snr": duckdb.sql(
        "SELECT count(*) FROM points WHERE medium = 1 AND snr_db IS NOT NULL"
    ).fetchall()[0][0],
    "last_frame_points": duckdb.sql(
        "SELECT count(*) FROM points JOIN frames ON points.frame_index = frames.index "
        "WHERE frames.window_end_nanos = (SELECT max(window_end_nanos) FROM frames)"
    ).fetchall()[0][0],
}
print(json.dumps(report, sort_keys=True))
