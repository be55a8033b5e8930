"""What the app keeps."""

from app.fields import Entity, EntityField

TITLE = "New app"
SUMMARY = "This page already works; it is being shaped to the request."

ENTITY = Entity(
    name="example",
    plural="examples",
    fields=(EntityField("title", "text", is_required=True), EntityField("done", "boolean")),
)
