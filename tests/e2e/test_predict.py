"""The Predict page in a real browser, on the checkpoint that ships."""

import hashlib
from collections import Counter
from io import BytesIO

import pytest
from pages_in_browser import settle
from PIL import Image
from playwright.sync_api import expect
from skimage import data

from fervt.checkpoint import find_checkpoint, shipped_checkpoints
from fervt.evaluation.certainty import measure_threshold, say_prediction
from fervt.files import file_sha256
from fervt.labels import NOTICE
from fervt.predict import Predictor

SLOW_MS = 90_000  # the first page of a server waits for PyTorch

# Streamlit asks for these below a page's own address before it finds them at the root.
EXPECTED_404 = ("/_stcore/health", "/_stcore/host-config")


@pytest.fixture(scope="module")
def astronaut(tmp_path_factory):
    path = tmp_path_factory.mktemp("photos") / "astronaut.png"
    Image.fromarray(data.astronaut()).save(path)
    return path


@pytest.fixture(scope="module")
def prediction():
    """What the flagship says of the astronaut."""
    return Predictor(find_checkpoint()).predict(data.astronaut())[0]


@pytest.fixture
def page(browser_page, app_server):
    """A page that fails its test where the browser complains or talks to anybody else."""
    complaints: list[str] = []
    strangers: list[str] = []

    def hear(message):
        if message.type == "error" and not message.location["url"].endswith(EXPECTED_404):
            complaints.append(message.text)

    def see(request):
        if request.url.startswith("http") and not request.url.startswith(app_server):
            strangers.append(request.url)

    browser_page.on("console", hear)
    browser_page.on("pageerror", lambda error: complaints.append(str(error)))
    browser_page.on("request", see)
    browser_page.set_default_timeout(SLOW_MS)
    yield browser_page
    assert not complaints
    assert not strangers


def headline(page):
    """What the page says of the face."""
    return page.get_by_test_id("stMain").get_by_role("heading", level=2).first


def said_of(prediction, name: str = find_checkpoint().stem) -> str:
    threshold = measure_threshold(file_sha256(find_checkpoint(name)))
    return say_prediction(prediction.probabilities, prediction.classes, threshold)


def test_an_uploaded_photo_is_read(page, app_server, astronaut, prediction):
    page.goto(f"{app_server}/predict")
    settle(page)
    page.get_by_test_id("stFileUploaderDropzoneInput").last.set_input_files(astronaut)

    assert said_of(prediction).startswith("Happy")
    expect(headline(page)).to_have_text(said_of(prediction), timeout=SLOW_MS)
    digest = hashlib.sha256(astronaut.read_bytes()).hexdigest()
    assert f"image={digest}" in page.url

    # The headline comes before the pictures, which are the example's until then.
    settle(page)
    side = prediction.model_input.shape[0]
    crop, seen = (
        page.get_by_test_id("stImage").filter(has_text=caption).locator("img")
        for caption in ("As it was cut out", f"{side} × {side} px, what the model saw")
    )
    crop_box, seen_box = crop.bounding_box(), seen.bounding_box()
    assert abs(crop_box["y"] - seen_box["y"]) < 2 and crop_box["x"] < seen_box["x"]
    shown = Image.open(BytesIO(page.request.get(seen.evaluate("image => image.src")).body()))
    pixels = shown.convert("RGB").resize((side, side), Image.Resampling.NEAREST)
    assert pixels.tobytes() == prediction.model_input.tobytes(), "the exact input is shown"
    expect(page.get_by_text(NOTICE).last).to_be_visible(timeout=SLOW_MS)


def test_a_link_names_the_checkpoint(page, app_server, astronaut):
    name = list(shipped_checkpoints())[-1]
    page.goto(f"{app_server}/predict?image=astronaut&checkpoint=nobody")
    expected = said_of(Predictor(find_checkpoint()).predict(data.astronaut())[0])
    expect(headline(page)).to_have_text(expected, timeout=SLOW_MS)
    page.get_by_text("The link names the checkpoint 'nobody', which isn't here").wait_for()

    page.goto(f"{app_server}/predict?image=mirrored&checkpoint={name}")
    mirrored = data.astronaut()[:, ::-1].copy()
    face = Predictor(find_checkpoint(name)).predict(mirrored)[0]
    expect(headline(page)).to_have_text(said_of(face, name), timeout=SLOW_MS)
    assert page.get_by_text("There is no checkpoint").count() == 0
    sidebar = page.get_by_test_id("stSidebar")
    chosen = sidebar.get_by_role("combobox", name="Checkpoint")
    expect(chosen).to_have_value(name)

    settle(page)
    sidebar.get_by_text("Use your own").click()
    sidebar.locator("input[type=file]").set_input_files(find_checkpoint(name))
    digest = hashlib.sha256(find_checkpoint(name).read_bytes()).hexdigest()
    expect(chosen).to_have_value(f"{name} (yours)", timeout=SLOW_MS)
    assert f"checkpoint={digest}" in page.url

    settle(page)
    sidebar.get_by_role("link", name="Home").click()
    page.get_by_role("heading", name="How it works: one face, stage by stage").wait_for()
    assert f"checkpoint={digest}" in page.url and "image=mirrored" in page.url
    settle(page)
    page.go_back()
    page.get_by_text("what the model saw").wait_for()
    settle(page)
    page.go_back()
    expect(chosen).to_have_value(name, timeout=SLOW_MS)
    assert f"checkpoint={name}" in page.url, "each choice is one step in the history"


@pytest.mark.parametrize("width_px", [1280, 390])
def test_no_checkpoint_stands_alone_and_their_cards_are_alike(page, app_server, width_px):
    page.set_viewport_size({"width": width_px, "height": 844})
    page.goto(f"{app_server}/predict?image=astronaut")
    cards = page.locator("[class*=st-key-read_by_]")
    page.get_by_role("button", name="Use it").nth(len(shipped_checkpoints()) - 2).wait_for()
    settle(page)
    boxes = [card.bounding_box() for card in cards.all()]
    assert len({round(box["height"]) for box in boxes}) == 1
    in_row = Counter(round(box["y"]) for box in boxes).values()
    assert max(in_row) - min(in_row) <= 1


def test_an_example_is_chosen_by_clicking_its_picture(page, app_server):
    page.goto(f"{app_server}/predict")
    settle(page)
    page.get_by_role("button", name="Examples").click()
    card = page.locator("[class*=st-key-card_example_mirrored]")
    card.get_by_role("button", name="Mirrored").wait_for(timeout=SLOW_MS)
    settle(page)
    card.click(position={"x": 40, "y": 30})
    page.wait_for_url("**/predict?image=mirrored", timeout=SLOW_MS)
    expect(headline(page)).to_be_visible(timeout=SLOW_MS)


def test_a_face_is_chosen_by_clicking_it_in_the_photo(page, app_server):
    page.goto(f"{app_server}/predict")
    expect(page.get_by_role("button", name="Face 1: ")).to_have_attribute("aria-pressed", "true")
    settle(page)
    second = page.get_by_role("button", name="Face 2: ")
    second.click()
    page.wait_for_url("**/predict?*face=2*")
    expect(second).to_have_attribute("aria-pressed", "true")
    expect(headline(page)).to_have_text("Happy, 96%")
