import copy
import hashlib
import json
import pickle
import shutil
from dataclasses import asdict, replace

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from serctl.errors import ModelError, UsageError
from serctl.features.mel import MelSpec
from serctl.models import loading
from serctl.models.config import CONFIG_FILE, WEIGHTS_FILE, read_config
from serctl.models.loading import Model, load_model, save_model
from serctl.models.networks import NETWORKS
from serctl.models.networks.paper_cnn_torch import PaperCNN
from serctl.weights import bundled_models, find_model


@pytest.fixture
def folder(tiny_folder, tmp_path):
    """A copy of the tiny model's folder, to be spoilt."""
    return shutil.copytree(tiny_folder, tmp_path / "model")


def rewrite_config(folder, **changes):
    """Change values of config.json; None removes one."""
    path = folder / CONFIG_FILE
    values = json.loads(path.read_text()) | changes
    kept = {key: value for key, value in values.items() if value is not None}
    path.write_text(json.dumps(kept))


def rewrite_weights(folder, content):
    """Replace the weights, and their hash with them."""
    (folder / WEIGHTS_FILE).write_bytes(content)
    rewrite_config(folder, sha256=hashlib.sha256(content).hexdigest())


def tensors_of(folder):
    return safetensors.torch.load_file(folder / WEIGHTS_FILE)


def test_a_saved_model_loads_as_it_was(tiny_config, tmp_path):
    torch.manual_seed(1)
    network = PaperCNN(5)
    saved = save_model(tmp_path / "new" / "model", Model.from_network(tiny_config, network))
    content = (tmp_path / "new" / "model" / WEIGHTS_FILE).read_bytes()
    assert saved == replace(tiny_config, sha256=hashlib.sha256(content).hexdigest())
    loaded = load_model(str(tmp_path / "new" / "model"))
    assert loaded.config == saved
    assert not loaded.network.training
    for key, tensor in network.state_dict().items():
        torch.testing.assert_close(loaded.network.state_dict()[key], tensor, rtol=0, atol=0)


def test_the_config_is_json_with_a_value_for_every_field(tiny_folder):
    values = json.loads((tiny_folder / CONFIG_FILE).read_text())
    assert values["emotions"] == ["angry", "disgust", "fear", "happy", "sad"]
    assert values["features"] == asdict(MelSpec())
    assert json.loads(read_config(tiny_folder).to_json()) == values


def test_bundled_models_are_found_by_name(monkeypatch, tiny_folder, tmp_path):
    for name in ("b-model", "a-model", "half"):
        (tmp_path / name).mkdir()
    for name in ("b-model", "a-model"):
        shutil.copytree(tiny_folder, tmp_path / name, dirs_exist_ok=True)
    monkeypatch.setattr("serctl.weights.__file__", str(tmp_path / "__init__.py"))
    assert list(bundled_models()) == ["a-model", "b-model"]
    assert find_model("b-model") == tmp_path / "b-model"
    assert load_model("a-model").config.name == "tiny"


def test_the_default_model_is_bundled():
    assert loading.DEFAULT_MODEL in bundled_models()


@pytest.mark.parametrize("name", sorted(bundled_models()))
def test_every_bundled_model_loads_and_is_whole(name):
    folder = find_model(name)
    assert load_model(name).config.name == name
    assert {"metrics.json", "card.md"} <= {path.name for path in folder.iterdir()}


def test_a_folder_beside_is_preferred_to_no_bundled_model(monkeypatch, tiny_folder):
    monkeypatch.chdir(tiny_folder.parent)
    assert load_model(tiny_folder.name).config.name == "tiny"


@pytest.mark.parametrize("name", ["no-such-model", "/no/such/folder", "a\0b"])
def test_a_name_of_nothing_is_wrong_usage(name):
    message = f"{name}: not available, and not a folder. .* Use one of these, or a folder"
    with pytest.raises(UsageError, match=message):
        load_model(name)


