"""Rules on where racks stand."""

from __future__ import annotations

from collections.abc import Iterator

from components.spec.derive import place_of
from components.spec.position import Location, text_of
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule, unknown


@rule("hall-duplicate", "site", partial=True)
def halls_differ(region: Region) -> Iterator[Fault]:
    """No two halls of the site have the same name.

    Example: two halls named `a`.
    """
    seen: set[str] = set()
    for h, hall in enumerate(region.site.halls):
        if hall.name in seen:
            yield Fault(
                at=("site", "halls", h, "name"),
                message="two halls have this name",
                found=hall.name,
                allowed="each once in the site",
                remedy="rename one of them",
            )
        seen.add(hall.name)


@rule("hall-unknown", "site", "racks")
def halls_exist(region: Region) -> Iterator[Fault]:
    """A rack with a place stands in a hall of the site.

    Example: `place: {hall: bensh, ...}`.
    """
    known = [hall.name for hall in region.site.halls]
    for r, rack in enumerate(region.racks):
        if rack.place and rack.place.hall not in known:
            yield unknown(("racks", r, "place", "hall"), "hall", rack.place.hall, known, "site.halls")


@rule("place-outside-hall", "site", "racks")
def places_exist(region: Region) -> Iterator[Fault]:
    """A rack with a place stands in a row and at a position that the hall has.

    Example: position 5 in rows of four.
    """
    halls = {hall.name: hall for hall in region.site.halls}
    for r, rack in enumerate(region.racks):
        hall = halls.get(rack.place.hall) if rack.place else None
        if hall and rack.place and (rack.place.row > hall.rows or rack.place.position > hall.racks_per_row):
            yield Fault(
                at=("racks", r, "place"),
                message=f"hall {hall.name} has no such place",
                found=f"row {rack.place.row}, position {rack.place.position}",
                allowed=f"rows 1 to {hall.rows}, positions 1 to {hall.racks_per_row}",
                remedy="correct the place, or the hall's size",
            )


@rule("place-missing", "site", "racks")
def racks_have_places(region: Region) -> Iterator[Fault]:
    """The halls have a place for every rack id.

    Example: rack id 257 where two halls have 8 x 16 places each.
    """
    places = sum(hall.places for hall in region.site.halls)
    for r, rack in enumerate(region.racks):
        if place_of(region.site, rack) is None:
            yield Fault(
                at=("racks", r, "id"),
                message="the halls have no place for this rack id",
                found=str(rack.id),
                allowed=f"1 to {places}: {' + '.join(f'{h.rows} x {h.racks_per_row}' for h in region.site.halls)}",
                remedy="add a hall at the end of site.halls, or give the rack a `place`",
            )


@rule("place-taken", "site", "racks", partial=True)
def places_hold_one_rack(region: Region) -> Iterator[Fault]:
    """No two racks stand in one place.

    Example: a rack with a `place` where the one of that id stands.
    """
    taken: dict[tuple[str, int, int], Location] = {}
    ids: set[int] = set()
    for r, rack in enumerate(region.racks):
        place = place_of(region.site, rack)
        if place is None or (rack.place is None and rack.id in ids):  # the same id twice is another rule's
            continue
        ids.add(rack.id)
        spot = (place.hall, place.row, place.position)
        if spot in taken:
            yield Fault(
                at=("racks", r, "place" if rack.place else "id"),
                message=f"{text_of(taken[spot])} stands there already",
                found=f"hall {place.hall}, row {place.row}, position {place.position}",
                allowed="one rack in each place",
                remedy="move one of them; a rack without a `place` stands by its id",
            )
        else:
            taken[spot] = ("racks", r)


RULES = (halls_differ, halls_exist, places_exist, racks_have_places, places_hold_one_rack)
