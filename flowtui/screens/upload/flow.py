"""The course of an upload: the questions before it, its job, and how it ends."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from flowtui import format as fmt
from flowtui.failures import Failure, NoLongerWanted
from flowtui.jobs.upload import LEAVE_S, Upload, UploadOutcome, mark
from flowtui.screens.may_write import why_not_uploaded
from flowtui.screens.upload.connecting import ask_for_key, connect
from flowtui.screens.upload.connection import Connection
from flowtui.screens.upload.places import remember_place
from flowtui.screens.upload.progress import ProgressScreen
from flowtui.screens.upload.screen import UploadScreen
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.values import JsonValue
from flowtui.widgets import remembered
from flowtui.widgets.asking import begin
from flowtui.widgets.frame.frame import UploadMark
from flowtui.widgets.frame.run_card import PLACES

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

SHOW_PROGRESS_EVERY_S = 0.5
PLACES_KEPT = 200
"""Of how many artifacts it is remembered where they were uploaded to."""
QUIT_PATIENCE_S = 2.0
"""How long a cancelled upload may take to be removed from the registry."""


class Uploads:
    """Holds the upload of a session, one at a time, and opens its screens."""

    def __init__(self, app: Host) -> None:
        self._app = app
        self._connection: Connection | None = None
        self._upload: Upload | None = None
        self._is_asking = False
        self._is_leaving = False
        self._ticker = app.set_interval(SHOW_PROGRESS_EVERY_S, self._tick, pause=True)

    @property
    def mark(self) -> UploadMark | None:
        """The mark of the upload in the frame; None without an upload."""
        upload = self._upload
        return None if upload is None else mark(upload.state, upload.plan.run_id)

    @property
    def is_running(self) -> bool:
        return self._upload is not None and self._upload.is_running

    # Asking ----------------------------------------------------------------------------------

    async def open(self, store: Store, run: OpenRun | None) -> None:
        """Show the upload that is under way; if there is none, ask for one of this run."""
        if self._is_asking:
            return
        self._is_asking = True
        try:
            if self._upload is not None:
                await self._app.push_screen_wait(ProgressScreen(self._upload))
            elif run is not None:
                await self._ask(store, run)
        finally:
            self._is_asking = False

    async def _ask(self, store: Store, run: OpenRun) -> None:
        refusal = why_not_uploaded(store, self._app.options)
        if refusal:
            self._app.notify(fmt.plain(refusal, 300), title="No upload", markup=False)
            return
        connection = self._connection or await connect(self._app, "No upload")
        if connection is None:
            return
        self._connection = connection
        plan = await self._app.push_screen_wait(UploadScreen(store, run, connection))
        if plan is not None:
            self._start(Upload(connection.registry, store, plan))

    # Running ---------------------------------------------------------------------------------

    def _start(self, upload: Upload) -> None:
        self._upload = upload
        self._carry_on(upload)

    def _carry_on(self, upload: Upload) -> None:
        self._ticker.resume()
        self._app.run_worker(self._carry_out(upload))

    async def _carry_out(self, upload: Upload) -> None:
        assert self._connection is not None
        base_url = self._connection.base_url

        def work() -> UploadOutcome:
            remember_place(base_url, upload.plan.to)
            outcome = upload.run()
            remember_artifacts(upload)
            return outcome

        ending = begin(self._app, work, is_write=True)
        self._app.show_upload()
        try:
            outcome = await ending.answer()
        except NoLongerWanted:
            # The app quits, and `close` ends what is under way.
            return
        except Failure:
            # An unexpected error is reported by the app; here only the outcome counts.
            outcome = upload.state.outcome
        if not self._is_leaving or outcome is not UploadOutcome.CANCELLED:
            await self._take(upload, outcome)

    async def _take(self, upload: Upload, outcome: UploadOutcome) -> None:
        """Report how an upload ended; one that failed is kept, so that it can be retried."""
        self._ticker.pause()
        if outcome is UploadOutcome.FAILED:
            if not isinstance(self._app.screen, ProgressScreen):
                text = f"{upload.state.problem}  U opens it to retry."
                self._app.notify(text, title="Upload failed", severity="error", markup=False)
            self._app.show_upload()
            return
        self._upload = None
        is_left = outcome is UploadOutcome.CANCELLED
        await self._close_job(upload, QUIT_PATIENCE_S if is_left else LEAVE_S, discards=is_left)
        if outcome is UploadOutcome.DONE:
            text, title = fmt.plain(upload.plan.to.path, 300), "Uploaded"
        else:
            text, title = "Nothing of it counts as uploaded in the registry.", "Upload cancelled"
            if upload.done:
                text = f"{len(upload.done)} of {len(upload.plan.items)} artifacts were uploaded."
        notes = "".join(f"\n{note}" for note in upload.notes)
        self._app.notify(text + notes, title=title, markup=False)
        for screen in self._app.screen_stack:
            if isinstance(screen, ProgressScreen):
                screen.look()
                if screen.is_current:
                    screen.dismiss(None)
        self._app.show_upload()

    def _tick(self) -> None:
        if self._upload is not None and self._upload.is_cancelling:
            # A job that was only about to begin has missed the first call.
            self._upload.cancel()
        self._app.show_upload()

    async def retry(self) -> None:
        """Continue an upload that failed, with another key if it needs one."""
        upload, connection = self._upload, self._connection
        if upload is None or connection is None or upload.is_running:
            return
        state = upload.state
        if state.needs_key:
            credential = await ask_for_key(self._app, connection.base_url, state.problem)
            if credential is None:
                return
            connection.take(credential)
            upload.use(connection.registry)
        self._carry_on(upload)

    async def end(self) -> None:
        """Cancel the upload, or discard it if it has failed."""
        upload = self._upload
        if upload is None:
            return
        if upload.is_running:
            upload.cancel()
        else:
            await self._take(upload, UploadOutcome.CANCELLED)

    # Leaving ---------------------------------------------------------------------------------

    @property
    def details(self) -> list[str]:
        """The upload that is under way, as lines for the question whether to quit."""
        upload = self._upload
        if upload is None:
            return []
        far = "  ".join(mark(upload.state, upload.plan.run_id).words)
        return [f"upload to {fmt.plain(upload.plan.to.path, 300)}", far]

    async def end_for_good(self) -> None:
        """Cancel the upload, and wait a moment until it is marked as failed; the app quits then."""
        upload = self._upload
        if upload is None:
            return
        self._is_leaving = True
        upload.cancel()
        await self._close_job(upload, QUIT_PATIENCE_S)

    async def _close_job(self, upload: Upload, patience_s: float, discards: bool = False) -> None:
        with suppress(Failure, NoLongerWanted):
            close = partial(upload.close, patience_s, discards)
            await begin(self._app, close, is_write=True).answer()

    def close(self) -> None:
        """End everything at once; this blocks for less than a second."""
        is_reported = self._upload is None or self._upload.close()
        # A request that marks the upload as failed may go on, and needs the connection.
        if self._connection is not None and is_reported:
            self._connection.close()


def remember_artifacts(upload: Upload) -> None:
    """Remember the names of where artifacts went, because the store keeps only the orbit's id."""
    kept = remembered.get(PLACES)
    places: dict[str, JsonValue] = dict(kept) if isinstance(kept, dict) else {}
    for done in upload.done:
        places.pop(done.artifact_id, None)
        places[done.artifact_id] = done.to.path
    if upload.done:
        remembered.put(PLACES, dict(list(places.items())[-PLACES_KEPT:]))
