"""The service's OpenAPI 3.1 description: machines read it, `/docs` shows it to people."""

from typing import Any

from fervt import __version__
from fervt.labels import NOTICE, Vocabulary
from fervt.service.config import ServiceConfig
from fervt.service.problems import MEDIA_TYPE

_IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp", "application/octet-stream")

# Kept exact: a test lets schemathesis compare every answer with it.
_PROBLEM = {
    "type": "object",
    "required": ["title", "status", "detail"],
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence for the caller."},
    },
}

_FACE = {
    "type": "object",
    "required": ["box_xyxy_px", "angle_deg", "label", "probabilities", "latency_ms"],
    "properties": {
        "box_xyxy_px": {
            "type": "array",
            "items": {"type": "integer"},
            "minItems": 4,
            "maxItems": 4,
            "description": "Left, top, right, bottom in pixels of the upright image; at its edge "
            "the square may reach beyond it.",
        },
        "angle_deg": {
            "type": "number",
            "description": "How far the head, and the square with it, is tilted clockwise about "
            "the square's center; 0 for a nearly upright head.",
        },
        "label": {"$ref": "#/components/schemas/Label"},
        "probabilities": {
            "type": "object",
            "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1},
            "description": "Calibrated, one per class, summing to 1.",
        },
        "latency_ms": {"type": "number", "description": "This face's share of the forward pass."},
        "grid_xyxy_px": {
            "type": "array",
            "items": {"type": "number"},
            "description": "With explain: the position of the 7x7 grid, tilted like the box.",
        },
        "gwa": {
            "type": ["array", "null"],
            "items": {"type": "array", "items": {"type": "number"}},
            "description": "explain=gwa: 7x7 cell weights, rows from the top, mean 1.",
        },
        "gat": {
            "type": ["array", "null"],
            "items": {"type": "array", "items": {"type": "number"}},
            "description": (
                "explain=gat: a list per graph layer, one value per edge (mean over heads), in "
                "the order of grid.edge_sources and grid.edge_targets of /v1/model."
            ),
        },
    },
}

_IMAGE = {
    "type": "object",
    "required": ["name", "note", "width", "height", "faces_found", "faces"],
    "properties": {
        "name": {"type": "string"},
        "note": {"type": "string", "description": "What is missing from a truncated file."},
        "width": {"type": "integer"},
        "height": {"type": "integer"},
        "faces_found": {"type": "integer", "description": "Before the limit of faces per image."},
        "faces": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/Face"},
            "description": "The largest first.",
        },
    },
}

_FAILURE = {
    "type": "object",
    "required": ["name", "problem"],
    "properties": {
        "name": {"type": "string"},
        "problem": {"$ref": "#/components/schemas/Problem"},
    },
}

_ENTRY = {
    "type": "object",
    "required": ["image"],
    "properties": {
        "image": {
            "type": "string",
            "contentEncoding": "base64",
            "description": "The image file in base64; a data: URL is accepted too.",
        },
        "name": {"type": "string", "description": "The image's name in the response."},
    },
}

_OPTIONS = [
    {
        "name": "explain",
        "in": "query",
        "description": "gwa adds the 7x7 weights of grid-wise attention, gat graph attention.",
        "style": "form",
        "explode": False,
        "schema": {
            "type": "array",
            "items": {"type": "string", "enum": ["gwa", "gat"]},
            "minItems": 1,
            "maxItems": 2,
        },
    },
    {
        "name": "detect",
        "in": "query",
        "description": "false treats each image as one face, for callers that crop themselves.",
        "schema": {"type": "string", "enum": ["true", "false"], "default": "true"},
    },
]

_PROBLEM_NAMES = {
    400: "The request is malformed or has too many images.",
    401: "The API key is missing or wrong.",
    404: "Not found.",
    413: "The body is too large.",
    415: "The content type is not supported.",
    422: "An image cannot be used: unreadable, damaged, too many pixels.",
    429: "Too many requests from this client; see Retry-After.",
    503: "Busy or not ready; see Retry-After.",
}


