"""Runs the analyzer for photos of real people. Imports onnxruntime, numpy and Pillow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from headshots.faces.base import Face, Parts, Pixels, Traits
from headshots.faces.detection import Detection
from headshots.faces.geometry import Floats
from headshots.faces.people import ages, chips, hair, mesh, safety
from headshots.faces.people.cut_off import may_be_cut, reaching_as_far, whole_box
from headshots.faces.people.detector import decode, make_canvas
from headshots.faces.people.files import AGES, DETECTOR, EMBEDDER, MESH, POINTS, SAFETY, installed
from headshots.faces.people.likeness import SAME_PERSON_FROM, LikenessSpace
from headshots.faces.people.points import Trees
from headshots.faces.sessions import open_session
from headshots.faces.traits import measure_traits


class PeopleAnalyzer:
    """A `FaceAnalyzer`. May be called from several threads: ONNX Runtime's sessions are."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Load what `headshots analyzers install people` left in `folder`, on the CPU with so many threads a net.

        Raises:
            FailedPreconditionError: ANALYZER_NOT_INSTALLED, when nothing is there; ANALYZER_UNUSABLE, when a file is
                missing or changed, or of another version of headshots.
        """
        manifest = installed(folder)
        self._detector = open_session((folder / DETECTOR).read_bytes(), threads)
        self._embedder = open_session((folder / EMBEDDER).read_bytes(), threads)
        self._mesh = open_session((folder / MESH).read_bytes(), threads)
        self._ages = open_session((folder / AGES).read_bytes(), threads)
        self._safety = open_session((folder / SAFETY).read_bytes(), threads)
        self._outputs = [output.name for output in self._detector.get_outputs()]
        self._trees = Trees.load(folder / POINTS)
        self._space = LikenessSpace()
        self._name = f"people-{manifest.files[EMBEDDER][:12]}"

    @property
    def name(self) -> str:
        """The embedder's digest is part of it: other weights, other embeddings."""
        return self._name

    @property
    def same_person_from(self) -> float:
        """dlib's threshold, a Euclidean distance of 0.6, for a face and the mean of several photos."""
        return SAME_PERSON_FROM

    def faces(self, pixels_HWC: Pixels) -> list[Face]:
        """Every face from about a fiftieth of the picture's longer side upwards, largest first."""
        canvas = make_canvas(pixels_HWC)
        maps = self._detector.run(None, {"input": canvas.planes_1CHW})
        found = decode(dict(zip(self._outputs, maps, strict=True)), canvas)
        faces = [self._face(pixels_HWC, one) for one in found]
        return sorted(faces, key=lambda face: (face.box[2] - face.box[0]) * (face.box[3] - face.box[1]), reverse=True)

    def parts(self, pixels_HWC: Pixels, face: Face | None = None) -> Parts:
        """The face as MediaPipe's mesh has its edge, and what is taken for hair around it by colour and place."""
        height, width = pixels_HWC.shape[:2]
        found = [face] if face is not None else self.faces(pixels_HWC)[:1]
        if not found:
            return Parts.nowhere(height, width)
        outline_N2 = self._outline(pixels_HWC, found[0])
        if outline_N2 is None:
            return Parts.nowhere(height, width)
        hair_HW = hair.hair(pixels_HWC, outline_N2)
        return Parts(mesh.fill(outline_N2, width, height) * (1 - hair_HW), hair_HW)

    def unsafe(self, pixels_HWC: Pixels) -> float:
        """How sure Yahoo's open_nsfw is that the picture shows nudity, 0..1. Its authors call 0.2 safe, 0.8 not."""
        shares = self._safety.run([safety.OUTPUT], {safety.INPUT: safety.prepare(pixels_HWC)})[0]
        return float(shares[0, 1])

    def years(self, pixels_HWC: Pixels, face: Face) -> float | None:
        """How old the face looks, 0 to 80; None where it is turned away or tiny."""
        if not ages.is_telling(face):
            return None
        points_P2 = chips.refine(pixels_HWC, face.landmarks, self._trees)
        planes = ages.picture(chips.age_chip(pixels_HWC, points_P2))
        return ages.expected(self._ages.run([ages.OUTPUT], {ages.INPUT: planes})[0][0])

    def traits(self, pixels_HWC: Pixels, face: Face) -> Traits:
        """Glasses and beard, by the colours of frame and chin: the nets tell neither."""
        return measure_traits(pixels_HWC, face)

    def irregularity(self, pixels_HWC: Pixels, face: Face) -> None:
        """None: nobody has measured how real faces' parts stand to each other as these nets find them."""
        return None

    def _face(self, pixels_HWC: Pixels, found: Detection) -> Face:
        points_P2 = chips.refine(pixels_HWC, found.landmarks_52, self._trees)
        chip_HWC = chips.embedder_chip(pixels_HWC, points_P2)
        height, width = pixels_HWC.shape[:2]
        box, landmarks_52 = whole_box(found.corners_22, width, height), found.landmarks_52.astype(np.float32)
        face = Face(box, landmarks_52, self._embed(chip_HWC), found.score)
        # The mesh takes time, and tells nothing that counts where the whole face is in the picture.
        outline_N2 = self._outline(pixels_HWC, face) if may_be_cut(box, width, height) else None
        return face if outline_N2 is None else replace(face, box=reaching_as_far(box, outline_N2, width, height))

    def _outline(self, pixels_HWC: Pixels, face: Face) -> Floats | None:
        """The edge of the face by the mesh, [36, 2]; None where that sees none."""
        matrix = mesh.square(face)
        points, seen = self._mesh.run(
            [mesh.POINTS_OUTPUT, mesh.SEEN_OUTPUT], {mesh.INPUT: mesh.planes(pixels_HWC, matrix)}
        )
        return mesh.oval(points, matrix) if seen[0, 0] >= mesh.SEEN_FROM else None

    def _embed(self, chip_HWC: Pixels) -> Floats:
        planes = np.ascontiguousarray(chip_HWC.transpose(2, 0, 1)[None], np.float32)
        return self._space.vector(self._embedder.run(None, {"faces": planes})[0][0])
