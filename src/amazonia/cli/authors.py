"""Commands of authors: prove, solve, play and question a case."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amazonia.cli.app import app

if TYPE_CHECKING:
    from amazonia.content.library import Library
    from amazonia.domain.case import Case, Lang

CaseName = Annotated[str, typer.Argument(help="The case: a bundled one's name, or a folder.")]
LangOption = Annotated[str | None, typer.Option(help="Language; the case's first by default.")]


@app.command("new-case")
def new_case_command(
    name: Annotated[str, typer.Argument(help="Its name: small letters, figures and _.")],
    folder: Annotated[Path | None, typer.Option(help="Where cases are; here by default.")] = None,
    lang: Annotated[
        list[str] | None, typer.Option(help="A language; all if none is named.")
    ] = None,
) -> None:
    """Write a small case that can be won, to start from; `check` proves it at once."""
    from amazonia.content.new import new_case

    case = new_case(folder or Path(), name, lang or ())
    typer.echo(f"{case} is written. Now:\n  amazonia check {case}\n  amazonia edit {case}")


@app.command()
def check(
    cases: Annotated[list[str] | None, typer.Argument(help="Cases; all if none is named.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Findings as JSON.")] = False,
    lang: Annotated[str | None, typer.Option(help="Of the findings: pt-BR or en.")] = None,
) -> None:
    """Load and prove cases; exit 0 only if every proof holds."""
    from amazonia.cli.checking import Report, as_records

    spoken = _spoken(lang)
    chosen = [_open(case) for case in cases] if cases else _all()
    if as_json:
        from amazonia.content.check import check_case

        findings = [finding for one in chosen for finding in check_case(*one)]
        typer.echo(json.dumps(as_records(findings, spoken), ensure_ascii=False, indent=2))
        raise typer.Exit(1 if findings else 0)
    report = Report(spoken)
    for library, name in chosen:
        report.check(library, name)
    report.sum_up()
    raise typer.Exit(1 if report.found else 0)


def _spoken(lang: str | None) -> str:
    """The language to speak to an author in: as asked, else the machine's."""
    if lang is not None and lang not in {"pt-BR", "en"}:
        raise typer.BadParameter(f"'{lang}' is no language of the findings: pt-BR or en")
    machine = next(
        (os.environ[v] for v in ("LC_ALL", "LC_MESSAGES", "LANG") if v in os.environ), ""
    )
    return lang or ("pt-BR" if machine.lower().startswith("pt") else "en")


@app.command()
def solve(
    case: CaseName,
    as_json: Annotated[bool, typer.Option("--json", help="The calls' bodies as JSON.")] = False,
    ending: Annotated[str | None, typer.Option(help="Another ending than the best.")] = None,
    lang: LangOption = None,
) -> None:
    """Print a shortest winning walkthrough, as the exact actions of a player."""
    from amazonia.domain.walkthrough import Guide, NoWay

    library, loaded, language = _case(case, lang)
    endings = [e.id for e in loaded.publication.endings]
    if ending is not None and ending not in endings:
        raise typer.BadParameter(f"'{ending}' is no ending of {case}; there are {endings}")
    guide = Guide(loaded, loaded.words[language], library.listener(loaded, language))
    try:
        actions = guide.walkthrough(ending)
    except NoWay as exc:
        typer.echo(str(exc), err=True)
        raise typer.Exit(1) from exc
    if as_json:
        typer.echo(json.dumps(actions, ensure_ascii=False, indent=2))
        return
    for number, action in enumerate(actions, 1):
        rest = {key: value for key, value in action.items() if key != "do"}
        typer.echo(f"{number:3}  {action['do']:8}  {json.dumps(rest, ensure_ascii=False)}")


