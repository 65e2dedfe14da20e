"""Trainers and generators in a pod may tell Kubernetes their deletion cost, and may do nothing else with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headshots.pods.deletion_cost import ANNOTATION
from services.generator.settings import GeneratorSettings
from services.trainer.settings import TrainerSettings
from tests.support.deploy.tree import build, containers, main_container, named, of_kind, pod_spec, settings_environment

TREE = "overlays/production"
SETTINGS: dict[str, Any] = {"trainer": TrainerSettings, "generator": GeneratorSettings}


@pytest.mark.parametrize("service", SETTINGS)
def test_a_pod_knows_its_name_and_has_a_token_where_the_settings_look(service: str) -> None:
    resources = build(TREE)
    container, spec = main_container(resources, service), pod_spec(named(resources, "Deployment", service))
    pod = SETTINGS[service].from_environment({"HEADSHOTS_HOME": "/x", **settings_environment(resources, container)}).pod
    fields = {entry["name"]: entry.get("valueFrom", {}).get("fieldRef") for entry in container["env"]}
    assert fields["HEADSHOTS_POD_NAME"] == {"fieldPath": "metadata.name"}
    assert fields["HEADSHOTS_POD_NAMESPACE"] == {"fieldPath": "metadata.namespace"}
    (volume,) = (volume for volume in spec["volumes"] if "projected" in volume)
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert Path(mounts[volume["name"]]["mountPath"]) == pod.account_dir
    assert mounts[volume["name"]]["readOnly"]
    files = {source["serviceAccountToken"]["path"] for source in volume["projected"]["sources"][:1]}
    files |= {item["path"] for item in volume["projected"]["sources"][1]["configMap"]["items"]}
    assert files == {"token", "ca.crt"}
    others = [one for one in containers(named(resources, "Deployment", service)) if one["name"] != container["name"]]
    assert not any(mount["name"] == volume["name"] for one in others for mount in one["volumeMounts"])


def test_nobody_may_more_than_patch_pods_and_only_who_tells_may_that() -> None:
    resources = build(TREE)
    assert not of_kind(resources, "ClusterRole", "ClusterRoleBinding")
    (role,), (binding,) = of_kind(resources, "Role"), of_kind(resources, "RoleBinding")
    assert role["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["patch"]}]
    assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) == ("Role", role["metadata"]["name"])
    told = {(subject["kind"], subject["name"], subject["namespace"]) for subject in binding["subjects"]}
    accounts = {pod_spec(named(resources, "Deployment", service))["serviceAccountName"] for service in SETTINGS}
    assert told == {("ServiceAccount", name, "headshots") for name in accounts}


def test_a_policy_holds_whoever_has_the_role_to_the_annotation_of_its_own_pod() -> None:
    """No API server is at hand: what the words have to contain, not what they do."""
    resources = build(TREE)
    (policy,) = of_kind(resources, "ValidatingAdmissionPolicy")
    (binding,) = of_kind(resources, "ValidatingAdmissionPolicyBinding")
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]
    assert binding["spec"]["validationActions"] == ["Deny"]
    (label,) = binding["spec"]["matchResources"]["namespaceSelector"]["matchLabels"].items()
    assert label == ("kubernetes.io/metadata.name", named(resources, "Namespace", "headshots")["metadata"]["name"])
    spec = policy["spec"]
    assert spec["failurePolicy"] == "Fail"
    (rule,) = spec["matchConstraints"]["resourceRules"]
    assert (rule["resources"], rule["operations"]) == (["pods"], ["UPDATE"])
    (condition,) = spec["matchConditions"]
    assert all(f"'{service}'" in condition["expression"] for service in SETTINGS)
    words = " ".join(validation["expression"] for validation in spec["validations"])
    assert "[0] == request.name" in words
    assert "object.spec == oldObject.spec" in words
    assert f"key == '{ANNOTATION}'" in words


def test_without_the_component_nobody_is_told_and_no_pod_has_a_token() -> None:
    for tree in ("base", "overlays/dev"):
        resources = build(tree)
        assert not of_kind(resources, "Role", "RoleBinding")
        for service, settings in SETTINGS.items():
            environment = settings_environment(resources, main_container(resources, service))
            assert settings.from_environment({"HEADSHOTS_HOME": "/x", **environment}).pod.name is None
            volumes = pod_spec(named(resources, "Deployment", service))["volumes"]
            assert not any("projected" in volume for volume in volumes)
