"""The report as a PDF for paper: A4, in black and grey, with the fonts that every reader has.

Those fonts speak Windows-1252, which has every Portuguese letter, «», –, … and ’. What it has not
(an emoji in a name, an arrow) is replaced by what comes closest, or left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from amazonia.classroom.labels import Labels
from amazonia.classroom.path import TeamReport
from amazonia.classroom.questionnaire import Outcome
from amazonia.classroom.report import Hard, Report
from amazonia.classroom.sentences import outcome_lines, team_figures

INK, SOFT, RULE, BLANK = (29, 43, 42), (84, 94, 92), (190, 190, 184), (255, 255, 255)
ACTS = ((226, 224, 216), (176, 186, 180), (112, 138, 130), (48, 84, 76))
"""Shades of the acts, light to dark, that stay apart in grey."""
LEFT, WIDTH, BOTTOM = 18.0, 174.0, 18.0
NAMES = 44.0
"""Millimetres for the names before a chart."""
CLOSEST = str.maketrans({"→": ">", "−": "-", "≥": ">=", "≤": "<=", "\u202f": "\u00a0"})


def plain(text: str) -> str:
    """The text in the letters that the fonts have."""
    return text.translate(CLOSEST).encode("cp1252", "ignore").decode("cp1252")


def make_pdf(report: Report, labels: Labels, made: str) -> bytes:
    """The whole report as a PDF.

    Args:
        made: which class it is of, and when it was made.
    """
    paper = _Paper(labels, made)
    paper.cover(report)
    paper.lines(report)
    paper.hard(report)
    paper.beliefs(report)
    paper.talk(report)
    if report.judging:
        paper.judging(report.judging)
    paper.skills(report)
    paper.teams(report)
    return bytes(paper.output())


class _Paper(FPDF):
    def __init__(self, labels: Labels, made: str) -> None:
        super().__init__(format="A4")
        self.core_fonts_encoding = "cp1252"
        self.labels = labels
        self.made = made
        self.set_margins(LEFT, 16, 210 - LEFT - WIDTH)
        self.set_auto_page_break(True, BOTTOM)
        self.set_title(plain(labels("title")))
        self.set_lang(labels.lang)
        self.set_creator("Amazonia")
        self.alias_nb_pages()
        self.add_page()

    # ── pieces ──────────────────────────────────────────────────────────────────────────────────

    def footer(self) -> None:
        """Which class, and which page of how many."""
        self.set_y(-13)
        self._font(8, color=SOFT)
        page = self.labels("page", n=self.page_no(), of="{nb}")
        self.cell(WIDTH - 30, 5, plain(self.made))
        self.cell(30, 5, plain(page), align="R")

    def _font(
        self, size: float, style: str = "", *, serif: bool = False, color: Sequence[int] = INK
    ) -> None:
        self.set_font("Times" if serif else "Helvetica", style, size)
        self.set_text_color(*color)

    def _text(
        self,
        text: str,
        size: float = 10.5,
        style: str = "",
        *,
        serif: bool = True,
        color: Sequence[int] = INK,
        indent: float = 0,
        after: float = 1.2,
    ) -> None:
        self._font(size, style, serif=serif, color=color)
        self.set_x(LEFT + indent)
        self.multi_cell(
            WIDTH - indent, size * 0.46, plain(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )
        self.ln(after)

    def _heading(self, text: str, room: float = 34) -> None:
        """A heading that does not stand alone at the foot of a page."""
        self._space(room)
        self.ln(3.5)
        self._text(text, 15, "B", after=0.6)
        self.set_draw_color(*INK)
        self.set_line_width(0.5)
        self.line(LEFT, self.get_y(), LEFT + WIDTH, self.get_y())
        self.ln(2.4)

    def _space(self, height: float) -> None:
        if self.get_y() + height > self.h - BOTTOM:
            self.add_page()

    def _box(self, x: float, width: float, fill: Sequence[int], height: float = 3.6) -> None:
        self.set_fill_color(*fill)
        self.rect(x, self.get_y() + 0.7, max(width, 0.1), height, "F")

    def _name(self, name: str, width: float = NAMES) -> None:
        """A name before a chart's row, cut where it does not fit."""
        self._font(8.5)
        text = plain(name)
        while self.get_string_width(text) > width - 2:
            text = text.rstrip("…")[:-1].rstrip() + "…"
        self.set_x(LEFT)
        self.cell(width, 5, text)

    # ── the class ───────────────────────────────────────────────────────────────────────────────

    def cover(self, report: Report) -> None:
        """A dark band with the title, and the figures of the class under it."""
        labels = self.labels
        self.set_fill_color(*INK)
        self.rect(0, 0, 210, 44, "F")
        self.set_y(13)
        self._font(11, color=(243, 213, 138))
        self.cell(WIDTH, 6, plain(report.title), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self._font(25, "B", serif=True, color=(246, 241, 228))
        self.cell(WIDTH, 12, plain(labels("title")), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self._font(8.5, color=(214, 203, 176))
        self.cell(WIDTH, 5, plain(self.made))
        self.set_y(51)
        best = report.endings.get(report.best, 0)
        published = sum(report.endings.values())
        figures = [
            (str(report.playing), labels("teams_who")),
            (labels("minutes_n", n=labels.number(report.minutes, 0)), labels("median_minutes")),
            (labels("of", n=published, of=report.playing), labels("ended")),
            (labels("of", n=best, of=report.playing), labels("best")),
        ]
        for number, (figure, name) in enumerate(figures):
            self.set_xy(LEFT + number * WIDTH / 4, 51)
            self._font(19, "B", serif=True)
            self.cell(WIDTH / 4, 9, plain(figure))
            self.set_xy(LEFT + number * WIDTH / 4, 60)
            self._font(8.5, color=SOFT)
            self.cell(WIDTH / 4, 4, plain(name))
        self.set_y(68)
        self._text(labels("times"), 9, color=SOFT, after=0)
        if report.playing < 5:
            self._text(labels("few"), 9, color=SOFT, after=0)

    def lines(self, report: Report) -> None:
        """A line for each team over its active time."""
        labels = self.labels
        self._heading(labels("lines"))
        self._text(labels("lines_lead"), 9.5, "I", color=SOFT)
        longest = max((team.minutes for team in report.teams), default=0.0) or 1.0
        scale = (WIDTH - NAMES - 18) / longest
        for team in report.teams:
            self._space(6)
            self._line(team, report, scale)
        if not report.teams:
            self._text(labels("nobody"), style="I")

    def _line(self, team: TeamReport, report: Report, scale: float) -> None:
        self._name(team.name)
        opened = [0.0, *(step.minute for step in team.steps if step.kind == "act")]
        ends = [*opened[1:], team.minutes]
        start, y = LEFT + NAMES, self.get_y()
        for shade, begin, end in zip(ACTS, opened, ends, strict=False):
            self._box(start + begin * scale, (end - begin) * scale, shade)
        self.set_draw_color(*INK)
        self.set_line_width(0.2)
        for clue in team.clues:
            x = start + clue.minute * scale
            self.line(x, y + 0.2, x, y + 4.8)
        for issue in team.issues:
            best = issue.ending == report.best
            self.set_fill_color(*(INK if best else BLANK))
            self.set_line_width(0.4)
            self.circle(start + issue.minute * scale, y + 2.5, 1.5, "DF")
        self.set_xy(start + team.minutes * scale + 2.2, y)
        self._font(8, color=SOFT)
        self.cell(18, 5, plain(self.labels("minutes_n", n=self.labels.number(team.minutes, 0))))
        self.ln(5.6)

    def hard(self, report: Report) -> None:
        """Bars of who got there and who tried; what teams stood before longest."""
        labels = self.labels
        self._heading(labels("hard"))
        self._text(labels("hard_lead"), 9.5, "I", color=SOFT)
        challenges = tuple(h for h in report.hardest("challenge") if h.tried)[:8]
        for title, items in (
            ("hard_riddle", report.hardest("riddle")),
            ("hard_round", report.hardest("round")),
            ("hard_clue", report.hardest("clue", 8)),
            ("hard_challenge", challenges),
        ):
            if items:
                self._space(18)
                self._text(labels(title), 10.5, "B", serif=False, after=0.4)
                for item in items:
                    self._space(6)
                    self._bar(item, report.playing)
                self.ln(1.6)
        if report.longest:
            self._space(20)
            self._text(labels("longest"), 10.5, "B", serif=False, after=0.4)
            for item in report.longest[:5]:
                minutes = labels.number(item.waited)
                line = labels("longest_line", name=item.name, minutes=minutes, n=item.reached)
                self._text(f"• {line}", 10, indent=2, after=0.2)

    def _bar(self, item: Hard, of: int) -> None:
        labels, wide, most = self.labels, 76.0, 54.0
        self._name(item.name, wide)
        start, scale = LEFT + wide, most / max(of, 1)
        tried = max(item.tried, item.reached)
        self._box(start, most, (240, 239, 234))
        self._box(start, tried * scale, (200, 203, 197))
        self._box(start, item.reached * scale, ACTS[3])
        self.set_draw_color(*RULE)
        self.set_line_width(0.2)
        self.rect(start, self.get_y() + 0.7, most, 3.6)
        figure = labels.of(item.reached, of)
        if item.tries is not None:
            tries = 1 if item.tries == 1 else labels.half(item.tries)
            figure += f" · {labels('tries', n=tries)}"
        self.set_x(start + most + 2)
        self._font(8, color=SOFT)
        self.cell(40, 5, plain(figure))
        self.ln(5.4)

    def beliefs(self, report: Report) -> None:
        """What was believed and could not be shown."""
        labels = self.labels
        self._heading(labels("beliefs"))
        for belief in report.beliefs:
            self._space(16)
            kept = labels("belief_kept", n=belief.kept) if belief.kept else labels("belief_gone")
            self._text(belief.text, 10.5, "B", after=0.2)
            self._text(f"{labels('belief_held', n=belief.held)}; {kept}.", 9, color=SOFT, after=0.2)
            self._text(belief.why, 10, after=1.6)
        if not report.beliefs:
            self._text(labels("no_beliefs"))

    def talk(self, report: Report) -> None:
        """Questions for the class."""
        self._heading(self.labels("talk"))
        self._text(self.labels("talk_lead"), 9.5, "I", color=SOFT)
        for number, (question, n) in enumerate(report.questions, 1):
            self._space(14)
            self._text(f"{number}. {question} ({self.labels('teams', n=n)})", 11, after=1.4)

    def judging(self, outcome: Outcome) -> None:
        """The questionnaire: marks, mean and spread, and what they do not say."""
        labels = self.labels
        self._heading(labels("judging"), 60)
        self._text(labels("judging_what"), 9.5, "I", color=SOFT)
        scale, middle = (WIDTH - NAMES - 8) / 8, LEFT + NAMES + (WIDTH - NAMES - 8) / 2
        for pair in outcome.pairs:
            self._space(6)
            self._name(pair.name)
            y = self.get_y() + 2.5
            self.set_line_width(0.2)
            self.set_draw_color(*RULE)
            for value in range(-4, 5):
                self.line(middle + value * scale, y - 2.5, middle + value * scale, y + 2.5)
            self.set_draw_color(*INK)
            self.set_line_width(0.4)
            before, after = middle + pair.before * scale, middle + pair.after * scale
            self.line(before, y, after, y)
            for x, fill in ((before, BLANK), (after, INK)):
                self.set_fill_color(*fill)
                self.circle(x, y, 1.5, "DF")
            self.ln(5.4)
        self.ln(1.5)
        for sentence in outcome_lines(outcome, labels):
            self._text(sentence, 10, after=0.4)

    def skills(self, report: Report) -> None:
        """The skills of the BNCC, with where they stand in the case."""
        labels = self.labels
        self._heading(labels("skills"))
        self._text(labels("skills_lead"), 9.5, "I", color=SOFT)
        self._font(8.5)
        self.set_draw_color(*RULE)
        self.set_fill_color(*BLANK)
        with self.table(
            width=round(WIDTH),
            col_widths=(25, 79, 18, 18, 34),
            line_height=4.1,
            borders_layout="HORIZONTAL_LINES",
            text_align="LEFT",
            padding=0.9,
        ) as table:
            table.row(
                [
                    plain(labels(name))
                    for name in ("skill", "skill_gist", "skill_met", "skill_right", "skill_source")
                ]
            )
            for skill in report.skills:
                met = labels("none") if skill.met is None else labels.half(skill.met)
                right = labels("none") if skill.right is None else labels.half(skill.right)
                table.row([plain(t) for t in (skill.code, skill.gist, met, right, skill.source)])

    # ── the teams ───────────────────────────────────────────────────────────────────────────────

    def teams(self, report: Report) -> None:
        """Team by team: figures, path, and what it published with what it had in hand."""
        self.add_page()
        self._heading(self.labels("each"))
        for team in report.teams:
            self._team(team)

    def _team(self, team: TeamReport) -> None:
        labels = self.labels
        self._space(46)
        self._text(team.name, 12.5, "B", after=0.2)
        self._text(" · ".join(team_figures(team, labels)), 9, color=SOFT, serif=False, after=0.8)
        path = " – ".join(
            f"{labels.number(step.minute, 0)}’ {step.name}"
            for step in team.steps
            if step.kind in {"act", "clue", "riddle", "round", "edition"}
        )
        if path:
            self._text(path, 9, after=0.8)
        for said in team.ending.sentences if team.ending else ():
            line = f"«{said.text}» {labels(f'verdict_{said.verdict}')}."
            if said.evidence:
                line += f" {labels('evidence')}: {'; '.join(said.evidence)}."
            if said.lacked:
                line += f" {labels('lacked')}: {'; '.join(said.lacked)}."
            self._text(f"• {line}", 9, indent=3, after=0.3)
        if not team.issues:
            self._text(labels("not_published"), 9, "I", after=0.3)
        self.ln(3)
