"""An article: its text with key points, caveats, ties and labels; one click for each label; its split."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app.articles.label_actions import OF_LABEL, act_on_label, label_name
from service.app.articles.marked_text import marked_text
from service.app.articles.search import article_with_id, recorded_story
from service.app.articles.stories import SplitOutcome, split
from service.core.errors import UsageError
from service.core.model import AccountRole, LabelKind, LabelSource
from service.core.read_models import ArticleDetails
from service.text.i18n import text_direction
from service.web.admin.context import AdminContext

MAX_SENTENCE_DIGITS = 4
LABEL_WORDS = {
    LabelKind.POINT: "worth showing",
    LabelKind.WRONG: "wrong, or not worth showing",
    LabelKind.CAVEAT: "is a caveat",
    LabelKind.NO_CAVEAT: "is no caveat",
    LabelKind.WRONG_TIE: "wrong tie",
}


async def show_article(context: AdminContext) -> Response:
    """Show the article, in parts if it is long."""
    return await _page(context, await _wanted(context))


async def act_label(context: AdminContext) -> Response:
    """Do what the pressed button says (field `do`), and show the sentence again."""
    details, text = await _wanted(context), context.value("do")
    if text.startswith("tie "):  # the claim is chosen in a list beside the button
        text += " " + context.value(f"claim-{text.removeprefix('tie ')}")
    try:
        done = await act_on_label(context.app, details, text)
    except UsageError as error:
        return await _page(context, details, status=422, problem=error.sentence)
    words, title = LABEL_WORDS[done.label.kind], details.article.title
    if done.is_new:
        await context.record("label_given", details.article.id, title=title, label=words)
    elif done.name == "undo":
        await context.record("label_undone", details.article.id, title=title, label=words)
    else:
        decision = "the reader is right" if done.name == "agree" else "dismissed"
        await context.record("report_settled", details.article.id, title=title, decision=decision)
    is_settled = done.name in OF_LABEL and done.name != "undo"
    key = "labelled" if done.is_new else "settled" if is_settled else "undone"
    if is_settled and context.value("back") == "reports":
        return context.redirect("/stories/reports", done=key)
    answer = context.redirect(f"/stories/{details.article.id}", done=key, sentence=str(done.sentence))
    answer.headers["Location"] += f"#s{done.sentence}"
    return answer


async def show_split(context: AdminContext) -> Response:
    """Show what a split of the article from its story would do."""
    details = await _wanted(context)
    try:
        report = await split(context.app, details, dry_run=True)
    except UsageError as error:
        return await _page(context, details, status=422, problem=error.sentence)
    if report.outcome is not SplitOutcome.SPLIT:
        return context.redirect(f"/stories/{details.article.id}", done="alone")
    return context.page("stories/split.html", article=details.article, report=report)


async def act_split(context: AdminContext) -> Response:
    """Give the article a story of its own."""
    details = await _wanted(context)
    try:
        report = await split(context.app, details)
    except UsageError as error:
        return await _page(context, details, status=422, problem=error.sentence)
    if report.outcome is not SplitOutcome.SPLIT:
        return context.redirect(f"/stories/{details.article.id}", done="alone")
    await context.record("story_split", details.article.id, title=details.article.title)
    return context.redirect(f"/stories/{details.article.id}", done="split")


async def _wanted(context: AdminContext) -> ArticleDetails:
    """Return the article of the path. Raises HTTPException 404 for none."""
    details = await article_with_id(context.app, context.path("article"))
    if details is None:
        raise HTTPException(404, "There is no such article. It may have been deleted because of its age.")
    return details


async def _page(
    context: AdminContext, details: ArticleDetails, *, status: int = 200, problem: str = ""
) -> Response:
    article = details.article
    sentence = context.query("sentence") or _sentence_of(context.value("do"))
    text = await marked_text(
        context.app, details, part=_number(context.query("part")) or 1, sentence=_number(sentence)
    )
    story = await recorded_story(context.app, article.id)
    return context.page(
        "stories/article.html",
        status=status,
        details=details,
        article=article,
        direction=text_direction(article.language),
        text=text,
        others=[one for one in story if one.article.id != article.id],
        label_words=LABEL_WORDS,
        label_name=label_name,
        reader=LabelSource.READER,
        problem=problem,
        may_edit=context.account.role.includes(AccountRole.EDITOR),
    )


def _number(text: str) -> int | None:
    is_number = text.isascii() and text.isdecimal() and len(text) <= MAX_SENTENCE_DIGITS
    return int(text) if is_number else None


def _sentence_of(action: str) -> str:
    """Return the number of the sentence of an action: `wrong 12`."""
    return [*action.split(" "), ""][1]
