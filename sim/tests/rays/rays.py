"""Travel times, departure angles and spreading of ten ways through layered water, by an independent ray
code: cake of pyrocko (https://pyrocko.org), made for seismology, in layers of the power law that is
nearest to a linear speed, on a sphere of the earth's size.

Prints the rows of rays.csv. Leaves with 77 where the package is not there.
"""

import sys

try:
    import numpy
    from pyrocko import cake
except ImportError:
    sys.exit(77)

EARTH_M = 6371000.0
PROFILES = {
    "sharp": [(0.0, 1482.0), (2.0, 1481.0), (4.0, 1471.0), (15.0, 1468.0)],
    "rising": [(0.0, 1470.0), (5.0, 1480.0), (15.0, 1485.0)],
}
# Profile, depths of source and target, horizontal distance, path.
WAYS = [
    ("sharp", 1.0, 8.0, 12.0, "direct"),
    ("sharp", 1.0, 14.0, 3.0, "direct"),
    ("sharp", 1.0, 5.0, 20.0, "direct"),
    ("sharp", 0.8, 1.5, 15.0, "direct"),
    ("sharp", 2.5, 6.0, 18.0, "direct"),
    ("rising", 1.0, 12.0, 30.0, "direct"),
    ("rising", 2.0, 2.0, 60.0, "turning"),
    ("rising", 1.0, 1.4, 45.0, "turning"),
    ("sharp", 1.0, 8.0, 12.0, "surface"),
    ("sharp", 1.0, 8.0, 12.0, "bed"),
]
PHASES = {"direct": "P\\", "turning": "P", "surface": "pP\\", "bed": "Pv(bed)p"}


def model(levels):
    rows = [f"{z / 1000:.9f} {c / 1000:.9f} 0.001 1.0 1000 500" for z, c in levels]
    bed = levels[-1][0] / 1000
    rows += ["bed", f"{bed:.9f} 1.7 0.2 1.9 1000 500", "0.1 1.7 0.2 1.9 1000 500"]
    return cake.LayeredModel.from_scanlines(cake.read_nd_model_str("\n".join(rows)))


def main():
    print("profile,source_m,target_m,distance_m,path,time_s,departure_deg,spreading_m")
    for profile, source, target, distance, path in WAYS:
        rays = model(PROFILES[profile]).arrivals(
            [numpy.degrees(distance / EARTH_M)],
            phases=[cake.PhaseDef(PHASES[path])],
            zstart=source,
            zstop=target,
        )
        ray = min(rays, key=lambda ray: ray.t)
        # Down from the horizontal; cake counts from straight down.
        departure = 90.0 - ray.takeoff_angle()
        spreading = (4.0 * numpy.pi * ray.spreading()) ** -0.5
        print(
            f"{profile},{source},{target},{distance},{path},"
            f"{ray.t:.11f},{departure:.6f},{spreading:.5f}"
        )


if __name__ == "__main__":
    main()
