"""Reads a LAS or LAZ file with laspy and prints what it holds.

Usage: reads_las.py FILE. Prints one line of JSON, or `missing: NAME` if a package is not there.
"""

import json
import sys

try:
    import laspy
    import lazrs  # noqa: F401
except ImportError as error:
    print(f"missing: {error.name}")
    sys.exit(0)

las = laspy.read(sys.argv[1])
header = las.header
wkt = [vlr.string for vlr in header.vlrs if isinstance(vlr, laspy.vlrs.known.WktCoordinateSystemVlr)]
classes = [vlr for vlr in header.vlrs if isinstance(vlr, laspy.vlrs.known.ClassificationLookupVlr)]
described = next(vlr for vlr in header.vlrs if isinstance(vlr, laspy.vlrs.known.ExtraBytesVlr))
snr = next(s for s in described.extra_bytes_structs if s.format_name() == "snr_db")
report = {
    "version": str(header.version),
    "format": header.point_format.id,
    "is_adjusted_gps_time": header.global_encoding.gps_time_type.value == 1,
    "is_wkt": bool(header.global_encoding.wkt),
    "points": header.point_count,
    "date": str(header.creation_date),
    "x": [round(float(x), 4) for x in las.x],
    "bounds": [round(float(header.mins[0]), 4), round(float(header.maxs[0]), 4)],
    "gps_time": float(las.gps_time[0]),
    "intensity": [int(i) for i in las.intensity],
    "classification": [int(c) for c in las.classification],
    "synthetic": [int(s) for s in las.synthetic],
    "extra": [dim.name for dim in las.point_format.extra_dimensions],
    "sigma_across_m": round(float(las.sigma_across_m[0]), 6),
    "snr_db": [float(s) for s in las.snr_db],
    "snr_no_data": float(snr.no_data[0]),
    "thu_m": round(float(las.thu_m[0]), 4),
    "tvu_m": round(float(las.tvu_m[0]), 4),
    "s44": [int(s) for s in las.s44],
    "medium": [int(m) for m in las.medium],
    "class_43": classes[0].lookups[43] if classes else None,
    "wkt": wkt,
}
print(json.dumps(report, sort_keys=True))
