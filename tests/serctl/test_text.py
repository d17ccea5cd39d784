from serctl.text import count, escape_markdown, markdown_table, printable, printable_lines


def test_counts_have_a_noun():
    assert [count(n, "clip") for n in (0, 1, 2)] == ["0 clips", "1 clip", "2 clips"]


def test_control_characters_are_escaped():
    assert printable("a\x1b[2J\n\u00e9") == "a\\x1b[2J\\n\u00e9"


def test_a_markdown_table():
    assert markdown_table(("Name", "n"), [(escape_markdown("a|b"), "1")], numeric=[1]) == (
        "| Name | n |\n| --- | ---: |\n| a\\|b | 1 |"
    )


def test_what_turns_the_line_round_or_cannot_be_seen_is_escaped():
    assert printable("a\u202egpj.ogg\u2066\u200f\u200b\ufeff") == (
        "a\\u202egpj.ogg\\u2066\\u200f\\u200b\\ufeff"
    )
    assert printable("\udcff\x9b1m") == "\\udcff\\x9b1m"


def test_lines_stay_lines():
    assert printable_lines("a\x1b[0m\nb\r") == "a\\x1b[0m\nb\\r"


def test_markdown_of_a_name_has_no_markup_links_or_mentions():
    hostile = "@octocat _a_ https://x.org www.x.org [b](c) <img> #1 ~~d~~ `e`"
    escaped = escape_markdown(hostile)
    assert escaped == (
        "&#64;octocat \\_a\\_ https&#58;//x.org www&#46;x.org \\[b\\](c) \\<img\\> \\#1 "
        "\\~\\~d\\~\\~ \\`e\\`"
    )
