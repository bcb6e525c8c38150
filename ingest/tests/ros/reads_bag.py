"""Prints what the package rosbags reads of a bag: stamp, time of recording and numbers of each message."""

import json
import sys

try:
    import numpy
    from rosbags.rosbag2.storage_mcap import McapReader
    from rosbags.rosbag2.storage_sqlite3 import Sqlite3Reader
    from rosbags.typesys import Stores, get_typestore
except ImportError as error:
    print(f"missing: {error.name}")
    sys.exit(0)

STORE = get_typestore(Stores.ROS2_HUMBLE)
KINDS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}


def cloud(message):
    fields = {field.name: field for field in message.fields}
    names = ["x", "y", "z", "ring", "t"]
    order = ">" if message.is_bigendian else "<"
    layout = numpy.dtype(
        {
            "names": names,
            "formats": [order + KINDS[fields[name].datatype] for name in names],
            "offsets": [fields[name].offset for name in names],
            "itemsize": message.point_step,
        }
    )
    points = numpy.frombuffer(message.data.tobytes(), dtype=layout)
    return [float(value) for point in points for value in point]


def numbers(kind, message):
    if kind.endswith("PointCloud2"):
        return cloud(message)
    if kind.endswith("Imu"):
        rate, force = message.angular_velocity, message.linear_acceleration
        return [rate.x, rate.y, rate.z, force.x, force.y, force.z]
    place = message.pose.pose.position
    return [place.x, place.y, place.z]


def main():
    from rosbags.rosbag2 import Reader
    from pathlib import Path

    found = []
    with Reader(Path(sys.argv[1]).parent) as reader:
        for connection, time, data in reader.messages():
            kind = connection.msgtype
            if kind.rsplit("/", 1)[1] not in ("PointCloud2", "Imu", "Odometry"):
                continue
            message = STORE.deserialize_cdr(data, kind)
            stamp = message.header.stamp
            found.append([stamp.sec * 10**9 + stamp.nanosec, time, numbers(kind, message)])
    print(json.dumps(found))


main()
