"""Shows what is known of a training set: verdict, table of patients, contact sheet, topologies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.tables import fix_rows, stretch_first_column
from TopoGANTrainLib.check.betti_chart import BettiChart
from TopoGANTrainLib.check.data_check import PREVIEW_FILE, DataCheck, RegionRow, read_check

_PICTURE_WIDTH = 300
_MOST_ROWS_IN_SIGHT = 8
_MOST_TOPOLOGIES = 4


class DataCheckView:
    """Works with the widgets in ``checkResults`` of ``TopoGANTrainCheck.ui``."""

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._check: DataCheck | None = None
        self._picture: Path | None = None
        self._prepare_table()
        self._connections = Connections()
        self._connections.add(ui.checkPreviewButton, "clicked()", self._open_picture)
        self._connections.add(ui.checkPlotButton, "clicked()", self._show_chart)
        self.clear()

    @property
    def check(self) -> DataCheck | None:
        """What is shown."""
        return self._check

    def show(self, training_set: Path) -> bool:
        """Show what is known of a training set; False where nothing is."""
        check = read_check(training_set)
        self._check = check
        self._ui.checkResults.visible = check is not None
        if check is None:
            return False
        self._ui.verdictLabel.text = check.verdict
        self._ui.checkRemarksLabel.text = "\n".join(check.remarks)
        self._ui.checkRemarksLabel.visible = bool(check.remarks)
        self._fill_table(check)
        heading = _("Pieces, holes:") if check.axes == 2 else _("Pieces, tunnels, cavities:")
        self._ui.topologiesLabel.text = "\n".join([heading, *map(topologies_in_words, check.regions)])
        self._ui.checkPlotButton.enabled = any(region.topologies for region in check.regions)
        self._show_picture(training_set / PREVIEW_FILE)
        return True

    def clear(self) -> None:
        """Show nothing."""
        self._check = None
        self._ui.checkResults.visible = False

    def close(self) -> None:
        """Let go of the widgets."""
        self._connections.close()

    def _prepare_table(self) -> None:
        table = self._ui.checkTable
        table.setColumnCount(5)
        table.verticalHeader().setVisible(False)
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        stretch_first_column(table)

    def _fill_table(self, check: DataCheck) -> None:
        table = self._ui.checkTable
        table.setHorizontalHeaderLabels([_("Patient"), _("Phases"), _("Train"), _("Valid."), _("Test")])
        rows: list[tuple[str, ...]] = [(row.patient, f"{row.phases}", *map(str, row.counts)) for row in check.patients]
        phases = sum(row.phases for row in check.patients)
        sums = [sum(counts) for counts in zip(*(row.counts for row in check.patients), strict=True)] or [0, 0, 0]
        rows.append((_("All"), f"{phases}", *map(str, sums)))
        table.setRowCount(len(rows))
        for row, cells in enumerate(rows):
            for column, text in enumerate(cells):
                item = qt.QTableWidgetItem(text)
                if column > 0:
                    item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
                table.setItem(row, column, item)
        fix_rows(table, _MOST_ROWS_IN_SIGHT)

    def _show_picture(self, path: Path) -> None:
        button = self._ui.checkPreviewButton
        picture = qt.QPixmap(str(path))
        self._picture = None if picture.isNull() else path
        button.visible = self._picture is not None
        if self._picture is not None:
            scaled = picture.scaledToWidth(min(_PICTURE_WIDTH, picture.width()), qt.Qt.SmoothTransformation)
            button.setIcon(qt.QIcon(scaled))
            button.setIconSize(scaled.size())

    def _open_picture(self) -> None:
        if self._picture is not None:
            qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(self._picture)))

    def _show_chart(self) -> None:
        if self._check is None:
            return
        noun = "slice" if self._check.axes == 2 else "volume"
        chart = BettiChart(slicer.mrmlScene).show(self._check.regions, noun)
        slicer.app.applicationLogic().GetModuleLogic("Plots").ShowChartInLayout(chart)


def topologies_in_words(region: RegionRow) -> str:
    """One line on a region: "Blood: 1,0 in 92 %, 2,0 in 8 %"."""
    total = sum(count for _name, count in region.topologies)
    if not total:
        return _("{structure}: in no sample.").format(structure=region.name)
    said = [_share(name, count, total) for name, count in region.topologies[:_MOST_TOPOLOGIES]]
    rest = region.topologies[_MOST_TOPOLOGIES:]
    return f"{region.name}: {', '.join(said)}" + (", …" if rest else "")


def _share(name: str, count: int, total: int) -> str:
    percent = 100 * count / total
    words = _("{topology} in {share} %")
    return words.format(topology=name, share=f"{percent:.0f}" if percent >= 1 else "<1")
