"""What the schema of ELAN's format EAF 3.0 demands of the elements that serctl writes.

Written after what is known of EAFv3.0.xsd, and not copied from it: children in their order, required
and allowed attributes and their types, unique identifiers, and references that exist. The schema
itself (of December 2016, by lxml and by xmlschema) found the same as this module in all valid and
all broken files of tests/serctl/timeline/test_exports.py.
"""

import re
from xml.etree import ElementTree

DATE = r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"
NAME = r"[^\W\d][\w.-]*"  # xsd:ID and xsd:IDREF have no colon
NUMBER, BOOLEAN, ANY = r"\d{1,10}", "true|false|1|0", r"(?s:.*)"
ADDRESS = r"[^\s<>\"{}|\\^`]*"
SCHEMA_OF = "{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation"

# Element: children in their order, each at least and at most so often.
CHILDREN = {
    "ANNOTATION_DOCUMENT": [
        ("LICENSE", 0, 9999),
        ("HEADER", 1, 1),
        ("TIME_ORDER", 1, 1),
        ("TIER", 0, 9999),
        ("LINGUISTIC_TYPE", 0, 9999),
        ("LOCALE", 0, 9999),
        ("LANGUAGE", 0, 9999),
        ("CONSTRAINT", 0, 9999),
        ("CONTROLLED_VOCABULARY", 0, 9999),
        ("LEXICON_REF", 0, 9999),
        ("REF_LINK_SET", 0, 9999),
        ("EXTERNAL_REF", 0, 9999),
    ],
    "HEADER": [
        ("MEDIA_DESCRIPTOR", 0, 9999),
        ("LINKED_FILE_DESCRIPTOR", 0, 9999),
        ("PROPERTY", 0, 9999),
    ],
    "MEDIA_DESCRIPTOR": [],
    "TIME_ORDER": [("TIME_SLOT", 0, 99999)],
    "TIME_SLOT": [],
    "TIER": [("ANNOTATION", 0, 99999)],
    "ANNOTATION": [("ALIGNABLE_ANNOTATION", 1, 1)],
    "ALIGNABLE_ANNOTATION": [("ANNOTATION_VALUE", 1, 1)],
    "ANNOTATION_VALUE": [],
    "LINGUISTIC_TYPE": [],
}
# Element: its required and its optional attributes, with what their values look like.
ATTRIBUTES = {
    "ANNOTATION_DOCUMENT": (
        {"DATE": DATE, "AUTHOR": ANY, "VERSION": ANY},
        {"FORMAT": ANY, SCHEMA_OF: ANY},
    ),
    "HEADER": ({}, {"MEDIA_FILE": ANY, "TIME_UNITS": "NTSC-frames|PAL-frames|milliseconds"}),
    "MEDIA_DESCRIPTOR": (
        {"MEDIA_URL": ADDRESS, "MIME_TYPE": ANY},
        {"RELATIVE_MEDIA_URL": ADDRESS, "TIME_ORIGIN": r"-?\d+", "EXTRACTED_FROM": ADDRESS},
    ),
    "TIME_ORDER": ({}, {}),
    "TIME_SLOT": ({"TIME_SLOT_ID": NAME}, {"TIME_VALUE": NUMBER}),
    "TIER": (
        {"TIER_ID": ANY, "LINGUISTIC_TYPE_REF": ANY},
        {"PARTICIPANT": ANY, "ANNOTATOR": ANY, "PARENT_REF": ANY, "DEFAULT_LOCALE": NAME},
    ),
    "ANNOTATION": ({}, {}),
    "ALIGNABLE_ANNOTATION": (
        {"ANNOTATION_ID": NAME, "TIME_SLOT_REF1": NAME, "TIME_SLOT_REF2": NAME},
        {"SVG_REF": ANY, "EXT_REF": NAME, "LANG_REF": NAME, "CVE_REF": ANY},
    ),
    "ANNOTATION_VALUE": ({}, {}),
    "LINGUISTIC_TYPE": (
        {"LINGUISTIC_TYPE_ID": ANY},
        {"TIME_ALIGNABLE": BOOLEAN, "GRAPHIC_REFERENCES": BOOLEAN, "CONSTRAINTS": NAME},
    ),
}


def faults_of(text):
    """What the schema does not allow in an EAF document; an empty list if it is valid."""
    root = ElementTree.fromstring(text)
    if root.tag != "ANNOTATION_DOCUMENT":
        return [f"the document is a {root.tag}"]
    faults = [fault for element in root.iter() for fault in _faults_of_element(element)]
    names = [one.get(key) for one in root.iter() for key in ("TIME_SLOT_ID", "ANNOTATION_ID")]
    names = [name for name in names if name is not None]
    faults += [f"the ID {name} is there twice" for name in set(names) if names.count(name) > 1]
    for element, key in (("TIER", "TIER_ID"), ("LINGUISTIC_TYPE", "LINGUISTIC_TYPE_ID")):
        keys = [one.get(key) for one in root.iter(element)]
        faults += [f"{key} {name} is there twice" for name in set(keys) if keys.count(name) > 1]
    slots = {one.get("TIME_SLOT_ID") for one in root.iter("TIME_SLOT")}
    for one in root.iter("ALIGNABLE_ANNOTATION"):
        ends = (one.get("TIME_SLOT_REF1"), one.get("TIME_SLOT_REF2"))
        faults += [f"no time slot {name}" for name in ends if name not in slots]
    kinds = {one.get("LINGUISTIC_TYPE_ID") for one in root.iter("LINGUISTIC_TYPE")}
    used = {one.get("LINGUISTIC_TYPE_REF") for one in root.iter("TIER")}
    return faults + [f"no linguistic type {name}" for name in used - kinds]


def _faults_of_element(element):
    if element.tag not in CHILDREN:
        return [f"{element.tag} is not checked"]
    faults = []
    tags = "".join(f"{child.tag} " for child in element)
    order = "".join(f"(?:{tag} ){{{least},{most}}}" for tag, least, most in CHILDREN[element.tag])
    if not re.fullmatch(order, tags):
        faults.append(f"{element.tag} has the children {tags}")
    if element.tag != "ANNOTATION_VALUE" and (element.text or "").strip():
        faults.append(f"{element.tag} has text")
    required, optional = ATTRIBUTES[element.tag]
    faults += [f"{element.tag} has no {name}" for name in required if name not in element.attrib]
    for name, value in element.attrib.items():
        pattern = (required | optional).get(name)
        if pattern is None or not re.fullmatch(pattern, value):
            faults.append(f"{element.tag} has {name}={value!r}")
    return faults