@app.command()
def playtest(
    case: CaseName,
    teams: Annotated[int, typer.Option(min=1, help="How many simulated teams.")] = 200,
    seed: Annotated[int, typer.Option(help="The same seed plays the same games.")] = 1,
    idle: Annotated[bool, typer.Option(help="Teams that only ask irrelevant questions.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON.")] = False,
    lang: LangOption = None,
) -> None:
    """Let simulated teams play with noisy questions; say who gets where, and who gets stuck."""
    from statistics import median

    from amazonia.content.playtest import playtest as run

    library, loaded, language = _case(case, lang)
    result = run(loaded, language, library.listener(loaded, language), teams, seed, idle)
    if as_json:
        record = {
            "teams": teams,
            "seed": seed,
            "endings": result.endings,
            "turns": {e.id: result.turns(e.id) for e in loaded.publication.endings},
            "clues": {clue: result.reach(clue) for clue in loaded.clues},
            "before": result.before,
            "slow": result.slow,
            "dead_ends": [game.stuck for game in result.dead_ends],
        }
        typer.echo(json.dumps(record, ensure_ascii=False, indent=2))
        raise typer.Exit(1 if result.dead_ends else 0)
    typer.echo(f"{teams} teams, seed {seed}")
    for name, count in sorted(result.endings.items()):
        turns = result.turns(name)
        spent = f"  turns: median {median(turns):.0f}, most {turns[-1]}" if turns else ""
        typer.echo(f"  ending {name}: {count}{spent}")
    typer.echo("  clues, share of teams:")
    for clue in sorted(loaded.clues, key=result.reach):
        typer.echo(f"    {result.reach(clue):4.0%}  {clue}")
    typer.echo("  where they stick, turns without anything new:")
    for subject, count in result.slow.most_common(5):
        typer.echo(f"    {count:4}  before {subject}")
    for subject, count in result.before.most_common(5):
        typer.echo(f"    {count:4}  teams went home before {subject}")
    typer.echo(f"  states without a way out: {len(result.dead_ends)}")
    for game in result.dead_ends[:5]:
        typer.echo(f"    {game.stuck}")
    raise typer.Exit(1 if result.dead_ends else 0)


@app.command()
def ask(
    case: CaseName,
    character: Annotated[str | None, typer.Argument(help="Whom to ask.")] = None,
    question: Annotated[str | None, typer.Argument(help="What to ask.")] = None,
    batch: Annotated[
        Path | None,
        typer.Option(
            help="JSON lines {id, character, message, previous?}: all gates open, no model."
        ),
    ] = None,
    lang: LangOption = None,
) -> None:
    """Ask one question and see which topic matched, with what score, and what would be said."""
    library, loaded, language = _case(case, lang)
    if batch is not None:
        _ask_batch(library, loaded, language, batch)
        return
    if character is None or question is None:
        raise typer.BadParameter("name a character and a question, or give --batch FILE")
    if character not in loaded.characters:
        people = ", ".join(loaded.characters)
        raise typer.BadParameter(f"'{character}' is not in {case}; there are: {people}")
    _ask_one(library, loaded, language, character, question)


@app.command()
def edit(
    case: CaseName,
    port: Annotated[int, typer.Option(help="Port.")] = 8765,
    lang: Annotated[str | None, typer.Option(help="Of the page: pt-BR or en.")] = None,
) -> None:
    """Show a case while you write it: findings, every question and why, from any point; local."""
    import uvicorn

    from amazonia.errors import UnknownCase
    from amazonia.studio.app import create_desk
    from amazonia.studio.desk import Desk

    library, name = _open(case)
    if name not in library.names():
        raise UnknownCase(name, library.names())
    desk = Desk(library.folder / name, library.cache)
    typer.echo(f"http://127.0.0.1:{port}  (Ctrl+C ends it)")
    uvicorn.run(create_desk(desk, _spoken(lang)), host="127.0.0.1", port=port, log_level="warning")


@app.command()
def translated(
    case: CaseName,
    lang: Annotated[str, typer.Option(help="The language of the translation.")] = "en",
) -> None:
    """Note that a translation is that of the original as it is now; `check` says when it is not."""
    from amazonia.content.lint import read_draft
    from amazonia.content.lint.translations import note_translation

    library, loaded, language = _case(case, lang)
    if language == next(iter(loaded.words)):
        raise typer.BadParameter(f"'{lang}' is the original of {case}")
    typer.echo(f"{note_translation(read_draft(loaded, library.folder / loaded.id), language)}")


