"""What annotating asks a person, each question in a dialog; the form has a module of its own.

The screens are imported when they are asked for, because most who look at spans annotate none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from textual.app import App

from flowtui.screens.annotate.writing import own_annotations
from flowtui.store.annotations.errors import AnnotationChanged
from flowtui.store.annotations.values import Annotation, Change
from flowtui.widgets.lists.annotation_lines import details, summary, what_it_did

CREATE_TABLES = (
    "This run's database is older than annotations. Create the tables, as luml-sdk's own"
    " migration does?"
)


async def may_create_tables(app: App[None]) -> bool:
    """Ask whether a database without tables for annotations may be given them."""
    from flowtui.screens.dialogs.confirm import ConfirmScreen

    return await app.push_screen_wait(ConfirmScreen(CREATE_TABLES))


async def may_delete(app: App[None], question: str, annotation: Annotation) -> bool:
    """Ask whether to delete an annotation, which is shown below the question."""
    from flowtui.screens.dialogs.confirm import ConfirmScreen

    return await app.push_screen_wait(ConfirmScreen(question, details(annotation)))


async def chosen_annotation(
    app: App[None], question: str, annotations: Sequence[Annotation], user: str
) -> Annotation | None:
    """Return the user's own one of several annotations; ask which one if that is not clear.

    Returns:
        The annotation; None if none was chosen.
    """
    from flowtui.screens.dialogs.choose import Choice, ChooseScreen

    own = own_annotations(annotations, user)
    if len(own) == 1:
        return own[0]
    ordered = sorted(annotations, key=lambda one: one.user != user)
    choices = [Choice(one.id, summary(one), one.user) for one in ordered]
    chosen = await app.push_screen_wait(ChooseScreen(question, choices, []))
    return next((one for one in annotations if chosen and one.id == chosen[0]), None)


async def conflict_answer(
    app: App[None], last: Change, error: AnnotationChanged, where: str
) -> Literal["overwrite", "skip", ""]:
    """Ask what to do if somebody has changed what is to be undone.

    Args:
        app: The app.
        last: The change that is to be undone.
        error: What prevents that.
        where: In which of several runs the change was made; empty where there is one.
    """
    from flowtui.screens.dialogs.confirm import ConflictScreen

    now = ["It has been deleted."] if error.current is None else details(error.current)
    question = f"Undo{where}: {what_it_did(last)}?  But {error}."
    return await app.push_screen_wait(ConflictScreen(question, now))
