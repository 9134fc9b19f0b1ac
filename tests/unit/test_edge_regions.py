"""A service of several regions: declared in one of them, taken by the others, refused where it may not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.errors import Problem, SpecError
from components.plan.landing import land
from components.plan.pending import pending_index
from components.plan.tenants import compile_services
from components.spec import Region
from components.spec.recorded import compact, restored
from components.spec.service import Sovereignty
from components.spec.services import services_of
from tests.edge_world import SERVICES, project, region


def names(region: Region) -> set[str]:
    return {placed.name for placed in services_of(region)}


def problems(regions: Path, name: str) -> tuple[Problem, ...]:
    try:
        region(regions, name)
    except SpecError as error:
        return error.problems
    return ()


@pytest.fixture(scope="module")
def regions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("edges"))


def test_every_listed_region_takes_the_service_from_its_home_and_no_other_does(regions: Path) -> None:
    has = {name: names(region(regions, name)) for name in ("paris", "essonne", "singapore", "tokyo")}
    assert {"shop/near", "shop/ours", "shop/alone"} <= has["paris"]
    assert "shop/near" in has["singapore"]
    assert "shop/near" in has["tokyo"]
    assert "shop/near" not in has["essonne"]
    assert "shop/ours" in has["essonne"]
    for name in ("singapore", "tokyo"):
        assert not {"shop/ours", "shop/alone"} & has[name]


def test_a_taken_service_is_planned_as_the_regions_own_in_its_own_domain(regions: Path) -> None:
    tokyo = region(regions, "tokyo")
    plans = {plan.key: plan for plan in compile_services(tokyo, land(tokyo), pending_index(tokyo))}
    assert plans["shop/near"].host == "near.shop.tokyo.internal"
    assert plans["shop/near"].namespace == "tenant-shop"


def test_a_taken_service_keeps_the_class_of_its_home(tmp_path: Path) -> None:
    regions = project(tmp_path)
    shop = regions / "essonne/tenants/shop.yaml"
    shop.write_text(shop.read_text() + "sovereignty: any\n")
    ours = next(placed for placed in services_of(region(regions, "essonne")) if placed.name == "shop/ours")
    assert ours.sovereignty is Sovereignty.EU, "the class of the tenant here would let it go anywhere"


def test_a_taken_service_is_found_in_the_file_of_its_home(regions: Path) -> None:
    tokyo = region(regions, "tokyo")
    near = next(placed for placed in services_of(tokyo) if placed.name == "shop/near")
    place = tokyo.positions.of((*near.at, "name"))
    assert place and place.file == "stacks/regions/paris/tenants/shop.yaml"


def test_a_recorded_description_holds_what_was_taken(regions: Path) -> None:
    tokyo = region(regions, "tokyo")
    again = restored(compact(tokyo, pending_index(tokyo)))
    assert again
    assert names(again[0]) == names(tokyo)


def test_a_service_whose_tenant_is_missing_is_refused_at_home_and_not_placed_there(tmp_path: Path) -> None:
    regions = project(tmp_path, owners=("paris", "essonne", "singapore"))
    (problem,) = problems(regions, "paris")
    assert problem.rule == "service-region-tenant"
    assert "tokyo has no tenant shop" in problem.message
    assert problem.file == "stacks/regions/paris/tenants/shop.yaml"
    assert "shop/near" not in names(region(regions, "tokyo"))
    assert problems(regions, "tokyo") == ()


def test_an_eu_service_is_refused_outside_the_union_at_home_and_there(tmp_path: Path) -> None:
    regions = project(tmp_path, SERVICES.replace("sovereignty: any, ", ""))
    at_home = [problem for problem in problems(regions, "paris") if problem.rule == "service-region-law"]
    assert [problem.found for problem in at_home] == ["singapore in SG", "tokyo in JP"]
    assert "service-outside-union" in {problem.rule for problem in problems(regions, "singapore")}


def test_a_list_without_its_home_is_refused(tmp_path: Path) -> None:
    regions = project(tmp_path, SERVICES.replace("[paris, singapore, tokyo]", "[singapore, tokyo]"))
    assert [problem.rule for problem in problems(regions, "paris")] == ["service-region-home"]
    assert "shop/near" not in names(region(regions, "singapore"))


def test_of_several_regions_the_nearest_one_must_keep_the_budget(tmp_path: Path) -> None:
    near = "regions: [paris, singapore, tokyo], latency: {clients: tokyo, budget_ms: 50}"
    regions = project(tmp_path, SERVICES.replace("regions: [paris, singapore, tokyo]", near))
    assert problems(regions, "paris") == ()
    assert problems(regions, "singapore") == ()
    far = near.replace(", tokyo]", "]")
    regions = project(tmp_path / "far", SERVICES.replace("regions: [paris, singapore, tokyo]", far))
    assert [problem.rule for problem in problems(regions, "paris")] == ["latency-budget"]


def test_a_fault_of_a_neighbour_is_its_own_matter(tmp_path: Path) -> None:
    regions = project(tmp_path)
    (regions / "paris/tenants/shop.yaml").write_text("tenant: shop\nservices: [tokyo, {regions: tokyo}, 7]\n")
    assert problems(regions, "tokyo") == ()
    assert problems(regions, "paris")
