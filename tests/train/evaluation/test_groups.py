from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serctl.emotions import REPORT_FIVE
from serctl.train.corpora.manifest import manifest
from serctl.train.corpora.speakers import AGE_NOT_KNOWN, speakers_known
from serctl.train.evaluation.groups import score_groups
from serctl.train.evaluation.scores import score

SPEAKERS = ("crema1001", "crema1002", "ravdess01", "ravdess02", "saveeDC", "tessOAF", "tessYAF")


def test_every_speaker_of_the_corpora_is_known() -> None:
    assert set(speakers_known()) == set(manifest()["speaker"])


def test_as_many_women_and_men_as_the_corpora_say() -> None:
    counts = Counter(
        (name.rstrip("0123456789")[:5], one.sex) for name, one in speakers_known().items()
    )
    assert counts == {
        ("crema", "female"): 43,
        ("crema", "male"): 48,
        ("ravde", "female"): 12,
        ("ravde", "male"): 12,
        ("savee", "male"): 4,
        ("tessO", "female"): 1,
        ("tessY", "female"): 1,
    }
    assert speakers_known()["ravdess01"].sex == "male"  # odd numbers are men


@pytest.mark.parametrize(
    ("speaker", "group"),
    [
        ("crema1001", "45 to 59"),  # 51
        ("crema1002", "under 30"),  # 21
        ("crema1004", "30 to 44"),  # 42
        ("tessOAF", "60 and over"),
        ("tessYAF", "under 30"),
        ("ravdess07", AGE_NOT_KNOWN),
        ("saveeKL", AGE_NOT_KNOWN),
    ],
)
def test_ages_fall_into_groups(speaker: str, group: str) -> None:
    assert speakers_known()[speaker].age_group == group


def test_age_groups_have_no_gap() -> None:
    groups = {one.age: one.age_group for one in speakers_known().values() if one.age}
    assert {groups[age] for age in (29, 30, 44, 45, 59)} == {"under 30", "30 to 44", "45 to 59"}
    assert [groups[age] for age in (29, 30, 44, 45, 59, 61)] == [
        "under 30", "30 to 44", "30 to 44", "45 to 59", "45 to 59", "60 and over",
    ]  # fmt: skip


def test_a_worked_example() -> None:
    speakers = ["crema1001", "crema1001", "tessYAF", "saveeDC"]
    references = ["angry", "sad", "angry", "sad"]
    predictions = ["angry", "angry", "angry", ""]
    groups = score_groups(references, predictions, speakers, REPORT_FIVE)
    shares = {
        kind: {name: (one["n_speakers"], one["n_clips"], one["wa"]) for name, one in found.items()}
        for kind, found in groups.items()
    }
    assert shares == {
        "sex": {"female": (1, 1, 1.0), "male": (2, 3, 1 / 3)},
        "age": {"under 30": (1, 1, 1.0), "45 to 59": (1, 2, 1 / 2), "not known": (1, 1, 0.0)},
    }


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(REPORT_FIVE),
            st.sampled_from([*REPORT_FIVE, ""]),
            st.sampled_from(SPEAKERS),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_groups_are_scored_as_if_alone_and_leave_nobody_out(
    clips: list[tuple[str, str, str]],
) -> None:
    references, predictions, speakers = (list(column) for column in zip(*clips, strict=True))
    groups = score_groups(references, predictions, speakers, REPORT_FIVE)
    for found in groups.values():
        assert sum(one["n_clips"] for one in found.values()) == len(clips)
        assert sum(one["n_speakers"] for one in found.values()) == len(set(speakers))
    women = [clip for clip in clips if speakers_known()[clip[2]].sex == "female"]
    assert ("female" in groups["sex"]) == bool(women)
    if women:
        alone = score([c[0] for c in women], [c[1] for c in women], [""] * len(women), REPORT_FIVE)
        found_ua = groups["sex"]["female"]
        assert found_ua["ua"] == pytest.approx(alone.ua)
        assert found_ua["ua_interval"] == pytest.approx(alone.intervals["ua"])


def test_a_stranger_is_refused() -> None:
    with pytest.raises(KeyError, match="crema9999"):
        score_groups(["sad"], ["sad"], ["crema9999"], REPORT_FIVE)