def test_a_file_is_no_model(tiny_folder):
    with pytest.raises(UsageError, match=r"config\.json: not available, and not a folder"):
        load_model(str(tiny_folder / CONFIG_FILE))


@pytest.mark.parametrize("name", [CONFIG_FILE, WEIGHTS_FILE])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    message = f"{name}: No such file or directory. A weights folder has config.json and model"
    with pytest.raises(ModelError, match=message):
        load_model(str(folder))


def test_a_folder_that_cannot_be_listed_is_told(tmp_path):
    with pytest.raises(ModelError, match=r"gone: No such file or directory\. A weights folder has"):
        read_config(tmp_path / "gone")


def test_one_flipped_bit_is_noticed(folder):
    content = bytearray((folder / WEIGHTS_FILE).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS_FILE).write_bytes(content)
    found = hashlib.sha256(content).hexdigest()
    stated = read_config(folder).sha256
    message = rf"model\.safetensors: its SHA-256 is {found}; config\.json has {stated}\. .*damaged"
    with pytest.raises(ModelError, match=message):
        load_model(str(folder))


def test_weights_without_a_hash_are_refused(folder):
    rewrite_config(folder, sha256="")
    with pytest.raises(ModelError, match=r"config\.json has none"):
        load_model(str(folder))


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


@pytest.mark.parametrize("name", ["model.pt", "a.pth", "MODEL.PT", "x.pkl", "pytorch_model.bin"])
def test_a_pickle_is_never_opened(folder, name):
    (folder / name).write_bytes(pickle.dumps(Bomb()))
    message = f"holds {name}, which may be a pickle; opening it can run any code. Only model.safet"
    with pytest.raises(ModelError, match=message):
        load_model(str(folder))


def test_a_pickle_is_named_even_without_a_config(tmp_path):
    (tmp_path / "best.ckpt").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ModelError, match=r"holds best\.ckpt, which may be a pickle"):
        load_model(str(tmp_path))


HUGE_HEADER = (2**62).to_bytes(8, "little")
UNKNOWN_DTYPE = b'{"a":{"dtype":"F4","shape":[8],"data_offsets":[0,4]}}'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not safetensors",
        pickle.dumps(Bomb()),
        HUGE_HEADER,
        len(UNKNOWN_DTYPE).to_bytes(8, "little") + UNKNOWN_DTYPE + bytes(4),
    ],
    ids=["empty", "text", "pickle", "huge header", "unknown dtype"],
)
def test_what_is_no_safetensors_file_is_refused(folder, content):
    rewrite_weights(folder, content)
    with pytest.raises(ModelError, match=r"model\.safetensors: not a safetensors file \(.+\)\. Tr"):
        load_model(str(folder))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"dense.0.weight": torch.zeros(700, 201)},
            r"tensor dense\.0\.weight is \(700, 201\) of float32, \(700, 200\) of float32",
        ),
        ({"dense.6.bias": None}, r"tensor dense\.6\.bias is missing, \(5,\) of float32 is"),
        ({"extra": torch.zeros(1)}, r"tensor extra is \(1,\) of float32, nothing is needed"),
        (
            {"dense.6.bias": torch.zeros(5, dtype=torch.complex64)},
            r"dense\.6\.bias is \(5,\) of complex64, \(5,\) of float32 is needed for"
            " the network paper-cnn",
        ),
    ],
)
def test_tensors_that_are_not_the_networks_are_refused(folder, change, message):
    tensors = {key: t for key, t in (tensors_of(folder) | change).items() if t is not None}
    rewrite_weights(folder, safetensors.torch.save(tensors))
    with pytest.raises(ModelError, match=message):
        load_model(str(folder))


def test_weights_of_another_number_of_emotions_are_refused(folder):
    rewrite_config(folder, emotions=["angry", "sad"])
    with pytest.raises(
        ModelError, match=r"tensor dense\.6\.weight is \(5, 50\) .*, \(2, 50\) .* is needed"
    ):
        load_model(str(folder))


