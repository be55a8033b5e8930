"""Pictures: what their heads say, and a small copy."""

import warnings

from PIL import ExifTags, Image, UnidentifiedImageError

from diono.parsing.guest import limits
from diono.parsing.guest.refusals import damaged
from diono.parsing.guest.sink import Sink
from diono.parsing.guest.source import Source

_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")
_TAGS = ("Make", "Model", "Software", "DateTime", "Orientation", "Artist", "Copyright")
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, TypeError, KeyError, IndexError,
           OverflowError, ZeroDivisionError, AttributeError, NotImplementedError)  # fmt: skip
# Sizes are checked here, before anything is unfolded.
Image.MAX_IMAGE_PIXELS = None


def read(source: Source, sink: Sink) -> None:
    with warnings.catch_warnings(), source.open() as file:
        warnings.simplefilter("ignore")
        try:
            picture = Image.open(file, formats=_FORMATS)
        except UnidentifiedImageError as error:
            raise damaged("the picture's head cannot be read") from error
        except _BROKEN as error:
            raise damaged(f"the picture cannot be read ({type(error).__name__})") from error
        with picture:
            _tell(picture, sink)
            _copy(picture, sink)


def _tell(picture: Image.Image, sink: Sink) -> None:
    width, height = picture.size
    sink.facts(
        {
            "format": picture.format,
            "width": width,
            "height": height,
            "mode": picture.mode,
            "frames": getattr(picture, "n_frames", 1) if picture.format != "TIFF" else None,
        }
    )
    sink.section(
        "picture", f"{picture.format} picture, {width} x {height} pixels, {sink.named('')}".strip()
    )
    if width * height > limits.DECODED_PIXELS and picture.format == "PNG":
        # Its notes may stand behind its points, so they would all be unfolded.
        return
    try:
        exif = picture.getexif()
        names = {ExifTags.TAGS.get(tag, ""): value for tag, value in exif.items()}
        sink.facts({f"exif_{name}": str(names[name]) for name in _TAGS if name in names})
        place = exif.get_ifd(ExifTags.IFD.GPSInfo)
        if place:
            _tell_place(place, sink)
    except _BROKEN:
        sink.warn("the picture's notes (EXIF) are damaged")


def _tell_place(place: dict[int, object], sink: Sink) -> None:
    sink.fact("exif_has_place", True)
    sink.warn("it tells where it was taken (GPS)")
    try:
        north = _degrees(place[2]) * (-1 if place.get(1) == "S" else 1)
        east = _degrees(place[4]) * (-1 if place.get(3) == "W" else 1)
        sink.facts({"latitude": round(north, 5), "longitude": round(east, 5)})
    except _BROKEN:
        sink.warn("the place is damaged")


def _degrees(parts: object) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)  # type: ignore[attr-defined]
    return degrees + minutes / 60 + seconds / 3600


def _copy(picture: Image.Image, sink: Sink) -> None:
    width, height = picture.size
    if width * height > limits.DECODED_PIXELS:
        sink.warn(f"{width:,} x {height:,} pixels are too many to make a small copy")
        return
    try:
        picture.draft("RGB", (limits.THUMBNAIL_PIXELS * 2, limits.THUMBNAIL_PIXELS * 2))
        save_thumbnail(picture, sink)
    except _BROKEN as error:
        raise damaged(f"the picture's points cannot be read ({type(error).__name__})") from error


def save_thumbnail(picture: Image.Image, sink: Sink) -> None:
    """Keep a small copy, the first that is offered."""
    if sink.thumbnail is not None or sink.named(""):
        return
    small = picture.convert("RGBA" if "A" in picture.getbands() else "RGB")
    small.thumbnail((limits.THUMBNAIL_PIXELS, limits.THUMBNAIL_PIXELS))
    small.info.clear()
    small.save(sink.folder / "thumbnail.png", "PNG")
    sink.thumbnail = "thumbnail.png"
