"""What is written once for all languages, facts and drawings, is told in the page's own."""

from pathlib import Path

from tests.domain.world import PT, lama

from amazonia.domain.case import Lang
from amazonia.domain.projection import fact_view
from amazonia.web.drawings import Drawings


def test_a_fact_is_translated_and_its_source_is_not() -> None:
    """The statement is told in the team's language, the source is named as it can be found."""
    case = lama().case
    ours, theirs = (fact_view(case, case.words[lang], "F008") for lang in (PT, Lang("en")))
    assert ours["statement"].startswith("Um estudo analisou")
    assert theirs["statement"].startswith("A study analysed")
    assert ours["source"] == theirs["source"]


def test_captions_of_a_drawing(tmp_path: Path) -> None:
    """Whole captions are replaced, escaped, in the map and in other drawings; the rest stays."""
    texts = ("Padaria", "Padaria da Ana", "A &amp; B")
    drawn = f'<svg role="img">{"".join(f"<text>{text}</text>" for text in texts)}</svg>'
    for name in ("map", "scene"):
        (tmp_path / f"{name}.svg").write_text(drawn, encoding="utf-8")
    art = Drawings(tmp_path, str, {"Padaria": "Bread & <cake>"})
    for told in (art.svg("scene"), art.map((), ())):
        assert "<text>Bread &amp; &lt;cake&gt;</text>" in told
        assert "<text>Padaria da Ana</text><text>A &amp; B</text>" in told
    assert "<text>Padaria</text>" in Drawings(tmp_path, str).svg("scene")
