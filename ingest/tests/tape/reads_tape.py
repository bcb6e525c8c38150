"""Reads an MCAP file by the schemas in it and prints what was found, as JSON."""

import json
import struct
import sys

try:
    from mcap.reader import make_reader
except ImportError:
    sys.exit(print("missing: mcap"))
try:
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore
except ImportError:
    sys.exit(print("missing: rosbags"))

FORMATS = {2: "B", 4: "H", 5: "i", 6: "I", 7: "f", 8: "d"}


def bits(kind, value):
    """The bits of a number, as an integer."""
    as_integer = {"f": "I", "d": "Q"}[kind]
    return struct.unpack("<" + as_integer, struct.pack("<" + kind, value))[0]


def moment(message):
    m = message.moment
    return [int(m.seq), int(m.stamp), int(m.end), int(m.received)]


def points(cloud):
    """Each point as x, y, z, intensity, ring, offset; bits of what is not whole, null if absent."""
    fields = {field.name: field for field in cloud.fields}
    data = bytes(cloud.data)
    assert len(data) == cloud.row_step == cloud.point_step * cloud.width and cloud.height == 1
    for index in range(cloud.width):
        point = []
        for name in ("x", "y", "z", "intensity", "ring", "offset_nanos"):
            field = fields.get(name)
            if field is None:
                point.append(None)
                continue
            kind = FORMATS[field.datatype]
            (value,) = struct.unpack_from("<" + kind, data, index * cloud.point_step + field.offset)
            point.append(bits(kind, value) if kind in "fd" else value)
        yield point


def image(ping):
    """The bits of each row's magnitudes (numbers where they are whole), and of the receive angles."""
    beams, data = ping.image.beam_count, bytes(ping.image.data)
    assert not ping.image.is_bigendian
    size, kind = {0: (1, "B"), 2: (2, "H"), 4: (4, "I"), 8: (4, "I")}[ping.image.dtype]
    assert len(data) == size * beams * ping.samples_per_beam
    rows = struct.unpack(f"<{len(data) // size}{kind}", data)
    return {
        "rows": [list(rows[at : at + beams]) for at in range(0, len(rows), beams)] if beams else [],
        "angles": [bits("f", float(angle)) for angle in ping.rx_angles],
    }


def main():
    found = {"messages": 0, "moments": [], "points": [], "poses": [], "images": []}
    schemas = set()
    stores = {}
    with open(sys.argv[1], "rb") as file:
        reader = make_reader(file, validate_crcs=True)
        assert reader.get_summary().statistics.message_count > 0
        for schema, channel, message in reader.iter_messages(log_time_order=False):
            if schema.name not in stores:
                store = get_typestore(Stores.EMPTY)
                store.register(get_types_from_msg(schema.data.decode(), schema.name))
                stores[schema.name] = store
            value = stores[schema.name].deserialize_cdr(message.data, schema.name)
            # What is read and written again has the same bytes, but for bytes that only align.
            again = bytes(stores[schema.name].serialize_cdr(value, schema.name))
            assert again.rstrip(b"\0") == message.data.rstrip(b"\0"), schema.name
            found["messages"] += 1
            schemas.add(schema.name)
            assert channel.message_encoding == "cdr" and schema.encoding == "ros2msg"
            if hasattr(value, "moment") and not schema.name.endswith("/Scan"):
                found["moments"].append(moment(value))
            if schema.name == "beluga_msgs/msg/Scan":
                found["moments"].append(moment(value))
            if schema.name == "sensor_msgs/msg/PointCloud2":
                found["points"].extend(points(value))
            if schema.name == "marine_acoustic_msgs/msg/RawSonarImage":
                found["images"].append(image(value))
            if schema.name == "beluga_msgs/msg/Pose":
                numbers = list(value.rotation_wxyz) + list(value.translation_m)
                found["poses"].append([bits("d", number) for number in numbers])
        found["attachments"] = [attachment.name for attachment in reader.iter_attachments()]
    found["schemas"] = sorted(schemas)
    print(json.dumps(found))


main()
