"""Making samples from Python and for the panel: asks the engine, reads its answer, and puts it into the scene."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qt
import slicer
from slicer.i18n import tr as _

from topogan_contract.service import ENDED, FAILED, FINISHED, WAITING
from TopoGANLib.engine.process import Engine, last_lines
from TopoGANLib.engine.serve_client import ServeClient
from TopoGANLib.forms import user_settings
from TopoGANLib.forms.background import Background
from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.module import PanelLogic
from TopoGANLib.forms.settings import read_settings

if TYPE_CHECKING:
    from TopoGANLib.scene.nodes import SynthesisNodes
    from TopoGANLib.scene.synthesis_folder import Synthesis

READING = "reading"
"""The state between the engine's answer and the samples in the scene; the others are the request's own."""

_TICK_MILLISECONDS = 150
_SECONDS_BETWEEN_LOOKS = 0.1
_LOG_LINES = 20


@dataclass(frozen=True)
class Progress:
    """What to show."""

    state: str
    step: int = 0
    total: int = 0
    error: str = ""
    log: tuple[str, ...] = ()

    @property
    def fraction(self) -> float | None:
        """Share of the samples that are made; None while nobody knows."""
        return self.step / self.total if self.total else None


class SynthLogic(PanelLogic):
    """Makes samples in the background, or waits for them where a script wants that.

    Usage in Slicer's Python console::

        logic = slicer.util.getModuleLogic("TopoGANSynth")
        nodes = logic.synthesize(Path("results/myocardium-1/run/model"), {"count": 100, "betti": "1,1"}, wait=True)
        nodes.jump_to_sample(7)
    """

    def __init__(self, parameter_node: Any) -> None:
        """Nothing runs yet.

        Args:
            parameter_node: class of :func:`TopoGANLib.forms.settings.parameter_node_class`.
        """
        super().__init__(parameter_node)
        self.settings = read_settings("synthesize")
        self.progress: Progress | None = None
        self.nodes: SynthesisNodes | None = None
        """What was made last."""
        self.report: dict[str, Any] = {}
        """What its report.json says."""
        self.onProgress: Callable[[], None] = lambda: None
        """Called whenever ``progress`` was renewed, on the application's thread."""
        self.onNodes: Callable[[SynthesisNodes], None] = _show_in_views
        """Called with each new synthesis that is in the scene, to show it."""
        self._client: ServeClient | None = None
        self._engine: Engine | None = None
        self._request = ""
        self._reading: Background[Synthesis] | None = None
        # The files of the syntheses of this session, by the name that the scene knows them by.
        self._sources: dict[str, Path] = {}
        self._timer = qt.QTimer()
        self._timer.setInterval(_TICK_MILLISECONDS)
        self._connections = Connections()
        self._connections.add(self._timer, "timeout()", self._tick)

    @property
    def isRunning(self) -> bool:
        """Whether samples are being made."""
        return self.progress is not None and self.progress.state not in ENDED

    def synthesize(
        self, model: Path, settings: Mapping[str, Any] | None = None, engine: Engine | None = None, wait: bool = False
    ) -> SynthesisNodes | None:
        """Draw samples from a model and put them into the scene, beside those that are there.

        Args:
            model: model package, a folder or a zip.
            settings: of ``topogan synthesize`` by name, such as ``{"count": 64, "betti": "1,1", "seed": 0}``.
            engine: which Python runs it; by default what the user has chosen, or Slicer's.
            wait: return the nodes at the end, instead of None at once; the application does not react meanwhile.

        Raises:
            OSError: the engine's Python cannot be started.
            RuntimeError: samples are being made already; or, with ``wait``, none were made.
        """
        if self.isRunning:
            raise RuntimeError(_("Samples are being made already: cancel that first."))
        values = {name: getattr(value, "name", value) for name, value in (settings or {}).items()}
        self._request = self._client_of(engine or self.engine()).ask(Path(model), values)
        self.nodes = None
        self.progress = Progress(WAITING)
        self._timer.start()
        self.onProgress()
        while wait and self.isRunning:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
            self._tick()
        if wait and self.nodes is None:
            raise RuntimeError(self.progress.error or _("The synthesis was cancelled."))
        return self.nodes

    def cancel(self) -> None:
        """Drop what was asked for."""
        if self._client is not None and self.isRunning and self._reading is None:
            self._client.cancel(self._request)

    def source(self, nodes: SynthesisNodes) -> Path | None:
        """The synthesis folder that a synthesis was read from, kept as long as the session; None for older ones."""
        from TopoGANLib.scene.kept import source_of

        return self._sources.get(source_of(nodes))

    def close(self) -> None:
        """End the engine, remove the files of the syntheses and let go of everything."""
        self._timer.stop()
        self._connections.close()
        self.onProgress = lambda: None
        self.onNodes = _show_in_views
        if self._client is not None:
            self._client.close()
            self._client = None
        while self._sources:
            shutil.rmtree(self._sources.popitem()[1], ignore_errors=True)

    def _client_of(self, engine: Engine) -> ServeClient:
        if self._client is not None and engine != self._engine:
            self._client.close()
            self._client = None
        if self._client is None:
            self._client, self._engine = ServeClient(engine, user_settings.new_work_folder("serve")), engine
        return self._client

    def _tick(self) -> None:
        if self._client is None:
            return
        self.progress = self._look(self._client)
        if self.progress.state in ENDED:
            self._timer.stop()
        self.onProgress()

    def _look(self, client: ServeClient) -> Progress:
        if self._reading is not None:
            return self._look_at_reading(client, self._reading)
        answer = client.poll(self._request)
        if answer.state == FINISHED and answer.folder is not None:
            self._reading = _read_on_a_thread(answer.folder)
            return Progress(READING)
        log = tuple(last_lines(client.log, _LOG_LINES)) if answer.state == FAILED else ()
        return Progress(answer.state, answer.step, answer.total, answer.error, log)

    def _look_at_reading(self, client: ServeClient, reading: Background[Synthesis]) -> Progress:
        if not reading.done():
            return Progress(READING)
        self._reading = None
        if reading.result is None:
            client.forget(self._request)
            return Progress(FAILED, error=reading.error or _("The samples could not be read."))
        from TopoGANLib.scene.build import build_scene

        self.report = reading.result.report
        self.nodes = build_scene(slicer.mrmlScene, reading.result)
        self._keep_source(client, self.nodes)
        self.onNodes(self.nodes)
        return Progress(FINISHED)

    def _keep_source(self, client: ServeClient, nodes: SynthesisNodes) -> None:
        """Keep the engine's files, from which samples are exported."""
        from TopoGANLib.scene.kept import set_source

        folder = user_settings.new_work_folder("synthesis")
        try:
            client.hand_over(self._request, folder)
        except OSError:
            # Then the samples can be looked at, but not exported.
            client.forget(self._request)
            return
        self._sources[folder.name] = folder
        set_source(nodes, folder.name)


def _show_in_views(nodes: SynthesisNodes) -> None:
    from TopoGANLib.scene.views import show_in_views

    show_in_views(nodes, slicer.app.applicationLogic())


def _read_on_a_thread(folder: Path) -> Background[Synthesis]:
    def read() -> Synthesis:
        # Here, not above: importing the module must not load numpy, or every start of Slicer would be slower.
        from TopoGANLib.scene.synthesis_folder import read_synthesis_folder

        return read_synthesis_folder(folder)

    return Background(read, no_memory="There is not enough memory to read the samples: ask for fewer.")