@pytest.mark.parametrize(
    "name",
    [
        "name",
        "network",
        "emotions",
        "features",
        "scaling",
        "temperature",
        "window_s",
        "min_duration_s",
        "sha256",
    ],
)
def test_a_missing_value_is_named(folder, name):
    rewrite_config(folder, **{name: None})
    message = rf"config\.json: '{name}' is missing\. A folder written by serctl train is needed"
    with pytest.raises(ModelError, match=message):
        read_config(folder)


FEATURES = asdict(MelSpec())
SCALING = {"mean": [0.0] * 148, "deviation": [1.0] * 148}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": 5}, "name is 5, text is needed"),
        ({"sha256": ["a"]}, r"sha256 is \['a'\], text is needed"),
        ({"network": "resnet"}, "network 'resnet' is not one of paper-cnn"),
        ({"emotions": ["angry"]}, r"emotions are \['angry'\], a list of two or more of angry, dis"),
        ({"emotions": []}, r"emotions are \[\]"),
        ({"emotions": ["angry", "Joy"]}, r"emotions are \['angry', 'Joy'\]"),
        ({"emotions": ["angry", "a,b"]}, r"emotions are \['angry', 'a,b'\]"),
        ({"emotions": ["joy", "angry"]}, "and then other labels in alphabetical order"),
        ({"emotions": [f"x{i:02d}" for i in range(51)]}, "no more than 50 in all"),
        ({"emotions": ["angry", "angry"]}, "emotions are"),
        ({"emotions": ["sad", "angry"]}, "emotions are .* is needed, in this order"),
        ({"emotions": {"angry": 1, "sad": 2}}, "emotions are {'angry': 1, 'sad': 2}, a list"),
        ({"emotions": "angry"}, "emotions are 'angry'"),
        ({"emotions": [["angry"], "sad"]}, "emotions are"),
        (
            {"features": {}},
            "features are {}, rate_hz, n_fft, hop_samples, n_mels, n_mfcc, top_db are",
        ),
        (
            {"features": asdict(MelSpec(n_mels=64))},
            "features have n_mels 64, the .* takes 128",
        ),
        ({"features": FEATURES | {"n_mfcc": 19}}, "features have n_mfcc 19, the .* takes 20"),
        ({"features": FEATURES | {"n_mels": 128.0}}, r"have n_mels 128\.0, a whole number from 1"),
        ({"features": FEATURES | {"n_mfcc": True}}, "features have n_mfcc True, a whole number"),
        ({"features": FEATURES | {"n_fft": 15}}, "n_fft 15, a whole number from 16 to 16384 is"),
        ({"features": FEATURES | {"n_fft": 1 << 40}}, "features have n_fft 1099511627776, a whole"),
        ({"features": FEATURES | {"n_fft": 10**400}}, "features have n_fft 1000.*000, a whole"),
        ({"features": FEATURES | {"n_fft": "2048"}}, "features have n_fft '2048', a whole number"),
        ({"features": FEATURES | {"n_mels": 1 << 30}}, "features have n_mels 1073741824, a whole"),
        (
            {"features": FEATURES | {"hop_samples": 0}},
            "hop_samples 0, a whole number from 1 to 4096",
        ),
        ({"features": FEATURES | {"hop_samples": None}}, "features have hop_samples None, a whole"),
        (
            {"features": FEATURES | {"rate_hz": 999}},
            "rate_hz 999, a whole number from 1000 to 48000",
        ),
        ({"features": FEATURES | {"rate_hz": 10**9}}, "features have rate_hz 1000000000, a whole"),
        ({"features": FEATURES | {"rate_hz": [1]}}, r"features have rate_hz \[1\], a whole number"),
        ({"features": FEATURES | {"top_db": 0}}, "top_db of features is 0, a number above 1 and"),
        ({"features": FEATURES | {"top_db": float("nan")}}, "top_db of features is nan"),
        ({"features": FEATURES | {"top_db": 1e9}}, r"top_db of features is 1000000000\.0"),
        (
            {"features": FEATURES | {"hop_samples": 1}},
            "window_s is 30, of 661501 frames; the net.* 262144",
        ),
        ({"features": asdict(MelSpec()) | {"more": 1}}, "features are"),
        ({"features": 7}, "features are 7"),
        ({"temperature": 0}, "temperature is 0, a number above 0.001 and below 1000 is needed"),
        ({"temperature": -1.0}, r"temperature is -1\.0"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": float("inf")}, "temperature is inf"),
        ({"temperature": True}, "temperature is True"),
        ({"temperature": "1"}, "temperature is '1'"),
        ({"temperature": 10**400}, "temperature is 1000.*000, a number"),
        ({"window_s": 1e-9}, "window_s is 1e-09, a number above 0.1 and below 3600"),
        ({"window_s": 1e9}, r"window_s is 1000000000\.0"),
        ({"min_duration_s": 0}, "min_duration_s is 0, a number above 0 and below 30 is needed"),
        ({"min_duration_s": 31}, "min_duration_s is 31"),
        ({"scaling": []}, r"scaling is \[\], a mean and a deviation are needed"),
        ({"scaling": {"mean": SCALING["mean"]}}, "scaling is {'mean': .*}, a mean and a dev"),
        ({"scaling": SCALING | {"mean": 3}}, "scaling has as mean 3, a list of 148 is needed"),
        ({"scaling": SCALING | {"mean": [0.0] * 147}}, r"scaling has as mean \[0\.0, .*148"),
        ({"scaling": SCALING | {"deviation": [0.0] * 148}}, r"a deviation of scaling is 0\.0"),
        ({"scaling": SCALING | {"deviation": [1e-300] * 148}}, "a deviation of scaling is 1e-300"),
        ({"scaling": SCALING | {"mean": [float("nan")] * 148}}, "a mean of scaling is nan"),
        ({"scaling": SCALING | {"mean": [10**400] * 148}}, "a mean of scaling is 1000"),
    ],
)
def test_a_value_that_will_not_do_is_shown_with_what_will(folder, changes, message):
    rewrite_config(folder, **changes)
    with pytest.raises(ModelError, match=rf"config\.json: .*{message}"):
        read_config(folder)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_network_takes_the_features_that_its_shapes_need(folder, name):
    network = NETWORKS[name]
    spec = MelSpec(16000, 1024, 200, network.n_mels, network.n_mfcc or 13, 60.0)
    n_columns = network.inputs.n_columns(spec)
    scaling = {"mean": [0.0] * n_columns, "deviation": [1.0] * n_columns}
    changes = {"network": name, "scaling": scaling, "window_s": 5.0}
    changes["encoder_sha256"] = "0" * 64 if network.has_encoder else ""
    rewrite_config(folder, **changes, features=asdict(spec))
    config = read_config(folder)
    assert (config.features, config.inputs) == (spec, network.inputs)
    for value in ("n_mels", "n_mfcc") if network.n_mfcc else ("n_mels",):
        other = getattr(spec, value) + 1
        rewrite_config(folder, **changes, features=asdict(spec) | {value: other})
        with pytest.raises(ModelError, match=f"have {value} {other}, the network {name} takes"):
            read_config(folder)
    rewrite_config(folder, features=asdict(spec), scaling={k: v[1:] for k, v in scaling.items()})
    with pytest.raises(
        ModelError, match=f"scaling has as mean .*, a list of {n_columns} is needed"
    ):
        read_config(folder)


