"""Making samples from Python and for the panel: asks the engine, reads its answer, and puts it into the scene."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from topogan_contract.service import WAITING
from TopoGANLib.engine.process import Engine
from TopoGANLib.engine.serve_client import ServeClient
from TopoGANLib.forms import user_settings
from TopoGANLib.forms.module import PanelLogic
from TopoGANLib.forms.settings import read_settings
from TopoGANSynthLib.job.engine_job import JobProgress
from TopoGANSynthLib.job.job_runner import JobRunner
from TopoGANSynthLib.sample_job import SampleJob

if TYPE_CHECKING:
    from TopoGANLib.scene.nodes import SynthesisNodes
    from TopoGANLib.scene.synthesis_folder import Synthesis

_SECONDS_BETWEEN_LOOKS = 0.1


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
        self.nodes: SynthesisNodes | None = None
        """What was made last."""
        self.report: dict[str, Any] = {}
        """What its report.json says."""
        self.onProgress: Callable[[], None] = lambda: None
        """Called whenever ``progress`` was renewed, on the application's thread."""
        self.onNodes: Callable[[SynthesisNodes], None] = _show_in_views
        """Called with each new synthesis that is in the scene, to show it."""
        self.runner = JobRunner(self._follow)
        self._client: ServeClient | None = None
        self._engine: Engine | None = None
        # The files of the syntheses of this session, by the name that the scene knows them by.
        self._sources: dict[str, Path] = {}

    @property
    def progress(self) -> JobProgress | None:
        """How it is doing; None before the first time."""
        return self.runner.progress

    @property
    def isRunning(self) -> bool:
        """Whether samples are being made."""
        return self.runner.isRunning

    def synthesize(
        self,
        model: Path,
        settings: Mapping[str, Any] | None = None,
        engine: Engine | None = None,
        wait: bool = False,
        reject_copies: Path | None = None,
    ) -> SynthesisNodes | None:
        """Draw samples from a model and put them into the scene, beside those that are there.

        Args:
            model: model package, a folder or a zip.
            settings: of ``topogan synthesize`` by name, such as ``{"count": 64, "betti": "1,1", "seed": 0}``.
            engine: which Python runs it; by default what the user has chosen, or Slicer's.
            wait: return the nodes at the end, instead of None at once; the application does not react meanwhile.
            reject_copies: the training set of the model: possible copies of its masks are left out and drawn again.

        Raises:
            OSError: the engine's Python cannot be started.
            ValueError: ``settings`` hold something else than numbers and words by name.
            RuntimeError: samples are being made already; or, with ``wait``, none were made.
        """
        if self.isRunning:
            raise RuntimeError(_("Samples are being made already: cancel that first."))
        client = self._client_of(engine or self.engine())
        try:
            given = {name: getattr(value, "name", value) for name, value in dict(settings or {}).items()}
            request = client.ask(Path(model), given, None if reject_copies is None else Path(reject_copies))
        except (TypeError, ValueError) as error:
            sentence = _("The engine cannot be asked for that ({reason}): settings are numbers and words by name.")
            raise ValueError(sentence.format(reason=error)) from error
        job = SampleJob(client, request)
        self.nodes = None
        self.runner.start(job, WAITING)
        while wait and self.isRunning:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
            self.runner.tick()
        if wait and self.nodes is None:
            raise RuntimeError((self.progress and self.progress.error) or _("The synthesis was cancelled."))
        return self.nodes

    def cancel(self) -> None:
        """Drop what was asked for."""
        if self.isRunning:
            self.runner.cancel()

    def source(self, nodes: SynthesisNodes) -> Path | None:
        """The synthesis folder that a synthesis was read from, kept as long as the session; None for older ones."""
        from TopoGANLib.scene.kept import source_of

        return self._sources.get(source_of(nodes))

    def close(self) -> None:
        """End the engine, remove the files of the syntheses and let go of everything."""
        self.onProgress = lambda: None
        self.onNodes = _show_in_views
        self.runner.close()
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

    def _follow(self) -> None:
        """Put what was made into the scene before anybody is told."""
        job, progress = self.runner.job, self.progress
        try:
            if isinstance(job, SampleJob) and job.result is not None and progress is not None and progress.ended:
                self._add(job, job.result)
        finally:
            self.onProgress()

    def _add(self, job: SampleJob, made: Synthesis) -> None:
        nodes = self._build(made)
        # A second copy of what the scene holds by now.
        job.result = None
        if nodes is None:
            job.forget()
            return
        self.report, self.nodes = made.report, nodes
        self._keep_source(job, nodes)
        self.onNodes(nodes)

    def _build(self, made: Synthesis) -> SynthesisNodes | None:
        from TopoGANLib.scene.build import build_scene

        sentence = _("The samples cannot be put into the scene ({reason}): close other data, or ask for fewer.")
        return self.runner.put(lambda: build_scene(slicer.mrmlScene, made), sentence)

    def _keep_source(self, job: SampleJob, nodes: SynthesisNodes) -> None:
        """Keep the engine's files, from which samples are exported."""
        from TopoGANLib.scene.kept import set_source

        folder = user_settings.new_work_folder("synthesis")
        if job.hand_over(folder):
            self._sources[folder.name] = folder
            set_source(nodes, folder.name)


def _show_in_views(nodes: SynthesisNodes) -> None:
    from TopoGANLib.scene.views import show_in_views

    show_in_views(nodes, slicer.app.applicationLogic())
