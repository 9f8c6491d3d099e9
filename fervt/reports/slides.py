"""A deck as a PowerPoint file: native charts that can be edited, the sentences in the notes."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from pptx import Presentation
from pptx.chart.data import CategoryChartData, XyChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION
from pptx.util import Emu, Inches, Pt

from fervt.labels import NOTICE
from fervt.reports.deck_parts import Bars, Lines, Picture, Slide

_OURS, _OTHER = RGBColor(0x54, 0x57, 0xCD), RGBColor(0x8A, 0x8A, 0x99)
_WIDTH, _HEIGHT = Inches(13.333), Inches(7.5)
_MARGIN = Inches(0.7)
_BLANK = 6  # the layout without placeholders in python-pptx's own template
_BESIDE = Inches(6.2)  # where text goes beside a picture
_POINT = Inches(1.6)
_MANY = 16  # bars, whose numbers would overlap at the usual size
_PLACE = (_MARGIN, Inches(1.9), Emu(_WIDTH - 2 * _MARGIN), Inches(4.9))


def write_slides(title: str, deck: list[Slide], now: datetime | None = None) -> bytes:
    """Writes a deck.

    Args:
        title: On the first slide.
        deck: What follows it.
        now: The date on it.

    Returns:
        The content of a .pptx file.
    """
    file = Presentation()
    file.slide_width, file.slide_height = _WIDTH, _HEIGHT
    first = file.slides.add_slide(file.slide_layouts[_BLANK])
    _write(first, title, Inches(2.6), 44, bold=True)
    day = now or datetime.now(UTC)
    _write(first, f"{day:%B} {day.day}, {day.year}. {NOTICE}", Inches(4.2), 18)
    for slide in deck:
        page = file.slides.add_slide(file.slide_layouts[_BLANK])
        _write(page, slide.message, Inches(0.6), 28, bold=True)
        if isinstance(slide.chart, Bars):
            _draw_bars(page, slide.chart)
        elif isinstance(slide.chart, Lines):
            _draw_lines(page, slide.chart)
        elif isinstance(slide.chart, Picture):
            _place_picture(page, slide.chart)
        left = _BESIDE if isinstance(slide.chart, Picture) else _MARGIN
        for index, point in enumerate(slide.points):
            _write(page, point, Emu(Inches(2.0) + index * _POINT), 22, left=left)
        page.notes_slide.notes_text_frame.text = slide.say
    content = BytesIO()
    file.save(content)
    return content.getvalue()


def _write(
    page: Any, text: str, top: int, size_pt: int, bold: bool = False, left: int = _MARGIN
) -> None:
    box = page.shapes.add_textbox(left, top, Emu(_WIDTH - _MARGIN - left), Inches(1.2))
    box.text_frame.word_wrap = True
    box.text_frame.text = text
    font = box.text_frame.paragraphs[0].runs[0].font
    font.size, font.bold = Pt(size_pt), bold


def _draw_bars(page: Any, bars: Bars) -> None:
    data = CategoryChartData()
    data.categories = bars.categories
    for name, values in bars.series.items():
        data.add_series(name, values)
    chart = page.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, *_PLACE, data).chart
    _style(chart, len(bars.series) > 1)
    chart.has_title = True
    chart.chart_title.text_frame.text = bars.measure
    chart.chart_title.text_frame.paragraphs[0].runs[0].font.size = Pt(16)
    chart.category_axis.reverse_order = True
    chart.value_axis.visible = False
    chart.value_axis.has_major_gridlines = False
    chart.value_axis.minimum_scale = 0
    plot = chart.plots[0]
    plot.gap_width, plot.has_data_labels = 60, True
    if len(bars.categories) * len(bars.series) > _MANY:
        chart.font.size, plot.gap_width = Pt(12), 30
    whole = all(value.is_integer() for values in bars.series.values() for value in values)
    plot.data_labels.number_format = "0.0%" if bars.as_percent else "0" if whole else "0.00"
    plot.data_labels.number_format_is_linked = False
    if len(bars.series) > 1:
        for series, color in zip(plot.series, (_OTHER, _OURS), strict=False):
            series.format.fill.solid()
            series.format.fill.fore_color.rgb = color
    else:
        for index, category in enumerate(bars.categories):
            fill = plot.series[0].points[index].format.fill
            fill.solid()
            fill.fore_color.rgb = _OTHER if bars.marked and category != bars.marked else _OURS


def _draw_lines(page: Any, lines: Lines) -> None:
    data = XyChartData()
    for name, points in lines.series.items():
        series = data.add_series(name)
        for x, y in points:
            series.add_data_point(x, y)
    kind = XL_CHART_TYPE.XY_SCATTER_LINES_NO_MARKERS
    chart = page.shapes.add_chart(kind, *_PLACE, data).chart
    _style(chart, len(lines.series) > 1)
    for series, color in zip(chart.plots[0].series, (_OURS, _OTHER), strict=False):
        series.smooth = False
        series.format.line.color.rgb = color
        series.format.line.width = Pt(3.5 if color is _OURS else 1.5)
    axes = (chart.category_axis, lines.x_title), (chart.value_axis, lines.y_title)
    for axis, title in axes:
        axis.has_title = True
        axis.axis_title.text_frame.text = title
        axis.maximum_scale = 1
        axis.has_major_gridlines = False
        axis.tick_labels.number_format = "0%"
        axis.tick_labels.number_format_is_linked = False


def _place_picture(page: Any, picture: Picture) -> None:
    left, top, _, side = _PLACE
    shape = page.shapes.add_picture(BytesIO(picture.png), left, top, side, side)
    shape.name = "Picture"
    shape._element._nvXxPr.cNvPr.set("descr", picture.alt)


def _style(chart: Any, legend: bool) -> None:
    chart.font.size = Pt(16)
    chart.has_title = False
    chart.has_legend = legend
    if legend:
        chart.legend.position = XL_LEGEND_POSITION.BOTTOM
        chart.legend.include_in_layout = False
