"""How a collection shows itself in a notebook: a line of counts and a few small pictures."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING

from itr_explore.data.origin import Origin
from itr_explore.data.pictures import small_enough
from itr_explore.records.pictures import upright_rgb

if TYPE_CHECKING:
    from PIL.Image import Image

    from itr_explore.data.collection import Collection

SHOWN = 6
LONG_SIDE = 144  # of a thumbnail, in pixels


def data_uri(image: Image, long_side: int = LONG_SIDE, quality: int = 70) -> str:
    """A small JPEG of an image as a `data:` address."""
    small = upright_rgb(image)
    small.thumbnail((long_side, long_side))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=quality)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def summary(collection: Collection) -> str:
    """A collection in one line: its name, how many of what, and what is known besides."""
    parts = [f"{len(collection):,} images", f"{len(collection.captions):,} captions", _regions(collection)]
    parts += [name for name in ("boxes", "truth") if getattr(collection, f"has_{name}")]
    if collection.guide_dim:
        parts.append(f"guide vectors of {collection.guide_dim:,}")
    note = collection.source.note if isinstance(collection.source, Origin) else ""
    return f"{collection.name}, {collection.split}: {', '.join(parts)}{note and f' ({note})'}"


def _regions(collection: Collection) -> str:
    if not collection.has_regions:
        return "no regions yet"
    counts = collection.region_counts
    fewest, most = (int(counts.min()), int(counts.max())) if len(counts) else (0, 0)
    many = f"{most}" if fewest == most else f"{fewest} to {most}"
    return f"{many} regions an image of {collection.region_dim:,} features"


def gallery(collection: Collection) -> str:
    """HTML with a line of counts and the first pictures, each over its first caption; all text is escaped."""
    figures = "".join(_figure(collection, row) for row in range(min(SHOWN, len(collection))))
    row = f'<div style="display:flex;flex-wrap:wrap;gap:12px">{figures}</div>'
    return f"<div><p>{escape(summary(collection))}</p>{row}</div>"


def _figure(collection: Collection, row: int) -> str:
    captions = collection.captions_of(row)
    caption = escape(collection.captions[captions[0]]) if len(captions) else ""
    name = escape(collection.image_ids[row], quote=True)
    try:
        with small_enough(LONG_SIDE):
            image = collection.image(row)
    except (OSError, ValueError) as error:  # one bad picture does not hide the others
        picture = f"<em>{escape(str(error))}</em>"
    else:
        picture = f'<img alt="{name}" src="{data_uri(image)}">' if image else f"<em>{name}</em>"
    return (
        f'<figure style="margin:0;width:{LONG_SIDE}px;font-size:85%">{picture}'
        f'<figcaption dir="auto">{caption}</figcaption></figure>'
    )