def describe_api(config: ServiceConfig, classes: Vocabulary) -> dict[str, Any]:
    """Everything except the WebSocket, which OpenAPI cannot describe."""
    common = (429, 401) if config.api_key else (429,)
    predict = (400, 413, 415, 422, 503, *common)
    label = {"type": "string", "enum": list(classes.classes)}
    schemas = {
        "Problem": _PROBLEM,
        "Label": label,
        "Face": _FACE,
        "Image": _IMAGE,
        "Failure": _FAILURE,
        "Entry": _ENTRY,
        "Answer": _answers("Image"),
        "BatchAnswer": _answers("Image", "Failure"),
    }
    api: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "fervt",
            "version": __version__,
            "summary": "Apparent facial expressions in images, with FERVT-GNN.",
            "description": (
                f"{NOTICE} Limits of each worker: {config.max_body_mb} MB per request, "
                f"{config.max_megapixels} megapixels per image, {config.max_images} images per "
                f"request, {config.max_faces} faces per image, {config.max_in_flight} requests "
                f"at a time, {config.max_waiting} more waiting briefly. Images are never stored."
            ),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "./"}],
        "paths": {
            "/v1/predict": {
                "post": _operation(
                    "predict",
                    "The faces in one image or several; one bad image rejects the request.",
                    _json("Answer"),
                    predict,
                    parameters=_OPTIONS,
                    requestBody=_body({"$ref": "#/components/schemas/Entry"}, config),
                )
            },
            "/v1/predict/batch": {
                "post": _operation(
                    "predict_batch",
                    "Several images in one forward pass; each is accepted or rejected on its own.",
                    _json("BatchAnswer"),
                    predict,
                    parameters=_OPTIONS,
                    requestBody=_body(
                        {
                            "type": "object",
                            "required": ["images"],
                            "properties": {
                                "images": {
                                    "type": "array",
                                    "items": {"$ref": "#/components/schemas/Entry"},
                                    "minItems": 1,
                                    "maxItems": config.max_images,
                                }
                            },
                        },
                        config,
                    ),
                )
            },
            "/v1/model": {
                "get": _operation(
                    "model",
                    "The checkpoint, its classes, and the grid that explanations refer to.",
                    {"application/json": {"schema": {"type": "object"}}},
                    common,
                )
            },
            "/v1/stream": {
                "get": _operation(
                    "stream",
                    "A camera or video that the operator named, as MJPEG with faces drawn in.",
                    {"multipart/x-mixed-replace": {}},
                    (404, 503, *common),
                    parameters=[
                        {
                            "name": "source",
                            "in": "query",
                            "required": True,
                            "schema": {"type": "string"},
                            "description": "One of the sources of /v1/model.",
                        }
                    ],
                )
            },
            "/healthz": {"get": _operation("alive", "The process is alive.", _STATUS, ())},
            "/readyz": {"get": _operation("ready", "The model is warm.", _STATUS, (503,))},
            "/metrics": {
                "get": _operation(
                    "metrics", "Prometheus metrics of all workers.", {"text/plain": {}}, common
                )
            },
        },
        "components": {"schemas": schemas},
    }
    if config.api_key:
        api["components"]["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer"},
            "browser": {"type": "http", "scheme": "basic"},
        }
        for path, item in api["paths"].items():
            for operation in item.values():
                if path not in ("/healthz", "/readyz"):
                    operation["security"] = [{"key": []}, {"browser": []}]
    return api


_STATUS = {
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["status"],
            "properties": {"status": {"type": "string"}},
        }
    }
}


def _answers(*kinds: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["model", "notice", "images", "detector", "search_side_px"],
        "properties": {
            "model": {"type": "string", "description": "The checkpoint's name."},
            "notice": {"type": "string"},
            "detector": {"type": "string", "description": "The face detector."},
            "search_side_px": {
                "type": "integer",
                "description": "Images with more pixels than a 4:3 one with this longer side were "
                "scaled down for face detection.",
            },
            "images": {
                "type": "array",
                "items": {"anyOf": [{"$ref": f"#/components/schemas/{k}"} for k in kinds]},
            },
        },
    }


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _body(json_schema: dict[str, Any], config: ServiceConfig) -> dict[str, Any]:
    files = {
        "type": "array",
        "items": {"type": "string", "format": "binary"},
        "minItems": 1,
        "maxItems": config.max_images,
    }
    form = {"type": "object", "required": ["file"], "properties": {"file": files}}
    raw = {"schema": {"type": "string", "format": "binary"}}
    return {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": form},
            "application/json": {"schema": json_schema},
            **dict.fromkeys(_IMAGE_TYPES, raw),
        },
    }


def _operation(
    name: str, summary: str, content: dict[str, Any], problems: tuple[int, ...], **more: Any
) -> dict[str, Any]:
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses = {"200": {"description": "The answer.", "content": content}}
    for status in sorted(problems):
        responses[str(status)] = {"description": _PROBLEM_NAMES[status], "content": problem}
    return {"operationId": name, "summary": summary, **more, "responses": responses}