@app.command()
def graph(
    case: CaseName,
    out: Annotated[Path, typer.Option("-o", "--out", help="The SVG file to write.")],
    lang: LangOption = None,
) -> None:
    """Draw a case: characters, clues, gates, and a shortest way to the best ending."""
    from amazonia.content.graph import draw

    _, loaded, language = _case(case, lang)
    out.write_text(draw(loaded, language), encoding="utf-8", newline="\n")
    typer.echo(f"{out} is written")


@app.command()
def expand(
    case: CaseName,
    topic: Annotated[str | None, typer.Option(help="One topic, as esmerina.aiu.")] = None,
    wanted: Annotated[int, typer.Option(min=1, max=40, help="Questions a topic.")] = 12,
    yes: Annotated[bool, typer.Option("--yes", help="Keep all that are not found yet.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON; keeps only with --yes.")
    ] = False,
    lang: LangOption = None,
) -> None:
    """Ask the provider for further ways to put each topic's question; keep what you accept."""
    from amazonia.cli.expanding import expand as run

    library, loaded, language = _case(case, lang)
    topics = list(loaded.topics())
    if topic is not None:
        topics = [one for one in topics if one.key == topic]
        if not topics:
            known = ", ".join(one.key for one in loaded.topics())
            raise typer.BadParameter(f"there is no topic '{topic}'; there are: {known}")
    run(library, loaded, language, topics, wanted, yes=yes, as_json=as_json)


def _ask_one(library: Library, case: Case, lang: Lang, character: str, question: str) -> None:
    from amazonia.domain.case import CharacterId
    from amazonia.domain.director import direct
    from amazonia.domain.lines import read
    from amazonia.domain.session import begin

    who, words = CharacterId(character), case.words[lang]
    reading = library.listener(case, lang).listen(who, question)
    beat = direct(case, words, begin(case), case.characters[who], reading, 0)
    typer.echo(f"decision  {reading.decision} {reading.smalltalk}".rstrip())
    for topic, score in zip(reading.topics, reading.scores, strict=False):
        typer.echo(f"  {score:6.1%}  {topic}")
    weights = ", ".join(f"{feature} {weight:+.2f}" for feature, weight in reading.why)
    typer.echo(f"because   {weights}")
    typer.echo(f"beat      {beat.kind} at the start of the game, voice: scripted")
    typer.echo(f"({beat.gesture})")
    for line in beat.lines:
        typer.echo(f"— {read(words, who, line).text}")
    if beat.clues:
        typer.echo(f"clue      {', '.join(beat.clues)}")


def _ask_batch(library: Library, case: Case, lang: Lang, batch: Path) -> None:
    from amazonia.content.batch import answer_line

    listener = library.listener(case, lang)
    try:
        text = batch.read_text(encoding="utf-8")
    except OSError as exc:
        raise typer.BadParameter(f"{batch} cannot be read: {exc.strerror}") from exc
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                answer = answer_line(case, listener, json.loads(line))
            except (ValueError, KeyError, TypeError) as exc:
                typer.echo(f"{batch}:{number}: {exc}", err=True)
                raise typer.Exit(1) from exc
            typer.echo(json.dumps(answer, ensure_ascii=False))


def _open(case: str) -> tuple[Library, str]:
    """The library of a case and its name there: a folder with a case.yaml, or one of the cases."""
    from amazonia.content.library import Library, bundled_cases

    learned = Path(os.environ.get("AMAZONIA_DATA") or "data") / "learned"
    folder = Path(case)
    if (folder / "case.yaml").is_file():
        return Library(folder.resolve().parent, learned), folder.resolve().name
    return Library(Path(os.environ.get("AMAZONIA_CASES") or bundled_cases()), learned), case


def _all() -> list[tuple[Library, str]]:
    library, _ = _open("")
    return [(library, name) for name in library.names()]


def _case(name: str, lang: str | None) -> tuple[Library, Case, Lang]:
    from amazonia.domain.case import Lang

    library, name = _open(name)
    case = library.case(name)
    language = Lang(lang) if lang else next(iter(case.words))
    if language not in case.words:
        raise typer.BadParameter(f"{name} has no '{language}'; there are: {', '.join(case.words)}")
    return library, case, language
