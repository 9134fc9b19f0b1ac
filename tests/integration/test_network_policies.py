"""The policies of tenants are held by the enforcer that the region runs, out of the image that it runs."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.stages import told_by

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
REFUSED = (
    "another tenant",
    "a platform pod",
    "the host's kubelet",
    "the API server",
    "the platform to a port of no service",
    "another port of a cache",
    "the platform to a cache",
    "a cache to a tenant",
    "a cache to the API server",
)
SERVED = ("the platform to a service", "a tenant to a cache of weights")
Answers = Mapping[str, bool]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Answers]:
    return told_by("policy_stage", tmp_path_factory.mktemp("policies"))


def test_without_policies_every_attack_works(found: Mapping[str, Answers]) -> None:
    assert found["without policies"] == dict.fromkeys((*REFUSED, *SERVED), True)


@pytest.mark.parametrize("attack", REFUSED)
def test_a_tenant_s_policies_refuse_the_attack(found: Mapping[str, Answers], attack: str) -> None:
    assert found["with policies"][attack] is False


@pytest.mark.parametrize("way", SERVED)
def test_what_must_be_reached_is_reached(found: Mapping[str, Answers], way: str) -> None:
    assert found["with policies"][way] is True


def test_policies_hold_while_the_enforcer_is_dead(found: Mapping[str, Answers]) -> None:
    assert found["with a dead enforcer"] == found["with policies"]