def test_windows_of_frames_are_bounded(frames_folder, tmp_path):
    folder = shutil.copytree(frames_folder, tmp_path / "model")
    spec = read_config(folder).features
    most_s = (read_config(folder).inputs.max_frames - 1) * spec.hop_samples
    most_s /= spec.rate_hz
    rewrite_config(folder, window_s=most_s)
    assert read_config(folder).window_s == most_s
    for window_s, n_frames in ((most_s + spec.hop_samples / spec.rate_hz, 8193), (3000, r"\d+")):
        rewrite_config(folder, window_s=window_s)
        message = rf"window_s is .*, of {n_frames} frames; the network .* takes no more than 8192\."
        with pytest.raises(ModelError, match=message):
            read_config(folder)


def test_a_model_of_frames_loads_as_it_was(frames_folder, tmp_path):
    loaded = load_model(str(frames_folder))
    assert save_model(tmp_path, loaded) == loaded.config
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        assert (tmp_path / name).read_bytes() == (frames_folder / name).read_bytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b"[]", "holds a list, a JSON object is needed"),
        (b"null", "holds a NoneType"),
        (b"\x80{}", "can't decode byte 0x80"),
        (b"[" * 100_000, "recursion"),
        (b'{"name": ' + b"9" * 5000 + b"}", "integer string conversion"),
    ],
    ids=["empty", "cut off", "list", "null", "no UTF-8", "too deep", "too long a number"],
)
def test_what_is_no_config_is_refused(folder, content, message):
    (folder / CONFIG_FILE).write_bytes(content)
    with pytest.raises(ModelError, match=rf"config\.json: .*{message}"):
        load_model(str(folder))


