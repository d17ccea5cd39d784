from serctl.text import count, escape_markdown, markdown_table, printable


def test_counts_have_a_noun():
    assert [count(n, "clip") for n in (0, 1, 2)] == ["0 clips", "1 clip", "2 clips"]


def test_control_characters_are_escaped():
    assert printable("a\x1b[2J\n\u00e9") == "a\\x1b[2J\\n\u00e9"


def test_a_markdown_table():
    assert markdown_table(("Name", "n"), [(escape_markdown("a|b"), "1")], numeric=[1]) == (
        "| Name | n |\n| --- | ---: |\n| a\\|b | 1 |"
    )
