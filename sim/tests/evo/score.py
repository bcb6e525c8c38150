"""Scores estimate.tum against reference.tum with evo, as JSON: rmse, mean, median, min, max of each error.

Its answer with evo 1.38.1 is score.json: python3 score.py > score.json
"""
import copy
import json
from pathlib import Path

from evo.core import metrics, sync
from evo.tools import file_interface

here = Path(__file__).parent
read = file_interface.read_tum_trajectory_file
reference, estimate = sync.associate_trajectories(
    read(str(here / "reference.tum")), read(str(here / "estimate.tum")), max_diff=0.01
)
aligned = copy.deepcopy(estimate)
aligned.align(reference)
POSITION = metrics.PoseRelation.translation_part
ROTATION = metrics.PoseRelation.rotation_angle_rad


def statistics(metric, found):
    metric.process_data((reference, found))
    return [metric.get_statistic(metrics.StatisticsType[name]) for name in ("rmse", "mean", "median", "min", "max")]


score = {
    "poses": reference.num_poses,
    "unaligned": statistics(metrics.APE(POSITION), estimate),
    "aligned": statistics(metrics.APE(POSITION), aligned),
    "rotation_rmse": statistics(metrics.APE(ROTATION), estimate)[0],
}
for name, delta, unit in (
    ("poses 1", 1.0, metrics.Unit.frames),
    ("metres 1", 1.0, metrics.Unit.meters),
    ("metres 10", 10.0, metrics.Unit.meters),
):
    score[f"translation over {name}"] = statistics(metrics.RPE(POSITION, delta, unit), estimate)
    score[f"rotation over {name}"] = statistics(metrics.RPE(ROTATION, delta, unit), estimate)
print(json.dumps(score, indent=1))