def test_a_message_does_not_quote_all_of_a_long_value(folder):
    rewrite_config(folder, emotions=["x" * 1000] * 1000)
    with pytest.raises(ModelError) as caught:
        read_config(folder)
    assert len(str(caught.value)) < 600


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**400), 2**63, 0, 1, 148])
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["angry", "sad", "paper-cnn", "paper-svm", "paper-rnn", "cnn"])
)
# As many as a model has inputs; not within each other, which makes files of gigabytes.
REPEATED = (VALUES | st.lists(VALUES, max_size=2)).map(lambda value: [value] * 148)
JSON = st.recursive(
    VALUES | REPEATED,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["mean", "deviation", "n_fft", "a"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.lists(st.tuples(st.integers(0, 400), JSON), min_size=1, max_size=3))
@example(changes=[(4, {"mean": [1] * 148, "deviation": [10**400] * 148})])
def test_no_config_gives_anything_but_a_model_or_a_model_error(folder, tiny_folder, changes):
    values = json.loads((tiny_folder / CONFIG_FILE).read_text())
    whole = copy.deepcopy(values)
    for number, value in changes:
        places = [(values, key) for key in whole]
        for inner in (values["features"], values["scaling"]):
            places += [(inner, key) for key in inner] if isinstance(inner, dict) else []
        if isinstance(values["scaling"], dict) and isinstance(values["scaling"].get("mean"), list):
            places += [(values["scaling"]["mean"], i) for i in range(148)][:5]
        place, key = places[number % len(places)]
        if isinstance(place, dict) or key < len(place):
            place[key] = value
    (folder / CONFIG_FILE).write_text(json.dumps(values))
    try:
        model = load_model(str(folder))
    except ModelError:
        return
    # What is accepted works: finite logits from any clip statistics.
    config = model.config
    statistics = np.concatenate([np.full(128, 1e-9), np.full(20, -1131.0)]).astype(np.float32)
    scaled = config.inputs.normalize(statistics, config.normalization, config.features)
    assert np.isfinite(scaled).all()
    assert model.network(torch.from_numpy(scaled)[None]).isfinite().all()
    assert 0 < config.min_duration_s < config.window_s < 3600


def test_a_config_with_a_value_changed_by_hand_is_accepted(folder):
    rewrite_config(folder, temperature=2, window_s=10, min_duration_s=0.5, name="mine")
    config = load_model(str(folder)).config
    assert (config.temperature, config.window_s, config.min_duration_s) == (2, 10, 0.5)
    assert config.name == "mine"
