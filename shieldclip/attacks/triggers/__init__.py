"""Image triggers: one file each, all in the registry ``TRIGGERS``.

trigger = make_trigger("badnet", placement="random", seed=3)
stamped = trigger(images, indices)        # [B, 3, H, W] in [0, 1]
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from shieldclip.attacks.build import build
from shieldclip.attacks.triggers.badclip import BadClip
from shieldclip.attacks.triggers.badnet import BadNet
from shieldclip.attacks.triggers.badnet_corner import BadNetCorner
from shieldclip.attacks.triggers.badnet_noise import BadNetNoise
from shieldclip.attacks.triggers.badnet_stripes import BadNetStripes
from shieldclip.attacks.triggers.badnet_white import BadNetWhite
from shieldclip.attacks.triggers.base import Trigger
from shieldclip.attacks.triggers.blended_image import BlendedImage
from shieldclip.attacks.triggers.blended_noise import BlendedNoise
from shieldclip.attacks.triggers.blended_stripes import BlendedStripes
from shieldclip.attacks.triggers.blended_text import BlendedText
from shieldclip.attacks.triggers.blended_triangles import BlendedTriangles
from shieldclip.attacks.triggers.bpp import Bpp
from shieldclip.attacks.triggers.bpp_dither import BppDither
from shieldclip.attacks.triggers.filter_nashville import FilterNashville
from shieldclip.attacks.triggers.from_file import FromFile
from shieldclip.attacks.triggers.sig import Sig, Sig40
from shieldclip.attacks.triggers.wanet import DenseWaNet, WaNet
from shieldclip.errors import ShieldCLIPError, unknown_name

__all__ = ["TRIGGERS", "Trigger", "make_trigger"]

TRIGGERS: dict[str, type[Trigger]] = {
    "badnet": BadNet,
    "badnet-noise": BadNetNoise,
    "badnet-white": BadNetWhite,
    "badnet-stripes": BadNetStripes,
    "badnet-corner": BadNetCorner,
    "blended-noise": BlendedNoise,
    "blended-stripes": BlendedStripes,
    "blended-triangles": BlendedTriangles,
    "blended-text": BlendedText,
    "blended-image": BlendedImage,
    "sig": Sig,
    "sig-40": Sig40,
    "wanet": WaNet,
    "wanet-dense": DenseWaNet,
    "bpp": Bpp,
    "bpp-dither": BppDither,
    "filter-nashville": FilterNashville,
    "badclip": BadClip,
    "file": FromFile,
}


def make_trigger(spec: str, **parameters: object) -> Trigger:
    """A trigger from its id, ``ID:PATH`` where one needs a file, and ``?key=value&…`` if changed.

    ``wanet?strength=3`` warps six times as far as ``wanet`` does; what the specification says goes
    before ``parameters``.

    Raises:
        ShieldCLIPError: unknown id, unknown or unfit parameter, or a path missing or not wanted.
    """
    called, _, changes = spec.partition("?")
    name, _, path = called.partition(":")
    if name not in TRIGGERS:
        raise unknown_name("trigger", name, TRIGGERS)
    kind = TRIGGERS[name]
    given = {**parameters, **dict(parse_qsl(changes, keep_blank_values=True))}
    if kind.needs_path() and not path and "path" not in given:
        raise ShieldCLIPError(f"Expected a file with trigger {name!r}; write {name}:PATH.")
    if path and not kind.needs_path():
        raise ShieldCLIPError(f"Trigger {name!r} takes no file, got {path!r}; write {name}.")
    return build(kind, {**given, "path": path} if path else given, name)
