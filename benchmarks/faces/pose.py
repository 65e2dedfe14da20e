"""Finds the pose of a portrait: the scene in which the drawn person's landmarks lie nearest to the portrait's.

A true render in that scene shows what the portrait should have: the same head, light and framing, pixel by pixel.

Shapes: P landmarks in units of the picture's side, 0..1; A angles and other numbers of a pose.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt

from foundry.portraits import DEFAULT_FRAMING, Identity, Scene, face_points, sample_scene

# What the landmarks of a portrait tell; the wind in long hair they do not.
POSE = ("yaw", "pitch", "roll", "smile", "gaze", "zoom", "dx", "dy")
_NOISE = 0.8  # of a landmark, in 1/128 of the frame
_FRAME = 128.0
_ROUNDS = 8
_STEP = 1e-2  # of a number's spread, for differences
_SAMPLED = 512
# Where the head is in the frame, and how large, landmarks tell for sure; a foundation may frame otherwise than scenes.
_FREE = {"zoom": 0.1, "dx": 3.0, "dy": 4.0}

Points = npt.NDArray[np.float32]
_Floats = npt.NDArray[np.float64]


def posed_like(
    points_P2: Points, identity: Identity, scene: Scene, framing: str = DEFAULT_FRAMING
) -> tuple[Scene, float]:
    """`scene` in the pose of a portrait of `identity`, and how far its landmarks are off then.

    The pose is the likeliest one: landmarks are known to some _NOISE, poses are spread as those of studio scenes in
    `framing`, the head's place and size more widely.

    Returns:
        the scene, still without wind, and the root of the landmarks' mean square distance in 1/128 of the frame.
    """
    mean_A, spread_A = _poses(framing)
    wanted_P2 = points_P2.astype(np.float64) * _FRAME
    scene = replace(scene, wind=0.0)
    at_A = np.zeros(len(POSE))
    limit_A = np.array([8.0 if name in _FREE else 3.0 for name in POSE])
    here_P2 = _places(identity, scene, mean_A)
    for _ in range(_ROUNDS):
        slopes = [
            (_places(identity, scene, mean_A + spread_A * (at_A + step_A)) - here_P2).ravel() / _STEP
            for step_A in np.eye(len(POSE)) * _STEP
        ]
        slopes_RA = np.stack(slopes, axis=1) / _NOISE
        errors_R = (wanted_P2 - here_P2).ravel() / _NOISE
        # Gauss and Newton's step of a ridge regression: a pose as usual as possible has all numbers at 0.
        step_A = np.linalg.solve(slopes_RA.T @ slopes_RA + np.eye(len(POSE)), slopes_RA.T @ errors_R - at_A)
        at_A = np.clip(at_A + step_A, -limit_A, limit_A)
        here_P2 = _places(identity, scene, mean_A + spread_A * at_A)
    off = float(np.sqrt(((wanted_P2 - here_P2) ** 2).sum(axis=1).mean()))
    return _in_pose(scene, mean_A + spread_A * at_A), off


def _places(identity: Identity, scene: Scene, pose_A: _Floats) -> _Floats:
    """[P, 2] in 1/128 of the frame."""
    return np.asarray(face_points(identity, _in_pose(scene, pose_A), int(_FRAME)), np.float64)


def _in_pose(scene: Scene, pose_A: _Floats) -> Scene:
    return replace(scene, **dict(zip(POSE, pose_A.tolist(), strict=True)))


@cache
def _poses(framing: str) -> tuple[_Floats, _Floats]:
    """Mean and spread of studio scenes' poses, [A] each; the spread of place and size is that of _FREE."""
    rng = np.random.default_rng(0x905E)
    scenes = [sample_scene(rng, "studio", framing) for _ in range(_SAMPLED)]
    poses_NA = np.array([[getattr(scene, name) for name in POSE] for scene in scenes])
    spreads = dict(zip(POSE, poses_NA.std(axis=0).tolist(), strict=True)) | _FREE
    return poses_NA.mean(axis=0), np.array([spreads[name] for name in POSE])
