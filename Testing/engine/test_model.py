"""The model package: what is written comes back, and nothing else does."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import SafetensorError

from topogan.config import MaskSettings, TextureSettings, TrainSettings
from topogan.errors import InputError, WorkError
from topogan.homology import betti_numbers, cubical_persistence, distance_filtration, load_diagrams
from topogan.model import drawing, load_model, pack_model, save_model
from topogan.model.asking import asked_betti
from topogan.model.sampling import sample_seed
from topogan.networks import (
    make_mask_discriminator,
    make_mask_generator,
    make_texture_discriminator,
    make_texture_generator,
)
from topogan.training_set import TrainingSet
from topogan.verdict import topology_in_words, verdict

SETTINGS = TrainSettings(masks=MaskSettings(width=4, latent=8), textures=TextureSettings(width=4))


@pytest.fixture(scope="module")
def real(ring_training_set: Path) -> TrainingSet:
    return TrainingSet.open(ring_training_set)


@pytest.fixture(scope="module")
def model(ring_model: Path):
    return load_model(ring_model)


def mask_networks(settings: TrainSettings = SETTINGS) -> dict[str, torch.nn.Module]:
    return {
        "generator": make_mask_generator(settings.masks, 64),
        "discriminator": make_mask_discriminator(settings.masks, 64),
    }


def texture_networks(settings: TrainSettings = SETTINGS) -> dict[str, torch.nn.Module]:
    return {
        "generator": make_texture_generator(settings.textures),
        "discriminator": make_texture_discriminator(settings.textures),
    }


def save(out: Path, real: TrainingSet, **changes) -> Path:
    given = {"settings": SETTINGS, "training_set": real, "masks": mask_networks(), "textures": None, "training": {}}
    return save_model(out, **{**given, **changes})


class TestPackage:
    def test_every_weight_comes_back(self, tmp_path: Path, real: TrainingSet) -> None:
        masks, textures = mask_networks(), texture_networks()
        loaded = load_model(save(tmp_path / "model", real, masks=masks, textures=textures))
        pairs = [
            (masks["generator"], loaded.masks),
            (masks["discriminator"], loaded.mask_discriminator),
            (textures["generator"], loaded.textures),
            (textures["discriminator"], loaded.texture_discriminator),
        ]
        for before, after in pairs:
            assert after is not None and not after.training
            assert before.state_dict().keys() == after.state_dict().keys()
            for name, tensor in before.state_dict().items():
                assert torch.equal(tensor, after.state_dict()[name]), name

    def test_metadata_describes_the_training_set(self, model, real: TrainingSet) -> None:
        metadata = model.metadata
        assert (metadata.structure, model.size, metadata.pixel_size_mm) == ("ring", 64, real.pixel_size)
        assert metadata.window == real.window
        assert metadata.betti.modal == ((1, 1),)
        assert metadata.betti.train == {"ring": {"1,1": 16}}
        assert (metadata.betti.validation["ring"], metadata.betti.test["ring"]) == ({"1,1": 3}, {"1,1": 5})
        trained = metadata.training_set
        assert (trained.train, trained.validation, trained.test, trained.patients) == (16, 3, 5, 3)
        assert model.settings.masks.latent == 4

    def test_layout_is_that_of_a_bundle(self, ring_model: Path) -> None:
        found = {path.relative_to(ring_model).as_posix() for path in ring_model.rglob("*") if path.is_file()}
        assert found == {
            "LICENSE",
            "configs/metadata.json",
            "docs/README.md",
            "models/masks_critic.safetensors",
            "models/masks_generator.safetensors",
            "models/textures_critic.safetensors",
            "models/textures_generator.safetensors",
            "reference/diagrams.npz",
        }
        monai_wants = {"version", "monai_version", "pytorch_version", "numpy_version", "optional_packages_version"}
        monai_wants |= {"task", "description", "authors", "copyright", "network_data_format"}
        assert monai_wants <= json.loads((ring_model / "configs/metadata.json").read_text()).keys()

    def test_card_and_license_speak_plainly(self, ring_model: Path) -> None:
        card = (ring_model / "docs/README.md").read_text(encoding="utf-8")
        assert "not a medical device" in card
        assert "16 slices for training, 3 for validation and 5 for testing, of 3 patient(s)" in card
        assert "1 piece and 1 hole" in card
        assert "terms of that data" in (ring_model / "LICENSE").read_text(encoding="utf-8")

    def test_card_says_when_test_slices_are_not_independent(self, tmp_path: Path, real: TrainingSet) -> None:
        card = (save(tmp_path / "model", replace(real, independent=False)) / "docs/README.md").read_text()
        assert "not independent" in card

    def test_reference_diagrams_have_values_but_no_places(self, ring_model: Path, real: TrainingSet) -> None:
        stored = load_diagrams(ring_model / "reference/diagrams.npz")
        originals = [real.diagrams()[row] for row in real.validation]
        assert len(stored) == len(originals) == 3
        for kept, original in zip(stored, originals, strict=True):
            assert np.array_equal(kept.birth, original.birth)
            assert np.array_equal(kept.death, original.death)
            assert (kept.birth_index == -1).all() and (kept.death_index == -1).all()

    def test_no_path_of_this_machine_is_written(self, tmp_path: Path, real: TrainingSet) -> None:
        package = save(tmp_path / "Mustermann_1950" / "model", real, textures=texture_networks())
        words = (b"Mustermann", str(tmp_path).encode(), str(real.folder).encode(), str(Path.home()).encode() + b"/")
        for path in package.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert not [word for word in words if word in content], path

    def test_parts_can_be_missing(self, tmp_path: Path, real: TrainingSet) -> None:
        masks_only = load_model(save(tmp_path / "masks", real))
        assert masks_only.textures is None and masks_only.texture_discriminator is None
        assert masks_only.sample(2).textures is None
        textures_only = load_model(save(tmp_path / "textures", real, masks=None, textures=texture_networks()))
        with pytest.raises(InputError, match="makes no masks"):
            textures_only.sample(1)
        with pytest.raises(InputError, match="neither a mask network"):
            save(tmp_path / "nothing", real, masks=None)
        assert not (tmp_path / "nothing").exists()

    def test_diverged_weights_are_not_saved(self, tmp_path: Path, real: TrainingSet) -> None:
        networks = mask_networks()
        next(iter(networks["generator"].parameters())).data[0] = float("nan")
        with pytest.raises(WorkError, match="diverged"):
            save(tmp_path / "model", real, masks=networks)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("fault", [SafetensorError("I/O error"), OSError(28, "No space left on device")])
    def test_a_full_disk_leaves_nothing(
        self, tmp_path: Path, real: TrainingSet, monkeypatch: pytest.MonkeyPatch, fault: Exception
    ) -> None:
        def full(*arguments: object, **named: object) -> None:
            raise fault

        monkeypatch.setattr("topogan.model.weights.save", full)
        with pytest.raises(WorkError, match="free some space"):
            save(tmp_path / "model", real)
        assert not list(tmp_path.iterdir())

    def test_overwriting_is_asked_for(self, tmp_path: Path, real: TrainingSet) -> None:
        save(tmp_path / "model", real)
        with pytest.raises(InputError, match="not empty"):
            save(tmp_path / "model", real)
        save(tmp_path / "model", real, overwrite=True)

    def test_loading_leaves_the_random_numbers_alone(self, ring_model: Path) -> None:
        torch.manual_seed(3)
        expected = torch.rand(3)
        torch.manual_seed(3)
        load_model(ring_model)
        assert torch.equal(torch.rand(3), expected)

    def test_discriminators_can_stay_away(self, ring_model: Path, model) -> None:
        light = load_model(ring_model, discriminators=False)
        assert light.mask_discriminator is None and light.texture_discriminator is None
        assert np.array_equal(light.sample(2).textures, model.sample(2).textures)

    def test_missing_package(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="does not exist"):
            load_model(tmp_path / "none")
        with pytest.raises(InputError, match="no model package"):
            load_model(tmp_path)


class TestPacking:
    def test_zip_gives_the_same_model(self, tmp_path: Path, ring_model: Path, model) -> None:
        packed = pack_model(ring_model, tmp_path / "ring_v1.zip")
        with zipfile.ZipFile(packed) as archive:
            assert {name.split("/")[0] for name in archive.namelist()} == {"ring_v1"}
        loaded = load_model(packed)
        assert loaded.metadata == model.metadata
        assert np.array_equal(loaded.sample(3).labels, model.sample(3).labels)

    def test_same_package_same_bytes(self, tmp_path: Path, ring_model: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        packed = [pack_model(ring_model, tmp_path / folder / "ring.zip").read_bytes() for folder in "ab"]
        assert packed[0] == packed[1]

    def test_further_documents_travel_along(self, tmp_path: Path, ring_model: Path) -> None:
        copy = shutil.copytree(ring_model, tmp_path / "copy")
        (copy / "docs" / "data_license.txt").write_text("CC BY 4.0")
        packed = pack_model(copy, tmp_path / "ring.zip")
        assert "ring/docs/data_license.txt" in zipfile.ZipFile(packed).namelist()
        assert load_model(packed).metadata.structure == "ring"

    def test_refusals(self, tmp_path: Path, ring_model: Path) -> None:
        with pytest.raises(InputError, match=r"\.zip"):
            pack_model(ring_model, tmp_path / "ring.tar")
        with pytest.raises(InputError, match="no model package"):
            pack_model(tmp_path, tmp_path / "ring.zip")
        (tmp_path / "ring.zip").write_text("mine")
        with pytest.raises(InputError, match="exists"):
            pack_model(ring_model, tmp_path / "ring.zip")
        with pytest.raises(InputError, match="does not exist"):
            pack_model(ring_model, tmp_path / "none" / "ring.zip")
        assert (tmp_path / "ring.zip").read_text() == "mine"

    def test_temporary_files_are_gone(self, tmp_path: Path, ring_model: Path, monkeypatch) -> None:
        packed = pack_model(ring_model, tmp_path / "ring.zip")
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(scratch))
        load_model(packed)
        assert not list(scratch.iterdir())


class TestSampling:
    def test_samples_have_the_promised_shape(self, model) -> None:
        samples = model.sample(5, seed=2)
        assert samples.labels.shape == samples.textures.shape == (5, 64, 64)
        assert (samples.labels.dtype, samples.textures.dtype) == (np.uint8, np.int16)
        assert set(np.unique(samples.labels)) == {0, 1} and samples.levels is None
        assert samples.textures.min() >= -200 and samples.textures.max() <= 600
        assert len(np.unique(samples.textures)) > 50
        assert samples.tries == len(samples) == 5

    def test_betti_numbers_and_diagrams_are_those_of_the_masks(self, model) -> None:
        samples = model.sample(4, seed=1)
        for mask, betti, diagram in zip(samples.labels, samples.betti, samples.diagrams, strict=True):
            assert tuple(betti[0]) == betti_numbers(mask)
            expected = cubical_persistence(distance_filtration(mask))
            for dimension in (0, 1):
                assert np.array_equal(
                    np.sort(diagram.points(dimension), axis=0), np.sort(expected.points(dimension), axis=0)
                )

    def test_sample_does_not_depend_on_how_many_are_drawn(self, model) -> None:
        many, few, one = (model.sample(count, seed=5) for count in (9, 4, 1))
        for fewer in (few, one):
            count = len(fewer)
            for name in ("labels", "textures", "seeds", "betti"):
                assert np.array_equal(getattr(many, name)[:count], getattr(fewer, name)), name

    def test_chunks_do_not_show(self, model, monkeypatch) -> None:
        whole = model.sample(7, seed=5, betti=(1, 1))
        monkeypatch.setattr(drawing, "CHUNK", 3)
        parts = model.sample(7, seed=5, betti=(1, 1))
        for name in ("labels", "textures", "seeds"):
            assert np.array_equal(getattr(whole, name), getattr(parts, name)), name
        assert whole.tries == parts.tries

    def test_seeds_differ_and_survive_a_float(self, model) -> None:
        seeds = model.sample(6).seeds
        assert len(set(seeds.tolist())) == 6
        assert (seeds.astype(np.float64).astype(np.int64) == seeds).all()
        assert not set(seeds.tolist()) & set(model.sample(6, seed=1).seeds.tolist())

    def test_single_samples_can_be_drawn_again(self, model) -> None:
        samples = model.sample(6, seed=3, betti=(1, 1), clean=10)
        chosen = [4, 1]
        again = model.draw(samples.seeds[chosen], clean=10)
        for name in ("labels", "textures", "betti", "raw_betti"):
            assert np.array_equal(getattr(again, name), getattr(samples, name)[chosen]), name

    def test_topology_can_be_asked_for(self, model) -> None:
        free = model.sample(12, seed=1)
        accepted = (free.betti == (1, 0)).all(axis=(1, 2))
        assert 0 < accepted.sum() < 12, "the fixture makes discs and rings"
        asked = model.sample(12, seed=1, betti=(1, 0))
        assert (asked.betti == (1, 0)).all()
        assert asked.tries > 12
        assert np.array_equal(asked.seeds[accepted], free.seeds[accepted]), "what fits stays"
        assert not set(asked.seeds[~accepted].tolist()) & set(free.seeds.tolist())

    def test_tries_are_counted_as_if_drawn_one_by_one(self, model) -> None:
        asked = model.sample(3, seed=1, betti=(1, 0))
        expected = 0
        for number in range(3):
            for attempt in range(50):
                expected += 1
                if tuple(model.draw([sample_seed(1, number, attempt)]).betti[0, 0]) == (1, 0):
                    break
        assert asked.tries == expected

    def test_giving_up_says_how_many_were_found(self, model) -> None:
        said = r"^Only 0 of 6 tries had 7 pieces and 5 holes where 3 samples were asked: "
        with pytest.raises(WorkError, match=said):
            model.sample(3, betti=(7, 5), attempts=2)

    def test_cleaning_comes_before_the_check(self, model) -> None:
        raw, cleaned = model.sample(12, seed=4), model.sample(12, seed=4, clean=4096)
        assert np.array_equal(raw.seeds, cleaned.seeds)
        assert np.array_equal(cleaned.raw_betti, raw.betti)
        assert (cleaned.betti == (1, 0)).all(), "one piece is left and every hole is filled"
        assert not np.array_equal(raw.betti, cleaned.betti)
        asked = model.sample(12, seed=4, betti=(1, 0), clean=4096)
        assert asked.tries == 12

    def test_thread_count_does_not_matter(self, model) -> None:
        before = torch.get_num_threads()
        try:
            torch.set_num_threads(1)
            one = model.sample(2, seed=8)
        finally:
            torch.set_num_threads(before)
        assert np.array_equal(one.textures, model.sample(2, seed=8).textures)

    def test_networks_without_numbers(self, ring_model: Path) -> None:
        broken = load_model(ring_model, discriminators=False)
        for name, buffer in broken.masks.named_buffers():
            if name.endswith("running_var"):
                buffer.fill_(-1.0)
        with pytest.raises(WorkError, match="NaN"):
            broken.sample(1)

    @pytest.mark.parametrize(
        "arguments",
        [{"n": 0}, {"n": 1, "seed": -1}, {"n": 1, "clean": -1}, {"n": 1, "attempts": 0}, {"n": 1, "betti": (1, -1)}],
    )
    def test_arguments_are_checked(self, model, arguments: dict) -> None:
        with pytest.raises(InputError):
            model.sample(**arguments)

    def test_drawing_nothing_again(self, model) -> None:
        with pytest.raises(InputError, match="no seed"):
            model.draw([])


class TestSeveralStructures:
    """Walls and cavities whose topology depends on the level; some walls are open where real ones are closed."""

    def test_labels_levels_and_regions(self, heart_model) -> None:
        samples = heart_model.sample(40, seed=1)
        assert set(np.unique(samples.labels)) == {0, 1, 2}
        assert samples.betti.shape == samples.raw_betti.shape == (40, 3, 2) and len(samples.diagrams) == 120
        for number, region in enumerate(heart_model.metadata.regions):
            masks = region.of(samples.labels)
            assert [betti_numbers(mask) for mask in masks] == list(map(tuple, samples.betti[:, number].tolist()))
            for mask, diagram in zip(masks[:3], samples.diagrams[number::3], strict=False):
                assert diagram.betti_numbers(0.0) == betti_numbers(mask)
        low = samples.levels < 0.3
        assert low.any() and not (samples.labels[low] == 2).any() and (samples.labels[~low] == 2).any()
        assert samples.textures.shape == (40, 64, 64)

    def test_levels_are_spread_as_in_training(self, heart_model, heart_training_set: Path) -> None:
        real = TrainingSet.open(heart_training_set)
        drawn, trained = heart_model.sample(200).levels, real.levels[real.train]
        assert np.abs(np.quantile(drawn, [0.1, 0.5, 0.9]) - np.quantile(trained, [0.1, 0.5, 0.9])).max() < 0.12
        some = heart_model.sample(20, levels=(0.4, 0.5))
        assert ((some.levels >= 0.4) & (some.levels <= 0.5)).all()
        again = heart_model.draw(some.seeds[5:7], levels=(0.4, 0.5))
        assert np.array_equal(again.labels, some.labels[5:7]) and np.array_equal(again.levels, some.levels[5:7])
        with pytest.raises(InputError, match="levels cannot be"):
            heart_model.sample(1, levels=(0.5, 0.4))

    def test_modal_is_asked_of_all_together(self, heart_model) -> None:
        modal = asked_betti("modal", heart_model.metadata)
        assert modal == heart_model.metadata.betti.modal == ((1, 1), (1, 0), (1, 0))
        samples = heart_model.sample(12, betti=modal)
        assert (samples.betti == modal).all() and samples.tries > 12

    def test_single_regions_can_be_asked(self, heart_model) -> None:
        asked = asked_betti("cavity=0,0;wall + cavity=1,0", heart_model.metadata)
        assert asked == (None, (0, 0), (1, 0))
        samples = heart_model.sample(8, betti=asked)
        assert (samples.betti[:, 1] == 0).all() and (samples.levels < 0.3).all()
        assert (heart_model.sample(8, betti=(1, 1)).betti[:, 0] == 1).all(), "one alone is the first structure's"
        assert asked_betti("1,0", heart_model.metadata) == ((1, 0), None, None)

    def test_each_region_can_be_asked_in_words(self, model, heart_model) -> None:
        asked = asked_betti("wall=real;cavity=modal;wall + cavity=any", heart_model.metadata)
        assert asked == ("real", (1, 0), None)
        samples = heart_model.sample(20, seed=3, betti=asked)
        real, walls = heart_model.metadata.real, samples.betti[:, 0].tolist()
        assert all(tuple(wall) in real.of_region(0, level) for wall, level in zip(walls, samples.levels, strict=True))
        assert (samples.betti[:, 1] == (1, 0)).all()
        assert asked_betti("wall=any;cavity=any", heart_model.metadata) is None
        assert asked_betti("ring=real", model.metadata) == "real", "of one structure it is the same"
        with pytest.raises(WorkError, match="tries had what real ones show of wall; 7 pieces and no hole of cavity"):
            heart_model.sample(2, betti=("real", (7, 0), None), attempts=1)

    def test_real_asks_for_what_slices_of_the_level_show(self, heart_model) -> None:
        real, free = heart_model.metadata.real, heart_model.sample(60, seed=3)

        def seen(samples) -> list[bool]:
            pairs = zip(samples.betti.tolist(), samples.levels.tolist(), strict=True)
            return [tuple(map(tuple, betti)) in real.joint(level) for betti, level in pairs]

        assert 0 < sum(seen(free)) < 60, "the fixture opens some walls below the base"
        asked = heart_model.sample(60, seed=3, betti="real")
        assert all(seen(asked)) and asked.tries > 60
        assert np.array_equal(asked.seeds[seen(free)], free.seeds[seen(free)]), "what fits stays"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("atrium=1,0", "asks of 'atrium', which this model does not know: name wall or cavity or wall \\+ cavity"),
            ("wall=1,0;wall=1,1", "asks twice of 'wall'"),
            ("1,0;wall=1,1", "asks twice of 'wall'"),
            ("wall=1,0;cavity=0,1", "cannot ask for 0,1 of 'cavity': what has no piece has nothing else"),
        ],
    )
    def test_what_no_sample_could_have_is_refused(self, heart_model, text: str, said: str) -> None:
        with pytest.raises(InputError, match=said):
            asked_betti(text, heart_model.metadata)

    def test_unions_are_asked_for_as_they_are_made(self, heart_model) -> None:
        wanted = (None, None, (1, 0))
        for text in ("wall+cavity=1,0", "wall + cavity=1,0"):
            assert asked_betti(text, heart_model.metadata) == wanted

    def test_giving_up_names_the_structures(self, heart_model) -> None:
        with pytest.raises(
            WorkError, match="tries had 1 piece and 1 hole of wall; 7 pieces and no hole of cavity where 2"
        ):
            heart_model.sample(2, betti=((1, 1), (7, 0), None), attempts=1)
        with pytest.raises(InputError, match="asks of 2 structures and unions: this model has wall, cavity, wall"):
            heart_model.sample(2, betti=((1, 1), (1, 0)))

    def test_a_model_without_levels_refuses_them(self, model) -> None:
        with pytest.raises(InputError, match="not told slice levels"):
            model.sample(1, levels=(0.0, 0.5))
        assert (model.sample(4, betti="real").betti == (1, 1)).all(), "all real ones are rings"

    def test_metadata_of_regions(self, heart_model, heart_training_set: Path) -> None:
        metadata, real = heart_model.metadata, TrainingSet.open(heart_training_set)
        assert metadata.structure == "wall, cavity" and metadata.told_level
        assert sum(metadata.betti.train["wall + cavity"].values()) == 60
        assert sum(one.count for one in metadata.topologies) == 60
        assert metadata.levels[0] == real.levels[real.train].min() and len(metadata.levels) == 101


@pytest.mark.parametrize(
    ("betti", "expected", "said"),
    [
        ((1, 1), (1, 1), "valid"),
        ((0, 0), (0, 0), "valid"),
        ((0, 0), (1, 1), "empty"),
        ((2, 1), (1, 1), "2 pieces instead of 1"),
        ((1, 0), (1, 1), "no hole"),
        ((1, 0), (1, 2), "no hole instead of 2"),
        ((1, 1), (1, 0), "1 hole instead of none"),
        ((3, 3), (1, 0), "3 pieces instead of 1, 3 holes instead of none"),
        ((1, 2), (2, 1), "1 piece instead of 2, 2 holes instead of 1"),
    ],
)
def test_verdict(betti: tuple[int, int], expected: tuple[int, int], said: str) -> None:
    assert verdict(betti, expected) == said


def test_topology_in_words() -> None:
    assert topology_in_words((1, 1)) == "1 piece and 1 hole"
    assert topology_in_words((2, 0)) == "2 pieces and no hole"
    assert topology_in_words((1, 0, 2)) == "1 piece, no tunnel and 2 cavities"
    assert verdict((1, 0, 0), (1, 0, 1)) == "no cavity"
